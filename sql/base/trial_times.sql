-- Grain: one row per trial, the rows of trials: when each event of the trial happened.
--
-- Sources: behavior.trial_set__trial, session_labels.
--
-- Definition: seconds since the start of the session on the clock of the rig, as the server
-- stored them. What they mean for the choice, such as the reaction time, is in trials.
--
-- Traps: stimulus onset and go cue are missing in some trials and sessions. A no-go has a response
-- time too, 60 s after the go cue.
create or replace view trial_times as

select
    trial.subject_uuid,
    trial.session_start_time,
    trial.trial_id,
    session.session_uuid,
    session.subject_nickname,
    session.lab_name,
    trial.trial_start_time,
    trial.trial_stim_on_time,
    trial.trial_go_cue_time::double as trial_go_cue_time,
    trial.trial_go_cue_trigger_time::double as trial_go_cue_trigger_time,
    trial.trial_response_time,
    trial.trial_feedback_time,
    trial.trial_end_time,
    trial.trial_feedback_type,
    trial.trial_reward_volume::double as trial_reward_volume,
    trial.trial_iti_duration::double as trial_iti_duration,
    trial.trial_response_time - trial.trial_stim_on_time as reaction_time_stim_on
from behavior.trial_set__trial as trial
-- left: a trial whose session is missing stays
left join session_labels as session
    on session.subject_uuid = trial.subject_uuid
    and session.session_start_time = trial.session_start_time;

comment on view trial_times is
'One row per trial: the times of its events, its feedback and reward, as stored.';

comment on column trial_times.subject_uuid is
'The mouse. With session_start_time and trial_id the key of a trial.';
comment on column trial_times.session_start_time is
'Start of the session, wall clock of the rig. With subject_uuid and trial_id the key of a trial.';
comment on column trial_times.trial_id is
'Number of the trial in its session, from 1. Has gaps where the pipeline skipped a trial.';
comment on column trial_times.trial_start_time is
'Start of the quiescent period, seconds since the session started.';
comment on column trial_times.trial_stim_on_time is
'Onset of the stimulus, seconds since the session started. NULL if not recorded.';
comment on column trial_times.trial_go_cue_time is
'Onset of the go cue, seconds since the session started. NULL if not recorded.';
comment on column trial_times.trial_go_cue_trigger_time is
'Command to play the go cue, seconds since the session started. NULL if not recorded.';
comment on column trial_times.trial_response_time is
'Wheel at threshold, or time over, seconds; not the onset of movement. NULL if not recorded.';
comment on column trial_times.trial_feedback_time is
'Reward or noise, seconds since the session started. NULL if not recorded.';
comment on column trial_times.trial_end_time is
'End of the interval after the trial, seconds since the session started.';
comment on column trial_times.trial_feedback_type is
'1 reward, -1 noise or time-out. NULL if not recorded.';
comment on column trial_times.trial_reward_volume is
'Volume of the reward, microlitres. NULL if not recorded.';
comment on column trial_times.trial_iti_duration is
'Interval after the trial, seconds. NULL if not recorded.';
comment on column trial_times.reaction_time_stim_on is
'Response minus stimulus onset, seconds, no fallback, as in the paper. NULL without either.';
