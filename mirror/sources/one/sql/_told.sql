-- What readers of a table should know, counted by mouse: the table, the mouse, what, how often.
select
    'behavior.trial_set__trial' as table_name,
    subject_uuid,
    'rows are left out, without a start, an end, a choice or a prior' as told,
    sum(n_trials - n_complete) as n
from session
group by subject_uuid

union all

select
    'behavior.trial_set__trial',
    subject_uuid,
    'trials have no contrast on either side: 0 here, as on the server',
    sum(n_without_contrast)
from session
group by subject_uuid

union all

select
    'behavior.trial_set',
    subject_uuid,
    'sessions have no trial with a start, an end, a choice and a prior: left out',
    count(*) filter (where n_complete = 0)
from session
group by subject_uuid

union all

select
    'acquisition.session',
    subject_uuid,
    'sessions are not in the table of sessions: no number and no project',
    count(*) filter (where not is_listed)
from session
group by subject_uuid

union all

select
    'acquisition.session',
    listed.subject_uuid,
    'sessions are left out: no trial says when they began',
    count(*)
from listed
anti join session
    using (subject_uuid, session_uuid)
group by listed.subject_uuid

union all

select
    'acquisition.session_project',
    subject_uuid,
    'sessions belong to several projects, of which the first is here',
    count(*) filter (where array_length(projects) > 1)
from session
group by subject_uuid

union all

select
    'subject.subject',
    subject_uuid,
    'mice have a subject_uuid that was made here, from laboratory and nickname',
    count(*)
from mouse
where not is_published
group by subject_uuid
