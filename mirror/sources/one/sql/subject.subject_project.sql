-- The projects of its sessions: the mouse's own list is not public.
select distinct
    mouse.uuid as subject_uuid,
    unnest(listed.projects) as subject_project
from listed
cross join mouse
order by subject_project
