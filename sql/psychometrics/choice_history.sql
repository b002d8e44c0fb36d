-- Grain: one row per session with trials.
--
-- Sources: behavior.trial_set__trial, read once with the definitions of trials, which has many
-- more window functions than are needed here; subjects, session_labels.
--
-- Definitions: a trial has a history if the trial before it was recorded and both have a choice.
-- after_reward and after_error: that trial was rewarded, or not. stay and switch: the same side
-- was chosen again, or the other one (win-stay, lose-switch). zero: only trials at 0 contrast,
-- where the stimulus tells nothing. fresh: without the trials that the training task repeats
-- after an error on an easy contrast.
-- Choice updating as in paper-behavior (eLife 2021;10:e63711, figure 5 and its supplements):
-- P(right) after a choice right minus P(right) after a choice left, in percent, separately after
-- reward and after error. The paper reads both off curves at 0 contrast, fitted per mouse and
-- task; here they are the means of the trials at 0 contrast, of one session. updating_before_*
-- is the same with the trial that follows in place of the one before. No choice can be the
-- effect of a later one: what this shows comes from blocks and slow drifts. The paper subtracts
-- it, and so does updating_*_corrected.
--
-- Traps:
-- * The training task shows an easy stimulus again after an error, so a mouse that learns from
--   the stimulus seems to switch because it lost: compare p_switch_fresh_after_error. A trial
--   is a repeat if trial_rep_num is higher than on the trial before, which holds whether the
--   first showing is number 0 or 1.
-- * Where trial_rep_num was not recorded, no trial of a training session is known to be fresh.
--   Biased and ephys tasks repeat none: all their trials are fresh.
-- * Debiasing in training also moves the stimulus after errors, and nothing marks these trials.
-- * In biased and ephys sessions the stimuli come in blocks, so staying pays: p_stay is high
--   also without any influence of the last choice. Hence the correction.
-- * A session has few trials at 0 contrast, and the paper asks for more than 50. To pool
--   sessions, weight each p by the n of the same name, and subtract the pooled ones.
-- * A no-go and a gap in trial_id break the history, as in trials. The originals' shift(1) over
--   a frame runs across gaps, sessions and mice.
-- * The names of a mouse come with its trials from the start, for a filter on subject_nickname to
--   spare the other mice, as in trials; one on subject_uuid is twice as fast.
create or replace view choice_history as

with

coded_trial as (

    select
        trial.subject_uuid,
        trial.session_start_time,
        mouse.subject_nickname,
        trial.trial_id,
        abs(trial.trial_stim_contrast_right) = abs(trial.trial_stim_contrast_left) as is_zero,
        case trial.trial_response_choice::varchar
            when 'CCW' then 1
            when 'CW' then -1
            when 'No Go' then 0
        end as choice,
        case trial.trial_feedback_type
            when 1 then 1
            when -1 then 0
        end as rewarded,
        trial.trial_rep_num
    from behavior.trial_set__trial as trial
    left join subjects as mouse
        on mouse.subject_uuid = trial.subject_uuid

),

-- all windows in one step: each step sorts all trials
trial_with_neighbors as (

    select
        subject_uuid,
        session_start_time,
        subject_nickname,
        trial_id,
        is_zero,
        choice,
        trial_rep_num,
        lag(trial_id) over session_order as before_id,
        lag(choice) over session_order as before_choice,
        lag(rewarded) over session_order as before_rewarded,
        lag(trial_rep_num) over session_order as before_rep_num,
        lead(trial_id) over session_order as after_id,
        lead(choice) over session_order as after_choice,
        lead(rewarded) over session_order as after_rewarded
    from coded_trial
    window session_order as (
        partition by subject_nickname, subject_uuid, session_start_time
        order by trial_id
    )

),

trial_with_history as (

    select
        subject_uuid,
        session_start_time,
        subject_nickname,
        is_zero,
        choice,
        -- NULL if not recorded on one of the two
        trial_rep_num <= before_rep_num as is_fresh,
        case
            when choice <> 0 and before_choice <> 0 and before_id + 1 = trial_id
                then before_choice
        end as previous_choice,
        before_rewarded as previous_rewarded,
        case
            when choice <> 0 and after_choice <> 0 and after_id - 1 = trial_id
                then after_choice
        end as next_choice,
        after_rewarded as next_rewarded
    from trial_with_neighbors

),

