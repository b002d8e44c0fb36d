-- Grain: one row per session with trials, on the server or here.
--
-- Definition: SessionTrainingStatus of IBL-pipeline (analyses/behavior.py, 2020 on), its quirks
-- included; mirror/derive/status.py names each. The numbers behind a status are in
-- derived.criterion_windows.
--
-- Traps: the pipeline evaluated each session once, when it arrived; a mirror evaluates them all
-- again with the trials it has. is_certain tells where trials that the server has are missing, and
-- where measures within their standard error of a limit could have made another status.
-- A session that has no trials anywhere is invisible to the rules; n_sessions_without_trials
-- counts them, because they may also be trials that nobody published.
create table if not exists derived.session_status (
    subject_uuid uuid,
    session_start_time timestamp,
    session_date date,
    rule_set varchar,
    training_status varchar,
    good_enough_for_brainwide_map boolean,
    rule varchar,
    is_certain boolean,
    n_sessions_without_trials bigint
);

comment on table derived.session_status is
'One row per session with trials: the training status by the rules of IBL''s pipeline.';
comment on column derived.session_status.subject_uuid is
'The mouse.';
comment on column derived.session_status.session_start_time is
'Start of the session, wall clock of the rig.';
comment on column derived.session_status.session_date is
'Date of the start of the session.';
comment on column derived.session_status.rule_set is
'Whose rules: ibl-pipeline.';
comment on column derived.session_status.training_status is
'in_training, trained_1a, trained_1b, ready4ephysrig, ... NULL if it cannot be known, see rule.';
comment on column derived.session_status.good_enough_for_brainwide_map is
'True for an ephys session with more than 400 trials and performance_easy above 0.9.';
comment on column derived.session_status.rule is
'What decided.';
comment on column derived.session_status.is_certain is
'False if trials that the rules ask for are missing, or a value near a limit could change it.';
comment on column derived.session_status.n_sessions_without_trials is
'Sessions of the mouse so far, not habituation, without trials in the mirror: crashed, or lost.';

insert into derived.session_status

with

empty_session as (

    select
        session.subject_uuid,
        session.session_start_time,
        count(*) filter (
            where session.task <> 'habituation' and trial.subject_uuid is null
        ) over (
            partition by session.subject_uuid
            order by session.session_start_time
        ) as n_sessions_without_trials
    from session_labels as session
    join _mice as mouse
        on mouse.subject_uuid = session.subject_uuid
    left join derived.session_performance as trial
        on trial.subject_uuid = session.subject_uuid
        and trial.session_start_time = session.session_start_time

)

select
    session.subject_uuid,
    session.session_start_time,
    session.session_date,
    status.rule_set,
    -- of mice without any status the column would have no type
    status.training_status::varchar as training_status,
    status.good_enough_for_brainwide_map::boolean as good_enough_for_brainwide_map,
    status.rule::varchar as rule,
    status.is_certain,
    empty_session.n_sessions_without_trials
from _status as status
join _sessions as session
    on session.session = status.session
join empty_session
    on empty_session.subject_uuid = session.subject_uuid
    and empty_session.session_start_time = session.session_start_time
order by session.session;
