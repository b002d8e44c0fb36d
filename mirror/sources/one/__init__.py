"""IBL's public files as a source: all sessions of each mouse, without a server or an account.

A folder in ONE's layout is read by DuckDB, a mouse at a time (`reader`), into the tables that IBL
declares and two of ONE's own (`one.txt`). Tables and columns that no public file knows are there,
empty, and say so.
"""

import hashlib
from collections.abc import Callable, Collection, Generator, Iterable, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import replace
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from uuid import UUID

import pyarrow as pa

from mirror import blobs
from mirror.errors import UsageError
from mirror.progress import Progress
from mirror.sources import (
    Census,
    Part,
    Parts,
    ReadAgain,
    Reading,
    Request,
    Share,
    Stamp,
    declarations,
)
from mirror.sources.one import fetch, files, mice
from mirror.sources.one.bucket import Bucket
from mirror.sources.one.mice import Mouse
from mirror.sources.one.reader import FOLDER, Reader, query
from mirror.sources.waiting import attended
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
BUCKET = "s3://ibl-brain-wide-map-public"
HOW_TO_NAME = "give a nickname or a uuid."
NOT_PUBLIC = "empty: none of it is public"


class OneSource:
    """These mice, whose files are there when `bring` has brought the kinds that are asked for.

    `without` counts, by nickname, the sessions that no mouse's own files tell the start of; `plan`
    has the files of these mice in the bucket, if they come from there.
    """

    kind = "one"
    is_simulated = False
    is_whole = False

    def __init__(
        self,
        found: Iterable[Mouse],
        address: str,
        bring: Callable[[Collection[str]], None] = lambda kinds: None,
        without: Mapping[str, int] | None = None,
        plan: fetch.Plan | None = None,
    ) -> None:
        self.address = address
        self.plan = plan
        self._mice = sorted(found, key=lambda mouse: mouse.uuid)
        self._bring = bring
        self._without = without or {}
        self._reader = Reader(self._mice)

    def versions(self) -> Mapping[str, str]:
        return {}

    def schemas(self) -> Sequence[str]:
        return (*declarations.SCHEMAS, "one")

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

    def hides(self, mysql_schema: str, mysql_table: str) -> bool:
        return False

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

    def prepare(self, tables: Sequence[Table], anew: bool) -> None:
        """Bring the files that these tables are made of."""
        self._bring({kind for table in tables for kind in FILES.get(str(table), ())})

    def stamps(self, tables: Sequence[Table]) -> Mapping[Table, Stamp]:
        """A digest of the files that a table is made of, and of the code that reads them."""
        found = {}
        for table in tables:
            digest = hashlib.sha256(self._code.encode())
            if str(table) in FILES:
                for mouse in self._mice:
                    digest.update(f"{mouse.uuid} {self._stamp(table, mouse)}".encode())
            found[table] = Stamp(digest.hexdigest()[:16], is_fresh=False, is_settled=True)
        return found

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
        if str(table) not in FILES:
            return lambda: Census(0)
        self._gather(table, wanted)
        counted = f"({query(str(table))})"
        what = "count(*)"
        if str(table) in OF_TRIALS:
            # as the sessions count them, whatever then arrives
            counted, what = "session", "coalesce(sum(n_complete), 0)::bigint"
        statement = f"select {what} from {counted}{_where(table, wanted)}"
        return lambda: Census(self._reader.ask(statement)[0][0])

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
            # read while what came before is written
            batches=attended(
                self._batches(table, statement, wanted, batch_rows), _Patient(), self._reader.stop
            ),
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


class _Patient:
    """Waits for files as long as they take."""

    def heard(self) -> None: ...

    def silent(self) -> None: ...


def in_folder(folder: Path) -> OneSource:
    """The mice of a folder in ONE's layout. Raises UsageError where there are none."""
    sessions = files.sessions(folder)
    found = [
        mice.of(name, own, {s: f for s, f in sessions.get(name[1], {}).items() if f})
        for name, own in files.aggregates(folder).items()
        if "Trials" in own
    ]
    if not found:
        raise UsageError(
            f"{folder} holds no ONE aggregates ({files.ROOT}/LAB/MOUSE/"
            "_ibl_subjectTrials.table.pqt): leave out --one-cache to fetch them."
        )
    names = {mouse.nickname for mouse in found}
    without = {name: len(own) for name, own in sessions.items() if name not in names}
    return OneSource(found, str(folder), without=without)


def in_bucket(
    cache: Path,
    tags: Sequence[str],
    subjects: Sequence[str],
    tell: Callable[[str], object],
    progress: Progress | None,
) -> OneSource:
    """The mice of these releases in IBL's public bucket, whose files are kept in a folder.

    Nothing is fetched but the listing, until `prepare`. Raises UsageError for a tag or a nickname
    that is not known, SourceError when the bucket does not answer.
    """
    with_uuid = any(map(_as_uuid, subjects))
    with closing(Bucket()) as bucket:
        # nicknames alone tell the bucket's files apart
        plan = fetch.plan(cache, tags, () if with_uuid else subjects, bucket.list)
    for note in plan.notes:
        tell(f"{note}\n")
    own: dict[files.Name, dict[str, fetch.File]] = {}
    for file in plan.files:
        [kind] = (kind for kind in files.KINDS if f"subject{kind}." in file.path.name)
        own.setdefault(file.at, {})[kind] = file
    found = {
        name: mice.of(
            name,
            {
                kind: files.File(cache / file.path, f"{file.entry.key} {file.entry.etag}")
                for kind, file in by_kind.items()
            },
            {},
        )
        for name, by_kind in own.items()
    }
    if with_uuid:
        found = {
            name: mouse
            for name, mouse in found.items()
            if any(_is_called(subject, mouse) for subject in subjects)
        }
        if not found:
            raise UsageError(f"--subject {subjects[0]} is no mouse of {', '.join(tags)}.")

    plan = replace(
        plan,
        files=tuple(file for file in plan.files if file.at in found),
        missing=tuple(file for file in plan.missing if file.at in found),
    )

    def bring(kinds: Collection[str]) -> None:
        needed = {file for name in found for kind, file in own[name].items() if kind in kinds}
        part = replace(
            plan,
            files=tuple(file for file in plan.files if file in needed),
            missing=tuple(file for file in plan.missing if file in needed),
        )
        if part.files:
            with closing(Bucket()) as bucket:
                fetch.fetch(part, bucket, progress)

    return OneSource(found.values(), f"{BUCKET} ({', '.join(tags)})", bring, plan=plan)


def declared() -> list[Table]:
    """The tables of IBL's server, then ONE's own, each schema in the order of the names."""
    own = declarations.parse("one", (FOLDER / "one.txt").read_text("utf-8"))
    tables = declarations.declare([*declarations.definitions(), *own]).values()
    order = [*declarations.SCHEMAS, "one"]
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


def _as_uuid(name: str) -> UUID | None:
    with suppress(ValueError):
        return UUID(name)
    return None


def _is_called(name: str, mouse: Mouse) -> bool:
    if uuid := _as_uuid(name):
        return mouse.uuid == uuid
    # as MySQL compares
    return mouse.nickname.lower() == name.lower()
