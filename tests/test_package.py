"""The package: what importing it costs, what the wheel holds, and that it works installed."""

import os
import pkgutil
import shutil
import subprocess
import sys
import zipfile
from importlib import import_module
from pathlib import Path

import pytest

import mirror
from mirror.sources.datajoint import DataJointSource
from mirror.syncing import sync

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
MIRROR = Path(sys.executable).with_name("mirror")
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
    ["mirror", "mirror.cli", "mirror.syncing", "mirror.serve.engine", "mirror.serve.wire.server"],
)
def test_importing_needs_no_network_and_no_heavy_library(module: str, tmp_path: Path) -> None:
    heavy = "{'datajoint', 'nma_ibl', 'altair', 'pandas', 'matplotlib'}"

    assert python(f"{OFFLINE}import {module}; print({heavy} & set(sys.modules))", tmp_path) == (
        "set()\n"
    )


def test_no_module_hides_behind_a_function_of_its_name() -> None:
    names = [found.name for found in pkgutil.iter_modules(mirror.__path__)]
    modules = [import_module(f"mirror.{name}") for name in names if name != "__main__"]

    assert modules == [getattr(mirror, m.__name__.removeprefix("mirror.")) for m in modules]
    assert all(callable(function) for function in (mirror.connect, mirror.offline, mirror.sync))


def test_the_views_are_there_as_soon_as_the_package_is(tmp_path: Path) -> None:
    shown = python("import mirror; print(mirror.views.apply.__module__)", tmp_path)

    assert shown == "mirror.views\n"


def test_the_version_is_the_commands(tmp_path: Path) -> None:
    shown = python("import mirror; print(mirror.__version__)", tmp_path)

    done = subprocess.run([MIRROR, "--version"], capture_output=True, text=True, timeout=60)
    assert done.stdout == f"mirror, version {shown}"


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


def folder_of_a_user(folder: Path, *modules: str) -> Path:
    """A folder in which the names of this package's parts are taken, and those of modules."""
    for name in ("mirror", "sql", "analyses", "tests"):
        (folder / name).mkdir()
    for name in ("analyses/__init__", "tests/__init__", *modules):
        (folder / f"{name}.py").write_text("raise SystemExit('the module of the user')")
    return folder


@pytest.mark.parametrize(
    ("command", "variables", "modules"),
    [
        ([sys.executable, "-m", "mirror"], {}, ("duckdb", "datetime", "random", "report")),
        ([MIRROR], {"PYTHONPATH": "."}, ("report",)),
    ],
    ids=["module", "script"],
)
def test_charts_are_found_beside_what_the_user_has_called_like_them(
    command: list[str | Path], variables: dict[str, str], modules: tuple[str, ...], tmp_path: Path
) -> None:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*command, *arguments],
            cwd=folder,
            env={**os.environ, **variables},
            capture_output=True,
            text=True,
            timeout=120,
        )

    folder = folder_of_a_user(tmp_path, *modules)
    listed, refused = run("plot"), run("report", "--database", "none.duckdb")

    assert "learning_curves" in listed.stdout, listed.stderr
    assert refused.stderr.startswith("mirror: There is no mirror at none.duckdb")


def test_charts_have_a_name_that_no_folder_of_the_user_takes(tmp_path: Path) -> None:
    shown = python(
        "from mirror.analyses import learning_curves\n"
        "print(learning_curves.chart.__module__, 'analyses' in __import__('sys').modules)",
        folder_of_a_user(tmp_path),
    )

    assert shown == "mirror.analyses.learning_curves False\n"


def test_the_wheel_holds_the_views_and_works_far_from_the_checkout_with_an_old_numpy(
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
    # as old notebooks have it; Python 3.13 never had it
    numpy = "numpy<2" if sys.version_info < (3, 13) else "numpy"
    run(uv, "pip", "install", "--python", tmp_path / "venv", wheel, numpy)
    python, script = (tmp_path / "venv" / "bin" / name for name in ("python", "mirror"))

    assert run(script, "--version") == "mirror, version 0.1.0\n"
    *skipped, told = run(script, "views", "--database", tmp_path / "ibl.duckdb").splitlines()
    # movement_times is of public files alone
    n_views = len(views) - 1 - len(skipped)
    assert told == f"{n_views} views in {tmp_path / 'ibl.duckdb'}"
    assert all(line.startswith("skipped ") for line in skipped)
    run(script, "sync", "--demo-mice", "5")
    run(python, "-c", "from analyses import learning_curves")
    folder_of_a_user(tmp_path, "duckdb")
    run(script, "plot", "growth", "--database", "demo.duckdb", "-o", "growth.svg")
    assert "learning_curves" in run(python, "-m", "mirror", "plot")
