"""One session by contrast: choices with their fits, and reaction times, a curve per block.

As on the session page of IBL's data portal, which mirrored the axis of its reaction times and
called 97 % intervals 68 %. Bars of choices are Wilson's interval of 68 %, those of reaction times
the quartiles; lines over the choices are fits with the server's bounds, and missing where the
trials do not determine one. Reaction times are the pipeline's: from the onset of the stimulus,
or the go cue for want of it, no-go trials included. Without a `session` (UUID, or start such as
2019-08-30 12:00:00, also shortened, then with a `subject`) it is the last one with trials of the
`subject`, or of the mouse with the most trials.

To take from it: how one session looks by contrast, and how little of it is certain. The portal's
figure has its parameters as a table beside it, and moves from session to session.
"""

from typing import Any

import altair as alt
import duckdb
import numpy as np
import pandas as pd

from mirror.derive import psychometric

from .curves import FULL, HALF, PLACE, axis_break, contrast_axis
from .mice import Rows, find_session
from .style import PERCENT, ask, block_color, counted, finished, log_seconds, nothing

TITLE = "Curves of a session"
# A curve is a row, of points here and of a line below, so that many sessions stay small.
POINTS = """
select
    subject_uuid::varchar as subject_uuid,
    session_start_time::varchar as session_start_time,
    'points' as kind,
    prob_left_block,
    list(signed_contrast order by signed_contrast) as signed_contrast,
    list(round(100 * p_right, 1) order by signed_contrast) as percent_right,
    list(round(100 * p_right_low68, 1) order by signed_contrast) as low,
    list(round(100 * p_right_high68, 1) order by signed_contrast) as high,
    list(n_trials - n_no_go order by signed_contrast) as n_choices
from psychometrics_by_block
where ($mouse is null or subject_uuid = $mouse::uuid)
    and ($start is null or session_start_time = $start)
    and prob_left_block in (20, 50, 80)
    and signed_contrast between -100 and 100
    and p_right is not null
group by all
order by subject_uuid, session_start_time, prob_left_block
"""
FITS = """
select
    subject_uuid::varchar as subject_uuid,
    session_start_time::varchar as session_start_time,
    prob_left_block,
    n_trials,
    threshold,
    bias,
    lapse_low,
    lapse_high
from psychometric_fits
where ($mouse is null or subject_uuid = $mouse::uuid)
    and ($start is null or session_start_time = $start)
    and grain = 'session_block'
    and source = 'derived'
    and variant = 'datajoint'
    and prob_left_block in (20, 50, 80)
    and threshold is not null
order by subject_uuid, session_start_time, prob_left_block
"""
TIMES = """
select
    subject_uuid::varchar as subject_uuid,
    session_start_time::varchar as session_start_time,
    prob_left_block,
    signed_contrast,
    n_reaction_times,
    median_reaction_time,
    q1_reaction_time,
    q3_reaction_time
from reaction_times_by_block
where ($mouse is null or subject_uuid = $mouse::uuid)
    and ($start is null or session_start_time = $start)
    and prob_left_block in (20, 50, 80)
    and signed_contrast is not null
    -- a logarithmic axis has no place for what is not above 0
    and q1_reaction_time > 0
order by subject_uuid, session_start_time, prob_left_block, signed_contrast
"""
# Where lines are drawn: along the middle of the broken axis, and a piece at each end.
ALONG = (-100.0, -100.0, -50.0, -50.0, *np.linspace(-27, 27, 25).tolist(), 50.0, 50.0, 100.0, 100.0)
# Their places on the axis, and which of them hang together.
PIECES = [0, 0, 1, 1, *[2] * 25, 3, 3, 4, 4]
PLACES = [
    *(-FULL - 1.5, -FULL + 1.5, -HALF - 1.5, -HALF + 1.5),
    *ALONG[4:-4],
    *(HALF - 1.5, HALF + 1.5, FULL - 1.5, FULL + 1.5),
]


def chart(
    con: duckdb.DuckDBPyConnection,
    lab: str | None = None,
    cohort: str | None = None,
    subject: str | None = None,
    session: str | None = None,
) -> Any:
    """Draw the curves of one session."""
    found = find_session(con, lab, cohort, subject, session)
    if found is None:
        return nothing(con, TITLE, "no session with trials matches")
    curves, times = rows(con, found["subject_uuid"], found["session_start_time"]).values()
    title = f"{TITLE}: {found['subject_nickname']}, {found['started']}"
    if curves.empty:
        return nothing(con, title, "no choices in blocks of 20, 50 or 80 match")
    drawn = alt.hconcat(choices(curves), reaction_times(times), spacing=40)
    first, *others = words(curves)
    return finished(con, drawn, title, [f"{found['task']}; {first}", *others])


