-- ONE's choice is the turn of the wheel seen from the other side: 1 is clockwise, to the left.
select
    mouse.uuid as subject_uuid,
    trial.session_start_time,
    trial.trial_id,
    trial.intervals_0 as trial_start_time,
    trial.intervals_1 as trial_end_time,
    trial.response_times as trial_response_time,
    case trial.choice when -1 then 'CCW' when 1 then 'CW' when 0 then 'No Go' end
        as trial_response_choice,
    trial."stimOn_times" as trial_stim_on_time,
    coalesce(trial."contrastLeft", 0) as trial_stim_contrast_left,
    coalesce(trial."contrastRight", 0) as trial_stim_contrast_right,
    trial.feedback_times as trial_feedback_time,
    trial."feedbackType" as trial_feedback_type,
    trial."goCue_times" as trial_go_cue_time,
    trial."goCueTrigger_times" as trial_go_cue_trigger_time,
    trial."probabilityLeft" as trial_stim_prob_left,
    trial."rewardVolume" as trial_reward_volume
from trial
cross join mouse
where trial.is_complete
order by trial.session_start_time, trial.trial_id
