"""How a mirror's file is replaced: locks, permissions, links, what kills leave, what errors say."""

import os
import resource
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pytest
from click.testing import CliRunner

from mirror import lock, store
from mirror.background import beside
from mirror.cli import main
from mirror.errors import MirrorError
from mirror.sources.demo import DemoSource
from mirror.syncing import Options, sync

pytestmark = pytest.mark.slow

IS_MIRROR = "create schema _mirror; create table _mirror.runs as select 1 as run"
NOBODY = 65534


def build(file: Path, number: int, is_private: bool = False, full: bool = True) -> None:
    """Put a mirror in place that holds nothing but a number."""
    with (
        store.held(file, is_private) as target,
        store.staging(target, "test", full, is_private) as work,
    ):
        if full:
            work.connection.execute(IS_MIRROR)
        work.connection.execute(f"create or replace table held as select {number} as number")
        work.swap()


def number(file: Path) -> int:
    with store.connect(file) as connection:
        return connection.execute("from held").fetchall()[0][0]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "ibl.duckdb"
    build(made, 1)
    return made


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@contextmanager
def umask(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


# one writer at a time


def test_a_lock_that_its_holder_removed_before_it_was_taken_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "ibl.duckdb"
    flock, first, second = lock.fcntl.flock, lock.held(file, 0o600), lock.held(file, 0o600)
    first.__enter__()

    def flock_late(opened: int, operation: int) -> None:
        # between opening the lock and taking it, its holder ends and another one begins
        monkeypatch.setattr(lock.fcntl, "flock", flock)
        first.__exit__(None, None, None)
        second.__enter__()
        flock(opened, operation)

    monkeypatch.setattr(lock.fcntl, "flock", flock_late)
    with pytest.raises(MirrorError, match=rf"Another sync \(PID {os.getpid()}\)"), store.held(file):
        pass
    second.__exit__(None, None, None)

    assert list(tmp_path.iterdir()) == []


def test_a_lock_left_by_a_kill_holds_nobody_up(file: Path) -> None:
    file.with_name(".ibl.duckdb.lock").write_text("1")

    build(file, 2)

    assert list(file.parent.iterdir()) == [file]


def test_a_lock_that_is_a_link_empties_no_other_file(file: Path) -> None:
    thesis = file.with_name("thesis.txt")
    thesis.write_text("results")
    file.with_name(".ibl.duckdb.lock").symlink_to(thesis)

    with pytest.raises(MirrorError, match="cannot be written"):
        build(file, 2)

    assert thesis.read_text() == "results"


def test_a_lock_of_another_account_is_respected_while_it_is_held(file: Path) -> None:
    hold = "import sys; from mirror import store; file, = sys.argv[1:]\n"
    hold += "with store.held(__import__('pathlib').Path(file)): print('held', flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", hold, file], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout and holder.stdout.readline() == b"held\n"
        with as_nobody(file.parent), pytest.raises(MirrorError, match=f"PID {holder.pid}"):
            build(file, 2)
        holder.kill()
    with as_nobody(file.parent):
        build(file, 3)

    assert number(file) == 3
    assert list(file.parent.iterdir()) == [file]


@contextmanager
def as_nobody(folder: Path) -> Iterator[None]:
    """As an account that may change files in a folder, and owns none of them."""
    folder.chmod(0o777)
    for parent in folder.parents[:-1]:
        parent.chmod(mode(parent) | 0o011)
    os.setegid(NOBODY)
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)


def test_what_another_sync_brings_meanwhile_is_not_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, file, staging = DemoSource(1), tmp_path / "demo.duckdb", store.staging

    def stage_late(*arguments: Any, **keywords: Any) -> Any:
        monkeypatch.undo()
        # the first one has seen that it may replace what is there
        with pytest.raises(MirrorError, match="Another sync"):
            sync(source, file, Options(table=("reference.*", "subject.*")), with_derived=False)
        return staging(*arguments, **keywords)

    monkeypatch.setattr(store, "staging", stage_late)
    report = sync(source, file, Options(table=("reference.*",)), with_derived=False)
    source.close()

    assert report.rows


# who may read it


