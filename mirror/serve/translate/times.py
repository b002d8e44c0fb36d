"""Dates, datetimes and times.

Datetimes are naive, as stored; where MySQL asks its time zone, the mirror takes UTC. A time may
exceed a day or be negative, and is clipped at 838:59:59.
"""

import re
from dataclasses import replace
from datetime import timedelta
from functools import cache

import duckdb
from sqlglot import exp

from mirror.serve.answers import Refusal, Type
from mirror.serve.translate import literals
from mirror.serve.translate.dialect import Dated
from mirror.serve.translate.numbers import added
from mirror.serve.translate.rules import as_is, function, operator, special
from mirror.serve.translate.scope import Context
from mirror.serve.translate.typed import (
    DATE,
    INTEGER,
    MOMENTS,
    STRING,
    Typed,
    constant,
    dated,
    day,
    decimal,
    double,
    integer,
    moment,
    moment_type,
    number,
    refuse,
    span,
    span_type,
    text,
)

# a format is written out for each row
LONGEST_FORMAT = 1000
MICROSECONDS = {
    "MICROSECOND": 1,
    "SECOND": 1_000_000,
    "MINUTE": 60_000_000,
    "HOUR": 3_600_000_000,
    "DAY": 86_400_000_000,
    "WEEK": 604_800_000_000,
}
MONTHS = {"MONTH": 1, "QUARTER": 3, "YEAR": 12}
# '1:2' in such a unit counts from its last part
COMPOUND = {
    "YEAR_MONTH": ("YEAR", "MONTH"),
    "DAY_HOUR": ("DAY", "HOUR"),
    "DAY_MINUTE": ("DAY", "HOUR", "MINUTE"),
    "DAY_SECOND": ("DAY", "HOUR", "MINUTE", "SECOND"),
    "HOUR_MINUTE": ("HOUR", "MINUTE"),
    "HOUR_SECOND": ("HOUR", "MINUTE", "SECOND"),
    "MINUTE_SECOND": ("MINUTE", "SECOND"),
}


# of a text that is a date: 2020-01-01 1, or 14 digits
HAS_TIME = re.compile(r"\d[T\s]+\d|\d{9}")


@operator(Dated)
def dated_literal(node: Dated, context: Context) -> Typed:
    """DATE '...', TIME '...', TIMESTAMP '...'"""
    written, kind = node.this.name, node.args["kind"]
    digits = literals.fraction_digits(written)
    if kind == "TIME":
        micros = literals.span(written)
        if micros is not None:
            return replace(constant(timedelta(microseconds=micros)), type=span_type(digits))
    else:
        at, has_time = literals.moment(written), HAS_TIME.search(written) is not None
        if at and kind == "DATE" and not has_time:
            return constant(at.date())
        if at and kind == "TIMESTAMP" and has_time:
            return replace(constant(at), type=moment_type(digits))
    name = "DATETIME" if kind == "TIMESTAMP" else kind
    raise Refusal(1525, "HY000", f"Incorrect {name} value: '{written}'")


@function(day, returns=DATE)
def date(d: str) -> str:
    return d


@function(as_is)
def time(a: Typed) -> Typed:
    return Typed(_clipped(span(a), fraction(a)), span_type(fraction(a)))


@function(as_is, as_is)
def timestamp(a: Typed, b: Typed | None = None) -> Typed:
    if b is None:
        return Typed(moment(a), moment_type(fraction(a)))
    digits = max(fraction(a), fraction(b))
    return Typed(f"in_calendar({moment(a)} + to_microseconds({span(b)}))", moment_type(digits))


@function(as_is, as_is, as_is)
def convert_tz(a: Typed, here: Typed, there: Typed) -> Typed:
    """The time there when it is `a` here; zones have a name, or are so many hours off UTC."""
    for zone in (here, there):
        if not isinstance(zone.value, str) and zone.kind != "null":
            raise refuse(zone, "a time zone unless it is written out")
    kind, local = moment_type(fraction(a)), moment(a)
    try:
        utc = _in_zone(local, here.value, is_utc_wanted=True)
        return Typed(f"converted({local}, {utc}, {_in_zone(utc, there.value)})", kind)
    except KeyError:
        return Typed("cast(null as timestamp)", kind)


