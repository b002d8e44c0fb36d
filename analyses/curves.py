"""What the charts of curves share: fits, and the paper's broken axis of contrasts."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from mirror.derive import psychometric

from .style import in_panels

# Where the broken axis has its ends, and the contrasts that it has room for.
END = 35
# Where that of single days and sessions has 50 and 100 %: in early training there is little else.
HALF, FULL = 37, 49
# The place of a contrast there, in Vega's words; what is rare and between keeps its order.
PLACE = (
    "(datum.signed_contrast < 0 ? -1 : 1) * (abs(datum.signed_contrast) <= 27 ?"
    " abs(datum.signed_contrast) : abs(datum.signed_contrast) <= 50 ?"
    f" 27 + (abs(datum.signed_contrast) - 27) * {HALF - 27} / 23 :"
    f" {HALF} + (abs(datum.signed_contrast) - 50) * {FULL - HALF} / 50)"
)
DRAWN = (-100, -25, -12.5, -6.25, 0, 6.25, 12.5, 25, 100)


def fitted(points: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Fit a curve, with the paper's bounds, to each set of points that agree in `keys`.

    Points have `signed_contrast`, `n_trials` and `p_right`. One row per curve that is determined.
    """
    curves = points.groupby(keys, sort=True)
    fits = psychometric.fit(
        psychometric.Curves(
            curve=np.asarray(curves.ngroup(), np.int64),
            signed_contrast=points["signed_contrast"].to_numpy(float),
            n_trials=points["n_trials"].to_numpy(float),
            p_right=points["p_right"].to_numpy(float),
            size=curves.ngroups,
        ),
        psychometric.VARIANTS["paper"],
    )
    found = curves["n_trials"].sum().reset_index()
    for name in psychometric.PARAMETERS:
        found[name] = getattr(fits, name).round(4)
    return found.dropna(subset=list(psychometric.PARAMETERS)).reset_index(drop=True)


def line_rows(fits: pd.DataFrame, keys: Iterable[str]) -> pd.DataFrame:
    """Each curve along the broken axis, in three pieces, `x` there and `percent_right`."""
    # few curves are drawn finer than many, so that the chart stays small
    n_middle = int(np.clip(3000 // max(len(fits), 1) - 4, 7, 28))
    middle = np.linspace(-27, 27, n_middle)
    x = np.concatenate([[-END - 2, -END + 3], middle, [END - 3, END + 2]])
    contrast = np.concatenate([[-102, -97], middle, [97, 102]])
    piece = np.repeat(["left", "middle", "right"], [2, n_middle, 2])
    rows = fits.loc[fits.index.repeat(len(x)), [*keys, *psychometric.PARAMETERS]]
    rows = rows.assign(x=np.tile(x, len(fits)), piece=np.tile(piece, len(fits)))
    share = psychometric.p_right(
        np.tile(contrast, len(fits)),
        *(rows[name].to_numpy(float) for name in psychometric.PARAMETERS),
    )
    return rows.assign(percent_right=(100 * share).round(2), x=rows["x"].round(2))


def point_rows(points: pd.DataFrame) -> pd.DataFrame:
    """The points that the broken axis has room for, with their `x` there."""
    drawn = points[points["signed_contrast"].isin(DRAWN)]
    return drawn.assign(x=drawn["signed_contrast"].clip(-END, END))


def contrast_axis(with_50: bool = False) -> alt.X:
    """The broken axis: its ends are 100 %, or beside it 50 % where it has a place for that too."""
    ends = {HALF: 50, FULL: 100} if with_50 else {END: 100}
    named = json.dumps({str(place): str(percent) for place, percent in ends.items()})
    shown = alt.Axis(
        values=sorted({0, *(sign * at for sign in (-1, 1) for at in (20, *ends))}),
        labelExpr=f"(datum.value < 0 ? '\u2212' : '')"
        f" + ({named}['' + abs(datum.value)] || abs(datum.value))",
        labelAngle=0,
        labelOverlap=False,
    )
    last = max(ends) + 3
    scale = alt.Scale(domain=[-last, last], nice=False, zero=False)
    return alt.X("x:Q", title="contrast, % (right positive)", scale=scale, axis=shown)


def per_laboratory(layers: list[alt.Chart], rows: pd.DataFrame, sizes: Mapping[str, str]) -> Any:
    """The layers over the broken axis, a panel for each laboratory in the rows' `panel`."""
    return in_panels([*layers, axis_break()], rows, sizes, 4, 160)


def axis_break(with_50: bool = False) -> alt.Chart:
    """The signs on the axis that it is broken there."""
    places = [31, 43] if with_50 else [30]
    base = alt.Chart(pd.DataFrame({"x": [sign * at for at in places for sign in (-1, 1)]}))
    return base.mark_text(text="//", fontSize=11, color="#555555", baseline="middle").encode(
        x=contrast_axis(with_50), y=alt.value("height")
    )
