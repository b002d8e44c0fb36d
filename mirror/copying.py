"""One table: whether it has changed, the rows it needs, the checks before it counts as done.

A table passes through one transaction: its rows arrive beside those that are there already, and
take their place together with everything that says they are right (key, NOT NULL, comments,
provenance). Whatever goes wrong before, and whenever a sync is killed, the file keeps what it had.
"""

import hashlib
import json
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import closing, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import duckdb

from mirror import parts
from mirror.background import in_background
from mirror.privacy import is_private
from mirror.progress import Progress
from mirror.sources import Census, ReadAgain, Reading, Request, Source, Stamp, Unreadable
from mirror.store import (
    MEMORY_LIMIT,
    STREAMING_LIMIT,
    commit_to_file,
    commit_to_log,
    give_back,
    insert,
    literal,
    make_room,
    merging,
    now,
    one_thread,
    quoted,
)
from mirror.tables import Restriction, Selection, Table, plain_name
from mirror.types import Conversion, conversion

# Smaller part tables are read whole in less time than it takes to ask what changed in them.
LARGE_PART = 20_000
# Bytes of rows after which there is much to give back, to the system and within the file.
MUCH = 8 * 1024 * 1024
# Bytes of rows that are put into the file with one statement.
MOST_AT_ONCE = 32 * 1024 * 1024
# Raised when the same heading comes to be stored otherwise, so that old rows are not kept.
FORMAT, FORMAT_WITH_BLOBS = 2, 3

if TYPE_CHECKING:
    import pyarrow


@dataclass(frozen=True)
class Copied:
    """What became of one table; `how` is copied, updated or unchanged."""

    table: str
    how: str
    rows: int
    seconds: float
    left_out: tuple[str, ...] = ()
    forced_to_null: Mapping[str, int] = field(default_factory=dict)
    read_as_true: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Job:
    """What stays the same from one table of a sync to the next."""

    source: Source
    connection: duckdb.DuckDBPyConnection
    selection: Selection
    include_private: bool
    batch_rows: int
    run: int
    progress: Progress
    # whether the file began with nothing in it
    is_new: bool = False
    # whether nothing else is at work in the file
    is_alone: bool = True
    # checksums of tables that are in the file already
    checking: dict[Table, "Future[str | None]"] = field(default_factory=dict)

    @property
    def memory(self) -> int:
        """Bytes that DuckDB may have, beside what keys take."""
        return STREAMING_LIMIT if self.is_alone else MEMORY_LIMIT


@dataclass(frozen=True)
class Known:
    """What an earlier sync wrote down about a table that is still in the file."""

    rows: int
    change_token: str | None
    checksum: str | None
    copied: Copied
    parts: Mapping[str, parts.Kept]


@dataclass(frozen=True)
class Due:
    """A table that may have changed: what to read of it, and what the file has of it.

    `checksum` is that of its rows at the source, where it was asked for.
    """

    table: Table
    columns: Mapping[str, Conversion]
    left_out: tuple[str, ...]
    wanted: Restriction
    definition: str
    known: Known | None
    checksum: str | None = None


# By schema and name, the definition of a table and what is known of it.
Held = Mapping[tuple[str, str], tuple[str, Known]]
Found = Mapping[Table, Copied | Due | Unreadable]


@dataclass(frozen=True)
class Looked:
    """What there is of each table, and the times of change to remember of those that have not."""

    found: Found
    tokens: Sequence[tuple[Table, str | None]]


