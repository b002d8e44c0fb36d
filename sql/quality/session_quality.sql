-- Grain: one row per session, every session of acquisition.session, also without trials.
--
-- Sources: sessions; behavior.trial_set__trial, complete_trial_session and settings;
-- behavior_analyses.psych_results; derived.session_status; subject.subject.
--
-- Definition: each flag says that a session is not as an analysis would have it. Nothing is
-- filtered here or elsewhere because of a flag. The conditions for a reaction time are those of
-- IBL-pipeline (analyses/behavior.py): stimulus onsets or go cue triggers that are complete or
-- partial. Those for a status: a psychometric result, and Settings where the rules ask for
-- them.
--
-- Traps:
-- * Figures group by subject_nickname: is_nickname_shared tells where that merges mice.
-- * trial_id has gaps where the pipeline skipped a trial; stored_n_trials counts the trials in
--   the raw files, so that n_trials_missing can be 0 with gaps and the reverse.
-- * The flags of trials are NULL without trials here, which has a flag of its own.
-- * A no-go lasts 60 s by design and is not counted in n_reaction_time_over_60.
create or replace view session_quality as

with

session_trial as (

    select
        subject_uuid,
        session_start_time,
        count(*) as n_trials,
        max(trial_id) - count(*) as n_trial_gaps,
        count(*) - count(trial_stim_on_time) as n_without_stim_on,
        count(*) filter (
            where trial_response_time is null
                or (trial_stim_on_time is null and trial_go_cue_trigger_time is null)
        ) as n_without_reaction_time,
        count(*) filter (
            where trial_response_time
                <= coalesce(trial_stim_on_time, trial_go_cue_trigger_time::double)
        ) as n_reaction_time_not_positive,
        count(*) filter (
            where trial_response_choice::varchar <> 'No Go'
                and trial_response_time
                - coalesce(trial_stim_on_time, trial_go_cue_trigger_time::double) > 60
        ) as n_reaction_time_over_60,
        count(*) filter (where trial_response_choice::varchar = 'No Go') as n_no_go,
        count(*) filter (
            where coalesce(trial_response_choice::varchar, '') not in ('CCW', 'CW', 'No Go')
        ) as n_odd_choice,
        -- compared as they are: a cast of what no task shows could fail
        count(*) filter (
            where coalesce(
                round(abs(trial_stim_contrast_left::double) * 10000)
                not in (0, 625, 1250, 2500, 5000, 10000)
                or round(abs(trial_stim_contrast_right::double) * 10000)
                not in (0, 625, 1250, 2500, 5000, 10000),
                true
            )
        ) as n_odd_contrast,
        count(*) filter (
            where trial_stim_contrast_left::double < 0 or trial_stim_contrast_right::double < 0
        ) as n_negative_contrast,
        count(*) filter (
            where trial_stim_contrast_left::double <> 0
                and trial_stim_contrast_right::double <> 0
        ) as n_two_stimuli,
        count(*) filter (
            where round(trial_stim_prob_left::double * 100) not in (20, 50, 80)
        ) as n_odd_prob_left
    from behavior.trial_set__trial
    group by subject_uuid, session_start_time

),

mouse_date as (

    select
        subject_uuid,
        session_date,
        count(*) as n_sessions_date
    from sessions
    group by subject_uuid, session_date

),

nickname as (

    select
        subject_nickname,
        count(*) as n_mice
    from subject.subject
    group by subject_nickname

),

