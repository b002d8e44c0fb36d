"""What each view costs, and the same questions asked of a DataJoint server.

    python tests/bench_views.py ibl.duckdb [--rounds 3] [--host HOST:PORT]

The file is copied and the views of this checkout are defined in the copy. All rows and columns
of each view are read, as Arrow batches. With --host, the questions of the tutorial and of the
notebooks go to the server that the file was copied from, through DataJoint, as DJ_USER with
DJ_PASS, and to the mirror, in turns; both answers are pandas frames, and their rows are compared.
Warm means in an open connection, when both sides have answered before; cold is a process that
does nothing else, as when a script is run.
"""

import argparse
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import duckdb

from mirror import connect, views

BATCH_ROWS = 100_000
SESSIONS = "the tutorial's sessions"
# So many times faster than the server.
TARGET = 20
SUBJECTS = """
subjects = subject.Subject * subject.SubjectLab * reference.Lab
"""
CONNECT = """
from uuid import UUID
import datajoint as dj
dj.config["database.use_tls"] = False
dj.logger.setLevel("ERROR")
from nma_ibl import acquisition, behavior, behavior_analyses, reference, subject
"""
# What DataJoint is asked, what the mirror is asked.
QUESTIONS = {
    "the tutorial's subjects": (
        "subjects.proj('subject_nickname', 'sex', 'subject_birth_date', 'time_zone')",
        "from tutorial_subjects",
    ),
    SESSIONS: (
        "(behavior.TrialSet * behavior_analyses.PsychResults * behavior_analyses.ReactionTime"
        " * behavior_analyses.SessionTrainingStatus"
        " * (acquisition.Session & 'task_protocol LIKE \"%training%\"')"
        " * acquisition.SessionUser & subjects).proj('n_trials', 'performance_easy',"
        " 'threshold', 'bias', 'lapse_low', 'lapse_high', 'training_status', 'user_name',"
        " session_duration='TIMEDIFF(session_end_time,session_start_time)')",
        "from tutorial_sessions",
    ),
    "all trials of one mouse": (
        "behavior.TrialSet.Trial & {{'subject_uuid': UUID('{mouse}')}}",
        "from trials where subject_uuid = '{mouse}'",
    ),
    "daily summaries with the mice": (
        "behavior_analyses.BehavioralSummaryByDate * subjects",
        "from days where has_stored_summary and lab_name is not null",
    ),
}
COLD = (
    CONNECT + SUBJECTS + f"print(len(({QUESTIONS[SESSIONS][0]}).fetch(format='frame')))",
    "import mirror, sys\n"
    "with mirror.connect(sys.argv[1]) as con:\n"
    "    print(len(con.sql('from tutorial_sessions').df()))",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("mirror", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--host", help="the DataJoint server that the mirror was copied from")
    arguments = parser.parse_args()
    print(f"{platform.machine()}, Python {platform.python_version()}, DuckDB {duckdb.__version__}")
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "copy.duckdb"
        shutil.copy(arguments.mirror, copy)
        applied = views.apply(copy)
        with connect(copy) as connection:
            show_views(connection, applied, arguments.rounds)
        if arguments.host:
            os.environ["DJ_HOST"] = arguments.host
            show_questions(copy, arguments.rounds)


def show_views(connection: duckdb.DuckDBPyConnection, applied: views.Applied, rounds: int) -> None:
    [(trials,)] = connection.sql("select count(*) from trials").fetchall()
    print(f"\n{trials:,} trials\n\n| view | rows | seconds |\n| --- | ---: | ---: |")
    taken = {
        name: timed(rounds, lambda name=name: read(connection, name)) for name in applied.views
    }
    for name, (seconds, rows) in sorted(taken.items(), key=lambda item: -item[1][0]):
        print(f"| `{name}` | {rows:,} | {seconds:.3f} |")
    for name, why in applied.skipped.items():
        print(f"| `{name}` | | {why} |")
    sys.stdout.flush()


def read(connection: duckdb.DuckDBPyConnection, view: str) -> int:
    """Compute every row and column of a view, without keeping any."""
    return sum(
        batch.num_rows for batch in connection.sql(f"from {view}").to_arrow_reader(BATCH_ROWS)
    )


def timed(rounds: int, work: Callable[[], int]) -> tuple[float, int]:
    """The median of some rounds, after one that is not counted."""
    rows = work()
    seconds = []
    for _ in range(rounds):
        began = time.perf_counter()
        rows = work()
        seconds.append(time.perf_counter() - began)
    return statistics.median(seconds), rows


def show_questions(copy: Path, rounds: int) -> None:
    names: dict[str, object] = {}
    exec(CONNECT + SUBJECTS, names)
    print(
        "\n| question | rows | DataJoint, s | mirror, s | ratio |\n"
        "| --- | ---: | ---: | ---: | ---: |"
    )
    with connect(copy) as connection:
        [(mouse,)] = connection.sql(
            "select subject_uuid from behavior.trial_set group by all order by sum(n_trials) desc"
            " limit 1"
        ).fetchall()
        for question, (query, sql) in QUESTIONS.items():
            asked = query.format(mouse=mouse) if "{mouse}" in query else query
            theirs = timed(
                rounds, lambda asked=asked: len(eval(asked, names).fetch(format="frame"))
            )
            told = sql.format(mouse=mouse)
            ours = timed(rounds, lambda told=told: len(connection.execute(told).df()))
            show_question(question, theirs, ours)
    script, own = COLD
    show_question(
        f"{SESSIONS}, cold",
        timed(rounds, lambda: int(run(script))),
        timed(rounds, lambda: int(run(own, str(copy)))),
    )


def show_question(question: str, theirs: tuple[float, int], ours: tuple[float, int]) -> None:
    if theirs[1] != ours[1]:
        raise SystemExit(f"{question}: {theirs[1]} rows on the server, {ours[1]} in the mirror")
    ratio = theirs[0] / ours[0]
    below = f", target {TARGET}" if SESSIONS in question else ""
    print(f"| {question} | {ours[1]:,} | {theirs[0]:.3f} | {ours[0]:.3f} | {ratio:.1f}{below} |")
    sys.stdout.flush()


def run(*command: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", *command], check=True, capture_output=True, text=True
    ).stdout


if __name__ == "__main__":
    main()
