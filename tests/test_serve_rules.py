"""Each rule of the translator by its pairs in fixtures/translate: MySQL, and what it becomes."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import ibl
import judge
import menagerie
import pymysql
import pytest
import sqlglot
from server import READER, Server
from sqlglot import exp

from mirror.serve.answers import Refusal
from mirror.serve.engine import Engine, Session
from mirror.serve.translate import Translator, parse
from mirror.serve.translate.rules import AGGREGATES, FUNCTIONS, OPERATORS

FIXTURES = Path(__file__).parent / "fixtures" / "translate"
DATABASE = "ibl_action"
FACTS = {
    "database()": DATABASE,
    "user()": "mirror@localhost",
    "version()": "8.0.36",
    "connection_id()": 7,
    "sql_mode": "",
    "codec()": "utf-8",
    "found_rows()": 0,
    "row_count()": -1,
    "last_insert_id": 0,
    "max_recursive_iterations": 1000,
}
NOT_IN_MARIADB = "ANY_VALUE"


@dataclass(frozen=True)
class Statements:
    """What stands between two blank lines of a fixture: a comment, and one or two statements."""

    comment: str
    parts: tuple[str, ...]

    def __str__(self) -> str:
        return self.comment


def read(file: Path) -> list[Statements]:
    """A fixture's statements; a semicolon ends one where it ends a line."""
    found = []
    for block in file.read_text(encoding="utf-8").strip().split("\n\n"):
        lines = block.splitlines()
        comment = " ".join(line.removeprefix("-- ") for line in lines if line.startswith("--"))
        rest = "\n".join(line for line in lines if not line.startswith("--"))
        parts = tuple(part for part in re.split(r"(?<=;)\n", rest) if part)
        if parts:
            found.append(Statements(comment, tuple(part.removesuffix(";") for part in parts)))
    return found


REFUSALS = read(FIXTURES / "refusals.sql")
GROUPS = read(FIXTURES / "groups.sql")
PAIRS = [
    pytest.param(*item.parts, id=f"{file.stem}: {item.comment}")
    for file in sorted(FIXTURES.glob("*.sql"))
    if file.stem not in ("refusals", "groups")
    for item in read(file)
]

