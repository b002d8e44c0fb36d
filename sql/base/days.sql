-- Grain: one row per mouse and date on which the mouse had a session other than habituation or
-- with trials, or has a stored day summary. Dates of habituation alone do not appear.
--
-- Sources: sessions, session_status, subjects, derived.daily_summaries (recomputed from
-- trials), _mirror.derived (whether anything is), behavior_analyses.behavioral_summary_by_date (as
-- the server stored it).
--
-- Definitions: as BehavioralSummaryByDate (IBL-pipeline, analyses/behavior.py): training_day is
-- the number of dates so far with a session other than habituation, training_week that divided
-- by five. performance leaves 0 contrast out of the correct trials but not out of the total, the
-- rule of the published code; performance_rewarded counts it, the rule before mid October 2019.
--
-- Traps:
-- * Figure 2 of eLife 2021;10:e63711 drops days of 100 trials or fewer and then counts from 0;
--   training_day0 counts from 0 without dropping any.
-- * training_week is no calendar week: day 5 is the first day of week 1, and week 0 has four.
-- * stored_performance follows either rule, depending on the date: compare it with both.
-- * Two sessions on one date are one row here. The status is that of the last one that has one.
-- * training_day and stored_training_day are two clocks, and a mouse can have dates of which only
--   one is known: never take one here and the other there. day_source names one for all days of a
--   mouse, and summary_source does for what was summed up; who wants the better goes by them.
-- * A server cannot have a summary without a session; a mirror can, if sessions were left out.
--   Such a date has no training_day, and later days count one too few: see stored_training_day.
-- * After a sync with --since the first day here is training_day 1, cum_trials and calendar_day
--   start there too, and a mouse can be trained on it. has_earlier_days tells; training_milestones,
--   cohorts and training_funnel have no such column, and take the first date here for the first.
--
-- Stored: in the order of subject_uuid, session_date.
create or replace view days as

with

-- habituation does not make a day, but a status can come from any session with trials
session_date as (

    select
        subject_uuid,
        session_date,
        max(training_day) as training_day,
        count(*) as n_sessions,
        -- one text per date: many times faster than string_agg in order
        concat_ws(
            ',',
            max(case when task = 'biased' then task end),
            max(case when task = 'ephys' then task end),
            max(case when task = 'other' then task end),
            max(case when task = 'training' then task end),
            max(case when task = 'unknown' then task end)
        ) as tasks
    from sessions
    where task <> 'habituation'
    group by subject_uuid, session_date

),

-- no ties: a mouse has one session at a time
status_date as (

    select
        subject_uuid,
        session_date,
        arg_max(training_status, session_start_time) filter (where training_status is not null)
            as training_status,
        arg_max(is_status_certain, session_start_time) filter (where training_status is not null)
            as is_status_certain,
        arg_max(stored_training_status, session_start_time)
            filter (where stored_training_status is not null) as stored_training_status,
        arg_max(status, session_start_time) filter (where status is not null) as status,
        arg_max(status_rank, session_start_time) filter (where status is not null)
            as status_rank
    from session_status
    group by subject_uuid, session_date

),

day as (

    select
        subject_uuid,
        session_date
    from session_date

    union

    select
        subject_uuid,
        session_date
    from derived.daily_summaries

    union

    select
        subject_uuid,
        session_date
    from behavior_analyses.behavioral_summary_by_date

    union

    select
        subject_uuid,
        session_date
    from status_date

)

select
    day.subject_uuid,
    day.session_date,
    mouse.subject_nickname,
    mouse.lab_name,
    mouse.institution_short,
    mouse.institution_code,
    date_diff('day', mouse.subject_birth_date, day.session_date) as age_days,
    max(case when stored.training_day > session_date.training_day then 1
            when stored.training_day <= session_date.training_day then 0
        end) over mouse_days = 1 as has_earlier_days,
    case
        when count(session_date.training_day) over mouse_days
            > count(stored.training_day) over mouse_days then 'recomputed'
        when count(stored.training_day) over mouse_days > 0 then 'stored'
    end as day_source,
    case
        when count(summary.subject_uuid) over mouse_days
            > count(stored.subject_uuid) over mouse_days then 'recomputed'
        when count(stored.subject_uuid) over mouse_days > 0 then 'stored'
    end as summary_source,
    session_date.training_day,
    session_date.training_day - 1 as training_day0,
    session_date.training_day // 5 as training_week,
    date_diff('day', min(day.session_date) over mouse_days, day.session_date) as calendar_day,
    session_date.tasks,
    coalesce(session_date.n_sessions, 0) as n_sessions,
    case
        when (select count(*) > 0 from _mirror.derived) then coalesce(summary.n_sessions, 0)
    end as n_sessions_with_trials,
    summary.n_trials_date as n_trials,
    case
        when (select count(*) > 0 from _mirror.derived)
            then sum(coalesce(summary.n_trials_date, 0)) over so_far::bigint
    end as cum_trials,
    summary.performance,
    summary.performance_rewarded,
    summary.performance_easy,
    summary.median_reaction_time,
    status_date.training_status,
    status_date.is_status_certain,
    status_date.stored_training_status,
    status_date.status,
    status_date.status_rank,
    stored.subject_uuid is not null as has_stored_summary,
    stored.training_day as stored_training_day,
    stored.training_week as stored_training_week,
    stored.n_trials_date as stored_n_trials,
    case
        when count(stored.n_trials_date) over so_far > 0
            then sum(coalesce(stored.n_trials_date, 0)) over so_far::bigint
    end as stored_cum_trials,
    -- a FLOAT .8 is larger than the number .8: rounded, so that `> 0.8` means what it says
    round(stored.performance::double, 6) as stored_performance,
    round(stored.performance_easy::double, 6) as stored_performance_easy
