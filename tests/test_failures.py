"""Whatever goes wrong: one sentence, the right exit code, and the old file as it was."""

import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from types import SimpleNamespace

import duckdb
import ibl
import pytest
import server as mariadb

from mirror.sources.datajoint import DataJointSource
from mirror.sources.datajoint.login import Login, Secret
from mirror.syncing import Options, sync

Mirror = Callable[..., subprocess.CompletedProcess]
Started = Callable[..., subprocess.Popen]

LARGE_ROWS = 20_000
# ranges of the primary key, five of them
SMALL_BATCHES = ("--batch-rows", "1000")


def one_sentence(run: subprocess.CompletedProcess, exit_code: int) -> str:
    """What a failed run says, which is one line that gives away neither code nor password."""
    told = [line for line in run.stderr.splitlines() if line.startswith("mirror: ")]
    assert run.returncode == exit_code, run.stderr
    assert len(told) == 1 and run.stderr.endswith(told[0] + "\n"), run.stderr
    assert run.stdout == ""
    for word in ("Traceback", "panicked", "RUST_", 'File "', mariadb.READER[1]):
        assert word not in run.stderr
    return told[0]


def content(file: Path) -> dict[str, list[tuple]]:
    """All that a mirror holds, except for when and how often it was synced."""
    held = {}
    with duckdb.connect(str(file), read_only=True) as connection:
        for name in ("duckdb_columns()", "duckdb_constraints()", "duckdb_views()"):
            key = (
                "schema_name, "
                + {
                    "duckdb_columns()": "table_name, column_name, data_type, is_nullable, comment",
                    "duckdb_constraints()": "table_name, constraint_text",
                    "duckdb_views()": "view_name, sql",
                }[name]
            )
            held[name] = connection.execute(f"select {key} from {name} order by all").fetchall()
        for schema, table in connection.execute(
            "select schema_name, table_name from duckdb_tables() where schema_name <> '_mirror'"
        ).fetchall():
            held[f"{schema}.{table}"] = connection.execute(
                # as text, because NaN differs from itself
                f'select t::varchar from "{schema}"."{table}" as t order by all'
            ).fetchall()
    return held


def finished(process: subprocess.Popen) -> subprocess.CompletedProcess:
    out, err = process.communicate(timeout=60)
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def until(condition: Callable[[], object], process: subprocess.Popen | None = None) -> None:
    """Wait for something that must happen, as long as the process can still bring it about."""
    deadline = time.monotonic() + 60
    while not condition():
        assert process is None or process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.01)


class Gate:
    """A table that is locked, so that a sync stands still where it reads it."""

    def __init__(self, server: mariadb.Server, table: str) -> None:
        self._server, self._table = server, table
        self._connection = server.admin()
        self.shut()

    def shut(self) -> None:
        self._connection.query(f"lock tables {self._table} write")

    def open(self) -> None:
        self._connection.query("unlock tables")

    def waiting(self) -> list[str]:
        """The queries that stand before the gate."""
        rows = self._server.run(
            "select info from information_schema.processlist where state like 'Waiting for%lock'"
            f" and user <> current_user() and info like '%{self._table}%'"
        )
        return [query for (query,) in rows]

    def let_through(self, process: subprocess.Popen, until_asked: str) -> None:
        """Open for one query after the other until one like this waits."""
        until(self.waiting, process)
        while not any(until_asked in query for query in self.waiting()):
            self.open()
            self.shut()
            until(self.waiting, process)

    def close(self) -> None:
        self._connection.close()