def _in_zone(m: str, zone: object, is_utc_wanted: bool = False) -> str:
    """A local time in UTC, or the other way round. Raises KeyError for a zone there is not."""
    written = str(zone).lower()
    if written == "system":
        return m
    offset = OFFSET.fullmatch(written)
    if not offset:
        name = literals.quoted_text(_zones()[written])
        hops = (name, "'UTC'") if is_utc_wanted else ("'UTC'", name)
        return f"timezone({hops[1]}, timezone({hops[0]}, {m}))"
    minutes = int(offset["hours"]) * 60 + int(offset["minutes"])
    if minutes > (LAST_EAST if offset["sign"] == "+" else LAST_WEST):
        raise KeyError(zone)
    sign = "-" if (offset["sign"] == "+") == is_utc_wanted else "+"
    return f"({m} {sign} to_minutes({minutes}))"


OFFSET = re.compile(r"(?P<sign>[+-])(?P<hours>\d{1,2}):(?P<minutes>[0-5]\d)")
# in minutes
LAST_WEST, LAST_EAST = 12 * 60 + 59, 14 * 60


@cache
def _zones() -> dict[str, str]:
    """The names of DuckDB's time zones, by their small letters, in which MySQL reads them."""
    with duckdb.connect() as connection:
        names = connection.execute("select name from pg_timezone_names()").fetchall()
    return {name.lower(): name for (name,) in names}


def _clipped(microseconds: str, digits: int = 0) -> str:
    """A time no longer than MySQL's longest, with so many digits of a second."""
    most = literals.LONGEST_SPAN + 10**6 - 10 ** (6 - digits)
    return f"clipped({microseconds}, {most})"


def cut(m: str, digits: int) -> str:
    """A moment with so many digits of a second."""
    return f"time_bucket(interval '1 second' / {10**digits}, {m})" if digits < 6 else m


def fraction(a: Typed) -> int:
    """Digits of a second that MySQL shows of it."""
    if isinstance(a.value, str):
        return literals.fraction_digits(a.value)
    if a.kind in ("datetime", "time"):
        return a.type.decimals or 0
    return 0 if a.kind in ("date", "integer", "null") else 6


def _part(name: str, duckdb: str) -> None:
    function(dated, returns=Type("integer", 4), names=name)(
        lambda m: duckdb.format(m) if "{" in duckdb else f"{duckdb}({m})"
    )


_part("YEAR", "year")
_part("MONTH", "month")
_part("DAYOFMONTH", "day")
_part("DAY", "day")
_part("QUARTER", "quarter")
_part("DAYOFYEAR", "dayofyear")
_part("DAYOFWEEK", "(dayofweek({}) + 1)")
_part("WEEKDAY", "(isodow({}) - 1)")
_part("WEEKOFYEAR", "week")
_part("TO_DAYS", "(datediff('day', date '0001-01-01', cast({} as date)) + 366)")


@function(span, returns=INTEGER)
def hour(us: str) -> str:
    return f"(abs({us}) // 3600000000)"


@function(span, returns=INTEGER)
def minute(us: str) -> str:
    return f"(abs({us}) // 60000000 % 60)"


@function(span, returns=INTEGER)
def second(us: str) -> str:
    return f"(abs({us}) // 1000000 % 60)"


@function(span, returns=INTEGER)
def microsecond(us: str) -> str:
    return f"(abs({us}) % 1000000)"


@function(dated, returns=STRING)
def dayname(m: str) -> str:
    return f"dayname({m})"


@function(dated, returns=STRING)
def monthname(m: str) -> str:
    return f"monthname({m})"


@function(day, returns=DATE)
def last_day(d: str) -> str:
    return f"last_day({d})"


# of the modes of WEEK: OTHER_RULE is that a week is of the year of its first day if it counts from
# Monday, and of its fourth if from Sunday
FROM_MONDAY, NEVER_ZERO, OTHER_RULE = 1, 2, 4


