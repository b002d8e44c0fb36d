"""What every file of `sql/` keeps to: a head, one view, comments, layout, and SQL that travels.

The views will also run on another engine, through sqlglot. REFUSED and FUNCTIONS are what fails
there, or worse, silently means something else, and what to write instead.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path

import duckdb
import pytest
import sqlglot
from sqlglot import exp
from sqlglot.optimizer.annotate_types import annotate_types
from sqlglot.optimizer.qualify import qualify
from sqlglot.schema import MappingSchema
from sqlglot.tokens import TokenType

from mirror import connect, views
from mirror.sources.demo import DemoSource
from mirror.sources.one import declared
from mirror.syncing import Report, sync
from mirror.types import conversion

FILES = sorted(views.folder().rglob("*.sql"))
LINE = 100

# Functions by name: what to write instead.
FUNCTIONS = {
    **dict.fromkeys(["log"], "log10 or ln: elsewhere log is ln"),
    **dict.fromkeys(["quantile_disc", "mad", "histogram"], "quantile_cont, or count in steps"),
    **dict.fromkeys(
        ["epoch", "epoch_ms", "epoch_us", "epoch_ns", "date_sub", "datesub"],
        "date_diff, or epoch(date_trunc('second', x))",
    ),
    **dict.fromkeys(
        [f"to_{unit}s" for unit in ("second", "minute", "hour", "day", "week", "month", "year")],
        "n * interval '1 second'",
    ),
    **dict.fromkeys(
        ["dayofweek", "isodow", "weekday"], "date_diff('day', date '2018-01-01', d) % 7"
    ),
    **dict.fromkeys(["dayname", "monthname"], "strftime(d, '%A')"),
    **dict.fromkeys(["hash"], "md5"),
    **dict.fromkeys(["format"], "printf or ||"),
    **dict.fromkeys(["len"], "array_length, or length of a text"),
    **dict.fromkeys(["list", "array_agg"], "a row per element: elsewhere order and NULLs are lost"),
    **dict.fromkeys(
        [
            f"{kind}_{name}"
            for kind in ("list", "array")
            for name in ("sum", "avg", "min", "max", "median", "aggregate", "reduce", "zip")
        ],
        "unnest, then aggregate",
    ),
    **dict.fromkeys(
        [f"{kind}_{name}" for kind in ("list", "array") for name in ("extract", "slice")],
        "x[i]",
    ),
    **dict.fromkeys(
        [
            f"{kind}_{name}"
            for kind in ("list", "array")
            for name in ("contains", "has", "distinct", "unique", "concat", "cat")
        ],
        "unnest and compare: NULLs are treated otherwise elsewhere",
    ),
}


def select_of(node: exp.Expression) -> exp.Select | None:
    return node.find_ancestor(exp.Select)


def operands(node: exp.Expression) -> Iterator[exp.Expression]:
    """The leaves of an arithmetic expression."""
    if isinstance(node, exp.Add | exp.Sub | exp.Mul | exp.Div | exp.Paren | exp.Neg):
        for child in node.iter_expressions():
            yield from operands(child)
    else:
        yield node


def is_decimal(node: exp.Expression) -> bool:
    return isinstance(node, exp.Literal) and bool(re.fullmatch(r"\d*\.\d*", node.this))


def is_never_zero(node: exp.Expression) -> bool:
    """Known not to be zero: NULL takes the place, or it is a number, or a group's row count."""
    match node:
        case exp.Nullif():
            return True
        case exp.Literal():
            return not node.is_string and float(node.this) != 0
        case exp.Paren() | exp.Cast() | exp.Neg() | exp.Sqrt():
            return is_never_zero(node.this)
        case exp.Mul():
            return is_never_zero(node.left) and is_never_zero(node.right)
        case exp.Count():
            select = select_of(node)
            return isinstance(node.this, exp.Star) and bool(select and select.args.get("group"))
    return False


def is_shifted_date(node: exp.Expression) -> bool:
    """A date plus an interval, which is a timestamp here and a date elsewhere, left as it is."""
    if not any(side.is_type("date") for side in (node.left, node.right)) or not any(
        isinstance(leaf, exp.Interval) for leaf in operands(node)
    ):
        return False
    outer = node.parent
    while isinstance(outer, exp.Paren):
        outer = outer.parent
    return not (isinstance(outer, exp.Cast) and outer.is_type("date"))


