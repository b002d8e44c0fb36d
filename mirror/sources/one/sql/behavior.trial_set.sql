-- A trial without contrast is never correct, as IBL published its counts.
select
    mouse.uuid as subject_uuid,
    trial.session_start_time,
    count(*) as n_trials,
    count(*) filter (
        where (trial.choice = 1 and trial."contrastLeft" > 0)
            or (trial.choice = -1 and trial."contrastRight" > 0)
    ) as n_correct_trials,
    min_by(trial.intervals_0, trial.trial_id) as trials_start_time,
    max_by(trial.intervals_1, trial.trial_id) as trials_end_time
from trial
cross join mouse
group by all
-- one that cannot say when it ended has no trial to show
having count(*) filter (where trial.is_complete) > 0
order by trial.session_start_time
