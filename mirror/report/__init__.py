"""The report: static pages that open from their folder, without a server or a network."""

import inspect
import os
import shutil
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import vl_convert
from jinja2 import Environment

from mirror import store, views
from mirror.analyses import gallery
from mirror.background import beside
from mirror.errors import UsageError
from mirror.folders import replacing
from mirror.inventory import status
from mirror.report import contents, libraries, pages
from mirror.report.contents import Mouse

ASSETS = Path(__file__).parent / "assets"
# What tells a report from any other folder.
MARK = "assets/report.js"
# The images of the first page, against the charts in full.
IMAGE_SCALE = 0.8


def build(
    database: str | os.PathLike[str] | None = None,
    folder: str | os.PathLike[str] = "report",
    advance: Callable[[int, int], None] = lambda done, total: None,
) -> Path:
    """Write the report of a mirror into a folder and return its first page.

    An earlier report there is replaced when the new one is complete. `advance` hears how many of
    all pages are done. Raises UsageError where the folder holds something else, or the mirror
    lacks a view.
    """
    path, target = store.path(database), Path(folder)
    with (
        store.connect(path) as con,
        replacing(target, MARK, "report", "-o") as work,
        views.found("No report can be made"),
        # to write pages takes one core of many
        beside(con, contents.dictionary) as dictionary,
    ):
        _write(con, path, work, advance, dictionary)
    return target / "index.html"


@dataclass(frozen=True)
class Site:
    """The folder that becomes the report, and how far it is: `advance` hears it at each step."""

    folder: Path
    templates: Environment
    advance: Callable[[], None]

    def page(self, file: str, template: str, **values: Any) -> None:
        depth = "../" * file.count("/")
        html = self.templates.get_template(template).render(root=depth, **values)
        (self.folder / file).write_text(html, "utf-8")

    def data(self, file: str, script: str) -> None:
        (self.folder / "data" / file).write_text(script, "utf-8")


def _write(
    con: duckdb.DuckDBPyConnection,
    path: Path,
    folder: Path,
    advance: Callable[[int, int], None],
    dictionary: Future[list[contents.Definition]],
) -> None:
    """Write all pages and what they load."""
    for name in ("assets", "charts", "data/charts", "data/mice", "images", "mice"):
        (folder / name).mkdir(parents=True)
    run = status(con, path)
    counts = contents.overview(con)
    total, done = len(gallery.names()) + counts["n_mice"], count(1)
    shared = {
        "is_simulated": run["is_simulated"],
        "source": run["address"],
        "synced": f"{run['finished_at']:%Y-%m-%d %H:%M}",
    }
    site = Site(folder, pages.environment(shared), lambda: advance(next(done), total))
    _assets(folder / "assets")
    drawn, missing = _write_charts(con, site)
    sessions = contents.sessions(con)
    mice, of_figures = contents.mice(con, sessions)
    site.data("queries.js", pages.script("queries", of_figures))
    _write_mice(con, site, mice)
    for name, (table, rows) in _tables(mice, sessions).items():
        site.data(f"{name}.js", pages.table_script(name, table, rows, _query_of(name)))
        site.page(f"{name}.html", "table.html", name=name, table=table)
    site.page("session.html", "session.html")
    site.page("compare.html", "compare.html")
    site.page("check.html", "check.html", figures=contents.published(con))
    site.page("dictionary.html", "dictionary.html", definitions=dictionary.result())
    site.page(
        "index.html",
        "index.html",
        run=run,
        age=timedelta(seconds=run["age_seconds"]),
        counts=counts,
        questions={
            question: {name: gallery.description(name) for name in names if name in drawn}
            for question, names in gallery.QUESTIONS.items()
        },
        charts=drawn,
        missing=missing,
    )


