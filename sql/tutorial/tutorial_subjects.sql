-- Grain: one row per mouse that has a lab, as the tutorial's DataJoint query returns them.
--
-- Sources: subject.subject, subject.subject_lab, reference.lab.
--
-- Definition: (subject.Subject * subject.SubjectLab * reference.Lab).proj('subject_nickname',
-- 'sex', 'subject_birth_date', 'time_zone').fetch(format='frame'): the same rows, columns and
-- values, with the frame's index as the first two columns.
--
-- Traps:
-- * Inner joins: a mouse without a lab is not here. The view subjects has every mouse.
-- * The tutorial sorts by lab_name and subject_nickname; a view has no order.
-- * Nicknames repeat across laboratories, so join by subject_uuid, not by the nickname.
create or replace view tutorial_subjects as

select
    mouse.subject_uuid,
    mouse_lab.lab_name,
    mouse.subject_nickname,
    mouse.sex::varchar as sex,
    mouse.subject_birth_date,
    lab.time_zone
from subject.subject as mouse
join subject.subject_lab as mouse_lab
    on mouse_lab.subject_uuid = mouse.subject_uuid
-- MySQL joins text without regard to case
join reference.lab as lab
    on lower(lab.lab_name) = lower(mouse_lab.lab_name);

comment on view tutorial_subjects is
'One row per mouse with a lab: exactly the subjects that the tutorial fetches with DataJoint.';

comment on column tutorial_subjects.subject_uuid is
'The mouse. With lab_name the index of the tutorial''s frame.';
comment on column tutorial_subjects.lab_name is
'Lab of the mouse. Never NULL: mice without a lab are not here.';
comment on column tutorial_subjects.subject_nickname is
'Name of the mouse in its lab. Not unique across labs.';
comment on column tutorial_subjects.sex is
'M, F or U (unknown).';
comment on column tutorial_subjects.subject_birth_date is
'Date of birth. NULL if not recorded.';
comment on column tutorial_subjects.time_zone is
'IANA time zone of the lab, a label: session_start_time is local already.';
