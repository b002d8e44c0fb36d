"""The DuckDB file: opened to read, or rebuilt beside itself and swapped in whole.

A sync writes `.NAME.partial` in the folder of the target and renames it over the target at
the very end. Readers see the old file or the new one. What an interrupted sync leaves in
the partial file, the next one goes on with.
"""

import ctypes
import os
import re
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import duckdb

from mirror.errors import MirrorError, UsageError

# Shells are often older than libraries. With primary keys in it, DuckDB 1.1 is the oldest that
# reads such a file.
STORAGE_VERSION = "v1.0.0"
# Enough to merge and rewrite tables; beyond it DuckDB puts its work aside, on disk beside the
# target. While rows stream in, DuckDB only keeps what it has written already: less will do.
MEMORY_LIMIT = "250MB"
STREAMING_LIMIT = "150MB"
THREADS = min(4, os.cpu_count() or 1)
# Rewriting costs as much as the tables; a few free blocks cost nothing.
TOO_EMPTY = 0.25

# DuckDB 1.5.6 can push what a join knows of its other side below a LIMIT, which then counts other
# rows: wrong, and not every time. Without it no view is slower.
TRUSTED_OPTIMIZERS = "set disabled_optimizers = 'join_filter_pushdown'"

Connection = duckdb.DuckDBPyConnection


def path(database: str | os.PathLike | None = None, otherwise: str = "ibl.duckdb") -> Path:
    """The file meant: the argument, else `MIRROR_DATABASE`, else `ibl.duckdb` here."""
    return Path(database or os.environ.get("MIRROR_DATABASE") or otherwise)


def connect(database: str | os.PathLike | None = None) -> Connection:
    """Open a mirror to read. Raises UsageError where there is none.

    DuckDB opens a file once in a process: close earlier connections to see what a sync has
    put there since.
    """
    target = path(database)
    if not target.exists():
        demo = target.with_name("demo.duckdb")
        ways = f"make one with 'mirror sync --database {target}'"
        if demo.exists():
            ways += f", or name the one that is there, --database {demo}"
        raise UsageError(f"There is no mirror at {target}: {ways}.")
    connection = _open(target, read_only=True)
    if not _is_mirror(connection):
        connection.close()
        raise UsageError(
            f"{target} is a DuckDB file but not a mirror: name another one with --database."
        )
    return connection


class Staging:
    """The file that is being built, and that takes the target's place when it is whole."""

    def __init__(self, target: Path, partial: Path, is_resumed: bool) -> None:
        self.target = target
        self.partial = partial
        self.is_resumed = is_resumed
        self.connection = _open_partial(partial)

    def swap(self) -> None:
        """Put the file in the target's place, in one step of the file system."""
        self.connection.execute("drop table if exists _purpose")
        self.connection.execute("checkpoint")
        if _emptiness(self.connection) > TOO_EMPTY:
            self._rewrite()
        self.connection.close()
        # a log beside the target belongs to the old file, and would be replayed on the new
        log, aside = _log_of(self.target), self.target.with_name(f".{self.target.name}.old-wal")
        try:
            if log.exists():
                os.replace(log, aside)
            os.replace(self.partial, self.target)
            aside.unlink(missing_ok=True)
        except OSError as error:
            if aside.exists():
                os.replace(aside, log)
            raise MirrorError(
                f"{self.target} cannot be replaced ({error.strerror}): close the programs that"
                " have it open and run the same command again, nothing is fetched twice."
            ) from error

    def close(self) -> None:
        self.connection.close()

    def _rewrite(self) -> None:
        """Leave out the blocks that replaced tables have left empty."""
        compact = self.partial.with_suffix(".compact")
        compact.unlink(missing_ok=True)
        self.connection.execute(
            f"attach {literal(str(compact))} as compact (storage_version '{STORAGE_VERSION}')"
        )
        [(own,)] = self.connection.execute("select current_database()").fetchall()
        self.connection.execute(f"copy from database {quoted(own)} to compact")
        self.connection.execute("detach compact")
        self.connection.close()
        os.replace(compact, self.partial)
        self.connection = _open_partial(self.partial)


