-- Grain: one row per session, probability left of the block, and signed contrast shown there: all
-- blocks of the same probability together. Sessions without trials have no row.
--
-- Sources: derived.psychometric_points, session_labels.
--
-- Definitions: p_right is the share of right among the choices, as in the figures of
-- paper-behavior (eLife 2021;10:e63711, figures 1 to 4); p_right_dj is prob_choose_right of
-- PsychResultsBlock (IBL-pipeline, analyses/behavior.py). The intervals are
-- Wilson's, for the choices counted as independent: unlike p plus or minus its standard error
-- they stay within 0 and 1, and do not vanish where all choices agree.
--
-- Traps:
-- * Training sessions have no blocks: their rows say 50, whatever prior the debiasing chose.
-- * A block of 20 has its stimuli mostly on the right: P(right) is higher there than at 80.
-- * The pipeline divides by all trials and so counts a no-go as not right (p_right_dj). The paper
--   and the notebooks leave it out (p_right).
-- * Stored contrasts are fractions, these are percent: 0.0625 is 6.25. At 0 contrast both sides
--   are one row.
create or replace view psychometrics_by_block as

select
    point.subject_uuid,
    point.session_start_time,
    session.subject_nickname,
    session.lab_name,
    session.institution_short,
    point.session_date,
    session.training_day,
    coalesce(session.task, 'unknown') as task,
    point.prob_left_block,
    point.signed_contrast,
    point.n_trials,
    point.n_no_go,
    point.n_right,
    point.p_right,
    point.p_right_low68,
    point.p_right_high68,
    point.p_right_low95,
    point.p_right_high95,
    point.p_right_dj
from derived.psychometric_points as point
left join session_labels as session
    on session.subject_uuid = point.subject_uuid
    and session.session_start_time = point.session_start_time
where point.grain = 'session_block';

comment on view psychometrics_by_block is
'One row per session, block probability and signed contrast: choices and P(right).';

comment on column psychometrics_by_block.subject_uuid is
'The mouse. With session_start_time the key of the session.';
comment on column psychometrics_by_block.session_start_time is
'Start, wall clock of the rig. With subject_uuid the key of the session.';
comment on column psychometrics_by_block.session_date is
'Date of the start, wall clock of the rig. NULL if the session has no row of its own.';
comment on column psychometrics_by_block.task is
'habituation, training, biased, ephys, other, or unknown if there is no protocol. Never NULL.';
comment on column psychometrics_by_block.prob_left_block is
'Probability left of the blocks, percent: 20, 50, 80, or 50 without blocks. NULL if unrecorded.';
