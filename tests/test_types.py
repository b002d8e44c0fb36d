"""Every declared type arrives as the right DuckDB type with the right values, by both readers."""

import string
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from server import Kind, Server

from mirror import connect
from mirror.copying import Copied
from mirror.sources.datajoint import DataJointSource
from mirror.syncing import Options, sync
from mirror.tables import Column
from mirror.types import conversion

pytestmark = [pytest.mark.both_servers, pytest.mark.usefixtures("singly")]


def arrive(
    source: DataJointSource, table: str, folder: Path, is_fast: bool
) -> tuple[dict[str, list], Copied]:
    """Copy one table of `behavior`; returns its columns and what the sync says of it."""
    source.fast = is_fast
    path = folder / f"{is_fast}.duckdb"
    report = sync(source, path, Options(table=(f"behavior.{table}",)), full=True)
    assert source.fast is is_fast
    with connect(path) as mirror:
        found = mirror.sql(f"select * from behavior.{table} order by id")
        rows = found.fetchall()
        columns = {name: [row[i] for row in rows] for i, name in enumerate(found.columns)}
        told = mirror.sql(
            f"select forced_to_null, read_as_true from _mirror.tables where table_name = '{table}'"
        ).fetchall()
    copied = report.tables[0]
    assert told == [(copied.forced_to_null, copied.read_as_true)]
    return columns, copied


def prepared(server: Server) -> int:
    """How many statements were prepared: connectorx does that, pymysql never."""
    return int(server.run("show global status like 'Com_stmt_prepare'")[0][1])


@pytest.mark.parametrize(
    ("declared", "duckdb_type"),
    {
        "tinyint(4)": "TINYINT",
        "tinyint": "TINYINT",
        "tinyint(3) unsigned": "UTINYINT",
        "tinyint(1)": "BOOLEAN",
        "tinyint(1) unsigned": "BOOLEAN",
        "tinyint(10)": "TINYINT",
        "smallint(6)": "SMALLINT",
        "smallint unsigned": "USMALLINT",
        "mediumint(9)": "INTEGER",
        "mediumint(8) unsigned": "UINTEGER",
        "int": "INTEGER",
        "int(11)": "INTEGER",
        "INT(10) UNSIGNED": "UINTEGER",
        "int(10) unsigned zerofill": "UINTEGER",
        "int unsigned": "UINTEGER",
        "bigint(20)": "BIGINT",
        "bigint unsigned": "UBIGINT",
        "float": "FLOAT",
        "float(7,4)": "FLOAT",
        "float unsigned": "FLOAT",
        "double": "DOUBLE",
        "double(10,3)": "DOUBLE",
        "double unsigned": "DOUBLE",
        "double unsigned zerofill": "DOUBLE",
        "decimal(10,2)": "DECIMAL(10,2)",
        "decimal(10,2) unsigned zerofill": "DECIMAL(10,2)",
        "decimal(10,0)": "DECIMAL(10,0)",
        "decimal(38,38)": "DECIMAL(38,38)",
        "bit(1)": "UBIGINT",
        "bit(64)": "UBIGINT",
        "year": "SMALLINT",
        "year(4)": "SMALLINT",
        "date": "DATE",
        "datetime": "TIMESTAMP",
        "datetime(6)": "TIMESTAMP",
        "timestamp": "TIMESTAMP",
        "timestamp(3)": "TIMESTAMP",
        "time": "INTERVAL",
        "time(6)": "INTERVAL",
        "enum('M','F','U')": "ENUM('M', 'F', 'U')",
        "enum('a,b','it''s',''',''','(x)')": "ENUM('a,b', 'it''s', ''',''', '(x)')",
        "enum('')": "ENUM('')",
        r"enum('back\\slash','new\nline','\\n')": "ENUM('back\\slash', 'new\nline', '\\n')",
        "set('a','b')": "VARCHAR",
        "char(5)": "VARCHAR",
        "varchar(255)": "VARCHAR",
        "tinytext": "VARCHAR",
        "longtext": "VARCHAR",
        "json": "JSON",
        "uuid": "UUID",
        "binary(16)": "BLOB",
        "varbinary(20)": "BLOB",
        "tinyblob": "BLOB",
        "longblob": "BLOB",
    }.items(),
)
def test_a_declared_type_has_its_duckdb_type(declared: str, duckdb_type: str) -> None:
    found = conversion(Column("x", declared, nullable=True))

    assert found.duckdb_type == duckdb_type
    assert found.note == "" and not found.is_left_out


