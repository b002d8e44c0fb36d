"""The report: static pages that open from their folder, without a server or a network."""

import inspect
import os
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import duckdb
import pandas as pd
import vl_convert

from mirror import store
from mirror.analyses import gallery
from mirror.catalogue import status
from mirror.errors import UsageError
from mirror.folders import replacing
from mirror.report import contents, libraries, pages
from mirror.report.contents import Mouse

ASSETS = Path(__file__).parent / "assets"
# What tells a report from any other folder.
MARK = "assets/report.js"
T = TypeVar("T")
# The images of the first page, against the charts in full.
IMAGE_SCALE = 0.8


def build(
    database: str | os.PathLike | None = None,
    folder: str | os.PathLike = "report",
    advance: Callable[[int, int], None] = lambda done, total: None,
) -> Path:
    """Write the report of a mirror into a folder and return its first page.

    An earlier report there is replaced when the new one is complete. `advance` hears how many of
    all pages are done. Raises UsageError where the folder holds something else, or the mirror
    lacks a view.
    """
    path, target = store.path(database), Path(folder)
    with store.connect(path) as con, replacing(target, MARK, "report", "-o") as work:
        try:
            with _beside(con, contents.dictionary) as dictionary:
                _write(con, path, work, advance, dictionary)
        except duckdb.CatalogException as error:
            reason = str(error).splitlines()[0].removeprefix("Catalog Error: ").rstrip("!")
            raise UsageError(
                f"No report can be made from this mirror ({reason}): 'mirror status' says why."
            ) from error
    return target / "index.html"


@contextmanager
def _beside(
    con: duckdb.DuckDBPyConnection, ask: Callable[[duckdb.DuckDBPyConnection], T]
) -> Iterator[Future[T]]:
    """What is asked of the mirror beside all else: to write pages takes one core of many."""
    cursor = con.cursor()
    with ThreadPoolExecutor(1) as pool:
        try:
            yield pool.submit(ask, cursor)
        except BaseException:
            # nobody waits for it any more
            cursor.interrupt()
            cursor.close()
            raise


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
    charts = gallery.names()
    total, done = len(charts) + counts["n_mice"], 0
    templates = pages.environment(
        {
            "is_simulated": run["is_simulated"],
            "source": run["address"],
            "synced": f"{run['finished_at']:%Y-%m-%d %H:%M}",
        }
    )

    def page(file: str, template: str, **values: Any) -> None:
        depth = "../" * file.count("/")
        html = templates.get_template(template).render(root=depth, **values)
        (folder / file).write_text(html, "utf-8")

    def data(file: str, script: str) -> None:
        (folder / "data" / file).write_text(script, "utf-8")

    _assets(folder / "assets")
    data("specs.js", pages.script("specs", contents.specs()))
    drawn: dict[str, Any] = {}
    queries: dict[str, str] = {}
    missing: list[str] = []
    for name in charts:
        try:
            chart, queries[name] = gallery.with_queries(con, name)
            # that it is a chart of Vega-Lite is for the tests to see
            drawn[name] = chart.to_dict(validate=False)
        except UsageError as error:
            missing.append(str(error))
        done += 1
        advance(done, total)
    for name, spec in drawn.items():
        script = pages.script(f"spec/{name}", spec) + pages.script(f"sql/{name}", queries[name])
        data(f"charts/{name}.js", script)
        image = vl_convert.vegalite_to_png(spec, scale=IMAGE_SCALE)
        (folder / "images" / f"{name}.png").write_bytes(image)
        page(
            f"charts/{name}.html",
            "chart.html",
            name=name,
            names=list(drawn),
            title=gallery.module(name).TITLE,
            text=_text(name),
        )
    sessions = contents.sessions(con)
    mice, of_figures = contents.mice(con, sessions)
    data("queries.js", pages.script("queries", of_figures))
    figures = contents.figures(con)
    for place, mouse in enumerate(mice):
        script = pages.frames_script(
            f"mice/{mouse.page}", mouse.rows, subject_uuid=mouse.about["subject_uuid"]
        )
        data(f"mice/{mouse.page}.js", script)
        page(
            f"mice/{mouse.page}.html",
            "mouse.html",
            mouse=mouse,
            previous=mice[place - 1] if place else None,
            next=mice[place + 1] if place + 1 < len(mice) else None,
            captions={
                name: contents.caption(figure, mouse.rows) for name, figure in figures.items()
            },
            titles={name: figure.chart.TITLE for name, figure in figures.items()},
            sessions=contents.records(mouse.rows["sessions"]),
            criteria=contents.checklist(mouse.rows["measures"], mouse.about["latest_status"]),
            criteria_of=next(iter(mouse.rows["measures"]["session_start_time"]), None),
        )
        done += 1
        advance(done, total)
    tables = _tables(mice, sessions)
    for name, (table, rows) in tables.items():
        data(f"{name}.js", pages.table_script(name, table, rows, _query_of(name)))
        page(f"{name}.html", "table.html", name=name, table=table)
    page("session.html", "session.html")
    page("compare.html", "compare.html")
    page("check.html", "check.html", figures=contents.published(con))
    page("dictionary.html", "dictionary.html", definitions=dictionary.result())
    age = timedelta(seconds=run["age_seconds"])
    page(
        "index.html",
        "index.html",
        run=run,
        age=age,
        counts=counts,
        questions={
            question: {name: gallery.description(name) for name in names if name in drawn}
            for question, names in gallery.QUESTIONS.items()
        },
        charts=list(drawn),
        missing=missing,
    )


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
