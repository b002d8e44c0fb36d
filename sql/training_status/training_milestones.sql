-- Grain: one row per mouse, every mouse of subjects, also without sessions or status.
--
-- Sources: subjects, sessions, session_status.
--
-- Definitions: date_trained, date_biased and date_ephys as the criteria `trained`, `biased` and
-- `ephys` of paper-behavior (query_subjects): the first date with status trained_1a or
-- trained_1b; of a session in the biased task with status trained_1b; with a status that begins
-- with ready. first_<status> is the first date of exactly that status; date_reached_<status> of
-- that or a higher one. All are of the column status of session_status.
--
-- Traps:
-- * A status can be skipped: a mouse may have trained_1b and never trained_1a, and a few have
--   ready4ephysrig and neither, so that date_trained is NULL. Hence date_reached_trained_1a, and
--   not first_trained_1a or date_trained, for "how long until trained": as in figure 2d.
-- * A date is only as early as the sessions with a status reach: where n_days_without_status is
--   not 0 in time_to_criterion, the mouse may have been there before.
-- * After a sync with --since, or where sessions have no rows here, a mouse trained long ago
--   counts as trained on its first date here. Nothing in this view tells: days.has_earlier_days
--   does, and time_to_criterion gives no date then.
-- * untrainable does not last: see latest_status.
-- * The tutorial's functions (nma_ibl) take another `ephys`, which misses ready4delay, and
--   another `biased`, any biased session: that is first_biased_session.
--
-- Stored: in the order of subject_uuid.
create or replace view training_milestones as

with

dated_session as (

    select
        subject_uuid,
        min(session_date) as first_session_date,
        max(session_date) as last_session_date,
        min(session_date) filter (where task <> 'habituation') as first_training_session,
        min(session_date) filter (where task = 'biased') as first_biased_session,
        min(session_date) filter (where task = 'ephys') as first_ephys_session,
        min(session_date) filter (where on_ephys_rig) as first_on_ephys_rig
    from sessions
    group by subject_uuid

),

-- no ties: a mouse has one session at a time
mouse_status as (

    select
        subject_uuid,
        max(status_source) as status_source,
        count(status) as n_sessions_with_status,
        min(session_date) filter (where status = 'in_training') as first_in_training,
        min(session_date) filter (where status = 'untrainable') as first_untrainable,
        min(session_date) filter (where status = 'trained_1a') as first_trained_1a,
        min(session_date) filter (where status = 'trained_1b') as first_trained_1b,
        min(session_date) filter (where status = 'unbiasable') as first_unbiasable,
        min(session_date) filter (where status = 'ready4ephysrig') as first_ready4ephysrig,
        min(session_date) filter (where status = 'ready4delay') as first_ready4delay,
        min(session_date) filter (where status = 'ready4recording') as first_ready4recording,
        min(session_date) filter (where status in ('trained_1a', 'trained_1b'))
            as date_trained,
        min(session_date) filter (where status = 'trained_1b' and task = 'biased')
            as date_biased,
        min(session_date) filter (where status like 'ready%') as date_ephys,
        min(session_date) filter (where status_rank >= 1) as date_reached_trained_1a,
        -- unbiasable is a mouse that was trained_1b, and so are all that rank above
        min(session_date) filter (where status_rank >= 2) as date_reached_trained_1b,
        min(session_date) filter (where status_rank >= 3) as date_reached_ready4ephysrig,
        min(session_date) filter (where status_rank >= 4) as date_reached_ready4delay,
        min(session_date) filter (where status_rank >= 5) as date_reached_ready4recording,
        arg_max(status, session_start_time) filter (where status is not null)
            as latest_status,
        arg_max(status_rank, session_start_time) filter (where status is not null)
            as latest_status_rank,
        max(session_date) filter (where status is not null) as latest_status_date
    from session_status
    group by subject_uuid

)

