"""The simulated source, through the same sync as any other."""

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import demo_server
import duckdb
import ibl
import pyarrow as pa
import pytest
import server as mariadb

from mirror.errors import UsageError
from mirror.sources import declarations
from mirror.sources.datajoint import DataJointSource
from mirror.sources.datajoint.login import Login
from mirror.sources.demo import DemoSource, mice, rows
from mirror.syncing import Options, Report, sync
from mirror.tables import Restriction, Table
from mirror.types import conversion

pytestmark = pytest.mark.slow

Ask = Callable[[str], list[tuple]]
MICE = 2
# every table and every column, so that one mirror does for all the tests
WHOLE = Options(schema=tuple(declarations.SCHEMAS), include_private=True)


@pytest.fixture(scope="module")
def source() -> Iterator[DemoSource]:
    opened = DemoSource(MICE)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def synced(source: DemoSource, tmp_path_factory: pytest.TempPathFactory) -> Report:
    return sync(source, tmp_path_factory.mktemp("demo") / "demo.duckdb", WHOLE)


@pytest.fixture
def ask(synced: Report) -> Iterator[Ask]:
    """Ask the mirror of the module's mice."""
    with duckdb.connect(str(synced.database), read_only=True) as connection:
        yield lambda query: connection.execute(query).fetchall()


def test_a_sync_brings_every_table_and_defines_the_views(synced: Report, ask: Ask) -> None:
    assert [table.table for table in synced.tables] == [str(t) for t in declarations.tables()]
    assert not synced.orphans
    assert not synced.views.skipped
    assert not [table.notes for table in synced.tables if table.notes]
    assert ask("select source, address, is_simulated from _mirror.runs") == [
        ("demo", "2 simulated mice, seed 1", True)
    ]
    assert ask("select count(*), count(distinct subject_uuid) from subjects") == [(MICE, MICE)]
    [(sessions,)] = ask("select count(*) from sessions where has_trials")
    [(trials,)] = ask("select count(*) from trials")
    assert sessions > 10 * MICE
    assert trials > 300 * sessions
    filled = {table.table for table in synced.tables if table.rows}
    assert filled >= {
        "action.water_administration",
        "action.water_restriction",
        "action.weighing",
        "behavior.complete_trial_session",
        "behavior.session_delay",
        "behavior.settings",
        "reference.lab_location",
        "reference.lab_membership",
        "subject.subject_project",
    }
    assert filled >= {str(t) for t in declarations.tables() if t.schema == "behavior_analyses"}


def test_rows_are_in_the_order_of_the_primary_key(ask: Ask) -> None:
    for table in declarations.tables():
        types = {column.name: column.declared_type for column in table.columns}
        key = ", ".join(
            # as MySQL sorts text
            f"upper({name})" if types[name].startswith("varchar") else name
            for name in table.primary_key
        )
        assert ask(
            f"select count(*) from (select row_number() over (order by {key}) as place, rowid"
            f" from {table}) where place <> rowid + 1"
        ) == [(0,)], str(table)


def test_one_seed_gives_one_content(source: DemoSource) -> None:
    again, other = DemoSource(MICE), DemoSource(MICE, seed=2)
    contents = [
        {str(table): _content(each, table) for table in declarations.tables()}
        for each in (source, again, other)
    ]
    again.close()
    other.close()

    assert contents[0] == contents[1]
    for table in ("subject.subject", "acquisition.session", "behavior.trial_set__trial"):
        assert contents[0][table] != contents[2][table]


def test_rows_do_not_depend_on_the_size_of_the_cohorts() -> None:
    def written(cohort_size: int) -> dict[tuple[str, str], list]:
        found: dict[tuple[str, str], list] = {}
        for table, columns in rows.rows(mice.simulate(MICE, 1, cohort_size)):
            for name, values in columns.items():
                found.setdefault((table, name), []).extend(map(str, values))
        return found

    assert written(MICE) == written(1)


