-- Grain: one row per session with trials, on the server or in the mirror, or with a stored
-- status. Other sessions have no status and do not appear; sessions has them.
--
-- Sources: sessions (with both statuses), derived.session_status.
--
-- Definition: SessionTrainingStatus of IBL-pipeline (analyses/behavior.py), recomputed from trials
-- and, beside it, as stored. The rank is the order of the pipeline's ladder:
-- in_training, untrainable 0; trained_1a 1; trained_1b, unbiasable 2; ready4ephysrig 3;
-- ready4delay 4; ready4recording 5. status is the one that all views of this folder use: the
-- stored one; the recomputed one only of a mouse of which the server stored none at all.
--
-- Traps:
-- * A status is evaluated over sessions, not days, and is kept once reached, except untrainable.
-- * The server evaluated each session when it arrived, with the rules of that time: statuses from
--   before 2020 were computed again later, and can differ from what people acted on.
-- * status never mixes both sources within a mouse: a stored gap stays a gap.
-- * The rank is no measure of skill: unbiasable is where a trained mouse gives up.
create or replace view session_status as

with

status_of_session as (

    select
        session.subject_uuid,
        session.session_start_time,
        session.session_uuid,
        session.subject_nickname,
        session.lab_name,
        session.institution_short,
        session.session_date,
        session.training_day,
        session.task,
        session.training_status,
        session.stored_training_status,
        session.good_enough_for_brainwide_map,
        session.stored_good_enough_for_brainwide_map,
        recomputed.rule_set,
        recomputed.rule,
        session.is_status_certain,
        recomputed.n_sessions_without_trials,
        count(session.stored_training_status) over (partition by session.subject_uuid)
            as n_stored,
        count(session.training_status) over (partition by session.subject_uuid) as n_recomputed
    from sessions as session
    left join derived.session_status as recomputed
        on recomputed.subject_uuid = session.subject_uuid
        and recomputed.session_start_time = session.session_start_time
    where recomputed.subject_uuid is not null or session.stored_training_status is not null

),

status_with_source as (

    select
        *,
        case
            when n_stored > 0 then 'stored'
            when n_recomputed > 0 then 'recomputed'
        end as status_source,
        case when n_stored > 0 then stored_training_status else training_status end as status
    from status_of_session

)

select
    subject_uuid,
    session_start_time,
    session_uuid,
    subject_nickname,
    lab_name,
    institution_short,
    session_date,
    training_day,
    task,
    training_status,
    is_status_certain,
    stored_training_status,
    training_status = stored_training_status as is_same,
    status,
    case status
        when 'in_training' then 0
        when 'untrainable' then 0
        when 'trained_1a' then 1
        when 'trained_1b' then 2
        when 'unbiasable' then 2
        when 'ready4ephysrig' then 3
        when 'ready4delay' then 4
        when 'ready4recording' then 5
    end as status_rank,
    status_source,
    good_enough_for_brainwide_map,
    stored_good_enough_for_brainwide_map,
    rule_set,
    rule,
    n_sessions_without_trials
from status_with_source;

comment on view session_status is
'One row per session with trials: training status, stored and recomputed, with its rank.';

comment on column session_status.subject_uuid is
'The mouse. With session_start_time the key of a session.';
comment on column session_status.session_start_time is
'Start, wall clock of the rig, without time zone. With subject_uuid the key of a session.';
comment on column session_status.session_uuid is
'The session in Alyx and ONE, where it is called eid.';
comment on column session_status.subject_nickname is
'Name of the mouse in its lab. Not unique across labs.';
comment on column session_status.lab_name is
'Lab of the mouse. NULL if the mouse was not assigned to one.';
comment on column session_status.institution_short is
'Short name of the institution of the lab. NULL without a lab or a short name.';
comment on column session_status.session_date is
'Date of the start, on the wall clock of the rig.';
comment on column session_status.training_day is
'Count of dates so far with a session other than habituation, from 1. NULL if habituation only.';
comment on column session_status.task is
'habituation, training, biased, ephys, other, or unknown if there is no protocol. Never NULL.';
comment on column session_status.training_status is
'Status after this session, recomputed from trials. NULL if it cannot be known, see rule.';
comment on column session_status.is_status_certain is
'False if trials are missing, or a value near a limit could have changed it. NULL without trials.';
comment on column session_status.stored_training_status is
'Status after this session as the server stored it. NULL if the server has none.';
comment on column session_status.is_same is
'True if training_status and stored_training_status agree. NULL if either is NULL.';
comment on column session_status.status is
'stored_training_status; training_status for a mouse without any stored status. NULL if none.';
comment on column session_status.status_rank is
'Place of status, 0 (in_training, untrainable) to 5 (ready4recording). NULL as status.';
comment on column session_status.status_source is
'Where the statuses of this mouse come from: stored or recomputed. NULL if it has none.';
comment on column session_status.good_enough_for_brainwide_map is
'Ephys session, over 400 trials, performance_easy over .9. NULL if it cannot be known.';
comment on column session_status.stored_good_enough_for_brainwide_map is
'The same as the server stored it. NULL without a stored status.';
comment on column session_status.rule_set is
'Whose rules training_status follows: ibl-pipeline. NULL without trials.';
comment on column session_status.rule is
'What decided training_status: criterion met, reached before, no trials here, ... NULL without.';
comment on column session_status.n_sessions_without_trials is
'Sessions of the mouse so far, not habituation, without trials in the mirror: crashed, or lost.';