-- a session has a few dozen at most, so the many sums below cost nothing
history_pattern as (

    select
        subject_uuid,
        session_start_time,
        subject_nickname,
        is_zero,
        is_fresh,
        choice,
        previous_choice,
        previous_rewarded,
        next_choice,
        next_rewarded,
        count(*) as n_trials
    from trial_with_history
    group by
        subject_uuid,
        session_start_time,
        subject_nickname,
        is_zero,
        is_fresh,
        choice,
        previous_choice,
        previous_rewarded,
        next_choice,
        next_rewarded

),

history_count as (

    select
        subject_uuid,
        session_start_time,
        subject_nickname,
        sum(n_trials) as n_trials,
        sum(n_trials) filter (where previous_choice <> 0 and previous_rewarded = 1)
            as n_after_reward,
        sum(n_trials) filter (where choice = previous_choice and previous_rewarded = 1)
            as n_stay_after_reward,
        sum(n_trials) filter (where previous_choice <> 0 and previous_rewarded = 0)
            as n_after_error,
        sum(n_trials) filter (where choice <> previous_choice and previous_rewarded = 0)
            as n_switch_after_error,
        sum(n_trials) filter (where previous_choice <> 0 and previous_rewarded = 1 and is_zero)
            as n_zero_after_reward,
        sum(n_trials) filter (
            where choice = previous_choice and previous_rewarded = 1 and is_zero
        ) as n_stay_zero_after_reward,
        sum(n_trials) filter (where previous_choice <> 0 and previous_rewarded = 0 and is_zero)
            as n_zero_after_error,
        sum(n_trials) filter (
            where choice <> previous_choice and previous_rewarded = 0 and is_zero
        ) as n_switch_zero_after_error,
        sum(n_trials) filter (where previous_choice <> 0 and previous_rewarded = 1 and is_fresh)
            as n_fresh_after_reward,
        sum(n_trials) filter (
            where choice = previous_choice and previous_rewarded = 1 and is_fresh
        ) as n_stay_fresh_after_reward,
        sum(n_trials) filter (where previous_choice <> 0 and previous_rewarded = 0 and is_fresh)
            as n_fresh_after_error,
        sum(n_trials) filter (
            where choice <> previous_choice and previous_rewarded = 0 and is_fresh
        ) as n_switch_fresh_after_error,
        sum(n_trials) filter (where is_zero and previous_choice = 1 and previous_rewarded = 1)
            as n_zero_after_right_reward,
        sum(n_trials) filter (
            where is_zero and choice = 1 and previous_choice = 1 and previous_rewarded = 1
        ) as n_right_zero_after_right_reward,
        sum(n_trials) filter (where is_zero and previous_choice = -1 and previous_rewarded = 1)
            as n_zero_after_left_reward,
        sum(n_trials) filter (
            where is_zero and choice = 1 and previous_choice = -1 and previous_rewarded = 1
        ) as n_right_zero_after_left_reward,
        sum(n_trials) filter (where is_zero and previous_choice = 1 and previous_rewarded = 0)
            as n_zero_after_right_error,
        sum(n_trials) filter (
            where is_zero and choice = 1 and previous_choice = 1 and previous_rewarded = 0
        ) as n_right_zero_after_right_error,
        sum(n_trials) filter (where is_zero and previous_choice = -1 and previous_rewarded = 0)
            as n_zero_after_left_error,
        sum(n_trials) filter (
            where is_zero and choice = 1 and previous_choice = -1 and previous_rewarded = 0
        ) as n_right_zero_after_left_error,
        sum(n_trials) filter (where is_zero and next_choice = 1 and next_rewarded = 1)
            as n_zero_before_right_reward,
        sum(n_trials) filter (
            where is_zero and choice = 1 and next_choice = 1 and next_rewarded = 1
        ) as n_right_zero_before_right_reward,
        sum(n_trials) filter (where is_zero and next_choice = -1 and next_rewarded = 1)
            as n_zero_before_left_reward,
        sum(n_trials) filter (
            where is_zero and choice = 1 and next_choice = -1 and next_rewarded = 1
        ) as n_right_zero_before_left_reward,
        sum(n_trials) filter (where is_zero and next_choice = 1 and next_rewarded = 0)
            as n_zero_before_right_error,
        sum(n_trials) filter (
            where is_zero and choice = 1 and next_choice = 1 and next_rewarded = 0
        ) as n_right_zero_before_right_error,
        sum(n_trials) filter (where is_zero and next_choice = -1 and next_rewarded = 0)
            as n_zero_before_left_error,
        sum(n_trials) filter (
            where is_zero and choice = 1 and next_choice = -1 and next_rewarded = 0
        ) as n_right_zero_before_left_error
    from history_pattern
    group by subject_uuid, session_start_time, subject_nickname

),

