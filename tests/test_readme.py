"""The README's commands do what it says, on the small database, in its order."""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import bucket
import one_cache
import pytest
from server import Server, environment

from analyses import gallery
from mirror import connect

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
# an installation and a run of these tests would be this test's own tail; the variables name
# a server of the reader's
NOT_HERE = ("bash tests/run.sh", "export DJ_HOST")
# goes on until it is ended
SERVE = "mirror serve"
# fetches from IBL's bucket, here from one on loopback with two other mice
PUBLIC, PUBLISHED, HELD = "--source one", "NYU-06", "XY_001"
# the mirror of a server is a file apart
OF_A_SERVER = "mirror sync"
# all that is said of the demo holds with fewer mice
DEMO, SMALL_DEMO = "sync --demo", "sync --demo --demo-mice 6"
INSTALLATION = "python3 -m venv .venv && . .venv/bin/activate && pip install -q '.[shell]' && "


def blocks(language: str) -> Iterator[str]:
    return iter(re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL))


def commands() -> list[str]:
    lines = [line for block in blocks("console") for line in block.splitlines()]
    assert all(line.startswith("$ ") for line in lines)
    return [line[2:] for line in lines]


def cookbook() -> list[str]:
    """The queries in the last column of the cookbook's tables."""
    rows = re.findall(r"^\| .* \|$", README.partition("## Cookbook")[2], re.MULTILINE)
    cells = [re.split(r" (?<!\\)\| ", row.strip("| "))[-1] for row in rows]
    return [q for cell in cells for q in re.findall(r"`((?:select|from) [^`]*)`", cell)]


@pytest.fixture
def run(server: Server, tables: SimpleNamespace, tmp_path: Path):
    variables = environment(server) | {"HOME": str(tmp_path)}
    variables["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), variables["PATH"]])

    def run(*command: str, **more: str) -> str:
        done = subprocess.run(
            command,
            cwd=tmp_path,
            env=variables | more,
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, f"{command}: {done.stderr}"
        return done.stdout

    return run


@pytest.fixture
def public(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A bucket as IBL's, with two mice; its address."""
    cache = one_cache.build(tmp_path_factory.mktemp("ONE"))
    with bucket.serving(bucket.of_folder(cache)) as serving:
        yield serving.url


@pytest.fixture
def serve(run, tmp_path: Path) -> Iterator[Callable[[str], int]]:
    """Start a command that serves, on a free port; returns the port."""
    processes = []

    def serve(command: str) -> int:
        process = subprocess.Popen(
            [*command.replace("mirror", f"{sys.executable} -m mirror", 1).split(), "--port", "0"],
            cwd=tmp_path,
            stderr=subprocess.PIPE,
            text=True,
        )
        processes.append(process)
        for line in process.stderr:
            if "DJ_HOST" in line:
                return int(line.rpartition(":")[2])
        raise AssertionError(f"{command} ended")

    yield serve
    for process in processes:
        process.terminate()
        process.communicate(timeout=60)


def test_every_command_and_block_of_the_readme_works(run, serve, public, tmp_path: Path) -> None:
    port = 0
    for command in commands():
        if command.startswith(SERVE):
            port = serve(command)
        elif PUBLIC in command:
            run("bash", "-c", command.replace(PUBLISHED, HELD), MIRROR_ONE_BUCKET=public)
        elif command == OF_A_SERVER:
            run("bash", "-c", command, MIRROR_DATABASE="server.duckdb")
        elif not command.startswith(NOT_HERE):
            run("bash", "-c", command.removeprefix(INSTALLATION).replace(DEMO, SMALL_DEMO))
    for query in blocks("sql"):
        assert run("mirror", "sql", query)
    for program in blocks("python"):
        run(sys.executable, "-c", program.replace('"127.0.0.1"', f'"127.0.0.1:{port}"'))
    with connect(tmp_path / "demo.duckdb") as demo:
        for query in cookbook():
            assert demo.sql(query).columns

    assert {
        "demo.duckdb",
        "ibl.duckdb",
        "server.duckdb",
        "one_mouse.duckdb",
        "mice.duckdb",
        "sessions.parquet",
        "csh.csv",
    } <= {file.name for file in tmp_path.iterdir()}


def test_the_cookbook_has_queries() -> None:
    assert len(cookbook()) > 50


def test_the_readme_names_every_chart() -> None:
    assert all(
        f"| `{name}` | {gallery.description(name).rstrip('.')} |" in README
        for name in gallery.names()
    )


def test_the_readme_shows_every_chart() -> None:
    images = Path(__file__).parents[1] / "analyses" / "images"
    shown = re.findall(r'<img src="analyses/images/(\w+)\.png"', README)

    assert sorted(shown) == gallery.names()
    assert sorted(image.stem for image in images.iterdir()) == gallery.names()


def test_only_set_up_is_left_out_of_this_test() -> None:
    left_out = [command for command in commands() if command.startswith(NOT_HERE)]

    assert len(left_out) == len(NOT_HERE)
    assert sum(command.startswith(INSTALLATION) for command in commands()) == 1


def test_nobody_is_sent_to_a_package_index_that_lacks_the_mirror() -> None:
    root = Path(__file__).parents[1]
    for file in (root / "README.md", *(root / "mirror").rglob("*.py")):
        assert not re.search(r"pip install[^`\n]*ibl-mirror", file.read_text("utf-8")), file


def test_the_readme_names_every_verb() -> None:
    from mirror.cli import main

    assert all(f"| `{verb}" in README for verb in main.commands)


def test_the_job_files_for_spark_are_programs() -> None:
    from mirror.cli import main

    text = (Path(__file__).parents[1] / "mirror" / "spark" / "README.md").read_text("utf-8")
    shell, python = (
        re.findall(rf"```{kind}\n(.*?)```", text, re.DOTALL) for kind in ("bash", "python")
    )
    used = {
        (verb, option)
        for verb, rest in re.findall(r"mirror (\w+)([^`\n]*)", "".join(shell))
        for option in re.findall(r"--[a-z-]+", rest)
    }

    assert len(shell) == len(python) == 2
    for job in shell:
        subprocess.run(["bash", "-n"], input=job, text=True, check=True)
    for program in python:
        compile(program, "README.md", "exec")
    assert {("export", "--all"), ("sync", "--database")} <= used
    for verb, option in used:
        assert option in {name for p in main.commands[verb].params for name in p.opts}