def look(job: Job, held: Held, tables: Sequence[Table]) -> Looked:
    """Tell the tables that have not changed from those that may have, with as few questions.

    Asks the source alone, and nothing of the file.
    """
    found: dict[Table, Copied | Due | Unreadable] = {}
    for table in tables:
        try:
            found[table] = _due(job, table, held.get((table.schema, table.name)))
        except Unreadable as error:
            found[table] = error
    due_tables = [table for table, due in found.items() if isinstance(due, Due)]
    stamps: Mapping[Table, Stamp] = {}
    if due_tables:
        # without them, checksums tell
        with suppress(Unreadable, ReadAgain):
            stamps = job.source.stamps(due_tables)
    known = {t: due.known for t, due in found.items() if isinstance(due, Due) and due.known}
    tokens = {table: stamp.text for table, stamp in stamps.items() if stamp.is_settled}
    asked = [t for t, kept in known.items() if t not in tokens or tokens[t] != kept.change_token]
    checksums = _checksums(job.source, asked)
    remembered: list[tuple[Table, str | None]] = []
    for table, kept in known.items():
        checksum = checksums.get(table)
        if table not in asked or (checksum and checksum == kept.checksum):
            found[table] = kept.copied
            if table in asked and tokens.get(table) != kept.change_token:
                remembered.append((table, tokens.get(table)))
        elif isinstance(due := found[table], Due):
            found[table] = replace(due, checksum=checksum)
    return Looked(found, remembered)


def read_ahead(job: Job, found: Iterable[Copied | Due | Unreadable]) -> Collection[Table]:
    """Begin to read those that may have changed, in this order, and are small; tells which."""
    return job.source.read_ahead(
        [
            Request(due.table, due.columns, due.wanted)
            for due in found
            # of large ones only what has changed may be read
            if isinstance(due, Due) and not (due.known and due.known.rows >= LARGE_PART)
        ]
    )


def copy(job: Job, due: Due) -> Copied:
    """Bring one table up to its source: keep it, update what changed in it, or read it whole.

    Raises Unreadable, and changes nothing, when the table cannot be had: the source does not
    show its rows, the rows that arrive are not those that it counts, or the file cannot hold them.
    """
    while True:
        with suppress(ReadAgain):
            return _copied(job, due)


def note_checksums(job: Job, wait: bool) -> None:
    """Write down the checksums that have come, or all; a table without one is read again."""
    for table, checking in list(job.checking.items()):
        if wait or checking.done():
            del job.checking[table]
            with suppress(Unreadable, ReadAgain):
                job.connection.execute(
                    f"update _mirror.tables set checksum = {literal(checking.result())}"
                    f" where {_is(table.schema, table.name)}"
                )


def holds(connection: duckdb.DuckDBPyConnection, table: Table) -> bool:
    """Whether the file has rows of a table from an earlier sync."""
    found = connection.execute(
        f"select 1 from _mirror.tables where {_is(table.schema, table.name)}"
    ).fetchall()
    return bool(found) and _count(connection, name_of(table)) >= 0


def _due(job: Job, table: Table, held: tuple[str, Known] | None) -> Due:
    if not table.columns:
        # of a damaged table, MariaDB's comment says what is wrong
        raise Unreadable(f"the server shows none of its columns ({table.comment})")
    columns, left_out = _columns(job, table)
    if not columns:
        raise Unreadable(f"all its columns are left out ({', '.join(left_out)})")
    wanted = job.selection.restrict(table)
    definition = _definition(job, table, columns, wanted)
    known = held[1] if held and held[0] == definition else None
    return Due(table, columns, left_out, wanted, definition, known)


def _checksums(source: Source, tables: Sequence[Table]) -> Mapping[Table, str]:
    """The checksums of all that can be had."""
    if not tables:
        return {}
    with suppress(Unreadable, ReadAgain):
        return source.checksums(tables)
    if len(tables) == 1:
        return {}
    # one that the source does not show hides the others
    half = len(tables) // 2
    return {**_checksums(source, tables[:half]), **_checksums(source, tables[half:])}