@pytest.mark.parametrize(
    ("declared", "note"),
    {
        "inet6": "unknown type inet6, kept as text",
        "decimal(65,30)": "decimal(65,30) has more digits than DuckDB's decimals, kept as text",
        "geometry": "a geometry, kept as text",
        "multipolygon": "a geometry, kept as text",
        "geomcollection": "a geometry, kept as text",
        "enum('no','?')": "an enum whose members the server may not name, kept as text",
    }.items(),
)
def test_what_duckdb_has_no_type_for_is_text_with_a_note(declared: str, note: str) -> None:
    found = conversion(Column("x", declared, nullable=True))

    assert (found.duckdb_type, found.note) == ("VARCHAR", note)


def test_a_vector_is_its_bytes_with_a_note() -> None:
    found = conversion(Column("x", "vector(3)", nullable=True))

    assert found.duckdb_type == "BLOB"
    assert found.note == "a vector, kept as the bytes of its 4-byte floats"


@pytest.mark.parametrize(
    ("comment", "declared", "duckdb_type"),
    [
        (":uuid:the session", "binary(16)", "UUID"),
        ("see :uuid: elsewhere", "binary(16)", "BLOB"),
        (":graph:of a custom adapter", "varchar(20)", "VARCHAR"),
    ],
)
def test_datajoint_types_are_read_from_the_start_of_the_comment(
    comment: str, declared: str, duckdb_type: str
) -> None:
    found = conversion(Column("x", declared, nullable=True, comment=comment))

    assert found.duckdb_type == duckdb_type and not found.is_left_out


@pytest.mark.parametrize(
    "adapter", ["attach@store", "blob@store", "filepath@store", "external-raw"]
)
def test_what_is_stored_outside_the_table_is_left_out_with_a_note(adapter: str) -> None:
    found = conversion(Column("x", "binary(16)", nullable=True, comment=f":{adapter}:big"))

    assert found.is_left_out
    assert found.note == f"stored outside the table (DataJoint {adapter})"


def float32(value: float) -> float:
    return float(np.float32(value))


