-- Grain: one row per cohort and mouse in it. Mice that are not in a cohort, or not in this mirror,
-- have no row of it.
--
-- Sources: training_milestones, subject.subject_project; _mirror.cohort_mice, the lists that
-- `mirror cohort NAME FILE.csv` puts in.
--
-- Definitions: which mice an analysis takes. A mouse is in a cohort that was put in if it is on the
-- list; in one defined here if it has the project and its date_trained is not after last_date. In
-- paper and tutorial that is the first date with status trained_1a or trained_1b, as in
-- paper-behavior (query_subjects); in all_trained also with one that ranks higher, as both can be
-- skipped: figure 2d counts any but in_training and untrainable.
-- * paper: eLife 2021;10:e63711 (paper-behavior, query_subjects), project
--   ibl_neuropixel_brainwide_01, trained up to 2020-03-23; 140 mice on IBL's server.
-- * tutorial: the same project, trained before 2019-11-30 (nma_ibl, query_subjects without its
--   list). By default the tutorial reads 101 uuids from a file of its own; this is the criterion
--   that they were made with, and can differ by a few mice.
-- * all_trained: every mouse that was trained, of any project or none, to this day.
--
-- Traps:
-- * Cohorts overlap: filter by one, or mice count twice.
-- * last_date is also the last date of the sessions that the paper analyses; a row here does not
--   restrict them. Its code also leaves out session a9fb578a-9d7d-42b4-8dbc-3b419ce9f424, and
--   for some figures everything before 2019-06-10, when the hardware became stable.
-- * A cohort is as complete as the statuses in the mirror: see status_source.
-- * In a cohort of your own date_trained is that of paper, and NULL if the mouse was not trained.
-- * After a sync with --since, or where sessions have no rows here, date_trained can be too late,
--   and a mouse be missing from a cohort with a last_date: see days.has_earlier_days.
create or replace view cohorts as

with

cohort as (

    select
        'paper' as cohort,
        false as is_any_rank,
        'ibl_neuropixel_brainwide_01' as subject_project,
        date '2020-03-23' as last_date

    union all

    select
        'tutorial' as cohort,
        false as is_any_rank,
        'ibl_neuropixel_brainwide_01' as subject_project,
        date '2019-11-29' as last_date

    union all

    select
        'all_trained' as cohort,
        true as is_any_rank,
        null as subject_project,
        null as last_date

),

cohort_mouse as (

    select
        cohort.cohort,
        cohort.subject_project,
        cohort.last_date,
        mouse.subject_uuid,
        mouse.subject_nickname,
        mouse.lab_name,
        mouse.institution_short,
        mouse.institution_code,
        case
            when cohort.is_any_rank then mouse.date_reached_trained_1a
            else mouse.date_trained
        end as date_trained,
        mouse.status_source
    from cohort
    cross join training_milestones as mouse

)

select
    mouse.cohort,
    mouse.subject_uuid,
    mouse.subject_nickname,
    mouse.lab_name,
    mouse.institution_short,
    mouse.institution_code,
    mouse.subject_project,
    mouse.last_date,
    mouse.date_trained,
    mouse.status_source
from cohort_mouse as mouse
left join subject.subject_project as project
    on project.subject_uuid = mouse.subject_uuid
    and project.subject_project = mouse.subject_project
where mouse.date_trained is not null
    and (mouse.last_date is null or mouse.date_trained <= mouse.last_date)
    and (mouse.subject_project is null or project.subject_uuid is not null)

union all

select
    own.cohort,
    own.subject_uuid,
    mouse.subject_nickname,
    mouse.lab_name,
    mouse.institution_short,
    mouse.institution_code,
    null as subject_project,
    null as last_date,
    mouse.date_trained,
    mouse.status_source
from _mirror.cohort_mice as own
join training_milestones as mouse
    on mouse.subject_uuid = own.subject_uuid;

comment on view cohorts is
'One row per cohort and mouse in it: the paper''s, the tutorial''s, all trained mice, your own.';

comment on column cohorts.cohort is
'paper, tutorial, all_trained, or one of your own. With subject_uuid the key.';
comment on column cohorts.subject_uuid is
'The mouse.';
comment on column cohorts.subject_nickname is
'Name of the mouse in its lab. Not unique across labs.';
comment on column cohorts.lab_name is
'Lab of the mouse. NULL if the mouse was not assigned to one.';
comment on column cohorts.institution_short is
'Short name of the institution of the lab. NULL without a lab or a short name.';
comment on column cohorts.institution_code is
'Label of the institution in the figures of eLife 2021;10:e63711, Lab 1 to Lab 7. NULL elsewhere.';
comment on column cohorts.subject_project is
'Project that the cohort asks for. NULL if any will do.';
comment on column cohorts.last_date is
'Last date_trained that the cohort takes. NULL without a limit.';
comment on column cohorts.date_trained is
'First date with trained_1a or trained_1b; of all_trained, or a higher one. NULL if not trained.';
comment on column cohorts.status_source is
'Where the statuses of the mouse come from: stored; recomputed if the server has none of it.';