def _copied(job: Job, due: Due) -> Copied:
    clock = time.monotonic()
    table, columns, wanted, known = due.table, due.columns, due.wanted, due.known
    stamp = job.source.stamps([table]).get(table)
    token = stamp.text if stamp and stamp.is_settled else None
    checksum = due.checksum
    there = job.source.parts(table, wanted)
    plan = parts.renewal(known.parts, there, wanted) if known and there else None
    if known and plan and not plan.fresh:
        return _keep(job, table, known, plan, token)
    # counted as of now, while the rows are on their way: whatever changes from here on will
    # differ from the checksum at the next sync
    read = plan.wanted if plan else wanted
    counting = in_background(job.source.census(table, columns, read, checksum is None))
    by = _master_key(table, columns)
    with _changing(job.connection):
        arrived, kept_rows = None, 0
        if plan:
            kept_rows = _rows_kept(job.connection, table, plan)
            arrived = _renew(job, table, columns, plan)
        elif known and by and known.rows >= LARGE_PART:
            arrived = _update(job, table, columns, wanted, by)
        how = "updated" if arrived else "copied"
        reading, size = arrived or _load(job, table, columns, wanted)
        census = counting.result()
        expected = kept_rows + census.rows
        checksum = checksum or census.checksum
        # beside what is left to do here, now that all rows are there
        checking = in_background(census.checksum_later) if census.checksum_later else None
        later = job.source.stamps([table]).get(table)
        is_steady = (later and later.text) == (stamp and stamp.text)
        held = parts.now(there, plan, reading.told) if there else {}
        rows, lost = _counted(job.connection, _incoming(table), census)
        copied = Copied(
            table=str(table),
            how=how,
            rows=rows,
            seconds=time.monotonic() - clock,
            left_out=due.left_out,
            forced_to_null={**lost, **reading.undecodable},
            read_as_true=dict(census.changed),
            notes=(
                *_notes(table, columns),
                *reading.notes,
                *parts.notes(held, plan.gone if plan else ()),
            ),
        )
        if keyless := _keyless(table, columns, copied):
            note = f"the primary key is not declared here, because of {', '.join(keyless)}"
            copied = replace(copied, notes=(*copied.notes, note))
        if is_steady and (copied.rows != expected or (stamp and stamp.is_fresh)):
            # where the stamp cannot tell, the rows must
            checksum = checking.result() if checking else checksum
            is_steady = checksum is None or job.source.checksums([table]).get(table) == checksum
        if not is_steady:
            copied = replace(
                copied,
                notes=(
                    *copied.notes,
                    "changed while it was read, sync again for a copy of one moment",
                ),
            )
            token = checksum = checking = None
        elif copied.rows != expected:
            raise Unreadable(f"{copied.rows:,} rows arrived but the source counts {expected:,}")
        if size >= MUCH:
            give_back()
            commit_to_file(job.connection)
        _finish(job, due, reading, copied, (size, token, checksum), held)
    if checking and not checksum:
        job.checking[table] = checking
    if size >= MUCH:
        make_room(job.connection, job.memory, 0)
    return copied


