select
    mouse.uuid as subject_uuid,
    trial.session_start_time,
    case
        when count(trial."stimOn_times") = 0 then 'Missing'
        when count(trial."stimOn_times") < count(*) then 'Partial'
        else 'Complete'
    end as stim_on_times_status,
    'Missing' as rep_num_status,
    'Missing' as included_status,
    'Missing' as ambient_sensor_data_status,
    case when count(trial."goCue_times") = 0 then 'Missing' else 'Complete' end
        as go_cue_times_status,
    case when count(trial."goCueTrigger_times") = 0 then 'Missing' else 'Complete' end
        as go_cue_trigger_times_status,
    case when count(trial."rewardVolume") = 0 then 'Missing' else 'Complete' end
        as reward_volume_status,
    'Missing' as iti_duration_status
from trial
cross join mouse
group by all
having count(*) filter (where trial.is_complete) > 0
order by trial.session_start_time