assessed_session as (

    select
        session.subject_uuid,
        session.session_start_time,
        session.session_uuid,
        session.subject_nickname,
        session.lab_name,
        session.session_date,
        session.task,
        session.session_duration_min,
        trial.subject_uuid is not null as has_trials,
        session.has_stored_trials,
        session.stored_n_trials,
        session.has_stored_reaction_time,
        session.training_status,
        session.stored_training_status,
        session.n_users,
        session.lab_name is null as is_without_lab,
        session.projects is null as is_without_project,
        nickname.n_mice > 1 as is_nickname_shared,
        mouse_date.n_sessions_date,
        settings.subject_uuid is not null as has_settings,
        psych.subject_uuid is not null as has_psych_results,
        session.session_end_time is null as is_end_missing,
        coalesce(session.session_end_time < session.session_start_time, false)
            as is_end_before_start,
        coalesce(session.session_duration_min > 1440, false) as is_over_24_h,
        trial.n_trials,
        session.stored_n_trials - coalesce(trial.n_trials, 0) as n_trials_missing,
        trial.n_trial_gaps,
        trial.n_without_stim_on,
        trial.n_without_reaction_time,
        trial.n_reaction_time_not_positive,
        trial.n_reaction_time_over_60,
        trial.n_no_go,
        trial.n_odd_choice,
        trial.n_odd_contrast,
        trial.n_negative_contrast,
        trial.n_two_stimuli,
        case when session.task in ('biased', 'ephys') then trial.n_odd_prob_left end
            as n_odd_prob_left,
        complete.stim_on_times_status::varchar as stim_on_times_status,
        complete.go_cue_trigger_times_status::varchar as go_cue_trigger_times_status,
        here.rule as recomputed_rule
    from sessions as session
    left join session_trial as trial
        on trial.subject_uuid = session.subject_uuid
        and trial.session_start_time = session.session_start_time
    left join mouse_date
        on mouse_date.subject_uuid = session.subject_uuid
        and mouse_date.session_date = session.session_date
    left join nickname
        on nickname.subject_nickname = session.subject_nickname
    left join behavior.settings as settings
        on settings.subject_uuid = session.subject_uuid
        and settings.session_start_time = session.session_start_time
    left join behavior.complete_trial_session as complete
        on complete.subject_uuid = session.subject_uuid
        and complete.session_start_time = session.session_start_time
    left join behavior_analyses.psych_results as psych
        on psych.subject_uuid = session.subject_uuid
        and psych.session_start_time = session.session_start_time
    left join derived.session_status as here
        on here.subject_uuid = session.subject_uuid
        and here.session_start_time = session.session_start_time

)

select
    subject_uuid,
    session_start_time,
    session_uuid,
    subject_nickname,
    lab_name,
    session_date,
    task,
    concat_ws(
        ',',
        case when not (has_trials or has_stored_trials) then 'no_trials' end,
        case when has_stored_trials and not has_trials then 'trials_not_here' end,
        case when has_trials and n_trials_missing <> 0 then 'other_trial_count' end,
        case when n_trial_gaps > 0 then 'trial_gaps' end,
        case when n_without_stim_on > 0 then 'missing_stim_on' end,
        case when n_reaction_time_not_positive > 0 then 'reaction_time_not_positive' end,
        case when n_reaction_time_over_60 > 0 then 'reaction_time_over_60' end,
        case when n_odd_choice > 0 then 'odd_choice' end,
        case when n_odd_contrast > 0 then 'odd_contrast' end,
        case when n_negative_contrast > 0 then 'negative_contrast' end,
        case when n_two_stimuli > 0 then 'two_stimuli' end,
        case when n_odd_prob_left > 0 then 'odd_prob_left' end,
        case
            when has_stored_trials and not has_stored_reaction_time
                then 'no_stored_reaction_time'
        end,
        case
            when has_stored_trials and stored_training_status is null then 'no_stored_status'
        end,
        case when has_stored_trials and not has_settings then 'no_settings' end,
        case when is_end_missing then 'end_missing' end,
        case when is_end_before_start then 'end_before_start' end,
        case when is_over_24_h then 'over_24_h' end,
        case when n_sessions_date > 1 then 'other_session_that_day' end,
        case when n_users = 0 then 'no_user' end,
        case when n_users > 1 then 'several_users' end,
        case when is_nickname_shared then 'nickname_shared' end,
        case when is_without_lab then 'no_lab' end,
        case when is_without_project then 'no_project' end
    ) as flags,
    has_trials,
    n_trials,
    has_stored_trials,
    stored_n_trials,
    n_trials_missing,
    n_trial_gaps,
    n_without_stim_on * 1e0 / nullif(n_trials, 0) as without_stim_on_share,
    n_without_reaction_time,
    n_reaction_time_not_positive,
    n_reaction_time_over_60,
    n_no_go,
    n_no_go * 1e0 / nullif(n_trials, 0) as no_go_share,
    n_odd_choice,
    n_odd_contrast,
    n_negative_contrast,
    n_two_stimuli,
    n_odd_prob_left,
    has_stored_reaction_time,
    case
        when has_stored_reaction_time then null
        when not has_stored_trials then 'no trials were extracted from the raw files'
        when stim_on_times_status is null and go_cue_trigger_times_status is null
            then 'the server did not look which times there are (no CompleteTrialSession)'
        when coalesce(stim_on_times_status, 'Missing') = 'Missing'
            and coalesce(go_cue_trigger_times_status, 'Missing') = 'Missing'
            then 'neither stimulus onsets nor go cue triggers were recorded'
        when n_without_reaction_time = n_trials
            then 'no trial has both a response and an onset'
        else 'the times are there, but the server stored no result'
    end as why_no_stored_reaction_time,
    training_status,
    stored_training_status,
    case
        when stored_training_status is not null then null
        when not has_stored_trials then 'no trials were extracted from the raw files'
        when not has_psych_results then 'no psychometric result was stored'
        when recomputed_rule = 'no Settings row'
            then 'the rules ask for Settings, which the session lacks'
        when not has_trials then 'the server stored none, and the trials are not here'
        else 'the server stored none'
    end as why_no_stored_status,
    has_settings,
    is_end_missing,
    is_end_before_start,
    is_over_24_h,
    n_sessions_date,
    n_users,
    is_nickname_shared,
    is_without_lab,
    is_without_project
