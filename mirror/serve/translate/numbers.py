"""Arithmetic and the functions of numbers, with MySQL's decimals.

Integers and decimals stay exact; a quotient of them is a decimal with four more digits than the
dividend, of which MySQL keeps more than it shows, so that it is held as DOUBLE until it is rounded
or leaves.
"""

from dataclasses import replace
from decimal import Decimal

from sqlglot import exp

from mirror.serve.answers import Type
from mirror.serve.translate.literals import NOT_FIXED
from mirror.serve.translate.rules import as_is, function, operator
from mirror.serve.translate.scope import Context
from mirror.serve.translate.typed import (
    DOUBLE,
    INTEGER,
    LONGEST_DECIMAL,
    MOMENTS,
    Typed,
    constant,
    decimal,
    double,
    integer,
    number,
    refuse,
    text,
    unrounded,
)

MORE_DIGITS = 4
# in which MySQL holds decimals
DIGITS_OF_A_WORD = 9
LENGTH_OF_BIGINT = 20
# of a DOUBLE, about
LARGEST_EXPONENT = 300
TIMES = (*MOMENTS, "time")


def is_real(*operands: Typed) -> bool:
    """Whether MySQL computes in DOUBLE: one of the operands is a float, or a text."""
    return any(item.kind in ("double", "float", "string", "json") for item in operands)


def real(decimals: int) -> Type:
    """A DOUBLE that shows so many decimals, or all it has."""
    return DOUBLE if decimals >= NOT_FIXED else Type("double", 23, decimals)


def precision(operand: Typed) -> tuple[int, int]:
    """Digits in all, and behind the point."""
    if operand.kind in ("integer", "decimal"):
        return max(operand.type.length, 1), operand.type.decimals or 0
    return 20, operand.type.decimals or 0


def _is_unsigned(a: Typed, b: Typed) -> bool:
    return a.type.unsigned or b.type.unsigned


def _is_integer(operand: Typed) -> bool:
    return operand.kind in ("integer", "enum", "null") or (
        operand.kind in ("date", "datetime", "time") and not operand.type.decimals
    )


def _arithmetic(a: Typed, b: Typed, sign: str, digits: int, scale: int, shown: int) -> Typed:
    """The sum, difference or product of two numbers."""
    if is_real(a, b):
        return Typed(f"({double(a)} {sign} {double(b)})", real(shown))
    if _is_integer(a) and _is_integer(b):
        sql = f"{number(a)} {sign} {number(b)}"
        if _is_unsigned(a, b):
            return Typed(f"unsigned({sql})", Type("integer", 20, unsigned=True))
        are_constants = isinstance(a.value, int) and isinstance(b.value, int)
        return Typed(f"({sql})", Type("integer", digits) if are_constants else INTEGER)
    if digits > LONGEST_DECIMAL or "double" in (a.held, b.held):
        sql = f"({double(a)} {sign} {double(b)})"
        return Typed(sql, decimal(min(digits, LONGEST_DECIMAL), scale), "double")
    return Typed(f"({_exactly(a)} {sign} {_exactly(b)})", decimal(digits, scale))


def _exactly(operand: Typed) -> str:
    digits, scale = precision(operand)
    if isinstance(operand.value, Decimal) or (operand.kind in TIMES and scale):
        return number(operand)
    is_plain = operand.kind in ("integer", "decimal") and operand.held != "boolean"
    value = operand.sql if is_plain else number(operand)
    return f"cast({value} as decimal({min(digits, LONGEST_DECIMAL)}, {scale}))"


def added(a: Typed, b: Typed, sign: str) -> Typed:
    """a + b or a - b."""
    (digits_a, scale_a), (digits_b, scale_b) = precision(a), precision(b)
    scale = max(scale_a, scale_b)
    digits = max(digits_a - scale_a, digits_b - scale_b) + scale + 1
    return _arithmetic(a, b, sign, digits, scale, max(a.decimals, b.decimals))


@operator(exp.Mul)
def multiplied(node: exp.Expr, context: Context) -> Typed:
    a, b = context.both(node)
    (digits_a, scale_a), (digits_b, scale_b) = precision(a), precision(b)
    shown = max(a.decimals, b.decimals)
    return _arithmetic(a, b, "*", digits_a + digits_b, scale_a + scale_b, shown)


