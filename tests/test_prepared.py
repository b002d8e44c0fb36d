"""Prepared statements: a mirror gives MariaDB's bytes, for every type, and outlives every lie."""

from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from struct import pack

import ibl
import menagerie
import mysql.connector
import pymysql
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pymysql.constants import FIELD_TYPE
from server import READER, Server
from wired import (
    PASSWORD,
    Answered,
    Parameter,
    Prepared,
    Raw,
    Served,
    error,
    execution,
    serving,
)

from mirror.serve.wire import client as wire_client
from mirror.serve.wire import prepared as wire_prepared

pytestmark = pytest.mark.filterwarnings("error::pytest.PytestUnhandledThreadExceptionWarning")

SPECIMENS = "ibl_action.specimen"
LITERALS = (
    "select 1, -5, 255, 65536, 12345678901, 18446744073709551615, 1.50, -2.5e0, 'zoë', '' as empty,"
    " null, cast('2019-08-01 11:05:30' as datetime), cast('1969-02-28 23:59:59.5' as datetime(6)),"
    " cast('0999-01-01' as date), cast('-26:00:01' as time), cast('0:0:0' as time),"
    " cast('838:59:59' as time), 5 / 2, 1 = 1, 1 > 2, avg(1), count(*)"
)


def text(value: bytes, code: int = FIELD_TYPE.VAR_STRING) -> Parameter:
    return Parameter(code, bytes([len(value)]) + value)


NARROW = (FIELD_TYPE.TINY, FIELD_TYPE.SHORT, FIELD_TYPE.LONG)
VALUES = [
    Parameter(FIELD_TYPE.TINY, b"\xff"),
    Parameter(FIELD_TYPE.TINY, b"\xff", is_unsigned=True),
    Parameter(FIELD_TYPE.SHORT, pack("<h", -300)),
    Parameter(FIELD_TYPE.LONG, pack("<i", -(2**31))),
    Parameter(FIELD_TYPE.LONG, pack("<I", 2**32 - 1), is_unsigned=True),
    Parameter(FIELD_TYPE.LONGLONG, pack("<q", -(2**63) + 1)),
    Parameter(FIELD_TYPE.LONGLONG, pack("<Q", 2**64 - 1), is_unsigned=True),
    Parameter(FIELD_TYPE.FLOAT, pack("<f", 0.1)),
    Parameter(FIELD_TYPE.DOUBLE, pack("<d", -1e-300)),
    Parameter(FIELD_TYPE.DOUBLE, pack("<d", 0.30000000000000004)),
    text(b"-0012.50", FIELD_TYPE.NEWDECIMAL),
    text(b"7", FIELD_TYPE.NEWDECIMAL),
    text('zoë\'s \\ "日本" 🐭'.encode()),
    text(b"", FIELD_TYPE.STRING),
    text(b"2019-02-03", FIELD_TYPE.VARCHAR),
    text(b"\0\xff'\\", FIELD_TYPE.BLOB),
    Parameter(FIELD_TYPE.DATE, b"\x04" + pack("<HBB", 2020, 2, 29)),
    Parameter(FIELD_TYPE.DATETIME, b"\x04" + pack("<HBB", 2020, 2, 29)),
    Parameter(FIELD_TYPE.DATETIME, b"\x07" + pack("<HBBBBB", 1969, 12, 31, 23, 59, 58)),
    Parameter(FIELD_TYPE.TIMESTAMP, b"\x0b" + pack("<HBBBBBI", 2038, 1, 1, 0, 0, 0, 5)),
    Parameter(FIELD_TYPE.TIME, b"\x08" + pack("<BIBBB", 1, 1, 2, 0, 1)),
    Parameter(FIELD_TYPE.TIME, b"\x0c" + pack("<BIBBBI", 0, 34, 22, 59, 58, 999_999)),
    Parameter(FIELD_TYPE.TIME, b"\x00"),
    Parameter(FIELD_TYPE.NULL, None),
    Parameter(FIELD_TYPE.LONG, None),
]
CONDITIONS = [
    ("tiny = ?", [Parameter(FIELD_TYPE.TINY, b"\x05")]),
    ("tiny > ?", [text(b"3")]),
    (
        "price between ? and ?",
        [text(b"1.5", FIELD_TYPE.NEWDECIMAL), text(b"99", FIELD_TYPE.STRING)],
    ),
    ("word = ?", [text(b"ALPHA")]),
    ("word = ?", [text(b"alpha", FIELD_TYPE.BLOB)]),
    ("word like ?", [text(b"%\\_%")]),
    ("grade in (?, ?)", [text(b"low"), text("ünder".encode())]),
    ("born = ?", [Parameter(FIELD_TYPE.DATE, b"\x04" + pack("<HBB", 2020, 2, 29))]),
    (
        "moment > ?",
        [Parameter(FIELD_TYPE.DATETIME, b"\x07" + pack("<HBBBBB", 2019, 3, 1, 1, 0, 0))],
    ),
    ("moment > ?", [text(b"2019-03-01 01:00:00")]),
    ("delay < ?", [Parameter(FIELD_TYPE.TIME, b"\x08" + pack("<BIBBB", 0, 1, 0, 0, 0))]),
    ("measure < ?", [Parameter(FIELD_TYPE.DOUBLE, pack("<d", 0.5))]),
    ("ratio = ?", [Parameter(FIELD_TYPE.FLOAT, pack("<f", 0.1))]),
    ("ratio = ?", [Parameter(FIELD_TYPE.DOUBLE, pack("<d", 0.1))]),
    ("checked = ?", [Parameter(FIELD_TYPE.TINY, b"\x01")]),
    (
        "coalesce(tiny, ?) <=> ?",
        [Parameter(FIELD_TYPE.LONG, None), Parameter(FIELD_TYPE.LONG, None)],
    ),
    ("huge = ?", [Parameter(FIELD_TYPE.LONGLONG, pack("<Q", 2**64 - 1), is_unsigned=True)]),
]
# what would be SQL if it were pasted
SMUGGLED = [
    *(
        "' or '1'='1",
        "\\' or 1=1 -- ",
        "'; copy (select 1) to '/tmp/x",
        "x\0'; select 1",
        "?",
        "%s",
    ),
    *("/*!50000 or 1 */", '" or ""="', "`", "\\", "''", "0 or 1", "null", "1) or (1", "␀"),
]


