"""What all charts share: colours, axes, panels, dots, words, and what stands there without data.

The rules: every panel says of how many; no cell without a panel has axes; a logarithmic axis says
so; a laboratory has its colour and a dash or a shape, so that nobody needs the colour; dots beside
each other are a swarm; the result of a test is a line under its panel; a mean of fewer than three
mice has no bar; what is drawn is in a legend or in the words above.
"""

import json
import math
import warnings
from collections.abc import Iterable, Mapping
from typing import Any

import altair as alt
import duckdb
import pandas as pd

from .notebook import offline

# The behaviour paper's order and colours of laboratories: ColorBrewer's Dark2.
INSTITUTIONS = ("UCL", "CCU", "CSHL", "NYU", "Princeton", "SWC", "Berkeley")
INSTITUTION_COLORS = (
    "#1b9e77",
    "#d95f02",
    "#7570b3",
    "#e7298a",
    "#66a61e",
    "#e6ab02",
    "#a6761d",
)
# Dark2 in the order of the paper has pairs that dichromats cannot tell: dash and shape do.
INSTITUTION_DASHES = ([1, 0], [7, 3], [2, 2], [12, 3], [8, 2, 2, 2], [5, 2, 1, 2, 1, 2], [1, 3])
INSTITUTION_SHAPES = (
    "circle",
    "square",
    "triangle-up",
    "diamond",
    "triangle-down",
    "cross",
    "triangle-right",
)
OTHER_DASH, OTHER_SHAPE = [4, 4], "triangle-left"
# Probability of a stimulus on the left, percent: orange, grey and purple as in the paper.
BLOCKS = (20, 50, 80)
BLOCK_COLORS = ("#e08214", "#737373", "#8073ac")
GREY = "#bdbdbd"
# All laboratories together, where they stand beside each.
ALL = "all"
# Where the mirror knows no laboratory of a mouse.
NO_LABORATORY = "no laboratory"
LABORATORY = "laboratory"
# Darker than GREY, in which the mice of a laboratory are: Dark2's eighth colour, and a paler one.
OTHER_COLOR = "#666666"
NO_LABORATORY_COLOR = "#999999"
# Trained, not trained yet: told apart in grey print as well.
DARK = "#222222"

# A mean of fewer mice has no bar: the spread of two is no measure of anything.
FEWEST = 3
# Of axes in percent: the same everywhere, with room for the width of a line at the ends.
PERCENT = alt.Scale(domain=[-2, 102], nice=False, zero=False)
# Seconds: what Vega chooses on a short logarithmic axis goes without labels in places.
LOG_TICKS = [0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 0.7, 1, 1.5, 2, 3, 5, 7, 10, 20, 30, 60]
# Of axes of days.training_day or stored_training_day; the paper counts from 0.
TRAINING_DAY = "training day (the first is 1)"

SIMULATED = "SIMULATED DATA: no animal did any of this"
IS_SIMULATED = "select is_simulated from _mirror.runs order by run desc limit 1"

# Names as in the journals' figures; the browser's own sans-serif is always there.
FONT = "Helvetica, Arial, sans-serif"


def ask(con: duckdb.DuckDBPyConnection, query: str, **values: Any) -> pd.DataFrame:
    """Run a query of the views, with its `$name` parameters, and return the rows."""
    return con.execute(query, values).df() if values else con.execute(query).df()


def in_cohort(subject_uuid: str) -> str:
    """The condition of a query that a mouse is in `$cohort`; without a cohort any mouse will do."""
    return (
        f"($cohort is null or {subject_uuid} in"
        " (select subject_uuid from cohorts where cohort = $cohort))"
    )


def in_order(institutions: Iterable[str]) -> list[str]:
    """The paper's order of laboratories, then others, none, and all together last."""
    present = set(institutions)
    others = sorted(present - {*INSTITUTIONS, NO_LABORATORY, ALL})
    order = [*INSTITUTIONS, *others, NO_LABORATORY, ALL]
    return [name for name in order if name in present]


def institution_color(institutions: Iterable[str], field: str = "institution_short") -> alt.Color:
    """The colours of laboratories; dark for all, grey for others than the paper's seven."""
    own = dict(zip(INSTITUTIONS, INSTITUTION_COLORS, strict=True))
    own |= {NO_LABORATORY: NO_LABORATORY_COLOR, ALL: DARK}
    return alt.Color(f"{field}:N", title=LABORATORY, scale=_scale(institutions, own, OTHER_COLOR))


