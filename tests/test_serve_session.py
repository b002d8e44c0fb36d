"""What a client sets, and what then holds: each conversation goes as it goes with MariaDB."""

from collections.abc import Iterator
from pathlib import Path

import pymysql
import pytest
from server import Server
from wired import Served, ask, serving

from mirror.serve import engine, variables
from mirror.serve.engine import Engine
from mirror.serve.variables import known

NUMBERS = "(select 1 a union select 2 union select 3) q"
CONVERSATIONS = (
    # drivers as they connect
    ["select @@max_allowed_packet > 0, @@wait_timeout, @@socket is null, @@hostname is null"],
    [
        "set sql_mode=(select concat(@@sql_mode, ',PIPES_AS_CONCAT,NO_ENGINE_SUBSTITUTION')),"
        "time_zone='+00:00',NAMES utf8mb4 COLLATE utf8mb4_unicode_ci;",
        "select 'a' || 'b', @@collation_connection",
    ],
    ["/*!40101 SET NAMES utf8 */", "select @@character_set_client, @@collation_connection"],
    ["set character_set_results = NULL", "select @@character_set_results, 'é'"],
    ["select @@session.autocommit, @@tx_isolation, @@local.sql_select_limit, @@global.sql_notes"],
    # SET in all its forms
    [
        "set @a = 5, @b := 'x', @`c d` = 1.50, @@session.sql_notes = 0",
        "select @a, @B, @`c d`, @none",
    ],
    [
        "set @day = date '2019-01-31'",
        "select @day + interval 1 month, concat(@day), @day = '2019-01-31'",
    ],
    ["set @key = x'00ff'", "select hex(@key)"],
    [
        "set @old = @@sql_mode, sql_mode = ''",
        "select @old = @@sql_mode, @@sql_mode",
        "set sql_mode = @old",
    ],
    [
        "set names 'utf8mb4'",
        "set names default",
        "set character set utf8mb4",
        "set charset default",
    ],
    [
        "/* x */ set session transaction isolation level read committed -- y",
        *("select @@tx_isolation", "show variables like 'tx_isolation'"),
        *("set transaction isolation level serializable", "select @@tx_isolation"),
        *("set  local transaction read write , isolation level read uncommitted;",),
        *("select @@tx_isolation, @@tx_read_only", "set session transaction read only"),
        *(
            "select @@tx_read_only",
            "set transaction read only",
            "set transaction isolation level x",
        ),
        *("set session transaction read only, read write", "set session transaction"),
        *("set tx_isolation = 'read-committed'", "select @@tx_isolation", "set tx_isolation = 'x'"),
        *("set tx_isolation = 3", "select @@tx_isolation", "set tx_isolation = default"),
        "select @@tx_isolation",
    ],
    # nothing but comments, and nothing at all
    ["-- x", "/* x */ ;", "# x\n-- y\n", "/*! */", "/*!99999 select 1 */", "", " ;\n", "/* x"],
    # transactions, which change nothing here, and which drivers want to have begun
    [
        *("begin", "select @@in_transaction", "commit", "select @@in_transaction"),
        *("start transaction read only", "savepoint a", "rollback to savepoint a"),
        *("select @@in_transaction", "rollback and chain", "select @@in_transaction"),
        *("rollback work", "select @@in_transaction", "begin", "set autocommit = 1"),
        *("set transaction read only", "set session transaction read write"),
        *("select @@in_transaction", "set autocommit = 0", "set autocommit = 1"),
        *("select @@in_transaction", "set autocommit = 0", "select 1", "select @@in_transaction"),
    ],
    ["set autocommit = on", "set autocommit = false", "set autocommit = 'maybe'"],
    ["set nothing = 1", "set version = '1'", "set @@session.version = '1'"],
    ["set sql_notes", "set = 1", "set @a", "set @a = ", "set names", "set sql_notes = 1 2"],
    ["set wait_timeout = 'long'", "set wait_timeout = 60", "select @@wait_timeout"],
    ["set wait_timeout = 60", "set wait_timeout = default", "show variables like 'wait_timeout'"],
    # rows and seconds
    [
        "set sql_select_limit = 2",
        f"select a from {NUMBERS} order by a",
        f"select a from {NUMBERS} order by a limit 3",
        f"select count(*) from {NUMBERS}",
        "select 1 union all select 2 union all select 3",
        "set sql_select_limit = default",
        f"select a from {NUMBERS} order by a",
    ],
    [
        "set statement sql_select_limit = 1, max_statement_time = 5 for"
        f" select a from {NUMBERS} order by a",
        "select @@sql_select_limit, @@max_statement_time",
        "set statement nothing = 1 for select 1",
        "set statement max_statement_time = 1 for",
    ],
    ["set wait_timeout = 60", "select @@wait_timeout, @@global.wait_timeout"],
    ["select @@global.nothing", "select @@global.version_comment = @@version_comment"],
    # texts of a group, as long as they may be
    [
        "set group_concat_max_len = 5",
        "select group_concat('danlab'), group_concat('äöüß'), hex(group_concat(x'00ff00ff00ff'))",
        "select group_concat(distinct 'abcdefgh'), group_concat('a', 'bc'), group_concat('é😀')",
        f"select group_concat(a order by a desc separator '--') from {NUMBERS}",
        f"select a > 1, group_concat(distinct a + 10 order by 1) from {NUMBERS} group by 1",
        "set group_concat_max_len = 1",
        "select @@group_concat_max_len, group_concat('äöü')",
        "set group_concat_max_len = default",
        "select group_concat(distinct 'abcdefgh')",
    ],
    # collations that there are not
    ["select 'a' collate nosuch_ci", "set names utf8mb4 collate nosuch_ci"],
    ["set collation_connection = nosuch_bin", "select 'a' collate utf8mb4_bin = 'A'"],
    # a query of its own rows that has no end
    [
        "with recursive r as (select 1 n union all select n + 1 from r) select max(n) from r",
        "with recursive r as (select 1 n union select n % 7 + 1 from r) select count(*) from r",
        "set max_recursive_iterations = 5",
        "with recursive r as (select 1 n union all select n + 1 from r) select max(n) from r",
        "with recursive r as (select 1 n union select n + 1 from r) select n from r order by n",
        "with recursive r as (select 1 n union select n % 3 + 1 from r) select n from r order by n",
        "set max_recursive_iterations = 0",
        "with recursive r as (select 1 n union all select n + 1 from r) select max(n) from r",
    ],
    # statements that have names
    [
        "prepare twice from 'select 2 * ? as x'",
        "set @n = 21",
        "execute twice using @n",
        "execute twice",
        "execute twice using @n, @n",
        "deallocate prepare twice",
        "execute twice using @n",
        "set @text = 'select 1, ''a'''",
        "prepare `other` from @text",
        "execute other",
        "drop prepare other",
        "drop prepare other",
        "prepare third from 'select from'",
    ],
    # comments that servers run
    ["select 1 /*! + 1 */, 2 /*M! + 1 */, 3 /*!50001 + 1 */, 4 /*M!100102 + 1 */"],
    ["select 1 /*!50701 + 1 */, 2 /*!80000 + 1*/, 3 /*M!999999 + 1 */, 4 /* + 1 */ -- 5"],
    ["select '/*! + 1 */', \"/*!40101\", 1 /*!*/", "select /*!40001 SQL_NO_CACHE */ 1"],
    ["/*!50003 select 1 */", "/*! select 1"],
    # as programs look around
    ["show profiles", "select @ApplicationName"],
    ["select 1 from information_schema.schemata where schema_name collate utf8_bin = 'x'"],
    ["select convert_tz('2001-07-01 00:00:00', '+00:00', 'nowhere')"],
    # a value that later items of a row use again, as MariaDB's ODBC asks for columns
    [
        "select case 'x' when 'y' then @t := concat(5) else @t := concat(-4) end t, @t",
        "select cast(case when 1 then if(0, @c := '7', @c := '8') else @c := '9' end as signed) c,"
        " @d := @c, @d",
    ],
    # what is harmless
    ["do 1", "do 1, 2", "do", "select row_count(), last_insert_id()"],
    [
        f"select sql_calc_found_rows a from {NUMBERS} order by a limit 2",
        "select found_rows()",
        f"select a from {NUMBERS} order by a",
        "select found_rows()",
    ],
    [f"select a from {NUMBERS} order by a limit 1 for update"],
    [f"select a from {NUMBERS} order by a limit 1 lock in share mode"],
    ["explain select nothing", "explain select 1 from information_schema.nothing", "explain"],
    # the same again, where something has changed meanwhile
    [
        "select @a + 1, @a",
        *("set @a = 1", "select @a + 1, @a", "set @a = 1.50", "select @a + 1, @a"),
        *("set @a = 'x'", "select @a + 1, @a"),
    ],
    ["select 'a' || 'b'", "set sql_mode = 'PIPES_AS_CONCAT'", "select 'a' || 'b'"],
    [
        f"select a > 0, count(*) from {NUMBERS}",
        *("set sql_mode = 'ONLY_FULL_GROUP_BY'", f"select a > 0, count(*) from {NUMBERS}"),
    ],
    [
        f"select a from {NUMBERS} order by a",
        *("set sql_select_limit = 1", f"select a from {NUMBERS} order by a"),
        *("set sql_select_limit = default", f"select a from {NUMBERS} order by a"),
    ],
    ["select 1 union all select 1", *["select found_rows()"] * 2],
    ["select database()", "use information_schema", "select database()"],
    ["select now(7)", "select curtime(7)", "select length(now(6)), length(curtime(1))"],
    # bytes
    [
        "select hex(_binary'a\\0\\'b'), hex(_binary x'ff'), _utf8mb4 x'7a6fc3ab'",
        "select _latin1 x'eb', N'zoë', n'zoe'",
    ],
)