@dataclass
class Sides:
    """MariaDB and a mirror of it on a port, each with a client that says any packet."""

    theirs: Raw
    ours: Raw
    served: Served
    server: Server
    file: Path


@pytest.fixture(scope="module")
def sides(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sides]:
    file = tmp_path_factory.mktemp("prepared") / "ibl.duckdb"
    menagerie.mirrored(server, file)
    with ExitStack() as until_the_end:
        served = until_the_end.enter_context(serving(file))
        theirs = until_the_end.enter_context(Served(server.port).raw())
        ours = until_the_end.enter_context(served.raw())
        user, password = READER
        assert error(theirs.log_in(password, user=user)) is None
        assert error(ours.log_in()) is None
        yield Sides(theirs, ours, served, server, file)
    ibl.drop(server)


@pytest.fixture
def client(sides: Sides) -> Iterator[Raw]:
    with sides.served.raw() as raw:
        raw.log_in()
        yield raw
        # whatever has happened, the next client is served
        assert sides.served.ask("select 1") == ((1,),)


def prepared(raw: Raw, statement: str) -> Prepared:
    answer = raw.prepare(statement)
    assert isinstance(answer, Prepared), answer
    return answer


def asked(raw: Raw, statement: str, *values: Parameter) -> Answered:
    answer = raw.execute(prepared(raw, statement).number, *values)
    assert isinstance(answer, Answered), answer
    return answer


# Values


@pytest.mark.parametrize(
    "statement",
    [
        f"select * from {SPECIMENS} order by specimen_id",
        "select * from ibl_subject.subject order by subject_uuid",
        "select * from ibl_behavior._trial_set__trial order by 1, 2, 3",
        LITERALS,
    ],
)
def test_binary_rows_are_a_servers_byte_by_byte(sides: Sides, statement: str) -> None:
    theirs, ours = asked(sides.theirs, statement), asked(sides.ours, statement)

    assert len(ours.columns) == len(theirs.columns)
    assert ours.rows == theirs.rows != []


