"""The charts by name: the list, and files of them."""

import inspect
import pkgutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

import duckdb

from mirror.errors import UsageError

from . import choices

FOLDER = Path(__file__).parent
# What is here and is no chart.
SHARED = ("choices", "curves", "gallery", "laboratories", "mice", "notebook", "statistics", "style")
FORMATS: Mapping[str, Mapping[str, Any]] = {
    ".html": {"inline": True},
    ".svg": {},
    ".png": {"ppi": 144},
    ".json": {},
}
# What the command line can ask of a chart.
OPTIONS = ("lab", "cohort", "subject", "session")


def names() -> list[str]:
    """The charts that there are."""
    return sorted(m.name for m in pkgutil.iter_modules([str(FOLDER)]) if m.name not in SHARED)


def description(name: str) -> str:
    """What a chart shows: the first line of its module."""
    return (inspect.getdoc(module(name)) or "").splitlines()[0]


def parameters(name: str) -> list[str]:
    """What a chart can be asked for, such as lab, cohort or subject."""
    return list(inspect.signature(module(name).chart).parameters)[1:]


def check(name: str, file: Path, values: Mapping[str, str]) -> None:
    """Raise UsageError for a name, a parameter or a kind of file that there is not."""
    known = parameters(name)
    for parameter in values:
        if parameter not in known:
            takes = ", ".join(f"--{p}" for p in known if p in OPTIONS) or "no options"
            raise UsageError(f"{name} takes {takes}, not --{parameter}.")
    if file.suffix not in FORMATS:
        raise UsageError(f"{file} must end in {', '.join(FORMATS)}.")


def settle(
    con: duckdb.DuckDBPyConnection, name: str, values: Mapping[str, str]
) -> tuple[dict[str, str], list[str]]:
    """What a chart is asked for, as `choices.settled` finds it in the mirror. Raises UsageError."""
    with _missing_views(name):
        return choices.settled(con, values)


def draw(con: duckdb.DuckDBPyConnection, name: str, **values: str) -> Any:
    """Draw a chart. Raises UsageError where the mirror lacks a view that it asks."""
    with _missing_views(name):
        return module(name).chart(con, **values)


@contextmanager
def _missing_views(name: str) -> Iterator[None]:
    try:
        yield
    except duckdb.CatalogException as error:
        reason = str(error).splitlines()[0].removeprefix("Catalog Error: ").rstrip("!")
        raise UsageError(
            f"{name} cannot be drawn from this mirror ({reason}): 'mirror status' says why."
        ) from error


def why_empty(chart: Any) -> str:
    """Why a chart shows nothing; empty where it shows something."""
    return chart.to_dict().get("usermeta", {}).get("nothing", "")


def save(chart: Any, file: Path) -> None:
    """Write a chart in the format of the file's name; HTML opens without a network."""
    chart.save(str(file), **FORMATS[file.suffix])
    if file.suffix == ".svg":
        # as the HTML has it; what is drawn here leaves the description out
        label = f'<svg role="graphics-document" aria-label={quoteattr(chart.description)} '
        file.write_text(file.read_text("utf-8").replace("<svg ", label, 1), "utf-8")


def module(name: str) -> Any:
    if name not in names():
        near = get_close_matches(name, names(), n=1)
        hint = f"did you mean {near[0]!r}?" if near else "'mirror plot' lists them."
        raise UsageError(f"There is no chart {name!r}: {hint}")
    return import_module(f".{name}", __package__)