def _divisible(node: exp.Expr, context: Context) -> tuple[Typed, Typed]:
    a, b = context.both(node)
    for one in (a, b):
        if one.kind in TIMES and one.type.decimals:
            raise refuse(one, "a number to divide")
    return a, b


@operator(exp.Div)
def divided(node: exp.Expr, context: Context) -> Typed:
    a, b = _divisible(node, context)
    if is_real(a, b):
        sql = f"({double(a)} / nullif({double(b)}, 0))"
        shown = max(a.decimals, b.decimals)
        return Typed(sql, real(shown if shown >= NOT_FIXED else shown + MORE_DIGITS))
    digits, scale = precision(a)
    kind = decimal(digits + MORE_DIGITS, scale + MORE_DIGITS)
    return Typed(quotient(a, b, scale + MORE_DIGITS), kind, "double")


def quotient(a: Typed, b: Typed, shown: int) -> str:
    """a / b with the digits that MySQL keeps of it: nine, or more than DOUBLE has."""
    scales = [precision(operand)[1] for operand in (a, b)]
    filled = sum(-scale % DIGITS_OF_A_WORD for scale in scales)
    kept = sum(scales) + max(filled, MORE_DIGITS)
    is_cut = "double" not in (a.held, b.held) and kept <= DIGITS_OF_A_WORD
    return f"{'quotient' if is_cut else 'finer_quotient'}({double(a)}, {double(b)}, {shown})"


@operator(exp.IntDiv)
def divided_whole(node: exp.Expr, context: Context) -> Typed:
    a, b = _divisible(node, context)
    if _is_integer(a) and _is_integer(b):
        sql = f"{number(a)} // nullif({number(b)}, 0)"
        if _is_unsigned(a, b):
            return Typed(f"unsigned({sql})", Type("integer", 20, unsigned=True))
        return Typed(f"({sql})", INTEGER)
    return Typed(f"whole_quotient({double(a)}, {double(b)})", INTEGER)


@operator(exp.Mod)
def remainder(node: exp.Expr, context: Context) -> Typed:
    return _remainder(*context.both(node))


@function(as_is, as_is, names="MOD")
def _remainder(a: Typed, b: Typed) -> Typed:
    if is_real(a, b):
        return Typed(f"({double(a)} % nullif({double(b)}, 0))", real(max(a.decimals, b.decimals)))
    if _is_integer(a) and _is_integer(b):
        return Typed(f"({number(a)} % nullif({number(b)}, 0))", _whole(a))
    scale = max(precision(a)[1], precision(b)[1])
    if "double" in (a.held, b.held):
        kind = decimal(max(precision(a)[0], precision(b)[0]), scale)
        return Typed(f"({double(a)} % nullif({double(b)}, 0))", kind, "double")
    held = f"decimal({LONGEST_DECIMAL}, {scale})"
    return Typed(
        f"(cast({number(a)} as {held}) % nullif(cast({number(b)} as {held}), 0))",
        decimal(max(precision(a)[0], precision(b)[0]), scale),
    )


@operator(exp.Neg)
def negated(node: exp.Expr, context: Context) -> Typed:
    a = context.typed(node.this)
    if a.kind == "integer" and isinstance(a.value, int):
        if a.value > 2**63:
            kind = decimal(a.type.length, 0)
            return Typed(f"cast(-{a.value} as decimal(38, 0))", kind, "", False)
        return replace(constant(-a.value), type=Type("integer", a.type.length + 1))
    if is_real(a):
        return Typed(f"(-{double(a)})", real(a.decimals))
    if a.kind == "decimal":
        return Typed(f"(-{a.sql})", a.type, a.held)
    if a.kind in TIMES:
        return Typed(f"(-{number(a)})", _decimal_of(a))
    if a.type.unsigned:
        return Typed(f"cast(-{number(a)} as bigint)", INTEGER)
    return Typed(f"(-{number(a)})", INTEGER)


@function()
def rand() -> Typed:
    """Another number for each row; a seed would promise MySQL's own."""
    return Typed("random()", DOUBLE, "", False)


@function()
def uuid() -> Typed:
    """Another one for each row."""
    return Typed("cast(uuid() as varchar)", Type("string", 36), "", False)


@operator(exp.BitwiseAnd)
def bits_and(node: exp.Expr, context: Context) -> Typed:
    return _of_bits("({} & {})", node, context)