@pytest.mark.parametrize("value", VALUES, ids=lambda one: f"{one.code} {one.value!r}")
def test_a_parameter_of_any_type_is_what_it_is_to_a_server(sides: Sides, value: Parameter) -> None:
    statements = ["select concat(?), isnull(?), ? = 7"]
    if value.code in (FIELD_TYPE.BLOB, FIELD_TYPE.TIME):
        statements = ["select ?, isnull(?)"]
    elif value.code not in (*NARROW, FIELD_TYPE.FLOAT):
        # of these a server gives back the width too, a mirror the width of its value
        statements.append("select ?")
    for statement in statements:
        values = [value] * statement.count("?")
        found = asked(sides.ours, statement, *values)
        assert found.rows == asked(sides.theirs, statement, *values).rows


@pytest.mark.parametrize(("condition", "values"), CONDITIONS, ids=lambda one: str(one)[:60])
def test_conditions_hold_for_the_rows_of_a_server(
    sides: Sides, condition: str, values: list[Parameter]
) -> None:
    statement = f"select specimen_id, {condition} from {SPECIMENS} order by 1"
    assert (
        asked(sides.ours, statement, *values).rows == asked(sides.theirs, statement, *values).rows
    )


def test_columns_are_described_as_a_server_does(sides: Sides) -> None:
    for statement in (
        f"select * from {SPECIMENS} s where tiny > ? limit ?",
        "select s.subject_nickname as name, d.session_start_time from ibl_subject.subject s"
        " left join ibl_acquisition.session d using (subject_uuid) where sex = ?",
        "select q.a, q.b from (select sex a, count(*) b from ibl_subject.subject group by 1) q",
    ):
        theirs, ours = prepared(sides.theirs, statement), prepared(sides.ours, statement)
        assert ours.columns == theirs.columns
        assert len(ours.parameters) == len(theirs.parameters) == statement.count("?")
        text = statement.replace("?", "1").encode()
        ours_text, theirs_text = (
            side.answer(b"\x03" + text) for side in (sides.ours, sides.theirs)
        )
        assert isinstance(ours_text, Answered) and isinstance(theirs_text, Answered)
        assert ours_text.columns == theirs_text.columns


@pytest.mark.parametrize("code", [FIELD_TYPE.STRING, FIELD_TYPE.VAR_STRING, FIELD_TYPE.BLOB])
def test_a_mouse_is_found_by_its_key(sides: Sides, code: int) -> None:
    [(key, name), *_] = sides.server.run(
        "select subject_uuid, subject_nickname from ibl_subject.subject order by 2"
    )
    statement = "select subject_nickname from ibl_subject.subject where subject_uuid = ?"
    found = asked(sides.ours, statement, text(key, code))
    assert found.rows == [b"\0\0" + bytes([len(name.encode())]) + name.encode()]


@pytest.mark.parametrize("value", SMUGGLED)
@pytest.mark.parametrize("code", [FIELD_TYPE.VAR_STRING, FIELD_TYPE.BLOB])
def test_a_parameter_is_never_sql(sides: Sides, value: str, code: int) -> None:
    data = text(value.encode(), code)
    for statement in (
        f"select ?, count(*) from {SPECIMENS} where word = ?",
        f"select concat(?, 'x') from {SPECIMENS} where word = ? or tiny = 5",
        "select subject_nickname from ibl_subject.subject where subject_nickname = ? or sex = ?",
    ):
        values = [data] * statement.count("?")
        assert sorted(asked(sides.ours, statement, *values).rows) == sorted(
            asked(sides.theirs, statement, *values).rows
        )


def test_a_client_that_prepares_reads_what_it_reads_of_a_server(sides: Sides) -> None:
    statement = (
        f"select * from {SPECIMENS} where specimen_id > %s and born < %s order by 1 limit %s"
    )
    questions = [
        (statement, (1, date(2030, 1, 1), 20)),
        (
            "select %s, %s, %s, %s",
            (datetime(2019, 1, 2, 3, 4, 5, 6), timedelta(hours=-30), b"\xff", None),
        ),
        ("select %s, %s, %s", (Decimal("1.50"), 1e-9, "日本")),
    ]
    user, password = READER
    answers = []
    for port, name, secret in (
        (sides.server.port, user, password),
        (sides.served.port, "anne", PASSWORD),
    ):
        with mysql.connector.connect(
            host="127.0.0.1", port=port, user=name, password=secret, use_pure=True
        ) as connection:
            cursor = connection.cursor(prepared=True)
            for question, values in questions:
                cursor.execute(question, values)
                answers.append(cursor.fetchall())
    half = len(answers) // 2
    assert answers[:half] == answers[half:]