@pytest.mark.parametrize("permissions", [0o600, 0o640, 0o444, 0o666])
def test_a_file_keeps_its_permissions_owner_and_group(file: Path, permissions: int) -> None:
    file.chmod(permissions)
    os.chown(file, NOBODY, 12345)

    with umask(0o022):
        build(file, 2, full=False)

    assert number(file) == 2
    assert mode(file) == permissions
    assert (file.stat().st_uid, file.stat().st_gid) == (NOBODY, 12345)


def test_permissions_for_one_group_do_not_become_those_of_another(file: Path) -> None:
    file.chmod(0o664)
    os.chown(file, 0, 12345)

    with as_nobody(file.parent):
        build(file, 2)

    assert (file.stat().st_uid, file.stat().st_gid) == (NOBODY, NOBODY)
    assert mode(file) == 0o604


@pytest.mark.parametrize(("mask", "permissions"), [(0o022, 0o644), (0o027, 0o640), (0o002, 0o664)])
def test_a_new_file_is_as_umask_says(tmp_path: Path, mask: int, permissions: int) -> None:
    with umask(mask):
        build(tmp_path / "ibl.duckdb", 1)

    assert mode(tmp_path / "ibl.duckdb") == permissions


@pytest.mark.parametrize("is_there", [False, True])
def test_what_is_private_is_so_while_it_is_written(tmp_path: Path, is_there: bool) -> None:
    file = tmp_path / "ibl.duckdb"
    if is_there:
        build(file, 1)
        file.chmod(0o600)

    with (
        umask(0),
        store.held(file, is_private=not is_there) as target,
        store.staging(target, "test", True, not is_there) as work,
    ):
        work.connection.execute(IS_MIRROR)
        # neither the file nor its log, nor what does not fit into memory, can be reached
        reached = {path.name: mode(path) for path in tmp_path.iterdir()}
        work.swap()

    assert reached.pop(".ibl.duckdb.partial") == 0o700
    assert set(reached.values()) == {0o600}
    assert mode(file) == 0o600


def test_readers_spill_where_nobody_else_comes(file: Path) -> None:
    # two readers that spilled beside the file, under the same names, ended in a crash
    ask = "import mirror, sys; c = mirror.connect(sys.argv[1]); print(c.execute("
    ask += "\"select current_setting('temp_directory')\").fetchall()[0][0], flush=True); input()"
    with ExitStack() as readers:
        running = [
            readers.enter_context(
                subprocess.Popen(
                    [sys.executable, "-c", ask, file],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
            for _ in range(2)
        ]
        folders = [Path(reader.stdout.readline().strip()) for reader in running]
        private = [mode(folder.parent) for folder in folders]
        for reader in running:
            reader.communicate("\n", timeout=60)

    assert len(set(folders)) == 2 and private == [0o700, 0o700]
    assert not any(folder.is_relative_to(file.parent) for folder in folders)
    assert not any(folder.parent.exists() for folder in folders)


# where it lies


def fifo(path: Path) -> None:
    os.mkfifo(path)


def loop(path: Path) -> None:
    path.symlink_to(path.name)


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (fifo, "is not a file"),
        (Path.mkdir, "is a folder"),
        (loop, "cannot be opened (Too many levels of symbolic links)"),
    ],
)
def test_a_target_that_is_no_file_is_told_in_a_sentence(
    tmp_path: Path, make: Callable[[Path], None], told: str
) -> None:
    target = tmp_path / "ibl.duckdb"
    make(target)

    for command in (["status"], ["views"], ["sync", "--demo-mice", "5"]):
        done = CliRunner().invoke(main, [*command, "--database", str(target)])

        assert done.exit_code == 2, done.output
        [sentence] = [line for line in done.stderr.splitlines() if line.startswith("mirror: ")]
        assert f"{target} {told}" in sentence
    assert [path for path in tmp_path.iterdir() if path != target] == []


def test_a_name_too_long_for_what_lies_beside_it_is_told(tmp_path: Path) -> None:
    with pytest.raises(MirrorError, match="File name too long"):
        build(tmp_path / f"{'x' * 250}", 1)


def test_the_file_at_the_end_of_links_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    first, second = tmp_path / "first.duckdb", tmp_path / "second.duckdb"
    first.symlink_to(second)
    second.symlink_to("disk/real.duckdb")

    for value in (1, 2):
        build(first, value)

    assert first.is_symlink() and second.is_symlink() and number(first) == 2
    assert [path.name for path in (tmp_path / "disk").iterdir()] == ["real.duckdb"]
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "disk",
        "first.duckdb",
        "second.duckdb",
    ]


