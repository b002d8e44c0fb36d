select
    subject_uuid,
    lab_name
from mouse
