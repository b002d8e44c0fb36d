select
    mouse.uuid as subject_uuid,
    trial.session_start_time,
    trial.trial_id,
    trial."firstMovement_times" as trial_first_movement_time,
    trial."stimOff_times" as trial_stim_off_time,
    trial.quiescence as trial_quiescence,
    trial.phase as trial_stim_phase,
    trial.position as trial_stim_position
from trial
cross join mouse
where trial.is_complete
order by trial.session_start_time, trial.trial_id
