-- Grain: one row per session with trials, criterion and measure: why a mouse has a status, or
-- not yet.
--
-- Sources: derived.criterion_windows, sessions.
--
-- Definition: the limits of SessionTrainingStatus (IBL-pipeline, analyses/behavior.py). Measures
-- are taken over the last three sessions up to this one, of the protocols that the criterion
-- asks for: pooled for curves and reaction times, the worst of the three for n_trials and
-- performance_easy. margin is the distance to the limit, on the scale of the measure.
-- standard_error is that of the fit, from the curvature of its likelihood: how far the value would
-- move with other trials of the same mouse. Within it of the limit, a criterion is not certain.
--
-- Traps:
-- * Criteria are evaluated whatever the status: a criterion that fails today may have been met
--   before, and statuses last. The status itself is in session_status.
-- * Where the protocol is another, or there were fewer sessions than asked for, what comes after
--   was not measured and has no row: the last measure there is, protocol or sessions, failed.
-- * The server's search started at random and stopped early in places: 1 to 4 in a hundred of its
--   fits are further than one standard_error from the likeliest, and can have decided otherwise
--   where a criterion is certain here.
-- * bias is the absolute value of the midpoint; bias_shift, that of block 80 less that of 20.
-- * untrainable and unbiasable are `met` by a number of sessions alone.
create or replace view criterion_report as

select
    criterion.subject_uuid,
    criterion.session_start_time,
    criterion.criterion,
    criterion.measure,
    session.session_uuid,
    session.subject_nickname,
    session.lab_name,
    session.institution_short,
    criterion.session_date,
    session.training_day,
    session.task,
    criterion.rule_set,
    criterion.value,
    criterion.comparison,
    criterion.limit_value,
    criterion.passed,
    case
        when criterion.comparison = '<' then criterion.limit_value - criterion.value
        when criterion.comparison in ('>', '>=') then criterion.value - criterion.limit_value
    end as margin,
    criterion.standard_error,
    sum(case when criterion.passed then 0 when not criterion.passed then 1 else 0 end)
        over measures_of_criterion::bigint as n_failed,
    sum(case when criterion.passed is null then 1 else 0 end)
        over measures_of_criterion::bigint as n_unknown,
    sum(case when criterion.is_certain then 0 else 1 end)
        over measures_of_criterion::bigint as n_uncertain,
    criterion.is_certain
from derived.criterion_windows as criterion
join sessions as session
    on session.subject_uuid = criterion.subject_uuid
    and session.session_start_time = criterion.session_start_time
window measures_of_criterion as (
    partition by
        criterion.subject_uuid, criterion.session_start_time, criterion.criterion
);

comment on view criterion_report is
'One row per session, criterion and measure: the value, its limit, whether it passed, by how much.';

comment on column criterion_report.subject_uuid is
'The mouse. With session_start_time, criterion and measure the key.';
comment on column criterion_report.session_start_time is
'Start, wall clock of the rig, without time zone.';
comment on column criterion_report.criterion is
'The status that is asked for, such as trained_1a, or good_enough_for_brainwide_map.';
comment on column criterion_report.session_date is
'Date of the start, on the wall clock of the rig.';
comment on column criterion_report.value is
'Contrast (%) for bias, threshold; s for reaction_time; min for delay. NULL if not known, or none.';
comment on column criterion_report.limit_value is
'The limit, in the unit of value.';
comment on column criterion_report.passed is
'True if value compares as it must. NULL if the value is not known.';
comment on column criterion_report.margin is
'Distance to the limit: below 0 fails, and 0 for < and >. NULL for = or an unknown value.';
comment on column criterion_report.n_failed is
'Measures with a row for this session and criterion that failed. Never NULL.';
comment on column criterion_report.n_unknown is
'Measures of this session and criterion that are not known. Met if this and n_failed are 0.';
comment on column criterion_report.n_uncertain is
'Measures of this session and criterion that are not certain. Never NULL.';
