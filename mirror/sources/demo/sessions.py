"""Sessions before anybody plays them: on which day and rig, with which task and what mishaps.

Figures called "measured" are those of IBL's published sessions; "assumed" ones have no source.
"""

from dataclasses import dataclass
from uuid import UUID

import numpy as np
import pandas as pd

from mirror.sources.demo import task
from mirror.sources.demo.mouse import HABITS, Mouse

Array = np.ndarray

# The sessions of a day, each full, crashed or empty, and how often a day is like that. Measured:
# of 6,394 days 86 have two sessions with trials and 4 have four. Assumed: 3 % have an empty one.
FULL, CRASH, EMPTY = range(3)
DAYS = (
    ((FULL,), 0.956),
    ((CRASH, FULL), 0.011),
    ((FULL, FULL), 0.0024),
    ((CRASH, CRASH, CRASH, FULL), 0.0006),
    ((EMPTY, FULL), 0.015),
    ((EMPTY,), 0.015),
)
# Minutes from one start to the next on a day, from and to: the next one starts when the last is
# surely over.
AFTER_FULL, AFTER_SHORT = (150, 233), (40, 60)

# Skill from which on a session has the next contrast set; the last one drops 50 %.
SET_FROM = (0.35, 0.58, 0.75, 0.87, 0.93)
# Assumed: rigs counter the lean of some mice that know little; some rigs show odd contrasts.
IS_DEBIASED, DEBIASED_UNTIL = 0.12, 0.5
HAS_ODD_CONTRASTS, ODD_CONTRASTS_FROM = 0.006, 0.8
# The reward shrinks as the mouse learns to work, by so many microlitres a day.
FIRST_REWARD_UL, LAST_REWARD_UL, REWARD_STEP_UL = 3, 1.5, 0.1
# Measured: 3.4 % of stimulus times are missing, nearly all in sessions that miss them all.
NO_STIMULUS_TIMES, STIMULUS_TIME_MISSING = 0.03, 0.003
# Assumed: one session in thirty lost single rows, a few lost dozens.
LOSES_ROWS, ROW_LOST = 0.033, 0.004
# Measured: 8 % of sessions have no end, 0.2 % end before they start.
END_MISSING, END_EARLY = 0.08, 0.002
# Assumed.
TWO_USERS, NO_BOARD, DELAY_UNLOGGED, NO_PROTOCOL, NO_VERSION = 0.04, 0.012, 0.03, 0.002, 0.03
# Rigs before version 5 did not write down the go cue.
GO_CUE_SINCE = np.datetime64("2019-07-08")
# From this day on a protocol carries this version: the first days in IBL's sessions.
RIG_VERSIONS = (
    ("2019-01-01", "3.7.2"),
    ("2019-03-18", "3.7.6"),
    ("2019-04-01", "4.0.1"),
    ("2019-05-06", "4.1.3"),
    ("2019-07-08", "5.0.0"),
    ("2019-07-16", "5.1.2"),
    ("2019-07-29", "5.2.5"),
    ("2019-08-13", "5.2.9"),
    ("2019-08-28", "5.3.0"),
    ("2019-10-03", "6.0.3"),
    ("2019-10-14", "6.0.5"),
    ("2019-11-12", "6.1.3"),
    ("2019-12-11", "6.2.5"),
    ("2020-01-06", "6.3.1"),
    ("2020-02-26", "6.4.0"),
)


@dataclass(frozen=True)
class Kind:
    """What the experimenter gives a mouse: the task, and the rig that it is given on."""

    protocol: str
    is_ephys_rig: bool = False
    is_delayed: bool = False

    @property
    def is_biased(self) -> bool:
        return self.protocol in ("biased", "ephys")


def habituation(mouse: Mouse) -> pd.DataFrame:
    """List the sessions before training, which have no trials."""
    same = {"mouse": mouse.number, "day": -1, "is_short": True, "n_trials": 0, "reward_ul": 0.0}
    frame = pd.DataFrame(same, range(len(mouse.habituation)))
    return _described(frame, mouse.habituation, mouse, Kind("habituation"), mouse.chance(HABITS))


def planned(mouse: Mouse, kind: Kind, days: range, g: np.random.Generator) -> pd.DataFrame:
    """Draw the sessions of some days, with all that the task needs to know about them."""
    day, fate = _days(days, g)
    n = len(day)
    n_trials = mouse.mind.n_trials(day, kind.is_biased, g)
    crashed_after = g.integers(3, 40, n)
    mood = mouse.mind.mood(day, kind.is_biased, g)
    frame = pd.DataFrame(
        {
            "mouse": mouse.number,
            "day": day,
            "is_short": fate != FULL,
            "n_trials": np.select([fate == FULL, fate == CRASH], [n_trials, crashed_after], 0),
            "is_biased": kind.is_biased,
            **mood,
            **_stimuli(mouse.mind.skill(day), mood["guess_right"], kind.is_biased, g),
            "missing_stimulus": np.where(
                g.random(n) < NO_STIMULUS_TIMES, 1.0, STIMULUS_TIME_MISSING
            ),
            "missing_rows": np.where(g.random(n) < LOSES_ROWS, ROW_LOST, 0.0),
            "reward_ul": LAST_REWARD_UL
            if kind.is_biased
            else np.maximum(LAST_REWARD_UL, FIRST_REWARD_UL - REWARD_STEP_UL * day).round(1),
        }
    )
    return _described(frame, mouse.days[day], mouse, kind, g)


