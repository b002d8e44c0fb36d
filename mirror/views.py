"""The views of `sql/`: put into the file in the order that their queries ask for.

sqlglot reads from each file which view it defines and which tables and views it needs. A
view whose tables are not there, because the sync was narrowed, is skipped and said so.

A view whose head has a line `-- Stored: in the order of a, b.` is kept as a table of the same
name, with the same comments, and made again when what it is made from has changed.
"""

import hashlib
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from mirror import store
from mirror.errors import MirrorError, UsageError

if TYPE_CHECKING:
    from sqlglot import exp

# Of columns that are passed on, the table or view that they come from, and their name there.
Passed = Mapping[str, tuple[str, str]]
# Rows of a stored view that DuckDB puts in order at a time, within its memory.
PORTION = 300_000
STORED = re.compile(r"-- Stored: in the order of ([a-z0-9_]+(?:, [a-z0-9_]+)*)\.")
MEANT_AS_STORED = re.compile(
    r"^--\s*stored(?:[:.]|$| in the order\b).*", re.MULTILINE | re.IGNORECASE
)


@dataclass(frozen=True)
class View:
    """One file of `sql/`: the view it defines, what it needs, its statements.

    `stored_by` names the columns by which the rows lie where the view is kept as a table;
    `passed_on` the columns that it takes as they are, with the table or view and its column.
    """

    name: str
    file: Path
    needs: frozenset[str]
    sql: str
    stored_by: tuple[str, ...] = ()
    passed_on: Passed = field(default_factory=dict)


@dataclass(frozen=True)
class Applied:
    """What became of each view: in the file, or skipped for a reason."""

    views: tuple[str, ...]
    skipped: Mapping[str, str]


@contextmanager
def found(what: str) -> Iterator[None]:
    """Say of a view or column that the file lacks what to do about `what`. Raises UsageError."""
    try:
        yield
    except (duckdb.CatalogException, duckdb.BinderException) as error:
        kind, _, reason = str(error).splitlines()[0].partition(" Error: ")
        raise UsageError(
            f"{what} from this mirror ({(reason or kind).rstrip('!')}): 'mirror views' brings up"
            " the views of an earlier version, 'mirror status' says why others are missing."
        ) from error


def folder() -> Path:
    """Where the SQL files lie: inside an installed package, beside it in a checkout."""
    packaged = Path(__file__).parent / "sql"
    return packaged if packaged.is_dir() else Path(__file__).parents[1] / "sql"


def apply(
    database: str | os.PathLike[str] | None = None,
    purpose: str = "views",
    change: Callable[[duckdb.DuckDBPyConnection], None] | None = None,
) -> Applied:
    """Define the views of `sql/` anew in an existing mirror; no source is asked.

    What they read of the derived tables is brought up first, if another version made it, and
    `change`, whose purpose is told, makes what else shall be in the file.
    """
    # which itself needs this module
    from mirror import derive

    file = store.path(database)
    store.connect(file).close()
    with store.held(file) as target, store.staging(target, purpose) as work:
        store.prepare(work.connection)
        if change:
            change(work.connection)
        available = read()
        derive.bring_up(work.connection, available)
        applied = define(work.connection, available)
        work.swap()
    return applied


def define(connection: duckdb.DuckDBPyConnection, views: Iterable[View] | None = None) -> Applied:
    """Define the views in an open file, and drop those that an earlier version put there.

    What only IBL's public files have, in the schema `one`, makes no view of a server's mirror.
    """
    ordered = in_order(read() if views is None else views)
    if not _has_schema(connection, "one"):
        ordered = [v for v in ordered if not any(name.startswith("one.") for name in v.needs)]
    names = {view.name for view in ordered}
    recorded = connection.execute("select view_name from _mirror.views").fetchall()
    gone = [name for (name,) in recorded if name not in names]
    kinds = _kinds(connection)
    for name in gone:
        _drop(connection, name, kinds)
    _forget(connection, gone)
    applied = put(connection, ordered)
    _inherit(connection, (view for view in ordered if view.name in applied.views))
    return applied


