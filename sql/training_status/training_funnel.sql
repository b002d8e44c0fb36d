-- Grain: one row per scope and stage: scope `all` for all mice, scope `lab` for those of each lab
-- that has mice. The mice without a lab make a scope `lab` with lab_name NULL.
--
-- Sources: training_milestones, subjects.
--
-- Definition: how many mice came how far, as paper-behavior counts them for figure 1c of eLife
-- 2021;10:e63711, but with `reached` counting a higher status too. The last two stages are where
-- the others are: their latest status is in_training or untrainable.
--
-- Traps:
-- * A mouse counts in every stage it got to, so the stages do not add up.
-- * Stages by status count only mice that have one: compare with with_status, not with mice, in a
--   mirror in which trials or statuses are missing.
-- * paper-behavior compares with `ready4ephys`, `ready` and `training`, which no status or
--   protocol equals; its printed numbers of those are 0.
-- * The paper's numbers are of its cohort and cut-off: see cohorts.
-- * After a sync with --since, or where sessions have no rows here, what a mouse did before is not
--   counted: started_biased and the first stages are too low. See days.has_earlier_days.
create or replace view training_funnel as

with

stage as (

    select unnest(
        [
            'mice',
            'with_sessions',
            'started_training',
            'with_status',
            'reached_trained_1a',
            'reached_trained_1b',
            'started_biased',
            'reached_ready4ephysrig',
            'reached_ready4delay',
            'reached_ready4recording',
            'still_in_training',
            'died_in_training'
        ]
    ) as stage

),

mouse as (

    select
        milestone.subject_uuid,
        milestone.lab_name,
        milestone.institution_short,
        milestone.institution_code,
        milestone.first_session_date,
        milestone.first_training_session,
        milestone.status_source,
        milestone.date_reached_trained_1a,
        milestone.date_reached_trained_1b,
        milestone.first_biased_session,
        milestone.date_reached_ready4ephysrig,
        milestone.date_reached_ready4delay,
        milestone.date_reached_ready4recording,
        coalesce(milestone.latest_status in ('in_training', 'untrainable'), false)
            as is_in_training,
        subjects.is_alive
    from training_milestones as milestone
    join subjects
        on subjects.subject_uuid = milestone.subject_uuid

),

mouse_and_stage as (

    select
        mouse.lab_name,
        mouse.institution_short,
        mouse.institution_code,
        stage.stage,
        case stage.stage
            when 'mice' then 1
            when 'with_sessions' then 2
            when 'started_training' then 3
            when 'with_status' then 4
            when 'reached_trained_1a' then 5
            when 'reached_trained_1b' then 6
            when 'started_biased' then 7
            when 'reached_ready4ephysrig' then 8
            when 'reached_ready4delay' then 9
            when 'reached_ready4recording' then 10
            when 'still_in_training' then 11
            when 'died_in_training' then 12
        end as stage_number,
        case stage.stage
            when 'mice' then true
            when 'with_sessions' then mouse.first_session_date is not null
            when 'started_training' then mouse.first_training_session is not null
            when 'with_status' then mouse.status_source is not null
            when 'reached_trained_1a' then mouse.date_reached_trained_1a is not null
            when 'reached_trained_1b' then mouse.date_reached_trained_1b is not null
            when 'started_biased' then mouse.first_biased_session is not null
            when 'reached_ready4ephysrig' then mouse.date_reached_ready4ephysrig is not null
            when 'reached_ready4delay' then mouse.date_reached_ready4delay is not null
            when 'reached_ready4recording' then mouse.date_reached_ready4recording is not null
            when 'still_in_training' then mouse.is_in_training and mouse.is_alive
            when 'died_in_training' then mouse.is_in_training and not mouse.is_alive
        end as is_there
    from mouse
    cross join stage

),

lab_and_stage as (

    select
        lab_name,
        institution_short,
        institution_code,
        stage,
        stage_number,
        -- where no deaths are recorded, nobody knows who is still in training
        case when count(*) = count(is_there) then count(*) filter (where is_there) end as n_mice
    from mouse_and_stage
    group by lab_name, institution_short, institution_code, stage, stage_number

),

scope_and_stage as (

    select
        'lab' as scope,
        lab_name,
        institution_short,
        institution_code,
        stage,
        stage_number,
        n_mice
    from lab_and_stage

    union all

    select
        'all' as scope,
        null as lab_name,
        null as institution_short,
        null as institution_code,
        stage,
        stage_number,
        case when count(*) = count(n_mice) then sum(n_mice)::bigint end as n_mice
    from lab_and_stage
    group by stage, stage_number

)

select
    scope,
    stage,
    lab_name,
    institution_short,
    institution_code,
    stage_number,
    n_mice,
    case
        when stage_number >= 3 then n_mice / nullif(
            max(case when stage = 'started_training' then n_mice end)
                over (partition by scope, lab_name),
            0
        )
    end as share_of_started,
    case
        when stage_number >= 4 and stage <> 'started_biased' then n_mice / nullif(
            max(case when stage = 'with_status' then n_mice end)
                over (partition by scope, lab_name),
            0
        )
    end as share_of_with_status
from scope_and_stage;

comment on view training_funnel is
'One row per scope (all, or a lab) and stage of training: how many mice came that far.';

comment on column training_funnel.scope is
'all: every mouse; lab: the mice of lab_name.';
comment on column training_funnel.stage is
'mice, with_sessions, started_training, with_status, reached_..., still_in_training, ...';
comment on column training_funnel.lab_name is
'Lab of the mice. NULL in scope all, and in scope lab for mice without a lab.';
comment on column training_funnel.institution_short is
'Short name of the institution of the lab. NULL in scope all, without a lab or a short name.';
comment on column training_funnel.institution_code is
'Label of the institution in the figures of eLife 2021;10:e63711, Lab 1 to Lab 7. NULL elsewhere.';
comment on column training_funnel.stage_number is
'Order of the stages, 1 to 10; 11 and 12 are the mice whose latest status is below trained_1a.';
comment on column training_funnel.n_mice is
'Mice that got to the stage, at any time. 0 if none; NULL if it takes deaths and none are known.';
comment on column training_funnel.share_of_started is
'n_mice over that of started_training, 0 to 1. NULL if none started, and for stages before.';
comment on column training_funnel.share_of_with_status is
'n_mice over that of with_status, 0 to 1. NULL if none has a status, and for other stages.';
