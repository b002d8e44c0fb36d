-- The first row of a table of trials that says what no trial can be, counted from 1.
select
    file_row_number + 1 as file_row,
    case
        when session is null then 'no session'
        when session_start_time is null then 'no start of its session'
        when choice not in (-1, 0, 1) then printf('a choice of %g', choice)
        when "feedbackType" not in (-1, 0, 1) then printf('a feedback type of %g', "feedbackType")
        when "contrastLeft" not between 0 and 1
            then printf('a contrast of %g on the left', "contrastLeft")
        when "contrastRight" not between 0 and 1
            then printf('a contrast of %g on the right', "contrastRight")
        when "probabilityLeft" not between 0 and 1
            then printf('a probability of %g on the left', "probabilityLeft")
    end as fault
from rounded
where fault is not null
order by file_row
limit 1