def computes_with_float(node: exp.Expression) -> bool:
    """Arithmetic, or a comparison with anything but another FLOAT."""
    if isinstance(node, exp.Is):
        return False
    if isinstance(node, exp.Binary):
        kinds = [side.is_type("float") for side in (node.left, node.right)]
        return any(kinds) and not (isinstance(node, exp.Predicate) and all(kinds))
    return node.this is not None and node.this.is_type("float")


def names_an_alias(where: exp.Where) -> bool:
    """Whether a filter reads what its own select computes."""
    select = where.parent
    if not isinstance(select, exp.Select):
        return False
    computed = {
        column.alias
        for column in select.expressions
        if isinstance(column, exp.Alias) and column.this.name != column.alias
    }
    return any(
        not column.table and column.name in computed and select_of(column) is select
        for column in where.find_all(exp.Column)
    )


def n_unnested(select: exp.Select) -> int:
    return sum(
        select_of(node) is select
        for column in select.expressions
        for node in column.find_all(exp.Explode, exp.Unnest)
    )


Rule = Callable[[exp.Expression], object]
# Constructs by the class of their node: what is refused, and what to write instead.
REFUSED: dict[str, tuple[tuple[type[exp.Expression], ...], Rule, str]] = {
    "division by what can be zero": (
        (exp.Div, exp.IntDiv, exp.Mod),
        lambda node: not is_never_zero(node.right),
        "x / nullif(y, 0): elsewhere it is an error",
    ),
    "division of decimals": (
        (exp.Div,),
        lambda node: any(is_decimal(leaf) for leaf in operands(node)),
        "1e0 or a cast to double: elsewhere six digits remain",
    ),
    "within group": ((exp.WithinGroup,), lambda node: True, "quantile_cont"),
    "frame with exclude": ((exp.WindowSpec,), lambda node: node.args.get("exclude"), "sum - x"),
    "frame of groups": (
        (exp.WindowSpec,),
        lambda node: str(node.args.get("kind")).upper() == "GROUPS",
        "dense_rank, then range",
    ),
    "filter in a window": (
        (exp.Window,),
        lambda node: isinstance(node.this, exp.Filter),
        "sum(case when ... then 1 else 0 end) over (...)",
    ),
    "group by all": ((exp.Group,), lambda node: node.args.get("all"), "name the columns"),
    "* exclude, replace or rename": (
        (exp.Star,),
        lambda node: any(node.args.get(key) for key in ("except_", "replace", "rename")),
        "name the columns",
    ),
    "columns()": ((exp.Columns,), lambda node: True, "name the columns"),
    "union by name": ((exp.SetOperation,), lambda node: node.args.get("by_name"), "union all"),
    "pivot": ((exp.Pivot,), lambda node: True, "count(*) filter (...)"),
    "asof join": ((exp.Join,), lambda node: node.method == "ASOF", "a join and row_number()"),
    "alias in where": ((exp.Where,), names_an_alias, "a CTE"),
    "list comprehension": ((exp.Comprehension,), lambda node: True, "list_transform"),
    "slice": ((exp.Slice,), lambda node: True, "substring, or unnest"),
    "string_agg without order": (
        (exp.GroupConcat,),
        lambda node: not node.find(exp.Order),
        "string_agg(x, ',' order by x)",
    ),
    "arg_max without filter": (
        (exp.ArgMax, exp.ArgMin),
        lambda node: not isinstance(node.parent, exp.Filter),
        "arg_max(v, k) filter (where v is not null)",
    ),
    "arg_max of several": (
        (exp.ArgMax, exp.ArgMin),
        lambda node: node.args.get("count"),
        "row_number() <= n",
    ),
    "difference in months or longer": (
        (exp.DateDiff,),
        lambda node: str(node.args.get("unit")).lower() not in ("day", "hour", "minute", "second"),
        "from year() * 12 + month(): elsewhere whole months count",
    ),
    "two time zones in a chain": (
        (exp.AtTimeZone,),
        lambda node: node.this.find(exp.AtTimeZone),
        "one at time zone",
    ),
    "part of a date": (
        (exp.Extract, exp.Anonymous),
        lambda node: (
            isinstance(node, exp.Extract) or node.name.lower() in ("date_part", "datepart")
        ),
        "year(), month(), hour() ..., or date_diff",
    ),
    "regexp_replace of the first": (
        (exp.RegexpReplace,),
        lambda node: "g" not in node.text("modifiers"),
        "regexp_replace(s, a, b, 'g'): elsewhere all are replaced",
    ),
    "two unnests": ((exp.Select,), lambda node: n_unnested(node) > 1, "unnest the positions"),
    "left join unnest": (
        (exp.Join,),
        lambda node: node.side == "LEFT" and isinstance(node.this, exp.Unnest),
        "unnest in a CTE, and join that",
    ),
    "unnest with ordinality": (
        (exp.Unnest,),
        lambda node: node.args.get("offset"),
        "unnest the positions",
    ),
    "series as a table": (
        (exp.Table,),
        lambda node: (
            isinstance(node.this, exp.GenerateSeries)
            or node.name.lower() in ("range", "generate_series")
        ),
        "select unnest(generate_series(a, b))",
    ),
}
# The same, for what shows only in the types of the columns.
REFUSED_BY_TYPE: dict[str, tuple[tuple[type[exp.Expression], ...], Rule, str]] = {
    "computing with FLOAT": (
        (exp.Binary, exp.Round, exp.In, exp.Between, exp.Case),
        computes_with_float,
        "a cast to double, and round: .7 * 100 is 69.99 elsewhere",
    ),
    "date minus date": (
        (exp.Sub,),
        lambda node: node.left.is_type("date") and node.right.is_type("date"),
        "date_diff('day', a, b): elsewhere it is an interval",
    ),
    "date plus interval": (
        (exp.Add, exp.Sub),
        is_shifted_date,
        "(d + interval ...)::date: elsewhere it is a date",
    ),
    "sum of booleans": (
        (exp.Sum,),
        lambda node: node.this.is_type("boolean"),
        "count(*) filter (where ...)",
    ),
}
# What a file may do all the same, and why.
EXEMPT: Mapping[str, Mapping[str, str]] = {
    "activity/session_end_criteria.sql": dict.fromkeys(
        ("list()", "list_aggregate()", "slice"),
        "its rule is the median of all trials so far, taken from a sorted list of the session",
    ),
}
# A view's own columns: types that do not arrive elsewhere as they are.
TYPES = {
    "FLOAT": "cast to double: .8 would not be .8",
    "HUGEINT": "cast sums to bigint: pandas and other engines make it a double",
    "ENUM": "cast to varchar: its order is lost",
}


