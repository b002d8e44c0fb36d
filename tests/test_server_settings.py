"""Whatever a server is set to by default, both readers bring the same values."""

import tempfile
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pytest
import server as mariadb

from mirror import connect
from mirror.sources.datajoint import DataJointSource, counting
from mirror.sources.datajoint.login import Login, Secret
from mirror.syncing import Options, sync
from mirror.tables import Restriction
from mirror.types import Conversion

HOSTILE = (
    "--character-set-server=latin1",
    "--collation-server=latin1_bin",
    "--skip-character-set-client-handshake",
    "--init-connect=set names latin1, autocommit = 0, sql_select_limit = 2, time_zone = '+05:00'",
    "--sql-mode=ANSI_QUOTES,PIPES_AS_CONCAT,NO_BACKSLASH_ESCAPES,PAD_CHAR_TO_FULL_LENGTH",
    "--default-time-zone=+09:00",
    "--transaction-isolation=READ-UNCOMMITTED",
    "--group-concat-max-len=4",
    "--wait-timeout=1",
    "--net-read-timeout=1",
    "--net-write-timeout=1",
)
# set when the tables are filled, which they would hinder
MORE_HOSTILE = (
    "max_allowed_packet = 1024",
    "sql_select_limit = 3",
    "max_join_size = 1",
    "max_statement_time = 0.01",
)
DECLARED = (
    "id int primary key, name varchar(40) character set utf8mb4, latin varchar(9) character set"
    " latin1, padded char(9), quoted varchar(9) character set utf8mb4, kind enum('low', 'Ünder')"
    " character set utf8mb4, flags set('x', 'Ä') character set utf8mb4, at timestamp,"
    " amount decimal(5,2), raw varbinary(9)"
)
ROWS = [
    (
        *(number, "Łukasz 日本 🐭", "café", "ab", "ü\\n'\"", "Ünder", "x,Ä"),
        *(datetime(2019, 8, 1, 11, 5, 30), Decimal("-0.50"), b"\x00\xff\\'"),
    )
    for number in range(5)
]
# longer than a packet may be
STORY = "'long' " * 1000
TABLES = {"plain": None, "blobs": None, "long": STORY}


@pytest.fixture(scope="module")
def hostile() -> Iterator[mariadb.Server]:
    """A server whose every default spoils something."""
    with tempfile.TemporaryDirectory(prefix="ibl-") as folder:
        server = mariadb.start(Path(folder), *HOSTILE)
        connection = server.admin()
        with connection, connection.cursor() as cursor:
            cursor.execute("set time_zone = '+00:00', sql_mode = ''")
            cursor.execute("create database ibl_behavior")
            for table, last in (("plain", ""), ("blobs", ", b longblob"), ("long", ", b text")):
                cursor.execute(f"create table ibl_behavior.{table} ({DECLARED}{last})")
                for row in ROWS:
                    values = (*row, TABLES[table]) if last else row
                    marks = ", ".join(["%s"] * len(values))
                    cursor.execute(f"insert into ibl_behavior.{table} values ({marks})", values)
            for setting in MORE_HOSTILE:
                cursor.execute(f"set global {setting}")
        yield server
        server.stop()


@pytest.fixture
def source(hostile: mariadb.Server) -> Iterator[DataJointSource]:
    user, password = mariadb.READER
    at = Login("127.0.0.1", hostile.port, user, Secret(password), None, "")
    with closing(DataJointSource(at)) as opened:
        yield opened


@pytest.mark.parametrize("way", ["connectorx", "pymysql", "ahead"])
def test_the_defaults_of_a_server_have_no_say_in_what_is_read(
    hostile: mariadb.Server,
    source: DataJointSource,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    way: str,
) -> None:
    def prepared() -> int:
        """How many statements were prepared: connectorx does that, pymysql never."""
        status = "show global status like 'Com_stmt_prepare'"
        return int(hostile.run("set max_statement_time = 0, sql_big_selects = 1", status)[0][1])

    source.fast = way == "connectorx"
    if way != "ahead":
        monkeypatch.setattr(counting, "SMALL_ROWS", -1)
    before = prepared()

    report = sync(source, tmp_path / "ibl.duckdb", Options(schema=("behavior",)))

    assert (prepared() > before) is (way == "connectorx")
    assert not report.kept and {table.rows for table in report.tables} == {len(ROWS)}
    with connect(tmp_path / "ibl.duckdb") as mirror:
        assert mirror.sql("from behavior.plain").fetchall() == ROWS
        for table in ("blobs", "long"):
            assert mirror.sql(f"from behavior.{table}").fetchall() == [
                (*row, TABLES[table]) for row in ROWS
            ]


def test_both_readers_have_the_same_settings(source: DataJointSource) -> None:
    names = (
        *("character_set_client", "character_set_results", "collation_connection", "sql_mode"),
        *("time_zone", "sql_select_limit", "autocommit", "tx_isolation", "wait_timeout"),
        *("net_read_timeout", "net_write_timeout", "max_statement_time", "sql_big_selects"),
    )
    [table] = [table for table in source.tables()[0] if table.name == "plain"]
    columns = {name: Conversion("VARCHAR", f"cast(@@{name} as char)") for name in names}
    found = []
    for is_fast in (True, False):
        source.fast = is_fast
        reading = source.read(table, columns, Restriction(), batch_rows=100)
        found.append(next(row for batch in reading.batches for row in batch.to_pylist()))

    assert found[0] == found[1]
    assert found[0]["character_set_results"] == "utf8mb4"
    assert found[0]["tx_isolation"] == "REPEATABLE-READ"
    assert float(found[0]["max_statement_time"]) == 0
    assert min(float(found[0][name]) for name in names if name.endswith("timeout")) > 60