@function(as_is, as_is)
def week(a: Typed, mode: Typed | None = None) -> Typed:
    return Typed(_week(dated(a), mode), INTEGER)


def _week(m: str, mode: Typed | None) -> str:
    known, day = _counted(m, mode)
    if known & NEVER_ZERO:
        return f"week_number({day})"
    return f"week_in_year({m}, {day})"


@function(as_is, as_is)
def yearweek(a: Typed, mode: Typed | None = None) -> Typed:
    _, day = _counted(dated(a), mode)
    return Typed(f"(year({day}) * 100 + week_number({day}))", INTEGER)


def _counted(m: str, mode: Typed | None) -> tuple[int, str]:
    """A mode of WEEK, and the day that tells to which year the week of a moment belongs."""
    known = 0 if mode is None else mode.value
    if not isinstance(known, int):
        raise Refusal(1235, "42000", "The mirror takes only a number for the mode of weeks")
    from_monday = bool(known & FROM_MONDAY)
    place = 0 if from_monday == bool(known & OTHER_RULE) else 3
    return known, f"deciding_day({m}, {6 if from_monday else 0}, {place})"


@operator(exp.Extract)
def extract(node: exp.Extract, context: Context) -> Typed:
    unit, a = node.this.name.upper(), context.typed(node.expression)
    if not (a.kind == "null" or _is_dated(a)):
        return _extracted_from_time(a, unit)
    if unit == "YEAR_MONTH":
        return Typed(f"(year({moment(a)}) * 100 + month({moment(a)}))", INTEGER)
    if unit in ("HOUR", "MINUTE", "SECOND", "MICROSECOND"):
        if a.kind == "string":
            a = Typed(moment(a), moment_type(6))
        rule = {"HOUR": hour, "MINUTE": minute, "SECOND": second, "MICROSECOND": microsecond}
        return Typed(rule[unit](span(a)), INTEGER)
    if unit == "WEEK":
        return Typed(_week(moment(a), None), INTEGER)
    if unit in ("YEAR", "QUARTER", "MONTH", "DAY"):
        return Typed(f"{unit.lower()}({moment(a)})", INTEGER)
    raise Refusal(1235, "42000", f"The mirror does not extract {unit}")


def _is_dated(a: Typed) -> bool:
    """Whether it is a date, or a text that begins as one does."""
    return a.kind in MOMENTS or bool(re.match(r"\s*\d{4}-\d", str(a.value)))


def _extracted_from_time(a: Typed, unit: str) -> Typed:
    """Days and the hours beyond them, unlike HOUR, and with the sign of the time."""
    parts = {
        "DAY": "({} // 86400000000)",
        "HOUR": "({} // 3600000000 % 24)",
        "MINUTE": "({} // 60000000 % 60)",
        "SECOND": "({} // 1000000 % 60)",
        "MICROSECOND": "({} % 1000000)",
    }
    if a.kind != "time" or unit not in parts:
        raise refuse(a, f"EXTRACT({unit})")
    return Typed(parts[unit].format(span(a)), INTEGER)


@function(day, day, returns=INTEGER)
def datediff(a: str, b: str) -> str:
    return f"datediff('day', {b}, {a})"


@function(as_is, as_is)
def timediff(a: Typed, b: Typed) -> Typed:
    kinds = {_temporal(a), _temporal(b)}
    if len(kinds - {"null"}) > 1:
        # MySQL takes no difference between a time and a datetime
        return Typed("cast(null as bigint)", span_type())
    if kinds == {"date"}:
        # for once a date is read as a text is: 20:20 of 2020-02-29
        raise refuse(a, "TIMEDIFF")
    digits = max(fraction(a), fraction(b))
    if "time" in kinds:
        return Typed(_clipped(f"({span(a)} - {span(b)})", digits), span_type(digits))
    return Typed(
        _clipped(f"(epoch_us({moment(a)}) - epoch_us({moment(b)}))", digits), span_type(digits)
    )


