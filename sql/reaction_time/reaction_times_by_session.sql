-- Grain: one row per session and signed contrast that was shown in it. Sessions without trials
-- have no row.
--
-- Sources: derived.reaction_times, session_labels.
--
-- Definitions: response minus stimulus onset, until the wheel reaches its threshold; the paper
-- calls it trial duration. median_reaction_time as ReactionTime
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
create or replace view reaction_times_by_session as

select
    summary.subject_uuid,
    summary.session_start_time,
    session.subject_nickname,
    session.lab_name,
    session.institution_short,
    summary.session_date,
    session.training_day,
    coalesce(session.task, 'unknown') as task,
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
left join session_labels as session
    on session.subject_uuid = summary.subject_uuid
    and session.session_start_time = summary.session_start_time
where summary.grain = 'session';

comment on view reaction_times_by_session is
'One row per session and signed contrast: reaction times by both definitions.';

comment on column reaction_times_by_session.subject_uuid is
'The mouse. With session_start_time the key of the session.';
comment on column reaction_times_by_session.session_start_time is
'Start, wall clock of the rig. With subject_uuid the key of the session.';
comment on column reaction_times_by_session.session_date is
'Date of the start, wall clock of the rig. NULL if the session has no row of its own.';
comment on column reaction_times_by_session.task is
'habituation, training, biased, ephys, other, or unknown if there is no protocol. Never NULL.';
comment on column reaction_times_by_session.n_reaction_times is
'Trials with a reaction time by the pipeline''s definition, no-go included.';
comment on column reaction_times_by_session.n_from_go_cue is
'Those of n_reaction_times that count from the go cue trigger, for want of an onset.';
comment on column reaction_times_by_session.reaction_time_source is
'What median_reaction_time counts from: stim_on, go_cue or mixed. NULL without any.';
comment on column reaction_times_by_session.median_reaction_time is
'Median by the pipeline, seconds: go cue as fallback, no-go included. NULL without any.';
comment on column reaction_times_by_session.q1_reaction_time is
'Lower quartile of the same, seconds. NULL without any.';
comment on column reaction_times_by_session.q3_reaction_time is
'Upper quartile of the same, seconds. NULL without any.';
comment on column reaction_times_by_session.n_reaction_times_paper is
'Trials with a stimulus onset, a response time and a choice.';
comment on column reaction_times_by_session.median_reaction_time_paper is
'Median by the paper, seconds: from the onset only, choices only. NULL without such trials.';
