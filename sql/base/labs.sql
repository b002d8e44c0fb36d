-- Grain: one row per lab, every lab of reference.lab, also without mice.
--
-- Sources: reference.lab, subjects, sessions.
--
-- Definition: mice and sessions belong to the lab of the mouse (subject_lab). institution_code is
-- the anonymous label of an institution in the figures of eLife 2021;10:e63711 (paper-behavior,
-- institution_map): Lab 1 is UCL, Lab 7 is Berkeley.
--
-- Traps: mice without a lab are in no row, so the sums over all labs can be less than the
-- totals. A mouse can have had sessions in another lab than its own. n_trials counts the trials
-- here, stored_n_trials also those that are not in the mirror.
create or replace view labs as

with

lab_mice as (

    select
        lab_name,
        count(*) as n_mice
    from subjects
    group by lab_name

),

lab_sessions as (

    select
        lab_name,
        count(distinct subject_uuid) as n_mice_with_sessions,
        count(*) as n_sessions,
        sum(has_trials::integer)::bigint as n_sessions_with_trials,
        count(*) filter (where has_stored_trials) as n_sessions_with_stored_trials,
        sum(case when has_trials is not null then coalesce(n_trials, 0) end)::bigint as n_trials,
        sum(stored_n_trials)::bigint as stored_n_trials,
        min(session_date) as first_session_date,
        max(session_date) as last_session_date
    from sessions
    group by lab_name

)

select
    lab.lab_name,
    lab.institution,
    lab.institution_short,
    case lab.institution_short
        when 'UCL' then 'Lab 1'
        when 'CCU' then 'Lab 2'
        when 'CSHL' then 'Lab 3'
        when 'NYU' then 'Lab 4'
        when 'Princeton' then 'Lab 5'
        when 'SWC' then 'Lab 6'
        when 'Berkeley' then 'Lab 7'
    end as institution_code,
    lab.time_zone,
    coalesce(lab_mice.n_mice, 0) as n_mice,
    coalesce(lab_sessions.n_mice_with_sessions, 0) as n_mice_with_sessions,
    coalesce(lab_sessions.n_sessions, 0) as n_sessions,
    if(lab_sessions.lab_name is null, 0, lab_sessions.n_sessions_with_trials)
        as n_sessions_with_trials,
    coalesce(lab_sessions.n_sessions_with_stored_trials, 0)
        as n_sessions_with_stored_trials,
    if(lab_sessions.lab_name is null, 0, lab_sessions.n_trials) as n_trials,
    coalesce(lab_sessions.stored_n_trials, 0) as stored_n_trials,
    lab_sessions.first_session_date,
    lab_sessions.last_session_date
from reference.lab as lab
left join lab_mice
    on lab_mice.lab_name = lab.lab_name
left join lab_sessions
    on lab_sessions.lab_name = lab.lab_name;

comment on view labs is
'One row per lab, with its institution, its mice, their sessions and trials.';

comment on column labs.lab_name is
'Name of the lab, the key.';
comment on column labs.institution is
'Full name of the institution.';
comment on column labs.institution_short is
'Short name of the institution, such as UCL or CSHL. NULL if not recorded.';
comment on column labs.institution_code is
'Label of the institution in the figures of eLife 2021;10:e63711, Lab 1 to Lab 7. NULL elsewhere.';
comment on column labs.time_zone is
'IANA time zone, such as Europe/London. Times of sessions are local already.';
comment on column labs.n_mice is
'Mice assigned to the lab, with or without sessions. Never NULL.';
comment on column labs.n_mice_with_sessions is
'Mice of the lab with a session of any task. Never NULL.';
comment on column labs.n_sessions is
'Sessions of these mice, habituation included, with or without trials. Never NULL.';
comment on column labs.n_sessions_with_trials is
'Sessions with trials here. 0 if none, NULL if nothing is derived.';
comment on column labs.n_sessions_with_stored_trials is
'Sessions of which the server stored a trial set. 0 if none.';
comment on column labs.n_trials is
'Trials here. 0 if none, NULL if nothing is derived.';
comment on column labs.stored_n_trials is
'Trials in the raw files, as the server counted them; can exceed n_trials. 0 if none.';
comment on column labs.first_session_date is
'Date of the first session, habituation included. NULL without sessions.';
comment on column labs.last_session_date is
'Date of the last session. NULL without sessions.';