def institution_dash(
    institutions: Iterable[str], field: str = "institution_short"
) -> alt.StrokeDash:
    """The dashes of laboratories; a line through for all."""
    own = dict(zip(INSTITUTIONS, INSTITUTION_DASHES, strict=True)) | {ALL: [1, 0]}
    scale = _scale(institutions, own, OTHER_DASH)
    return alt.StrokeDash(f"{field}:N", title=LABORATORY, scale=scale)


# A laboratory among others in the panel of all.
AMONG_ALL = f"datum.panel === '{ALL}' && datum.institution_short !== '{ALL}'"


def dash_among_all(institutions: Iterable[str], legend: alt.Legend | None = None) -> Any:
    """The dashes of laboratories in the panel of all; alone in its own panel each has a line."""
    dash = institution_dash(institutions).legend(legend)
    return alt.condition(AMONG_ALL, dash, alt.value([1, 0]))


def institution_shape(institutions: Iterable[str], field: str = "institution_short") -> alt.Shape:
    """The shapes of the dots of laboratories."""
    own = dict(zip(INSTITUTIONS, INSTITUTION_SHAPES, strict=True)) | {ALL: "circle"}
    scale = _scale(institutions, own, OTHER_SHAPE)
    return alt.Shape(f"{field}:N", title=LABORATORY, scale=scale)


def _scale(institutions: Iterable[str], own: Mapping[str, Any], other: Any) -> alt.Scale:
    order = in_order(institutions)
    return alt.Scale(domain=order, range=[own.get(name, other) for name in order])


def block_color(field: str = "prob_left_block") -> alt.Color:
    """The colour of a block."""
    scale = alt.Scale(domain=list(BLOCKS), range=list(BLOCK_COLORS))
    return alt.Color(f"{field}:N", title="stimulus left, %", scale=scale)


def under_pointer() -> alt.Parameter:
    """The mouse that the pointer touches, in all panels of a chart that have its parts."""
    return alt.selection_point(
        name="mouse",
        fields=["subject_uuid"],
        on="pointerover",
        clear="pointerout",
        empty=False,
    )


def log_seconds(field: str, title: str, **axis: Any) -> alt.Y:
    """Reaction times on a logarithmic axis, which says so."""
    return alt.Y(
        f"{field}:Q",
        title=f"{title} (log scale)",
        scale=alt.Scale(type="log", nice=False, padding=8),
        axis=alt.Axis(values=LOG_TICKS, format="~g", labelOverlap="greedy", **axis),
    )


def in_panels(
    layers: Iterable[alt.Chart], rows: pd.DataFrame, sizes: Mapping[str, str], most: int, size: int
) -> Any:
    """The layers over the rows of each `panel`, which is headed by its name and its size.

    At most so many panels in a row and as full rows as there can be; none is alone in the last.
    """
    names = in_order(rows["panel"])
    header = alt.Header(labelExpr=with_sizes(sizes), labelAnchor="start")
    return (
        alt.layer(*map(_clipped, layers), data=rows)
        .properties(width=size, height=size)
        .facet(
            alt.Facet("panel:N", title=None, sort=names, header=header),
            columns=math.ceil(len(names) / math.ceil(len(names) / most)),
            bounds="flush",
            spacing={"row": 75, "column": 28},
        )
        # a cell without a panel has no axis
        .resolve_axis(x="independent")
    )


def with_sizes(sizes: Mapping[str, Any]) -> str:
    """The expression of a label that has its size beside its name."""
    return f"{json.dumps({name: f'{name}, {size}' for name, size in sizes.items()})}[datum.value]"


def below(names: Iterable[str], **how: Any) -> alt.Legend | None:
    """The legend of laboratories that stand in one panel, under all panels; none of one alone."""
    shown = [name for name in in_order(names) if name != ALL]
    if len(shown) < 2:
        return None
    return alt.Legend(orient="bottom", columns=len(shown), values=shown, symbolSize=200, **how)


def _clipped(layer: alt.Chart) -> alt.Chart:
    """The layer without what reaches over the edge, which would move the heading of its panel."""
    mark = layer.mark if isinstance(layer.mark, alt.MarkDef) else alt.MarkDef(type=layer.mark)
    if mark.type != "text":
        layer = layer.copy()
        layer.mark = alt.MarkDef(**(mark.to_dict() | {"clip": True}))
    return layer


