"""The two ways to read a query: connectorx's Arrow stream, and the driver of DataJoint.

connectorx speaks MySQL's binary protocol and is an order of magnitude faster; blobs, odd
types and encrypted connections go through pymysql. Both send the same SELECT and deliver
values that the same casts bring to the same DuckDB types.
"""

import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pyarrow as pa
from pymysql.cursors import SSCursor

from mirror import blobs
from mirror.errors import MirrorError
from mirror.sources import Reading
from mirror.sources.mysql import SESSION
from mirror.tables import Table
from mirror.types import Conversion

if TYPE_CHECKING:
    from mirror.sources.datajoint import DataJointSource

# It logs its attempts to connect, and tracebacks, on standard error.
os.environ.setdefault("RUST_LOG", "off")

ARROW_ROWS = 50_000
TEXT_ROWS = 20_000
BLOB_ROWS = 1_000
BATCH_BYTES = 16 * 1024 * 1024
SPOOL_BYTES = 64 * 1024 * 1024


class NotForConnectorx(Exception):
    """connectorx cannot read this table, or connect at all."""

    def __init__(self, for_all_tables: bool) -> None:
        super().__init__()
        self.for_all_tables = for_all_tables


def url(host: str, port: int, user: str, password: str) -> str:
    host = f"[{host}]" if ":" in host else host
    login = f"{quote(user, safe='')}:{quote(password, safe='')}"
    # by socket, the same login may be another account
    return f"mysql://{login}@{host}:{port}/?prefer_socket=false"


def read_arrow(
    source: "DataJointSource",
    table: Table,
    columns: Mapping[str, Conversion],
    queries: Iterator[str],
) -> Reading:
    """Stream the queries, one after the other, as Arrow.

    connectorx reads ahead without limit, so a query is the most it may hold in memory.
    """
    stream = _open(source, next(queries))
    try:
        # what connectorx cannot read shows with the first rows, while there is another way
        first = next(stream, None)
    except KeyboardInterrupt:
        raise
    except BaseException:
        raise NotForConnectorx(for_all_tables=False) from None

    def batches() -> Iterator[pa.RecordBatch]:
        nonlocal stream
        try:
            if first is not None:
                yield first
            while stream is not None:
                # the server looks for the next query's start while this one's rows arrive
                query = next(queries, None)
                yield from stream
                stream = _open(source, query) if query else None
        except (KeyboardInterrupt, GeneratorExit, MirrorError):
            raise
        except BaseException:
            # a connection that breaks arrives as a Rust panic, which is no Exception
            raise source.broken(table) from None

    return Reading(columns, stream.schema, batches())


def read_text(
    source: "DataJointSource",
    table: Table,
    columns: Mapping[str, Conversion],
    queries: Iterable[str],
    batch_rows: int,
) -> Reading:
    """Read the queries through pymysql, every value as MySQL prints it."""
    schema = _text_schema(columns)
    rows = _text_rows(source, table, queries, min(batch_rows, TEXT_ROWS))
    return Reading(columns, schema, (_batch(chunk, schema) for chunk in rows))


def read_blobs(
    source: "DataJointSource",
    table: Table,
    columns: Mapping[str, Conversion],
    queries: Iterable[str],
    batch_rows: int,
    unpack: Callable[[bytes, int], Any],
) -> Reading:
    """Read a table whose blobs decide, all together, what type their column has.

    The rows are kept aside, on disk when they are many, until the last one is seen.
    """
    raw_schema = _text_schema(columns)
    blob_columns = [name for name, conversion in columns.items() if conversion.is_blob]
    kinds = dict.fromkeys(blob_columns, blobs.NOTHING)
    lengths: dict[str, set[int]] = {name: set() for name in blob_columns}
    undecodable = dict.fromkeys(blob_columns, 0)
    spool = tempfile.SpooledTemporaryFile(max_size=SPOOL_BYTES)  # noqa: SIM115
    with pa.ipc.new_stream(spool, raw_schema) as writer:
        for chunk in _text_rows(source, table, queries, min(batch_rows, BLOB_ROWS)):
            batch = _batch(chunk, raw_schema)
            for name in blob_columns:
                column = batch.column(name)
                for raw, (value, _) in zip(column, _decoded(column, unpack), strict=True):
                    if value is None:
                        # DataJoint can store None in a column that is NOT NULL
                        undecodable[name] += raw.is_valid
                        continue
                    found = blobs.kind(value)
                    kinds[name] |= found
                    if found != blobs.NOTHING:
                        lengths[name].add(found.depth)
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

    def batches() -> Iterator[pa.RecordBatch]:
        start = 0
        with spool, pa.ipc.open_stream(spool) as reader:
            for batch in reader:
                columns_here = []
                for name in schema.names:
                    column = batch.column(name)
                    if name in kinds:
                        decoded = list(_decoded(column, unpack))
                        originals.keep(name, start, column, decoded, kinds[name])
                        column = blobs.column((value for value, _ in decoded), kinds[name])
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
        decoded: Sequence[tuple[Any, bool]],
        kind: blobs.Kind,
    ) -> None:
        """Keep those of a batch's column whose rows begin at `start`."""
        places = [
            place
            for place, (raw, (value, is_usual)) in enumerate(zip(column, decoded, strict=True))
            if raw.is_valid and not (is_usual and blobs.is_restored(value, kind))
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


def _decoded(column: pa.Array, unpack: Callable[[bytes, int], Any]) -> Iterator[tuple[Any, bool]]:
    """The values of blobs, and whether DataJoint writes them so; None where bytes do not decode."""
    for raw in column.to_pylist():
        try:
            yield (None, True) if raw is None else blobs.decode_either(raw, unpack)
        except blobs.Undecodable:
            yield None, False


def _open(source: "DataJointSource", query: str) -> Any:
    import connectorx

    try:
        return connectorx.read_sql(
            source.url,
            query,
            return_type="arrow_stream",
            batch_size=ARROW_ROWS,
            pre_execution_query=list(SESSION),
        )
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        # its message may hold the address with the password: never passed on
        raise NotForConnectorx("waiting for connection" in str(error)) from None


def _text_schema(columns: Mapping[str, Conversion]) -> pa.Schema:
    return pa.schema(
        [
            pa.field(name, pa.binary() if conversion.duckdb_type == "BLOB" else pa.string())
            for name, conversion in columns.items()
        ]
    )


def _text_rows(
    source: "DataJointSource", table: Table, queries: Iterable[str], batch_rows: int
) -> Iterator[list[tuple]]:
    connection = source.connect()
    try:
        # without decoders every value stays the text, or the bytes, that the server sent
        connection.decoders = {}
        for query in queries:
            with connection.cursor(SSCursor) as cursor:
                cursor.execute(query)
                yield from _in_batches(iter(cursor.fetchone, None), batch_rows)
    except MirrorError:
        raise
    except Exception as error:
        raise source.explain(error, table) from None
    finally:
        connection.close()


def _in_batches(rows: Iterable[tuple], batch_rows: int) -> Iterator[list[tuple]]:
    """Rows by so many, or by fewer where their values are long."""
    some: list[tuple] = []
    size = 0
    for row in rows:
        some.append(row)
        size += sum(len(value) for value in row if value is not None)
        if len(some) == batch_rows or size > BATCH_BYTES:
            yield some
            some, size = [], 0
    if some:
        yield some


def _batch(rows: list[tuple], schema: pa.Schema) -> pa.RecordBatch:
    values = zip(*rows, strict=True) if rows else ([] for _ in schema)
    return pa.record_batch(
        [pa.array(column, field.type) for column, field in zip(values, schema, strict=True)],
        schema=schema,
    )
