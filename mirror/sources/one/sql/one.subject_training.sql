select
    mouse.uuid as subject_uuid,
    training_row.training_status,
    min(training_row.date) as status_date,
    min_by(training_row.session, training_row.date) as session_uuid
from training_row
cross join mouse
where training_row.training_status is not null
    and training_row.date is not null
group by all
order by training_row.training_status
