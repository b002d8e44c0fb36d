"""Aggregates, with the types in which MySQL sums and averages."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sqlglot import exp

from mirror.serve.answers import Refusal, Type
from mirror.serve.translate import literals
from mirror.serve.translate.literals import NOT_FIXED
from mirror.serve.translate.numbers import MORE_DIGITS, is_real, precision, quotient, real
from mirror.serve.translate.rules import AGGREGATES, has_aggregate, operator, special
from mirror.serve.translate.scope import Context
from mirror.serve.translate.typed import (
    BYTES,
    DOUBLE,
    LONGEST_DECIMAL,
    Typed,
    collated,
    decimal,
    double,
    integer,
    key,
    number,
    octets,
    ordered,
    refuse,
    settled,
    text,
)

COUNT = Type("integer", 21)
# what group_concat_max_len is unless a client sets it
LONGEST = 1 << 20


def aggregate(*names: str) -> Callable[..., Any]:
    """A rule for an aggregate: is given the argument, 'distinct ' or nothing, and the window that
    follows each of DuckDB's aggregates, if there is one.
    """

    def register(rule: Callable[[Typed, str, str], Typed]) -> Callable[..., Any]:
        AGGREGATES.update(names)

        def apply(arguments: list[exp.Expr], context: Context) -> Typed:
            inner, distinct = _inner(arguments)
            if len(inner) != 1:
                raise Refusal(
                    1064, "42000", f"You have an error in your SQL syntax near '{names[0]}('"
                )
            _check_distinct(distinct, context)
            rows = context.of_arguments()
            value = looked_at(inner[0], rows) if context.over else rows.typed(inner[0])
            return rule(value, distinct, context.over)

        special(*names)(apply)
        return rule

    return register


def looked_at(node: exp.Expr, context: Context) -> Typed:
    """What a window looks at, which MySQL keeps in a table; of groups it keeps the aggregates."""
    is_aggregate = isinstance(node, exp.Anonymous) and str(node.this).upper() in AGGREGATES
    value = context.typed(node)
    return value if has_aggregate(node) and not is_aggregate else settled(value)


def _inner(arguments: list[exp.Expr]) -> tuple[list[exp.Expr], str]:
    if len(arguments) == 1 and isinstance(arguments[0], exp.Distinct):
        return arguments[0].expressions, "distinct "
    return arguments, ""


def _check_distinct(distinct: str, context: Context) -> None:
    if distinct and context.over:
        raise Refusal(1235, "42000", "The mirror takes no DISTINCT in a window, as MySQL does not")


AGGREGATES.add("COUNT")


@special("COUNT")
def count(arguments: list[exp.Expr], context: Context) -> Typed:
    inner, distinct = _inner(arguments)
    _check_distinct(distinct, context)
    if not distinct:
        if len(inner) != 1:
            raise Refusal(1064, "42000", "You have an error in your SQL syntax near 'count('")
        if isinstance(inner[0], exp.Star):
            return Typed(f"count(*){context.over}", COUNT, "", False)
        counted = context.of_arguments().typed(inner[0]).sql
        return Typed(f"count({counted}){context.over}", COUNT, "", False)
    values = [context.of_rows().typed(item) for item in inner]
    keys = [key(value) for value in values]
    if len(keys) == 1:
        return Typed(f"count(distinct {keys[0]})", COUNT, "", False)
    row = f"({', '.join(keys)})"
    known = [value for value in values if value.is_nullable]
    if known:
        tests = " and ".join(f"{value.sql} is not null" for value in known)
        row = f"case when {tests} then {row} end"
    return Typed(f"count(distinct {row})", COUNT, "", False)


@aggregate("SUM")
def sum_(a: Typed, distinct: str, over: str) -> Typed:
    return sum_of(a, distinct, over)


def sum_of(a: Typed, distinct: str, over: str) -> Typed:
    if is_real(a):
        return Typed(f"sum({distinct}{double(a)}){over}", real(a.decimals))
    digits, scale = precision(a)
    kind = decimal(min(digits + 22, LONGEST_DECIMAL), scale)
    if a.held == "double":
        return Typed(f"sum({distinct}{double(a)}){over}", kind, "double")
    if a.kind == "decimal":
        exactly = f"cast({number(a)} as decimal({LONGEST_DECIMAL}, {scale}))"
        return Typed(f"sum({distinct}{exactly}){over}", kind)
    return Typed(f"sum({distinct}{number(a)}){over}", kind)


@aggregate("AVG")
def avg(a: Typed, distinct: str, over: str) -> Typed:
    if is_real(a):
        shown = a.decimals
        return Typed(
            f"avg({distinct}{double(a)}){over}",
            real(shown if shown >= NOT_FIXED else shown + MORE_DIGITS),
        )
    digits, scale = precision(a)
    # MariaDB keeps of an average twice the digits that it keeps of another quotient
    total = sum_of(a, distinct, over)
    total = replace(total, sql=double(total), held="double")
    number_of = Typed(f"count({distinct}{a.sql}){over}", COUNT)
    return Typed(
        quotient(total, number_of, scale + MORE_DIGITS),
        decimal(min(digits + MORE_DIGITS, LONGEST_DECIMAL), scale + MORE_DIGITS),
        "double",
    )


def _spread(duckdb: str, *names: str) -> None:
    def rule(a: Typed, distinct: str, over: str) -> Typed:
        if distinct:
            raise Refusal(1064, "42000", "You have an error in your SQL syntax near 'DISTINCT'")
        fixed = a.decimals if is_real(a) else (precision(a)[1])
        shown = fixed if fixed >= NOT_FIXED else fixed + MORE_DIGITS
        return Typed(f"{duckdb}({double(a)}){over}", real(shown))

    aggregate(*names)(rule)


_spread("stddev_pop", "STD", "STDDEV", "STDDEV_POP")
_spread("stddev_samp", "STDDEV_SAMP")
_spread("var_pop", "VARIANCE", "VAR_POP")
_spread("var_samp", "VAR_SAMP")


@aggregate("MIN")
def min_(a: Typed, distinct: str, over: str) -> Typed:
    return _extreme("min", a, over)


@aggregate("MAX")
def max_(a: Typed, distinct: str, over: str) -> Typed:
    return _extreme("max", a, over)


def _extreme(name: str, a: Typed, over: str) -> Typed:
    if a.kind == "blob":
        raise refuse(a, name.upper())
    if a.kind == "enum" or a.kind == "string":
        kind = Type("string", a.type.length) if a.kind == "enum" else a.type
        return Typed(f"arg_{name}({text(a)}, {collated(a)}){over}", kind)
    if a.held == "boolean":
        return Typed(f"{name}({number(a)}){over}", a.type)
    if a.kind == "float" and not a.is_stored:
        # MySQL keeps to six digits only what a table holds
        return Typed(f"{name}({double(a)}){over}", DOUBLE)
    return Typed(f"{name}({a.sql}){over}", a.type, a.held)


def _bits(duckdb: str, name: str, of_nothing: str) -> None:
    def rule(a: Typed, distinct: str, over: str) -> Typed:
        joined = f"{duckdb}(cast(to_unsigned({integer(a)}) as ubigint)){over}"
        return Typed(f"coalesce({joined}, {of_nothing})", Type("integer", 21, unsigned=True))

    aggregate(name)(rule)


_bits("bit_or", "BIT_OR", "0")
_bits("bit_xor", "BIT_XOR", "0")
_bits("bit_and", "BIT_AND", "18446744073709551615")


@aggregate("ANY_VALUE")
def any_value(a: Typed, distinct: str, over: str) -> Typed:
    return Typed(f"first({a.sql}){over}", a.type, a.held)


AGGREGATES.add("GROUP_CONCAT")


@operator(exp.GroupConcat)
def group_concat(node: exp.GroupConcat, context: Context) -> Typed:
    inner, rows = node.this, context.of_rows()
    separator = node.args.get("separator")
    between = literals.quoted_text(str(separator.this) if separator is not None else ",")
    order: list[exp.Ordered] = []
    if isinstance(inner, exp.Order):
        order, inner = inner.expressions, inner.this
    is_distinct = isinstance(inner, exp.Distinct)
    if is_distinct:
        inner = inner.expressions[0] if len(inner.expressions) == 1 else inner
    # several arguments are one text, joined
    parts = inner.expressions if isinstance(inner, exp.Concat) else [inner]
    values = [rows.typed(part) for part in parts]
    keys = [_sorted_by(item.this, values, rows) for item in order]
    descents = [bool(item.args.get("desc")) for item in order]
    most = int(str(context.session.get("group_concat_max_len", LONGEST)))
    if is_distinct:
        listed = _distinct_texts(values, keys, any(descents))
        return _concatenated(f"array_to_string({listed}{_kept(node)}, {between})", most)
    sorting = f" order by {', '.join(map(ordered, keys, descents))}" if keys else ""
    if any(value.kind in BYTES for value in values):
        whole = " || ".join(map(octets, values))
        joined = _joined(f"hex({whole})", f"hex(encode({between}))", sorting, _kept(node))
        bytes_of_all = f"unhex({joined})"
        cut = f"{bytes_of_all}[1:{most}]" if most < LONGEST else bytes_of_all
        return Typed(cut, Type("binary", most))
    written = " || ".join(map(text, values))
    return _concatenated(_joined(written, between, sorting, _kept(node)), most)


def _joined(written: str, between: str, sorting: str, kept: str) -> str:
    """The texts of a group in one, or of those in order the ones that are kept."""
    if not kept:
        return f"string_agg({written}, {between}{sorting})"
    listed = f"(list({written}{sorting}) filter (({written}) is not null))"
    return f"array_to_string({listed}{kept}, {between})"


def _kept(node: exp.GroupConcat) -> str:
    """The LIMIT of a GROUP_CONCAT, as the places in a list of DuckDB's."""
    limit, offset = node.args.get("limit"), node.args.get("offset")
    if limit is None:
        return ""
    bounds = (limit.args.get("offset") or (offset and offset.expression), limit.expression)
    skipped, most = (0 if bound is None else _whole(bound) for bound in bounds)
    return f"[{skipped + 1}:{skipped + most}]"


