"""A view's SQL on its way to Spark: each rule by its pairs, each refusal by its line."""

from pathlib import Path

import pytest
from sqlglot import exp
from sqlglot.schema import MappingSchema

from mirror.spark import refusals
from mirror.spark.refusals import (
    FUNCTIONS,
    REFUSED,
    REFUSED_BY_TYPE,
    TRIED,
    query_of,
    refused_functions,
)
from mirror.spark.rules import RULES, rewritten

FIXTURES = Path(__file__).parent / "fixtures" / "spark"
BATTERY = (FIXTURES / "battery.sql").read_text("utf-8")

# What the snippets below read.
TABLE = MappingSchema(
    {
        "main": {
            name: {
                **dict.fromkeys(("a", "b", "c"), "INTEGER"),
                **dict.fromkeys(("s", "z"), "VARCHAR"),
                **dict.fromkeys(("l", "m"), "INTEGER[]"),
                **dict.fromkeys(("d", "e"), "DATE"),
                **dict.fromkeys(("ts", "until"), "TIMESTAMP"),
                **dict.fromkeys(("f", "g"), "FLOAT"),
                "yes": "BOOLEAN",
                "x": "DOUBLE",
                "n": "DECIMAL(9,2)",
                "m1": "MAP(VARCHAR, INTEGER)",
            }
            for name in ("t", "u")
        }
    },
    dialect="duckdb",
)


def refused(sql: str) -> list[tuple[int, str]]:
    found = refusals.refused(f"create view v as\n{sql}", TABLE)
    return [(refusal.line, refusal.construct) for refusal in found]


def pairs(file: Path) -> list[tuple[str, str]]:
    """DuckDB's SQL and Spark's, in turn."""
    lines = [line for line in file.read_text("utf-8").splitlines() if line[:2] not in ("", "--")]
    return list(zip(lines[::2], lines[1::2], strict=True))


def names_of_rules() -> set[str]:
    return {rule.__name__ for some in RULES.values() for rule in some}


def test_each_rule_has_pairs() -> None:
    assert {file.stem for file in (FIXTURES / "rules").iterdir()} == names_of_rules()


@pytest.mark.parametrize("name", sorted(names_of_rules()))
def test_a_rule_writes_what_its_pairs_say(name: str) -> None:
    for here, there in pairs(FIXTURES / "rules" / f"{name}.sql"):
        query = rewritten(query_of(f"create view v as {here}"))

        assert query.sql(dialect="spark") == there
        assert not refused(here)


SNIPPETS = {
    "division by what can be zero": "select a / b as x from t",
    "division of decimals": "select 100.0 * a / nullif(b, 0) as x from t",
    "within group": "select percentile_cont(.5) within group (order by a) as x from t",
    "frame with exclude": (
        "select sum(a) over (order by b rows between 1 preceding and current row"
        " exclude current row) as x from t"
    ),
    "frame of groups": "select sum(a) over (order by b groups 1 preceding) as x from t",
    "columns()": "select columns('a.*') from t",
    "union by name": "select a from t union all by name select a from u",
    "pivot": "from (pivot t on a using sum(b))",
    "asof join": "select t.a from t asof join u on t.a >= u.a",
    "alias in where": "select a + 1 as x from t where x > 1",
    "list comprehension": "select [i + 1 for i in l] as x from t",
    "slice": "select l[1:2] as x from t",
    "string_agg without order": "select string_agg(s, ',') as x from t",
    "two time zones in a chain": (
        "select ts at time zone 'UTC' at time zone 'Europe/London' as x from t"
    ),
    "part of a date": "select extract(dow from d) as x from t",
    "regexp_replace of the first": "select regexp_replace(s, 'b', 'c') as x from t",
    "two unnests": "select unnest(l) as x, unnest(m) as y from t",
    "left join unnest": "select x from t left join unnest(l) as v(x) on true",
    "unnest with ordinality": "select x from t, unnest(l) with ordinality as v(x, i)",
    "series as a table": "select x from range(3) as v(x)",
    "computing with FLOAT": "select f * 100 as x from t",
    "date minus date": "select d - e as x from t",
    "date plus interval": "select d + interval '1 day' as x from t",
    "sum of booleans": "select sum(yes) as x from t",
    "* replace or rename": "select * replace (a + 1 as a) from t",
    "extremes of several": "select arg_max(a, b, 2) as x from t",
    "difference in other units": "select date_diff('week', d, e) as x from t",
    "list without order": "select list(a) as x from t",
    "list or texts in falling order": "select list(a order by b desc) as x from t",
    "distinct in a window": "select count(distinct a) over (partition by b) as x from t",
    "printf of fractions": "select printf('%.2f', x) as y from t",
    "strftime with other codes": "select strftime(ts, '%U') as x from t",
    "backslash in a pattern": "select s like 'a\\_' as x from t",
    "similar to": "select s similar to 'a' as x from t",
    "in a list": "select a in l as x from t",
    "comparison of structures": "select {'a': a} < {'a': b} as x from t",
    "series with a step": "select generate_series(1, 10, 3) as x from t",
    "place 0 of a list": "select l[0] as x from t",
    "sample": "select a from t using sample 10",
    "type of DuckDB alone": "select a::usmallint as x from t",
    "cast of a fraction to an integer": "select x::integer as y from t",
    "text of a fraction": "select x::varchar as y from t",
    "quantile of decimals or dates": "select median(n) as y from t",
    "time zone of an instant": "select now() at time zone 'UTC' as y from t",
    "part of a structure, or of a map by what is computed": "select m1[s] as y from t",
}


