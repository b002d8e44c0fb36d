"""What the charts of curves share: fits, and the paper's broken axis of contrasts."""

from collections.abc import Iterable
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from mirror.derive import psychometric

from .style import in_order

# Where the broken axis has its ends, and the contrasts that it has room for.
END = 35
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


def contrast_axis() -> alt.X:
    """The broken axis: its ends are 100 %."""
    value = f"abs(datum.value) == {END} ? datum.value * 100 / {END} : datum.value"
    shown = alt.Axis(
        values=[-END, -20, 0, 20, END],
        labelExpr=f"format({value}, '.0f')",
        labelAngle=0,
        labelOverlap=False,
    )
    scale = alt.Scale(domain=[-END - 3, END + 3], nice=False, zero=False)
    return alt.X("x:Q", title="contrast, % (right positive)", scale=scale, axis=shown)


def per_laboratory(layers: list[alt.Chart], rows: pd.DataFrame) -> Any:
    """The layers over the broken axis, a panel for each laboratory in the rows' `panel`."""
    return (
        alt.layer(*layers, axis_break(), data=rows)
        .resolve_scale(color="independent")
        .properties(width=160, height=150)
        .facet(alt.Facet("panel:N", title=None, sort=in_order(rows["panel"])), columns=4)
        # the sign of the break needs an axis to stand on
        .resolve_axis(x="independent")
    )


def axis_break() -> alt.Chart:
    """The signs on the axis that it is broken there."""
    base = alt.Chart(pd.DataFrame({"x": [-30, 30]}))
    return base.mark_text(text="//", fontSize=11, color="#555555", baseline="middle").encode(
        x=contrast_axis(), y=alt.value("height")
    )
