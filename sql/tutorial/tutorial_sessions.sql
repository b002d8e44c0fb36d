-- Grain: one row per training session and user, as the tutorial's DataJoint query returns them.
--
-- Sources: behavior.trial_set; behavior_analyses.psych_results, reaction_time and
-- session_training_status; acquisition.session and session_user; tutorial_subjects.
--
-- Definition: (behavior.TrialSet * behavior_analyses.PsychResults
-- * behavior_analyses.ReactionTime * behavior_analyses.SessionTrainingStatus
-- * (acquisition.Session & 'task_protocol LIKE "%training%"') * acquisition.SessionUser
-- & subjects).proj(..., session_duration='TIMEDIFF(session_end_time, session_start_time)')
-- .fetch(format='frame'): the same rows, columns and values, with the frame's index as the
-- first three columns. For analyses, use the view sessions.
--
-- Traps:
-- * Inner joins: a session without reaction times, status, user, protocol or a mouse's lab is
--   not here, and one with two users is here twice. tutorial_sessions_lost names them all.
-- * MySQL sends a FLOAT with six significant digits, so that is what DataJoint fetches; the
--   columns here are rounded alike. The view sessions has every digit.
-- * MySQL's TIMEDIFF stops at 838:59:59 hours either way, and so does session_duration.
create or replace view tutorial_sessions as

with

training_session as (

    select
        subject_uuid,
        session_start_time,
        date_diff('second', session_start_time, session_end_time) as duration_s
    from acquisition.session
    -- MySQL's LIKE disregards case
    where lower(task_protocol) like '%training%'

)

select
    trial_set.subject_uuid,
    trial_set.session_start_time,
    session_user.user_name,
    trial_set.n_trials,
    printf('%.6g', psych.performance_easy::double)::double as performance_easy,
    printf('%.6g', psych.threshold::double)::double as threshold,
    printf('%.6g', psych.bias::double)::double as bias,
    printf('%.6g', psych.lapse_low::double)::double as lapse_low,
    printf('%.6g', psych.lapse_high::double)::double as lapse_high,
    status.training_status,
    case
        when session.duration_s > 3020399 then 3020399
        when session.duration_s < -3020399 then -3020399
        else session.duration_s
    end * interval '1 second' as session_duration
from behavior.trial_set as trial_set
join behavior_analyses.psych_results as psych
    on psych.subject_uuid = trial_set.subject_uuid
    and psych.session_start_time = trial_set.session_start_time
join behavior_analyses.reaction_time as reaction_time
    on reaction_time.subject_uuid = trial_set.subject_uuid
    and reaction_time.session_start_time = trial_set.session_start_time
join behavior_analyses.session_training_status as status
    on status.subject_uuid = trial_set.subject_uuid
    and status.session_start_time = trial_set.session_start_time
join training_session as session
    on session.subject_uuid = trial_set.subject_uuid
    and session.session_start_time = trial_set.session_start_time
join acquisition.session_user as session_user
    on session_user.subject_uuid = trial_set.subject_uuid
    and session_user.session_start_time = trial_set.session_start_time
join tutorial_subjects as mouse
    on mouse.subject_uuid = trial_set.subject_uuid;

comment on view tutorial_sessions is
'One row per training session and user: exactly the sessions that the tutorial fetches.';

comment on column tutorial_sessions.subject_uuid is
'The mouse. With session_start_time and user_name the index of the tutorial''s frame.';
comment on column tutorial_sessions.session_start_time is
'Start, wall clock of the rig, without time zone.';
comment on column tutorial_sessions.user_name is
'Who ran the session. A session of two users has two rows.';
comment on column tutorial_sessions.n_trials is
'Number of trials in the raw files. Never NULL.';
comment on column tutorial_sessions.performance_easy is
'Stored share correct at contrasts from 50 %, 0 to 1, six digits. NULL without, and if 0.';
comment on column tutorial_sessions.threshold is
'Stored fit, all blocks pooled: threshold, percent contrast, six digits.';
comment on column tutorial_sessions.bias is
'Stored fit: midpoint, percent contrast, six digits; positive is fewer right choices.';
comment on column tutorial_sessions.lapse_low is
'Stored fit: error rate at strong stimuli on the left, 0 to 1, six digits.';
comment on column tutorial_sessions.lapse_high is
'Stored fit: error rate at strong stimuli on the right, 0 to 1, six digits.';
comment on column tutorial_sessions.training_status is
'Stored status after this session, such as trained_1a. Never NULL.';
comment on column tutorial_sessions.session_duration is
'End minus start, an interval; a timedelta in pandas. Can be zero or less. NULL without an end.';