select
    mouse.subject_uuid,
    mouse.subject_nickname,
    mouse.lab_name,
    mouse.institution_short,
    mouse.institution_code,
    mouse_status.status_source,
    coalesce(mouse_status.n_sessions_with_status, 0) as n_sessions_with_status,
    mouse_status.first_in_training,
    mouse_status.first_untrainable,
    mouse_status.first_trained_1a,
    mouse_status.first_trained_1b,
    mouse_status.first_unbiasable,
    mouse_status.first_ready4ephysrig,
    mouse_status.first_ready4delay,
    mouse_status.first_ready4recording,
    mouse_status.date_reached_trained_1a,
    mouse_status.date_reached_trained_1b,
    mouse_status.date_reached_ready4ephysrig,
    mouse_status.date_reached_ready4delay,
    mouse_status.date_reached_ready4recording,
    mouse_status.date_trained,
    mouse_status.date_biased,
    mouse_status.date_ephys,
    mouse_status.latest_status,
    mouse_status.latest_status_rank,
    mouse_status.latest_status_date,
    dated_session.first_session_date,
    dated_session.first_training_session,
    dated_session.first_biased_session,
    dated_session.first_ephys_session,
    dated_session.first_on_ephys_rig,
    dated_session.last_session_date
from subjects as mouse
left join dated_session
    on dated_session.subject_uuid = mouse.subject_uuid
left join mouse_status
    on mouse_status.subject_uuid = mouse.subject_uuid;

comment on view training_milestones is
'One row per mouse: the first date of each training status, and the latest status.';

comment on column training_milestones.subject_uuid is
'The mouse, the key.';
comment on column training_milestones.institution_short is
'Short name of the institution of the lab. NULL without a lab or a short name.';
comment on column training_milestones.status_source is
'Where the statuses come from: stored; recomputed if the server has none of it; NULL if none.';
comment on column training_milestones.n_sessions_with_status is
'Sessions with a status. 0 if none, never NULL; then all dates of statuses are NULL.';
comment on column training_milestones.first_in_training is
'First date with status in_training. NULL if never.';
comment on column training_milestones.first_untrainable is
'First date with status untrainable, which need not last. NULL if never.';
comment on column training_milestones.first_trained_1a is
'First date with exactly trained_1a. NULL if never, also if a higher status came first.';
comment on column training_milestones.first_trained_1b is
'First date with exactly trained_1b. NULL if never, also if a higher status came first.';
comment on column training_milestones.first_unbiasable is
'First date with status unbiasable, which the pipeline defines but never wrote. NULL if never.';
comment on column training_milestones.first_ready4ephysrig is
'First date with exactly ready4ephysrig. NULL if never, also if a higher status came first.';
comment on column training_milestones.first_ready4delay is
'First date with exactly ready4delay. NULL if never, also if a higher status came first.';
comment on column training_milestones.first_ready4recording is
'First date with status ready4recording. NULL if never.';
comment on column training_milestones.date_reached_trained_1a is
'First date with trained_1a or higher. NULL if not reached.';
comment on column training_milestones.date_reached_trained_1b is
'First date with trained_1b or higher. NULL if not reached.';
comment on column training_milestones.date_reached_ready4ephysrig is
'First date with ready4ephysrig or higher. NULL if not reached.';
comment on column training_milestones.date_reached_ready4delay is
'First date with ready4delay or higher. NULL if not reached.';
comment on column training_milestones.date_reached_ready4recording is
'First date with ready4recording. NULL if not reached.';
comment on column training_milestones.date_trained is
'First date with trained_1a or trained_1b, the paper''s criterion. NULL if never.';
comment on column training_milestones.date_biased is
'First date with a biased session after which the status was trained_1b (paper). NULL if never.';
comment on column training_milestones.date_ephys is
'First date with a status that begins with ready, the paper''s criterion. NULL if never.';
comment on column training_milestones.latest_status is
'Status after the last session that has one. NULL if none.';
comment on column training_milestones.latest_status_rank is
'Place of latest_status, 0 (in_training, untrainable) to 5 (ready4recording). NULL if none.';
comment on column training_milestones.latest_status_date is
'Date of that session; later ones may have no status. NULL if none.';
comment on column training_milestones.first_session_date is
'Date of the first session, habituation included. NULL without sessions.';
comment on column training_milestones.first_training_session is
'Date of the first session other than habituation, training_day 1. NULL without.';
comment on column training_milestones.first_biased_session is
'Date of the first session in the biased task, whatever the status. NULL without.';
comment on column training_milestones.first_ephys_session is
'Date of the first session in an ephys task. NULL without.';
comment on column training_milestones.first_on_ephys_rig is
'Date of the first session run by the board of an ephys rig. NULL without, or without settings.';
comment on column training_milestones.last_session_date is
'Date of the last session of any task, with or without trials. NULL without sessions.';
