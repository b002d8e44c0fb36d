"""The psychometric fits of one mouse by training day: threshold, bias and lapses, per block.

As on the mouse page of IBL's data portal. Grey lines are the limits of trained_1a, which the mouse
must stay within; the training status applies them to the trials of three sessions pooled, not to
single days. Days with fewer than six contrasts are left out, as in figure 2 of the paper: their
fits mean little. Bars are one standard error, and a fit at a bound has none. `source="stored"`
draws the server's own fits, which have no errors. Without a `subject` it is the mouse with the
most trials.
"""

from typing import Any

import altair as alt
import duckdb
import pandas as pd

from analyses.mice import (
    RULE_COLOR,
    STATUSES,
    WIDTH,
    day_axis,
    find_mouse,
    status_rules,
    status_strip,
)
from analyses.style import ask, block_color, counted, finished, nothing
from mirror.derive.status import TRAINED_1A
from mirror.errors import UsageError

TITLE = "Psychometric fits"
FITS = """
select
    days.training_day,
    fits.session_date::varchar as session_date,
    fits.prob_left_block,
    fits.n_trials,
    fits.threshold,
    fits.threshold_se,
    fits.bias,
    fits.bias_se,
    fits.lapse_low,
    fits.lapse_low_se,
    fits.lapse_high,
    fits.lapse_high_se
from psychometric_fits as fits
join days
    on days.subject_uuid = fits.subject_uuid
    and days.session_date = fits.session_date
where fits.subject_uuid = $mouse::uuid
    and fits.unit = 'day_block'
    -- the server's bounds, which its limits were made for
    and fits.variant = 'datajoint'
    and fits.source = $source
    and fits.n_contrasts >= 6
    and fits.threshold is not null
    and fits.prob_left_block in (20, 50, 80)
    and days.training_day is not null
order by days.training_day, fits.prob_left_block
"""
SHOWN = ["training_day", "session_date", "prob_left_block", "n_trials"]
PANELS = {
    "threshold": "threshold, %",
    "bias": "bias, %",
    "lapse_low": "lapse left",
    "lapse_high": "lapse right",
}


def chart(
    con: duckdb.DuckDBPyConnection,
    lab: str | None = None,
    cohort: str | None = None,
    subject: str | None = None,
    source: str = "derived",
) -> Any:
    """Draw the fits of one mouse, `derived` from the trials or `stored` by the server."""
    if source not in ("derived", "stored"):
        raise UsageError(f"source is derived or stored, not {source!r}.")
    mouse = find_mouse(con, lab, cohort, subject)
    if mouse is None:
        return nothing(con, TITLE, "no mouse matches")
    title = f"{TITLE}: {mouse['subject_nickname']}"
    fits = ask(con, FITS, mouse=mouse["subject_uuid"], source=source)
    if fits.empty:
        return nothing(con, title, f"no {source} fits of a day with six contrasts match")
    statuses = ask(con, STATUSES, mouse=mouse["subject_uuid"]).dropna(subset=["training_day"])
    days = [*fits["training_day"], *statuses["training_day"]]
    across = day_axis(min(days), max(days))
    last = list(PANELS)[-1]
    panels = [
        _panel(fits, statuses, parameter, across if parameter == last else across.title(None))
        for parameter in PANELS
    ]
    strip = [] if statuses.empty else [status_strip(statuses, across)]
    n_days = counted(fits["training_day"].nunique(), "day")
    n_trials = counted(int(fits["n_trials"].sum()), "trial")
    subtitle = [
        f"{mouse['lab_name']}; {counted(len(fits), 'fit')} of {n_days}, {n_trials}",
        "grey lines: limits of trained_1a"
        + ("; dashed: first date of each status" if strip else ""),
    ]
    return finished(con, alt.vconcat(*strip, *panels, spacing=14), title, subtitle)


def limits(parameter: str) -> list[float]:
    """What the parameter must stay below for trained_1a, and above for the signed bias."""
    (rule,) = (rule for rule in TRAINED_1A.rules if rule.measure == parameter)
    return [-rule.limit, rule.limit] if parameter == "bias" else [rule.limit]


def _panel(fits: pd.DataFrame, statuses: pd.DataFrame, parameter: str, across: alt.X) -> Any:
    bounds = limits(parameter)
    largest = max(fits[parameter].abs().max(), max(bounds)) * 1.05
    scale = alt.Scale(domain=[-largest if min(bounds) < 0 else 0, largest], nice=True)
    fits = fits.assign(
        low=fits[parameter] - fits[f"{parameter}_se"],
        high=fits[parameter] + fits[f"{parameter}_se"],
    )
    fits = fits[[*SHOWN, parameter, "low", "high"]]
    limit = (
        alt.Chart(pd.DataFrame({"limit": bounds}))
        .mark_rule(color=RULE_COLOR, strokeWidth=1)
        .encode(
            y=alt.Y("limit:Q", scale=scale),
            tooltip=alt.Tooltip("limit:Q", title="limit of trained_1a"),
        )
    )
    drawn = alt.Chart(fits).encode(x=across, color=block_color().legend(symbolOpacity=1))
    errors = (
        drawn.mark_rule(clip=True, opacity=0.4)
        .transform_filter("isValid(datum.low)")
        .encode(y=alt.Y("low:Q", scale=scale), y2="high:Q")
    )
    y = alt.Y(
        f"{parameter}:Q",
        title=PANELS[parameter],
        scale=scale,
        axis=alt.Axis(tickCount=4, titleX=-44),
    )
    points = drawn.mark_circle(size=30, opacity=1).encode(
        y=y,
        tooltip=[
            alt.Tooltip("session_date:N", title="date"),
            alt.Tooltip("training_day:Q", title="training day"),
            alt.Tooltip("prob_left_block:N", title="stimulus left, %"),
            alt.Tooltip(f"{parameter}:Q", title=PANELS[parameter], format=".2f"),
            alt.Tooltip("n_trials:Q", title="trials", format=","),
        ],
    )
    lines = drawn.mark_line(strokeWidth=1, opacity=0.4).encode(y=y)
    layers = [*status_rules(statuses, across), limit, errors, lines, points]
    return alt.layer(*layers).properties(width=WIDTH, height=110)
