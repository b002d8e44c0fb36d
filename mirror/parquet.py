"""The whole mirror as a folder of Parquet, for engines that take more than one machine.

    DIR/export.json                                         what there is: `Manifest`
    DIR/reference/lab/part-1f0c4e2a.parquet                 a folder per schema and table
    DIR/behavior/trial_set__trial/lab_name=wittenlab/...    large tables by lab
    DIR/main/trials/lab_name=wittenlab/...                  views that are stored

Rows lie in the order of the key. A second export of other mice into the same folder adds its
files; what belongs to no mouse, such as the labs, is taken over from the newest export. The
folder is written beside its place, its files so far linked, and renamed when it is whole.
"""

import json
import os
import shutil
import urllib.parse
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import duckdb
from duckdb.sqltypes import DuckDBPyType

from mirror import folders, lock, store, views
from mirror.errors import MirrorError, UsageError
from mirror.output import leaves
from mirror.store import literal, quoted

MANIFEST = "export.json"
# of the folder: another one cannot be read, or added to
FORMAT = 1
# Tables of trials are partitioned by lab however small, others from this many rows on.
LARGE = 1_000_000
# DuckDB's types that other engines refuse, or read as another value: what they become.
ARRIVES_AS = {
    "uuid": "VARCHAR",
    "enum": "VARCHAR",
    "json": "VARCHAR",
    "bit": "VARCHAR",
    "time": "VARCHAR",
    "time with time zone": "VARCHAR",
    "timestamp_s": "TIMESTAMP",
    "timestamp_ms": "TIMESTAMP",
    "timestamp_ns": "TIMESTAMP",
    "utinyint": "SMALLINT",
    "usmallint": "INTEGER",
    "uinteger": "BIGINT",
    "ubigint": "DECIMAL(20,0)",
    "hugeint": "DECIMAL(38,0)",
    "uhugeint": "DECIMAL(38,0)",
}


@dataclass(frozen=True)
class Column:
    """A column as it arrives: `kind` is its type in DuckDB's words, `source` its name here."""

    name: str
    kind: str
    comment: str = ""
    source: str = ""


@dataclass(frozen=True)
class Table:
    """A table, or a view that is stored, named with its schema.

    `is_by_mouse` says that every row belongs to a mouse; `files` how many files it has.
    """

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    comment: str = ""
    is_by_mouse: bool = False
    is_by_lab: bool = False
    files: int = 0


@dataclass(frozen=True)
class View:
    """A view with the statements that define it, in DuckDB's SQL, and the columns it gives."""

    name: str
    file: str
    sql: str
    columns: tuple[Column, ...]
    comment: str = ""


@dataclass(frozen=True)
class Manifest:
    """What a mirror holds, as other engines see it; views come in the order of their needs."""

    tables: tuple[Table, ...]
    views: tuple[View, ...]
    is_simulated: bool
    mice: tuple[str, ...]
    exports: tuple[str, ...] = ()
    mirror: str = field(default_factory=lambda: version("ibl-mirror"))
    format: int = FORMAT

    @staticmethod
    def read(text: str, where: str) -> "Manifest":
        """The manifest of a folder. Raises MirrorError on one of another version."""
        try:
            found = json.loads(text)
            if found["format"] != FORMAT:
                raise MirrorError(
                    f"{where} was exported by mirror {found['mirror']}, in a form that this version"
                    " does not read: export it again with 'mirror export --all DIR --full'."
                )
            tables = [
                Table(**{**t, **_columns(t), "key": tuple(t["key"])}) for t in found["tables"]
            ]
            listed = [View(**{**v, **_columns(v)}) for v in found["views"]]
            texts = {name: tuple(found[name]) for name in ("mice", "exports")}
            return Manifest(**{**found, **texts, "tables": tuple(tables), "views": tuple(listed)})
        except (ValueError, TypeError, KeyError) as error:
            raise MirrorError(
                f"{where} has an {MANIFEST} that no export wrote: export it again with"
                " 'mirror export --all DIR --full'."
            ) from error


def _columns(found: Mapping[str, Any]) -> dict[str, tuple[Column, ...]]:
    return {"columns": tuple(Column(**column) for column in found["columns"])}


