-- Grain: one row per session, every session of acquisition.session, also without trials.
--
-- Sources: acquisition.session with session_user and session_project; subjects;
-- behavior.trial_set, settings and session_delay; behavior_analyses.psych_results,
-- reaction_time and session_training_status.
--
-- Definitions: task as in paper-behavior, by the protocol's name. training_day as
-- training_day in BehavioralSummaryByDate (IBL-pipeline, analyses/behavior.py): the number of
-- dates up to this one on which the mouse had a session that was not habituation.
-- Performance, psychometric parameters and status are the values the pipeline stored.
--
-- Traps:
-- * session_start_time is the wall clock of the rig and already local; adding the time zone's
--   offset would shift it.
-- * Crashed sessions were restarted: two sessions on one date are common, so sessions and days
--   count differently. training_day counts dates, crashed or not.
-- * session_user has several rows per session and would multiply sessions in a plain join.
-- * reaction_time and session_training_status lack rows for many sessions with trials: an
--   inner join with them loses sessions. Hence has_trials and has_reaction_time.
-- * `not like '%habituation%'` is NULL for a NULL protocol, which drops the session. Here such a
--   session has the task 'unknown' and counts as training.
-- * n_correct_trials counts rewarded trials on nearly all days before mid October 2019, and only
--   trials above 0 contrast after. performance inherits this, so it jumps on that date.
-- * performance_easy was stored as NULL where it is exactly 0.
create or replace view sessions as

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

),

user_list as (

    select
        subject_uuid,
        session_start_time,
        string_agg(user_name, ',' order by user_name) as users,
        count(*) as n_users
    from acquisition.session_user
    group by subject_uuid, session_start_time

)

select
    session.subject_uuid,
    session.session_start_time,
    session.session_uuid,
    mouse.subject_nickname,
    mouse.lab_name,
    mouse.institution_short,
    mouse.institution_code,
    mouse.time_zone,
    mouse.projects,
    session_project.session_project,
    session.task_protocol,
    session_task.task,
    session_task.session_date,
    strftime(session_task.session_date, '%A') as weekday,
    hour(session.session_start_time)
        + minute(session.session_start_time) / 60e0
        + second(session.session_start_time) / 3600e0 as local_hour,
    session.session_end_time,
    date_diff('second', session.session_start_time, session.session_end_time) / 60e0
        as session_duration_min,
    (trial_set.trials_end_time::double - trial_set.trials_start_time::double) / 60e0
        as trials_duration_min,
    date_diff('day', mouse.subject_birth_date, session_task.session_date) as age_days,
    training_date.training_day,
    user_list.users,
    coalesce(user_list.n_users, 0) as n_users,
    trial_set.subject_uuid is not null as has_trials,
    trial_set.n_trials,
    trial_set.n_correct_trials,
    -- a FLOAT .8 is larger than the number .8: rounded, so that `> 0.8` means what it says
    round(psych.performance::double, 6) as performance,
    round(psych.performance_easy::double, 6) as performance_easy,
    psych.threshold::double as threshold,
    psych.bias::double as bias,
    psych.lapse_low::double as lapse_low,
    psych.lapse_high::double as lapse_high,
    status.training_status,
    status.good_enough_for_brainwide_map,
    reaction_time.subject_uuid is not null as has_reaction_time,
    lower(settings.pybpod_board) like '%ephys%' as on_ephys_rig,
    delay.session_delay_in_mins::double as session_delay_min
from acquisition.session as session
join session_task
    on session_task.subject_uuid = session.subject_uuid
    and session_task.session_start_time = session.session_start_time
left join subjects as mouse
    on mouse.subject_uuid = session.subject_uuid
left join numbered_training_date as training_date
    on training_date.subject_uuid = session.subject_uuid
    and training_date.session_date = session_task.session_date
left join user_list
    on user_list.subject_uuid = session.subject_uuid
    and user_list.session_start_time = session.session_start_time
left join acquisition.session_project as session_project
    on session_project.subject_uuid = session.subject_uuid
    and session_project.session_start_time = session.session_start_time
left join behavior.trial_set as trial_set
    on trial_set.subject_uuid = session.subject_uuid
    and trial_set.session_start_time = session.session_start_time
left join behavior_analyses.psych_results as psych
    on psych.subject_uuid = session.subject_uuid
    and psych.session_start_time = session.session_start_time
left join behavior_analyses.session_training_status as status
    on status.subject_uuid = session.subject_uuid
    and status.session_start_time = session.session_start_time
