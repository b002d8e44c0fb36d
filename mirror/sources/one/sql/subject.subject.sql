select
    subject_uuid,
    subject_nickname,
    coalesce(sex, 'U') as sex,
    subject_birth_date
from mouse
