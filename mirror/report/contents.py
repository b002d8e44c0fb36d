"""What the pages show, read from the views: all mice at once, since one by one would take hours."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import altair as alt
import duckdb
import pandas as pd

from mirror import views
from mirror.analyses import (
    criterion_checklist,
    gallery,
    mouse_contrasts,
    mouse_fits,
    mouse_last_days,
    mouse_progress,
    mouse_weights,
    session_course,
    session_curves,
    style,
)
from mirror.inventory import Described, describe, entries
from mirror.report.summaries import Summary, some_mice, summarize

# Letters of a nickname in the name of a file, which with all that comes after has room for 255.
LONGEST = 80


@dataclass(frozen=True)
class Figure:
    """A figure of a mouse's page: its chart, and the rows it draws, at least some of the first."""

    chart: Any
    rows: tuple[str, ...]


# The figures of a mouse's page, in the portal's order.
FIGURES: Mapping[str, Figure] = {
    "weights": Figure(mouse_weights, ("weights", "statuses")),
    "progress": Figure(mouse_progress, ("days", "statuses")),
    "contrasts": Figure(mouse_contrasts, ("choices", "statuses")),
    "fits": Figure(mouse_fits, ("fits", "statuses")),
    "last_days": Figure(mouse_last_days, ("last_curves", "last_times", "last_course")),
}


@dataclass(frozen=True)
class Mouse:
    """A mouse: what its page is called, its row of `mice.sql`, and its rows of everything else."""

    page: str
    about: Mapping[str, Any]
    rows: Mapping[str, pd.DataFrame]


def figures(con: duckdb.DuckDBPyConnection) -> Mapping[str, Figure]:
    """The figures that a mirror has: not every server had weighings and water."""
    [(n_views,)] = con.execute(
        "select count(*) from duckdb_views() where view_name = 'weights_and_water'"
    ).fetchall()
    return {
        name: figure
        for name, figure in FIGURES.items()
        if n_views or figure.chart is not mouse_weights
    }


def query(name: str) -> str:
    """The text of a query of the folder `sql`."""
    return (Path(__file__).parent / "sql" / f"{name}.sql").read_text("utf-8")


def mice(
    con: duckdb.DuckDBPyConnection, sessions: pd.DataFrame
) -> tuple[list[Mouse], dict[str, str]]:
    """Every mouse with its rows, in the order of the pages, and the queries of `specs` by name.

    The queries hold `$mouse` and `$start` where a page writes its own.
    """
    about = con.execute(query("mice")).df()
    names = page_names(about["subject_nickname"], about["subject_uuid"])
    rows, queries = _rows(con, sessions)
    of_mouse = {name: _by_mouse(frame) for name, frame in rows.items()}
    return [
        Mouse(
            page, row, {name: parts.get(uuid, empty) for name, (parts, empty) in of_mouse.items()}
        )
        for page, uuid, row in zip(names, about["subject_uuid"], records(about), strict=True)
    ], queries


