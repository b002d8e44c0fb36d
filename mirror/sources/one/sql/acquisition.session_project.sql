-- The table has room for one project of a session: the first.
select
    mouse.uuid as subject_uuid,
    session.session_start_time,
    session.projects[1] as session_project
from session
cross join mouse
where session.projects[1] is not null
order by session.session_start_time
