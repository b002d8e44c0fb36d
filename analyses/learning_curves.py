"""How each mouse learns: easy performance by training day, per laboratory (figures 2a, 2d).

One line per mouse, grey until the day it is trained and dark from then on; the mean of the
laboratory in its colour. The last panel has the means of all laboratories, and that of all mice in
black. Means are of days with more than two mice; the paper starts those of threshold and bias on
the first such day and keeps all days after it. Days with 100 trials or fewer are left out, as in
the paper. Its running median of three days is not applied: the lines show the days as they were.

Days are training days, from 1, as everywhere here; the paper counts from 0, and that from the first
day with more than 100 trials. A mouse is trained from its first status trained_1a or a higher one.
The number of the day, trials and performance are those that the server stored, as in the paper, or
recomputed: for all days of a mouse that of which more days are known (`days.day_source` and
`days.summary_source`). The day on which the mean over all mice first exceeds 80 % is as IBL's
notebook takes it, which leaves out no day and reports day 12 of its mice.

To take from it: mice learn in one to six weeks, laboratories at different speeds, and all arrive at
about the same place. The published figure has a running median of three days and the example mouse
KS014.
"""

import math
from collections.abc import Mapping
from typing import Any

import altair as alt
import duckdb
import pandas as pd

from .style import (
    ALL,
    AMONG_ALL,
    DARK,
    FEWEST,
    GREY,
    NO_LABORATORY,
    PERCENT,
    TRAINING_DAY,
    ask,
    below,
    counted,
    dash_among_all,
    finished,
    in_cohort,
    in_order,
    in_panels,
    institution_color,
    n_mice,
    nothing,
    touched,
    under_pointer,
)

TITLE = "Learning curves"
# A notebook shows 5,000 rows without being asked to; even days can be more than odd ones.
MOST_ROWS = 4500
# The days of each mouse by one clock and one source of what was summed up.
DAYS_BY_SOURCE = """
select
    subject_uuid,
    subject_nickname,
    institution_short,
    lab_name,
    session_date,
    case summary_source when 'stored' then stored_cum_trials else cum_trials end as cum_trials,
    day_source,
    summary_source,
    case day_source when 'stored' then stored_training_day else training_day end as day,
    case summary_source when 'stored' then stored_n_trials else n_trials end as n_trials,
    case summary_source when 'stored' then stored_performance_easy else performance_easy end
        as performance_easy
from days
"""
DAYS = f"""
with day as ({DAYS_BY_SOURCE})
select
    day.subject_uuid::varchar as subject_uuid,
    day.subject_nickname,
    day.session_date,
    coalesce(day.institution_short, '{NO_LABORATORY}') as institution_short,
    day.day,
    day.day_source,
    day.summary_source,
    100 * day.performance_easy as performance_easy,
    day.n_trials,
    coalesce(day.session_date >= milestones.date_reached_trained_1a, false) as is_trained
from day
left join training_milestones as milestones
    on milestones.subject_uuid = day.subject_uuid
where day.n_trials > 100
    and day.day is not null
    and day.performance_easy is not null
    and ($lab is null or day.lab_name = $lab)
    and {in_cohort("day.subject_uuid")}
"""


def chart(
    con: duckdb.DuckDBPyConnection,
    lab: str | None = None,
    cohort: str | None = None,
    last_day: int = 40,
) -> Any:
    """Draw the curves up to `last_day`, of all mice or those of one lab or cohort."""
    days = ask(con, DAYS, lab=lab, cohort=cohort)
    days = days[days["day"] <= last_day]
    if days.empty:
        return nothing(con, TITLE, "no days match")
    told = "; ".join(sources(days))
    days = days.drop(columns=["session_date", "day_source", "summary_source"])
    means = averaged(days, ["performance_easy"])
    every = step(days, means)
    rows = drawable(days, means, every)
    drawn = panels(rows, n_mice(days), last_day, "performance_easy", "easy correct, %", PERCENT)
    mice = counted(days["subject_uuid"].nunique(), "mouse", "mice")
    subtitle = [
        f"{mice}, {counted(len(days), 'day')} with more than 100 trials; {_exceeds(means)}",
        told,
        *key(days, every),
    ]
    return finished(con, drawn, TITLE, subtitle)


def averaged(days: pd.DataFrame, measures: list[str], how: str = "mean") -> pd.DataFrame:
    """The means over mice by day, of each laboratory and of all, where there are three or more."""
    by_day = pd.concat([days, days.assign(institution_short=ALL)]).groupby(
        ["institution_short", "day"]
    )
    means = by_day[measures].agg(how).assign(n_mice=by_day.size())
    return means[means["n_mice"] >= FEWEST].reset_index()


