-- Grain: one row per lab of reference.lab, also without sessions, and one row without lab_name
-- for the sessions of mice that belong to none.
--
-- Sources: reference.lab, sessions.
--
-- Definition: the counts of the tutorial's second exercise. The lab is the mouse's
-- (subject.subject_lab), not session_lab, which the rig recorded and which is often NULL.
--
-- Traps:
-- * A session of two users is one session here; a join with session_user would count it twice.
-- * Most sessions can lack trials: n_trials counts those here, stored_n_trials those of the
--   trial sets that the server stored.
-- * n_days counts dates on which the lab ran any mouse; two sessions of a date are one day.
create or replace view sessions_by_lab as

with

lab_count as (

    select
        lab_name,
        count(*) as n_sessions,
        count(distinct session_date) as n_days,
        count(distinct subject_uuid) as n_mice,
        sum(has_trials::integer)::bigint as n_sessions_with_trials,
        count(*) filter (where has_stored_trials) as n_sessions_with_stored_trials,
        sum(case when has_trials is not null then coalesce(n_trials, 0) end)::bigint as n_trials,
        coalesce(sum(stored_n_trials), 0)::bigint as stored_n_trials,
        min(session_date) as first_session_date,
        max(session_date) as last_session_date,
        count(*) filter (where task = 'habituation') as n_habituation,
        count(*) filter (where task = 'training') as n_training,
        count(*) filter (where task = 'biased') as n_biased,
        count(*) filter (where task = 'ephys') as n_ephys,
        count(*) filter (where task = 'other') as n_other,
        count(*) filter (where task = 'unknown') as n_unknown
    from sessions
    group by lab_name

)

select
    coalesce(lab.lab_name, lab_count.lab_name) as lab_name,
    lab.institution_short,
    coalesce(lab_count.n_sessions, 0) as n_sessions,
    coalesce(lab_count.n_days, 0) as n_days,
    coalesce(lab_count.n_mice, 0) as n_mice,
    if(lab_count.n_sessions is null, 0, lab_count.n_sessions_with_trials)
        as n_sessions_with_trials,
    coalesce(lab_count.n_sessions_with_stored_trials, 0)
        as n_sessions_with_stored_trials,
    if(lab_count.n_sessions is null, 0, lab_count.n_trials) as n_trials,
    coalesce(lab_count.stored_n_trials, 0) as stored_n_trials,
    lab_count.first_session_date,
    lab_count.last_session_date,
    coalesce(lab_count.n_habituation, 0) as n_habituation,
    coalesce(lab_count.n_training, 0) as n_training,
    coalesce(lab_count.n_biased, 0) as n_biased,
    coalesce(lab_count.n_ephys, 0) as n_ephys,
    coalesce(lab_count.n_other, 0) as n_other,
    coalesce(lab_count.n_unknown, 0) as n_unknown
from reference.lab as lab
full join lab_count
    on lab_count.lab_name = lab.lab_name;

comment on view sessions_by_lab is
'One row per lab, also without sessions, and one for mice without lab: sessions counted once.';

comment on column sessions_by_lab.lab_name is
'Lab of the mice. NULL in the row of the sessions of mice without lab.';
comment on column sessions_by_lab.institution_short is
'Short name of the institution, such as UCL or CSHL. NULL without a lab or a short name.';
comment on column sessions_by_lab.n_sessions is
'Sessions, with or without trials: the sum of the counts by task. 0 if none.';
comment on column sessions_by_lab.n_days is
'Dates with a session of the lab, of whatever mouse. 0 if none.';
comment on column sessions_by_lab.n_mice is
'Mice with a session. Mice without any are in subjects. 0 if none.';
comment on column sessions_by_lab.n_sessions_with_trials is
'Sessions with trials here. 0 if none, NULL if nothing is derived.';
comment on column sessions_by_lab.n_sessions_with_stored_trials is
'Sessions of which the server stored a trial set. 0 if none.';
comment on column sessions_by_lab.n_trials is
'Trials here. 0 if none, NULL if nothing is derived.';
comment on column sessions_by_lab.stored_n_trials is
'Trials in the raw files, as the server counted them; can exceed n_trials. 0 if none.';
comment on column sessions_by_lab.first_session_date is
'Date of the first session, wall clock of the rig. NULL if none.';
comment on column sessions_by_lab.last_session_date is
'Date of the latest session, wall clock of the rig. NULL if none.';
comment on column sessions_by_lab.n_habituation is
'Sessions of the habituation task. 0 if none.';
comment on column sessions_by_lab.n_training is
'Sessions of the training task. 0 if none.';
comment on column sessions_by_lab.n_biased is
'Sessions of the biased task. 0 if none.';
comment on column sessions_by_lab.n_ephys is
'Sessions of the ephys task. 0 if none.';
comment on column sessions_by_lab.n_other is
'Sessions of any other task. 0 if none.';
comment on column sessions_by_lab.n_unknown is
'Sessions whose protocol was not recorded. 0 if none.';
