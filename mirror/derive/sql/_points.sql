-- Grain: one row per curve and signed contrast. A curve is a session, a block of a session or
-- a block of a day; its number counts from 0, mouse by mouse, without gaps.
create or replace temp table _points as

with

summed_count as (

    select
        case
            when grouping(session_start_time) = 1 then 'day_block'
            when grouping(prob_left_block) = 1 then 'session'
            else 'session_block'
        end as unit,
        subject_uuid,
        session_start_time,
        session_date,
        prob_left_block,
        signed_contrast,
        sum(n_trials) as n_trials,
        sum(n_no_go) as n_no_go,
        sum(n_right) as n_right
    from derived.choice_counts
    where signed_contrast is not null
        and subject_uuid in (select subject_uuid from _mice)
    group by grouping sets (
        (subject_uuid, session_start_time, session_date, signed_contrast),
        (subject_uuid, session_start_time, session_date, prob_left_block, signed_contrast),
        (subject_uuid, session_date, prob_left_block, signed_contrast)
    )

)

select
    dense_rank() over (
        order by subject_uuid, unit, session_date, session_start_time, prob_left_block
    ) - 1 as curve,
    unit,
    subject_uuid,
    session_start_time,
    session_date,
    prob_left_block,
    signed_contrast,
    n_trials,
    n_no_go,
    n_right
from summed_count
-- trials without a session row belong to no day
where session_start_time is not null or session_date is not null
order by curve, signed_contrast;
