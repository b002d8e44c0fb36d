-- Grain: one row per mouse, date, probability left of the block, and signed contrast shown there.
-- All sessions of the date go together. Dates without trials have no row; trials whose session
-- has no row of its own belong to no date.
--
-- Sources: derived.reaction_times, derived.daily_summaries, subjects.
--
-- Definitions: response minus stimulus onset, until the wheel reaches its threshold; the paper
-- calls it trial duration. median_reaction_time as BehavioralSummaryByDate.ReactionTimeContrast
-- (IBL-pipeline, analyses/behavior.py): from the go cue trigger where the onset is missing,
-- no-go trials included. median_reaction_time_paper as paper-behavior (dj2pandas; eLife
-- 2021;10:e63711, figure 3): from the onset only, choices only.
--
-- Traps:
-- * It is not the onset of movement, and no outlier rule applies: a no-go lasts 60 s, and some
--   reaction times are 0 or negative. For other rules take trials, `where is_valid`.
-- * The pipeline's reaction times go by left minus right contrast, these by right minus left.
--   stored_reaction_times has the server's own values in this order.
-- * The training status uses neither: onset only as the paper, but with no-go.
-- * A date with a training and a biased session pools the trials of the first with the
--   50 blocks of the second, as the server does. Medians do not add up: for other pools, take
--   them from trials.
create or replace view reaction_times_by_day as

select
    summary.subject_uuid,
    summary.session_date,
    mouse.subject_nickname,
    mouse.lab_name,
    mouse.institution_short,
    day.training_day,
    summary.prob_left_block,
    summary.signed_contrast,
    summary.n_trials,
    summary.n_reaction_times,
    summary.n_from_go_cue,
    case
        when summary.n_reaction_times = 0 then null
        when summary.n_from_go_cue = 0 then 'stim_on'
        when summary.n_from_go_cue = summary.n_reaction_times then 'go_cue'
        else 'mixed'
    end as reaction_time_source,
    summary.median_reaction_time,
    summary.q1_reaction_time,
    summary.q3_reaction_time,
    summary.n_reaction_times_paper,
    summary.median_reaction_time_paper
from derived.reaction_times as summary
left join subjects as mouse
    on mouse.subject_uuid = summary.subject_uuid
left join derived.daily_summaries as day
    on day.subject_uuid = summary.subject_uuid
    and day.session_date = summary.session_date
where summary.grain = 'day_block';

comment on view reaction_times_by_day is
'One row per mouse, date, block probability and signed contrast: reaction times.';

comment on column reaction_times_by_day.session_date is
'Date on the wall clock of the rig.';
comment on column reaction_times_by_day.institution_short is
'Short name of the institution of the lab. NULL without a lab or a short name.';
comment on column reaction_times_by_day.training_day is
'Count of dates so far with a session other than habituation, from 1. NULL if none yet.';
comment on column reaction_times_by_day.prob_left_block is
'Probability left of the blocks, percent: 20, 50, 80, or 50 without blocks. NULL if unrecorded.';
comment on column reaction_times_by_day.n_reaction_times is
'Trials with a reaction time by the pipeline''s definition, no-go included.';
comment on column reaction_times_by_day.n_from_go_cue is
'Those of n_reaction_times that count from the go cue trigger, for want of an onset.';
comment on column reaction_times_by_day.reaction_time_source is
'What median_reaction_time counts from: stim_on, go_cue or mixed. NULL without any.';
comment on column reaction_times_by_day.median_reaction_time is
'Median by the pipeline, seconds: go cue as fallback, no-go included. NULL without any.';
comment on column reaction_times_by_day.q1_reaction_time is
'Lower quartile of the same, seconds. NULL without any.';
comment on column reaction_times_by_day.q3_reaction_time is
'Upper quartile of the same, seconds. NULL without any.';
comment on column reaction_times_by_day.n_reaction_times_paper is
'Trials with a stimulus onset, a response time and a choice.';
comment on column reaction_times_by_day.median_reaction_time_paper is
'Median by the paper, seconds: from the onset only, choices only. NULL without such trials.';