def _days(days: range, g: np.random.Generator) -> tuple[Array, Array]:
    """List the sessions of the days: the day of each, and whether it is full, crashed or empty."""
    ends = np.cumsum([share for _, share in DAYS])
    drawn = np.searchsorted(ends, g.random(len(days)) * ends[-1], "right")
    rows = [(day, fate) for day, which in zip(days, drawn, strict=True) for fate in DAYS[which][0]]
    day, fate = np.array(rows).T
    return day, fate


def _stimuli(
    skill: Array, guess_right: Array, is_biased: bool, g: np.random.Generator
) -> dict[str, Array | int]:
    is_debiased = (skill < DEBIASED_UNTIL) & (g.random(len(skill)) < IS_DEBIASED) & (not is_biased)
    is_odd = (g.random(len(skill)) < HAS_ODD_CONTRASTS) & (skill > ODD_CONTRASTS_FROM)
    return {
        "contrast_set": task.BIASED_SET if is_biased else np.searchsorted(SET_FROM, skill, "right"),
        "has_odd_contrasts": is_odd,
        "debias_lean": np.where(is_debiased, guess_right, np.nan),
    }


def _described(
    frame: pd.DataFrame, dates: Array, mouse: Mouse, kind: Kind, g: np.random.Generator
) -> pd.DataFrame:
    """Add to planned sessions what the database knows about them but for their trials."""
    n = len(frame)
    start, number = _starts(frame["is_short"].to_numpy(), dates, mouse, g)
    place = "ephys_0" if kind.is_ephys_rig else f"behavior_{mouse.rig}"
    rig = f"_iblrig_{mouse.lab.lab_name}_{place}"
    other = next(user for user in mouse.lab.users if user != mouse.responsible_user)
    alone = (mouse.responsible_user,)
    both = tuple(sorted((*alone, other)))
    delay = g.uniform(15.1, 20, n) if kind.is_delayed else np.zeros(n)
    is_unlogged = (g.random(n) < DELAY_UNLOGGED) & (not kind.is_delayed)
    known: dict[str, object] = {
        "session_start_time": start,
        "session_number": number,
        "session_uuid": [UUID(bytes=g.bytes(16), version=4) for _ in range(n)],
        "task_protocol": [_protocol(kind.protocol, day, g) for day in dates],
        "session_location": rig,
        "users": [both if g.random() < TWO_USERS else alone for _ in range(n)],
        "session_projects": [mouse.subject_projects] * n,
        "pybpod_board": [None if g.random() < NO_BOARD else rig for _ in range(n)],
        "session_delay_in_mins": np.where(is_unlogged, np.nan, delay.round(4)),
        "has_go_cue": start >= GO_CUE_SINCE,
        "end_is_missing": g.random(n) < END_MISSING,
        "end_is_early": g.random(n) < END_EARLY,
        "idle_minutes": g.uniform(20, 45, n),
    }
    return pd.concat([frame, pd.DataFrame(known, frame.index)], axis=1)


def _starts(
    is_short: Array, dates: Array, mouse: Mouse, g: np.random.Generator
) -> tuple[Array, Array]:
    """Draw when the sessions start, and number those of a day."""
    hour = np.clip(mouse.hour + g.normal(0, 0.8, len(dates)), 7, 20.5)
    start = dates.astype("datetime64[s]") + np.rint(hour * 3600).astype("timedelta64[s]")
    number = np.ones(len(dates), int)
    for row in np.flatnonzero(dates[1:] == dates[:-1]) + 1:
        number[row] = number[row - 1] + 1
        low, high = AFTER_SHORT if is_short[row - 1] else AFTER_FULL
        start[row] = start[row - 1] + np.timedelta64(int(g.integers(60 * low, 60 * high)), "s")
    return start, number


def _protocol(word: str, day: np.datetime64, g: np.random.Generator) -> str | None:
    """Name the task as the rigs do; a few sessions have no version, fewer no name at all."""
    drawn = g.random()
    if drawn < NO_PROTOCOL:
        return None
    name = f"_iblrig_tasks_{word}ChoiceWorld"
    if drawn < NO_VERSION:
        return name
    return name + [version for since, version in RIG_VERSIONS if np.datetime64(since) <= day][-1]