# The life of a statement


def test_a_statement_is_executed_again_closed_and_forgotten(client: Raw) -> None:
    statement = prepared(client, "select ? + 1")
    one = Parameter(FIELD_TYPE.TINY, b"\x01")
    first = client.execute(statement.number, one)
    assert first == client.execute(statement.number, one)
    # types are those sent before
    again = execution(statement.number, one)[:11] + b"\0" + b"\x02"
    assert isinstance(client.answer(again), Answered)
    # the statement prepared last
    assert client.execute(2**32 - 1, one) == first
    assert client.command(b"\x1a" + pack("<I", statement.number)) == b"\0\0\0\x02\0\0\0"
    assert client.execute(statement.number, one) == first
    client.begin(b"\x19" + pack("<I", statement.number))
    assert client.execute(statement.number, one) == 1243
    assert error(client.command(b"\x1a" + pack("<I", statement.number))) == 1243


def test_long_data_come_in_pieces(client: Raw) -> None:
    number = prepared(client, "select length(?), ? = 'x'").number
    for _ in range(3):
        client.begin(b"\x18" + pack("<IH", number, 0) + b"ab" * 50_000)
    values = Parameter(FIELD_TYPE.BLOB, None), text(b"X")
    sent = client.execute(number, *values)
    assert isinstance(sent, Answered)
    assert sent.rows == [b"\0\0" + pack("<q", 300_000) + pack("<i", 1)]
    # they are those of one execution
    assert client.execute(number, *values) != sent


def test_what_gives_no_rows_is_prepared_too(client: Raw) -> None:
    for statement in ("use ibl_subject", "set autocommit = 1", "begin", "commit"):
        assert client.execute(prepared(client, statement).number) == 0
    tables = asked(client, "show tables like 'subject'")
    assert tables.rows == [b"\0\0\7subject"]


def test_the_columns_are_told_before_the_values_where_they_can_be(client: Raw) -> None:
    assert len(prepared(client, "select sex, ? from ibl_subject.subject limit ?, ?").columns) == 2
    # a pattern must be known
    assert prepared(client, "select date_format(now(), ?)").columns == []
    year = asked(client, "select date_format('2019-01-01', ?)", text(b"%Y"))
    assert year.rows == [b"\0\0\4" + b"2019"]
    for statement, number in (
        ("select nothing from ibl_subject.subject where sex = ?", 1054),
        ("select * from ibl_subject.nothing where 1 = ?", 1146),
        ("select ? from", 1064),
        ("insert into ibl_subject.subject values (?)", 1142),
        ("", 1065),
        ("select 1; select ?", 1064),
    ):
        assert client.prepare(statement) == number


def test_a_connection_that_is_reset_has_no_statements(client: Raw) -> None:
    number = prepared(client, "select 1").number
    client.command(b"\x1f")
    assert client.execute(number) == 1243


# Lies


def test_values_that_are_none_are_refused(client: Raw) -> None:
    number = prepared(client, "select ?").number
    for value, expected in (
        (Parameter(0x42, b"\0"), 1210),
        (Parameter(FIELD_TYPE.DATE, b"\x05" + bytes(5)), 1210),
        (Parameter(FIELD_TYPE.TIME, b"\x03" + bytes(3)), 1210),
        (Parameter(FIELD_TYPE.TIME, b"\x08\0" + b"\xff" * 4 + bytes(3)), 1210),
        (text(b"1; drop", FIELD_TYPE.NEWDECIMAL), 1210),
        (text(b"1e999999999", FIELD_TYPE.NEWDECIMAL), 1210),
        (text(b"nan", FIELD_TYPE.NEWDECIMAL), 1210),
        (Parameter(FIELD_TYPE.DOUBLE, pack("<d", float("nan"))), 1210),
        (Parameter(FIELD_TYPE.DOUBLE, pack("<d", float("inf"))), 1210),
    ):
        assert client.execute(number, value) == expected, value


