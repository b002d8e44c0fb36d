"""The rows that a mouse's files hold, mapped to IBL's tables by the queries of `sql/`.

Each file of `sql/` gives the rows of the table that it is named after, for one mouse; those that
begin with an underscore define what the others read. DuckDB reads the Parquet files itself.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import duckdb
import pyarrow as pa

from mirror.errors import MirrorError
from mirror.sources.one.mice import Mouse
from mirror.store import literal, quoted

FOLDER = Path(__file__).parent

# The columns that are read, with the type in which they are: older files lack some of them, and
# say NaN, not NULL, for what is missing.
COLUMNS = {
    "Trials": {
        "session": "UUID",
        "session_start_time": "TIMESTAMP",
        "task_protocol": "VARCHAR",
        "protocol_number": "INTEGER",
        "intervals_0": "DOUBLE",
        "intervals_1": "DOUBLE",
        "stimOn_times": "DOUBLE",
        "stimOff_times": "DOUBLE",
        "goCue_times": "DOUBLE",
        "goCueTrigger_times": "DOUBLE",
        "response_times": "DOUBLE",
        "feedback_times": "DOUBLE",
        "firstMovement_times": "DOUBLE",
        "choice": "DOUBLE",
        "feedbackType": "DOUBLE",
        "contrastLeft": "DOUBLE",
        "contrastRight": "DOUBLE",
        "probabilityLeft": "DOUBLE",
        "rewardVolume": "DOUBLE",
        "quiescence": "DOUBLE",
        "phase": "DOUBLE",
        "position": "DOUBLE",
    },
    "Sessions": {
        "id": "UUID",
        "number": "INTEGER",
        "lab": "VARCHAR",
        "task_protocol": "VARCHAR",
        "projects": "VARCHAR",
    },
    "Training": {"date": "DATE", "training_status": "VARCHAR", "session": "UUID"},
}
REQUIRED = {
    "Trials": {
        "session",
        "session_start_time",
        "intervals_0",
        "intervals_1",
        "choice",
        "contrastLeft",
        "contrastRight",
        "probabilityLeft",
    },
    "Sessions": {"id"},
    "Training": {"date", "training_status"},
}
ROWS = {"Trials": "trial_row", "Sessions": "session_row", "Training": "training_row"}
PREPARED = ("_trial", "_listed", "_session")
# Beside the file that the rows go into, whose connection has limits of its own.
SETTINGS = {"memory_limit": "200MB", "threads": 2}


def tables() -> tuple[str, ...]:
    """The tables that the public files fill."""
    names = (file.stem for file in (FOLDER / "sql").glob("*.sql"))
    return tuple(sorted(name for name in names if not name.startswith("_")))


@cache
def query(name: str) -> str:
    """What gives the rows of a table."""
    return (FOLDER / "sql" / f"{name}.sql").read_text("utf-8")


class Reader:
    """A connection in which one mouse at a time is at hand."""

    def __init__(self) -> None:
        self._connection = duckdb.connect(config=SETTINGS)
        self._connection.execute("set enable_progress_bar = false")
        labs = literal(str(FOLDER / "labs.csv"))
        self._connection.execute(
            f"create temp table lab as from read_csv({labs}, all_varchar = true)"
        )
        self.take(None)

    def take(self, mouse: Mouse | None) -> None:
        """Have the rows of this mouse at hand; without one, no rows of the same columns."""
        run = self._connection.execute
        run(
            "create or replace temp view mouse as select"
            f" {literal(mouse and mouse.uuid)}::uuid as uuid,"
            f" {literal(mouse and mouse.nickname)}::varchar as nickname,"
            f" {literal(mouse and mouse.lab)}::varchar as lab,"
            f" {literal(mouse and mouse.sex)}::varchar as sex,"
            f" {literal(mouse and mouse.birth_date)}::date as birth_date"
            f" where {literal(mouse is not None)}"
        )
        for kind, view in ROWS.items():
            file = mouse.files.get(kind) if mouse else None
            with _errors(file.path if file else None):
                run(f"create or replace temp view {view} as {self._rows(kind, file and file.path)}")
        for name in PREPARED:
            run(query(name))

    def batches(self, statement: str, batch_rows: int) -> pa.RecordBatchReader:
        return self._connection.execute(statement).fetch_record_batch(batch_rows)

    def ask(self, statement: str) -> list[tuple]:
        return self._connection.execute(statement).fetchall()

    def columns(self, name: str) -> tuple[str, ...]:
        """The columns that a table's query gives."""
        return tuple(name for name, *_ in self.ask(f"describe {query(name)}"))

    def close(self) -> None:
        self._connection.close()

    def _rows(self, kind: str, file: Path | None) -> str:
        """A query for the columns of a file, each of its own type, NULL where there is none."""
        wanted = COLUMNS[kind]
        there = set(wanted)
        if file:
            source = f"read_parquet({literal(str(file))}, file_row_number = true)"
            there = {name for name, *_ in self.ask(f"describe from {source}")}
            if missing := sorted(REQUIRED[kind] - there):
                raise MirrorError(
                    f"{file} has no column {missing[0]}: delete the file and run again."
                )
        else:
            nothing = ", ".join(f"null as {quoted(name)}" for name in wanted)
            source = f"(select {nothing}, 0 as file_row_number where false)"
        select = ", ".join(
            (
                f"nullif({quoted(name)}::double, 'nan'::double)"
                if duckdb_type == "DOUBLE" and name in there
                else f"{quoted(name) if name in there else 'null'}::{duckdb_type}"
            )
            + f" as {quoted(name)}"
            for name, duckdb_type in wanted.items()
        )
        return f"select {select}, file_row_number from {source}"


@contextmanager
def _errors(file: Path | None) -> Iterator[None]:
    """Put what DuckDB says of a file into a sentence."""
    try:
        yield
    except duckdb.InterruptException as error:
        raise KeyboardInterrupt from error
    except (duckdb.Error, pa.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0].rstrip(".")
        raise MirrorError(f"{file} cannot be read ({reason}): delete it and run again.") from error
