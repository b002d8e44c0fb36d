"""Threshold and bias of each mouse by training day, per laboratory (figures 2b, 2c, 2e, 2f).

Drawn as `learning_curves` draws easy performance, and by its days: threshold above (2b, 2e), bias
below (2c, 2f). The fits are those of blocks with half of the stimuli on each side, on days with at
least six signed contrasts, as in the paper: once a mouse is in biased sessions, of their first 90
trials. What lies beyond the paper's axes stands at their edge, with its value under the pointer.

The paper draws the fits that the server stored. Here they are fitted again to the trials, within
the server's bounds and with its no-go trials (variant `datajoint`), since the server's search is
not repeatable and gives four numbers also where the trials determine no curve; such days are left
out. `source="stored"` draws the server's own.

To take from it: thresholds fall for a while and biases shrink to nothing; a single day says little
of either. The published figure has every day, means and the example mouse KS014.
"""

from typing import Any

import altair as alt
import duckdb
import pandas as pd

from mirror.errors import UsageError

from .learning_curves import DAYS, averaged, drawable, of_all, panels, sources
from .style import ask, counted, finished, n_mice, nothing, together

TITLE = "Threshold and bias in training"
FITS = f"""
with day as ({DAYS})
select
    day.subject_uuid,
    day.subject_nickname,
    day.institution_short,
    day.day,
    day.day_source,
    day.summary_source,
    day.is_trained,
    fits.threshold,
    fits.bias,
    fits.n_trials
from day
join psychometric_fits as fits
    on fits.subject_uuid = day.subject_uuid::uuid
    and fits.session_date = day.session_date
where fits.grain = 'day_block'
    and fits.prob_left_block = 50
    and fits.variant = 'datajoint'
    and fits.source = $source
    and fits.n_contrasts >= 6
    and fits.threshold is not null
"""
# Days of a point.
TOGETHER = 3
# Title and ends of the axis of each parameter, as in the paper.
PANELS: dict[str, tuple[str, list[int]]] = {
    "threshold": ("threshold, % contrast", [0, 40]),
    "bias": ("bias, % contrast", [-30, 30]),
}


def chart(
    con: duckdb.DuckDBPyConnection,
    lab: str | None = None,
    cohort: str | None = None,
    source: str = "derived",
    last_day: int = 40,
) -> Any:
    """Draw the fits up to `last_day`, `derived` from the trials or `stored` by the server."""
    if source not in ("derived", "stored"):
        raise UsageError(f"source is derived or stored, not {source!r}.")
    days = ask(con, FITS, lab=lab, cohort=cohort, source=source)
    days = days[days["day"] <= last_day]
    if days.empty:
        return nothing(con, TITLE, f"no {source} fits of a day with six contrasts match")
    binned = _binned(days)
    medians = averaged(binned, list(PANELS), "median")
    rows = drawable(binned, medians, 1)
    drawn = together(
        (
            panels(
                rows,
                n_mice(days),
                last_day,
                name,
                title,
                alt.Scale(domain=ends, clamp=True, nice=False),
            )
            for name, (title, ends) in PANELS.items()
        ),
        1,
    )
    mice = counted(days["subject_uuid"].nunique(), "mouse", "mice")
    whose = "fitted here" if source == "derived" else "the server's fits"
    subtitle = [
        f"{mice}, {counted(len(days), 'day')} with six contrasts,"
        f" {counted(int(days['n_trials'].sum()), 'trial')} of 50:50 blocks; {whose}; beyond the"
        " axes: at their edge",
        sources(days)[0],
        f"medians over {TOGETHER} days: of a mouse, grey in training and dark once trained; over"
        f" three mice or more, of a laboratory in colour{of_all(days)}",
    ]
    return finished(con, drawn, TITLE, subtitle)


def _binned(days: pd.DataFrame) -> pd.DataFrame:
    """The medians of each mouse over three days, at the second of them."""
    middle = (days["day"] - 1) // TOGETHER * TOGETHER + (TOGETHER + 1) / 2
    mouse = ["subject_uuid", "subject_nickname", "institution_short", "is_trained", "day"]
    points = days.assign(day=middle).groupby(mouse, as_index=False)
    return points.agg(
        threshold=("threshold", "median"), bias=("bias", "median"), n_trials=("n_trials", "sum")
    )
