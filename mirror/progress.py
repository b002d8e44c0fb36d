"""How far a sync is: silent, a line per table, or bars on a terminal."""

from threading import Event, Lock, Thread
from typing import Any, TextIO

from mirror.printing import visible

# s between two looks at the clock while nothing else moves
TICK = 0.5


class Progress:
    """Hears how far a sync is; this one says nothing."""

    def begin_fetch(self, what: str, size: int) -> None: ...

    def received(self, size: int) -> None: ...

    def end_fetch(self) -> None: ...

    def begin(self, tables: int) -> None: ...

    def start(self, what: str, total: int | None = None, unit: str = "rows") -> None:
        """Say what is at hand, a table or a phase; of so many units, or none that are counted."""

    def advance(self, n: int) -> None: ...

    def finish(self, table: str, how: str, rows: int, seconds: float) -> None: ...

    def close(self) -> None: ...


class Beside(Progress):
    """Hears how far work is that goes on beside other work, and tells it once that is over."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._phase: tuple[str, int | None, str] = ("deriving", None, "")
        self._done = 0
        self._is_shown = False
        self._lock = Lock()

    def start(self, what: str, total: int | None = None, unit: str = "rows") -> None:
        with self._lock:
            self._phase, self._done = (what, total, unit), 0
            if self._is_shown:
                self._progress.start(*self._phase)

    def advance(self, n: int) -> None:
        with self._lock:
            self._done += n
            if self._is_shown:
                self._progress.advance(n)

    def show(self) -> None:
        """Tell from now on."""
        with self._lock:
            self._is_shown = True
            self._progress.start(*self._phase)
            if self._done:
                self._progress.advance(self._done)


class Lines(Progress):
    """A line per tenth of what is fetched, and per table, for logs."""

    def __init__(self, out: TextIO) -> None:
        self.out = out
        self.fetched, self.to_fetch = 0, 1

    def begin_fetch(self, what: str, size: int) -> None:
        self.out.write(f"{what}\n")
        self.fetched, self.to_fetch = 0, max(size, 1)

    def received(self, size: int) -> None:
        before = 10 * self.fetched // self.to_fetch
        self.fetched += size
        if 10 * self.fetched // self.to_fetch > before:
            self.out.write(f"{self.fetched / 1e6:,.1f} of {self.to_fetch / 1e6:,.1f} MB fetched\n")

    def begin(self, tables: int) -> None:
        self.out.write(f"{tables} tables\n")

    def finish(self, table: str, how: str, rows: int, seconds: float) -> None:
        self.out.write(f"{visible(table)}: {how}, {rows:,} rows, {seconds:.1f} s\n")


class Bars(Progress):
    """Two lines: the tables done, and what is at hand with its rate, or its time at least.

    While files are fetched, one: their bytes.
    """

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._bytes: Any = None
        self._is_over = Event()
        self._clock: Thread | None = None

    def begin_fetch(self, what: str, size: int) -> None:
        from tqdm import tqdm

        tqdm.write(what, file=self._out)
        self._bytes = tqdm(total=size, unit="B", unit_scale=True, file=self._out, leave=False)

    def received(self, size: int) -> None:
        self._bytes.update(size)

    def end_fetch(self) -> None:
        self._bytes.close()

    def begin(self, tables: int) -> None:
        from tqdm import tqdm

        self.tables = tqdm(total=tables, unit=" tables", file=self._out, leave=False, position=0)
        self.rows = tqdm(file=self._out, leave=False, position=1)
        self._clock = Thread(target=self._tick, daemon=True)
        self._clock.start()

    def start(self, what: str, total: int | None = None, unit: str = "rows") -> None:
        self.rows.unit, self.rows.unit_scale = f" {unit}", unit == "rows"
        self.rows.bar_format = None if unit else "{desc}: {elapsed}"
        self.rows.set_description_str(visible(what), refresh=False)
        self.rows.total = total
        self.rows.reset()

    def advance(self, n: int) -> None:
        self.rows.update(n)

    def finish(self, table: str, how: str, rows: int, seconds: float) -> None:
        self.tables.update()

    def close(self) -> None:
        if self._bytes is not None:
            self._bytes.close()
        if self._clock is None:
            return
        self._is_over.set()
        self._clock.join()
        self.rows.close()
        self.tables.close()

    def _tick(self) -> None:
        while not self._is_over.wait(TICK):
            self.rows.refresh()


def on(out: TextIO) -> Progress:
    """Bars on a terminal, lines anywhere else."""
    return Bars(out) if out.isatty() else Lines(out)