@pytest.fixture(scope="module")
def served(simulated_file: Path) -> Iterator[Served]:
    with serving(simulated_file) as served:
        yield served


def said(connection: pymysql.Connection, statement: str) -> tuple | int:
    """The rows, or the number of the error."""
    try:
        return ask(connection, statement)
    except pymysql.err.MySQLError as error:
        return error.args[0]


@pytest.mark.parametrize("statements", CONVERSATIONS, ids=lambda one: one[0][:60])
def test_a_conversation_goes_as_it_goes_with_a_server(
    served: Served, server: Server, statements: list[str]
) -> None:
    with served.connect(autocommit=True) as ours, server.admin() as theirs:
        for statement in statements:
            assert said(ours, statement) == said(theirs, statement), statement


def test_variables_have_the_types_of_a_server(served: Served, server: Server) -> None:
    there = {
        name.lower()
        for (name,) in server.run("select variable_name from information_schema.system_variables")
    }
    shared = [name for name in known() if name in there]
    assert len(shared) > 150
    with served.connect() as ours, server.admin() as theirs:
        for name in shared:
            [[value]], [[expected]] = (ask(side, f"select @@{name}") for side in (ours, theirs))
            if value is not None and expected is not None:
                assert type(value) is type(expected), name
            assert len(ask(ours, f"show variables like '{name}'")) == 1


