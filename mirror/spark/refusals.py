"""What a view may not use, since no rule makes it the same on Spark, and what to write instead.

Each of these fails there, or worse, silently means something else. Functions that nobody has
tried are refused too: `tests/fixtures/spark/battery.sql` has what was tried on both engines.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.dialects.duckdb import DuckDB
from sqlglot.optimizer.annotate_types import annotate_types
from sqlglot.optimizer.qualify import qualify
from sqlglot.schema import MappingSchema
from sqlglot.tokens import TokenType


@dataclass(frozen=True, order=True)
class Refusal:
    """A construct that does not travel: the line of the view's file, and what to write instead."""

    line: int
    construct: str
    better: str

    def __str__(self) -> str:
        return f"line {self.line}, {self.construct}: write {self.better}"


# Functions by name: what to write instead.
FUNCTIONS = {
    **dict.fromkeys(["log"], "log10 or ln: elsewhere log is ln"),
    **dict.fromkeys(["quantile_disc", "mad", "histogram"], "quantile_cont, or count in steps"),
    **dict.fromkeys(
        ["epoch", "epoch_ms", "epoch_us", "epoch_ns", "date_sub", "datesub"],
        "date_diff, or epoch(date_trunc('second', x))",
    ),
    **dict.fromkeys(
        [f"to_{unit}s" for unit in ("second", "minute", "hour", "day", "week", "month", "year")],
        "n * interval '1 second'",
    ),
    **dict.fromkeys(
        ["dayofweek", "isodow", "weekday"], "date_diff('day', date '2018-01-01', d) % 7"
    ),
    **dict.fromkeys(["monthname"], "strftime(d, '%B')"),
    **dict.fromkeys(["hash"], "md5"),
    **dict.fromkeys(
        [f"duckdb_{what}" for what in ("tables", "columns", "views", "schemas", "constraints")]
        + ["current_database"],
        "no question about the file, which is not there",
    ),
    **dict.fromkeys(["format"], "printf or ||"),
    **dict.fromkeys(["len"], "array_length, or length of a text"),
    **dict.fromkeys(
        [
            f"{kind}_{name}"
            for kind in ("list", "array")
            for name in ("sum", "avg", "min", "max", "median", "aggregate", "reduce", "zip")
        ],
        "unnest, then aggregate",
    ),
    **dict.fromkeys(
        [f"{kind}_{name}" for kind in ("list", "array") for name in ("extract", "slice")],
        "x[i]",
    ),
    **dict.fromkeys(
        [
            f"{kind}_{name}"
            for kind in ("list", "array")
            for name in ("contains", "has", "distinct", "unique", "concat", "cat")
        ],
        "unnest and compare: NULLs are treated otherwise elsewhere",
    ),
}


def _select_of(node: exp.Expr) -> exp.Select | None:
    return node.find_ancestor(exp.Select)


def _operands(node: exp.Expr) -> Iterator[exp.Expr]:
    """The leaves of an arithmetic expression."""
    if isinstance(node, exp.Add | exp.Sub | exp.Mul | exp.Div | exp.Paren | exp.Neg):
        for child in node.iter_expressions():
            yield from _operands(child)
    else:
        yield node


def _is_decimal(node: exp.Expr) -> bool:
    return isinstance(node, exp.Literal) and bool(re.fullmatch(r"\d*\.\d*", node.this))


def _is_never_zero(node: exp.Expr) -> bool:
    """Known not to be zero: NULL takes the place, or it is a number, or a group's row count."""
    match node:
        case exp.Nullif():
            return True
        case exp.Literal():
            return not node.is_string and float(node.this) != 0
        case exp.Paren() | exp.Cast() | exp.Neg() | exp.Sqrt():
            return _is_never_zero(node.this)
        case exp.Mul():
            return _is_never_zero(node.left) and _is_never_zero(node.right)
        case exp.Count():
            select = _select_of(node)
            return isinstance(node.this, exp.Star) and bool(select and select.args.get("group"))
    return False


