"""Values of the file back into DataJoint's blobs, so that a client decodes what it always did."""

import json
from typing import Any

import numpy as np
from duckdb.sqltypes import DuckDBPyType

from mirror.blobs import DTYPES
from mirror.sources import library

pack = library.datajoint("blob").pack


def packed(value: Any, duckdb_type: DuckDBPyType) -> bytes | None:
    """The bytes of a blob that was kept as numbers, lists of numbers or JSON, or as bytes.

    A structure of `value` and `original` holds the bytes themselves where the server's blob
    was of another form than the column's type tells.
    """
    if value is None or isinstance(value, bytes):
        return value
    if duckdb_type.id == "struct":
        if value["original"] is not None:
            return bytes(value["original"])
        kinds: dict[str, Any] = dict(duckdb_type.children)
        return packed(value["value"], kinds["value"])
    element = str(duckdb_type).partition("[")[0]
    if element not in DTYPES:
        return pack(json.loads(value), compress=False)
    return pack(np.array(value, dtype=DTYPES[element]), compress=False)
