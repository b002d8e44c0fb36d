-- Grain: one row per session and signed contrast that was shown in it. Sessions without trials
-- have no row.
--
-- Sources: trials, behavior.trial_set__trial, one.trial_extras: only a mirror of IBL's public
-- files has this view.
--
-- Definition: onset of the first movement of the wheel minus stimulus onset, of choices only.
-- ONE's users call it reaction time (firstMovement_times - stimOn_times; ibllib,
-- extractors/training_wheel.py finds the movement); IBL's server never had it.
--
-- Traps:
-- * It is not reaction_time, which lasts until the wheel reaches its threshold, as in the paper.
-- * Some are 0 or negative, of mice that did not wait; no outlier rule applies.
create or replace view movement_times as

with

timed_trial as (

    select
        trial.subject_uuid,
        trial.session_start_time,
        trial.subject_nickname,
        trial.lab_name,
        trial.institution_short,
        trial.session_date,
        trial.training_day,
        trial.task,
        trial.signed_contrast,
        case
            when trial.choice <> 0
                then extra.trial_first_movement_time - timed.trial_stim_on_time
        end as movement_time
    from trials as trial
    left join behavior.trial_set__trial as timed
        on timed.subject_uuid = trial.subject_uuid
        and timed.session_start_time = trial.session_start_time
        and timed.trial_id = trial.trial_id
    left join one.trial_extras as extra
        on extra.subject_uuid = trial.subject_uuid
        and extra.session_start_time = trial.session_start_time
        and extra.trial_id = trial.trial_id

)

select
    subject_uuid,
    session_start_time,
    subject_nickname,
    lab_name,
    institution_short,
    session_date,
    training_day,
    task,
    signed_contrast,
    count(*) as n_trials,
    count(movement_time) as n_movement_times,
    quantile_cont(movement_time, 0.5) as median_movement_time,
    quantile_cont(movement_time, 0.25) as q1_movement_time,
    quantile_cont(movement_time, 0.75) as q3_movement_time
from timed_trial
group by
    subject_uuid,
    session_start_time,
    subject_nickname,
    lab_name,
    institution_short,
    session_date,
    training_day,
    task,
    signed_contrast;

comment on view movement_times is
'One row per session and signed contrast: from the stimulus to the first movement of the wheel.';

comment on column movement_times.subject_uuid is
'The mouse. With session_start_time the key of the session.';
comment on column movement_times.session_start_time is
'Start, wall clock of the rig. With subject_uuid the key of the session.';
comment on column movement_times.session_date is
'Date of the start, wall clock of the rig. NULL if the session has no row of its own.';
comment on column movement_times.signed_contrast is
'Contrast, percent, right minus left: positive on the right. NULL if not recorded.';
comment on column movement_times.n_trials is
'Trials, with or without a movement.';
comment on column movement_times.n_movement_times is
'Trials with a choice, a stimulus onset and a movement.';
comment on column movement_times.median_movement_time is
'Median from stimulus onset to the first movement, seconds. NULL without such trials.';
comment on column movement_times.q1_movement_time is
'Lower quartile of the same, seconds. NULL without any.';
comment on column movement_times.q3_movement_time is
'Upper quartile of the same, seconds. NULL without any.';
