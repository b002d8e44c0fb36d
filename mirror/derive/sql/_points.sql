-- Grain: one row per curve and signed contrast. A curve is a session, a block of a session or
-- a block of a day; its number counts from 0, mouse by mouse, without gaps.
create or replace temp table _points as

select
    dense_rank() over (
        order by subject_uuid, grain, session_date, session_start_time, prob_left_block
    ) - 1 as curve,
    grain,
    subject_uuid,
    session_start_time,
    session_date,
    prob_left_block,
    signed_contrast,
    n_trials,
    n_no_go,
    n_right
from derived.psychometric_points
where signed_contrast is not null
    and subject_uuid in (select subject_uuid from _mice)
order by curve, signed_contrast;
