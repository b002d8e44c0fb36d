-- Grain: one row per session with trials here, also where no criterion was met. Sessions
-- without trials do not appear.
--
-- Sources: behavior.trial_set__trial, session_labels.
--
-- Definition: session_end_indices in IBL-pipeline (analyses/end_session_criteria.py), whose
-- tables group_shared_end_criteria.SessionEndCriteria (each criterion) and
-- SessionEndCriteriaImplemented (those the rigs use) are in none of the mirrored schemas. Rows
-- of a session in the order of trial_id, i from 0; reaction time from the stimulus onset, no
-- fallback, no-go included:
-- * long_rt: i > 400, and the median of the last 20 is over 5 times the median of all so far
-- * <400_trials: i < 400, and the trial starts after 45 minutes
-- * >90_min: the trial starts after 90 minutes
-- * >45_min_&_stopped: it starts after 45 minutes, and fewer than 45 started in the 5 minutes
--   before it
-- * perf_ez<40: i > 400, and the share rewarded of the last 50 easy trials (contrast from 50 %)
--   is more than 40 percent below that of all easy trials so far
--
-- Traps, all of the original and kept unless said otherwise:
-- * perf_ez<40 is a relative drop by 40 percent and not a performance below 40 percent.
-- * perf<40 tests the drop of easy trials too, by a slip, so it always equals perf_ez<40 and
--   never comes first. It has no column here.
-- * One missing onset in the last 20 trials blinds long_rt for these 20.
-- * The index is that of the row, from 0, but the paper's figure 1 compares it with trial_id,
--   from 1 and with gaps: off by one or more. Both are given.
-- * What is first met in the very first row (index 0) counts as never met.
-- * The original looks at sessions of CompleteTrialSession, here all with trials.
--
-- Cost: the dearest of the views, one to three seconds per million trials on two cores. A filter
-- on subject_nickname spares nothing: filter by subject_uuid.
create or replace view session_end_criteria as

with

numbered_trial as (

    select
        subject_uuid,
        session_start_time,
        trial_id,
        trial_start_time,
        trial_response_time - trial_stim_on_time as reaction_time_stim_on,
        case
            when abs(
                abs(trial_stim_contrast_right::double) - abs(trial_stim_contrast_left::double)
            ) < 0.5e0 then null
            when trial_feedback_type = 1 then 1
            when trial_feedback_type = -1 then 0
        end as rewarded_easy,
        row_number() over (
            partition by subject_uuid, session_start_time
            order by trial_id
        ) - 1 as trial_index
    from behavior.trial_set__trial

),

ranked_trial as (

    select
        subject_uuid,
        session_start_time,
        trial_id,
        trial_index,
        reaction_time_stim_on,
        row_number() over (
            partition by subject_uuid, session_start_time
            order by reaction_time_stim_on nulls last
        ) as reaction_time_rank,
        sum(
            case when trial_index <= 401 and reaction_time_stim_on is not null then 1 else 0 end
        ) over (
            partition by subject_uuid, session_start_time
        ) as n_first_reaction_times
    from numbered_trial

),

-- the median of so far is at least the value in the middle of the first 402, taken from the low
-- end of the whole session: below five times that no trial needs the median itself
session_times as (

    select
        subject_uuid,
        session_start_time,
        count(*) as n_trials,
        min(trial_id) filter (where trial_index = 401) as trial_id_401,
        min(reaction_time_stim_on) filter (
            where reaction_time_rank = (n_first_reaction_times + 1) // 2
        ) as lowest_median
    from ranked_trial
    group by subject_uuid, session_start_time

),

late_trial as (

    select
        subject_uuid,
        session_start_time,
        trial_id,
        trial_index,
        count(reaction_time_stim_on) over last_20 as n_local,
        median(reaction_time_stim_on) over last_20 as local_median
    from numbered_trial
    where trial_index > 381
    window last_20 as (
        partition by subject_uuid, session_start_time
        order by trial_id
        rows between 19 preceding and current row
    )

),

slow_trial as (

    select
        late_trial.subject_uuid,
        late_trial.session_start_time,
        late_trial.trial_id,
        late_trial.trial_index,
        late_trial.local_median
    from late_trial
    join session_times
        on session_times.subject_uuid = late_trial.subject_uuid
        and session_times.session_start_time = late_trial.session_start_time
    where late_trial.trial_index > 400
        and late_trial.n_local = 20
        and late_trial.local_median > 5 * session_times.lowest_median

),

long_rt_trial as (

    select
        slow_trial.subject_uuid,
        slow_trial.session_start_time,
        slow_trial.trial_id,
        slow_trial.trial_index
    from slow_trial
    join numbered_trial as so_far
        on so_far.subject_uuid = slow_trial.subject_uuid
        and so_far.session_start_time = slow_trial.session_start_time
        and so_far.trial_index <= slow_trial.trial_index
    group by
        slow_trial.subject_uuid,
        slow_trial.session_start_time,
        slow_trial.trial_id,
        slow_trial.trial_index,
        slow_trial.local_median
    having slow_trial.local_median > 5 * median(so_far.reaction_time_stim_on)

),

