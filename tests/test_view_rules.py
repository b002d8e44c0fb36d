"""What every file of `sql/` keeps to: a head, one view, comments, layout, and SQL that travels.

What does not travel, and what to write instead, stands in mirror/spark/refusals.py.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest
import sqlglot
from sqlglot import exp
from sqlglot.tokens import TokenType

from mirror import connect, parquet, views
from mirror.parquet import Manifest
from mirror.sources.demo import DemoSource
from mirror.sources.one import declared
from mirror.spark import refusals
from mirror.spark.translation import types
from mirror.syncing import Report, sync
from mirror.types import conversion

FILES = sorted(views.folder().rglob("*.sql"))
LINE = 100
NOT_OF_ROWS = ("test_view_rules.py", "test_how_to_add.py")
TESTS = [
    test.read_text("utf-8")
    for test in Path(__file__).parent.glob("test_*.py")
    if test.name not in NOT_OF_ROWS
]
README = (views.folder() / "README.md").read_text("utf-8")
LISTED = README.partition("\n## What there is\n")[2].partition("\n## ")[0]

# What a file may do all the same, and why.
EXEMPT: Mapping[str, Mapping[str, str]] = {
    "quality/mirror_health.sql": dict.fromkeys(
        ("duckdb_tables()", "duckdb_columns()", "duckdb_views()", "current_database()"),
        "it asks about the file itself",
    ),
}
# A view's own columns: types that do not arrive elsewhere as they are.
TYPES = {
    "FLOAT": "cast to double: .8 would not be .8",
    "HUGEINT": "cast sums to bigint: pandas and other engines make it a double",
    "ENUM": "cast to varchar: its order is lost",
}


def last_selects(query: exp.Expr) -> list[exp.Select]:
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
def manifest(synced: Report) -> Manifest:
    with connect(synced.database) as mirror:
        return parquet.manifest(mirror)


def named(file: Path) -> str:
    return f"{file.parent.name}/{file.name}"


def parsed(file: Path) -> list[exp.Expr]:
    return [found for found in sqlglot.parse(file.read_text(), dialect="duckdb") if found]


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
    created, *comments = parsed(file)

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
    query = refusals.query_of(file.read_text())

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
    commented = [comment.this.sql() for comment in parsed(file) if isinstance(comment, exp.Comment)]
    with connect(synced.database) as mirror:
        columns = [
            f"{file.stem}.{column}" for column in mirror.sql(f"from {file.stem} limit 0").columns
        ]

    assert commented == [file.stem, *(column for column in columns if column in commented)]


@each_file
def test_no_comment_repeats_what_a_column_has_from_where_it_comes(
    file: Path, synced: Report
) -> None:
    own = {
        comment.this.name: comment.expression.name
        for comment in parsed(file)
        if isinstance(comment, exp.Comment) and comment.args["kind"] == "COLUMN"
    }
    with connect(synced.database) as mirror:
        told = mirror.execute(
            "select schema_name || '.' || table_name, column_name, comment from duckdb_columns()"
            " where schema_name in ('main', 'derived')"
        ).fetchall()
    origins = views.parsed(file, file.read_text()).passed_on
    inherited = {(table, column): comment for table, column, comment in told}

    assert not [
        column for column in own if own[column] == inherited.get(origins.get(column, ("", "")))
    ]


@each_file
def test_a_view_names_what_it_groups_by_and_what_it_passes_on(file: Path) -> None:
    query = refusals.query_of(file.read_text())

    assert not [group for group in query.find_all(exp.Group) if group.args.get("all")]
    assert not [star for star in query.find_all(exp.Star) if star.args.get("except_")]


# beside the file


@each_file
def test_the_readme_lists_the_view(file: Path) -> None:
    assert f"`{file.stem}`" in LISTED, f"{file.stem} is not in the table of sql/README.md"


@each_file
def test_a_test_asks_the_view_for_its_rows(file: Path) -> None:
    # by a query, or as the first argument or item of what asks several
    asks = re.compile(rf'\b(?:from|join) {file.stem}\b|\("{file.stem}",')

    assert any(asks.search(text) for text in TESTS), f"{file.stem} has no test of its rows"


# what travels


@each_file
def test_a_view_uses_only_what_travels(file: Path, manifest: Manifest) -> None:
    exempt = EXEMPT.get(named(file), {})
    found = [
        f"{named(file)}: {refusal}"
        for refusal in refusals.refused(file.read_text(), types(manifest))
        if refusal.construct not in exempt
    ]

    assert not found, "\n".join(found)


def test_what_is_exempt_is_there(manifest: Manifest) -> None:
    used = {
        (name, refusal.construct)
        for name in EXEMPT
        for refusal in refusals.refused((views.folder() / name).read_text(), types(manifest))
    }

    assert used >= {(name, construct) for name, why in EXEMPT.items() for construct in why}


@each_file
def test_the_type_of_every_column_is_known_to_the_rules(file: Path, manifest: Manifest) -> None:
    """Otherwise the rules about types would see nothing."""
    query = refusals.query_of(file.read_text())
    columns = list(refusals.typed(query, types(manifest)).find_all(exp.Column))
    known = [column for column in columns if not column.is_type("unknown")]

    assert len(known) > 0.5 * len(columns)


@each_file
def test_columns_have_types_that_arrive_elsewhere(file: Path, synced: Report) -> None:
    with connect(synced.database) as mirror:
        answer = mirror.sql(f"from {file.stem} limit 0")
        # asked while the file is open, as DuckDB 2 wants it
        columns = dict(zip(answer.columns, answer.types, strict=True))

    assert not [
        f"{file.stem}.{name} is {kind}: {TYPES[short]}"
        for name, kind in columns.items()
        if (short := str(kind).split("(")[0].split("[")[0]) in TYPES
    ]
