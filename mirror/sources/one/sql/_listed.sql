-- Grain: one row per session of the table of sessions of the mouse at hand.
select
    own.subject_uuid,
    session_row.id as session_uuid,
    session_row.number,
    session_row.date,
    nullif(session_row.lab, '') as lab_name,
    nullif(session_row.task_protocol, '') as task_protocol,
    list_filter(
        list_transform(string_split(session_row.projects, ','), lambda project: trim(project)),
        lambda project: project <> ''
    ) as projects
from session_row
cross join own
