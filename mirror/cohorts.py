"""Cohorts of one's own: lists of mice, kept in the file across syncs, in the view `cohorts`."""

import csv
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb

from mirror import store, views
from mirror.errors import UsageError

# Those that the view defines; no list takes their place.
DEFINED = ("paper", "tutorial", "all_trained")
# What heads the names in a table of mice, such as 'mirror export subjects' writes.
HEADS = ("subject_uuid", "subject_nickname")


@dataclass(frozen=True)
class Listed:
    """What became of a list: how many mice are in the cohort, and which names are left out.

    `several` has the mice of each name that more than one goes by, as uuid and lab. `no_view` is
    why this mirror has no view `cohorts`, if so.
    """

    mice: int
    unknown: tuple[str, ...]
    several: Mapping[str, tuple[str, ...]]
    no_view: str = ""


def put(cohort: str, file: Path, database: str | os.PathLike[str] | None = None) -> Listed:
    """Make the mice that a CSV file names, by nickname or uuid, a cohort, in place of an earlier.

    The names are in the column subject_uuid, else subject_nickname, else in the first, without a
    head. Raises UsageError where none of them is a mouse of the mirror.
    """
    _check(cohort)
    names = list(dict.fromkeys(_names(file)))
    with store.connect(database) as connection:
        mice = _mice(connection)
    found = {name: mice.get(name.casefold(), {}) for name in names}
    unknown = tuple(name for name, some in found.items() if not some)
    several = {
        name: tuple(f"{uuid} of {lab}" for uuid, lab in some.items())
        for name, some in found.items()
        if len(some) > 1
    }
    uuids = sorted({uuid for some in found.values() if len(some) == 1 for uuid in some})
    if not uuids:
        read = f"such as {names[0]!r}" if names else "and it is empty"
        raise UsageError(
            f"{file} names no mouse of this mirror, {read}: give nicknames as the view subjects"
            " has them, or uuids, in the first column or under subject_nickname or subject_uuid."
        )
    return Listed(len(uuids), unknown, several, _write(database, cohort, uuids))


def remove(cohort: str, database: str | os.PathLike[str] | None = None) -> None:
    """Forget a cohort of one's own. Raises UsageError where there is none of that name."""
    _check(cohort)
    with store.connect(database) as connection:
        own = sorted({name for name, _ in kept(connection)})
    if cohort not in own:
        raise UsageError(
            f"There is no cohort {cohort!r} of your own: "
            + (f"there are {', '.join(own)}." if own else "there is none at all.")
        )
    _write(database, cohort, [])


def kept(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, str]]:
    """The cohorts and mice that a file keeps; those of an earlier version have none."""
    is_there = connection.execute(
        "select 1 from duckdb_tables() where database_name = current_database()"
        " and schema_name = '_mirror' and table_name = 'cohort_mice'"
    ).fetchall()
    if not is_there:
        return []
    return connection.execute(
        "select cohort, subject_uuid::varchar from _mirror.cohort_mice order by all"
    ).fetchall()


def _check(cohort: str) -> None:
    if cohort in DEFINED:
        raise UsageError(
            f"{cohort} is a cohort that every mirror defines, see 'mirror describe cohorts': choose"
            " another name."
        )
    if not re.fullmatch(r"[\w.-]+", cohort):
        raise UsageError(f"{cohort!r} cannot name a cohort: use letters, digits, '_', '.' and '-'.")


def _names(file: Path) -> Iterable[str]:
    try:
        # spreadsheets put a mark in front
        with file.open(encoding="utf-8-sig", newline="") as lines:
            rows = [[cell.strip() for cell in row] for row in csv.reader(lines) if any(row)]
    except (UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{file} is not a CSV file of UTF-8 text ({error}).") from error
    heads = [cell.lower() for cell in rows[0]] if rows else []
    place = next((heads.index(head) for head in HEADS if head in heads), None)
    if place is None:
        return [row[0] for row in rows if row[0]]
    return [row[place] for row in rows[1:] if len(row) > place and row[place]]


def _mice(connection: duckdb.DuckDBPyConnection) -> dict[str, dict[str, str]]:
    """By nickname and by uuid, in small letters: the uuids that it means, with their labs."""
    try:
        rows = connection.execute(
            "select subject_nickname, subject_uuid::varchar, coalesce(lab_name, 'no lab')"
            " from subjects order by all"
        ).fetchall()
    except duckdb.CatalogException as error:
        raise UsageError(
            "This mirror has no view subjects, so nobody can tell who a mouse is: 'mirror status'"
            " says why."
        ) from error
    found: dict[str, dict[str, str]] = {}
    for nickname, uuid, lab in rows:
        found.setdefault(nickname.casefold(), {})[uuid] = lab
        found.setdefault(uuid, {})[uuid] = lab
    return found


def _write(database: str | os.PathLike[str] | None, cohort: str, uuids: Iterable[str]) -> str:
    """Put the mice in the cohort's place; says why the mirror has no view of them, if so."""

    def change(connection: duckdb.DuckDBPyConnection) -> None:
        connection.execute(
            f"delete from _mirror.cohort_mice where cohort = {store.literal(cohort)}"
        )
        store.insert(connection, "cohort_mice", ((cohort, uuid) for uuid in uuids))

    applied = views.apply(database, f"cohort {cohort}", change)
    return applied.skipped.get("cohorts", "")
