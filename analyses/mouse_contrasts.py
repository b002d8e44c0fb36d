"""The choices of one mouse: P(right) by training day and signed contrast (figure 1d).

From the trials with even odds of left and right (block 50), as on the mouse page of IBL's data
portal; a column per training day, grey where the contrast was not shown or the mouse did not
run. Figure 1 shows KS014: `subject="KS014"`. Here it is, without a `subject`, the mouse with the
most trials. No-go trials are left out. Dashed lines stand at the first date of each status.

To take from it: on which day a mouse began to choose by what it saw, and which contrasts it was
shown. The published figure has the example mouse KS014 and its marks of single days.
"""

from typing import Any

import altair as alt
import duckdb
import pandas as pd

from .mice import (
    STATUSES,
    WIDTH,
    Rows,
    day_axis,
    find_mouse,
    stacked,
    status_rules,
    status_strip,
)
from .style import ask, counted, finished, nothing

TITLE = "Choices by contrast"
CHOICES = """
select
    subject_uuid::varchar as subject_uuid,
    training_day,
    session_date::varchar as session_date,
    training_day - 0.5 as day_start,
    training_day + 0.5 as day_end,
    signed_contrast,
    100 * p_right as percent_right,
    100 * p_right_low68 as low,
    100 * p_right_high68 as high,
    n_trials
from psychometrics_by_day
where ($mouse is null or subject_uuid = $mouse::uuid)
    and prob_left_block = 50
    and training_day is not null
    and signed_contrast is not null
    and p_right is not null
order by subject_uuid, training_day, signed_contrast
"""


def chart(
    con: duckdb.DuckDBPyConnection,
    lab: str | None = None,
    cohort: str | None = None,
    subject: str | None = None,
) -> Any:
    """Draw the heatmap of one mouse."""
    mouse = find_mouse(con, lab, cohort, subject)
    if mouse is None:
        return nothing(con, TITLE, "no mouse matches")
    found = rows(con, mouse["subject_uuid"])
    title = f"{TITLE}: {mouse['subject_nickname']}"
    if found["choices"].empty:
        return nothing(con, title, "no trials of block 50 match")
    return finished(con, draw(**found), title, f"{mouse['lab_name']}; {words(**found)}")


def rows(con: duckdb.DuckDBPyConnection, mouse: str | None = None) -> dict[str, pd.DataFrame]:
    """The choices and statuses of one mouse by its UUID, or of all mice."""
    return {"choices": ask(con, CHOICES, mouse=mouse), "statuses": ask(con, STATUSES, mouse=mouse)}


def words(choices: pd.DataFrame, statuses: pd.DataFrame) -> str:
    """What stands under the title of one mouse."""
    n_days = counted(choices["training_day"].nunique(), "day")
    n_trials = counted(int(choices["n_trials"].sum()), "trial")
    dashed = "" if statuses.empty else "; dashed: first date of each status"
    return f"{n_days}, {n_trials} with even odds of left and right{dashed}"


def draw(choices: Rows, statuses: Rows) -> Any:
    """Draw the heatmap of one mouse, without a title."""
    cells = (
        alt.Chart(choices)
        .mark_rect()
        .encode(
            # the axis of the rules, by the edges of the cells
            x=day_axis("day_start"),
            x2="day_end:Q",
            y=alt.Y(
                "signed_contrast:O",
                sort="descending",
                title="contrast, % (right positive)",
                axis=alt.Axis(format="~g"),
            ),
            color=alt.Color(
                "percent_right:Q",
                title="right, %",
                scale=alt.Scale(scheme="purpleorange", domain=[0, 100]),
            ),
            tooltip=[
                alt.Tooltip("session_date:N", title="date"),
                alt.Tooltip("training_day:Q", title="training day"),
                alt.Tooltip("signed_contrast:Q", title="contrast, %"),
                alt.Tooltip("percent_right:Q", title="right, %", format=".0f"),
                alt.Tooltip("low:Q", title="68 % interval from", format=".0f"),
                alt.Tooltip("high:Q", title="to", format=".0f"),
                alt.Tooltip("n_trials:Q", title="trials", format=","),
            ],
        )
        .properties(width=WIDTH, height=alt.Step(22))
    )
    across = day_axis()
    # the middle of the colours is nearly white: what was not shown is not
    heatmap = alt.layer(cells, status_rules(statuses, across)).properties(view={"fill": "#d4d4d4"})
    return stacked(status_strip(statuses, across), heatmap)
