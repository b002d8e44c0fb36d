-- Grain: one row per session with trials and block: its fit with the server's bounds.
select
    subject_uuid::varchar as subject_uuid,
    session_start_time::varchar as session_start_time,
    prob_left_block,
    n_trials,
    n_contrasts,
    threshold,
    threshold_se,
    bias,
    bias_se,
    lapse_low,
    lapse_low_se,
    lapse_high,
    lapse_high_se,
    verdict
from psychometric_fits
where grain = 'session_block'
    and source = 'derived'
    and variant = 'datajoint'
    and prob_left_block in (20, 50, 80)
order by subject_uuid, session_start_time, prob_left_block
