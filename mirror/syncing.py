"""The order of work of a sync: plan, copy what has changed, check, define the views, swap."""

import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from difflib import get_close_matches
from fnmatch import fnmatchcase
from functools import partial
from importlib.metadata import version
from pathlib import Path

import duckdb

from mirror import cohorts, derive, store, views
from mirror.background import beside, in_background
from mirror.copying import (
    Copied,
    Due,
    Found,
    Job,
    Looked,
    copy,
    forget,
    held_in,
    holds,
    look,
    name_of,
    note_checksums,
    read_ahead,
    remember,
)
from mirror.errors import UsageError
from mirror.progress import Beside, Progress
from mirror.sources import ReadAgain, Source, Unreadable
from mirror.store import literal, quoted
from mirror.tables import LeftOut, Selection, Table

# Copied only when named: the bookkeeping of files, of no use to behaviour.
OPTIONAL_SCHEMAS = ("data",)
# A row group of DuckDB's, which is written as soon as it is whole.
BATCH_ROWS = 122_880
WAYS_OUT = "add --full to replace it, or --database PATH to make another file."
PACKAGES = ("ibl-mirror", "duckdb", "datajoint")


@dataclass(frozen=True)
class Options:
    """What narrows or widens a sync; the names are those of the command line."""

    schema: tuple[str, ...] = ()
    table: tuple[str, ...] = ()
    subject: tuple[str, ...] = ()
    since: date | None = None
    include_private: bool = False

    def to_json(self) -> str:
        return json.dumps({k: v for k, v in asdict(self).items() if v}, default=str)

    @staticmethod
    def from_json(text: str) -> "Options":
        read = json.loads(text)
        return Options(
            schema=tuple(read.get("schema", ())),
            table=tuple(read.get("table", ())),
            subject=tuple(read.get("subject", ())),
            since=date.fromisoformat(read["since"]) if "since" in read else None,
            include_private=read.get("include_private", False),
        )

    def asks_less_than(self, other: "Options") -> bool:
        """Whether rows or columns that `other` asked for would go missing."""
        return (
            bool(self.subject and (not other.subject or set(other.subject) - set(self.subject)))
            or bool(self.since and (not other.since or self.since > other.since))
            or (other.include_private and not self.include_private)
        )


@dataclass(frozen=True)
class Report:
    """What a sync did."""

    database: Path
    address: str
    seconds: float
    is_resumed: bool
    tables: tuple[Copied, ...]
    left_out: tuple[LeftOut, ...]
    kept: tuple[LeftOut, ...]
    gone: tuple[str, ...]
    orphans: tuple[str, ...]
    derived: derive.Derived
    views: views.Applied

    @property
    def rows(self) -> int:
        return sum(table.rows for table in self.tables)


