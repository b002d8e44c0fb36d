-- Grain: one row per trial, every trial of behavior.trial_set__trial, with the names of its
-- mouse, lab and session, so that most questions need no join. The times of its events are in
-- trial_times.
--
-- Stored: in the order of subject_uuid, session_start_time, trial_id.
--
-- Sources: behavior.trial_set__trial, session_labels.
--
-- Definitions: contrast, choice, correctness and history as in the trial frames of
-- paper-behavior (dj2pandas; eLife 2021;10:e63711); blocks and the reaction time with its
-- fallback as in IBL-pipeline (analyses/behavior.py).
--
-- Traps:
-- * IBL-pipeline computes reaction times per left minus right; here, as in its psychometric
--   results and the paper, contrasts are right minus left. Raw ALF and ONE choices are -1 for
--   right: the opposite of `choice`.
-- * The rigs' files have signed contrasts in places: a contrast below 0 counts by its size, as in
--   the paper (IBL-pipeline's own results take the sign). session_quality counts such trials.
-- * A no-go counts as wrong in `correct`, has no side in choice_right, and lasts 60 s: leave it
--   out of reaction times with `where is_valid`.
-- * Training sessions have priors other than .5 (debiasing) but no blocks: prob_left_block is 50.
-- * The paper's reaction times have no fallback: `where reaction_time_source = 'stim_on'`.
-- * trial_id has gaps where the pipeline skipped a trial. previous_*, next_* and stay reach across
--   neither a gap nor a border of sessions, unlike shift(1) over a frame.
-- * Easy training trials answered wrong are repeated (trial_rep_num), so lose-switch is
--   contaminated by design.
create or replace view trials as

with

coded_trial as (

    select
        trial.subject_uuid,
        trial.session_start_time,
        trial.trial_id,
        coalesce(session.task, 'unknown') as task,
        -- FLOAT to DOUBLE before arithmetic and rounding: .7 * 100 is 69.99 in some engines;
        -- the column tells the side, and a sign beside it would turn the stimulus round
        round(
            (
                abs(trial.trial_stim_contrast_right::double)
                - abs(trial.trial_stim_contrast_left::double)
            ) * 100,
            4
        ) as signed_contrast,
        round(trial.trial_stim_prob_left::double, 4) as prob_left,
        try_cast(round(trial.trial_stim_prob_left::double * 100) as integer) as prob_left_pct,
        case trial.trial_response_choice::varchar
            when 'CCW' then 1
            when 'CW' then -1
            when 'No Go' then 0
        end as choice,
        case trial.trial_feedback_type
            when 1 then 1
            when -1 then 0
        end as rewarded,
        trial.trial_response_time - trial.trial_stim_on_time as reaction_time_stim_on,
        trial.trial_response_time - trial.trial_go_cue_trigger_time::double
            as reaction_time_go_cue,
        trial.trial_rep_num
    from behavior.trial_set__trial as trial
    -- left: a trial whose session is missing stays
    left join session_labels as session
        on session.subject_uuid = trial.subject_uuid
        and session.session_start_time = trial.session_start_time

),

trial_with_prior as (

    select
        *,
        case when task in ('biased', 'ephys') then prob_left_pct else 50 end as prob_left_block
    from coded_trial

),

trial_with_border as (

    select
        *,
        prob_left_block is distinct from lag(prob_left_block) over session_order
            as is_block_start
    from trial_with_prior
    window session_order as (
        partition by subject_uuid, session_start_time
        order by trial_id
    )

),

-- all other windows in one step: each step sorts all trials
trial_with_neighbors as (

    select
        *,
        sum(case when is_block_start then 1 else 0 end) over session_order as block_index,
        last_value(case when is_block_start then trial_id end ignore nulls) over session_order
            as block_start_id,
        lag(trial_id) over session_order as before_id,
        lag(choice) over session_order as before_choice,
        lag(rewarded) over session_order as before_rewarded,
        lag(signed_contrast) over session_order as before_signed_contrast,
        lead(trial_id) over session_order as after_id,
        lead(choice) over session_order as after_choice,
        lead(rewarded) over session_order as after_rewarded,
        lead(signed_contrast) over session_order as after_signed_contrast
    from trial_with_border
    window session_order as (
        partition by subject_uuid, session_start_time
        order by trial_id
    )

)

select
    trial.subject_uuid,
    trial.session_start_time,
    trial.trial_id,
    session.session_uuid,
    session.subject_nickname,
    session.lab_name,
    session.institution_short,
    session.session_date,
    session.training_day,
    trial.task,
    signed_contrast,
    abs(signed_contrast) as contrast,
    -- the ingest merged 0 contrast left and right; the outcome tells the side that was rewarded
    case
        when signed_contrast > 0 then 1
        when signed_contrast < 0 then -1
        when choice <> 0 and rewarded = 1 then choice
        when choice <> 0 and rewarded = 0 then -choice
    end as stim_side,
    choice,
    choice = 0 as is_no_go,
    case choice when 1 then 1 when -1 then 0 end as choice_right,
    rewarded,
    case
        when signed_contrast > 0 then (choice = 1)::integer
        when signed_contrast < 0 then (choice = -1)::integer
    end as correct,
    case
        when signed_contrast >= 50 then (choice = 1)::integer
        when signed_contrast <= -50 then (choice = -1)::integer
    end as correct_easy,
    prob_left,
    prob_left_pct,
    prob_left_block,
    block_index::integer as block_index,
    trial_id - block_start_id + 1 as trial_in_block,
    coalesce(reaction_time_stim_on, reaction_time_go_cue) as reaction_time,
    case
        when reaction_time_stim_on is not null then 'stim_on'
        when reaction_time_go_cue is not null then 'go_cue'
    end as reaction_time_source,
    coalesce(
        choice <> 0
        and coalesce(reaction_time_stim_on, reaction_time_go_cue) > 0
        and coalesce(reaction_time_stim_on, reaction_time_go_cue) <= 60,
        false
    ) as is_valid,
    -- counted on from the one before: the largest number that there is has no successor
    case when before_id + 1 = trial_id and before_choice <> 0 then before_choice end
        as previous_choice,
    case when before_id + 1 = trial_id and before_choice <> 0 then before_rewarded end
        as previous_rewarded,
    case when before_id + 1 = trial_id then before_signed_contrast end
        as previous_signed_contrast,
    case when before_id + 1 = trial_id then abs(before_signed_contrast) end
        as previous_contrast,
    case when after_id - 1 = trial_id and after_choice <> 0 then after_choice end
        as next_choice,
    case when after_id - 1 = trial_id and after_choice <> 0 then after_rewarded end
        as next_rewarded,
    case when after_id - 1 = trial_id then after_signed_contrast end
        as next_signed_contrast,
    case
        when before_id + 1 = trial_id and before_choice <> 0 and choice <> 0
            then (choice = before_choice)::integer
    end as stay,
    trial_rep_num
from trial_with_neighbors as trial
-- only here, since each step above sorts whatever it is given
left join session_labels as session
    on session.subject_uuid = trial.subject_uuid
    and session.session_start_time = trial.session_start_time;

comment on view trials is
'One row per trial, with mouse, lab and session. Nothing is filtered: see is_no_go, is_valid.';

comment on column trials.subject_uuid is
'The mouse. With session_start_time and trial_id the key of a trial.';
comment on column trials.session_start_time is
'Start of the session, wall clock of the rig. With subject_uuid and trial_id the key of a trial.';
comment on column trials.trial_id is
'Number of the trial in its session, from 1. Has gaps where the pipeline skipped a trial.';
comment on column trials.session_uuid is
'The session in Alyx and ONE, where it is called eid.';
comment on column trials.subject_nickname is
'Name of the mouse in its lab. Not unique across labs.';
comment on column trials.lab_name is
'Lab of the mouse. NULL if the mouse was not assigned to one.';
comment on column trials.institution_short is
'Short name of the institution of the lab. NULL without a lab or a short name.';
comment on column trials.session_date is
'Date of the start of the session, on the wall clock of the rig.';
comment on column trials.training_day is
'Count of dates so far with a session other than habituation, from 1. NULL if habituation only.';
comment on column trials.task is
'habituation, training, biased, ephys, other, or unknown if there is no protocol. Never NULL.';
comment on column trials.signed_contrast is
'Contrast of the stimulus, percent, right minus left: positive on the right.';
comment on column trials.contrast is
'Contrast of the stimulus, percent, on either side.';
comment on column trials.stim_side is
'1 right, -1 left; at 0 contrast the rewarded side, there NULL for a no-go or without feedback.';
comment on column trials.choice is
'1 right (CCW), -1 left (CW), 0 no-go.';
comment on column trials.is_no_go is
'True if the mouse made no choice within 60 s.';
comment on column trials.choice_right is
'1 if the choice was right, 0 if left: its mean is P(right). NULL for a no-go.';
comment on column trials.rewarded is
'1 if the feedback was positive, 0 if negative. NULL without feedback.';
comment on column trials.correct is
'1 if the choice was the side of the stimulus, 0 if not, no-go included. NULL at 0 contrast.';
comment on column trials.correct_easy is
'correct at contrasts of 50 % and above. NULL at lower contrasts.';
comment on column trials.prob_left is
'Probability of a stimulus on the left as the task set it, such as 0.2, 0.5, 0.8.';
comment on column trials.prob_left_pct is
'prob_left in whole percent, safe to compare, such as 20, 50, 80.';
comment on column trials.prob_left_block is
'Probability left of the block, percent: prob_left_pct in biased and ephys tasks, else 50.';
comment on column trials.block_index is
'Number of the block in its session, from 1: a block ends where prob_left_block changes.';
comment on column trials.trial_in_block is
'Position of the trial in its block, from 1, trials skipped by the pipeline counted.';
comment on column trials.reaction_time is
'Response minus stimulus onset, or go cue trigger if NULL, seconds. See is_valid. NULL if unknown.';
comment on column trials.reaction_time_source is
'What reaction_time counts from: stim_on or go_cue. NULL without reaction_time.';
comment on column trials.is_valid is
'True if a choice was made with a reaction_time above 0 and up to 60 s. Never NULL.';
comment on column trials.previous_choice is
'choice of the trial before, 1 or -1. NULL after a no-go, a gap, or at the session start.';
comment on column trials.previous_rewarded is
'rewarded of the trial before. NULL after a no-go, a gap, or at the session start.';
comment on column trials.previous_signed_contrast is
'signed_contrast of the trial before, percent. NULL after a gap or at the session start.';
comment on column trials.previous_contrast is
'contrast of the trial before, percent. NULL after a gap or at the session start.';
comment on column trials.next_choice is
'choice of the trial after, 1 or -1. NULL before a no-go, a gap, or at the session end.';
comment on column trials.next_rewarded is
'rewarded of the trial after. NULL before a no-go, a gap, or at the session end.';
comment on column trials.next_signed_contrast is
'signed_contrast of the trial after, percent. NULL before a gap or at the session end.';
comment on column trials.stay is
'1 if choice equals previous_choice, 0 if not. NULL for a no-go or without previous_choice.';
comment on column trials.trial_rep_num is
'Repeats of this trial so far, 0 for a new one: easy training errors repeat. NULL if unrecorded.';