NUMBERS = (
    *("tiny", "small", "amount", "price", "ratio", "nullif(measure, 1e100)", "word", "grade"),
    *("checked", "null", "7", "0", "-7", "2.5", "-2.5", "1e0", "3000000000", "'12.5abc'"),
    *("(price / 3)", "(tiny > 0)"),
)
TEXTS = (
    *("word", "note", "grade", "tiny", "large", "amount", "born", "moment", "checked", "null"),
    *("''", "' a '", "'Äb'", "'a,b,,c'"),
)
COMPARED = tuple(text for text in TEXTS if text not in ("born", "moment"))
COUNTS = ("tiny", "-1", "0", "1", "3", "200", "1.5", "'2x'", "null")
DATES = ("born", "moment", "instant", "stamp", "'2020-02-29'", "'2019-02-30'", "'2019-12-31 1:2:3'")
TIMES = ("delay", "moment", "instant", "born", "'-01:30:00'", "'20:30'", "'838:59:59'", "null")
# One query for a template: the slot {} is filled with each of the arguments. They are meant to
# hold what a rule could get wrong: NULL, negative numbers, month ends, accents, empty texts.
COMBINATIONS = (
    (NUMBERS, "abs({})", "sign({})", "floor({})", "ceil({})", "round({})", "round({}, 2)"),
    (NUMBERS, "round({}, -1)", "truncate({}, 1)", "truncate({}, -1)", "round({}, tiny)"),
    (NUMBERS, "{} div 3", "{} div 0", "{} % 3", "mod({}, -3)", "{} / 7", "{} / 0", "{} / price"),
    (NUMBERS, "{} * 2", "{} * 2.5", "{} + 0.1", "-({})", "{} & 6", "{} | 1", "{} ^ 5"),
    (NUMBERS, "({}) >> 1", "({}) << 2", "({}) << 70", "sqrt({})", "ln({})", "log2({})"),
    (NUMBERS, "log(2, {})", "pow({}, 2)", "sin({})", "asin({})", "atan2({}, 2)", "degrees({})"),
    (NUMBERS, "{} between 0 and 5", "{} in (0, 1, null)", "{} is true", "not {}", "{} xor tiny"),
    (NUMBERS, "interval({}, -1, 0, 5)", "if({}, 1, 2)", "cast({} as signed)", "concat({})"),
    (NUMBERS, "cast({} as unsigned)", "cast({} as decimal(5, 2))", "format({}, 0)", "{} <=> tiny"),
    (NUMBERS, "coalesce({}, tiny)", "ifnull({}, amount)", "if(checked, {}, ratio)"),
    (NUMBERS, "nullif({}, 0)", "case {} when 0 then 1 when tiny then 2 end", "sec_to_time({})"),
    (TEXTS, "upper({})", "lower({})", "length({})", "char_length({})", "reverse({})", "hex({})"),
    (TEXTS, "trim({})", "trim(leading 'a' from {})", "trim('' from {})", "ascii({})", "md5({})"),
    (TEXTS, "concat({}, '|', word)", "concat_ws({}, 'a', word)", "concat_ws(',', {}, word)"),
    (TEXTS, "replace({}, 'a', '')", "replace({}, '', 'x')", "strcmp({}, 'alpha')", "unhex({})"),
    (TEXTS, "find_in_set({}, 'a,ALPHA,,b')", "find_in_set('', {})", "locate('a', {}, 3)"),
    (TEXTS, "locate('e', {})", "locate('Ä', {})", "instr({}, '')", "locate({}, 'alphaä')"),
    (TEXTS, "substring_index({}, 'a', 1)", "substring_index({}, ',', tiny)", "elt(tiny, {}, 'b')"),
    (TEXTS, "insert({}, 2, 1, '++')", "insert({}, 0, 1, '+')", "insert({}, 3, tiny, '+')"),
    (TEXTS, "{} like 'A%'", "{} like '%\\_%'", "{} like 'alpha '", "{} like '%|%%' escape '|'"),
    (TEXTS, "{} regexp '^a'", "{} rlike '[[:digit:]]+'", "regexp_replace({}, 'A', '<\\\\0>')"),
    (
        COMPARED,
        "{} = 'ALPHA'",
        "{} < 'b'",
        "{} in ('alpha', 'ZURICH')",
        "{} <=> 'ete'",
        "{} = word",
    ),
    (COMPARED, "{} between 'a' and 'm'", "cast({} as char(2))", "cast({} as signed)", "{} + 0"),
    *(
        (COUNTS, f"left({s}, {{}})", f"right({s}, {{}})", f"substring({s}, {{}})")
        for s in TEXTS[:2]
    ),
    *((COUNTS, f"mid({s}, {{}}, 2)", f"substring({s}, 2, {{}})") for s in TEXTS[:2]),
    *((COUNTS, f"lpad({s}, {{}}, 'ab')", f"rpad({s}, {{}}, word)") for s in TEXTS[:2]),
    *((COUNTS, f"repeat({s}, {{}})", "space({})", "elt({}, 'a', word)") for s in TEXTS[:2]),
    (DATES, "date({})", "year({})", "quarter({})", "month({})", "day({})", "dayofyear({})"),
    (DATES, "dayofweek({})", "weekday({})", "weekofyear({})", "week({})", "week({}, 1)"),
    (DATES, *(f"week({{}}, {mode})" for mode in range(2, 8)), "yearweek({})", "to_days({})"),
    (DATES, *(f"yearweek({{}}, {mode})" for mode in range(1, 8))),
    (DATES, "dayname({})", "monthname({})", "last_day({})", "timestamp({})", "unix_timestamp({})"),
    (DATES, "datediff({}, moment)", "timestamp({}, delay)", "{} + interval 1 month"),
    (DATES, "{} - interval tiny day", "{} + interval '1:2' hour_minute", "adddate({}, 30)"),
    (DATES, "timestampadd(quarter, -1, {})", "timestampadd(microsecond, 2, {})"),
    (DATES, *(f"timestampdiff({unit}, {{}}, moment)" for unit in ("second", "week", "month"))),
    (DATES, "timestampdiff(year, '2019-01-31 12:00:00', {})", "extract(year_month from {})"),
    (DATES, "date_format({}, '%a %b %c %D %d %e %f %H %h %I %i %j %k %l')", "{} > born"),
    (
        DATES,
        "date_format({}, '%M %m %p %r %S %s %T %U %u %V %v %W %w %X %x %Y %y %%')",
        "{} < moment",
    ),
    (DATES, "coalesce({}, moment)", "{} is null", "{} between '2019-01-01' and '2019-12-31'"),
    (TIMES, "time({})", "hour({})", "minute({})", "second({})", "microsecond({})"),
    (TIMES, "time_to_sec({})", "time_format({}, '%H %k %i %s %f %h %l %p %T')", "{} = '20:30'"),
    (("delay", "null"), "extract(day from {})", "extract(hour from {})", "{} + interval 1 hour"),
    (("delay",), "addtime({}, '01:00:00.5')", "subtime({}, delay)", "timediff({}, '1:00')"),
    (("delay", "moment", "born", "instant"), "abs({})", "-{}", "{} + 1", "{} * 2"),
    (COUNTS[:-2], "maketime({}, 59, 0)", "maketime(1, {}, 0)", "makedate(70, {})"),
    (("tiny", "amount", "price", "small * 100000", "null"), "from_unixtime({})"),
    (("0", "70", "69", "2020", "-1", "10000", "null"), "makedate({}, 60)", "makedate({}, tiny)"),
    (("'2020-02-29'", "'nonsense'", "null"), "str_to_date({}, '%Y-%m-%d')"),
    (
        ("tiny", "amount", "born", "moment", "word"),
        *("least({0}, {0})", "greatest({0}, null)", "isnull({})", "{} <> {}"),
    ),
    (
        ("now() = current_timestamp", "curdate() = current_date", "curtime() = current_time"),
        *("{}", "({}) + 0"),
    ),
    (
        ("utc_timestamp() = now()", "localtime() = localtimestamp", "sysdate() >= now()"),
        *("{}", "({}) + 0"),
    ),
    (("utc_date() = curdate()", "utc_time() = curtime()"), "{}"),
)
SUMMARIES = (
    *("count({})", "count(distinct {})", "sum({})", "avg({})", "min({})", "max({})", "std({})"),
    *("var_samp({})", "bit_or({})", "bit_and({})", "sum({}) / count(*)", "round(avg({}), 2)"),
    *("group_concat({} order by specimen_id)", "coalesce(sum({}), 0)", "concat(avg({}))"),
)