def sync(
    source: Source,
    database: str | os.PathLike[str] | None = None,
    options: Options | None = None,
    full: bool = False,
    batch_rows: int = BATCH_ROWS,
    progress: Progress | None = None,
    with_derived: bool = True,
) -> Report:
    """Bring a mirror up to its source and return what was done.

    Tables that have not changed are kept; the others are read again, large part tables only
    where they changed. `full` reads everything and replaces whatever is there. The target is
    replaced at the end, in one step; when anything fails it stays as it was, and the next
    call goes on from the tables that were finished. `with_derived` also computes anew what
    IBL's pipeline computed from the trials. Raises MirrorError.
    """
    began, clock = store.now(), time.monotonic()
    options, progress = options or Options(), progress or Progress()
    there, left_out = source.tables()
    wanted = _wanted(source, there, left_out, options)
    skipped = {t.schema for t in there} & set(OPTIONAL_SCHEMAS) - {t.schema for t in wanted}
    optional = [
        LeftOut(schema, f"only copied when named, by --schema {schema}")
        for schema in sorted(skipped)
    ]
    selection = _selection(source, options)
    by_default = store.SIMULATED if source.is_simulated else store.DATABASE
    file = store.path(database, by_default).absolute()
    _refuse_name(file, source)
    with store.held(file, options.include_private) as target, _opened(target) as earlier:
        if earlier:
            _refuse_simulation(earlier, target, source)
        if earlier and not full:
            _refuse_loss(earlier, target, source, options, wanted, there, left_out)
        source.prepare(wanted, anew=full or earlier is None)
        on = partial(
            Job,
            source=source,
            selection=selection,
            include_private=options.include_private,
            batch_rows=batch_rows,
            run=1 if full else _last_run(earlier) + 1,
            progress=progress,
        )
        # the source says what has changed while the file is copied
        looking = None
        # what an earlier version made does not tell all of this
        with suppress(duckdb.Error):
            if earlier and not full:
                held = held_in(earlier)
                looking = in_background(partial(look, on(connection=earlier), held, wanted))
        purpose = f"sync of {source.kind} {source.address} {options.to_json()}"
        with store.staging(target, purpose, full, options.include_private) as work:
            connection = work.connection
            store.prepare(connection)
            if full and earlier:
                store.insert(connection, "cohort_mice", cohorts.kept(earlier))
            gone = _drop_gone(connection, wanted)
            parsing = in_background(views.read)
            progress.begin(len(wanted))
            is_new = (full or earlier is None) and not work.is_resumed
            job = on(connection=connection, is_new=is_new)
            found = _found(job, wanted, looking, work.is_resumed)
            if earlier:
                earlier.close()
            is_whole = source.is_whole and options.since is None
            deriving = partial(_derived, job.run, parsing, is_whole, with_derived)
            outcomes, orphans, derived = _copied(job, found, set(gone), parsing, deriving)
            done = [each for t in wanted if isinstance(each := outcomes[t], Copied)]
            kept, unreadable = _not_shown(connection, outcomes, wanted)
            left_out = (*left_out, *optional, *unreadable)
            if not done:
                raise _nothing_there(source, (*left_out, *kept))
            progress.start("defining views", unit="")
            applied = views.define(connection, parsing.result())
            progress.start("writing the file", unit="")
            note_checksums(job, wait=True)
            not_derived = [LeftOut("derived", derived.why)] if derived.why else []
            _record_run(
                connection, job, options, is_whole, began, clock, [*left_out, *not_derived], kept
            )
            work.swap()
    return Report(
        database=work.target,
        address=source.address,
        seconds=time.monotonic() - clock,
        is_resumed=work.is_resumed,
        tables=tuple(done),
        left_out=tuple(left_out),
        kept=tuple(kept),
        gone=tuple(gone),
        orphans=tuple(orphans),
        derived=derived,
        views=applied,
    )


@contextmanager
def _opened(target: Path) -> Iterator[duckdb.DuckDBPyConnection | None]:
    """Open the mirror that is there, if there is one."""
    if target.exists():
        with store.connect(target) as connection:
            yield connection
    else:
        yield None


def _last_run(earlier: duckdb.DuckDBPyConnection | None) -> int:
    if earlier is None:
        return 0
    [(run,)] = earlier.execute("select coalesce(max(run), 0) from _mirror.runs").fetchall()
    return run


def _found(
    job: Job, wanted: Sequence[Table], looking: "Future[Looked] | None", is_resumed: bool
) -> Found:
    """What has changed since the file was made, of which the job has a copy, or more."""
    # waited for in any case: two at a time must not ask the source
    looked = looking.result() if looking else None
    if looked is None or is_resumed:
        looked = look(job, held_in(job.connection), wanted)
    remember(job.connection, looked.tokens)
    return looked.found


