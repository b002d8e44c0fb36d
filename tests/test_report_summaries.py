"""What the dictionary says of columns, on tables small enough to check by eye."""

from collections.abc import Iterator

import duckdb
import pytest

from mirror.inventory import Described, Entry
from mirror.report.summaries import Summary, summarize


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        yield connection


def looked_at(
    con: duckdb.DuckDBPyConnection, query: str, name: str = "main.shown"
) -> tuple[int, dict[str, Summary]]:
    """The summaries of a query's columns, kept as a table."""
    schema, table = name.split(".")
    con.execute(f"create schema if not exists {schema}; create table {name} as {query}")
    columns = con.execute(
        "select column_name, data_type, '' from duckdb_columns()"
        f" where schema_name = '{schema}' and table_name = '{table}' order by column_index"
    ).fetchall()
    [(n,)] = con.execute(f"select count(*) from {name}").fetchall()
    entry = Entry(name, "table", "main", n, "", "")
    return summarize(con, Described(entry, tuple(columns)), [])


def test_few_values_are_named_with_how_often_they_come(con):
    n, found = looked_at(con, "select unnest(['F', 'F', 'M', null]) as sex")
    assert (n, found["sex"].words) == (4, "25 % NULL; F (2), M (1)")


def test_many_numbers_have_a_range_and_a_histogram(con):
    _, found = looked_at(con, "select x, x::double / 0 as infinite from range(24) as t (x)")
    assert found["x"].words == "0 to 23"
    assert found["x"].bars == (1.0,) * 12
    assert found["infinite"].bars == ()


def test_many_words_are_counted_and_lists_left_alone(con):
    _, found = looked_at(con, "select 'name ' || x as name, [x] as xs from range(20) as t (x)")
    assert found["name"].words == found["xs"].words == "20 values"


def test_a_column_without_values_says_so_and_a_table_without_rows_nothing(con):
    _, found = looked_at(con, "select null::integer as nothing from range(3)")
    assert found["nothing"].words == "all NULL"
    assert looked_at(con, "select 1 as x limit 0", "main.empty") == (0, {})


def test_private_columns_are_not_looked_into(con):
    """`mirror sync --include-private` has them; a report is given to others."""
    _, found = looked_at(
        con, "select 'anna' as user_name, 'anna@lab.org' as email", "reference.lab_member"
    )
    assert set(found) == {"user_name"}


def test_names_are_words_and_no_sql(con):
    _, found = looked_at(con, """select 1 as "x"" from y; --", 2 as "o'clock" """)
    assert [summary.words for summary in found.values()] == ["1 (1)", "2 (1)"]
