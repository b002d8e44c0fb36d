-- Grain: one row per session, the latest first.
select
    sessions.subject_uuid::varchar as subject_uuid,
    sessions.session_start_time::varchar as session_start_time,
    sessions.session_uuid::varchar as session_uuid,
    sessions.subject_nickname,
    sessions.lab_name,
    sessions.session_date::varchar as session_date,
    sessions.training_day,
    sessions.task,
    sessions.task_protocol,
    sessions.users,
    sessions.session_project,
    sessions.n_trials,
    100 * coalesce(recomputed.performance_easy, sessions.performance_easy) as performance_easy,
    recomputed.median_reaction_time,
    sessions.session_duration_min,
    sessions.session_delay_min,
    sessions.on_ephys_rig,
    coalesce(status.status, sessions.training_status) as status,
    status.derived_status,
    status.rule as derived_status_rule,
    coalesce(quality.n_trial_rows, 0) as n_trial_rows,
    case
        when quality.n_trial_rows > 0 then 'up to date'
        when sessions.has_trials then 'trials are not here'
        else 'no trials on the server'
    end as data,
    quality.n_no_go,
    quality.flags,
    quality.why_no_status,
    quality.why_no_reaction_time,
    ended.end_status,
    ended.n_trials_over
from sessions
join session_quality as quality
    on quality.subject_uuid = sessions.subject_uuid
    and quality.session_start_time = sessions.session_start_time
left join derived.session_performance as recomputed
    on recomputed.subject_uuid = sessions.subject_uuid
    and recomputed.session_start_time = sessions.session_start_time
left join session_status as status
    on status.subject_uuid = sessions.subject_uuid
    and status.session_start_time = sessions.session_start_time
left join session_end_criteria as ended
    on ended.subject_uuid = sessions.subject_uuid
    and ended.session_start_time = sessions.session_start_time
order by sessions.session_start_time desc, sessions.subject_uuid
