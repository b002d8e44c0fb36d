-- Two sessions of a mouse with one start, which is all that tells them apart, and any session
-- that has two.
select
    min(session_start_time) as session_start_time,
    min(session_uuid) as one,
    max(session_uuid) as other
from session
group by grouping sets ((subject_uuid, session_start_time), (session_uuid))
having count(*) > 1
limit 1
