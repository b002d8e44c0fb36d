"""What charts that compare laboratories share: swarms of mice, tests, and the pairs that differ."""

from collections.abc import Iterable, Mapping
from typing import Any

import altair as alt
import pandas as pd

from .statistics import ANOVA, compare, pairs
from .style import (
    ALL,
    DARK,
    NO_LABORATORY,
    in_order,
    institution_color,
    p_in_words,
    said_below,
    swarm,
    under_pointer,
    with_sizes,
)

# So many pairs are named under a panel.
FEW = 4


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

    The test, a row of `compare`, stands below, with its `p` or `p_corrected`, and where it is
    significant before correction, as the paper goes on to pairs, the pairs that differ.
    """
    measure = test["measure"]
    mice = mice.assign(laboratory=mice["institution_short"].fillna(NO_LABORATORY))
    rows, x = columns(mice.dropna(subset=[measure]), mice["laboratory"])
    words = in_words(test, p)
    if test["p"] < 0.05:
        words.append(_pairs_in_words(pairs(mice, measure, test["test"])))
    return _dots(rows, measure, x, y, tooltip, width, height).properties(title=said_below(words))


def columns(rows: pd.DataFrame, laboratories: Iterable[str]) -> tuple[pd.DataFrame, alt.X]:
    """The columns of the laboratories, and of several one more for all, with its rows.

    Under each column stands its number of mice.
    """
    shown = in_order(laboratories)
    if len(shown) > 1:
        shown.append(ALL)
        rows = pd.concat([rows, rows.assign(laboratory=ALL)], ignore_index=True)
    n = rows.groupby("laboratory")["subject_uuid"].nunique()
    x = alt.X(
        "laboratory:N",
        title="laboratory, mice",
        scale=alt.Scale(domain=shown),
        axis=alt.Axis(
            labelAngle=-45, labelExpr=with_sizes({name: n.get(name, 0) for name in shown})
        ),
    )
    return rows, x


def notes(mice: pd.DataFrame, tests: pd.DataFrame, p: str = "p") -> list[str]:
    """What a reader must know of the panels: what is tested, and which tests would fit better."""
    lines = []
    if (tests["p"] < 0.05).any():
        lines.append(
            "pairs of laboratories: Tukey's, or Dunn's with Holm's correction, which the paper goes"
            " without"
        )
    levene = tests.dropna(subset=["levene_p"])
    if not levene.empty:
        lines.append(
            "equal variances (Levene): "
            + "; ".join(
                f"{_name(row['measure'])} {p_in_words(row[f'levene_{p}'])}"
                for row in levene.to_dict("records")
            )
        )
    within = compare(mice, tests["measure"], within=True)
    both = tests.merge(within, on="measure", suffixes=("", "_within"))
    other = both[both["test"].notna() & (both["test"] != both["test_within"])]
    if not other.empty:
        chosen = "; ".join(
            f"{row['test_within']} of {_name(row['measure'])}, {p_in_words(row[f'{p}_within'])}"
            for row in other.to_dict("records")
        )
        lines.append(f"normality within laboratories would choose {chosen}")
    return lines


def _name(measure: str) -> str:
    return measure.removeprefix("n_").replace("_", " ")


def in_words(test: Mapping[Any, Any], p: str = "p") -> list[str]:
    """A test across laboratories as journals print it, with its `p` or `p_corrected`."""
    if pd.isna(test["p"]):
        return ["no test without two laboratories of two mice"]
    n, k = test["n_mice"], test["n_labs"]
    is_anova = test["test"] == ANOVA
    statistic = f"F({k - 1}, {n - k})" if is_anova else f"H({k - 1})"
    effect = f"{'η²' if is_anova else 'ε²'} = {test['effect']:.2f}"
    interval = f"[{test['effect_low']:.2f}, {test['effect_high']:.2f}]"
    return [
        f"{test['test']}, {statistic} = {test['statistic']:.1f}, {p_in_words(test[p])},"
        f" {effect} {interval}, n = {n}"
    ]


def _pairs_in_words(found: pd.DataFrame) -> str:
    """Which pairs of laboratories differ, with correction over all pairs and without."""
    differ = found[found["p_corrected"] < 0.05]
    only_before = int((found["p"] < 0.05).sum()) - len(differ)
    before = f"; before correction {only_before:,} more of {len(found):,}" if only_before else ""
    if differ.empty:
        return f"pairs that differ: none{before}"
    named = "; ".join((differ["first"] + " and " + differ["second"])[:FEW])
    more = f" and {len(differ) - FEW:,} more" if len(differ) > FEW else ""
    return f"pairs that differ: {named}{more}{before}"


def _dots(
    rows: pd.DataFrame,
    measure: str,
    x: alt.X,
    y: alt.Y,
    tooltip: list[alt.Tooltip],
    width: int,
    height: int,
) -> Any:
    rows = rows.assign(aside=swarm(rows, ["laboratory"], measure, height))
    hover = under_pointer()
    base = alt.Chart(rows).encode(x=x, y=y)
    dots = (
        base.mark_point(filled=True)
        .encode(
            xOffset=aside(rows, width / max(rows["laboratory"].nunique(), 1)),
            color=institution_color(rows["laboratory"], "laboratory").legend(None),
            opacity=alt.condition(hover, alt.value(1), alt.value(0.7)),
            size=alt.condition(hover, alt.value(120), alt.value(25)),
            tooltip=tooltip,
        )
        .add_params(hover)
    )
    medians = median_bar(base, measure, [alt.Tooltip("laboratory:N")])
    return alt.layer(medians, dots).properties(width=width, height=height)


def aside(rows: pd.DataFrame, step: float) -> alt.XOffset:
    """The offset of the dots of a swarm, in columns of so many pixels; wider swarms are pressed."""
    half = max(step / 2, float(rows["aside"].abs().max()) * 1.05)
    return alt.XOffset("aside:Q", scale=alt.Scale(domain=[-half, half]))


def median_bar(base: alt.Chart, measure: str, tooltip: list[alt.Tooltip], size: int = 26) -> Any:
    """A bar at the median of each column, to lie under its dots."""
    return base.mark_tick(color=DARK, thickness=3, size=size, opacity=1).encode(
        y=f"median({measure}):Q",
        tooltip=[
            *tooltip,
            alt.Tooltip(f"median({measure}):Q", title="median", format=",.4~r"),
            alt.Tooltip("count():Q", title="mice"),
        ],
    )
