select
    subject_uuid,
    session_start_time,
    trial_id,
    "firstMovement_times" as trial_first_movement_time,
    "stimOff_times" as trial_stim_off_time,
    quiescence as trial_quiescence,
    phase as trial_stim_phase,
    position as trial_stim_position
from trial
where is_complete