# what kills leave

KILLED = """
import os, shutil, signal, sys
from pathlib import Path
from mirror import store
file, steps = Path(sys.argv[1]), int(sys.argv[2])

def counted(function):
    def call(*arguments, **keywords):
        global steps
        steps -= 1
        if steps == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*arguments, **keywords)
    return call

for module, name in (
    (os, "replace"), (os, "utime"), (shutil, "copyfile"), (shutil, "rmtree"),
    (Path, "mkdir"), (store.Staging, "_rewrite"),
):
    setattr(module, name, counted(getattr(module, name)))
store.TOO_EMPTY = -1.0
with store.held(file) as target, store.staging(target, "test") as work:
    work.connection.execute("create or replace table held as select 2 as number")
    work.swap()
"""
WRITER = (
    "import duckdb, os, sys; c = duckdb.connect(sys.argv[1]);"
    "c.execute('create table mine as select 1'); os.kill(os.getpid(), 9)"
)


def test_a_kill_at_any_step_leaves_the_old_file_or_the_new_one(file: Path) -> None:
    # somebody has written into the file, and left a log
    subprocess.run([sys.executable, "-c", WRITER, file], timeout=60)
    log = file.with_name("ibl.duckdb.wal")
    before = file.read_bytes(), log.read_bytes()
    ends = []
    while not ends or ends[-1] != 0:
        folder = file.with_name(f"step {len(ends)}")
        folder.mkdir()
        killed = Path(shutil.copy(file, folder))
        shutil.copy(log, folder)
        arguments = [sys.executable, "-c", KILLED, killed, str(len(ends) + 1)]
        ends.append(subprocess.run(arguments, timeout=60).returncode)

        with store.held(killed):
            pass
        is_old = killed.read_bytes() == before[0]
        if is_old:
            assert (folder / log.name).read_bytes() == before[1]
        assert number(killed) == (1 if is_old else 2)
        build(killed, 3, full=False)
        assert number(killed) == 3
        assert list(folder.iterdir()) == [killed]

    assert set(ends[:-1]) == {-signal.SIGKILL} and len(ends) > 7


def test_what_earlier_versions_left_is_removed(file: Path) -> None:
    for word in ("partial", "partial.wal", "views", "compact", "compact.wal", "copy", "old-wal"):
        file.with_name(f".ibl.duckdb.{word}").write_text("half")
    (file.parent / ".ibl.duckdb.tmp").mkdir()

    build(file, 2, full=False)

    assert list(file.parent.iterdir()) == [file]


