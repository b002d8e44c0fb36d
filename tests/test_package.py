"""The package: what importing it costs, what the wheel holds, and that it works installed."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from mirror.sources.datajoint import DataJointSource
from mirror.sync import sync

ROOT = Path(__file__).parents[1]
# sockets are refused, so that reaching for the network fails
OFFLINE = """
import socket, sys
def refuse(*_, **__):
    raise AssertionError("the network was reached for")
socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse
"""


def python(script: str, folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    "module",
    ["mirror", "mirror.cli", "mirror.sync", "mirror.serve.engine", "mirror.serve.wire.server"],
)
def test_importing_needs_no_network_and_no_heavy_library(module: str, tmp_path: Path) -> None:
    heavy = "{'datajoint', 'nma_ibl', 'altair', 'pandas', 'matplotlib'}"

    assert python(f"{OFFLINE}import {module}; print({heavy} & set(sys.modules))", tmp_path) == (
        "set()\n"
    )


def test_datajoint_is_whole_after_the_mirror_has_used_part_of_it(tmp_path: Path) -> None:
    shown = python(
        f"{OFFLINE}from mirror.sources import library\n"
        "unpack, pack = library.datajoint('blob').unpack, library.datajoint('blob').pack\n"
        "assert library.datajoint('settings').config['database.port'] == 3306\n"
        "assert 'matplotlib' not in sys.modules\n"
        "import datajoint as dj\n"
        "assert library.datajoint('blob') is dj.blob\n"
        "assert dj.blob.unpack(pack([1, 2])) == unpack(dj.blob.pack([1, 2])) == [1, 2]\n"
        "class Mouse(dj.Manual): definition = 'name : varchar(8)'\n"
        "print(dj.__version__, dj.config['database.port'], dj.Diagram.__name__, dj.U('a'))",
        tmp_path,
    )

    assert shown.startswith("0.14.") and " 3306 Diagram " in shown


def test_the_schemas_are_those_of_nma_ibl_which_is_not_imported(tmp_path: Path) -> None:
    shown = python(
        f"{OFFLINE}from mirror.sources import library\n"
        "schemas = library.nma_ibl_schemas()\n"
        "assert not {'nma_ibl', 'datajoint'} & set(sys.modules)\n"
        "print(*schemas.items(), sep='\\n')",
        tmp_path,
    )

    assert shown.splitlines() == [
        "('reference', 'ibl_reference')",
        "('subject', 'ibl_subject')",
        "('action', 'ibl_action')",
        "('acquisition', 'ibl_acquisition')",
        "('data', 'ibl_data')",
        "('behavior', 'ibl_behavior')",
        "('behavior_analyses', 'ibl_analyses_behavior')",
    ]


def test_the_wheel_holds_the_views_and_works_far_from_the_checkout(
    source: DataJointSource, tmp_path: Path
) -> None:
    uv = shutil.which("uv") or shutil.which("uv", path=str(Path(sys.executable).parent))
    assert uv, "this test needs uv: pip install uv"
    sync(source, tmp_path / "ibl.duckdb")

    def run(*command: str | Path) -> str:
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
        return done.stdout + done.stderr

    run(uv, "build", "--wheel", "-o", tmp_path / "dist", ROOT)
    [wheel] = (tmp_path / "dist").glob("*.whl")
    views = {f"mirror/{file.relative_to(ROOT)}" for file in (ROOT / "sql").rglob("*.sql")}
    with zipfile.ZipFile(wheel) as held:
        assert views | {"mirror/provenance.sql"} <= set(held.namelist())
        assert {name.split("/")[0] for name in held.namelist()} == {
            "analyses",
            "mirror",
            wheel.name.removesuffix("-py3-none-any.whl") + ".dist-info",
        }
    run(uv, "venv", "--python", sys.executable, tmp_path / "venv")
    run(uv, "pip", "install", "--python", tmp_path / "venv", wheel)
    mirror = tmp_path / "venv" / "bin" / "mirror"

    assert run(mirror, "--version") == "mirror, version 0.1.0\n"
    *skipped, told = run(mirror, "views", "--database", tmp_path / "ibl.duckdb").splitlines()
    assert told == f"{len(views) - len(skipped)} views in {tmp_path / 'ibl.duckdb'}"
    assert all(line.startswith("skipped ") for line in skipped)
    run(mirror, "sync", "--demo-mice", "5")
    assert "learning_curves" in run(mirror, "plot")
