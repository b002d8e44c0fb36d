"""The file: how it is replaced, what it declares, who can read it, what is not in it."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import duckdb
import ibl
import pytest
import server as mariadb

from mirror import connect
from mirror.errors import UsageError
from mirror.sources.datajoint import DataJointSource
from mirror.sources.datajoint.login import Login, Secret
from mirror.syncing import Options, sync

MODULES = {
    "reference": "ibl_reference",
    "subject": "ibl_subject",
    "acquisition": "ibl_acquisition",
    "behavior": "ibl_behavior",
    "behavior_analyses": "ibl_analyses_behavior",
}
SECRETS = (b"hunter2", b"example.org", b"1 Secret Street", b"bit a student", b"the mouse slept")

COUNT = "print(c.execute('select count(*) from subject.death').fetchone()[0], flush=True);"
READER = (
    "import mirror, sys; c = mirror.connect(sys.argv[1]);"
    f"{COUNT} sys.stdin.readline(); {COUNT} c.close(); c = mirror.connect(sys.argv[1]); {COUNT}"
)
KILLED_WRITER = (
    "import duckdb, os, signal, sys; c = duckdb.connect(sys.argv[1]);"
    "c.execute('create table mine as select 1'); os.kill(os.getpid(), signal.SIGKILL)"
)


@pytest.fixture(scope="module")
def filled(server: mariadb.Server) -> Iterator[DataJointSource]:
    """A source on a small IBL database that no test changes."""
    ibl.drop(server)
    ibl.declare(ibl.connect(server))
    user, password = mariadb.READER
    opened = DataJointSource(Login("127.0.0.1", server.port, user, Secret(password), None, ""))
    yield opened
    opened.close()
    ibl.drop(server)


@pytest.fixture(scope="module")
def synced(filled: DataJointSource, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("store") / "ibl.duckdb"
    sync(filled, file)
    return file


def declared(server: mariadb.Server, query: str) -> list[tuple]:
    """Ask information_schema; schemas are given their names in the mirror."""
    schemas = {mysql: module for module, mysql in MODULES.items()}
    texts = ([v.decode() if isinstance(v, bytes) else v for v in row] for row in server.run(query))
    return [
        (schemas[schema], table.lstrip("_#"), *rest)
        for schema, table, *rest in texts
        if schema in schemas and not table.startswith("~")
    ]


# what the file declares


def test_columns_keep_the_servers_order_nullability_and_comments(
    server: mariadb.Server, synced: Path
) -> None:
    there = declared(
        server,
        "select table_schema, table_name, column_name, is_nullable = 'YES',"
        " regexp_replace(column_comment, '^:[^:]+:', '')"
        " from information_schema.columns order by 1, 2, ordinal_position",
    )
    private = {"password", "email", "is_active", "address"}
    private |= {"subject_description", "session_narrative"}
    with connect(synced) as mirror:
        here = mirror.execute(
            "select schema_name, table_name, column_name, is_nullable::int,"
            " coalesce(comment, '') from duckdb_columns() order by 1, 2, column_index"
        ).fetchall()

    def by_table(columns: list[tuple]) -> dict[tuple, list[tuple]]:
        found: dict[tuple, list[tuple]] = {}
        for schema, table, *rest in columns:
            if schema in MODULES and rest[0] not in private:
                found.setdefault((schema, table), []).append(tuple(rest))
        return found

    assert len(by_table(here)) == 17
    assert by_table(here) == by_table(there)


def test_tables_keep_the_servers_primary_keys(server: mariadb.Server, synced: Path) -> None:
    there = declared(
        server,
        "select table_schema, table_name, group_concat(column_name order by seq_in_index)"
        " from information_schema.statistics where index_name = 'PRIMARY' group by 1, 2",
    )
    with connect(synced) as mirror:
        here = mirror.execute(
            "select schema_name, table_name, array_to_string(constraint_column_names, ',')"
            " from duckdb_constraints() where constraint_type = 'PRIMARY KEY'"
            " and schema_name <> '_mirror'"
        ).fetchall()

    assert len(here) == 17
    assert sorted(here) == sorted(there)


def test_tables_say_what_a_row_is_and_keep_their_comments(synced: Path) -> None:
    with connect(synced) as mirror:
        comments = dict(
            mirror.execute(
                "select schema_name || '.' || table_name, comment from duckdb_tables()"
            ).fetchall()
        )

    key = "subject_uuid and session_start_time"
    comment = f"One row per {key}: information about behavioral trials"
    assert comments["behavior.trial_set"] == comment
    assert comments["subject.death"] == "One row per subject_uuid"


def test_rows_lie_in_the_order_of_the_primary_key(synced: Path) -> None:
    with connect(synced) as mirror:
        stored = mirror.execute(
            "select subject_uuid, session_start_time, trial_id from behavior.trial_set__trial"
            " order by rowid"
        ).fetchall()

    assert len(stored) == 24
    assert stored == sorted(stored)


def test_the_provenance_covers_every_table_and_column(synced: Path) -> None:
    with connect(synced) as mirror:

        def rows(query: str) -> list[tuple]:
            return mirror.execute(query + " order by all").fetchall()

        assert rows("select schema_name, table_name from _mirror.tables") == rows(
            "select schema_name, table_name from duckdb_tables()"
            " where schema_name not in ('_mirror', 'derived', 'main')"
        )
        assert rows(
            "select schema_name, table_name, column_name, duckdb_type from _mirror.columns"
            " where duckdb_type is not null"
        ) == rows(
            "select schema_name, table_name, column_name, data_type from duckdb_columns() join"
            " _mirror.tables using (schema_name, table_name)"
        )
        for schema, table, n in rows("select schema_name, table_name, n_rows from _mirror.tables"):
            assert rows(f"select count(*) from {schema}.{table}") == [(n,)]
        assert rows(
            "select column_names, referenced_schema, referenced_table, violations from"
            " _mirror.foreign_keys where table_name = 'trial_set__trial'"
        ) == [(["subject_uuid", "session_start_time"], "behavior", "trial_set", 0)]
        assert rows("select run, n_tables, n_rows from _mirror.runs") == rows(
            "select 1, count(*), sum(n_rows) from _mirror.tables"
        )
        assert rows("select what from _mirror.left_out where what = 'subject.~log'")


def test_the_provenance_is_commented_throughout(synced: Path) -> None:
    with connect(synced) as mirror:
        assert not mirror.execute(
            "select table_name from duckdb_tables() where schema_name = '_mirror'"
            " and comment is null union all"
            " select table_name || '.' || column_name from duckdb_columns()"
            " where schema_name = '_mirror' and comment is null"
        ).fetchall()


# what is not in the file


def test_private_values_are_nowhere_in_the_file(synced: Path) -> None:
    content = synced.read_bytes()

    assert b"KS014" in content
    assert [secret for secret in SECRETS if secret in content] == []


def test_private_values_are_in_the_file_on_request(filled: DataJointSource, tmp_path: Path) -> None:
    sync(filled, tmp_path / "ibl.duckdb", Options(include_private=True))

    content = (tmp_path / "ibl.duckdb").read_bytes()
    assert (tmp_path / "ibl.duckdb").stat().st_mode & 0o777 == 0o600
    with connect(tmp_path / "ibl.duckdb") as mirror:
        passwords = mirror.execute("select distinct password from reference.lab_member").fetchall()
    assert [secret for secret in SECRETS if secret not in content] == []
    assert passwords == [("hunter2",)]


def test_a_full_sync_without_private_columns_forgets_their_values(
    filled: DataJointSource, tmp_path: Path
) -> None:
    file = tmp_path / "ibl.duckdb"
    sync(filled, file, Options(include_private=True))
    sync(filled, file, full=True)

    content = file.read_bytes()
    assert [secret for secret in SECRETS if secret in content] == []


# how it is opened


def test_a_mirror_opens_read_only(synced: Path) -> None:
    with connect(synced) as mirror, pytest.raises(duckdb.InvalidInputException, match="read-only"):
        mirror.execute("insert into _mirror.left_out values ('a', 'b')")


def test_opening_no_file_or_no_mirror_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="make one with 'mirror sync"):
        connect(tmp_path / "ibl.duckdb")
    assert list(tmp_path.iterdir()) == []
    duckdb.connect(str(tmp_path / "other.duckdb")).close()
    with pytest.raises(UsageError, match="not a mirror"):
        connect(tmp_path / "other.duckdb")


def test_duckdb_1_1_reads_tables_views_and_comments(synced: Path) -> None:
    uv = shutil.which("uv") or shutil.which("uv", path=str(Path(sys.executable).parent))
    assert uv, "this test needs uv: pip install uv"
    # 1.0 refuses files with primary keys, whatever the storage version
    script = (
        "import duckdb, sys; c = duckdb.connect(sys.argv[1], read_only=True);"
        "print(duckdb.__version__);"
        "print(c.sql('select count(*) from behavior.trial_set__trial').fetchone()[0]);"
        "print(c.sql('select count(signed_contrast) from trials').fetchone()[0]);"
        "print(c.sql('select count(training_day) from sessions').fetchone()[0]);"
        "print(c.sql(\"select comment from duckdb_tables() where table_name = 'trial_set'\")"
        ".fetchone()[0])"
    )
    done = subprocess.run(
        [
            *(uv, "run", "--no-project", "--isolated", "--python", "3.11"),
            *("--with", "duckdb==1.1.0", "python", "-c", script, synced),
        ],
        capture_output=True,
        text=True,
        timeout=120,
    )

    comment = "One row per subject_uuid and session_start_time: information about behavioral trials"
    expected = ["1.1.0", "24", "24", "4", comment]
    assert done.stdout.splitlines() == expected, done.stderr


# how it is replaced


def test_a_reader_keeps_the_old_file_until_it_opens_the_new_one(
    source: DataJointSource, tables: SimpleNamespace, tmp_path: Path
) -> None:
    file = tmp_path / "ibl.duckdb"
    sync(source, file)
    # a process of its own: within one, DuckDB shares what is open
    reader = subprocess.Popen(
        [sys.executable, "-c", READER, file],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert reader.stdin and reader.stdout
    before = reader.stdout.readline()
    tables.Death.insert1((ibl.KS014, "2021-01-01"))
    sync(source, file)
    after, _ = reader.communicate("again\n", timeout=60)

    assert (before, after) == ("1\n", "1\n2\n")


def test_nothing_remains_beside_the_file(
    source: DataJointSource, tables: SimpleNamespace, tmp_path: Path
) -> None:
    file = tmp_path / "ibl.duckdb"
    sync(source, file)
    tables.Death.insert1((ibl.KS014, "2021-01-01"))
    sync(source, file)
    sync(source, file, full=True)

    assert list(tmp_path.iterdir()) == [file]


def test_a_stale_log_beside_the_target_is_not_replayed_on_the_new_file(
    source: DataJointSource, tmp_path: Path
) -> None:
    file = tmp_path / "ibl.duckdb"
    sync(source, file)
    killed = subprocess.run([sys.executable, "-c", KILLED_WRITER, file], timeout=60)
    assert killed.returncode == -9
    assert file.with_name("ibl.duckdb.wal").stat().st_size > 0

    sync(source, file, full=True)

    assert list(tmp_path.iterdir()) == [file]
    with connect(file) as mirror:
        assert not mirror.execute(
            "select 1 from duckdb_tables() where table_name = 'mine'"
        ).fetchall()
        assert mirror.execute("select count(*) from trials").fetchall() == [(24,)]


def test_refreshing_a_changed_table_does_not_make_the_file_grow(
    source: DataJointSource, tables: SimpleNamespace, server: mariadb.Server, tmp_path: Path
) -> None:
    grown, fresh = tmp_path / "grown.duckdb", tmp_path / "fresh.duckdb"
    server.run(
        "use ibl_behavior",
        "insert into _trial_set__trial select subject_uuid, session_start_time, seq,"
        " rand(), rand(), rand(), 'CW', rand(), 0.25, 0, rand(), 1, 1, rand(), rand(),"
        " 0.5, rand(), rand(), 1 from _trial_set join seq_1000_to_9000",
    )
    for _ in range(4):
        server.run(
            "update ibl_behavior._trial_set__trial set trial_start_time = rand(),"
            " trial_end_time = rand(), trial_response_time = rand()"
        )
        sync(source, grown)
    sync(source, fresh)

    with connect(grown) as mirror:
        assert mirror.execute("select count(*) from trials").fetchall() == [(32_028,)]
    assert grown.stat().st_size < 1.3 * fresh.stat().st_size


def test_the_file_shrinks_with_what_the_server_holds(
    source: DataJointSource, server: mariadb.Server, tmp_path: Path
) -> None:
    shrunk, fresh = tmp_path / "shrunk.duckdb", tmp_path / "fresh.duckdb"
    sync(source, fresh)
    server.run(
        "use ibl_subject",
        "create table notes (note_id int primary key, a double, b double, c double, d double)",
        "insert into notes select seq, rand(), rand(), rand(), rand() from seq_1_to_300000",
    )
    sync(source, shrunk)
    grown = shrunk.stat().st_size
    server.run("drop table ibl_subject.notes")
    sync(source, shrunk)

    assert shrunk.stat().st_size < 1.3 * fresh.stat().st_size < grown
    assert sorted(tmp_path.iterdir()) == [fresh, shrunk]


def test_duckdb_draws_no_progress_bar_over_data(synced: Path) -> None:
    # started as a module, DuckDB takes the command for a notebook
    query = "select current_setting('enable_progress_bar') as is_drawn"
    done = subprocess.run(
        [sys.executable, "-m", "mirror", "sql", query, "--database", str(synced)],
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert done.stdout == "is_drawn\nfalse\n"
