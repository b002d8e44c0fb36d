"""Expressions in DuckDB's SQL that know what MySQL takes them for, and how to become another."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal

from mirror.serve.answers import Origin, Refusal, Type
from mirror.serve.translate import literals

INTEGER, DOUBLE, STRING = Type("integer", 20), Type("double", 23), Type("string", 255)
FLAG = Type("integer", 1)
DATE, NULL = Type("date", 10), Type("null")
LONGEST_DECIMAL = 38
# that any DOUBLE gets right
DIGITS_OF_DOUBLE = 15
# digits behind the point that MySQL keeps of a quotient, and that its DOUBLE gets right
KEPT_DIGITS, MOST_EXACT = 9, 12
LENGTH_OF_INT = 10
# as a number; what is longer is read as a date
LONGEST_TIME = 8385959
NUMBERS = ("integer", "decimal", "double", "float", "null")
TEXTS = ("string", "enum", "json")
BYTES = ("binary", "uuid")
MOMENTS = ("date", "datetime")


@dataclass(frozen=True)
class Typed:
    """A DuckDB expression and the MySQL type of its values.

    `held` says in what form DuckDB holds them where the type leaves a choice: an integer as
    'boolean' (what a comparison gives) or 'small' (a column narrower than BIGINT), a decimal
    as 'double' (a quotient, of which MySQL keeps more digits than it shows); of a text it is
    the codec of its bytes, where that is not UTF-8; what JSON_EXTRACT has taken out of a
    document is 'extracted'. Times are held
    as microseconds in a BIGINT, unless as an 'interval'. `value` is a constant's, in Python;
    `name` a column's, as it is spelled where it is declared, and `origin` its table; `is_stored`
    tells of a column that MySQL finds in a table, and does not work out on the way.
    """

    sql: str
    type: Type
    held: str = ""
    is_nullable: bool = True
    value: object = None
    name: str = ""
    is_stored: bool = False
    origin: Origin | None = None

    @property
    def kind(self) -> str:
        return self.type.kind

    @property
    def decimals(self) -> int:
        """Digits behind the point that MySQL shows; of a double that shows all, 31."""
        if self.kind in ("double", "float") and self.type.decimals is None:
            return literals.NOT_FIXED
        if self.kind in TEXTS:
            return literals.NOT_FIXED
        return self.type.decimals or 0


def decimal(precision: int, scale: int) -> Type:
    """The type of a DECIMAL, whose digits end where MySQL's do."""
    return Type("decimal", precision, scale)


def moment_type(decimals: int = 0) -> Type:
    return Type("datetime", 19 + (decimals + 1 if decimals else 0), decimals)


def span_type(decimals: int = 0) -> Type:
    return Type("time", 10 + (decimals + 1 if decimals else 0), decimals)


def flag(sql: str, is_nullable: bool = True) -> Typed:
    """What a comparison gives: 1, 0 or NULL."""
    return Typed(sql, FLAG, "boolean", is_nullable)


def refuse(expression: Typed, wanted: str) -> Refusal:
    return Refusal(
        1235, "42000", f"The mirror does not take {_named(expression)} for {wanted}: rephrase it."
    )


def is_extracted(expression: Typed) -> bool:
    """Whether JSON_EXTRACT has just found it; to a query around it is but a text."""
    return expression.held == "extracted" and not expression.name


def condition(expression: Typed) -> str:
    """As BOOLEAN: whether MySQL takes the value for true."""
    if expression.held == "boolean":
        return expression.sql
    if expression.kind == "null":
        return "cast(null as boolean)"
    if expression.kind in MOMENTS:
        return f"({expression.sql} is not null or null)"
    return f"({number(expression)} <> 0)"


def number(expression: Typed) -> str:
    """As a number, of the width in which DuckDB counts without loss."""
    sql, kind = expression.sql, expression.kind
    if kind == "integer" and (expression.held in ("boolean", "small") or _is_small(expression)):
        return f"cast({sql} as bigint)"
    if kind == "integer" and expression.type.unsigned and expression.value is None:
        return f"cast({sql} as hugeint)"
    if kind in ("integer", "decimal", "double"):
        return sql
    if kind == "enum":
        return f"cast(enum_code({sql}) + 1 as bigint)"
    if kind == "null":
        return "cast(null as bigint)"
    if kind in MOMENTS:
        digits = "%Y%m%d" if kind == "date" else "%Y%m%d%H%M%S"
        if kind == "datetime" and expression.type.decimals:
            return f"cast(strftime({sql}, '{digits}.%f') as decimal(20, 6))"
        return f"cast(strftime({sql}, '{digits}') as bigint)"
    if kind == "time":
        if expression.type.decimals:
            raise refuse(expression, "a number")
        return f"time_number({span(expression)})"
    return double(expression)


