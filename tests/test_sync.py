"""What a sync puts into the file, what it leaves out, and what it says of both."""

import json
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from subprocess import CompletedProcess
from types import SimpleNamespace

import duckdb
import ibl
import pytest
from server import Server

from mirror import connect
from mirror.errors import UsageError
from mirror.sources.datajoint import DataJointSource
from mirror.syncing import Options, sync


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "ibl.duckdb"


def rows(file: Path, query: str) -> list[tuple]:
    with connect(file) as mirror:
        return mirror.sql(query).fetchall()


def test_every_table_arrives_under_the_name_of_its_python_module(
    source: DataJointSource, file: Path
) -> None:
    report = sync(source, file)

    held = dict(rows(file, "select schema_name || '.' || table_name, n_rows from _mirror.tables"))
    assert held["reference.lab"] == 2
    assert held["behavior.trial_set__trial"] == 4 * ibl.TRIALS_PER_SESSION
    assert held["behavior_analyses.psych_results"] == 4
    assert len(held) == 17
    assert report.rows == sum(held.values())


def test_values_keep_their_declared_types(source: DataJointSource, file: Path) -> None:
    sync(source, file)

    types = dict(
        rows(
            file,
            "select column_name, data_type from duckdb_columns()"
            " where table_name in ('trial_set__trial', 'psych_results')",
        )
    )
    [trial] = rows(file, "from behavior.trial_set__trial order by all limit 1")
    assert types["subject_uuid"] == "UUID"
    assert types["trial_included"] == "BOOLEAN"
    assert types["trial_response_choice"] == "ENUM('CCW', 'CW', 'No Go')"
    assert types["trial_feedback_type"] == "TINYINT"
    assert types["signed_contrasts"] == "DOUBLE[]" and types["n_trials_stim"] == "BIGINT[]"
    assert trial[:3] == (ibl.KS014, datetime(2019, 8, 1, 11, 5, 30), 1)
    assert trial[6] == "CW" and trial[8] == 1.0 and trial[-1] is True


def test_keys_nullability_and_comments_are_the_servers(source: DataJointSource, file: Path) -> None:
    sync(source, file)

    [key] = rows(
        file,
        "select constraint_column_names from duckdb_constraints()"
        " where constraint_type = 'PRIMARY KEY' and table_name = 'trial_set__trial'",
    )
    columns = {
        name: (nullable, comment)
        for name, nullable, comment in rows(
            file,
            "select column_name, is_nullable, comment from duckdb_columns()"
            " where table_name = 'session'",
        )
    }
    [table] = rows(file, "select comment from duckdb_tables() where table_name = 'trial_set'")
    assert key == (["subject_uuid", "session_start_time", "trial_id"],)
    assert columns["session_start_time"] == (False, "start time")
    assert columns["session_end_time"] == (True, "end time")
    # DataJoint's own mark of the type, :uuid:, is not for readers
    assert columns["session_uuid"] == (False, None)
    row = "One row per subject_uuid and session_start_time"
    assert table == (f"{row}: information about behavioral trials",)


def test_the_provenance_keeps_what_the_server_declared(source: DataJointSource, file: Path) -> None:
    sync(source, file)

    [table] = rows(
        file,
        "select datajoint_name, mysql_schema, mysql_table, tier from _mirror.tables"
        " where table_name = 'trial_set__trial'",
    )
    [column] = rows(
        file,
        "select declared_type, is_nullable, column_default, column_key, comment"
        " from _mirror.columns where table_name = 'lab' and column_name = 'lab_uuid'",
    )
    [key] = rows(
        file,
        "select column_names, referenced_schema, referenced_table, referenced_columns, violations"
        " from _mirror.foreign_keys where table_name = 'trial_set'",
    )
    [run] = rows(file, "select run, source, address, is_simulated, options from _mirror.runs")
    assert table == ("behavior.TrialSet.Trial", "ibl_behavior", "_trial_set__trial", "Part")
    assert column == ("binary(16)", False, None, "", ":uuid:")
    session_key = ["subject_uuid", "session_start_time"]
    assert key == (session_key, "acquisition", "session", session_key, 0)
    assert run == (1, "datajoint", source.address, False, "{}")


def test_people_and_narratives_stay_behind_unless_asked_for(
    source: DataJointSource, file: Path
) -> None:
    sync(source, file)
    held = [
        name
        for (name,) in rows(
            file,
            "select column_name from duckdb_columns()"
            " where schema_name in ('reference', 'subject', 'acquisition')",
        )
    ]
    assert not {"password", "email", "address", "session_narrative"} & set(held)
    assert rows(file, "select left_out from _mirror.tables where table_name = 'lab_member'") == [
        (["password: private", "email: private", "is_active: private"],)
    ]
    assert b"hunter2" not in file.read_bytes() and b"bit a student" not in file.read_bytes()

    sync(source, file, Options(include_private=True))
    assert rows(file, "select distinct password from reference.lab_member") == [("hunter2",)]


def test_hidden_tables_and_the_bookkeeping_of_files_are_left_out(
    source: DataJointSource, file: Path, server: Server
) -> None:
    server.run(
        "create database ibl_data",
        "create table ibl_data.file_record (name varchar(9) primary key, relative_path text)",
        "insert into ibl_data.file_record values ('a', '/secret')",
    )

    report = sync(source, file)
    assert "data.file_record" not in {table.table for table in report.tables}
    assert "subject.~log" in {item.what for item in report.left_out}

    named = sync(source, file, Options(schema=("data",)), full=True)
    assert [table.table for table in named.tables] == ["data.file_record"]
    assert rows(file, "from data.file_record") == [("a",)]


