"""Rows as packets, built for a whole batch at once.

A row is one packet: its length and number in four bytes, then its values. Arrow joins the
pieces of all rows into one buffer, which is sent as it lies there.

In the text protocol each value is a length-encoded string. In the binary protocol a zero byte
and a bit for each NULL come first, then what is not NULL: numbers in their own bytes, dates and
times in their parts, and the rest as length-encoded strings.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pymysql.constants import FIELD_TYPE

from mirror.serve.answers import Field
from mirror.serve.wire.channel import FULL, Channel
from mirror.serve.wire.packets import length_encoded_integer

NULL = b"\xfb"
# the lengths whose encoding is looked up; NULL is looked up after them
LOOKED_UP = 1 << 16
NULL_LENGTH = LOOKED_UP
PIECE_BYTES = 2 << 20
# how the binary protocol writes numbers: in so many bytes, the lowest first
NUMBERS = {
    FIELD_TYPE.TINY: "i1",
    FIELD_TYPE.SHORT: "<i2",
    FIELD_TYPE.YEAR: "<i2",
    FIELD_TYPE.INT24: "<i4",
    FIELD_TYPE.LONG: "<i4",
    FIELD_TYPE.LONGLONG: "<i8",
    FIELD_TYPE.FLOAT: "<f4",
    FIELD_TYPE.DOUBLE: "<f8",
}
# bits of a row's NULLs that are not used
UNUSED_BITS = 2
MICROSECONDS_OF_A_DAY = 86_400_000_000
# a date or a time leaves out its last parts where they are zero
MOMENT = np.dtype(
    [
        *(("size", "u1"), ("year", "<u2"), ("month", "u1"), ("day", "u1")),
        *(("hour", "u1"), ("minute", "u1"), ("second", "u1"), ("fraction", "<u4")),
    ]
)
SPAN = np.dtype(
    [
        *(("size", "u1"), ("is_negative", "u1"), ("days", "<u4")),
        *(("hour", "u1"), ("minute", "u1"), ("second", "u1"), ("fraction", "<u4")),
    ]
)


class Values(Protocol):
    """A column's part of each row: how many bytes, and for some rows the bytes themselves."""

    @property
    def sizes(self) -> np.ndarray: ...

    def parts(self, piece: slice) -> list[pa.Array]: ...


@dataclass(frozen=True)
class Plain:
    """Bytes as they are sent; none for NULL."""

    column: pa.Array
    sizes: np.ndarray

    def parts(self, piece: slice) -> list[pa.Array]:
        return [self.column[piece]]


@dataclass(frozen=True)
class Strings:
    """Length-encoded strings; NULL is a byte in the text protocol, and nothing in the binary."""

    column: pa.Array
    lengths: np.ndarray
    null: bytes

    @property
    def sizes(self) -> np.ndarray:
        lengths = self.lengths
        prefix = np.select(
            [lengths < 0, lengths < 251, lengths < 1 << 16, lengths < 1 << 24],
            [len(self.null), 1, 3, 4],
            9,
        )
        return prefix + np.maximum(lengths, 0)

    def parts(self, piece: slice) -> list[pa.Array]:
        lengths = self.lengths[piece]
        return [_prefixes(lengths, self.null), self.column[piece]]


def send_text(channel: Channel, batch: pa.RecordBatch) -> None:
    """Send the rows of a batch whose columns are texts or bytes, or null."""
    if batch.num_rows:
        _send(channel, [_strings(column, NULL) for column in batch.columns])


def send_binary(channel: Channel, batch: pa.RecordBatch, fields: Sequence[Field]) -> None:
    """Send the rows of a batch whose columns are as `render.for_binary` has them."""
    if batch.num_rows:
        columns = [
            _values(column, field.type.mysql.code)
            for column, field in zip(batch.columns, fields, strict=True)
        ]
        _send(channel, [_null_bits(batch), *columns])


def get_ready() -> None:
    """Make the tables of lengths, for which the first client would wait."""
    for null in (NULL, b""):
        _table(null)


def _send(channel: Channel, columns: Sequence[Values]) -> None:
    sizes = np.sum([column.sizes for column in columns], axis=0)
    for start, stop in _pieces(sizes):
        piece = slice(start, stop)
        parts = [part for column in columns for part in column.parts(piece)]
        if sizes[start] < FULL:
            heads = _heads(sizes[piece], channel.sequence)
            channel.send_rows(_joined([heads, *parts]), stop - start)
        else:
            # of more than 16 MB, and alone in its piece
            channel.send(bytes(_joined(parts)))


def _strings(column: pa.Array, null: bytes) -> Strings:
    # NULL by itself has no type that could be cast
    if column.null_count == len(column):
        column = pa.nulls(len(column), pa.large_binary())
    column = column.cast(pa.large_binary())
    lengths = pc.fill_null(pc.binary_length(column), -1).to_numpy(zero_copy_only=False)
    return Strings(column, lengths, null)


def _values(column: pa.Array, code: int) -> Values:
    """What the binary protocol sends of a column."""
    if column.null_count == len(column):
        return Plain(pa.nulls(len(column), pa.large_binary()), np.zeros(len(column), np.int64))
    if code in NUMBERS:
        return _fixed(column, NUMBERS[code])
    match code:
        case FIELD_TYPE.DATE | FIELD_TYPE.DATETIME | FIELD_TYPE.TIMESTAMP:
            return _moments(column)
        case FIELD_TYPE.TIME:
            return _spans(column)
    return _strings(column, b"")


