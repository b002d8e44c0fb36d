"""The file on a port: what clients of MySQL find there."""

import os
import re
import shutil
import signal
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import duckdb
import mysql.connector
import pymysql
import pytest
import server as mariadb
import sqlalchemy
from click.testing import CliRunner
from pymysql.constants import SERVER_STATUS
from pymysql.cursors import SSCursor
from wired import ENDLESS, NATIVE, PASSWORD, QUERY, SHA2, Served, ask, error, proof, serving

from mirror.cli import main
from mirror.serve.engine import Engine
from mirror.serve.wire import server as wire_server

pytestmark = pytest.mark.filterwarnings("error::pytest.PytestUnhandledThreadExceptionWarning")

TRIALS = "ibl_behavior._trial_set__trial"
LITERALS = (
    "select 1, -5, 1.50, 2.5e0, 'zoë', '' as empty, x'00ff', null, date '2019-08-01',"
    " cast('2019-08-01 11:05:30' as datetime), time '-26:00:01', 5 / 2, 1 = 1,"
    " avg(1), 18446744073709551615"
)


@pytest.fixture(scope="module")
def served(simulated_file: Path) -> Iterator[Served]:
    with serving(simulated_file) as served:
        yield served


@pytest.fixture
def client(served: Served) -> Iterator[pymysql.Connection]:
    connection = served.connect()
    yield connection
    connection.close()


# Values


def test_values_are_those_of_a_server(client: pymysql.Connection, server: mariadb.Server) -> None:
    ours, theirs = client.cursor(), server.admin().cursor()
    ours.execute(LITERALS)
    theirs.execute(LITERALS)
    [row], [expected] = ours.fetchall(), theirs.fetchall()

    assert row == expected
    assert list(map(type, row)) == list(map(type, expected))
    decimals = [
        [(field.length, field.scale) for field in cursor._result.fields if field.type_code == 246]
        for cursor in (ours, theirs)
    ]
    assert decimals[0] == decimals[1] != []


@pytest.mark.parametrize(
    ("mode", "number"), [("ONLY_FULL_GROUP_BY", 1140), ("ansi_quotes", 1231), ("", None)]
)
def test_a_client_has_the_sql_mode_that_it_asks_for(
    served: Served, mode: str, number: int | None
) -> None:
    try:
        connection = served.connect(sql_mode=mode)
        found = ask(connection, "select sex, count(*) from ibl_subject.subject")
        assert number is None and len(found) == 1
        connection.close()
    except pymysql.err.MySQLError as refused:
        assert refused.args[0] == number


def test_tables_arrive_as_datajoint_reads_them_in_process(
    client: pymysql.Connection, simulated_file: Path
) -> None:
    engine = Engine(simulated_file)
    session = engine.session()
    tables = ask(
        client,
        "select table_schema, table_name from information_schema.tables"
        " where table_schema like 'ibl%'",
    )
    assert len(tables) > 20
    for schema, table in tables:
        statement = f"select * from `{schema}`.`{table}` limit 30"
        assert list(ask(client, statement)) == session.ask(statement).rows(), table
    engine.close()


@pytest.mark.parametrize("length", [0, 1, 250, 251, 65_535, 65_536, 2**24 - 6, 2**24 - 5, 2**24])
def test_texts_of_any_length_arrive_whole(client: pymysql.Connection, length: int) -> None:
    # no longer ones are made at once
    base, rest = divmod(length, 40)
    [[text, after]] = ask(
        client,
        f"select group_concat(repeat('ab', {base} + (n <= {rest})) separator ''), 'after'"
        f" from (select distinct trial_id n from {TRIALS} where trial_id between 1 and 40) q",
    )

    assert (len(text), text[:2], after) == (2 * length, "ab" if length else "", "after")


def test_rows_keep_their_order_and_their_nulls(client: pymysql.Connection) -> None:
    # more rows than a batch and than a byte counts packets
    rows = ask(
        client,
        f"select trial_id, nullif(trial_id % 3, 0), repeat('x', trial_id % 300) from {TRIALS}"
        " order by subject_uuid, session_start_time, trial_id",
    )
    [[count]] = ask(client, f"select count(*) from {TRIALS}")

    assert len(rows) == count > 30_000
    assert all(
        third == (number % 3 or None) and text == "x" * (number % 300)
        for number, third, text in rows
    )