def _temporal(a: Typed) -> str:
    if a.kind in (*MOMENTS, "time", "null"):
        return a.kind
    if isinstance(a.value, str):
        return "datetime" if re.match(r"\s*\d{4}-\d+-\d+[ T]+\d", a.value) else "time"
    raise refuse(a, "TIMEDIFF")


@function(as_is)
def time_to_sec(a: Typed) -> Typed:
    digits = fraction(a)
    if not digits:
        return Typed(f"({span(a)} // 1000000)", INTEGER)
    return Typed(f"(cast({span(a)} as decimal(20, 0)) / 1000000)", decimal(16, digits), "double")


@function(as_is)
def sec_to_time(a: Typed) -> Typed:
    micros, digits = _of_seconds(a)
    return Typed(_clipped(micros, digits), span_type(digits))


def _of_seconds(a: Typed) -> tuple[str, int]:
    """A number of seconds as microseconds, cut as MySQL cuts it, and the digits it shows."""
    if a.kind in ("integer", "null"):
        return f"({number(a)} * 1000000)", 0
    if a.kind == "decimal":
        digits = min(a.decimals, 6)
        return _cut_seconds(a, digits), digits
    return f"seconds_to_microseconds({double(a)})", min(a.decimals, 6)


def _cut_seconds(a: Typed, digits: int) -> str:
    """A decimal of seconds as microseconds, cut after so many digits, an error of DOUBLE aside."""
    shifted = f"{a.sql} * {10**digits}"
    whole = f"round({shifted}, 3)" if a.held == "double" else shifted
    return f"(cast(trunc({whole}) as bigint) * {10 ** (6 - digits)})"


@function(as_is)
def unix_timestamp(a: Typed | None = None) -> Typed:
    if a is None:
        return Typed("(epoch_us(this_moment(0)) // 1000000)", INTEGER, "", False)
    digits = fraction(a)
    micros = f"to_epoch({moment(a)})"
    if not digits:
        return Typed(f"({micros} // 1000000)", INTEGER)
    return Typed(f"({micros} / 1000000)", decimal(17, digits), "double")


@function(as_is, as_is)
def from_unixtime(a: Typed, pattern: Typed | None = None) -> Typed:
    micros, digits = _of_seconds(a)
    found = Typed(f"from_epoch({micros})", moment_type(digits))
    return found if pattern is None else _formatted(found, pattern)


@function(integer, integer, as_is, returns=span_type())
def maketime(h: str, m: str, s: Typed) -> str:
    if s.kind not in ("integer", "null"):
        raise refuse(s, "the seconds of MAKETIME")
    return f"make_span({h}, {m}, {number(s)})"


@function(integer, integer, returns=DATE)
def makedate(y: str, n: str) -> str:
    return f"make_day({y}, {n})"


@function(integer, returns=DATE)
def from_days(n: str) -> str:
    return f"from_days({n})"


@special("TIMESTAMPDIFF")
def timestampdiff(arguments: list[exp.Expr], context: Context) -> Typed:
    """How many whole units lie between two moments."""
    if len(arguments) != 3:
        raise Refusal(1582, "42000", "Incorrect parameter count in TIMESTAMPDIFF")
    unit = arguments[0].name.upper().removeprefix("SQL_TSI_")
    a, b = (moment(context.typed(item)) for item in arguments[1:])
    if unit in MICROSECONDS:
        difference = f"(epoch_us({b}) - epoch_us({a}))"
        return Typed(f"({difference} // {MICROSECONDS[unit]})", INTEGER)
    if unit in MONTHS:
        months = f"whole_months({a}, {b})"
        return Typed(months if unit == "MONTH" else f"({months} // {MONTHS[unit]})", INTEGER)
    raise Refusal(1064, "42000", f"You have an error in your SQL syntax near '{unit}'")


@special("TIMESTAMPADD")
def timestampadd(arguments: list[exp.Expr], context: Context) -> Typed:
    if len(arguments) != 3:
        raise Refusal(1582, "42000", "Incorrect parameter count in TIMESTAMPADD")
    unit = arguments[0].name.upper().removeprefix("SQL_TSI_")
    return _later(context.typed(arguments[2]), arguments[1], unit, 1, context)