@pytest.fixture
def started(server: mariadb.Server, tmp_path: Path) -> Iterator[Started]:
    """Start the command `mirror` as the fixture of that name does, without waiting for it."""
    running = []

    def start(*arguments: str, **variables: str | None) -> subprocess.Popen:
        env = {**mariadb.environment(server), "HOME": str(tmp_path), **variables}
        process = subprocess.Popen(
            [sys.executable, "-m", "mirror", *arguments],
            cwd=tmp_path,
            env={name: value for name, value in env.items() if value is not None},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        running.append(process)
        return process

    yield start
    for process in running:
        process.kill()
        process.communicate()


@pytest.fixture
def old(source: DataJointSource, tmp_path: Path) -> Path:
    """A mirror that holds little, so that a sync onto it has much to do."""
    file = tmp_path / "ibl.duckdb"
    sync(source, file, Options(schema=("reference",)))
    return file


@pytest.fixture
def large(server: mariadb.Server, tables: SimpleNamespace) -> str:
    """A table that takes many queries to read."""
    return add_large_table(server)


def add_large_table(server: mariadb.Server) -> str:
    server.run(
        "create table ibl_behavior.large (id int primary key, x varchar(64) not null)",
        "insert into ibl_behavior.large select seq, md5(seq)"
        f" from ibl_behavior.seq_1_to_{LARGE_ROWS}",
        "analyze table ibl_behavior.large",
    )
    return "`ibl_behavior`.`large`"


@pytest.fixture
def gate(server: mariadb.Server) -> Iterator[Callable[[str], Gate]]:
    gates = []

    def shut(table: str) -> Gate:
        gates.append(Gate(server, table))
        return gates[-1]

    yield shut
    for each in gates:
        each.close()


@contextmanager
def mounted(folder: Path, size: int) -> Iterator[Callable[[str], object]]:
    """A small disk of its own in a folder; gives a function that mounts it with other options."""
    folder.mkdir()

    def mount(options: str) -> None:
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], check=True)

    mount(f"size={size}")
    try:
        yield lambda options: mount(f"remount,{options}")
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


# Configuration and login


def test_no_configuration_is_told_without_asking(tmp_path: Path, started: Started) -> None:
    run = finished(started("sync", DJ_HOST=None, DJ_USER=None, DJ_PASS=None))

    sentence = one_sentence(run, 2)
    assert "DJ_HOST, DJ_USER and DJ_PASS" in sentence and "mirror sync --demo" in sentence
    assert not (tmp_path / "ibl.duckdb").exists()


@pytest.mark.parametrize(
    "text",
    [
        "{",
        '{"database.port": "many"}',
        '{"database.host": 5}',
        '{"loglevel": "loud"}',
    ],
)
def test_a_broken_configuration_file_is_named(tmp_path: Path, started: Started, text: str) -> None:
    file = tmp_path / "dj_local_conf.json"
    file.write_text(text)

    run = finished(started("sync", DJ_HOST=None if "host" in text else "127.0.0.1:1"))

    assert "dj_local_conf.json" in one_sentence(run, 2)


def test_a_configuration_that_is_a_folder_is_named(tmp_path: Path, mirror: Mirror) -> None:
    (tmp_path / "dj_local_conf.json").mkdir()

    assert "dj_local_conf.json" in one_sentence(mirror("sync"), 2)


def test_a_wrong_host_is_named(mirror: Mirror, old: Path) -> None:
    before = old.read_bytes()

    run = mirror("sync", DJ_HOST="nowhere.invalid:3306")

    assert "nowhere.invalid:3306" in one_sentence(run, 3)
    assert old.read_bytes() == before


def test_a_wrong_port_is_named(mirror: Mirror, old: Path) -> None:
    before, port = old.read_bytes(), mariadb.free_port()

    run = mirror("sync", DJ_HOST=f"127.0.0.1:{port}")

    assert f"127.0.0.1:{port}" in one_sentence(run, 3)
    assert old.read_bytes() == before


@pytest.mark.parametrize("greeting", [b"SSH-2.0-OpenSSH_9.2\r\n", b"\x01\0\0\0\xff", b"\0" * 9])
def test_a_server_that_is_no_mysql_server_is_named(mirror: Mirror, greeting: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]

        def greet() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.sendall(greeting)

        threading.Thread(target=greet, daemon=True).start()
        run = mirror("sync", DJ_HOST=f"127.0.0.1:{port}")

    assert f"127.0.0.1:{port}" in one_sentence(run, 3)


def test_a_wrong_password_is_told(mirror: Mirror, old: Path) -> None:
    before = old.read_bytes()

    run = mirror("sync", DJ_PASS="wrong!")

    sentence = one_sentence(run, 3)
    assert "refused the login of 'reader'" in sentence
    assert "wrong!" not in run.stderr
    assert old.read_bytes() == before


# Interruptions


