-- Grain: one row per row of the table of trials of the mouse at hand.
--
-- Every row counts in trial_id, as DataJoint counted those that it then left out; chained
-- protocols are numbered on through their session. DataJoint's datetimes were rounded to the
-- second, not cut: every key depends on it.
with

numbered as (

    select
        * replace (
            date_trunc('second', session_start_time + interval 500 millisecond)
                as session_start_time
        ),
        row_number() over (partition by session order by file_row_number) as trial_id,
        intervals_0 is not null
        and intervals_1 is not null
        and choice is not null
        and "probabilityLeft" is not null as is_complete
    from trial_row

)

select
    own.subject_uuid,
    numbered.*,
    rep_num.rep_num
from numbered
cross join own
left join rep_num
    on rep_num.session = numbered.session
    and rep_num.trial_id = numbered.trial_id