def put(connection: duckdb.DuckDBPyConnection, ordered: Sequence[View]) -> Applied:
    """Put some views into an open file, among them all that they need of each other.

    A view is made again only if its SQL, or what it is made from, has changed.
    """
    present = {
        f"{schema}.{name}"
        for schema, name in connection.execute(
            "select schema_name, table_name from duckdb_tables()"
            " where database_name = current_database() and schema_name <> 'main'"
        ).fetchall()
    }
    inputs = dict(connection.execute("select view_name, inputs from _mirror.views").fetchall())
    states = states_of(connection, ordered)
    kinds = _kinds(connection)
    done: dict[str, View] = {}
    skipped: dict[str, str] = {}
    rows = []
    for view in ordered:
        missing = sorted(view.needs - present - {f"main.{name}" for name in done})
        kind = "table" if view.stored_by else "view"
        digest, base = None, needed([*done.values(), view], [view.name])
        tables = {name for each in base for name in each.needs}
        if not missing:
            digest = inputs_of(states, base, [view.name])
        if not digest or digest != inputs.get(view.name) or kinds.get(view.name) != kind:
            _drop(connection, view.name, kinds)
            if missing:
                names = ", ".join(name.removeprefix("main.") for name in missing)
                skipped[view.name] = f"needs {names}"
            elif mismatch := _make(connection, view, tables):
                skipped[view.name], digest = mismatch, None
        if view.name not in skipped:
            done[view.name] = view
        file = f"{view.file.parent.name}/{view.file.name}"
        is_stored = bool(view.stored_by) and view.name in done
        rows.append((view.name, file, skipped.get(view.name), is_stored, digest))
    _forget(connection, [name for name, *_ in rows])
    store.insert(connection, "views", rows)
    return Applied(tuple(done), skipped)


def _inherit(connection: duckdb.DuckDBPyConnection, ordered: Iterable[View]) -> None:
    """Give columns without a comment that of the column which they pass on."""
    told = {
        (table, column): comment
        for table, column, comment in connection.execute(
            "select schema_name || '.' || table_name, column_name, comment from duckdb_columns()"
            " where database_name = current_database()"
        ).fetchall()
    }
    connection.begin()
    for view in ordered:
        name = f"main.{view.name}"
        for column, origin in view.passed_on.items():
            comment = told.get(origin)
            if comment and (name, column) in told and not told[name, column]:
                connection.execute(
                    f"comment on column main.{store.quoted(view.name)}.{store.quoted(column)}"
                    f" is {store.literal(comment)}"
                )
                told[name, column] = comment
    connection.commit()


def states_of(
    connection: duckdb.DuckDBPyConnection, ordered: Sequence[View]
) -> Sequence[tuple[object, ...]]:
    """Which rows there are in each table: its name, and what tells them from others.

    Of the mirror's own tables, such as cohorts, only those that stored views are made from.
    """
    found = connection.execute(
        "select schema_name || '.' || table_name, definition, n_rows, read_at::varchar"
        " from _mirror.tables union all"
        " select 'derived.' || table_name, inputs, n_rows, null from _mirror.derived order by 1"
    ).fetchall()
    base = needed(ordered, [view.name for view in ordered if view.stored_by])
    for name in sorted({name for view in base for name in view.needs}):
        if name.startswith("_mirror."):
            found += connection.execute(
                f"select '{name}', count(*), bit_xor(hash(rows)) from {name} as rows"
            ).fetchall()
    return found


def inputs_of(
    states: Iterable[tuple[object, ...]],
    views: Iterable[View],
    names: Iterable[str],
    beside: Iterable[str] = (),
) -> str:
    """A digest of what decides the rows of some views: their SQL, and when which rows were read.

    `states` are those of all tables; `views` has the views named and all that they need; `beside`
    names further tables.
    """
    base = needed(views, names)
    tables = {name for view in base for name in view.needs}.union(beside)
    found = hashlib.sha256()
    for name, *state in states:
        if name in tables:
            found.update(repr((name, state)).encode())
    for view in sorted(base, key=lambda view: view.name):
        found.update(view.sql.encode())
    return found.hexdigest()[:16]