def _is_small(expression: Typed) -> bool:
    """Whether it is a constant that DuckDB would count in 32 bits."""
    return isinstance(expression.value, int) and abs(expression.value) < 2**31


def double(expression: Typed) -> str:
    """As DOUBLE; of a text, the number it begins with."""
    sql, kind = expression.sql, expression.kind
    if kind == "double" or expression.held == "double":
        return sql
    if is_extracted(expression):
        return f"json_number({sql})"
    if kind in TEXTS and kind != "enum":
        return f"leading_number({sql})"
    if kind in BYTES or kind == "blob":
        raise refuse(expression, "a number")
    if kind == "enum":
        return f"cast(enum_code({sql}) + 1 as double)"
    return (
        f"cast({sql if kind in ('integer', 'decimal', 'float') else number(expression)} as double)"
    )


def integer(expression: Typed) -> str:
    """As BIGINT, rounded as MySQL rounds the arguments of its functions."""
    sql, kind = expression.sql, expression.kind
    if isinstance(expression.value, int):
        return sql
    if kind == "decimal":
        return f"cast(round({sql}) as bigint)"
    if kind in ("double", "float"):
        # which DuckDB rounds to even
        return f"cast({double(expression)} as bigint)"
    if kind in TEXTS and kind != "enum":
        return f"leading_integer({sql})"
    if kind == "integer" and not expression.type.unsigned:
        return number(expression)
    return f"cast({number(expression)} as bigint)"


def text(expression: Typed) -> str:
    """As VARCHAR: what MySQL prints."""
    sql, kind, decimals = expression.sql, expression.kind, expression.type.decimals
    if kind == "string":
        return sql
    if kind == "integer" and expression.held == "boolean":
        return f"cast(cast({sql} as tinyint) as varchar)"
    if kind == "decimal":
        return f"cast({exact(expression)} as varchar)"
    if kind == "double" and decimals is not None:
        # MariaDB knows no -0
        return f"printf('%.{decimals}f', {sql} + 0)"
    if kind == "double":
        return f"double_text({sql})"
    if kind == "float":
        return f"float_text({sql})"
    if kind == "datetime":
        if not decimals:
            return f"strftime({sql}, '%Y-%m-%d %H:%M:%S')"
        return f"left(strftime({sql}, '%Y-%m-%d %H:%M:%S.%f'), {20 + decimals})"
    if kind == "time":
        return f"time_text({span(expression)}, {decimals or 0})"
    if kind in BYTES or kind == "blob":
        raise refuse(expression, "text")
    return f"cast({sql} as varchar)"


def exact(expression: Typed) -> str:
    """A decimal as DECIMAL, with the digits that MySQL shows."""
    scale = expression.decimals
    return f"cast({unrounded(expression, scale)} as decimal({LONGEST_DECIMAL}, {scale}))"


def unrounded(expression: Typed, places: int) -> str:
    """A decimal as DECIMAL, to be rounded to so many places behind the point.

    0.125 becomes 0.13 whatever the last bit of its DOUBLE. What is no decimal is a number.
    """
    if expression.held != "double":
        return number(expression)
    if places <= MOST_EXACT:
        scale = max(KEPT_DIGITS, places + 4)
        return f"cast({expression.sql} as decimal({LONGEST_DECIMAL}, {scale}))"
    # its shortest digits have zeros behind them, and no bits
    return f"cast(cast({expression.sql} as varchar) as decimal({LONGEST_DECIMAL}, {places}))"


def moment(expression: Typed) -> str:
    """As TIMESTAMP; NULL where a text or a number is no date."""
    sql, kind = expression.sql, expression.kind
    if kind == "datetime":
        return sql
    if kind == "date":
        return f"cast({sql} as timestamp)"
    if kind == "null":
        return "cast(null as timestamp)"
    if isinstance(expression.value, str | int):
        parsed = literals.moment(str(expression.value))
        return "cast(null as timestamp)" if parsed is None else f"timestamp '{parsed}'"
    if kind in ("string", "enum"):
        return f"moment({text(expression)})"
    if kind == "integer":
        return f"moment(cast({sql} as varchar))"
    if kind == "time":
        return f"(date_trunc('day', this_moment(0)) + to_microseconds({span(expression)}))"
    raise refuse(expression, "a date")


