"""Constants that MySQL reads out of text: dates, times, and the text itself."""

import re
from datetime import datetime, timedelta

# the number of decimals by which MySQL means "as many as there are"
NOT_FIXED = 31
# 838:59:59, beyond which MySQL clips a TIME
LONGEST_SPAN = ((838 * 60 + 59) * 60 + 59) * 1_000_000

Moment = tuple[int, int, int, int, int, int, int]

_DELIMITED = re.compile(
    r"\s*(\d{4}|\d{1,2})[^\w\s](\d{1,2})[^\w\s](\d{1,2})"
    r"(?:[T\s]+(\d{1,2})(?:[^\w\s](\d{1,2})(?:[^\w\s](\d{1,2})(?:\.(\d{0,6})\d*)?)?)?)?\s*(.*)",
    re.DOTALL,
)
_DIGITS = re.compile(r"\s*(\d{14}|\d{12}|\d{8}|\d{6})(?:\.(\d{0,6})\d*)?\s*(.*)", re.DOTALL)
_SPAN = re.compile(
    r"\s*(?P<sign>-?)(?:(?P<days>\d+)\s+)?(?P<hours>\d+)"
    r"(?::(?P<minutes>\d{1,2})(?::(?P<seconds>\d{1,2}))?)?(?:\.(?P<fraction>\d{0,6})\d*)?\s*"
)


def quoted_text(value: str) -> str:
    """Write a text as DuckDB's literal; a NUL, which ends DuckDB's statements, apart."""
    pieces = ["'" + piece.replace("'", "''") + "'" for piece in value.split("\0")]
    return pieces[0] if len(pieces) == 1 else "(" + " || chr(0) || ".join(pieces) + ")"


def moment(value: str) -> datetime | None:
    """Read a date or a datetime as leniently as MySQL does; None if it is none."""
    parts = _parts(value)
    try:
        return datetime(*parts) if parts else None
    except ValueError:
        return None


def eve(value: str) -> datetime | None:
    """The moment before a day that no calendar has, such as February 30; None for other texts.

    MySQL compares with such a day, which lies after the days before it and equals none.
    """
    year, month, day, *_ = _parts(value) or (0, 13, 32)
    if not year or month > 12 or day > 31:
        return None
    first = datetime(year, month or 1, 1)
    if month and day:
        first = datetime(year + month // 12, month % 12 + 1, 1)
    return first - timedelta(microseconds=1)


def _parts(value: str) -> Moment | None:
    """Year, month, day, hour, minute, second and microsecond as a text gives them."""
    match = _DELIMITED.fullmatch(value)
    if match:
        *parts, fraction, _ = match.groups()
    else:
        match = _DIGITS.fullmatch(value)
        if not match:
            return None
        digits, fraction, _ = match.groups()
        split = 4 if len(digits) in (8, 14) else 2
        parts = [digits[:split], *re.findall("..", digits[split:])]
    numbers = [int(part or 0) for part in (*parts, *[None] * (6 - len(parts)))]
    year, month, day, hour, minute, second = numbers
    if len(parts[0]) <= 2:
        year += 2000 if year < 70 else 1900
    return year, month, day, hour, minute, second, int((fraction or "").ljust(6, "0"))


def span(value: str) -> int | None:
    """Read a time as MySQL does, into microseconds, clipped; None if it is none."""
    # 10:11:12 is no day of the year 10
    dated = re.match(r"\s*(\d+)[-/.]\d+[-/.]\d+(?P<time>[T\s]+\d)?", value)
    if dated and not dated["time"]:
        # of a day alone MySQL takes the year for minutes and seconds
        value = dated[1]
    found = moment(value) if dated and dated["time"] else None
    if found:
        return (
            ((found.hour * 60 + found.minute) * 60 + found.second) * 1_000_000
            + found.microsecond
        )  # fmt: skip
    match = _SPAN.fullmatch(value)
    if not match:
        return None
    if match["minutes"] is None and match["days"] is None:
        digits = match["hours"].zfill(6)
        hours, minutes, seconds = int(digits[:-4]), int(digits[-4:-2]), int(digits[-2:])
    else:
        hours = int(match["days"] or 0) * 24 + int(match["hours"])
        minutes, seconds = int(match["minutes"] or 0), int(match["seconds"] or 0)
    if minutes > 59 or seconds > 59:
        return None
    micros = ((hours * 60 + minutes) * 60 + seconds) * 1_000_000
    micros += int((match["fraction"] or "").ljust(6, "0"))
    micros = min(micros, LONGEST_SPAN)
    return -micros if match["sign"] else micros


def fraction_digits(value: str) -> int:
    """How many digits of a second a text of a date or a time gives, at most 6."""
    match = re.search(r":\d+\.(\d+)", value)
    return min(len(match[1]), 6) if match else 0
