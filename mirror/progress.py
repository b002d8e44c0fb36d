"""How far a sync is: silent, a line per table, or bars on a terminal."""

from typing import Any, TextIO


class Progress:
    """Hears how far a sync is; this one says nothing."""

    def begin_fetch(self, what: str, size: int) -> None: ...

    def received(self, size: int) -> None: ...

    def end_fetch(self) -> None: ...

    def begin(self, tables: int) -> None: ...

    def start(self, table: str) -> None: ...

    def advance(self, rows: int) -> None: ...

    def finish(self, table: str, how: str, rows: int, seconds: float) -> None: ...

    def close(self) -> None: ...


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
        self.out.write(f"{table}: {how}, {rows:,} rows, {seconds:.1f} s\n")


class Bars(Progress):
    """Two lines: the tables done, and the rows of the one at hand with their rate.

    While files are fetched, a third: their bytes.
    """

    def __init__(self, out: TextIO) -> None:
        from tqdm import tqdm

        self.out = out
        self.bytes: Any = None
        self.tables = tqdm(unit=" tables", file=out, leave=False, position=0)
        self.rows = tqdm(unit=" rows", unit_scale=True, file=out, leave=False, position=1)

    def begin_fetch(self, what: str, size: int) -> None:
        from tqdm import tqdm

        tqdm.write(what, file=self.out)
        self.bytes = tqdm(
            total=size, unit="B", unit_scale=True, file=self.out, leave=False, position=2
        )

    def received(self, size: int) -> None:
        self.bytes.update(size)

    def end_fetch(self) -> None:
        self.bytes.close()

    def begin(self, tables: int) -> None:
        self.tables.reset(tables)

    def start(self, table: str) -> None:
        self.rows.reset()
        self.rows.set_description_str(table)

    def advance(self, rows: int) -> None:
        self.rows.update(rows)

    def finish(self, table: str, how: str, rows: int, seconds: float) -> None:
        self.tables.update()

    def close(self) -> None:
        if self.bytes is not None:
            self.bytes.close()
        self.rows.close()
        self.tables.close()


def on(out: TextIO) -> Progress:
    """Bars on a terminal, lines anywhere else."""
    return Bars(out) if out.isatty() else Lines(out)