@pytest.mark.parametrize(
    "rest",
    [
        b"",
        # a bitmap for eight of nine
        b"\0",
        b"\0\0",
        b"\0\0\1" + b"\x03\0" * 8,
        b"\0\0\1" + b"\x03\0" * 9 + bytes(35),
        b"\0\0\1" + b"\xfd\0" * 9 + b"\xfe" + b"\xff" * 8,
    ],
)
def test_too_few_values_end_the_connection(client: Raw, rest: bytes) -> None:
    number = prepared(client, "select " + ",".join("?" * 9)).number
    assert error(client.command(execution(number) + rest)) == 1835
    assert client.receive() is None


def test_types_that_were_never_sent_are_missed(client: Raw) -> None:
    number = prepared(client, "select ?").number
    assert client.answer(execution(number) + b"\0\0\1") == 1210


def test_long_data_for_nothing_are_dropped(client: Raw) -> None:
    client.begin(b"\x18" + pack("<IH", 77, 0) + b"x")
    number = prepared(client, "select ?").number
    client.begin(b"\x18" + pack("<IH", number, 9) + b"x")
    assert client.execute(number, text(b"a")) == 1210
    # which is told once
    assert isinstance(client.execute(number, text(b"a")), Answered)
    for _ in range(20):
        client.begin(b"\x18" + pack("<IH", number, 0) + bytes(1 << 20))
    assert client.execute(number, Parameter(FIELD_TYPE.BLOB, None)) == 1153


def test_a_cursor_that_is_asked_for_is_not_opened(client: Raw) -> None:
    number = prepared(client, "select 1").number
    answer = client.answer(execution(number, flags=1))
    assert isinstance(answer, Answered) and len(answer.rows) == 1
    assert error(client.command(b"\x1c" + pack("<II", number, 5))) == 1421
    assert error(client.command(b"\x1c" + pack("<II", 99, 5))) == 1243


def test_statements_that_nobody_closes_fill_a_shelf_and_no_more(
    sides: Sides, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire_prepared, "MOST_STATEMENTS", 50)
    with serving(sides.file) as served, served.raw() as client, served.raw() as other:
        client.log_in()
        other.log_in()
        outcomes = [client.prepare("select 1") for _ in range(60)]
        assert outcomes[-1] == 1461
        assert sum(isinstance(one, Prepared) for one in outcomes) == 50
        # another client has no more room, until the first has left them
        assert other.prepare("select 1") == 1461
        client.command(b"\x1f")
        assert isinstance(other.prepare("select 1"), Prepared)
        monkeypatch.setattr(wire_prepared, "MOST_BYTES", 100_000)
        assert client.prepare("select '" + "x" * 100_000 + "'") == 1461


def test_a_statement_of_too_many_parameters_is_refused(
    client: Raw, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire_client, "MOST_PARAMETERS", 9)
    assert isinstance(client.prepare("select " + ",".join("?" * 9)), Prepared)
    assert client.prepare("select " + ",".join("?" * 10)) == 1390


def test_a_question_mark_in_a_text_statement_is_an_error(sides: Sides) -> None:
    connection = sides.served.connect()
    with pytest.raises(pymysql.err.ProgrammingError, match="1064"):
        connection.query("select ?")
    assert connection.query("select '?' as `?`") is not None
    connection.close()


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(
        st.tuples(st.integers(0x16, 0x1C), st.integers(0, 3), st.binary(max_size=40)), max_size=6
    )
)
def test_noise_in_the_commands_of_statements_ends_in_answers(
    sides: Sides, commands: list[tuple[int, int, bytes]]
) -> None:
    with sides.served.raw() as raw:
        raw.log_in()
        prepared(raw, "select ?, ?")
        # a message that is cut short ends the connection
        with suppress(ConnectionError):
            for command, number, noise in commands:
                raw.begin(bytes([command]) + pack("<I", number) + noise)
                # these two are not answered
                if command not in (0x18, 0x19) and raw.receive() is None:
                    break
        raw.finish()
        raw.rest()
    assert sides.served.ask("select 1") == ((1,),)