session_long_rt as (

    select
        subject_uuid,
        session_start_time,
        min(trial_index) as long_rt_index,
        min(trial_id) as long_rt_trial_id
    from long_rt_trial
    group by subject_uuid, session_start_time

),

-- trials that count for one after 45 minutes are among these
timed_trial as (

    select
        subject_uuid,
        session_start_time,
        trial_id,
        trial_index,
        trial_start_time,
        -- less than 300 s before: a trial exactly 300 s before does not count
        count(*) over (
            partition by subject_uuid, session_start_time
            order by trial_start_time
            range between 299.9999 preceding and current row
        ) - 1 as n_in_5_min
    from numbered_trial
    where trial_start_time > 2400

),

session_late as (

    select
        subject_uuid,
        session_start_time,
        min(trial_index) filter (where trial_index < 400) as few_trials_index,
        min(trial_id) filter (where trial_index < 400) as few_trials_trial_id,
        min(trial_index) filter (where trial_start_time > 5400) as over_90_min_index,
        min(trial_id) filter (where trial_start_time > 5400) as over_90_min_trial_id,
        min(trial_index) filter (where n_in_5_min < 45) as stopped_index,
        min(trial_id) filter (where n_in_5_min < 45) as stopped_trial_id
    from timed_trial
    where trial_start_time > 2700
    group by subject_uuid, session_start_time

),

easy_trial as (

    select
        subject_uuid,
        session_start_time,
        trial_id,
        trial_index,
        -- both shares stand until the next easy trial
        lead(trial_index) over session_order as next_easy_index,
        avg(rewarded_easy) over so_far as global_share,
        avg(rewarded_easy) over last_50 as local_share
    from numbered_trial
    where rewarded_easy is not null
    window
        session_order as (
            partition by subject_uuid, session_start_time
            order by trial_id
        ),
        so_far as (
            partition by subject_uuid, session_start_time
            order by trial_id
            rows between unbounded preceding and current row
        ),
        last_50 as (
            partition by subject_uuid, session_start_time
            order by trial_id
            rows between 49 preceding and current row
        )

),

session_easy_drop as (

    select
        subject_uuid,
        session_start_time,
        min(trial_index) as easy_index,
        min(trial_id) as easy_trial_id
    from easy_trial
    where (global_share - local_share) / nullif(global_share, 0) > 0.4e0
        and (trial_index > 400 or coalesce(next_easy_index, 402) > 401)
    group by subject_uuid, session_start_time

),

session_first as (

    select
        session_times.subject_uuid,
        session_times.session_start_time,
        session_times.n_trials,
        session_long_rt.long_rt_index,
        session_long_rt.long_rt_trial_id,
        session_late.few_trials_index,
        session_late.few_trials_trial_id,
        session_late.over_90_min_index,
        session_late.over_90_min_trial_id,
        session_late.stopped_index,
        session_late.stopped_trial_id,
        case
            when session_easy_drop.easy_index > 400 then session_easy_drop.easy_index
            when session_easy_drop.easy_index <= 400 and session_times.n_trials > 401 then 401
        end as easy_drop_index,
        case
            when session_easy_drop.easy_index > 400 then session_easy_drop.easy_trial_id
            when session_easy_drop.easy_index <= 400 then session_times.trial_id_401
        end as easy_drop_trial_id
    from session_times
    left join session_long_rt
        on session_long_rt.subject_uuid = session_times.subject_uuid
        and session_long_rt.session_start_time = session_times.session_start_time
    left join session_late
        on session_late.subject_uuid = session_times.subject_uuid
        and session_late.session_start_time = session_times.session_start_time
    left join session_easy_drop
        on session_easy_drop.subject_uuid = session_times.subject_uuid
        and session_easy_drop.session_start_time = session_times.session_start_time

),

-- what is met in row 0 counts as never met
session_index as (

    select
        subject_uuid,
        session_start_time,
        n_trials,
        long_rt_index,
        long_rt_trial_id,
        nullif(few_trials_index, 0) as few_trials_index,
        case when few_trials_index > 0 then few_trials_trial_id end as few_trials_trial_id,
        nullif(over_90_min_index, 0) as over_90_min_index,
        case when over_90_min_index > 0 then over_90_min_trial_id end as over_90_min_trial_id,
        nullif(stopped_index, 0) as stopped_index,
        case when stopped_index > 0 then stopped_trial_id end as stopped_trial_id,
        easy_drop_index,
        easy_drop_trial_id
    from session_first

),

