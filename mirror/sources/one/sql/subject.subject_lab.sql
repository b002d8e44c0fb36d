select
    uuid as subject_uuid,
    lab as lab_name
from mouse
