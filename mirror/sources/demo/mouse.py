"""A mouse: who it is, on which days somebody works with it, and when it dies.

Everything random about a mouse comes from its seed and number, so that mice do not depend on
each other. Figures called "measured" are those of IBL's published mice; "assumed" ones have no
source.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

import numpy as np

from mirror.sources.demo.labs import Lab, nickname
from mirror.sources.demo.mind import Mind, drawn

Array = np.ndarray

# What a mouse's chance is for: each has its own generator.
BIRTH, PLANNING, PLAYING, MOVING, HABITS, RECORDS = range(6)

PROJECT = "ibl_neuropixel_brainwide_01"
# The published data end on 2020-03-23, when the labs closed.
FIRST_START, LAST_START, CLOSING = date(2019, 3, 1), date(2019, 12, 16), date(2020, 3, 20)
# Nobody works between the years (assumed).
HOLIDAY = np.datetime64("2019-12-24"), np.datetime64("2020-01-01")
# Measured: 1.8 % of the days are on weekends. Assumed: 3 % of the weekdays are left out.
WEEKEND_SHARE, WORKED = 0.018, 0.97
# Measured median, in days.
AGE_AT_START = 97
# Measured: 80 male and 60 female mice, and their median weights in grams.
MALE = 80 / 140
WEIGHTS = {"M": 23.6, "F": 19.6}
# Assumed: some die while at work, most others are culled within weeks of the last session.
DIES_EARLY, IS_CULLED = 0.03, 0.75
# Of so many mice one was never trained, and one has lost its lab; both among the first 30.
NEVER_TRAINED, WITHOUT_LAB = (500, 11), (97, 23)


@dataclass(frozen=True)
class Mouse:
    """A mouse, with all that is decided at its birth."""

    seed: int
    number: int
    subject_uuid: UUID
    subject_nickname: str
    lab: Lab
    lab_name: str | None  # as the database knows it
    sex: str
    subject_birth_date: date
    responsible_user: str
    subject_line: str
    subject_strain: str | None
    subject_source: str
    ear_mark: str | None
    subject_projects: tuple[str, ...]
    early_death: date | None
    days_to_cull: int | None  # after the last session
    weight_g: float
    habituation: Array  # days
    days: Array  # days of training, until death or closing
    rig: int
    hour: float
    patience: int  # days of training beyond the usual before the experimenter gives up
    mind: Mind

    def chance(self, *purpose: int) -> np.random.Generator:
        return _generator(self.seed, self.number, *purpose)

    def death(self, last_session: date) -> date | None:
        if self.early_death is not None or self.days_to_cull is None:
            return self.early_death
        return last_session + timedelta(self.days_to_cull)


def born(seed: int, number: int, n_mice: int, lab: Lab, number_in_lab: int) -> Mouse:
    g = _generator(seed, number, BIRTH)
    # Ascending uuids let a mirror be written in the order of its primary keys.
    leading = int((number + g.random()) / n_mice * 2**32)
    uuid = UUID(bytes=leading.to_bytes(4, "big") + g.bytes(12), version=4)
    start = FIRST_START + timedelta(int(g.integers((LAST_START - FIRST_START).days)))
    age = timedelta(int(AGE_AT_START * np.exp(g.normal(0, 0.22))))
    sex = "M" if g.random() < MALE else "F"
    weight = WEIGHTS[sex] * np.exp(g.normal(0, 0.07))
    habituation, days = _working_days(start, g)
    early_death = None
    if g.random() < DIES_EARLY:
        early_death = days[0].item() + timedelta(int(g.integers(8, 50)))
        days = days[days < np.datetime64(early_death)]
    if _is_one_of(NEVER_TRAINED, number):
        days = days[:0]
    days_to_cull = int(g.integers(1, 60)) if g.random() < IS_CULLED else None
    return Mouse(
        seed=seed,
        number=number,
        subject_uuid=uuid,
        subject_nickname=nickname(lab, number_in_lab),
        lab=lab,
        lab_name=None if _is_one_of(WITHOUT_LAB, number) else lab.lab_name,
        sex=sex,
        subject_birth_date=start - age,
        responsible_user=lab.users[g.integers(len(lab.users))],
        subject_line="C57BL/6J",
        subject_strain=None if g.random() < 0.5 else "C57BL/6",
        subject_source=("Jax", "Charles River", "CCU - Vivarium")[g.integers(3)],
        ear_mark=(None, None, "R", "L", "RL")[g.integers(5)],
        subject_projects=(PROJECT,) if g.random() < 0.93 else (),
        early_death=early_death,
        days_to_cull=days_to_cull,
        weight_g=round(float(weight), 1),
        habituation=habituation,
        days=days,
        rig=int(g.integers(3)),
        hour=lab.hour + g.normal(0, 0.7),
        patience=int(g.exponential(7)),
        mind=drawn(lab, g),
    )


def _working_days(start: date, g: np.random.Generator) -> tuple[Array, Array]:
    """Choose the days on which a mouse is worked with: first habituation, then training."""
    days = np.arange(np.datetime64(start), np.datetime64(CLOSING) + 1)
    on_weekends = WORKED * WEEKEND_SHARE * 5 / (2 * (1 - WEEKEND_SHARE))
    is_worked = g.random(len(days)) < np.where(np.is_busday(days), WORKED, on_weekends)
    days = days[is_worked & ((days < HOLIDAY[0]) | (days > HOLIDAY[1]))]
    n_habituation = int(g.integers(3, 6))
    return days[:n_habituation], days[n_habituation:]


def _is_one_of(rare: tuple[int, int], number: int) -> bool:
    every, place = rare
    return number % every == place


def _generator(seed: int, number: int, *purpose: int) -> np.random.Generator:
    sequence = np.random.SeedSequence(seed, spawn_key=(number, *purpose))
    return np.random.Generator(np.random.PCG64(sequence))
