"""Floating-point numbers as MySQL prints them, a batch at once.

Arrow writes the shortest digits that make a number, as MySQL does; only what it writes with an
exponent MySQL may write otherwise.
"""

from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

# where MySQL writes a DOUBLE without an exponent
SMALLEST_PLAIN, LARGEST_PLAIN = 1e-15, 1e15
# where six digits of a FLOAT are rounded without loss: multiplied, they still fit a DOUBLE
BORDERS = 10.0 ** np.arange(-3, 7)
POWERS = 10.0 ** np.arange(8, -1, -1)


def texts(column: pa.Array) -> pa.Array:
    """The texts of an array of DOUBLE, or of FLOAT, which leaves MySQL with six digits."""
    numbers = _six_digits(column) if column.type == pa.float32() else column
    # MariaDB writes no -0
    written = pc.add(numbers, 0.0).cast(pa.string())
    has_exponent = pc.match_substring(written, "e").fill_null(False)
    if not pc.any(has_exponent).as_py():
        return written
    others = [_text(number) for number in numbers.filter(has_exponent).to_pylist()]
    return pc.replace_with_mask(written, has_exponent, pa.array(others, pa.string()))


def _six_digits(column: pa.Array) -> pa.Array:
    """The DOUBLE that is read from the six digits of each FLOAT."""
    values = column.fill_null(0).to_numpy(zero_copy_only=False).astype(np.float64)
    places = np.searchsorted(BORDERS, np.abs(values), side="right") - 1
    is_between = (places >= 0) & (places < len(POWERS))
    powers = POWERS[np.where(is_between, places, 0)]
    rounded = np.rint(values * powers) / powers
    for place in np.flatnonzero(~is_between & (values != 0)):
        rounded[place] = float(f"{values[place]:.6g}")
    return pa.array(rounded, mask=column.is_null().to_numpy(zero_copy_only=False))


def _text(number: float) -> str:
    shortest = Decimal(repr(number))
    if SMALLEST_PLAIN <= abs(number) < LARGEST_PLAIN:
        return f"{shortest:f}".removesuffix(".0")
    return f"{shortest.normalize():e}".replace("e+", "e")
