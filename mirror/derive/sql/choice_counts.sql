-- Grain: one row per session, prior as the task set it, and signed contrast.
--
-- What a psychometric curve is made of. Counts add up: those of a day, of a block, or of a
-- window of three sessions are sums of these rows, so nothing else has to read the trials.
--
-- Traps: the pipeline divides by all trials and thereby counts a no-go as "not right"; the
-- paper leaves no-go trials out of the mean. Both can be had from these columns.
create table if not exists derived.choice_counts (
    subject_uuid uuid,
    session_start_time timestamp,
    session_date date,
    prob_left_pct integer,
    prob_left_block integer,
    signed_contrast double,
    n_trials bigint,
    n_no_go bigint,
    n_right bigint
);

comment on table derived.choice_counts is
'One row per session, prior and signed contrast: choices counted, to be summed as needed.';
comment on column derived.choice_counts.subject_uuid is
'The mouse.';
comment on column derived.choice_counts.session_start_time is
'Start of the session, wall clock of the rig.';
comment on column derived.choice_counts.session_date is
'Date of the start of the session. NULL if the session has no row of its own.';
comment on column derived.choice_counts.prob_left_pct is
'Probability of a stimulus on the left as the task set it, percent. NULL if not recorded.';
comment on column derived.choice_counts.prob_left_block is
'Probability left of the block, percent: prob_left_pct in biased and ephys tasks, else 50.';
comment on column derived.choice_counts.signed_contrast is
'Contrast, percent, right minus left: positive on the right. NULL if not recorded.';
comment on column derived.choice_counts.n_trials is
'Trials, no-go included.';
comment on column derived.choice_counts.n_no_go is
'Trials without a choice within 60 s.';
comment on column derived.choice_counts.n_right is
'Trials with the choice right.';

insert into derived.choice_counts

select
    subject_uuid,
    session_start_time,
    session_date,
    prob_left_pct,
    prob_left_block,
    signed_contrast,
    count(*) as n_trials,
    count(*) filter (where choice = 0) as n_no_go,
    count(*) filter (where choice = 1) as n_right
from _trials
group by all
order by subject_uuid, session_start_time, prob_left_pct, signed_contrast;
