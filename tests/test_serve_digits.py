"""Numbers of floating point are printed as MySQL prints them, in a query and after it."""

from collections.abc import Iterator
from importlib.resources import files

import duckdb
import pyarrow as pa
import pytest
import server as mariadb
from hypothesis import given
from hypothesis import strategies as st

from mirror.serve import digits

# where MySQL, DuckDB and Arrow begin to write an exponent, and where digits round up
BORDERS = (
    *(0.0, 1.0, 0.1, 123.0, 1e-3, 0.0009999999999, 1e-4, 9.99999e-5, 1e-5, 1.5e-7, 1e-15),
    *(9.9e-16, 1e-300, 123456789012345.6, 999999999999999.9, 1e10, 1e14, 1e15, 1.5e15, 1e16),
    *(1.7976931348623157e308, 0.30000000000000004),
)
FLOATS = (0.001, 0.00099999999, 0.0625, 123456.0, 999999.5, 1e6, 1234567.0, 12345.65, 1e-30, 3e38)


@pytest.fixture(scope="module")
def macros() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        sql = files("mirror.serve").joinpath("functions.sql").read_text(encoding="utf-8")
        connection.execute(sql)
        yield connection


def in_query(macros: duckdb.DuckDBPyConnection, macro: str, numbers: pa.Array) -> list[str | None]:
    rows = macros.from_arrow(pa.table({"x": numbers})).project(f"{macro}(x)").fetchall()
    return [text for (text,) in rows]


def test_doubles_have_the_digits_of_a_server(
    macros: duckdb.DuckDBPyConnection, server: mariadb.Server
) -> None:
    numbers = [*BORDERS, *(-number for number in BORDERS if number)]
    connection = server.admin()
    with connection, connection.cursor() as cursor:
        cursor.execute("select " + ", ".join(f"concat({number!r} + 0e0)" for number in numbers))
        [expected] = cursor.fetchall()

    column = pa.array([*numbers, None], pa.float64())
    assert digits.texts(column).to_pylist() == [*expected, None]
    assert in_query(macros, "double_text", column) == [*expected, None]


def test_floats_have_six_digits(macros: duckdb.DuckDBPyConnection) -> None:
    column = pa.array([*FLOATS, 0.0, None], pa.float32())

    assert digits.texts(column).to_pylist() == [
        *("0.001", "0.001", "0.0625", "123456", "1000000", "1000000", "1234570", "12345.7"),
        *("1e-30", "3e38", "0", None),
    ]


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False)))
def test_doubles_are_printed_alike(macros: duckdb.DuckDBPyConnection, numbers: list[float]) -> None:
    column = pa.array(numbers, pa.float64())
    assert digits.texts(column).to_pylist() == in_query(macros, "double_text", column)


@given(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False)))
def test_floats_are_printed_alike(macros: duckdb.DuckDBPyConnection, numbers: list[float]) -> None:
    column = pa.array(numbers, pa.float32())
    assert digits.texts(column).to_pylist() == in_query(macros, "float_text", column)
