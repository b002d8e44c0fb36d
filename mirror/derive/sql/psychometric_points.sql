-- Grain: one row per signed contrast that was shown in a session, in the blocks of one probability
-- of a session, or in those of a day: the column grain says which.
--
-- Definitions: p_right is the share of right among the choices, as in the figures of
-- paper-behavior (eLife 2021;10:e63711, figures 1 to 4); p_right_dj is prob_choose_right of
-- PsychResults (IBL-pipeline, analyses/behavior.py), which divides by all trials and so counts a
-- no-go as not right. The intervals are Wilson's, for the choices counted as independent: unlike p
-- plus or minus its standard error they stay within 0 and 1, and do not vanish where all choices
-- agree.
--
-- Traps: trials whose session has no row of its own belong to no day.
create table if not exists derived.psychometric_points (
    grain varchar,
    subject_uuid uuid,
    session_start_time timestamp,
    session_date date,
    prob_left_block integer,
    signed_contrast double,
    n_sessions bigint,
    n_trials bigint,
    n_no_go bigint,
    n_right bigint,
    p_right double,
    p_right_low68 double,
    p_right_high68 double,
    p_right_low95 double,
    p_right_high95 double,
    p_right_dj double
);

comment on table derived.psychometric_points is
'One row per session, session_block or day_block and signed contrast: P(right) with intervals.';
comment on column derived.psychometric_points.grain is
'What was summed up: session, session_block or day_block.';
comment on column derived.psychometric_points.subject_uuid is
'The mouse.';
comment on column derived.psychometric_points.session_start_time is
'Start of the session, wall clock of the rig. NULL for a day.';
comment on column derived.psychometric_points.session_date is
'Date of the start of the session. NULL if the session has no row of its own.';
comment on column derived.psychometric_points.prob_left_block is
'Probability left of the block, percent: 20, 50, 80. NULL for a whole session, or unrecorded.';
comment on column derived.psychometric_points.signed_contrast is
'Contrast, percent, right minus left: positive on the right. NULL if not recorded.';
comment on column derived.psychometric_points.n_sessions is
'Sessions with such trials.';
comment on column derived.psychometric_points.n_trials is
'Trials, no-go included.';
comment on column derived.psychometric_points.n_no_go is
'Trials without a choice within 60 s.';
comment on column derived.psychometric_points.n_right is
'Trials with the choice right.';
comment on column derived.psychometric_points.p_right is
'Share of right among the choices, 0 to 1, no-go left out. NULL without a choice.';
comment on column derived.psychometric_points.p_right_low68 is
'Lower end of the 68 % Wilson interval of p_right. NULL without a choice.';
comment on column derived.psychometric_points.p_right_high68 is
'Upper end of the 68 % Wilson interval of p_right. NULL without a choice.';
comment on column derived.psychometric_points.p_right_low95 is
'Lower end of the 95 % Wilson interval of p_right. NULL without a choice.';
comment on column derived.psychometric_points.p_right_high95 is
'Upper end of the 95 % Wilson interval of p_right. NULL without a choice.';
comment on column derived.psychometric_points.p_right_dj is
'Share of right among all trials, 0 to 1, as the server stored it: no-go is not right.';

insert into derived.psychometric_points

with

summed_count as (

    select
        case
            when grouping(session_start_time) = 1 then 'day_block'
            when grouping(prob_left_block) = 1 then 'session'
            else 'session_block'
        end as grain,
        subject_uuid,
        session_start_time,
        session_date,
        prob_left_block,
        signed_contrast,
        count(distinct session_start_time) as n_sessions,
        sum(n_trials)::bigint as n_trials,
        sum(n_no_go)::bigint as n_no_go,
        sum(n_right)::bigint as n_right,
        sum(n_trials - n_no_go)::bigint as n_choices,
        sum(n_trials - n_no_go - n_right)::bigint as n_left
    from derived.choice_counts
    where subject_uuid in (select subject_uuid from _mice)
    group by grouping sets (
        (subject_uuid, session_start_time, session_date, signed_contrast),
        (subject_uuid, session_start_time, session_date, prob_left_block, signed_contrast),
        (subject_uuid, session_date, prob_left_block, signed_contrast)
    )
    having grouping(session_start_time) = 0 or session_date is not null

),

-- squares of the normal quantiles that leave out 32 % and 5 %
normal_quantile as (

    select
        0.988946481478023e0 as square68,
        3.841458820694124e0 as square95

),

count_with_spread as (

    select
        summed_count.*,
        square68,
        square95,
        sqrt(square68 * square68 + 4 * square68 * n_right * n_left / nullif(n_choices, 0))
            as spread68,
        sqrt(square95 * square95 + 4 * square95 * n_right * n_left / nullif(n_choices, 0))
            as spread95
    from summed_count
    cross join normal_quantile

)

select
    grain,
    subject_uuid,
    session_start_time,
    session_date,
    prob_left_block,
    signed_contrast,
    n_sessions,
    n_trials,
    n_no_go,
    n_right,
    n_right / nullif(n_choices, 0) as p_right,
    (2 * n_right + square68 - spread68) / nullif(2 * (n_choices + square68), 0) as p_right_low68,
    -- one minus the lower end of left: exactly 1 where all choices are right
    1 - (2 * n_left + square68 - spread68) / nullif(2 * (n_choices + square68), 0)
        as p_right_high68,
    (2 * n_right + square95 - spread95) / nullif(2 * (n_choices + square95), 0) as p_right_low95,
    1 - (2 * n_left + square95 - spread95) / nullif(2 * (n_choices + square95), 0)
        as p_right_high95,
    n_right / nullif(n_trials, 0) as p_right_dj
from count_with_spread
order by
    grain,
    subject_uuid,
    session_date,
    session_start_time,
    prob_left_block,
    signed_contrast;
