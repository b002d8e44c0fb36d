-- Grain: one row per user who ran a session, and one row without user_name for the sessions
-- that name nobody. Users who ran none do not appear.
--
-- Sources: acquisition.session_user, sessions.
--
-- Definition: the counts of the tutorial's second exercise. The user is who ran the session
-- (session_user), not the person responsible for the mouse (subject_user).
--
-- Traps: a session with two users counts for both, so the counts of the users add up to more
-- than there are sessions: n_sessions_shared says how many of a user's sessions had others.
create or replace view sessions_by_user as

with

user_session as (

    select
        session_user.user_name,
        session.subject_uuid,
        session.session_start_time,
        session.session_date,
        session.lab_name,
        session.task,
        session.n_users,
        session.has_trials,
        session.has_stored_trials,
        session.n_trials,
        session.stored_n_trials
    from sessions as session
    left join acquisition.session_user as session_user
        on session_user.subject_uuid = session.subject_uuid
        and session_user.session_start_time = session.session_start_time

)

select
    user_name,
    string_agg(distinct lab_name, ',' order by lab_name) as lab_names,
    count(*) as n_sessions,
    count(*) filter (where n_users > 1) as n_sessions_shared,
    count(distinct session_date) as n_days,
    count(distinct subject_uuid) as n_mice,
    sum(has_trials::integer)::bigint as n_sessions_with_trials,
    count(*) filter (where has_stored_trials) as n_sessions_with_stored_trials,
    sum(case when has_trials is not null then coalesce(n_trials, 0) end)::bigint as n_trials,
    coalesce(sum(stored_n_trials), 0)::bigint as stored_n_trials,
    min(session_date) as first_session_date,
    max(session_date) as last_session_date,
    count(*) filter (where task = 'habituation') as n_habituation,
    count(*) filter (where task = 'training') as n_training,
    count(*) filter (where task = 'biased') as n_biased,
    count(*) filter (where task = 'ephys') as n_ephys,
    count(*) filter (where task = 'other') as n_other,
    count(*) filter (where task = 'unknown') as n_unknown
from user_session
group by user_name;

comment on view sessions_by_user is
'One row per user who ran sessions; a session with two users counts for both.';

comment on column sessions_by_user.user_name is
'Who ran the sessions. NULL in the row of the sessions that name nobody.';
comment on column sessions_by_user.lab_names is
'Labs of the mice of these sessions, sorted, separated by commas. NULL if no mouse has a lab.';
comment on column sessions_by_user.n_sessions is
'Sessions, with or without trials: the sum of the counts by task.';
comment on column sessions_by_user.n_sessions_shared is
'Of these, sessions that also count for another user.';
comment on column sessions_by_user.n_days is
'Dates with a session of the user, of whatever mouse.';
comment on column sessions_by_user.n_mice is
'Mice with a session of the user.';
comment on column sessions_by_user.n_sessions_with_trials is
'Sessions with trials here. 0 if none, NULL if nothing is derived.';
comment on column sessions_by_user.n_sessions_with_stored_trials is
'Sessions of which the server stored a trial set. 0 if none.';
comment on column sessions_by_user.n_trials is
'Trials here. 0 if none, NULL if nothing is derived.';
comment on column sessions_by_user.stored_n_trials is
'Trials in the raw files, as the server counted them; can exceed n_trials. 0 if none.';
comment on column sessions_by_user.first_session_date is
'Date of the first session, wall clock of the rig.';
comment on column sessions_by_user.last_session_date is
'Date of the latest session, wall clock of the rig.';
comment on column sessions_by_user.n_habituation is
'Sessions of the habituation task. 0 if none.';
comment on column sessions_by_user.n_training is
'Sessions of the training task. 0 if none.';
comment on column sessions_by_user.n_biased is
'Sessions of the biased task. 0 if none.';
comment on column sessions_by_user.n_ephys is
'Sessions of the ephys task. 0 if none.';
comment on column sessions_by_user.n_other is
'Sessions of any other task. 0 if none.';
comment on column sessions_by_user.n_unknown is
'Sessions whose protocol was not recorded. 0 if none.';
