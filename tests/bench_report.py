"""Print how long a report takes, how large it is, and how fast its pages open in Chromium.

Run: python tests/bench_report.py FILE.duckdb

The peer is what one would do without it: the five charts of a mouse's page, each saved by Altair
as a page that opens without a network, of some mice, for as many mice as the mirror has.
"""

import argparse
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from browser import opened, started

from analyses import gallery
from mirror import connect

FIGURES = ("mouse_weights", "mouse_progress", "mouse_contrasts", "mouse_fits", "mouse_last_days")
PEER_MICE = 5
ROUNDS = 5


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("file", type=Path)
    file: Path = parser.parse_args().file
    with connect(file) as con:
        [(n_mice,)] = con.sql("select count(*) from subjects").fetchall()
        [(n_sessions, n_with_trials)] = con.sql(
            "select count(*), count(*) filter (where has_trials) from sessions"
        ).fetchall()
        mice = [
            name
            for (name,) in con.sql(
                "select subject_nickname from sessions_by_subject where n_sessions_with_trials > 3"
                f" order by md5(subject_uuid::varchar) limit {PEER_MICE}"
            ).fetchall()
        ]
    print(f"{n_mice:,} mice, {n_sessions:,} sessions, {n_with_trials:,} of them with trials\n")
    with tempfile.TemporaryDirectory() as folder:
        report, peer = Path(folder) / "report", Path(folder) / "peer"
        peer.mkdir()
        seconds = timed(lambda: build(file, report))
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e3
        share = n_mice / len(mice)
        peer_seconds = share * timed(lambda: save(file, mice, peer))
        print("| | seconds | MB | peak memory, MB |\n| --- | ---: | ---: | ---: |")
        print(f"| mirror report | {seconds:.0f} | {size(report):.0f} | {peak:.0f} |")
        print(
            f"| five charts a mouse, one by one ({len(mice)} mice, times {share:.0f}) |"
            f" {peer_seconds:.0f} | {share * size(peer):.0f} | |"
        )
        print("\n| page | opens in, s | first chart or table after, s |\n| --- | ---: | ---: |")
        for name, address in pages(report).items():
            loads, draws = zip(*(visit(address) for _ in range(ROUNDS)), strict=True)
            print(f"| {name} | {statistics.median(loads):.2f} | {statistics.median(draws):.2f} |")


def timed(work: Callable[[], None]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def build(file: Path, folder: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "mirror", "report", "--database", str(file), "-o", str(folder)],
        check=True,
        stderr=subprocess.DEVNULL,
    )


def save(file: Path, mice: list[str], folder: Path) -> None:
    with connect(file) as con:
        for mouse in mice:
            for name in FIGURES:
                chart = gallery.draw(con, name, subject=mouse)
                gallery.save(chart, folder / f"{mouse}-{name}.html")


def size(folder: Path) -> float:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / 1e6


def pages(report: Path) -> dict[str, str]:
    """The address of a page of each kind, of mouse and session the one with most rows."""
    largest = max((report / "data" / "mice").iterdir(), key=lambda file: file.stat().st_size).stem
    text = (report / "mice" / f"{largest}.html").read_text()
    session = text.partition('href="../session.html#')[2].partition('"')[0]
    names = ("index", "mice", "sessions", "daily", "dictionary", "charts/learning_curves")
    return {name: (report / f"{name}.html").as_uri() for name in names} | {
        "a mouse": (report / "mice" / f"{largest}.html").as_uri(),
        "a session": (report / "session.html").as_uri() + f"#{session}",
    }


def visit(address: str) -> tuple[float, float]:
    """Seconds until a page has loaded in a fresh browser, and until something stands on it."""
    with started() as browser, opened(browser) as page:
        began = time.perf_counter()
        page.goto(address)
        loaded = time.perf_counter() - began
        page.locator(".drawn, table.dataTable tbody tr, .definition, .facts").first.wait_for()
        return loaded, time.perf_counter() - began


if __name__ == "__main__":
    main()
