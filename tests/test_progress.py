"""How far a sync is, as a terminal shows it."""

import io
import time
from pathlib import Path

import pytest

from mirror.progress import Bars, Progress
from mirror.sources.demo import DemoSource
from mirror.syncing import sync

pytestmark = pytest.mark.slow


class Heard(Progress):
    """Writes down what is at hand, and how much of it was done."""

    def __init__(self) -> None:
        self.phases: dict[str, tuple[int | None, str]] = {}
        self.done: dict[str, int] = {}

    def start(self, what: str, total: int | None = None, unit: str = "rows") -> None:
        self.now = what
        self.phases[what] = (total, unit)

    def advance(self, n: int) -> None:
        self.done[self.now] = self.done.get(self.now, 0) + n


def test_every_phase_of_a_sync_is_named_and_moves(tmp_path: Path) -> None:
    heard = Heard()
    source = DemoSource(1, progress=heard)

    report = sync(source, tmp_path / "demo.duckdb", progress=heard)
    source.close()

    assert heard.phases["simulating"] == (1, "mice") and heard.done["simulating"] == 1
    total, unit = heard.phases["deriving"]
    assert unit == "steps" and heard.done["deriving"] == total
    assert {"checking references", "defining views", "writing the file"} <= heard.phases.keys()
    rows = {table.table: table.rows for table in report.tables if table.rows}
    assert {name: heard.done[name] for name in rows} == rows


def test_the_time_of_a_phase_goes_on_while_nothing_else_moves() -> None:
    out = io.StringIO()
    bars = Bars(out)
    bars.close()
    bars = Bars(out)
    bars.begin(3)
    bars.start("defining views", unit="")
    deadline = time.monotonic() + 60
    while "defining views: 00:01" not in out.getvalue():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    bars.start("deriving", 12, "steps")
    bars.close()

    assert "deriving:   0%" in out.getvalue()
