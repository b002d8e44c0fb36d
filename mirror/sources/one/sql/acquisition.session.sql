select
    subject_uuid,
    session_start_time,
    session_uuid,
    number as session_number,
    lab_name as session_lab,
    task_protocol,
    'Experiment' as session_type
from session