def test_columns_say_their_types(client: pymysql.Connection) -> None:
    cursor = client.cursor()
    cursor.execute(f"select * from {TRIALS} limit 1")
    types = {name: code for name, code, *_ in cursor.description}
    binary = {f.name for f in cursor._result.fields if f.charsetnr == 63}

    assert types["subject_uuid"] == 254 and "subject_uuid" in binary
    assert types["session_start_time"] == 12
    assert types["trial_response_choice"] == 254
    assert "trial_response_choice" not in binary
    assert types["trial_start_time"] == 5
    assert types["trial_stim_contrast_left"] == 4


# Who comes in


@pytest.mark.parametrize("is_encrypted", [True, False])
def test_clients_come_in_with_and_without_tls(served: Served, is_encrypted: bool) -> None:
    options = {"ssl": {"ca": None}} if is_encrypted else {"ssl_disabled": True}
    connection = served.connect(**options)

    assert isinstance(connection._sock, ssl.SSLSocket) is is_encrypted
    assert len(ask(connection, f"select * from {TRIALS} limit 40000")) > 30_000
    connection.close()


@pytest.mark.parametrize("options", [{}, {"ssl_disabled": True}, {"password": ""}])
def test_a_wrong_password_is_refused(served: Served, options: dict) -> None:
    with pytest.raises(pymysql.err.OperationalError) as refused:
        served.connect(**{"password": "wrong", **options})

    assert refused.value.args[0] == 1045
    assert "anyone" in refused.value.args[1]


@pytest.mark.parametrize("plugin", [NATIVE, SHA2])
def test_both_proofs_of_a_password_are_known(served: Served, plugin: bytes) -> None:
    with served.raw() as client:
        assert client.log_in(plugin=plugin) == b"\0\0\0\x02\0\0\0"
    with served.raw() as client:
        assert error(client.log_in("wrong", plugin)) == 1045
        assert client.receive() is None


@pytest.mark.parametrize(("offered", "asked"), [(b"dialog", NATIVE), (SHA2, SHA2), (b"", NATIVE)])
def test_another_proof_is_asked_for(served: Served, offered: bytes, asked: bytes) -> None:
    with served.raw() as client:
        client.greeting()
        switch = client.claim(b"", offered)
        assert switch is not None and switch.startswith(b"\xfe" + asked + b"\0")
        client.send(proof(asked, PASSWORD, switch[len(asked) + 2 :][:20]))
        said = client.receive()
        assert (client.receive() if said == b"\x01\x03" else said) == b"\0\0\0\x02\0\0\0"


def test_without_a_password_everybody_comes_in(simulated_file: Path) -> None:
    with serving(simulated_file, password=None) as served:
        for password in ("", "any"):
            connection = served.connect(password=password)
            assert ask(connection, "select 1") == ((1,),)
            connection.close()


def test_a_client_has_its_name_number_and_database(served: Served) -> None:
    connection = served.connect(user="anne", database="ibl_subject")
    number = connection.thread_id()

    asked = "select user(), connection_id(), database()"
    assert ask(connection, asked) == (("anne@127.0.0.1", number, "ibl_subject"),)
    connection.select_db("ibl_behavior")
    assert ask(connection, asked) == (("anne@127.0.0.1", number, "ibl_behavior"),)
    connection.close()


def test_unknown_databases_are_refused(served: Served, client: pymysql.Connection) -> None:
    with pytest.raises(pymysql.err.OperationalError, match="1049"):
        served.connect(database="nowhere")
    with pytest.raises(pymysql.err.OperationalError, match="1049"):
        client.select_db("nowhere")
    assert ask(client, "select 1") == ((1,),)


# Commands


def test_commands_besides_statements(served: Served) -> None:
    done = b"\0\0\0\x02\0\0\0"
    with served.raw() as client:
        client.log_in()
        assert client.command(b"\x0e") == done
        assert client.command(b"\x02ibl_subject") == done
        assert b"Threads: " in (client.command(b"\x09") or b"")
        assert client.command(b"\x1f") == done
        assert client.command(b"\x1b\x01\0") == b"\xfe\0\0\x02\0"
        assert error(client.command(b"\x1b\0\0")) == 1235
        assert error(client.command(b"\x03select 1 as \xff")) == 1300
        assert error(client.command(b"\x08")) == error(client.command(b"")) == 1047
        columns = [client.command(b"\x04subject\0%")]
        while (columns[-1] or b"")[:1] != b"\xfe":
            columns.append(client.receive())
        assert any(b"subject_nickname" in (column or b"") for column in columns)
        assert error(client.command(b"\x04nothing\0")) == 1146
        assert client.command(b"\x01") is None


