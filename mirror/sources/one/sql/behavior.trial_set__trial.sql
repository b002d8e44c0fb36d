-- ONE counts a choice as the wheel turns, 1 clockwise: to the left. Where neither side has a
-- contrast it was 0, and DataJoint wrote 0 for a side that had none.
select
    subject_uuid,
    session_start_time,
    trial_id,
    intervals_0 as trial_start_time,
    intervals_1 as trial_end_time,
    response_times as trial_response_time,
    case choice when -1 then 'CCW' when 1 then 'CW' when 0 then 'No Go' end
        as trial_response_choice,
    "stimOn_times" as trial_stim_on_time,
    coalesce("contrastLeft", 0) as trial_stim_contrast_left,
    coalesce("contrastRight", 0) as trial_stim_contrast_right,
    feedback_times as trial_feedback_time,
    "feedbackType" as trial_feedback_type,
    rep_num as trial_rep_num,
    "goCue_times" as trial_go_cue_time,
    "goCueTrigger_times" as trial_go_cue_trigger_time,
    "probabilityLeft" as trial_stim_prob_left,
    "rewardVolume" as trial_reward_volume
from trial
where is_complete
