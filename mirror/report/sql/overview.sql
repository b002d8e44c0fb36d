-- Grain: one row, what the mirror holds.
select
    (select count(*) from subjects) as n_mice,
    (select count(*) from labs where n_mice > 0) as n_labs,
    (select count(*) from sessions) as n_sessions,
    (select count(*) from sessions where has_trials) as n_sessions_with_trials,
    (select count(*) from session_quality where n_trial_rows > 0) as n_sessions_with_trials_here,
    (select coalesce(sum(n_trials), 0)::bigint from sessions) as n_trials,
    (select count(*) from behavior.trial_set__trial) as n_trials_here,
    (select min(session_date)::varchar from sessions) as first_date,
    (select max(session_date)::varchar from sessions) as last_date