@cache
def parsed(sql: str) -> list[exp.Expression]:
    return [found for found in sqlglot.parse(sql, dialect="duckdb") if found is not None]


def line(node: exp.Expression) -> int:
    """Where a node begins, or the nearest node around it that is known to begin somewhere."""
    while True:
        lines = [found.meta["line"] for found in node.walk() if "line" in found.meta]
        if lines or node.parent is None:
            return min(lines, default=1)
        node = node.parent


def refused_functions(sql: str) -> list[tuple[int, str, str]]:
    """The line, the name and the better of each function call that does not travel."""
    found = []
    tokens = sqlglot.tokenize(sql, dialect="duckdb")
    for token, bracket, first in zip(tokens, tokens[1:], tokens[2:], strict=False):
        name = token.text.lower()
        is_call = bracket.token_type == TokenType.L_PAREN and token.token_type != TokenType.STRING
        is_in_seconds = name == "epoch" and first.text.lower() == "date_trunc"
        if name in FUNCTIONS and is_call and not is_in_seconds:
            found.append((token.line, f"{name}()", FUNCTIONS[name]))
    return found


def refused(sql: str, schema: MappingSchema) -> list[tuple[int, str, str]]:
    """The line, the name and the better of all that does not travel."""
    found = refused_functions(sql)
    for tree, rules in ((query_of(sql), REFUSED), (typed(sql, schema), REFUSED_BY_TYPE)):
        for node in tree.walk():
            for name, (kinds, rule, better) in rules.items():
                if isinstance(node, kinds) and rule(node):
                    found.append((line(node), name, better))
    return sorted(found)