def test_a_server_that_dies_is_told_and_the_next_sync_goes_on(
    started: Started, tmp_path: Path
) -> None:
    file, fresh = tmp_path / "ibl.duckdb", tmp_path / "fresh.duckdb"
    with tempfile.TemporaryDirectory(prefix="ibl-") as folder:
        server = mariadb.start(Path(folder))
        try:
            ibl.declare(ibl.connect(server))
            with closing(reader_of(server)) as source:
                sync(source, file, Options(schema=("reference",)))
            before = file.read_bytes()
            gate = Gate(server, add_large_table(server))
            process = started("sync", *SMALL_BATCHES, **mariadb.environment(server))
            gate.let_through(process, "`id` > 8000")
            server.process.kill()
            server.process.wait()
            run = finished(process)

            sentence = one_sentence(run, 3)
            assert "stopped answering while behavior.large was read" in sentence
            assert file.read_bytes() == before

            server = mariadb.start(Path(folder), port=server.port)
            with closing(reader_of(server)) as source:
                again = sync(source, file)
                sync(source, fresh)
        finally:
            server.process.kill()
            server.process.wait()
    how = {table.table: table.how for table in again.tables}
    assert again.is_resumed
    assert how["acquisition.session"] == "unchanged"
    assert how["behavior.large"] == "copied"
    assert content(file) == content(fresh)


def reader_of(server: mariadb.Server) -> DataJointSource:
    user, password = mariadb.READER
    return DataJointSource(Login("127.0.0.1", server.port, user, Secret(password), None, ""))


@pytest.mark.parametrize(
    ("table", "query"),
    [
        ("`ibl_reference`.`#lab`", "checksum"),
        ("`ibl_behavior`.`large`", "`id` > 16000"),
        ("`ibl_analyses_behavior`.`__session_training_status`", "checksum"),
    ],
)
def test_a_killed_sync_leaves_the_old_file_and_the_next_one_completes_it(
    old: Path,
    large: str,
    started: Started,
    gate: Callable[[str], Gate],
    source: DataJointSource,
    table: str,
    query: str,
) -> None:
    before = old.read_bytes()
    held = gate(table)
    process = started("sync", "--full", *SMALL_BATCHES)
    held.let_through(process, query)
    process.kill()
    finished(process)
    assert old.read_bytes() == before

    held.open()
    sync(source, old)

    sync(source, old.with_name("fresh.duckdb"))
    assert content(old) == content(old.with_name("fresh.duckdb"))


def test_a_sync_killed_at_its_end_leaves_the_old_file_or_the_new_one(
    old: Path, started: Started, source: DataJointSource
) -> None:
    sync(source, old.with_name("fresh.duckdb"))
    before = content(old)
    process = started("sync")
    last = "behavior_analyses.session_training_status: copied"
    until(lambda: last in process.stderr.readline(), process)
    process.kill()
    finished(process)

    assert content(old) in (before, content(old.with_name("fresh.duckdb")))
    sync(source, old)
    assert content(old) == content(old.with_name("fresh.duckdb"))


def test_ctrl_c_keeps_what_is_copied(
    old: Path,
    large: str,
    started: Started,
    gate: Callable[[str], Gate],
    source: DataJointSource,
) -> None:
    before = old.read_bytes()
    held = gate(large)
    process = started("sync", *SMALL_BATCHES)
    held.let_through(process, "`id` > 8000")
    process.send_signal(signal.SIGINT)
    held.open()
    run = finished(process)

    assert one_sentence(run, 130) == "mirror: interrupted."
    assert old.read_bytes() == before
    assert old.with_name(".ibl.duckdb.partial").exists()
    again = sync(source, old)
    assert again.is_resumed
    assert ("acquisition.session", "unchanged") in {(t.table, t.how) for t in again.tables}


def test_ctrl_c_does_not_wait_for_the_server(
    old: Path, started: Started, gate: Callable[[str], Gate]
) -> None:
    before = old.read_bytes()
    held = gate("`ibl_analyses_behavior`.`__psych_results`")
    process = started("sync")
    held.let_through(process, "checksum")
    process.send_signal(signal.SIGINT)
    run = finished(process)

    assert one_sentence(run, 130) == "mirror: interrupted."
    assert old.read_bytes() == before


# Disks and files


def test_a_full_disk_is_told_and_the_next_sync_goes_on(
    tmp_path: Path, old: Path, large: str, mirror: Mirror, source: DataJointSource
) -> None:
    target = tmp_path / "small" / "ibl.duckdb"
    with mounted(target.parent, 2 * old.stat().st_size + 3 * 2**20) as remount:
        target.write_bytes(old.read_bytes())

        run = mirror("sync", "--database", str(target))

        assert f"The disk of {target.parent} is full" in one_sentence(run, 1)
        assert target.read_bytes() == old.read_bytes()
        remount("size=128m")
        assert sync(source, target).is_resumed
        assert len(content(target)["behavior.large"]) == LARGE_ROWS


