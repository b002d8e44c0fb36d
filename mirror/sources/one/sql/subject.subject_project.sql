-- The projects of its sessions: the mouse's own are not public.
select distinct
    subject_uuid,
    unnest(projects) as subject_project
from listed