session_end as (

    select
        *,
        least(long_rt_index, few_trials_index, over_90_min_index) as end_status_index,
        least(long_rt_trial_id, few_trials_trial_id, over_90_min_trial_id)
            as end_status_trial_id,
        least(
            long_rt_index, easy_drop_index, few_trials_index, stopped_index, over_90_min_index
        ) as any_end_status_index,
        least(
            long_rt_trial_id,
            easy_drop_trial_id,
            few_trials_trial_id,
            stopped_trial_id,
            over_90_min_trial_id
        ) as any_end_status_trial_id
    from session_index

)

select
    session_end.subject_uuid,
    session.subject_nickname,
    session.lab_name,
    session_end.session_start_time,
    session.session_date,
    session.training_day,
    coalesce(session.task, 'unknown') as task,
    session_end.n_trials,
    case session_end.end_status_index
        when session_end.long_rt_index then 'long_rt'
        when session_end.few_trials_index then '<400_trials'
        when session_end.over_90_min_index then '>90_min'
    end as end_status,
    session_end.end_status_index,
    session_end.end_status_trial_id,
    session_end.n_trials - session_end.end_status_index as n_trials_over,
    case session_end.any_end_status_index
        when session_end.long_rt_index then 'long_rt'
        when session_end.easy_drop_index then 'perf_ez<40'
        when session_end.few_trials_index then '<400_trials'
        when session_end.stopped_index then '>45_min_&_stopped'
        when session_end.over_90_min_index then '>90_min'
    end as any_end_status,
    session_end.any_end_status_index,
    session_end.any_end_status_trial_id,
    session_end.long_rt_index,
    session_end.long_rt_trial_id,
    session_end.few_trials_index,
    session_end.few_trials_trial_id,
    session_end.over_90_min_index,
    session_end.over_90_min_trial_id,
    session_end.stopped_index,
    session_end.stopped_trial_id,
    session_end.easy_drop_index,
    session_end.easy_drop_trial_id
from session_end
left join session_labels as session
    on session.subject_uuid = session_end.subject_uuid
    and session.session_start_time = session_end.session_start_time;

comment on view session_end_criteria is
'One row per session with trials: which of IBL''s criteria to end it was met, and where.';

comment on column session_end_criteria.subject_uuid is
'The mouse. With session_start_time the key of a session.';
comment on column session_end_criteria.session_start_time is
'Start, wall clock of the rig. With subject_uuid the key of a session.';
comment on column session_end_criteria.session_date is
'Date of the start, on the wall clock of the rig. NULL if the session has no row of its own.';
comment on column session_end_criteria.task is
'habituation, training, biased, ephys, other, or unknown. Never NULL.';
comment on column session_end_criteria.n_trials is
'Trials of the session here.';
comment on column session_end_criteria.end_status is
'First met of long_rt, <400_trials and >90_min, those the rigs use. NULL if none.';
comment on column session_end_criteria.end_status_index is
'Row of the trial that met end_status, from 0, as IBL stores it. NULL if none.';
comment on column session_end_criteria.end_status_trial_id is
'trial_id of that trial, from 1: larger than the index by one and by the trials missing before.';
comment on column session_end_criteria.n_trials_over is
'Trials from that one on: those done although the session should have ended. NULL if none met.';
comment on column session_end_criteria.any_end_status is
'First met of all criteria, those not in use included. NULL if none.';
comment on column session_end_criteria.any_end_status_index is
'Row of the trial that met any_end_status, from 0. NULL if none.';
comment on column session_end_criteria.any_end_status_trial_id is
'trial_id of that trial, from 1. NULL if none.';
comment on column session_end_criteria.long_rt_index is
'long_rt: first row whose last 20 reaction times are 5 times as long, from 0. NULL if never.';
comment on column session_end_criteria.long_rt_trial_id is
'trial_id of long_rt_index. NULL if never.';
comment on column session_end_criteria.few_trials_index is
'<400_trials: first row after 45 minutes, if among the first 400, from 0. NULL if never.';
comment on column session_end_criteria.few_trials_trial_id is
'trial_id of few_trials_index. NULL if never.';
comment on column session_end_criteria.over_90_min_index is
'>90_min: first row after 90 minutes, from 0. NULL if never.';
comment on column session_end_criteria.over_90_min_trial_id is
'trial_id of over_90_min_index. NULL if never.';
comment on column session_end_criteria.stopped_index is
'>45_min_&_stopped: first row after 45 minutes with under 45 in 5 minutes. NULL if never.';
comment on column session_end_criteria.stopped_trial_id is
'trial_id of stopped_index. NULL if never.';
comment on column session_end_criteria.easy_drop_index is
'perf_ez<40: first row with easy performance down by 40 percent, from 0. NULL if never.';
comment on column session_end_criteria.easy_drop_trial_id is
'trial_id of easy_drop_index. NULL if never.';
