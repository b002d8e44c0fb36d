"""How fast the mirror answers DataJoint, beside the server that it was copied from.

    python tests/bench_serve.py [--mice 30] [--rounds 5] [--seconds 60] [--clients 50]
    python tests/bench_serve.py --host HOST:PORT --database ibl.duckdb

Without --host, DataJoint puts so many simulated mice into a private MariaDB, some 24,000 trials
each, and `mirror sync` copies them; with it, the server of DJ_USER and DJ_PASS is asked, and a
mirror of the same data.
Each question goes to MariaDB, to the mirror in this process, and to `mirror serve` in a process
of its own, in turns; all three by DataJoint, and all answers must have as many rows. Then many
clients put mixed statements to `mirror serve` at once, while its memory is watched.
"""

import argparse
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import datajoint as dj
import demo_server
import duckdb
import ibl
import pymysql
import server as mariadb
from judge import SCHEMAS, connect

from mirror.serve.offline import OfflineConnection
from mirror.sources.demo import DemoSource

PEERS = ("MariaDB", "in process", "on the wire")
KEYS = (
    *("subject_uuid", "session_start_time"),
    *("trial_stim_contrast_left", "trial_stim_contrast_right"),
)
RESPONSE = "trial_response_time - trial_stim_on_time"
TRIALS = "`ibl_behavior`.`_trial_set__trial`"
# MySQL has a median only as a window, and no DataJoint expression for it
MEDIAN = f"""
select {", ".join(KEYS)}, count(*) as n, avg(response) as mean, max(middle) as median
from (
    select {", ".join(KEYS)}, {RESPONSE} as response,
        median({RESPONSE}) over (partition by {", ".join(KEYS)}) as middle
    from {TRIALS}
) as t
group by {", ".join(KEYS)}
"""
# what the whole table of trials is worth once; the others are short
LONG = "all trials to a frame"
MIXED = (
    "select 1",
    f"select count(*), avg({RESPONSE}) from {TRIALS}",
    f"select session_start_time, count(*) from {TRIALS} group by session_start_time",
    f"select * from {TRIALS} limit 500",
    "select * from ibl_subject.subject natural join ibl_subject.subject_lab",
    "show tables from ibl_acquisition",
    "select * from ibl_acquisition.session where task_protocol like '%training%'",
)
PROCESSES = 2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mice", type=int, default=30)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--host", help="a server that is there already, with its port")
    parser.add_argument("--database", type=Path, help="its mirror")
    arguments = parser.parse_args()
    print(f"{platform.machine()}, Python {platform.python_version()}, DuckDB {duckdb.__version__}")
    if arguments.host:
        host, port = arguments.host.split(":")
        login = (host, int(port), os.environ["DJ_USER"], os.environ["DJ_PASS"])
        measure(login, arguments.database, arguments)
        return
    with tempfile.TemporaryDirectory(prefix="ibl-") as folder:
        running = mariadb.start(Path(folder), "--innodb-buffer-pool-size=2G")
        try:
            file = Path(folder) / "ibl.duckdb"
            connection = ibl.connect(running)
            demo_server.fill(connection, DemoSource(arguments.mice))
            connection.close()
            running.run("analyze table ibl_behavior._trial_set__trial")
            subprocess.run(
                [sys.executable, "-m", "mirror", "sync", "--database", str(file), "--no-derive"],
                env=mariadb.environment(running),
                check=True,
                stderr=subprocess.DEVNULL,
            )
            measure(("127.0.0.1", running.port, *mariadb.READER), file, arguments)
        finally:
            running.stop()


def measure(login: tuple, file: Path, arguments: argparse.Namespace) -> None:
    with served(file) as (port, process):
        wire = ("127.0.0.1", port, "ibl", "any")
        connections = [connect(*login), OfflineConnection(file), connect(*wire)]
        compare(connections, arguments.rounds)
        for connection in connections:
            connection.close()
        crowd(port, process.pid, arguments.clients, arguments.seconds)


