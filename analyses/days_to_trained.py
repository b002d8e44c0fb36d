"""Days and trials until a mouse is trained, by laboratory: a dot per mouse (figure 2g).

The bar is the median. Days with trials up to and including the one on which the mouse was trained,
as the paper's queries count; its published table counts one day less. A mouse is trained with its
first status trained_1a or a higher one; the paper leaves out those that skipped both 1a and 1b, and
tests days only.
Laboratories with fewer than two mice, and mice of no laboratory, are drawn and not tested.

To take from it: the time to learn differs several times between mice of one laboratory, and
laboratories differ too. The published figure has boxes beside the dots, which a median and a swarm
say as well.
"""

from typing import Any

import altair as alt
import duckdb

from .laboratories import notes, panel
from .statistics import compare
from .style import (
    ask,
    counted,
    finished,
    in_cohort,
    nothing,
    together,
)

TITLE = "Days and trials until trained"
MICE = f"""
select
    subject_uuid::varchar as subject_uuid,
    institution_short,
    lab_name,
    subject_nickname,
    n_days,
    n_trials,
    2 * n_days_without_status > training_day as is_mostly_without_status
from time_to_criterion
where criterion = 'reached_trained_1a'
    and is_reached
    and ($lab is null or lab_name = $lab)
    and {in_cohort("time_to_criterion.subject_uuid")}
"""
MEASURES = {"n_days": "days until trained", "n_trials": "trials until trained"}
TOOLTIP = [
    alt.Tooltip("subject_nickname:N", title="mouse"),
    alt.Tooltip("lab_name:N", title="laboratory"),
    alt.Tooltip("n_days:Q", title="days"),
    alt.Tooltip("n_trials:Q", title="trials", format=","),
]


def chart(con: duckdb.DuckDBPyConnection, lab: str | None = None, cohort: str | None = None) -> Any:
    """Draw all trained mice, or those of one lab or cohort."""
    mice = ask(con, MICE, lab=lab, cohort=cohort)
    if mice.empty:
        return nothing(con, TITLE, "no trained mice match")
    tests = compare(mice, MEASURES)
    panels = [
        panel(mice, test, _y(test["measure"]), TOOLTIP, 380, 260)
        for test in tests.to_dict("records")
    ]
    subtitle = [
        f"{counted(len(mice), 'trained mouse', 'trained mice')} of"
        f" {counted(mice['institution_short'].nunique(), 'laboratory', 'laboratories')}; median"
        f" {mice['n_days'].median():,.0f} days and {mice['n_trials'].median():,.0f} trials",
        *notes(mice, tests),
    ]
    if n_unsure := int(mice["is_mostly_without_status"].sum()):
        subtitle.append(
            f"{counted(n_unsure, 'mouse has', 'mice have')} no status on most days before:"
            " perhaps trained earlier"
        )
    return finished(con, together(panels, 2), TITLE, subtitle)


def _y(measure: str) -> alt.Y:
    axis = alt.Axis(format=",d", tickMinStep=1)
    return alt.Y(f"{measure}:Q", title=MEASURES[measure], axis=axis)
