"""What is in a file and where it comes from, for `mirror status` and `mirror describe`."""

import csv
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NamedTuple

import duckdb

from mirror import cohorts
from mirror.errors import UsageError
from mirror.store import literal

# What ONE calls things, DataJoint, and the views and ONE's own tables here.
ONE_NAMES = Path(__file__).parent / "sources" / "one" / "names.csv"


@dataclass(frozen=True)
class Entry:
    """A table or view of the catalogue, with its name in DataJoint if it has one.

    The folder is that of a view's file, or a table's schema.
    """

    name: str
    kind: str
    folder: str
    rows: int | None
    comment: str
    origin: str


class Column(NamedTuple):
    """A column; the comment tells ONE's name, if there is one."""

    name: str
    type: str
    comment: str


@dataclass(frozen=True)
class Described:
    """A table or view with its columns, and what a reader should know of its rows."""

    entry: Entry
    columns: tuple[Column, ...]
    notes: tuple[str, ...] = ()

    @property
    def origin(self) -> str:
        return self.entry.origin


def entries(connection: duckdb.DuckDBPyConnection) -> list[Entry]:
    """Everything that can be asked in the file: views by folder, base first, then the tables."""
    rows = connection.execute(
        """
        with thing as (
            select schema_name, view_name as name, null as rows, comment
            from duckdb_views() where not internal and schema_name = 'main'
            union all
            select schema_name, table_name, estimated_size, comment from duckdb_tables()
        )
        select
            case when thing.schema_name = 'main' then '' else thing.schema_name || '.' end || name,
            case thing.schema_name
                when 'main' then 'view'
                when '_mirror' then 'provenance'
                when 'derived' then 'derived'
                else coalesce(lower(t.tier), 'table')
            end,
            case
                when thing.schema_name = 'main' then coalesce(split_part(v.file, '/', 1), 'main')
                else thing.schema_name
            end as folder,
            coalesce(t.n_rows, thing.rows),
            coalesce(thing.comment, ''),
            coalesce(t.datajoint_name, '')
        from thing
        left join _mirror.tables as t
            on t.schema_name = thing.schema_name and t.table_name = thing.name
        left join _mirror.views as v
            on v.view_name = thing.name and thing.schema_name = 'main'
        order by
            case thing.schema_name when 'main' then 0 when '_mirror' then 2 else 1 end,
            folder <> 'base', folder, name
        """
    ).fetchall()
    return [Entry(*row) for row in rows]


def columns(
    connection: duckdb.DuckDBPyConnection, name: str | None = None
) -> dict[str, list[Column]]:
    """The columns of every table and view, by its name; of one where it is named."""
    by_one = _names_in_one()
    schema, table = name.split(".", 1) if name and "." in name else ("main", name)
    one = f"and c.schema_name = {literal(schema)} and c.table_name = {literal(table)}"
    found: dict[str, list[Column]] = {}
    for owner, origin, column, kind, comment in connection.execute(
        f"""
        select
            case when c.schema_name = 'main' then '' else c.schema_name || '.' end || c.table_name,
            t.datajoint_name, c.column_name, c.data_type, coalesce(c.comment, '')
        from duckdb_columns() as c
        left join _mirror.tables as t
            on t.schema_name = c.schema_name and t.table_name = c.table_name
        where c.database_name = current_database() {one if name else ""}
        order by c.schema_name, c.table_name, c.column_index
        """
    ).fetchall():
        in_one = by_one.get(f"{owner}.{column}") or by_one.get(f"{origin}.{column}")
        if in_one:
            comment = f"{comment} (ONE: {in_one})".lstrip()
        found.setdefault(owner, []).append(Column(column, kind, comment))
    return found


def listed(connection: duckdb.DuckDBPyConnection, word: str | None = None) -> list[Described]:
    """The tables and views, without those of provenance, and without notes.

    With a word, those that have it in a name or comment, in capitals or not, with the columns that
    have it.
    """
    every = columns(connection)
    found = []
    for entry in entries(connection):
        own = tuple(every[entry.name])
        texts = f"{entry.name} {entry.origin} {entry.comment}"
        if word is not None:
            own = tuple(c for c in own if word.casefold() in f"{c.name} {c.comment}".casefold())
        is_wanted = word is None or own or word.casefold() in texts.casefold()
        if is_wanted and entry.kind != "provenance":
            found.append(Described(entry, own))
    return found


