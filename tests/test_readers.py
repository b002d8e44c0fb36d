"""Both readers bring every row once, in key order, whatever the key and the names are."""

import random
import re
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import numpy as np
import pyarrow as pa
import pytest
from server import Server

from mirror import connect
from mirror.copying import name_of
from mirror.progress import Progress
from mirror.sources.datajoint import RANGE, DataJointSource
from mirror.syncing import Options, sync
from mirror.tables import Restriction
from mirror.types import Conversion

pytestmark = [pytest.mark.both_servers, pytest.mark.usefixtures("singly")]

ROWS, BATCH = 5_000, 700


def prepared(server: Server) -> int:
    """How many statements were prepared: connectorx does that, pymysql never."""
    return int(server.run("show global status like 'Com_stmt_prepare'")[0][1])


def quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def fill(
    server: Server, table: str, columns: str, rows: Sequence[Sequence], mode: str = ""
) -> None:
    """Make a table in `ibl_behavior` whose number of rows the server knows."""
    connection = server.admin("ibl_behavior")
    with connection.cursor() as cursor:
        cursor.execute("set sql_mode = 'ALLOW_INVALID_DATES'")
        cursor.execute(f"create table {quoted(table)} ({columns})")
        marks = ", ".join(["%s"] * len(rows[0]))
        name = quoted(table).replace("%", "%%")
        cursor.executemany(f"insert into {name} values ({marks})", rows)
        # InnoDB's estimate decides whether a table is read in ranges
        cursor.execute(f"analyze table {quoted(table)}")
    connection.close()


def arrive(
    source: DataJointSource, tables: Iterable[str], file: Path, batch_rows: int = BATCH
) -> dict[str, list[tuple]]:
    """Copy some tables and return their rows, as they lie in the file, by MySQL name."""
    found = {table.mysql_table: table for table in source.tables()[0]}
    wanted = {name: found[name] for name in tables}
    patterns = (re.sub(r"([*?[])", r"[\1]", str(table)) for table in wanted.values())
    sync(source, file, Options(table=tuple(patterns)), full=True, batch_rows=batch_rows)
    arrived = {}
    with connect(file) as mirror:
        for name, table in wanted.items():
            rows = mirror.sql(f"select * from {name_of(table)}")
            assert rows.columns == [column.name for column in table.columns]
            arrived[name] = rows.fetchall()
    return arrived


def uuid(number: int) -> bytes:
    return UUID(int=random.Random(number).getrandbits(128)).bytes