def manifest(connection: duckdb.DuckDBPyConnection) -> Manifest:
    """What an open mirror holds. Raises UsageError where its views are of another version."""
    comments = {
        (schema, table, column): comment
        for schema, table, column, comment in connection.execute(
            "select schema_name, table_name, column_name, coalesce(comment, '')"
            " from duckdb_columns() where database_name = current_database()"
        ).fetchall()
    }

    def columns(schema: str, name: str, interval_is_told: bool) -> tuple[Column, ...]:
        relation = connection.sql(f"from {quoted(schema)}.{quoted(name)} limit 0")
        return tuple(
            _column(column, kind, comments.get((schema, name, column), ""), interval_is_told)
            for column, kind in zip(relation.columns, relation.types, strict=True)
        )

    ordered = _views(connection)
    stored_by = {view.name: view.stored_by for view in ordered}
    tables = [
        _table(
            f"{schema}.{name}",
            columns(schema, name, True),
            stored_by.get(name, ()) if schema == "main" else tuple(key or ()),
            comment,
            rows,
        )
        for schema, name, comment, rows, key in connection.execute(
            "select t.schema_name, t.table_name, coalesce(t.comment, ''), t.estimated_size,"
            " any_value(c.constraint_column_names)"
            " from duckdb_tables() as t left join duckdb_constraints() as c"
            " on c.table_oid = t.table_oid and c.schema_oid = t.schema_oid"
            " and c.database_oid = t.database_oid and c.constraint_type = 'PRIMARY KEY'"
            " where t.database_name = current_database() and not t.temporary"
            " group by all order by 1, 2"
        ).fetchall()
    ]
    comment_of = dict(
        connection.execute(
            "select view_name, comment from duckdb_views() where database_name ="
            " current_database() and schema_name = 'main' and comment is not null"
            " union all select table_name, comment from duckdb_tables() where database_name ="
            " current_database() and schema_name = 'main' and comment is not null"
        ).fetchall()
    )
    found = tuple(
        View(
            view.name,
            f"{view.file.parent.name}/{view.file.name}".removeprefix("/"),
            view.sql,
            columns("main", view.name, False),
            comment_of.get(view.name, ""),
        )
        for view in ordered
    )
    [(is_simulated,)] = connection.execute(
        "select coalesce(bool_or(is_simulated), false) from _mirror.runs"
    ).fetchall()
    return Manifest(tuple(tables), found, is_simulated, _mice(connection, tables))


def _column(name: str, kind: DuckDBPyType, comment: str, interval_is_told: bool) -> Column:
    """A column of a table as it arrives; of a view, which is no file, INTERVAL stays."""
    if kind.id == "interval":
        return (
            Column(f"{name}_us", "BIGINT", f"{comment} (µs)".lstrip(), name)
            if interval_is_told
            else Column(name, "INTERVAL", comment, name)
        )
    return Column(name, leaves(kind, _arrives_as), comment, name)


def _arrives_as(kind: DuckDBPyType) -> str:
    if str(kind) == "JSON" or kind.id == "interval":
        return "VARCHAR"
    return ARRIVES_AS.get(kind.id, str(kind))


def _table(
    name: str, columns: tuple[Column, ...], key: tuple[str, ...], comment: str, rows: int
) -> Table:
    names = {column.name for column in columns}
    is_by_mouse = "subject_uuid" in names
    is_large = "trial_id" in names or rows > LARGE
    return Table(name, columns, key, comment, is_by_mouse, is_by_mouse and is_large)


def _views(connection: duckdb.DuckDBPyConnection) -> list[views.View]:
    """The views in the file in the order of their needs, those added by hand among them."""
    inputs = dict(
        connection.execute(
            "select view_name, inputs from _mirror.views where skipped is null"
        ).fetchall()
    )
    known = views.in_order(views.read())
    states = views.states_of(connection, known)
    defined = [view for view in known if view.name in inputs]
    other = {name for name in inputs if name not in {view.name for view in known}} | {
        view.name
        for view in defined
        if inputs[view.name] != views.inputs_of(states, defined, [view.name])
    }
    if other:
        raise UsageError(
            f"The file has {', '.join(sorted(other))} of another version of the mirror: run"
            " 'mirror views' first, which defines the views anew."
        )
    by_hand = connection.execute(
        "select view_name, sql from duckdb_views() where database_name = current_database()"
        " and schema_name = 'main' and not internal"
    ).fetchall()
    return views.in_order(
        [
            *defined,
            *(
                views.parsed(Path(f"{name}.sql"), sql)
                for name, sql in by_hand
                if name not in inputs
            ),
        ]
    )


