"""Nothing that is wrong with one table costs the others."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest
from server import Server

from mirror import connect
from mirror.sources.datajoint import DataJointSource
from mirror.syncing import Options, Report
from mirror.syncing import sync as sync_all

# what is derived from the tables has tests of its own
sync = partial(sync_all, options=Options(schema=("behavior",)), with_derived=False)
ODD = "ibl_behavior.odd"
GARBAGE = b"garbage" * 100
# Per way to be damaged: the file that is, what becomes of its bytes, what the server says of it.
DAMAGES: dict[str, tuple[str, Callable[[bytes], bytes], str]] = {
    "heading": (".frm", lambda _: GARBAGE, "Incorrect information in file"),
    "index": (".MYI", lambda _: GARBAGE, "Incorrect file format"),
    "rows": (".MYD", lambda whole: whole[: len(whole) // 2], "crashed"),
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "ibl.duckdb"


def rows(file: Path, query: str) -> list[tuple]:
    with connect(file) as mirror:
        return mirror.sql(query).fetchall()


def told(report: Report) -> dict[str, str]:
    """What the sync says of the tables that it could not bring."""
    return {item.what: item.why for item in (*report.left_out, *report.kept) if "." in item.what}


@pytest.fixture(params=DAMAGES)
def damage(
    tables: SimpleNamespace, server: Server, request: pytest.FixtureRequest
) -> Iterator[tuple[Callable[[], None], str]]:
    """Do a table some damage, for the length of a test; and what the server says of it."""
    server.run(
        f"create table {ODD} (id int primary key, x varchar(64)) engine = MyISAM",
        f"insert into {ODD} select seq, md5(seq) from ibl_behavior.seq_1_to_20000",
        f"flush tables {ODD}",
    )
    suffix, damaged, reason = DAMAGES[request.param]
    path = server.folder / "d" / "ibl_behavior" / f"odd{suffix}"
    whole = path.read_bytes()

    def do() -> None:
        server.run(f"flush tables {ODD}")
        path.write_bytes(damaged(whole))

    yield do, reason
    # the server drops no table that it cannot read
    path.write_bytes(whole)
    server.run(f"flush tables {ODD}")


def test_a_damaged_table_is_left_out_or_kept_with_its_reason(
    source: DataJointSource,
    server: Server,
    file: Path,
    damage: tuple[Callable[[], None], str],
) -> None:
    do, reason = damage
    sync(source, file)
    do()
    server.run("update ibl_behavior._trial_set set n_trials = n_trials + 1")

    fresh = sync(source, file.with_name("fresh.duckdb"))
    again = sync(source, file)

    assert reason in told(fresh)["behavior.odd"] and not fresh.kept
    assert len(fresh.tables) == 4
    assert [item.what for item in again.kept] == ["behavior.odd"]
    assert reason in told(again)["behavior.odd"]
    [(_, why)] = rows(file, "from _mirror.left_out where what = 'behavior.odd'")
    assert reason in why and why.startswith("kept as it was")
    assert rows(file, "select count(*), max(id) from behavior.odd") == [(20_000, 20_000)]
    assert {table.table: table.how for table in again.tables}["behavior.trial_set"] == "copied"


def test_a_table_that_goes_while_a_sync_is_on_its_way_is_kept_until_the_next(
    source: DataJointSource, server: Server, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.run(f"create table {ODD} (id int primary key)", f"insert into {ODD} values (7)")
    sync(source, file)
    server.run(f"insert into {ODD} values (8)")
    listed = source.tables()
    monkeypatch.setattr(source, "tables", lambda: listed)
    server.run(f"drop table {ODD}")

    report = sync(source, file)

    assert "doesn't exist" in told(report)["behavior.odd"]
    assert rows(file, "from behavior.odd") == [(7,)]
    monkeypatch.undo()
    assert sync(source, file).gone == ("behavior.odd",)


def test_names_that_differ_in_case_alone_are_told_apart(
    source: DataJointSource, server: Server, file: Path
) -> None:
    names = ("foo", "Foo", "FOO", "#bar", "_Bar", "baz", "__BAZ", "#", "foo_2")
    for number, name in enumerate(names):
        server.run(
            f"create table ibl_behavior.`{name}` (a int primary key)",
            f"insert into ibl_behavior.`{name}` values ({number})",
        )

    report = sync(source, file)

    held = dict(
        rows(
            file,
            f"select mysql_table, table_name from _mirror.tables where mysql_table in {names}",
        )
    )
    assert held == {
        "foo": "foo",
        "foo_2": "foo_2",
        "Foo": "Foo_3",
        "FOO": "FOO_4",
        "#bar": "bar",
        "_Bar": "_Bar",
        "baz": "baz",
        "__BAZ": "__BAZ",
        "#": "#",
    }
    for number, name in enumerate(names):
        assert rows(file, f'from behavior."{held[name]}"') == [(number,)]
    notes = {copied.table: copied.notes for copied in report.tables if copied.notes}
    assert notes["behavior.Foo_3"] == ("Foo on the server, where another table has its name here",)
    assert "behavior.foo" not in notes
    assert not {table.how for table in sync(source, file).tables} - {"unchanged"}


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ("id int primary key, kind enum('a', 'a')", "the file cannot hold it"),
        ("session_narrative int primary key", "all its columns are left out"),
    ],
    ids=["no such type", "nothing left"],
)
def test_a_table_that_the_file_cannot_hold_is_left_out_with_its_reason(
    source: DataJointSource, server: Server, file: Path, columns: str, reason: str
) -> None:
    connection = server.admin()
    with connection, connection.cursor() as cursor:
        cursor.execute("set sql_mode = ''")
        cursor.execute(f"create table {ODD} ({columns})")

    report = sync(source, file)

    assert reason in told(report)["behavior.odd"]
    assert len(report.tables) == 4