@contextmanager
def staging(
    target: Path, purpose: str, full: bool = False, name: str = "partial"
) -> Iterator[Staging]:
    """Hold the target for one writer and give the file to build its successor in.

    The file starts as what an interrupted call of the same purpose left, if the target is
    still the one it found; else as a copy of the target; else, or when `full`, empty. Raises
    MirrorError when another sync is at work, when the target is no mirror, or when it cannot
    be written.
    """
    # a link stays a link to the file, which is replaced where it lies
    target = target.resolve()
    if not target.parent.is_dir():
        raise UsageError(f"There is no folder {target.parent}: make it, or use --database PATH.")
    partial = target.with_name(f".{target.name}.{name}")
    if target.exists():
        connect(target).close()
        purpose += f" on {target.stat().st_mtime_ns} {target.stat().st_size}"
    with held(target), _failures(partial, target):
        is_resumed = not full and partial.exists() and _purpose_of(partial) == purpose
        if not is_resumed:
            _discard(partial)
            if target.exists() and not full:
                copy = partial.with_suffix(".copy")
                shutil.copyfile(target, copy)
                os.replace(copy, partial)
        work = Staging(target, partial, is_resumed)
        try:
            if not is_resumed:
                work.connection.execute(f"create table _purpose as select {literal(purpose)}")
            yield work
        finally:
            work.close()
            shutil.rmtree(_temporary(partial), ignore_errors=True)


