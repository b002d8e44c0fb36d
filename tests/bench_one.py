"""How alike, how long, how much memory: a mirror of IBL's public files beside its peers.

    python tests/bench_one.py CACHE [--replica MIRROR] [--repeat 140] [--rounds 3]

CACHE is a folder in ONE's layout. Seconds are told twice, on the clock and of the processor: only
the latter mean something on a machine that has other work. Each figure is of a process of its own:

* `mirror sync --source one` of the folder, everything included, and again with nothing changed;
* all trials into a frame: from the mirror, and by ONE's own `load_aggregate` and pandas' `concat`,
  in an environment of its own; as a program, and in a session that has its libraries already;
* the folder's files fetched from a bucket on loopback that breaks off every body once, and is busy
  three times;
* with --replica, the mirror of a server that has the same sessions: trials by key, value for value,
  and what is recomputed from them;
* with --repeat, a sync of so many mice, which are CACHE's under new names.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

import bucket
import duckdb
import one_api

from mirror import connect, views
from mirror.sources.one import fetch, releases
from mirror.sources.one.bucket import Bucket

# around what is timed: a program's last line is what it took, on the clock and of the processor
BEGIN = "began, worked = time.monotonic(), time.process_time()"
END = "print(time.monotonic() - began, time.process_time() - worked)"
# as ONE's users do it, offline
ONE = f"""
import sys, time
import pandas as pd
{one_api.OPEN}
{BEGIN}
frame = pd.concat(
    one.load_aggregate("subjects", name + "$", "_ibl_subjectTrials.table") for name in sys.argv[2:]
)
{END}
"""
MIRROR = f"""
import sys, time
import pandas
import mirror
connection = mirror.connect(sys.argv[1])
{BEGIN}
frame = connection.sql(sys.argv[2]).df()
{END}
"""
# like ONE's, without the mouse; and with all of ONE's columns and the mouse
SERVERS_COLUMNS = "select * exclude (subject_uuid) from behavior.trial_set__trial"
ALL_COLUMNS = (
    "select subject_nickname, trial.* exclude (subject_uuid),"
    " extra.* exclude (subject_uuid, session_start_time, trial_id)"
    " from behavior.trial_set__trial as trial"
    " join one.trial_extras as extra using (subject_uuid, session_start_time, trial_id)"
    " join subject.subject using (subject_uuid)"
)
Figures = tuple[float, float, float]
# Times in the test folder are rounded otherwise than the server's.
CLOSE = 5e-4
DIFFERENCES = {
    "trials of common sessions": "count(*)",
    "without a partner": "count(*) filter (there.trial_id is null)",
    "choice": "count(*) filter (here.trial_response_choice::varchar"
    " <> there.trial_response_choice::varchar)",
    "contrasts": "count(*) filter (here.trial_stim_contrast_left <> there.trial_stim_contrast_left"
    " or here.trial_stim_contrast_right <> there.trial_stim_contrast_right)",
    "feedback": "count(*) filter (here.trial_feedback_type is distinct from"
    " there.trial_feedback_type)",
    "prior": "count(*) filter (here.trial_stim_prob_left <> there.trial_stim_prob_left)",
    "missing onsets": "count(*) filter ((here.trial_stim_on_time is null)"
    " <> (there.trial_stim_on_time is null))",
}
# Table, key, columns that must be equal, columns that may differ as times do.
RECOMPUTED = (
    (
        "session_performance",
        ("subject_uuid", "session_start_time"),
        ("n_trials", "n_no_go", "n_rewarded", "n_correct", "performance", "performance_easy"),
        ("median_reaction_time", "median_reaction_time_paper"),
    ),
    (
        "psychometric_fits",
        (
            "grain",
            "subject_uuid",
            "session_start_time",
            "session_date",
            "prob_left_block",
            "variant",
        ),
        ("n_trials", "threshold", "bias", "lapse_low", "lapse_high"),
        (),
    ),
    (
        "reaction_times",
        (
            *("grain", "subject_uuid", "session_start_time", "session_date"),
            *("prob_left_block", "signed_contrast"),
        ),
        ("n_trials", "n_reaction_times", "n_reaction_times_paper"),
        ("median_reaction_time", "median_reaction_time_paper"),
    ),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cache", type=Path)
    parser.add_argument("--replica", type=Path, help="a mirror of a server with these sessions")
    parser.add_argument("--repeat", type=int, default=0, metavar="MICE")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    cache = arguments.cache.resolve()
    with tempfile.TemporaryDirectory(prefix="one-") as name:
        folder = Path(name)
        file = folder / "mirror.duckdb"
        print("| | seconds | of the processor | peak memory (MB) |")
        print("| --- | ---: | ---: | ---: |")
        show("mirror sync", [sync(cache, file, "--full")[0] for _ in range(arguments.rounds)])
        show("mirror sync, nothing changed", [sync(cache, file)[0] for _ in range(3)])
        frames(cache, file, arguments.rounds)
        fetched(cache, folder / "fetched")
        if arguments.replica:
            compare(file, arguments.replica, folder)
        if arguments.repeat:
            many, big = folder / "many", folder / "many.duckdb"
            repeat(cache, many, arguments.repeat)
            show(f"mirror sync of {arguments.repeat} mice", [sync(many, big)[0]])
            with connect(big) as connection:
                print(connection.sql("select count(*) as trials from trials").fetchall())


def timed(command: list[str], environment: dict[str, str]) -> tuple[Figures, str]:
    """Seconds on the clock and of the processor, and peak megabytes; and what was printed."""
    began = time.monotonic()
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=said)
        printed = process.stdout.read().decode()
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            said.seek(0)
            raise RuntimeError(said.read().decode())
    return (seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024), printed


def sync(cache: Path, file: Path, *options: str) -> tuple[Figures, str]:
    command = [sys.executable, "-m", "mirror", "sync", "--source", "one", "--one-cache", cache]
    return timed([*map(str, command), "--database", str(file), *options], {})


def show(what: str, rounds: list[Figures]) -> Figures:
    middle = tuple(map(statistics.median, zip(*rounds, strict=True)))
    memory = f"{middle[2]:.0f}" if middle[2] else ""
    print(f"| {what} | {middle[0]:.2f} | {middle[1]:.2f} | {memory} |", flush=True)
    return middle


def frames(cache: Path, file: Path, rounds: int) -> None:
    """The trials of all mice as a frame, by each way in turns."""
    mice = sorted(
        f"{path.parent.parent.name}/{path.parent.name}"
        for path in cache.glob("aggregates/Subjects/*/*/_ibl_subjectTrials.table*.pqt")
    )
    with tempfile.TemporaryDirectory() as home:
        by_mirror = [sys.executable, "-c", MIRROR, str(file)]
        ways = {
            "from the mirror": ([*by_mirror, SERVERS_COLUMNS], {}),
            "from the mirror with all that ONE has": ([*by_mirror, ALL_COLUMNS], {}),
            "by ONE": ([str(one_api.python()), "-c", ONE, str(cache), *mice], {"HOME": home}),
        }
        whole: dict[str, list[Figures]] = {way: [] for way in ways}
        alone: dict[str, list[Figures]] = {way: [] for way in ways}
        for _ in range(rounds):
            for way, (command, environment) in ways.items():
                figures, printed = timed(command, environment)
                seconds, processor = map(float, printed.splitlines()[-1].split())
                whole[way].append(figures)
                alone[way].append((seconds, processor, 0))
    for what, found in (("as a program", whole), ("in a session", alone)):
        *ours, (seconds, processor, _) = (
            show(f"all trials into a frame {what}, {way}", found[way]) for way in ways
        )
        for each in ours:
            print(f"| times as fast | {seconds / each[0]:.0f} | {processor / each[1]:.0f} | |")


def fetched(cache: Path, target: Path) -> None:
    """The mice's files from a bucket of ill will."""
    with bucket.serving(bucket.of_folder(cache)) as public:
        public.page, public.cut, public.busy = 10, {*public.files}, [(503, {})] * 3
        began, worked = time.monotonic(), time.process_time()
        with closing(Bucket(public.url)) as client:
            plan = fetch.plan(target, releases.DEFAULT_TAGS, (), client.list)
            fetch.fetch(plan, client)
        figures = (time.monotonic() - began, time.process_time() - worked, 0)
        sent = sum(n for key in public.files for _, n in public.asked(key))
        whole = sum(map(len, public.files.values()))
    show(f"{len(plan.files)} files fetched, bucket included", [figures])
    print(f"| bytes of them that came twice | {sent - whole:,} | | |")