from assessed_session;

comment on view session_quality is
'One row per session: what is missing or odd about it, and why it lacks a status or times.';

comment on column session_quality.session_start_time is
'Start, wall clock of the rig. With subject_uuid the key of a session.';
comment on column session_quality.flags is
'All that is missing or odd, separated by commas; empty if nothing is. Never NULL.';
comment on column session_quality.has_trials is
'True if trials of the session are here. Never NULL.';
comment on column session_quality.n_trials is
'Trials here. NULL without.';
comment on column session_quality.stored_n_trials is
'Number of trials in the raw files, as stored. NULL without a trial set.';
comment on column session_quality.n_trials_missing is
'stored_n_trials minus n_trials: in the raw files and not here. NULL without a trial set.';
comment on column session_quality.n_trial_gaps is
'Numbers skipped in trial_id, up to the last trial here. NULL without trials here.';
comment on column session_quality.without_stim_on_share is
'Share of trials without a stimulus onset, 0 to 1. NULL without trials here.';
comment on column session_quality.n_without_reaction_time is
'Trials without a response, or with neither onset nor go cue trigger. NULL without trials here.';
comment on column session_quality.n_reaction_time_not_positive is
'Trials with a reaction time of 0 s or less, the fallback included. NULL without trials here.';
comment on column session_quality.n_reaction_time_over_60 is
'Trials with a choice after more than 60 s, which the task rules out. NULL without trials here.';
comment on column session_quality.n_no_go is
'Trials without a choice within 60 s. NULL without trials here.';
comment on column session_quality.no_go_share is
'n_no_go over n_trials, 0 to 1. NULL without trials here.';
comment on column session_quality.n_odd_choice is
'Trials whose choice is none of CCW, CW, No Go, and NULL in trials. NULL without trials here.';
comment on column session_quality.n_odd_contrast is
'Trials at a contrast other than 0, 6.25, 12.5, 25, 50, 100 percent. NULL without trials here.';
comment on column session_quality.n_negative_contrast is
'Trials with a contrast below 0, which trials takes by its size. NULL without trials here.';
comment on column session_quality.n_two_stimuli is
'Trials with a contrast on both sides: trials has the difference. NULL without trials here.';
comment on column session_quality.n_odd_prob_left is
'Trials with a prior other than .2, .5, .8. NULL in unbiased tasks and without trials here.';
comment on column session_quality.why_no_stored_reaction_time is
'Why none were stored. NULL if they were.';
comment on column session_quality.training_status is
'Status after this session, recomputed from trials. NULL if it cannot be known.';
comment on column session_quality.stored_training_status is
'Status after this session as the server stored it. NULL if none.';
comment on column session_quality.why_no_stored_status is
'Why no status was stored. NULL if one was.';
comment on column session_quality.has_settings is
'True if the settings of the rig were stored. Never NULL.';
comment on column session_quality.is_end_missing is
'True if no end was recorded. Never NULL.';
comment on column session_quality.is_end_before_start is
'True if the end lies before the start. Never NULL.';
comment on column session_quality.is_over_24_h is
'True if the session lasted over 24 hours by its start and end. Never NULL.';
comment on column session_quality.n_sessions_date is
'Sessions of the mouse on this date, this one included.';
comment on column session_quality.is_nickname_shared is
'True if another mouse has the same nickname. NULL if the mouse has no row.';
comment on column session_quality.is_without_lab is
'True if the mouse was not assigned to a lab. Never NULL.';
comment on column session_quality.is_without_project is
'True if the mouse is in no project. Never NULL.';