def needed(views: Iterable[View], names: Iterable[str]) -> list[View]:
    """The views named and all that they need, in the order in which they can be defined."""
    by_name = {view.name: view for view in views}
    waiting, found = list(names), {}
    while waiting:
        name = waiting.pop()
        if name in by_name and name not in found:
            found[name] = by_name[name]
            waiting += [n.removeprefix("main.") for n in by_name[name].needs]
    return in_order(found.values())


def _make(connection: duckdb.DuckDBPyConnection, view: View, tables: Iterable[str]) -> str | None:
    """Define a view; says what does not fit when the server's tables differ from IBL's."""
    # each comment by itself would be a commit
    connection.begin()
    try:
        connection.execute(view.sql)
        connection.commit()
    except (duckdb.BinderException, duckdb.CatalogException) as error:
        connection.rollback()
        return str(error).splitlines()[0]
    if view.stored_by:
        try:
            _store(connection, view, tables)
        except duckdb.DataError as error:
            # a value that no pipeline wrote must not cost anyone the copy
            connection.rollback()
            _drop(connection, view.name, {view.name: "view"})
            return str(error).splitlines()[0]
    return None


def _store(connection: duckdb.DuckDBPyConnection, view: View, tables: Iterable[str]) -> None:
    """Put a table in the place of a view: its rows in order, its comments."""
    name = f"main.{store.quoted(view.name)}"
    order = ", ".join(map(store.quoted, view.stored_by))
    [(comment,)] = connection.execute(
        "select comment from duckdb_views() where database_name = current_database()"
        f" and schema_name = 'main' and view_name = {store.literal(view.name)}"
    ).fetchall()
    columns = connection.execute(
        "select column_name, data_type, comment from duckdb_columns()"
        " where database_name = current_database() and schema_name = 'main'"
        f" and table_name = {store.literal(view.name)}"
    ).fetchall()
    types = {column: kind for column, kind, _ in columns}
    if unknown := [by for by in view.stored_by if by not in types]:
        raise MirrorError(f"{view.file} is to be stored by {unknown[0]}, which is no column of it.")
    connection.begin()
    connection.execute(f"create table main._stored as from {name} limit 0")
    for some in _portions(connection, view.stored_by[0], types[view.stored_by[0]], tables):
        with store.sorting(connection):
            connection.execute(
                f"insert into main._stored from {name} where {some} order by {order}"
            )
    connection.execute(f"drop view {name}")
    connection.execute(f"alter table main._stored rename to {store.quoted(view.name)}")
    connection.execute(f"comment on table {name} is {store.literal(comment)}")
    for column, _, comment in columns:
        connection.execute(
            f"comment on column {name}.{store.quoted(column)} is {store.literal(comment)}"
        )
    connection.commit()


def _portions(
    connection: duckdb.DuckDBPyConnection, column: str, kind: str, tables: Iterable[str]
) -> Iterator[str]:
    """Conditions that cut a view, by a column of this type, into portions that fit into memory.

    The largest of the tables that the view is made from tells how many rows there are of what.
    """
    among = ", ".join(map(store.literal, tables))
    largest = connection.execute(
        "select schema_name, table_name from duckdb_columns() join duckdb_tables()"
        " using (database_name, schema_name, table_name)"
        f" where database_name = current_database() and column_name = {store.literal(column)}"
        # values of another type would be in another order
        f" and data_type = {store.literal(kind)}"
        f" and schema_name || '.' || table_name in ({among}) order by estimated_size desc limit 1"
    ).fetchall()
    name, bounds, rows, before = store.quoted(column), [], 0, None
    for schema, table in largest:
        for value, n in connection.execute(
            f"select {name}::varchar, count(*) from {store.quoted(schema)}.{store.quoted(table)}"
            f" where {name} is not null group by {name} order by {name}"
        ).fetchall():
            if rows and rows + n > PORTION:
                bounds.append(store.literal(before))
                rows = 0
            before, rows = value, rows + n
    for low, high in pairwise([None, *bounds, None]):
        conditions = [f"{name} > {low}"] if low else []
        if high:
            below = f"{name} <= {high}"
            conditions.append(below if low else f"({below} or {name} is null)")
        yield " and ".join(conditions) or "true"


