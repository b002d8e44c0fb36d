-- Grain: one row per session with trials in blocks of 20 and of 80, which only biased and ephys
-- sessions have. Sessions with one of the two, or none, have no row.
--
-- Sources: derived.choice_counts, derived.psychometric_fits, session_labels.
--
-- Definitions: p_right_shift is the model-free choice shift of paper-behavior (eLife
-- 2021;10:e63711, figure 4): P(right) at 0 contrast in blocks of 20 minus in blocks of 80, in
-- percent; positive for a mouse that follows the prior, as stimuli of a 20 block are mostly on
-- the right. The paper reads it off fitted curves of three sessions; here it is the mean of the
-- trials themselves, of one session. bias_shift is bias(80) minus bias(20) of the curves fitted
-- per block with the paper's bounds; bias_shift_dj the same of the pipeline's fits of this one
-- session. The status ready4ephysrig compares another with 5, that of three sessions pooled: see
-- criterion_report. For the shift at every contrast subtract the rows of psychometrics_by_block:
--   select a.signed_contrast, 100 * (a.p_right - b.p_right) as p_right_shift
--   from psychometrics_by_block as a
--   join psychometrics_by_block as b using (subject_uuid, session_start_time, signed_contrast)
--   where a.prob_left_block = 20 and b.prob_left_block = 80
--
-- Traps:
-- * The two shifts have opposite subtractions: P(right) is higher at 20, bias at 80. Both are
--   positive for a mouse that follows the prior.
-- * There are few trials at 0 contrast in a session: see the counts. To pool sessions weight
--   p_right_zero_20 and _80 by theirs and subtract the sums, rather than average the shifts.
-- * First trials of a block are in: the mouse cannot know yet. `trials` has trial_in_block.
create or replace view block_shift as

with

block_count as (

    select
        subject_uuid,
        session_start_time,
        session_date,
        sum(case when prob_left_block = 20 then n_trials else 0 end)::bigint as n_trials_20,
        sum(case when prob_left_block = 80 then n_trials else 0 end)::bigint as n_trials_80,
        sum(
            case
                when prob_left_block = 20 and signed_contrast = 0 then n_trials - n_no_go
                else 0
            end
        )::bigint as n_choices_zero_20,
        sum(
            case
                when prob_left_block = 80 and signed_contrast = 0 then n_trials - n_no_go
                else 0
            end
        )::bigint as n_choices_zero_80,
        sum(
            case when prob_left_block = 20 and signed_contrast = 0 then n_right else 0 end
        )::bigint as n_right_zero_20,
        sum(
            case when prob_left_block = 80 and signed_contrast = 0 then n_right else 0 end
        )::bigint as n_right_zero_80
    from derived.choice_counts
    group by subject_uuid, session_start_time, session_date

),

block_bias as (

    select
        subject_uuid,
        session_start_time,
        max(case when variant = 'paper' and prob_left_block = 20 then bias end) as bias_20,
        max(case when variant = 'paper' and prob_left_block = 80 then bias end) as bias_80,
        max(case when variant = 'datajoint' and prob_left_block = 20 then bias end)
            as bias_20_dj,
        max(case when variant = 'datajoint' and prob_left_block = 80 then bias end)
            as bias_80_dj
    from derived.psychometric_fits
    where grain = 'session_block'
    group by subject_uuid, session_start_time

)

select
    counted.subject_uuid,
    counted.session_start_time,
    session.subject_nickname,
    session.lab_name,
    session.institution_short,
    counted.session_date,
    session.training_day,
    session.task,
    counted.n_trials_20,
    counted.n_trials_80,
    counted.n_choices_zero_20,
    counted.n_choices_zero_80,
    counted.n_right_zero_20 / nullif(counted.n_choices_zero_20, 0) as p_right_zero_20,
    counted.n_right_zero_80 / nullif(counted.n_choices_zero_80, 0) as p_right_zero_80,
    100 * (
        counted.n_right_zero_20 / nullif(counted.n_choices_zero_20, 0)
        - counted.n_right_zero_80 / nullif(counted.n_choices_zero_80, 0)
    ) as p_right_shift,
    fitted.bias_20,
    fitted.bias_80,
    fitted.bias_80 - fitted.bias_20 as bias_shift,
    fitted.bias_80_dj - fitted.bias_20_dj as bias_shift_dj
from block_count as counted
left join block_bias as fitted
    on fitted.subject_uuid = counted.subject_uuid
    and fitted.session_start_time = counted.session_start_time
left join session_labels as session
    on session.subject_uuid = counted.subject_uuid
    and session.session_start_time = counted.session_start_time
where counted.n_trials_20 > 0 and counted.n_trials_80 > 0;

comment on view block_shift is
'One row per session with both biased blocks: how far choices follow the prior.';

comment on column block_shift.subject_uuid is
'The mouse. With session_start_time the key of the session.';
comment on column block_shift.session_start_time is
'Start, wall clock of the rig. With subject_uuid the key of the session.';
comment on column block_shift.session_date is
'Date of the start of the session, on the wall clock of the rig.';
comment on column block_shift.training_day is
'Count of dates so far with a session other than habituation, from 1.';
comment on column block_shift.task is
'biased or ephys.';
comment on column block_shift.n_trials_20 is
'Trials in blocks of 20 % left, no-go included, all contrasts.';
comment on column block_shift.n_trials_80 is
'Trials in blocks of 80 % left, no-go included, all contrasts.';
comment on column block_shift.n_choices_zero_20 is
'Choices at 0 contrast in blocks of 20 % left, no-go left out.';
comment on column block_shift.n_choices_zero_80 is
'Choices at 0 contrast in blocks of 80 % left, no-go left out.';
comment on column block_shift.p_right_zero_20 is
'Share of right among n_choices_zero_20, 0 to 1. NULL without any.';
comment on column block_shift.p_right_zero_80 is
'Share of right among n_choices_zero_80, 0 to 1. NULL without any.';
comment on column block_shift.p_right_shift is
'100 * (p_right_zero_20 - p_right_zero_80), percent: positive follows the prior. NULL as they.';
comment on column block_shift.bias_20 is
'Bias fitted in blocks of 20 % left, variant paper, percent contrast. NULL if not determined.';
comment on column block_shift.bias_80 is
'Bias fitted in blocks of 80 % left, variant paper, percent contrast. NULL if not determined.';
comment on column block_shift.bias_shift is
'bias_80 - bias_20, percent contrast: positive follows the prior. NULL if either is.';
comment on column block_shift.bias_shift_dj is
'The same of the fits of variant datajoint, percent contrast. NULL if either is not determined.';