def _copied(
    job: Job,
    found: Found,
    gone: set[str],
    parsing: Future[list[views.View]],
    deriving: Callable[[Progress, duckdb.DuckDBPyConnection], derive.Derived],
) -> tuple[dict[Table, Copied | Unreadable], list[str], derive.Derived]:
    """Copy what has changed and check references; derive as soon as the trials are there."""
    first = {table: each for table, each in found.items() if str(table) in derive.READ_FROM}
    rest = {table: each for table, each in found.items() if table not in first}
    ahead = read_ahead(job, [*first.values(), *rest.values()])
    # what takes longest while the others are read
    outcomes = _bring_up(job, dict(sorted(first.items(), key=lambda each: each[0] in ahead)))
    # what else somebody lets the views read
    early = derive.read_from(parsing.result())
    outcomes |= _bring_up(job, {t: rest.pop(t) for t in list(rest) if str(t) in early})
    telling = Beside(job.progress)
    with beside(job.connection, partial(deriving, telling)) as derived:
        outcomes |= _bring_up(replace(job, is_alone=False), rest)
        job.progress.start("checking references", unit="")
        done = [each for each in outcomes.values() if isinstance(each, Copied)]
        copied = {each.table for each in done if each.how != "unchanged"}
        is_narrowed = job.selection != Selection()
        orphans = _check_references(job.connection, list(found), copied | gone, is_narrowed)
        telling.show()
        return outcomes, orphans, derived.result()


def _derived(
    run: int,
    parsing: Future[list[views.View]],
    is_whole: bool,
    with_derived: bool,
    progress: Progress,
    connection: duckdb.DuckDBPyConnection,
) -> derive.Derived:
    if with_derived:
        return derive.refresh(connection, parsing.result(), run, is_whole, progress)
    derive.clear(connection)
    return derive.Derived("left out", why=derive.UNWANTED)


def _not_shown(
    connection: duckdb.DuckDBPyConnection,
    outcomes: Mapping[Table, Copied | Unreadable],
    wanted: Sequence[Table],
) -> tuple[list[LeftOut], list[LeftOut]]:
    """The tables that the source does not show, with rows of before and without."""
    kept: list[LeftOut] = []
    unreadable: list[LeftOut] = []
    for table in wanted:
        if isinstance(error := outcomes[table], Unreadable):
            told = LeftOut(str(table), str(error))
            (kept if holds(connection, table) else unreadable).append(told)
    return kept, unreadable


def _bring_up(job: Job, found: Found) -> dict[Table, Copied | Unreadable]:
    """Copy of some tables what has changed; says what there is of each now, or why not."""
    outcomes: dict[Table, Copied | Unreadable] = {}
    with store.streaming(job.connection, job.memory):
        for table, each in found.items():
            job.progress.start(str(table))
            try:
                outcome = copy(job, each) if isinstance(each, Due) else each
            except Unreadable as error:
                outcome = error
            note_checksums(job, wait=False)
            outcomes[table] = outcome
            if isinstance(outcome, Copied):
                job.progress.finish(outcome.table, outcome.how, outcome.rows, outcome.seconds)
    return outcomes


def to_copy(source: Source, options: Options) -> Iterator[tuple[Table, int | None]]:
    """The tables that a sync would copy, with their rows at the source, None of an unreadable one.

    Raises MirrorError as `sync` does.
    """
    there, left_out = source.tables()
    selection = _selection(source, options)
    for table in _wanted(source, there, left_out, options):
        try:
            yield table, source.census(table, {}, selection.restrict(table), False)().rows
        except (Unreadable, ReadAgain):
            yield table, None


def _wanted(
    source: Source, available: Sequence[Table], left_out: Sequence[LeftOut], options: Options
) -> list[Table]:
    for schema in options.schema:
        if schema not in source.schemas():
            raise UsageError(
                f"There is no schema {schema!r}: --schema takes {', '.join(source.schemas())}."
            )
    if not available:
        raise _nothing_there(source, left_out)
    wanted = [
        table
        for table in available
        if (table.schema in options.schema if options.schema else True)
        and (options.schema or options.table or table.schema not in OPTIONAL_SCHEMAS)
    ]
    if not options.table:
        if not wanted:
            raise _nothing_there(source, left_out)
        return wanted
    for pattern in options.table:
        if not any(_matches(table, pattern) for table in wanted):
            near = get_close_matches(pattern.lower(), [str(table) for table in wanted], n=1)
            hint = f" Did you mean {near[0]}?" if near else " 'mirror describe' lists a mirror's."
            raise UsageError(f"--table {pattern} matches no table of {source.address}.{hint}")
    return [t for t in wanted if any(_matches(t, pattern) for pattern in options.table)]


