"""A small folder in ONE's layout: two mice, three sessions each, as IBL's public files are.

KS017 (cortexlab, whose uuid is published) trains on 2019-08-01 and twice on 2019-08-02; XY_001
(angelakilab, whose uuid is not) does one training session at midnight, one of two protocols in a
row, and one whose trials are all cut off. Every trial is known by heart: see `trial`.
"""

from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

import pyarrow as pa
import pyarrow.parquet as pq

TRAINING = "_iblrig_tasks_trainingChoiceWorld5.0.0"
BIASED = "_iblrig_tasks_biasedChoiceWorld5.0.0"
KS017 = UUID("79220479-3f1f-43d7-af79-c8001eaa5e3a")
XY_001 = uuid5(NAMESPACE_URL, "angelakilab/XY_001")
LABS = {"KS017": "cortexlab", "XY_001": "angelakilab"}
# Mouse, start as ONE has it, protocols, number, projects.
SESSIONS = (
    ("KS017", datetime(2019, 8, 1, 11, 5, 30, 217_000), (TRAINING,), 1, "ibl_behaviour"),
    ("KS017", datetime(2019, 8, 2, 11, 0, 0, 500_000), (TRAINING,), 1, "ibl_behaviour"),
    ("KS017", datetime(2019, 8, 2, 15, 30, 0, 499_000), (BIASED,), 2, "ibl_behaviour,ibl_extra"),
    ("XY_001", datetime(2019, 9, 1, 23, 59, 59, 600_000), (TRAINING,), 1, "ibl_behaviour"),
    ("XY_001", datetime(2019, 9, 3, 9, 0), (BIASED, TRAINING), 1, ""),
    ("XY_001", datetime(2019, 9, 4, 9, 0), (BIASED,), 3, "ibl_behaviour"),
)
TRIALS_PER_SESSION = 12
CONTRASTS = (1.0, 0.5, 0.25, 0.125, 0.0625, 0.0)

FLOATS = (
    *("intervals_0", "intervals_1", "goCue_times", "goCueTrigger_times", "stimOn_times"),
    *("stimOff_times", "response_times", "feedback_times", "firstMovement_times"),
    *("contrastLeft", "contrastRight", "rewardVolume", "probabilityLeft", "phase", "quiescence"),
)
INTEGERS = ("choice", "feedbackType", "position", "protocol_number")


def eid(nickname: str, start: datetime) -> str:
    """The uuid of a session, as ONE writes it."""
    return str(uuid5(NAMESPACE_URL, f"{nickname} {start}"))


def trial(number: int) -> dict[str, Any]:
    """Trial `number` of a session, from 1: contrasts fall, sides alternate, the right one first.

    Every fourth is answered wrong; the third has no stimulus onset, the fifth no movement.
    """
    contrast, is_right = CONTRASTS[(number - 1) % 6], number % 2 == 1
    is_rewarded = number % 4 != 0
    onset = 10.0 * number
    return {
        "intervals_0": onset - 0.5,
        "intervals_1": onset + 3,
        "goCue_times": onset + 0.01,
        "goCueTrigger_times": onset + 0.005,
        "stimOn_times": None if number == 3 else onset,
        "stimOff_times": onset + 1.5,
        "response_times": onset + 0.4375,
        "feedback_times": onset + 0.4380,
        "firstMovement_times": None if number == 5 else onset + 0.25,
        # ONE's sign: -1 is a report of the right side
        "choice": -1 if is_right == is_rewarded else 1,
        "feedbackType": 1 if is_rewarded else -1,
        "contrastLeft": None if is_right else contrast,
        "contrastRight": contrast if is_right else None,
        "rewardVolume": 1.5 if is_rewarded else 0.0,
        "probabilityLeft": 0.5,
        "phase": 1.0,
        "position": 35 if is_right else -35,
        "quiescence": 0.4,
    }


def build(folder: Path) -> Path:
    """Write the files of both mice."""
    for nickname, lab in LABS.items():
        own = [session for session in SESSIONS if session[0] == nickname]
        write(folder, nickname, "Trials", trials(own))
        write(
            folder,
            nickname,
            "Sessions",
            {
                "lab": [lab for _ in own],
                "subject": [nickname for _ in own],
                "date": [start.date() for _, start, *_ in own],
                "number": pa.array([number for *_, number, _ in own], pa.uint16()),
                "task_protocol": ["/".join(protocols) for _, _, protocols, *_ in own],
                "projects": [projects for *_, projects in own],
                "id": [eid(nickname, start) for _, start, *_ in own],
            },
        )
        write(
            folder,
            nickname,
            "Training",
            {
                "training_status": ["in training", "trained 1a"],
                "session": [eid(nickname, start) for _, start, *_ in own[:2]],
                "date": [str(start.date()) for _, start, *_ in own[:2]],
            },
        )
    return folder


def trials(sessions: list[tuple]) -> dict[str, Any]:
    """The table of trials of these sessions, column by column."""
    rows = []
    for nickname, start, protocols, *_ in sessions:
        for number in range(1, TRIALS_PER_SESSION + 1):
            run = (number - 1) * len(protocols) // TRIALS_PER_SESSION
            rows.append(
                trial(number)
                | {
                    "session": eid(nickname, start),
                    "session_start_time": start,
                    "task_protocol": protocols[run],
                    "protocol_number": run,
                }
            )
    columns: dict[str, Any] = {name: [row[name] for row in rows] for name in rows[0]}
    if ("XY_001", datetime(2019, 9, 4, 9, 0)) in [session[:2] for session in sessions]:
        columns["intervals_1"][-TRIALS_PER_SESSION:] = [None] * TRIALS_PER_SESSION
    types = {name: pa.float64() for name in FLOATS} | {name: pa.int64() for name in INTEGERS}
    types["session_start_time"] = pa.timestamp("ns")
    return {name: pa.array(values, types.get(name)) for name, values in columns.items()}


def path(folder: Path, nickname: str, kind: str = "Trials", lab: str | None = None) -> Path:
    """Where ONE keeps a file."""
    root = folder / "aggregates" / "Subjects" / (lab or LABS[nickname]) / nickname
    return root / f"_ibl_subject{kind}.table.pqt"


def write(folder: Path, nickname: str, kind: str, columns: dict[str, Any]) -> Path:
    file = path(folder, nickname, kind)
    file.parent.mkdir(parents=True, exist_ok=True)
    # without it, ONE reads no table
    pq.write_table(pa.table(columns, metadata={"one_metadata": "{}"}), file)
    return file


def change(file: Path, **columns: Any) -> None:
    """Write a file anew, its columns replaced by a list, by a function of the old, or by none."""
    table = pq.read_table(file)
    for name, new in columns.items():
        place = table.column_names.index(name)
        if new is None:
            table = table.remove_column(place)
            continue
        values = new(table[name].to_pylist()) if callable(new) else new
        table = table.set_column(place, name, pa.array(values, from_pandas=False))
    pq.write_table(table, file)