def test_a_second_sync_fetches_nothing(synced: Report, tmp_path: Path) -> None:
    copy = tmp_path / "demo.duckdb"
    copy.write_bytes(synced.database.read_bytes())
    again = DemoSource(MICE)
    report = sync(again, copy, WHOLE)
    again.close()

    assert {table.how for table in report.tables} == {"unchanged"}
    assert report.rows == synced.rows


def test_a_stamp_knows_the_seed_and_the_number_of_mice() -> None:
    table = declarations.tables()[0]
    sources = [DemoSource(3), DemoSource(3), DemoSource(3, seed=2), DemoSource(4)]
    texts = [source.stamps([table])[table].text for source in sources]
    for source in sources:
        source.close()

    assert texts[0] == texts[1]
    assert len(set(texts)) == 3


DATED = (
    ("behavior.trial_set__trial", "session_start_time"),
    ("behavior_analyses.psych_results", "session_start_time"),
    ("behavior_analyses.behavioral_summary_by_date", "session_date"),
    ("action.weighing", "weighing_time"),
)


def test_a_sync_can_be_narrowed(
    source: DemoSource, synced: Report, ask: Ask, tmp_path: Path
) -> None:
    [(first, uuid), (nickname, _), *_] = ask(
        "select subject_nickname, subject_uuid::varchar from subjects order by subject_nickname"
    )
    [(since,)] = ask(
        f"select quantile_disc(session_date, 0.5) from sessions where subject_uuid = '{uuid}'"
    )
    tables = tuple(table for table, _ in DATED)
    options = Options((), (*tables, "subject.*"), (uuid, nickname.lower()), since)
    narrowed = sync(source, tmp_path / "narrowed.duckdb", options)

    with duckdb.connect(str(narrowed.database), read_only=True) as connection:
        connection.execute(f"attach '{synced.database}' as whole (read_only)")
        for table, dated in DATED:
            wanted = (
                f"select * from whole.{table} where {dated} >= '{since}' and subject_uuid in"
                " (select subject_uuid from whole.subject.subject"
                f" where subject_nickname in ('{first}', '{nickname}'))"
            )
            assert connection.execute(f"select count(*) from {table}").fetchone()[0] > 0
            for pair in ((wanted, f"from {table}"), (f"from {table}", wanted)):
                assert not connection.execute("({}) except all ({})".format(*pair)).fetchall()
        assert connection.execute("select count(*) from subject.subject").fetchone() == (2,)


def test_a_sync_of_no_rows_has_the_tables(source: DemoSource, tmp_path: Path) -> None:
    tables = ("subject.subject", "behavior.trial_set__trial", "behavior_analyses.psych*")
    options = Options(table=tables, since=date(2030, 1, 1))
    report = sync(source, tmp_path / "late.duckdb", options)

    counts = {table.table: table.rows for table in report.tables}
    assert counts["subject.subject"] == MICE
    assert counts["behavior.trial_set__trial"] == 0
    with duckdb.connect(str(report.database), read_only=True) as connection:
        # what a server without rows would show
        assert connection.execute(
            "select distinct data_type from duckdb_columns()"
            " where schema_name = 'behavior_analyses' and column_name like 'n_trials_stim%'"
        ).fetchall() == [("DOUBLE[]",)]


def test_an_unknown_mouse_is_named(source: DemoSource, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="Mickey"):
        sync(source, tmp_path / "demo.duckdb", Options(subject=("Mickey",)))


def test_private_columns_stay_out_and_are_invented(
    source: DemoSource, ask: Ask, tmp_path: Path
) -> None:
    members = ask("select password, email from reference.lab_member")
    report = sync(source, tmp_path / "demo.duckdb", Options(table=("reference.lab*",)))

    assert members
    for password, email in members:
        assert password == "not a password"
        assert email.endswith("@example.org")
    with duckdb.connect(str(report.database), read_only=True) as connection:
        assert connection.execute("select count(*) from reference.lab_member").fetchone() == (
            len(members),
        )
        for column in ("password", "email", "first_name", "last_name", "is_staff"):
            with pytest.raises(duckdb.BinderException):
                connection.execute(f"select {column} from reference.lab_member")
        with pytest.raises(duckdb.BinderException):
            connection.execute("select address from reference.lab")


