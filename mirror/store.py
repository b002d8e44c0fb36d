"""The DuckDB file: opened to read, or rebuilt beside itself and swapped in whole.

A sync builds in the folder `.NAME.partial` beside the target, as open to others as the target
is, and renames what it has built over the target at the very end. Readers see the old file or
the new one. What an interrupted sync leaves in the folder, the next one goes on with.
"""

import ctypes
import hashlib
import os
import re
import shlex
import shutil
import stat
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import cache
from glob import escape
from importlib.resources import files
from pathlib import Path
from threading import Lock

import duckdb

from mirror import lock
from mirror.errors import MirrorError, UsageError

# Where mirrors go unless somebody says otherwise, and simulated mice, never in their place.
DATABASE, SIMULATED = "ibl.duckdb", "demo.duckdb"
# Shells are often older than libraries. With primary keys in it, DuckDB 1.1 is the oldest that
# reads such a file.
STORAGE_VERSION = "v1.0.0"
# Enough to merge and rewrite tables; beyond it DuckDB puts its work aside, on disk beside the
# target. While rows stream in, DuckDB only keeps what it has written already: less will do.
MEMORY_LIMIT = 400_000_000
STREAMING_LIMIT = 150_000_000
# Twice what a portion of a stored view takes: with less, DuckDB sorts it on one core.
SORTING_LIMIT = 640_000_000
# One thread at a time looks at the limit and changes it, and what it saw was cut by less than this.
LIMITING, LIMIT_STEP = Lock(), 2**20
# The index of a primary key is the exception: it stays in memory until it is committed, and a
# commit that finds no room ends the whole file. Of the keys of trials it takes 9 bytes a row, of
# random texts of 64 letters up to 100, and twice as much where a file is rewritten.
KEY_BYTES = 200
THREADS = min(4, os.cpu_count() or 1)
# Rewriting costs as much as the tables; a few free blocks cost nothing.
TOO_EMPTY = 0.25
# What killed syncs of earlier versions left beside the file, under its name.
LEFTOVERS = ("partial", "views", "compact", "copy", "old-wal")

# DuckDB 1.5.6 can push what a join knows of its other side below a LIMIT, which then counts other
# rows: wrong, and not every time. Without it no view is slower.
TRUSTED_OPTIMIZERS = "set disabled_optimizers = 'join_filter_pushdown'"

# No package index has the mirror, and eager is what brings a newer DuckDB as well.
UPGRADE = (
    "run 'git pull' and 'pip install --upgrade --upgrade-strategy eager .' in your checkout of"
    " ibl-mirror"
)

Connection = duckdb.DuckDBPyConnection


def path(database: str | os.PathLike[str] | None = None, otherwise: str = DATABASE) -> Path:
    """The file meant: the argument, else `MIRROR_DATABASE`, else `ibl.duckdb` here."""
    return Path(database or os.environ.get("MIRROR_DATABASE") or otherwise)


def connect(database: str | os.PathLike[str] | None = None) -> Connection:
    """Open a mirror to read. Raises UsageError where there is none.

    DuckDB opens a file once in a process: close earlier connections to see what a sync has
    put there since.
    """
    target = path(database)
    if not _resolved(target).exists():
        demo = target.with_name(SIMULATED)
        ways = f"make one with 'mirror sync --database {shlex.quote(str(target))}'"
        if demo.exists():
            ways += f", or name the one that is there, --database {shlex.quote(str(demo))}"
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

    def __init__(self, target: Path, folder: Path, is_resumed: bool) -> None:
        self.target = target
        self.folder = folder
        self.is_resumed = is_resumed
        self.connection = _open_built(folder)

    def swap(self) -> None:
        """Put the file in the target's place, in one step of the file system."""
        self.connection.execute("checkpoint")
        if _emptiness(self.connection) > TOO_EMPTY:
            self._rewrite()
        self.connection.close()
        built = _built(self.folder)
        if self.target.exists():
            _dress(built, self.target)
        else:
            built.chmod(stat.S_IMODE(self.folder.stat().st_mode) & 0o666)
        # a log beside the target belongs to the old file, and would be replayed on the new
        log, aside = _log_of(self.target), _aside(self.target)
        try:
            if log.exists():
                os.replace(log, aside)
            os.replace(built, self.target)
            aside.unlink(missing_ok=True)
        except BaseException as error:
            if aside.exists() and built.exists():
                os.replace(aside, log)
            if not isinstance(error, OSError):
                raise
            raise MirrorError(
                f"{self.target} cannot be replaced ({error.strerror}): close the programs that"
                " have it open and run the same command again, nothing is fetched twice."
            ) from error
        shutil.rmtree(self.folder, ignore_errors=True)

    def close(self) -> None:
        self.connection.close()

    def _rewrite(self) -> None:
        """Leave out the blocks that replaced tables have left empty."""
        compact = self.folder / "compact.duckdb"
        compact.unlink(missing_ok=True)
        self.connection.execute(
            f"attach {literal(str(compact))} as compact (storage_version '{STORAGE_VERSION}')"
        )
        [(own, rows)] = self.connection.execute(
            "select current_database(), sum(estimated_size)::bigint from duckdb_tables()"
            " where database_name = current_database() and has_primary_key"
        ).fetchall()
        _limit(self.connection, MEMORY_LIMIT + KEY_BYTES * (rows or 0))
        self.connection.execute(f"copy from database {quoted(own)} to compact")
        self.connection.execute("detach compact")
        self.connection.close()
        os.replace(compact, _built(self.folder))
        self.connection = _open_built(self.folder)


