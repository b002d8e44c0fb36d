"""Choices between values, whose common type MySQL works out, and casts."""

from collections.abc import Sequence

from sqlglot import exp

from mirror.serve.answers import Refusal, Type
from mirror.serve.translate.dialect import shown
from mirror.serve.translate.documents import without_quotes
from mirror.serve.translate.logic import compared
from mirror.serve.translate.rules import as_is, function, operator
from mirror.serve.translate.scope import Context
from mirror.serve.translate.strings import in_charset
from mirror.serve.translate.times import cut
from mirror.serve.translate.typed import (
    BYTES,
    DIGITS_OF_DOUBLE,
    DOUBLE,
    INTEGER,
    LONGEST_DECIMAL,
    STRING,
    TEXTS,
    Typed,
    constant,
    day,
    decimal,
    double,
    integer,
    moment,
    moment_type,
    number,
    octets,
    span,
    span_type,
    text,
    together,
    unrounded,
)

# of a DECIMAL
MOST_DIGITS, LARGEST_SCALE = 65, 38


@operator(exp.Paren)
def parenthesis(node: exp.Paren, context: Context) -> Typed:
    return context.typed(node.this)


@operator(exp.If)
def if_(node: exp.If, context: Context) -> Typed:
    branches = [node.args["true"], node.args.get("false")]
    if branches[1] is None:
        raise Refusal(
            1582, "42000", "Incorrect parameter count in the call to native function 'IF'"
        )
    test = context.condition(node.this)
    values = [context.typed(branch) for branch in branches]
    (yes, otherwise), kind, held = together(values, null_counts=False)
    return Typed(f"case when {test} then {yes} else {otherwise} end", kind, held)


@operator(exp.Case)
def case(node: exp.Case, context: Context) -> Typed:
    branches = node.args["ifs"]
    if node.this is None:
        tests = [context.condition(branch.this) for branch in branches]
    else:
        tested = context.typed(node.this)
        tests = [compared(tested, context.typed(branch.this), "=").sql for branch in branches]
    default = node.args.get("default")
    values = [context.typed(branch.args["true"]) for branch in branches]
    has_null = any(value.kind == "null" for value in values)
    values.append(context.typed(default) if default is not None else constant(None))
    (*chosen, otherwise), kind, held = together(values, null_counts=has_null or default is not None)
    whens = " ".join(f"when {test} then {value}" for test, value in zip(tests, chosen, strict=True))
    return Typed(f"case {whens} else {otherwise} end", kind, held)


@function(as_is, as_is)
def coalesce(*values: Typed) -> Typed:
    return _first_known(values)


@function(as_is, as_is)
def ifnull(a: Typed, b: Typed) -> Typed:
    return _first_known((a, b))


def _first_known(values: Sequence[Typed]) -> Typed:
    forms, kind, held = together(list(values))
    return Typed(
        f"coalesce({', '.join(forms)})", kind, held, all(value.is_nullable for value in values)
    )


@function(as_is, as_is)
def nullif(a: Typed, b: Typed) -> Typed:
    same = compared(*without_quotes(a, b), "=").sql
    kind = Type("string", a.type.length) if a.kind == "enum" else a.type
    value = text(a) if a.kind == "enum" else a.sql
    return Typed(f"case when {same} then null else {value} end", kind, a.held)