def test_a_client_is_told_whether_it_is_in_a_transaction(
    served: Served, server: mariadb.Server
) -> None:
    statements = (
        *("select 1", "begin", "do 1", "use information_schema", "rollback to nothing", "commit"),
        *("start transaction", "rollback", "begin work", "commit and chain", "do 2"),
        *("rollback and no chain", "set autocommit = 0", "do 3", "begin", "do 4"),
        *("set autocommit = default", "do 5"),
    )
    flags = SERVER_STATUS.SERVER_STATUS_IN_TRANS | SERVER_STATUS.SERVER_STATUS_AUTOCOMMIT
    with served.connect(autocommit=None) as ours, server.admin() as theirs:
        ask(theirs, "set autocommit = 1")
        for statement in statements:
            for side in (ours, theirs):
                with suppress(pymysql.err.MySQLError):
                    ask(side, statement)
            assert ours.server_status == theirs.server_status & flags, statement


def test_a_client_without_autocommit_is_in_a_transaction_once_it_has_read(served: Served) -> None:
    def end(statement: str) -> bytes | None:
        """The packet behind one column and one row."""
        said = [client.command(QUERY + statement.encode()), *(client.receive() for _ in range(4))]
        return said[-1]

    with served.raw() as client:
        client.log_in()
        assert client.command(QUERY + b"set autocommit = 0") == b"\0\0\0\0\0\0\0"
        assert end("select 1") == b"\xfe\0\0\0\0"
        assert end("select count(*) from ibl_subject.subject") == b"\xfe\0\0\x01\0"
        assert end("select 1") == b"\xfe\0\0\x01\0"
        assert client.command(b"\x1f") == b"\0\0\0\x02\0\0\0"


def test_compression_that_is_not_offered_is_refused_in_a_sentence(served: Served) -> None:
    with pytest.raises(mysql.connector.Error, match="without compression"):
        mysql.connector.connect(
            host="127.0.0.1",
            port=served.port,
            user="anne",
            password=PASSWORD,
            use_pure=True,
            compress=True,
        )


def test_mysql_connector_begins_and_ends_transactions(served: Served) -> None:
    with mysql.connector.connect(
        host="127.0.0.1", port=served.port, user="anne", password=PASSWORD, use_pure=True
    ) as connection:
        for _ in range(2):
            connection.start_transaction()
            assert connection.in_transaction
            connection.commit()
            assert not connection.in_transaction


def test_a_client_that_changes_its_user_proves_itself_again(served: Served) -> None:
    for password, expected in ((PASSWORD, None), ("wrong", 1045)):
        with served.raw() as client:
            client.log_in()
            switch = client.command(b"\x11bob\0\0ibl_subject\0" + b"\x2d\0" + NATIVE + b"\0") or b""
            client.send(proof(NATIVE, password, switch[len(NATIVE) + 2 :][:20]))
            assert error(client.receive()) == expected
            shown = client.command(b"\x03select database()")
            assert (shown is None) is (expected is not None)


def test_the_client_of_mariadb_lists_and_selects(served: Served) -> None:
    program = shutil.which("mariadb")
    assert program, mariadb.HOW_TO_GET_IT

    def run(statement: str, *options: str, password: str = PASSWORD) -> tuple[int, str]:
        done = subprocess.run(
            [program, "--no-defaults", "-h127.0.0.1", f"-P{served.port}", "-uanne", *options],
            input=statement,
            env={**os.environ, "MYSQL_PWD": password, "LC_ALL": "C.UTF-8"},
            capture_output=True,
            text=True,
            timeout=30,
        )
        return done.returncode, done.stdout + done.stderr

    assert "ibl_behavior" in run("show databases")[1]
    described = run("describe subject", "--auto-rehash", "--skip-ssl", "ibl_subject")
    assert described[0] == 0 and "subject_nickname" in described[1]
    assert "anne@127.0.0.1" in run("select user(); status")[1]
    assert "1045" in run("select 1", password="wrong")[1]


