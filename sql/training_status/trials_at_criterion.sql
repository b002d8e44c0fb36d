-- Grain: one row per trial and criterion of its mouse, on the three training days that end with the
-- date of the criterion. A mouse that did not reach a criterion has no rows of it.
--
-- Sources: days_from_criterion, trials.
--
-- Definition: the window [2, 0] of paper-behavior (query_sessions_around_criterion; eLife
-- 2021;10:e63711, figures 3 to 5), all sessions on these dates.
--
-- Traps:
-- * Sessions of any task are here, as in the paper's query; its figure 3 takes task = 'training'
--   of criterion 'trained', its figure 4 task in ('biased', 'ephys') of criterion 'ephys'.
-- * A trial comes once for each criterion whose window it is in: name one.
create or replace view trials_at_criterion as

select
    trial.subject_uuid,
    trial.session_start_time,
    trial.trial_id,
    day.criterion,
    day.days_from_criterion,
    trial.subject_nickname,
    trial.lab_name,
    trial.institution_short,
    trial.session_date,
    trial.training_day,
    trial.task,
    trial.signed_contrast,
    trial.contrast,
    trial.stim_side,
    trial.choice,
    trial.choice_right,
    trial.rewarded,
    trial.correct,
    trial.correct_easy,
    trial.prob_left_block,
    trial.block_index,
    trial.trial_in_block,
    trial.reaction_time,
    case when trial.reaction_time_source = 'stim_on' then trial.reaction_time end
        as reaction_time_stim_on,
    trial.is_valid,
    trial.previous_choice,
    trial.previous_rewarded,
    trial.previous_signed_contrast,
    trial.stay
from trials as trial
join days_from_criterion as day
    on day.subject_uuid = trial.subject_uuid
    and day.session_date = trial.session_date
where day.days_from_criterion between -2 and 0;

comment on view trials_at_criterion is
'One row per trial and criterion, on the three training days up to the criterion.';

comment on column trials_at_criterion.subject_uuid is
'The mouse. With session_start_time, trial_id and criterion the key.';
comment on column trials_at_criterion.session_start_time is
'Start of the session, wall clock of the rig.';
comment on column trials_at_criterion.days_from_criterion is
'Training days since the date of the criterion: -2, -1 or 0.';
comment on column trials_at_criterion.reaction_time_stim_on is
'Response minus stimulus onset, seconds, no fallback, as in the paper. NULL without either.';
