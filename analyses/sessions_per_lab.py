"""How many sessions per laboratory, user and mouse: bars by task, and a histogram of the mice.

The second exercise of the tutorial. The lab is the mouse's; the user is who ran the session, not
who is responsible for the mouse. A session of two users counts for both, so the bars of the users
add up to more than there are sessions. Only the `most_users` busiest users have a bar. Click a
lab to see its users and mice among the others.

To take from it: who contributed how much, in which tasks, and that most mice have between ten and a
hundred sessions. There is no published figure of it.
"""

from typing import Any

import altair as alt
import duckdb
import pandas as pd

from .style import DARK, NO_LABORATORY, ask, counted, finished, in_cohort, nothing

TITLE = "Sessions per laboratory, user and mouse"
# The order in which a mouse meets the tasks, from light to dark.
TASKS = ["habituation", "training", "biased", "ephys", "other", "unknown"]
TASK_COLORS = ["#a6cee3", "#4292c6", "#08519c", "#041f4a", "#d9d9d9", "#969696"]
CHOSEN = f"""
with chosen as (
    select
        subject_uuid,
        subject_nickname,
        task,
        list_position(
            ['habituation', 'training', 'biased', 'ephys', 'other', 'unknown'], task
        ) as task_number,
        coalesce(lab_name, '{NO_LABORATORY}') as laboratory,
        string_split(coalesce(users, 'no user'), ',') as users
    from sessions
    where ($lab is null or lab_name = $lab)
        and {in_cohort("sessions.subject_uuid")}
)
"""
PER_LAB = f"""{CHOSEN}
select
    laboratory,
    task,
    task_number,
    count(*) as n_sessions,
    sum(count(*)) over (partition by laboratory)::integer as n_total
from chosen
group by laboratory, task, task_number
"""
PER_USER = f"""{CHOSEN},

user_session as (
    select unnest(users) as user_name, laboratory, task, task_number
    from chosen
),

busiest as (
    select user_name, count(*) as n_total
    from user_session
    group by user_name
    order by n_total desc, user_name
    limit $most_users
)

select
    user_name,
    user_session.laboratory,
    user_session.task,
    user_session.task_number,
    count(*) as n_sessions,
    busiest.n_total
from user_session
join busiest using (user_name)
group by all
"""
PER_MOUSE = f"""{CHOSEN},

mouse as (
    select subject_uuid, count(*) as n_total
    from chosen
    group by subject_uuid
)

select
    chosen.laboratory,
    $width * (mouse.n_total // $width) as n_from,
    $width * (mouse.n_total // $width) + $width as n_to,
    count(distinct subject_uuid) as n_mice,
    count(*) as n_sessions
from chosen
join mouse using (subject_uuid)
group by chosen.laboratory, mouse.n_total // $width
order by all
"""
# Sessions of a mouse that are one bar.
WIDTH = 10


def chart(
    con: duckdb.DuckDBPyConnection,
    lab: str | None = None,
    cohort: str | None = None,
    most_users: int = 30,
) -> Any:
    """Draw the counts of all sessions, or of those of one lab or cohort."""
    labs = ask(con, PER_LAB, lab=lab, cohort=cohort)
    if labs.empty:
        return nothing(con, TITLE, "no sessions match")
    users = ask(con, PER_USER, lab=lab, cohort=cohort, most_users=int(most_users))
    mice = ask(con, PER_MOUSE, lab=lab, cohort=cohort, width=WIDTH)
    clicked = alt.selection_point(fields=["laboratory"])
    n_mice = int(mice["n_mice"].sum())
    known = labs.loc[labs["laboratory"] != NO_LABORATORY, "laboratory"]
    subtitle = (
        f"{counted(int(labs['n_sessions'].sum()), 'session')} of"
        f" {counted(n_mice, 'mouse', 'mice')} in"
        f" {counted(known.nunique(), 'laboratory', 'laboratories')};"
        " a session of two users counts for both"
    )
    if users["user_name"].nunique() == int(most_users):
        subtitle += f"; the {most_users} busiest users"
    panels = alt.vconcat(
        _lying(labs, "laboratory", "laboratory", clicked).add_params(clicked),
        _lying(users, "user_name", "user", clicked),
        _standing(mice, clicked),
        spacing=25,
    )
    return finished(con, panels, TITLE, subtitle)


def _lying(counts: pd.DataFrame, field: str, title: str, clicked: alt.Parameter) -> Any:
    """A bar per lab or user, with its name beside it."""
    most_first = alt.EncodingSortField("n_total", op="max", order="descending")
    return (
        _bars(counts, clicked, [alt.Tooltip(f"{field}:N", title=title)])
        .encode(
            x=alt.X("sum(n_sessions):Q", title="sessions", axis=alt.Axis(tickCount=8)),
            y=alt.Y(f"{field}:N", title=title, sort=most_first),
        )
        .properties(width=620, height=alt.Step(17))
    )


def _standing(mice: pd.DataFrame, clicked: alt.Parameter) -> Any:
    """How many mice have so many sessions: a bar per ten."""
    steps = range(0, int(mice["n_to"].max()) + 1, 2 * WIDTH)
    base = alt.Chart(mice).encode(
        x=alt.X(
            "n_from:Q",
            bin="binned",
            title="sessions of a mouse",
            axis=alt.Axis(values=list(steps)),
        ),
        x2="n_to",
        y=alt.Y("sum(n_mice):Q", title="mice", axis=alt.Axis(tickMinStep=1)),
        tooltip=[
            alt.Tooltip("n_from:Q", title="sessions, from"),
            alt.Tooltip("n_to:Q", title="to less than"),
            alt.Tooltip("sum(n_mice):Q", title="mice"),
        ],
    )
    # the mice of the lab that was clicked, over those of all
    layers = (
        base.mark_bar(color="#e0e0e0", binSpacing=1),
        base.transform_filter(clicked).mark_bar(color=DARK, binSpacing=1),
    )
    return alt.layer(*layers).properties(width=620, height=150)


def _bars(counts: pd.DataFrame, clicked: alt.Parameter, whose: list[alt.Tooltip]) -> Any:
    """Sessions by task, those of other labs than the one clicked pale."""
    return (
        alt.Chart(counts)
        .mark_bar()
        .encode(
            color=alt.Color("task:N", scale=alt.Scale(domain=TASKS, range=TASK_COLORS)),
            order=alt.Order("task_number:Q"),
            opacity=alt.condition(clicked, alt.value(1), alt.value(0.15)),
            tooltip=[
                *whose,
                alt.Tooltip("task:N"),
                alt.Tooltip("sum(n_sessions):Q", title="sessions", format=","),
                alt.Tooltip("max(n_total):Q", title="of all tasks", format=","),
            ],
        )
    )