@contextmanager
def held(target: Path, is_private: bool = False) -> Iterator[Path]:
    """Hold the target for one writer, and give the file that it is, at the end of all links.

    `is_private` closes a file that is not there yet to other accounts. Raises MirrorError when
    another sync is at work, when there can be no file, or when it cannot be written.
    """
    # a link stays a link to the file, which is replaced where it lies
    target = _resolved(target)
    if not target.parent.is_dir():
        raise UsageError(f"There is no folder {target.parent}: make it, or use --database PATH.")
    with lock.held(target, _mode(target, is_private)), _failures(target):
        _tidy(target)
        yield target


@contextmanager
def staging(
    target: Path, purpose: str, full: bool = False, is_private: bool = False
) -> Iterator[Staging]:
    """Give the file in which the successor of a target that is `held` is built.

    The file starts as what an interrupted call of the same purpose left, if the target is
    still the one it found; else as a copy of the target; else, or when `full`, empty. Raises
    MirrorError when the target is no mirror.
    """
    folder = target.with_name(f".{target.name}.partial")
    if target.exists():
        connect(target).close()
        purpose += f" on {target.stat().st_mtime_ns} {target.stat().st_size}"
    is_resumed = not full and _is_left(folder, purpose)
    if not is_resumed:
        _discard(folder)
        mode = _mode(target, is_private)
        # who may read the file may look into the folder
        folder.mkdir(0o700 | mode | mode >> 2 & 0o111)
        if target.exists() and not full:
            shutil.copyfile(target, _built(folder))
            _begin_to_flush(_built(folder))
    work = Staging(target, folder, is_resumed)
    try:
        # written last: nobody takes up a copy that is not whole
        (folder / "purpose").write_text(purpose, encoding="utf-8")
        yield work
    except BaseException:
        # what is not yet in the file stays in its log, which the next call replays
        with suppress(duckdb.Error):
            work.connection.execute("pragma disable_checkpoint_on_shutdown")
        raise
    finally:
        work.close()
        shutil.rmtree(_temporary(folder), ignore_errors=True)


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
def streaming(connection: Connection, memory: int) -> Iterator[None]:
    """Let DuckDB have so many bytes while tables stream in and get their keys."""
    with _memory(connection, memory, MEMORY_LIMIT):
        yield


@contextmanager
def one_thread(connection: Connection) -> Iterator[None]:
    """Let DuckDB put rows in by one thread, where no other work in the file needs more.

    Each of several would begin blocks of its own, and leave its last one half empty.
    """
    connection.execute("set threads = 1")
    try:
        yield
    finally:
        with suppress(duckdb.Error):
            connection.execute(f"set threads = {THREADS}")


@contextmanager
def merging(connection: Connection, memory: int) -> Iterator[None]:
    """Let DuckDB have its room within `streaming` in so many bytes."""
    with _memory(connection, MEMORY_LIMIT, memory):
        yield


@contextmanager
def sorting(connection: Connection) -> Iterator[None]:
    """Let DuckDB put rows in order, beside other work, which keeps the room that it asks for."""
    with LIMITING:
        before = _limit_of(connection)
        if before < SORTING_LIMIT:
            connection.execute(f"set memory_limit = '{SORTING_LIMIT}B'")
        raised = _limit_of(connection)
    try:
        yield
    finally:
        # not where other work has set another one meanwhile
        with suppress(duckdb.Error), LIMITING:
            if before < raised == _limit_of(connection):
                connection.execute(f"set memory_limit = '{before + LIMIT_STEP}B'")


def make_room(connection: Connection, memory: int, rows: int) -> None:
    """Let DuckDB have, beside so many bytes, what a key over so many rows takes."""
    _limit(connection, memory + KEY_BYTES * rows)


