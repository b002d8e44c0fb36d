-- Grain: one row per mouse and date with a weighing or with water. Dates with neither do not
-- appear, nor do mice without any.
--
-- Sources: action.weighing, water_administration and water_restriction, subjects. The public
-- server has these tables from 2021 on at best; where they were not synced, so is this view.
--
-- Definition: daily weight and water as IBL-pipeline draws them (plotting/behavior_internal.py):
-- lines at 85 and 75 percent of the weight at the start of the restriction in force. A
-- restriction is in force on a date from the date of its start to that of its end; where
-- several are, the one that began last counts.
--
-- Traps:
-- * The times were typed in by people or set by the server: their date is good, their hour is
--   not, and must not be compared with session_start_time.
-- * A mouse can be weighed twice a day, before and after the task: weight is the mean.
-- * Water without an amount (adlib: as much as it wants) is not 0. water_ml adds what is known.
-- * The amount of hydrogel is in grams, about as many millilitres; it is part of water_ml.
create or replace view weights_and_water as

with

weighed_date as (

    select
        subject_uuid,
        weighing_time::date as action_date,
        count(*) as n_weighings,
        avg(weight::double) as weight
    from action.weighing
    group by subject_uuid, weighing_time::date

),

watered_date as (

    select
        subject_uuid,
        administration_time::date as action_date,
        count(*) as n_administrations,
        count(*) - count(water_administered) as n_without_amount,
        sum(water_administered::double) as water_ml,
        string_agg(distinct watertype_name, ',' order by watertype_name) as water_types,
        max(case when adlib then 1 else 0 end) = 1 as is_ad_lib
    from action.water_administration
    group by subject_uuid, administration_time::date

),

mouse_date as (

    select subject_uuid, action_date
    from weighed_date

    union

    select subject_uuid, action_date
    from watered_date

),

date_in_restriction as (

    select
        mouse_date.subject_uuid,
        mouse_date.action_date,
        restriction.reference_weight::double as reference_weight,
        row_number() over (
            partition by mouse_date.subject_uuid, mouse_date.action_date
            order by restriction.restriction_start_time desc
        ) as latest
    from mouse_date
    join action.water_restriction as restriction
        on restriction.subject_uuid = mouse_date.subject_uuid
        and restriction.restriction_start_time::date <= mouse_date.action_date
        and (
            restriction.restriction_end_time is null
            or restriction.restriction_end_time::date >= mouse_date.action_date
        )

)

select
    mouse_date.subject_uuid,
    mouse.subject_nickname,
    mouse.lab_name,
    mouse_date.action_date,
    strftime(mouse_date.action_date, '%A') as weekday,
    date_diff('day', mouse.subject_birth_date, mouse_date.action_date) as age_days,
    coalesce(weighed_date.n_weighings, 0) as n_weighings,
    weighed_date.weight,
    coalesce(watered_date.n_administrations, 0) as n_administrations,
    coalesce(watered_date.n_without_amount, 0) as n_without_amount,
    watered_date.water_ml,
    watered_date.water_types,
    coalesce(watered_date.is_ad_lib, false) as is_ad_lib,
    date_in_restriction.subject_uuid is not null as is_restricted,
    date_in_restriction.reference_weight,
    weighed_date.weight / nullif(date_in_restriction.reference_weight, 0) as weight_share
from mouse_date
left join weighed_date
    on weighed_date.subject_uuid = mouse_date.subject_uuid
    and weighed_date.action_date = mouse_date.action_date
left join watered_date
    on watered_date.subject_uuid = mouse_date.subject_uuid
    and watered_date.action_date = mouse_date.action_date
left join date_in_restriction
    on date_in_restriction.subject_uuid = mouse_date.subject_uuid
    and date_in_restriction.action_date = mouse_date.action_date
    and date_in_restriction.latest = 1
left join subjects as mouse
    on mouse.subject_uuid = mouse_date.subject_uuid;

comment on view weights_and_water is
'One row per mouse and date with a weighing or water: weight, water, restriction in force.';

comment on column weights_and_water.subject_uuid is
'The mouse. With action_date the key.';
comment on column weights_and_water.action_date is
'Date of the weighings and the water, as entered.';
comment on column weights_and_water.weekday is
'English name of the day of the week, Monday to Sunday.';
comment on column weights_and_water.age_days is
'Age of the mouse on action_date, days. NULL without a date of birth.';
comment on column weights_and_water.n_weighings is
'Weighings on the date. 0 if none.';
comment on column weights_and_water.weight is
'Mean of the weighings of the date, grams. NULL if not weighed.';
comment on column weights_and_water.n_administrations is
'Times that water was given, in the task and after. 0 if none.';
comment on column weights_and_water.n_without_amount is
'Of these, those without an amount. 0 if none.';
comment on column weights_and_water.water_ml is
'Sum of the amounts that are known, millilitres. NULL if no amount is known.';
comment on column weights_and_water.water_types is
'Kinds of water, sorted, separated by commas. NULL if no water was given.';
comment on column weights_and_water.is_ad_lib is
'True if the mouse could drink as much as it wanted, so that water_ml is too low. Never NULL.';
comment on column weights_and_water.is_restricted is
'True if a water restriction was in force on the date. Never NULL.';
comment on column weights_and_water.reference_weight is
'Weight at the start of the restriction in force, grams. NULL outside a restriction.';
comment on column weights_and_water.weight_share is
'weight over reference_weight, 0.85 and 0.75 are the limits. NULL without either, or if 0.';