@special("DATE_ADD", "ADDDATE")
def date_add(arguments: list[exp.Expr], context: Context) -> Typed:
    return _with_interval(arguments, 1, context)


@special("DATE_SUB", "SUBDATE")
def date_sub(arguments: list[exp.Expr], context: Context) -> Typed:
    return _with_interval(arguments, -1, context)


def _with_interval(arguments: list[exp.Expr], sign: int, context: Context) -> Typed:
    if len(arguments) != 2:
        raise Refusal(1064, "42000", "You have an error in your SQL syntax near ')'")
    a, step = context.typed(arguments[0]), arguments[1]
    if isinstance(step, exp.Interval):
        return _later(a, step.this, step.args["unit"].name.upper(), sign, context)
    return _later(a, step, "DAY", sign, context)


@operator(exp.Add, exp.Sub)
def plus_minus(node: exp.Expr, context: Context) -> Typed:
    sign = "+" if isinstance(node, exp.Add) else "-"
    for step, other in ((node.expression, node.this), (node.this, node.expression)):
        # without a unit it is a function
        if isinstance(step, exp.Interval) and step.args.get("unit"):
            unit = step.args["unit"].name.upper()
            return _later(context.typed(other), step.this, unit, 1 if sign == "+" else -1, context)
    return added(*context.both(node), sign)


def _later(a: Typed, amount: exp.Expr, unit: str, sign: int, context: Context) -> Typed:
    """A date or datetime so many units later: a date stays one if it moves by days."""
    if a.kind not in (*MOMENTS, "time", "string", "null"):
        raise refuse(a, "a date plus an interval")
    step = context.typed(amount)
    months, micros = _amount(step, unit, sign)
    is_whole = step.kind == "integer" or str(step.value).strip(" -").isdigit()
    digits = 0 if is_whole or unit != "SECOND" else min(step.decimals, 6)
    digits = max(fraction(a) if a.kind != "string" or a.value else 0, digits)
    if unit == "MICROSECOND":
        digits = 6
    if a.kind == "time":
        if months or unit == "WEEK":
            raise refuse(a, f"an interval of {unit}")
        later, last = f"({span(a)} + {micros})", 10 ** (6 - digits)
        later = f"({later} // {last} * {last})" if step.held == "double" else later
        return Typed(f"span_or_null({later})", span_type(digits))
    if months:
        moved = f"in_calendar({moment(a)} + to_months({months}))"
    else:
        moved = f"in_calendar({moment(a)} + to_microseconds({micros}))"
    if step.held == "double" and unit == "SECOND":
        moved = cut(moved, digits)
    by_days = unit in ("DAY", "WEEK", *MONTHS, "YEAR_MONTH")
    if a.kind == "date" and by_days:
        return Typed(f"cast({moved} as date)", DATE)
    if a.kind != "string":
        return Typed(moved, moment_type(digits))
    if not is_whole and unit == "SECOND":
        raise refuse(a, "a date plus a broken number of seconds")
    shown = text(Typed(moved, moment_type(digits)))
    if a.value is None:
        shown = f"without_fraction({text(a)}, {shown})"
    if by_days:
        # a day stays one
        shown = f"left({shown}, if(length(trim({text(a)})) <= 10, 10, 26))"
    return Typed(shown, STRING)


def _amount(step: Typed, unit: str, sign: int) -> tuple[str, str]:
    """An interval as months, or as microseconds; the other one is empty."""
    if unit in MONTHS:
        months = _times(step, sign * MONTHS[unit])
        return months if months.lstrip("-").isdigit() else f"cast({months} as integer)", ""
    if unit == "SECOND" and step.kind != "integer":
        if step.kind == "decimal":
            # of a quotient digits count that it does not show
            return "", f"{sign} * {_cut_seconds(step, 6 if step.held else min(step.decimals, 6))}"
        return "", f"{sign} * digits_to_microseconds({double(step)})"
    if unit in MICROSECONDS:
        return "", _times(step, sign * MICROSECONDS[unit])
    if unit in COMPOUND and isinstance(step.value, str | int):
        written = str(step.value)
        parts = [int(part) for part in re.findall(r"\d+", written)]
        sign = -sign if written.strip().startswith("-") else sign
        units = COMPOUND[unit][-len(parts) :]
        if unit == "YEAR_MONTH":
            total = sum(n * MONTHS[u] for n, u in zip(parts, units, strict=False))
            return str(sign * total), ""
        return "", str(sign * sum(n * MICROSECONDS[u] for n, u in zip(parts, units, strict=False)))
    raise Refusal(1235, "42000", f"The mirror does not add an interval of {unit}")