def test_a_dump_is_read_by_a_server(served: Served, server: mariadb.Server, tmp_path: Path) -> None:
    program = shutil.which("mariadb-dump")
    assert program, mariadb.HOW_TO_GET_IT
    environment = {**os.environ, "MYSQL_PWD": PASSWORD}
    dump = subprocess.run(
        [
            *(program, "--no-defaults", "-h127.0.0.1", f"-P{served.port}", "-uanne"),
            *("--single-transaction", "--hex-blob", "--databases", "ibl_reference"),
        ],
        env=environment,
        capture_output=True,
        check=True,
    ).stdout
    subprocess.run(
        ["mariadb", "--no-defaults", f"-S{server.socket}"], input=dump, check=True, timeout=30
    )
    try:
        for table in ("#lab", "#brain_region", "lab_member"):
            statement = f"select * from ibl_reference.`{table}` order by 1, 2"
            assert served.ask(statement) == server.run(statement)
    finally:
        server.run("drop database ibl_reference")


@pytest.mark.parametrize("driver", ["pymysql", "mysqlconnector"])
def test_sqlalchemy_reflects_and_selects(served: Served, driver: str) -> None:
    url = sqlalchemy.URL.create(
        f"mysql+{driver}", "anne", PASSWORD, "127.0.0.1", served.port, "ibl_behavior"
    )
    engine = sqlalchemy.create_engine(url)
    tables = sqlalchemy.MetaData()
    trials = sqlalchemy.Table("_trial_set__trial", tables, autoload_with=engine)

    assert set(sqlalchemy.inspect(engine).get_table_names()) >= {"_trial_set", trials.name}
    assert [column.name for column in trials.primary_key] == [
        *("subject_uuid", "session_start_time", "trial_id")
    ]
    assert trials.c.trial_response_choice.type.enums == ["CCW", "CW", "No Go"]
    assert {key.column.table.name for key in trials.foreign_keys} == {"_trial_set"}
    count = sqlalchemy.func.count()
    choices = (
        sqlalchemy.select(trials.c.trial_response_choice, count)
        .where(trials.c.trial_id <= 100)
        .group_by(trials.c.trial_response_choice)
        .order_by(count.desc(), trials.c.trial_response_choice)
    )
    with engine.connect() as connection:
        answered = [tuple(row) for row in connection.execute(choices)]
        with pytest.raises(sqlalchemy.exc.DatabaseError, match="1142"):
            connection.execute(trials.delete())
    engine.dispose()
    assert answered == list(
        served.ask(
            "select trial_response_choice, count(*) from ibl_behavior._trial_set__trial"
            " where trial_id <= 100 group by 1 order by 2 desc, 1"
        )
    )


def test_mysql_connector_reads_values(served: Served, client: pymysql.Connection) -> None:
    statement = f"select * from {TRIALS} order by 1, 2, 3 limit 50"
    with mysql.connector.connect(
        host="127.0.0.1", port=served.port, user="anne", password=PASSWORD, use_pure=True
    ) as connection:
        cursor = connection.cursor()
        cursor.execute(statement)
        rows = cursor.fetchall()

    assert rows == list(ask(client, statement))


# Many clients, long statements


def test_many_clients_are_answered_at_once(served: Served) -> None:
    [[expected]] = served.ask(f"select count(*) from {TRIALS}")

    def visit(number: int) -> list[tuple]:
        connection = served.connect()
        seen = []
        for turn in range(4):
            seen += ask(connection, f"select {number}, {turn}, count(*) from {TRIALS}")
        connection.close()
        return seen

    with ThreadPoolExecutor(30) as pool:
        seen = list(pool.map(visit, range(30)))

    assert seen == [[(n, turn, expected) for turn in range(4)] for n in range(30)]


def test_one_client_too_many_is_told_so(
    simulated_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire_server, "CLIENTS", 2)
    with serving(simulated_file) as served:
        clients = [served.connect(), served.connect()]
        with pytest.raises(pymysql.err.OperationalError, match="1040"):
            served.connect()
        clients.pop().close()
        until(lambda: served.ask("select 1") == ((1,),))
        clients.pop().close()


@pytest.mark.slow
def test_a_statement_ends_at_the_time_limit(simulated_file: Path) -> None:
    with serving(simulated_file, time_limit=0.5) as served:
        connection = served.connect()
        with pytest.raises(pymysql.err.OperationalError, match="1969"):
            ask(connection, f"select sum(a.trial_id * b.trial_id) from {ENDLESS}")
        assert ask(connection, "select 1") == ((1,),)
        # the time that a client takes to read does not count
        with connection.cursor(SSCursor) as cursor:
            cursor.execute(f"select * from {TRIALS} limit 30000")
            cursor.fetchone()
            time.sleep(1)
            assert len(cursor.fetchall()) == 29_999
        connection.close()


