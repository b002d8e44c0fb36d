-- Grain: one row per session with trials.
--
-- Definitions: performance as the published PsychResults, correct trials with contrast above 0
-- over all trials, so it is low by the share of 0 contrast. performance_rewarded counts every
-- rewarded trial, as the values stored before mid October 2019 do. performance_easy over
-- contrasts of 50 % and above. A no-go counts as an error in all three.
--
-- Traps: the server stored NULL where performance_easy was exactly 0; here it is 0.
create table if not exists derived.session_performance (
    subject_uuid uuid,
    session_start_time timestamp,
    session_date date,
    n_trials bigint,
    n_no_go bigint,
    n_rewarded bigint,
    n_correct bigint,
    n_easy bigint,
    n_contrasts bigint,
    performance double,
    performance_rewarded double,
    performance_easy double,
    n_reaction_times bigint,
    median_reaction_time double,
    median_reaction_time_paper double
);

comment on table derived.session_performance is
'One row per session with trials: performance by each rule, from trials.';
comment on column derived.session_performance.subject_uuid is
'The mouse.';
comment on column derived.session_performance.session_start_time is
'Start of the session, wall clock of the rig.';
comment on column derived.session_performance.session_date is
'Date of the start of the session. NULL if the session has no row of its own.';
comment on column derived.session_performance.n_trials is
'Trials in the mirror; sessions.stored_n_trials, from the server, can be larger.';
comment on column derived.session_performance.n_no_go is
'Trials without a choice within 60 s.';
comment on column derived.session_performance.n_rewarded is
'Trials with positive feedback, 0 contrast included.';
comment on column derived.session_performance.n_correct is
'Trials above 0 contrast with the choice on the side of the stimulus.';
comment on column derived.session_performance.n_easy is
'Trials at contrasts of 50 % and above.';
comment on column derived.session_performance.n_contrasts is
'Distinct signed contrasts shown.';
comment on column derived.session_performance.performance is
'n_correct over n_trials, 0 to 1: low by the share of 0 contrast trials.';
comment on column derived.session_performance.performance_rewarded is
'n_rewarded over n_trials, 0 to 1.';
comment on column derived.session_performance.performance_easy is
'Share correct at contrasts of 50 % and above, 0 to 1. NULL without such trials.';
comment on column derived.session_performance.n_reaction_times is
'Trials with a reaction time, no-go included.';
comment on column derived.session_performance.median_reaction_time is
'Median, seconds, go cue as fallback, no-go included. NULL without reaction times.';
comment on column derived.session_performance.median_reaction_time_paper is
'Median, seconds, from the stimulus onset only and without no-go. NULL without such trials.';

insert into derived.session_performance

select
    subject_uuid,
    session_start_time,
    session_date,
    count(*) as n_trials,
    count(*) filter (where choice = 0) as n_no_go,
    count(*) filter (where rewarded = 1) as n_rewarded,
    count(*) filter (where correct = 1) as n_correct,
    count(correct_easy) as n_easy,
    count(distinct signed_contrast) as n_contrasts,
    count(*) filter (where correct = 1) / count(*) as performance,
    count(*) filter (where rewarded = 1) / count(*) as performance_rewarded,
    avg(correct_easy) as performance_easy,
    count(reaction_time) as n_reaction_times,
    median(reaction_time) as median_reaction_time,
    median(reaction_time_stim_on) filter (where choice <> 0) as median_reaction_time_paper
from _trials
group by all
order by subject_uuid, session_start_time;