@operator(exp.BitwiseOr)
def bits_or(node: exp.Expr, context: Context) -> Typed:
    return _of_bits("({} | {})", node, context)


@operator(exp.BitwiseXor)
def bits_xor(node: exp.Expr, context: Context) -> Typed:
    return _of_bits("xor({}, {})", node, context)


@operator(exp.BitwiseLeftShift)
def shifted_left(node: exp.Expr, context: Context) -> Typed:
    return _of_bits("shifted_left({}, {})", node, context)


@operator(exp.BitwiseRightShift)
def shifted_right(node: exp.Expr, context: Context) -> Typed:
    return _of_bits("shifted_right({}, {})", node, context)


@operator(exp.BitwiseNot)
def bits_turned(node: exp.Expr, context: Context) -> Typed:
    a = context.typed(node.this)
    return Typed(f"xor({_bits(a)}, 18446744073709551615)", Type("integer", 21, unsigned=True))


@function(as_is, returns=Type("integer", 2))
def bit_count(a: Typed) -> str:
    return f"cast(bit_count({_bits(a)}) as bigint)"


@function(as_is, returns=Type("string", 64))
def bin_(a: Typed) -> str:
    """The bits of an integer; other numbers are read as texts, to their point."""
    whole = number(a) if a.kind == "integer" else f"leading_integer({text(a)})"
    return f"bin(cast(bits({whole}) as ubigint))"


def _of_bits(form: str, node: exp.Expr, context: Context) -> Typed:
    """MySQL counts in 64 bits without a sign; what is no integer is rounded first."""
    a, b = context.both(node)
    return Typed(form.format(_bits(a), _bits(b)), Type("integer", 21, unsigned=True))


def _bits(a: Typed) -> str:
    return f"bits({number(a) if _is_integer(a) else f'round({number(a)})'})"


@function(as_is)
def abs_(a: Typed) -> Typed:
    if is_real(a):
        return Typed(f"abs({double(a)})", real(a.decimals))
    if a.kind in TIMES:
        return Typed(f"abs({number(a)})", _decimal_of(a))
    return Typed(f"abs({number(a)})", a.type if a.kind == "decimal" else _whole(a), _still(a))


@function(as_is)
def sign(a: Typed) -> Typed:
    return Typed(f"cast(sign({double(a) if is_real(a) else number(a)}) as bigint)", INTEGER)


@function(as_is)
def floor(a: Typed) -> Typed:
    return _to_whole(a, "floor")


@function(as_is, names="CEIL CEILING")
def ceil(a: Typed) -> Typed:
    return _to_whole(a, "ceil")


def _decimal_of(a: Typed) -> Type:
    """A date or a time as MySQL counts it: 20200229235959.000001."""
    return decimal(20, a.type.decimals or 0)


def _to_whole(a: Typed, name: str) -> Typed:
    if a.kind in TIMES:
        raise refuse(a, f"the argument of {name.upper()}")
    if is_real(a):
        return Typed(f"{name}({double(a)})", real(0))
    if a.kind == "decimal" and a.held != "double":
        return Typed(f"cast({name}({a.sql}) as bigint)", INTEGER)
    if a.kind == "decimal":
        # MySQL counts the ninth digit of a quotient, and no error of DOUBLE behind it
        return Typed(f"cast({name}(round({double(a)}, 9)) as bigint)", INTEGER)
    return Typed(number(a), _whole(a))


def _whole(a: Typed) -> Type:
    """An integer of the sign that the operand allows."""
    return Type("integer", 20, unsigned=a.type.unsigned)


@function(as_is, as_is)
def round_(a: Typed, places: Typed | None = None) -> Typed:
    return _shortened(a, places, rounds=True)


@function(as_is, as_is)
def truncate(a: Typed, places: Typed) -> Typed:
    return _shortened(a, places, rounds=False)


