"""Every chart of the gallery is drawn, on mice and on nothing, and written in every format."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from xml.etree import ElementTree

import duckdb
import pytest

from analyses import gallery
from analyses.style import in_order
from mirror import connect
from mirror.sources.demo import DemoSource
from mirror.sync import Options, sync


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    source = DemoSource(1)
    file = tmp_path_factory.mktemp("charts") / "empty.duckdb"
    sync(source, file, Options(since=date(2030, 1, 1)))
    source.close()
    with connect(file) as connection:
        yield connection


def words(chart: dict) -> str:
    return json.dumps(chart["title"])


@pytest.mark.parametrize("name", gallery.names())
def test_a_chart_is_drawn_in_every_format(
    name: str, simulated: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    chart = gallery.draw(simulated, name)
    for suffix in gallery.FORMATS:
        gallery.save(chart, tmp_path / f"chart{suffix}")

    drawn = json.loads((tmp_path / "chart.json").read_text())
    assert "SIMULATED DATA" in words(drawn)
    assert any(letter.isdigit() for letter in words(drawn))
    assert sum(map(len, drawn.get("datasets", {}).values())) <= 5000
    svg = ElementTree.parse(tmp_path / "chart.svg").getroot()
    assert svg.attrib["aria-label"] == drawn["description"]
    assert (tmp_path / "chart.png").read_bytes().startswith(b"\x89PNG")
    assert 'src="http' not in (tmp_path / "chart.html").read_text()


@pytest.mark.parametrize("name", gallery.names())
def test_a_chart_of_nothing_says_so(name: str, empty: duckdb.DuckDBPyConnection) -> None:
    drawn = gallery.draw(empty, name, lab="nowhere").to_dict()

    assert drawn["title"]["text"]
    assert "match" in json.dumps(drawn["datasets"])
    assert drawn["title"]["text"] in drawn["description"] and "match" in drawn["description"]


@pytest.mark.parametrize("name", gallery.names())
def test_a_chart_says_in_a_line_what_it_shows(name: str) -> None:
    assert 20 < len(gallery.description(name)) <= 95


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "mirror", "plot", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_the_command_lists_the_charts(tmp_path: Path) -> None:
    listed = run(tmp_path).stdout.splitlines()

    assert [line.split()[0] for line in listed] == gallery.names()


def test_a_mirror_that_lacks_a_view_says_so(
    mirror: Callable[..., subprocess.CompletedProcess], tables: object
) -> None:
    assert mirror("sync").returncode == 0
    refused = mirror("plot", "learning_curves")

    assert refused.returncode == 2
    assert refused.stderr == (
        "mirror: learning_curves cannot be drawn from this mirror (Table with name days does not"
        " exist): 'mirror status' says why.\n"
    )


def test_the_command_draws_a_chart_of_one_lab(
    simulated_file: Path, simulated: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    [(lab,)] = simulated.sql("select min(lab_name) from subjects").fetchall()
    options = ("--lab", lab, "--database", str(simulated_file), "-o", "c.svg")
    done = run(tmp_path, "learning_curves", *options)

    assert (done.returncode, done.stderr) == (0, "c.svg\n")
    assert "SIMULATED DATA" in (tmp_path / "c.svg").read_text()


@pytest.mark.parametrize(
    "arguments, said",
    [
        (("nothing",), "There is no chart 'nothing': 'mirror plot' lists them."),
        (("learning_curves", "-o", "c.gif"), "c.gif must end in .html, .svg, .png, .json."),
        (
            ("learning_curves", "--session", "1"),
            "learning_curves takes --lab, --cohort, not --session.",
        ),
    ],
)
def test_wrong_words_end_in_a_sentence(
    tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    done = run(tmp_path, *arguments)

    assert (done.returncode, done.stderr) == (2, f"mirror: {said}\n")
    assert not list(tmp_path.iterdir())


def test_laboratories_stand_in_the_papers_order_then_others_then_none_then_all() -> None:
    names = ["all", "no laboratory", "UCLA", "SWC", "UCL"]
    assert in_order(names) == ["UCL", "SWC", "UCLA", "no laboratory", "all"]
