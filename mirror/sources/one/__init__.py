"""IBL's public files as a source: all sessions of each mouse, without a server or an account.

A folder in ONE's layout is read by DuckDB, a mouse at a time (`reader`), into the tables that IBL
declares and two of ONE's own (`one.txt`). Tables and columns that no public file knows are there,
empty, and say so.
"""

import hashlib
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from uuid import UUID

import pyarrow as pa

from mirror import blobs
from mirror.errors import UsageError
from mirror.sources import Census, Part, Parts, ReadAgain, Reading, Share, Stamp, catalogue
from mirror.sources.one import files, mice
from mirror.sources.one.mice import Mouse
from mirror.sources.one.reader import FOLDER, Reader, query
from mirror.store import literal, quoted
from mirror.tables import LeftOut, Restriction, Table
from mirror.types import Conversion

# Which files each table is made of.
FILES: Mapping[str, tuple[str, ...]] = {
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
# As many rows as there are trials: read mouse by mouse.
OF_TRIALS = ("behavior.trial_set__trial", "one.trial_extras")
# What is true of a table whatever the files hold.
NOTES = {
    "acquisition.session": "sessions are fewer than there were: those of habituation, those that"
    " crashed and those without trials are not public",
    "behavior.trial_set": "n_correct_trials counts correct trials of a contrast above 0; IBL's"
    " server counted rewarded ones before 16 October 2019",
    "one.subject_training": "by ONE's rules and dates, which differ from those of IBL's server",
}
HOW_TO_NAME = "give a nickname or a uuid."
NOT_PUBLIC = "empty: none of it is public"


class OneSource:
    """The mice of a folder in ONE's layout."""

    kind = "one"
    is_simulated = False
    is_whole = False

    def __init__(self, folder: Path) -> None:
        self.address = str(folder)
        found = files.aggregates(folder)
        sessions = files.sessions(folder)
        self._mice = sorted(
            (
                mice.of(name, own, {s: f for s, f in sessions.get(name[1], {}).items() if f})
                for name, own in found.items()
                if "Trials" in own
            ),
            key=lambda mouse: mouse.uuid,
        )
        if not self._mice:
            raise UsageError(
                f"{folder} holds no ONE aggregates ({files.ROOT}/LAB/MOUSE/"
                "_ibl_subjectTrials.table.pqt): leave out --one-cache to fetch them."
            )
        names = {mouse.nickname for mouse in self._mice}
        self._without = {name: len(own) for name, own in sessions.items() if name not in names}
        self._reader = Reader(self._mice)

    def versions(self) -> Mapping[str, str]:
        return {}

    def schemas(self) -> Sequence[str]:
        return (*catalogue.SCHEMAS, "one")

    def tables(self) -> tuple[Sequence[Table], Sequence[LeftOut]]:
        """IBL's tables and ONE's own; NULL may stand wherever the files have nothing."""
        left_out = []
        if self._without:
            most = max(self._without, key=lambda name: self._without[name])
            left_out.append(
                LeftOut(
                    f"{sum(self._without.values())} sessions of {len(self._without)} mice,"
                    f" such as {most}",
                    f"without the mouse's {files.ROOT} no file says when a session began",
                )
            )
        return [self._relaxed(table) for table in declared()], left_out

    def subjects(self, names: Sequence[str]) -> Mapping[str, Sequence[UUID]]:
        found = {
            name: [mouse.uuid for mouse in self._mice if _is_called(name, mouse)] for name in names
        }
        for name, uuids in found.items():
            if not uuids:
                near = get_close_matches(name, [mouse.nickname for mouse in self._mice])
                hint = f"did you mean {' or '.join(near)}?" if near else HOW_TO_NAME
                raise UsageError(f"--subject {name} matches no mouse of {self.address}: {hint}")
        return found

    def stamp(self, table: Table) -> Stamp | None:
        """A digest of the files that the table is made of, and of the code that reads them."""
        digest = hashlib.sha256(self._code.encode())
        if str(table) in FILES:
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
        if str(table) not in FILES:
            return lambda: Census(0, None)
        self._gather(table, wanted)
        counted = f"({query(str(table))})"
        what = "count(*)"
        if str(table) in OF_TRIALS:
            # as the sessions count them, whatever then arrives
            counted, what = "session", "coalesce(sum(n_complete), 0)::bigint"
        statement = f"select {what} from {counted}{_where(table, wanted)}"
        return lambda: Census(self._reader.ask(statement)[0][0], None)

    def parts(self, table: Table, wanted: Restriction) -> Parts | None:
        """The mice, each with a digest of its files; of a lookup, the rows."""
        if str(table) not in FILES:
            return None
        if table.column("subject_uuid"):
            found = {
                str(mouse.uuid): Part(mouse.name, self._stamp(table, mouse))
                for mouse in self._wanted(wanted)
            }
            return Parts("subject_uuid", found)
        [key] = table.primary_key
        self._gather(table, wanted)
        names = self._reader.ask(f"select {quoted(key)} from ({query(str(table))})")
        return Parts(key, {name: Part(name, self._code) for (name,) in names})

    def digests(
        self,
        table: Table,
        columns: Mapping[str, Conversion],
        by: Sequence[str],
        wanted: Restriction,
    ) -> Mapping[tuple[str, ...], Share]:
        raise ReadAgain

    def read(
        self,
        table: Table,
        columns: Mapping[str, Conversion],
        wanted: Restriction,
        batch_rows: int,
        keys: Sequence[Mapping[str, object]] | None = None,
    ) -> Reading:
        name, known = str(table), {column: _known(found) for column, found in columns.items()}
        is_filled = name in FILES
        given = self._reader.columns(name) if is_filled else ()
        select = ", ".join(
            f"{quoted(column) if column in given else 'null'}::{_carrier(found)}"
            f" as {quoted(column)}"
            for column, found in known.items()
        )
        rows = f"({query(name)})" if is_filled else "(select null where false)"
        order = ", ".join(map(quoted, table.primary_key))
        statement = f"select {select} from {rows}"
        if is_filled:
            self._gather(table, wanted)
            statement += f"{_where(table, wanted)} order by {order}"
        lacking = ", ".join(column for column in columns if column not in given)
        notes = (f"not public, so NULL: {lacking}",) if lacking else ()
        if name in NOTES:
            notes = (NOTES[name], *notes)
        schema = self._reader.batches(f"{statement} limit 0", 1).schema
        return Reading(
            conversions=known,
            schema=schema,
            batches=self._batches(table, statement, wanted, batch_rows),
            notes=notes if is_filled else (NOT_PUBLIC,),
            told=self._reader.told(name, self._wanted(wanted)) if is_filled else {},
        )

    def close(self) -> None:
        self._reader.close()

    def _gather(self, table: Table, wanted: Restriction) -> None:
        """Have in memory what the table is made of, but the trials."""
        kinds = FILES[str(table)]
        some = self._wanted(wanted)
        if "Trials" in kinds:
            self._reader.gather("session", some)
        elif "Sessions" in kinds:
            self._reader.gather("listed", some)
        elif "Training" in kinds:
            self._reader.gather("training", some)

    def _batches(
        self, table: Table, statement: str, wanted: Restriction, batch_rows: int
    ) -> Generator[pa.RecordBatch, None, None]:
        if str(table) not in OF_TRIALS:
            yield from self._reader.batches(statement, batch_rows)
            return
        for mouse in self._wanted(wanted):
            self._reader.hold(mouse)
            yield from self._reader.batches(statement, batch_rows)

    def _wanted(self, wanted: Restriction) -> list[Mouse]:
        return [m for m in self._mice if not wanted.subjects or m.uuid in wanted.subjects]

    def _relaxed(self, table: Table) -> Table:
        if str(table) not in FILES:
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
        """A digest of the files of a mouse that a table is made of, and of the code."""
        stamps = [mouse.files[kind].stamp for kind in FILES[str(table)] if kind in mouse.files]
        if "rep_num" in query(str(table)):
            stamps += [file.stamp for _, file in sorted(mouse.rep_nums.items())]
        return hashlib.sha256("\n".join([self._code, *stamps]).encode()).hexdigest()[:16]

    @cached_property
    def _code(self) -> str:
        digest = hashlib.sha256()
        for file in sorted(FOLDER.rglob("*.*")):
            if file.suffix in (".py", ".sql", ".csv", ".txt"):
                digest.update(file.read_bytes())
        return digest.hexdigest()[:16]


def declared() -> list[Table]:
    """The tables of IBL's server, then ONE's own, each schema in the order of the names."""
    own = catalogue.parse("one", (FOLDER / "one.txt").read_text("utf-8"))
    tables = catalogue.declare([*catalogue.definitions(), *own]).values()
    order = [*catalogue.SCHEMAS, "one"]
    return sorted(tables, key=lambda table: (order.index(table.schema), table.name))


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


def _where(table: Table, wanted: Restriction) -> str:
    """The clause of a narrowed sync, or nothing."""
    conditions = []
    if wanted.subjects:
        uuids = ", ".join(literal(uuid) for uuid in wanted.subjects)
        conditions.append(f"subject_uuid in ({uuids})")
    if wanted.date_column:
        conditions.append(f"{quoted(wanted.date_column)} >= {literal(wanted.since)}")
    return f" where {' and '.join(conditions)}" if conditions else ""


def _is_called(name: str, mouse: Mouse) -> bool:
    with suppress(ValueError):
        return mouse.uuid == UUID(name)
    # as MySQL compares
    return mouse.nickname.lower() == name.lower()
