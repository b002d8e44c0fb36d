"""The whole mirror as a folder of Parquet: every row comes back, and a folder is never half."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner, Result

from mirror import connect, parquet, store
from mirror.cli import main
from mirror.errors import MirrorError, UsageError
from mirror.parquet import Manifest, Table

MOUSE, OTHER = "11111111-1111-1111-1111-111111111111", "22222222-2222-2222-2222-222222222222"


def a_mirror(file: Path, *mice: str, lab: str | None = "o'lab/1", n: int = 3) -> Path:
    """A mirror of mice with trials, made by hand, with types that Parquet has not."""
    with duckdb.connect(str(file)) as con:
        store.prepare(con)
        con.execute("create schema reference; create schema subject; create schema behavior")
        con.execute("create table reference.lab (lab_name varchar primary key, n utinyint)")
        con.execute("insert into reference.lab values ('shared', ?), (?, 1)", [n, file.stem])
        con.execute("create table subject.subject_lab (subject_uuid uuid, lab_name varchar)")
        con.execute(
            "create table behavior.trial (subject_uuid uuid, trial_id usmallint, sex"
            " enum('M', 'F'), wide hugeint, duration interval, clock timestamp_ns, more json,"
            " primary key (subject_uuid, trial_id))"
        )
        for mouse in mice:
            con.execute("insert into subject.subject_lab values (?, ?)", [mouse, lab])
            con.execute(
                "insert into behavior.trial select ?::uuid, 3 - i, 'F', -i, to_microseconds(i),"
                " timestamp_ns '2020-01-01 00:00:00.000001', '[1]' from range(3) as r(i)",
                [mouse],
            )
    return file


def exported(file: Path, folder: Path, full: bool = False) -> Manifest:
    with connect(file) as mirror:
        return parquet.export(mirror, folder, full)


def rows(folder: Path, table: str, columns: str = "*") -> list[tuple]:
    files = f"{folder}/{table.replace('.', '/')}/**/*.parquet"
    return duckdb.sql(
        f"select {columns} from read_parquet('{files}', hive_partitioning = false) order by all"
    ).fetchall()


def back(table: Table) -> str:
    """The columns of a file as they are in Parquet, in the order of the table."""
    return ", ".join(
        f'epoch_us("{column.source}")'
        if column.name != column.source
        else f'"{column.name}"::{column.kind}'
        for column in table.columns
    )


# rows


@pytest.mark.slow
def test_every_row_of_every_table_comes_back(simulated_file: Path, tmp_path: Path) -> None:
    held = exported(simulated_file, tmp_path / "out")
    with connect(simulated_file) as mirror:
        for table in held.tables:
            files = f"{tmp_path}/out/{table.name.replace('.', '/')}/**/*.parquet"
            here = f"select {back(table)} from {table.name}"
            there = f"select * from read_parquet('{files}', hive_partitioning = false)"

            for one, other in ((here, there), (there, here)):
                query = f"select count(*) from (({one}) except all ({other}))"
                assert mirror.sql(query).fetchall() == [(0,)], table.name
        known = {
            f"{schema}.{name}"
            for schema, name in mirror.sql(
                "select schema_name, table_name from duckdb_tables()"
            ).fetchall()
        }

    assert {table.name for table in held.tables} == known
    assert [t.name for t in held.tables if t.is_by_lab][-1] == "main.trials"


def test_types_that_others_refuse_arrive_as_what_they_know(tmp_path: Path) -> None:
    exported(a_mirror(tmp_path / "a.duckdb", MOUSE), tmp_path / "out")
    described = duckdb.sql(
        f"describe from read_parquet('{tmp_path}/out/behavior/trial/*/*.parquet',"
        " hive_partitioning = false)"
    ).fetchall()

    assert {name: kind for name, kind, *_ in described} == {
        "subject_uuid": "VARCHAR",
        "trial_id": "INTEGER",
        "sex": "VARCHAR",
        "wide": "DECIMAL(38,0)",
        "duration_us": "BIGINT",
        "clock": "TIMESTAMP",
        "more": "VARCHAR",
    }


def test_trials_lie_by_lab_and_in_the_order_of_their_key(tmp_path: Path) -> None:
    exported(a_mirror(tmp_path / "a.duckdb", MOUSE), tmp_path / "out")
    [file] = (tmp_path / "out" / "behavior" / "trial").glob("*/*.parquet")

    assert duckdb.sql(f"select trial_id from '{file}'").fetchall() == [(1,), (2,), (3,)]
    assert duckdb.sql(
        f"select distinct lab_name from read_parquet('{tmp_path}/out/behavior/trial/*/*.parquet')"
    ).fetchall() == [("o'lab/1",)]


def test_trials_of_no_lab_are_there(tmp_path: Path) -> None:
    exported(a_mirror(tmp_path / "a.duckdb", MOUSE, lab=None), tmp_path / "out")

    assert len(rows(tmp_path / "out", "behavior.trial")) == 3


# several exports


def test_other_mice_are_added_and_what_is_of_no_mouse_is_the_newest(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    exported(a_mirror(tmp_path / "a.duckdb", MOUSE, n=3), folder)
    held = exported(a_mirror(tmp_path / "b.duckdb", OTHER, n=4), folder)

    assert held.mice == (MOUSE, OTHER)
    assert len(held.exports) == 2
    assert rows(folder, "behavior.trial", "subject_uuid, trial_id") == [
        (mouse, trial) for mouse in (MOUSE, OTHER) for trial in (1, 2, 3)
    ]
    assert rows(folder, "reference.lab") == [("a", 1), ("b", 1), ("shared", 4)]


def test_the_same_mice_are_not_added_twice(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    file = a_mirror(tmp_path / "a.duckdb", MOUSE)
    exported(file, folder)
    before = sorted(folder.rglob("*"))
    with pytest.raises(UsageError, match=f"holds the mouse {MOUSE} already.*--full"):
        exported(file, folder)

    assert sorted(folder.rglob("*")) == before

    exported(file, folder, full=True)

    assert len(rows(folder, "behavior.trial")) == 3


def test_a_table_of_another_version_is_not_added(tmp_path: Path) -> None:
    exported(a_mirror(tmp_path / "a.duckdb", MOUSE), tmp_path / "out")
    other = a_mirror(tmp_path / "b.duckdb", OTHER)
    with duckdb.connect(str(other)) as con:
        con.execute("alter table behavior.trial add column new integer")

    with pytest.raises(UsageError, match=r"another version, with another table behavior\.trial"):
        exported(other, tmp_path / "out")


def test_simulated_mice_are_not_added_to_real_ones(tmp_path: Path) -> None:
    exported(a_mirror(tmp_path / "a.duckdb", MOUSE), tmp_path / "out")
    other = a_mirror(tmp_path / "b.duckdb", OTHER)
    with duckdb.connect(str(other)) as con:
        con.execute(
            "insert into _mirror.runs"
            " values (1, now(), now(), 1, 'demo', '', true, '{}', '{}', 1, 1, true)"
        )

    with pytest.raises(UsageError, match="holds real mice, and these are simulated"):
        exported(other, tmp_path / "out")


# bad input


def test_a_folder_of_something_else_is_not_replaced(tmp_path: Path) -> None:
    folder = tmp_path / "precious"
    folder.mkdir()
    (folder / "thesis.txt").touch()

    with pytest.raises(UsageError, match="is there and no export"):
        exported(a_mirror(tmp_path / "a.duckdb", MOUSE), folder, full=True)

    assert [file.name for file in folder.iterdir()] == ["thesis.txt"]


def test_an_export_of_another_form_is_not_added_to(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "export.json").write_text(json.dumps({"format": 99, "mirror": "9.9"}))

    with pytest.raises(MirrorError, match=r"was exported by mirror 9\.9"):
        exported(a_mirror(tmp_path / "a.duckdb", MOUSE), folder)


def test_a_killed_export_leaves_the_folder_as_it_was(simulated_file: Path, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    exported(a_mirror(tmp_path / "a.duckdb", MOUSE), folder)
    before = sorted(folder.rglob("*"))
    command = [sys.executable, "-m", "mirror", "export", "--all", str(folder), "--full"]
    running = subprocess.Popen([*command, "--database", str(simulated_file)], cwd=tmp_path)
    while not list(tmp_path.glob(".out.*.partial/*/*/*.parquet")):
        assert running.poll() is None
        time.sleep(0.01)
    running.kill()
    running.wait()

    assert sorted(folder.rglob("*")) == before


def test_who_was_killed_between_two_renames_gets_the_folder_back(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    exported(a_mirror(tmp_path / "a.duckdb", MOUSE), folder)
    os.rename(folder, tmp_path / ".out.123.old")

    held = exported(a_mirror(tmp_path / "b.duckdb", OTHER), folder)

    assert held.mice == (MOUSE, OTHER)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: CliRunner().invoke(main, arguments)


@pytest.mark.parametrize(
    ("arguments", "answer"),
    [
        ([], "Say what to export"),
        (["trials", "--all", "out"], "leave out NAME and -o"),
        (["trials", "--full"], "add --all DIR"),
        (["--all", "no/such/out"], "There is no folder"),
    ],
)
def test_what_export_cannot_do_is_a_sentence(
    arguments: list[str], answer: str, run: Callable[..., Result], tmp_path: Path
) -> None:
    a_mirror(tmp_path / "ibl.duckdb", MOUSE)
    done = run("export", *arguments)

    assert done.exit_code == 2
    assert answer in done.stderr


def test_the_command_says_what_the_folder_holds(run: Callable[..., Result], tmp_path: Path) -> None:
    a_mirror(tmp_path / "ibl.duckdb", MOUSE)
    done = run("export", "--all", "out")

    assert done.exit_code == 0, done.stderr
    assert "and 1 mice in out" in done.stderr


def test_views_of_another_version_are_brought_up_first(tmp_path: Path) -> None:
    file = a_mirror(tmp_path / "a.duckdb", MOUSE)
    with duckdb.connect(str(file)) as con:
        con.execute("insert into _mirror.views values ('labs', 'x', null, false, 'old')")

    with pytest.raises(UsageError, match=r"has labs of another version .* 'mirror views' first"):
        exported(file, tmp_path / "out")


# the views as SQL


def test_refused_views_are_named_and_the_rest_is_written(
    run: Callable[..., Result], tmp_path: Path
) -> None:
    with duckdb.connect(str(a_mirror(tmp_path / "ibl.duckdb", MOUSE))) as con:
        con.execute("create view fine as select trial_id from behavior.trial")
        con.execute("create view hashed as select hash(trial_id) as h from behavior.trial")
    done = run("views", "--dialect", "spark", "-o", "views.sql")
    written = (tmp_path / "views.sql").read_text("utf-8")

    assert done.exit_code == 0, done.stderr
    assert "left out hashed: hashed.sql, line 1, hash(): use md5" in done.stderr
    assert "create or replace temporary view `fine`" in written
    assert "path '${folder}/behavior/trial'" in written
    assert "view `hashed`" not in written


def test_a_file_for_the_sql_needs_a_dialect(run: Callable[..., Result]) -> None:
    done = run("views", "-o", "views.sql")

    assert (done.exit_code, "add --dialect spark" in done.stderr) == (2, True)
