"""Statements that a client has prepared, and the values that it sends for their parameters."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from struct import unpack

from pymysql.constants import FIELD_TYPE

from mirror.serve.answers import Refusal, Value
from mirror.serve.wire.packets import Reader

# as MySQL's max_prepared_stmt_count, of all clients together
MOST_STATEMENTS = 16_382
# what their texts and long data may fill, of all clients together
MOST_BYTES = 256 << 20
# what a statement costs beside its text
OVERHEAD = 512
# stands for the statement prepared last, in MariaDB's protocol
LAST = 2**32 - 1
UNSIGNED = 0x80
# flags of an execution: a cursor is asked for, but need not be given
CURSORS = 0x07


class Quota:
    """Room for what all clients of a server leave with it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.statements = self.bytes = 0

    def take(self, statements: int, length: int) -> None:
        """Raises Refusal 1461 where there is no room."""
        with self._lock:
            full = self.statements + statements > MOST_STATEMENTS
            if full or self.bytes + length > MOST_BYTES:
                raise Refusal(
                    1461,
                    "42000",
                    "Can't create more prepared statements: close some that are not used",
                )
            self.statements += statements
            self.bytes += length

    def give_back(self, statements: int, length: int) -> None:
        with self._lock:
            self.statements -= statements
            self.bytes -= length


@dataclass
class Statement:
    """A prepared statement, the types of its parameters as sent last, and long data by place."""

    text: str
    parameters: int
    types: list[tuple[int, bool]] | None = None
    long_data: dict[int, bytearray] = field(default_factory=dict)
    # what was sent as long data and cannot be taken is told at the execution
    fault: Refusal | None = None

    @property
    def size(self) -> int:
        return OVERHEAD + len(self.text) + sum(map(len, self.long_data.values()))


class Statements:
    """Those of one client, by their numbers."""

    def __init__(self, quota: Quota) -> None:
        self._quota = quota
        self._held: dict[int, Statement] = {}
        self._count = 0

    def add(self, statement: Statement) -> int:
        self._quota.take(1, statement.size)
        self._count += 1
        self._held[self._count] = statement
        return self._count

    def get(self, number: int) -> Statement:
        """Raises Refusal 1243 where there is none."""
        found = self._held.get(self._count if number == LAST else number)
        if found is None:
            raise Refusal(1243, "HY000", f"Unknown prepared statement handler ({number})")
        return found

    def close(self, number: int) -> None:
        statement = self._held.pop(number, None)
        if statement is not None:
            self._quota.give_back(1, statement.size)

    def clear(self) -> None:
        for number in list(self._held):
            self.close(number)

    def lengthen(self, number: int, parameter: int, data: bytes, limit: int) -> None:
        """Add to the long data of a parameter; this is never answered, whatever it is."""
        statement = self._held.get(self._count if number == LAST else number)
        if statement is None or statement.fault:
            return
        if parameter >= statement.parameters:
            statement.fault = Refusal(1210, "HY000", "Incorrect arguments to mysqld_stmt_send_long")
        elif statement.size + len(data) > limit:
            statement.fault = Refusal(1153, "08S01", f"A parameter has more than {limit} bytes.")
        else:
            try:
                self._quota.take(0, len(data))
            except Refusal as refusal:
                statement.fault = refusal
            else:
                statement.long_data.setdefault(parameter, bytearray()).extend(data)

    def forget_long_data(self, statement: Statement) -> None:
        """Forget its long data, and what was wrong with them."""
        self._quota.give_back(0, sum(map(len, statement.long_data.values())))
        statement.long_data.clear()
        statement.fault = None


