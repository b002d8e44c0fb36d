-- A trial of 0 contrast is never correct, as IBL published its counts.
select
    subject_uuid,
    session_start_time,
    n_trials,
    n_correct as n_correct_trials,
    first_start as trials_start_time,
    last_end as trials_end_time
from session
where n_complete > 0
