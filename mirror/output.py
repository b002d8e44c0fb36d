"""Query results on their way out: a table for eyes, CSV, JSON, Markdown or Parquet for pipes."""

import io
import json
import re
import shutil
import tempfile
from collections.abc import Callable, Iterable, Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any, TextIO

import duckdb
from duckdb.sqltypes import DuckDBPyType

from mirror.errors import MirrorError, UsageError
from mirror.printing import visible_lines
from mirror.renamed import hint
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
# DuckDB's text of these is JSON's
LITERALS = {"boolean", "decimal"} | {
    f"{sign}{width}"
    for sign in ("", "u")
    for width in ("tinyint", "smallint", "integer", "bigint", "hugeint")
}
# DuckDB takes NaN and infinities for JSON: token by token they become texts
STRICT = r"""array_to_string(list_transform(
    regexp_extract_all({}, '"(?:[^"\\]|\\.)*"|-?[A-Za-z]+|-?\d[\d.eE+-]*|[^"\dA-Za-z-]+'),
    lambda token: if(
        regexp_full_match(token, '-?[A-Za-z]+') and token not in ('true', 'false', 'null'),
        '"' || token || '"',
        token
    )
), '')"""
# what would end a cell or a row, or be read as an escape
MARKDOWN = re.compile(r"\r\n|[\r\n\\|]|<(?=br>)")
# what Parquet would round: integers beyond 64 bits to a DOUBLE, times to milliseconds
BETTER_IN_PARQUET = {"hugeint": "decimal(38, 0)", "uhugeint": "decimal(38, 0)"} | {
    "interval": "varchar"
}


def read_only(connection: duckdb.DuckDBPyConnection, query: str) -> str:
    """The query, if it is one statement and only reads. Raises UsageError."""
    try:
        statements = connection.extract_statements(query)
    except duckdb.Error as error:
        raise UsageError(_explained(error, query)) from error
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
        result = _result(connection, query)
        if form == "table":
            _table(result, out)
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
        raise MirrorError(_explained(error, query)) from error
    except duckdb.Error as error:
        raise UsageError(_explained(error, query)) from error


def export(connection: duckdb.DuckDBPyConnection, name_or_query: str, file: Path) -> int:
    """Write a table, a view or a query's result to a `.csv` or `.parquet` file; returns rows.

    The file appears when it is whole. Raises UsageError.
    """
    form = file.suffix.lower().lstrip(".")
    if form not in ("csv", "parquet"):
        raise UsageError(f"{file} should end in .csv or .parquet, which says how to write it.")
    query = name_or_query
    if len(name_or_query.split()) == 1:
        from mirror.inventory import describe

        query = "from " + ".".join(
            map(quoted, describe(connection, query).entry.name.split(".", 1))
        )
    query = read_only(connection, query)
    if not file.absolute().parent.is_dir():
        raise UsageError(f"There is no folder {file.parent}: make it, or name another with -o.")
    half = file.with_name(f".{file.name}.half")
    try:
        rows = _copy(connection, _result(connection, query), half, form)
        half.replace(file)
    except duckdb.IOException as error:
        raise explain(error, file) from error
    except duckdb.Error as error:
        raise UsageError(_explained(error, query)) from error
    except OSError as error:
        raise MirrorError(f"{file} cannot be written ({error.strerror}).") from error
    finally:
        half.unlink(missing_ok=True)
    return rows


def _result(connection: duckdb.DuckDBPyConnection, query: str) -> duckdb.DuckDBPyRelation:
    """The result of a query, which SQL finds under the name `result`, a temporary view."""
    try:
        result = connection.sql(query)
    except duckdb.Error:
        # says the same, and where in the query
        connection.execute(query)
        raise
    connection.unregister("result")
    connection.register("result", result)
    return result


def _copy(
    connection: duckdb.DuckDBPyConnection,
    result: duckdb.DuckDBPyRelation,
    file: Path,
    form: str,
) -> int:
    if form == "csv":
        source, options = "from result", "format csv, header"
    else:
        source, options = _for_parquet(result), "format parquet, compression zstd"
    [(rows,)] = connection.execute(
        f"copy ({source}) to {literal(str(file))} ({options})"
    ).fetchall()
    return rows


def _for_parquet(result: duckdb.DuckDBPyRelation) -> str:
    """The result without the types of which Parquet keeps less than there is."""
    places = [f"c{i}" for i in range(len(result.columns))]
    values = [
        f"cast({place} as {leaves(kind, lambda leaf: BETTER_IN_PARQUET.get(leaf.id, str(leaf)))})"
        for place, kind in zip(places, result.types, strict=True)
    ]
    outputs = ", ".join(f"{v} as {quoted(n)}" for v, n in zip(values, _names(result), strict=True))
    return f"select {outputs} from result as q({', '.join(places)})"


def _names(result: duckdb.DuckDBPyRelation) -> list[str]:
    """The names of the columns, each once, told apart in DuckDB's own way."""
    names: list[str] = []
    for name in result.columns:
        while name in names:
            name += "_1"
        names.append(name)
    return names


