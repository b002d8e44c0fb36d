"""How long, how much memory, how large: `mirror sync` beside what people do today.

    python tests/bench_sync.py [--rows 2000000 8000000] [--rounds 2] [--host HOST:PORT]
        [--delay 80] [--mice 400 800]

Makes its own trial table in a private MariaDB, 2 and then 8 million rows, and times, each as
a process of its own and in turns, so that a noisy machine is noisy for all:

* `mirror sync` of the trial table, everything included, and again with nothing changed;
* DataJoint's `fetch(format='frame')` and pandas' `to_csv`, as the tutorial does it (only for
  the smaller table: 8 million rows need some 13 GB);
* `CREATE TABLE AS` through DuckDB's MySQL extension, in an environment of its own.

With --host, the trial table of a server that is there already, for DJ_USER and DJ_PASS; and
`mirror sync` of everything on it, and again with nothing changed, here and over a line on which
it takes --delay milliseconds to the server and back.

With --mice, `mirror sync --demo` of so many simulated mice, once each, and nothing else.
"""

import argparse
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import ibl
import server as mariadb
from proxy import far

DATAJOINT = """
import datajoint as dj, sys
dj.config["database.use_tls"] = False
behavior = dj.create_virtual_module("behavior", "ibl_behavior")
behavior.TrialSet.Trial.fetch(format="frame").to_csv(sys.argv[1])
"""
EXTENSION = """
import duckdb, duckdb_extension_mysql_scanner as package, glob, os, sys
host, port = os.environ["DJ_HOST"].split(":")
con = duckdb.connect(sys.argv[1])
[extension] = glob.glob(package.__path__[0] + "/extensions/*/*.duckdb_extension")
con.load_extension(extension)
con.execute(
    f"create secret (type mysql, host '{host}', port {port}, database 'ibl_behavior',"
    f" user '{os.environ['DJ_USER']}', password '{os.environ['DJ_PASS']}')"
)
con.execute("attach '' as server (type mysql, read_only)")
con.execute('create table trial as from server._trial_set__trial')
"""
EXTENSION_PACKAGES = ("duckdb==1.5.5", "duckdb-extension-mysql-scanner==1.5.5")
# MySQL keeps doubles to the 0.1 ms that the rig measures, as the published trials do
FILL = """
insert into _trial_set__trial
select x'{uuid:032x}', '2019-08-01' + interval (seq div 900) day + interval 11 hour,
    seq mod 900 + 1,
    round(5 * (seq mod 900) + rand(), 4), round(5 * (seq mod 900) + 3 + rand(), 4),
    round(5 * (seq mod 900) + 1 + rand(), 4), elt(1 + (rand() * 2.05), 'CCW', 'CW', 'No Go'),
    if(rand() < 0.03, null, round(5 * (seq mod 900) + 0.1, 4)),
    @c := if(rand() < 0.5, elt(1 + floor(rand() * 5), 1, 0.25, 0.125, 0.0625, 0), 0),
    if(@c = 0, elt(1 + floor(rand() * 5), 1, 0.25, 0.125, 0.0625, 0), 0),
    round(5 * (seq mod 900) + 1.2 + rand(), 4), if(rand() < 0.8, 1, -1), null,
    5 * (seq mod 900) + 0.1003, 5 * (seq mod 900) + 0.1, elt(1 + floor(rand() * 3), 0.2, 0.5, 0.8),
    1.5, 0.5, 1
from seq_0_to_{last}
"""
TRIALS_PER_MOUSE = 40_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, nargs="+", default=[2_000_000, 8_000_000])
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--host", help="a server that is there already")
    parser.add_argument("--delay", type=float, default=80, help="ms there and back")
    parser.add_argument("--mice", type=int, nargs="+", help="simulated ones, and nothing else")
    arguments = parser.parse_args()
    print(f"{platform.machine()}, Python {platform.python_version()}, DuckDB {duckdb.__version__}")
    with tempfile.TemporaryDirectory(prefix="ibl-") as folder:
        if arguments.mice:
            simulated(Path(folder), arguments.mice)
            return
        if arguments.host:
            environment = {**os.environ, "DJ_HOST": arguments.host}
            table = measure(Path(folder), environment, arguments.rounds, with_datajoint=True)
            show(f"trial table of {arguments.host}", table)
            everything(Path(folder), arguments.host, arguments.rounds, arguments.delay / 1000)
            return
        running = mariadb.start(Path(folder), "--innodb-buffer-pool-size=2G")
        try:
            ibl.declare(ibl.connect(running))
            there = 0
            for rows in arguments.rows:
                there = fill(running, there, rows)
                environment = mariadb.environment(running)
                small = rows == min(arguments.rows)
                table = measure(Path(folder), environment, arguments.rounds, small)
                show(f"{there:,} trials", table)
        finally:
            running.stop()


def fill(running: mariadb.Server, there: int, rows: int) -> int:
    """Add mice until the table holds the rows asked for."""
    if not there:
        running.run("set foreign_key_checks = 0", "delete from ibl_behavior._trial_set__trial")
    connection = running.admin("ibl_behavior")
    with connection, connection.cursor() as cursor:
        cursor.execute("set foreign_key_checks = 0, unique_checks = 0")
        while there < rows:
            some = min(TRIALS_PER_MOUSE, rows - there)
            cursor.execute(FILL.format(uuid=there * 7919 + 1, last=some - 1))
            there += some
        cursor.execute("analyze table _trial_set__trial")
    return there


