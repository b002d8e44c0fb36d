-- Grain: one row per session that tutorial_sessions drops or shows more than once, among those
-- of a protocol with 'training' in its name, or of no protocol.
--
-- Sources: sessions; tutorial_sessions and tutorial_subjects.
--
-- Definition: n_rows counts the session's rows in tutorial_sessions, so a session is here if
-- that is not 1. reason lists every cause and leaves out what follows from it: without a
-- TrialSet there is no PsychResults, and without PsychResults neither ReactionTime nor
-- SessionTrainingStatus.
--
-- Traps:
-- * Most are sessions without a TrialSet, which have no trials to lose: see has_stored_trials.
-- * The protocol of a session without one is not known: it may have been no training session.
-- * The pipeline stored reaction times only where onsets of stimulus or go cue were recorded,
--   and status only where it could be told; a lost session can have good trials.
create or replace view tutorial_sessions_lost as

with

counted_session as (

    select
        subject_uuid,
        session_start_time,
        count(*) as n_rows
    from tutorial_sessions
    group by subject_uuid, session_start_time

),

asked_session as (

    select
        session.subject_uuid,
        session.session_start_time,
        session.session_uuid,
        session.subject_nickname,
        session.lab_name,
        session.session_date,
        session.task_protocol,
        session.has_stored_trials,
        session.stored_n_trials,
        session.users,
        session.n_users,
        coalesce(counted_session.n_rows, 0) as n_rows,
        mouse.subject_uuid is not null as has_lab,
        -- psych_results.performance is never NULL where there is a row
        session.stored_performance is not null as has_psych_results,
        session.has_stored_reaction_time,
        session.stored_training_status is not null as has_stored_training_status
    from sessions as session
    left join tutorial_subjects as mouse
        on mouse.subject_uuid = session.subject_uuid
    left join counted_session
        on counted_session.subject_uuid = session.subject_uuid
        and counted_session.session_start_time = session.session_start_time
    where
        session.task_protocol is null
        or lower(session.task_protocol) like '%training%'

)

select
    subject_uuid,
    session_start_time,
    session_uuid,
    subject_nickname,
    lab_name,
    session_date,
    task_protocol,
    has_stored_trials,
    stored_n_trials,
    users,
    n_users,
    n_rows,
    has_lab,
    has_psych_results,
    has_stored_reaction_time,
    has_stored_training_status,
    case when n_rows = 0 then 'dropped' else 'doubled' end as fate,
    concat_ws(
        '; ',
        case when task_protocol is null then 'no protocol' end,
        case
            when not has_stored_trials then 'no TrialSet'
            when not has_psych_results then 'no PsychResults'
        end,
        case when has_psych_results and not has_stored_reaction_time then 'no ReactionTime' end,
        case
            when has_psych_results and not has_stored_training_status
                then 'no SessionTrainingStatus'
        end,
        case when n_users = 0 then 'no SessionUser' end,
        case when not has_lab then 'no lab' end,
        case when n_rows > 1 then cast(n_users as varchar) || ' users' end
    ) as reason
from asked_session
where n_rows <> 1;

comment on view tutorial_sessions_lost is
'One row per session that the tutorial''s query drops or shows more than once, with the reason.';

comment on column tutorial_sessions_lost.has_stored_trials is
'True if a trial set was stored; its rows in trials can still be missing. Never NULL.';
comment on column tutorial_sessions_lost.stored_n_trials is
'Number of trials in the raw files. Can exceed the rows in trials. NULL without trials.';
comment on column tutorial_sessions_lost.n_rows is
'Rows of the session in tutorial_sessions: 0, or 2 and more. Never NULL.';
comment on column tutorial_sessions_lost.has_lab is
'True if the mouse is in tutorial_subjects. Never NULL.';
comment on column tutorial_sessions_lost.has_psych_results is
'True if the pipeline stored a psychometric fit. Never NULL.';
comment on column tutorial_sessions_lost.has_stored_reaction_time is
'True if the pipeline stored reaction times. Never NULL.';
comment on column tutorial_sessions_lost.has_stored_training_status is
'True if the pipeline stored a training status. Never NULL.';
comment on column tutorial_sessions_lost.fate is
'dropped or doubled; doubled also stands for three rows and more.';
comment on column tutorial_sessions_lost.reason is
'Why: what the session lacks, or how many users it has; several are separated by semicolons.';
