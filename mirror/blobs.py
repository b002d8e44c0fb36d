"""DataJoint blobs: bytes from MATLAB or Python, into values that SQL can ask.

The heading says only "blob", so a column is typed by all its values: numbers and arrays of
one depth become `DOUBLE`, `BIGINT[]`, `DOUBLE[][]`, ...; anything else becomes JSON.
"""

import json
import math
import struct
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa

# A blob holds one session's arrays, some kilobytes; beyond this it is damage or an attack.
LARGEST = 256 * 1024 * 1024
COMPRESSED = b"ZL123\0"
FORMATS = (b"mYm\0", b"dj0\0")
# Of an array: format, the letter of its kind and the number of its dimensions; further on, the
# number of its type and whether it is complex.
ARRAY, NUMBERS = struct.Struct("<4scQ"), struct.Struct("<II")
# The types of real numbers, by the number that MATLAB and DataJoint give them.
REAL = dict(
    enumerate(map(np.dtype, ["f8", "f4", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8"]), start=6)
)
# Integers beyond this do not survive in a DOUBLE.
EXACT = 2**53
# Arrow refuses lists nested deeper than 64, and nobody asks such a column anything.
DEEPEST = 16


class Undecodable(ValueError):
    """The bytes are not a blob that DataJoint would read."""


@dataclass(frozen=True)
class Kind:
    """What a value is: the type of its numbers and how deep they are nested.

    `element` is '' (no number seen), 'bool', 'int', 'wide' (an integer that no DOUBLE
    holds), 'float', or 'json' for everything that is not a nest of numbers.
    """

    element: str = ""
    depth: int = 0

    def __or__(self, other: "Kind") -> "Kind":
        """The narrowest kind that holds the values of both.

        A scalar among arrays is read as an array of one: IBL stores a lone NaN where a
        session has no reaction time at all.
        """
        if self is other:
            return self
        if self == NOTHING or other == NOTHING:
            return other if self == NOTHING else self
        element = _ELEMENTS.get((self.element, other.element), "json")
        depths = {self.depth, other.depth}
        if element == "json" or (len(depths) > 1 and depths != {0, 1}):
            return JSON
        return Kind(element, max(depths))

    @property
    def duckdb_type(self) -> str:
        if self == NOTHING:
            return "DOUBLE[]"
        return _DUCKDB[self.element] + "[]" * self.depth

    @property
    def arrow_type(self) -> pa.DataType:
        if self == NOTHING:
            return pa.list_(pa.float64())
        arrow = _ARROW[self.element]
        for _ in range(self.depth):
            arrow = pa.list_(arrow)
        return arrow


NOTHING = Kind()
JSON = Kind("json")
_ORDER = ("", "bool", "int", "float")
_ELEMENTS = {(a, b): max(a, b, key=_ORDER.index) for a in _ORDER for b in _ORDER} | {
    pair: "wide" for a in ("", "bool", "int", "wide") for pair in ((a, "wide"), ("wide", a))
}
_DUCKDB = {"": "DOUBLE", "bool": "BOOLEAN", "int": "BIGINT", "wide": "BIGINT"}
_DUCKDB |= {"float": "DOUBLE", "json": "JSON"}
_ARROW = {"": pa.float64(), "bool": pa.bool_(), "int": pa.int64(), "wide": pa.int64()}
_ARROW |= {"float": pa.float64(), "json": pa.string()}
# of the arrays that DataJoint's blobs are made of again, by the type of their numbers here
DTYPES = {"DOUBLE": np.float64, "BIGINT": np.int64, "BOOLEAN": np.bool_}
_CAST: dict[str, Callable[[Any], Any]] = {"": float, "bool": bool, "int": int, "wide": int}
_CAST |= {"float": float}


def unpacker(decoder: type) -> Callable[[bytes, int], Any]:
    """Make DataJoint's class `Blob` decode bytes whose sizes are so wide, and end where they end.

    Sizes are 8 bytes wide, or 4 where MATLAB's mYm was compiled for 32 bits, which DataJoint
    reads with `datajoint.blob.use_32bit_dims`.
    """

    class Bounded(decoder):
        def __init__(self, width: int) -> None:
            super().__init__()
            self._sizes = f"uint{8 * width}"

        def read_value(self, dtype: Any = None, count: int = 1) -> Any:
            return super().read_value(self._sizes if dtype is None else dtype, count)

        def read_zero_terminated_string(self) -> str:
            # a name without an end sends it back to the start, for every name claimed
            if self._blob.find(b"\0", self._pos) < 0:
                raise Undecodable("ends within a name")
            return super().read_zero_terminated_string()

    return lambda raw, width: Bounded(width).unpack(raw)


def decode_either(raw: bytes, unpack: Callable[[bytes, int], Any]) -> tuple[Any, bool]:
    """Decode one blob, of either width; tells whether it is the one that DataJoint writes."""
    try:
        return decode(raw, unpack), True
    except Undecodable:
        return decode(raw, unpack, width=4), False


def decode(raw: bytes, unpack: Callable[[bytes, int], Any], width: int = 8) -> Any:
    """Decode one blob with DataJoint's `unpack`, whatever the bytes claim to be.

    The claimed size is checked before and while decompressing, so that a few bytes cannot
    ask for gigabytes. Raises Undecodable.
    """
    if raw.startswith(COMPRESSED):
        start = len(COMPRESSED) + width
        claimed = int.from_bytes(raw[len(COMPRESSED) : start], "little")
        if claimed > LARGEST:
            raise Undecodable(f"claims {claimed:,} bytes")
        stream = zlib.decompressobj()
        try:
            raw = stream.decompress(raw[start:], claimed + 1)
        except zlib.error as error:
            raise Undecodable(str(error)) from error
        if len(raw) != claimed or not stream.eof:
            raise Undecodable("does not decompress to the size it claims")
    if not raw.startswith(FORMATS):
        raise Undecodable("is not in a format that DataJoint writes")
    try:
        array = _plain_array(raw) if width == 8 else None
        return unpack(raw, width) if array is None else array
    # damaged bytes make the decoder fail in any way there is
    except Exception as error:
        raise Undecodable(str(error)) from error


def _plain_array(raw: bytes) -> np.ndarray | None:
    """An array of real numbers, all that most columns hold, or None for DataJoint to decode.

    The same as DataJoint makes of it, ten times as fast.
    """
    if raw[4:5] != b"A" or len(raw) < ARRAY.size:
        return None
    dimensions = ARRAY.unpack_from(raw)[-1]
    start = ARRAY.size + 8 * dimensions + NUMBERS.size
    if not 0 < dimensions <= DEEPEST or len(raw) < start:
        return None
    shape = struct.unpack_from(f"<{dimensions}Q", raw, ARRAY.size)
    number, is_complex = NUMBERS.unpack_from(raw, start - NUMBERS.size)
    dtype = REAL.get(number)
    size = math.prod(shape)
    if dtype is None or is_complex or len(raw) != start + size * dtype.itemsize or not size:
        return None
    array = np.frombuffer(raw, dtype, offset=start)
    return array if dimensions == 1 else array.reshape(shape, order="F")


def kind(value: Any) -> Kind:
    """Tell what a decoded value is."""
    if value is None:
        return NOTHING
    if type(value) is np.ndarray and value.dtype.kind in "biuf":
        return _array_kind(value)
    if isinstance(value, bool | np.bool_):
        return Kind("bool")
    if isinstance(value, int | np.integer):
        return _integer_kind(int(value), int(value), 0)
    if isinstance(value, float | np.floating):
        return Kind("float")
    if type(value) is np.ndarray and value.dtype == object and value.ndim:
        value = _listed(value)
    if isinstance(value, list | tuple):
        inner = NOTHING
        for item in value:
            found = kind(item)
            if inner != NOTHING and found != NOTHING and found.depth != inner.depth:
                return JSON
            inner |= found
        return JSON if inner.element == "json" else _nest(inner.element, inner.depth + 1)
    return JSON


def is_restored(value: Any, kind: Kind) -> bool:
    """Whether the value comes back equal from what a column of that kind keeps of it.

    Of an array in NumPy's own width all is kept; of a narrower one, of a list, a lone number
    or a structure, the form is not.
    """
    return (
        kind != JSON
        and type(value) is np.ndarray
        and value.dtype == DTYPES[_DUCKDB[kind.element]]
        and value.ndim == kind.depth
        # of rows of nothing only the rows are kept
        and (kind.depth == 1 or value.size > 0)
    )


def column(values: Iterable[Any], wanted: Kind) -> pa.Array:
    """Put decoded values into one Arrow array of the wanted kind; None becomes NULL."""
    if wanted.element == "json":
        return pa.array(
            [None if value is None else to_json(value) for value in values], pa.string()
        )
    values = list(values)
    if wanted.depth == 1 and all(value is None or _is_row(value) for value in values):
        return _rows(values, wanted)
    cast = _CAST[wanted.element]
    return pa.array([_nested(value, cast, wanted.depth) for value in values], wanted.arrow_type)


def to_json(value: Any) -> str:
    """Write a decoded structure as JSON, with all that is in it.

    What JSON lacks is written as text: NaN, infinities, dates, bytes in hexadecimal; a set is a
    list, a complex number a list of two. Keys become text, and where two of a dictionary would
    be the same text it is a list of pairs.
    """
    return json.dumps(_jsonable(value), ensure_ascii=False, allow_nan=False)


def _array_kind(array: np.ndarray) -> Kind:
    if array.dtype.kind == "f":
        return _nest("float", array.ndim)
    if array.dtype.kind == "b":
        return _nest("bool", array.ndim)
    if not array.size:
        return _nest("int", array.ndim)
    return _integer_kind(int(array.min()), int(array.max()), array.ndim)


def _integer_kind(smallest: int, largest: int, depth: int) -> Kind:
    if smallest < -(2**63) or largest >= 2**63:
        return JSON
    return _nest("int" if smallest >= -EXACT and largest <= EXACT else "wide", depth)


@cache
def _nest(element: str, depth: int) -> Kind:
    return Kind(element, depth) if depth <= DEEPEST else JSON


def _listed(array: np.ndarray | np.generic) -> Any:
    # rows of nothing cost a blob no bytes, and may be claimed by the billion
    return array.tolist() if array.size else []


def _is_row(value: Any) -> bool:
    """Whether a value is numbers in a row, or one that is read as such."""
    if type(value) is np.ndarray:
        return value.ndim == 1 and value.dtype.kind in "biuf"
    return type(value) in (bool, int, float)


def _rows(values: Sequence[Any], wanted: Kind) -> pa.Array:
    """Lists of numbers, as most columns are: the same as of nested ones, many times as fast."""
    rows = [np.atleast_1d(() if value is None else value) for value in values]
    ends = pa.array(np.cumsum([0, *map(len, rows)]), pa.int32())
    dtype = DTYPES[_DUCKDB[wanted.element]]
    numbers: np.ndarray = np.concatenate([np.empty(0, dtype), *rows], dtype=dtype, casting="unsafe")
    is_null = pa.array([value is None for value in values], pa.bool_())
    return pa.ListArray.from_arrays(ends, numbers, wanted.arrow_type, mask=is_null)


def _nested(value: Any, cast: Callable[[Any], Any], depth: int) -> Any:
    if value is None:
        return None
    if isinstance(value, np.ndarray):
        value = _listed(value)
    if depth == 0:
        return cast(value)
    if not isinstance(value, list | tuple):
        value = [value]
    return [_nested(item, cast, depth - 1) for item in value]


def _jsonable(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, complex):
        return [_jsonable(value.real), _jsonable(value.imag)]
    if isinstance(value, np.ndarray) and value.dtype.names:
        # MATLAB's structures have two dimensions, of which one says nothing
        return [_jsonable(row) for row in np.atleast_1d(value.squeeze())] if value.size else []
    if isinstance(value, np.void) and value.dtype.names:
        return {name: _jsonable(value[name]) for name in value.dtype.names}
    if isinstance(value, np.ndarray | np.generic):
        return _jsonable(_listed(value.astype(str) if value.dtype.kind in "mM" else value))
    if isinstance(value, Mapping):
        written = {str(key): _jsonable(item) for key, item in value.items()}
        if len(written) < len(value):
            return [[_jsonable(key), _jsonable(item)] for key, item in value.items()]
        return written
    if isinstance(value, bytes | bytearray):
        return value.hex()
    if isinstance(value, set | frozenset):
        return sorted((_jsonable(item) for item in value), key=str)
    if isinstance(value, Sequence):
        return [_jsonable(item) for item in value]
    if isinstance(value, date | datetime | time):
        return value.isoformat()
    return str(value)