# Per type, MySQL literals and what becomes of them; None for the ones that DuckDB cannot hold.
EDGES: dict[str, dict[str, object]] = {
    "tinyint": {"-128": -128, "127": 127},
    "tinyint unsigned": {"0": 0, "255": 255},
    "tinyint(1)": {"0": False, "1": True, "2": True, "-1": True},
    "smallint": {"-32768": -32768, "32767": 32767},
    "smallint unsigned": {"65535": 65535},
    "mediumint": {"-8388608": -8388608},
    "mediumint unsigned": {"16777215": 16777215},
    "int": {"-2147483648": -(2**31), "2147483647": 2**31 - 1},
    "int unsigned zerofill": {"7": 7, "4294967295": 2**32 - 1},
    "bigint": {"-9223372036854775808": -(2**63), "9223372036854775807": 2**63 - 1},
    "bigint unsigned": {"0": 0, "18446744073709551615": 2**64 - 1},
    "float": {
        "0.1": float32(0.1),
        "1e-30": float32(1e-30),
        "16777216": 16777216.0,
        "123456.789": float32(123456.789),
        "3.4028234e38": float32(3.4028234e38),
    },
    "float zerofill": {"1.5": 1.5},
    "double": {
        "5e-324": 5e-324,
        "1.7976931348623157e308": 1.7976931348623157e308,
        "0.1": 0.1,
        "123456789.123456789": 123456789.123456789,
    },
    "decimal(38,10)": {
        text: Decimal(text)
        for text in ("1234567890123456789012345678.0123456789", "-0.0000000001", "0.0000000000")
    },
    "decimal(65,30)": {text: text for text in ("9" * 35 + "." + "9" * 30, "-0." + "0" * 29 + "1")},
    "decimal(10,2) unsigned zerofill": {"12.5": Decimal("12.50")},
    "bit(1)": {"b'0'": 0, "b'1'": 1},
    "bit(64)": {"b'" + "1" * 64 + "'": 2**64 - 1},
    "year": {"1901": 1901, "2155": 2155, "0": 0},
    "date": {
        "'0000-00-00'": None,
        "'2019-00-10'": None,
        "'2019-02-31'": None,
        "'2020-02-29'": date(2020, 2, 29),
        "'9999-12-31'": date(9999, 12, 31),
    },
    "datetime": {
        "'0000-00-00'": None,
        "'2019-04-31 10:00:00'": None,
        "'1000-01-01'": datetime(1000, 1, 1),
    },
    "datetime(6)": {
        "'2019-02-31 10:00:00.5'": None,
        "'9999-12-31 23:59:59.999999'": datetime.max,
        "'2019-08-01 11:05:30.000001'": datetime(2019, 8, 1, 11, 5, 30, 1),
    },
    "timestamp null": {
        "'0000-00-00'": None,
        "'2038-01-19 03:14:07'": datetime(2038, 1, 19, 3, 14, 7),
    },
    "timestamp(3) null": {"'1970-01-01 00:00:01.5'": datetime(1970, 1, 1, 0, 0, 1, 500_000)},
    "time": {
        "'24:00:01'": timedelta(days=1, seconds=1),
        "'-00:00:01'": -timedelta(seconds=1),
        "'838:59:59'": timedelta(hours=838, minutes=59, seconds=59),
    },
    "time(6)": {
        "'-838:59:58.999999'": -timedelta(hours=838, minutes=59, seconds=58, microseconds=999_999),
        "'-00:00:00.5'": -timedelta(seconds=0.5),
        "'00:00:00.000001'": timedelta(microseconds=1),
    },
    r"enum('a','it''s','x,y','back\\slash','new\nline')": {
        "'it''s'": "it's",
        "'X,Y'": "x,y",
        r"'back\\slash'": "back\\slash",
        r"'new\nline'": "new\nline",
        "''": None,
    },
    "enum('','b')": {"''": "", "'bogus'": None},
    "enum('low','Ünder','日本')": {"'Ünder'": "Ünder", "'日本'": "日本"},
    "enum('no','🐭')": {"'🐭'": "🐭", "'bogus'": None},
    "set('p','q','r')": {"''": "", "'r,p'": "p,r"},
    "set('über','🐭')": {"'🐭,über'": "über,🐭"},
    "char(5)": {"''": "", "'ab   '": "ab"},
    "varchar(100)": {
        "''": "",
        "'  ß, ½ and 🐭  '": "  ß, ½ and 🐭  ",
        r"'tab\tline\nnul\0end'": "tab\tline\nnul\0end",
        r"'\'quoted\' \\ \"too\"'": "'quoted' \\ \"too\"",
    },
    "varchar(20) character set latin1": {"'Zoë €'": "Zoë €"},
    "text": {"''": "", f"'{'é' * 30_000}'": "é" * 30_000},
    "json": {'\'{"a": [1, null, "🐭"]}\'': '{"a": [1, null, "🐭"]}'},
    "binary(4)": {r"'a\0'": b"a\0\0\0", "x'ff00ff00'": b"\xff\0\xff\0"},
    "varbinary(4)": {"''": b"", "x'ff00'": b"\xff\0"},
    "geometry": {"st_geomfromtext('POINT(1 2)')": "POINT(1 2)"},
    "binary(16) comment ':uuid:key'": {"x'" + "0" * 31 + "5'": UUID(int=5)},
}
OWN_TYPES: dict[Kind, dict[str, dict[str, object]]] = {
    "mariadb": {
        "uuid": {
            "'11111111-1111-4111-8111-11111111111a'": UUID("11111111-1111-4111-8111-11111111111a")
        },
        "inet6": {"'::1'": "::1"},
        "double precision": {"'-0'": 0.0},
    },
    "mysql": {
        "vector(2)": {"string_to_vector('[1, 0.1]')": np.array([1, 0.1], "<f4").tobytes()},
        "double precision": {"'-0'": -0.0},
    },
}


