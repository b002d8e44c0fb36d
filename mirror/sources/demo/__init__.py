"""A simulated source: invented mice in the tables that IBL declares.

The mice are simulated when their rows are first asked for, all of them, into a private folder
that `close` removes. What has not changed since the last sync is never asked for.
"""

import hashlib
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pyarrow as pa
import pyarrow.compute as pc

from mirror import blobs
from mirror.errors import MirrorError
from mirror.progress import Progress
from mirror.sources import Census, Parts, ReadAgain, Reading, Request, Share, Stamp, declarations
from mirror.tables import Column, LeftOut, Restriction, Table
from mirror.types import Conversion, conversion

if TYPE_CHECKING:
    from mirror.sources.demo.mice import Cohort

# How many, unless somebody says otherwise: more than a million trials, and mice in each lab.
MICE = 48

# What the rows are made of, beside the number of mice and the seed.
CODE = (
    ("mirror.sources", "declarations.py"),
    ("mirror.sources", "definitions"),
    ("mirror.sources", "demo"),
    ("mirror.derive", "psychometric.py"),
    ("mirror.derive", "status.py"),
    ("mirror.derive", "windows.py"),
)

# Mice simulated at a time: more are faster, and ask for 20 MB each.
COHORT = 15
# Rows of a batch on disk; one is all that a reader holds.
BATCH_ROWS = 50_000
# The values that `Conversion.load` casts, in the narrowest form that holds them.
ARROW = {
    "BOOLEAN": pa.int8(),
    "TINYINT": pa.int8(),
    "SMALLINT": pa.int16(),
    "USMALLINT": pa.uint16(),
    "INTEGER": pa.int32(),
    "FLOAT": pa.float32(),
    "DOUBLE": pa.float64(),
    "DATE": pa.date32(),
    "TIMESTAMP": pa.timestamp("s"),
}


class DemoSource:
    """So many mice, of one seed."""

    kind = "demo"
    is_simulated = True
    is_whole = True
    plan = None

    def __init__(self, n_mice: int = MICE, seed: int = 1, progress: Progress | None = None) -> None:
        self.address = f"{n_mice} simulated {'mouse' if n_mice == 1 else 'mice'}, seed {seed}"
        self._n_mice = n_mice
        self._seed = seed
        self._progress = progress or Progress()
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    def versions(self) -> Mapping[str, str]:
        return {}

    def schemas(self) -> Sequence[str]:
        return tuple(declarations.SCHEMAS)

    def tables(self) -> tuple[Sequence[Table], Sequence[LeftOut]]:
        return declarations.tables(), ()

    def hides(self, mysql_schema: str, mysql_table: str) -> bool:
        return False

    def subjects(self, names: Sequence[str]) -> Mapping[str, Sequence[UUID]]:
        subject = next(table for table in declarations.tables() if str(table) == "subject.subject")
        columns = ("subject_uuid", "subject_nickname")
        mice = [
            (UUID(row["subject_uuid"]), row["subject_nickname"])
            for batch in self._spool.batches(subject, columns, Restriction())
            for row in batch.to_pylist()
        ]
        return {
            name: [uuid for uuid, nickname in mice if _is_called(name, uuid, nickname)]
            for name in names
        }

    def prepare(self, tables: Sequence[Table], anew: bool) -> None: ...

    def stamps(self, tables: Sequence[Table]) -> Mapping[Table, Stamp]:
        """A digest of all that the rows come from: they change with the code, and never else."""
        stamp = Stamp(f"{self._code} {self.address}", is_fresh=False, is_settled=True)
        return dict.fromkeys(tables, stamp)

    def checksums(self, tables: Sequence[Table]) -> Mapping[Table, str]:
        return {}

    def read_ahead(self, requests: Sequence[Request]) -> Collection[Table]:
        return ()

    def census(
        self,
        table: Table,
        columns: Mapping[str, Conversion],
        wanted: Restriction,
        with_checksum: bool,
    ) -> Callable[[], Census]:
        # simulated here and now, not by two threads at once
        spool = self._spool
        self._progress.start(str(table))
        return lambda: Census(spool.count(table, wanted))

    def parts(self, table: Table, wanted: Restriction) -> Parts | None:
        return None

    def digests(
        self,
        table: Table,
        columns: Mapping[str, Conversion],
        by: Sequence[str],
        wanted: Restriction,
    ) -> Mapping[tuple[str, ...], Share]:
        # another version has changed all rows or none
        raise ReadAgain

    def read(
        self,
        table: Table,
        columns: Mapping[str, Conversion],
        wanted: Restriction,
        batch_rows: int,
        keys: Sequence[Mapping[str, object]] | None = None,
    ) -> Reading:
        """Read the rows wanted; as there are no digests, nobody knows `keys` to narrow them by."""
        spool = self._spool
        types = spool.types(table, wanted)
        schema = pa.schema([(name, types[name]) for name in columns])
        batches = (
            pa.record_batch([part[name] for name in columns], schema=schema)
            for batch in spool.batches(table, tuple(columns), wanted)
            for part in _cut(batch, batch_rows)
        )
        return Reading(
            conversions={
                name: replace(
                    found,
                    duckdb_type=_kind(types[name]).duckdb_type,
                    load="cast({c} as {type})",
                )
                if found.is_blob
                else found
                for name, found in columns.items()
            },
            schema=schema,
            batches=batches,
        )

    def close(self) -> None:
        if self._folder:
            self._folder.cleanup()

    @cached_property
    def _spool(self) -> "Spool":
        # pandas, which a sync that finds nothing changed can do without
        from mirror.sources.demo import rows

        try:
            self._folder = tempfile.TemporaryDirectory(prefix="mirror-demo-")
            spool = Spool(Path(self._folder.name))
            tables = {str(table): table for table in declarations.tables()}
            for name, columns in rows.rows(self._simulated()):
                spool.add(tables[name], columns)
            spool.finish()
        except OSError as error:
            raise MirrorError(
                f"The simulated mice find no room in the temporary folder ({error.strerror}):"
                " make some, or set TMPDIR to a folder elsewhere."
            ) from error
        return spool

    def _simulated(self) -> "Iterator[Cohort]":
        from mirror.sources.demo import mice

        self._progress.start("simulating", self._n_mice, "mice")
        for cohort in mice.simulate(self._n_mice, self._seed, COHORT):
            yield cohort
            self._progress.advance(len(cohort.mice))

    @cached_property
    def _code(self) -> str:
        digest = hashlib.sha256()
        for package, name in CODE:
            for file in _files(files(package).joinpath(name)):
                digest.update(file.read_bytes())
        return digest.hexdigest()[:16]