def test_missing_schemas_are_reported_and_the_rest_is_copied(
    source: DataJointSource, file: Path
) -> None:
    report = sync(source, file)

    assert {"action", "data"} == {item.what for item in report.left_out if "missing" in item.why}
    assert len(report.tables) == 17


def test_columns_that_no_definition_has_arrive_too(
    source: DataJointSource, file: Path, server: Server
) -> None:
    server.run("alter table ibl_subject.subject add column cage int not null default 7")

    sync(source, file)

    assert rows(file, "select distinct cage from subject.subject") == [(7,)]


def test_tables_are_chosen_by_glob_and_by_their_datajoint_name(
    source: DataJointSource, file: Path
) -> None:
    options = Options(table=("acquisition.session*", "behavior.TrialSet.Trial"))

    report = sync(source, file, options)

    assert {table.table for table in report.tables} == {
        "acquisition.session",
        "acquisition.session_project",
        "acquisition.session_user",
        "behavior.trial_set__trial",
    }
    assert report.views.skipped["subjects"].startswith("needs ")


def test_one_mouse_brings_its_own_rows_and_the_lookups_whole(
    source: DataJointSource, file: Path
) -> None:
    report = sync(source, file, Options(subject=("KS014",)))

    assert rows(file, "select distinct subject_uuid from behavior.trial_set__trial") == [
        (ibl.KS014,)
    ]
    assert rows(file, "select count(*) from reference.lab") == [(2,)]
    assert rows(file, "select count(*), count(distinct subject_uuid) from trials") == [(18, 1)]
    assert not report.orphans


def test_a_uuid_names_a_mouse_as_well(source: DataJointSource, file: Path) -> None:
    sync(source, file, Options(subject=(str(ibl.CSHL_001),)))

    assert rows(file, "select subject_nickname from subjects") == [("CSHL_001",)]


def test_since_narrows_every_dated_table(source: DataJointSource, file: Path) -> None:
    sync(source, file, Options(since=date(2019, 8, 2)))

    assert rows(file, "select min(session_start_time), count(*) from acquisition.session") == [
        (datetime(2019, 8, 2, 11, 0), 3)
    ]
    assert rows(file, "select count(*) from behavior.trial_set__trial") == [(18,)]
    assert rows(file, "select count(*) from subject.subject") == [(2,)]


def test_wrong_names_are_refused_with_a_hint(source: DataJointSource, file: Path) -> None:
    with pytest.raises(UsageError, match=r"Did you mean behavior\.trial_set"):
        sync(source, file, Options(table=("behavior.trial_sets",)))
    with pytest.raises(UsageError, match="matches no mouse"):
        sync(source, file, Options(subject=("KS41",)))
    with pytest.raises(UsageError, match="takes reference, subject"):
        sync(source, file, Options(schema=("behaviour",)))
    assert not file.exists()


def test_a_dry_run_lists_tables_and_rows_and_copies_nothing(
    mirror: Callable[..., CompletedProcess], tables: SimpleNamespace, tmp_path: Path
) -> None:
    done = mirror("sync", "--dry-run", "--subject", "KS014")

    assert done.returncode == 0, done.stderr
    heading, *lines = (line.split("\t") for line in done.stdout.splitlines())
    assert heading == ["table", "rows"] and len(lines) == 17
    assert ["subject.subject", "1"] in lines and ["reference.lab", "2"] in lines
    assert not list(tmp_path.iterdir())


def test_rows_that_refer_to_nothing_are_reported_not_hidden(
    source: DataJointSource, file: Path, server: Server
) -> None:
    connection = server.admin("ibl_subject")
    with connection, connection.cursor() as cursor:
        cursor.execute("set foreign_key_checks = 0")
        cursor.execute("insert into subject_lab values (unhex(repeat('ab', 16)), 'zadorlab')")

    report = sync(source, file)

    assert report.orphans == (
        "subject.subject_lab: 1 row refers to no row of subject.subject, on the server as well",
    )
    assert rows(file, "select count(*) from subject.subject_lab") == [(3,)]


def test_references_are_compared_as_mysql_compares_text(
    source: DataJointSource, file: Path, server: Server
) -> None:
    server.run("update ibl_acquisition.session_user set user_name = 'ZOE' where user_name = 'zoë'")

    assert not sync(source, file).orphans


def test_an_empty_table_keeps_its_columns(
    source: DataJointSource, file: Path, tables: SimpleNamespace
) -> None:
    assert not len(tables.SessionProject())

    sync(source, file)

    assert rows(file, "select count(*) from acquisition.session_project") == [(0,)]
    with connect(file) as mirror:
        names = mirror.sql("from acquisition.session_project").columns
    assert names == ["subject_uuid", "session_start_time", "session_project"]


def test_two_tables_of_one_name_in_two_tiers_both_arrive(
    source: DataJointSource, file: Path, server: Server
) -> None:
    server.run("create table ibl_reference.lab (a int primary key)")

    sync(source, file, Options(schema=("reference",)))

    names = rows(file, "select mysql_table, table_name from _mirror.tables order by 1")
    assert names == [("#lab", "#lab"), ("lab", "lab"), ("lab_member", "lab_member")]


def test_the_python_connection_cannot_write(source: DataJointSource, file: Path) -> None:
    sync(source, file)

    with connect(file) as mirror, pytest.raises(duckdb.InvalidInputException, match="read-only"):
        mirror.execute("delete from subject.subject")


def test_options_survive_the_way_into_the_file_and_back() -> None:
    options = Options(("subject",), ("a*",), ("KS014",), date(2019, 8, 2), True)

    assert Options.from_json(options.to_json()) == options
    assert json.loads(Options().to_json()) == {}
