"""Networks that freeze, connections that are closed or counted: no sync waits for ever."""

import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path

import duckdb
import pytest
import server as mariadb
from proxy import Fault, between
from test_failures import Gate, Started, finished, one_sentence, started, until

from mirror.errors import SourceError
from mirror.progress import Progress
from mirror.sources import waiting
from mirror.sources.datajoint import DataJointSource
from mirror.sources.datajoint.login import Login, Secret
from mirror.syncing import Options
from mirror.syncing import sync as sync_all

__all__ = ["started"]

# what is derived from the tables has tests of its own
sync = partial(sync_all, with_derived=False)
ROWS = 20_000
# what half of the rows of a table have gone by with
HALF = b"half way"
# Per reader a table that it reads: connectorx, pymysql, and pymysql with blobs kept aside.
READ_BY = {
    "connectorx": "id int primary key, x varchar(64)",
    "pymysql": "id int, x varchar(64), kind enum('b','a') default 'a', primary key (kind, id)",
    "blobs": "id int primary key, x varchar(64), b longblob comment ':longblob:'",
}


@pytest.fixture(scope="module", autouse=True)
def tables(server: mariadb.Server) -> Iterator[None]:
    """Tables that take a while to read, one for each reader."""
    server.run("create database ibl_behavior", "create table ibl_behavior.small (a int)")
    for reader, columns in READ_BY.items():
        server.run(
            f"create table ibl_behavior.{reader} ({columns})",
            f"insert into ibl_behavior.{reader} (id, x) select seq,"
            f" if(seq = {ROWS // 2}, '{HALF.decode()}', repeat(md5(seq), 2))"
            f" from ibl_behavior.seq_1_to_{ROWS}",
            f"analyze table ibl_behavior.{reader}",
        )
    yield
    server.run("drop database ibl_behavior")


@pytest.fixture
def opened(login: Login) -> Iterator[Callable[[int], DataJointSource]]:
    """Open the server as it shows at some port."""
    sources = []

    def at(port: int) -> DataJointSource:
        sources.append(DataJointSource(replace(login, port=port)))
        return sources[-1]

    yield at
    for source in sources:
        source.close()


def only(reader: str) -> Options:
    return Options(table=(f"behavior.{reader}",))


def rows(file: Path, table: str) -> list[tuple]:
    with duckdb.connect(str(file), read_only=True) as connection:
        return connection.execute(f"from behavior.{table} order by all").fetchall()


# A network that freezes


@pytest.mark.parametrize(
    ("reader", "words"),
    [
        ("connectorx", b""),
        ("connectorx", b"information_schema.tables"),
        ("connectorx", b"start transaction"),
        *((reader, HALF) for reader in READ_BY),
    ],
)
def test_ctrl_c_ends_a_sync_whose_network_is_frozen(
    server: mariadb.Server,
    opened: Callable[[int], DataJointSource],
    started: Started,
    tmp_path: Path,
    reader: str,
    words: bytes,
) -> None:
    file = tmp_path / "ibl.duckdb"
    sync(opened(server.port), file, only("small"))
    before = file.read_bytes()

    with between(server.port, words) as proxy:
        process = started("sync", "--full", "--table", reader, DJ_HOST=f"127.0.0.1:{proxy.port}")
        until(lambda: proxy.frozen.is_set() and proxy.connections, process)
        process.send_signal(signal.SIGINT)
        # sooner than anybody would give the network up
        out, err = process.communicate(timeout=waiting.STEP)

    run = subprocess.CompletedProcess(process.args, process.returncode, out, err)
    assert one_sentence(run, 130) == "mirror: interrupted."
    assert file.read_bytes() == before


@pytest.mark.parametrize(
    ("reader", "fault"),
    [
        *((reader, "freeze") for reader in READ_BY),
        ("connectorx", "freeze one"),
        ("pymysql", "freeze one"),
    ],
)
def test_a_network_that_freezes_in_mid_stream_is_given_up(
    server: mariadb.Server,
    opened: Callable[[int], DataJointSource],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    reader: str,
    fault: Fault,
) -> None:
    with between(server.port, HALF, fault) as proxy:
        source = opened(proxy.port)
        monkeypatch.setattr(waiting, "STEP", 0.1)

        with pytest.raises(SourceError, match=f"stopped answering while behavior.{reader} was"):
            sync(source, tmp_path / "ibl.duckdb", only(reader))

        assert proxy.frozen.is_set()
    assert not (tmp_path / "ibl.duckdb").exists()