def describe(connection: duckdb.DuckDBPyConnection, name: str) -> Described:
    """One table or view, by its name here or in DataJoint. Raises UsageError."""
    known = {entry.name: entry for entry in entries(connection)}
    alias = {entry.origin.lower(): entry.name for entry in known.values() if entry.origin}
    short = {entry.name.split(".")[-1]: entry.name for entry in known.values()}
    own = name.lower()
    found = next((n for n in (own, alias.get(own), short.get(own)) if n in known), None)
    if found is None:
        near = get_close_matches(name, [*known, *short], n=1)
        hint = f"did you mean {near[0]!r}?" if near else "'mirror describe' lists what there is."
        raise UsageError(f"There is no table or view {name!r}: {hint}")
    notes = []
    for left_out, forced, as_true, told in connection.execute(
        "select left_out, forced_to_null, read_as_true, notes from _mirror.tables"
        f" where schema_name || '.' || table_name = {literal(found)}"
    ).fetchall():
        notes += [f"left out: {item}" for item in left_out]
        notes += [f"{column}: {n:,} values became NULL" for column, n in forced.items()]
        notes += [f"{column}: {n:,} values read as true" for column, n in as_true.items()]
        notes += told
    return Described(known[found], tuple(columns(connection, found)[found]), tuple(notes))


def _names_in_one() -> dict[str, str]:
    """What ONE calls columns, by their names in views and in DataJoint."""
    found: dict[str, str] = {}
    with ONE_NAMES.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            found |= dict.fromkeys(filter(None, (row["datajoint"], row["here"])), row["one"])
    return found


def status(connection: duckdb.DuckDBPyConnection, path: Path) -> dict[str, Any]:
    """What is in the file, from where, and how old, ready for JSON."""
    cursor = connection.execute(
        "select started_at, finished_at, seconds, source, address, is_simulated, options,"
        " versions, n_tables, n_rows, run from _mirror.runs order by run desc limit 1"
    )
    row = cursor.fetchone()
    if row is None:
        raise UsageError(f"{path} has never been synced to the end: run 'mirror sync'.")
    run = dict(zip((item[0] for item in cursor.description), row, strict=True))
    age = datetime.now(UTC).replace(tzinfo=None) - run["finished_at"]
    return {
        "database": str(path),
        "bytes": path.stat().st_size,
        "age_seconds": round(age.total_seconds()),
        **run,
        "left_out": connection.execute("select what, why from _mirror.left_out").fetchall(),
        "columns_left_out": connection.execute(
            "select coalesce(sum(len(left_out)), 0)::int from _mirror.tables"
        ).fetchall()[0][0],
        "forced_to_null": dict(
            connection.execute(
                "select schema_name || '.' || table_name || '.' || k, forced_to_null[k]"
                " from (select *, unnest(map_keys(forced_to_null)) as k from _mirror.tables)"
            ).fetchall()
        ),
        "orphans": connection.execute(
            "select schema_name || '.' || table_name, referenced_schema || '.' ||"
            " referenced_table, violations from _mirror.foreign_keys where violations > 0"
        ).fetchall(),
        "notes": connection.execute(
            "select schema_name || '.' || table_name, unnest(notes) from _mirror.tables"
        ).fetchall(),
        "derived": connection.execute(
            "select table_name, n_rows from _mirror.derived order by table_name"
        ).fetchall(),
        "cohorts": _own_cohorts(connection),
        "views_skipped": connection.execute(
            "select view_name, skipped from _mirror.views where skipped is not null"
        ).fetchall(),
    }


def _own_cohorts(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, int, int]]:
    """The cohorts that were put in: how many mice each lists, and how many of them are here."""
    listed = Counter(cohort for cohort, _ in cohorts.kept(connection))
    here: dict[str, int] = {}
    # without the tables that it needs there is no view
    with suppress(duckdb.CatalogException):
        here = dict(
            connection.execute("select cohort, count(*) from cohorts group by cohort").fetchall()
        )
    return [(cohort, n, here.get(cohort, 0)) for cohort, n in sorted(listed.items())]
