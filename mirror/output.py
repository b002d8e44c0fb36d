"""Query results on their way out: a table for eyes, CSV, JSON, Markdown or Parquet for pipes."""

import json
import re
import shutil
import tempfile
from collections.abc import Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any, TextIO

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
AS_THEY_ARE = {"BOOLEAN", "VARCHAR", "DOUBLE", "JSON", "HUGEINT", "INTEGER", "UINTEGER"} | {
    f"{sign}{width}INT" for sign in ("", "U") for width in ("TINY", "SMALL", "BIG")
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
    return statements[0].query.rstrip().rstrip(";")


def write(
    connection: duckdb.DuckDBPyConnection, query: str, form: str, out: TextIO, binary: Any
) -> None:
    """Run a reading query and write its result; CSV and Parquet go to `binary`.

    Raises UsageError where the query is wrong.
    """
    query = read_only(connection, query)
    try:
        result = connection.sql(query)
        if form == "table":
            with redirect_stdout(out):
                width = shutil.get_terminal_size((120, 0)).columns
                result.show(max_width=width, max_rows=TABLE_ROWS)
        elif form == "json":
            _json(connection, result, out)
        elif form == "markdown":
            _markdown(connection, result, out)
        else:
            # DuckDB writes files, and a query that fails leaves nothing in the pipe
            with tempfile.TemporaryDirectory() as folder:
                file = Path(folder) / "result"
                _copy(connection, result, file, form)
                with file.open("rb") as whole:
                    shutil.copyfileobj(whole, binary)
    except duckdb.InterruptException as error:
        raise KeyboardInterrupt from error
    except duckdb.IOException as error:
        raise MirrorError(_sentence(error)) from error
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

        query = "from " + ".".join(
            map(quoted, describe(connection, query).entry.name.split(".", 1))
        )
    query = read_only(connection, query)
    if not file.absolute().parent.is_dir():
        raise UsageError(f"There is no folder {file.parent}: make it, or name another with -o.")
    half = file.with_name(f".{file.name}.half")
    try:
        rows = _copy(connection, connection.sql(query), half, form)
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


def _copy(
    connection: duckdb.DuckDBPyConnection,
    result: duckdb.DuckDBPyRelation,
    file: Path,
    form: str,
) -> int:
    options = "format csv, header" if form == "csv" else "format parquet, compression zstd"
    # DuckDB finds the Python variable by its name
    [(rows,)] = connection.execute(
        f"copy (from result) to {literal(str(file))} ({options})"
    ).fetchall()
    return rows


def _sentence(error: duckdb.Error) -> str:
    """DuckDB's message without its picture of the query, which repeats what was typed."""
    lines = [line for line in str(error).split("\n\nLINE")[0].splitlines() if line.strip()]
    return " ".join(line.strip() for line in lines)


def _json(
    connection: duckdb.DuckDBPyConnection, result: duckdb.DuckDBPyRelation, out: TextIO
) -> None:
    names: list[str] = []
    for name in result.columns:
        # an object has each name once: DuckDB's own way to tell them apart
        while name in names:
            name += "_1"
        names.append(name)
    places = [f"c{i}" for i in range(len(names))]
    values = ", ".join(
        _for_json(*pair) for pair in zip(places, map(str, result.types), strict=True)
    )
    cursor = connection.execute(f"select {values} from result as q({', '.join(places)})")
    nested = [str(kind) == "JSON" for kind in result.types]
    between = "[\n"
    while rows := cursor.fetchmany(ROWS_AT_ONCE):
        for row in rows:
            plain = (
                json.loads(value) if is_json and value is not None else _plain(value)
                for value, is_json in zip(row, nested, strict=True)
            )
            row_as_json = dict(zip(names, plain, strict=True))
            out.write(between + json.dumps(row_as_json, ensure_ascii=False, allow_nan=False))
            between = ",\n"
    out.write("[]\n" if between == "[\n" else "\n]\n")


def _for_json(place: str, kind: str) -> str:
    """The column as JSON holds it: numbers with the digits they show, the rest as text."""
    if kind == "FLOAT" or kind.startswith("DECIMAL("):
        return f"cast(cast({place} as varchar) as double)"
    if kind.endswith(("]", ")")) and not kind.startswith("ENUM("):
        return place
    return place if kind in AS_THEY_ARE else f"cast({place} as varchar)"


def _markdown(
    connection: duckdb.DuckDBPyConnection, result: duckdb.DuckDBPyRelation, out: TextIO
) -> None:
    def line(values: Sequence[str | None]) -> str:
        cells = ((value or "").replace("|", "\\|").replace("\n", " ") for value in values)
        return "| " + " | ".join(cells) + " |\n"

    names = result.columns
    out.write(line(names) + "|" + " --- |" * len(names) + "\n")
    cursor = connection.execute("select cast(columns(*) as varchar) from result")
    while rows := cursor.fetchmany(ROWS_AT_ONCE):
        out.writelines(map(line, rows))


def _plain(value: Any) -> Any:
    """A value inside a list or structure as JSON holds it; what JSON lacks becomes text."""
    if isinstance(value, float) and value - value != 0:
        return str(value)
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    return value if isinstance(value, bool | int | float | str | None) else str(value)