def test_a_server_that_accepts_connections_and_says_nothing_is_told(
    server: mariadb.Server,
    opened: Callable[[int], DataJointSource],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(waiting, "STEP", 0.1)

    with between(server.port) as proxy, pytest.raises(SourceError, match="says nothing"):
        opened(proxy.port)


@pytest.mark.parametrize("reader", ["connectorx", "pymysql"])
def test_a_server_that_takes_its_time_is_waited_for(
    server: mariadb.Server,
    opened: Callable[[int], DataJointSource],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    reader: str,
) -> None:
    with between(server.port, b"no such words") as proxy:
        source = opened(proxy.port)
        monkeypatch.setattr(waiting, "STEP", 1.0)
        gate = Gate(server, f"`ibl_behavior`.`{reader}`")

        def open_later() -> None:
            until(gate.waiting)
            before = proxy.connections
            until(lambda: proxy.connections >= before + 3)
            gate.close()

        opening = threading.Thread(target=open_later)
        opening.start()
        sync(source, tmp_path / "ibl.duckdb", only(reader))
        opening.join()

    assert len(rows(tmp_path / "ibl.duckdb", reader)) == ROWS


# Connections that the server closes, or counts


def test_an_idle_connection_that_the_server_has_closed_is_opened_again(
    server: mariadb.Server, opened: Callable[[int], DataJointSource], tmp_path: Path
) -> None:
    class CloseIdle(Progress):
        closed = 0

        def advance(self, rows: int) -> None:
            for (number,) in server.run(
                "select id from information_schema.processlist"
                " where command = 'Sleep' and user <> current_user()"
            ):
                server.run(f"kill {number}")
                self.closed += 1

    progress = CloseIdle()
    source = opened(server.port)
    for reader in READ_BY:
        sync(source, tmp_path / "ibl.duckdb", only(reader), full=True, progress=progress)

        assert len(rows(tmp_path / "ibl.duckdb", reader)) == ROWS
    assert progress.closed


@pytest.mark.parametrize("reader", READ_BY)
@pytest.mark.parametrize("fault", ["cut once", "cut"])
def test_a_table_is_given_up_when_the_server_breaks_off_again(
    server: mariadb.Server,
    opened: Callable[[int], DataJointSource],
    tmp_path: Path,
    reader: str,
    fault: Fault,
) -> None:
    file = tmp_path / "ibl.duckdb"
    with between(server.port, HALF, fault) as proxy:
        report = sync(opened(proxy.port), file, Options(table=("small", reader)))

    why = {item.what: item.why for item in report.left_out}.get(f"behavior.{reader}")
    if fault == "cut":
        assert why == "the server breaks off the connection when it is read"
        assert [table.table for table in report.tables] == ["behavior.small"]
    else:
        assert why is None and len(rows(file, reader)) == ROWS


@pytest.fixture
def counted(server: mariadb.Server, login: Login) -> Iterator[Callable[[int], Login]]:
    """An account that may have so many connections at a time."""
    server.run("create user 'counted'@'127.0.0.1' identified by 'x'")

    def of(allowed: int) -> Login:
        server.run(
            "grant select on `ibl\\_%`.* to 'counted'@'127.0.0.1'"
            f" with max_user_connections {allowed}"
        )
        return replace(login, user="counted", password=Secret("x"))

    yield of
    server.run("drop user 'counted'@'127.0.0.1'")


@pytest.mark.parametrize("allowed", [1, 2])
def test_few_connections_are_enough(
    opened: Callable[[int], DataJointSource],
    server: mariadb.Server,
    counted: Callable[[int], Login],
    tmp_path: Path,
    allowed: int,
) -> None:
    few, many = tmp_path / "few.duckdb", tmp_path / "many.duckdb"
    sync(opened(server.port), many, Options(schema=("behavior",)))

    with closing(DataJointSource(counted(allowed))) as source:
        first = sync(source, few, Options(schema=("behavior",)))
        again = sync(source, few, Options(schema=("behavior",)))

    assert not first.kept and len(first.tables) == len(READ_BY) + 1
    assert {table.how for table in again.tables} == {"unchanged"}
    for reader in READ_BY:
        assert rows(few, reader) == rows(many, reader)


def test_a_login_without_a_connection_left_is_told_what_a_sync_needs(
    counted: Callable[[int], Login], tmp_path: Path, started: Started
) -> None:
    at = counted(1)
    with closing(DataJointSource(at)):
        run = finished(
            started("sync", DJ_HOST=f"{at.host}:{at.port}", DJ_USER=at.user, DJ_PASS="x")
        )

    sentence = one_sentence(run, 3)
    assert "no more connections" in sentence and "max_user_connections" in sentence
    assert "one" in sentence
