"""When sessions are run: the local hour of their start per laboratory, and by day of the week.

The second exercise of the tutorial. The clock is that of the rig and already local, so no time
zone is added. A row is a lab, a cell the share of the lab's own sessions that started in that hour,
so that large and small labs compare; click a row to see its week alone, and click beside it to see
all.

To take from it: laboratories work at different hours, hardly any at night, and few on weekends.
There is no published figure of it.
"""

from typing import Any

import altair as alt
import duckdb
import pandas as pd

from .style import (
    NO_LABORATORY,
    ask,
    counted,
    finished,
    in_cohort,
    in_order,
    nothing,
    with_sizes,
)

TITLE = "When sessions are run"
HOURS = f"""
with chosen as (
    select
        subject_uuid,
        session_date,
        session_start_time,
        coalesce(lab_name, '{NO_LABORATORY}') as laboratory,
        coalesce(institution_short, '{NO_LABORATORY}') as institution_short
    from sessions
    where ($lab is null or lab_name = $lab)
        and {in_cohort("sessions.subject_uuid")}
)

select
    laboratory,
    institution_short,
    isodow(session_date) as weekday_number,
    hour(session_start_time) as hour_of_day,
    count(*) as n_sessions,
    100 * count(*) / sum(count(*)) over (partition by laboratory) as lab_percent,
    (select count(distinct subject_uuid) from chosen) as n_mice
from chosen
group by laboratory, institution_short, isodow(session_date), hour(session_start_time)
"""
WEEKDAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]


def chart(con: duckdb.DuckDBPyConnection, lab: str | None = None, cohort: str | None = None) -> Any:
    """Draw the hours of all sessions, or of those of one lab or cohort."""
    hours = ask(con, HOURS, lab=lab, cohort=cohort)
    if hours.empty:
        return nothing(con, TITLE, "no sessions match")
    hours["weekday"] = [WEEKDAYS[number - 1] for number in hours["weekday_number"]]
    # a bar from 9 to 10 says 9:00 to 9:59 better than a bar at 9
    hours["next_hour"] = hours["hour_of_day"] + 1
    institutions = in_order(hours["institution_short"])
    hours["institution_number"] = hours["institution_short"].map(institutions.index)
    clicked = alt.selection_point(fields=["laboratory"])
    n_sessions = counted(int(hours["n_sessions"].sum()), "session")
    n_mice = counted(int(hours["n_mice"].iloc[0]), "mouse", "mice")
    subtitle = (
        f"{n_sessions} of {n_mice}; local time of the rig; above by laboratory, below by day of the"
        " week"
    )
    panels = alt.vconcat(_by_lab(hours, clicked), _by_weekday(hours, clicked), spacing=25)
    return finished(con, panels.resolve_scale(color="independent"), TITLE, subtitle)


def _by_lab(hours: pd.DataFrame, clicked: alt.Parameter) -> Any:
    """Hours of the day, a row per lab with its number of sessions."""
    sizes = hours.groupby("laboratory")["n_sessions"].sum()
    order = hours.sort_values(["institution_number", "laboratory"])["laboratory"].unique().tolist()
    words = with_sizes({name: f"{sizes[name]:,}" for name in order})
    return (
        alt.Chart(hours)
        .transform_aggregate(
            n_sessions="sum(n_sessions)",
            lab_percent="sum(lab_percent)",
            groupby=["laboratory", "institution_short", "hour_of_day", "next_hour"],
        )
        .mark_rect()
        .encode(
            x=_hour_axis().title(None),
            x2="next_hour",
            y=alt.Y(
                "laboratory:N",
                title="laboratory, sessions",
                sort=order,
                axis=alt.Axis(labelExpr=words, labelLimit=220),
            ),
            color=_shade("lab_percent:Q", "of the lab's, %"),
            opacity=alt.condition(clicked, alt.value(1), alt.value(0.3)),
            tooltip=[
                alt.Tooltip("laboratory:N"),
                alt.Tooltip("institution_short:N", title="institution"),
                alt.Tooltip("hour_of_day:Q", title="hour from"),
                alt.Tooltip("n_sessions:Q", title="sessions", format=","),
                alt.Tooltip("lab_percent:Q", title="of the lab's sessions, %", format=".1f"),
            ],
        )
        .add_params(clicked)
        .properties(width=600, height=alt.Step(21))
    )


def _shade(field: str, title: str) -> alt.Color:
    scale = alt.Scale(scheme="blues", domainMin=0)
    return alt.Color(field, title=title, scale=scale, legend=alt.Legend(gradientLength=100))


def _by_weekday(hours: pd.DataFrame, clicked: alt.Parameter) -> Any:
    """Day of the week and hour, of all labs or of the one that was clicked."""
    return (
        alt.Chart(hours)
        .mark_rect()
        .transform_filter(clicked)
        .encode(
            x=_hour_axis(),
            x2="next_hour",
            y=alt.Y(
                "weekday:N",
                title="day of the week",
                sort=WEEKDAYS,
                scale=alt.Scale(domain=WEEKDAYS),
            ),
            color=_shade("sum(n_sessions):Q", "sessions"),
            tooltip=[
                alt.Tooltip("weekday:N", title="day of the week"),
                alt.Tooltip("hour_of_day:Q", title="hour from"),
                alt.Tooltip("sum(n_sessions):Q", title="sessions", format=","),
            ],
        )
        .properties(width=600, height=150)
    )


def _hour_axis() -> alt.X:
    # plain numbers: a temporal axis would shift them by the reader's own time zone
    return alt.X(
        "hour_of_day:Q",
        bin="binned",
        title="local hour",
        scale=alt.Scale(domain=[0, 24], nice=False),
        axis=alt.Axis(values=list(range(0, 25, 6)), format="02d", labelExpr="datum.label + ':00'"),
    )
