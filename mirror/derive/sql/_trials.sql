-- Grain: one row per trial of the mice at hand, with the columns that the tables of this folder
-- read.
create or replace temp view _trials as

select
    subject_uuid,
    session_start_time,
    session_date,
    prob_left_pct,
    prob_left_block,
    signed_contrast,
    choice,
    rewarded,
    correct,
    correct_easy,
    reaction_time,
    reaction_time_source,
    case when reaction_time_source = 'stim_on' then reaction_time end as reaction_time_stim_on
from trials
where subject_uuid in (select subject_uuid from _mice);
