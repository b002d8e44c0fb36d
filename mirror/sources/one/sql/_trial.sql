-- Grain: one row per row of the table of trials of the mouse at hand, numbered.
--
-- Every row counts in trial_id, as DataJoint counted those that it left out; chained protocols
-- are numbered on through their session. Numbered apart, so that DuckDB need not sort all columns.
with

numbered as (

    select
        file_row_number,
        row_number() over (partition by session order by file_row_number) as trial_id
    from rounded

)

select
    own.subject_uuid,
    rounded.*,
    numbered.trial_id,
    rep_num.rep_num
from rounded
join numbered
    on numbered.file_row_number = rounded.file_row_number
cross join own
left join rep_num
    on rep_num.session = rounded.session
    and rep_num.trial_id = numbered.trial_id
