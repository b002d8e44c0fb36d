"""What leaves the mirror is what is in it: every type, through every way out, by value."""

import csv
import io
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import datajoint as dj
import duckdb
import ibl
import judge
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import wired
from click.testing import CliRunner
from server import READER, Server

from mirror import connect
from mirror.cli import main
from mirror.report import pages
from mirror.serve.offline import OfflineConnection
from mirror.sources.datajoint import DataJointSource
from mirror.sources.datajoint.login import Login, Secret
from mirror.syncing import Options, sync

LONG = "123456789012345678901234567890123456.78"
JSON_TEXT = '{"a": [1, null, "🐭", 0.30000000000000004, 12345678901234567890123]}'
# The types of the README's table, literals of MySQL, and what they are in Python.
EXTREMES: dict[str, dict[str, Any]] = {
    "tinyint": {"-128": -128, "127": 127},
    "tinyint(1)": {"0": False, "1": True},
    "smallint unsigned": {"65535": 65535},
    "int": {"-2147483648": -(2**31)},
    "bigint": {"-9223372036854775808": -(2**63), "9007199254740993": 2**53 + 1},
    "bigint unsigned": {"18446744073709551615": 2**64 - 1},
    "float": {"0.1": float(np.float32(0.1)), "3.4028234e38": float(np.float32(3.4028234e38))},
    "double": {"5e-324": 5e-324, "1.7976931348623157e308": 1.7976931348623157e308, "0.3": 0.3},
    "decimal(38,2)": {LONG: Decimal(LONG), "-0.10": Decimal("-0.10")},
    "decimal(38,0)": {"9" * 38: Decimal("9" * 38)},
    "decimal(18,10)": {"12345678.0123456789": Decimal("12345678.0123456789")},
    "bit(64)": {"b'" + "1" * 64 + "'": 2**64 - 1},
    "year": {"2155": 2155},
    "date": {"'1000-01-01'": date(1000, 1, 1), "'9999-12-31'": date(9999, 12, 31)},
    "datetime(6)": {
        "'1000-01-01'": datetime(1000, 1, 1),
        "'9999-12-31 23:59:59.999999'": datetime.max,
    },
    "time(6)": {
        "'-838:59:58.999999'": -timedelta(hours=838, minutes=59, seconds=58, microseconds=999_999),
        "'27:00:00.000001'": timedelta(hours=27, microseconds=1),
    },
    "enum('it''s','x,y','Ünder')": {"'it''s'": "it's", "'Ünder'": "Ünder"},
    "varchar(100)": {
        r"'two\nlines and \\n, tab\t'": "two\nlines and \\n, tab\t",
        r"'\"a\", \'b\' | <br> \\| NULL'": "\"a\", 'b' | <br> \\| NULL",
        "concat('🐭 Łukasz', char(27), '[31m', char(0), char(7))": "🐭 Łukasz\x1b[31m\0\a",
    },
    "json": {f"'{JSON_TEXT}'": JSON_TEXT},
    "binary(16) comment ':uuid:'": {"x'" + "0" * 31 + "5'": UUID(int=5)},
    "varbinary(9)": {"x'00ff5c78410a2c22'": b'\0\xff\\xA\n,"'},
}
BLOBS: dict[str, tuple[Any, Any]] = {
    # what DataJoint stores, and what the file holds
    "numbers": (np.array([1.5, np.nan, -np.inf, -0.0]), [1.5, np.nan, -np.inf, -0.0]),
    "whole": (np.array([-(2**63), 2**53 + 1]), [-(2**63), 2**53 + 1]),
    "nested": (np.array([[0.1 + 0.2, np.nan], [1, 2]]), [[0.1 + 0.2, np.nan], [1.0, 2.0]]),
    "gaps": (np.array([1.5, None], dtype=object), [1.5, None]),
    "structure": ({"a": np.nan, "b": [None, "x"]}, '{"a": "nan", "b": [null, "x"]}'),
}
N = 3
DECLARED = {f"c{i}": declared for i, declared in enumerate(EXTREMES)}
EXPECTED: dict[str, list[Any]] = {
    name: [*values, *[None] * N][:N]
    for name, values in (
        *((name, list(EXTREMES[declared].values())) for name, declared in DECLARED.items()),
        *((name, [held]) for name, (_, held) in BLOBS.items()),
    )
}
QUERY = "select * exclude (id) from action.extreme order by id"