def query_of(sql: str) -> exp.Expression:
    [query] = [
        found.expression if isinstance(found, exp.Create) else found
        for found in parsed(sql)
        if isinstance(found, exp.Create | exp.Query)
    ]
    return query


def typed(sql: str, schema: MappingSchema) -> exp.Expression:
    """The query with the type of each of its expressions."""
    query = qualify(
        query_of(sql).copy(),
        schema=schema,
        dialect="duckdb",
        db="main",
        validate_qualify_columns=False,
    )
    return annotate_types(query, schema=schema, dialect="duckdb")


def last_selects(query: exp.Expression) -> list[exp.Select]:
    """The selects whose rows are the view's: several if they are united."""
    if isinstance(query, exp.SetOperation):
        return last_selects(query.left) + last_selects(query.right)
    if isinstance(query, exp.Subquery):
        return last_selects(query.this)
    return [query]


@pytest.fixture(scope="module")
def synced(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Report]:
    """All views, on a mirror that has every table of IBL's server and of its public files."""
    source = DemoSource(1)
    report = sync(source, tmp_path_factory.mktemp("rules") / "demo.duckdb")
    source.close()
    with duckdb.connect(report.database) as mirror:
        mirror.execute("create schema one")
        for table in declared():
            if table.schema == "one":
                columns = (f"{c.name} {conversion(c).duckdb_type}" for c in table.columns)
                mirror.execute(f"create table {table} ({', '.join(columns)})")
    yield replace(report, views=views.apply(report.database))


@pytest.fixture(scope="module")
def schema(synced: Report) -> MappingSchema:
    """The types of all columns of that mirror."""
    found: dict[str, dict[str, dict[str, str]]] = {}
    with connect(synced.database) as mirror:
        for schema_name, table, column, kind in mirror.execute(
            "select schema_name, table_name, column_name, data_type from duckdb_columns()"
            " where not internal"
        ).fetchall():
            # sqlglot has no values of an ENUM
            short = "VARCHAR" if kind.startswith("ENUM") else kind
            found.setdefault(schema_name, {}).setdefault(table, {})[column] = short
    return MappingSchema(found, dialect="duckdb")


def named(file: Path) -> str:
    return f"{file.parent.name}/{file.name}"


each_file = pytest.mark.parametrize("file", FILES, ids=named)


def test_there_are_files() -> None:
    assert len(FILES) > 2


# head and layout


@each_file
def test_the_head_says_what_a_row_is_and_where_it_comes_from(file: Path) -> None:
    head = file.read_text().split("create or replace view")[0]

    assert head.startswith("-- Grain: ")
    assert all(text.startswith("--") for text in head.splitlines())
    assert "\n-- Sources: " in head


@each_file
def test_a_file_is_one_view_and_its_comments(file: Path) -> None:
    created, *comments = parsed(file.read_text())

    assert isinstance(created, exp.Create)
    assert (created.kind, created.this.sql()) == ("VIEW", file.stem)
    assert created.args["replace"]
    assert {type(comment) for comment in comments} == {exp.Comment}


@each_file
def test_lines_are_short_and_in_lower_case(file: Path) -> None:
    sql = file.read_text()
    quoted = (TokenType.STRING, TokenType.IDENTIFIER)
    upper = [
        f"{named(file)}:{token.line}: {text}"
        for token in sqlglot.tokenize(sql, dialect="duckdb")
        if (text := sql[token.start : token.end + 1]) != text.lower()
        and token.token_type not in quoted
    ]
    long = [number for number, text in enumerate(sql.splitlines(), 1) if len(text) > LINE]

    assert not upper
    assert not long
    assert "\t" not in sql and sql.endswith(";\n")


@each_file
def test_a_view_names_its_columns_and_has_no_order(file: Path) -> None:
    query = query_of(file.read_text())

    assert not query.args.get("order") and not query.args.get("limit")
    for select in last_selects(query):
        assert not [column for column in select.expressions if column.find(exp.Star) is column]
        assert not select.args.get("order")