def commit_to_file(connection: Connection) -> None:
    """Let the next commit write into the file itself, whose free blocks are then for the next.

    By way of the log, the key of a large table would be in memory twice more.
    """
    connection.execute("set checkpoint_threshold = '1B'")


def commit_to_log(connection: Connection) -> None:
    """Let commits write into the log beside the file, as DuckDB does by itself."""
    connection.execute("reset checkpoint_threshold")


@contextmanager
def _memory(connection: Connection, limit: int, otherwise: int) -> Iterator[None]:
    _limit(connection, limit)
    try:
        yield
    finally:
        # a transaction that an error has ended takes no settings: let the error tell
        with suppress(duckdb.Error):
            _limit(connection, otherwise)


def _limit(connection: Connection, size: int) -> None:
    # what other work has in memory is its own until it is done
    with suppress(duckdb.OutOfMemoryException), LIMITING:
        connection.execute(f"set memory_limit = '{size}B'")


def _limit_of(connection: Connection) -> int:
    """The bytes that DuckDB may have, cut to a tenth of a MiB, as it tells them."""
    [(size,)] = connection.execute(
        "select parse_formatted_bytes(current_setting('memory_limit'))"
    ).fetchall()
    return size


def give_back() -> None:
    """Return to the system what Arrow and glibc keep of memory that is free again."""
    import pyarrow

    pyarrow.default_memory_pool().release_unused()
    with suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)


def now() -> datetime:
    """The time as the provenance keeps it: UTC, without a zone."""
    return datetime.now(UTC).replace(tzinfo=None)


def prepare(connection: Connection) -> None:
    """Make the tables of the provenance, or bring up those of an earlier version."""
    # each comment by itself would be a commit
    connection.begin()
    connection.execute(files("mirror").joinpath("provenance.sql").read_text(encoding="utf-8"))
    connection.commit()


def without_progress_bar(connection: Connection) -> None:
    """Keep DuckDB from drawing on standard output, which is for data."""
    # it is off in most programs, and where ipywidgets is missing, a notebook may not even say so
    [(is_on,)] = connection.execute("select current_setting('enable_progress_bar')").fetchall()
    if is_on:
        connection.execute("set enable_progress_bar = false")


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
            f" {UPGRADE}, or name another file with --database."
        )
    if "File too large" in text:
        return MirrorError(
            f"A file in {file.parent} may not become as large as this needs ({_first_line(text)}):"
            " raise the limit, as 'ulimit -f' shows it, and run the same command again, what is"
            " copied is kept."
        )
    if re.search("No space left|Disk quota exceeded|not enough disk space", text, re.IGNORECASE):
        return MirrorError(
            f"The disk of {file.parent} is full: make room and run the same command again,"
            " what is copied is kept."
        )
    return MirrorError(f"{file}: {_first_line(text) or type(error).__name__}.")


def _first_line(text: str) -> str:
    return text.partition("\n")[0].rstrip(".")


def _open(file: Path, read_only: bool) -> Connection:
    try:
        connection = duckdb.connect(str(file), read_only=read_only)
    except (duckdb.Error, OSError) as error:
        raise explain(error, file) from error
    connection.execute(TRUSTED_OPTIMIZERS)
    without_progress_bar(connection)
    # a variable of Python must not answer for a table that the file lacks
    connection.execute("set python_enable_replacements = false")
    _spill_apart(connection, file)
    return connection


def _spill_apart(connection: Connection, file: Path) -> None:
    wanted = str(spill_folder(file))
    if connection.execute("select current_setting('temp_directory')").fetchall() != [(wanted,)]:
        # refused where another connection to the file has spilled before this one was made
        with suppress(duckdb.NotImplementedException):
            connection.execute(f"set temp_directory = {literal(wanted)}")


def spill_folder(file: Path) -> Path:
    """Where DuckDB may put what does not fit into memory: no other process or account comes there.

    By itself it would take a folder beside the file, and names that two readers give alike.
    """
    name = hashlib.sha256(os.fsencode(file.resolve())).hexdigest()[:16]
    return Path(_scratch(os.getpid()).name) / name


@cache
def _scratch(process: int) -> tempfile.TemporaryDirectory[str]:
    """A folder of this process alone, which goes when it ends."""
    return tempfile.TemporaryDirectory(prefix="mirror-")


def _open_built(folder: Path) -> Connection:
    connection = duckdb.connect(
        str(_built(folder)),
        config={
            "storage_compatibility_version": STORAGE_VERSION,
            "memory_limit": f"{MEMORY_LIMIT}B",
            "threads": THREADS,
            "temp_directory": str(_temporary(folder)),
        },
    )
    without_progress_bar(connection)
    return connection


