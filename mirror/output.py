"""Query results on their way out: a table for eyes, CSV, JSON, Markdown or Parquet for pipes."""

import csv
import json
import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import redirect_stdout
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, TextIO
from uuid import UUID

import duckdb

from mirror.errors import MirrorError, UsageError
from mirror.store import explain, literal, quoted

# Statements that read; a file opened read-only refuses the others, but not COPY, which writes
# files of any name beside it.
READING = {
    duckdb.StatementType.SELECT,
    duckdb.StatementType.EXPLAIN,
    duckdb.StatementType.PRAGMA,
    duckdb.StatementType.RELATION,
}
ROWS_AT_ONCE = 10_000
TABLE_ROWS = 40


def read_only(connection: duckdb.DuckDBPyConnection, query: str) -> str:
    """The query, if it is one statement and only reads. Raises UsageError."""
    try:
        statements = connection.extract_statements(query)
    except duckdb.Error as error:
        raise UsageError(_sentence(error)) from error
    kinds = [statement.type for statement in statements]
    # EXPLAIN ANALYZE does what it explains
    is_copy = duckdb.StatementType.EXPLAIN in kinds and re.search(r"\bcopy\b", query, re.IGNORECASE)
    if len(kinds) != 1 or kinds[0] not in READING or is_copy:
        raise UsageError(
            "Give one statement that reads, such as a SELECT: 'mirror export' writes files, and"
            " 'mirror shell' runs anything else."
        )
    return statements[0].query


def write(
    connection: duckdb.DuckDBPyConnection, query: str, form: str, out: TextIO, binary: Any
) -> None:
    """Run a reading query and write its result; Parquet goes to `binary`.

    Raises UsageError where the query is wrong.
    """
    query = read_only(connection, query)
    try:
        if form == "table":
            shown = connection.sql(query)
            if shown is not None:
                with redirect_stdout(out):
                    width = shutil.get_terminal_size((120, 0)).columns
                    shown.show(max_width=width, max_rows=TABLE_ROWS)
        elif form == "parquet":
            _parquet(connection, query, binary)
        else:
            cursor = connection.execute(query)
            names = [column[0] for column in cursor.description]
            {"csv": _csv, "json": _json, "markdown": _markdown}[form](names, _rows(cursor), out)
    except duckdb.InterruptException as error:
        raise KeyboardInterrupt from error
    except duckdb.Error as error:
        raise UsageError(_sentence(error)) from error


def export(connection: duckdb.DuckDBPyConnection, name_or_query: str, file: Path) -> int:
    """Write a table, a view or a query's result to a `.csv` or `.parquet` file; returns rows.

    The file appears when it is whole. Raises UsageError.
    """
    form = file.suffix.lower().lstrip(".")
    if form not in ("csv", "parquet"):
        raise UsageError(f"{file} should end in .csv or .parquet, which says how to write it.")
    query = name_or_query
    if len(name_or_query.split()) == 1:
        from mirror.catalogue import describe

        query = "from " + ".".join(map(quoted, describe(connection, query).entry.name.split(".")))
    query = read_only(connection, query)
    if not file.absolute().parent.is_dir():
        raise UsageError(f"There is no folder {file.parent}: make it, or name another with -o.")
    half = file.with_name(f".{file.name}.half")
    try:
        rows = _copy(connection, query, half, form)
        half.replace(file)
    except duckdb.IOException as error:
        raise explain(error, file) from error
    except duckdb.Error as error:
        raise UsageError(_sentence(error)) from error
    except OSError as error:
        raise MirrorError(f"{file} cannot be written ({error.strerror}).") from error
    finally:
        half.unlink(missing_ok=True)
    return rows


def _copy(connection: duckdb.DuckDBPyConnection, query: str, file: Path, form: str) -> int:
    options = "format csv, header" if form == "csv" else "format parquet, compression zstd"
    # the query may end in a comment
    [(rows,)] = connection.execute(
        f"copy ({query.rstrip().rstrip(';')}\n) to {literal(str(file))} ({options})"
    ).fetchall()
    return rows


def _sentence(error: duckdb.Error) -> str:
    """DuckDB's message without its picture of the query, which repeats what was typed."""
    lines = [line for line in str(error).split("\n\nLINE")[0].splitlines() if line.strip()]
    return " ".join(line.strip() for line in lines)


def _rows(cursor: duckdb.DuckDBPyConnection) -> Iterator[Sequence[Any]]:
    while rows := cursor.fetchmany(ROWS_AT_ONCE):
        yield from rows


def _csv(names: Sequence[str], rows: Iterator[Sequence[Any]], out: TextIO) -> None:
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(names)
    writer.writerows([_text(value) for value in row] for row in rows)


def _json(names: Sequence[str], rows: Iterator[Sequence[Any]], out: TextIO) -> None:
    distinct: list[str] = []
    for name in names:
        # an object has each name once: DuckDB's own way to tell them apart
        while name in distinct:
            name += "_1"
        distinct.append(name)
    between = "[\n"
    for row in rows:
        value = dict(zip(distinct, map(_plain, row), strict=True))
        out.write(between + json.dumps(value, ensure_ascii=False, allow_nan=False))
        between = ",\n"
    out.write("[]\n" if between == "[\n" else "\n]\n")


def _markdown(names: Sequence[str], rows: Iterator[Sequence[Any]], out: TextIO) -> None:
    def line(values: Sequence[str]) -> str:
        cells = (value.replace("|", "\\|").replace("\n", " ") for value in values)
        return "| " + " | ".join(cells) + " |\n"

    out.write(line(names) + "|" + " --- |" * len(names) + "\n")
    for row in rows:
        out.write(line([_text(value) for value in row]))


def _parquet(connection: duckdb.DuckDBPyConnection, query: str, binary: Any) -> None:
    # DuckDB writes Parquet to files, and a query that fails leaves nothing in the pipe
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "result.parquet"
        _copy(connection, query, file, "parquet")
        with file.open("rb") as whole:
            shutil.copyfileobj(whole, binary)


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | dict | tuple):
        return json.dumps(_plain(value), ensure_ascii=False)
    return str(value if isinstance(value, Decimal) else _plain(value))


def _plain(value: Any) -> Any:
    """A value as JSON holds it; what JSON lacks becomes text."""
    if isinstance(value, float) and value - value != 0:
        return str(value)
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, datetime | date | time | timedelta | UUID):
        return str(value)
    return value
