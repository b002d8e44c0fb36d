"""The character sets in which clients write and read texts: UTF-8, and what older ones use."""

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
from pymysql.charset import charset_by_id

from mirror.serve.answers import Field
from mirror.serve.variables import CODECS

TEXTS = ("string", "enum", "json")


@dataclass(frozen=True)
class Charset:
    """The protocol's number of a character set, its codec, and the most bytes of a letter."""

    number: int
    codec: str = "utf-8"
    width: int = 4


UTF8MB4 = Charset(45)
# by the names that character_set_results may have; bytes are sent as they are kept
CHARSETS = {
    "utf8mb4": UTF8MB4,
    "utf8mb3": Charset(33, width=3),
    "utf8": Charset(33, width=3),
    "binary": UTF8MB4,
    "latin1": Charset(8, CODECS["latin1"], 1),
    "ascii": Charset(11, CODECS["ascii"], 1),
}


def name_of(number: int) -> str:
    """The name of a character set that a client announces; of one unknown here, utf8mb4."""
    try:
        name = str(charset_by_id(number).name)
    except KeyError:
        return "utf8mb4"
    return name if name in CODECS and name != "binary" else "utf8mb4"


def in_charset(batch: pa.RecordBatch, fields: Sequence[Field], charset: Charset) -> pa.RecordBatch:
    """Write the texts of a batch in a client's letters, with ? for those that it has not."""
    if charset.codec == "utf-8":
        return batch
    columns = [
        pa.array([_encoded(text, charset) for text in column.to_pylist()], pa.large_binary())
        if field.type.kind in TEXTS
        else column
        for column, field in zip(batch.columns, fields, strict=True)
    ]
    return pa.RecordBatch.from_arrays(columns, names=batch.schema.names)


def _encoded(text: str | None, charset: Charset) -> bytes | None:
    return None if text is None else text.encode(charset.codec, "replace")