def test_psychometric_counts_are_those_of_the_trials(ask: Ask) -> None:
    assert not ask(
        """
        with counted as (
            select subject_uuid, session_start_time, signed_contrast, count(*) as n,
                count(*) filter (choice = 1) as n_right
            from trials group by all
        ),
        expected as (
            select subject_uuid, session_start_time,
                list(signed_contrast / 100 order by signed_contrast) as x,
                list(n order by signed_contrast) as n,
                list(n_right order by signed_contrast) as n_right,
                list(n_right / n order by signed_contrast) as p
            from counted group by all
        )
        select * from expected full join behavior_analyses.psych_results as stored
            using (subject_uuid, session_start_time)
        where (x, n, n_right, p) is distinct from
            (signed_contrasts, n_trials_stim, n_trials_stim_right, prob_choose_right)
        """
    )


def test_blocks_are_told_apart_by_protocol_and_named_in_two_ways(ask: Ask) -> None:
    by_session, by_day = "psych_results_block", "behavioral_summary_by_date__psych_results"
    assert not ask(
        f"""
        select * from (select subject_uuid, session_start_time, prob_left_block, count(*) as n
            from trials group by all) as expected
        full join behavior_analyses.{by_session} as stored
            using (subject_uuid, session_start_time, prob_left_block)
        where n is distinct from list_sum(n_trials_stim)
            or prob_left is distinct from (prob_left_block / 100)::float
        """
    )
    assert not ask(
        f"""
        select * from (select subject_uuid, session_date,
            case prob_left_block when 50 then 0 when 20 then 1 when 80 then 2 end
                as prob_left_block, prob_left_block / 100 as p, count(*) as n
            from trials group by all) as expected
        full join behavior_analyses.{by_day} as stored
            using (subject_uuid, session_date, prob_left_block)
        where n is distinct from list_sum(n_trials_stim) or prob_left is distinct from p::float
        """
    )
    assert {
        block for (block,) in ask(f"select prob_left_block from behavior_analyses.{by_day}")
    } == {
        0,
        1,
        2,
    }


def test_reaction_times_run_from_right_to_left_and_skip_what_has_none(ask: Ask) -> None:
    assert not ask(
        """
        with median as (
            select subject_uuid, session_start_time, signed_contrast, median(reaction_time) as m
            from trials where reaction_time is not null group by all
        ),
        expected as (
            select subject_uuid, session_start_time, list(m order by -signed_contrast) as m
            from median group by all
        )
        select * from expected full join behavior_analyses.reaction_time as stored
            using (subject_uuid, session_start_time)
        where m is null or stored.reaction_time is null or len(m) <> len(stored.reaction_time)
            or list_max(list_transform(
                list_zip(m, stored.reaction_time), lambda pair: abs(pair[1] - pair[2]))) > 1e-6
        """
    )
    for table in (
        "reaction_time_contrast_block",
        "behavioral_summary_by_date__reaction_time_contrast",
    ):
        assert ask(
            f"""
            select count(*) > 0, bool_and(low <= m and m <= high), bool_or(low < m)
            from (select unnest(reaction_time_contrast) as m, unnest(reaction_time_ci_low) as low,
                unnest(reaction_time_ci_high) as high from behavior_analyses.{table})
            """
        ) == [(True, True, True)]
    assert not ask(
        """
        select * from (select subject_uuid, session_date, median(reaction_time) as m
            from trials where reaction_time is not null group by all) as expected
        full join behavior_analyses.behavioral_summary_by_date__reaction_time_by_date as stored
            using (subject_uuid, session_date)
        where coalesce(abs(m - median_reaction_time), 99) > 1e-5
        """
    )


