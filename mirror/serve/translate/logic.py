"""Comparisons, tests and their combinations: 1, 0 or NULL, by MySQL's rules of what meets what.

Texts compare without case, accents and last spaces; a text meets a number as a number, and a
date as a date; bytes compare as bytes.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from types import NoneType
from typing import Any, NamedTuple

from sqlglot import exp

from mirror.serve.answers import Refusal, Type
from mirror.serve.translate import literals
from mirror.serve.translate.documents import without_quotes
from mirror.serve.translate.lists import Constants, Row
from mirror.serve.translate.rules import as_is, function, operator, special, unwrapped
from mirror.serve.translate.scope import Context
from mirror.serve.translate.typed import (
    BYTES,
    DOUBLE,
    INTEGER,
    LONGEST_TIME,
    MOMENTS,
    MOST_EXACT,
    NUMBERS,
    TEXTS,
    Typed,
    collated,
    combined,
    condition,
    constant,
    double,
    flag,
    letters,
    moment,
    number,
    octets,
    refuse,
    settled,
    span,
    text,
    together,
)

SIGNS: dict[type[exp.Expr], str] = {
    exp.EQ: "=",
    exp.NEQ: "<>",
    exp.LT: "<",
    exp.LTE: "<=",
    exp.GT: ">",
    exp.GTE: ">=",
}
MIRRORED = {"=": "=", "<>": "<>", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
# digits that DOUBLE does not hold, where MySQL compares a text with an integer to the last one
LONG = re.compile(r"\d{16}")
# from so many alternatives on, DuckDB joins faster than it compares
MANY_KEYS = 20
SEPARATOR = "\x1f"
# to MySQL a text that is no date lies before all dates
NO_DATE = datetime(1, 1, 1)


def comparable(a: Typed, b: Typed) -> tuple[str, str]:
    """Write two expressions in the one form in which MySQL compares them."""
    kinds = {a.kind, b.kind}
    if "blob" in kinds:
        raise refuse(a if a.kind == "blob" else b, "a comparison")
    if "null" in kinds:
        return ("null", "null")
    if kinds <= set(BYTES):
        return _bytes(a, b)
    if kinds & set(BYTES):
        if kinds <= {*BYTES, *TEXTS}:
            return _bytes_and_text(a, b)
        return _with_bytes(a, b)
    if kinds <= set(TEXTS):
        if a.type.is_exact or b.type.is_exact:
            return letters(a), letters(b)
        if a.kind == b.kind == "enum" and a.type == b.type:
            return a.sql, b.sql
        return collated(a), collated(b)
    if "time" in kinds and kinds <= {"time", *TEXTS}:
        return _span(a), _span(b)
    if kinds & set(MOMENTS) and kinds <= {*MOMENTS, *TEXTS}:
        if kinds == {"date"}:
            return a.sql, b.sql
        return _moment(a), _moment(b)
    if kinds & set(MOMENTS) and "time" in kinds:
        return moment(a), moment(b)
    if kinds <= {"integer", "decimal"}:
        return _plain_number(a), _plain_number(b)
    if kinds & {*MOMENTS, "time"}:
        return _time_and_number(a, b)
    for one, other in ((a, b), (b, a)):
        if one.kind == "integer" and isinstance(other.value, str) and LONG.search(other.value):
            raise refuse(other, "an integer of so many digits, unless without quotes")
    return double(a), double(b)


def _bytes(a: Typed, b: Typed) -> tuple[str, str]:
    if a.kind == b.kind == "uuid":
        return a.sql, b.sql
    for uuid, other, turned in ((a, b, False), (b, a, True)):
        if uuid.kind == "uuid" and isinstance(other.value, bytes) and len(other.value) == 16:
            pair = (uuid.sql, f"'{other.value.hex()}'::uuid")
            return pair[::-1] if turned else pair
    return octets(a), octets(b)


def _bytes_and_text(a: Typed, b: Typed) -> tuple[str, str]:
    """Bytes compare as bytes, but for a constant X'...', which is a text beside columns."""
    for one, other, turned in ((a, b, False), (b, a, True)):
        if isinstance(one.value, bytes) and other.value is None:
            written = one.value.decode("utf-8", "surrogateescape")
            if written.isascii():
                pair = collated(constant(written)), collated(other)
                return pair[::-1] if turned else pair
    return octets(a), octets(b)


def _with_bytes(a: Typed, b: Typed) -> tuple[str, str]:
    """A uuid against a number, a date or a time: to MySQL it is a text, and no date or time."""
    uuid, other = (a, b) if a.kind in BYTES else (b, a)
    if uuid.kind != "uuid":
        raise refuse(uuid, "a number")
    if other.kind in NUMBERS:
        sql = f"leading_number_of_bytes({octets(uuid)})"
        pair = (sql, double(other))
    else:
        nothing = "0" if other.kind == "time" else f"timestamp '{NO_DATE}'"
        sql = f"case when {uuid.sql} is not null then {nothing} end"
        pair = (sql, span(other) if other.kind == "time" else _moment(other))
    return pair if uuid is a else pair[::-1]


def _time_and_number(a: Typed, b: Typed) -> tuple[str, str]:
    """A date or a time against a number, which is read as one."""
    timed, other = (b, a) if a.kind in NUMBERS else (a, b)
    if not isinstance(other.value, int) or (
        timed.kind == "time" and abs(other.value) > LONGEST_TIME
    ):
        raise refuse(other, f"a {timed.kind}")
    if timed.kind in MOMENTS and literals.moment(str(other.value)):
        pair = _moment(timed), moment(other)
    else:
        pair = number(timed), number(other)
    return pair if timed is a else pair[::-1]


def _span(operand: Typed) -> str:
    """A time; to MySQL a text that is none is 00:00:00."""
    if operand.kind in TEXTS:
        if operand.value is not None:
            return str(literals.span(str(operand.value)) or 0)
        return f"case when {text(operand)} is not null then coalesce({span(operand)}, 0) end"
    return span(operand)


def _moment(operand: Typed) -> str:
    if operand.kind == "date":
        # an untouched column lets DuckDB skip what its statistics rule out
        return operand.sql
    if operand.kind in TEXTS:
        if isinstance(operand.value, str):
            return f"timestamp '{_moment_of(operand.value)}'"
        known = f"coalesce({moment(operand)}, timestamp '{NO_DATE}')"
        return f"case when {text(operand)} is not null then {known} end"
    return moment(operand)


def _moment_of(value: str) -> datetime:
    return literals.moment(value) or literals.eve(value) or NO_DATE


def _plain_number(operand: Typed) -> str:
    # the hidden digits of a quotient do not count
    return number(operand) if operand.held == "boolean" else settled(operand).sql


def compared(a: Typed, b: Typed, sign: str) -> Typed:
    """a = b, a < b, ..."""
    for one, other, its_sign in ((a, b, sign), (b, a, MIRRORED[sign])):
        is_member = one.kind == "enum" and isinstance(other.value, str) and not other.type.is_exact
        if is_member and its_sign in ("=", "<>"):
            return _enum_member(one, str(other.value), its_sign)
    left, right = _sortable(a, b, sign)
    return flag(f"({left} {sign} {right})", a.is_nullable or b.is_nullable)


def _sortable(a: Typed, b: Typed, sign: str) -> tuple[str, str]:
    """The form in which two are compared by a sign: members of an enum, as texts."""
    if sign not in ("=", "<>") and a.kind == b.kind == "enum":
        return collated(a), collated(b)
    return comparable(a, b)


def _enum_member(enum: Typed, wanted: str, sign: str) -> Typed:
    """Compare with the member that the text is, so that DuckDB compares small integers."""
    folded = wanted.rstrip(" ").upper()
    if not wanted.isascii() or not all(member.isascii() for member in enum.type.members):
        return flag(f"({collated(enum)} {sign} {collated(_text_of(wanted))})")
    for member in enum.type.members:
        if member.rstrip(" ").upper() == folded:
            return flag(f"({enum.sql} {sign} {literals.quoted_text(member)})", enum.is_nullable)
    is_other = "true" if sign == "<>" else "false"
    return flag(f"(case when {enum.sql} is not null then {is_other} end)", enum.is_nullable)


def _text_of(value: str) -> Typed:
    return Typed(literals.quoted_text(value), INTEGER, value=value)


@operator(*SIGNS)
def comparison(node: exp.Expr, context: Context) -> Typed:
    left, right = unwrapped(node.this), unwrapped(node.expression)
    if isinstance(left, exp.Tuple) and isinstance(right, exp.Tuple):
        return _rows_compared(left, right, SIGNS[type(node)], context)
    if isinstance(right, exp.All | exp.Any):
        return _quantified(context.typed(left), SIGNS[type(node)], right, context)
    return compared(*without_quotes(*context.both(node)), SIGNS[type(node)])


def _quantified(operand: Typed, sign: str, node: exp.All | exp.Any, context: Context) -> Typed:
    """x > ALL (select ...), x = ANY (select ...)."""
    relation = context.query(node.this, context)
    if len(relation.columns) != 1:
        raise _not_so_many(1)
    [(_, column)] = relation.columns
    left, right = _sortable(operand, replace(column, sql="c0", value=None), sign)
    rows = f"select {right} from ({relation.sql}) as q(c0)"
    return flag(f"({left} {sign} {node.key} ({rows}))")


def _rows_compared(a: exp.Tuple, b: exp.Tuple, sign: str, context: Context) -> Typed:
    if sign not in ("=", "<>"):
        raise _not_so_many(len(a.expressions))
    same = _same(list(map(context.typed, a.expressions)), list(map(context.typed, b.expressions)))
    return flag(same if sign == "=" else f"(not {same})")


def _same(a: Sequence[Typed], b: Sequence[Typed]) -> str:
    """Whether all of a row are equal."""
    if len(a) != len(b):
        raise _not_so_many(len(a))
    parts = [compared(one, other, "=").sql for one, other in zip(a, b, strict=True)]
    return parts[0] if len(parts) == 1 else f"({' and '.join(parts)})"


def _not_so_many(wanted: int) -> Refusal:
    return Refusal(1241, "21000", f"Operand should contain {wanted} column(s)")


@operator(exp.NullSafeEQ)
def null_safe_equal(node: exp.Expr, context: Context) -> Typed:
    a, b = without_quotes(*context.both(node))
    if "null" in (a.kind, b.kind):
        return flag(f"({(b if a.kind == 'null' else a).sql} is null)", False)
    left, right = comparable(a, b)
    return flag(f"({left} is not distinct from {right})", False)


@operator(exp.Between)
def between(node: exp.Expr, context: Context) -> Typed:
    x, low, high = (context.typed(node.args[name]) for name in ("this", "low", "high"))
    above, below = compared(x, low, ">="), compared(x, high, "<=")
    return flag(f"({above.sql} and {below.sql})")


@operator(exp.In)
def in_list(node: exp.In, context: Context) -> Typed:
    if node.args.get("unnest") or node.args.get("field"):
        raise Refusal(1064, "42000", "You have an error in your SQL syntax near 'IN'")
    left = unwrapped(node.this)
    parts = left.expressions if isinstance(left, exp.Tuple) else [left]
    operands = [context.typed(part) for part in parts]
    if node.args.get("query"):
        return _in_query(operands, node.args["query"], context)
    match node.expressions:
        case [Constants() as listed]:
            known: list[Row] | None = listed.args["rows"]
            rows = []
        case expressions:
            rows = [_row(item, len(operands), context) for item in expressions]
            is_long = len(operands) > 1 and len(rows) >= MANY_KEYS
            known = _constants(rows) if is_long else None
    if known:
        if any(len(row) != len(operands) for row in known):
            raise _not_so_many(len(operands))
        quick = _among(operands, known, context)
        if quick:
            return flag(quick)
        rows = rows or [list(map(constant, row)) for row in known]
    short = _by_form(operands[0], [value for [value] in rows]) if len(operands) == 1 else ""
    return flag(short or f"({' or '.join(_same(operands, row) for row in rows)})")


def _row(node: exp.Expr, width: int, context: Context) -> list[Typed]:
    node = unwrapped(node) if width > 1 else node
    row = [
        context.typed(item)
        for item in (node.expressions if isinstance(node, exp.Tuple) else [node])
    ]
    if len(row) != width:
        raise _not_so_many(width)
    return row


def _constants(rows: Iterable[Iterable[Typed]]) -> list[Row] | None:
    """Rows of constants by their values; None if one of them is anything else."""
    values = [tuple(item.value for item in row) for row in rows if all(map(_is_plain, row))]
    return values if len(values) == len(list(rows)) else None


class Listed(NamedTuple):
    """Many constants in the form in which MySQL compares them with an expression."""

    left: str
    values: str
    # of one of them, {}
    form: str = "{}"


def _among(operands: Sequence[Typed], rows: Sequence[Row], context: Context) -> str:
    """`x in (...)` of many constants, or of rows of such, as a join; empty where it cannot be.

    DuckDB takes minutes to plan thousands of comparisons. Where a row has a NULL, and a column
    may have one, DuckDB's versions do not agree whether rows are unequal or that is unknown.
    """
    is_vague = len(operands) > 1 and any(operand.is_nullable for operand in operands)
    if is_vague and not context.restricts:
        return ""
    of_kinds: dict[tuple[type, ...], list[Row]] = {}
    for row in rows:
        of_kinds.setdefault(tuple(map(type, row)), []).append(row)
    tests = []
    for kinds, alike in of_kinds.items():
        if NoneType in kinds:
            if len(operands) > 1 and not context.restricts:
                return ""
            tests.append("cast(null as boolean)")
            continue
        columns = zip(operands, zip(*alike, strict=True), strict=True)
        listed = [found for x, values in columns if (found := _listed(x, values))]
        if len(listed) < len(operands):
            return ""
        lefts = ", ".join(one.left for one in listed)
        lefts = f"({lefts})" if len(listed) > 1 else lefts
        forms = ", ".join(one.form.format(f"k{place}") for place, one in enumerate(listed))
        lists = ", ".join(f"unnest({one.values}) as k{place}" for place, one in enumerate(listed))
        tests.append(f"{lefts} in (select {forms} from (select {lists}))")
    return f"({' or '.join(tests)})"


def _listed(operand: Typed, values: Sequence[Any]) -> Listed | None:
    """Constants of one type of Python; None where MySQL compares them in no one form."""
    is_number, is_exact = operand.kind in ("integer", "decimal"), operand.type.is_exact
    match values[0]:
        case int() | Decimal() if is_number:
            scale = max(-int(Decimal(value).as_tuple().exponent) for value in values)
            if scale > MOST_EXACT or any(abs(value) >= 10**18 for value in values):
                return None
            kind = f"decimal(30, {scale})" if scale > 0 else "bigint"
            listed = _split(f"{value:f}" for value in map(Decimal, values))
            return Listed(_plain_number(operand), f"cast({listed} as {kind}[])")
        case int() | Decimal() | float() if operand.kind in (*NUMBERS, *TEXTS):
            return Listed(double(operand), f"cast({_split(map(str, values))} as double[])")
        case bytes() if operand.kind == "uuid" and {len(one) for one in values} == {16}:
            return Listed(operand.sql, f"cast({_split(one.hex() for one in values)} as uuid[])")
        case str() if operand.kind in MOMENTS:
            moments = _split(str(_moment_of(value)) for value in values)
            return Listed(_moment(operand), f"cast({moments} as timestamp[])")
        case str() if any(SEPARATOR in value or "\0" in value for value in values):
            # no text of letters holds the separator of units
            return None
        case str() if operand.kind in ("string", "enum") and not is_exact:
            return Listed(collated(operand), _split(values), "collated({})")
        case str() if operand.kind in NUMBERS and not any(map(LONG.search, values)):
            return Listed(double(operand), _split(values), "leading_number({})")
    return None


def _split(texts: Iterable[str]) -> str:
    return f"string_split({literals.quoted_text(SEPARATOR.join(texts))}, chr({ord(SEPARATOR)}))"


def _is_plain(expression: Typed) -> bool:
    """Whether it is a constant that compares as its value in Python does."""
    is_value = isinstance(expression.value, int | Decimal | str | bytes)
    return expression.kind == "null" or (is_value and not expression.type.is_exact)


def _by_form(operand: Typed, values: list[Typed]) -> str:
    """`x in (...)` of values that compare with x in one form, as keys do, or of many in several."""
    if operand.kind == "enum":
        return ""
    forms: dict[str, list[str]] = {}
    for value in values:
        left, right = comparable(operand, value)
        forms.setdefault(left, []).append(right)
    if "null" in forms or (len(forms) > 1 and len(values) < MANY_KEYS):
        return ""
    tests = [f"({left} in ({', '.join(rights)}))" for left, rights in forms.items()]
    return tests[0] if len(tests) == 1 else f"({' or '.join(tests)})"


def _in_query(operands: list[Typed], query: exp.Expr, context: Context) -> Typed:
    relation = context.query(query, context)
    if len(relation.columns) != len(operands):
        raise Refusal(1241, "21000", f"Operand should contain {len(operands)} column(s)")
    names = [f"c{i}" for i in range(len(operands))]
    pairs = [
        comparable(operand, replace(column, sql=name, value=None))
        for operand, (_, column), name in zip(operands, relation.columns, names, strict=True)
    ]
    listed = ", ".join(names)
    if len(operands) == 1:
        [(left, right)] = pairs
        return flag(f"({left} in (select {right} from ({relation.sql}) as q({listed})))")
    is_nullable = any(
        operand.is_nullable or column.is_nullable
        for operand, (_, column) in zip(operands, relation.columns, strict=True)
    )
    equal = [f"{left} = {right}" for left, right in pairs]
    found = f"exists(select 1 from ({relation.sql}) as q({listed}) where {' and '.join(equal)})"
    if not is_nullable:
        return flag(found, False)
    # NULL if no row is equal, and one would be but for its NULLs
    likely = " and ".join(
        f"coalesce({test}, true)" if operand.is_nullable or column.is_nullable else test
        for test, operand, (_, column) in zip(equal, operands, relation.columns, strict=True)
    )
    maybe = f"exists(select 1 from ({relation.sql}) as q({listed}) where {likely})"
    return flag(f"(case when {found} then true when {maybe} then null else false end)")


@operator(exp.Exists)
def exists(node: exp.Exists, context: Context) -> Typed:
    return _exists([node.this], context)


@special("EXISTS")
def _exists(arguments: list[exp.Expr], context: Context) -> Typed:
    if len(arguments) != 1:
        raise Refusal(1064, "42000", "You have an error in your SQL syntax near 'EXISTS'")
    return flag(f"exists({context.query(arguments[0], context).sql})", False)


@operator(exp.Interval)
def interval(node: exp.Interval, context: Context) -> Typed:
    """INTERVAL(x, a, b, ...): how many of a, b, ... x has reached, -1 for NULL."""
    listed = unwrapped(node.this)
    if node.args.get("unit") or not isinstance(listed, exp.Tuple):
        raise Refusal(1064, "42000", "You have an error in your SQL syntax near 'INTERVAL'")
    x, *steps = [double(context.typed(item)) for item in listed.expressions]
    reached = " ".join(f"when {x} < {step} then {place}" for place, step in enumerate(steps))
    return Typed(f"case when {x} is null then -1 {reached} else {len(steps)} end", INTEGER)


@operator(exp.And)
def all_of(node: exp.And, context: Context) -> Typed:
    # as one flat list: a restriction by a thousand keys must not nest a thousand deep
    parts = [context.part(part) for part in node.flatten(unnest=False)]
    return flag(f"({' and '.join(parts)})")


@operator(exp.Or)
def one_of(node: exp.Or, context: Context) -> Typed:
    parts = list(node.flatten(unnest=False))
    keys = _as_keys(parts, context) if len(parts) >= MANY_KEYS else ""
    return flag(keys or f"({' or '.join(map(context.part, parts))})")


def _as_keys(parts: list[exp.Expr], context: Context) -> str:
    """Alternatives that each give one key whole, as DataJoint's lists of keys do: a list of rows.

    Empty where they are anything else.
    """
    columns: dict[str, Typed] = {}
    rows = []
    for part in map(unwrapped, parts):
        row = {}
        tests = part.flatten(unnest=False) if isinstance(part, exp.And) else [part]
        for test in map(unwrapped, tests):
            if not isinstance(test, exp.EQ) or not isinstance(test.this, exp.Column):
                return ""
            column, value = context.both(test)
            if column.sql in row or value.kind == "null" or not _is_plain(value):
                return ""
            columns[column.sql], row[column.sql] = column, value.value
        rows.append(row)
    if any(row.keys() != columns.keys() for row in rows):
        return ""
    keys = [tuple(row[name] for name in columns) for row in rows]
    return _among(list(columns.values()), keys, context)


@operator(exp.Xor)
def only_one(node: exp.Expr, context: Context) -> Typed:
    return flag(f"({context.condition(node.this)} <> {context.condition(node.expression)})")


@operator(exp.Not)
def no(node: exp.Expr, context: Context) -> Typed:
    a = context.typed(node.this)
    return flag(f"(not {condition(a)})", a.is_nullable)


@operator(exp.Is)
def is_(node: exp.Is, context: Context) -> Typed:
    a, wanted = context.typed(node.this), node.expression
    if isinstance(wanted, exp.Null):
        return flag(f"({a.sql} is null)", False)
    if isinstance(wanted, exp.Boolean):
        return flag(f"({condition(a)} is {str(wanted.this).lower()})", False)
    raise Refusal(1064, "42000", "You have an error in your SQL syntax near 'IS'")


@function(as_is, names="ISNULL")
def is_null(a: Typed) -> Typed:
    return flag(f"({a.sql} is null)", False)


@function(as_is, as_is, names="GREATEST")
def greatest(*values: Typed) -> Typed:
    return _extreme("greatest", list(values))


@function(as_is, as_is, names="LEAST")
def least(*values: Typed) -> Typed:
    return _extreme("least", list(values))


def _extreme(name: str, values: list[Typed]) -> Typed:
    """The largest or smallest value, NULL if one of them is."""
    if len(values) < 2:
        raise Refusal(
            1582, "42000", f"Incorrect parameter count in the call to native function '{name}'"
        )
    if any(value.kind == "null" for value in values):
        return Typed("null", combined(values))
    wanted = combined(values)
    some_null = " or ".join(f"{v.sql} is null" for v in values if v.is_nullable) or "false"
    if wanted.kind in ("string", "enum"):
        wanted = Type("string", wanted.length)
        if not all(value.kind in TEXTS for value in values):
            raise refuse(values[0], "GREATEST and LEAST with values of other kinds")
        # of equal ones MySQL takes the first
        step = -1 if name == "greatest" else 1
        ordered = ", ".join(
            f"{{'k': {collated(v)}, 'place': {step * place}, 'v': {text(v)}}}"
            for place, v in enumerate(values, 1)
        )
        return Typed(f"case when not ({some_null}) then {name}({ordered}).v end", wanted)
    if wanted.kind not in ("integer", "decimal", "double", "float", "date", "datetime", "time"):
        raise refuse(values[0], "GREATEST and LEAST")
    forms, wanted, held = together(values)
    if wanted.kind == "float" and not all(value.kind == "float" for value in values):
        wanted = DOUBLE
    if wanted.kind == "double":
        forms = [double(value) for value in values]
    return Typed(f"case when not ({some_null}) then {name}({', '.join(forms)}) end", wanted, held)
