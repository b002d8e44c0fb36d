"""What charts that compare laboratories share: a dot per mouse, and the pairs that differ."""

from collections.abc import Iterable, Mapping
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from .statistics import ANOVA, compare, pairs
from .style import (
    ALL,
    DARK,
    NO_LABORATORY,
    in_order,
    institution_color,
    p_in_words,
    under_pointer,
)

# Pairs that differ: with the correction over pairs, only without it, and not.
PAIR_COLORS = {"yes": DARK, "only before correction": "#a6a6a6", "no": "#f0f0f0"}
# The same pair, seen from the other laboratory.
TURNED = {
    "first": "second",
    "second": "first",
    "n_first": "n_second",
    "n_second": "n_first",
    "effect_low": "effect_high",
    "effect_high": "effect_low",
}
EFFECTS = {"Dunn": "Cliff's delta", "Tukey HSD": "difference of means"}


def panel(
    mice: pd.DataFrame,
    test: Mapping[Any, Any],
    y: alt.Y,
    tooltip: list[alt.Tooltip],
    width: int,
    height: int,
    p: str = "p",
) -> Any:
    """A column per laboratory with a dot per mouse and a line at the median, and one for all.

    The test, a row of `compare`, stands above, with its `p` or `p_corrected`. Below, where it is
    significant before correction, as the paper goes on to pairs, is a square for each pair.
    """
    measure = test["measure"]
    mice = mice.assign(laboratory=mice["institution_short"].fillna(NO_LABORATORY))
    rows, x = columns(mice.dropna(subset=[measure]), mice["laboratory"])
    title = alt.TitleParams(
        in_words(test, p), fontSize=11, fontWeight="normal", anchor="start", frame="group"
    )
    size = {"width": width, "height": height}
    if not test["p"] < 0.05:
        return _dots(rows, measure, x, y, tooltip).properties(title=title, **size)
    dots = _dots(rows, measure, x.axis(None), y, tooltip).properties(title=title, **size)
    squares = _squares(pairs(mice, measure, test["test"]), x).properties(width=width)
    return alt.vconcat(dots, squares, spacing=6).resolve_scale(color="independent")


def columns(rows: pd.DataFrame, laboratories: Iterable[str]) -> tuple[pd.DataFrame, alt.X]:
    """The columns of the laboratories, and of several one more for all, with its rows."""
    shown = in_order(laboratories)
    if len(shown) > 1:
        shown.append(ALL)
        rows = pd.concat([rows, rows.assign(laboratory=ALL)], ignore_index=True)
    x = alt.X(
        "laboratory:N",
        title=None,
        scale=alt.Scale(domain=shown),
        axis=alt.Axis(labelAngle=-45),
    )
    return rows, x


def in_turn(rows: pd.DataFrame, by: list[str], measure: str, places: int) -> pd.Series:
    """Which of the places beside each other a dot takes, 0 in the middle, in turn by its value.

    So no two dots of about the same height collide. `by` are the columns of a column of dots.
    """
    ordered = rows.sort_values([*by, measure, "subject_uuid"])
    return ordered.groupby(by).cumcount() % places - places // 2


def notes(mice: pd.DataFrame, tests: pd.DataFrame, p: str = "p") -> list[str]:
    """What a reader must know of the panels: what squares are, and which tests fit better."""
    lines = []
    if (tests["p"] < 0.05).any():
        lines.append(
            "squares are pairs of laboratories: dark where they differ (Tukey, or Dunn with Holm's"
            " correction), grey where only without correction, as in the paper"
        )
    within = compare(mice, tests["measure"], within=True)
    both = tests.merge(within, on="measure", suffixes=("", "_within"))
    other = both[both["test"].notna() & (both["test"] != both["test_within"])]
    if not other.empty:
        chosen = "; ".join(
            f"{row['test_within']} of {row['measure'].removeprefix('n_').replace('_', ' ')},"
            f" {p_in_words(row[f'{p}_within'])}"
            for row in other.to_dict("records")
        )
        lines.append(f"normality within laboratories would choose {chosen}")
    return lines


