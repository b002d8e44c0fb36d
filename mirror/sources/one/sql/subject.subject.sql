select
    uuid as subject_uuid,
    nickname as subject_nickname,
    coalesce(sex, 'U') as sex,
    birth_date as subject_birth_date
from mouse
