"""How far a sync is: silent, a line per table, or bars on a terminal."""

from typing import TextIO

from mirror.printing import visible


class Progress:
    """Hears how far a sync is; this one says nothing."""

    def begin(self, tables: int) -> None: ...

    def start(self, table: str) -> None: ...

    def advance(self, rows: int) -> None: ...

    def finish(self, table: str, how: str, rows: int, seconds: float) -> None: ...

    def close(self) -> None: ...


class Lines(Progress):
    """A line per table, for logs."""

    def __init__(self, out: TextIO) -> None:
        self.out = out

    def begin(self, tables: int) -> None:
        self.out.write(f"{tables} tables\n")

    def finish(self, table: str, how: str, rows: int, seconds: float) -> None:
        self.out.write(f"{visible(table)}: {how}, {rows:,} rows, {seconds:.1f} s\n")


class Bars(Progress):
    """Two lines: the tables done, and the rows of the one at hand with their rate."""

    def __init__(self, out: TextIO) -> None:
        from tqdm import tqdm

        self.tables = tqdm(unit=" tables", file=out, leave=False, position=0)
        self.rows = tqdm(unit=" rows", unit_scale=True, file=out, leave=False, position=1)

    def begin(self, tables: int) -> None:
        self.tables.reset(tables)

    def start(self, table: str) -> None:
        self.rows.reset()
        self.rows.set_description_str(visible(table))

    def advance(self, rows: int) -> None:
        self.rows.update(rows)

    def finish(self, table: str, how: str, rows: int, seconds: float) -> None:
        self.tables.update()

    def close(self) -> None:
        self.rows.close()
        self.tables.close()


def on(out: TextIO) -> Progress:
    """Bars on a terminal, lines anywhere else."""
    return Bars(out) if out.isatty() else Lines(out)
