"""IBL's public files as a source: all sessions of each mouse, without a server or an account.

A folder in ONE's layout is read by DuckDB, a mouse at a time (`reader`), into the tables that IBL
declares and two of ONE's own (`one.txt`). Tables and columns that no public file knows are there,
empty, and say so.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from uuid import UUID

import pyarrow as pa

from mirror import blobs
from mirror.errors import UsageError
from mirror.sources import Census, ReadAgain, Reading, Stamp, catalogue
from mirror.sources.one import aggregates
from mirror.sources.one.mice import Mouse, mice
from mirror.sources.one.reader import FOLDER, Reader, query
from mirror.sources.one.reader import tables as filled
from mirror.store import literal, quoted
from mirror.tables import LeftOut, Restriction, Table
from mirror.types import Conversion

# Which files each table is made of.
FEEDS = {
    "reference.lab": (),
    "reference.project": ("Sessions",),
    "subject.subject": (),
    "subject.subject_lab": (),
    "subject.subject_project": ("Sessions",),
    "acquisition.session": ("Trials", "Sessions"),
    "acquisition.session_project": ("Trials", "Sessions"),
    "behavior.trial_set": ("Trials",),
    "behavior.trial_set__trial": ("Trials",),
    "behavior.complete_trial_session": ("Trials",),
    "behavior_analyses.training_status": (),
    "one.trial_extras": ("Trials",),
    "one.subject_training": ("Training",),
}
NOTHING_PUBLIC = "empty: nothing of it is in IBL's public files"


class OneSource:
    """The mice of a folder in ONE's layout."""

    kind = "one"
    is_simulated = False

    def __init__(self, folder: Path) -> None:
        self.address = str(folder)
        self._mice = [mouse for mouse in mice(aggregates.find(folder)) if "Trials" in mouse.files]
        if not self._mice:
            raise UsageError(
                f"{folder} holds no ONE aggregates ({aggregates.ROOT}/LAB/MOUSE/"
                "_ibl_subjectTrials.table.pqt): leave out --one-cache to fetch them."
            )
        self._reader = Reader()

    def versions(self) -> Mapping[str, str]:
        return {}

    def schemas(self) -> Sequence[str]:
        return (*catalogue.SCHEMAS, "one")

    def tables(self) -> tuple[Sequence[Table], Sequence[LeftOut]]:
        """IBL's tables and ONE's own; NULL may stand wherever the files have nothing."""
        return [self._relaxed(table) for table in _declared()], ()

    def subjects(self, names: Sequence[str]) -> Mapping[str, Sequence[UUID]]:
        found = {
            name: [mouse.uuid for mouse in self._mice if _is_called(name, mouse)] for name in names
        }
        for name, uuids in found.items():
            if not uuids:
                near = get_close_matches(name, [mouse.nickname for mouse in self._mice])
                hint = f"did you mean {', '.join(near)}?" if near else "give a nickname or a uuid."
                raise UsageError(f"--subject {name} matches no mouse of {self.address}: {hint}")
        return found

    def stamp(self, table: Table) -> Stamp | None:
        """A digest of the files that the table is made of, and of the code that reads them."""
        digest = hashlib.sha256(self._code.encode())
        for mouse in self._mice:
            digest.update(f"{mouse.uuid} {self._stamp(table, mouse)}".encode())
        return Stamp(digest.hexdigest()[:16], is_fresh=False, is_settled=True)

    def checksum(self, table: Table) -> str | None:
        return None

    def census(
        self,
        table: Table,
        columns: Mapping[str, Conversion],
        wanted: Restriction,
        with_checksum: bool,
    ) -> Callable[[], Census]:
        def count() -> Census:
            if str(table) not in FEEDS:
                return Census(0, None)
            reader = Reader()
            keys = ", ".join(map(quoted, table.primary_key))
            rows = set() if _is_lookup(table) else None
            n_rows = 0
            for mouse in self._wanted(wanted):
                reader.take(mouse)
                source = f"({query(str(table))}){_since(wanted)}"
                if rows is None:
                    n_rows += reader.ask(f"select count(*) from {source}")[0][0]
                else:
                    rows.update(reader.ask(f"select {keys} from {source}"))
            reader.close()
            return Census(n_rows if rows is None else len(rows), None)

        return count

    def digests(
        self,
        table: Table,
        columns: Mapping[str, Conversion],
        by: Sequence[str],
        wanted: Restriction,
    ) -> Mapping[tuple, tuple[int, int]]:
        raise ReadAgain

    def read(
        self,
        table: Table,
        columns: Mapping[str, Conversion],
        wanted: Restriction,
        batch_rows: int,
        keys: Sequence[Mapping[str, object]] | None = None,
    ) -> Reading:
        known = {name: _known(found) for name, found in columns.items()}
        is_filled = str(table) in FEEDS
        given = set(self._reader.columns(str(table))) if is_filled else set()
        select = ", ".join(
            f"{quoted(name) if name in given else 'null'}::{_carrier(found)} as {quoted(name)}"
            for name, found in known.items()
        )
        source = f"({query(str(table))})" if is_filled else "(select 0)"
        statement = f"select {select} from {source}{_since(wanted)}"
        self._reader.take(None)
        schema = self._reader.batches(f"{statement} limit 0", 1).schema
        batches = self._batches(table, statement, wanted, batch_rows) if is_filled else iter(())
        return Reading(known, schema, batches)

    def close(self) -> None:
        self._reader.close()

    def _batches(
        self, table: Table, statement: str, wanted: Restriction, batch_rows: int
    ) -> Iterator[pa.RecordBatch]:
        if _is_lookup(table):
            rows: dict[tuple, pa.RecordBatch] = {}
            for mouse in self._wanted(wanted):
                self._reader.take(mouse)
                for batch in self._reader.batches(statement, 1):
                    rows[tuple(batch[name][0].as_py() for name in table.primary_key)] = batch
            yield from (rows[key] for key in sorted(rows))
            return
        for mouse in self._wanted(wanted):
            self._reader.take(mouse)
            yield from self._reader.batches(statement, batch_rows)

    def _wanted(self, wanted: Restriction) -> list[Mouse]:
        return [m for m in self._mice if not wanted.subjects or m.uuid in wanted.subjects]

    def _relaxed(self, table: Table) -> Table:
        if str(table) not in FEEDS:
            return table
        given = self._reader.columns(str(table))
        return replace(
            table,
            columns=tuple(
                column if column.name in given else replace(column, nullable=True)
                for column in table.columns
            ),
        )

    def _stamp(self, table: Table, mouse: Mouse) -> str:
        return " ".join(
            mouse.files[kind].stamp for kind in FEEDS.get(str(table), ()) if kind in mouse.files
        )

    @cached_property
    def _code(self) -> str:
        digest = hashlib.sha256()
        for file in sorted(FOLDER.rglob("*.*")):
            if file.suffix in (".py", ".sql", ".csv", ".txt"):
                digest.update(file.read_bytes())
        return digest.hexdigest()[:16]