def _times(step: Typed, factor: int) -> str:
    if isinstance(step.value, int) and not isinstance(step.value, bool):
        return str(step.value * factor)
    if isinstance(step.value, str) and step.value.strip(" -").isdigit():
        return str(int(step.value.replace(" ", "")) * factor)
    return f"{integer(step)} * {factor}"


@function(as_is, as_is)
def addtime(a: Typed, b: Typed) -> Typed:
    return _moved(a, b, "+")


@function(as_is, as_is)
def subtime(a: Typed, b: Typed) -> Typed:
    return _moved(a, b, "-")


def _moved(a: Typed, b: Typed, sign: str) -> Typed:
    digits = max(fraction(a), fraction(b))
    if a.kind == "time":
        return Typed(_clipped(f"({span(a)} {sign} {span(b)})", digits), span_type(digits))
    if a.kind in MOMENTS:
        moved = f"in_calendar({moment(a)} {sign} to_microseconds({span(b)}))"
        return Typed(moved, moment_type(digits))
    raise refuse(a, "ADDTIME and SUBTIME")


# What a sign of DATE_FORMAT writes: a format of strftime, or an expression of the moment {0}.
SIGNS = {
    "a": "%a",
    "b": "%b",
    "c": "cast(month({0}) as varchar)",
    "D": "ordinal(day({0}))",
    "d": "%d",
    "e": "cast(day({0}) as varchar)",
    "f": "%f",
    "H": "%H",
    "h": "%I",
    "I": "%I",
    "i": "%M",
    "j": "%j",
    "k": "cast(hour({0}) as varchar)",
    "l": "cast((hour({0}) + 11) % 12 + 1 as varchar)",
    "M": "%B",
    "m": "%m",
    "p": "%p",
    "r": "%I:%M:%S %p",
    "S": "%S",
    "s": "%S",
    "T": "%H:%M:%S",
    **{sign: f"two_digits({_week('{0}', constant(mode))})" for mode, sign in enumerate("UuVv")},
    "W": "%A",
    "w": "cast(dayofweek({0}) as varchar)",
    "X": f"cast(year({_counted('{0}', constant(2))[1]}) as varchar)",
    "x": "cast(isoyear({0}) as varchar)",
    "Y": "%Y",
    "y": "%y",
    "%": "%%",
}


@function(as_is, as_is)
def date_format(a: Typed, pattern: Typed) -> Typed:
    return _formatted(a, pattern)


# What a sign of TIME_FORMAT writes of a time: of microseconds {0}.
TIME_SIGNS = {
    "H": "two_digits(abs({0}) // 3600000000)",
    "k": "cast(abs({0}) // 3600000000 as varchar)",
    "i": "two_digits(abs({0}) // 60000000 % 60)",
    "s": "two_digits(abs({0}) // 1000000 % 60)",
    "f": "lpad(cast(abs({0}) % 1000000 as varchar), 6, '0')",
    "h": "two_digits((abs({0}) // 3600000000 + 11) % 12 + 1)",
    "l": "cast((abs({0}) // 3600000000 + 11) % 12 + 1 as varchar)",
    "p": "if(abs({0}) // 3600000000 % 24 < 12, 'AM', 'PM')",
}
TIME_SIGNS |= {"S": TIME_SIGNS["s"], "I": TIME_SIGNS["h"]}
TIME_SIGNS["T"] = " || ':' || ".join(TIME_SIGNS[sign] for sign in "His")