# comments


def test_every_view_can_be_defined(synced: Report) -> None:
    assert not synced.views.skipped
    assert sorted(synced.views.views) == sorted(file.stem for file in FILES)


@each_file
def test_the_view_and_each_of_its_columns_have_a_comment(file: Path, synced: Report) -> None:
    with connect(synced.database) as mirror:
        [(view,)] = mirror.execute(
            "select comment from duckdb_views() where view_name = $1 and schema_name = 'main'"
            " union all"
            " select comment from duckdb_tables() where table_name = $1 and schema_name = 'main'",
            [file.stem],
        ).fetchall()
        columns = mirror.execute(
            "select column_name, comment from duckdb_columns()"
            " where table_name = ? and schema_name = 'main' order by column_index",
            [file.stem],
        ).fetchall()

    assert view
    assert columns
    assert not [name for name, comment in columns if not comment]


@each_file
def test_comments_are_on_the_columns_there_are_in_their_order(file: Path, synced: Report) -> None:
    commented = [
        comment.this.sql()
        for comment in parsed(file.read_text())
        if isinstance(comment, exp.Comment)
    ]
    with connect(synced.database) as mirror:
        columns = mirror.sql(f"from {file.stem} limit 0").columns

    assert commented == [file.stem, *(f"{file.stem}.{column}" for column in columns)]


# what travels


@each_file
def test_a_view_uses_only_what_travels(file: Path, schema: MappingSchema) -> None:
    exempt = EXEMPT.get(named(file), {})
    found = [
        f"{named(file)}:{number}: {construct}; write {better}"
        for number, construct, better in refused(file.read_text(), schema)
        if construct not in exempt
    ]

    assert not found, "\n".join(found)


def test_what_is_exempt_is_there(schema: MappingSchema) -> None:
    used = {
        (name, construct)
        for name in EXEMPT
        for _, construct, _ in refused((views.folder() / name).read_text(), schema)
    }

    assert used >= {(name, construct) for name, why in EXEMPT.items() for construct in why}


@each_file
def test_the_type_of_every_column_is_known_to_the_rules(file: Path, schema: MappingSchema) -> None:
    """Otherwise the rules about types would see nothing."""
    columns = list(typed(file.read_text(), schema).find_all(exp.Column))
    known = [column for column in columns if not column.is_type("unknown")]

    assert len(known) > 0.6 * len(columns)


@each_file
def test_columns_have_types_that_arrive_elsewhere(file: Path, synced: Report) -> None:
    with connect(synced.database) as mirror:
        answer = mirror.sql(f"from {file.stem} limit 0")

    assert not [
        f"{file.stem}.{name} is {kind}: {TYPES[short]}"
        for name, kind in zip(answer.columns, answer.types, strict=True)
        if (short := str(kind).split("(")[0].split("[")[0]) in TYPES
    ]


