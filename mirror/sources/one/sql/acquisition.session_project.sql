-- The table has room for one project of a session: the first.
select
    subject_uuid,
    session_start_time,
    projects[1] as session_project
from session
where projects[1] is not null