def _shortened(a: Typed, places: Typed | None, rounds: bool) -> Typed:
    """Round or cut at a place; the place decides what is shown where it is a constant."""
    if a.kind in TIMES:
        raise refuse(a, "a number to round")
    known = 0 if places is None else places.value
    where = str(known)
    if places is not None and not isinstance(known, int):
        where = f"cast({integer(places)} as integer)"
    if is_real(a):
        shown = min(max(known, 0), NOT_FIXED) if isinstance(known, int) else NOT_FIXED
        return Typed(_at_place(double(a), known, where, rounds), real(shown))
    if _is_integer(a):
        if isinstance(known, int) and known >= 0:
            return Typed(number(a), _whole(a))
        step = f"power_of_place({where})"
        if isinstance(known, int):
            step = str(10**-known)
        if not rounds:
            return Typed(f"({number(a)} // {step} * {step})", _whole(a))
        half = f"sign({number(a)}) * ({step} // 2)"
        if not _is_wide(a):
            return Typed(f"(({number(a)} + {half}) // {step} * {step})", _whole(a))
        wide = f"cast({number(a)} as hugeint)"
        return Typed(f"(({wide} + {half}) // {step} * {step})", decimal(LENGTH_OF_BIGINT + 1, 0))
    digits, scale = precision(a)
    if not isinstance(known, int):
        # 1.15 is no less, though its DOUBLE times 100 is less than 115
        moved = f"round({double(a)} * pow(10, {where}), 9)"
        cut = f"({'round' if rounds else 'trunc'}({moved}) / pow(10, {where}))"
        if a.held == "double":
            return Typed(cut, a.type, a.held)
        return Typed(f"cast({cut} as decimal({LONGEST_DECIMAL}, {scale}))", a.type)
    value = unrounded(a, known)
    cut = f"round({value}, {known})" if rounds else f"cut_exactly({value}, {_step(known)})"
    shown = min(max(known, 0), LONGEST_DECIMAL)
    kind = decimal(digits - scale + shown + (1 if shown < scale else 0), shown)
    return Typed(f"cast({cut} as decimal({LONGEST_DECIMAL}, {shown}))", kind)


def _step(place: int) -> str:
    """The last digit that is left at a place: 0.01, 1 or 100."""
    return f"{Decimal(10) ** -min(max(place, -LONGEST_DECIMAL + 1), LONGEST_DECIMAL):f}"


def _at_place(value: str, known: object, where: str, rounds: bool) -> str:
    """A DOUBLE rounded or cut at a place."""
    name = "rounded" if rounds else "cut"
    if not isinstance(known, int):
        return f"{name}_at({value}, {where})"
    power = f"1e{min(abs(known), LARGEST_EXPONENT)}"
    return (
        f"{name}({value}, {power})" if known >= 0 else f"({name}({value} / {power}, 1) * {power})"
    )


def _is_wide(a: Typed) -> bool:
    """Whether MySQL expects an integer to grow out of BIGINT as it is rounded."""
    if isinstance(a.value, int):
        return abs(a.value) >= 2**31
    return a.type.length > LENGTH_OF_BIGINT or (a.is_stored and a.type.length == LENGTH_OF_BIGINT)


def _still(a: Typed) -> str:
    return a.held if a.held == "double" else ""


def _of_double(duckdb: str, names: str, domain: str = "") -> None:
    """Functions of one DOUBLE, NULL outside of their domain as in MySQL."""

    def rule(x: str) -> str:
        sql = duckdb.format(x)
        return f"case when {domain.format(x)} then {sql} end" if domain else sql

    function(double, returns=DOUBLE, names=names)(rule)


_of_double("sqrt({0})", "SQRT", "{0} >= 0")
_of_double("finite(exp({0}))", "EXP")
_of_double("ln({0})", "LN", "{0} > 0")
_of_double("log2({0})", "LOG2", "{0} > 0")
_of_double("log10({0})", "LOG10", "{0} > 0")
_of_double("finite(cot({0}))", "COT")
for _name in ("SIN", "COS", "TAN", "ATAN", "DEGREES", "RADIANS"):
    _of_double(f"{_name.lower()}({{0}})", _name)
_of_double("asin({0})", "ASIN", "abs({0}) <= 1")
_of_double("acos({0})", "ACOS", "abs({0}) <= 1")


@function(double, double, returns=DOUBLE)
def log_(a: str, b: str | None = None) -> str:
    if b is None:
        return f"case when {a} > 0 then ln({a}) end"
    return f"case when {a} > 0 and {a} <> 1 and {b} > 0 then ln({b}) / ln({a}) end"


@function(double, double, returns=DOUBLE, names="POW POWER")
def power(a: str, b: str) -> str:
    return f"finite(pow({a}, {b}))"


@function(double, double, returns=DOUBLE)
def atan2(a: str, b: str) -> str:
    return f"atan2({a}, {b})"


@function(returns=real(6))
def pi() -> str:
    return "pi()"