def _is_mirror(connection: Connection) -> bool:
    return bool(
        connection.execute(
            "select 1 from duckdb_tables() where schema_name = '_mirror' and table_name = 'runs'"
        ).fetchall()
    )


def _is_left(folder: Path, purpose: str) -> bool:
    """Whether an interrupted call of this purpose has left a file that DuckDB can open."""
    with suppress(duckdb.Error, OSError, UnicodeDecodeError):
        found = folder.lstat()
        # what another account has put there is not to be trusted
        is_ours = not hasattr(os, "geteuid") or found.st_uid == os.geteuid()
        if (
            stat.S_ISDIR(found.st_mode)
            and is_ours
            and (folder / "purpose").read_text(encoding="utf-8") == purpose
        ):
            _open_built(folder).close()
            return True
    return False


def _begin_to_flush(file: Path) -> None:
    """Let the disk take in a file from now on, which would else wait for all of it at the end."""
    if hasattr(os, "posix_fadvise"):
        with file.open("rb") as written:
            os.posix_fadvise(written.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _discard(folder: Path) -> None:
    try:
        if folder.is_dir() and not folder.is_symlink():
            shutil.rmtree(folder)
        else:
            folder.unlink(missing_ok=True)
    except PermissionError as error:
        raise MirrorError(
            f"{folder}, which a sync of another account has left, cannot be removed"
            f" ({error.strerror}): have it removed, or name another file with --database PATH."
        ) from error


def _emptiness(connection: Connection) -> float:
    [(total, free)] = connection.execute(
        "select total_blocks, free_blocks from pragma_database_size()"
    ).fetchall()
    return free / total if total else 0.0


def _built(folder: Path) -> Path:
    return folder / "mirror.duckdb"


def _temporary(folder: Path) -> Path:
    return folder / "temporary"


def _log_of(file: Path) -> Path:
    return file.with_name(file.name + ".wal")


def _aside(target: Path) -> Path:
    """Where the target's log waits during the swap, with the time that tells old from new."""
    age = target.stat().st_mtime_ns if target.exists() else 0
    return target.with_name(f".{target.name}.{age}.wal")


def _tidy(target: Path) -> None:
    """Remove what killed syncs have left beside the target; the log of a swap goes back."""
    for word in LEFTOVERS:
        for leftover in (word, f"{word}.wal"):
            path = target.with_name(f".{target.name}.{leftover}")
            if not path.is_dir():
                path.unlink(missing_ok=True)
    shutil.rmtree(target.with_name(f".{target.name}.tmp"), ignore_errors=True)
    for aside in target.parent.glob(f".{escape(target.name)}.[0-9]*.wal"):
        if aside == _aside(target) and not _log_of(target).exists():
            os.replace(aside, _log_of(target))
        else:
            aside.unlink()


def _dress(built: Path, target: Path) -> None:
    """Give a file the owner and permissions of another, as far as this account may."""
    found = target.stat()
    if hasattr(os, "chown"):
        with suppress(PermissionError):
            os.chown(built, -1, found.st_gid)
            os.chown(built, found.st_uid, -1)
    shutil.copystat(target, built)
    os.utime(built)
    if built.stat().st_gid != found.st_gid:
        # what was for one group is not for another
        built.chmod(stat.S_IMODE(found.st_mode) & ~0o070)


def _resolved(target: Path) -> Path:
    """The file that a path means, at the end of all links. Raises UsageError where it is none."""
    try:
        kind = target.stat().st_mode
    except FileNotFoundError:
        return target.resolve()
    except OSError as error:
        raise UsageError(
            f"{target} cannot be opened ({error.strerror}): name another file with --database PATH."
        ) from error
    if not stat.S_ISREG(kind):
        raise UsageError(
            f"{target} is {'a folder' if stat.S_ISDIR(kind) else 'not a file'}: name a file with"
            " --database PATH."
        )
    return target.resolve()


def _mode(target: Path, is_private: bool) -> int:
    """How open to other accounts a file is, or shall be when it is made."""
    if target.exists():
        return stat.S_IMODE(target.stat().st_mode)
    return 0o600 if is_private else 0o666


@contextmanager
def _failures(target: Path) -> Iterator[None]:
    try:
        yield
    except (duckdb.Error, OSError) as error:
        if isinstance(error, duckdb.InterruptException):
            raise KeyboardInterrupt from error
        raise explain(error, target) from error
    except RuntimeError as error:
        # what DuckDB makes of Ctrl-C while it takes rows from Python
        if isinstance(error.__cause__, KeyboardInterrupt):
            raise KeyboardInterrupt from error
        raise
