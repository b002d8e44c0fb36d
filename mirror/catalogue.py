"""What is in a file and where it comes from, for `mirror status` and `mirror describe`."""

import csv
from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import duckdb

from mirror.errors import UsageError
from mirror.store import literal

# What ONE calls things, DataJoint, and the views and ONE's own tables here.
ONE_NAMES = Path(__file__).parent / "sources" / "one" / "names.csv"


@dataclass(frozen=True)
class Entry:
    """A table or view of the catalogue."""

    name: str
    kind: str
    rows: int | None
    comment: str


@dataclass(frozen=True)
class Described:
    """A table or view with its columns: name, type, comment, which tells ONE's name if any."""

    entry: Entry
    origin: str
    columns: tuple[tuple[str, str, str], ...]
    notes: tuple[str, ...]


def entries(connection: duckdb.DuckDBPyConnection) -> list[Entry]:
    """Everything that can be asked in the file: views first, then the tables."""
    rows = connection.execute(
        """
        select
            case when schema_name = 'main' then '' else schema_name || '.' end || name,
            kind, n_rows, coalesce(comment, '')
        from (
            select schema_name, view_name as name, 'view' as kind, null as n_rows, comment, 0 as o
            from duckdb_views() where not internal and schema_name = 'main'
            union all
            select d.schema_name, d.table_name,
                case d.schema_name
                    when 'main' then 'view'
                    when '_mirror' then 'provenance'
                    when 'derived' then 'derived'
                    else coalesce(lower(t.tier), 'table')
                end,
                coalesce(t.n_rows, d.estimated_size), d.comment,
                case d.schema_name when 'main' then 0 when '_mirror' then 2 else 1 end
            from duckdb_tables() as d
            left join _mirror.tables as t
                on t.schema_name = d.schema_name and t.table_name = d.table_name
        )
        order by o, schema_name, name
        """
    ).fetchall()
    return [Entry(*row) for row in rows]


def describe(connection: duckdb.DuckDBPyConnection, name: str) -> Described:
    """One table or view, by its name here or in DataJoint. Raises UsageError."""
    known = {entry.name: entry for entry in entries(connection)}
    alias = {
        datajoint.lower(): here
        for datajoint, here in connection.execute(
            "select datajoint_name, schema_name || '.' || table_name from _mirror.tables"
        ).fetchall()
    }
    short = {entry.name.split(".")[-1]: entry.name for entry in known.values()}
    own = name.lower()
    found = next((n for n in (own, alias.get(own), short.get(own)) if n in known), None)
    if found is None:
        near = get_close_matches(name, [*known, *short], n=1)
        hint = f"did you mean {near[0]!r}?" if near else "'mirror describe' lists what there is."
        raise UsageError(f"There is no table or view {name!r}: {hint}")
    entry = known[found]
    schema, table = found.split(".", 1) if "." in found else ("main", found)
    columns = connection.execute(
        f"""
        select column_name, data_type, coalesce(comment, '')
        from duckdb_columns()
        where database_name = current_database() and schema_name = {literal(schema)}
            and table_name = {literal(table)}
        order by column_index
        """
    ).fetchall()
    origin, notes = "", []
    for name_there, left_out, forced, as_true, told in connection.execute(
        "select datajoint_name, left_out, forced_to_null, read_as_true, notes from _mirror.tables"
        f" where schema_name = {literal(schema)} and table_name = {literal(table)}"
    ).fetchall():
        origin = name_there
        notes += [f"left out: {item}" for item in left_out]
        notes += [f"{column}: {n:,} values became NULL" for column, n in forced.items()]
        notes += [f"{column}: {n:,} values read as true" for column, n in as_true.items()]
        notes += told
    by_one = _names_in_one()
    described = []
    for column, kind, comment in columns:
        name_in_one = by_one.get(f"{found}.{column}") or by_one.get(f"{origin}.{column}")
        if name_in_one:
            comment = f"{comment} (ONE: {name_in_one})".lstrip()
        described.append((column, kind, comment))
    return Described(entry, origin, tuple(described), tuple(notes))


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
        "views_skipped": connection.execute(
            "select view_name, skipped from _mirror.views where skipped is not null"
        ).fetchall(),
    }
