-- Grain: one row per mouse, date and criterion, for each criterion that the mouse reached: the
-- rows of days, before and after. A mouse that did not reach a criterion has no rows of it.
--
-- Sources: days, time_to_criterion.
--
-- Definition: the training_day minus that of the date of the criterion, as in paper-behavior
-- (query_sessions_around_criterion), of one source for all days of a mouse from a criterion: that
-- of days.day_source, or the other where that one does not know the date of the criterion. The
-- paper's windows are counted so: [2, 0] is days_from_criterion between -2 and 0, and then all
-- sessions on these dates, of any task.
--
-- Traps:
-- * Dates on which the mouse did not run are not counted, so 1 is the next date with a session,
--   after a weekend too; calendar_days_from_criterion counts them.
-- * The server did not always count each date once: a number can be skipped or come twice.
-- * A date that day_source does not know has no days_from_criterion.
-- * paper-behavior sees only dates with a stored summary: stored_training_day is not null.
-- * Days that are not here, after a sync with --since or of sessions without rows, do not change
--   a difference of stored days, but one of recomputed days across the gap.
create or replace view days_from_criterion as

with

day_from_criterion as (

    select
        day.subject_uuid,
        day.session_date,
        reached.criterion,
        day.subject_nickname,
        day.lab_name,
        day.institution_short,
        day.institution_code,
        reached.status_source,
        reached.date_reached,
        day.training_day,
        day.stored_training_day,
        day.training_day - reached.training_day as days_recomputed,
        day.stored_training_day - reached.stored_training_day as days_stored,
        case
            when reached.stored_training_day is not null
                and (day.day_source = 'stored' or reached.training_day is null) then 'stored'
            when reached.training_day is not null then 'recomputed'
        end as day_source,
        day.n_trials,
        day.performance,
        day.performance_easy,
        day.median_reaction_time,
        day.stored_performance_easy
    from days as day
    join time_to_criterion as reached
        on reached.subject_uuid = day.subject_uuid
        and reached.is_reached

)

select
    subject_uuid,
    session_date,
    criterion,
    subject_nickname,
    lab_name,
    institution_short,
    institution_code,
    status_source,
    date_reached,
    training_day,
    stored_training_day,
    case day_source when 'stored' then days_stored else days_recomputed end
        as days_from_criterion,
    day_source,
    date_diff('day', date_reached, session_date) as calendar_days_from_criterion,
    n_trials,
    performance,
    performance_easy,
    median_reaction_time,
    stored_performance_easy
from day_from_criterion;

comment on view days_from_criterion is
'One row per mouse, date and criterion reached: days before and after it, with performance.';

comment on column days_from_criterion.subject_uuid is
'The mouse. With session_date and criterion the key.';
comment on column days_from_criterion.session_date is
'Date on the wall clock of the rig.';
comment on column days_from_criterion.status_source is
'Where the statuses come from: stored; recomputed if the server has none of it.';
comment on column days_from_criterion.date_reached is
'Date of the criterion, day 0. Never NULL.';
comment on column days_from_criterion.days_from_criterion is
'Training days since date_reached, as day_source says: negative before. NULL if it is not known.';
comment on column days_from_criterion.day_source is
'One for all days of a mouse from a criterion: stored_training_day, or recomputed. NULL without.';
comment on column days_from_criterion.calendar_days_from_criterion is
'Calendar days since date_reached: negative before. Never NULL.';
