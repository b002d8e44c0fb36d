-- Grain: one row per training status of the mouse at hand, by ONE's rules, on its first day.
select
    own.subject_uuid,
    training_row.training_status,
    min(training_row.date) as date,
    min_by(training_row.session, training_row.date) as session_uuid
from training_row
cross join own
where training_row.training_status is not null
group by own.subject_uuid, training_row.training_status