def _has_schema(connection: duckdb.DuckDBPyConnection, schema: str) -> bool:
    return bool(
        connection.execute(
            "select 1 from duckdb_schemas() where database_name = current_database()"
            f" and schema_name = {store.literal(schema)}"
        ).fetchall()
    )


def _kinds(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """What there is in the schema main, by name: a view, or the table that it is stored as."""
    return dict(
        connection.execute(
            "select view_name, 'view' from duckdb_views()"
            " where database_name = current_database() and schema_name = 'main'"
            " union all select table_name, 'table' from duckdb_tables()"
            " where database_name = current_database() and schema_name = 'main'"
        ).fetchall()
    )


def _drop(connection: duckdb.DuckDBPyConnection, name: str, kinds: Mapping[str, str]) -> None:
    if name in kinds:
        connection.execute(f"drop {kinds[name]} main.{store.quoted(name)}")


def _forget(connection: duckdb.DuckDBPyConnection, names: Iterable[str]) -> None:
    listed = ", ".join(map(store.literal, names))
    connection.execute(f"delete from _mirror.views where view_name in ({listed or 'null'})")


def read(root: Path | None = None) -> list[View]:
    """Read every file under `sql/`. Raises MirrorError on one that defines no single view."""
    files = sorted((root or folder()).rglob("*.sql"))
    return [parsed(file, file.read_text("utf-8")) for file in files]


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
def parsed(file: Path, text: str) -> View:
    """Read the statements of one view. Raises MirrorError where they define another, or several."""
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
    return View(
        file.stem, file, frozenset(needs), text, _stored_by(file, text), _passed_on(query, {})
    )


def _stored_by(file: Path, text: str) -> tuple[str, ...]:
    """The columns that the head of a view names, if it says that the view is stored."""
    meant = MEANT_AS_STORED.search(text)
    if not meant:
        return ()
    line = meant[0].rstrip()
    if not (stored := STORED.fullmatch(line)):
        raise MirrorError(
            f"{file} says {line!r}: write '-- Stored: in the order of COLUMN, COLUMN.', with the"
            " columns that tell its rows apart, as the view calls them."
        )
    return tuple(stored[1].split(", "))


def _passed_on(query: "exp.Expr", outer: Mapping[str, Passed]) -> Passed:
    """The columns of a query that are those of a table or view, as they are there.

    `outer` has those of the queries that are named before it.
    """
    from sqlglot import exp

    if not isinstance(query, exp.Select):
        return {}
    named = dict(outer)
    for cte in query.ctes:
        named[cte.alias] = _passed_on(cte.this, named)
    joined = [join.this for join in query.args.get("joins") or ()]
    sources = {}
    for source in [query.args["from_"].this, *joined] if query.args.get("from_") else ():
        sources[source.alias_or_name] = source
    found = {}
    for item in query.expressions:
        column = item.unalias()
        if not isinstance(column, exp.Column):
            continue
        # without a name before it, of the only one
        of = column.table or (next(iter(sources)) if len(sources) == 1 else "")
        source = sources.get(of)
        if isinstance(source, exp.Table) and not source.db and source.name in named:
            origin = named[source.name].get(column.name)
        elif isinstance(source, exp.Table):
            origin = (f"{source.db or 'main'}.{source.name}", column.name)
        else:
            origin = None
        if origin:
            found[item.alias_or_name] = origin
    return found