@dataclass
class Sides:
    """MariaDB and a mirror of it, both in one database."""

    server: pymysql.Connection
    engine: Engine
    session: Session

    def theirs(self, statement: str) -> list[tuple]:
        with self.server.cursor() as cursor:
            cursor.execute(statement)
            return list(cursor.fetchall())

    def ours(self, statement: str) -> list[tuple]:
        return self.session.ask(statement).rows()

    def check(self, statement: str) -> None:
        """Both give the same rows, of the same types; in that order if the statement orders."""
        in_order = "order by" in statement.rpartition(")")[2]
        verdict = judge.judge(self.theirs(statement), self.ours(statement), in_order)
        assert verdict.kind in ("equal", "near"), f"{verdict}\n{statement}"

    def translated(self, statement: str) -> str:
        return Translator(self.engine.catalogue, DATABASE, FACTS).query(parse(statement)).sql


@pytest.fixture(scope="module")
def sides(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sides]:
    file = tmp_path_factory.mktemp("menagerie") / "ibl.duckdb"
    menagerie.mirrored(server, file)
    user, password = READER
    connection = pymysql.connect(
        host="127.0.0.1",
        port=server.port,
        user=user,
        password=password,
        database=DATABASE,
        charset="utf8mb4",
        init_command=judge.WITHOUT_FULL_GROUP_BY,
    )
    engine = Engine(file)
    session = engine.session()
    session.database = DATABASE
    yield Sides(connection, engine, session)
    engine.close()
    connection.close()
    ibl.drop(server)


