-- Grain: one row per session, every session of acquisition.session: what trials and the derived
-- tables need to know of a session, without its results. The view sessions has those too.
--
-- Sources: acquisition.session, subjects.
--
-- Definitions: task as in paper-behavior, by the protocol's name. training_day as
-- training_day in BehavioralSummaryByDate (IBL-pipeline, analyses/behavior.py): the number of
-- dates up to this one on which the mouse had a session that was not habituation.
--
-- Traps:
-- * Crashed sessions were restarted: two sessions on one date are common, so sessions and days
--   count differently. training_day counts dates, crashed or not.
-- * `not like '%habituation%'` is NULL for a NULL protocol, which drops the session. Here such a
--   session has the task 'unknown' and counts as training.
create or replace view session_labels as

with

session_task as (

    select
        subject_uuid,
        session_start_time,
        session_start_time::date as session_date,
        -- MySQL compares without regard to case; ephys comes first, as such protocols may
        -- also name the biased task
        case
            when task_protocol is null then 'unknown'
            when lower(task_protocol) like '%habituation%' then 'habituation'
            when lower(task_protocol) like '%ephys%' then 'ephys'
            when lower(task_protocol) like '%biased%' then 'biased'
            when lower(task_protocol) like '%training%' then 'training'
            else 'other'
        end as task
    from acquisition.session

),

training_date as (

    select distinct
        subject_uuid,
        session_date
    from session_task
    where task <> 'habituation'

),

numbered_training_date as (

    select
        subject_uuid,
        session_date,
        row_number() over (partition by subject_uuid order by session_date) as training_day
    from training_date

)

select
    session.subject_uuid,
    session.session_start_time,
    session.session_uuid,
    mouse.subject_nickname,
    mouse.lab_name,
    mouse.institution_short,
    mouse.institution_code,
    session_task.session_date,
    training_date.training_day,
    session_task.task,
    session.task_protocol
from acquisition.session as session
join session_task
    on session_task.subject_uuid = session.subject_uuid
    and session_task.session_start_time = session.session_start_time
left join subjects as mouse
    on mouse.subject_uuid = session.subject_uuid
left join numbered_training_date as training_date
    on training_date.subject_uuid = session.subject_uuid
    and training_date.session_date = session_task.session_date;

comment on view session_labels is
'One row per session: its mouse, lab, date, training day and task, without results.';

comment on column session_labels.subject_uuid is
'The mouse. With session_start_time the key of a session.';
comment on column session_labels.session_start_time is
'Start, wall clock of the rig, without time zone. With subject_uuid the key of a session.';
comment on column session_labels.session_uuid is
'The session in Alyx and ONE, where it is called eid.';
comment on column session_labels.institution_short is
'Short name of the institution of the lab. NULL without a lab or a short name.';
comment on column session_labels.session_date is
'Date of the start, on the wall clock of the rig.';
comment on column session_labels.training_day is
'Count of dates so far with a session other than habituation, from 1. NULL if habituation only.';
comment on column session_labels.task is
'habituation, training, biased, ephys, other, or unknown if there is no protocol. Never NULL.';
comment on column session_labels.task_protocol is
'Name and version of the task as the rig recorded it. NULL if not recorded.';