def step(days: pd.DataFrame, means: pd.DataFrame) -> int:
    """Which days of the mice are drawn, every second or more where all would be too many rows."""
    # with a far last day the means of many laboratories would leave no room
    return math.ceil(len(days) / max(MOST_ROWS - 2 * len(means), MOST_ROWS // 4))


def drawable(days: pd.DataFrame, means: pd.DataFrame, every: int) -> pd.DataFrame:
    """The rows of `panels`: mice and means, each in the `panel` of the laboratory or of all."""
    mice = days[(days["day"] % every == 0) | (every == 1)].assign(panel=days["institution_short"])
    of_all = means["institution_short"] == ALL
    own = means[~of_all].assign(panel=means["institution_short"])
    if days["institution_short"].nunique() == 1:
        return pd.concat([mice, own])
    # that of all mice comes last, to lie on top
    return pd.concat([mice, own, own.assign(panel=ALL), means[of_all].assign(panel=ALL)])


def panels(
    rows: pd.DataFrame,
    sizes: Mapping[str, str],
    last_day: int,
    measure: str,
    title: str,
    scale: alt.Scale,
) -> Any:
    """Draw a measure of the rows of `drawable` by day, on an axis with a title and a scale.

    A mouse under the pointer stands out in all such charts that stand together.
    """
    names = in_order(sizes)
    hover = under_pointer()
    base = alt.Chart().encode(
        x=alt.X("day:Q", title=TRAINING_DAY, scale=alt.Scale(domain=[0, last_day], nice=False)),
        y=alt.Y(f"{measure}:Q", title=title, scale=scale),
    )
    day = alt.Tooltip("day:Q", title="training day")
    value = alt.Tooltip(f"{measure}:Q", title=title, format=".1f")
    mice = (
        base.mark_line()
        .transform_filter("isValid(datum.subject_uuid)")
        .encode(
            detail=["subject_uuid:N", "is_trained:N"],
            # values, not a scale: that is of the laboratories
            color=alt.condition("datum.is_trained", alt.value(DARK), alt.value(GREY)),
        )
    )
    of_mouse = [
        alt.Tooltip("subject_nickname:N", title="mouse"),
        day,
        value,
        alt.Tooltip("n_trials:Q", title="trials", format=","),
    ]
    thin = mice.encode(
        opacity=alt.condition(hover, alt.value(1), alt.value(0.5)),
        strokeWidth=alt.condition(hover, alt.value(3), alt.value(1)),
    ).add_params(hover)
    wide = touched(mice, of_mouse)
    legend = below(names, symbolType="stroke", symbolStrokeWidth=2)
    means = (
        base.mark_line()
        .transform_filter("isValid(datum.n_mice)")
        .encode(
            color=institution_color(names).legend(legend),
            strokeDash=dash_among_all(names, legend),
            strokeWidth=alt.condition(AMONG_ALL, alt.value(1.5), alt.value(2.5)),
            tooltip=[
                alt.Tooltip("institution_short:N", title="laboratory"),
                day,
                value,
                alt.Tooltip("n_mice:Q", title="mice"),
            ],
        )
    )
    size = 150 if len(names) > 1 else 300
    return in_panels([thin, wide, means], rows, sizes, 5, size)


def sources(days: pd.DataFrame) -> list[str]:
    """Whose days and whose performance these are; `days` has a row or more for each mouse."""
    is_stored = days.groupby("subject_uuid")[["day_source", "summary_source"]].first() == "stored"
    return [
        source("training day", int(is_stored["day_source"].sum()), len(is_stored)),
        source("performance", int(is_stored["summary_source"].sum()), len(is_stored)),
    ]


def source(what: str, n_stored: int, n_mice: int) -> str:
    """Whose it is, of so many mice that of the server."""
    if n_stored in (0, n_mice):
        return f"{what} {'as the server stored it' if n_stored else 'recomputed'}"
    recomputed = counted(n_mice - n_stored, "mouse", "mice")
    return f"{what} as the server stored it, of {recomputed} recomputed"


def key(days: pd.DataFrame, every: int) -> list[str]:
    """What the lines are, for the subtitle."""
    lines = "grey in training, dark once trained; means of three mice or more: of a laboratory in"
    lines += f" colour{of_all(days)}"
    return [lines, *([f"lines of mice have a point every {every} days"] if every > 1 else [])]


def of_all(days: pd.DataFrame) -> str:
    """What the dark line is, where there is one."""
    return ", of all in black" if days["institution_short"].nunique() > 1 else ""


def _exceeds(means: pd.DataFrame) -> str:
    """The first day on which the mean over all mice is above 80 %."""
    above = means[(means["institution_short"] == ALL) & (means["performance_easy"] > 80)]
    if above.empty:
        return "the mean over mice does not exceed 80 %"
    first = above.iloc[0]
    n_mice = counted(int(first["n_mice"]), "mouse", "mice")
    return f"the mean over mice first exceeds 80 % on day {int(first['day'])} ({n_mice})"