def test_another_client_ends_a_statement(served: Served, client: pymysql.Connection) -> None:
    killer = threading.Timer(0.3, served.ask, [f"kill query {client.thread_id()}"])
    killer.start()
    with pytest.raises(pymysql.err.OperationalError, match="1317"):
        ask(client, f"select sum(a.trial_id * b.trial_id) from {ENDLESS}")
    killer.join()

    assert ask(client, "select 1") == ((1,),)
    served.ask(f"kill {client.thread_id()}")
    with pytest.raises(pymysql.err.OperationalError):
        ask(client, "select 1")
    with pytest.raises(pymysql.err.OperationalError, match="1094"):
        served.ask("kill query 1000000")


@pytest.mark.parametrize("columns", ["sum(a.trial_id * b.trial_id)", "a.trial_id"])
def test_a_client_that_leaves_takes_its_statement_along(simulated_file: Path, columns: str) -> None:
    with serving(simulated_file) as served, served.raw() as other:
        other.log_in()
        with served.raw() as client:
            client.log_in()
            client.begin(f"\x03select {columns} from {ENDLESS}".encode())
            time.sleep(0.3)
        until(lambda: (other.command(b"\x09") or b"").endswith(b"Threads: 1"))


def test_a_client_ends_only_what_is_its_own(served: Served, client: pymysql.Connection) -> None:
    number = client.thread_id()
    other = served.connect(user="somebody")
    for statement in (f"kill query {number}", f"kill {number}"):
        with pytest.raises(pymysql.err.MySQLError, match="1095"):
            ask(other, statement)
    with pytest.raises(pymysql.err.MySQLError, match="1095"):
        other.kill(number)
    other.close()
    assert ask(client, "select 1") == ((1,),)


def test_nothing_is_left_to_load_for_the_first_statement(simulated_file: Path) -> None:
    script = (
        "import sys, pymysql\n"
        "from pathlib import Path\n"
        "from wired import serving\n"
        "from mirror.serve.wire import resultset\n"
        f"with serving(Path({str(simulated_file)!r})) as served:\n"
        "    pymysql.connect\n"
        "    with served.raw() as client:\n"
        "        before, made = set(sys.modules), resultset._table.cache_info().misses\n"
        "        client.log_in()\n"
        f"        client.answer(b'\\x03select * from {TRIALS} limit 3')\n"
        "        number = client.prepare('select now(), 1.5').number\n"
        "        client.execute(number)\n"
        "    print(sorted(set(sys.modules) - before), resultset._table.cache_info().misses - made)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent)},
        capture_output=True,
        text=True,
    )
    assert done.stdout == "[] 0\n", done.stderr


def test_a_client_that_does_not_read_holds_nobody_up(served: Served) -> None:
    with served.raw() as client:
        client.log_in()
        client.begin(f"\x03select a.trial_id from {ENDLESS}".encode())
        assert served.ask("select 1") == ((1,),)


def until(holds) -> None:
    """Wait for what must come about."""
    end = time.monotonic() + 20
    while True:
        try:
            if holds():
                return
        except pymysql.err.OperationalError:
            pass
        assert time.monotonic() < end
        time.sleep(0.05)


# Files


def changed(file: Path, target: Path, name: str) -> Path:
    """A copy of a mirror in which every lab has another name."""
    shutil.copyfile(file, target)
    with duckdb.connect(str(target)) as connection:
        connection.execute(f"update reference.lab set institution = '{name}'")
    return target


def test_a_file_that_takes_the_place_is_served(simulated_file: Path, tmp_path: Path) -> None:
    file = changed(simulated_file, tmp_path / "ibl.duckdb", "before")
    name = "select distinct institution from ibl_reference.`#lab`"
    with serving(file) as served:
        connection, idle = served.connect(database="ibl_reference"), served.connect()
        reading = connection.cursor(SSCursor)
        # more than lies between the server and its client
        asked = f"select repeat('x', 1000), institution from {TRIALS} join `#lab` on true"
        reading.execute(f"{asked} limit 20000")
        seen = {reading.fetchone()[1]}
        assert ask(idle, name) == (("before",),)
        os.replace(changed(simulated_file, tmp_path / "new", "after"), file)

        assert ask(idle, name) == served.ask(name) == (("after",),)
        seen |= {institution for _, institution in reading.fetchall()}
        assert seen == {"before"}

        other = served.connect(database="ibl_reference")
        os.replace(changed(simulated_file, tmp_path / "new", "last"), file)
        assert ask(other, "select distinct institution from `#lab`") == (("last",),)
        (tmp_path / "bad").write_text("no mirror")
        os.replace(tmp_path / "bad", file)
        assert ask(other, name) == (("last",),)
        assert len(served.told) == 1 and "not a DuckDB file" in served.told[0]
        file.unlink()
        assert ask(other, name) == (("last",),)