START = datetime(2019, 8, 1, 11, 5, 30)
WORDS = (
    "a",
    "A",
    "á",
    "ab",
    "a b",
    "ß",
    "Z",
    "z",
    "ñ",
    "日本",
    "🐭",
    "o'b",
    "b\\s",
    '"q"',
    "%",
    "?",
)
# Per table: its columns, its key, and the values of row number i.
RANGED: dict[str, tuple[str, str, Callable[[int], tuple]]] = {
    "composite": (
        "subject_uuid binary(16) comment ':uuid:', start datetime, id int",
        "subject_uuid, start, id",
        lambda i: (uuid(i // 700), START + timedelta(i % 700 // 90), i % 90),
    ),
    "single_int": ("id int", "id", lambda i: (i * 7 - 9_000,)),
    "large_int": ("id bigint unsigned", "id", lambda i: (2**64 - 1 - i,)),
    "text_without_case_and_accents": (
        "name varchar(60)",
        "name",
        lambda i: (f"{WORDS[i % 16]}{i}{WORDS[i // 16 % 16]}",),
    ),
    "text_with_case_and_accents": (
        "name varchar(60) collate utf8mb4_bin",
        "name",
        lambda i: (f"{WORDS[i % 16]}{i // 16}{WORDS[i // 16 % 16]}",),
    ),
    "latin1_text": (
        "name varchar(9) character set latin1",
        "name",
        lambda i: (f"{'éEüzÿß'[i % 6]}{i}",),
    ),
    "fractions_of_seconds": (
        "at timestamp(6)",
        "at",
        lambda i: (START + timedelta(microseconds=i**2),),
    ),
    "tiny_decimals": (
        "x decimal(30,20)",
        "x",
        lambda i: (f"{(i - 2500) * 1e-18:.20f}",),
    ),
    "many_digits": ("x decimal(38)", "x", lambda i: (10**37 + i,)),
    "integers": (
        "a tinyint(1), b tinyint, c smallint unsigned, d mediumint, e bigint",
        "a, b, c, d, e",
        lambda i: (i % 3, i % 5 - 2, i % 11, i % 7 - 3, -i),
    ),
    "bytes": (
        "x varbinary(20), y binary(3)",
        "x, y",
        lambda i: (bytes([i % 251]) * (i % 5), i.to_bytes(3, "big")),
    ),
    "padded_text": ("name char(9)", "name", lambda i: (f"{i:x} {WORDS[i % 16]}",)),
    "days": ("day date, id int", "day, id", lambda i: ((START + timedelta(i // 90)).date(), i)),
    "days_of_the_year_0": ("day date, id int", "day, id", lambda i: (f"0000-{1 + i % 9}-01", i)),
    "impossible_days": (
        "day date, id int",
        "day, id",
        lambda i: (f"2019-{i % 13:02}-{i % 32:02}", i),
    ),
}
UNRANGED = {
    "enum_in_key": ("x enum('z','a'), id int", "x, id", lambda i: ("az"[i % 2], i)),
    "set_in_key": ("x set('z','a'), id int", "x, id", lambda i: ("az"[i % 2], i)),
    "float_in_key": ("x float, id int", "x, id", lambda i: (i % 40 / 7, i)),
}


def fill_shuffled(server: Server, tables: dict) -> dict[str, list[int]]:
    """Make the tables; returns the numbers of their rows in the order of the server."""
    orders = {}
    for table, (columns, key, values) in tables.items():
        rows = [(*values(number), number) for number in range(ROWS)]
        random.Random(1).shuffle(rows)
        fill(server, table, f"{columns}, n int, primary key ({key})", rows)
        found = server.run(f"select n from ibl_behavior.{table} order by {key}")
        orders[table] = [number for (number,) in found]
        assert sorted(orders[table]) == list(range(ROWS))
    return orders


def test_ranges_of_the_key_bring_every_row_once_and_in_order(
    source: DataJointSource, server: Server, tmp_path: Path
) -> None:
    orders = fill_shuffled(server, RANGED)
    before = prepared(server)

    arrived = arrive(source, RANGED, tmp_path / "ibl.duckdb")

    assert prepared(server) - before >= len(RANGED) * ROWS / (RANGE * BATCH)
    for table, rows in arrived.items():
        assert [row[-1] for row in rows] == orders[table], table


def test_a_large_table_whose_key_has_no_ranges_is_read_as_text(
    source: DataJointSource, server: Server, tmp_path: Path
) -> None:
    orders = fill_shuffled(server, UNRANGED)
    rows = [(number % 7, number) for number in range(ROWS)]
    fill(server, "without_key", "x int, n int", rows)
    before = prepared(server)

    arrived = arrive(source, [*UNRANGED, "without_key"], tmp_path / "ibl.duckdb")

    assert prepared(server) == before and source.fast
    assert sorted(arrived.pop("without_key")) == sorted(rows)
    for table, found in arrived.items():
        assert [row[-1] for row in found] == orders[table], table


def test_a_small_table_with_an_enum_in_its_key_is_in_the_order_of_its_members(
    source: DataJointSource, server: Server, tmp_path: Path
) -> None:
    rows = [("a", 1), ("z", 1), ("a", 2), ("z", 2)]
    fill(server, "small", "kind enum('z','a'), id int, primary key (kind, id)", rows)

    arrived = arrive(source, ["small"], tmp_path / "ibl.duckdb")

    assert arrived["small"] == [("z", 1), ("z", 2), ("a", 1), ("a", 2)]


def test_a_table_is_in_memory_some_rows_at_a_time(
    source: DataJointSource, server: Server, tmp_path: Path
) -> None:
    class Weighed(Progress):
        def __init__(self) -> None:
            self.allocated: list[int] = []

        def advance(self, rows: int) -> None:
            self.allocated.append(pa.total_allocated_bytes())

    rows = [(number, str(number) * 20) for number in range(ROWS)]
    fill(server, "heavy", "id int primary key, x varchar(200)", rows)
    source.fast, progress = False, Weighed()

    sync(
        *(source, tmp_path / "ibl.duckdb", Options(table=("behavior.heavy",))),
        batch_rows=BATCH // 7,
        progress=progress,
    )

    assert len(progress.allocated) == ROWS // (BATCH // 7)
    assert max(progress.allocated) < sum(len(text) for _, text in rows) / 8


def test_as_many_rows_as_asked_for_are_put_in_at_a_time(
    source: DataJointSource, server: Server, tmp_path: Path
) -> None:
    class Counted(Progress):
        def __init__(self) -> None:
            self.rows: list[int] = []

        def advance(self, rows: int) -> None:
            self.rows.append(rows)

    fill(server, "plain", "id int primary key", [(number,) for number in range(ROWS)])
    for is_fast in (True, False):
        source.fast, progress = is_fast, Counted()
        options = Options(table=("behavior.plain",))

        sync(
            *(source, tmp_path / "ibl.duckdb", options),
            full=True,
            batch_rows=BATCH,
            progress=progress,
        )

        # never none, as where a range of the key ends
        assert progress.rows == [BATCH] * (ROWS // BATCH) + [ROWS % BATCH]


TABLES = (
    "q't",
    's;emi "q" `b`',
    "pct %s?",
    "co:lon {c}",
    "ünï 日本",
    "-- /*c*/",
    "back\\slash.dot",
)
COLUMNS = (
    *("a`b", 'c"d', "e'f", "g;h", "i%s", "%(j)s", "k?", ":name", "l:m", "ünï", "日本", "{c}"),
    *("{type}", "--", "/*o*/", "#", "select", "a\\b", "x.y", "@v", "$1", "'; drop table t; --"),
)


def test_names_that_look_like_sql_arrive_as_they_are(
    source: DataJointSource, server: Server, tmp_path: Path
) -> None:
    columns = "id int primary key, " + ", ".join(f"{quoted(name)} text" for name in COLUMNS)
    rows = [(i, *(f"'{i}?:x\\ {name}" for name in COLUMNS)) for i in range(30)]
    for table in TABLES:
        fill(server, table, columns, rows)
    for is_fast in (True, False):
        source.fast = is_fast
        before = prepared(server)

        arrived = arrive(source, TABLES, tmp_path / "ibl.duckdb", batch_rows=12)

        assert (prepared(server) > before) is is_fast
        assert arrived == dict.fromkeys(TABLES, rows)


def test_a_float_arrives_to_its_last_bit(
    source: DataJointSource, server: Server, tmp_path: Path
) -> None:
    bits = random.Random(1)
    numbers = np.array([bits.getrandbits(32) for _ in range(2_000)], np.uint32).view(np.float32)
    rows = [(i, float(number)) for i, number in enumerate(numbers[np.isfinite(numbers)])]
    fill(server, "floats", "id int primary key, x float", rows)
    for is_fast in (True, False):
        source.fast = is_fast
        before = prepared(server)

        arrived = arrive(source, ["floats"], tmp_path / "ibl.duckdb", batch_rows=100_000)

        assert (prepared(server) > before) is is_fast
        assert arrived["floats"] == rows


@pytest.mark.parametrize("kind", ["date", "datetime(6)", "timestamp(6) null default null"])
def test_days_that_are_none_arrive_as_null_wherever_they_are(
    source: DataJointSource, server: Server, tmp_path: Path, kind: str
) -> None:
    # the year 0 alone is none that connectorx stumbles over
    odd = {10: "0000-01-01", 3 * ROWS // 4: "0000-00-00", ROWS - 1: "2019-02-31"}
    for table, ids in (("days", {*odd}), ("years", {10})):
        rows = [(i, odd[i] if i in ids else "2019-02-28") for i in range(ROWS)]
        fill(server, table, f"id int primary key, day {kind}", rows)
        before = prepared(server)

        arrived = arrive(source, [table], tmp_path / "ibl.duckdb")[table]

        assert prepared(server) > before
        assert {i for i, day in arrived if day is None} == ids
        assert {str(day)[:10] for _, day in arrived if day} == {"2019-02-28"}


def test_what_connectorx_refuses_comes_through_pymysql(
    source: DataJointSource, server: Server
) -> None:
    fill(server, "plain", "id int primary key", [(1,), (2,)])
    [table] = [table for table in source.tables()[0] if table.mysql_table == "plain"]
    # it knows no type for a column of nothing but NULL
    columns = {"id": Conversion("INTEGER"), "x": Conversion("VARCHAR", select="null")}

    reading = source.read(table, columns, Restriction(), batch_rows=BATCH)

    rows = [row for batch in reading.batches for row in batch.to_pylist()]
    assert rows == [{"id": "1", "x": None}, {"id": "2", "x": None}]
    assert source.fast
