"""What all charts share: colours, the words above them, and what stands there without data."""

import warnings
from collections.abc import Iterable
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
# Probability of a stimulus on the left, percent: orange, grey and purple as in the paper.
BLOCKS = (20, 50, 80)
BLOCK_COLORS = ("#e08214", "#737373", "#8073ac")
GREY = "#bdbdbd"
# All laboratories together, where they stand beside each.
ALL = "all"
# Where the mirror knows no laboratory of a mouse.
NO_LABORATORY = "no laboratory"
# Darker than GREY, in which the mice of a laboratory are: Dark2's eighth colour, and a paler one.
OTHER_COLOR = "#666666"
NO_LABORATORY_COLOR = "#999999"
# Trained, not trained yet: told apart in grey print as well.
DARK = "#222222"

# Of axes of days.training_day or stored_training_day; the paper counts from 0.
TRAINING_DAY = "training day (the first is 1)"

# Names as in the journals' figures; the browser's own sans-serif is always there.
FONT = "Helvetica, Arial, sans-serif"


def ask(con: duckdb.DuckDBPyConnection, query: str, **values: Any) -> pd.DataFrame:
    """Run a query of the views, with its `$name` parameters, and return the rows."""
    return con.execute(query, values).df() if values else con.execute(query).df()


def in_order(institutions: Iterable[str]) -> list[str]:
    """The paper's order of laboratories, then others, none, and all together last."""
    present = set(institutions)
    others = sorted(present - {*INSTITUTIONS, NO_LABORATORY, ALL})
    order = [*INSTITUTIONS, *others, NO_LABORATORY, ALL]
    return [name for name in order if name in present]


def institution_color(institutions: Iterable[str], field: str = "institution_short") -> alt.Color:
    """The colours of laboratories."""
    return alt.Color(f"{field}:N", title="laboratory", scale=institution_scale(institutions))


def institution_scale(institutions: Iterable[str]) -> alt.Scale:
    """A colour for each laboratory; dark for all, grey for others than the paper's seven."""
    known = dict(zip(INSTITUTIONS, INSTITUTION_COLORS, strict=True))
    known |= {NO_LABORATORY: NO_LABORATORY_COLOR, ALL: DARK}
    order = in_order(institutions)
    return alt.Scale(domain=order, range=[known.get(name, OTHER_COLOR) for name in order])


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
        lines.append("SIMULATED DATA: no animal did any of this")
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
        .configure_header(labelFontSize=12, titleFontSize=12)
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
    rows = con.execute("select is_simulated from _mirror.runs order by run desc limit 1").fetchall()
    return bool(rows and rows[0][0])


def counted(n: int, what: str, plural: str = "") -> str:
    """A number with its noun: `1 mouse`, `1,234 sessions`."""
    return f"{n:,} {what if n == 1 else plural or what + 's'}"


def p_in_words(p: float) -> str:
    """A p value as journals print it."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"
