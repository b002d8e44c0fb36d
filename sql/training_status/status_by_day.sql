-- Grain: one row per mouse and date, the rows of days.
--
-- Sources: days.
--
-- Definition: the status of a date is that after the last session of the date that has one
-- (IBL-pipeline's plots take any session of the date). carried_status holds on until there is
-- another: the status that people knew the mouse by on that date.
--
-- Traps:
-- * Dates before the first status have no carried_status; with a complete history there are none.
-- * n_days_with_status counts dates of the mouse with a session, not calendar days.
-- * A status can fall: untrainable does not last, and the pipeline writes trained_1b in a corner
--   of its rules. is_change shows any change, up or down.
create or replace view status_by_day as

with

day_with_carried_status as (

    select
        subject_uuid,
        session_date,
        subject_nickname,
        lab_name,
        institution_short,
        training_day,
        calendar_day,
        training_status,
        is_status_certain,
        stored_training_status,
        status,
        status_rank,
        last_value(status ignore nulls) over so_far as carried_status,
        last_value(status_rank ignore nulls) over so_far as carried_status_rank,
        last_value(status ignore nulls) over before as previous_status
    from days
    window
        so_far as (
            partition by subject_uuid
            order by session_date
            rows between unbounded preceding and current row
        ),
        before as (
            partition by subject_uuid
            order by session_date
            rows between unbounded preceding and 1 preceding
        )

),

day_in_spell as (

    select
        subject_uuid,
        session_date,
        subject_nickname,
        lab_name,
        institution_short,
        training_day,
        calendar_day,
        training_status,
        is_status_certain,
        stored_training_status,
        status,
        status_rank,
        carried_status,
        carried_status_rank,
        previous_status,
        carried_status is not null and carried_status is distinct from previous_status
            as is_change,
        sum(
            case
                when carried_status is not null
                    and carried_status is distinct from previous_status then 1
                else 0
            end
        ) over (
            partition by subject_uuid
            order by session_date
            rows between unbounded preceding and current row
        ) as spell
    from day_with_carried_status

)

select
    subject_uuid,
    session_date,
    subject_nickname,
    lab_name,
    institution_short,
    training_day,
    calendar_day,
    training_status,
    is_status_certain,
    stored_training_status,
    status,
    status_rank,
    carried_status,
    carried_status_rank,
    previous_status,
    is_change,
    case
        when carried_status is not null then row_number() over (
            partition by subject_uuid, spell
            order by session_date
        )
    end as n_days_with_status
from day_in_spell;

comment on view status_by_day is
'One row per mouse and date: the status of the date, and the status carried on from before.';

comment on column status_by_day.subject_uuid is
'The mouse. With session_date the key.';
comment on column status_by_day.session_date is
'Date on the wall clock of the rig. With subject_uuid the key.';
comment on column status_by_day.carried_status is
'status of this date, or of the last one before that has one. NULL before the first.';
comment on column status_by_day.carried_status_rank is
'Place of carried_status, 0 (in_training, untrainable) to 5 (ready4recording). NULL as that.';
comment on column status_by_day.previous_status is
'carried_status of the date before. NULL on the first row, and up to the first status.';
comment on column status_by_day.is_change is
'True if carried_status differs from previous_status; the first status counts. Never NULL.';
comment on column status_by_day.n_days_with_status is
'Rows of the mouse since carried_status began, from 1. NULL without carried_status.';
