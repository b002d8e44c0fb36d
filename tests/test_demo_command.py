"""`mirror sync --demo`: simulated mice for anybody, and never taken for data."""

import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import mirror
from mirror import derive

pytestmark = pytest.mark.slow

MICE = "5"


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "mirror", *arguments],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(folder)},
        capture_output=True,
        text=True,
        timeout=300,
        stdin=subprocess.DEVNULL,
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which a demo has been made, without any server or login."""
    folder = tmp_path_factory.mktemp("demo")
    done = run(folder, "sync", "--demo", "--demo-mice", MICE)
    assert done.returncode == 0, done.stderr
    assert "no animal did any of this" in done.stderr
    assert "next: mirror sql --database demo.duckdb" in done.stderr
    return folder


def test_status_and_file_say_that_the_mice_are_simulated(folder: Path) -> None:
    shown = run(folder, "status", "--database", "demo.duckdb").stdout
    found = json.loads(run(folder, "status", "--json", "--database", "demo.duckdb").stdout)

    assert shown.startswith("SIMULATED DATA")
    assert found["is_simulated"] and found["source"] == "demo"
    assert found["address"] == f"{MICE} simulated mice, seed 1"
    assert len(found["derived"]) == len(derive.TABLES)


def test_the_derived_tables_are_described_with_the_others(folder: Path) -> None:
    lines = run(folder, "describe", "--database", "demo.duckdb").stdout.splitlines()
    shown = run(folder, "describe", "derived.session_status", "--database", "demo.duckdb").stdout

    [line] = [line for line in lines if line.startswith("  derived.psychometric_fits")]
    assert line.split()[1] == "derived"
    assert shown.startswith("derived.session_status (derived, ")
    assert "rule_set" in shown


def test_help_knows_how_many_mice_there_are(tmp_path: Path) -> None:
    from mirror.sources.demo import MICE as by_default

    assert f"[default: {by_default}]" in run(tmp_path, "sync", "--help").stdout


def test_a_second_sync_has_nothing_to_do(folder: Path) -> None:
    again = run(folder, "sync", "--demo", "--demo-mice", MICE)

    assert "(92 unchanged)" in again.stderr
    assert f"derived: {len(derive.TABLES)} tables (unchanged)" in again.stderr


def test_the_commands_that_are_named_next_can_be_typed(folder: Path) -> None:
    file = folder / "my mice" / "the file's.duckdb"
    file.parent.mkdir()
    shutil.copy(folder / "demo.duckdb", file)
    file.chmod(0o644)

    done = run(folder, "sync", "--demo-mice", MICE, "--include-private", "--database", str(file))
    following = done.stderr.splitlines()[-1].removeprefix("next: ").split(", ")

    assert f"other accounts may read {file}, which holds private columns now" in done.stderr
    assert [shlex.split(command)[1] for command in following] == ["sql", "describe", "shell"]
    for command in following[:2]:
        assert run(folder, *shlex.split(command)[1:]).stdout


def test_a_command_without_a_name_finds_out_about_the_demo(folder: Path) -> None:
    asked = run(folder, "sql", "from sessions")

    assert asked.returncode == 2
    assert asked.stderr.endswith("or name the one that is there, --database demo.duckdb.\n")


def test_the_number_of_mice_does_not_change_unasked(folder: Path) -> None:
    other = run(folder, "sync", "--demo-mice", "6")

    assert other.returncode == 2
    assert "5 simulated mice" in other.stderr and "--full" in other.stderr


def test_the_derived_tables_can_be_left_out(folder: Path, tmp_path: Path) -> None:
    report = mirror.sync(tmp_path / "demo.duckdb", demo_mice=5, table="subject.*", derive=False)
    done = run(folder, "sync", "--demo-mice", MICE, "--no-derive", "--database", "copy.duckdb")

    assert report.derived.why == "--no-derive"
    assert "derived: left out (--no-derive)" in done.stderr
    with mirror.connect(folder / "copy.duckdb") as connection:
        for name in derive.TABLES:
            assert not connection.sql(f"from derived.{name}").fetchall()
        answer = connection.sql("select count(*), count(performance_easy) from sessions")
        [(n_sessions, n_recomputed)] = answer.fetchall()
        assert n_sessions and not n_recomputed
    assert (
        "derived: nothing (--no-derive)"
        in run(folder, "status", "--database", "copy.duckdb").stdout
    )


@pytest.mark.parametrize(
    "arguments", [("--host", "localhost"), ("--port", "3306"), ("--user", "a"), ("--ask-password",)]
)
def test_a_demo_asks_no_server(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    refused = run(tmp_path, "sync", "--demo", *arguments)

    assert refused.returncode == 2
    assert refused.stderr == (
        f"mirror: {arguments[0]} is for --source datajoint, and this is --source demo:"
        " leave it out.\n"
    )


def test_a_demo_never_replaces_data(
    mirror: Callable[..., subprocess.CompletedProcess], tables: object, tmp_path: Path
) -> None:
    assert mirror("sync").returncode == 0
    before = (tmp_path / "ibl.duckdb").read_bytes()
    refused = mirror("sync", "--demo", "--full", "--database", "ibl.duckdb")

    assert refused.returncode == 2
    assert "holds data, which simulated mice do not replace" in refused.stderr
    assert (tmp_path / "ibl.duckdb").read_bytes() == before