def edges_of(server: Server) -> tuple[dict[str, dict[str, object]], str]:
    """The types that a server has, each with its values, and the declaration of such columns."""
    found = EDGES | OWN_TYPES[server.kind]
    declared = (f"c{number} {kind}" for number, kind in enumerate(found))
    return found, ", ".join(declared).replace(" comment", " null comment")


@pytest.mark.parametrize("is_fast", [True, False], ids=["connectorx", "pymysql"])
def test_edge_values_of_every_type_arrive_and_lost_ones_are_counted(
    source: DataJointSource, server: Server, tmp_path: Path, is_fast: bool
) -> None:
    edges, columns = edges_of(server)
    length = max(map(len, edges.values()))
    literals = [[*values, *["null"] * (length - len(values))] for values in edges.values()]
    server.run(
        "use ibl_behavior",
        "set time_zone = '+00:00'",
        "set sql_mode = 'ALLOW_INVALID_DATES'",
        f"create table edges (id int primary key, {columns})",
        "insert into edges (id) values (0)",
        *(
            f"insert into edges values ({number}, {', '.join(row)})"
            for number, row in enumerate(zip(*literals, strict=True), start=1)
        ),
    )
    before = prepared(server)

    arrived, copied = arrive(source, "edges", tmp_path, is_fast)

    assert (prepared(server) > before) is is_fast
    expected = {
        kind: repr([None, *values.values(), *[None] * (length - len(values))])
        for kind, values in edges.items()
    }
    del arrived["id"]
    assert dict(zip(edges, map(repr, arrived.values()), strict=True)) == expected
    names = dict(zip(edges, arrived, strict=True))
    lost = {names[kind]: [*values.values()].count(None) for kind, values in edges.items()}
    assert copied.forced_to_null == {name: count for name, count in lost.items() if count}
    assert copied.read_as_true == {names["tinyint(1)"]: 2}


def test_a_table_without_rows_and_columns_without_values_keep_their_types(
    source: DataJointSource, server: Server, tmp_path: Path
) -> None:
    edges, columns = edges_of(server)
    for table in ("bare", "hollow"):
        server.run(f"create table ibl_behavior.{table} (id int primary key, {columns}, z longblob)")
    server.run("insert into ibl_behavior.hollow (id) values (1), (2)")

    report = sync(source, tmp_path / "f", Options(table=("behavior.bare", "behavior.hollow")))

    with connect(tmp_path / "f") as mirror:
        types = {
            table: mirror.sql(
                "select column_name, data_type, is_nullable from duckdb_columns()"
                f" where table_name = '{table}' order by column_index"
            ).fetchall()
            for table in ("bare", "hollow")
        }
        hollow = mirror.sql("select * from behavior.hollow").fetchall()
    assert types["bare"] == types["hollow"] and len(types["bare"]) == len(edges) + 2
    assert types["bare"][0] == ("id", "INTEGER", False)
    assert types["bare"][-1] == ("z", "DOUBLE[]", True)
    assert hollow == [(number, *[None] * (len(edges) + 1)) for number in (1, 2)]
    assert [copied.rows for copied in report.tables] == [0, 2]
    assert not any(copied.forced_to_null for copied in report.tables)