def test_what_is_finished_survives_a_kill_during_the_swap(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def kill(*_: object) -> None:
        raise Killed

    monkeypatch.setattr(store, "_dress", kill)
    with pytest.raises(Killed):
        build(file, 2, full=False)
    monkeypatch.undo()

    with store.held(file) as target, store.staging(target, "test") as work:
        assert work.is_resumed
        assert work.connection.execute("from held").fetchall() == [(2,)]


def test_what_another_account_left_is_not_taken_up(file: Path) -> None:
    with (
        pytest.raises(ZeroDivisionError),
        store.held(file) as target,
        store.staging(target, "test"),
    ):
        raise ZeroDivisionError
    left = file.with_name(".ibl.duckdb.partial")
    os.chown(left, NOBODY, NOBODY)

    with store.held(file) as target, store.staging(target, "test") as work:
        assert not work.is_resumed

    os.chown(left, 0, 0)
    left.chmod(0o700)
    with as_nobody(file.parent), pytest.raises(MirrorError, match="another account"):
        build(file, 2)


# Ctrl-C

# the main thread as a library leaves it that hears of no signal
STUCK = """
import ctypes, signal, sys
from mirror import cli, derive, store, views

def stuck(*_, **__):
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    print("stuck", flush=True)
    ctypes.CDLL(None).sleep(600)

where, name = sys.argv.pop(1).split(".")
setattr({"derive": derive, "views": views, "Staging": store.Staging}[where], name, stuck)
store.TOO_EMPTY = -1.0
cli.main()
"""


@pytest.mark.parametrize(
    ("phase", "command"),
    [
        ("derive._fits", ["sync", "--demo-mice", "6"]),
        ("Staging._rewrite", ["sync", "--demo-mice", "6"]),
        ("views.define", ["views"]),
    ],
)
def test_ctrl_c_ends_what_writes_a_mirror_whatever_it_is_at(
    simulated_file: Path, tmp_path: Path, phase: str, command: list[str]
) -> None:
    file = Path(shutil.copy(simulated_file, tmp_path))
    with duckdb.connect(str(file)) as connection:
        connection.execute("delete from _mirror.derived")
    before = file.read_bytes()
    process = subprocess.Popen(
        [sys.executable, "-c", STUCK, phase, *command, "--database", str(file)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout and process.stdout.readline() == "stuck\n"
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=20)
    finally:
        process.kill()

    assert (process.returncode, told.splitlines()[-1]) == (130, "mirror: interrupted.")
    assert file.read_bytes() == before
    with store.held(file):
        pass


# what errors say


def test_an_error_within_a_transaction_is_the_one_that_is_told(tmp_path: Path) -> None:
    with duckdb.connect(tmp_path / "x.duckdb") as connection:
        connection.execute("create table t (a int not null)")
        for error, statement in (
            (duckdb.ConstraintException, "insert into t values (null)"),
            (duckdb.OutOfMemoryException, "select list(range) from range(100_000_000)"),
        ):
            connection.begin()
            with pytest.raises(error), store.streaming(connection, store.STREAMING_LIMIT):
                connection.execute(statement)
            connection.rollback()


def test_a_key_over_many_rows_has_the_memory_that_its_index_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = 1_000_000
    little = 25_000_000
    monkeypatch.setattr(store, "MEMORY_LIMIT", little)
    file = tmp_path / "ibl.duckdb"
    with store.held(file) as target, store.staging(target, "test") as work:
        store.prepare(work.connection)
        # gone in the end, it leaves so much room empty that the file is rewritten
        work.connection.execute(f"create table u as select random() as x from range({8 * rows})")
        work.connection.execute("checkpoint")
        with store.streaming(work.connection, little):
            work.connection.begin()
            uuids = f"select md5(range::varchar)::uuid as a from range({rows})"
            work.connection.execute(f"create table t as {uuids}")
            store.make_room(work.connection, little, rows)
            work.connection.execute("alter table t add primary key (a)")
            work.connection.commit()
        work.connection.execute("drop table u")
        work.swap()
    with duckdb.connect(file) as mirror:
        assert mirror.execute("select count(distinct a) from t").fetchall() == [(rows,)]


def test_what_other_work_has_in_memory_is_left_to_it(tmp_path: Path) -> None:
    def work(cursor: duckdb.DuckDBPyConnection) -> list[tuple[int]]:
        query = "select count(distinct hash(range)) from range(20_000_000)"
        return cursor.execute(query).fetchall()

    used = "select sum(memory_usage_bytes) > 50_000_000 from duckdb_memory()"
    with duckdb.connect(tmp_path / "x.duckdb") as connection, beside(connection, work) as working:
        while connection.execute(used).fetchall() != [(True,)]:
            assert not working.done()
        store.make_room(connection, 10_000_000, 0)

        assert working.result()


def room(connection: duckdb.DuckDBPyConnection) -> int:
    """MB that DuckDB may have."""
    [(size,)] = connection.execute(
        "select parse_formatted_bytes(current_setting('memory_limit'))"
    ).fetchall()
    return round(size / 1e6)


def test_sorting_takes_no_room_that_other_work_asks_for(tmp_path: Path) -> None:
    with duckdb.connect(tmp_path / "x.duckdb") as connection:
        store.make_room(connection, 500_000_000, 0)
        with store.sorting(connection):
            assert room(connection) == 640
        assert room(connection) in (500, 501)
        with store.sorting(connection):
            store.make_room(connection, 450_000_000, 0)
        assert room(connection) == 450
        store.make_room(connection, 900_000_000, 0)
        with store.sorting(connection):
            assert room(connection) == 900
        assert room(connection) == 900


def test_a_limit_on_the_size_of_files_is_told(file: Path) -> None:
    before = file.read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**20, limits[1]))
    try:
        with (
            pytest.raises(MirrorError, match=r"may not become as large .*File too large"),
            store.held(file) as target,
            store.staging(target, "test") as work,
        ):
            work.connection.begin()
            with store.streaming(work.connection, store.STREAMING_LIMIT):
                work.connection.execute("create table t as select random() from range(1_000_000)")
            work.connection.commit()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    assert file.read_bytes() == before