# What the snippets below read.
TABLE = MappingSchema(
    {
        "main": {
            name: {
                **dict.fromkeys(("a", "b", "c"), "INTEGER"),
                **dict.fromkeys(("s", "z"), "VARCHAR"),
                **dict.fromkeys(("l", "m"), "INTEGER[]"),
                **dict.fromkeys(("d", "e"), "DATE"),
                **dict.fromkeys(("at", "until"), "TIMESTAMP"),
                **dict.fromkeys(("f", "g"), "FLOAT"),
                "yes": "BOOLEAN",
            }
            for name in ("t", "u")
        }
    },
    dialect="duckdb",
)
SNIPPETS = {
    "division by what can be zero": "select a / b as x from t",
    "division of decimals": "select 100.0 * a / nullif(b, 0) as x from t",
    "within group": "select percentile_cont(.5) within group (order by a) as x from t",
    "frame with exclude": (
        "select sum(a) over (order by b rows between 1 preceding and current row"
        " exclude current row) as x from t"
    ),
    "frame of groups": "select sum(a) over (order by b groups 1 preceding) as x from t",
    "filter in a window": ("select count(*) filter (where yes) over (partition by b) as x from t"),
    "group by all": "select a, count(*) as n from t group by all",
    "* exclude, replace or rename": "select * replace (a + 1 as a) from t",
    "columns()": "select columns('a.*') from t",
    "union by name": "select a from t union all by name select a from u",
    "pivot": "from (pivot t on a using sum(b))",
    "asof join": "select t.a from t asof join u on t.a >= u.a",
    "alias in where": "select a + 1 as x from t where x > 1",
    "list comprehension": "select [i + 1 for i in l] as x from t",
    "slice": "select l[1:2] as x from t",
    "string_agg without order": "select string_agg(s, ',') as x from t",
    "arg_max without filter": "select arg_max(a, b) as x from t",
    "arg_max of several": "select arg_max(a, b, 2) filter (where a is not null) as x from t",
    "difference in months or longer": "select date_diff('month', d, e) as x from t",
    "two time zones in a chain": (
        "select at at time zone 'UTC' at time zone 'Europe/London' as x from t"
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
}


def test_each_refused_construct_has_a_snippet() -> None:
    assert SNIPPETS.keys() == REFUSED.keys() | REFUSED_BY_TYPE.keys()


@pytest.mark.parametrize("construct", SNIPPETS)
def test_what_does_not_travel_is_refused_with_its_line(construct: str) -> None:
    sql = f"-- head\ncreate view v as\n{SNIPPETS[construct]}"

    assert [(number, name) for number, name, _ in refused(sql, TABLE)] == [(3, construct)]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_that_do_not_travel_are_refused(name: str) -> None:
    # as a column or in a text it is only a word
    sql = f"select '{name}(' as a,\n{name}(b) as {name} from t"

    assert [(number, found) for number, found, _ in refused_functions(sql)] == [(2, f"{name}()")]


@pytest.mark.parametrize(
    ("construct", "snippet"),
    [
        ("part of a date", "select date_part('epoch', at) as x from t"),
        ("* exclude, replace or rename", "select * exclude (a) from t"),
        ("slice", "select s[2:] as x from t"),
        ("division by what can be zero", "select a % b as x from t"),
        ("division by what can be zero", "select a / (1 + b) as x from t"),
        ("division by what can be zero", "select count(*) / count(*) as x from t"),
        ("division of decimals", "select 1.0 / nullif(a, 0) as x from t"),
        ("difference in months or longer", "select date_diff('year', at, until) as x from t"),
        ("series as a table", "select i from generate_series(1, 3) as v(i)"),
        ("list()", "select list(a) as x from t"),
        ("array_agg()", "select array_agg(a order by b) as x from t"),
        ("epoch()", "select epoch(at) as x from t"),
        ("sum of booleans", "select sum(a > 1) as x from t"),
        ("date minus date", "select at::date - date '2020-01-01' as x from t"),
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
    assert construct in [name for _, name, _ in refused(snippet, TABLE)]


@pytest.mark.parametrize(
    "snippet",
    [
        "select a / nullif(b, 0) as x, a / 60e0 as y, a // 5 as z from t",
        "select a / (2 * sqrt(4)) as x, -a / -(2) as y from t",
        "select a, count(*) filter (where yes) / count(*) as x from t group by a",
        "select epoch(date_trunc('second', at)) as x from t",
        "select sum(a) over (order by b rows between 19 preceding and current row) as x from t",
        "select sum(case when yes then 1 else 0 end) over (partition by b) as x from t",
        "select count(*) filter (where yes) as x, sum(yes::integer) as y from t",
        "select quantile_cont(a, [.25, .75]) as x, median(a) as y from t",
        "select string_agg(distinct s, ',' order by s) as x from t",
        "select arg_max(a, b) filter (where a is not null) as x from t",
        "select date_diff('day', at::date, d) as x, d - 1 as y, until - at as z from t",
        "select date_diff('day', date '2018-01-01', at::date) % 7 as x from t",
        "select (d + interval '1 day')::date as x, at + interval '1 day' as y from t",
        "select at at time zone 'UTC' as x, strftime(at, '%A') as y, year(at) as z from t",
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
    assert refused(snippet, TABLE) == []
