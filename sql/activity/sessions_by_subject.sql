-- Grain: one row per mouse, every mouse of subject.subject, also without sessions.
--
-- Sources: subjects, sessions.
--
-- Definition: the counts of the tutorial's second exercise, which nma-ibl asks as
-- `Subject.aggr(Session, n='count(*)')`; there mice without sessions vanish.
--
-- Traps:
-- * A session of two users is one session here; a join with session_user would count it twice.
-- * Crashed sessions were restarted: n_sessions is often larger than n_days.
-- * n_days counts habituation too; n_training_days does not, and is the last training_day.
create or replace view sessions_by_subject as

with

mouse_count as (

    select
        subject_uuid,
        count(*) as n_sessions,
        count(distinct session_date) as n_days,
        max(training_day) as n_training_days,
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
    from sessions
    group by subject_uuid

)

select
    mouse.subject_uuid,
    mouse.subject_nickname,
    mouse.lab_name,
    mouse.institution_short,
    coalesce(mouse_count.n_sessions, 0) as n_sessions,
    coalesce(mouse_count.n_days, 0) as n_days,
    coalesce(mouse_count.n_training_days, 0) as n_training_days,
    if(mouse_count.subject_uuid is null, 0, mouse_count.n_sessions_with_trials)
        as n_sessions_with_trials,
    coalesce(mouse_count.n_sessions_with_stored_trials, 0)
        as n_sessions_with_stored_trials,
    if(mouse_count.subject_uuid is null, 0, mouse_count.n_trials) as n_trials,
    coalesce(mouse_count.stored_n_trials, 0) as stored_n_trials,
    mouse_count.first_session_date,
    mouse_count.last_session_date,
    coalesce(mouse_count.n_habituation, 0) as n_habituation,
    coalesce(mouse_count.n_training, 0) as n_training,
    coalesce(mouse_count.n_biased, 0) as n_biased,
    coalesce(mouse_count.n_ephys, 0) as n_ephys,
    coalesce(mouse_count.n_other, 0) as n_other,
    coalesce(mouse_count.n_unknown, 0) as n_unknown
from subjects as mouse
left join mouse_count
    on mouse_count.subject_uuid = mouse.subject_uuid;

comment on view sessions_by_subject is
'One row per mouse, also without sessions: sessions counted once, with days, trials and tasks.';

comment on column sessions_by_subject.subject_uuid is
'The mouse.';
comment on column sessions_by_subject.institution_short is
'Short name of the institution of the lab. NULL without a lab or a short name.';
comment on column sessions_by_subject.n_sessions is
'Sessions, with or without trials: the sum of the counts by task. 0 if none.';
comment on column sessions_by_subject.n_days is
'Dates with a session, habituation included. 0 if none.';
comment on column sessions_by_subject.n_training_days is
'Dates with a session other than habituation: the last training_day. 0 if none.';
comment on column sessions_by_subject.n_sessions_with_trials is
'Sessions with trials here. 0 if none, NULL if nothing is derived.';
comment on column sessions_by_subject.n_sessions_with_stored_trials is
'Sessions of which the server stored a trial set. 0 if none.';
comment on column sessions_by_subject.n_trials is
'Trials here. 0 if none, NULL if nothing is derived.';
comment on column sessions_by_subject.stored_n_trials is
'Trials in the raw files, as the server counted them; can exceed n_trials. 0 if none.';
comment on column sessions_by_subject.first_session_date is
'Date of the first session, wall clock of the rig. NULL if none.';
comment on column sessions_by_subject.last_session_date is
'Date of the latest session, wall clock of the rig. NULL if none.';
comment on column sessions_by_subject.n_habituation is
'Sessions of the habituation task. 0 if none.';
comment on column sessions_by_subject.n_training is
'Sessions of the training task. 0 if none.';
comment on column sessions_by_subject.n_biased is
'Sessions of the biased task. 0 if none.';
comment on column sessions_by_subject.n_ephys is
'Sessions of the ephys task. 0 if none.';
comment on column sessions_by_subject.n_other is
'Sessions of any other task. 0 if none.';
comment on column sessions_by_subject.n_unknown is
'Sessions whose protocol was not recorded. 0 if none.';