def quoted(name: str) -> str:
    """Write a name as a DuckDB identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(value: object) -> str:
    """Write a value as a DuckDB literal.

    Bound parameters would do, but the first one makes DuckDB import pandas: half a second
    and 40 MB for every command.
    """
    if value is None:
        return "null"
    if isinstance(value, bool | int | float):
        return str(value).lower()
    if isinstance(value, dict):
        keys, values = map(literal, (list(value), list(value.values())))
        return f"map({keys}, {values})"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(literal, value))}]"
    return "'" + str(value).replace("'", "''") + "'"


@contextmanager
def streaming(connection: Connection) -> Iterator[None]:
    """Keep DuckDB small while a table streams in and gets its key."""
    connection.execute(f"set memory_limit = '{STREAMING_LIMIT}'")
    try:
        yield
    finally:
        connection.execute(f"set memory_limit = '{MEMORY_LIMIT}'")


def give_back() -> None:
    """Return to the system what glibc keeps of the memory that Arrow has freed."""
    with suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)


def insert(connection: Connection, table: str, rows: Iterable[Sequence[object]]) -> None:
    """Add a few rows to a table of the provenance."""
    values = ", ".join(f"({', '.join(map(literal, row))})" for row in rows)
    if values:
        connection.execute(f"insert into _mirror.{table} values {values}")


def explain(error: Exception, file: Path) -> MirrorError:
    """Put what DuckDB or the file system says of a file into a sentence."""
    text = str(error)
    holder = re.search(r"lock is held in (\S+) \(PID (\d+)\)", text)
    if holder:
        return MirrorError(
            f"{file} is open for writing in {Path(holder[1]).name} (PID {holder[2]}):"
            " close it there and try again."
        )
    if "with a different configuration" in text:
        return MirrorError(
            f"{file} is open for writing in this process: close that connection and try again."
        )
    if "not a valid DuckDB database file" in text:
        return MirrorError(
            f"{file} is not a DuckDB file: name another one with --database, or move it away."
        )
    if "newer version of DuckDB" in text:
        return MirrorError(
            f"{file} was written by a newer DuckDB than the {duckdb.__version__} used here:"
            " upgrade with 'pip install --upgrade ibl-mirror', or name another file with"
            " --database."
        )
    if "No space left" in text or "not enough disk space" in text.lower():
        return MirrorError(
            f"The disk of {file.parent} is full: make room and run the same command again,"
            " what is copied is kept."
        )
    reason = text.splitlines()[0].rstrip(".") if text else type(error).__name__
    return MirrorError(f"{file}: {reason}.")


def _open(file: Path, read_only: bool) -> Connection:
    try:
        connection = duckdb.connect(str(file), read_only=read_only)
    except (duckdb.Error, OSError) as error:
        raise explain(error, file) from error
    connection.execute(TRUSTED_OPTIMIZERS)
    # DuckDB would draw it on standard output, which is for data, where it sees a notebook: also
    # in 'python -m mirror'
    connection.execute("set enable_progress_bar = false")
    return connection


def _open_partial(partial: Path) -> Connection:
    try:
        return duckdb.connect(
            str(partial),
            config={
                "storage_compatibility_version": STORAGE_VERSION,
                "memory_limit": MEMORY_LIMIT,
                "threads": THREADS,
                "temp_directory": str(_temporary(partial)),
            },
        )
    except (duckdb.Error, OSError) as error:
        raise explain(error, partial) from error


def _is_mirror(connection: Connection) -> bool:
    return bool(
        connection.execute(
            "select 1 from duckdb_tables() where schema_name = '_mirror' and table_name = 'runs'"
        ).fetchall()
    )


def _purpose_of(partial: Path) -> str | None:
    """What an interrupted call was building, if DuckDB can still open it."""
    try:
        with _open_partial(partial) as connection:
            [(purpose,)] = connection.execute("from _purpose").fetchall()
            return purpose
    except (MirrorError, duckdb.Error):
        return None


def _emptiness(connection: Connection) -> float:
    [(total, free)] = connection.execute(
        "select total_blocks, free_blocks from pragma_database_size()"
    ).fetchall()
    return free / total if total else 0.0


def _temporary(partial: Path) -> Path:
    return partial.with_suffix(".tmp")


def _log_of(file: Path) -> Path:
    return file.with_name(file.name + ".wal")


def _discard(partial: Path) -> None:
    for leftover in (partial, _log_of(partial)):
        leftover.unlink(missing_ok=True)


@contextmanager
def held(target: Path) -> Iterator[None]:
    """Let one process at a time write the target.

    An empty DuckDB file beside it is held open: the operating system frees it however the
    process ends, and DuckDB says who holds it.
    """
    lock = target.with_name(f".{target.name}.lock")
    try:
        # a setting of its own keeps a second sync in this very process out as well
        holder = duckdb.connect(str(lock), config={"custom_user_agent": os.urandom(8).hex()})
    except (duckdb.Error, OSError) as error:
        found = re.search(r"\(PID (\d+)\)", str(error))
        if found or "different configuration" in str(error):
            pid = found[1] if found else os.getpid()
            raise MirrorError(
                f"Another sync (PID {pid}) is writing {target}: wait for it, or stop it and run"
                " this one again."
            ) from error
        raise MirrorError(
            f"{target.parent} cannot be written ({str(error).splitlines()[0].rstrip('.')}):"
            " name a file elsewhere with --database PATH."
        ) from error
    try:
        yield
    finally:
        lock.unlink(missing_ok=True)
        _log_of(lock).unlink(missing_ok=True)
        holder.close()


@contextmanager
def _failures(partial: Path, target: Path) -> Iterator[None]:
    try:
        yield
    except (duckdb.Error, OSError) as error:
        if isinstance(error, duckdb.InterruptException):
            raise KeyboardInterrupt from error
        raise explain(error, partial if partial.exists() else target) from error
    except RuntimeError as error:
        # what DuckDB makes of Ctrl-C while it takes rows from Python
        if isinstance(error.__cause__, KeyboardInterrupt):
            raise KeyboardInterrupt from error
        raise