def _is_shifted_date(node: exp.Binary) -> bool:
    """A date plus an interval, which is a timestamp here and a date elsewhere, left as it is."""
    if not any(side.is_type("date") for side in (node.left, node.right)) or not any(
        isinstance(leaf, exp.Interval) for leaf in _operands(node)
    ):
        return False
    outer = node.parent
    while isinstance(outer, exp.Paren):
        outer = outer.parent
    return not (isinstance(outer, exp.Cast) and outer.is_type("date"))


def _computes_with_float(node: exp.Expr) -> bool:
    """Arithmetic, or a comparison with anything but another FLOAT."""
    if isinstance(node, exp.Is):
        return False
    if isinstance(node, exp.Binary):
        kinds = [side.is_type("float") for side in (node.left, node.right)]
        return any(kinds) and not (isinstance(node, exp.Predicate) and all(kinds))
    return node.this is not None and node.this.is_type("float")


def _names_an_alias(where: exp.Expr) -> bool:
    """Whether a filter reads what its own select computes."""
    select = where.parent
    if not isinstance(select, exp.Select):
        return False
    computed = {
        column.alias
        for column in select.expressions
        if isinstance(column, exp.Alias) and column.this.name != column.alias
    }
    return any(
        not column.table and column.name in computed and _select_of(column) is select
        for column in where.find_all(exp.Column)
    )


def _n_unnested(select: exp.Select) -> int:
    return sum(
        _select_of(node) is select
        for column in select.expressions
        for node in column.find_all(exp.Explode, exp.Unnest)
    )


# each takes its own kind of node
Rule = Callable[[Any], object]
# Constructs by the class of their node: what is refused, and what to write instead.
REFUSED: dict[str, tuple[tuple[type[exp.Expr], ...], Rule, str]] = {
    "division by what can be zero": (
        (exp.Div, exp.IntDiv, exp.Mod),
        lambda node: not _is_never_zero(node.right),
        "x / nullif(y, 0): elsewhere it is an error",
    ),
    "division of decimals": (
        (exp.Div,),
        lambda node: any(_is_decimal(leaf) for leaf in _operands(node)),
        "1e0 or a cast to double: elsewhere six digits remain",
    ),
    "within group": ((exp.WithinGroup,), lambda node: True, "quantile_cont"),
    "frame with exclude": ((exp.WindowSpec,), lambda node: node.args.get("exclude"), "sum - x"),
    "frame of groups": (
        (exp.WindowSpec,),
        lambda node: str(node.args.get("kind")).upper() == "GROUPS",
        "dense_rank, then range",
    ),
    "* exclude, replace or rename": (
        (exp.Star,),
        lambda node: any(node.args.get(key) for key in ("except_", "replace", "rename")),
        "name the columns",
    ),
    "columns()": ((exp.Columns,), lambda node: True, "name the columns"),
    "union by name": ((exp.SetOperation,), lambda node: node.args.get("by_name"), "union all"),
    "pivot": ((exp.Pivot,), lambda node: True, "count(*) filter (...)"),
    "asof join": ((exp.Join,), lambda node: node.method == "ASOF", "a join and row_number()"),
    "alias in where": ((exp.Where,), _names_an_alias, "a CTE"),
    "list comprehension": ((exp.Comprehension,), lambda node: True, "list_transform"),
    "slice": ((exp.Slice,), lambda node: True, "substring, or unnest"),
    "string_agg without order": (
        (exp.GroupConcat,),
        lambda node: not node.find(exp.Order),
        "string_agg(x, ',' order by x)",
    ),
    "arg_max of several": (
        (exp.ArgMax, exp.ArgMin),
        lambda node: node.args.get("count"),
        "row_number() <= n",
    ),
    "difference in months or longer": (
        (exp.DateDiff,),
        lambda node: str(node.args.get("unit")).lower() not in ("day", "hour", "minute", "second"),
        "from year() * 12 + month(): elsewhere whole months count",
    ),
    "two time zones in a chain": (
        (exp.AtTimeZone,),
        lambda node: node.this.find(exp.AtTimeZone),
        "one at time zone",
    ),
    "part of a date": (
        (exp.Extract, exp.Anonymous),
        lambda node: (
            isinstance(node, exp.Extract) or node.name.lower() in ("date_part", "datepart")
        ),
        "year(), month(), hour() ..., or date_diff",
    ),
    "regexp_replace of the first": (
        (exp.RegexpReplace,),
        lambda node: "g" not in node.text("modifiers"),
        "regexp_replace(s, a, b, 'g'): elsewhere all are replaced",
    ),
    "two unnests": ((exp.Select,), lambda node: _n_unnested(node) > 1, "unnest the positions"),
    "left join unnest": (
        (exp.Join,),
        lambda node: node.side == "LEFT" and isinstance(node.this, exp.Unnest),
        "unnest in a CTE, and join that",
    ),
    "unnest with ordinality": (
        (exp.Unnest,),
        lambda node: node.args.get("offset"),
        "unnest the positions",
    ),
    "series as a table": (
        (exp.Table,),
        lambda node: (
            isinstance(node.this, exp.GenerateSeries)
            or node.name.lower() in ("range", "generate_series")
        ),
        "select unnest(generate_series(a, b))",
    ),
}
# The same, for what shows only in the types of the columns.
REFUSED_BY_TYPE: dict[str, tuple[tuple[type[exp.Expr], ...], Rule, str]] = {
    "computing with FLOAT": (
        (exp.Binary, exp.Round, exp.In, exp.Between, exp.Case),
        _computes_with_float,
        "a cast to double, and round: .7 * 100 is 69.99 elsewhere",
    ),
    "date minus date": (
        (exp.Sub,),
        lambda node: node.left.is_type("date") and node.right.is_type("date"),
        "date_diff('day', a, b): elsewhere it is an interval",
    ),
    "date plus interval": (
        (exp.Add, exp.Sub),
        _is_shifted_date,
        "(d + interval ...)::date: elsewhere it is a date",
    ),
    "sum of booleans": (
        (exp.Sum,),
        lambda node: node.this.is_type("boolean"),
        "count(*) filter (where ...)",
    ),
}