@pytest.fixture(scope="module")
def source(server: Server) -> Iterator[DataJointSource]:
    """The server with a table of extremes."""
    ibl.drop(server)
    literals = [
        *(list(values) for values in EXTREMES.values()),
        *([f"x'{dj.blob.pack(blob).hex()}'"] for blob, _ in BLOBS.values()),
    ]
    rows = zip(*([*values, *["null"] * N][:N] for values in literals), strict=True)
    columns = [f"{name} {declared} null" for name, declared in DECLARED.items()]
    columns += [f"{name} longblob" for name in BLOBS]
    server.run(
        "create database ibl_action",
        "use ibl_action",
        "set sql_mode = 'STRICT_ALL_TABLES'",
        f"create table extreme (id int primary key, {', '.join(columns)})",
        *(f"insert into extreme values ({i}, {', '.join(row)})" for i, row in enumerate(rows)),
    )
    user, password = READER
    opened = DataJointSource(Login("127.0.0.1", server.port, user, Secret(password), None, ""))
    yield opened
    opened.close()
    ibl.drop(server)


@pytest.fixture(scope="module")
def file(source: DataJointSource, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("output") / "ibl.duckdb"
    sync(source, path, Options(schema=("action",)), with_derived=False)
    return path


@pytest.fixture(scope="module")
def mirror(file: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with connect(file) as connection:
        yield connection


Check = Callable[[list[list[Any]]], None]
Run = Callable[..., str]


@pytest.fixture
def run(file: Path) -> Run:
    def run(*arguments: str) -> str:
        # so wide that a table is whole
        environment = {"MIRROR_DATABASE": str(file), "COLUMNS": "100000"}
        done = CliRunner(env=environment).invoke(main, arguments)
        assert done.exit_code == 0, done.stderr
        return done.stdout

    return run


@pytest.fixture
def check(mirror: duckdb.DuckDBPyConnection) -> Check:
    """Compare rows with what is expected; DuckDB reads texts as values of the column's type."""
    result = mirror.sql(QUERY)
    types = dict(zip(result.columns, map(str, result.types), strict=True))

    def check(rows: list[list[Any]]) -> None:
        assert len(rows) == N
        for i, (name, expected) in enumerate(EXPECTED.items()):
            values = [row[i] for row in rows]
            if repr(values) != repr(expected):
                read = f"select cast(? as {types[name]})"
                values = [mirror.execute(read, [value]).fetchall()[0][0] for value in values]
            assert repr(values) == repr(expected), DECLARED.get(name, name)

    return check


def test_rows_in_python(mirror: duckdb.DuckDBPyConnection, check: Check) -> None:
    check(mirror.sql(QUERY).fetchall())


def test_csv(run: Run, check: Check) -> None:
    _, *rows = csv.reader(io.StringIO(run("sql", QUERY, "--format", "csv"), newline=""))

    check([[value or None for value in row] for row in rows])
    # which Python's reader does not tell apart
    assert run("sql", "select '' as a, null as b", "--format", "csv") == 'a,b\n"",\n'


def test_json(run: Run, check: Check) -> None:
    rows = json.loads(run("sql", QUERY, "--format", "json"), parse_float=str, parse_int=str)

    def text(value: Any) -> Any:
        return json.dumps(value) if isinstance(value, dict) else value

    check([list(map(text, row.values())) for row in rows])


def test_json_writes_every_digit_of_a_number(run: Run) -> None:
    query = """
    select 12345678901234567890.10::decimal(38, 2) as a, [0.1234567890::decimal(18, 10)] as b,
        170141183460469231731687303715884105727::hugeint as c, {'d': 0.1::float} as e,
        map {'f': -0.0::double} as g, '{"h": 1.10, "i": [12345678901234567890.5]}'::json as j
    """
    assert run("sql", query, "--format", "json") == (
        '[\n{"a": 12345678901234567890.10, "b": [0.1234567890],'
        ' "c": 170141183460469231731687303715884105727, "e": {"d": 0.1},'
        ' "g": {"f": -0.0}, "j": {"h": 1.10, "i": [12345678901234567890.5]}}\n]\n'
    )


def test_json_writes_as_text_what_it_has_no_number_for(run: Run) -> None:
    query = """
    select 'nan'::float as a, ['-inf'::double, null] as b, to_json(['nan'::double, 1e5]) as c,
        '{"NaN": "inf", "d": -Infinity, "e": true}'::json as f, {'g': 'nan'::double} as h
    """
    assert json.loads(run("sql", query, "--format", "json"), parse_constant=pytest.fail) == [
        {
            "a": "nan",
            "b": ["-inf", None],
            "c": ["NaN", 100000.0],
            "f": {"NaN": "inf", "d": "-Infinity", "e": True},
            "h": {"g": "nan"},
        }
    ]


def test_markdown(run: Run, check: Check) -> None:
    _, _, *lines = run("sql", QUERY, "--format", "markdown").splitlines()

    def cell(written: str) -> str | None:
        unbroken = re.sub(r"(?<!\\)<br>", "\n", written)
        return re.sub(r"\\([\\|<])", r"\1", unbroken) or None

    check([list(map(cell, re.findall(r" ((?:[^|\\]|\\.)*?) (?=\|)", line))) for line in lines])


@pytest.mark.parametrize("way", ["sql", "export"])
def test_parquet(file: Path, run: Run, tmp_path: Path, check: Check, way: str) -> None:
    written = tmp_path / "written.parquet"
    if way == "export":
        run("export", QUERY, "-o", str(written))
    else:
        command = [sys.executable, "-m", "mirror", "sql", QUERY, "--format", "parquet"]
        with written.open("wb") as out:
            subprocess.run([*command, "--database", str(file)], stdout=out, check=True)

    check([list(row.values()) for row in pq.read_table(written).to_pylist()])


def test_parquet_keeps_integers_of_more_than_64_bits(run: Run, tmp_path: Path) -> None:
    written = tmp_path / "written.parquet"
    run("export", "select sum(c4) - 1 as n, [sum(c4)] as m from action.extreme", "-o", str(written))

    [row] = pq.read_table(written).to_pylist()
    total = -(2**63) + 2**53 + 1
    assert row == {"n": Decimal(total - 1), "m": [Decimal(total)]}


def test_an_exported_csv_is_that_of_a_query(run: Run, tmp_path: Path) -> None:
    run("export", QUERY, "-o", str(tmp_path / "written.csv"))

    written = (tmp_path / "written.csv").read_bytes().decode()
    assert written == run("sql", QUERY, "--format", "csv")


def test_a_table_shows_every_digit_and_control_character(run: Run) -> None:
    drawn = run("sql", QUERY, "--format", "table")

    for shown in (LONG, "9" * 38, "12345678.0123456789", "1.7976931348623157e+308", "5e-324"):
        assert f" {shown} " in drawn
    for shown in (r"two\nlines and \n, tab\t", r"🐭 Łukasz\e[31m\0\a", "-838:59:58.999999"):
        assert f" {shown} " in drawn
    # a control sequence in one letter, and a change of direction
    odd = "select 'a\x9b31m\u202eb' as x"
    assert r" a\x9b31m\u202eb " in run("sql", odd, "--format", "table")


def test_a_data_frame(mirror: duckdb.DuckDBPyConnection) -> None:
    frame = mirror.sql(QUERY).df()

    def listed(value: Any) -> Any:
        return list(map(listed, value.tolist())) if isinstance(value, np.ndarray) else value

    for name, expected in EXPECTED.items():
        for value, wanted in zip(map(listed, frame[name].tolist()), expected, strict=True):
            match wanted:
                case None:
                    assert pd.isna(value)
                case Decimal():
                    # which pandas does not have
                    assert value == float(wanted)
                case date():
                    assert value == pd.Timestamp(wanted)
                case timedelta():
                    assert value == pd.Timedelta(wanted)
                case bytes():
                    assert bytes(value) == wanted
                case _:
                    assert repr(value) == repr(wanted)


def test_the_data_of_a_report(mirror: duckdb.DuckDBPyConnection) -> None:
    query = """
    select c17 as text, c1 as flag, c4 as whole, 0.1::double + 0.2 as number,
        [0.00004::double, null, 'nan'] as list, 'inf'::double as infinite
    from action.extreme order by id limit 1 offset 1
    """
    assert json.loads(pages.packed(mirror.sql(query).df())) == {
        "columns": ["text", "flag", "whole", "number", "list", "infinite"],
        # four digits behind the point
        "data": [["\"a\", 'b' | <br> \\| NULL", True, 2**53 + 1, 0.3, [0.0, None, None], None]],
    }


# a server sends BIT as bytes, a mirror as the number that they are
BITS = next(name for name, declared in DECLARED.items() if declared.startswith("bit"))
SCALARS = f"select {', '.join(DECLARED)} from ibl_action.extreme order by id".replace(
    f" {BITS},", f" {BITS} + 0 as {BITS},"
)


def test_datajoint_without_a_server_fetches_what_the_server_gave(
    server: Server, file: Path
) -> None:
    connections = (judge.connect("127.0.0.1", server.port, *READER), OfflineConnection(file))
    there, here = (
        [
            connection.query(SCALARS).fetchall(),
            dj.FreeTable(connection, "`ibl_action`.`extreme`").fetch(*BLOBS, order_by="id"),
        ]
        for connection in connections
    )
    for connection in connections:
        connection.close()

    assert judge.judge(there[0], here[0], in_order=True).kind == "equal"
    for name, one, other in zip(BLOBS, there[1], here[1], strict=True):
        assert list(map(repr, one)) == list(map(repr, other)), name


def test_the_wire_carries_what_the_server_sent(server: Server, file: Path) -> None:
    there = server.run(SCALARS)
    with wired.serving(file) as served:
        here = served.ask(SCALARS)

    assert [list(map(repr, row)) for row in here] == [list(map(repr, row)) for row in there]
