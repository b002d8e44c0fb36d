"""Rows as packets, built for a whole batch at once.

A row is one packet: its length and number in four bytes, then each value after the number of
its bytes. Arrow joins the pieces of all rows into one buffer, which is sent as it lies there.
"""

from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mirror.serve.wire.channel import FULL, Channel
from mirror.serve.wire.packets import number

NULL = b"\xfb"
# the lengths whose encoding is looked up; NULL is looked up after them
LOOKED_UP = 1 << 16
NULL_LENGTH = LOOKED_UP
PIECE_BYTES = 2 << 20


def send(channel: Channel, batch: pa.RecordBatch) -> None:
    """Send the rows of a batch whose columns are texts or bytes, or null."""
    if batch.num_rows == 0:
        return
    columns = [_bytes(column) for column in batch.columns]
    lengths = [_lengths(column) for column in columns]
    sizes = np.sum([_sizes(length) for length in lengths], axis=0)
    for start, stop in _pieces(sizes):
        piece = slice(start, stop)
        prefixes = [_prefixes(length[piece]) for length in lengths]
        values = [column[piece] for column in columns]
        if sizes[start] < FULL:
            heads = _heads(sizes[piece], channel.sequence)
            channel.send_rows(_joined([heads, *_alternating(prefixes, values)]), stop - start)
        else:
            # of more than 16 MB, and alone in its piece
            channel.send(bytes(_joined(_alternating(prefixes, values))))


def _bytes(column: pa.Array) -> pa.Array:
    # NULL by itself has no type that could be cast
    if column.null_count == len(column):
        return pa.nulls(len(column), pa.large_binary())
    return column.cast(pa.large_binary())


def _lengths(column: pa.Array) -> np.ndarray:
    return pc.fill_null(pc.binary_length(column), -1).to_numpy(zero_copy_only=False)


def _sizes(lengths: np.ndarray) -> np.ndarray:
    """The bytes that each value takes in its row, with its prefix."""
    prefix = np.select([lengths < 251, lengths < 1 << 16, lengths < 1 << 24], [1, 3, 4], 9)
    return prefix + np.maximum(lengths, 0)


def _pieces(sizes: np.ndarray) -> Iterator[tuple[int, int]]:
    """Cut rows where some megabytes are full; a row too long for one packet stands alone."""
    ends = np.cumsum(sizes)
    start = 0
    while start < len(sizes):
        before = ends[start] - sizes[start]
        stop = max(int(np.searchsorted(ends, before + PIECE_BYTES, side="right")), start + 1)
        yield start, stop
        start = stop


def _prefixes(lengths: np.ndarray) -> pa.Array:
    if lengths.max() < LOOKED_UP:
        return _table().take(pa.array(np.where(lengths < 0, NULL_LENGTH, lengths)))
    encoded = [NULL if length < 0 else number(int(length)) for length in lengths]
    return pa.array(encoded, pa.large_binary())


@cache
def _table() -> pa.Array:
    encoded = [number(length) for length in range(LOOKED_UP)] + [NULL]
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


def _alternating(prefixes: list[pa.Array], values: list[pa.Array]) -> list[pa.Array]:
    return [part for pair in zip(prefixes, values, strict=True) for part in pair]


def _joined(parts: list[pa.Array]) -> memoryview:
    nothing: Any = pa.scalar(b"", pa.large_binary())
    rows = pc.binary_join_element_wise(*parts, nothing, null_handling="skip")
    _, ends, data = rows.buffers()
    reach = np.frombuffer(ends, np.int64)[rows.offset : rows.offset + len(rows) + 1]
    return memoryview(data)[reach[0] : reach[-1]]
