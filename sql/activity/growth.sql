-- Grain: one row per date with a session of any lab. Dates without sessions do not appear; the
-- cumulative counts hold until the next row.
--
-- Sources: sessions.
--
-- Definition: mice, labs and choices so far, as paper-behavior prints them for a given date
-- (supp_nmice_overtime). It joins TrialSet and SubjectLab, so it counts mice that have a lab
-- and a session with trials, before the date: here the *_with_trials of the row before, up to
-- mice without lab, and sessions whose trials are not here.
--
-- Traps: cumulative counts include their own date. A mouse or lab counts from its first
-- session on, and in *_with_trials from its first session with trials.
create or replace view growth as

with

date_count as (

    select
        session_date,
        count(*) as n_new_sessions,
        sum(has_trials::integer)::bigint as n_new_sessions_with_trials,
        sum(case when has_trials is not null then coalesce(n_trials, 0) end)::bigint
            as n_new_trials,
        coalesce(sum(stored_n_trials), 0)::bigint as n_new_stored_trials
    from sessions
    group by session_date

),

mouse_first_date as (

    select
        subject_uuid,
        min(session_date) as session_date,
        min(case when has_trials then session_date end) as trials_date
    from sessions
    group by subject_uuid

),

lab_first_date as (

    select
        lab_name,
        min(session_date) as session_date,
        min(case when has_trials then session_date end) as trials_date
    from sessions
    where lab_name is not null
    group by lab_name

),

-- one row per mouse or lab and the date from which it counts, of either kind
debut as (

    select session_date, 1 as mice, 0 as labs, 0 as mice_with_trials, 0 as labs_with_trials
    from mouse_first_date

    union all

    select session_date, 0, 1, 0, 0
    from lab_first_date

    union all

    select trials_date, 0, 0, 1, 0
    from mouse_first_date
    where trials_date is not null

    union all

    select trials_date, 0, 0, 0, 1
    from lab_first_date
    where trials_date is not null

),

debut_count as (

    select
        session_date,
        sum(mice)::bigint as n_new_mice,
        sum(labs)::bigint as n_new_labs,
        sum(mice_with_trials)::bigint as n_new_mice_with_trials,
        sum(labs_with_trials)::bigint as n_new_labs_with_trials
    from debut
    group by session_date

),

dated_count as (

    select
        date_count.session_date,
        date_count.n_new_sessions,
        date_count.n_new_sessions_with_trials,
        date_count.n_new_trials,
        date_count.n_new_stored_trials,
        coalesce(debut_count.n_new_mice, 0) as n_new_mice,
        coalesce(debut_count.n_new_labs, 0) as n_new_labs,
        case when n_new_trials is not null then coalesce(debut_count.n_new_mice_with_trials, 0) end
            as n_new_mice_with_trials,
        case when n_new_trials is not null then coalesce(debut_count.n_new_labs_with_trials, 0) end
            as n_new_labs_with_trials
    from date_count
    left join debut_count
        on debut_count.session_date = date_count.session_date

)

select
    session_date,
    cast(sum(n_new_mice) over date_order as bigint) as n_mice,
    cast(sum(n_new_labs) over date_order as bigint) as n_labs,
    cast(sum(n_new_sessions) over date_order as bigint) as n_sessions,
    cast(sum(n_new_trials) over date_order as bigint) as n_trials,
    cast(sum(n_new_stored_trials) over date_order as bigint) as stored_n_trials,
    cast(sum(n_new_mice_with_trials) over date_order as bigint) as n_mice_with_trials,
    cast(sum(n_new_labs_with_trials) over date_order as bigint) as n_labs_with_trials,
    cast(sum(n_new_sessions_with_trials) over date_order as bigint) as n_sessions_with_trials,
    n_new_mice,
    n_new_labs,
    n_new_sessions,
    n_new_trials
from dated_count
window date_order as (order by session_date);

comment on view growth is
'One row per date with a session: mice, labs, sessions and trials so far, that date included.';

comment on column growth.session_date is
'Date of the start of sessions, on the wall clock of the rig.';
comment on column growth.n_mice is
'Mice with a session so far.';
comment on column growth.n_labs is
'Labs with a session so far; mice without lab add none.';
comment on column growth.n_sessions is
'Sessions so far, with or without trials.';
comment on column growth.n_trials is
'Trials here so far. NULL if nothing is derived.';
comment on column growth.stored_n_trials is
'Trials so far in the raw files, as the server counted them; can exceed n_trials.';
comment on column growth.n_mice_with_trials is
'Mice with a session with trials here so far. NULL if nothing is derived.';
comment on column growth.n_labs_with_trials is
'Labs with a session with trials here so far. NULL if nothing is derived.';
comment on column growth.n_sessions_with_trials is
'Sessions with trials here so far. NULL if nothing is derived.';
comment on column growth.n_new_mice is
'Mice whose first session is on this date. 0 if none.';
comment on column growth.n_new_labs is
'Labs whose first session is on this date. 0 if none.';
comment on column growth.n_new_sessions is
'Sessions on this date.';
comment on column growth.n_new_trials is
'Trials here of the sessions on this date. 0 if none, NULL if nothing is derived.';