def compare(file: Path, replica: Path, folder: Path) -> None:
    """Count what differs between the mirror of the files and that of a server."""
    other = folder / "replica.duckdb"
    shutil.copy(replica, other)
    # recomputed by the same code
    views.apply(other)
    with duckdb.connect() as connection:
        connection.execute("set memory_limit = '2GB'")
        connection.execute(f"attach '{file}' as here (read_only)")
        connection.execute(f"attach '{other}' as there (read_only)")
        counts = ", ".join(DIFFERENCES.values())
        found = connection.execute(
            f"select {counts} from here.behavior.trial_set__trial as here"
            " semi join there.behavior.trial_set__trial as common"
            " using (subject_uuid, session_start_time)"
            " left join there.behavior.trial_set__trial as there"
            " using (subject_uuid, session_start_time, trial_id)"
        ).fetchall()
        print("| differences | |\n| --- | ---: |")
        for what, n in zip(DIFFERENCES, found[0], strict=True):
            print(f"| {what} | {n:,} |")
        for table, key, equal, close in RECOMPUTED:
            same = " and ".join(f"here.{name} is not distinct from there.{name}" for name in key)
            differs = [f"here.{name} is distinct from there.{name}" for name in equal]
            differs += [
                f"(here.{name} is null) <> (there.{name} is null)"
                f" or abs(here.{name} - there.{name}) > {CLOSE}"
                for name in close
            ]
            n, alone, different = connection.execute(
                f"select count(*), count(*) filter (there.subject_uuid is null),"
                f" count(*) filter ({' or '.join(differs)}) from here.derived.{table} as here"
                f" left join there.derived.{table} as there on {same}"
            ).fetchall()[0]
            print(f"| {table}: {n:,} rows, {alone:,} without a partner | {different:,} |")


