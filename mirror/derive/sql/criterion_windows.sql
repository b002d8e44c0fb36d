-- Grain: one row per session, criterion and measure: why a mouse has a status, or not yet.
--
-- Definition: the table of limits in IBL's pipeline, as mirror/derive/status.py writes it. The
-- measures are taken over the last three sessions up to this one (of the protocols that the
-- criterion asks for), pooled for psychometric curves and reaction times, the worst of the
-- three for trials and easy performance. standard_error is that of the fit, from the curvature
-- of its likelihood: how far the value would move with other trials of the same mouse. A value
-- within it of the limit is not certain.
create table if not exists derived.criterion_windows (
    subject_uuid uuid,
    session_start_time timestamp,
    session_date date,
    rule_set varchar,
    criterion varchar,
    measure varchar,
    value double,
    comparison varchar,
    limit_value double,
    passed boolean,
    standard_error double,
    is_certain boolean
);

comment on table derived.criterion_windows is
'One row per session, criterion and measure: the value, its limit, and whether it passed.';
comment on column derived.criterion_windows.subject_uuid is
'The mouse.';
comment on column derived.criterion_windows.session_start_time is
'Start of the session, wall clock of the rig.';
comment on column derived.criterion_windows.session_date is
'Date of the start of the session.';
comment on column derived.criterion_windows.rule_set is
'Whose rules: ibl-pipeline.';
comment on column derived.criterion_windows.criterion is
'The status that is asked for: trained_1a, trained_1b, ready4ephysrig, ...';
comment on column derived.criterion_windows.measure is
'What is compared: n_trials, performance_easy, bias, threshold, lapse_low, reaction_time, ...';
comment on column derived.criterion_windows.value is
'Percent contrast for bias and threshold, seconds for reaction_time, minutes for delay.';
comment on column derived.criterion_windows.comparison is
'How value must compare with limit_value: <, >, >= or =.';
comment on column derived.criterion_windows.limit_value is
'The limit.';
comment on column derived.criterion_windows.passed is
'True if the criterion holds for this measure. NULL if the value is not known.';
comment on column derived.criterion_windows.standard_error is
'Of a fitted value, in its unit. NULL of others, at a bound, and if the trials determine none.';
comment on column derived.criterion_windows.is_certain is
'False if trials that the rules ask for are missing, or standard_error reaches the limit.';

insert into derived.criterion_windows

select
    session.subject_uuid,
    session.session_start_time,
    session.session_date,
    criterion.rule_set,
    criterion.criterion::varchar as criterion,
    criterion.measure::varchar as measure,
    criterion.value,
    criterion.comparison::varchar as comparison,
    criterion."limit" as limit_value,
    criterion.passed::boolean as passed,
    criterion.standard_error,
    criterion.is_certain
from _criteria as criterion
join _sessions as session
    on session.session = criterion.session
order by session.session, criterion.place;