def _declared() -> list[Table]:
    """The tables of IBL's server, then ONE's own, each schema in the order of the names."""
    own = catalogue.parse("one", (FOLDER / "one.txt").read_text("utf-8"))
    tables = catalogue.declare([*catalogue.definitions(), *own]).values()
    order = [*catalogue.SCHEMAS, "one"]
    return sorted(tables, key=lambda table: (order.index(table.schema), table.name))


def _is_lookup(table: Table) -> bool:
    """Whether the rows are those of many mice."""
    return table.column("subject_uuid") is None


def _known(found: Conversion) -> Conversion:
    """A column of blobs that no row fills has a type all the same."""
    if not found.is_blob:
        return found
    return replace(found, duckdb_type=blobs.NOTHING.duckdb_type, load="cast({c} as {type})")


def _carrier(found: Conversion) -> str:
    """The type that brings a value to where `Conversion.load` casts it."""
    is_text = found.duckdb_type in ("UUID", "JSON", "INTERVAL") or found.duckdb_type.startswith(
        "ENUM"
    )
    if is_text:
        return "VARCHAR"
    return "TINYINT" if found.duckdb_type == "BOOLEAN" else found.duckdb_type


def _since(wanted: Restriction) -> str:
    if not wanted.date_column:
        return ""
    return f" where {quoted(wanted.date_column)} >= {literal(wanted.since)}"


def _is_called(name: str, mouse: Mouse) -> bool:
    with suppress(ValueError):
        return mouse.uuid == UUID(name)
    # as MySQL compares
    return mouse.nickname.lower() == name.lower()
