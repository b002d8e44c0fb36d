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
    100 * sessions.performance_easy as performance_easy,
    sessions.median_reaction_time,
    sessions.session_duration_min,
    sessions.session_delay_min,
    sessions.on_ephys_rig,
    status.status,
    sessions.training_status,
    status.rule as training_status_rule,
    sessions.stored_n_trials,
    case
        when quality.has_trials then 'up to date'
        when sessions.has_stored_trials then 'trials are not here'
        else 'no trials on the server'
    end as data,
    quality.n_no_go,
    quality.flags,
    quality.why_no_stored_status,
    quality.why_no_stored_reaction_time,
    ended.end_status,
    ended.n_trials_over
from sessions
join session_quality as quality
    on quality.subject_uuid = sessions.subject_uuid
    and quality.session_start_time = sessions.session_start_time
left join session_status as status
    on status.subject_uuid = sessions.subject_uuid
    and status.session_start_time = sessions.session_start_time
left join session_end_criteria as ended
    on ended.subject_uuid = sessions.subject_uuid
    and ended.session_start_time = sessions.session_start_time
order by sessions.session_start_time desc, sessions.subject_uuid
