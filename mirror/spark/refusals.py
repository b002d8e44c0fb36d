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
        return f"line {self.line}, {self.construct}: use {self.better}"


# Functions by name: what to write instead.
FUNCTIONS = {
    "log": "log10 or ln: Spark's log is ln",
    **dict.fromkeys(["quantile", "quantile_disc", "mad", "histogram"], "quantile_cont, or count"),
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
    "monthname": "strftime(d, '%B')",
    "hash": "md5",
    "format": "printf or ||",
    "len": "array_length, or length of a text",
    "count_if": "count(*) filter (where ...)",
    "sign": "case when x > 0 then 1 ... end: Spark knows no sign of NaN",
    **dict.fromkeys(["isfinite", "isinf"], "a comparison, and isnan"),
    **dict.fromkeys(
        [
            f"{kind}_{name}"
            for kind in ("list", "array")
            for name in ("sum", "avg", "median", "aggregate", "reduce", "zip")
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
        "unnest and compare: Spark treats NULLs otherwise",
    ),
    "array_to_string": "string_agg",
    **dict.fromkeys(
        [f"duckdb_{what}" for what in ("tables", "columns", "views", "schemas", "constraints")]
        + ["current_database"],
        "nothing about the file, which is not there",
    ),
}
# What the battery has found to be the same on both engines, by sqlglot's names.
_TRIED = """
abs add and anyvalue argmax argmin array arrayagg arrayfilter arraymax arraymin arraysize
arraysort atan2 avg bitwiseand bitwiseleftshift bitwiseor bitwisexor case cast cbrt ceil coalesce
concat concatws contains cos count covarpop covarsamp cumedist currentdate datediff datefromparts
day dayname dayofyear degrees denserank div dot dpipe endswith eq escape exists exp explode
firstvalue floor generateseries greatest groupconcat gt gte hour if ilike intdiv is isnan lag
lastday lastvalue lead least left length like ln log logicaland logicalor lower lt lte map mapkeys
max md5 median min minute mod month mul neq nthvalue ntile nullif nullsafeeq nullsafeneq or pad
percentilecont percentrank pi pow propertyeq quarter rank regexpextract regexplike regexpreplace
repeat replace reverse right round rownumber second sessionuser sha2 sin split splitpart sqrt
startswith stddev stddevpop stddevsamp strposition struct sub substring sum timestamptrunc
timetostr timetounix transform translate trim trycast unnest upper variance variancepop year
"""
TRIED = frozenset(_TRIED.split())
ANONYMOUS = frozenset(["list_reverse", "array_reverse", "map_keys", "map_values", "now", "printf"])
UNTRIED = "a function that both engines were tried with"
# codes of strftime that both write the same
DATE_CODES = frozenset("%" + code for code in "AaBbdfHIMmpSyY")
# types that Spark has too
_TYPES = """
    tinyint smallint int bigint float double decimal boolean varchar text char date timestamp
    timestamptz timestampntz array list struct map interval null unknown binary varbinary
"""
TYPES = frozenset(_TYPES.split())


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


def _is_whole(node: exp.Expr) -> bool:
    """Whether a fraction is a whole number already when it is cast."""
    match node:
        case exp.Paren() | exp.Cast() | exp.TryCast() | exp.Abs():
            return not _is_fraction(node) or _is_whole(node.this)
        case exp.Round():
            return not node.args.get("decimals")
        case exp.Coalesce():
            return all(map(_is_whole, (node.this, *node.expressions)))
    return isinstance(node, exp.Floor | exp.Ceil | exp.IntDiv | exp.Sum) or not _is_fraction(node)


def _is_fraction(node: exp.Expr) -> bool:
    return node.is_type("double", "float", "decimal")


def _has_other_text(node: exp.Expr) -> bool:
    if isinstance(node, exp.Paren):
        return _has_other_text(node.this)
    is_duration = isinstance(node, exp.Sub) and node.left.is_type(
        "timestamp", "timestampntz", "timestamptz"
    )
    return is_duration or node.is_type("double", "float", "interval")


def _has_other_format(node: exp.Expr) -> bool:
    """A printf of fractions, but for the digits of %g that are made a number again."""
    if node.name.lower() != "printf":
        return False
    form = node.expressions[0]
    if not isinstance(form, exp.Literal):
        return True
    codes = re.findall(r"%[-+ 0#]*\d*(?:\.\d+)?([a-zA-Z%])", form.name)
    is_number_again = isinstance(node.parent, exp.Cast) and node.parent.to.is_type("double")
    return any(code not in "ds%" and not (code == "g" and is_number_again) for code in codes)


def _has_other_codes(node: exp.TimeToStr) -> bool:
    form = node.args["format"]
    if not isinstance(form, exp.Literal):
        return True
    return not set(re.findall(r"%-?.", form.name)) <= DATE_CODES


def _is_untried(node: exp.Expr) -> bool:
    if isinstance(node, exp.Anonymous):
        return node.name.lower() not in ANONYMOUS | FUNCTIONS.keys()
    return node.key not in TRIED


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
    "* replace or rename": (
        (exp.Star,),
        lambda node: any(node.args.get(key) for key in ("replace", "rename")),
        "name the columns",
    ),
    "columns()": ((exp.Columns,), lambda node: True, "name the columns"),
    "union by name": ((exp.SetOperation,), lambda node: node.args.get("by_name"), "union all"),
    "pivot": ((exp.Pivot,), lambda node: True, "count(*) filter (...)"),
    "asof join": ((exp.Join,), lambda node: node.method == "ASOF", "a join and row_number()"),
    "alias in where": ((exp.Where,), _names_an_alias, "a CTE"),
    "list comprehension": ((exp.Comprehension,), lambda node: True, "list_transform"),
    "slice": ((exp.Slice,), lambda node: True, "substring, or unnest"),
    "extremes of several": (
        (exp.ArgMax, exp.ArgMin, exp.Max, exp.Min),
        lambda node: node.args.get("count") or node.expressions,
        "row_number() <= n",
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
    "difference in other units": (
        (exp.DateDiff,),
        lambda node: (
            node.text("unit").lower()
            not in ("day", "hour", "minute", "second", "month", "quarter", "year")
        ),
        "days, hours, minutes, seconds, months, quarters or years",
    ),
    "string_agg without order": (
        (exp.GroupConcat,),
        lambda node: not isinstance(node.this, exp.Order) or isinstance(node.parent, exp.Window),
        "string_agg(x, ',' order by x) of a group",
    ),
    "list without order": (
        (exp.ArrayAgg,),
        lambda node: not isinstance(node.this, exp.Order) or isinstance(node.parent, exp.Window),
        "list(x order by k) of a group",
    ),
    "list or texts in falling order": (
        (exp.ArrayAgg, exp.GroupConcat),
        lambda node: (
            isinstance(node.this, exp.Order)
            and not isinstance(node.this.this, exp.Distinct)
            and any(key.args.get("desc") for key in node.this.expressions)
        ),
        "rising order, or list_reverse",
    ),
    "distinct in a window": (
        (exp.Window,),
        lambda node: bool(node.this.find(exp.Distinct)),
        "dense_rank, and its maximum",
    ),
    "printf of fractions": (
        (exp.Anonymous,),
        _has_other_format,
        "round, or printf('%.6g', x)::double",
    ),
    "strftime with other codes": (
        (exp.TimeToStr,),
        _has_other_codes,
        f"a text with codes of {' '.join(sorted(DATE_CODES))}",
    ),
    "backslash in a pattern": (
        (exp.Like, exp.ILike),
        lambda node: "\\" in node.expression.name and not isinstance(node.parent, exp.Escape),
        "like '...!_' escape '!'",
    ),
    "similar to": ((exp.SimilarTo,), lambda node: True, "regexp_matches(a, '^(b)$')"),
    "in a list": ((exp.In,), lambda node: node.args.get("field"), "unnest and compare"),
    "comparison of structures": (
        (exp.GT, exp.GTE, exp.LT, exp.LTE),
        lambda node: isinstance(node.left, exp.Struct) or isinstance(node.right, exp.Struct),
        "a comparison of each part",
    ),
    "series with a step": (
        (exp.GenerateSeries,),
        lambda node: node.args.get("step") or node.args.get("is_end_exclusive"),
        "generate_series(a, b), and multiply",
    ),
    "place 0 of a list": (
        (exp.Bracket,),
        lambda node: any(place.is_number and float(place.name) == 0 for place in node.expressions),
        "places from 1",
    ),
    "sample": ((exp.TableSample,), lambda node: True, "a condition"),
    "type of DuckDB alone": (
        (exp.Cast, exp.TryCast),
        lambda node: node.to.this.value.lower() not in TYPES,
        "a signed type, varchar or timestamp",
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
    "cast of a fraction to an integer": (
        (exp.Cast, exp.TryCast),
        lambda node: (
            node.to.is_type("tinyint", "smallint", "int", "bigint") and not _is_whole(node.this)
        ),
        "a cast of round(x): Spark cuts off",
    ),
    "text of a fraction": (
        (exp.Cast, exp.TryCast, exp.DPipe, exp.Concat, exp.ConcatWs),
        lambda node: (
            node.to.is_type("varchar", "text") and _has_other_text(node.this)
            if isinstance(node, exp.Cast)
            else any(map(_has_other_text, node.iter_expressions()))
        ),
        "the number itself: Spark writes other digits, and NaN otherwise",
    ),
    "quantile of decimals or dates": (
        (exp.Median, exp.PercentileCont),
        lambda node: node.this.is_type("decimal", "date", "timestamp", "timestampntz"),
        "a cast to double, or another measure: DuckDB rounds to the places there are",
    ),
    "time zone of an instant": (
        (exp.AtTimeZone,),
        lambda node: node.this.is_type("timestamptz") or node.this.name.lower() == "now",
        "the wall clock, at time zone",
    ),
    "part of a structure, or of a map by what is computed": (
        (exp.Bracket,),
        lambda node: (
            node.this.is_type("struct")
            or (node.this.is_type("map") and not isinstance(node.expressions[0], exp.Literal))
        ),
        "x.name, or a key as it is",
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
    found = refused_functions(sql)
    for tree, rules in ((query, REFUSED), (typed(query, schema), REFUSED_BY_TYPE)):
        for node in tree.walk():
            for name, (kinds, test, better) in rules.items():
                if isinstance(node, kinds) and test(node):
                    found.append(Refusal(_line(node), name, better))
    for node in query.find_all(exp.Func, exp.Binary):
        if _is_untried(node) and _name(node) not in FUNCTIONS:
            found.append(Refusal(_line(node), f"{_name(node)}()", UNTRIED))
    return sorted(set(found))


def typed(query: exp.Expr, schema: MappingSchema) -> exp.Expr:
    """The query with the type of each of its expressions."""
    query = qualify(
        query.copy(), schema=schema, dialect="duckdb", db="main", validate_qualify_columns=False
    )
    return annotate_types(query, schema=schema, dialect="duckdb")


def _name(node: exp.Expr) -> str:
    return (
        node.name.lower()
        if isinstance(node, exp.Anonymous)
        else node.sql_name().lower()
        if isinstance(node, exp.Func)
        else node.key
    )


def refused_functions(sql: str) -> list[Refusal]:
    """The calls of FUNCTIONS, which sqlglot may know under another name."""
    found = []
    tokens = sqlglot.tokenize(sql, dialect="duckdb")
    for token, bracket, first in zip(tokens, tokens[1:], tokens[2:], strict=False):
        name = token.text.lower()
        is_call = bracket.token_type == TokenType.L_PAREN and token.token_type != TokenType.STRING
        is_in_seconds = name == "epoch" and first.text.lower() == "date_trunc"
        if name in FUNCTIONS and is_call and not is_in_seconds:
            found.append(Refusal(token.line, f"{name}()", FUNCTIONS[name]))
        elif name in ("~", "!~", "~~~"):
            found.append(Refusal(token.line, name, "regexp_matches(a, '^(b)$')"))
    return found


def _line(node: exp.Expr) -> int:
    """Where a node begins, or the nearest node around it that is known to begin somewhere."""
    while True:
        lines = [found.meta["line"] for found in node.walk() if "line" in found.meta]
        if lines or node.parent is None:
            return min(lines, default=1)
        node = node.parent
