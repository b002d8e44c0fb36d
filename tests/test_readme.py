"""What the READMEs show works, in the order in which they show it, on small mirrors."""

import os
import re
import shutil
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
from mirror import connect, sync

ROOT = Path(__file__).parents[1]
FIRST, SQL, CHARTS = (ROOT / name / "README.md" for name in ("", "sql", "analyses"))
PAGES = [
    FIRST,
    *(page for room in ROOT.glob("[a-z]*/") for page in sorted(room.rglob("README.md"))),
]
# its programs need a Spark and its jobs a cluster: they are read, not run
SPARK = ROOT / "mirror" / "spark" / "README.md"
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
# the last is not run: transcripts, with what they print
LANGUAGES = {"console", "sql", "python", "r", "text"}


def text(readme: Path) -> str:
    return readme.read_text(encoding="utf-8")


def name(readme: Path) -> str:
    return str(readme.relative_to(ROOT))


def blocks(readme: Path, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text(readme), re.DOTALL)


def commands(readme: Path) -> list[str]:
    lines = [line for block in blocks(readme, "console") for line in block.splitlines()]
    assert all(line.startswith("$ ") for line in lines)
    return [line[2:] for line in lines]


def cookbook() -> list[str]:
    """The queries in the last column of the cookbook's tables."""
    section = text(SQL).partition("\n## Cookbook\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| .* \|$", section, re.MULTILINE)
    cells = [re.split(r" (?<!\\)\| ", row.strip("| "))[-1] for row in rows]
    return [q for cell in cells for q in re.findall(r"`((?:select|from) [^`]*)`", cell)]


def anchors(readme: Path) -> set[str]:
    """What a link can point at in a readme: its headings, as GitHub writes them."""
    headings = re.findall(r"^#+ (.*)$", text(readme), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


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


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two mice's public files, in ONE's layout."""
    return one_cache.build(tmp_path_factory.mktemp("ONE"))


@pytest.fixture(scope="module")
def public(cache: Path) -> Iterator[str]:
    """A bucket as IBL's, with two mice; its address."""
    with bucket.serving(bucket.of_folder(cache)) as serving:
        yield serving.url


@pytest.fixture(scope="module")
def published_file(cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A mirror of one mouse's public files."""
    file = tmp_path_factory.mktemp("published") / "ibl.duckdb"
    sync(file, source="one", one_cache=cache, subject=HELD)
    return file


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


@pytest.mark.parametrize("readme", [page for page in PAGES if page != SPARK], ids=name)
def test_every_command_and_block_of_a_readme_works(
    readme: Path,
    run: Callable[..., str],
    serve: Callable[[str], int],
    public: str,
    published_file: Path,
    simulated_file: Path,
    tmp_path: Path,
) -> None:
    port = 0
    # what the first page makes; there, the demo is made again, which takes a moment
    shutil.copy(simulated_file, tmp_path)
    if readme != FIRST:
        shutil.copy(published_file, tmp_path)
    for command in commands(readme):
        if command.startswith(SERVE):
            port = serve(command)
        elif PUBLIC in command:
            run("bash", "-c", command.replace(PUBLISHED, HELD), MIRROR_ONE_BUCKET=public)
        elif command == OF_A_SERVER:
            run("bash", "-c", command, MIRROR_DATABASE="server.duckdb")
        elif not command.startswith(NOT_HERE):
            run("bash", "-c", command.removeprefix(INSTALLATION).replace(DEMO, SMALL_DEMO))
        for made in re.findall(r"(?:-o|--database) (\S+)", command):
            assert (tmp_path / made).exists(), command
    for query in blocks(readme, "sql"):
        assert run("mirror", "sql", query)
    for program in blocks(readme, "python"):
        run(sys.executable, "-c", program.replace('"127.0.0.1"', f'"127.0.0.1:{port}"'))
    with connect(tmp_path / "ibl.duckdb") as mirror:
        # R is not here, and its queries are DuckDB's
        for program in blocks(readme, "r"):
            [query] = re.findall(r'dbGetQuery\(con, "(.*?)"\)', program)
            assert mirror.sql(query).columns


def test_the_queries_of_the_cookbook_work(simulated_file: Path) -> None:
    queries = cookbook()
    with connect(simulated_file) as demo:
        for query in queries:
            assert demo.sql(query).columns

    assert len(queries) > 50


@pytest.mark.parametrize("readme", PAGES, ids=name)
def test_whatever_a_readme_shows_is_of_a_language_that_is_tried(readme: Path) -> None:
    jobs = {"bash"} if readme == SPARK else set()

    assert set(re.findall(r"^```(.+)$", text(readme), re.MULTILINE)) <= LANGUAGES | jobs


@pytest.mark.parametrize("readme", PAGES, ids=name)
def test_the_links_of_a_readme_lead_somewhere(readme: Path) -> None:
    links = re.findall(r'(?:\]\(|(?:href|src)=")([^)"\s]+)', text(readme))
    for link in links:
        if not link.startswith("https://"):
            path, _, anchor = link.partition("#")
            target = (readme.parent / path) if path else readme
            assert target.exists(), link
            assert not anchor or anchor in anchors(target), link


def test_no_folder_has_a_readme_that_nobody_finds() -> None:
    linked = {
        (page.parent / path).resolve()
        for page in PAGES
        for path in re.findall(r"\]\(([^)#\s]+README\.md)", text(page))
    }

    assert set(PAGES) - {FIRST} <= linked


def test_the_first_readme_is_short() -> None:
    assert len(text(FIRST).splitlines()) < 200


def test_every_chart_is_in_the_gallery_once() -> None:
    images = FIRST.parent / "analyses" / "images"
    shown = re.findall(
        r"^\| \[`(\w+)`\]\((\w+)\.py\) \| (.*) \| <img src=\"images/(\w+)\.png\"",
        text(CHARTS),
        re.MULTILINE,
    )

    assert sorted(shown) == [
        (name, name, gallery.description(name).rstrip("."), name) for name in gallery.names()
    ]
    assert sorted(image.stem for image in images.iterdir()) == gallery.names()


def test_every_bench_is_listed() -> None:
    listed = re.findall(
        r"^\| \[`(bench_\w+\.py)`\]", text(ROOT / "tests" / "README.md"), re.MULTILINE
    )

    assert sorted(listed) == sorted(file.name for file in (ROOT / "tests").glob("bench_*.py"))


def test_only_set_up_is_left_out_of_this_test() -> None:
    shown = [command for page in PAGES for command in commands(page)]
    left_out = [command for command in shown if command.startswith(NOT_HERE)]

    assert len(left_out) == len(NOT_HERE)
    assert sum(command.startswith(INSTALLATION) for command in shown) == 1


def test_nobody_is_sent_to_a_package_index_that_lacks_the_mirror() -> None:
    for file in (*PAGES, *(ROOT / "mirror").rglob("*.py")):
        assert not re.search(r"pip install[^`\n]*ibl-mirror", text(file)), file


def test_the_first_readme_names_every_verb() -> None:
    from mirror.cli import main

    assert all(f"| `{verb}" in text(FIRST) for verb in main.commands)


def test_the_job_files_for_spark_are_programs() -> None:
    from mirror.cli import main

    shell, python = blocks(SPARK, "bash"), blocks(SPARK, "python")
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
