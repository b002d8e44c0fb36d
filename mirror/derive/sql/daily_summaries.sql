-- Grain: one row per mouse and date with trials, all sessions of the date together.
--
-- Definitions: as BehavioralSummaryByDate (IBL-pipeline, analyses/behavior.py), with
-- performance by the published rule; see derived.session_performance for the three kinds.
-- training_week is training_day divided by five, rounded down: not a calendar week, and day 5
-- is in week 1.
--
-- Traps: training_day counts the dates in the mirror, after a sync with --since from that date.
-- The server divided by TrialSet.n_trials, which can be more than the trials there are.
create table if not exists derived.daily_summaries (
    subject_uuid uuid,
    session_date date,
    training_day bigint,
    training_week bigint,
    n_sessions bigint,
    n_trials_date bigint,
    performance double,
    performance_rewarded double,
    performance_easy double,
    median_reaction_time double
);

comment on table derived.daily_summaries is
'One row per mouse and date with trials: the day''s performance and reaction time.';
comment on column derived.daily_summaries.subject_uuid is
'The mouse.';
comment on column derived.daily_summaries.session_date is
'Date on the wall clock of the rig.';
comment on column derived.daily_summaries.training_day is
'Count of dates so far with a session other than habituation, from 1. NULL if habituation only.';
comment on column derived.daily_summaries.training_week is
'training_day divided by five, rounded down. NULL as training_day.';
comment on column derived.daily_summaries.n_sessions is
'Sessions with trials on the date.';
comment on column derived.daily_summaries.n_trials_date is
'Trials on the date.';
comment on column derived.daily_summaries.performance is
'Correct trials above 0 contrast over all trials, 0 to 1.';
comment on column derived.daily_summaries.performance_rewarded is
'Rewarded trials over all trials, 0 to 1.';
comment on column derived.daily_summaries.performance_easy is
'Share correct at contrasts of 50 % and above, 0 to 1. NULL without such trials.';
comment on column derived.daily_summaries.median_reaction_time is
'Median of the date, seconds, go cue as fallback, no-go included. NULL without any.';

insert into derived.daily_summaries

with

trained_date as (

    select
        subject_uuid,
        session_date,
        max(training_day) as training_day
    from session_labels
    group by subject_uuid, session_date

)

select
    trial.subject_uuid,
    trial.session_date,
    any_value(trained_date.training_day) as training_day,
    any_value(trained_date.training_day // 5) as training_week,
    count(distinct trial.session_start_time) as n_sessions,
    count(*) as n_trials_date,
    count(*) filter (where trial.correct = 1) / count(*) as performance,
    count(*) filter (where trial.rewarded = 1) / count(*) as performance_rewarded,
    avg(trial.correct_easy) as performance_easy,
    median(trial.reaction_time) as median_reaction_time
from _trials as trial
left join trained_date
    on trained_date.subject_uuid = trial.subject_uuid
    and trained_date.session_date = trial.session_date
where trial.session_date is not null
group by trial.subject_uuid, trial.session_date
order by trial.subject_uuid, trial.session_date;
