select
    subject_uuid,
    session_start_time,
    case
        when n_stim_on = 0 then 'Missing'
        when n_stim_on < n_trials then 'Partial'
        else 'Complete'
    end as stim_on_times_status,
    case when n_rep_num > 0 then 'Complete' else 'Missing' end as rep_num_status,
    'Missing' as included_status,
    'Missing' as ambient_sensor_data_status,
    case when n_go_cue > 0 then 'Complete' else 'Missing' end as go_cue_times_status,
    case when n_go_cue_trigger > 0 then 'Complete' else 'Missing' end
        as go_cue_trigger_times_status,
    case when n_reward > 0 then 'Complete' else 'Missing' end as reward_volume_status,
    'Missing' as iti_duration_status
from session
where n_complete > 0