def sessions(con: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """Every session, the latest first."""
    return con.execute(query("sessions")).df()


def overview(con: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    """The counts of the first page, and the checks that the file fails."""
    found = records(con.execute(query("overview")).df())[0]
    failed = con.execute(
        "select check_name, n, meaning from mirror_health where not is_ok"
    ).fetchall()
    return found | {"failed": failed}


def published(con: duckdb.DuckDBPyConnection) -> dict[str, list[dict[str, Any]]] | None:
    """The published figures beside the recomputed ones, by topic; None without the view."""
    [(n_views,)] = con.execute(
        "select count(*) from duckdb_views() where view_name = 'published_figures'"
    ).fetchall()
    if not n_views:
        return None
    topics: dict[str, list[dict[str, Any]]] = {}
    for row in records(con.execute("from published_figures order by number").df()):
        topics.setdefault(row["topic"], []).append(row)
    return topics


def specs() -> dict[str, Any]:
    """The charts that pages fill with the rows of a mouse or session, by name."""
    named = alt.NamedData
    drawn = {
        name: figure.chart.draw(*map(named, figure.rows)) for name, figure in FIGURES.items()
    } | {
        "choices": session_curves.choices(named("curves")),
        "times": session_curves.reaction_times(named("times")),
        "course": session_course.draw(named("course"), named("blocks")),
        "both": mouse_progress.beside(named("days")),
    }
    return {name: style.configured(chart).to_dict() for name, chart in drawn.items()}


def caption(figure: Figure, rows: Mapping[str, pd.DataFrame]) -> str | None:
    """What stands under a figure of one mouse; None where there is nothing to draw."""
    if rows[figure.rows[0]].empty:
        return None
    words = figure.chart.words(*(rows[name] for name in figure.rows))
    return words if isinstance(words, str) else "; ".join(words)


def checklist(measures: pd.DataFrame, status: str | None = None) -> list[dict[str, Any]]:
    """The criteria after the last session of a mouse of a status, each with its measures."""
    lists: list[dict[str, Any]] = []
    for criteria in criterion_checklist.COLUMNS:
        for row in records(criterion_checklist.in_rows(measures, criteria, status)):
            if row.get("heading"):
                lists.append({"criterion": row["heading"], "met": row["met"], "measures": []})
            else:
                lists[-1]["measures"].append(row)
    return lists


@dataclass(frozen=True)
class Definition:
    """A table or view of the dictionary, with the words above its SQL and what its columns hold.

    `n_looked_at` are the rows that the summaries of columns, by name, are of.
    """

    described: Described
    header: str
    n_looked_at: int
    summaries: Mapping[str, Summary]


def dictionary(con: duckdb.DuckDBPyConnection) -> list[Definition]:
    """Every view and table with its columns, and what the views say of themselves."""
    headers = {view.name: _header(view.sql) for view in views.read()}
    mice = some_mice(con)
    found = (describe(con, entry.name) for entry in entries(con))
    return [
        Definition(
            described,
            headers.get(described.entry.name, ""),
            *summarize(con, described, mice),
        )
        for described in found
    ]


def page_names(nicknames: Iterable[str], uuids: Iterable[str]) -> list[str]:
    """A file name for each mouse: its nickname, with its UUID where others share that."""
    safe = [re.sub(r"[^A-Za-z0-9._-]+", "_", name)[:LONGEST].strip(".") for name in nicknames]
    folded = [name.lower() for name in safe]
    return [
        name if name and folded.count(name.lower()) == 1 else f"{name}-{uuid}".lstrip("-")
        for name, uuid in zip(safe, uuids, strict=True)
    ]


def _rows(
    con: duckdb.DuckDBPyConnection, sessions: pd.DataFrame
) -> tuple[dict[str, pd.DataFrame], dict[str, str]]:
    """What the pages of mice and sessions draw and list, of all mice, and the queries of it."""
    of_mice: dict[str, pd.DataFrame] = {}
    queries: dict[str, str] = {}

    def asked(name: str, chart: Any) -> dict[str, pd.DataFrame]:
        listening: Any = gallery.Listening(con)
        found: dict[str, pd.DataFrame] = chart.rows(listening)
        of_page = ("mouse", "start")
        queries[name] = gallery.statements(
            name,
            [
                (query, {key: of for key, of in values.items() if key not in of_page})
                for query, values in listening.asked
            ],
        )
        return found

    for name, figure in figures(con).items():
        of_mice |= asked(name, figure.chart)
    key = ["subject_uuid", "session_start_time"]
    # the place of a session among those of its mouse says in a digit or two what its start does
    places = sessions[key].assign(session=sessions.groupby("subject_uuid").cumcount())
    of_sessions = {
        name: frame.merge(places, on=key).drop(columns="session_start_time")
        for name, frame in {
            **asked("choices", session_curves),
            **asked("course", session_course),
            "session_fits": con.execute(query("fits")).df(),
        }.items()
    }
    rows = {
        **of_mice,
        **of_sessions,
        "sessions": sessions,
        "measures": criterion_checklist.rows(con),
    }
    return rows, queries | {"times": queries["choices"], "both": queries["progress"]}


def _by_mouse(frame: pd.DataFrame) -> tuple[dict[str, pd.DataFrame], pd.DataFrame]:
    """The rows of each mouse by its UUID, and the same without rows."""
    rest = frame.drop(columns="subject_uuid")
    return dict(tuple(rest.groupby(frame["subject_uuid"], sort=False))), rest.head(0)


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows as dictionaries, None for what is not there."""
    return frame.astype(object).where(frame.notna(), None).to_dict("records")


@cache
def _header(sql: str) -> str:
    """The comment at the top of a file of SQL."""
    lines = []
    for line in sql.splitlines():
        if not line.startswith("--"):
            break
        lines.append(line.removeprefix("--").removeprefix(" "))
    return "\n".join(lines)