@contextmanager
def served(file: Path) -> Iterator[tuple[int, subprocess.Popen]]:
    """`mirror serve` of the file, on a free port."""
    command = [sys.executable, "-m", "mirror", "serve", "--database", str(file)]
    began = time.perf_counter()
    with subprocess.Popen(
        [*command, "--port", "0", "--no-password"], stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr
        for line in process.stderr:
            if found := re.search(r"DJ_HOST=.*:(\d+)", line):
                break
        try:
            print(f"`mirror serve` is up after {time.perf_counter() - began:.1f} s")
            yield int(found[1]), process
        finally:
            process.terminate()


def compare(connections: list[dj.Connection], rounds: int) -> None:
    asked = [questions(connection) for connection in connections]
    [(trials,)] = connections[1].query(f"select count(*) from {TRIALS}").fetchall()
    print(
        f"\n{trials:,} trials\n\n| question | rows | {', s | '.join(PEERS)}, s"
        " | MariaDB / in process | MariaDB / wire | target |\n"
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |"
    )
    for name, (_, target) in asked[0].items():
        asks = [side[name][0] for side in asked]
        # the first time, tables are declared and pages read
        sizes = [ask() for ask in asks] if name != LONG else []
        seconds: list[list[float]] = [[] for _ in asks]
        for _ in range(1 if name == LONG else rounds):
            for ask, taken in zip(asks, seconds, strict=True):
                began = time.perf_counter()
                sizes.append(ask())
                taken.append(time.perf_counter() - began)
        if len(set(sizes)) > 1:
            raise SystemExit(f"{name}: the answers have {sizes} rows")
        theirs, inside, wire = map(statistics.median, seconds)
        print(
            f"| {name} | {sizes[0]:,} | {theirs:.3f} | {inside:.3f} | {wire:.3f}"
            f" | {theirs / inside:.2f} | {theirs / wire:.2f} | {target} |"
        )
        sys.stdout.flush()


def questions(connection: dj.Connection) -> dict[str, tuple[Callable[[], int], str]]:
    """What is asked, each a call that gives the number of rows, and what is to be reached."""
    tables: dict[str, Any] = {
        name: dj.VirtualModule(name, schema, connection=connection)
        for name, schema in SCHEMAS.items()
    }
    behavior, analyses = tables["behavior"], tables["behavior_analyses"]
    acquisition, subject = tables["acquisition"], tables["subject"]
    trials = behavior.TrialSet.Trial
    subjects = subject.Subject * subject.SubjectLab * tables["reference"].Lab
    sessions = (
        behavior.TrialSet
        * analyses.PsychResults
        * analyses.ReactionTime
        * analyses.SessionTrainingStatus
        * (acquisition.Session & 'task_protocol LIKE "%training%"')
        * acquisition.SessionUser
        & subjects
    ).proj(
        *("n_trials", "performance_easy", "threshold", "bias", "lapse_low", "lapse_high"),
        *("training_status", "user_name"),
        session_duration="TIMEDIFF(session_end_time,session_start_time)",
    )
    per_session = dj.U(*KEYS)

    def plain(statement: str) -> Callable[[], int]:
        return lambda: len(connection.query(statement).fetchall())

    def fetched(query: dj.expression.QueryExpression) -> Callable[[], int]:
        return lambda: len(query.fetch(format="frame"))

    counts = per_session.aggr(trials, n="count(*)")
    means = per_session.aggr(trials, n="count(*)", mean=f"avg({RESPONSE})")
    contrasts = dj.U(*KEYS[2:]).aggr(trials, n="count(*)", mean=f"avg({RESPONSE})")
    faster, fetch = "10, 10", "1, 0.67"
    return {
        "count per contrast per session": (plain(counts.make_sql()), faster),
        "the same to a frame": (fetched(counts), faster),
        "count and mean per contrast per session": (plain(means.make_sql()), faster),
        "those to a frame": (fetched(means), faster),
        "count, mean and median per contrast per session": (plain(MEDIAN), faster),
        "count and mean per contrast": (fetched(contrasts), faster),
        "the tutorial's sessions": (fetched(sessions), fetch),
        LONG: (fetched(trials()), fetch),
    }


def crowd(port: int, server: int, clients: int, seconds: int) -> None:
    """Many clients at once, in some processes; a line for every ten seconds of the server."""
    print(f"\n{clients} clients for {seconds} s\n")
    print("| after, s | the server's memory, MB |\n| ---: | ---: |")
    began = time.monotonic()
    with get_context("spawn").Pool(PROCESSES) as pool:
        share = [clients // PROCESSES + (i < clients % PROCESSES) for i in range(PROCESSES)]
        results = [pool.apply_async(visitors, (port, some, seconds)) for some in share]
        for mark in range(10, seconds + 1, 10):
            time.sleep(max(0.0, began + mark - time.monotonic()))
            print(f"| {mark} | {resident(server):.0f} |", flush=True)
        done = [result.get(seconds + 120) for result in results]
    took = time.monotonic() - began
    statements, errors = sum(n for n, _ in done), [e for _, some in done for e in some]
    print(f"\n{statements:,} statements, {statements / took:.0f} a second, {len(errors)} errors")
    for error in errors[:5]:
        print(f"* {error}")


def visitors(port: int, clients: int, seconds: int) -> tuple[int, list[str]]:
    ends = time.monotonic() + seconds

    def visit(number: int) -> tuple[int, list[str]]:
        count, errors = 0, []
        while time.monotonic() < ends:
            try:
                connection = pymysql.connect(
                    host="127.0.0.1", port=port, user="ibl", password="any", connect_timeout=30
                )
                with connection, connection.cursor() as cursor:
                    # some come and go, as scripts do
                    for turn in range(20):
                        if time.monotonic() > ends:
                            break
                        cursor.execute(MIXED[(number + turn) % len(MIXED)])
                        cursor.fetchall()
                        count += 1
            except pymysql.err.MySQLError as error:
                errors.append(repr(error))
        return count, errors

    with ThreadPoolExecutor(clients) as pool:
        done = list(pool.map(visit, range(clients)))
    return sum(n for n, _ in done), [e for _, some in done for e in some]


def resident(process: int) -> float:
    """Megabytes of memory that a process holds."""
    shown = subprocess.run(
        ["ps", "-o", "rss=", "-p", str(process)], capture_output=True, text=True, check=True
    )
    return int(shown.stdout) / 1024


if __name__ == "__main__":
    main()