def _matches(table: Table, pattern: str) -> bool:
    names = (str(table), table.name, table.datajoint_name)
    return any(fnmatchcase(name.lower(), pattern.lower()) for name in names)


def _nothing_there(source: Source, left_out: Iterable[LeftOut]) -> UsageError:
    told = [f"{item.what}: {item.why}" for item in left_out]
    reasons = "; ".join(told[:4]) + (f"; and {len(told) - 4} more" if len(told) > 4 else "")
    return UsageError(
        f"{source.address} shows none of the tables asked for ({reasons}): check the rights of"
        " the login, and database.prefix in DataJoint's configuration."
    )


def _selection(source: Source, options: Options) -> Selection:
    found = source.subjects(options.subject) if options.subject else {}
    for name, uuids in found.items():
        if not uuids:
            raise UsageError(
                f"--subject {name} matches no mouse: give a nickname as it is written in"
                " subject.subject, or a uuid."
            )
    uuids = sorted({uuid for some in found.values() for uuid in some})
    return Selection(tuple(uuids), options.since)


def _refuse_name(file: Path, source: Source) -> None:
    """Keep a file from being called as a schema in it: DuckDB could then read neither."""
    if file.stem.lower() in {*source.schemas(), "derived", "main", "_mirror"}:
        raise UsageError(
            f"{file} would have the name of the schema {file.stem} in it, and DuckDB could not tell"
            " them apart: call it otherwise with --database PATH."
        )


def _refuse_simulation(earlier: duckdb.DuckDBPyConnection, target: Path, source: Source) -> None:
    """Keep simulated mice from taking the place of data, which nobody may have twice."""
    real = earlier.execute("select 1 from _mirror.runs where not is_simulated").fetchall()
    if source.is_simulated and real:
        raise UsageError(
            f"{target} holds data, which simulated mice do not replace, not even with --full: add"
            " --database PATH to make another file."
        )


def _refuse_loss(
    earlier: duckdb.DuckDBPyConnection,
    target: Path,
    source: Source,
    options: Options,
    wanted: Sequence[Table],
    available: Sequence[Table],
    left_out: Sequence[LeftOut],
) -> None:
    """Refuse to replace the target by less, or by something else.

    The server may be gone for good, so only `--full` gives up what a file holds. A table that
    the server itself has dropped is no loss: a fresh sync would not have it.
    """
    last = earlier.execute(
        "select source, address, options from _mirror.runs order by run desc limit 1"
    ).fetchall()
    tables = earlier.execute(
        "select schema_name || '.' || table_name, mysql_schema, mysql_table from _mirror.tables"
    ).fetchall()
    if not last:
        return
    kind, address, text = last[0]
    if (kind, address) != (source.kind, source.address):
        raise UsageError(
            f"{target} was copied from {address} and this sync is from {source.address}: {WAYS_OUT}"
        )
    invisible = {item.what for item in left_out}
    passed_over = {str(table) for table in available} - {str(table) for table in wanted}
    seen = {str(table) for table in available}
    lost = sorted(
        table
        for table, *place in tables
        if table in passed_over
        or table.split(".")[0] in invisible
        or (table not in seen and source.hides(*place))
    )
    if lost or options.asks_less_than(Options.from_json(text)):
        what = f", such as {lost[0]}," if lost else f" (it was made with {text})"
        raise UsageError(f"{target} holds more{what} than this sync would bring: {WAYS_OUT}")


def _drop_gone(connection: duckdb.DuckDBPyConnection, wanted: Sequence[Table]) -> list[str]:
    """Drop the tables that the source has no more, as a fresh sync would not have them."""
    names = {(table.schema, table.name) for table in wanted}
    gone = [
        name
        for name in connection.execute(
            "select schema_name, table_name from duckdb_tables()"
            " where database_name = current_database()"
            " and schema_name not in ('main', 'derived', '_mirror')"
        ).fetchall()
        if name not in names
    ]
    for schema, name in gone:
        forget(connection, schema, name)
    return [f"{schema}.{name}" for schema, name in gone]


