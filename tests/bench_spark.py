"""What ten views cost on Spark and on DuckDB, beside each other, as the trials grow.

    python tests/bench_spark.py [--millions 1 4 16] [--rounds 2] [--memory 6g] [--folder DIR]
    python tests/bench_spark.py --compare ibl.duckdb

Mirrors of simulated mice, about so many million trials, are made once in the folder, exported, and
all rows and columns of each view are read: by DuckDB from the file, and by Spark `local[*]` from
the export. The first round pays for what each engine compiles; the fastest is printed, and how each
grows from one size to the next beside the growth of the trials. Linear is at most the latter.

With --compare, every view of a mirror instead, as it is in the file and as Spark answers from an
export: how many rows, and what differs of columns, types and values. Views that are stored are
compared as their SQL.
"""

import argparse
import os
import platform
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import duckdb
from pyspark.sql import SparkSession
from test_spark import STORED, differences, made_by_sql, there

from mirror import connect, parquet
from mirror.sources.demo import DemoSource
from mirror.spark import define, session
from mirror.syncing import sync

VIEWS = (
    "sessions",
    "days",
    "labs",
    "growth",
    "choice_history",
    "block_shift",
    "psychometrics_by_session",
    "psychometrics_by_block",
    "reaction_times_by_session",
    "session_end_criteria",
)
TRIALS_PER_MOUSE = 25_000
# What asks about the DuckDB file itself.
NOT_THERE = "mirror_health"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--millions", type=float, nargs="+", default=[1, 4, 16])
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--memory", default="6g", help="Spark's heap")
    parser.add_argument("--folder", type=Path, default=Path("bench_spark"))
    parser.add_argument("--compare", type=Path, metavar="MIRROR")
    given = parser.parse_args()
    given.folder.mkdir(exist_ok=True)
    spark = session(
        spark_driver_memory=given.memory,
        spark_ui_enabled="false",
        spark_ui_showConsoleProgress="false",
    )
    spark.sparkContext.setLogLevel("ERROR")
    print(f"{os.cpu_count()} cores, {platform.machine()}, Spark {spark.version}")
    if given.compare:
        compare(spark, given.compare, given.folder / "compared")
        spark.stop()
        return
    found: list[tuple[int, dict[str, tuple[float, float]]]] = []
    for millions in given.millions:
        file = mirror(given.folder, millions)
        folder = file.with_suffix("")
        with connect(file) as con:
            if not (folder / parquet.MANIFEST).exists():
                took = seconds(lambda con=con, folder=folder: parquet.export(con, folder))
                print(f"exported {millions:g} M in {took:.1f} s")
            [(n,)] = con.sql("select count(*) from trials").fetchall()
            print(f"defined in {seconds(lambda folder=folder: define(spark, folder)):.1f} s")
            times = {}
            for view in VIEWS:
                duck = least(given.rounds, lambda v=view, c=con: read_here(c, v))
                there = least(given.rounds, lambda v=view: read_there(spark, v))
                times[view] = duck, there
        found.append((n, times))
        table(n, times)
    for (few, before), (many, after) in pairwise(found):
        print(f"\n{many / few:.1f} times the trials:")
        for place, engine in enumerate(("DuckDB", "Spark")):
            was, now = (sum(t[place] for t in times.values()) for times in (before, after))
            print(f"  {engine}: {now / was:.1f} times the seconds")
    spark.stop()


def compare(spark: SparkSession, file: Path, folder: Path) -> None:
    """Print what every view of a mirror has otherwise on Spark."""
    with connect(file) as con:
        parquet.export(con, folder, full=True)
        define(spark, folder)
        views = con.sql(
            "select view_name from _mirror.views where skipped is null order by all"
        ).fetchall()
        print("| view | rows | otherwise |\n| --- | ---: | --- |")
        for (name,) in views:
            if name == NOT_THERE:
                continue
            ours = con.sql(f"from {name}").to_arrow_table()
            query = made_by_sql(spark, folder, name) if name in STORED else f"select * from {name}"
            found = differences(ours, there(spark, query))
            print(f"| `{name}` | {ours.num_rows:,} | {found or ''} |", flush=True)


def mirror(folder: Path, millions: float) -> Path:
    """A mirror of about so many trials; made once."""
    file = folder / f"{millions:g}M.duckdb"
    if not file.exists():
        source = DemoSource(max(5, round(millions * 1e6 / TRIALS_PER_MOUSE)))
        sync(source, file)
        source.close()
    return file


def read_here(con: duckdb.DuckDBPyConnection, view: str) -> None:
    """All rows and columns, as Arrow batches, and none kept."""
    for _ in con.sql(f"from {view}").to_arrow_reader(100_000):
        pass


def read_there(spark: SparkSession, view: str) -> None:
    """All rows and columns, written nowhere."""
    spark.table(view).write.format("noop").mode("overwrite").save()


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def least(rounds: int, work: Callable[[], object]) -> float:
    return min(seconds(work) for _ in range(rounds))


def table(n: int, times: dict[str, tuple[float, float]]) -> None:
    print(f"\n| {n / 1e6:.1f} million trials | DuckDB (s) | Spark (s) |\n|---|---|---|")
    for view, (here, over_there) in times.items():
        print(f"| `{view}` | {here:.2f} | {over_there:.2f} |")
    print(f"| all ten | {sum(d for d, _ in times.values()):.1f} |", end="")
    print(f" {sum(s for _, s in times.values()):.1f} |")


if __name__ == "__main__":
    main()
