"""Values of the file back into DataJoint's blobs, so that a client decodes what it always did."""

import json
from typing import Any

import numpy as np
from datajoint.blob import pack

DTYPES = {"BIGINT": np.int64, "DOUBLE": np.float64, "BOOLEAN": np.bool_}


def packed(value: Any, duckdb_type: str) -> bytes | None:
    """The bytes of a blob that was kept as numbers, lists of numbers or JSON."""
    if value is None:
        return None
    element = duckdb_type.partition("[")[0]
    if element not in DTYPES:
        return pack(json.loads(value), compress=False)
    if not isinstance(value, list):
        return pack(value, compress=False)
    if _has_gap(value):
        return pack(_objects(value), compress=False)
    try:
        return pack(np.array(value, dtype=DTYPES[element]), compress=False)
    except ValueError:
        # rows of several lengths
        return pack(value, compress=False)


def _has_gap(value: list) -> bool:
    return any(_has_gap(item) if isinstance(item, list) else item is None for item in value)


def _objects(value: list) -> np.ndarray:
    array = np.empty(len(value), dtype=object)
    array[:] = value
    return array
