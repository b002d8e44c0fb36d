"""The charts by name: the list, files of them, and their queries."""

import inspect
import json
import pkgutil
import re
from collections.abc import Mapping
from datetime import datetime
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

import altair as alt
import duckdb
import jinja2
import vl_convert

from mirror import views
from mirror.errors import UsageError

from . import choices
from .mice import MICE, SESSIONS
from .style import IS_SIMULATED, SIMULATED

FOLDER = Path(__file__).parent
# What is here and is no chart.
SHARED = ("choices", "curves", "gallery", "laboratories", "mice", "notebook", "statistics", "style")
FORMATS = (".html", ".svg", ".png", ".pdf", ".json")
# Of these the command can set the size.
SIZED = (".svg", ".png", ".pdf")
# Pixels of a PNG for each of the chart's: sharp on screens of today.
SCALE = 2.0
# A page by itself: no file beside it and no network.
PAGE = jinja2.Environment(autoescape=True).from_string(
    """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ title }}</title>
<link rel="icon" href="data:,">
<style>
body { margin: 0 auto; max-width: 90rem; padding: .5rem; }
#chart { display: block; overflow-x: auto; }
</style>
</head>
<body>
<main id="chart"></main>
<script>
{{ vega | safe }}
{{ fit | safe }}
var spec = {{ spec | safe }};
fit.draw(document.getElementById("chart"), spec, {renderer: "svg"})
    .catch((error) => { document.getElementById("chart").textContent = error; });
</script>
</body>
</html>
"""
)
# The charts by what they answer, in the order in which one asks.
QUESTIONS: Mapping[str, tuple[str, ...]] = {
    "How do mice learn?": (
        "learning_curves",
        "learning_progress",
        "learning_fits",
        "training_probability",
        "days_to_trained",
        "training_funnel",
    ),
    "How well do they see, and do laboratories differ?": (
        "psychometric_curves",
        "variability_across_labs",
    ),
    "How fast do they answer?": ("chronometric_curves",),
    "Do they use blocks and the trial before?": (
        "block_curves",
        "bias_shift",
        "block_parameters",
        "history_curves",
        "history_weights",
        "choice_history",
    ),
    "What was done, when and by whom?": (
        "growth",
        "sessions_per_day",
        "session_hours",
        "sessions_per_lab",
    ),
    "How did one mouse do?": (
        "mouse_progress",
        "mouse_weights",
        "mouse_contrasts",
        "mouse_fits",
        "mouse_last_days",
        "criterion_checklist",
    ),
    "What happened in one session?": ("session_course", "session_trials", "session_curves"),
}
# What the command line can ask of a chart.
OPTIONS = ("lab", "cohort", "subject", "session")


def names() -> list[str]:
    """The charts that there are."""
    modules = pkgutil.iter_modules([str(FOLDER)])
    return sorted(m.name for m in modules if not m.ispkg and m.name not in SHARED)


def description(name: str) -> str:
    """What a chart shows: the first line of its module."""
    return (inspect.getdoc(module(name)) or "").splitlines()[0]


def parameters(name: str) -> list[str]:
    """What a chart can be asked for, such as lab, cohort or subject."""
    return list(inspect.signature(module(name).chart).parameters)[1:]


def check(
    name: str, file: Path, values: Mapping[str, str], scale: float | None, width: int | None
) -> None:
    """Raise UsageError for a name, a parameter, a size or a kind of file that there is not."""
    known = parameters(name)
    for parameter in values:
        if parameter not in known:
            takes = ", ".join(f"--{p}" for p in known if p in OPTIONS) or "no options"
            raise UsageError(f"{name} takes {takes}, not --{parameter}.")
    if file.suffix not in FORMATS:
        raise UsageError(f"{file} must end in {', '.join(FORMATS)}.")
    if scale is not None and width is not None:
        raise UsageError("A chart takes --scale or --width, not both.")
    if (scale is not None or width is not None) and file.suffix not in SIZED:
        raise UsageError(f"--scale and --width are of {', '.join(SIZED)}, not {file.suffix}.")


def settle(
    con: duckdb.DuckDBPyConnection, name: str, values: Mapping[str, str]
) -> tuple[dict[str, str], list[str]]:
    """What a chart is asked for, as `choices.settled` finds it in the mirror. Raises UsageError."""
    with views.found(f"{name} cannot be drawn"):
        return choices.settled(con, values)


def draw(con: duckdb.DuckDBPyConnection, name: str, **values: str) -> Any:
    """Draw a chart. Raises UsageError where the mirror lacks a view that it asks."""
    with views.found(f"{name} cannot be drawn"):
        return module(name).chart(con, **values)


