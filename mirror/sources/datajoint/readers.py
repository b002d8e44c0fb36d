"""The two ways to read a query: connectorx's Arrow stream, and the driver of DataJoint.

connectorx speaks MySQL's binary protocol and is an order of magnitude faster; blobs, odd
types and encrypted connections go through pymysql. Both send nearly the same SELECT and deliver
values that the same casts bring to the same DuckDB types.
"""

import tempfile
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa

from mirror import blobs
from mirror.sources import Reading, Unreadable
from mirror.sources.datajoint.access import Access
from mirror.sources.datajoint.connectorx_process import BATCH, SCHEMA, UNREACHABLE
from mirror.sources.datajoint.server import Attentive
from mirror.sources.waiting import attended
from mirror.tables import Table
from mirror.types import Conversion

TEXT_ROWS = 20_000
BLOB_ROWS = 1_000
SPOOL_BYTES = 64 * 1024 * 1024
KEPT_BYTES = 8 * 1024 * 1024

# The bytes of a blob, its value, None where they do not decode, and whether DataJoint writes it so.
Decoded = tuple[bytes | None, Any, bool]


class NotForConnectorx(Exception):
    """connectorx cannot read this table, or connect at all."""

    def __init__(self, for_all_tables: bool) -> None:
        super().__init__()
        self.for_all_tables = for_all_tables


def read_arrow(
    access: Access,
    table: Table,
    columns: Mapping[str, Conversion],
    queries: Iterator[str],
) -> Reading:
    """Stream the queries, one after the other, as Arrow. Raises NotForConnectorx."""
    process = access.connectorx()
    watch = Attentive(access.server, lambda: process.asked)
    frames = attended(process.frames(queries, table.primary_key), watch, access.stop_connectorx)
    with access.errors(table):
        try:
            kind, content = next(frames)
        except (EOFError, OSError):
            # it cannot even start
            raise NotForConnectorx(for_all_tables=True) from None
    if kind != SCHEMA:
        # to its end, so that the process can go on with another table
        deque(frames, 0)
        raise NotForConnectorx(for_all_tables=kind == UNREACHABLE)
    first = pa.ipc.read_schema(pa.py_buffer(content))

    def batches() -> Generator[pa.RecordBatch, None, None]:
        schema = first
        with closing(frames), access.errors(table):
            try:
                for kind, content in frames:
                    if kind == SCHEMA:
                        schema = pa.ipc.read_schema(pa.py_buffer(content))
                    elif kind == BATCH:
                        yield pa.ipc.read_record_batch(pa.py_buffer(content), schema)
                    else:
                        raise EOFError
            # a connection that breaks ends the process
            except (EOFError, OSError):
                access.stop_connectorx()
                raise access.failed(table, is_odd=True) from None

    return Reading(columns, first, batches())


def read_text(
    columns: Mapping[str, Conversion], batches: Generator[pa.RecordBatch, None, None]
) -> Reading:
    """Hand on rows in which every value is as MySQL prints it."""
    return Reading(columns, text_schema(columns), batches)


def read_blobs(
    table: Table,
    columns: Mapping[str, Conversion],
    arriving: Generator[pa.RecordBatch, None, None],
    unpack: Callable[[bytes, int], Any],
) -> Reading:
    """Read a table whose blobs decide, all together, what type their column has.

    The rows are kept aside, on disk when they are many, until the last one is seen.
    """
    raw_schema = text_schema(columns)
    blob_columns = [name for name, conversion in columns.items() if conversion.is_blob]
    kinds = dict.fromkeys(blob_columns, blobs.NOTHING)
    lengths: dict[str, set[int]] = {name: set() for name in blob_columns}
    undecodable = dict.fromkeys(blob_columns, 0)
    spool = tempfile.SpooledTemporaryFile(max_size=SPOOL_BYTES)  # noqa: SIM115
    # of the first batches what was decoded, so that most tables are decoded once
    kept: list[dict[str, list[Decoded]]] = []
    room = KEPT_BYTES
    with pa.ipc.new_stream(spool, raw_schema) as writer, closing(arriving):
        for batch in arriving:
            decoded = {name: list(_decoded(batch.column(name), unpack)) for name in blob_columns}
            for name, values in decoded.items():
                for raw, value, _ in values:
                    room -= _size(raw, value)
                    if value is None:
                        # DataJoint can store None in a column that is NOT NULL
                        undecodable[name] += raw is not None
                        continue
                    found = blobs.kind(value)
                    kinds[name] |= found
                    if found != blobs.NOTHING:
                        lengths[name].add(found.depth)
            if room > 0:
                kept.append(decoded)
            writer.write_batch(batch)
    spool.seek(0)
    schema = pa.schema(
        [
            pa.field(
                field.name, kinds[field.name].arrow_type if field.name in kinds else field.type
            )
            for field in raw_schema
        ]
    )

    originals = Originals()

    def batches() -> Generator[pa.RecordBatch, None, None]:
        start = 0
        with spool, pa.ipc.open_stream(spool) as reader:
            for place, batch in enumerate(reader):
                columns_here = []
                for name in schema.names:
                    column = batch.column(name)
                    if name in kinds:
                        decoded = (
                            kept[place][name]
                            if place < len(kept)
                            else list(_decoded(column, unpack))
                        )
                        originals.keep(name, start, column, decoded, kinds[name])
                        column = blobs.column((value for _, value, _ in decoded), kinds[name])
                    columns_here.append(column)
                start += batch.num_rows
                yield pa.record_batch(columns_here, schema=schema)

    return Reading(
        conversions={
            name: replace(
                conversion, duckdb_type=kinds[name].duckdb_type, load="cast({c} as {type})"
            )
            if name in kinds
            else conversion
            for name, conversion in columns.items()
        },
        schema=schema,
        batches=batches(),
        undecodable={name: count for name, count in undecodable.items() if count},
        originals=originals,
        notes=(
            *(
                f"{table}.{name} holds single numbers among its arrays, read as arrays of one"
                for name, depths in lengths.items()
                if depths == {0, 1} and kinds[name].element != "json"
            ),
            *(
                f"the bytes of {count:,} values of {table}.{name}, which do not decode, are kept in"
                " _mirror.blobs"
                for name, count in undecodable.items()
                if count
            ),
        ),
    )


