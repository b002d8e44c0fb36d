-- Grain: one row per lab and date with a session, with lab_name NULL for mice without lab.
-- Dates without sessions do not appear.
--
-- Sources: sessions.
--
-- Definition: what IBL's notebook on the closing of the labs in 2020 draws: sessions of each
-- lab on each date of the rig's wall clock. It joins Subject, SubjectLab and Session, and so
-- leaves out mice without lab, which here are the rows without lab_name.
--
-- Traps: two sessions of one mouse on a date are common, as crashed sessions were restarted:
-- n_sessions is not n_mice.
create or replace view sessions_per_day as

select
    lab_name,
    institution_short,
    session_date,
    weekday,
    count(*) as n_sessions,
    count(distinct subject_uuid) as n_mice,
    sum(has_trials::integer)::bigint as n_sessions_with_trials,
    count(*) filter (where has_stored_trials) as n_sessions_with_stored_trials,
    sum(case when has_trials is not null then coalesce(n_trials, 0) end)::bigint as n_trials,
    coalesce(sum(stored_n_trials), 0)::bigint as stored_n_trials
from sessions
group by lab_name, institution_short, session_date, weekday;

comment on view sessions_per_day is
'One row per lab and date with sessions: sessions, mice and trials of that date.';

comment on column sessions_per_day.lab_name is
'Lab of the mice. NULL for mice without lab.';
comment on column sessions_per_day.session_date is
'Date of the start of the sessions, on the wall clock of the rig.';
comment on column sessions_per_day.n_sessions is
'Sessions, with or without trials.';
comment on column sessions_per_day.n_mice is
'Mice with a session on the date.';
comment on column sessions_per_day.n_sessions_with_trials is
'Sessions with trials here. 0 if none, NULL if nothing is derived.';
comment on column sessions_per_day.n_sessions_with_stored_trials is
'Sessions of which the server stored a trial set. 0 if none.';
comment on column sessions_per_day.n_trials is
'Trials here. 0 if none, NULL if nothing is derived.';
comment on column sessions_per_day.stored_n_trials is
'Trials in the raw files, as the server counted them; can exceed n_trials. 0 if none.';
