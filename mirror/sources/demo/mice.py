"""Invented mice with all that they did, in tables.

`simulate` is the door. Behind it: `labs` and `mouse` say who the mice are, `mind` how they learn
and decide, `sessions` what is planned for a day, `experimenter` when they train and are moved on,
`task` what happens in a session.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from mirror.sources.demo import experimenter, sessions, task
from mirror.sources.demo.labs import places
from mirror.sources.demo.mouse import RECORDS, Mouse, born

Array = np.ndarray

MICE_COLUMNS = (
    "subject_uuid",
    "subject_nickname",
    "sex",
    "subject_birth_date",
    "responsible_user",
    "subject_line",
    "subject_strain",
    "subject_source",
    "ear_mark",
    "subject_projects",
    "weight_g",
    "lab_name",
)
SESSION_COLUMNS = (
    "mouse",
    "session_start_time",
    "session_end_time",
    "session_uuid",
    "session_number",
    "task_protocol",
    "session_location",
    "users",
    "session_projects",
    "pybpod_board",
    "session_delay_in_mins",
    "has_trials",
)


@dataclass(frozen=True)
class Cohort:
    """Some mice with all they did.

    `mouse` of a session and `session` of a trial are rows of the tables above; `trials` has one
    array per column.
    """

    mice: pd.DataFrame
    sessions: pd.DataFrame
    trials: dict[str, Array]


def simulate(n_mice: int, seed: int, cohort_size: int) -> Iterator[Cohort]:
    """Let mice learn the task, some at a time so that memory stays bounded."""
    homes = places(n_mice)
    for first in range(0, n_mice, cohort_size):
        numbers = range(first, min(n_mice, first + cohort_size))
        yield _cohort([born(seed, number, n_mice, *homes[number]) for number in numbers])


def _cohort(mice: Sequence[Mouse]) -> Cohort:
    """Let the mice live, and put together what happened, as the database tells it."""
    done, played = experimenter.lead(mice)
    table = pd.concat([*(sessions.habituation(mouse) for mouse in mice), *done])
    table["mouse"] -= mice[0].number
    table = table.sort_values(["mouse", "session_start_time"], ignore_index=True)
    table["has_trials"] = table["n_trials"] > 0
    with_trials = table[table["has_trials"]]
    generators = [mice[row].chance(RECORDS) for row in with_trials["mouse"].unique()]
    trials = task.record(task.joined(played, with_trials.index.to_numpy()), table, generators)
    table["session_end_time"] = _ends(table, trials)
    for name in ("task_protocol", "pybpod_board"):
        table[name] = _with_none(table[name])
    return Cohort(_people(mice, table), table[list(SESSION_COLUMNS)], trials)


def _people(mice: Sequence[Mouse], table: pd.DataFrame) -> pd.DataFrame:
    people = {name: [getattr(mouse, name) for mouse in mice] for name in MICE_COLUMNS}
    last_start = table.groupby("mouse")["session_start_time"].max()
    people["death_date"] = [
        mouse.death(start.date()) for mouse, start in zip(mice, last_start, strict=True)
    ]
    return pd.DataFrame({name: _with_none(pd.Series(v)) for name, v in people.items()})


def _ends(table: pd.DataFrame, trials: dict[str, Array]) -> pd.Series:
    """Tell when sessions ended: at the end of the last trial, if that is known."""
    seconds = 60 * table["idle_minutes"].to_numpy(copy=True)
    last = np.flatnonzero(np.diff(trials["session"], append=-1))
    seconds[trials["session"][last]] = trials["trial_end_time"][last]
    seconds[table["end_is_early"]] *= -0.1
    ends = table["session_start_time"] + pd.to_timedelta(np.rint(seconds), unit="s")
    is_empty = ~table["has_trials"] & (table["day"] >= 0)
    return ends.mask(table["end_is_missing"] | is_empty).astype("datetime64[s]")


def _with_none(column: pd.Series) -> pd.Series:
    """Say None where there is no value, whatever this version of pandas makes of it."""
    if not column.isna().any():
        return column
    return column.astype(object).where(column.notna(), None)
