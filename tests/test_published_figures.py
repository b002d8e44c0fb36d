"""The published figures beside what the views compute, on simulated mice of the paper's project."""

import duckdb
import pytest

pytestmark = pytest.mark.slow


def test_each_query_gives_what_stands_beside_it(simulated: duckdb.DuckDBPyConnection) -> None:
    rows = simulated.execute(
        "select figure, part, recomputed, query from published_figures order by number"
    ).fetchall()
    answers = {
        query: [value for row in simulated.execute(query).fetchall() for value in row]
        for *_, query in rows
    }
    other = [
        (figure, part)
        for figure, part, recomputed, query in rows
        if recomputed is not None
        and not any(
            isinstance(value, int | float) and abs(value - recomputed) < 1e-6
            for value in answers[query]
        )
    ]
    assert other == []
    assert sum(recomputed is not None for *_, recomputed, _ in rows) > 20


def test_a_difference_has_a_reason_and_a_figure_a_source(
    simulated: duckdb.DuckDBPyConnection,
) -> None:
    n, without, differences = simulated.execute(
        "select count(*), count(*) filter (where reason is null or source is null),"
        " count(*) filter (where difference <> recomputed - published) from published_figures"
    ).fetchall()[0]
    assert n > 40 and (without, differences) == (0, 0)


def test_the_day_above_80_is_counted_from_0(simulated: duckdb.DuckDBPyConnection) -> None:
    """The paper counts days from 0 and the views from 1."""
    [(found,)] = simulated.execute(
        "select recomputed from published_figures where figure = 'first_day_above_80'"
    ).fetchall()
    [(first,)] = simulated.execute(
        "select min(stored_training_day) from (select stored_training_day,"
        " avg(stored_performance_easy) as mean from days semi join cohorts"
        " on cohorts.subject_uuid = days.subject_uuid and cohort = 'paper' group by all)"
        " where mean > 0.8"
    ).fetchall()
    assert found == first - 1