class _Counted(DuckDB):
    """DuckDB's SQL with places in lists as they are written, from 1."""

    INDEX_OFFSET = 0


def query_of(sql: str) -> exp.Expr:
    """The query of the one view that some statements define."""
    [query] = [
        found.expression
        for found in sqlglot.parse(sql, dialect=_Counted)
        if isinstance(found, exp.Create)
    ]
    return query


def refused(sql: str, schema: MappingSchema) -> list[Refusal]:
    """All that does not travel in the statements that define a view, in the order of the lines.

    `schema` has the types of all tables and views.
    """
    query = query_of(sql)
    found = _refused_functions(sql)
    for tree, rules in ((query, REFUSED), (typed(query, schema), REFUSED_BY_TYPE)):
        for node in tree.walk():
            for name, (kinds, rule, better) in rules.items():
                if isinstance(node, kinds) and rule(node):
                    found.append(Refusal(_line(node), name, better))
    return sorted(set(found))


def typed(query: exp.Expr, schema: MappingSchema) -> exp.Expr:
    """The query with the type of each of its expressions."""
    query = qualify(
        query.copy(), schema=schema, dialect="duckdb", db="main", validate_qualify_columns=False
    )
    return annotate_types(query, schema=schema, dialect="duckdb")


def _refused_functions(sql: str) -> list[Refusal]:
    found = []
    tokens = sqlglot.tokenize(sql, dialect="duckdb")
    for token, bracket, first in zip(tokens, tokens[1:], tokens[2:], strict=False):
        name = token.text.lower()
        is_call = bracket.token_type == TokenType.L_PAREN and token.token_type != TokenType.STRING
        is_in_seconds = name == "epoch" and first.text.lower() == "date_trunc"
        if name in FUNCTIONS and is_call and not is_in_seconds:
            found.append(Refusal(token.line, f"{name}()", FUNCTIONS[name]))
    return found


def _line(node: exp.Expr) -> int:
    """Where a node begins, or the nearest node around it that is known to begin somewhere."""
    while True:
        lines = [found.meta["line"] for found in node.walk() if "line" in found.meta]
        if lines or node.parent is None:
            return min(lines, default=1)
        node = node.parent