def on_one_line(statement: str) -> str:
    return " ".join(statement.split())


@pytest.mark.parametrize(("mysql", "duckdb"), PAIRS)
def test_mysql_becomes_duckdb(mysql: str, duckdb: str, sides: Sides) -> None:
    assert on_one_line(sides.translated(mysql)) == on_one_line(duckdb)
    if NOT_IN_MARIADB.lower() not in mysql:
        sides.check(mysql)


@pytest.mark.parametrize(("mysql", "duckdb"), PAIRS)
def test_an_item_means_the_same_as_an_operand(mysql: str, duckdb: str) -> None:
    for item in sqlglot.parse_one(duckdb, read="duckdb").selects:
        if isinstance(item, exp.Alias):
            written = item.this.sql("duckdb")
            bare = sqlglot.parse_one(f"2 * {written} * 2", read="duckdb")
            wrapped = sqlglot.parse_one(f"2 * ({written}) * 2", read="duckdb")
            wrapped.this.expression.replace(wrapped.this.expression.this)
            assert bare == wrapped


@pytest.mark.parametrize("row", COMBINATIONS, ids=lambda row: row[1])
def test_combinations_of_arguments(row: tuple, sides: Sides) -> None:
    arguments, *templates = row
    for template in templates:
        items = ", ".join(template.format(argument, argument) for argument in arguments)
        sides.check(f"select {items} from specimen order by specimen_id")


@pytest.mark.parametrize("template", SUMMARIES)
@pytest.mark.parametrize("rest", ["where specimen_id < 0", "group by grade, checked", ""])
def test_aggregates_of_all_kinds(template: str, rest: str, sides: Sides) -> None:
    columns = ("tiny", "small", "amount", "price", "ratio", "checked", "tiny > 0")
    items = ", ".join(template.format(column) for column in columns)
    sides.check(f"select {items} from specimen {rest}")


@pytest.mark.parametrize("item", REFUSALS, ids=lambda item: item.parts[0][:60])
def test_refusals(item: Statements, sides: Sides) -> None:
    with pytest.raises(Refusal) as caught:
        sides.ours(item.parts[0])
    assert str(caught.value.number) == item.comment.split()[-1]


@pytest.mark.parametrize("item", GROUPS, ids=lambda item: f"{item.comment}: {item.parts[0][:60]}")
def test_what_a_query_of_groups_may_name(item: Statements, sides: Sides) -> None:
    [statement] = item.parts
    strict = replace(sides, session=sides.engine.session())
    strict.session.ask(f"use {DATABASE}")
    strict.session.ask("set sql_mode = 'ONLY_FULL_GROUP_BY'")
    if item.comment.startswith("answered"):
        if NOT_IN_MARIADB.lower() not in statement:
            strict.check(statement)
        strict.ours(statement)
        return
    with pytest.raises(Refusal) as caught:
        strict.ours(statement)
    assert str(caught.value.number) == item.comment.split()[-1]
    # without the mode any row's value is taken
    assert sides.ours(statement)


def test_every_rule_has_a_statement() -> None:
    statements = [pair.values[0] for pair in PAIRS] + ["select @mine, ?"]
    nodes = [node for statement in statements for node in parse(str(statement)).walk()]
    nodes += parse("select 'a' || 'b', N'c'", joins_by_pipes=True).walk()
    # MySQL's, which MariaDB does not read
    nodes += parse("select word -> '$.a', word ->> '$.a' from specimen").walk()
    called = {str(node.this).upper() for node in nodes if isinstance(node, exp.Anonymous)}
    kinds = {type(node) for node in nodes}
    # which is an operator too
    assert set(FUNCTIONS) - called == {"EXISTS"}
    assert set(OPERATORS) - kinds == set()
    assert AGGREGATES - called == {"GROUP_CONCAT"}