def _whole(node: exp.Expr) -> int:
    if not isinstance(node, exp.Literal) or not str(node.this).isdigit():
        raise Refusal(1064, "42000", "You have an error in your SQL syntax near 'LIMIT'")
    # MySQL's way of saying "all the rest" is beyond what DuckDB counts to
    return min(int(node.this), 2**61)


def _concatenated(joined: str, most: int) -> Typed:
    """A text of so many bytes at most, where a client has asked for fewer than there may be."""
    cut = f"first_bytes({joined}, {most})" if most < LONGEST else joined
    return Typed(cut, Type("string", most))


def _sorted_by(node: exp.Expr, values: list[Typed], rows: Context) -> Typed:
    """A key of GROUP_CONCAT's ORDER BY; a bare number names an argument by its place."""
    if not isinstance(node, exp.Literal) or node.is_string:
        return rows.typed(node)
    if not str(node.this).isdigit() or not 1 <= int(node.this) <= len(values):
        raise Refusal(1054, "42S22", f"Unknown column '{node.this}' in 'order clause'")
    return values[int(node.this) - 1]


def _distinct_texts(values: list[Typed], keys: list[Typed], descends: bool) -> str:
    """The list of GROUP_CONCAT(DISTINCT x) in its order: DuckDB sorts them by themselves."""
    if len(values) > 1 or (keys and [key(item) for item in keys] != [key(values[0])]):
        raise Refusal(1235, "42000", "The mirror orders GROUP_CONCAT(DISTINCT x) only by x itself")
    [x] = values
    way = "desc" if descends else "asc"
    pair = f"{{'k': {key(x)}, 'v': {text(x)}}}"
    # of a constant there is no order
    way = f" order by {key(x)} {way}" if x.value is None else ""
    listed = f"list({pair}{way}) filter ({x.sql} is not null)"
    return f"distinct_texts({listed})"
