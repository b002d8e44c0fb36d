-- Grain: one row per row of a mouse's table of trials, with the number of the trial.
--
-- Every row counts in the numbers, as DataJoint counted those that it then left out; chained
-- protocols are numbered on through their session. DataJoint's datetimes were rounded to the
-- second, not cut: every key depends on it.
create or replace temp view trial as

select
    * replace (
        date_trunc('second', session_start_time + interval 500 millisecond) as session_start_time
    ),
    row_number() over (partition by session order by file_row_number) as trial_id,
    intervals_0 is not null
    and intervals_1 is not null
    and choice is not null
    and "probabilityLeft" is not null as is_complete
from trial_row
