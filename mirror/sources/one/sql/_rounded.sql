-- Grain: one row per row of the table of trials of the mouse at hand.
--
-- DataJoint's datetimes were rounded to the second, not cut: every key depends on it. It left out
-- the rows that are not complete.
select
    * replace (
        date_trunc('second', session_start_time + interval 500 millisecond) as session_start_time
    ),
    intervals_0 is not null
    and intervals_1 is not null
    and choice is not null
    and "probabilityLeft" is not null as is_complete
from trial_row