def dated(expression: Typed) -> str:
    """As DATE or TIMESTAMP, whichever it is, for what DuckDB asks of either."""
    return expression.sql if expression.kind == "date" else moment(expression)


def day(expression: Typed) -> str:
    """As DATE; NULL where a text or a number is no date."""
    if expression.kind == "date":
        return expression.sql
    return f"cast({moment(expression)} as date)"


def span(expression: Typed) -> str:
    """A TIME as microseconds in a BIGINT; NULL where a text is no time."""
    sql, kind = expression.sql, expression.kind
    if kind == "time":
        return f"epoch_us({sql})" if expression.held == "interval" else sql
    if kind == "datetime":
        return f"(epoch_us({sql}) - epoch_us(date_trunc('day', {sql})))"
    if kind == "date":
        return f"case when {sql} is not null then 0 end"
    if kind == "null":
        return "cast(null as bigint)"
    if isinstance(expression.value, str | int):
        if isinstance(expression.value, int) and abs(expression.value) > LONGEST_TIME:
            raise refuse(expression, "a time")
        parsed = literals.span(str(expression.value))
        return "cast(null as bigint)" if parsed is None else str(parsed)
    if kind in ("string", "enum"):
        return f"span({text(expression)})"
    raise refuse(expression, "a time")


def octets(expression: Typed) -> str:
    """As BLOB: the bytes that MySQL holds."""
    if expression.kind == "string" and expression.held:
        if not isinstance(expression.value, str):
            raise refuse(expression, "bytes unless it is in UTF-8")
        return f"unhex('{expression.value.encode(expression.held, 'surrogateescape').hex()}')"
    if expression.kind in BYTES:
        return expression.sql if expression.kind == "binary" else f"cast({expression.sql} as blob)"
    return f"encode({text(expression)})"


def collated(expression: Typed) -> str:
    """As the VARCHAR under which MySQL compares texts: no case, no accents, no last spaces."""
    if expression.type.is_exact:
        return letters(expression)
    if isinstance(expression.value, str) and expression.value.isascii():
        return literals.quoted_text(expression.value.rstrip(" ").upper())
    return f"collated({text(expression)})"


def letters(expression: Typed) -> str:
    """As the VARCHAR under which a collation _bin compares texts: without the last spaces."""
    return f"rtrim({text(expression)}, ' ')"


def key(expression: Typed) -> str:
    """What equal values share, to group, join and count by."""
    if expression.kind == "string":
        return collated(expression)
    if expression.held == "double":
        return exact(expression)
    if isinstance(expression.value, int):
        # a bare number would name a column by its place
        return number(expression)
    return expression.sql


def ordered(expression: Typed, descends: bool) -> str:
    """A key of ORDER BY: NULL is the least, and an enum has the order of its members."""
    return f"{key(expression)} {'desc nulls last' if descends else 'nulls first'}"


def _is_narrow(expression: Typed) -> bool:
    """Whether it is a float, or a column of integers that a float holds."""
    is_column = expression.is_stored and expression.type.length < LENGTH_OF_INT
    return expression.kind in ("float", "null") or is_column


def settled(expression: Typed) -> Typed:
    """As MySQL writes it into a table of its own: a quotient loses its hidden digits."""
    if expression.held == "double":
        return replace(expression, sql=exact(expression), held="")
    return expression


def combined(expressions: list[Typed], null_counts: bool = True) -> Type:
    """The type that holds the values of all, as IF, COALESCE, CASE and UNION give."""
    types = [item.type for item in expressions if item.kind != "null"]
    kinds = {item.kind for item in types}
    if not kinds:
        return NULL
    length = max(item.length for item in types)
    signs = {item.type.unsigned for item in expressions if null_counts or item.kind != "null"}
    if kinds == {"integer"} and len(signs) > 1:
        # of a signed and an unsigned integer MariaDB makes a decimal
        return decimal(21, 0)
    if len(kinds) == 1:
        return _of_one_kind(types)
    if kinds == {"integer", "float"} and all(map(_is_narrow, expressions)):
        return Type("float", 12)
    if kinds <= {"integer", "decimal", "double", "float"}:
        return _of_numbers(types)
    if kinds <= {"date", "datetime", "time"}:
        return moment_type(max(item.decimals or 0 for item in types))
    if kinds <= {*NUMBERS, *TEXTS, "date", "datetime", "time"}:
        return Type("string", max(length, 30))
    if kinds <= {"binary", "uuid"}:
        return Type("binary", length)
    raise Refusal(
        1235, "42000", f"The mirror does not mix {' and '.join(sorted(kinds))} in one column."
    )


