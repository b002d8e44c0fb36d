-- Grain: one row per mouse and criterion, for every mouse with a row in days. Criteria: trained,
-- biased, ephys (the paper's) and reached_trained_1a, reached_trained_1b, reached_ready4ephysrig,
-- reached_ready4delay, reached_ready4recording (that status or a higher one).
--
-- Sources: training_milestones, days, session_status.
--
-- Definition: everything is counted up to and including date_until: the date of the criterion, or
-- for a mouse that did not reach it, that of its last status. So n_days is what figure 2g of
-- eLife 2021;10:e63711 takes from the database (day summaries up to the date of the criterion),
-- and days with trials of which the server stored none.
-- For figure 2d, Kaplan-Meier, n_sessions_in_training is the time, is_reached the event and
-- reached_trained_1a the criterion: a mouse that skipped 1a and 1b is trained in the figure, and
-- not by `trained`.
--
-- Traps:
-- * The paper's published table counts one day less (date < date_trained) and up to three rows a
--   day; its survival curve counts sessions where the axis says days.
-- * A mouse without any status has is_reached NULL, not false: nobody knows. Leave it out of
--   survival curves with `where is_reached is not null`.
-- * n_days_without_status above 0 means that the mouse may have reached the criterion earlier
--   than date_reached, on dates whose trials or status are missing, or that sessions crashed.
-- * A day counts in n_days if it has trials, in training_day if it has a session.
-- * After a sync with --since, or where sessions have no rows here, everything counts from the
--   first day here, and a mouse can seem to be trained on it: leave such mice out with
--   `where has_earlier_days is not true`.
--
-- Stored: in the order of subject_uuid, criterion.
create or replace view time_to_criterion as

with

criterion as (

    select unnest(
        [
            'trained',
            'biased',
            'ephys',
            'reached_trained_1a',
            'reached_trained_1b',
            'reached_ready4ephysrig',
            'reached_ready4delay',
            'reached_ready4recording'
        ]
    ) as criterion

),

session_count as (

    select
        subject_uuid,
        session_date,
        count(*) as n_sessions_with_trials,
        count(*) filter (where status in ('in_training', 'untrainable'))
            as n_sessions_in_training
    from session_status
    group by subject_uuid, session_date

),

counted_day as (

    select
        day.subject_uuid,
        day.session_date,
        day.subject_nickname,
        day.lab_name,
        day.institution_short,
        day.institution_code,
        day.has_earlier_days,
        day.training_day,
        day.stored_training_day,
        day.calendar_day,
        case day.summary_source when 'stored' then day.stored_cum_trials else day.cum_trials end
            as n_trials,
        max(day.session_date) over (partition by day.subject_uuid) as last_date,
        sum(
            case
                when day.has_stored_summary
                    or day.n_trials is not null
                    or session_count.n_sessions_with_trials > 0 then 1
                else 0
            end
        ) over so_far as n_days,
        sum(case when day.status is null then 1 else 0 end) over so_far
            as n_days_without_status,
        sum(day.n_sessions) over so_far as n_sessions,
        sum(coalesce(session_count.n_sessions_with_trials, 0)) over so_far
            as n_sessions_with_trials,
        sum(coalesce(session_count.n_sessions_in_training, 0)) over so_far
            as n_sessions_in_training
    from days as day
    left join session_count
        on session_count.subject_uuid = day.subject_uuid
        and session_count.session_date = day.session_date
    window so_far as (
        partition by day.subject_uuid
        order by day.session_date
        rows between unbounded preceding and current row
    )

),

mouse_and_criterion as (

    select
        mouse.subject_uuid,
        criterion.criterion,
        mouse.status_source,
        mouse.latest_status_date,
        case criterion.criterion
            when 'trained' then mouse.date_trained
            when 'biased' then mouse.date_biased
            when 'ephys' then mouse.date_ephys
            when 'reached_trained_1a' then mouse.date_reached_trained_1a
            when 'reached_trained_1b' then mouse.date_reached_trained_1b
            when 'reached_ready4ephysrig' then mouse.date_reached_ready4ephysrig
            when 'reached_ready4delay' then mouse.date_reached_ready4delay
            when 'reached_ready4recording' then mouse.date_reached_ready4recording
        end as date_reached
    from training_milestones as mouse
    cross join criterion

)

select
    day.subject_uuid,
    mouse.criterion,
    day.subject_nickname,
    day.lab_name,
    day.institution_short,
    day.institution_code,
    mouse.status_source,
    day.has_earlier_days,
    case when mouse.status_source is not null then mouse.date_reached is not null end
        as is_reached,
    mouse.date_reached,
    day.session_date as date_until,
    day.training_day,
    day.stored_training_day,
    day.calendar_day,
    day.n_days::bigint as n_days,
    day.n_days_without_status::bigint as n_days_without_status,
    day.n_sessions::bigint as n_sessions,
    day.n_sessions_with_trials::bigint as n_sessions_with_trials,
    day.n_sessions_in_training::bigint as n_sessions_in_training,
    day.n_trials
from counted_day as day
join mouse_and_criterion as mouse
    on mouse.subject_uuid = day.subject_uuid
    -- the date of every status is a row of days
    and coalesce(mouse.date_reached, mouse.latest_status_date, day.last_date)
        = day.session_date;

comment on view time_to_criterion is
'One row per mouse and criterion: days, sessions and trials until it, or until the last status.';

comment on column time_to_criterion.subject_uuid is
'The mouse. With criterion the key.';
comment on column time_to_criterion.criterion is
'trained, biased, ephys (the paper''s), or reached_ and the status that was reached or passed.';
comment on column time_to_criterion.is_reached is
'True if reached, false if censored at date_until. NULL if the mouse has no status at all.';
comment on column time_to_criterion.date_reached is
'Date of the criterion, as in training_milestones. NULL if not reached.';
comment on column time_to_criterion.date_until is
'Last date counted: date_reached, else of the last status, else of the last day. Never NULL.';
comment on column time_to_criterion.training_day is
'training_day of date_until: dates with a session so far, from 1. NULL if it had none.';
comment on column time_to_criterion.stored_training_day is
'training_day that the server stored for date_until. NULL without.';
comment on column time_to_criterion.calendar_day is
'Days from the first row of days to date_until, from 0. Never NULL.';
comment on column time_to_criterion.n_days is
'Dates with trials, here or on the server, up to and including date_until. Never NULL.';
comment on column time_to_criterion.n_days_without_status is
'Rows of days up to and including date_until without a status. Never NULL.';
comment on column time_to_criterion.n_sessions is
'Sessions other than habituation, with or without trials, date_until included. Never NULL.';
comment on column time_to_criterion.n_sessions_with_trials is
'Sessions with trials, here or on the server, date_until included. Never NULL.';
comment on column time_to_criterion.n_sessions_in_training is
'Sessions with status in_training or untrainable, date_until included. Never NULL.';
comment on column time_to_criterion.n_trials is
'Trials so far at date_until, stored or recomputed for all days of the mouse: days.summary_source.';
