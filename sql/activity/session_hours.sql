-- Grain: one row per lab, day of the week and hour of the day with a session, with lab_name
-- NULL for mice without lab. Hours without sessions do not appear.
--
-- Sources: sessions.
--
-- Definition: the hour of session_start_time as it stands (the tutorial's second exercise).
--
-- Traps: session_start_time is the wall clock of the rig and already local. Adding the offset
-- of the lab's time zone shifts every hour. night_share is the check: a lab whose sessions
-- start at night has a clock in UTC, or keeps unusual hours.
create or replace view session_hours as

with

hour_count as (

    select
        lab_name,
        institution_short,
        -- Monday is 1; the first modulo is negative before 2018
        (date_diff('day', date '2018-01-01', session_date) % 7 + 7) % 7 + 1 as weekday_number,
        weekday,
        hour(session_start_time) as hour_of_day,
        count(*) as n_sessions,
        count(distinct subject_uuid) as n_mice,
        sum(case when has_trials is not null then coalesce(n_trials, 0) end)::bigint as n_trials
    from sessions
    group by
        lab_name,
        institution_short,
        (date_diff('day', date '2018-01-01', session_date) % 7 + 7) % 7 + 1,
        weekday,
        hour(session_start_time)

),

lab_count as (

    select
        lab_name,
        sum(n_sessions)::bigint as n_sessions,
        sum(case when hour_of_day >= 22 or hour_of_day < 6 then n_sessions else 0 end)::bigint
            as n_night_sessions
    from hour_count
    group by lab_name

)

select
    hour_count.lab_name,
    hour_count.institution_short,
    hour_count.weekday_number::integer as weekday_number,
    hour_count.weekday,
    hour_count.hour_of_day::integer as hour_of_day,
    hour_count.n_sessions,
    hour_count.n_mice,
    hour_count.n_trials,
    hour_count.n_sessions * 1e0 / nullif(lab_count.n_sessions, 0) as lab_share,
    lab_count.n_night_sessions * 1e0 / nullif(lab_count.n_sessions, 0) as night_share
from hour_count
join lab_count
    on lab_count.lab_name is not distinct from hour_count.lab_name;

comment on view session_hours is
'One row per lab, day of the week and local hour with sessions: how many started then.';

comment on column session_hours.lab_name is
'Lab of the mice. NULL for mice without lab.';
comment on column session_hours.weekday_number is
'Day of the week, 1 Monday to 7 Sunday.';
comment on column session_hours.hour_of_day is
'Hour of the start on the wall clock of the rig, 0 to 23: 9 is from 9:00 to 9:59.';
comment on column session_hours.n_sessions is
'Sessions, with or without trials.';
comment on column session_hours.n_mice is
'Mice with such a session.';
comment on column session_hours.n_trials is
'Trials of these sessions here. 0 if none, NULL if nothing is derived.';
comment on column session_hours.lab_share is
'n_sessions over all sessions of the lab, 0 to 1.';
comment on column session_hours.night_share is
'Share of all sessions of the lab that started from 22:00 to 5:59, 0 to 1. Mostly near 0.';