class Spool:
    """The rows of all tables on disk, compressed, one Arrow file each."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._writers: dict[str, pa.ipc.RecordBatchFileWriter] = {}

    def add(self, table: Table, columns: Mapping[str, Any]) -> None:
        """Append rows that are sorted after those before; columns that are not given are NULL."""
        length = len(next(iter(columns.values())))
        for start in range(0, length, BATCH_ROWS):
            stop = min(length, start + BATCH_ROWS)
            batch = pa.record_batch(
                {
                    column.name: _array(column, columns.get(column.name), start, stop)
                    for column in table.columns
                }
            )
            if str(table) not in self._writers:
                options = pa.ipc.IpcWriteOptions(compression="lz4")
                file = str(self._file(table))
                self._writers[str(table)] = pa.ipc.new_file(file, batch.schema, options=options)
            self._writers[str(table)].write_batch(batch)

    def finish(self) -> None:
        for writer in self._writers.values():
            writer.close()

    def types(self, table: Table, wanted: Restriction) -> Mapping[str, pa.DataType]:
        """What the columns hold; without rows, of blobs no more is known than of no numbers."""
        if self.count(table, wanted):
            with self._open(table) as reader:
                return {field.name: field.type for field in reader.schema}
        return {column.name: _arrow(conversion(column)) for column in table.columns}

    def count(self, table: Table, wanted: Restriction) -> int:
        return sum(b.num_rows for b in self.batches(table, table.primary_key[:1], wanted))

    def batches(
        self, table: Table, columns: Sequence[str], wanted: Restriction
    ) -> Iterator[pa.RecordBatch]:
        """The rows wanted, of the columns asked for."""
        if str(table) not in self._writers:
            return
        asked = ["subject_uuid"] if wanted.subjects else []
        if wanted.date_column:
            asked.append(wanted.date_column)
        names = [column.name for column in table.columns]
        fields = sorted({names.index(name) for name in (*columns, *asked)})
        with self._open(table, fields) as reader:
            for i in range(reader.num_record_batches):
                batch = _filtered(reader.get_batch(i), wanted)
                if batch.num_rows:
                    yield batch.select(list(columns))

    def _open(self, table: Table, fields: list[int] | None = None) -> pa.ipc.RecordBatchFileReader:
        options = pa.ipc.IpcReadOptions(included_fields=fields)
        return pa.ipc.open_file(pa.OSFile(str(self._file(table))), options=options)

    def _file(self, table: Table) -> Path:
        return self._folder / f"{table}.arrow"


def _filtered(batch: pa.RecordBatch, wanted: Restriction) -> pa.RecordBatch:
    if wanted.subjects:
        uuids = pa.array([str(uuid) for uuid in wanted.subjects])
        batch = batch.filter(pc.is_in(batch["subject_uuid"], value_set=uuids))
    if wanted.date_column:
        dates = batch[wanted.date_column]
        first = pa.scalar(wanted.since).cast(dates.type)
        batch = batch.filter(pc.greater_equal(dates, first))
    return batch


def _cut(batch: pa.RecordBatch, size: int) -> Iterator[pa.RecordBatch]:
    for start in range(0, batch.num_rows, size):
        yield batch.slice(start, size)


def _array(column: Column, values: Any, start: int, stop: int) -> pa.Array:
    if isinstance(values, pa.Array):
        return values[start:stop]
    arrow = _arrow(conversion(column))
    if values is None:
        return pa.nulls(stop - start, arrow)
    return pa.array(values[start:stop], arrow, from_pandas=True)


def _arrow(found: Conversion) -> pa.DataType:
    if found.is_blob:
        return blobs.NOTHING.arrow_type
    return ARROW.get(found.duckdb_type, pa.string())


def _kind(arrow: pa.DataType) -> blobs.Kind:
    return blobs.Kind("int" if arrow.value_type == pa.int64() else "float", depth=1)


def _is_called(name: str, uuid: UUID, nickname: str) -> bool:
    with suppress(ValueError):
        return uuid == UUID(name)
    # as MySQL compares
    return nickname.lower() == name.lower()


def _files(at: Traversable) -> Iterator[Traversable]:
    """The files that the package ships there, in one order everywhere."""
    if at.is_file():
        yield at
        return
    for inner in sorted(at.iterdir(), key=lambda entry: entry.name):
        if inner.name != "__pycache__":
            yield from _files(inner)