# The command


@pytest.fixture
def command(simulated_file: Path, tmp_path: Path) -> Iterator[subprocess.Popen]:
    with subprocess.Popen(
        [sys.executable, "-m", "mirror", "serve", "--port", "0"],
        cwd=tmp_path,
        env={**os.environ, "MIRROR_DATABASE": str(simulated_file)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        yield process
        process.kill()


@pytest.mark.parametrize(
    ("sent", "code", "last"),
    [(signal.SIGINT, 130, "mirror: interrupted.\n"), (signal.SIGTERM, 0, "")],
)
def test_the_command_says_how_to_connect_and_ends_cleanly(
    command: subprocess.Popen, sent: int, code: int, last: str
) -> None:
    assert command.stderr and command.stdout
    lines = [command.stderr.readline() for _ in range(6)]
    assert "simulated" in lines[0]
    said = dict(re.findall(r"^  DJ_(\w+)=(.+)$", "".join(lines), re.MULTILINE))
    host, port = said["HOST"].split(":")
    assert (host, said["USER"]) == ("127.0.0.1", "ibl")
    with Served(int(port)).raw() as client:
        assert error(client.log_in(said["PASS"])) is None
        # an answer that nobody reads to its end is no reason to stay
        client.begin(f"\x03select a.trial_id from {ENDLESS}".encode())
        assert client.receive() == b"\x01"
        command.send_signal(sent)

        assert command.wait(20) == code
        assert command.stderr.read() == last
        assert command.stdout.read() == ""


def refused(*arguments: str, file: Path) -> tuple[int, str]:
    done = CliRunner(env={"MIRROR_DATABASE": str(file)}).invoke(main, ["serve", *arguments])
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1, done.stderr
    return done.exit_code, done.stderr


def test_what_cannot_be_served_is_told_in_a_sentence(
    simulated_file: Path, tmp_path: Path, served: Served
) -> None:
    empty, missing = tmp_path / "empty.txt", tmp_path / "missing.txt"
    empty.write_text("\n")
    foreign, two_lines = tmp_path / "foreign.txt", tmp_path / "two_lines.txt"
    foreign.write_text("5 € 日本\n", "utf-8")
    two_lines.write_text("one\ntwo\n")
    for arguments, code, reason in (
        (["--port", str(served.port)], 1, f"Port {served.port} is in use"),
        (["--port", "0", "--host", "192.0.2.1"], 2, "no address of this machine"),
        (["--port", "0", "--host", "0.0.0.0", "--no-password"], 2, "other machines"),
        (["--port", "0", "--no-password", "--password-file", str(empty)], 2, "Choose one"),
        (["--port", "0", "--password-file", str(empty)], 2, "is empty"),
        (["--port", "0", "--password-file", str(foreign)], 2, "one line of plain ASCII"),
        (["--port", "0", "--password-file", str(two_lines)], 2, "one line of plain ASCII"),
        (["--port", "0", "--password-file", str(missing)], 2, "No such file"),
        (["--port", "0", "--password-file", str(tmp_path)], 2, "cannot be read"),
        (["--port", "0", "--database", str(missing)], 2, "There is no mirror"),
    ):
        assert refused(*arguments, file=simulated_file)[0] == code, arguments
        assert reason in refused(*arguments, file=simulated_file)[1]


def test_a_password_file_is_not_shown(simulated_file: Path, tmp_path: Path) -> None:
    secret = tmp_path / "my password.txt"
    secret.write_text("tell nobody\n")
    secret.chmod(0o644)
    with subprocess.Popen(
        [
            *(sys.executable, "-m", "mirror", "serve", "--port", "0", "--host", "0.0.0.0"),
            *("--database", str(simulated_file), "--password-file", str(secret)),
        ],
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr
        lines = [process.stderr.readline() for _ in range(7)]
        process.terminate()
        said = "".join(lines) + process.stderr.read()
    assert "tell nobody" not in said and "my password.txt" in said
    assert lines[0].startswith("mirror: others on this machine can read the password file")
    assert lines[1].startswith("mirror: whoever reaches 0.0.0.0")