def test_a_timestamp_does_not_depend_on_the_time_zone_of_the_server(
    source: DataJointSource, server: Server, tmp_path: Path
) -> None:
    server.run(
        "use ibl_behavior",
        "create table stamped (id int primary key, at timestamp)",
        "set time_zone = '+00:00'",
        "insert into stamped values (1, '2019-08-01 11:05:30')",
    )
    zone = server.run("select @@global.time_zone")[0][0]
    server.run("set global time_zone = '+05:00'")
    try:
        arrived = [arrive(source, "stamped", tmp_path, fast)[0]["at"] for fast in (True, False)]
    finally:
        server.run(f"set global time_zone = '{zone}'")

    assert arrived == [[datetime(2019, 8, 1, 11, 5, 30)]] * 2


def nullable(values: st.SearchStrategy) -> st.SearchStrategy:
    return st.none() | values


def finite(width: int) -> st.SearchStrategy:
    # MariaDB stores -0 as 0
    numbers = st.floats(width=width, allow_nan=False, allow_infinity=False)
    return numbers.map(lambda number: number or 0.0)


def instants(first: datetime, last: datetime) -> st.SearchStrategy:
    return st.datetimes(first, last).map(lambda instant: instant.replace(fold=0))


TEXT = st.text(st.characters(codec="utf-8"), max_size=20)
COMMON = {
    "int": st.integers(-(2**31), 2**31 - 1),
    "bigint unsigned": st.integers(0, 2**64 - 1),
    "bool": st.booleans(),
    "float": finite(32),
    "double": finite(64),
    "decimal(20,6)": st.decimals(-(10**13), 10**13, places=6),
    "date": st.dates(min_value=date(1, 1, 1)),
    "datetime(6)": instants(datetime.min, datetime.max),
    "timestamp(6) null": instants(datetime(1970, 1, 2), datetime(2038, 1, 1)),
    "varchar(20)": TEXT,
    "text": TEXT,
    "varbinary(20)": st.binary(max_size=20),
    "enum('CCW','CW','No Go')": st.sampled_from(["CCW", "CW", "No Go"]),
    "binary(16) null comment ':uuid:'": st.uuids(),
}


def test_any_row_of_the_common_types_comes_out_as_it_went_in(
    source: DataJointSource, server: Server, tmp_path: Path
) -> None:
    names = string.ascii_lowercase[: len(COMMON)]
    declared = ", ".join(f"{n} {kind}" for n, kind in zip(names, COMMON, strict=True))
    server.run("use ibl_behavior", f"create table random (id int primary key, {declared})")
    connection = server.admin("ibl_behavior")
    connection.cursor().execute("set time_zone = '+00:00'")

    @settings(max_examples=12, derandomize=True, deadline=None, database=None)
    @given(st.lists(st.tuples(*map(nullable, COMMON.values())), max_size=30))
    def check(rows: list[tuple]) -> None:
        with connection.cursor() as cursor:
            cursor.execute("truncate table random")
            for number, row in enumerate(rows):
                values = [value.bytes if isinstance(value, UUID) else value for value in row]
                marks = ", ".join(["%s"] * (len(row) + 1))
                cursor.execute(f"insert into random values ({marks})", [number, *values])
        for is_fast in (True, False):
            arrived, _ = arrive(source, "random", tmp_path, is_fast)
            assert [repr(row) for row in zip(*(arrived[n] for n in names), strict=True)] == [
                repr(row) for row in rows
            ]

    check()
    connection.close()


def test_a_key_that_duckdb_cannot_declare_is_told_and_the_rows_arrive(
    source: DataJointSource, server: Server, tmp_path: Path
) -> None:
    server.run(
        "create table ibl_behavior.by_time (at time primary key)",
        "insert into ibl_behavior.by_time values ('10:00:00'), ('-30:00:00')",
        "create table ibl_behavior.by_flag (is_on tinyint(1) primary key)",
        "insert into ibl_behavior.by_flag values (0), (1), (2)",
    )

    report = sync(source, tmp_path / "ibl.duckdb", Options(table=("behavior.by_*",)))

    assert {table.table: (table.rows, table.notes) for table in report.tables} == {
        "behavior.by_time": (2, ("the primary key is not declared here, because of at",)),
        "behavior.by_flag": (3, ("the primary key is not declared here, because of is_on",)),
    }