def measure(
    folder: Path, environment: dict[str, str], rounds: int, with_datajoint: bool
) -> dict[str, list[dict]]:
    """Run the peers in turns; returns what each round of each took."""
    file, csv, other = folder / "m.duckdb", folder / "t.csv", folder / "x.duckdb"
    sync = [sys.executable, "-m", "mirror", "sync", "--database", str(file)]
    sync += ["--table", "behavior.trial_set__trial"]
    # where tests/run.sh puts it when there is none
    own = Path(__file__).parents[1] / ".venv-uv" / "bin"
    uv = shutil.which("uv", path=os.pathsep.join([os.environ["PATH"], str(own)])) or "uv"
    apart = folder / "extension"
    if not apart.exists():
        for install in (
            ["venv", str(apart)],
            ["pip", "install", f"--python={apart}", *EXTENSION_PACKAGES],
        ):
            subprocess.run([uv, *install, "--quiet"], check=True)
    extension = [str(apart / "bin" / "python"), "-c", EXTENSION]
    peers: dict[str, tuple[list[str], Path, Callable[[], None]]] = {
        "mirror sync": ([*sync, "--full"], file, lambda: file.unlink(missing_ok=True)),
        "mirror sync, nothing changed": (sync, file, lambda: None),
        "DuckDB's MySQL extension": (
            [*extension, str(other)],
            other,
            lambda: other.unlink(missing_ok=True),
        ),
    }
    if with_datajoint:
        fetch = [sys.executable, "-c", DATAJOINT, str(csv)]
        peers["DataJoint fetch + to_csv"] = (fetch, csv, lambda: csv.unlink(missing_ok=True))
    table: dict[str, list[dict]] = {name: [] for name in peers}
    for _ in range(rounds):
        for name, (command, result, prepare) in peers.items():
            prepare()
            seconds, megabytes, _ = timed(command, environment)
            size = result.stat().st_size / 1e6
            table[name].append({"s": seconds, "MB": megabytes, "file": size})
    return table


def everything(folder: Path, host: str, rounds: int, delay: float) -> None:
    """Sync all of a server, near and far, and again with nothing changed."""
    with far(int(host.rpartition(":")[2]), delay) as line:
        places = {"here": host, f"{1000 * delay:.0f} ms away": f"127.0.0.1:{line.port}"}
        table: dict[str, list[dict]] = {}
        turns: dict[str, int] = {}
        for _ in range(rounds):
            for place, address in places.items():
                file = folder / "all.duckdb"
                file.unlink(missing_ok=True)
                for what in ("everything", "nothing changed"):
                    line.turns = 0
                    command = [sys.executable, "-m", "mirror", "sync", "--database", str(file)]
                    seconds, megabytes, _ = timed(command, {**os.environ, "DJ_HOST": address})
                    size = file.stat().st_size / 1e6
                    row = {"s": seconds, "MB": megabytes, "file": size}
                    table.setdefault(f"{what}, {place}", []).append(row)
                    turns[f"{what}, {place}"] = line.turns
    show(f"all of {host}", table)
    for name, n in turns.items():
        if n:
            print(f"{name}: {n} ways to the server and back")


def simulated(folder: Path, mice: list[int]) -> None:
    """Sync so many simulated mice."""
    print("\n| mice | trials | seconds | derived, s | peak memory (MB) |")
    print("| ---: | ---: | ---: | ---: | ---: |")
    for n in mice:
        file = folder / f"{n}.duckdb"
        command = [sys.executable, "-m", "mirror", "sync", "--demo", "--demo-mice", str(n)]
        seconds, megabytes, said = timed([*command, "--database", str(file)], dict(os.environ))
        derived = re.search(r"derived: .* ([0-9.]+) s", said)
        with duckdb.connect(str(file), read_only=True) as mirror:
            [(trials,)] = mirror.execute("select count(*) from trials").fetchall()
        file.unlink()
        print(f"| {n} | {trials:,} | {seconds:.0f} | {derived[1]} | {megabytes:.0f} |", flush=True)


def timed(command: list[str], environment: dict[str, str]) -> tuple[float, float, str]:
    """Seconds and peak megabytes of a process, and what it said."""
    began = time.monotonic()
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    said = process.stderr.read().decode()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(said)
    return time.monotonic() - began, usage.ru_maxrss / 1024, said


def show(title: str, table: dict[str, list[dict]]) -> None:
    """Print the medians, and each time as a multiple of the first."""
    middle = {
        name: {key: statistics.median(r[key] for r in rounds) for key in rounds[0]}
        for name, rounds in table.items()
    }
    base = next(iter(middle.values()))["s"]
    print(f"\n{title}\n\n| | seconds | against the first | peak memory (MB) | file (MB) |")
    print("| --- | ---: | ---: | ---: | ---: |")
    for name, row in middle.items():
        print(
            f"| {name} | {row['s']:.1f} | {row['s'] / base:.2f} | {row['MB']:.0f}"
            f" | {row['file']:.0f} |"
        )
    sys.stdout.flush()


if __name__ == "__main__":
    main()
