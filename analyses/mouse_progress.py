"""One mouse through its training: trials, minutes, performance and reaction time, day by day.

The top of the mouse page of IBL's data portal. Dashed lines stand at the first date of each
status, which the strip on top names; in_training, where every mouse begins, has none. Without a
`subject` (nickname or UUID) it is the mouse with the most trials. The portal's Mondays and second
axes are left out: what it drew over the trials and the performance has a panel of its own. Minutes
are from the first trial of the sessions of a date to their last. Medians of reaction times count
no-go trials, as the portal's did; the lines bridge dates without trials.

To take from it: whether a mouse gets better, works more and answers faster, and when it reached a
status. The portal's figure has Mondays and second axes, which are left out on purpose.
"""

from typing import Any

import altair as alt
import duckdb
import pandas as pd

from mirror.errors import UsageError

from .mice import (
    STATUSES,
    WIDTH,
    Rows,
    date_axis,
    day_axis,
    find_mouse,
    stacked,
    status_rules,
    status_strip,
)
from .style import DARK, PERCENT, ask, counted, finished, log_seconds, nothing

TITLE = "Training of a mouse"
# Okabe and Ito's blue and vermilion.
PAIR = ["#0072b2", "#d55e00"]
DAYS = """
with session_duration as (
    select
        subject_uuid,
        session_start_time,
        (max(trial_end_time) - min(trial_start_time)) / 60 as minutes
    from trial_times
    where $mouse is null or subject_uuid = $mouse::uuid
    group by subject_uuid, session_start_time
),

duration as (
    select
        subject_uuid,
        session_start_time::date as session_date,
        sum(minutes) as minutes
    from session_duration
    group by subject_uuid, session_date
)
select
    days.subject_uuid::varchar as subject_uuid,
    days.session_date::varchar as session_date,
    days.training_day,
    days.n_trials,
    round(duration.minutes, 1) as minutes,
    100 * days.performance_easy as performance_easy,
    -- a logarithmic axis has no place for what is not above 0
    case when days.median_reaction_time > 0 then days.median_reaction_time end
        as median_reaction_time,
    coalesce(days.tasks, 'habituation') as tasks,
    coalesce(days.status, 'none') as status
from days
left join duration
    on duration.subject_uuid = days.subject_uuid
    and duration.session_date = days.session_date
where ($mouse is null or days.subject_uuid = $mouse::uuid) and days.n_trials > 0
order by days.subject_uuid, days.session_date
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
    found = rows(con, mouse["subject_uuid"])
    title = f"{TITLE}: {mouse['subject_nickname']}"
    if found["days"].empty:
        return nothing(con, title, "no days with trials match")
    first, *others = words(**found)
    return finished(con, draw(**found, x=x), title, [f"{mouse['lab_name']}; {first}", *others])


def rows(con: duckdb.DuckDBPyConnection, mouse: str | None = None) -> dict[str, pd.DataFrame]:
    """The days and statuses of one mouse by its UUID, or of all mice."""
    return {"days": ask(con, DAYS, mouse=mouse), "statuses": ask(con, STATUSES, mouse=mouse)}


def words(days: pd.DataFrame, statuses: pd.DataFrame) -> list[str]:
    """What stands under the title of one mouse."""
    n_trials = counted(int(days["n_trials"].sum()), "trial")
    dashed = "" if statuses.empty else "; dashed: first date of each status"
    return [f"{counted(len(days), 'day')} with {n_trials}", f"reaction time: median{dashed}"]


def draw(days: Rows, statuses: Rows, x: str = "date") -> Any:
    """Draw the panels of one mouse, without a title."""
    across = date_axis() if x == "date" else day_axis()
    untitled = across.title(None)
    axis = alt.Axis(tickCount=4, titleX=-44)
    panels = {
        "n_trials": alt.Y("n_trials:Q", title="trials", axis=axis),
        "minutes": alt.Y("minutes:Q", title="minutes", axis=axis),
        "performance_easy": alt.Y(
            "performance_easy:Q", title="easy correct, %", scale=PERCENT, axis=axis
        ),
        "median_reaction_time": log_seconds("median_reaction_time", "reaction time, s", titleX=-44),
    }
    *_, last = panels
    return stacked(
        status_strip(statuses, across),
        *(
            _panel(days, statuses, across if field == last else untitled, field, y)
            for field, y in panels.items()
        ),
    )


def beside(days: Rows) -> Any:
    """Draw mice, told apart by the rows' `mouse`, on one pair of axes a panel, by training day."""
    across = day_axis()
    panels = {
        "n_trials": alt.Y("n_trials:Q", title="trials"),
        "performance_easy": alt.Y("performance_easy:Q", title="easy correct, %", scale=PERCENT),
        "median_reaction_time": log_seconds("median_reaction_time", "reaction time, s"),
    }
    drawn = []
    for field, y in panels.items():
        mouse = (
            alt.Chart(days)
            .transform_filter(f"isValid(datum.{field})")
            .encode(
                x=across,
                y=y,
                # told apart in grey print as well, by shape
                color=alt.Color("mouse:N", sort=None, scale=alt.Scale(range=PAIR)),
                shape=alt.Shape("mouse:N", sort=None, scale=alt.Scale(range=["circle", "diamond"])),
                tooltip=[
                    alt.Tooltip("mouse:N"),
                    alt.Tooltip("session_date:N", title="date"),
                    alt.Tooltip("training_day:Q", title="training day"),
                    alt.Tooltip("status:N", title="status"),
                    alt.Tooltip("n_trials:Q", title="trials", format=","),
                    alt.Tooltip("performance_easy:Q", title="easy correct, %", format=".0f"),
                    alt.Tooltip("median_reaction_time:Q", title="reaction time, s", format=".2f"),
                ],
            )
            .properties(width=WIDTH, height=150)
        )
        dot = alt.OverlayMarkDef(filled=True, size=32, opacity=1)
        drawn.append(mouse.mark_line(strokeWidth=1, opacity=0.6, point=dot))
    return stacked(*drawn)


def _panel(days: Rows, statuses: Rows, across: alt.X, field: str, y: alt.Y) -> Any:
    drawn = (
        alt.Chart(days)
        .transform_filter(f"isValid(datum.{field})")
        .encode(
            x=across,
            y=y,
            tooltip=[
                alt.Tooltip("session_date:N", title="date"),
                alt.Tooltip("training_day:Q", title="training day"),
                alt.Tooltip("tasks:N", title="task"),
                alt.Tooltip("status:N", title="status"),
                alt.Tooltip("n_trials:Q", title="trials", format=","),
                alt.Tooltip("minutes:Q", title="minutes", format=".0f"),
                alt.Tooltip("performance_easy:Q", title="easy correct, %", format=".0f"),
                alt.Tooltip("median_reaction_time:Q", title="reaction time, s", format=".2f"),
            ],
        )
        .properties(width=WIDTH, height=110)
    )
    line = drawn.mark_line(color=DARK, strokeWidth=1, opacity=0.4)
    points = drawn.mark_circle(color=DARK, size=28, opacity=1)
    return alt.layer(status_rules(statuses, across), line, points)
