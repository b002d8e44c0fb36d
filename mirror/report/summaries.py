"""What is in the columns of a table or view: how much is NULL, the range, and what is common."""

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

import duckdb

from mirror.inventory import Described
from mirror.privacy import is_private_name
from mirror.store import literal, quoted

# About so many rows are looked at: a dictionary is read for what to expect, not for counts.
ROWS = 5_000
# Of so many mice.
MICE = 5
BINS = 12
# A column of more values has a histogram where it has an order, and otherwise only their number.
FEW = 12
# So many of its commonest values are named, in so many letters.
NAMED, LETTERS = 3, 28
TIMES = ("DATE", "TIMESTAMP")
# Not of lists, whose type ends otherwise.
ORDERED = re.compile(
    r"(U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|DOUBLE|FLOAT|DECIMAL\(.*\)|DATE|TIMESTAMP)"
)


@dataclass(frozen=True)
class Summary:
    """A column in words, and the heights of the bars of its histogram, from 0 to 1, if any."""

    words: str
    bars: tuple[float, ...] = field(default=())


def some_mice(con: duckdb.DuckDBPyConnection) -> list[str]:
    """A few mice with trials, of all there are: a view of them is computed in no time."""
    mice = con.execute(
        "select distinct subject_uuid::varchar from sessions where has_trials order by all"
    ).fetchall()
    return [uuid for (uuid,) in mice[:: max(len(mice) // MICE, 1)]][:MICE]


def summarize(
    con: duckdb.DuckDBPyConnection, described: Described, mice: list[str]
) -> tuple[int, dict[str, Summary]]:
    """How many rows of a table or view were looked at, and a summary of each column by name.

    Of a table they come from all over it, of a view from the mice, if it has any. Columns that are
    private have none, also in a mirror that holds them.
    """
    name, n_rows = described.entry.name, described.entry.rows
    if n_rows == 0:
        return 0, {}
    relation = ".".join(map(quoted, name.split(".", 1)))
    schema, _, table = name.rpartition(".")
    shown = [
        column
        for column, _, _ in described.columns
        if not is_private_name(f"{schema}.{table}.{column}")
    ]
    if n_rows is not None:
        # the same parts in each report
        percent = min(100 * ROWS / max(n_rows, 1), 100)
        some = "" if percent == 100 else f"using sample {percent:.4f} percent (system, 1)"
    elif mice and "subject_uuid" in shown:
        some = f"where subject_uuid in ({', '.join(map(literal, mice))}) limit {ROWS}"
    else:
        some = f"limit {ROWS}"
    of_columns = ", ".join(map(quoted, shown))
    con.execute(
        f"create or replace temp table looked_at as select {of_columns} from {relation} {some}"
    )
    kinds = con.execute(
        "select column_name, data_type from duckdb_columns() where table_name = 'looked_at'"
        " and database_name = 'temp' order by column_index"
    ).fetchall()
    of_each = ", ".join(
        f"[count({name})::varchar, count(distinct {name})::varchar, min({name})::varchar,"
        f" max({name})::varchar]"
        for name in (quoted(column) for column, _ in kinds)
    )
    # its own pass each for the quantiles of SUMMARIZE would take most of the time
    [(n_looked_at, *found)] = con.execute(f"select count(*), {of_each} from looked_at").fetchall()
    if not n_looked_at:
        return 0, {}
    columns = [
        (column, kind, int(n), int(n_values), low, high)
        for (column, kind), (n, n_values, low, high) in zip(kinds, found, strict=True)
    ]
    counts: dict[str, list[tuple[str, int]]] = {}
    parts = [
        part for column, kind, _, n, low, _ in columns if (part := _counts(column, kind, low, n))
    ]
    if parts:
        for column, value, n in con.execute(" union all ".join(parts)).fetchall():
            counts.setdefault(column, []).append((value, n))
    return n_looked_at, {
        column: _summary(
            kind, low, high, n_values, 100 * (1 - n / n_looked_at), counts.get(column, [])
        )
        for column, kind, n, n_values, low, high in columns
    }


def _counts(column: str, kind: str, low: str | None, n_values: int) -> str:
    """The query of how often the values of a column, or those of a bin of it, come."""
    name, text = quoted(column), literal(column)
    if low is None:
        return ""
    if n_values <= FEW and "[" not in kind and not kind.startswith(("STRUCT", "MAP", "JSON")):
        return (
            f"(select {text}, left({name}::varchar, {LETTERS}), count(*) from looked_at"
            f" where {name} is not null group by all order by 3 desc, 2 limit {NAMED})"
        )
    if not _is_ordered(kind):
        return ""
    value = f"epoch({name}::timestamp)" if kind.startswith(TIMES) else f"{name}::double"
    return (
        f"(with number as (select {value} as x from looked_at where isfinite({value})),"
        " ends as (select min(x) as low, max(x) as high from number)"
        f" select {text}, least(floor({BINS} * (x - low) / nullif(high - low, 0)), {BINS - 1})"
        "::integer::varchar, count(*) from number, ends where high > low group by all)"
    )


def _is_ordered(kind: str) -> bool:
    return ORDERED.fullmatch(kind) is not None


def _summary(
    kind: str,
    low: str | None,
    high: str | None,
    n_values: int,
    null_percent: float,
    counts: Iterable[tuple[str, int]],
) -> Summary:
    if low is None:
        return Summary("all NULL")
    null = f"{null_percent:.3g} % NULL; " if null_percent else ""
    found = list(counts)
    if _is_ordered(kind) and n_values > FEW:
        most = max((n for _, n in found), default=0)
        heights = {int(place): n / most for place, n in found}
        bars = tuple(heights.get(place, 0.0) for place in range(BINS)) if found else ()
        return Summary(f"{null}{_shown(low)} to {_shown(high)}", bars)
    if found and n_values <= FEW:
        more = ", …" if n_values > len(found) else ""
        return Summary(null + ", ".join(f"{value} ({n:,})" for value, n in found) + more)
    return Summary(f"{null}{n_values:,} values" if n_values > 1 else f"{null}1 value")


def _shown(value: str | None) -> str:
    """A number in four digits; dates as they are."""
    try:
        number = float(value or "")
    except ValueError:
        return str(value)[:19]
    return f"{number:,.0f}" if number == math.floor(number) else f"{number:.4g}"
