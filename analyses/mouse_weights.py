"""Weight and water of one mouse by date, with the weights at which the rules ask for a look.

The first figure of the mouse page of IBL's data portal, which only IBL saw: the public server has
weighings and water from 2021 on at best. Grey lines are 85 and 75 % of the weight at the start of
the water restriction in force, where one is recorded. Bars are the known amounts of a date, in the
task and after it; on dates of a diamond the mouse could drink as much as it wanted, so that its bar
is too short. Dashed lines stand at the first date of each status. Without a `subject` (nickname or
UUID) it is the mouse with the most trials.

To take from it: whether a mouse keeps its weight on the water that it gets. The portal's figure has
the kinds of water as parts of each bar.
"""

from typing import Any

import altair as alt
import duckdb
import pandas as pd

from .mice import (
    RULE_COLOR,
    STATUSES,
    WIDTH,
    Rows,
    date_axis,
    find_mouse,
    stacked,
    status_rules,
    status_strip,
)
from .style import DARK, GREY, ask, counted, finished, nothing

TITLE = "Weight and water"
# Dates with more days between them are no course of weights, and so few of them no part of one.
LONGEST_GAP = 7
FARTHEST, FEWEST_DATES = 60, 5
DATES = f"""
with dated as (
    select
        *,
        action_date - lag(action_date) over mouse_dates as gap
    from weights_and_water
    where $mouse is null or subject_uuid = $mouse::uuid
    window mouse_dates as (partition by subject_uuid order by action_date)
),
stretched as (
    select
        *,
        (count(*) filter (where gap > {LONGEST_GAP}) over so_far)::integer as stretch,
        count(*) filter (where gap > {FARTHEST}) over so_far as era
    from dated
    window so_far as (partition by subject_uuid order by action_date)
)
select
    subject_uuid::varchar as subject_uuid,
    action_date::varchar as session_date,
    stretch,
    -- a date or two far from all others would squeeze them
    count(*) over (partition by subject_uuid, era) < {FEWEST_DATES}
        and count(*) over (partition by subject_uuid) >= {2 * FEWEST_DATES} as is_far,
    round(weight, 2) as weight,
    round(100 * weight_share, 1) as percent_of_reference,
    round(0.85 * reference_weight, 2) as weight_85,
    round(0.75 * reference_weight, 2) as weight_75,
    round(water_ml, 2) as water_ml,
    water_types,
    is_ad_lib
from stretched
order by subject_uuid, action_date
"""


def chart(
    con: duckdb.DuckDBPyConnection,
    lab: str | None = None,
    cohort: str | None = None,
    subject: str | None = None,
) -> Any:
    """Draw the weight and water of one mouse."""
    mouse = find_mouse(con, lab, cohort, subject)
    if mouse is None:
        return nothing(con, TITLE, "no mouse matches")
    title = f"{TITLE}: {mouse['subject_nickname']}"
    found = rows(con, mouse["subject_uuid"])
    if found["weights"].empty:
        return nothing(con, title, "no dates with a weighing or water match")
    first, *others = words(**found)
    return finished(con, draw(**found), title, [f"{mouse['lab_name']}; {first}", *others])


def rows(con: duckdb.DuckDBPyConnection, mouse: str | None = None) -> dict[str, pd.DataFrame]:
    """The dates and statuses of one mouse by its UUID, or of all mice."""
    return {"weights": ask(con, DATES, mouse=mouse), "statuses": ask(con, STATUSES, mouse=mouse)}


def words(weights: pd.DataFrame, statuses: pd.DataFrame) -> list[str]:
    """What stands under the title of one mouse."""
    n_weighed = f"weighed on {counted(int(weights['weight'].count()), 'date')}"
    n_watered = f"water on {counted(int(weights['water_ml'].count()), 'date')}"
    lines = [f"{n_weighed}, {n_watered}"]
    if weights["weight_85"].notna().any():
        lines.append("grey: 85 and 75 % of the weight at the start of the restriction")
    else:
        lines.append("no water restriction with a weight is recorded: no lines at 85 and 75 %")
    far = weights[weights["is_far"]]
    if not far.empty:
        told = "; ".join(
            f"{row['session_date']} {row['weight']:.1f} g"
            for row in far.dropna(subset=["weight"]).to_dict("records")
        )
        lines.append(
            f"{counted(len(far), 'date')} far from all others not drawn" + f": {told}" * bool(told)
        )
    if not statuses.empty:
        lines.append("dashed: first date of each status")
    return lines


def draw(weights: Rows, statuses: Rows) -> Any:
    """Draw the panels of one mouse, without a title."""
    across = date_axis()
    return stacked(
        status_strip(statuses, across),
        _weight(weights, statuses, across.title(None)),
        _water(weights, statuses, across),
    )


def _weight(weights: Rows, statuses: Rows, across: alt.X) -> Any:
    y = alt.Y("weight:Q", title="weight, g", scale=alt.Scale(zero=False), axis=_axis())
    weighed = (
        alt.Chart(weights)
        .transform_filter("isValid(datum.weight) && !datum.is_far")
        .encode(x=across, y=y, tooltip=_tooltip())
    )
    limits = [
        alt.Chart(weights)
        .transform_filter(f"isValid(datum.{limit}) && !datum.is_far")
        .mark_line(color=RULE_COLOR, strokeWidth=1, interpolate="step-after")
        .encode(x=across, y=alt.Y(f"{limit}:Q", title="weight, g"), detail="stretch:O")
        for limit in ("weight_85", "weight_75")
    ]
    # no line over weeks without a weighing
    line = weighed.mark_line(color=DARK, strokeWidth=1, opacity=0.4).encode(detail="stretch:O")
    points = weighed.mark_circle(color=DARK, size=28, opacity=1)
    layers = [status_rules(statuses, across), *limits, line, points]
    return alt.layer(*layers).properties(width=WIDTH, height=150)


def _water(weights: Rows, statuses: Rows, across: alt.X) -> Any:
    base = alt.Chart(weights).encode(x=across, tooltip=_tooltip())
    bars = base.transform_filter("isValid(datum.water_ml) && !datum.is_far").mark_bar(
        size=3, color=GREY
    )
    free = base.transform_filter("datum.is_ad_lib && !datum.is_far").mark_point(
        shape="diamond", filled=True, color=DARK, size=40
    )
    layers = [
        bars.encode(y=alt.Y("water_ml:Q", title="water, ml", axis=_axis())),
        status_rules(statuses, across),
        free.encode(y=alt.value(0)),
    ]
    return alt.layer(*layers).properties(width=WIDTH, height=90)


def _axis() -> alt.Axis:
    return alt.Axis(tickCount=4, titleX=-44)


def _tooltip() -> list[alt.Tooltip]:
    return [
        alt.Tooltip("session_date:N", title="date"),
        alt.Tooltip("weight:Q", title="weight, g", format=".1f"),
        alt.Tooltip("percent_of_reference:Q", title="of the reference weight, %", format=".0f"),
        alt.Tooltip("water_ml:Q", title="water, ml", format=".2f"),
        alt.Tooltip("water_types:N", title="kinds of water"),
        alt.Tooltip("is_ad_lib:N", title="as much as it wanted"),
    ]