def test_every_value_that_can_be_set_is_taken_back(simulated_file: Path) -> None:
    engine = Engine(simulated_file)
    session = engine.session()
    for name, variable in known().items():
        if variable.is_settable and name != "sql_mode":
            session.ask(f"set {name} = @@{name}")
            session.ask(f"set session {name} = default")
    engine.close()


def test_what_a_client_has_set_outlasts_the_file(simulated_file: Path) -> None:
    engine, other = Engine(simulated_file), Engine(simulated_file)
    before = engine.session()
    before.ask("set @a = 7, sql_select_limit = 1, sql_mode = 'ONLY_FULL_GROUP_BY'")
    before.ask("prepare x from 'select @a'")
    after = other.session("anyone", before.settings)

    assert after.ask("execute x").rows() == [(7,)]
    assert after.ask("select 1 union all select 2").rows() == [(1,)]
    assert after.ask("show variables like 'sql_mode'").rows() == [
        ("sql_mode", "ONLY_FULL_GROUP_BY")
    ]
    engine.close()
    other.close()


@pytest.mark.parametrize("limit", ["max_statement_time = 0.3", "max_execution_time = 300"])
def test_a_statement_ends_when_its_client_wants_it_to(served: Served, limit: str) -> None:
    endless = "ibl_behavior._trial_set__trial a, ibl_behavior._trial_set__trial b"
    statement = f"select sum(a.trial_id * b.trial_id) from {endless}"
    with served.connect() as connection:
        assert said(connection, f"set statement {limit} for {statement}") == 1969
        ask(connection, f"set {limit}")
        assert said(connection, statement) == 1969
        assert said(connection, "select 1") == ((1,),)


@pytest.mark.parametrize("charset", ["latin1", "utf8", "utf8mb4", "ascii"])
def test_a_client_is_understood_in_its_own_letters(
    served: Served, server: Server, charset: str
) -> None:
    word = "zoe" if charset == "ascii" else "zoë €"
    statement = f"select '{word}', '{word}' as `{word}`, char_length('{word}'), upper('{word}')"
    user = {"host": "127.0.0.1", "charset": charset}
    theirs = pymysql.connect(
        unix_socket=str(server.socket), user=server.admin().user, charset=charset
    )
    with served.connect(**user) as ours, theirs:
        assert ask(ours, statement) == ask(theirs, statement)
        assert ours.cursor().execute("select 'a'") == 1