def _of_one_kind(types: Sequence[Type]) -> Type:
    kind, length = types[0].kind, max(item.length for item in types)
    if kind == "enum":
        return types[0] if len(set(types)) == 1 else Type("string", length)
    if kind == "double" and any(item.decimals is None for item in types):
        return DOUBLE
    unsigned = all(item.unsigned for item in types)
    scale = max(item.decimals or 0 for item in types) if types[0].decimals is not None else None
    names = {item.name for item in types}
    return Type(kind, length, scale, unsigned, name=names.pop() if len(names) == 1 else "")


def _of_numbers(types: Sequence[Type]) -> Type:
    """The type of numbers of several kinds."""
    if all(item.kind in ("integer", "decimal") for item in types):
        scale = max(item.decimals or 0 for item in types)
        whole = max(item.length - (item.decimals or 0) for item in types)
        return decimal(min(whole + scale, LONGEST_DECIMAL), scale)
    fixed = [item.decimals if item.kind != "integer" else 0 for item in types]
    return DOUBLE if None in fixed else Type("double", 23, max(d or 0 for d in fixed))


def become(expression: Typed, wanted: Type) -> str:
    """Write an expression so that it is held as the wanted type is."""
    kind = wanted.kind
    if kind == "null":
        return expression.sql
    if expression.kind == "null":
        return f"cast(null as {HELD[kind]})" if kind in HELD else "null"
    if kind == expression.kind:
        if kind == "integer":
            return number(expression)
        if kind == "decimal":
            return double(expression)
        if kind == "time":
            return span(expression)
        return expression.sql
    match kind:
        case "decimal" | "double":
            return double(expression)
        case "float":
            return f"cast({double(expression)} as float)"
        case "string":
            return text(expression)
        case "datetime":
            return moment(expression)
        case "binary":
            return octets(expression)
    raise refuse(expression, kind)


HELD = {
    "integer": "bigint",
    "decimal": "double",
    "double": "double",
    "float": "float",
    "string": "varchar",
    "date": "date",
    "datetime": "timestamp",
    "time": "bigint",
    "binary": "blob",
    "uuid": "uuid",
}


def together(expressions: list[Typed], null_counts: bool = True) -> tuple[list[str], Type, str]:
    """Several expressions in one form: their SQL, the common type, and how it is held.

    `null_counts` where MariaDB takes NULL for a signed integer, as it does not in IF.
    """
    wanted = combined(expressions, null_counts)
    if wanted.kind == "decimal":
        if all(item.held != "double" for item in expressions):
            return [_decimal(item, wanted) for item in expressions], wanted, ""
        return [become(item, wanted) for item in expressions], wanted, "double"
    if wanted.kind == "integer" and all(item.held == "boolean" for item in expressions):
        return [item.sql for item in expressions], wanted, "boolean"
    return [become(item, wanted) for item in expressions], wanted, ""


def _decimal(expression: Typed, wanted: Type) -> str:
    scale = wanted.decimals or 0
    return f"cast({number(expression)} as decimal({LONGEST_DECIMAL}, {scale}))"


def constant(value: object) -> Typed:
    """A constant of Python as MySQL would type it."""
    match value:
        case None:
            return Typed("null", NULL)
        case bool():
            return Typed(str(value).lower(), FLAG, "boolean", False)
        case int():
            return Typed(str(value), Type("integer", len(str(value))), "", False, value)
        case datetime():
            kind = moment_type(6 if value.microsecond else 0)
            return Typed(f"timestamp '{value}'", kind, "", False, value)
        case date():
            return Typed(f"date '{value}'", DATE, "", False, value)
        case Decimal():
            digits, scale = len(value.as_tuple().digits), max(-int(value.as_tuple().exponent), 0)
            kind = decimal(max(digits, scale), scale)
            return Typed(f"{value:f}::decimal({kind.length}, {scale})", kind, "", False, value)
        case float():
            return Typed(f"cast({value!r} as double)", DOUBLE, "", False)
        case bytes():
            return Typed(f"unhex('{value.hex()}')", Type("binary", len(value)), "", False, value)
        case timedelta():
            micros = value // timedelta(microseconds=1)
            return Typed(f"cast({micros} as bigint)", span_type(), "", False, value)
        case _:
            written = str(value)
            return Typed(
                literals.quoted_text(written), Type("string", len(written)), "", False, written
            )


def _named(expression: Typed) -> str:
    names = {"uuid": "a uuid", "binary": "bytes", "blob": "a blob", "enum": "an enum"}
    return names.get(expression.kind, f"a {expression.kind}")
