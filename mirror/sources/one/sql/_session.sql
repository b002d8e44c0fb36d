-- Grain: one row per session of the table of trials of the mouse at hand.
--
-- The table of trials alone says when a session began; its number, its laboratory and its
-- projects are in the table of sessions. A session of several protocols names them in order.
with

protocol as (

    select
        session,
        nullif(task_protocol, '') as task_protocol,
        min(coalesce(protocol_number, 0)) as protocol_number
    from rounded
    group by all

),

named as (

    select
        session,
        string_agg(task_protocol, '/' order by protocol_number, task_protocol) as task_protocol
    from protocol
    group by session

),

counted as (

    select
        session,
        session_start_time,
        count(*) as n_trials,
        count(*) filter (where is_complete) as n_complete,
        count(*) filter (
            where is_complete and coalesce("contrastLeft", "contrastRight") is null
        ) as n_without_contrast,
        count(*) filter (
            where (choice = 1 and "contrastLeft" > 0) or (choice = -1 and "contrastRight" > 0)
        ) as n_correct,
        count("stimOn_times") as n_stim_on,
        count("goCue_times") as n_go_cue,
        count("goCueTrigger_times") as n_go_cue_trigger,
        count("rewardVolume") as n_reward,
        min_by(intervals_0, file_row_number) as first_start,
        max_by(intervals_1, file_row_number) as last_end
    from rounded
    group by session, session_start_time

),

repeated as (

    select
        session,
        count(rep_num) as n_rep_num
    from rep_num
    group by session

)

select
    own.subject_uuid,
    counted.* exclude (session),
    coalesce(repeated.n_rep_num, 0) as n_rep_num,
    counted.session as session_uuid,
    coalesce(named.task_protocol, listed.task_protocol) as task_protocol,
    listed.session_uuid is not null as is_listed,
    listed.number,
    coalesce(listed.lab_name, own.lab_name) as lab_name,
    listed.projects
from counted
cross join own
join named
    on named.session = counted.session
left join repeated
    on repeated.session = counted.session
left join listed
    on listed.subject_uuid = own.subject_uuid
    and listed.session_uuid = counted.session
