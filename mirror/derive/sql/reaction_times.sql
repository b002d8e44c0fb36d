-- Grain: one row per signed contrast that was shown in a session, in the blocks of one probability
-- of a session, or in those of a day: the column grain says which.
--
-- Definition: response minus stimulus onset, that is the whole time until the wheel reaches
-- its threshold and not the onset of movement. median_reaction_time as IBL-pipeline takes it:
-- go cue trigger where the onset is missing, no-go trials (60 s) included.
-- median_reaction_time_paper as paper-behavior takes it: no fallback, no no-go.
--
-- Traps: the server's own blobs (behavior_analyses.reaction_time) are ordered by left minus
-- right contrast, opposite to psych_results.signed_contrasts, and leave out contrasts without
-- reaction times. These rows name their contrast. Trials whose session has no row of its own
-- belong to no day.
create table if not exists derived.reaction_times (
    grain varchar,
    subject_uuid uuid,
    session_start_time timestamp,
    session_date date,
    prob_left_block integer,
    signed_contrast double,
    n_trials bigint,
    n_reaction_times bigint,
    n_from_go_cue bigint,
    median_reaction_time double,
    q1_reaction_time double,
    q3_reaction_time double,
    n_reaction_times_paper bigint,
    median_reaction_time_paper double
);

comment on table derived.reaction_times is
'One row per session, session_block or day_block and signed contrast: medians from trials.';
comment on column derived.reaction_times.grain is
'What was summed up: session, session_block or day_block.';
comment on column derived.reaction_times.subject_uuid is
'The mouse.';
comment on column derived.reaction_times.session_start_time is
'Start of the session, wall clock of the rig. NULL for a day.';
comment on column derived.reaction_times.session_date is
'Date of the start of the session.';
comment on column derived.reaction_times.prob_left_block is
'Probability left of the block, percent: 20, 50, 80. NULL for a whole session, or unrecorded.';
comment on column derived.reaction_times.signed_contrast is
'Contrast, percent, right minus left: positive on the right. NULL if not recorded.';
comment on column derived.reaction_times.n_trials is
'Trials, with or without a reaction time.';
comment on column derived.reaction_times.n_reaction_times is
'Trials with a reaction time, no-go included.';
comment on column derived.reaction_times.n_from_go_cue is
'Trials whose reaction time counts from the go cue trigger, for want of a stimulus onset.';
comment on column derived.reaction_times.median_reaction_time is
'Median, seconds, with fallback and no-go as the pipeline. NULL without reaction times.';
comment on column derived.reaction_times.q1_reaction_time is
'Lower quartile of the same, seconds. NULL without reaction times.';
comment on column derived.reaction_times.q3_reaction_time is
'Upper quartile of the same, seconds. NULL without reaction times.';
comment on column derived.reaction_times.n_reaction_times_paper is
'Trials with a stimulus onset and a choice.';
comment on column derived.reaction_times.median_reaction_time_paper is
'Median, seconds, from the stimulus onset only and without no-go. NULL without such trials.';

insert into derived.reaction_times

with

summary as (

    select
        case
            when grouping(session_start_time) = 1 then 'day_block'
            when grouping(prob_left_block) = 1 then 'session'
            else 'session_block'
        end as grain,
        subject_uuid,
        session_start_time,
        session_date,
        prob_left_block,
        signed_contrast,
        count(*) as n_trials,
        count(reaction_time) as n_reaction_times,
        count(*) filter (where reaction_time_source = 'go_cue') as n_from_go_cue,
        -- together, so that the values of a group are looked through once
        quantile_cont(reaction_time, [0.25, 0.5, 0.75]) as quartiles,
        count(reaction_time_stim_on) filter (where choice <> 0) as n_reaction_times_paper,
        median(reaction_time_stim_on) filter (where choice <> 0) as median_reaction_time_paper
    from _trials
    group by grouping sets (
        (subject_uuid, session_start_time, session_date, signed_contrast),
        (subject_uuid, session_start_time, session_date, prob_left_block, signed_contrast),
        (subject_uuid, session_date, prob_left_block, signed_contrast)
    )
    having grouping(session_start_time) = 0 or session_date is not null

)

select
    grain,
    subject_uuid,
    session_start_time,
    session_date,
    prob_left_block,
    signed_contrast,
    n_trials,
    n_reaction_times,
    n_from_go_cue,
    quartiles[2] as median_reaction_time,
    quartiles[1] as q1_reaction_time,
    quartiles[3] as q3_reaction_time,
    n_reaction_times_paper,
    median_reaction_time_paper
from summary
order by
    grain,
    subject_uuid,
    session_date,
    session_start_time,
    prob_left_block,
    signed_contrast;
