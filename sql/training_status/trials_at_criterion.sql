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
    trial.reaction_time_stim_on,
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
comment on column trials_at_criterion.trial_id is
'Number of the trial in its session, from 1. Has gaps where the pipeline skipped a trial.';
comment on column trials_at_criterion.criterion is
'trained, biased, ephys (the paper''s), or reached_ and the status that was reached or passed.';
comment on column trials_at_criterion.days_from_criterion is
'Training days since the date of the criterion: -2, -1 or 0.';
comment on column trials_at_criterion.subject_nickname is
'Name of the mouse in its lab. Not unique across labs.';
comment on column trials_at_criterion.lab_name is
'Lab of the mouse. NULL if the mouse was not assigned to one.';
comment on column trials_at_criterion.institution_short is
'Short name of the institution of the lab. NULL without a lab or a short name.';
comment on column trials_at_criterion.session_date is
'Date of the start of the session, on the wall clock of the rig.';
comment on column trials_at_criterion.training_day is
'Count of dates so far with a session other than habituation, from 1. NULL if habituation only.';
comment on column trials_at_criterion.task is
'habituation, training, biased, ephys, other, or unknown if there is no protocol. Never NULL.';
comment on column trials_at_criterion.signed_contrast is
'Contrast of the stimulus, percent, right minus left: positive on the right.';
comment on column trials_at_criterion.contrast is
'Contrast of the stimulus, percent, on either side.';
comment on column trials_at_criterion.stim_side is
'1 right, -1 left; at 0 contrast the rewarded side, there NULL for a no-go or without feedback.';
comment on column trials_at_criterion.choice is
'1 right (CCW), -1 left (CW), 0 no-go.';
comment on column trials_at_criterion.choice_right is
'1 if the choice was right, 0 if left: its mean is P(right). NULL for a no-go.';
comment on column trials_at_criterion.rewarded is
'1 if the feedback was positive, 0 if negative. NULL without feedback.';
comment on column trials_at_criterion.correct is
'1 if the choice was the side of the stimulus, 0 if not, no-go included. NULL at 0 contrast.';
comment on column trials_at_criterion.correct_easy is
'correct at contrasts of 50 % and above. NULL at lower contrasts.';
comment on column trials_at_criterion.prob_left_block is
'Probability left of the block, percent: prob_left_pct in biased and ephys tasks, else 50.';
comment on column trials_at_criterion.block_index is
'Number of the block in its session, from 1: a block ends where prob_left_block changes.';
comment on column trials_at_criterion.trial_in_block is
'Position of the trial in its block, from 1, trials skipped by the pipeline counted.';
comment on column trials_at_criterion.reaction_time is
'Response minus stimulus onset, or go cue trigger if NULL, seconds. See is_valid. NULL if unknown.';
comment on column trials_at_criterion.reaction_time_stim_on is
'Response minus stimulus onset, seconds, no fallback, as in the paper. NULL without either.';
comment on column trials_at_criterion.is_valid is
'True if a choice was made with a reaction_time above 0 and up to 60 s. Never NULL.';
comment on column trials_at_criterion.previous_choice is
'choice of the trial before, 1 or -1. NULL after a no-go, a gap, or at the session start.';
comment on column trials_at_criterion.previous_rewarded is
'rewarded of the trial before. NULL after a no-go, a gap, or at the session start.';
comment on column trials_at_criterion.previous_signed_contrast is
'signed_contrast of the trial before, percent. NULL after a gap or at the session start.';
comment on column trials_at_criterion.stay is
'1 if choice equals previous_choice, 0 if not. NULL for a no-go or without previous_choice.';
