"""What the files of mice hold, mapped to IBL's tables by the queries of `sql/`.

Each file of `sql/` gives the rows of the table that it is named after. Those that begin with an
underscore make what the others read: the view `trial`, which shows one mouse at a time, and the
tables `listed`, `session` and `training`, which gather a few hundred bytes of each session of all
mice. DuckDB reads the Parquet files itself.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

import duckdb
import pyarrow as pa

from mirror.errors import MirrorError
from mirror.sources.one.files import File
from mirror.sources.one.mice import Mouse
from mirror.store import literal, quoted

FOLDER = Path(__file__).parent

# The columns that are read, in the type in which they are asked. Older files lack some of them;
# what is missing in a column of numbers may be NaN and not NULL.
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
        "date": "DATE",
        "number": "INTEGER",
        "lab": "VARCHAR",
        "task_protocol": "VARCHAR",
        "projects": "VARCHAR",
    },
    "Training": {"date": "DATE", "training_status": "VARCHAR", "session": "UUID"},
}
# Without these a file says nothing.
REQUIRED = {
    "Trials": (
        "session",
        "session_start_time",
        "intervals_0",
        "intervals_1",
        "choice",
        "contrastLeft",
        "contrastRight",
        "probabilityLeft",
    ),
    "Sessions": ("id",),
    "Training": ("date", "training_status"),
}
ROWS = {"Trials": "trial_row", "Sessions": "session_row", "Training": "training_row"}
# What is gathered of many mice, and the files that it is made of.
GATHERED = {"listed": "Sessions", "session": "Trials", "training": "Training"}
# A file holds too few rows for two threads to be of use.
SETTINGS: dict[str, str | bool | int | float | list[str]] = {"memory_limit": "200MB", "threads": 1}
WAY_OUT = "delete it and run again"


@cache
def query(name: str) -> str:
    """The statement of a file of `sql/`."""
    return (FOLDER / "sql" / f"{name}.sql").read_text("utf-8")


class Reader:
    """A DuckDB connection in memory that reads the files of these mice."""

    def __init__(self, mice: Sequence[Mouse]) -> None:
        self._connection = duckdb.connect(config=SETTINGS)
        self._gathered: set[tuple[str, UUID]] = set()
        self._lacking: dict[UUID, set[str]] = {}
        self._misfits: dict[UUID, set[UUID]] = {}
        labs = literal(str(FOLDER / "labs.csv"))
        for statement in (
            "set enable_progress_bar = false",
            # the statistics in a Parquet file leave NaN out, and DuckDB 2.0.1 believes them where
            # it is asked for NaN
            "set disabled_optimizers = 'statistics_propagation'",
            f"create table lab as from read_csv({labs}, all_varchar = true)",
            "create table mouse (subject_uuid uuid, subject_nickname varchar, lab_name varchar,"
            " sex varchar, subject_birth_date date, is_published boolean)",
            "insert into mouse values " + ", ".join(map(_values, mice)),
            "create table rep_num (session uuid, trial_id bigint, rep_num integer)",
        ):
            self._connection.execute(statement)
        for kind in ROWS:
            self._look_at(None, kind)
        for name in ("rounded", "trial"):
            self._connection.execute(f"create view {name} as {query(f'_{name}')}")
        for name in GATHERED:
            self._connection.execute(f"create table {name} as {query(f'_{name}')}")

    def gather(self, name: str, mice: Iterable[Mouse]) -> None:
        """Have the rows of these mice in one of the tables that hold those of many.

        Raises MirrorError for a file that cannot be read, or that holds what no trial can be.
        """
        new = [mouse for mouse in mice if (name, mouse.uuid) not in self._gathered]
        if name == "session":
            self.gather("listed", new)
        for mouse in new:
            with _errors(mouse.files.get(GATHERED[name])):
                if name == "session":
                    self.hold(mouse)
                    self._refuse_faults(mouse)
                else:
                    self._look_at(mouse, GATHERED[name])
                self._connection.execute(f"insert into {name} {query(f'_{name}')}")
            self._gathered.add((name, mouse.uuid))
        if name == "session":
            self._refuse_twins()

    def hold(self, mouse: Mouse) -> None:
        """Let the view `trial` show the trials of this mouse."""
        with _errors(mouse.files.get("Trials")):
            self._look_at(mouse, "Trials")
            self._read_rep_nums(mouse)

    def ask(self, statement: str) -> list[tuple[Any, ...]]:
        """The rows of a statement; a thread may ask while another one reads."""
        with _errors(), self._connection.cursor() as cursor:
            return cursor.execute(statement).fetchall()

    def batches(self, statement: str, batch_rows: int) -> pa.RecordBatchReader:
        return self._connection.sql(statement).to_arrow_reader(batch_rows)

    def columns(self, name: str) -> tuple[str, ...]:
        """The columns that the query of a table gives."""
        return tuple(column for column, *_ in self.ask(f"describe {query(name)}"))

    def told(self, name: str, mice: Sequence[Mouse]) -> dict[str, dict[str, int]]:
        """What a reader of a table should know: by the uuid of the mouse, what, and how often."""
        found: dict[str, dict[str, int]] = {str(mouse.uuid): {} for mouse in mice}
        for uuid, told, n in self.ask(
            f"select subject_uuid::varchar, told, n from ({query('_told')})"
            f" where table_name = {literal(name)} and n > 0"
        ):
            if uuid in found:
                found[uuid][told] = n
        for mouse in mice:
            if "rep_num" in query(name) and (misfits := self._misfits.get(mouse.uuid)):
                told = "sessions whose file of repNum has not one value for each trial, NULL here"
                found[str(mouse.uuid)][told] = len(misfits)
            for column in sorted(self._lacking.get(mouse.uuid, ())):
                if re.search(rf"\b{column}\b", query(name)):
                    found[str(mouse.uuid)][f"mice whose files have no {column}, NULL here"] = 1
        return found

    def stop(self) -> None:
        """Make what a thread is reading fail."""
        self._connection.interrupt()

    def close(self) -> None:
        # a thread that was stopped just now may still be in it
        with suppress(duckdb.Error):
            self._connection.close()

    def _look_at(self, mouse: Mouse | None, kind: str) -> None:
        """Define what the queries of `sql/` call `own`, and the rows of one of its files."""
        is_own = f"subject_uuid = {literal(mouse.uuid)}" if mouse else "false"
        self._connection.execute(
            f"create or replace view own as select * from mouse where {is_own}"
        )
        file = mouse.files.get(kind) if mouse else None
        wanted = COLUMNS[kind]
        if mouse and file:
            source = f"read_parquet({literal(str(file.path))}, file_row_number = true)"
            described = self._connection.execute(f"describe from {source}").fetchall()
            there = {name for name, *_ in described}
            if missing := [name for name in REQUIRED[kind] if name not in there]:
                raise MirrorError(f"{file.path} has no column {missing[0]}: {WAY_OUT}.")
            self._lacking.setdefault(mouse.uuid, set()).update(set(wanted) - there)
        else:
            there = set()
            source = "(select 0 as file_row_number where false)"
        select = ", ".join(
            f"{_cast(name if name in there else None, wanted[name])} as {quoted(name)}"
            for name in wanted
        )
        self._connection.execute(
            f"create or replace view {ROWS[kind]} as select {select}, file_row_number from {source}"
        )

    def _read_rep_nums(self, mouse: Mouse) -> None:
        """Have the numbers of repeated trials of the mouse, of sessions whose file fits."""
        import numpy as np

        self._connection.execute("delete from rep_num")
        if not mouse.rep_nums:
            return
        self.gather("listed", [mouse])
        self._look_at(mouse, "Trials")
        for session, lab, date, number, n_trials in self._connection.execute(
            f"select session, coalesce(lab_name, {literal(mouse.lab)}), date::varchar, number,"
            " count(*) from trial_row join listed on session_uuid = session"
            f" where subject_uuid = {literal(mouse.uuid)} group by all"
        ).fetchall():
            file = mouse.rep_nums.get((lab, date, number))
            if file is None:
                continue
            with _errors(file):
                values = np.load(file.path, allow_pickle=False).ravel().astype(float)
            if len(values) != n_trials:
                self._misfits.setdefault(mouse.uuid, set()).add(session)
                continue
            listed = ", ".join("null" if np.isnan(v) else str(int(v)) for v in values)
            self._connection.execute(
                f"insert into rep_num select {literal(session)}::uuid,"
                f" unnest(range(1, {n_trials + 1})), unnest([{listed}]::integer[])"
            )

    def _refuse_faults(self, mouse: Mouse) -> None:
        for row, fault in self._connection.execute(query("_fault")).fetchall():
            raise MirrorError(
                f"{mouse.files['Trials'].path} has {fault} in row {row}, which no trial can have:"
                f" {WAY_OUT}, and tell IBL if it comes back."
            )

    def _refuse_twins(self) -> None:
        for start, one, other in self._connection.execute(query("_twin")).fetchall():
            if one == other:
                raise MirrorError(
                    f"The session {one} comes with two starts, or from two mice, and nothing says"
                    " which is right: name the mice that do not have it, with --subject."
                )
            raise MirrorError(
                f"The sessions {one} and {other} of a mouse begin in the same second, {start}, and"
                " nothing else tells sessions apart: name the other mice, with --subject."
            )


def _values(mouse: Mouse) -> str:
    """A mouse as a row of the table `mouse`."""
    row = (mouse.uuid, mouse.nickname, mouse.lab, mouse.sex, mouse.birth_date, mouse.is_published)
    return f"({', '.join(map(literal, row))})"


def _cast(column: str | None, duckdb_type: str) -> str:
    """A column in the type in which it is asked, NULL where there is none."""
    if column is None:
        return f"null::{duckdb_type}"
    value = f"{quoted(column)}::{duckdb_type}"
    if duckdb_type == "DOUBLE":
        # not nullif, which DuckDB 1.5 answers by those statistics
        return f"case when not isnan({value}) then {value} end"
    return value


@contextmanager
def _errors(file: File | None = None) -> Iterator[None]:
    """Put what DuckDB says of a file into a sentence."""
    try:
        yield
    except duckdb.InterruptException as error:
        raise KeyboardInterrupt from error
    except (duckdb.Error, OSError, ValueError) as error:
        if file is None:
            raise
        reason = str(error).splitlines()[0].rstrip(".")
        raise MirrorError(f"{file.path} cannot be read ({reason}): {WAY_OUT}.") from error