def _check_references(
    connection: duckdb.DuckDBPyConnection,
    wanted: Sequence[Table],
    changed: set[str],
    is_narrowed: bool,
) -> list[str]:
    """Count the rows that refer to a row that is not there, for every declared reference.

    Texts are compared as MySQL's default collations do, without case, accents and trailing
    blanks. In a narrowed mirror the row referred to may have been left behind.
    """
    here = {
        f"{schema}.{name}"
        for schema, name in connection.execute(
            "select schema_name, table_name from _mirror.tables"
        ).fetchall()
    }
    by_mysql = {(t.mysql_schema, t.mysql_table): t for t in wanted if str(t) in here}
    types = {
        (f"{schema}.{table}", column): kind
        for schema, table, column, kind in connection.execute(
            "select schema_name, table_name, column_name, duckdb_type from _mirror.columns"
            " where duckdb_type is not null"
        ).fetchall()
    }

    def comparable(alias: str, table: Table, column: str) -> str:
        expression = f"{alias}.{quoted(column)}"
        if types[str(table), column] == "VARCHAR":
            return f"lower(strip_accents(rtrim({expression})))"
        return expression

    counted = {
        (f"{schema}.{table}", name): violations
        for schema, table, name, violations in connection.execute(
            "select schema_name, table_name, constraint_name, violations"
            " from _mirror.foreign_keys where violations is not null"
        ).fetchall()
    }
    orphans, found = [], []
    for table in by_mysql.values():
        for key in table.foreign_keys:
            parent = by_mysql.get((key.mysql_schema, key.mysql_table))
            pairs = list(zip(key.columns, key.references, strict=True))
            if parent is None or any(
                (str(table), mine) not in types or (str(parent), theirs) not in types
                for mine, theirs in pairs
            ):
                continue
            violations = counted.get((str(table), key.name))
            if violations is None or {str(table), str(parent)} & changed:
                same = " and ".join(
                    f"{comparable('p', parent, theirs)} = {comparable('c', table, mine)}"
                    for mine, theirs in pairs
                )
                present = " and ".join(f"c.{quoted(mine)} is not null" for mine, _ in pairs)
                [(violations,)] = connection.execute(
                    f"select count(*) from {name_of(table)} as c where {present}"
                    f" and not exists (select 1 from {name_of(parent)} as p where {same})"
                ).fetchall()
                found.append(
                    (table.schema, table.name, key.name, parent.schema, parent.name, violations)
                )
            if violations:
                why = ", left out by this selection" if is_narrowed else ", on the server as well"
                rows = "row refers" if violations == 1 else "rows refer"
                orphans.append(f"{table}: {violations:,} {rows} to no row of {parent}{why}")
    if found:
        values = ", ".join(f"({', '.join(map(literal, row))})" for row in found)
        connection.execute(
            "update _mirror.foreign_keys as k set referenced_schema = v.schema,"
            " referenced_table = v.name, violations = v.violations from (values"
            f" {values}) as v(schema_name, table_name, constraint_name, schema, name, violations)"
            " where k.schema_name = v.schema_name and k.table_name = v.table_name"
            " and k.constraint_name = v.constraint_name"
        )
    return orphans


def _record_run(
    connection: duckdb.DuckDBPyConnection,
    job: Job,
    options: Options,
    is_whole: bool,
    began: datetime,
    clock: float,
    left_out: Iterable[LeftOut],
    kept: Iterable[LeftOut],
) -> None:
    connection.begin()
    connection.execute("delete from _mirror.left_out")
    store.insert(connection, "left_out", ((item.what, item.why) for item in left_out))
    store.insert(
        connection, "left_out", ((item.what, f"kept as it was: {item.why}") for item in kept)
    )
    versions = {name: version(name) for name in PACKAGES} | dict(job.source.versions())
    [held] = connection.execute(
        "select count(*), coalesce(sum(n_rows), 0) from _mirror.tables"
    ).fetchall()
    store.insert(
        connection,
        "runs",
        [
            (
                job.run,
                began,
                store.now(),
                time.monotonic() - clock,
                job.source.kind,
                job.source.address,
                job.source.is_simulated,
                options.to_json(),
                json.dumps(versions),
                *held,
                is_whole,
            )
        ],
    )
    connection.commit()
