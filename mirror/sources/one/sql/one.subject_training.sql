select
    subject_uuid,
    training_status,
    date as status_date,
    session_uuid
from training
