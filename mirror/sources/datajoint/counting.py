"""What a server says of a table beside its rows: the time of the last change, a checksum, counts.

The statements, and how their answers are read: as PyMySQL decodes values, or as bytes.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from mirror.sources import Census, Request, Stamp
from mirror.sources.datajoint.mysql import conditions, literal, name_of, quoted, where
from mirror.tables import Table

# Of tables that are read with others.
SMALL_BYTES, SMALL_ROWS = 4 * 1024 * 1024, 16_000


@dataclass(frozen=True)
class Sized:
    """The stamp of a table, its rows and their bytes as the server estimates them."""

    stamp: Stamp | None
    rows: int
    size: int


def is_small(table: Sized) -> bool:
    """Whether to read a table with others; estimates that are out of date are found out then."""
    return table.size <= SMALL_BYTES and table.rows <= SMALL_ROWS


def state(tables: Iterable[Table]) -> str:
    """Ask for InnoDB's time of the last change, which the server keeps in memory, to the second.

    MariaDB writes down when the transaction began, not when it was committed: one begun
    in the same second may still be open. No pipeline works on one row for a day.
    """
    schemas = ", ".join(sorted({literal(table.mysql_schema) for table in tables}))
    return (
        "select table_schema, table_name, create_time, update_time,"
        " update_time >= now() - interval 2 second, update_time < now() - interval 1 day,"
        " table_rows, data_length from information_schema.tables"
        f" where table_schema in ({schemas})"
    )


def states(tables: Iterable[Table], rows: Iterable[Sequence[Any]]) -> dict[Table, Sized]:
    """Read the answer to `state`."""
    told = {(_text(schema), _text(name)): rest for schema, name, *rest in rows}
    found = {}
    for table in tables:
        rest = told.get((table.mysql_schema, table.mysql_table))
        if rest:
            created, updated, is_fresh, is_settled, n_rows, size = rest
            text = f"{_text(created)} {_text(updated)}"
            stamp = Stamp(text, bool(int(is_fresh)), bool(int(is_settled))) if updated else None
            found[table] = Sized(stamp, int(n_rows or 0), int(size or 0))
    return found


def checksum(tables: Iterable[Table]) -> str:
    """Ask for a checksum over all rows of each table."""
    return f"checksum table {', '.join(map(name_of, tables))}"


def checksum_of(row: Sequence[Any]) -> str | None:
    """Read a row of the answer; None of a table that the server cannot read."""
    return None if row[1] is None else str(int(row[1]))


def census(request: Request) -> str:
    """Count the rows asked for, and in them the values that may not arrive as they are."""
    counts = [f"count({quoted(name)})" for name in _nullable(request)]
    counts += [
        f"sum({condition.format(c=quoted(name))})" for name, condition in _changing(request).items()
    ]
    select = ", ".join(["count(*)", *counts])
    return f"select {select} from {name_of(request.table)}{where(conditions(request.wanted))}"


def census_of(request: Request, row: Sequence[Any]) -> Census:
    """Read the answer to `census`."""
    rows, *counts = (int(count or 0) for count in row)
    nullable, changing = _nullable(request), _changing(request)
    values = dict.fromkeys(_losing(request), rows) | dict(zip(nullable, counts, strict=False))
    changed = zip(changing, counts[len(nullable) :], strict=True)
    return Census(rows, values, {name: count for name, count in changed if count})


def _losing(request: Request) -> list[str]:
    return [name for name, conversion in request.columns.items() if conversion.may_lose]


def _nullable(request: Request) -> list[str]:
    """Of those that may lose values, the columns of which not every row has one at the server."""
    found = {name: request.table.column(name) for name in _losing(request)}
    return [name for name, column in found.items() if column and column.nullable]


def _changing(request: Request) -> dict[str, str]:
    return {name: found.changed for name, found in request.columns.items() if found.changed}


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
