"""The lessons: they run as they stand, and wrong answers are told what is off, not the answer."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest

from analyses import gallery, lessons
from analyses.lessons.questions import QUESTIONS
from mirror.errors import UsageError

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
LESSONS = sorted((ROOT / "analyses" / "lessons").glob("lesson_*.py"))


def right(con: duckdb.DuckDBPyConnection, question: str) -> pd.DataFrame:
    return con.sql(QUESTIONS[question].answer).df()


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda file: file.stem)
def test_a_lesson_runs_and_both_of_its_ways_are_right(
    lesson: Path, simulated_file: Path, tmp_path: Path
) -> None:
    done = subprocess.run(
        [sys.executable, str(lesson)],
        cwd=tmp_path,
        env={**os.environ, "MIRROR_DATABASE": str(simulated_file), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
    )

    assert done.returncode == 0, done.stderr
    number = lesson.stem.split("_")[1]
    asked = [question for question in QUESTIONS if question.startswith(number)]
    assert asked
    assert done.stdout.splitlines() == [
        f"{question}: {told}."
        for question in asked
        for told in ("not answered yet", "right", "right")
    ]


def test_lessons_are_no_charts() -> None:
    assert "lessons" not in gallery.names()


@pytest.mark.parametrize("question", QUESTIONS)
def test_there_is_an_answer_in_any_order_of_rows_and_with_columns_more(
    simulated: duckdb.DuckDBPyConnection, question: str
) -> None:
    answer = right(simulated, question)

    assert len(answer)
    mixed = answer.sample(frac=1, random_state=1)
    if QUESTIONS[question].key:
        mixed = mixed.assign(more=1).set_index(list(QUESTIONS[question].key))
    assert lessons.faults(simulated, question, mixed) == []


@pytest.mark.parametrize(
    ("question", "spoil", "told"),
    [
        ("2b", lambda f: f.drop(columns="n_mice"), ["it lacks n_mice"]),
        ("2b", lambda f: f.iloc[1:], ["1 row too few"]),
        (
            "2b",
            lambda f: pd.concat([f, f.iloc[:1].assign(lab_name="nolab")]),
            ["1 row not asked for, such as where lab_name is nolab"],
        ),
        (
            "2b",
            lambda f: pd.concat([f, f.iloc[:2]]),
            ["2 rows too many with the same lab_name"],
        ),
        ("2b", lambda f: f["n_mice"].sum(), ["a frame is asked for, not int64"]),
        (
            "2e",
            lambda f: f.assign(performance_easy=100 * f["performance_easy"]),
            ["performance_easy is in percent where a share is asked for everywhere"],
        ),
        (
            "2e",
            lambda f: f.assign(n_mice=f["n_mice"] + (f["training_day"] == 3)),
            ["n_mice is too high in 1 row of 40, such as where training_day is 3"],
        ),
        ("1a", lambda f: f.assign(sex="?"), ["sex is off everywhere"]),
        ("3c", lambda f: f.iloc[0, 0] / 100, ["is a share where percent is asked for"]),
        ("3c", lambda f: f.iloc[0, 0] + 1, ["is too high"]),
        ("3c", lambda f: "many", ["a number is asked for, not str"]),
        ("3c", lambda f: None, ["there is such a number"]),
    ],
)
def test_a_wrong_answer_is_told_what_is_off(
    simulated: duckdb.DuckDBPyConnection,
    question: str,
    spoil: Callable[[pd.DataFrame], Any],
    told: list[str],
) -> None:
    found = lessons.faults(simulated, question, spoil(right(simulated, question)))

    assert found == told


# Nobody in these few mice falls into them.
HARMLESS = {("1c", 1), ("2b", 0), ("4a", 0)}
TRAPS = [(question, place) for question, q in QUESTIONS.items() for place in range(len(q.traps))]


@pytest.mark.parametrize(("question", "place"), TRAPS)
def test_a_usual_mistake_is_told_what_to_think_of(
    simulated: duckdb.DuckDBPyConnection, question: str, place: int
) -> None:
    trap = QUESTIONS[question].traps[place]
    found = lessons.faults(simulated, question, simulated.sql(trap.answer))

    assert found == ([] if (question, place) in HARMLESS else [trap.hint])


def test_an_unknown_question_and_a_narrow_mirror_are_refused(
    simulated: duckdb.DuckDBPyConnection,
) -> None:
    with pytest.raises(UsageError, match="There is no question '9z': there are 1a, "):
        lessons.faults(simulated, "9z", 1)
    with (
        duckdb.connect() as empty,
        pytest.raises(UsageError, match="Question 1a cannot be answered from this mirror"),
    ):
        lessons.faults(empty, "1a", 1)


def test_check_prints_one_line(
    simulated: duckdb.DuckDBPyConnection, capsys: pytest.CaptureFixture
) -> None:
    lessons.check(simulated, "1c", right(simulated, "1c"))
    lessons.check(simulated, "1c", ...)

    assert capsys.readouterr().out == "1c: right.\n1c: not answered yet.\n"