@function(as_is, as_is)
def time_format(a: Typed, pattern: Typed) -> Typed:
    if not isinstance(pattern.value, str) or len(pattern.value) > LONGEST_FORMAT:
        raise Refusal(
            1235, "42000", "The mirror takes only a short constant for the format of a time"
        )
    us, pieces = span(a), []
    for sign, plain in re.findall(r"%(.)|([^%]+|%$)", pattern.value, re.DOTALL):
        if not plain and sign not in TIME_SIGNS:
            raise Refusal(1235, "42000", f"The mirror does not format a time by %{sign}")
        pieces.append(literals.quoted_text(plain) if plain else TIME_SIGNS[sign].format(us))
    if not pieces:
        return Typed("cast(null as varchar)", STRING)
    written = " || ".join((f"if({us} < 0, '-', '')", *pieces))
    return Typed(f"case when {us} is not null then {written} end", STRING)


def _formatted(a: Typed, pattern: Typed) -> Typed:
    if not isinstance(pattern.value, str) or len(pattern.value) > LONGEST_FORMAT:
        raise Refusal(
            1235, "42000", "The mirror takes only a short constant for the format of a date"
        )
    if a.kind == "time":
        raise refuse(a, "DATE_FORMAT")
    m = moment(a)
    pieces = []
    for sign, plain in re.findall(r"%(.)|([^%]+|%$)", pattern.value, re.DOTALL):
        if plain or sign not in SIGNS:
            pieces.append(literals.quoted_text(plain or sign))
        elif SIGNS[sign].startswith("%"):
            pieces.append(f"strftime({m}, '{SIGNS[sign]}')")
        else:
            pieces.append(SIGNS[sign].format(m))
    if not pieces:
        return Typed("cast(null as varchar)", STRING)
    return Typed(f"case when {m} is not null then {' || '.join(pieces)} end", STRING)


@function(as_is, as_is)
def str_to_date(a: Typed, pattern: Typed) -> Typed:
    if not isinstance(pattern.value, str) or len(pattern.value) > LONGEST_FORMAT:
        raise Refusal(
            1235, "42000", "The mirror takes only a short constant for the format of a date"
        )
    known = {**{sign: f"%{sign}" for sign in "abdHIjmpSYyM"}, "i": "%M", "s": "%S", "M": "%B"}
    known |= {"c": "%m", "e": "%d", "k": "%H", "l": "%I", "h": "%I", "f": "%f", "T": "%H:%M:%S"}
    signs = re.findall(r"%(.)", pattern.value)
    if any(sign not in known for sign in signs):
        raise Refusal(1235, "42000", f"The mirror does not read a date by '{pattern.value}'")
    form = re.sub(r"%(.)", lambda found: known[found[1]], pattern.value)
    has_name = bool(set(signs) & set("abMp"))
    read = f"read_date({text(a)}, {literals.quoted_text(form)}, {str(has_name).lower()})"
    has_time = set(signs) & set("HkhIlisSTf")
    if not set(signs) & set("YymcMbdej"):
        return Typed(f"(epoch_us({read}) - epoch_us(date_trunc('day', {read})))", span_type())
    if has_time:
        return Typed(read, moment_type(6 if "f" in signs else 0))
    return Typed(f"cast({read} as date)", DATE)


@function(as_is, names="NOW CURRENT_TIMESTAMP LOCALTIME LOCALTIMESTAMP SYSDATE UTC_TIMESTAMP")
def now(digits: Typed | None = None) -> Typed:
    places = 0 if digits is None else digits.value
    if not isinstance(places, int) or not 0 <= places <= 6:
        raise Refusal(1426, "42000", "Too big precision specified for 'now'. Maximum is 6")
    return Typed(f"this_moment({places})", moment_type(places), "", False)


@function(names="CURDATE CURRENT_DATE UTC_DATE")
def curdate() -> Typed:
    return Typed("cast(this_moment(0) as date)", DATE, "", False)


@function(as_is, names="CURTIME CURRENT_TIME UTC_TIME")
def curtime(digits: Typed | None = None) -> Typed:
    moment = now(digits)
    return Typed(span(moment), span_type(moment.decimals), "", False)