def in_words(test: Mapping[Any, Any], p: str = "p") -> list[str]:
    """A test across laboratories as journals print it, with its `p` or `p_corrected`."""
    if pd.isna(test["p"]):
        return ["no test without two laboratories of two mice"]
    n, k = test["n_mice"], test["n_labs"]
    is_anova = test["test"] == ANOVA
    statistic = f"F({k - 1}, {n - k})" if is_anova else f"H({k - 1})"
    effect = f"{'η²' if is_anova else 'ε²'} = {test['effect']:.2f}"
    interval = f"95 % {test['effect_low']:.2f} to {test['effect_high']:.2f}"
    lines = [
        f"{test['test']}, {statistic} = {test['statistic']:.1f}, {p_in_words(test[p])}",
        f"{effect} ({interval}), {n} mice in {k} labs",
    ]
    if not pd.isna(test["levene_p"]):
        lines.append(f"equal variances: Levene, {p_in_words(test[f'levene_{p}'])}")
    return lines


def _dots(rows: pd.DataFrame, measure: str, x: alt.X, y: alt.Y, tooltip: list[alt.Tooltip]) -> Any:
    rows = rows.assign(aside=in_turn(rows, ["laboratory"], measure, 5) / 2)
    hover = under_pointer()
    base = alt.Chart(rows).encode(x=x, y=y)
    dots = (
        base.mark_point(filled=True)
        .encode(
            xOffset=alt.XOffset("aside:Q", scale=alt.Scale(domain=[-1.7, 1.7])),
            color=institution_color(rows["laboratory"], "laboratory").legend(None),
            opacity=alt.condition(hover, alt.value(1), alt.value(0.6)),
            size=alt.condition(hover, alt.value(120), alt.value(25)),
            tooltip=tooltip,
        )
        .add_params(hover)
    )
    medians = base.mark_tick(color=DARK, stroke="white", thickness=3.5, size=24).encode(
        y=f"median({measure}):Q",
        tooltip=[
            alt.Tooltip("laboratory:N"),
            alt.Tooltip(f"median({measure}):Q", title="median", format=",.4~r"),
            alt.Tooltip("count():Q", title="mice"),
        ],
    )
    return alt.layer(dots, medians)


def _squares(found: pd.DataFrame, x: alt.X) -> alt.Chart:
    """Every pair twice, so that a laboratory's column holds all others."""
    turned = found.rename(columns=TURNED)
    turned[["effect", "effect_low", "effect_high"]] *= -1
    rows = pd.concat([found, turned])
    rows["mice"] = rows["n_first"].astype(str) + " and " + rows["n_second"].astype(str)
    rows["differs"] = np.select(
        [rows["p_corrected"] < 0.05, rows["p"] < 0.05], list(PAIR_COLORS)[:2], "no"
    )
    names = in_order(rows["first"])
    return (
        alt.Chart(rows.rename(columns={"first": "laboratory"}))
        .mark_square(size=110, opacity=1)
        .encode(
            x=x,
            y=alt.Y(
                "second:N",
                sort=names,
                title="differs from",
                axis=alt.Axis(labelFontSize=9, ticks=False, domain=False),
            ),
            color=alt.Color(
                "differs:N",
                scale=alt.Scale(domain=list(PAIR_COLORS), range=list(PAIR_COLORS.values())),
                legend=None,
            ),
            tooltip=[
                alt.Tooltip("laboratory:N"),
                alt.Tooltip("second:N", title="differs from"),
                alt.Tooltip("differs:N"),
                alt.Tooltip("test:N"),
                alt.Tooltip("p:Q", format=".2~g"),
                alt.Tooltip("p_corrected:Q", title="p corrected", format=".2~g"),
                alt.Tooltip("effect:Q", title=EFFECTS[found["test"].iloc[0]], format=".2~f"),
                alt.Tooltip("mice:N"),
            ],
        )
        .properties(height=12 * len(names))
    )
