"""Every chart of the gallery is drawn, on mice and on nothing, and written in every format."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from xml.etree import ElementTree

import duckdb
import pytest
from click.testing import CliRunner, Result

from analyses import gallery
from analyses.style import in_order
from mirror import connect
from mirror.cli import main
from mirror.sources.demo import DemoSource
from mirror.syncing import Options, sync

pytestmark = pytest.mark.slow


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
        " exist): 'mirror views' brings up the views of an earlier version, 'mirror status' says"
        " why others are missing.\n"
    )


def test_views_of_an_earlier_version_are_told_from_a_fault(
    simulated_file: Path, tmp_path: Path
) -> None:
    file = shutil.copy(simulated_file, tmp_path / "old.duckdb")
    with duckdb.connect(file) as con:
        con.execute("alter table days rename summary_source to source")
    refused = run(tmp_path, "learning_curves", "--database", file)

    assert refused.returncode == 2
    assert '"summary_source" not found' in refused.stderr
    assert "'mirror views' brings up the views of an earlier version" in refused.stderr


def test_the_command_draws_a_chart_of_one_lab(
    simulated_file: Path, simulated: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    [(lab,)] = simulated.sql("select min(lab_name) from subjects").fetchall()
    options = ("--lab", lab, "--database", str(simulated_file), "-o", "c.svg")
    done = run(tmp_path, "learning_curves", *options)

    assert (done.returncode, done.stderr) == (0, "c.svg\n")
    assert "SIMULATED DATA" in (tmp_path / "c.svg").read_text()


@pytest.fixture
def plot(simulated_file: Path, tmp_path: Path) -> Callable[..., Result]:
    """Run `mirror plot` on the simulated mice, into c.svg of an empty folder."""

    def plot(name: str, **options: str) -> Result:
        words = [word for option, value in options.items() for word in (f"--{option}", value)]
        to = ["--database", str(simulated_file), "-o", str(tmp_path / "c.svg")]
        return CliRunner().invoke(main, ["plot", name, *words, *to])

    return plot


@pytest.mark.parametrize("option", gallery.OPTIONS)
def test_what_no_mirror_has_is_refused(
    plot: Callable[..., Result], tmp_path: Path, option: str
) -> None:
    # the command asks this of any chart, whatever the chart does with it
    name = next(name for name in gallery.names() if option in gallery.parameters(name))
    done = plot(name, **{option: "nope"})

    assert done.exit_code == 2
    assert " 'nope' in this mirror: there are " in done.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("option", ["lab", "subject", "session"])
def test_a_misspelt_choice_is_answered_with_the_nearest(
    plot: Callable[..., Result], simulated: duckdb.DuckDBPyConnection, option: str
) -> None:
    [(lab, subject, session)] = simulated.sql(
        "select lab_name, subject_nickname, session_start_time::varchar from sessions"
        " where has_trials order by all limit 1"
    ).fetchall()
    right = {"lab": lab, "subject": subject, "session": session}[option]
    near = f"{right[:-1]}x".swapcase()
    done = plot("session_trials", **{option: near})

    assert done.exit_code == 2
    assert near in done.stderr and f"did you mean '{right[:-1]}" in done.stderr


def test_choices_that_no_mouse_meets_together_are_refused(
    plot: Callable[..., Result], simulated: duckdb.DuckDBPyConnection
) -> None:
    [(subject, lab)] = simulated.sql(
        "select mouse.subject_nickname, other.lab_name from subjects as mouse"
        " join subjects as other on other.lab_name <> mouse.lab_name order by all limit 1"
    ).fetchall()
    done = plot("mouse_progress", subject=subject, lab=lab)

    assert done.exit_code == 2
    assert f"No mouse in this mirror is of subject {subject}, lab {lab} at once" in done.stderr


def test_the_beginning_of_a_start_says_which_of_how_many_sessions_it_means(
    plot: Callable[..., Result], simulated: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    year = "strftime(session_start_time, '%Y')"
    [(started, n, mouse, last)] = simulated.sql(
        f"select {year}, count(*), arg_max(subject_nickname, session_start_time),"
        f" strftime(max(session_start_time), '%Y-%m-%d %H:%M') from sessions where has_trials"
        f" group by {year} order by all limit 1"
    ).fetchall()
    done = plot("session_trials", session=started)

    assert done.exit_code == 0
    assert f"{n:,} sessions match {started}: the latest is drawn, {last} of {mouse}." in done.stderr
    assert f"{mouse}, {last}" in (tmp_path / "c.svg").read_text()


def test_one_of_several_mice_of_a_name_is_drawn_and_told(
    simulated_file: Path, tmp_path: Path
) -> None:
    file = tmp_path / "twins.duckdb"
    shutil.copyfile(simulated_file, file)
    with duckdb.connect(file) as connection:
        connection.execute("update subject.subject set subject_nickname = 'twin'")
        [(most,)] = connection.sql(
            "select subject_uuid::varchar from days group by all"
            " order by sum(n_trials) desc limit 1"
        ).fetchall()
    options = ["--subject", "twin", "--database", str(file), "-o", str(tmp_path / "c.svg")]
    done = CliRunner().invoke(main, ["plot", "block_curves", *options])

    assert done.exit_code == 0
    assert "6 mice are called twin: the one with the most trials is drawn" in done.stderr
    assert most in done.stderr


def test_a_mouse_is_found_by_its_uuid_in_any_case(
    plot: Callable[..., Result], simulated: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    [(uuid, name)] = simulated.sql(
        "select upper(subject_uuid::varchar), subject_nickname from sessions where task = 'biased'"
        " order by all limit 1"
    ).fetchall()
    assert plot("block_curves", subject=uuid).exit_code == 0
    assert name in (tmp_path / "c.svg").read_text()


def test_a_choice_with_nothing_to_draw_is_told(
    plot: Callable[..., Result], simulated: duckdb.DuckDBPyConnection
) -> None:
    [(subject,)] = simulated.sql(
        "select subject_nickname from subjects where subject_uuid not in (select subject_uuid from"
        " sessions where task = 'biased') order by all limit 1"
    ).fetchall()
    done = plot("block_curves", subject=subject)

    assert "note: there is nothing to draw: no sessions with blocks match." in done.stderr


@pytest.mark.parametrize(
    "arguments, said",
    [
        (
            ("learning_curve",),
            "There is no chart 'learning_curve': did you mean 'learning_curves' or"
            " 'learning_progress' or 'learning_fits'?",
        ),
        (("nothing",), "There is no chart 'nothing': 'mirror plot' lists them."),
        (
            ("growth", "--scale", "2", "--width", "800", "-o", "c.png"),
            "A chart takes --scale or --width, not both.",
        ),
        (
            ("growth", "--scale", "2"),
            "--scale and --width are of .svg, .png, .pdf, not .html.",
        ),
        (("learning_curves", "-o", "c.gif"), "c.gif must end in .html, .svg, .png, .pdf, .json."),
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


@pytest.mark.parametrize("name", gallery.names())
def test_a_chart_says_what_to_take_from_it_and_what_the_published_figure_has(name: str) -> None:
    words = " ".join((gallery.module(name).__doc__ or "").split())
    assert "To take from it: " in words
    assert re.search(r"(published|portal's) figure", words.split("To take from it: ")[1])


def test_every_chart_answers_one_question() -> None:
    assert sorted(sum(gallery.QUESTIONS.values(), ())) == gallery.names()


@pytest.mark.parametrize("name", gallery.names())
def test_the_queries_of_a_chart_are_ready_for_a_shell(
    name: str, simulated: duckdb.DuckDBPyConnection
) -> None:
    _, sql = gallery.with_queries(simulated, name)

    assert sql.startswith(f"-- {name}, query 1 of ") and "$" not in sql
    for statement in duckdb.extract_statements(sql):
        simulated.execute(statement).fetchall()


def test_what_was_asked_for_stands_in_the_query(simulated: duckdb.DuckDBPyConnection) -> None:
    done = CliRunner().invoke(main, ["plot", "learning_curves", "--sql", "--help"])
    assert "--sql" in done.output
    _, sql = gallery.with_queries(simulated, "learning_curves", lab="o'lab")
    assert "day.lab_name = 'o''lab'" in sql


def size(file: Path) -> tuple[int, int]:
    header = file.read_bytes()[16:24]
    return int.from_bytes(header[:4], "big"), int.from_bytes(header[4:], "big")


def test_a_picture_is_as_large_as_asked(simulated_file: Path, tmp_path: Path) -> None:
    def drawn(*options: str) -> tuple[int, int]:
        file = tmp_path / "c.png"
        words = ["plot", "growth", "--database", str(simulated_file), "-o", str(file), *options]
        assert CliRunner().invoke(main, words).exit_code == 0
        return size(file)

    width, height = drawn("--scale", "1")
    assert drawn("--scale", "3") == pytest.approx((3 * width, 3 * height), abs=3)
    assert drawn() == pytest.approx((2 * width, 2 * height), abs=2)
    assert drawn("--width", "1600")[0] == pytest.approx(1600, abs=2)
    # without the words it is less high
    assert drawn("--scale", "1", "--no-title")[1] < height


def test_a_chart_for_a_slide_still_says_that_its_data_are_simulated(
    simulated: duckdb.DuckDBPyConnection,
) -> None:
    bare = gallery.untitled(gallery.draw(simulated, "growth")).to_dict()

    assert bare["title"]["text"].startswith("SIMULATED DATA")
    assert "Growth" not in json.dumps(bare["title"])


def test_a_page_is_named_and_made_for_a_phone(
    simulated: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    file = tmp_path / "c.html"
    gallery.save(gallery.draw(simulated, "growth"), file)
    text = file.read_text("utf-8")

    assert "<title>Growth of the data</title>" in text
    assert '<meta name="viewport" content="width=device-width' in text
    assert "https://cdn" not in text


def test_a_pdf_is_one(simulated: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    gallery.save(gallery.draw(simulated, "growth"), tmp_path / "c.pdf")
    assert (tmp_path / "c.pdf").read_bytes().startswith(b"%PDF")