def _mice(connection: duckdb.DuckDBPyConnection, tables: Sequence[Table]) -> tuple[str, ...]:
    each = [
        f"select distinct subject_uuid::varchar as mouse from {_quoted(table.name)}"
        for table in tables
        if table.is_by_mouse
    ]
    if not each:
        return ()
    rows = connection.execute(f"{' union '.join(each)} order by mouse").fetchall()
    return tuple(mouse for (mouse,) in rows if mouse is not None)


def export(
    connection: duckdb.DuckDBPyConnection, folder: str | os.PathLike[str], full: bool = False
) -> Manifest:
    """Write every table of an open mirror into a folder; returns what the folder holds then.

    A folder that holds an export of other mice keeps it, and answers as one with both; `full`
    replaces it. Raises UsageError where the folder is something else, or has these mice.
    """
    target = Path(folder).resolve()
    if not target.parent.is_dir():
        raise UsageError(f"There is no folder {target.parent}: make it, or name another one.")
    ours = manifest(connection)
    with (
        lock.held(target, 0o666, "export", "another folder"),
        folders.replacing(target, MANIFEST, "export", "--all") as work,
    ):
        theirs = None
        if (target / MANIFEST).exists() and not full:
            theirs = Manifest.read((target / MANIFEST).read_text("utf-8"), str(target))
            _check(ours, theirs, target)
            shutil.copytree(target, work, copy_function=_link, dirs_exist_ok=True)
        part = f"part-{uuid.uuid4().hex[:8]}.parquet"
        try:
            for table in ours.tables:
                _write(connection, table, work, part)
        except duckdb.IOException as error:
            raise store.explain(error, target) from error
        except duckdb.ConversionException as error:
            raise MirrorError(f"{table.name} cannot be exported: {error}") from error
        whole = _together(ours, theirs, work)
        written = work / f"{MANIFEST}.new"
        written.write_text(json.dumps(asdict(whole), indent=1, ensure_ascii=False), "utf-8")
        # not through a link to the manifest that is there
        written.replace(work / MANIFEST)
    return whole


