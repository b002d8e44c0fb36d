-- Grain: one row per mouse, date and quantity whose stored value is not the one recomputed from
-- trials. Days that are stored only, or have trials only, do not appear, nor does what agrees.
--
-- Sources: behavior_analyses.behavioral_summary_by_date and its part reaction_time_by_date;
-- derived.daily_summaries; session_labels, behavior.trial_set; subjects.
--
-- Definition: BehavioralSummaryByDate of IBL-pipeline (analyses/behavior.py) beside
-- derived.daily_summaries. Shares and reaction times differ if by more than 0.0001, counts and
-- days if at all, and a value differs from NULL.
--
-- Traps:
-- * n_correct_trials on the server follows two rules: on nearly all days before mid October
--   2019 rewarded trials count, 0 contrast included; later, and on some earlier days, only
--   trials above 0 contrast, as recomputed. So performance differs on most early days, for a
--   known reason: leave them out with `where not is_explained`.
-- * The server stored NULL where performance_easy was exactly 0.
-- * training_day counts dates of session rows. Where the server held sessions that it no longer
--   publishes, or a sync with --since left them out, its count is ahead from there on, and
--   training_week with it. It can be behind too, as where sessions of an earlier date reach the
--   server after it counted; such a difference is not explained.
create or replace view day_disagreements as

with

session_day as (

    select
        session.subject_uuid,
        session.session_date,
        count(*) as n_sessions,
        sum(trial_set.n_trials)::double as n_trials,
        sum(trial_set.n_correct_trials)::double as n_correct_trials
    from session_labels as session
    left join behavior.trial_set as trial_set
        on trial_set.subject_uuid = session.subject_uuid
        and trial_set.session_start_time = session.session_start_time
    group by session.subject_uuid, session.session_date

),

-- days that the server counted and that have no session row here
lost_day as (

    select
        stored.subject_uuid,
        min(stored.session_date) as first_lost_date
    from behavior_analyses.behavioral_summary_by_date as stored
    left join session_day
        on session_day.subject_uuid = stored.subject_uuid
        and session_day.session_date = stored.session_date
    where stored.training_day is not null
        and session_day.subject_uuid is null
    group by stored.subject_uuid

),

compared_day as (

    select
        stored.subject_uuid,
        stored.session_date,
        stored.n_trials_date::double as stored_n_trials_date,
        stored.performance::double as stored_performance,
        stored.performance_easy::double as stored_performance_easy,
        stored.training_day::double as stored_training_day,
        stored.training_week::double as stored_training_week,
        stored_time.median_reaction_time::double as stored_median_reaction_time,
        here.n_trials_date::double as n_trials_date,
        here.performance,
        here.performance_rewarded,
        here.performance_easy,
        here.training_day::double as training_day,
        here.training_week::double as training_week,
        here.median_reaction_time,
        session_day.n_trials as n_trials_in_files,
        session_day.n_correct_trials / nullif(session_day.n_trials, 0) as performance_in_sessions,
        coalesce(lost_day.first_lost_date < stored.session_date, false) as has_lost_day
    from behavior_analyses.behavioral_summary_by_date as stored
    join derived.daily_summaries as here
        on here.subject_uuid = stored.subject_uuid
        and here.session_date = stored.session_date
    left join behavior_analyses.behavioral_summary_by_date__reaction_time_by_date as stored_time
        on stored_time.subject_uuid = stored.subject_uuid
        and stored_time.session_date = stored.session_date
    left join session_day
        on session_day.subject_uuid = stored.subject_uuid
        and session_day.session_date = stored.session_date
    left join lost_day
        on lost_day.subject_uuid = stored.subject_uuid

),

compared_quantity as (

    select
        subject_uuid,
        session_date,
        'n_trials_date' as quantity,
        stored_n_trials_date as stored_value,
        n_trials_date as recomputed_value,
        0e0 as tolerance,
        case
            when stored_n_trials_date = n_trials_in_files
                then 'stored: trials in the raw files, not all of which are here'
        end as explanation
    from compared_day

    union all

    select
        subject_uuid,
        session_date,
        'performance' as quantity,
        stored_performance as stored_value,
        performance as recomputed_value,
        1e-4 as tolerance,
        case
            when abs(stored_performance - performance_rewarded) <= 1e-4
                then 'stored: rewarded trials, 0 contrast included'
            when abs(stored_performance - performance_in_sessions) <= 1e-4
                and n_trials_in_files > n_trials_date
                then 'stored: over the trials in the raw files, not all of which are here'
        end as explanation
    from compared_day

    union all

    select
        subject_uuid,
        session_date,
        'performance_easy' as quantity,
        stored_performance_easy as stored_value,
        performance_easy as recomputed_value,
        1e-4 as tolerance,
        case
            when stored_performance_easy is null and performance_easy = 0
                then 'stored: NULL where it is exactly 0'
        end as explanation
    from compared_day

    union all

    select
        subject_uuid,
        session_date,
        'training_day' as quantity,
        stored_training_day as stored_value,
        training_day as recomputed_value,
        0e0 as tolerance,
        case
            when stored_training_day > training_day and has_lost_day
                then 'stored: counts earlier days whose sessions are not here'
            when stored_training_day is null
                then 'stored: no day was counted'
        end as explanation
    from compared_day

    union all

    select
        subject_uuid,
        session_date,
        'training_week' as quantity,
        stored_training_week as stored_value,
        training_week as recomputed_value,
        0e0 as tolerance,
        case
            when stored_training_week > training_week and has_lost_day
                then 'stored: counts earlier days whose sessions are not here'
            when stored_training_week is null
                then 'stored: no day was counted'
        end as explanation
    from compared_day

    union all

    select
        subject_uuid,
        session_date,
        'median_reaction_time' as quantity,
        stored_median_reaction_time as stored_value,
        median_reaction_time as recomputed_value,
        1e-4 as tolerance,
        case
            when stored_median_reaction_time is null
                then 'stored: none, as the times of the day were not complete'
        end as explanation
    from compared_day

)

select
    compared.subject_uuid,
    mouse.subject_nickname,
    mouse.lab_name,
    compared.session_date,
    compared.quantity,
    compared.stored_value,
    compared.recomputed_value,
    compared.stored_value - compared.recomputed_value as difference,
    compared.explanation is not null as is_explained,
    compared.explanation
from compared_quantity as compared
left join subjects as mouse
    on mouse.subject_uuid = compared.subject_uuid
where abs(compared.stored_value - compared.recomputed_value) > compared.tolerance
    or (compared.stored_value is null and compared.recomputed_value is not null)
    or (compared.stored_value is not null and compared.recomputed_value is null);

comment on view day_disagreements is
'One row per mouse, date and quantity that the server stored otherwise than its trials give.';

comment on column day_disagreements.subject_uuid is
'The mouse. With session_date and quantity the key.';
comment on column day_disagreements.session_date is
'Date on the wall clock of the rig.';
comment on column day_disagreements.quantity is
'n_trials_date, performance, performance_easy, training_day, training_week, median_reaction_time.';
comment on column day_disagreements.stored_value is
'What the server stored, in the unit of the quantity. NULL if it stored none.';
comment on column day_disagreements.recomputed_value is
'What the trials and sessions here give, in the same unit. NULL if they give none.';
comment on column day_disagreements.difference is
'stored_value minus recomputed_value. NULL if either is.';
comment on column day_disagreements.is_explained is
'True if there is an explanation. Never NULL.';
comment on column day_disagreements.explanation is
'The rule that the stored value follows instead. NULL if it follows none that is known.';