def test_each_refused_construct_has_a_snippet() -> None:
    assert SNIPPETS.keys() == REFUSED.keys() | REFUSED_BY_TYPE.keys()


@pytest.mark.parametrize("construct", SNIPPETS)
def test_what_does_not_travel_is_refused_with_its_line(construct: str) -> None:
    assert (2, construct) in refused(SNIPPETS[construct])


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_that_do_not_travel_are_refused(name: str) -> None:
    # as a column or in a text it is only a word
    found = refused_functions(f"select '{name}(' as a,\n{name}(b) as {name} from t")

    assert [(refusal.line, refusal.construct) for refusal in found] == [(2, f"{name}()")]


@pytest.mark.parametrize(
    ("construct", "snippet"),
    [
        ("part of a date", "select date_part('epoch', ts) as x from t"),
        ("slice", "select s[2:] as x from t"),
        ("division by what can be zero", "select a % b as x from t"),
        ("division by what can be zero", "select a / (1 + b) as x from t"),
        ("division by what can be zero", "select count(*) / count(*) as x from t"),
        ("division of decimals", "select 1.0 / nullif(a, 0) as x from t"),
        ("series as a table", "select i from generate_series(1, 3) as v(i)"),
        ("epoch()", "select epoch(ts) as x from t"),
        ("sum of booleans", "select sum(a > 1) as x from t"),
        ("date minus date", "select ts::date - date '2020-01-01' as x from t"),
        ("date minus date", "with w as (select min(d) as x from t) select x - x as y from w"),
        ("date plus interval", "select d + 3 * interval '1 day' as x from t"),
        ("computing with FLOAT", "select f + g as x from t"),
        ("computing with FLOAT", "select a from t where f > 0.8"),
        ("computing with FLOAT", "select f in (0.2, 0.8) as x from t"),
        ("computing with FLOAT", "select f between 0 and 1 as x from t"),
        ("computing with FLOAT", "select round(f, 2) as x from t"),
        ("computing with FLOAT", "select case f when 0.2 then 1 end as x from t"),
        ("computing with FLOAT", "with w as (select f as x from t) select x * 100 as y from w"),
        ("computing with FLOAT", "with w as (select max(f) as x from t) select x > 1 as y from w"),
    ],
)
def test_other_ways_to_write_them_are_refused(construct: str, snippet: str) -> None:
    assert construct in [name for _, name in refused(snippet)]


@pytest.mark.parametrize(
    "snippet",
    [
        "select a / nullif(b, 0) as x, a / 60e0 as y, a // 5 as z from t",
        "select a / (2 * sqrt(4)) as x, -a / -(2) as y from t",
        "select a, count(*) filter (where yes) / count(*) as x from t group by a",
        "select epoch(date_trunc('second', ts)) as x from t",
        "select sum(a) over (order by b rows between 19 preceding and current row) as x from t",
        "select sum(case when yes then 1 else 0 end) over (partition by b) as x from t",
        "select count(*) filter (where yes) as x, sum(yes::integer) as y from t",
        "select quantile_cont(a, [.25, .75]) as x, median(a) as y from t",
        "select string_agg(distinct s, ',' order by s) as x from t",
        "select arg_max(a, b) filter (where a is not null) as x from t",
        "select date_diff('day', ts::date, d) as x, d - 1 as y, until - ts as z from t",
        "select date_diff('day', date '2018-01-01', ts::date) % 7 as x from t",
        "select (d + interval '1 day')::date as x, ts + interval '1 day' as y from t",
        "select ts at time zone 'UTC' as x, strftime(ts, '%A') as y, year(ts) as z from t",
        "select regexp_replace(s, 'b', 'c', 'g') as x from t",
        "select unnest(generate_series(1, 3)) as x",
        "select x from t cross join unnest(l) as v(x)",
        "select a as x, f, f = g as y, f is null as z, count(f) as n from t group by a, f, g",
        "select f::double * 100 as x, max(f) as y, coalesce(f, g) as z from t where f::double > .8",
        "select x.a as a from (select b + 1 as a from t) as x where x.a > 1",
        "select log, s || 'log(' as x from t as t(log, s)",
    ],
)
def test_what_travels_is_let_through(snippet: str) -> None:
    assert refused(snippet) == []


def test_a_function_that_nobody_tried_is_refused() -> None:
    assert refused("select 1 as x,\n    soundex(s) as y from t") == [(3, "soundex()")]


def test_all_that_is_let_through_is_in_the_battery() -> None:
    """So that the comparison of both engines has seen it."""
    equal = BATTERY.partition("-- refused")[0].splitlines()
    used = set()
    for line in equal:
        if line[:2] not in ("", "--"):
            sql = line if line.startswith(("select", "with", "from")) else f"select {line} from t"
            query = query_of(f"create view v as {sql}")
            used |= {node.key for node in query.find_all(exp.Func, exp.Binary)}

    assert used >= TRIED, sorted(TRIED - used)
