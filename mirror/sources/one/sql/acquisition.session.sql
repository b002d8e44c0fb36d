select
    mouse.uuid as subject_uuid,
    session.session_start_time,
    session.session as session_uuid,
    session.number as session_number,
    session.lab as session_lab,
    session.task_protocol,
    'Experiment' as session_type
from session
cross join mouse
order by session.session_start_time
