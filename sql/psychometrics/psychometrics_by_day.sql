-- Grain: one row per mouse, date, probability left of the block, and signed contrast shown there.
-- All sessions of the date go together. Dates without trials have no row; trials whose session
-- has no row of its own belong to no date.
--
-- Sources: derived.psychometric_points, derived.daily_summaries, subjects.
--
-- Definitions: p_right is the share of right among the choices, as in the figures of
-- paper-behavior (eLife 2021;10:e63711, figures 1 to 4); p_right_dj is prob_choose_right of
-- BehavioralSummaryByDate.PsychResults (IBL-pipeline, analyses/behavior.py). The intervals are
-- Wilson's, for the choices counted as independent: unlike p plus or minus its standard error
-- they stay within 0 and 1, and do not vanish where all choices agree.
--
-- Traps:
-- * A date with a training and a biased session pools the trials of the first with the
--   50 blocks of the second, as the server does.
-- * The server calls the blocks of a day 0, 1, 2, for 50, 20, 80.
-- * For the whole date sum n_right, n_no_go and n_trials over blocks; do not average p_right.
-- * The pipeline divides by all trials and so counts a no-go as not right (p_right_dj). The paper
--   and the notebooks leave it out (p_right).
-- * Stored contrasts are fractions, these are percent: 0.0625 is 6.25. At 0 contrast both sides
--   are one row.
create or replace view psychometrics_by_day as

select
    point.subject_uuid,
    point.session_date,
    mouse.subject_nickname,
    mouse.lab_name,
    mouse.institution_short,
    day.training_day,
    point.prob_left_block,
    point.signed_contrast,
    point.n_sessions,
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
left join subjects as mouse
    on mouse.subject_uuid = point.subject_uuid
left join derived.daily_summaries as day
    on day.subject_uuid = point.subject_uuid
    and day.session_date = point.session_date
where point.grain = 'day_block';

comment on view psychometrics_by_day is
'One row per mouse, date, block probability and signed contrast: choices and P(right).';

comment on column psychometrics_by_day.session_date is
'Date on the wall clock of the rig.';
comment on column psychometrics_by_day.institution_short is
'Short name of the institution of the lab. NULL without a lab or a short name.';
comment on column psychometrics_by_day.training_day is
'Count of dates so far with a session other than habituation, from 1. NULL if none yet.';
comment on column psychometrics_by_day.prob_left_block is
'Probability left of the blocks, percent: 20, 50, 80, or 50 without blocks. NULL if unrecorded.';
comment on column psychometrics_by_day.n_sessions is
'Sessions of the date with such trials.';