def why_empty(chart: Any) -> str:
    """Why a chart shows nothing; empty where it shows something."""
    return chart.to_dict().get("usermeta", {}).get("nothing", "")


def untitled(chart: Any) -> Any:
    """The chart without the words above it, for a slide; that data are simulated stays there."""
    bare = chart.copy()
    is_simulated = SIMULATED in chart.title.subtitle
    bare.title = alt.TitleParams(SIMULATED, anchor="start") if is_simulated else alt.Undefined
    return bare


def save(chart: Any, file: Path, scale: float | None = None, width: int | None = None) -> None:
    """Write a chart in the format of the file's name; HTML opens without a network.

    `scale` is of a pixel of the chart, 2 in a PNG and else 1; `width` is of the whole, in pixels,
    instead.
    """
    spec = chart.to_dict()
    if width is not None:
        scale = width / _natural_width(vl_convert.vegalite_to_svg(spec))
    if file.suffix == ".png":
        file.write_bytes(vl_convert.vegalite_to_png(spec, scale=scale or SCALE))
    elif file.suffix == ".pdf":
        file.write_bytes(vl_convert.vegalite_to_pdf(spec, scale=scale or 1))
    elif file.suffix == ".svg":
        file.write_text(_svg(spec, scale or 1), "utf-8")
    elif file.suffix == ".html":
        file.write_text(_page(spec), "utf-8")
    else:
        file.write_text(json.dumps(spec, indent=2, ensure_ascii=False), "utf-8")


def _svg(spec: dict[str, Any], scale: float) -> str:
    svg = vl_convert.vegalite_to_svg(spec)
    svg = re.sub(
        r'(width|height)="([0-9.]+)"',
        lambda size: f'{size[1]}="{float(size[2]) * scale:g}"',
        svg,
        count=2,
    )
    # as the HTML has it; what is drawn here leaves the description out
    label = f'<svg role="graphics-document" aria-label={quoteattr(spec["description"])} '
    return svg.replace("<svg ", label, 1)


def _natural_width(svg: str) -> float:
    found = re.search(r'width="([0-9.]+)"', svg)
    assert found is not None, "an SVG of Vega has a width"
    return float(found[1])


def _page(spec: Mapping[str, Any]) -> str:
    title = spec.get("title", {})
    # of a name in the data that would end the script
    text = json.dumps(spec, ensure_ascii=False).replace("<", "\\u003c")
    return PAGE.render(
        title=title.get("text") if title else spec["description"],
        vega=vl_convert.javascript_bundle(),  # type: ignore[call-arg]
        fit=(FOLDER / "fit.js").read_text("utf-8"),
        spec=text,
    )


class Listening:
    """A connection that remembers what it is asked, with the parameters."""

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        self._con = con
        self.asked: list[tuple[str, Mapping[str, Any]]] = []

    def execute(self, query: str, values: Mapping[str, Any] | None = None) -> Any:
        self.asked.append((query, values or {}))
        return self._con.execute(query, values) if values else self._con.execute(query)


def with_queries(con: duckdb.DuckDBPyConnection, name: str, **values: str) -> tuple[Any, str]:
    """A chart, and the queries that it asks, with their parameters filled in, ready for a shell."""
    listening: Any = Listening(con)
    chart = draw(listening, name, **values)
    return chart, statements(name, listening.asked)


def statements(name: str, asked: list[tuple[str, Mapping[str, Any]]]) -> str:
    """Queries of a chart as statements; those that find a mouse or session are answered in them."""
    own = [(query, of) for query, of in asked if query not in (MICE, SESSIONS, IS_SIMULATED)]
    return "\n".join(
        f"-- {name}, query {n} of {len(own)}\n{filled_in(query, values).strip()};\n"
        for n, (query, values) in enumerate(own, start=1)
    )


def filled_in(query: str, values: Mapping[str, Any]) -> str:
    """A query with literals in place of its `$name` parameters; those without a value stay."""
    return re.sub(
        r"\$(\w+)",
        lambda found: _literal(values[found[1]]) if found[1] in values else found[0],
        query,
    )


def _literal(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool | int | float):
        return str(value).lower()
    if isinstance(value, datetime):
        return f"timestamp '{value:%Y-%m-%d %H:%M:%S.%f}'"
    return "'" + str(value).replace("'", "''") + "'"


def module(name: str) -> Any:
    if name not in names():
        near = get_close_matches(name, names())
        hint = (
            f"did you mean {' or '.join(map(repr, near))}?" if near else "'mirror plot' lists them."
        )
        raise UsageError(f"There is no chart {name!r}: {hint}")
    return import_module(f".{name}", __package__)
