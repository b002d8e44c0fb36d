-- What readers of a table should know, counted by mouse: the table, the mouse, what, how often.
select
    'behavior.trial_set__trial' as table_name,
    subject_uuid,
    'rows left out, which lack a start, an end, a choice or a prior' as told,
    sum(n_trials - n_complete) as n
from session
group by subject_uuid

union all

select
    'behavior.trial_set__trial',
    subject_uuid,
    'trials without a contrast on either side, 0 here as on the server',
    sum(n_without_contrast)
from session
group by subject_uuid

union all

select
    'behavior.trial_set',
    subject_uuid,
    'sessions left out, of whose trials none has a start, an end, a choice and a prior',
    count(*) filter (where n_complete = 0)
from session
group by subject_uuid

union all

select
    'acquisition.session',
    subject_uuid,
    'sessions that the table of sessions lacks, without number and project',
    count(*) filter (where not is_listed)
from session
group by subject_uuid

union all

select
    'acquisition.session',
    listed.subject_uuid,
    'sessions left out, as no trial says when they began',
    count(*)
from listed
anti join session
    using (subject_uuid, session_uuid)
group by listed.subject_uuid

union all

select
    'acquisition.session_project',
    subject_uuid,
    'sessions of several projects, of which the first is here',
    count(*) filter (where array_length(projects) > 1)
from session
group by subject_uuid

union all

select
    'subject.subject',
    subject_uuid,
    'mice whose subject_uuid was made here, of laboratory and nickname',
    count(*)
from mouse
where not is_published
group by subject_uuid