def _write_charts(con: duckdb.DuckDBPyConnection, site: Site) -> tuple[list[str], list[str]]:
    """Write the page of each chart; returns those drawn, and why others cannot be."""
    specs: dict[str, Any] = {}
    queries: dict[str, str] = {}
    missing: list[str] = []
    for name in gallery.names():
        try:
            chart, queries[name] = gallery.with_queries(con, name)
            # that it is a chart of Vega-Lite is for the tests to see
            specs[name] = chart.to_dict(validate=False)
        except UsageError as error:
            missing.append(str(error))
        site.advance()
    site.data("specs.js", pages.script("specs", contents.specs()))
    for name, spec in specs.items():
        script = pages.script(f"spec/{name}", spec) + pages.script(f"sql/{name}", queries[name])
        site.data(f"charts/{name}.js", script)
        image = vl_convert.vegalite_to_png(spec, scale=IMAGE_SCALE)
        (site.folder / "images" / f"{name}.png").write_bytes(image)
        site.page(
            f"charts/{name}.html",
            "chart.html",
            name=name,
            names=list(specs),
            title=gallery.module(name).TITLE,
            text=_text(name),
        )
    return list(specs), missing


def _write_mice(con: duckdb.DuckDBPyConnection, site: Site, mice: list[Mouse]) -> None:
    """Write the page of each mouse, which leads to its neighbours."""
    figures = contents.figures(con)
    titles = {name: figure.chart.TITLE for name, figure in figures.items()}
    for before, mouse, after in zip([None, *mice], mice, [*mice[1:], None], strict=False):
        script = pages.frames_script(
            f"mice/{mouse.page}", mouse.rows, subject_uuid=mouse.about["subject_uuid"]
        )
        site.data(f"mice/{mouse.page}.js", script)
        site.page(
            f"mice/{mouse.page}.html",
            "mouse.html",
            mouse=mouse,
            previous=before,
            next=after,
            captions={
                name: contents.caption(figure, mouse.rows) for name, figure in figures.items()
            },
            titles=titles,
            sessions=contents.records(mouse.rows["sessions"]),
            criteria=contents.checklist(mouse.rows["measures"], mouse.about["latest_status"]),
            criteria_of=next(iter(mouse.rows["measures"]["session_start_time"]), None),
        )
        site.advance()


def _assets(folder: Path) -> None:
    """The scripts and style sheets that the pages share."""
    for file in ASSETS.iterdir():
        shutil.copyfile(file, folder / file.name)
    script, style = libraries.data_tables()
    (folder / "tables-library.js").write_text(script, "utf-8")
    (folder / "tables-library.css").write_text(style, "utf-8")
    (folder / "vega.js").write_text(libraries.vega(), "utf-8")
    shutil.copyfile(gallery.FOLDER / "fit.js", folder / "fit.js")


def _query_of(table: str) -> str:
    """What the rows of a table are asked with."""
    if table == "daily":
        return f"-- of each living mouse the latest of\n{contents.query('sessions')}"
    return contents.query(table)


def _text(name: str) -> list[str]:
    """The paragraphs of what a chart's module says of it."""
    return (inspect.getdoc(gallery.module(name)) or "").split("\n\n")


def _tables(
    mice: list[Mouse], sessions: pd.DataFrame
) -> dict[str, tuple[pages.Table, pd.DataFrame]]:
    """The tables of mice, of sessions, and of the latest session of each living mouse."""
    about = pd.DataFrame([{**mouse.about, "page": mouse.page} for mouse in mice])
    of_mouse = ["subject_uuid", "page", "subject_nickname", "lab_name"]
    living = about.loc[about["alive"] == "yes", [*of_mouse, "latest_status"]]
    # the latest session of a mouse comes first; a mouse without any has a row all the same
    latest = sessions.drop_duplicates("subject_uuid").drop(columns=of_mouse[2:])
    daily = living.merge(latest, on="subject_uuid", how="left")
    last_of_all = pd.to_datetime(sessions["session_date"]).max()
    daily["days_ago"] = (last_of_all - pd.to_datetime(daily["session_date"])).dt.days
    listed = sessions.merge(about[of_mouse[:2]], on="subject_uuid")
    return {
        "mice": (pages.MICE, about),
        "sessions": (pages.SESSIONS, listed.assign(has_trials=listed["n_trials"].notna())),
        "daily": (pages.DAILY, daily),
    }
