-- Grain: one row per mouse, in the order of the pages: by lab, then name.
select
    subjects.subject_uuid::varchar as subject_uuid,
    subjects.subject_nickname,
    subjects.lab_name,
    subjects.institution_short,
    subjects.sex,
    subjects.subject_birth_date::varchar as subject_birth_date,
    subjects.subject_line,
    subjects.projects,
    subjects.responsible_user,
    subjects.death_date::varchar as death_date,
    case when subjects.is_alive then 'yes' when not subjects.is_alive then 'no' end as alive,
    milestones.latest_status,
    milestones.latest_status_date::varchar as latest_status_date,
    milestones.status_source,
    milestones.first_session_date::varchar as first_session_date,
    milestones.last_session_date::varchar as last_session_date,
    milestones.date_reached_trained_1a::varchar as date_reached_trained_1a,
    milestones.date_reached_trained_1b::varchar as date_reached_trained_1b,
    milestones.date_reached_ready4ephysrig::varchar as date_reached_ready4ephysrig,
    milestones.date_reached_ready4delay::varchar as date_reached_ready4delay,
    milestones.date_reached_ready4recording::varchar as date_reached_ready4recording,
    counts.n_sessions,
    counts.n_sessions_with_trials,
    counts.n_training_days,
    counts.n_trials
from subjects
join training_milestones as milestones
    on milestones.subject_uuid = subjects.subject_uuid
join sessions_by_subject as counts
    on counts.subject_uuid = subjects.subject_uuid
order by
    subjects.lab_name nulls last,
    lower(subjects.subject_nickname),
    subjects.subject_uuid
