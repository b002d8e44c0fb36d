"""The psychometric fits of one mouse by training day: threshold, bias and lapses, per block.

As on the mouse page of IBL's data portal. Grey lines are the limits of trained_1a, which the mouse
must stay within; the training status applies them to the trials of three sessions pooled, not to
single days. Days with fewer than six contrasts are left out, as in figure 2 of the paper: their
fits mean little. Bars are one standard error, and a fit at a bound has none. All mice have the same
axes; what lies beyond stands at their edge, with its value under the pointer. `source="stored"`
draws the server's own fits, which have no errors. Without a `subject` it is the mouse with the
most trials.

To take from it: whether the parameters of a mouse stay within the limits, and how sure each of them
is. The portal's figure has fits of every day, of few contrasts as well.
"""

from typing import Any

import altair as alt
import duckdb
import pandas as pd

from mirror.derive.status import TRAINED_1A
from mirror.errors import UsageError

from .mice import (
    RULE_COLOR,
    STATUSES,
    WIDTH,
    Rows,
    day_axis,
    find_mouse,
    stacked,
    status_rules,
    status_strip,
)
from .style import ask, block_color, counted, finished, nothing

TITLE = "Psychometric fits"
FITS = """
select
    fits.subject_uuid::varchar as subject_uuid,
    days.training_day,
    fits.session_date::varchar as session_date,
    fits.prob_left_block,
    fits.n_trials,
    fits.threshold,
    fits.threshold - fits.threshold_se as threshold_from,
    fits.threshold + fits.threshold_se as threshold_to,
    fits.bias,
    fits.bias - fits.bias_se as bias_from,
    fits.bias + fits.bias_se as bias_to,
    fits.lapse_low,
    fits.lapse_low - fits.lapse_low_se as lapse_low_from,
    fits.lapse_low + fits.lapse_low_se as lapse_low_to,
    fits.lapse_high,
    fits.lapse_high - fits.lapse_high_se as lapse_high_from,
    fits.lapse_high + fits.lapse_high_se as lapse_high_to
from psychometric_fits as fits
join days
    on days.subject_uuid = fits.subject_uuid
    and days.session_date = fits.session_date
where ($mouse is null or fits.subject_uuid = $mouse::uuid)
    and fits.grain = 'day_block'
    -- the server's bounds, which its limits were made for
    and fits.variant = 'datajoint'
    and fits.source = $source
    and fits.n_contrasts >= 6
    and fits.threshold is not null
    and fits.prob_left_block in (20, 50, 80)
    and days.training_day is not null
order by fits.subject_uuid, days.training_day, fits.prob_left_block
"""
# Title and ends of the axis of each parameter: 95 of 100 fits of the published mice lie within.
PANELS: dict[str, tuple[str, list[float]]] = {
    "threshold": ("threshold, %", [0, 60]),
    "bias": ("bias, %", [-40, 40]),
    "lapse_low": ("lapse left", [0, 0.5]),
    "lapse_high": ("lapse right", [0, 0.5]),
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
    found = rows(con, mouse["subject_uuid"], source)
    if found["fits"].empty:
        return nothing(con, title, f"no {source} fits of a day with six contrasts match")
    first, *others = words(**found)
    return finished(con, draw(**found), title, [f"{mouse['lab_name']}; {first}", *others])


def rows(
    con: duckdb.DuckDBPyConnection, mouse: str | None = None, source: str = "derived"
) -> dict[str, pd.DataFrame]:
    """The fits and statuses of one mouse by its UUID, or of all mice."""
    return {
        "fits": ask(con, FITS, mouse=mouse, source=source),
        "statuses": ask(con, STATUSES, mouse=mouse),
    }


def words(fits: pd.DataFrame, statuses: pd.DataFrame) -> list[str]:
    """What stands under the title of one mouse."""
    n_days = counted(fits["training_day"].nunique(), "day")
    n_trials = counted(int(fits["n_trials"].sum()), "trial")
    dashed = "" if statuses.empty else "; dashed: first date of each status"
    return [
        f"{counted(len(fits), 'fit')} of {n_days}, {n_trials}",
        f"grey lines: limits of trained_1a{dashed}",
    ]


def draw(fits: Rows, statuses: Rows) -> Any:
    """Draw the panels of one mouse, without a title."""
    across = day_axis()
    last = list(PANELS)[-1]
    return stacked(
        status_strip(statuses, across),
        *(
            _panel(fits, statuses, name, across if name == last else across.title(None))
            for name in PANELS
        ),
    )


def limits(parameter: str) -> list[float]:
    """What the parameter must stay below for trained_1a, and above for the signed bias."""
    (rule,) = (rule for rule in TRAINED_1A.rules if rule.measure == parameter)
    return [-rule.limit, rule.limit] if parameter == "bias" else [rule.limit]


def _panel(fits: Rows, statuses: Rows, parameter: str, across: alt.X) -> Any:
    title, ends = PANELS[parameter]
    scale = alt.Scale(domain=ends, clamp=True)
    y = alt.Y(f"{parameter}:Q", title=title, scale=scale, axis=alt.Axis(tickCount=4, titleX=-44))
    limit = (
        alt.Chart(pd.DataFrame({"limit": limits(parameter)}))
        .mark_rule(color=RULE_COLOR, strokeWidth=1)
        .encode(
            y=alt.Y("limit:Q", scale=scale),
            tooltip=alt.Tooltip("limit:Q", title="limit of trained_1a"),
        )
    )
    drawn = alt.Chart(fits).encode(x=across, color=block_color().legend(symbolOpacity=1))
    errors = (
        drawn.mark_rule(opacity=0.4)
        .transform_filter(f"isValid(datum.{parameter}_from)")
        .encode(y=alt.Y(f"{parameter}_from:Q", scale=scale), y2=f"{parameter}_to:Q")
    )
    points = drawn.mark_circle(size=30, opacity=1).encode(
        y=y,
        tooltip=[
            alt.Tooltip("session_date:N", title="date"),
            alt.Tooltip("training_day:Q", title="training day"),
            alt.Tooltip("prob_left_block:N", title="stimulus left, %"),
            alt.Tooltip(f"{parameter}:Q", title=title, format=".2f"),
            alt.Tooltip("n_trials:Q", title="trials", format=","),
        ],
    )
    lines = drawn.mark_line(strokeWidth=1, opacity=0.4).encode(y=y)
    layers = [status_rules(statuses, across), limit, errors, lines, points]
    return alt.layer(*layers).properties(width=WIDTH, height=110)