def values(said: Reader, statement: Statement, text: Callable[[bytes], str]) -> list[Value]:
    """The parameters of an execution, behind its flags; `text` reads the client's letters.

    Raises Refusal 1210 for types that there are not and values that cannot be, Farewell where
    the packet ends early.
    """
    if not statement.parameters:
        return []
    bitmap = said.take((statement.parameters + 7) // 8)
    if said.integer(1):
        types = [
            (said.integer(1), bool(said.integer(1) & UNSIGNED)) for _ in range(statement.parameters)
        ]
        statement.types = types
    if statement.types is None:
        raise Refusal(1210, "HY000", "Incorrect arguments to EXECUTE: no types were sent")
    return [
        _given(said, statement, place, bool(bitmap[place // 8] >> place % 8 & 1), kind, text)
        for place, kind in enumerate(statement.types)
    ]


def _given(
    said: Reader,
    statement: Statement,
    place: int,
    is_null: bool,
    kind: tuple[int, bool],
    text: Callable[[bytes], str],
) -> Value:
    code, is_unsigned = kind
    if place in statement.long_data:
        return _letters(bytes(statement.long_data[place]), code, text)
    if is_null or code == FIELD_TYPE.NULL:
        return None
    if code in WIDTHS:
        return said.integer(WIDTHS[code], is_signed=not is_unsigned)
    match code:
        case FIELD_TYPE.FLOAT:
            return unpack("<f", said.take(4))[0]
        case FIELD_TYPE.DOUBLE:
            return unpack("<d", said.take(8))[0]
        case FIELD_TYPE.DATE | FIELD_TYPE.DATETIME | FIELD_TYPE.TIMESTAMP:
            return _moment(said, is_date=code == FIELD_TYPE.DATE)
        case FIELD_TYPE.TIME:
            return _span(said)
        case FIELD_TYPE.DECIMAL | FIELD_TYPE.NEWDECIMAL:
            return _decimal(said.length_encoded_string())
    if code not in TEXTS and code not in BYTES:
        raise Refusal(1210, "HY000", f"Incorrect arguments to EXECUTE: there is no type {code}")
    return _letters(said.length_encoded_string(), code, text)


WIDTHS = {
    FIELD_TYPE.TINY: 1,
    FIELD_TYPE.SHORT: 2,
    FIELD_TYPE.YEAR: 2,
    FIELD_TYPE.INT24: 4,
    FIELD_TYPE.LONG: 4,
    FIELD_TYPE.LONGLONG: 8,
}
TEXTS = {
    *(FIELD_TYPE.VARCHAR, FIELD_TYPE.VAR_STRING, FIELD_TYPE.STRING, FIELD_TYPE.JSON),
    *(FIELD_TYPE.ENUM, FIELD_TYPE.SET),
}
BYTES = {
    *(FIELD_TYPE.TINY_BLOB, FIELD_TYPE.MEDIUM_BLOB, FIELD_TYPE.LONG_BLOB, FIELD_TYPE.BLOB),
    *(FIELD_TYPE.BIT, FIELD_TYPE.GEOMETRY),
}


def _letters(data: bytes, code: int, text: Callable[[bytes], str]) -> Value:
    if code in BYTES:
        return data
    try:
        return text(data)
    except UnicodeDecodeError:
        # drivers send bytes as if they were text: a mouse's key, from Go
        return data


def _moment(said: Reader, is_date: bool) -> Value:
    length = said.integer(1)
    if length not in (0, 4, 7, 11):
        raise Refusal(1210, "HY000", f"Incorrect arguments to EXECUTE: a date of {length} bytes")
    parts = Reader(said.take(length) + bytes(11 - length))
    year, month, day = parts.integer(2), parts.integer(1), parts.integer(1)
    hour, minute, second = parts.integer(1), parts.integer(1), parts.integer(1)
    fraction = parts.integer(4)
    try:
        if is_date:
            return date(year, month, day)
        return datetime(year, month, day, hour, minute, second, fraction)
    except ValueError:
        # such as 0000-00-00, of which MySQL too makes what it makes of the text
        written = f"{year:04}-{month:02}-{day:02}"
        return written if is_date else f"{written} {hour:02}:{minute:02}:{second:02}"


def _span(said: Reader) -> timedelta:
    length = said.integer(1)
    if length not in (0, 8, 12):
        raise Refusal(1210, "HY000", f"Incorrect arguments to EXECUTE: a time of {length} bytes")
    parts = Reader(said.take(length) + bytes(12 - length))
    sign = -1 if parts.integer(1) else 1
    days, hours, minutes, seconds = (parts.integer(width) for width in (4, 1, 1, 1))
    try:
        return sign * timedelta(
            days=days, hours=hours, minutes=minutes, seconds=seconds, microseconds=parts.integer(4)
        )
    except OverflowError as error:
        raise Refusal(1210, "HY000", f"Incorrect arguments to EXECUTE: {days} days") from error


def _decimal(data: bytes) -> Decimal:
    try:
        value = Decimal(data.decode("ascii"))
        if value.is_finite() and abs(value.adjusted()) <= 65:
            return value
    except (UnicodeDecodeError, InvalidOperation):
        pass
    raise Refusal(1210, "HY000", "Incorrect arguments to EXECUTE: a decimal that is none")