def _null_bits(batch: pa.RecordBatch) -> Plain:
    rows = np.zeros((batch.num_rows, 1 + (batch.num_columns + UNUSED_BITS + 7) // 8), np.uint8)
    for place, column in enumerate(batch.columns, UNUSED_BITS):
        if column.null_count:
            rows[:, 1 + place // 8] |= _is_null(column).astype(np.uint8) << place % 8
    return _cut(rows, np.full(len(rows), rows.shape[1]))


def _is_null(column: pa.Array) -> np.ndarray:
    return column.is_null().to_numpy(zero_copy_only=False)


def _fixed(column: pa.Array, kind: str) -> Plain:
    values = column.fill_null(0).to_numpy(zero_copy_only=False)
    wanted = kind.replace("i", "u") if values.dtype.kind == "u" else kind
    rows = np.ascontiguousarray(values.astype(wanted)).view(np.uint8).reshape(len(values), -1)
    return _cut(rows, np.where(_is_null(column), 0, rows.shape[1]))


def _moments(column: pa.Array) -> Plain:
    """Dates and datetimes."""
    moments = column.cast(pa.timestamp("us")).fill_null(0).to_numpy(zero_copy_only=False)
    days = moments.astype("datetime64[D]")
    months, years = days.astype("datetime64[M]"), days.astype("datetime64[Y]")
    rows = np.zeros(len(moments), MOMENT)
    rows["year"] = years.astype(np.int64) + 1970
    rows["month"] = (months - years.astype("datetime64[M]")).astype(np.int64) + 1
    rows["day"] = (days - months.astype("datetime64[D]")).astype(np.int64) + 1
    time = (moments - days).astype(np.int64)
    _split(rows, time)
    sizes = np.select([time % 1_000_000 != 0, time != 0], [11, 7], 4)
    return _temporal(rows, sizes, _is_null(column))


def _spans(column: pa.Array) -> Plain:
    """Times, as microseconds."""
    spans = column.fill_null(0).to_numpy(zero_copy_only=False)
    rows = np.zeros(len(spans), SPAN)
    rows["is_negative"] = spans < 0
    rows["days"] = np.abs(spans) // MICROSECONDS_OF_A_DAY
    _split(rows, np.abs(spans) % MICROSECONDS_OF_A_DAY)
    sizes = np.select([spans % 1_000_000 != 0, spans != 0], [12, 8], 0)
    return _temporal(rows, sizes, _is_null(column))


def _split(rows: np.ndarray, time: np.ndarray) -> None:
    """Write the parts of a time of day, in microseconds."""
    seconds, rows["fraction"] = np.divmod(time, 1_000_000)
    minutes, rows["second"] = np.divmod(seconds, 60)
    rows["hour"], rows["minute"] = np.divmod(minutes, 60)


def _temporal(rows: np.ndarray, sizes: np.ndarray, is_null: np.ndarray) -> Plain:
    rows["size"] = sizes
    written = rows.view(np.uint8).reshape(len(rows), -1)
    return _cut(written, np.where(is_null, 0, sizes + 1))


def _cut(rows: np.ndarray, sizes: np.ndarray) -> Plain:
    """The first bytes of each row, as many as it is to have."""
    is_kept = np.arange(rows.shape[1]) < sizes[:, None]
    ends = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    data = [None, pa.py_buffer(ends), pa.py_buffer(rows[is_kept])]
    return Plain(pa.Array.from_buffers(pa.large_binary(), len(rows), data), sizes)


def _pieces(sizes: np.ndarray) -> Iterator[tuple[int, int]]:
    """Cut rows where some megabytes are full; a row too long for one packet stands alone."""
    ends = np.cumsum(sizes)
    start = 0
    while start < len(sizes):
        before = ends[start] - sizes[start]
        stop = max(int(np.searchsorted(ends, before + PIECE_BYTES, side="right")), start + 1)
        yield start, stop
        start = stop


def _prefixes(lengths: np.ndarray, null: bytes) -> pa.Array:
    if lengths.max() < LOOKED_UP:
        return _table(null).take(pa.array(np.where(lengths < 0, NULL_LENGTH, lengths)))
    encoded = [null if length < 0 else length_encoded_integer(int(length)) for length in lengths]
    return pa.array(encoded, pa.large_binary())


@cache
def _table(null: bytes) -> pa.Array:
    encoded = [length_encoded_integer(length) for length in range(LOOKED_UP)] + [null]
    ends = np.cumsum([0, *map(len, encoded)], dtype=np.int64)
    data = [None, pa.py_buffer(ends), pa.py_buffer(b"".join(encoded))]
    return pa.Array.from_buffers(pa.large_binary(), len(encoded), data)


def _heads(sizes: np.ndarray, sequence: int) -> pa.Array:
    numbers = (sequence + np.arange(len(sizes))) % 256
    heads = (sizes | numbers << 24).astype("<u4")
    return pa.Array.from_buffers(
        pa.large_binary(),
        len(heads),
        [None, pa.py_buffer(np.arange(len(heads) + 1, dtype=np.int64) * 4), pa.py_buffer(heads)],
    )


def _joined(parts: list[pa.Array]) -> memoryview:
    nothing: Any = pa.scalar(b"", pa.large_binary())
    rows = pc.binary_join_element_wise(*parts, nothing, null_handling="skip")
    _, ends, data = rows.buffers()
    reach = np.frombuffer(ends, np.int64)[rows.offset : rows.offset + len(rows) + 1]
    return memoryview(data)[reach[0] : reach[-1]]