def repeat(cache: Path, folder: Path, n_mice: int) -> None:
    """The folder's mice again and again, under new names and with sessions of their own."""
    paths = sorted(cache.glob("aggregates/Subjects/*/*/_ibl_subjectTrials.table*.pqt"))
    with duckdb.connect() as connection:
        connection.create_function(
            "renamed",
            lambda n, eid: str(uuid5(NAMESPACE_URL, f"{n}{eid}")),
            ["INTEGER", "VARCHAR"],
            "VARCHAR",
        )
        for number in range(n_mice):
            trials = paths[number % len(paths)]
            copy = number // len(paths)
            lab, mouse = trials.parts[-3], f"{trials.parts[-2]}_{copy}"
            for path in trials.parent.glob("_ibl_subject*.pqt"):
                target = folder / "aggregates" / "Subjects" / lab / mouse / path.name
                target.parent.mkdir(parents=True, exist_ok=True)
                eid = "id" if "Sessions" in path.name else "session"
                connection.execute(
                    f"create or replace temp table eids as select distinct {eid} as eid,"
                    f" renamed({copy}, {eid}) as other from read_parquet('{path}')"
                )
                connection.execute(
                    f"copy (select * replace ((select other from eids where eid = {eid}) as {eid})"
                    f" from read_parquet('{path}')) to '{target}' (format parquet)"
                )


if __name__ == "__main__":
    main()
