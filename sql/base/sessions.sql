-- Grain: one row per session, every session of acquisition.session, also without trials.
--
-- Sources: session_labels; acquisition.session with session_user and session_project; subjects;
-- derived.session_performance, psychometric_fits and session_status (recomputed from trials);
-- _mirror.derived (whether anything is);
-- behavior.trial_set, settings and session_delay; behavior_analyses.psych_results,
-- reaction_time and session_training_status (as the server stored them).
--
-- Definitions: a plain name is recomputed here from the trials by one set of rules, and NULL where
-- the trials are not here; stored_... is what the server stored, and NULL where it stored none.
-- Performance, fits and statuses as IBL-pipeline (analyses/behavior.py): performance leaves
-- 0 contrast out of the correct trials but not out of the total, the rule of the published code;
-- performance_rewarded counts it, the rule before mid October 2019. Fits are those of variant
-- datajoint in psychometric_fits, which has their errors, and a verdict where there is none.
--
-- Traps:
-- * session_start_time is the wall clock of the rig and already local; adding the time zone's
--   offset would shift it.
-- * session_user has several rows per session and would multiply sessions in a plain join.
-- * Not every session with trials has a stored result or status, nor every stored result its
--   trials here: compare only where both are there.
-- * stored_performance follows either rule, depending on the date, so it jumps in October 2019.
-- * stored_performance_easy is NULL where it is exactly 0; performance_easy is 0 there.
-- * A status may rest on earlier trials that are not here: see is_status_certain.
create or replace view sessions as

with

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
    label.session_uuid,
    label.subject_nickname,
    label.lab_name,
    label.institution_short,
    label.institution_code,
    mouse.time_zone,
    mouse.projects,
    session_project.session_project,
    label.task_protocol,
    label.task,
    label.session_date,
    strftime(label.session_date, '%A') as weekday,
    hour(session.session_start_time)
        + minute(session.session_start_time) / 60e0
        + second(session.session_start_time) / 3600e0 as local_hour,
    session.session_end_time,
    date_diff('second', session.session_start_time, session.session_end_time) / 60e0
        as session_duration_min,
    date_diff('day', mouse.subject_birth_date, label.session_date) as age_days,
    label.training_day,
    user_list.users,
    coalesce(user_list.n_users, 0) as n_users,
    lower(settings.pybpod_board) like '%ephys%' as on_ephys_rig,
    delay.session_delay_in_mins::double as session_delay_min,
    case
        when here.subject_uuid is not null then true
        when (select count(*) > 0 from _mirror.derived) then false
    end as has_trials,
    here.n_trials,
    here.n_correct as n_correct_trials,
    here.performance,
    here.performance_rewarded,
    here.performance_easy,
    here.median_reaction_time,
    fit.threshold,
    fit.bias,
    fit.lapse_low,
    fit.lapse_high,
    status.training_status,
    status.is_certain as is_status_certain,
    status.good_enough_for_brainwide_map,
    trial_set.subject_uuid is not null as has_stored_trials,
    trial_set.n_trials as stored_n_trials,
    trial_set.n_correct_trials as stored_n_correct_trials,
    (trial_set.trials_end_time::double - trial_set.trials_start_time::double) / 60e0
        as stored_trials_duration_min,
    -- a FLOAT .8 is larger than the number .8: rounded, so that `> 0.8` means what it says
    round(psych.performance::double, 6) as stored_performance,
    round(psych.performance_easy::double, 6) as stored_performance_easy,
    reaction_time.subject_uuid is not null as has_stored_reaction_time,
    psych.threshold::double as stored_threshold,
    psych.bias::double as stored_bias,
    psych.lapse_low::double as stored_lapse_low,
    psych.lapse_high::double as stored_lapse_high,
    stored_status.training_status as stored_training_status,
    stored_status.good_enough_for_brainwide_map as stored_good_enough_for_brainwide_map
from acquisition.session as session
join session_labels as label
    on label.subject_uuid = session.subject_uuid
    and label.session_start_time = session.session_start_time
left join subjects as mouse
    on mouse.subject_uuid = session.subject_uuid
left join user_list
    on user_list.subject_uuid = session.subject_uuid
    and user_list.session_start_time = session.session_start_time
left join acquisition.session_project as session_project
    on session_project.subject_uuid = session.subject_uuid
    and session_project.session_start_time = session.session_start_time
left join behavior.settings as settings
    on settings.subject_uuid = session.subject_uuid
    and settings.session_start_time = session.session_start_time
left join behavior.session_delay as delay
    on delay.subject_uuid = session.subject_uuid
    and delay.session_start_time = session.session_start_time
left join derived.session_performance as here
    on here.subject_uuid = session.subject_uuid
    and here.session_start_time = session.session_start_time
left join derived.psychometric_fits as fit
    on fit.subject_uuid = session.subject_uuid
    and fit.session_start_time = session.session_start_time
    and fit.grain = 'session'
    and fit.variant = 'datajoint'
left join derived.session_status as status
    on status.subject_uuid = session.subject_uuid
    and status.session_start_time = session.session_start_time
left join behavior.trial_set as trial_set
    on trial_set.subject_uuid = session.subject_uuid
    and trial_set.session_start_time = session.session_start_time
