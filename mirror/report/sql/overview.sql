-- Grain: one row, what the mirror holds.
select
    (select count(*) from subjects) as n_mice,
    (select count(*) from labs where n_mice > 0) as n_labs,
    (select count(*) from sessions) as n_sessions,
    (select count(*) from (select distinct subject_uuid, session_start_time from trials))
        as n_sessions_with_trials,
    (select count(*) from sessions where has_stored_trials) as n_sessions_with_stored_trials,
    (select count(*) from trials) as n_trials,
    (select coalesce(sum(stored_n_trials), 0)::bigint from sessions) as stored_n_trials,
    (select min(session_date)::varchar from sessions) as first_date,
    (select max(session_date)::varchar from sessions) as last_date