@contextmanager
def _changing(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """All that is done to a table in here, or nothing of it."""
    connection.begin()
    try:
        yield
        connection.commit()
    except (duckdb.DataError, duckdb.IntegrityError, duckdb.ProgrammingError) as error:
        connection.rollback()
        reason = str(error).splitlines()[0].rstrip(".")
        raise Unreadable(f"the file cannot hold it: {reason}") from error
    except BaseException:
        # a file that a failed commit has closed cannot go back: let the error tell
        with suppress(duckdb.Error):
            connection.rollback()
        raise
    finally:
        with suppress(duckdb.Error):
            commit_to_log(connection)


def forget(connection: duckdb.DuckDBPyConnection, schema: str, name: str) -> None:
    """Drop a table and all that is written down about it."""
    connection.begin()
    is_there = connection.execute(
        "select 1 from duckdb_tables() where database_name = current_database()"
        f" and {_is(schema, name)}"
    ).fetchall()
    if is_there:
        connection.execute(f"drop table {quoted(schema)}.{quoted(name)}")
    _erase(connection, schema, name)
    connection.commit()
    if is_there:
        # the next table is written into the blocks that this one leaves
        connection.execute("checkpoint")


def _erase(connection: duckdb.DuckDBPyConnection, schema: str, name: str) -> None:
    _execute(
        connection,
        (
            f"delete from _mirror.{provenance} where {_is(schema, name)}"
            for provenance in ("tables", "columns", "foreign_keys", "blobs")
        ),
    )


def _is(schema: str, name: str) -> str:
    return f"schema_name = {literal(schema)} and table_name = {literal(name)}"


def _columns(job: Job, table: Table) -> tuple[dict[str, Conversion], tuple[str, ...]]:
    columns, left_out = {}, []
    for column in table.columns:
        found = conversion(column)
        if is_private(table, column) and not job.include_private:
            left_out.append(f"{column.name}: private")
        elif found.is_left_out:
            left_out.append(f"{column.name}: {found.note}")
        else:
            columns[column.name] = found
    return columns, tuple(left_out)


def _notes(table: Table, columns: Mapping[str, Conversion]) -> Iterator[str]:
    if table.name != plain_name(table.mysql_table):
        yield f"{table.mysql_table} on the server, where another table has its name here"
    for name, found in columns.items():
        if found.note:
            yield f"{name}: {found.note}"


def _definition(
    job: Job, table: Table, columns: Mapping[str, Conversion], wanted: Restriction
) -> str:
    """A digest of all that decides what the rows of a table look like here."""
    has_blobs = any(found.is_blob for found in columns.values())
    form = FORMAT_WITH_BLOBS if has_blobs else FORMAT
    text = json.dumps(
        [form, job.source.kind, job.source.address, repr(table), list(columns), repr(wanted)]
    )
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def held_in(connection: duckdb.DuckDBPyConnection) -> Held:
    """Of every table that is in the file as it was written down, its definition, and what is known.

    By schema and name.
    """
    recorded = connection.execute(
        "select schema_name, table_name, definition, n_rows, change_token, checksum, left_out,"
        " forced_to_null, read_as_true, notes, parts from _mirror.tables"
        " join duckdb_tables() using (schema_name, table_name)"
        " where database_name = current_database()"
    ).fetchall()
    counts = " union all by name ".join(
        f"select {place} as place, count(*) as n from {quoted(schema)}.{quoted(name)}"
        for place, (schema, name, *_) in enumerate(recorded)
    )
    there = dict(connection.execute(counts).fetchall()) if counts else {}
    found = {}
    for place, (schema, name, definition, n_rows, token, checksum, *told) in enumerate(recorded):
        if there[place] == n_rows:
            left_out, forced, read_as_true, notes, in_parts = told
            copied = Copied(
                f"{schema}.{name}",
                "unchanged",
                n_rows,
                0.0,
                tuple(left_out),
                forced,
                read_as_true,
                tuple(notes),
            )
            kept = Known(n_rows, token, checksum, copied, parts.from_json(in_parts))
            found[schema, name] = (definition, kept)
    return found


def remember(
    connection: duckdb.DuckDBPyConnection, tokens: Iterable[tuple[Table, str | None]]
) -> None:
    """Write down when tables last changed that are otherwise as they were."""
    values = ", ".join(
        f"({literal(table.schema)}, {literal(table.name)}, {literal(token)})"
        for table, token in tokens
    )
    if values:
        connection.execute(
            "update _mirror.tables as t set change_token = v.token"
            f" from (values {values}) as v(schema_name, table_name, token)"
            " where t.schema_name = v.schema_name and t.table_name = v.table_name"
        )


def _keep(job: Job, table: Table, known: Known, plan: parts.Renewal, token: str | None) -> Copied:
    """Keep all rows of a table whose source has fewer parts than before, or these again."""
    told = [note for note in known.copied.notes if not note.startswith(parts.GONE)]
    told += [note for note in parts.notes({}, plan.gone)]
    job.connection.execute(
        f"update _mirror.tables set change_token = {literal(token)}, notes = {literal(told)}"
        f" where {_is(table.schema, table.name)}"
    )
    return replace(known.copied, notes=tuple(told))


def _rows_kept(connection: duckdb.DuckDBPyConnection, table: Table, plan: parts.Renewal) -> int:
    """The rows of the parts that stay."""
    [(rows,)] = connection.execute(
        f"select count(*) from {name_of(table)} as t where not {_is_fresh(plan)}"
    ).fetchall()
    return rows


def _master_key(table: Table, columns: Mapping[str, Conversion]) -> tuple[str, ...]:
    """The columns of a part table's key that it shares with its master, or none."""
    if table.tier != "Part" or any(found.is_blob or found.is_file for found in columns.values()):
        return ()
    shared = {name for key in table.foreign_keys for name in key.columns}
    by = tuple(name for name in table.primary_key if name in shared)
    return by if len(by) < len(table.primary_key) else ()


def _load(
    job: Job, table: Table, columns: Mapping[str, Conversion], wanted: Restriction
) -> tuple[Reading, int]:
    """Read the table whole; returns how it was read and the bytes that arrived."""
    reading = job.source.read(table, columns, wanted, job.batch_rows)
    job.connection.execute(f"create schema if not exists {quoted(table.schema)}")
    _create(job.connection, _incoming(table), table, reading)
    with one_thread(job.connection) if job.is_alone else nullcontext():
        return reading, _insert(job, _incoming(table), reading)


def _update(
    job: Job,
    table: Table,
    columns: Mapping[str, Conversion],
    wanted: Restriction,
    by: Sequence[str],
) -> tuple[Reading, int] | None:
    """Read only the rows of those masters whose rows have changed.

    The server digests the rows of each master where they are, and DuckDB digests its own in
    the same words. None when so much has changed that the whole table is less work.
    """
    import pyarrow

    try:
        shares = job.source.digests(table, columns, by, wanted)
    except ReadAgain:
        return None
    there = {key: (share.rows, share.digest) for key, share in shares.items()}
    here = _local_digests(job.connection, table, columns, by)
    stale = [key for key, found in here.items() if there.get(key) != found]
    fresh = [shares[key] for key, found in there.items() if here.get(key) != found]
    if sum(share.rows for share in fresh) > sum(rows for rows, _ in there.values()) / 2:
        return None
    keys = [dict(zip(by, share.key, strict=True)) for share in fresh]
    reading = job.source.read(table, columns, wanted, job.batch_rows, keys)
    stale_keys = pyarrow.table(
        {name: [key[i] for key in stale] for i, name in enumerate(by)},
        schema=pyarrow.schema([(name, pyarrow.string()) for name in by]),
    )
    same_key = " and ".join(
        f"s.{quoted(name)} is not distinct from"
        f" {columns[name].local_digest.format(c=f't.{quoted(name)}')}"
        for name in by
    )
    job.connection.register("_stale", stale_keys)
    try:
        is_stale = f"exists (select 1 from _stale as s where {same_key})"
        return reading, _merge(job, table, reading, is_stale)
    finally:
        job.connection.unregister("_stale")


def _renew(
    job: Job, table: Table, columns: Mapping[str, Conversion], plan: parts.Renewal
) -> tuple[Reading, int]:
    """Read the parts that have changed, and only these."""
    reading = job.source.read(table, columns, plan.wanted, job.batch_rows)
    return reading, _merge(job, table, reading, _is_fresh(plan))


def _is_fresh(plan: parts.Renewal) -> str:
    """The condition for the rows of the parts that are read again."""
    return f"list_contains({literal(list(plan.fresh))}, t.{quoted(plan.column)}::varchar)"


def _merge(job: Job, table: Table, reading: Reading, is_stale: str) -> int:
    """Let the rows that are read take the place of those that are stale."""
    connection = job.connection
    changed, merged = _beside(table, "changed"), _incoming(table)
    order = ", ".join(quoted(name) for name in table.primary_key)
    for name in (changed, merged):
        _create(connection, name, table, reading)
    size = _insert(job, changed, reading)
    with merging(connection, job.memory):
        connection.execute(
            f"insert into {merged} select * from (select t.* from {name_of(table)} as t"
            f" where not {is_stale} union all select * from {changed}) order by {order}"
        )
    connection.execute(f"drop table {changed}")
    return size


def _local_digests(
    connection: duckdb.DuckDBPyConnection,
    table: Table,
    columns: Mapping[str, Conversion],
    by: Sequence[str],
) -> dict[tuple[str, ...], tuple[int, int]]:
    """For each value of the columns `by`, as text: how many rows, and a digest of all of them."""
    digests = {name: found.local_digest.format(c=quoted(name)) for name, found in columns.items()}
    written = ", ".join(digests[name] for name in by)
    text = ", ".join(f"coalesce('=' || {digest}, '-')" for digest in digests.values())
    rows = connection.execute(
        f"select {written}, count(*), bit_xor(cast('0x' || left(sha256(concat_ws(chr(31), {text})),"
        f" 15) as bigint)) from {name_of(table)} group by {', '.join(map(quoted, by))}"
    ).fetchall()
    return {tuple(key): (count, digest) for *key, count, digest in rows}


def _create(
    connection: duckdb.DuckDBPyConnection, name: str, table: Table, reading: Reading
) -> None:
    declared = []
    for column in table.columns:
        found = reading.conversions.get(column.name)
        if found:
            required = " not null" if _is_required(table, column.name, found) else ""
            declared.append(f"{quoted(column.name)} {found.duckdb_type}{required}")
    connection.execute(f"create table {name} ({', '.join(declared)})")


def _is_required(table: Table, name: str, found: Conversion) -> bool:
    """Whether NOT NULL can be promised before the values are seen."""
    column = table.column(name)
    return bool(column and not column.nullable and not found.may_lose and not found.is_blob)


def _insert(job: Job, name: str, reading: Reading) -> int:
    """Put the rows into a table of the file; returns the bytes that arrived.

    A batch at a time, so that it is Python that waits for the next one, and hears Ctrl-C.
    """
    select = ", ".join(
        found.load.format(c=quoted(column), type=found.duckdb_type)
        for column, found in reading.conversions.items()
    )
    size = 0
    with closing(reading.batches) as batches:
        for rows in _together(batches, job.batch_rows):
            size += rows.nbytes
            # a registered name would keep what it names until the transaction ends
            job.connection.from_arrow(rows).project(select).insert_into(name)
            job.progress.advance(rows.num_rows)
    return size


def _together(batches: "Iterable[pyarrow.RecordBatch]", n_rows: int) -> "Iterator[pyarrow.Table]":
    """Cut rows anew, into tables of so many, or fewer where these are large.

    DuckDB writes a whole row group at once. What fills none it keeps and joins with what follows,
    and after a table of no rows it does so with all.
    """
    import pyarrow

    some: list[pyarrow.RecordBatch] = []
    rows = size = 0
    for batch in batches:
        start = 0
        while start < batch.num_rows:
            some.append(batch.slice(start, n_rows - rows))
            start += some[-1].num_rows
            rows, size = rows + some[-1].num_rows, size + some[-1].nbytes
            if rows == n_rows or size >= MOST_AT_ONCE:
                yield pyarrow.Table.from_batches(some).combine_chunks()
                some, rows, size = [], 0, 0
    if some:
        yield pyarrow.Table.from_batches(some).combine_chunks()


def _finish(
    job: Job,
    due: Due,
    reading: Reading,
    copied: Copied,
    state: tuple[int, str | None, str | None],
    held: Mapping[str, parts.Kept],
) -> None:
    """Declare what the rows have shown to be true, and write down where they came from."""
    connection, table, columns = job.connection, due.table, due.columns
    name = _incoming(table)
    required = [
        f"alter table {name} alter column {quoted(column.name)} set not null"
        for column in table.columns
        if (found := columns.get(column.name))
        and not column.nullable
        and not copied.forced_to_null.get(column.name)
        and not _is_required(table, column.name, found)
    ]
    if table.primary_key and not _keyless(table, columns, copied):
        key = ", ".join(map(quoted, table.primary_key))
        required.append(f"alter table {name} add primary key ({key})")
        make_room(connection, job.memory, copied.rows)
    try:
        _execute(connection, required)
    except duckdb.ConstraintException as error:
        raise Unreadable(
            "two rows with one primary key arrived, perhaps because rows changed meanwhile"
        ) from error
    _execute(
        connection,
        [
            f"comment on table {name} is {literal(_described(table))}",
            *(
                f"comment on column {name}.{quoted(column.name)} is {literal(column.description)}"
                for column in table.columns
                if column.name in columns and column.description
            ),
            f"drop table if exists {name_of(table)}",
            f"alter table {name} rename to {quoted(table.name)}",
        ],
    )
    _record(job, due, reading, copied, state, held)
    if reading.originals:
        _keep_originals(connection, table, reading.originals)


def _execute(connection: duckdb.DuckDBPyConnection, statements: Iterable[str]) -> None:
    """Run statements in one call, which costs less than a call for each."""
    if together := "; ".join(statements):
        connection.execute(together)


def _keep_originals(
    connection: duckdb.DuckDBPyConnection, table: Table, originals: "Iterable[pyarrow.RecordBatch]"
) -> None:
    """Write down the blobs that the file does not restore from its columns.

    A table with blobs is always read whole, so that rows lie in the order in which they came.
    """
    import pyarrow

    own = f"{literal(table.schema)}, {literal(table.name)}"
    for batch in originals:
        arrived = connection.from_arrow(pyarrow.Table.from_batches([batch]))
        arrived.project(f'{own}, "column", "row", "original"').insert_into("_mirror.blobs")


def _keyless(table: Table, columns: Mapping[str, Conversion], copied: Copied) -> list[str]:
    """The columns for which the file cannot declare the primary key of the server."""
    return [
        name
        for name in table.primary_key
        if name not in columns
        or copied.forced_to_null.get(name)
        or copied.read_as_true.get(name)
        # DuckDB has no index on these
        or columns[name].duckdb_type == "INTERVAL"
        or columns[name].is_blob
    ]


def _record(
    job: Job,
    due: Due,
    reading: Reading,
    copied: Copied,
    state: tuple[int, str | None, str | None],
    held: Mapping[str, parts.Kept],
) -> None:
    table, own = due.table, (due.table.schema, due.table.name)
    size, token, checksum = state
    types = {name: found.duckdb_type for name, found in reading.conversions.items()}
    if not job.is_new:
        _erase(job.connection, *own)
    insert(
        job.connection,
        "tables",
        [
            (
                *own,
                table.datajoint_name,
                table.mysql_schema,
                table.mysql_table,
                table.tier,
                table.comment,
                copied.rows,
                copied.seconds,
                size,
                job.run,
                copied.left_out,
                dict(copied.forced_to_null),
                dict(copied.read_as_true),
                copied.notes,
                due.definition,
                token,
                checksum,
                now(),
                parts.to_json(held) if held else None,
            )
        ],
    )
    insert(
        job.connection,
        "columns",
        (
            (
                *own,
                column.name,
                position,
                types.get(column.name),
                column.declared_type,
                column.nullable,
                column.default,
                column.key,
                column.extra,
                column.comment,
            )
            for position, column in enumerate(table.columns, start=1)
        ),
    )
    insert(
        job.connection,
        "foreign_keys",
        (
            (
                *own,
                key.name,
                key.columns,
                key.mysql_schema,
                key.mysql_table,
                None,
                None,
                key.references,
                None,
            )
            for key in table.foreign_keys
        ),
    )


def _described(table: Table) -> str:
    """What a row is, by the table's key, and what the server says of the table."""
    *most, last = table.primary_key or ("entry",)
    row = f"One row per {', '.join(most)} and {last}" if most else f"One row per {last}"
    return f"{row}: {table.comment}" if table.comment else row


def _count(connection: duckdb.DuckDBPyConnection, name: str) -> int:
    try:
        return connection.execute(f"select count(*) from {name}").fetchall()[0][0]
    except duckdb.CatalogException:
        return -1


def _counted(
    connection: duckdb.DuckDBPyConnection, name: str, census: Census
) -> tuple[int, dict[str, int]]:
    """The rows that have arrived, and of each column the values that are NULL only here."""
    counts = ", ".join(["count(*)", *(f"count({quoted(column)})" for column in census.values)])
    [(rows, *values)] = connection.execute(f"select {counts} from {name}").fetchall()
    nulls = {
        column: (rows - here) - (census.rows - there)
        for (column, there), here in zip(census.values.items(), values, strict=True)
    }
    return rows, {column: n for column, n in nulls.items() if n > 0}


def name_of(table: Table) -> str:
    """The table's name in the file, quoted."""
    return f"{quoted(table.schema)}.{quoted(table.name)}"


def _incoming(table: Table) -> str:
    return _beside(table, "incoming")


def _beside(table: Table, purpose: str) -> str:
    """A name that no table of a server has: there, none ends with a blank."""
    return f"{quoted(table.schema)}.{quoted(purpose + ' ')}"
