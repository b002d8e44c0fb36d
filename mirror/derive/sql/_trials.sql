-- Grain: one row per trial of the view trials, with the columns that the tables of this
-- folder read, for the mice at hand: the view sorts trials, and that is worth doing once.
create or replace temp table _trials as

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
    reaction_time_stim_on
from trials
where subject_uuid in (select subject_uuid from _mice);