class Originals:
    """The blobs that the type of their column does not restore, kept aside while rows stream."""

    SCHEMA = pa.schema([("column", pa.string()), ("row", pa.int64()), ("original", pa.binary())])

    def __init__(self) -> None:
        self._spool = tempfile.SpooledTemporaryFile(max_size=SPOOL_BYTES)  # noqa: SIM115
        self._writer = pa.ipc.new_stream(self._spool, self.SCHEMA)

    def keep(
        self,
        name: str,
        start: int,
        column: pa.Array,
        decoded: Sequence[Decoded],
        kind: blobs.Kind,
    ) -> None:
        """Keep those of a batch's column whose rows begin at `start`."""
        places = [
            place
            for place, (raw, value, is_usual) in enumerate(decoded)
            if raw is not None and not (is_usual and blobs.is_restored(value, kind))
        ]
        if places:
            rows = [pa.array([name] * len(places)), pa.array([start + place for place in places])]
            self._writer.write_batch(
                pa.record_batch([*rows, column.take(pa.array(places))], schema=self.SCHEMA)
            )

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        self._writer.close()
        self._spool.seek(0)
        with self._spool, pa.ipc.open_stream(self._spool) as reader:
            yield from reader


def _size(raw: bytes | None, value: Any) -> int:
    """The bytes of a blob and of its value; of what does not tell its size, more than are kept."""
    if value is None:
        return len(raw or b"")
    if isinstance(value, np.ndarray | np.generic) and not value.dtype.hasobject:
        return len(raw or b"") + value.nbytes
    return KEPT_BYTES


def _decoded(column: pa.Array, unpack: Callable[[bytes, int], Any]) -> Iterator[Decoded]:
    for raw in column.to_pylist():
        try:
            yield raw, *((None, True) if raw is None else blobs.decode_either(raw, unpack))
        except blobs.Undecodable:
            yield raw, None, False


def text_schema(columns: Mapping[str, Conversion]) -> pa.Schema:
    return pa.schema(
        [
            pa.field(name, pa.binary() if conversion.duckdb_type == "BLOB" else pa.string())
            for name, conversion in columns.items()
        ]
    )


def text_batches(
    access: Access,
    table: Table,
    columns: Mapping[str, Conversion],
    queries: Iterable[str],
    batch_rows: int,
) -> Generator[pa.RecordBatch, None, None]:
    """Read the queries through pymysql, every value as MySQL prints it."""
    schema, some = text_schema(columns), min(batch_rows, most_rows(columns))
    with access.reading(table) as connection:
        yield from connection.read(queries, some, lambda rows: batch_of(rows, schema))


def parts_of(
    rows: pa.RecordBatch, columns: Mapping[str, Conversion], batch_rows: int
) -> Generator[pa.RecordBatch, None, None]:
    """Hand on rows that are there already, some at a time."""
    some = min(batch_rows, most_rows(columns))
    for start in range(0, rows.num_rows, some):
        yield rows.slice(start, some)


def most_rows(columns: Mapping[str, Conversion]) -> int:
    """How many rows a batch may have."""
    return BLOB_ROWS if any(found.is_blob for found in columns.values()) else TEXT_ROWS


def batch_of(rows: Sequence[tuple[Any, ...]], schema: pa.Schema) -> pa.RecordBatch:
    """Make a batch of rows as the server has sent them. Raises Unreadable."""
    if not rows:
        return pa.RecordBatch.from_pylist([], schema=schema)
    columns = []
    for field, values in zip(schema, zip(*rows, strict=True), strict=True):
        try:
            columns.append(pa.array(values, field.type))
        except pa.ArrowInvalid as error:
            raise Unreadable(f"{field.name} holds bytes that are no text ({error})") from None
    return pa.record_batch(columns, schema=schema)
