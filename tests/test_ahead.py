"""Small tables are read ahead, many in one question: the same rows, and faults of each its own."""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from proxy import between
from server import Server

from mirror import connect
from mirror.progress import Progress
from mirror.sources.datajoint import DataJointSource, counting
from mirror.sources.datajoint.login import Login
from mirror.syncing import Options, Report, sync

pytestmark = pytest.mark.both_servers
OWN = Options(table=("behavior.own_*",))
N_TABLES, N_ROWS = 12, 20


@pytest.fixture
def own(tables: SimpleNamespace, server: Server) -> None:
    """Twelve small tables."""
    for number in range(N_TABLES):
        rows = ", ".join(
            f"({row}, {number / 7}, '2019-08-0{1 + row % 9} 11:05:30', 'é{row}', null)"
            for row in range(N_ROWS)
        )
        server.run(
            f"create table ibl_behavior.own_{number:02} (id int primary key, x float,"
            " at datetime, name varchar(20), b longblob comment ':longblob:')",
            f"insert into ibl_behavior.own_{number:02} values {rows}",
        )


@pytest.fixture
def asked(server: Server) -> Iterator[Callable[[], list[str]]]:
    """What clients have sent to the server since the last call, by command."""
    server.run("set global log_output = 'TABLE'", "set global general_log = 1")

    def seen() -> list[str]:
        found = server.run(
            "select command_type from mysql.general_log where user_host like '%reader%'"
            " and command_type in ('Connect', 'Prepare')"
        )
        server.run("truncate mysql.general_log")
        return [kind for (kind,) in found]

    seen()
    yield seen
    server.run("set global general_log = 0", "set global log_output = default")


def copied(source: DataJointSource, file: Path) -> tuple[Report, dict[str, list[tuple]]]:
    report = sync(source, file, OWN, full=True, with_derived=False)
    with connect(file) as mirror:
        names = [str(table.table) for table in report.tables]
        return report, {name: mirror.sql(f"from {name}").fetchall() for name in names}


def test_the_same_rows_and_provenance_as_on_their_own(
    own: None, source: DataJointSource, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    together, rows = copied(source, tmp_path / "together.duckdb")
    monkeypatch.setattr(counting, "SMALL_ROWS", -1)
    singly, expected = copied(source, tmp_path / "singly.duckdb")

    assert rows == expected and len(rows) == N_TABLES
    assert all(len(some) == N_ROWS for some in rows.values())
    without_time = [replace(table, seconds=0) for table in together.tables]
    assert without_time == [replace(table, seconds=0) for table in singly.tables]
    kept = "select table_name, n_rows, change_token, checksum from _mirror.tables order by all"
    found = []
    for name in ("together", "singly"):
        with connect(tmp_path / f"{name}.duckdb") as mirror:
            found.append(mirror.sql(kept).fetchall())
    assert found[0] == found[1]


def test_they_take_one_connection(
    own: None,
    source: DataJointSource,
    tmp_path: Path,
    asked: Callable[[], list[str]],
) -> None:
    asked()

    copied(source, tmp_path / "ibl.duckdb")

    assert asked() == ["Connect"]


def test_a_table_that_is_refused_costs_the_others_nothing(
    own: None, source: DataJointSource, server: Server, tmp_path: Path
) -> None:
    # it is listed, and its rows are not to be had
    listed = source.tables()
    source.tables = lambda: listed  # type: ignore[method-assign]
    server.run("drop table ibl_behavior.own_03")

    report, rows = copied(source, tmp_path / "ibl.duckdb")

    assert len(rows) == N_TABLES - 1
    assert all(len(some) == N_ROWS for some in rows.values())
    [missing] = [item for item in report.left_out if item.what == "behavior.own_03"]
    assert "doesn't exist" in missing.why


def test_a_table_that_is_larger_than_it_was_is_read_on_its_own(
    own: None, source: DataJointSource, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # as if estimated before the rows came
    monkeypatch.setattr(counting, "is_small", lambda state: True)
    monkeypatch.setattr(counting, "SMALL_ROWS", N_ROWS - 1)

    _, rows = copied(source, tmp_path / "ibl.duckdb")

    assert [len(some) for some in rows.values()] == [N_ROWS] * N_TABLES


def test_a_table_that_changes_meanwhile_is_of_one_moment(
    own: None, source: DataJointSource, server: Server, tmp_path: Path
) -> None:
    class Changing(Progress):
        def start(self, what: str, total: int | None = None, unit: str = "rows") -> None:
            # by now it is on its way with the others
            if what == "behavior.own_11":
                server.run("insert into ibl_behavior.own_11 (id) values (100)")

    file = tmp_path / "ibl.duckdb"

    first = sync(source, file, OWN, with_derived=False, progress=Changing())
    again = sync(source, file, OWN, with_derived=False)

    assert [table.rows for table in first.tables] == [N_ROWS] * N_TABLES
    assert not [note for table in first.tables for note in table.notes if "changed" in note]
    assert {table.table: table.rows for table in again.tables if table.how != "unchanged"} == {
        "behavior.own_11": N_ROWS + 1
    }


def test_a_connection_that_breaks_is_only_that_of_the_many(
    own: None, login: Login, server: Server, tmp_path: Path
) -> None:
    with (
        between(server.port, b"own_05` as t", "cut once") as proxy,
        closing(DataJointSource(replace(login, port=proxy.port, use_tls=False))) as source,
    ):
        _, rows = copied(source, tmp_path / "ibl.duckdb")
        assert proxy.frozen.is_set()

    assert [len(some) for some in rows.values()] == [N_ROWS] * N_TABLES
