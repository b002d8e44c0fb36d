-- Grain: one row per session of a mouse's table of trials.
--
-- The table of trials alone says when a session began; its number, its laboratory and its
-- projects are in the table of sessions. A session of several protocols names them in order.
create or replace temp view session as

with

protocol as (

    select
        session,
        session_start_time,
        nullif(task_protocol, '') as task_protocol,
        min(coalesce(protocol_number, 0)) as protocol_number
    from trial
    group by all

),

started as (

    select
        session,
        session_start_time,
        string_agg(task_protocol, '/' order by protocol_number, task_protocol) as task_protocol
    from protocol
    group by all

)

select
    started.session,
    started.session_start_time,
    coalesce(started.task_protocol, listed.task_protocol) as task_protocol,
    listed.id is not null as is_listed,
    listed.number,
    coalesce(listed.lab, mouse.lab) as lab,
    listed.projects
from started
cross join mouse
left join listed
    on listed.id = started.session