history_rate as (

    select
        counted.subject_uuid,
        counted.session_start_time,
        counted.subject_nickname,
        session.lab_name,
        session.institution_short,
        session.session_date,
        session.training_day,
        coalesce(session.task, 'unknown') as task,
        counted.n_trials::bigint as n_trials,
        coalesce(counted.n_after_reward, 0)::bigint as n_after_reward,
        coalesce(counted.n_stay_after_reward, 0) / nullif(counted.n_after_reward, 0)
            as p_stay_after_reward,
        coalesce(counted.n_after_error, 0)::bigint as n_after_error,
        coalesce(counted.n_switch_after_error, 0) / nullif(counted.n_after_error, 0)
            as p_switch_after_error,
        coalesce(counted.n_zero_after_reward, 0)::bigint as n_zero_after_reward,
        coalesce(counted.n_stay_zero_after_reward, 0) / nullif(counted.n_zero_after_reward, 0)
            as p_stay_zero_after_reward,
        coalesce(counted.n_zero_after_error, 0)::bigint as n_zero_after_error,
        coalesce(counted.n_switch_zero_after_error, 0) / nullif(counted.n_zero_after_error, 0)
            as p_switch_zero_after_error,
        case
            when session.task in ('biased', 'ephys')
                then coalesce(counted.n_after_reward, 0)::bigint
            else coalesce(counted.n_fresh_after_reward, 0)::bigint
        end as n_fresh_after_reward,
        case
            when session.task in ('biased', 'ephys')
                then coalesce(counted.n_stay_after_reward, 0) / nullif(counted.n_after_reward, 0)
            else coalesce(counted.n_stay_fresh_after_reward, 0)
                / nullif(counted.n_fresh_after_reward, 0)
        end as p_stay_fresh_after_reward,
        case
            when session.task in ('biased', 'ephys')
                then coalesce(counted.n_after_error, 0)::bigint
            else coalesce(counted.n_fresh_after_error, 0)::bigint
        end as n_fresh_after_error,
        case
            when session.task in ('biased', 'ephys')
                then coalesce(counted.n_switch_after_error, 0) / nullif(counted.n_after_error, 0)
            else coalesce(counted.n_switch_fresh_after_error, 0)
                / nullif(counted.n_fresh_after_error, 0)
        end as p_switch_fresh_after_error,
        coalesce(counted.n_zero_after_right_reward, 0)::bigint as n_zero_after_right_reward,
        coalesce(counted.n_right_zero_after_right_reward, 0)
            / nullif(counted.n_zero_after_right_reward, 0) as p_right_zero_after_right_reward,
        coalesce(counted.n_zero_after_left_reward, 0)::bigint as n_zero_after_left_reward,
        coalesce(counted.n_right_zero_after_left_reward, 0)
            / nullif(counted.n_zero_after_left_reward, 0) as p_right_zero_after_left_reward,
        coalesce(counted.n_zero_after_right_error, 0)::bigint as n_zero_after_right_error,
        coalesce(counted.n_right_zero_after_right_error, 0)
            / nullif(counted.n_zero_after_right_error, 0) as p_right_zero_after_right_error,
        coalesce(counted.n_zero_after_left_error, 0)::bigint as n_zero_after_left_error,
        coalesce(counted.n_right_zero_after_left_error, 0)
            / nullif(counted.n_zero_after_left_error, 0) as p_right_zero_after_left_error,
        coalesce(counted.n_zero_before_right_reward, 0)::bigint as n_zero_before_right_reward,
        coalesce(counted.n_right_zero_before_right_reward, 0)
            / nullif(counted.n_zero_before_right_reward, 0) as p_right_zero_before_right_reward,
        coalesce(counted.n_zero_before_left_reward, 0)::bigint as n_zero_before_left_reward,
        coalesce(counted.n_right_zero_before_left_reward, 0)
            / nullif(counted.n_zero_before_left_reward, 0) as p_right_zero_before_left_reward,
        coalesce(counted.n_zero_before_right_error, 0)::bigint as n_zero_before_right_error,
        coalesce(counted.n_right_zero_before_right_error, 0)
            / nullif(counted.n_zero_before_right_error, 0) as p_right_zero_before_right_error,
        coalesce(counted.n_zero_before_left_error, 0)::bigint as n_zero_before_left_error,
        coalesce(counted.n_right_zero_before_left_error, 0)
            / nullif(counted.n_zero_before_left_error, 0) as p_right_zero_before_left_error
    from history_count as counted
    left join session_labels as session
        on session.subject_uuid = counted.subject_uuid
        and session.session_start_time = counted.session_start_time

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
    n_trials,
    n_after_reward,
    p_stay_after_reward,
    n_after_error,
    p_switch_after_error,
    n_zero_after_reward,
    p_stay_zero_after_reward,
    n_zero_after_error,
    p_switch_zero_after_error,
    n_fresh_after_reward,
    p_stay_fresh_after_reward,
    n_fresh_after_error,
    p_switch_fresh_after_error,
    n_zero_after_right_reward,
    p_right_zero_after_right_reward,
    n_zero_after_left_reward,
    p_right_zero_after_left_reward,
    n_zero_after_right_error,
    p_right_zero_after_right_error,
    n_zero_after_left_error,
    p_right_zero_after_left_error,
    n_zero_before_right_reward,
    p_right_zero_before_right_reward,
    n_zero_before_left_reward,
    p_right_zero_before_left_reward,
    n_zero_before_right_error,
    p_right_zero_before_right_error,
    n_zero_before_left_error,
    p_right_zero_before_left_error,
    100 * (p_right_zero_after_right_reward - p_right_zero_after_left_reward)
        as updating_after_reward,
    100 * (p_right_zero_after_right_error - p_right_zero_after_left_error)
        as updating_after_error,
    100 * (p_right_zero_before_right_reward - p_right_zero_before_left_reward)
        as updating_before_reward,
    100 * (p_right_zero_before_right_error - p_right_zero_before_left_error)
        as updating_before_error,
    100 * (p_right_zero_after_right_reward - p_right_zero_after_left_reward)
        - 100 * (p_right_zero_before_right_reward - p_right_zero_before_left_reward)
        as updating_after_reward_corrected,
    100 * (p_right_zero_after_right_error - p_right_zero_after_left_error)
        - 100 * (p_right_zero_before_right_error - p_right_zero_before_left_error)
        as updating_after_error_corrected
from history_rate;

comment on view choice_history is
'One row per session: what the choice before, and its outcome, do to the next choice.';

comment on column choice_history.subject_uuid is
'The mouse. With session_start_time the key of the session.';
comment on column choice_history.session_start_time is
'Start, wall clock of the rig. With subject_uuid the key of the session.';
comment on column choice_history.session_date is
'Date of the start, wall clock of the rig. NULL if the session has no row of its own.';
comment on column choice_history.task is
'habituation, training, biased, ephys, other, or unknown if there is no protocol. Never NULL.';
comment on column choice_history.n_trials is
'Trials, no-go included.';
comment on column choice_history.n_after_reward is
'Choices with a rewarded choice on the trial before.';
comment on column choice_history.p_stay_after_reward is
'Share of these that took the same side again, 0 to 1. NULL without any.';
comment on column choice_history.n_after_error is
'Choices with a wrong choice on the trial before.';
comment on column choice_history.p_switch_after_error is
'Share of these that took the other side, 0 to 1. NULL without any.';
comment on column choice_history.n_zero_after_reward is
'Choices at 0 contrast with a rewarded choice on the trial before.';
comment on column choice_history.p_stay_zero_after_reward is
'Share of these that took the same side again, 0 to 1. NULL without any.';
comment on column choice_history.n_zero_after_error is
'Choices at 0 contrast with a wrong choice on the trial before.';
comment on column choice_history.p_switch_zero_after_error is
'Share of these that took the other side, 0 to 1. NULL without any.';
comment on column choice_history.n_fresh_after_reward is
'Choices that are fresh with a rewarded choice on the trial before.';
comment on column choice_history.p_stay_fresh_after_reward is
'Share of these that took the same side again, 0 to 1. NULL without any.';
comment on column choice_history.n_fresh_after_error is
'Choices that are fresh with a wrong choice on the trial before.';
comment on column choice_history.p_switch_fresh_after_error is
'Share of these that took the other side, 0 to 1. NULL without any.';
comment on column choice_history.n_zero_after_right_reward is
'Choices at 0 contrast whose previous choice was right and rewarded.';
comment on column choice_history.p_right_zero_after_right_reward is
'Share of right among these, 0 to 1. NULL without any.';
comment on column choice_history.n_zero_after_left_reward is
'Choices at 0 contrast whose previous choice was left and rewarded.';
comment on column choice_history.p_right_zero_after_left_reward is
'Share of right among these, 0 to 1. NULL without any.';
comment on column choice_history.n_zero_after_right_error is
'Choices at 0 contrast whose previous choice was right and wrong.';
comment on column choice_history.p_right_zero_after_right_error is
'Share of right among these, 0 to 1. NULL without any.';
comment on column choice_history.n_zero_after_left_error is
'Choices at 0 contrast whose previous choice was left and wrong.';
comment on column choice_history.p_right_zero_after_left_error is
'Share of right among these, 0 to 1. NULL without any.';
comment on column choice_history.n_zero_before_right_reward is
'Choices at 0 contrast whose next choice was right and rewarded.';
comment on column choice_history.p_right_zero_before_right_reward is
'Share of right among these, 0 to 1. NULL without any.';
comment on column choice_history.n_zero_before_left_reward is
'Choices at 0 contrast whose next choice was left and rewarded.';
comment on column choice_history.p_right_zero_before_left_reward is
'Share of right among these, 0 to 1. NULL without any.';
comment on column choice_history.n_zero_before_right_error is
'Choices at 0 contrast whose next choice was right and wrong.';
comment on column choice_history.p_right_zero_before_right_error is
'Share of right among these, 0 to 1. NULL without any.';
comment on column choice_history.n_zero_before_left_error is
'Choices at 0 contrast whose next choice was left and wrong.';
comment on column choice_history.p_right_zero_before_left_error is
'Share of right among these, 0 to 1. NULL without any.';
comment on column choice_history.updating_after_reward is
'100 * (p_right_zero_after_right_reward - ..._left_reward), percent. NULL if either is.';
comment on column choice_history.updating_after_error is
'100 * (p_right_zero_after_right_error - ..._left_error), percent. NULL if either is.';
comment on column choice_history.updating_before_reward is
'100 * (p_right_zero_before_right_reward - ..._left_reward), percent. NULL if either is.';
comment on column choice_history.updating_before_error is
'100 * (p_right_zero_before_right_error - ..._left_error), percent. NULL if either is.';
comment on column choice_history.updating_after_reward_corrected is
'updating_after_reward - updating_before_reward, percent. NULL if either is.';
comment on column choice_history.updating_after_error_corrected is
'updating_after_error - updating_before_error, percent. NULL if either is.';