def _link(source: str, target: str) -> None:
    """The same file under another name, or a copy where the disk has no links."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def _check(ours: Manifest, theirs: Manifest, target: Path) -> None:
    """Whether two exports can answer as one. Raises UsageError."""
    otherwise = "name another folder, or add --full to replace it"
    both = sorted(set(ours.mice) & set(theirs.mice))
    if both:
        more = f" and {len(both) - 1} other mice" if len(both) > 1 else ""
        raise UsageError(f"{target} holds the mouse {both[0]}{more} already: {otherwise}.")
    if ours.is_simulated != theirs.is_simulated:
        kinds = "real", "simulated"
        raise UsageError(
            f"{target} holds {kinds[theirs.is_simulated]} mice, and these are"
            f" {kinds[ours.is_simulated]}: {otherwise}."
        )
    for kind, here, there in (
        ("table", _by_name(ours.tables), _by_name(theirs.tables)),
        ("view", _by_name(ours.views), _by_name(theirs.views)),
    ):
        other = sorted(
            name
            for name in here.keys() & there.keys()
            if _meaning(here[name]) != _meaning(there[name])
        )
        if other:
            raise UsageError(
                f"{target} was exported by another version, with another {kind} {other[0]}:"
                f" {otherwise}, after the same 'mirror views' for both."
            )


def _by_name(items: Sequence[Any]) -> dict[str, Any]:
    return {item.name: item for item in items}


def _meaning(item: Table | View) -> object:
    columns = [(column.name, column.kind) for column in item.columns]
    return (columns, item.sql) if isinstance(item, View) else (columns, item.key)


def _together(ours: Manifest, theirs: Manifest | None, work: Path) -> Manifest:
    """The manifest of a folder that holds both, with its files counted."""
    tables, found = _by_name(ours.tables), _by_name(ours.views)
    mice = set(ours.mice)
    exports = [f"{store.now():%Y-%m-%d %H:%M:%S} UTC"]
    if theirs:
        # a table is by lab in all of its files or in none
        tables |= _by_name(theirs.tables)
        # in the order of their needs, of which the longer list knows more
        longer, shorter = sorted((theirs.views, ours.views), key=len, reverse=True)
        found = _by_name(longer) | _by_name(shorter)
        mice |= set(theirs.mice)
        exports = [*theirs.exports, *exports]
    counted = tuple(
        Table(**{**vars(table), "files": sum(1 for _ in _files(work, table))})
        for table in tables.values()
    )
    return Manifest(
        counted, tuple(found.values()), ours.is_simulated, tuple(sorted(mice)), tuple(exports)
    )


def _files(folder: Path, table: Table) -> Iterator[Path]:
    return (folder / place(table.name)).rglob("*.parquet")


def place(name: str) -> Path:
    """The folder of a table, whose names any file system takes."""
    return Path(*(urllib.parse.quote(part, safe=" ") for part in name.split(".", 1)))


def _write(connection: duckdb.DuckDBPyConnection, table: Table, work: Path, part: str) -> None:
    """Write the rows of a table, and of an earlier export what they do not replace."""
    folder = work / place(table.name)
    folder.mkdir(parents=True, exist_ok=True)
    columns = ", ".join(f"{_arriving(column)} as {quoted(column.name)}" for column in table.columns)
    order = f" order by {', '.join(map(quoted, table.key))}" if table.key else ""
    rows = f"select {columns} from {_quoted(table.name)}"
    if table.is_by_lab:
        for lab, condition in _labs(connection, table):
            at = folder / f"lab_name={lab}"
            at.mkdir(exist_ok=True)
            _copy(connection, f"{rows} where {condition}{order}", at / part)
        # a table without rows is one all the same
        if not any(folder.iterdir()):
            _copy(connection, f"{rows} limit 0", folder / part)
        return
    before = sorted(folder.glob("*.parquet"))
    if before and not table.is_by_mouse and not table.name.startswith("_mirror."):
        listed = literal([str(file) for file in before])
        same = " and ".join(
            f"ours.{name} is not distinct from theirs.{name}"
            for name in map(quoted, table.key or [column.name for column in table.columns])
        )
        rows = (
            f"with ours as ({rows}) from ours union all"
            f" from read_parquet({listed}, hive_partitioning = false) as theirs"
            f" where not exists (from ours where {same})"
        )
        _copy(connection, f"from ({rows}){order}", folder / part)
        for file in before:
            file.unlink()
        return
    _copy(connection, f"{rows}{order}", folder / part)


def _copy(connection: duckdb.DuckDBPyConnection, query: str, file: Path) -> None:
    connection.execute(f"copy ({query}) to {literal(str(file))} (format parquet, compression zstd)")


def _arriving(column: Column) -> str:
    if column.name != column.source:
        return f"epoch_us({quoted(column.source)})"
    return f"cast({quoted(column.source)} as {column.kind})"


def _labs(connection: duckdb.DuckDBPyConnection, table: Table) -> Iterator[tuple[str, str]]:
    """The labs of a table's mice, as the name of a folder, and which rows those are, as SQL.

    Rows of no lab are where Hive puts what has no value.
    """
    has_labs = connection.execute(
        "select 1 from duckdb_tables() where database_name = current_database()"
        " and schema_name = 'subject' and table_name = 'subject_lab'"
    ).fetchall()
    lab = "min(lab_name)::varchar from subject.subject_lab" if has_labs else "null from mouse"
    mice: dict[str | None, list[str]] = {}
    for mouse, name in connection.execute(
        f"with mouse as (select distinct subject_uuid from {_quoted(table.name)}),"
        f" lab(subject_uuid, lab_name) as (select subject_uuid, {lab} group by subject_uuid)"
        " select mouse.subject_uuid::varchar, lab_name from mouse"
        " left join lab on lab.subject_uuid = mouse.subject_uuid order by all"
    ).fetchall():
        mice.setdefault(name, []).append(mouse)
    for name, some in mice.items():
        # a list, by which DuckDB skips what it need not read
        listed = ", ".join(literal(mouse) for mouse in some if mouse is not None)
        tests = [f"subject_uuid in ({listed})"] if listed else []
        tests += ["subject_uuid is null"] if None in some else []
        folder = (
            "__HIVE_DEFAULT_PARTITION__" if name is None else urllib.parse.quote(name, safe=" ")
        )
        yield folder, " or ".join(tests)


def _quoted(name: str) -> str:
    return ".".join(map(quoted, name.split(".", 1)))