def test_performance_follows_the_rule_of_its_date(ask: Ask) -> None:
    assert not ask(
        """
        with expected as (
            select subject_uuid, session_start_time, max(trial_id) as n_trials,
                sum(case when session_date < '2019-10-15' then rewarded
                    else coalesce(correct, 0) end) as n_correct,
                avg(correct_easy) as easy
            from trials group by all
        )
        select * from expected full join behavior.trial_set as stored
            using (subject_uuid, session_start_time)
        full join behavior_analyses.psych_results as psych using (subject_uuid, session_start_time)
        where expected.n_trials is distinct from stored.n_trials
            or n_correct is distinct from n_correct_trials
            or performance is distinct from (n_correct / stored.n_trials)::float
            or performance_easy is distinct from nullif(easy, 0)::float
        """
    )


def test_days_are_counted_as_the_views_count_them(ask: Ask) -> None:
    assert not ask(
        """
        with expected as (
            select subject_uuid, session_date, any_value(training_day) as day,
                count(*) as n, (avg(correct_easy))::float as easy
            from trials group by all
        )
        select * from expected
        full join behavior_analyses.behavioral_summary_by_date as stored
            using (subject_uuid, session_date)
        where day is distinct from training_day or n is distinct from n_trials_date
            or training_week is distinct from training_day // 5
            or performance_easy is distinct from nullif(easy, 0)
        """
    )


def test_the_stored_status_is_the_one_that_follows_from_the_mirror(ask: Ask) -> None:
    assert not ask(
        """
        from behavior_analyses.session_training_status as stored
        full join (from derived.session_status where training_status is not null) as derived
            using (subject_uuid, session_start_time)
        where stored.training_status is distinct from derived.training_status
            or stored.good_enough_for_brainwide_map
                is distinct from derived.good_enough_for_brainwide_map
        """
    )
    statuses = {status for (status,) in ask("select training_status from sessions")}
    assert statuses >= {"in_training", "trained_1b", None}


def test_a_server_gives_back_what_it_was_filled_with(
    source: DemoSource, synced: Report, server: mariadb.Server, login: Login, tmp_path: Path
) -> None:
    ibl.drop(server)
    connection = ibl.connect(server)
    demo_server.fill(connection, source)
    connection.close()
    real = DataJointSource(login)
    report = sync(real, tmp_path / "real.duckdb", WHOLE)
    real.close()
    ibl.drop(server)

    assert {(t.table, t.rows) for t in report.tables} == {(t.table, t.rows) for t in synced.tables}
    assert not _differences(synced.database, report.database)


def _content(source: DemoSource, table: Table) -> pa.Table:
    columns = {column.name: conversion(column) for column in table.columns}
    reading = source.read(table, columns, Restriction(), 20_000)
    return pa.Table.from_batches(reading.batches, reading.schema)


def _differences(one: Path, other: Path) -> set[str]:
    """The tables of which the two mirrors declare other columns or hold other rows."""
    with duckdb.connect() as connection:
        for name, path in (("one", one), ("other", other)):
            connection.execute(f"attach '{path}' as {name} (read_only)")
        columns = [
            {
                f"{schema}.{table}": rest
                for schema, table, *rest in connection.execute(
                    "select schema_name, table_name, list(column_name order by column_index),"
                    " list(data_type order by column_index),"
                    " list(is_nullable order by column_index)"
                    f" from duckdb_columns() where database_name = '{name}' and not internal"
                    f" and (schema_name, table_name) in (select (schema_name, table_name)"
                    f" from {name}._mirror.tables) group by all"
                ).fetchall()
            }
            for name in ("one", "other")
        ]
        return {
            table
            for table in columns[0].keys() | columns[1].keys()
            if columns[0].get(table) != columns[1].get(table)
            or connection.execute(
                f"(from one.{table} except all from other.{table})"
                f" union all (from other.{table} except all from one.{table}) limit 1"
            ).fetchall()
        }
