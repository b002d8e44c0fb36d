-- Grain: one row per session with trials on the server or here, numbered from 0 in the order
-- of mouse and start; the columns are what the rules of the training status read.
create or replace temp table _sessions as

select
    row_number() over (order by session.subject_uuid, session.session_start_time) - 1 as session,
    session.subject_uuid,
    session.session_start_time,
    session.session_date,
    dense_rank() over (order by session.subject_uuid) as subject,
    session.task_protocol,
    coalesce(trial_set.n_trials, trial.n_trials)::double as n_trials,
    trial.performance_easy,
    case
        when settings.subject_uuid is not null then coalesce(settings.pybpod_board, '')
    end as pybpod_board,
    delay.session_delay_in_mins::double as session_delay_in_mins,
    trial.subject_uuid is not null as has_trials
from session_labels as session
left join behavior.trial_set as trial_set
    on trial_set.subject_uuid = session.subject_uuid
    and trial_set.session_start_time = session.session_start_time
left join derived.session_performance as trial
    on trial.subject_uuid = session.subject_uuid
    and trial.session_start_time = session.session_start_time
left join behavior.settings as settings
    on settings.subject_uuid = session.subject_uuid
    and settings.session_start_time = session.session_start_time
left join behavior.session_delay as delay
    on delay.subject_uuid = session.subject_uuid
    and delay.session_start_time = session.session_start_time
where session.subject_uuid in (select subject_uuid from _mice)
    and (trial_set.subject_uuid is not null or trial.subject_uuid is not null)
order by session;