left join behavior_analyses.psych_results as psych
    on psych.subject_uuid = session.subject_uuid
    and psych.session_start_time = session.session_start_time
left join behavior_analyses.reaction_time as reaction_time
    on reaction_time.subject_uuid = session.subject_uuid
    and reaction_time.session_start_time = session.session_start_time
left join behavior_analyses.session_training_status as stored_status
    on stored_status.subject_uuid = session.subject_uuid
    and stored_status.session_start_time = session.session_start_time;

comment on view sessions is
'One row per session, with or without trials: mouse, task, time, users, results.';

comment on column sessions.subject_uuid is
'The mouse. With session_start_time the key of a session.';
comment on column sessions.session_start_time is
'Start, wall clock of the rig, without time zone. With subject_uuid the key of a session.';
comment on column sessions.time_zone is
'IANA time zone of the lab, a label: session_start_time is local already. NULL without a lab.';
comment on column sessions.session_project is
'Project of the session, which can differ from those of the mouse. NULL if none.';
comment on column sessions.weekday is
'English name of the day of the week, Monday to Sunday.';
comment on column sessions.local_hour is
'Time of day of the start, hours since local midnight with fraction, 0 to below 24.';
comment on column sessions.session_end_time is
'End, on the clock of the start, reconstructed from the trials. NULL if not recorded.';
comment on column sessions.session_duration_min is
'End minus start, minutes. Can be zero or negative, as stored. NULL without an end.';
comment on column sessions.age_days is
'Age of the mouse on session_date, days. NULL without a date of birth.';
comment on column sessions.users is
'User names of those who ran the session, sorted, separated by commas. NULL if none.';
comment on column sessions.n_users is
'Number of users of the session. 0 if none, never NULL.';
comment on column sessions.on_ephys_rig is
'True if the board that ran the session is one of an ephys rig. NULL without settings.';
comment on column sessions.session_delay_min is
'Delay before the start of the task, minutes. NULL if not recorded, which is not zero.';
comment on column sessions.has_trials is
'True if trials of the session are here. NULL if nothing is derived.';
comment on column sessions.n_trials is
'Trials here, no-go included. NULL without trials here.';
comment on column sessions.n_correct_trials is
'Trials above 0 contrast with the choice on the side of the stimulus. NULL without trials here.';
comment on column sessions.performance is
'n_correct_trials over n_trials, 0 to 1: low by the share of 0 contrast. NULL without trials here.';
comment on column sessions.performance_rewarded is
'Rewarded trials over n_trials, 0 to 1. NULL without trials here.';
comment on column sessions.performance_easy is
'Share correct at contrasts from 50 %, 0 to 1, no-go is wrong. NULL without such trials here.';
comment on column sessions.median_reaction_time is
'Median, seconds, go cue as fallback, no-go included. NULL without reaction times here.';
comment on column sessions.threshold is
'Width of the fitted curve, all blocks pooled, percent contrast. NULL without a fit.';
comment on column sessions.bias is
'Midpoint of the fitted curve, percent contrast; positive is fewer right choices. NULL without.';
comment on column sessions.lapse_low is
'Fitted error rate at strong stimuli on the left, 0 to 1. NULL without a fit.';
comment on column sessions.lapse_high is
'Fitted error rate at strong stimuli on the right, 0 to 1. NULL without a fit.';
comment on column sessions.training_status is
'Status after this session, such as trained_1a, recomputed. NULL if none, also with trials.';
comment on column sessions.is_status_certain is
'False if trials are missing, or a value near a limit could have changed it. NULL without trials.';
comment on column sessions.good_enough_for_brainwide_map is
'Ephys session, over 400 trials, performance_easy over .9. NULL without trials.';
comment on column sessions.has_stored_trials is
'True if the server stored a trial set; its trials can still be missing here. Never NULL.';
comment on column sessions.stored_n_trials is
'Trials in the raw files. Can exceed the trials here. NULL without a trial set.';
comment on column sessions.stored_n_correct_trials is
'Correct trials as stored; whether 0 contrast counts depends on the date. NULL without.';
comment on column sessions.stored_trials_duration_min is
'Start of the first trial to end of the last, minutes, as stored. NULL without a trial set.';
comment on column sessions.stored_performance is
'stored_n_correct_trials over stored_n_trials, 0 to 1. NULL without stored results.';
comment on column sessions.stored_performance_easy is
'Stored share correct at contrasts from 50 %, 0 to 1, no-go is wrong. NULL without, and if 0.';
comment on column sessions.has_stored_reaction_time is
'True if the server stored reaction times for the session. Never NULL.';
comment on column sessions.stored_threshold is
'Stored fit, all blocks pooled: threshold, percent contrast. NULL without stored results.';
comment on column sessions.stored_bias is
'Stored fit: midpoint, percent contrast; positive is fewer right choices. NULL without results.';
comment on column sessions.stored_lapse_low is
'Stored fit: error rate at strong stimuli on the left, 0 to 1. NULL without stored results.';
comment on column sessions.stored_lapse_high is
'Stored fit: error rate at strong stimuli on the right, 0 to 1. NULL without stored results.';
comment on column sessions.stored_training_status is
'Status after this session as the server stored it. NULL if none, also with trials.';
comment on column sessions.stored_good_enough_for_brainwide_map is
'The same as the server stored it. NULL without a stored status.';