from day
left join subjects as mouse
    on mouse.subject_uuid = day.subject_uuid
left join session_date
    on session_date.subject_uuid = day.subject_uuid
    and session_date.session_date = day.session_date
left join derived.daily_summaries as summary
    on summary.subject_uuid = day.subject_uuid
    and summary.session_date = day.session_date
left join status_date
    on status_date.subject_uuid = day.subject_uuid
    and status_date.session_date = day.session_date
left join behavior_analyses.behavioral_summary_by_date as stored
    on stored.subject_uuid = day.subject_uuid
    and stored.session_date = day.session_date
window
    mouse_days as (partition by day.subject_uuid),
    so_far as (
        partition by day.subject_uuid
        order by day.session_date
        rows between unbounded preceding and current row
    );

comment on view days is
'One row per mouse and date: training day, trials, performance and status, recomputed and stored.';

comment on column days.subject_uuid is
'The mouse. With session_date the key of a day.';
comment on column days.session_date is
'Date on the wall clock of the rig. With subject_uuid the key of a day.';
comment on column days.institution_short is
'Short name of the institution of the lab. NULL without a lab or a short name.';
comment on column days.age_days is
'Age of the mouse on the date, days. NULL without a date of birth.';
comment on column days.has_earlier_days is
'True if the server counted days of the mouse that are not here. NULL without a day to compare.';
comment on column days.day_source is
'Who knows the number of the day of more dates of the mouse: stored (or as many), or recomputed.';
comment on column days.summary_source is
'Whose summaries are of more dates of the mouse: recomputed, or stored (also of as many).';
comment on column days.training_day is
'Count of dates so far with a session other than habituation, from 1. NULL if there was none.';
comment on column days.training_day0 is
'training_day counted from 0. NULL as training_day.';
comment on column days.training_week is
'training_day divided by five, rounded down. NULL as training_day.';
comment on column days.calendar_day is
'Days since the first row of the mouse, from 0, weekends and breaks included. Never NULL.';
comment on column days.tasks is
'Tasks of the sessions counted in n_sessions, sorted, separated by commas. NULL if none.';
comment on column days.n_sessions is
'Sessions of the date other than habituation, with or without trials. Never NULL.';
comment on column days.n_sessions_with_trials is
'Sessions of the date, of any task, with trials in the mirror. NULL if nothing is derived.';
comment on column days.n_trials is
'Trials of the date in the mirror, no-go included. NULL without any.';
comment on column days.cum_trials is
'Trials here so far, this date included. NULL if nothing is derived.';
comment on column days.performance is
'Correct trials above 0 contrast over all trials, 0 to 1, no-go is wrong. NULL without trials.';
comment on column days.performance_rewarded is
'Rewarded trials over all trials, 0 to 1. NULL without trials.';
comment on column days.performance_easy is
'Share correct at contrasts from 50 %, 0 to 1, no-go is wrong. NULL without such trials.';
comment on column days.median_reaction_time is
'Median of all trials, seconds, go cue as fallback, no-go included. NULL without any.';
comment on column days.training_status is
'Status after the last session of the date that has one, recomputed from trials. NULL if none.';
comment on column days.is_status_certain is
'False if trials are missing, or a value near a limit could have changed it. NULL without it.';
comment on column days.stored_training_status is
'Stored status after the last session of the date that has one. NULL if none.';
comment on column days.status is
'stored_training_status; training_status for a mouse without any stored status. NULL if none.';
comment on column days.status_rank is
'Place of status, 0 (in_training, untrainable) to 5 (ready4recording). NULL as status.';
comment on column days.has_stored_summary is
'True if the server stored a summary of the date. Never NULL.';
comment on column days.stored_training_day is
'training_day as the server stored it. NULL without.';
comment on column days.stored_training_week is
'training_week as the server stored it. NULL without.';
comment on column days.stored_n_trials is
'Trials of the date as the server counted them. NULL without.';
comment on column days.stored_cum_trials is
'Sum of stored_n_trials so far, this date included. NULL before the first.';
comment on column days.stored_performance is
'Correct over all trials as stored, 0 to 1; whether 0 contrast counts depends on the date.';
comment on column days.stored_performance_easy is
'Stored share correct at contrasts from 50 %, 0 to 1. NULL without, and if 0.';
