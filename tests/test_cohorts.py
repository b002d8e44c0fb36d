"""Cohorts of one's own: from a file of names to the view and the charts, and across syncs."""

import shutil
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner, Result

from mirror import cohorts, connect
from mirror.cli import main
from mirror.sources.demo import DemoSource
from mirror.syncing import Options, sync

pytestmark = pytest.mark.slow

UNKNOWN = "KS999"


@pytest.fixture
def file(simulated_file: Path, tmp_path: Path) -> Path:
    return Path(shutil.copyfile(simulated_file, tmp_path / "demo.duckdb"))


@pytest.fixture
def run(file: Path) -> Callable[..., Result]:
    def run(*arguments: str) -> Result:
        return CliRunner(env={"MIRROR_DATABASE": str(file)}).invoke(main, arguments)

    return run


@pytest.fixture
def mice(file: Path) -> list[tuple[str, str]]:
    """Nickname and uuid of each mouse."""
    return ask(file, "select subject_nickname, subject_uuid::varchar from subjects order by all")


def ask(file: Path, query: str) -> list:
    with connect(file) as con:
        return con.execute(query).fetchall()


def own(file: Path) -> list[tuple[str, str]]:
    return ask(
        file,
        "select cohort, subject_nickname from cohorts"
        " where cohort not in ('paper', 'tutorial', 'all_trained') order by all",
    )


def table(folder: Path, text: str) -> Path:
    listed = folder / "mice.csv"
    listed.write_text(text, encoding="utf-8")
    return listed


@pytest.mark.parametrize(
    "text",
    [
        "{0}\n{1}\n",
        "{0_uuid}\n{1}\n\n{1}\n",
        "lab_name,Subject_Nickname\nx,{0}\ny, {1}\n",
        "\ufeffsubject_nickname,subject_uuid\nanything,{0_uuid}\n,{1_uuid}\n",
    ],
    ids=["bare", "mixed, with a mouse twice", "under a head", "uuids before nicknames"],
)
def test_a_file_of_names_becomes_a_cohort_of_the_view(
    file: Path, mice: list, tmp_path: Path, text: str
) -> None:
    for place, (nickname, uuid) in enumerate(mice[:2]):
        text = text.replace(f"{{{place}}}", nickname.lower())
        text = text.replace(f"{{{place}_uuid}}", uuid)
    listed = cohorts.put("mine", table(tmp_path, text), file)

    assert listed == cohorts.Listed(2, (), {})
    assert own(file) == [("mine", mice[0][0]), ("mine", mice[1][0])]


def test_names_that_mean_no_mouse_or_two_are_left_out_and_told(
    run: Callable[..., Result], file: Path, mice: list, tmp_path: Path
) -> None:
    (one, first), (_, second), (third, _) = mice[:3]
    with duckdb.connect(str(file)) as con:
        con.execute(
            f"update subject.subject set subject_nickname = '{one}' where subject_uuid = '{second}'"
        )
    done = run("cohort", "mine", str(table(tmp_path, f"{one}\n{UNKNOWN}\n{third}\n")))

    assert done.exit_code == 0
    unknown, several, told = done.stderr.splitlines()
    assert unknown.endswith(f": {UNKNOWN}")
    assert one in several and first in several and second in several
    assert told == "1 mice in the cohort mine"
    assert own(file) == [("mine", third)]


def test_a_second_file_replaces_the_cohort_and_other_cohorts_stay(
    run: Callable[..., Result], file: Path, mice: list, tmp_path: Path
) -> None:
    for cohort, (nickname, _) in zip(["mine", "other", "mine"], mice, strict=False):
        cohorts.put(cohort, table(tmp_path, nickname), file)
    assert own(file) == [("mine", mice[2][0]), ("other", mice[1][0])]

    assert run("cohort", "mine", "--remove").exit_code == 0
    assert own(file) == [("other", mice[1][0])]


def test_syncs_keep_a_cohort_even_one_that_replaces_the_file(
    run: Callable[..., Result], file: Path, mice: list, tmp_path: Path
) -> None:
    cohorts.put("mine", table(tmp_path, f"{mice[0][0]}\n{mice[1][0]}"), file)
    narrowed = Options(schema=("reference", "subject"))
    source = DemoSource(6)
    sync(source, file, narrowed, full=True)
    source.close()

    kept = [("mine", uuid) for uuid in sorted(uuid for _, uuid in mice[:2])]
    assert ask(file, "select cohort, subject_uuid::varchar from _mirror.cohort_mice") == kept
    assert "your cohort mine: 2 mice, 2 of them not here\n" in run("status").stdout
    # without sessions there is no view of cohorts
    done = run("cohort", "mine", str(table(tmp_path, mice[0][0])))
    assert "kept, but this mirror has no view cohorts: needs " in done.stderr


def test_a_chart_takes_the_cohort(
    run: Callable[..., Result], file: Path, mice: list, tmp_path: Path
) -> None:
    nickname = mice[0][0]
    cohorts.put("mine", table(tmp_path, nickname), file)
    output = tmp_path / "chart.json"
    done = run("plot", "learning_curves", "--cohort", "mine", "-o", str(output))

    assert done.exit_code == 0, done.output
    drawn = output.read_text("utf-8")
    assert nickname in drawn
    assert not any(other in drawn for other, _ in mice[1:])


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["mine", "mice.csv"], "names no mouse of this mirror, such as 'KS999'"),
        (["mine", "empty.csv"], "names no mouse of this mirror, and it is empty"),
        (["mine", "bytes.csv"], "is not a CSV file of UTF-8 text"),
        (["paper", "mice.csv"], "every mirror defines"),
        (["a b", "mice.csv"], "cannot name a cohort"),
        (["mine"], "Name the CSV file"),
        (["mine", "mice.csv", "--remove"], "or --remove it"),
        (["mine", "--remove"], "there is none at all"),
    ],
    ids=str,
)
def test_what_makes_no_cohort_is_refused_in_a_sentence(
    run: Callable[..., Result],
    file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    told: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    table(tmp_path, UNKNOWN)
    (tmp_path / "empty.csv").touch()
    (tmp_path / "bytes.csv").write_bytes(b"\xff\xfe\xfd")
    before = file.stat().st_mtime_ns
    done = run("cohort", *arguments)

    assert (done.exit_code, done.stdout) == (2, "")
    assert told in done.stderr and done.stderr.count("\n") == 1
    assert file.stat().st_mtime_ns == before


def test_no_list_takes_the_name_of_a_cohort_that_the_view_defines(file: Path) -> None:
    named = ask(file, "select distinct cohort from cohorts")
    assert {name for (name,) in named} == set(cohorts.DEFINED)
