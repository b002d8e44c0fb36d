"""What a statement must not reach, and how large it may become.

Whatever is asked ends in rows or in one of MySQL's errors, and the next statement is answered.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mirror.serve.answers import Refusal
from mirror.serve.engine import Engine, Session
from mirror.serve.translate import size

SECRET = "a secret that nobody may read"


@pytest.fixture(scope="module")
def session(simulated_file: Path) -> Iterator[Session]:
    engine = Engine(simulated_file)
    yield engine.session()
    engine.close()


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    file = tmp_path / "secret.csv"
    file.write_text(SECRET)
    return file


def outcome(session: Session, statement: str) -> list[tuple] | int:
    """The rows, or the number of the refusal; anything else is a failure."""
    try:
        rows: list[tuple] | int = session.ask(statement).rows()
    except Refusal as refusal:
        rows = refusal.number
    assert session.ask("select 1").rows() == [(1,)]
    return rows


@pytest.mark.parametrize(
    "statement",
    [
        "select * from read_csv('{}')",
        "select * from read_text('{}')",
        "select * from read_blob('{}')",
        "select * from read_parquet('{}')",
        "select * from glob('{}')",
        "select * from '{}'",
        'select * from "{}"',
        "select * from `{}`",
        "select * from ``.`{}`",
        "from '{}'",
        "table `{}`",
        "select read_text('{}')",
        "select 1 from ibl_subject.subject, read_text('{}')",
        "select 1 from ibl_subject.subject join read_text('{}') on 1",
        "select 1 from ibl_subject.subject, lateral (select * from read_text('{}')) q",
        "select (select content from read_text('{}'))",
        "with q as (select * from read_text('{}')) select * from q",
        "select 1 in (select content from read_text('{}'))",
        "select 1 union all select content from read_text('{}')",
        "show tables from ibl_subject where 1 in (select content from read_text('{}'))",
        "set autocommit = (select count(*) from read_text('{}'))",
        "set sql_mode = (select content from `{}`)",
        "/*! select * from read_text('{}') */",
        "select load_file('{}')",
        "load data local infile '{}' into table ibl_subject.subject",
        "load xml infile '{}' into table ibl_subject.subject",
        "attach '{}' as x",
        "copy ibl_subject.subject from '{}'",
        "import database '{}'",
        "load '{}'",
        "install '{}'",
        "call read_text('{}')",
        "create function f returns string soname '{}'",
        "create table t as select * from read_text('{}')",
    ],
)
def test_no_file_is_read(session: Session, secret: Path, statement: str) -> None:
    assert isinstance(outcome(session, statement.format(secret)), int)


@pytest.mark.parametrize("source", ["read_text('{}')", "'{}'", "glob('{}')", "frame"])
def test_not_even_duckdb_itself_reaches_out_of_a_served_mirror(
    session: Session, secret: Path, source: str
) -> None:
    frame = pd.DataFrame({"secret": [SECRET]})
    cursor = session.engine.cursor()
    with pytest.raises((duckdb.PermissionException, duckdb.CatalogException)):
        cursor.sql(f"from {source.format(secret)}")
    with pytest.raises(duckdb.InvalidInputException, match="locked"):
        cursor.execute("set enable_external_access = true")
    assert not frame.empty


@pytest.mark.parametrize(
    "statement",
    [
        "select 1 into outfile '{}'",
        "select 1 into dumpfile '{}'",
        "copy (select 1) to '{}'",
        "copy ibl_subject.subject to '{}'",
        "export database '{}'",
        "attach '{}'",
        "create table x as select 1",
        # what would end the text in DuckDB, if it were not written anew
        "set sql_mode = 'x''; copy (select 1) to ''{}'",
        "set sql_mode = \"x'; copy (select 1) to '{}\"",
        "set sql_mode = 'x\\'; copy (select 1) to \\'{}'",
        "set sql_mode = 'x\0'; copy (select 1) to '{}'",
        "select '\\'; copy (select 1) to \\'{}'",
        "select 1 as `x\"; copy (select 1) to '{}' --`",
        "select `x\"; copy (select 1) to '{}'` from (select 1 `x\"; copy (select 1) to '{}'`) q",
        "show tables from ibl_subject like 'x\\'; copy (select 1) to \\'{}'",
        "select - -1, (select 1\n) from ibl_subject.subject; copy (select 1) to '{}'",
        "select 'a' like 'b' escape '\\''; copy (select 1) to '{}'",
        "select group_concat('a' separator '\\'); copy (select 1) to \\'{}')",
        "select date_format('2020-01-01', '\\'); copy (select 1) to \\'{}')",
        "use `x\"; copy (select 1) to '{}'`",
    ],
)
def test_no_file_is_written(session: Session, tmp_path: Path, statement: str) -> None:
    file = tmp_path / "written"
    outcome(session, statement.replace("{}", str(file)))
    assert not file.exists()


@pytest.mark.parametrize(
    "relation",
    [
        *("_mirror.runs", "mirror._mirror.runs", "declared.columns", "catalogue.columns"),
        *("main.x", "pg_catalog.pg_class", "system.duckdb_settings", "temp.x"),
        *("duckdb_settings()", "duckdb_databases()", "duckdb_secrets()", "sqlite_master"),
        *("information_schema.duckdb_tables", "mirror.ibl_subject.subject", "range(3)"),
        *(
            "pragma_database_list",
            "`mirror`.`main`.`x`",
            "mysql.user",
            "performance_schema.threads",
        ),
    ],
)
def test_nothing_but_the_tables_of_the_server_is_there(session: Session, relation: str) -> None:
    assert isinstance(outcome(session, f"select * from {relation}"), int)


@pytest.mark.parametrize(
    "statement",
    [
        *("pragma database_list", "set global x = 1", "set @@global.x = 1", "set password = 'x'"),
        *("set role x", "set statement sql_mode = 4 for select 1", "checkpoint", "vacuum"),
        *("select getenv('HOME')", "select current_setting('memory_limit')", "detach mirror"),
        *("kill 1", "shutdown", "flush tables", "select sleep(9)", "select benchmark(9, 1)"),
        *("select get_lock('x', 1)", "explain analyze select 1", "prepare x from 'drop table y'"),
        # it would give fewer rows, or other values, than are there
        *("set sql_select_limit = -1", "set div_precision_increment = 9", "set timestamp = 1"),
        *("set sql_mode = 'ANSI_QUOTES'", "set names latin2", "set time_zone = '+02:00'"),
        *("set version = '9'", "set nothing = 1", "set character_set_results = 'big5'"),
    ],
)
def test_no_setting_is_changed(session: Session, statement: str) -> None:
    assert isinstance(outcome(session, statement), int)


def test_sessions_keep_their_variables_and_databases_to_themselves(session: Session) -> None:
    other = session.engine.session()
    other.ask("use ibl_subject")
    other.ask("set sql_mode = 'NO_ZERO_DATE'")
    assert session.ask("select database()").rows() == [(None,)]
    assert session.ask("select @@sql_mode").rows() != [("NO_ZERO_DATE",)]
    assert session.ask("show variables like 'sql_mode'").rows() != [("sql_mode", "NO_ZERO_DATE")]
    other.close()


def test_no_path_is_told(session: Session, simulated_file: Path) -> None:
    for statement in ("show variables", "show status", "show engines", "show plugins"):
        assert os.sep + "tmp" not in str(outcome(session, statement))
    for statement in ("select * from ibl_x.y", "use x", "select x(1)", "select 'a' regexp '('"):
        with pytest.raises(Refusal) as caught:
            session.ask(statement).rows()
        assert simulated_file.name not in caught.value.message
        assert str(simulated_file.parent) not in caught.value.message


@pytest.mark.parametrize(
    ("item", "value"),
    [
        ("'\\0'", "\0"),
        ("'a\0b'", "a\0b"),
        ("'it''s'", "it's"),
        ("'\\'; drop'", "'; drop"),
        ("'a\\\\'", "a\\"),
        ('"a""b"', 'a"b'),
        ("'--' '/*'", "--/*"),
        ("_utf8mb4'x'", "x"),
        ("'\\\\\\''", "\\'"),
    ],
)
def test_texts_stay_texts(session: Session, item: str, value: str) -> None:
    assert session.ask(f"select {item}").rows() == [(value,)]


@pytest.mark.parametrize(
    "name", ['a"b', "a``b", "a'b", "a\nb", "\0", "␀", " ", "--", "/*", "\u202e"]
)
def test_names_stay_names(session: Session, name: str) -> None:
    answer = session.ask(f"select q.`{name}` from (select 5 as `{name}`) q order by `{name}`")
    assert answer.fields[0].name == name.replace("``", "`")
    assert answer.rows() == [(5,)]


@pytest.mark.parametrize(
    ("item", "value"),
    [
        ("'abc' like '%a%c%'", 1),
        ("'abc' like '%a%d%'", 0),
        ("'a.c' like '%a._%'", 1),
        ("'abc' like '%a.%c%'", 0),
        ("'A\nBÉ' like '%a%b%e'", 1),
        ("'a%b' like '%a|%b%' escape '|'", 1),
        ("'axb' like '%a|%b%' escape '|'", 0),
        ("'a_' like '%a\\_%'", 1),
        ("'ab' like '%a\\_%'", 0),
        ("'a\\\\' like 'a\\\\'", 1),
        # DuckDB would try all ways to fit them
        ("lpad('', 100000, 'a') like '%a%a%a%a%a%a%a%a%a%a%a%a%a%a%a%b'", 0),
    ],
)
def test_patterns_with_many_wildcards_fit_like_others(
    session: Session, item: str, value: int
) -> None:
    assert session.ask(f"select {item}").rows() == [(value,)]


TRIALS = "ibl_behavior.`_trial_set__trial`"


@pytest.mark.parametrize(
    "statement",
    [
        "select " + "(" * 10_000 + "1" + ")" * 10_000,
        "select " + "not " * 10_000 + "1",
        "select " + "+".join(["1"] * 10_000),
        "select " + "1" * 10_000,
        "select 1 limit " + "1" * 10_000,
        "select time('" + "1" * 10_000 + "')",
        # what DuckDB would write out for minutes
        "select " + "locate('a'," * 20 + "'a'" + ")" * 20,
        "select " + "date_add(" * 12 + "'2020-01-01'" + ", interval 1 day)" * 12,
        "select " + "greatest(" * 20 + "'a'" + ",'b')" * 20,
        "with c0 as (select 1 x), "
        + ", ".join(f"c{i} as (select a.x from c{i - 1} a, c{i - 1} b)" for i in range(1, 30))
        + " select * from c29",
        # sixteen megabytes of little words
        "select 1" + ",1" * (7 << 20),
        "select 1 where " + " or ".join(["1=2"] * (2 << 20)),
        "/*!" * (5 << 20),
        "'" * (15 << 20),
        "show tables from ibl_subject where " + "1+" * (7 << 20) + "1",
        # texts that would fill the memory
        "select repeat('x', 1000000000)",
        "select space(3000000000)",
        "select length(lpad('a', 2000000000, 'b'))",
        "select length(rpad('a', 2000000000, 'b'))",
        "select length(replace(repeat('a', 100000), 'a', repeat('b', 100000)))",
        "select length(regexp_replace(repeat('a', 100000), '.', repeat('b', 100000)))",
        f"select sum(length(repeat(concat('x', trial_id), 10000000))) from {TRIALS}",
        f"select sum(length(concat('{'x' * (5 << 20)}', trial_id))) from {TRIALS}",
        f"select date_format(session_start_time, '{'%Y' * 10_000}') from {TRIALS}",
        "select x from " + "(select concat(x, x) x from " * 30 + "(select 'a' x) q" + ") q" * 30,
        "select 'a' like repeat('%a', 100)",
    ],
)
def test_what_grows_without_end_is_refused(session: Session, statement: str) -> None:
    outcome(session, statement)


@pytest.mark.parametrize("letter", ["%", "_", "ab"])
def test_wildcards_escape_nothing(session: Session, letter: str) -> None:
    assert outcome(session, f"select 'a' like 'a%%' escape '{letter}'") in (1210, 1235)


@pytest.mark.parametrize(
    ("number", "joined"),
    [
        (1116, " natural join ".join(f"{TRIALS} t{i}" for i in range(20))),
        (1116, " natural join ".join(f"(select * from {TRIALS}) t{i}" for i in range(40))),
        (1116, ", ".join(f"ibl_subject.subject t{i}" for i in range(62))),
        (
            None,
            "ibl_subject.subject t0 "
            + " ".join(
                f"join ibl_subject.subject t{i} on t{i}.subject_uuid = t0.subject_uuid"
                for i in range(1, 30)
            ),
        ),
        (
            None,
            "ibl_subject.subject t0 "
            + " ".join(
                f"left join ibl_subject.subject t{i} using (subject_uuid)" for i in range(1, 61)
            ),
        ),
    ],
    ids=["columns", "subqueries", "tables", "keys", "outer"],
)
def test_what_would_be_planned_for_minutes_is_refused_before(
    session: Session, number: int | None, joined: str
) -> None:
    found = outcome(session, f"select count(*) from {joined}")
    assert found == number if number else isinstance(found, list)


@pytest.mark.parametrize("column", ["protocol_number", "subject_nickname", "subject_uuid", "sex"])
def test_lists_of_thousands_are_read_at_once(session: Session, column: str) -> None:
    values = [value for (value,) in session.ask(f"select {column} from ibl_subject.subject").rows()]
    known = [
        f"X'{v.hex()}'" if isinstance(v, bytes) else f"'{v}'" if isinstance(v, str) else str(v)
        for v in values[:3]
    ]
    fillers = {"X": "X'{:032x}'", "'": "'{}'"}.get(known[0][0], "{}")
    many = [*known, *(fillers.format(10_000 + i) for i in range(100_000))]
    asked = "select {0} from ibl_subject.subject where {0} {1} in ({2}) order by {0}"
    for negation in ("", "not"):
        few = session.ask(asked.format(column, negation, ", ".join(known))).rows()
        assert session.ask(asked.format(column, negation, ",".join(many))).rows() == few
    # it is not taken out of a text or a comment
    quoted = f"select length('in ({','.join(map(str, range(5000)))})') /* in (1, 2) */"
    assert session.ask(quoted).rows() == [(len(",".join(map(str, range(5000)))) + 5,)]


SESSIONS = "ibl_acquisition.session"
KEY = "subject_uuid, session_start_time"


def test_keys_by_thousands_are_read_at_once(session: Session) -> None:
    known = session.ask(f"select {KEY} from {SESSIONS} order by {KEY} limit 7").rows()
    keys = [f"X'{mouse.hex()}', '{start}'" for mouse, start in known]
    keys += [f"X'{i:032x}', '2020-01-01'" for i in range(30_000)]
    asked = f"select {KEY} from {SESSIONS} where ({KEY}) in ({{}}) order by {KEY}"
    assert session.ask(asked.format(", ".join(f"({key})" for key in keys))).rows() == known
    rows = len(session.ask(f"select 1 from {SESSIONS}").rows())
    others = asked.replace(") in", ") not in").format(", ".join(f"({key})" for key in keys))
    assert len(session.ask(others).rows()) == rows - 7


NULLS = (
    "(select 1 a, 2 b union all select null, 2 union all select 1, null union all select 3, 3) q"
)
PAIRS = [(i, i + 1) for i in range(5000)]


@pytest.mark.parametrize(
    "condition",
    [
        "(a, b) in (" + ", ".join(map(str, PAIRS)) + ")",
        "(a, b) in ((null, 2), (7.5, '8'), " + ", ".join(map(str, PAIRS)) + ")",
        " or ".join(f"(a = {a} and b = {b})" for a, b in PAIRS),
        "b > 1 and (" + " or ".join(f"(a = {a} and b = {b})" for a, b in PAIRS) + ")",
    ],
    ids=["list", "mixed list", "keys", "keys and more"],
)
def test_keys_of_columns_with_nulls_are_read_at_once(session: Session, condition: str) -> None:
    assert session.ask(f"select a, b from {NULLS} where {condition}").rows() == [(1, 2)]


@pytest.mark.parametrize(
    ("values", "found"),
    [
        (["null", *map(str, range(2, 20_000))], [None, 1, None, 1]),
        ([f"{i}.5" for i in range(5000)] + ["3.0"], [0, 0, None, 1]),
        ([f"{i}e0" for i in range(4, 5000)], [0, 0, None, 0]),
        ([f"{i}, '{i}x', null" for i in range(2, 5000)], [None, 1, None, 1]),
    ],
    ids=["null", "decimals", "doubles", "all kinds"],
)
def test_lists_of_several_kinds_are_read_at_once(
    session: Session, values: list[str], found: list[int | None]
) -> None:
    numbers = "(select 1 n union all select 2 union all select null union all select 3) q"
    listed = ", ".join(values)
    assert session.ask(f"select n in ({listed}) from {numbers}").rows() == [(i,) for i in found]


def test_a_number_of_floating_point_is_found_among_texts(session: Session) -> None:
    listed = ", ".join(f"'{i}.5'" for i in range(50_000))
    numbers = "(select 7.5e0 x union all select 7e0) q"
    assert session.ask(f"select x in ({listed}) from {numbers}").rows() == [(1,), (0,)]


def test_a_long_list_is_refused_where_it_may_not_stand(session: Session) -> None:
    listed = ", ".join(map(str, range(5000)))
    assert outcome(session, f"select abs(distinct 1 in ({listed}))") == 1235
    assert outcome(session, f"select (1, 2) in ({listed})") == 1241


def test_a_long_list_of_dates_may_hold_what_is_none(session: Session) -> None:
    listed = ", ".join(str(20190101 + i) for i in range(3000))
    days = "(select date '2019-01-31' d union all select date '2019-03-02') q"
    asked = f"select d from {days} where d in ({listed}, 20190001) order by d"
    assert [str(day) for (day,) in session.ask(asked).rows()] == ["2019-01-31", "2019-03-02"]


@pytest.mark.parametrize(
    "condition",
    [
        "not (" + " or ".join(f"(a = {a} and b = {b})" for a, b in PAIRS) + ")",
        "(a, b) not in (" + ", ".join(map(str, PAIRS)) + ")",
        " and ".join(f"a <> {a}" for a, _ in PAIRS),
        " or ".join(f"a > {a} and b < {b}" for a, b in PAIRS),
    ],
    ids=["not keys", "not in", "and", "or"],
)
def test_thousands_of_conditions_are_refused_before_they_are_planned(
    session: Session, condition: str
) -> None:
    assert outcome(session, f"select a, b from {NULLS} where {condition}") == 1235
    # DuckDB makes one condition of both
    inner = f"select {condition} x from {NULLS}"
    assert outcome(session, f"select x from ({inner}) r where x") == 1235


def test_nothing_is_said_of_statements(session: Session, caplog: pytest.LogCaptureFixture) -> None:
    for statement in ("analyze secret", "show engine secret", "explain analyze secret", "kill x"):
        outcome(session, statement)
        outcome(session, f"select 1; {statement}")
        outcome(session, f"({statement})")
    assert not caplog.records


def test_what_ends_in_a_comment_is_refused() -> None:
    for sql in ("select 1 -- 2", "select 1 /* 2 */"):
        with pytest.raises(Refusal):
            size.check(sql, 0)
    size.check("select '--', \"/*\"", 0)


def test_calls_inside_of_calls_multiply() -> None:
    known = {"twice": size.Macro(1, (2,)), "both": size.Macro(1, (1, 1))}
    assert size.calls("select twice(1), other(twice(2))", known) == 2
    assert size.calls("twice(twice(twice(1)))", known) == 7
    assert size.calls("both(twice(1), (twice('twice(')))", known) == 3


@pytest.fixture(scope="module")
def fuzzed(session: Session) -> Session:
    session.ask("use ibl_subject")
    return session


WORDS = [
    *("select", "from", "where", "group by", "having", "order by", "limit", "union", "all", "join"),
    *("left", "using", "natural", "on", "subject", "sex", "subject_uuid", "count", "max", "*", ","),
    *("(", ")", "1", "'a'", '"b"', "`sex`", "null", "and", "or", "not", "in", "like", "between"),
    *(
        "=",
        "<",
        "-",
        "+",
        "/",
        "%",
        "||",
        "&",
        "case",
        "when",
        "then",
        "end",
        "as",
        "x",
        "interval",
    ),
    *("day", "date", "cast", "distinct", "exists", "with", "show", "tables", "columns", "set"),
    *("use", ".", ";", "@", "@@", ":=", "\\", "'", "`", '"', "/*", "*/", "--", "#", "\0", "0x41"),
    *("b'1'", "_utf8", "concat", "if", "substring", "group_concat", "separator", "over", "desc"),
    *("trim", "extract", "convert", "position", "{", "}", "[", "?", "::", "->", "\ud800", "é", "²"),
]
TEXTS = st.one_of(
    st.lists(st.sampled_from(WORDS), max_size=14).map(" ".join),
    st.lists(st.sampled_from(WORDS), max_size=10).map(lambda words: "select " + " ".join(words)),
    st.text(max_size=40),
    st.binary(max_size=40).map(lambda noise: noise.decode("utf-8", "surrogateescape")),
)


@settings(max_examples=400, deadline=None)
@given(TEXTS)
@example("select '\ud800'")
@example("select time('" + "9" * 5000 + "')")
@example("select date('2020-01-01') < '9999-12-31 25:00:00'")
def test_noise_is_answered_or_refused(fuzzed: Session, noise: str) -> None:
    try:
        fuzzed.ask(noise).rows()
    except Refusal as refusal:
        assert refusal.number >= 1000
        assert len(refusal.state) == 5
