"""The views of `sql/`: put into the file in the order that their queries ask for.

sqlglot reads from each file which view it defines and which tables and views it needs. A
view whose tables are not there, because the sync was narrowed, is skipped and said so.
"""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import duckdb

from mirror import store
from mirror.errors import MirrorError


@dataclass(frozen=True)
class View:
    """One file of `sql/`: the view it defines, what it needs, its statements."""

    name: str
    file: Path
    needs: frozenset[str]
    sql: str


@dataclass(frozen=True)
class Applied:
    """What became of each view: in the file, or skipped for a reason."""

    views: tuple[str, ...]
    skipped: Mapping[str, str]


def folder() -> Path:
    """Where the SQL files lie: inside an installed package, beside it in a checkout."""
    packaged = Path(__file__).parent / "sql"
    return packaged if packaged.is_dir() else Path(__file__).parents[1] / "sql"


def apply(database: str | os.PathLike | None = None) -> Applied:
    """Define the views of `sql/` anew in an existing mirror; no source is asked."""
    file = store.path(database)
    store.connect(file).close()
    with store.held(file) as target, store.staging(target, "views") as work:
        applied = define(work.connection)
        work.swap()
    return applied


def define(connection: duckdb.DuckDBPyConnection, views: Iterable[View] | None = None) -> Applied:
    """Define the views in an open file, replacing those that an earlier version put there."""
    ordered = in_order(read() if views is None else views)
    for (name,) in connection.execute(
        "select view_name from _mirror.views where skipped is null"
    ).fetchall():
        connection.execute(f"drop view if exists main.{store.quoted(name)}")
    connection.execute("delete from _mirror.views")
    rows = []
    present = {
        f"{schema}.{name}"
        for schema, name in connection.execute(
            "select schema_name, table_name from duckdb_tables()"
            " where database_name = current_database()"
        ).fetchall()
    }
    defined: list[str] = []
    skipped: dict[str, str] = {}
    for view in ordered:
        missing = sorted(view.needs - present - {f"main.{name}" for name in defined})
        if missing:
            skipped[view.name] = "needs " + ", ".join(n.removeprefix("main.") for n in missing)
        elif mismatch := _mismatch(connection, view):
            skipped[view.name] = mismatch
        else:
            defined.append(view.name)
        file = f"{view.file.parent.name}/{view.file.name}"
        rows.append((view.name, file, skipped.get(view.name)))
    store.insert(connection, "views", rows)
    return Applied(tuple(defined), skipped)


def _mismatch(connection: duckdb.DuckDBPyConnection, view: View) -> str | None:
    """Define a view; says what does not fit when the server's tables differ from IBL's."""
    try:
        connection.execute(view.sql)
        connection.execute(f"select * from main.{store.quoted(view.name)} limit 0")
    except (duckdb.BinderException, duckdb.CatalogException) as error:
        connection.execute(f"drop view if exists main.{store.quoted(view.name)}")
        return str(error).splitlines()[0]
    return None


def read(root: Path | None = None) -> list[View]:
    """Read every file under `sql/`. Raises MirrorError on one that defines no single view."""
    files = sorted((root or folder()).rglob("*.sql"))
    return [_parse(file, file.read_text("utf-8")) for file in files]


def in_order(views: Iterable[View]) -> list[View]:
    """Sort the views so that each comes after those it needs."""
    waiting = {f"main.{view.name}": view for view in views}
    ordered: list[View] = []
    while waiting:
        ready = [view for view in waiting.values() if not view.needs & waiting.keys()]
        if not ready:
            raise MirrorError("These views need each other in a circle: " + ", ".join(waiting))
        for view in ready:
            del waiting[f"main.{view.name}"]
        ordered += ready
    return ordered


@cache
def _parse(file: Path, text: str) -> View:
    import sqlglot
    from sqlglot import exp

    try:
        statements = [s for s in sqlglot.parse(text, dialect="duckdb") if s is not None]
    except sqlglot.errors.ParseError as error:
        raise MirrorError(f"{file} is not SQL that DuckDB reads: {error}.") from error
    created = [s for s in statements if isinstance(s, exp.Create) and s.kind == "VIEW"]
    if len(created) != 1 or created[0].this.name != file.stem:
        raise MirrorError(f"{file} must define the one view {file.stem!r}.")
    query = created[0].expression
    local = {cte.alias for cte in query.find_all(exp.CTE)}
    needs = {
        f"{table.db or 'main'}.{table.name}"
        for table in query.find_all(exp.Table)
        if table.name and (table.db or table.name not in local)
    }
    return View(file.stem, file, frozenset(needs), text)
