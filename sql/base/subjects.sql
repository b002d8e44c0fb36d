-- Grain: one row per mouse, every mouse of subject.subject, also without lab, project or user.
--
-- Sources: subject.subject with subject_lab, subject_user, subject_project and death;
-- reference.lab.
--
-- Definition: institution_code is the anonymous label of an institution in the figures of
-- eLife 2021;10:e63711 (paper-behavior, institution_map): Lab 1 is UCL, Lab 7 is Berkeley.
--
-- Traps: nicknames repeat across laboratories, so join and group by subject_uuid.
-- The lab is the mouse's (subject_lab); acquisition.session.session_lab is the lab of the rig
-- and often NULL. SWC holds two labs and CSHL two, so lab and institution are not one to one.
create or replace view subjects as

with

-- a mouse can belong to several projects: joined as rows they would multiply the mouse
project_list as (

    select
        subject_uuid,
        string_agg(distinct subject_project, ',' order by subject_project) as projects
    from subject.subject_project
    group by subject_uuid

)

select
    mouse.subject_uuid,
    mouse.subject_nickname,
    mouse.sex::varchar as sex,
    mouse.subject_birth_date,
    mouse.subject_line,
    mouse_lab.lab_name,
    lab.institution,
    lab.institution_short,
    case lab.institution_short
        when 'UCL' then 'Lab 1'
        when 'CCU' then 'Lab 2'
        when 'CSHL' then 'Lab 3'
        when 'NYU' then 'Lab 4'
        when 'Princeton' then 'Lab 5'
        when 'SWC' then 'Lab 6'
        when 'Berkeley' then 'Lab 7'
    end as institution_code,
    lab.time_zone,
    mouse_user.responsible_user,
    project_list.projects,
    death.death_date,
    case
        when death.subject_uuid is not null then false
        -- a source that records no deaths at all does not know who is alive
        when exists (select 1 from subject.death) then true
    end as is_alive
from subject.subject as mouse
left join subject.subject_lab as mouse_lab
    on mouse_lab.subject_uuid = mouse.subject_uuid
left join reference.lab as lab
    on lab.lab_name = mouse_lab.lab_name
left join subject.subject_user as mouse_user
    on mouse_user.subject_uuid = mouse.subject_uuid
left join project_list
    on project_list.subject_uuid = mouse.subject_uuid
left join subject.death as death
    on death.subject_uuid = mouse.subject_uuid;

comment on view subjects is
'One row per mouse, with its lab, institution and projects. Every mouse is here.';

comment on column subjects.subject_uuid is
'The mouse. Join and group by this, not by the nickname.';
comment on column subjects.subject_nickname is
'Name of the mouse in its lab. Not unique across labs.';
comment on column subjects.sex is
'M, F or U (unknown).';
comment on column subjects.subject_birth_date is
'Date of birth. NULL if not recorded.';
comment on column subjects.subject_line is
'Breeding line. NULL if not recorded.';
comment on column subjects.lab_name is
'Lab of the mouse. NULL if the mouse was not assigned to one.';
comment on column subjects.institution is
'Full name of the institution of the lab. NULL without a lab.';
comment on column subjects.institution_short is
'Short name of the institution, such as UCL or CSHL. NULL without a lab or a short name.';
comment on column subjects.institution_code is
'Label of the institution in the figures of eLife 2021;10:e63711, Lab 1 to Lab 7. NULL elsewhere.';
comment on column subjects.time_zone is
'IANA time zone of the lab, such as Europe/London. NULL without a lab.';
comment on column subjects.responsible_user is
'User name of the person responsible for the mouse. NULL if not recorded.';
comment on column subjects.projects is
'Projects of the mouse, sorted, separated by commas. NULL if none.';
comment on column subjects.death_date is
'Date of death. NULL if no death is recorded.';
comment on column subjects.is_alive is
'False if a death was recorded. NULL if the source records none, of any mouse.';