def test_a_disk_with_no_room_for_a_second_file_is_told(
    tmp_path: Path, old: Path, mirror: Mirror
) -> None:
    target = tmp_path / "small" / "ibl.duckdb"
    with mounted(target.parent, old.stat().st_size + 2**18):
        target.write_bytes(old.read_bytes())

        run = mirror("sync", "--database", str(target))

        assert f"The disk of {target.parent} is full" in one_sentence(run, 1)
        assert target.read_bytes() == old.read_bytes()


def test_a_target_that_is_no_duckdb_file_is_left_alone(
    tmp_path: Path, mirror: Mirror, tables: SimpleNamespace
) -> None:
    file = tmp_path / "ibl.duckdb"
    file.write_text("my thesis\n" * 1000)

    assert f"{file} is not a DuckDB file" in one_sentence(mirror("sync"), 1)
    assert file.read_text() == "my thesis\n" * 1000


def test_a_target_that_is_no_mirror_is_left_alone(
    tmp_path: Path, mirror: Mirror, tables: SimpleNamespace
) -> None:
    file = tmp_path / "ibl.duckdb"
    with duckdb.connect(str(file)) as connection:
        connection.execute("create table thesis as select 'results'")
    before = file.read_bytes()

    assert "is a DuckDB file but not a mirror" in one_sentence(mirror("sync"), 2)
    assert file.read_bytes() == before


@pytest.mark.parametrize(
    ("version", "told"),
    [(999_999, "used here: run 'git pull'"), (63, "version number 63")],
)
def test_a_target_of_another_duckdb_is_left_alone(
    mirror: Mirror, old: Path, version: int, told: str
) -> None:
    old.write_bytes(with_storage_version(old.read_bytes(), version))
    before = old.read_bytes()

    sentence = one_sentence(mirror("sync"), 1)

    assert told in sentence
    assert ("newer" in sentence) == (version == 999_999)
    assert old.read_bytes() == before


def with_storage_version(file: bytes, version: int) -> bytes:
    """The file with another version in its first block, and the checksum that goes with it."""
    block = file[8:12] + struct.pack("<Q", version) + file[20:4096]
    checksum = 5381
    for (word,) in struct.iter_unpack("<Q", block):
        checksum ^= word * 0xBF58476D1CE4E5B9 % 2**64
    return struct.pack("<Q", checksum) + block + file[4096:]


def test_a_folder_that_does_not_exist_is_named(
    tmp_path: Path, mirror: Mirror, tables: SimpleNamespace
) -> None:
    run = mirror("sync", "--database", "nowhere/ibl.duckdb")

    assert f"There is no folder {tmp_path / 'nowhere'}" in one_sentence(run, 2)


def test_a_folder_that_cannot_be_written_is_named(
    tmp_path: Path, old: Path, mirror: Mirror
) -> None:
    target = tmp_path / "small" / "ibl.duckdb"
    with mounted(target.parent, 2**24) as remount:
        target.write_bytes(old.read_bytes())
        remount("ro")

        run = mirror("sync", "--database", str(target))

        assert f"{target.parent} cannot be written" in one_sentence(run, 1)
        assert target.read_bytes() == old.read_bytes()


def test_a_folder_that_takes_no_files_is_named(mirror: Mirror, tables: SimpleNamespace) -> None:
    run = mirror("sync", "--database", "/proc/ibl.duckdb")

    assert "/proc cannot be written" in one_sentence(run, 1)


