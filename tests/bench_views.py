"""What each view costs, and the same questions asked of a DataJoint server.

    python tests/bench_views.py ibl.duckdb [--rounds 3] [--host HOST:PORT]

The file is copied and the views of this checkout are defined in the copy. All rows and columns
of each view are read, as Arrow batches. Four questions about trials are asked of the copy, and of
one in which there are eight of every mouse. With --host, the questions of the tutorial and of the
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
OF_TRIALS = {
    "one mouse, by a subquery": "select count(*), avg(correct) from trials where subject_uuid ="
    " (select subject_uuid from subjects order by subject_uuid limit 1)",
    "share right by contrast": "select signed_contrast, avg(choice_right) from trials group by all",
    "choice after reward": "select previous_choice, previous_rewarded, avg(choice_right)"
    " from trials group by all",
    "a cohort's curve, by a semi join": "select signed_contrast, avg(choice_right) from trials"
    " semi join (from cohorts where cohort = 'all_trained') using (subject_uuid) group by all",
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
            show_trials(connection, arguments.rounds)
        multiply(copy)
        views.apply(copy)
        with connect(copy) as connection:
            show_trials(connection, arguments.rounds)
        if arguments.host:
            shutil.copy(arguments.mirror, copy)
            views.apply(copy)
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


def show_trials(connection: duckdb.DuckDBPyConnection, rounds: int) -> None:
    [(trials,)] = connection.sql("select count(*) from trials").fetchall()
    print(f"\n{trials:,} trials\n\n| question | seconds |\n| --- | ---: |")
    for question, query in OF_TRIALS.items():
        seconds, _ = timed(rounds, lambda query=query: len(connection.sql(query).fetchall()))
        print(f"| {question} | {seconds:.3f} |")
    sys.stdout.flush()


def multiply(file: Path) -> None:
    """Put seven more of every mouse into a mirror, with all their rows."""
    with duckdb.connect(str(file)) as connection:
        tables = connection.sql(
            "select schema_name, table_name from duckdb_columns() join duckdb_tables()"
            " using (database_name, schema_name, table_name) where column_name = 'subject_uuid'"
            " and schema_name not in ('main', 'derived')"
        ).fetchall()
        for schema, table in tables:
            name = f'"{schema}"."{table}"'
            connection.execute(
                f"insert into {name} select t.* replace (md5(concat(subject_uuid, n))::uuid as"
                f" subject_uuid) from {name} as t, range(7) as more(n) order by all"
            )
            connection.execute(
                f"update _mirror.tables set n_rows = 8 * n_rows where schema_name = '{schema}'"
                f" and table_name = '{table}'"
            )


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
