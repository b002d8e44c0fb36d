-- Grain: one row per session of a mouse's table of sessions, with its projects as a list.
create or replace temp view listed as

select
    id,
    number,
    nullif(lab, '') as lab,
    nullif(task_protocol, '') as task_protocol,
    list_filter(
        list_transform(string_split(projects, ','), project -> trim(project)),
        project -> project <> ''
    ) as projects
from session_row