left join behavior_analyses.reaction_time as reaction_time
    on reaction_time.subject_uuid = session.subject_uuid
    and reaction_time.session_start_time = session.session_start_time
left join behavior.settings as settings
    on settings.subject_uuid = session.subject_uuid
    and settings.session_start_time = session.session_start_time
left join behavior.session_delay as delay
    on delay.subject_uuid = session.subject_uuid
    and delay.session_start_time = session.session_start_time;

comment on view sessions is
'One row per session, with or without trials: mouse, task, time, users, stored results.';

comment on column sessions.subject_uuid is
'The mouse. With session_start_time the key of a session.';
comment on column sessions.session_start_time is
'Start, wall clock of the rig, without time zone. With subject_uuid the key of a session.';
comment on column sessions.session_uuid is
'The session in Alyx and ONE, where it is called eid.';
comment on column sessions.subject_nickname is
'Name of the mouse in its lab. Not unique across labs.';
comment on column sessions.lab_name is
'Lab of the mouse. NULL if the mouse was not assigned to one.';
comment on column sessions.institution_short is
'Short name of the institution of the lab. NULL without a lab or a short name.';
comment on column sessions.institution_code is
'Label of the institution in the figures of eLife 2021;10:e63711, Lab 1 to Lab 7. NULL elsewhere.';
comment on column sessions.time_zone is
'IANA time zone of the lab, a label: session_start_time is local already. NULL without a lab.';
comment on column sessions.projects is
'Projects of the mouse, sorted, separated by commas. NULL if none.';
comment on column sessions.session_project is
'Project of the session, which can differ from those of the mouse. NULL if none.';
comment on column sessions.task_protocol is
'Name and version of the task as the rig recorded it. NULL if not recorded.';
comment on column sessions.task is
'habituation, training, biased, ephys, other, or unknown if there is no protocol. Never NULL.';
comment on column sessions.session_date is
'Date of the start, on the wall clock of the rig.';
comment on column sessions.weekday is
'English name of the day of the week, Monday to Sunday.';
comment on column sessions.local_hour is
'Time of day of the start, hours since local midnight with fraction, 0 to below 24.';
comment on column sessions.session_end_time is
'End, on the clock of the start, reconstructed from the trials. NULL if not recorded.';
comment on column sessions.session_duration_min is
'End minus start, minutes. Can be zero or negative, as stored. NULL without an end.';
comment on column sessions.trials_duration_min is
'Start of the first trial to end of the last, minutes. NULL without trials.';
comment on column sessions.age_days is
'Age of the mouse on session_date, days. NULL without a date of birth.';
comment on column sessions.training_day is
'Count of dates so far with a session other than habituation, from 1. NULL if habituation only.';
comment on column sessions.users is
'User names of those who ran the session, sorted, separated by commas. NULL if none.';
comment on column sessions.n_users is
'Number of users of the session. 0 if none, never NULL.';
comment on column sessions.has_trials is
'True if a trial set was stored; its rows in trials can still be missing. Never NULL.';
comment on column sessions.n_trials is
'Number of trials in the raw files. Can exceed the rows in trials. NULL without trials.';
comment on column sessions.n_correct_trials is
'Correct trials as stored; whether 0 contrast counts depends on the date. NULL without trials.';
comment on column sessions.performance is
'n_correct_trials over n_trials as stored, 0 to 1, no-go is wrong. NULL without stored results.';
comment on column sessions.performance_easy is
'Stored share correct at contrasts from 50 %, 0 to 1, no-go is wrong. NULL without, and if 0.';
comment on column sessions.threshold is
'Stored fit, all blocks pooled: threshold, percent contrast. NULL without stored results.';
comment on column sessions.bias is
'Stored fit: midpoint, percent contrast; positive is fewer right choices. NULL without results.';
comment on column sessions.lapse_low is
'Stored fit: error rate at strong stimuli on the left, 0 to 1. NULL without stored results.';
comment on column sessions.lapse_high is
'Stored fit: error rate at strong stimuli on the right, 0 to 1. NULL without stored results.';
comment on column sessions.training_status is
'Stored status after this session, such as trained_1a. NULL if none, also with trials.';
comment on column sessions.good_enough_for_brainwide_map is
'Stored: ephys session, over 400 trials, performance_easy over .9. NULL without a status.';
comment on column sessions.has_reaction_time is
'True if the pipeline stored reaction times for the session. Never NULL.';
comment on column sessions.on_ephys_rig is
'True if the board that ran the session is one of an ephys rig. NULL without settings.';
comment on column sessions.session_delay_min is
'Delay before the start of the task, minutes. NULL if not recorded, which is not zero.';