def words(curves: pd.DataFrame) -> list[str]:
    """What stands under the title of one session."""
    points = curves[curves["kind"] == "points"]
    n_choices = counted(int(points["n_choices"].explode().sum()), "choice")
    n_contrasts = counted(points["signed_contrast"].explode().nunique(), "contrast")
    return [
        f"{n_choices} at {n_contrasts}",
        "choices with 68 % intervals and their fits; reaction times: medians and quartiles",
        *_without_fit(curves),
    ]


def _without_fit(curves: pd.DataFrame) -> list[str]:
    """The blocks that have points and no line, in a sentence; of several days each with its own."""
    by_day = ["session_date"] if "session_date" in curves else []
    keys = [*by_day, "prob_left_block"]
    kinds = curves.groupby(keys)["kind"].agg(set)
    without = kinds[[kind == {"points"} for kind in kinds]].reset_index()
    if without.empty:
        return []
    blocks = (
        " ".join([*(row[day] for day in by_day), f"block {row['prob_left_block']}"])
        for row in without.to_dict("records")
    )
    return [f"no line where the trials determine none: {', '.join(blocks)}"]


def rows(
    con: duckdb.DuckDBPyConnection, mouse: str | None = None, start: Any = None
) -> dict[str, pd.DataFrame]:
    """The curves and reaction times of one session, or of all sessions."""
    which = {"mouse": mouse, "start": start}
    fits = ask(con, FITS, **which)
    lines = along(fits, ["subject_uuid", "session_start_time", "prob_left_block"])
    curves = pd.concat([ask(con, POINTS, **which), lines])
    return {"curves": curves, "times": ask(con, TIMES, **which)}


def along(fits: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """The line of each fit, which keeps its `keys`: percent right at each contrast of `ALONG`."""
    parameters = (fits[name].to_numpy(float)[:, None] for name in psychometric.PARAMETERS)
    percent = 100 * psychometric.p_right(np.asarray(ALONG)[None, :], *parameters)
    return fits[keys].assign(kind="line", percent_right=list(percent.round(1)))


def choices(curves: Rows, width: int = 300) -> Any:
    """Percent right against contrast, points with bars and lines, a colour per block."""
    base = alt.Chart().encode(
        x=contrast_axis(with_50=True),
        y=alt.Y("percent_right:Q", title="choices right, %", scale=PERCENT),
        color=block_color(),
    )
    points = (
        base.transform_filter("datum.kind === 'points'")
        .transform_flatten(["signed_contrast", "percent_right", "low", "high", "n_choices"])
        .transform_calculate(x=PLACE)
    )
    lines = (
        base.transform_filter("datum.kind === 'line'")
        .transform_calculate(x=str(PLACES), piece=str(PIECES))
        .transform_flatten(["x", "piece", "percent_right"])
        .mark_line(strokeWidth=2)
        .encode(detail="piece:N")
    )
    bars = points.mark_rule().encode(y="low:Q", y2="high:Q")
    dots = points.mark_point(filled=True, size=40, opacity=1).encode(
        tooltip=[
            alt.Tooltip("prob_left_block:N", title="stimulus left, %"),
            alt.Tooltip("signed_contrast:Q", title="contrast, %"),
            alt.Tooltip("percent_right:Q", title="right, %", format=".1f"),
            alt.Tooltip("low:Q", title="68 % interval from", format=".1f"),
            alt.Tooltip("high:Q", title="to", format=".1f"),
            alt.Tooltip("n_choices:Q", title="choices", format=","),
        ]
    )
    layers = (lines, bars, dots, axis_break(with_50=True))
    return alt.layer(*layers, data=curves).properties(width=width, height=220)


def reaction_times(times: Rows, width: int = 300) -> Any:
    """Median reaction time against contrast with the quartiles, a colour per block."""
    seconds = log_seconds("median_reaction_time", "median reaction time, s")
    base = (
        alt.Chart()
        .transform_calculate(x=PLACE)
        .encode(x=contrast_axis(with_50=True), y=seconds, color=block_color())
    )
    bars = base.mark_rule(opacity=0.4).encode(
        y=alt.Y("q1_reaction_time:Q", scale=seconds["scale"]), y2="q3_reaction_time:Q"
    )
    lines = base.mark_line(strokeWidth=1.5)
    dots = base.mark_point(filled=True, size=40, opacity=1).encode(
        tooltip=[
            alt.Tooltip("prob_left_block:N", title="stimulus left, %"),
            alt.Tooltip("signed_contrast:Q", title="contrast, %"),
            alt.Tooltip("median_reaction_time:Q", title="median, s", format=".3f"),
            alt.Tooltip("q1_reaction_time:Q", title="lower quartile, s", format=".3f"),
            alt.Tooltip("q3_reaction_time:Q", title="upper quartile, s", format=".3f"),
            alt.Tooltip("n_reaction_times:Q", title="trials", format=","),
        ]
    )
    layers = (bars, lines, dots, axis_break(with_50=True))
    return alt.layer(*layers, data=times).properties(width=width, height=220)