def leaves(kind: DuckDBPyType, leaf: Callable[[DuckDBPyType], str]) -> str:
    """A type in SQL, with other types of values in its lists, maps and structures."""
    inner = {name: leaves(part, leaf) for name, part in _parts(kind).items()}
    match kind.id:
        case _ if not inner:
            return leaf(kind)
        case "map":
            return f"map(varchar, {inner['value']})"
        case "struct":
            return f"struct({', '.join(f'{quoted(name)} {part}' for name, part in inner.items())})"
    return f"{inner['child']}[]"


def _parts(kind: DuckDBPyType) -> dict[str, DuckDBPyType]:
    """The types inside of a list, a map or a structure; none where its values have no names."""
    if kind.id not in ("list", "array", "map", "struct"):
        return {}
    parts = {name: part for name, part in kind.children if isinstance(part, DuckDBPyType)}
    return {} if "" in parts else parts


def _explained(error: duckdb.Error, query: str) -> str:
    """DuckDB's message, and its picture of the place if that shows what was typed."""
    said, _, picture = str(error).partition("\n\nLINE ")
    sentence = " ".join(line.strip() for line in said.splitlines() if line.strip())
    if now := hint(said):
        sentence = f"{sentence.rstrip('.!')}. {now}"
    shown = picture.partition("\n")[0].partition(": ")[2].strip(". ")
    return f"{sentence}\n\nLINE {picture}" if shown and shown in query else sentence


def _table(result: duckdb.DuckDBPyRelation, out: TextIO) -> None:
    width = shutil.get_terminal_size((120, 0)).columns
    with redirect_stdout(io.StringIO()) as drawn:
        result.show(max_width=width, max_rows=TABLE_ROWS)
    out.write(visible_lines(drawn.getvalue()))


def _json(
    connection: duckdb.DuckDBPyConnection, result: duckdb.DuckDBPyRelation, out: TextIO
) -> None:
    places = [f"c{i}" for i in range(len(result.columns))]
    values = map(_as_json, result.types, places)
    row = _json_object(zip(_names(result), values, strict=True))
    cursor = connection.execute(f"select {row} from result as q({', '.join(places)})")
    between = "[\n"
    while rows := cursor.fetchmany(ROWS_AT_ONCE):
        out.writelines([between, ",\n".join(text for (text,) in rows)])
        between = ",\n"
    out.write("[]\n" if between == "[\n" else "\n]\n")


def _as_json(kind: DuckDBPyType, value: str, depth: int = 0) -> str:
    """A value as JSON text, in SQL: every digit of a number, and as text what JSON has not.

    DuckDB's own `to_json` writes NaN and infinities, which are no JSON.
    """
    parts, item = _parts(kind), f"item{depth}"
    text = f"cast({value} as varchar)"
    match kind.id:
        case "list" | "array":
            written = (
                f"'[' || {_joined(value, item, _as_json(parts['child'], item, depth + 1))} || ']'"
            )
        case "map" if parts:
            inner = _as_json(parts["value"], f"{item}.value", depth + 1)
            pair = f"{_quoted(f'{item}.key')} || ': ' || {inner}"
            written = f"'{{' || {_joined(f'map_entries({value})', item, pair)} || '}}'"
        case "struct" if parts:
            inner = _json_object(
                (name, _as_json(part, f"{value}.{quoted(name)}", depth + 1))
                for name, part in parts.items()
            )
            written = f"case when {value} is not null then {inner} end"
        case "float" | "double":
            written = f"if(isfinite({value}), {text}, {_quoted(value)})"
        case name if name in LITERALS:
            written = text
        case _ if str(kind) == "JSON":
            written = f"if(regexp_matches({text}, '(?i)nan|inf'), {STRICT.format(text)}, {text})"
        case _:
            written = _quoted(value)
    return f"coalesce({written}, 'null')"


def _quoted(value: str) -> str:
    return f"cast(to_json(cast({value} as varchar)) as varchar)"


def _json_object(pairs: Iterable[tuple[str, str]]) -> str:
    keys = ((json.dumps(name, ensure_ascii=False), value) for name, value in pairs)
    parts = " || ', ' || ".join(f"{literal(f'{key}: ')} || {value}" for key, value in keys)
    return f"'{{' || {parts} || '}}'"


def _joined(values: str, item: str, inner: str) -> str:
    return f"array_to_string(list_transform({values}, lambda {item}: {inner}), ', ')"


def _markdown(
    connection: duckdb.DuckDBPyConnection, result: duckdb.DuckDBPyRelation, out: TextIO
) -> None:
    names = result.columns
    out.write(_markdown_row(names) + "|" + " --- |" * len(names) + "\n")
    cursor = connection.execute("select cast(columns(*) as varchar) from result")
    while rows := cursor.fetchmany(ROWS_AT_ONCE):
        out.writelines(map(_markdown_row, rows))


def _markdown_row(values: Sequence[str | None]) -> str:
    return "| " + " | ".join(MARKDOWN.sub(_markdown_escape, v or "") for v in values) + " |\n"


def _markdown_escape(found: re.Match[str]) -> str:
    return "<br>" if found[0].isspace() else f"\\{found[0]}"