def test_a_letter_that_a_client_has_not_is_a_question_mark(served: Served) -> None:
    with served.connect(charset="latin1") as connection:
        assert ask(connection, "select _utf8mb4 x'e697a5c3ab'") == (("?ë",),)


@pytest.mark.parametrize("charset", ["latin1", "utf8mb4"])
@pytest.mark.parametrize("binary_prefix", [True, False])
def test_a_mouse_is_found_by_its_bytes(served: Served, charset: str, binary_prefix: bool) -> None:
    mice = served.ask("select subject_uuid, subject_nickname from ibl_subject.subject")
    with served.connect(charset=charset, binary_prefix=binary_prefix) as connection:
        for key, name in mice:
            with connection.cursor() as cursor:
                cursor.execute(
                    "select subject_nickname from ibl_subject.subject where subject_uuid = %s",
                    (key,),
                )
                assert cursor.fetchall() == ((name,),)


def test_a_statement_that_is_asked_again_is_of_another_moment(served: Served) -> None:
    with served.connect() as connection:
        first, second = (ask(connection, "select now(6), now(6)") for _ in range(2))

    assert first[0][0] == first[0][1] < second[0][0]


def test_a_statement_is_translated_again_only_where_something_has_changed(
    simulated_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    translated = []

    class Counting(engine.Translator):
        def query(self, node, *rest):
            translated.append(node)
            return super().query(node, *rest)

    monkeypatch.setattr(engine, "Translator", Counting)
    opened = Engine(simulated_file)
    session = opened.session()
    for _ in range(3):
        assert session.ask("select @a").rows() == [(None,)]
    assert len(translated) == 1

    session.ask("set @a = 2")
    translated.clear()
    for _ in range(3):
        assert session.ask("select @a").rows() == [(2,)]
    assert len(translated) == 1
    opened.close()


def test_a_client_keeps_no_more_than_is_good_for_a_server(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(variables, "MOST_LETTERS", 1000)
    with served.connect() as connection:
        ask(connection, "set @a = repeat('x', 600)")
        assert said(connection, "set @b = repeat('x', 600)") == 1461
        assert said(connection, f"prepare x from 'select \"{'x' * 600}\"'") == 1461
        assert said(connection, "select length(@a), @b") == ((600, None),)
        assert said(connection, "execute x") == 1243


def test_zones_are_those_that_duckdb_knows(served: Served) -> None:
    for here, there, expected in (
        ("UTC", "UTC", "2001-07-01 01:00:00"),
        ("UTC", "europe/london", "2001-07-01 02:00:00"),
        ("America/New_York", "+00:00", "2001-07-01 05:00:00"),
    ):
        asked = f"select convert_tz('2001-07-01 01:00:00', '{here}', '{there}')"
        assert str(served.ask(asked)[0][0]) == expected


def test_all_tables_are_open(served: Served) -> None:
    tables = served.ask("show open tables from ibl_subject like 'sub%'")
    assert ("ibl_subject", "subject", 0, 0) in tables
    assert {database for database, *_ in served.ask("show open tables")} > {"ibl_behavior"}
    assert served.ask("show extended full columns from ibl_subject.subject")
    assert served.ask("SHOW /*!50002 FULL*/ TABLES FROM `ibl_subject` LIKE 'subject'") == (
        ("subject", "BASE TABLE"),
    )


def test_a_select_is_explained_where_it_can_be_answered(served: Served) -> None:
    asked = "explain select * from ibl_subject.subject where sex = 'M' order by 1 limit 3"
    with served.connect() as connection, connection.cursor() as cursor:
        cursor.execute(asked)
        assert [name for name, *_ in cursor.description] == [
            *("id", "select_type", "table", "type", "possible_keys", "key", "key_len", "ref"),
            *("rows", "Extra"),
        ]
        assert len(cursor.fetchall()) == 1


def test_random_numbers_differ_from_row_to_row(served: Served) -> None:
    rows = served.ask("select rand() from ibl_subject.subject")
    assert len(set(rows)) == len(rows) and all(0 <= number < 1 for (number,) in rows)


@pytest.mark.parametrize(
    "items",
    [
        "@n := @n + 1",
        "if(1, @k := 2, 3), @k",
        ", ".join(
            ["@a0 := 'x'", *(f"@a{i} := concat(@a{i - 1}, @a{i - 1})" for i in range(1, 40))]
        ),
    ],
    ids=["counts", "some branches", "doubles"],
)
def test_no_variable_goes_on_from_row_to_row(served: Served, items: str) -> None:
    with pytest.raises(pymysql.err.NotSupportedError, match="1235"):
        served.ask(f"select {items} from ibl_subject.subject")