def n_mice(mice: pd.DataFrame) -> dict[str, str]:
    """How many mice each laboratory has, and of several all, in words: sizes for `in_panels`."""
    of_labs = mice.groupby("institution_short")["subject_uuid"].nunique()
    if len(of_labs) > 1:
        of_labs[ALL] = mice["subject_uuid"].nunique()
    return {str(name): counted(int(n), "mouse", "mice") for name, n in of_labs.items()}


def swarm(
    rows: pd.DataFrame, by: list[str], value: str, height: float, radius: float = 3.2
) -> pd.Series:
    """How far aside a dot goes, in pixels, so that none of its column lies over another.

    `by` are the columns of a column of dots; `height` is that of the axis in pixels, on which the
    dots take all of it.
    """
    spread = float(rows[value].max() - rows[value].min()) or 1.0
    level = rows[value] * (height / spread)
    aside = pd.Series(0.0, index=rows.index)
    for _, column in rows.assign(level=level).sort_values("level").groupby(by, dropna=False):
        placed: list[tuple[float, float]] = []
        for dot, y in column["level"].items():
            near = [(x, y - other) for x, other in placed if y - other < 2 * radius]
            steps = (
                side * n for n in range(len(column) * math.ceil(radius) * 2) for side in (1, -1)
            )
            x = next(
                x for x in steps if all(math.hypot(x - at, up) >= 2 * radius for at, up in near)
            )
            aside[dot] = x
            placed.append((x, y))
    return aside


def said_below(words: str | list[str]) -> alt.TitleParams:
    """The result of a test, as a line or two under its panel."""
    return alt.TitleParams(
        words,
        orient="bottom",
        fontSize=11,
        fontWeight="normal",
        color="#444444",
        anchor="start",
        frame="group",
        offset=6,
    )


def together(panels: Iterable[Any], columns: int, spacing: int = 30) -> Any:
    """Panels in rows of so many, which highlight the same mouse."""
    with warnings.catch_warnings():
        # one parameter of many panels is what is meant
        warnings.filterwarnings("ignore", message="Automatically deduplicated")
        return alt.concat(*panels, columns=columns, spacing=spacing)


def touched(lines: alt.Chart, tooltip: list[alt.Tooltip], **mark: Any) -> alt.Chart:
    """An unseen, wide twin of thin lines, to be drawn over them and catch the pointer.

    Vega shows the tooltip of a line only within the line's width of one of its points.
    """
    return lines.mark_line(strokeWidth=8, opacity=0, **mark).encode(tooltip=tooltip)


def finished(
    con: duckdb.DuckDBPyConnection, chart: Any, title: str, subtitle: str | list[str]
) -> Any:
    """Put title, subtitle and fonts on a chart, and say so where the data are simulated."""
    lines = [subtitle] if isinstance(subtitle, str) else list(subtitle)
    if is_simulated(con):
        lines.append(SIMULATED)
    titled = alt.TitleParams(title, subtitle=lines, anchor="start", offset=12)
    # what a screen reader says of the picture
    words = ". ".join(filter(None, [title, *lines]))
    return offline(configured(chart.properties(title=titled, description=words, padding=10)))


def configured(chart: Any) -> Any:
    """Put the fonts of all charts on one."""
    return (
        chart.configure(font=FONT)
        .configure_title(fontSize=16, subtitleFontSize=12, subtitleColor="#555555")
        .configure_axis(labelFontSize=11, titleFontSize=12, titleFontWeight="normal", grid=False)
        .configure_header(labelFontSize=12, titleFontSize=12, labelFontWeight="bold")
        .configure_legend(labelFontSize=11, titleFontSize=11, titleFontWeight="normal")
        .configure_view(stroke=None)
    )


def nothing(con: duckdb.DuckDBPyConnection, title: str, why: str) -> Any:
    """A chart that says why there is nothing to see."""
    text = alt.Chart(pd.DataFrame({"why": [why]})).mark_text(fontSize=14, color="#555555")
    chart = finished(con, text.encode(text="why:N").properties(width=420, height=120), title, "")
    return chart.properties(description=f"{title}: {why}", usermeta={"nothing": why})


def is_simulated(con: duckdb.DuckDBPyConnection) -> bool:
    """Whether the mirror holds simulated mice."""
    rows = con.execute(IS_SIMULATED).fetchall()
    return bool(rows and rows[0][0])


def counted(n: int, what: str, plural: str = "") -> str:
    """A number with its noun: `1 mouse`, `1,234 sessions`."""
    return f"{n:,} {what if n == 1 else plural or what + 's'}"


def p_in_words(p: float) -> str:
    """A p value as journals print it."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"
