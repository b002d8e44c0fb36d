"""Syncing again: what has not changed is kept, and the end is that of a fresh sync."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import ibl
import numpy as np
import pytest
from server import Server

from mirror import connect, copying, store
from mirror.errors import SourceError, UsageError
from mirror.progress import Progress
from mirror.sources.datajoint import DataJointSource
from mirror.syncing import Options, Report
from mirror.syncing import sync as sync_all
from mirror.tables import Restriction

# what is derived from the tables has tests of its own
sync = partial(sync_all, with_derived=False)
N = 22_000
KEY = {"subject_uuid": ibl.KS014, "session_start_time": ibl.SESSIONS[0][1]}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "ibl.duckdb"


@pytest.fixture
def many_trials(tables: SimpleNamespace, server: Server) -> None:
    """Make the trial table large enough to be refreshed session by session."""
    connection = server.admin("ibl_behavior")
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "insert into _trial_set__trial (subject_uuid, session_start_time, trial_id,"
            " trial_start_time, trial_end_time, trial_response_choice, trial_stim_contrast_left,"
            " trial_stim_contrast_right, trial_stim_prob_left)"
            " select subject_uuid, session_start_time, 100 + seq, 10 * seq + rand(1), 10 * seq,"
            " 'CW', 0, 0.1, 0.5 from _trial_set, (select row_number() over () as seq from"
            " _trial_set__trial as a, _trial_set__trial as b, _trial_set__trial as c"
            f" limit {N // 4}) as numbered"
        )


def contents(file: Path) -> dict[str, list[str]]:
    """Every row of every mirrored table, and what is declared; as text, since NaN is not NaN."""
    with connect(file) as mirror:
        names = mirror.sql("select schema_name, table_name from _mirror.tables").fetchall()
        held = {
            f"{schema}.{name}": mirror.sql(f'from "{schema}"."{name}"').fetchall()
            for schema, name in names
        }
        held["columns"] = mirror.sql(
            "select schema_name, table_name, column_name, data_type, is_nullable, comment"
            " from duckdb_columns() where not internal and schema_name <> '_mirror' order by all"
        ).fetchall()
        held["keys"] = mirror.sql(
            "select schema_name, table_name, constraint_text from duckdb_constraints()"
            " where schema_name <> '_mirror' order by all"
        ).fetchall()
    return {name: [repr(row) for row in rows] for name, rows in held.items()}


def how(report: Report) -> dict[str, str]:
    return {table.table: table.how for table in report.tables if table.how != "unchanged"}


@pytest.fixture
def queries(server: Server) -> Iterator[Callable[[], list[str]]]:
    """The SELECTs that the server has seen since the last call."""
    server.run("set global log_output = 'TABLE'", "set global general_log = 1")

    def seen() -> list[str]:
        found = server.run(
            "select cast(argument as binary) from mysql.general_log"
            " where command_type in ('Query', 'Execute')"
        )
        server.run("truncate mysql.general_log")
        texts = [argument.decode() for (argument,) in found if argument.startswith(b"select")]
        return [text for text in texts if "mysql." not in text]

    seen()
    yield seen
    server.run("set global general_log = 0", "set global log_output = default")


@pytest.mark.both_servers
def test_nothing_is_fetched_again_when_nothing_changed(
    source: DataJointSource, file: Path, queries: Callable[[], list[str]]
) -> None:
    sync(source, file)
    before = contents(file)
    queries()

    report = sync(source, file)

    assert not how(report)
    assert not [query for query in queries() if "information_schema" not in query]
    assert contents(file) == before
    with connect(file) as mirror:
        assert mirror.sql("select max(run) from _mirror.runs").fetchall() == [(2,)]


@pytest.mark.both_servers
def test_a_settled_time_of_change_spares_the_checksum(
    source: DataJointSource, file: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    stamps = source.stamps
    assert not any(stamp.is_settled for stamp in stamps(source.tables()[0]).values())
    # a day passes
    monkeypatch.setattr(
        source,
        "stamps",
        lambda tables: {t: replace(s, is_settled=True) for t, s in stamps(tables).items()},
    )
    sync(source, file)
    checksums = "show global status like 'Com_checksum'"
    before = int(server.run(checksums)[0][1])

    assert not how(sync(source, file))
    # of the three tables that never had a row, and have no time of change, in one question
    assert int(server.run(checksums)[0][1]) == before + 1


@pytest.mark.both_servers
def test_a_transaction_that_began_with_another_is_not_missed(
    source: DataJointSource, file: Path, server: Server, tmp_path: Path
) -> None:
    # MariaDB stamps a table with the beginning of the transaction that changed it
    early, late = server.admin("ibl_subject"), server.admin("ibl_subject")
    for connection, mouse in ((early, ibl.KS014), (late, ibl.CSHL_001)):
        connection.begin()
        connection.cursor().execute(
            f"update subject set subject_line = 'new' where subject_uuid = x'{mouse.hex}'"
        )
    early.commit()
    sync(source, file)
    late.commit()

    assert how(sync(source, file)) == {"subject.subject": "copied"}
    sync(source, tmp_path / "fresh.duckdb")
    assert contents(file) == contents(tmp_path / "fresh.duckdb")
    early.close()
    late.close()


CHANGES = {
    "insert": f"insert into ibl_subject.death values (x'{ibl.KS014.hex}', '2020-02-02')",
    "update": "update ibl_subject.subject set sex = 'U'",
    "private": "update ibl_subject.subject set subject_description = 'a change all the same'",
    "delete": "delete from ibl_acquisition.session_user",
    "column": "alter table ibl_reference.`#lab` add column room int comment 'where'",
    "comment": "alter table ibl_subject.subject comment 'mice'",
    "last digit": "update ibl_behavior._trial_set__trial"
    " set trial_response_time = trial_response_time + 1e-9 where trial_id = 2",
    "blobs": "update ibl_analyses_behavior.__psych_results set threshold = threshold + 1",
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_after_a_change_the_file_equals_a_fresh_one(
    source: DataJointSource, file: Path, server: Server, tmp_path: Path, change: str
) -> None:
    sync(source, file)
    server.run(change)

    report = sync(source, file)
    sync(source, tmp_path / "fresh.duckdb")

    assert len(how(report)) == 1
    assert contents(file) == contents(tmp_path / "fresh.duckdb")


@pytest.mark.both_servers
def test_after_all_changes_at_once_the_file_equals_a_fresh_one(
    source: DataJointSource, file: Path, server: Server, tmp_path: Path
) -> None:
    sync(source, file)
    server.run(*CHANGES.values())

    report = sync(source, file)
    sync(source, tmp_path / "fresh.duckdb")

    assert how(report) == dict.fromkeys(
        (
            *("reference.lab", "subject.death", "subject.subject", "acquisition.session_user"),
            *("behavior.trial_set__trial", "behavior_analyses.psych_results"),
        ),
        "copied",
    )
    assert contents(file) == contents(tmp_path / "fresh.duckdb")


# what `checksum table` does not see: the bytes that are stored stay
DECLARATIONS = {
    # how text that was stored in a wrong character set is repaired
    "mojibake": (
        "s varchar(50) character set latin1",
        "modify s varbinary(50)",
        "modify s varchar(50) character set utf8mb4",
    ),
    "collated": (
        "s varchar(50) character set latin1",
        "modify s varchar(50) character set latin1 collate latin1_bin",
    ),
    "virtual_column": (
        "s varchar(50), a double default .5, v double generated always as (a * 100) virtual",
        "modify v double generated always as (a * 50) virtual",
    ),
    "stored_column": (
        "s varchar(50), a double default .5, v double generated always as (a * 100) stored",
        "modify v double generated always as (a * 50) stored",
    ),
}


@pytest.mark.both_servers
def test_tables_are_read_again_after_their_declaration_has_changed(
    source: DataJointSource, file: Path, server: Server, tmp_path: Path
) -> None:
    bytes_of_utf8 = f"x'{'Zoë Müller'.encode().hex()}'"
    for table, (columns, *_) in DECLARATIONS.items():
        server.run(
            f"create table ibl_subject.{table} (id int primary key, {columns})",
            f"insert into ibl_subject.{table} (id, s) values (1, {bytes_of_utf8})",
        )
    sync(source, file)
    for table, (_, *changes) in DECLARATIONS.items():
        server.run(*(f"alter table ibl_subject.{table} {change}" for change in changes))

    report = sync(source, file)
    sync(source, tmp_path / "fresh.duckdb")

    assert how(report) == {f"subject.{table}": "copied" for table in DECLARATIONS}
    assert contents(file) == contents(tmp_path / "fresh.duckdb")
    with connect(file) as mirror:
        assert mirror.sql("select s from subject.mojibake").fetchall() == [("Zoë Müller",)]
        assert mirror.sql("select v from subject.stored_column").fetchall() == [(25.0,)]


def test_a_dropped_table_goes_and_a_new_one_comes(
    source: DataJointSource, file: Path, server: Server, tmp_path: Path
) -> None:
    sync(source, file)
    server.run(
        "drop table ibl_subject.death",
        "create table ibl_subject.litter (litter_name varchar(9) primary key)",
    )

    report = sync(source, file)
    sync(source, tmp_path / "fresh.duckdb")

    assert report.gone == ("subject.death",)
    assert how(report) == {"subject.litter": "copied"}
    assert contents(file) == contents(tmp_path / "fresh.duckdb")


@pytest.mark.both_servers
def test_of_a_large_part_table_only_the_changed_sessions_are_fetched(
    source: DataJointSource,
    file: Path,
    many_trials: None,
    tables: SimpleNamespace,
    server: Server,
    tmp_path: Path,
    queries: Callable[[], list[str]],
) -> None:
    sync(source, file)
    session = f"x'{ibl.KS014.hex}'"
    server.run(
        "update ibl_behavior._trial_set__trial set trial_stim_prob_left = 0.8"
        f" where subject_uuid = {session} and session_start_time = '2019-08-01 11:05:30'"
        " and trial_id = 2",
        f"delete from ibl_behavior._trial_set__trial where subject_uuid = {session}"
        " and session_start_time = '2019-08-02 15:30:00'",
    )
    queries()

    report = sync(source, file)
    fetched = [q for q in queries() if "`_trial_set__trial` as t" in q]
    sync(source, tmp_path / "fresh.duckdb")

    assert how(report) == {"behavior.trial_set__trial": "updated"}
    assert len(fetched) == 1 and "'2019-08-01 11:05:30'" in fetched[0]
    assert "2019-08-02" not in fetched[0] and ibl.CSHL_001.hex not in fetched[0]
    assert contents(file) == contents(tmp_path / "fresh.duckdb")


@pytest.mark.parametrize(
    "change",
    [
        f"delete from _trial_set__trial where subject_uuid = x'{ibl.CSHL_001.hex}'",
        "update _trial_set__trial set trial_included = 2 where trial_included = 1",
    ],
    ids=["only deletions", "only what reads the same"],
)
def test_a_large_part_table_without_new_rows_needs_none(
    source: DataJointSource,
    file: Path,
    many_trials: None,
    server: Server,
    tmp_path: Path,
    change: str,
) -> None:
    sync(source, file)
    server.run("use ibl_behavior", change)

    report = sync(source, file)
    sync(source, tmp_path / "fresh.duckdb")

    assert how(report) == {"behavior.trial_set__trial": "updated"}
    assert contents(file) == contents(tmp_path / "fresh.duckdb")


def test_a_new_session_is_added_to_a_large_part_table_in_order(
    source: DataJointSource,
    file: Path,
    many_trials: None,
    tables: SimpleNamespace,
    tmp_path: Path,
) -> None:
    sync(source, file)
    start = ibl.SESSIONS[0][1].replace(hour=17)
    tables.Session.insert1(
        {"subject_uuid": ibl.KS014, "session_start_time": start, "session_uuid": ibl.KS014}
    )
    ibl.insert_session(tables, ibl.KS014, start, 5)

    report = sync(source, file)
    sync(source, tmp_path / "fresh.duckdb")

    assert how(report)["behavior.trial_set__trial"] == "updated"
    assert contents(file) == contents(tmp_path / "fresh.duckdb")


def test_blobs_that_change_their_kind_end_as_in_a_fresh_file(
    source: DataJointSource, file: Path, tables: SimpleNamespace, tmp_path: Path
) -> None:
    sync(source, file)
    tables.PsychResults.update1(KEY | {"n_trials_stim": np.array([0.5, np.nan])})

    sync(source, file)
    sync(source, tmp_path / "fresh.duckdb")

    assert contents(file)["columns"] == contents(tmp_path / "fresh.duckdb")["columns"]
    with connect(file) as mirror:
        [[kind]] = mirror.sql(
            "select distinct typeof(n_trials_stim) from behavior_analyses.psych_results"
        ).fetchall()
    assert kind == "DOUBLE[]"


@pytest.mark.usefixtures("singly")
def test_rows_that_change_during_a_sync_are_noticed_and_read_again_next_time(
    source: DataJointSource,
    file: Path,
    server: Server,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read = source.read

    def read_and_disturb(table, *arguments, **keywords):
        reading = read(table, *arguments, **keywords)
        if table.name == "subject_lab":
            server.run("update ibl_subject.subject_lab set lab_name = 'zadorlab'")
        return reading

    monkeypatch.setattr(source, "read", read_and_disturb)
    report = sync(source, file)
    monkeypatch.undo()

    [noticed] = [table for table in report.tables if table.notes]
    assert noticed.table == "subject.subject_lab" and "changed while" in noticed.notes[0]

    assert how(sync(source, file)) == {"subject.subject_lab": "copied"}
    sync(source, tmp_path / "fresh.duckdb")
    assert contents(file) == contents(tmp_path / "fresh.duckdb")


@pytest.mark.usefixtures("singly")
def test_the_checksum_of_every_table_is_written_down(source: DataJointSource, file: Path) -> None:
    sync(source, file)

    tables = source.tables()[0]
    with connect(file) as mirror:
        noted = mirror.sql("select schema_name, table_name, checksum from _mirror.tables")
        found = {(schema, name): checksum for schema, name, checksum in noted.fetchall()}
    sums = {(t.schema, t.name): s for t, s in source.checksums(tables).items()}
    assert found and found == {name: sums[name] for name in found}


@pytest.mark.both_servers
def test_a_checksum_that_is_taken_late_is_of_the_moment_of_the_census(
    source: DataJointSource, server: Server
) -> None:
    [table] = [table for table in source.tables()[0] if str(table) == "subject.subject_lab"]
    before = source.checksums([table])[table]

    census = source.census(table, {}, Restriction(), with_checksum=True)()
    server.run("update ibl_subject.subject_lab set lab_name = 'zadorlab'")

    assert source.checksums([table])[table] != before
    assert census.checksum_later and census.checksum_later() == before


@pytest.mark.both_servers
def test_nobody_waits_to_alter_a_table_between_its_census_and_its_checksum(
    source: DataJointSource, server: Server
) -> None:
    [table] = [table for table in source.tables()[0] if str(table) == "subject.subject_lab"]
    census = source.census(table, {}, Restriction(), with_checksum=True)()

    server.run(
        "set lock_wait_timeout = 2",
        "alter table ibl_subject.subject_lab add column cage int, algorithm = copy",
    )

    # there is no checksum of a table that has become another
    assert census.checksum_later and census.checksum_later() is None


def test_a_broken_sync_leaves_the_file_and_the_next_goes_on_where_it_stopped(
    source: DataJointSource,
    file: Path,
    server: Server,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sync(source, file)
    before = file.read_bytes()
    server.run(
        "update ibl_reference.`#lab` set institution = 'elsewhere'",
        "update ibl_behavior._trial_set set n_trials = n_trials + 1",
    )
    read = source.read

    def break_at_trial_sets(table, *arguments, **keywords):
        if table.name == "trial_set":
            raise SourceError("The server stopped answering.")
        return read(table, *arguments, **keywords)

    monkeypatch.setattr(source, "read", break_at_trial_sets)
    with pytest.raises(SourceError):
        sync(source, file)
    assert file.read_bytes() == before
    monkeypatch.undo()
    asked_at_once, asking = [], []
    stamps = source.stamps

    def one_at_a_time(tables):
        asking.append(tables)
        asked_at_once.append(len(asking))
        # long enough for another thread to come in between
        time.sleep(0.2)
        found = stamps(tables)
        asking.pop()
        return found

    monkeypatch.setattr(source, "stamps", one_at_a_time)

    report = sync(source, file)
    monkeypatch.undo()
    sync(source, tmp_path / "fresh.duckdb")

    assert report.is_resumed
    assert set(asked_at_once) == {1}
    assert how(report) == {"behavior.trial_set": "copied"}
    assert contents(file) == contents(tmp_path / "fresh.duckdb")


def test_full_fetches_everything_again(source: DataJointSource, file: Path) -> None:
    sync(source, file)
    before = contents(file)

    report = sync(source, file, full=True)

    assert {table.how for table in report.tables} == {"copied"}
    assert contents(file) == before


def test_a_file_that_lost_rows_is_not_taken_for_whole(source: DataJointSource, file: Path) -> None:
    import duckdb

    sync(source, file)
    before = contents(file)
    with duckdb.connect(str(file)) as vandal:
        vandal.execute("delete from acquisition.session_user")

    assert how(sync(source, file)) == {"acquisition.session_user": "copied"}
    assert contents(file) == before


@pytest.mark.both_servers
def test_digests_agree_with_the_server_on_every_type_of_a_trial(
    source: DataJointSource, file: Path, many_trials: None
) -> None:
    sync(source, file)
    table = next(t for t in source.tables()[0] if t.name == "trial_set__trial")
    columns = {column.name: copying.conversion(column) for column in table.columns}
    by = ("subject_uuid", "session_start_time")

    there = source.digests(table, columns, by, copying.Restriction())
    with connect(file) as mirror:
        here = copying._local_digests(mirror, table, columns, by)

    assert len(there) == 4
    assert here == {key: (share.rows, share.digest) for key, share in there.items()}


# of each type four values that lie close together, and whether single ones can be asked for
KEYS = {
    "tinyint(1)": ("0, 1, 2, 3", False),
    "bigint unsigned": ("0, 9007199254740993, 9007199254740994, 18446744073709551615", True),
    "decimal(20,10)": ("-0.5, 0.1, 0.1000000001, 1234567890.0000000001", True),
    "float": ("0.1, 0.2, 0.3, 1e10", False),
    "bit(3)": ("0, 1, 5, 7", False),
    "year": ("1999, 2000, 2019, 2155", False),
    "date": ("'1000-01-01', '2019-02-28', '2020-02-29', '9999-12-31'", True),
    "datetime(6)": ("'2019-08-01', '2019-08-01 00:00:00.000001', '1999-12-31', '2030-01-01'", True),
    "timestamp": ("'2019-03-31 01:59:59', '2019-03-31 03:00:00', '1999-12-31', '2030-01-01'", True),
    "time": ("'-838:59:59', '-00:00:01', '00:00:01', '27:00:00'", False),
    "binary(16)": ("x'00', x'01', x'ff', 'abc'", True),
    "binary(16) comment ':uuid:'": ("x'00', x'01', x'ff', 'abc'", True),
    "binary(20)": ("x'00', x'01', x'ff', 'abc'", True),
    "varbinary(20)": ("x'', x'00', x'0000', x'ff27'", True),
    "varchar(20)": ("'a', 'B', 'ß', '🐭'", True),
    "varchar(20) collate utf8mb4_bin": ("'a', 'A', 'b ', 'é'", True),
    "enum('low','High','Ünder','it''s')": ("'low', 'High', 'Ünder', 'it''s'", True),
    "set('a','b')": ("'', 'a', 'b', 'a,b'", False),
    "uuid": ("uuid(), uuid(), uuid(), uuid()", False),
}


def test_a_change_in_a_large_part_table_is_fetched_whatever_type_its_key_has(
    source: DataJointSource,
    file: Path,
    server: Server,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(copying, "LARGE_PART", 40)
    server.run("set names utf8mb4")
    for number, (declared, (values, _)) in enumerate(KEYS.items()):
        server.run(
            "use ibl_behavior",
            f"create table `m{number}` (k {declared}, primary key (k))",
            *(f"insert into `m{number}` values ({value})" for value in values.split(", ")),
            f"create table `m{number}__part` (k {declared}, n int, x int not null,"
            f" primary key (k, n), foreign key (k) references `m{number}` (k))",
            f"insert into `m{number}__part` select k, seq, 0 from `m{number}`, seq_1_to_10",
        )
    options = Options(table=("behavior.m*__part",))
    sync(source, file, options)
    server.run(
        "use ibl_behavior",
        *(
            f"update `m{number}__part` set x = 1"
            f" where n = 3 and k = (select k from `m{number}` order by k limit 1)"
            for number in range(len(KEYS))
        ),
    )

    report = sync(source, file, options)
    sync(source, tmp_path / "fresh.duckdb", options)

    done = how(report)
    assert {
        declared: done[f"behavior.m{number}__part"] for number, declared in enumerate(KEYS)
    } == {declared: "updated" if single else "copied" for declared, (_, single) in KEYS.items()}
    here, there = contents(file), contents(tmp_path / "fresh.duckdb")
    assert {name: sorted(rows) for name, rows in here.items()} == {
        name: sorted(rows) for name, rows in there.items()
    }


def test_what_an_interrupted_sync_of_other_options_left_is_not_used(
    source: DataJointSource, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = source.read

    def break_at_sessions(table, *arguments, **keywords):
        if table.name == "session":
            raise SourceError("The server stopped answering.")
        return read(table, *arguments, **keywords)

    monkeypatch.setattr(source, "read", break_at_sessions)
    with pytest.raises(SourceError):
        sync(source, file, Options(include_private=True))
    monkeypatch.undo()

    report = sync(source, file)

    assert not report.is_resumed
    assert b"hunter2" not in file.read_bytes()


def test_a_refused_sync_leaves_nothing_that_a_later_one_takes_up(
    source: DataJointSource, file: Path
) -> None:
    sync(source, file)
    with pytest.raises(UsageError, match="holds more"):
        sync(source, file, Options(table=("reference.*",)))
    file.rename(file.with_name("kept.duckdb"))

    report = sync(source, file, Options(table=("reference.*",)))

    assert not report.is_resumed and len(report.tables) == 2


def test_tables_that_the_login_may_no_longer_see_are_not_given_up(
    source: DataJointSource, file: Path, server: Server
) -> None:
    sync(source, file)
    before = file.read_bytes()
    server.run("drop database ibl_analyses_behavior")

    with pytest.raises(UsageError, match=r"such as behavior_analyses\."):
        sync(source, file)

    assert file.read_bytes() == before
    assert "behavior_analyses" in {i.what for i in sync(source, file, full=True).left_out}


def test_the_optional_schema_is_not_dropped_by_a_plain_sync(
    source: DataJointSource, file: Path, server: Server
) -> None:
    server.run("create database ibl_data", "create table ibl_data.x (a int primary key)")
    sync(source, file, Options(table=("*",)))

    with pytest.raises(UsageError, match=r"such as data\.x"):
        sync(source, file)


def test_a_link_stays_a_link(source: DataJointSource, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    link = tmp_path / "ibl.duckdb"
    link.symlink_to(disk / "real.duckdb")

    sync(source, link)
    sync(source, link)

    assert link.is_symlink() and (disk / "real.duckdb").is_file()


def test_the_rewritten_file_holds_the_same(
    source: DataJointSource, file: Path, many_trials: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync(source, file)
    before = contents(file)
    monkeypatch.setattr(store, "TOO_EMPTY", -1.0)

    sync(source, file)

    assert contents(file) == before
    with connect(file) as mirror:
        assert mirror.sql("select count(*) from trials").fetchall() == [(N + 4 * 6,)]


@pytest.mark.both_servers
def test_what_connectorx_cannot_finish_is_read_another_way(
    source: DataJointSource, file: Path, many_trials: None, server: Server, tmp_path: Path
) -> None:
    class NoMoreStatements(Progress):
        def advance(self, rows: int) -> None:
            # connectorx prepares its statements, pymysql does not
            server.run("set global max_prepared_stmt_count = 0")

    options = Options(table=("behavior.trial_set__trial",))
    try:
        sync(source, file, options, batch_rows=5_000, progress=NoMoreStatements())
    finally:
        server.run("set global max_prepared_stmt_count = default")
    sync(source, tmp_path / "fresh.duckdb", options)

    assert contents(file) == contents(tmp_path / "fresh.duckdb")