@operator(exp.Cast)
def cast(node: exp.Cast, context: Context) -> Typed:
    a, wanted = context.typed(node.this), node.to
    size = [int(part.name) for part in wanted.expressions if part.name.isdigit()]
    match wanted.this:
        case exp.DType.BIGINT | exp.DType.INT:
            return Typed(_whole(a), INTEGER)
        case exp.DType.UBIGINT | exp.DType.UINT:
            whole = _whole(a)
            if a.kind in ("decimal", "double", "float", "time"):
                # integers and texts wrap around
                whole = f"at_least_0({whole})"
            return Typed(f"to_unsigned({whole})", Type("integer", 20, unsigned=True))
        case exp.DType.DECIMAL:
            digits, scale = (*size, 10, 0)[:2] if size else (10, 0)
            if len(size) == 1:
                scale = 0
            return Typed(_to_decimal(a, digits, scale), decimal(digits, scale))
        case exp.DType.DOUBLE | exp.DType.FLOAT:
            if wanted.this == exp.DType.FLOAT:
                return Typed(f"cast({double(a)} as float)", Type("float", 12))
            return Typed(double(a), DOUBLE)
        case exp.DType.CHAR | exp.DType.VARCHAR | exp.DType.NCHAR | exp.DType.TEXT:
            return Typed(f"left({text(a)}, {size[0]})" if size else text(a), STRING)
        case exp.DType.CHARACTER_SET:
            converted = in_charset(a, wanted.args["kind"].name.lower())
            return Typed(f"left({converted.sql}, {size[0]})", STRING) if size else converted
        case exp.DType.BINARY | exp.DType.VARBINARY:
            if not size:
                return Typed(octets(a), Type("binary", a.type.length))
            return Typed(_filled(a, size[0]), Type("binary", size[0]))
        case exp.DType.DATE:
            return Typed(day(a), Type("date", 10))
        case exp.DType.DATETIME | exp.DType.TIMESTAMP:
            digits = size[0] if size else 0
            return Typed(cut(moment(a), digits), moment_type(digits))
        case exp.DType.TIME:
            digits = size[0] if size else 0
            step = 10 ** (6 - digits)
            return Typed(f"({span(a)} // {step} * {step})", span_type(digits))
    raise Refusal(1235, "42000", f"The mirror does not cast to {shown(wanted)}")


def _to_decimal(a: Typed, digits: int, scale: int) -> str:
    """CAST(... AS DECIMAL), which stops at the largest number of so many digits."""
    _check_digits(digits, scale)
    held = f"decimal({LONGEST_DECIMAL}, {scale})"
    if a.kind == "string":
        value = double(a)
        written = f"coalesce(leading_digits({a.sql}), '0')"
        rounded = f"case when {a.sql} is not null then cast({written} as {held}) end"
    elif a.kind in TEXTS or a.kind in ("double", "float"):
        value = double(a)
        # what has too many digits to be rounded by numbers is rounded, slowly, by its text
        rounded = (
            f"case when abs({value}) < 1e{DIGITS_OF_DOUBLE - scale}"
            f" then cast(half_up({value}, 1e{scale}) as {held})"
            f" else cast(cast({value} as varchar) as {held}) end"
        )
    else:
        value = unrounded(a, scale)
        rounded = f"cast({value} as {held})"
    if digits > LONGEST_DECIMAL:
        return rounded
    largest = "9" * (digits - scale) + ("." + "9" * scale if scale else "")
    return (
        f"case when {value} > {largest} then {largest}"
        f" when {value} < -{largest} then -{largest} else {rounded} end"
    )


def _check_digits(digits: int, scale: int) -> None:
    if scale > LARGEST_SCALE:
        raise Refusal(
            1425, "42000", f"Too big scale {scale} specified. Maximum is {LARGEST_SCALE}."
        )
    if digits > MOST_DIGITS:
        raise Refusal(
            1426, "42000", f"Too big precision {digits} specified. Maximum is {MOST_DIGITS}."
        )
    if scale > digits:
        raise Refusal(1427, "42000", "For decimal(M,D), M must be >= D")


def _filled(a: Typed, length: int) -> str:
    """CAST(... AS BINARY(n)): so many bytes, or the bytes of so many letters."""
    if a.kind in BYTES:
        cut = f"unhex(left(hex({octets(a)}), {2 * length}))"
    else:
        held = a.held if a.kind == "string" else ""
        cut = octets(Typed(f"left({text(a)}, {length})", STRING, held))
    return f"zero_filled(room({cut}, {length}), {length})"


def _whole(a: Typed) -> str:
    if a.kind in ("datetime", "time") and a.type.decimals:
        return f"cast(trunc({number(a)}) as bigint)"
    return integer(a)