def test_a_target_that_is_open_elsewhere_is_left_alone(mirror: Mirror, old: Path) -> None:
    before = old.read_bytes()
    hold = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('held', flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", hold, old], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        holder.stdout.readline()
        run = mirror("sync")
        holder.communicate(b"\n")

    sentence = one_sentence(run, 1)
    assert f"PID {holder.pid}" in sentence and "open for writing" in sentence
    assert old.read_bytes() == before


def test_a_second_sync_names_the_first(
    mirror: Mirror, old: Path, started: Started, gate: Callable[[str], Gate]
) -> None:
    before = old.read_bytes()
    held = gate("`ibl_subject`.`subject`")
    first = started("sync")
    until(held.waiting, first)

    run = mirror("sync")

    assert f"Another sync (PID {first.pid})" in one_sentence(run, 1)
    assert old.read_bytes() == before
    held.open()
    assert finished(first).returncode == 0


# What the server holds


HOSTILE = "a`b\"c'd; drop table x; -- {c} %s ? :e"


def test_hostile_names_are_only_names(
    server: mariadb.Server, tables: SimpleNamespace, mirror: Mirror, tmp_path: Path
) -> None:
    name = HOSTILE.replace("`", "``")
    server.run(
        f"create table ibl_subject.`{name}` (`{name}` int primary key, `{name}2` varchar(9),"
        f" `{name}3` longblob comment ':longblob:\"it''s; --') comment 'it''s; \"--'",
        f"insert into ibl_subject.`{name}` values (7, 'x', null)",
    )

    run = mirror("sync")

    assert run.returncode == 0, run.stderr
    with duckdb.connect(str(tmp_path / "ibl.duckdb"), read_only=True) as connection:
        own = HOSTILE.replace('"', '""')
        assert connection.execute(f'from subject."{own}"').fetchall() == [(7, "x", None)]
        assert connection.execute(
            "select comment from duckdb_tables() where table_name = ?", [HOSTILE]
        ).fetchall() == [(f"One row per {HOSTILE}: it's; \"--",)]


def blob(tables: SimpleNamespace) -> bytes:
    """What DataJoint has stored for the first session."""
    return tables.PsychResults.connection.query(
        "select signed_contrasts from ibl_analyses_behavior.__psych_results limit 1"
    ).fetchone()[0]


def test_damaged_blobs_become_null_and_are_told(
    server: mariadb.Server, tables: SimpleNamespace, mirror: Mirror, tmp_path: Path
) -> None:
    table = "ibl_analyses_behavior.__psych_results"
    good = server.run(f"select signed_contrasts from {table} limit 1")[0][0]
    zeros, noise, truncated = bytes(30), b"mYm\0" + bytes(range(200, 220)), good[: len(good) // 2]
    uncompressed = b"ZL123\0" + good
    terabyte = b"ZL123\0" + struct.pack("<Q", 2**40) + zlib.compress(b"mYm\0" + bytes(2**20))
    for column, row, damaged in (
        ("signed_contrasts", 1, zeros),
        ("signed_contrasts", 2, noise),
        ("signed_contrasts", 3, truncated),
        ("prob_choose_right", 1, uncompressed),
        ("prob_choose_right", 2, terabyte),
    ):
        start = ibl.SESSIONS[row - 1][1]
        server.run(
            f"update {table} set {column} = x'{damaged.hex()}' where session_start_time = '{start}'"
        )

    run = mirror("sync")

    assert run.returncode == 0, run.stderr
    told = "became NULL: {} values of behavior_analyses.psych_results.{}\n"
    assert told.format(3, "signed_contrasts") in run.stderr
    assert told.format(2, "prob_choose_right") in run.stderr
    with duckdb.connect(str(tmp_path / "ibl.duckdb"), read_only=True) as connection:
        values = connection.execute(
            "select signed_contrasts[1], prob_choose_right[6] from behavior_analyses.psych_results"
            " order by session_start_time"
        ).fetchall()
    assert values == [(None, None), (None, None), (None, 1.0), (-1.0, 1.0)]


# What is asked for


@pytest.mark.parametrize(
    ("options", "hint"),
    [
        (("--table", "behavior.trial_st"), "Did you mean behavior.trial_set?"),
        (("--table", "xyzzy"), "mirror describe"),
        (("--subject", "'; drop table subject; --"), "nickname"),
        (("--schema", "behaviour"), "behavior"),
    ],
)
def test_asking_for_what_is_not_there_gets_a_hint(
    mirror: Mirror, old: Path, options: tuple[str, str], hint: str
) -> None:
    before = old.read_bytes()

    sentence = one_sentence(mirror("sync", *options), 2)

    assert options[1] in sentence and hint in sentence
    assert old.read_bytes() == before


@pytest.mark.parametrize(
    "options", [("--subject", "KS014"), ("--since", "2019-08-02"), ("--table", "lab")]
)
def test_a_narrower_sync_replaces_a_wider_file_only_when_told(
    mirror: Mirror, old: Path, options: tuple[str, str]
) -> None:
    before = old.read_bytes()
    options = ("--schema", "reference", *options)

    assert "add --full" in one_sentence(mirror("sync", *options), 2)
    assert old.read_bytes() == before


def test_a_sync_from_another_server_replaces_a_file_only_when_told(
    server: mariadb.Server, mirror: Mirror, old: Path
) -> None:
    before = old.read_bytes()

    other = ("sync", "--host", "localhost", "--port", str(server.port))

    assert "add --full" in one_sentence(mirror(*other), 2)
    assert old.read_bytes() == before
    assert mirror(*other, "--full").returncode == 0
    assert old.read_bytes() != before


if __name__ == "__main__":
    pytest.main()
