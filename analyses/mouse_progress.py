"""One mouse through its training: trials, easy performance and reaction time, day by day.

The top of the mouse page of IBL's data portal. Dashed lines stand at the first date of each
status, which the strip on top names; in_training, where every mouse begins, has none. Without a
`subject` (nickname or UUID) it is the mouse with the most trials. The portal's Mondays and second
axes are left out: what it drew over the trials and the performance has a panel of its own, or
(the length of sessions) is in the view `sessions`. Medians count no-go trials, as the portal's
did; the lines bridge dates without trials.
"""

from typing import Any

import altair as alt
import duckdb
import pandas as pd

from analyses.mice import (
    LOG_TICKS,
    STATUSES,
    WIDTH,
    day_axis,
    find_mouse,
    status_rules,
    status_strip,
)
from analyses.style import DARK, ask, counted, finished, nothing
from mirror.errors import UsageError

TITLE = "Training of a mouse"

DAYS = """
select
    session_date::varchar as session_date,
    training_day,
    n_trials,
    100 * performance_easy as performance_easy,
    -- a logarithmic axis has no place for what is not above 0
    case when median_reaction_time > 0 then median_reaction_time end as median_reaction_time,
    coalesce(tasks, 'habituation') as tasks,
    coalesce(status, 'none') as status
from days
where subject_uuid = $mouse::uuid and n_trials > 0
order by session_date
"""


def chart(
    con: duckdb.DuckDBPyConnection,
    lab: str | None = None,
    cohort: str | None = None,
    subject: str | None = None,
    x: str = "date",
) -> Any:
    """Draw one mouse against the `date` or the training `day`."""
    if x not in ("date", "day"):
        raise UsageError(f"x is date or day, not {x!r}.")
    mouse = find_mouse(con, lab, cohort, subject)
    if mouse is None:
        return nothing(con, TITLE, "no mouse matches")
    days = ask(con, DAYS, mouse=mouse["subject_uuid"])
    if x == "day":
        days = days.dropna(subset=["training_day"])
    title = f"{TITLE}: {mouse['subject_nickname']}"
    if days.empty:
        return nothing(con, title, "no days with trials match")
    statuses = ask(con, STATUSES, mouse=mouse["subject_uuid"])
    across = _date(days, statuses) if x == "date" else _day(days, statuses)
    untitled = across.title(None)
    percent, seconds = alt.Scale(domain=[0, 100]), alt.Scale(type="log", nice=False, padding=8)
    panels: list[Any] = [
        _panel(days, statuses, untitled, "n_trials", "trials", alt.Scale(zero=True)),
        _panel(days, statuses, untitled, "performance_easy", "easy correct, %", percent),
        _panel(days, statuses, across, "median_reaction_time", "reaction time, s", seconds),
    ]
    if not statuses.empty:
        panels.insert(0, status_strip(statuses, across))
    stacked = alt.vconcat(*panels, spacing=14)
    n_days = counted(len(days), "day")
    subtitle = [
        f"{mouse['lab_name']}; {n_days} with {counted(int(days['n_trials'].sum()), 'trial')}",
    ]
    if not statuses.empty:
        subtitle.append("reaction time: median; dashed: first date of each status")
    return finished(con, stacked, title, subtitle)


def _panel(
    days: pd.DataFrame,
    statuses: pd.DataFrame,
    across: alt.X,
    field: str,
    title: str,
    scale: alt.Scale,
) -> Any:
    axis = alt.Axis(tickCount=4, titleX=-44)
    if field == "median_reaction_time":
        axis = alt.Axis(values=LOG_TICKS, format="~g", titleX=-44)
    drawn = (
        alt.Chart(days)
        .transform_filter(f"isValid(datum.{field})")
        .encode(
            x=across,
            y=alt.Y(f"{field}:Q", title=title, scale=scale, axis=axis),
            tooltip=[
                alt.Tooltip("session_date:N", title="date"),
                alt.Tooltip("training_day:Q", title="training day"),
                alt.Tooltip("tasks:N", title="task"),
                alt.Tooltip("status:N", title="status"),
                alt.Tooltip("n_trials:Q", title="trials", format=","),
                alt.Tooltip("performance_easy:Q", title="easy correct, %", format=".0f"),
                alt.Tooltip("median_reaction_time:Q", title="reaction time, s", format=".2f"),
            ],
        )
        .properties(width=WIDTH, height=120)
    )
    line = drawn.mark_line(color=DARK, strokeWidth=1, opacity=0.4)
    points = drawn.mark_circle(color=DARK, size=28, opacity=1)
    return alt.layer(*status_rules(statuses, across), line, points)


def _date(days: pd.DataFrame, statuses: pd.DataFrame) -> alt.X:
    # Read and written as UTC: a date without a time must not move with the browser's zone.
    dates = pd.concat([days["session_date"], statuses["session_date"]])
    return alt.X(
        "session_date:T",
        title="date",
        scale=alt.Scale(type="utc", domain=[dates.min(), dates.max()], nice=False, padding=8),
        axis=alt.Axis(labelOverlap=True, tickCount=8, format="%Y-%m-%d"),
    )


def _day(days: pd.DataFrame, statuses: pd.DataFrame) -> alt.X:
    both = pd.concat([days["training_day"], statuses["training_day"]]).dropna()
    return day_axis(both.min(), both.max())
