"""Invented mice: who they are, how they learn, and the sessions their experimenters give them.

`simulate` is the door. A mouse is moved on by its training status, as the rules of IBL-pipeline
give it: training until trained_1b, the biased task until ready4ephysrig, an ephys rig until
ready4delay, a delayed start until ready4recording, then a few recordings.

Everything random about a mouse comes from its seed and number, so that mice do not depend on
each other. Figures called "measured" are those of IBL's published sessions; "assumed" ones have
no source.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from uuid import UUID

import numpy as np
import pandas as pd

from mirror.derive import status
from mirror.sources.demo import task

Array = np.ndarray

PROJECT = "ibl_neuropixel_brainwide_01"


@dataclass(frozen=True)
class Lab:
    """A laboratory. Its share of mice, its hour and its days to trained are measured medians."""

    lab_name: str
    institution: str
    institution_short: str
    time_zone: str
    prefix: str  # of nicknames
    share: int  # of 140 mice
    hour: float  # at which sessions start, local time
    days_to_trained: float
    users: tuple[str, ...]  # pseudonyms


# Proportions and medians of the published 140 mice.
LABS = (
    Lab("angelakilab", "New York University", "NYU", "America/New_York",
        "NYU-{:02d}", 15, 11.8, 18, ("badger", "heron", "lynx")),
    Lab("churchlandlab", "Cold Spring Harbor Laboratory", "CSHL", "America/New_York",
        "CSHL{:03d}", 24, 13.9, 19.5, ("crane", "otter", "stoat", "wren")),
    Lab("cortexlab", "University College London", "UCL", "Europe/London",
        "KS{:03d}", 15, 11.3, 19, ("falcon", "marten", "vole")),
    Lab("danlab", "University of California, Berkeley", "Berkeley", "America/Los_Angeles",
        "DY_{:03d}", 13, 10.5, 8, ("coyote", "quail")),
    Lab("hoferlab", "Sainsbury Wellcome Centre", "SWC", "Europe/London",
        "SWC_{:03d}", 6, 11.0, 22, ("gannet", "shrew")),
    Lab("mainenlab", "Champalimaud Centre for the Unknown", "CCU", "Europe/Lisbon",
        "ZM_{:04d}", 32, 15.0, 11, ("dolphin", "genet", "ibis", "stork")),
    Lab("mrsicflogellab", "Sainsbury Wellcome Centre", "SWC", "Europe/London",
        "SWC_{:03d}", 10, 13.3, 26, ("kestrel", "newt")),
    Lab("wittenlab", "Princeton University", "Princeton", "America/New_York",
        "ibl_witten_{:02d}", 14, 14.3, 12.5, ("finch", "possum", "raven")),
    Lab("zadorlab", "Cold Spring Harbor Laboratory", "CSHL", "America/New_York",
        "CSH_ZAD_{:03d}", 11, 17.5, 10, ("beaver", "tanager")),
)  # fmt: skip

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
# The published data end on 2020-03-23, when the labs closed.
FIRST_START, LAST_START, CLOSING = date(2019, 3, 1), date(2019, 12, 16), date(2020, 3, 20)
# Rigs before version 5 did not write down the go cue.
GO_CUE_SINCE = np.datetime64("2019-07-08")

# What a mouse's chance is for: each has its own generator.
BIRTH, PLANNING, PLAYING, MOVING, HABITS, RECORDS = range(6)
# Sessions are named by mouse and order while they happen.
MAX_SESSIONS = 10_000

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

# Status by status upwards.
RANKS = {name: rank for rank, name in enumerate(status.STATUSES)}


@dataclass(frozen=True)
class Stage:
    """A part of a mouse's life: its task, the status that ends it, and how it is planned."""

    protocol: str
    goal: str | None
    days_ahead: int  # planned at a time
    days_at_most: int  # until the experimenter gives up (assumed)
    is_biased: bool = True
    is_ephys_rig: bool = False
    is_delayed: bool = False


HABITUATION = Stage("habituation", None, 0, 0, is_biased=False)
TRAINING = Stage("training", "trained_1b", 10, 40, is_biased=False)
STAGES = (
    TRAINING,
    Stage("biased", "ready4ephysrig", 7, 22),
    Stage("biased", "ready4delay", 3, 8, is_ephys_rig=True),
    Stage("biased", "ready4recording", 4, 10, is_ephys_rig=True, is_delayed=True),
    Stage("ephys", None, 4, 4, is_ephys_rig=True, is_delayed=True),
)


@dataclass(frozen=True)
class Mouse:
    """A mouse with what nobody sees: how it learns and how it decides."""

    number: int
    subject_uuid: UUID
    subject_nickname: str
    lab: Lab
    has_lab: bool
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
    pace: float  # 1: as fast as the median mouse
    patience: int  # days of training beyond the usual before the experimenter gives up
    eagerness: float  # log of the number of trials, against the median
    threshold: float
    lapse: float
    bias: float
    lean: float  # to one side while it does not know the task
    prior_shift: float
    prior_guess: float
    after_correct: float
    after_error: float
    quickness: float
    slowness: float


@dataclass(frozen=True)
class Cohort:
    """Some mice with all they did; `trials` has one array per column."""

    mice: pd.DataFrame
    sessions: pd.DataFrame
    trials: dict[str, Array]


def simulate(n_mice: int, seed: int, cohort_size: int = 24) -> Iterator[Cohort]:
    """Let mice learn the task, some at a time so that memory stays bounded."""
    places = _places(n_mice)
    for first in range(0, n_mice, cohort_size):
        numbers = range(first, min(n_mice, first + cohort_size))
        yield _live([_born(seed, number, n_mice, *places[number]) for number in numbers], seed)


def _places(n_mice: int) -> list[tuple[Lab, int]]:
    """Give each mouse its lab and its number there.

    The next mouse goes to the lab that is furthest behind its share, so that any number of mice
    is spread as the published ones are.
    """
    taken = np.zeros(len(LABS), int)
    shares = np.array([lab.share for lab in LABS])
    places = []
    for _ in range(n_mice):
        lab = int(np.argmax(shares / (taken + 0.5)))
        taken[lab] += 1
        places.append((LABS[lab], int(taken[lab])))
    return places


def _generator(seed: int, number: int, *purpose: int) -> np.random.Generator:
    sequence = np.random.SeedSequence(seed, spawn_key=(number, *purpose))
    return np.random.Generator(np.random.PCG64(sequence))


def _uuid(generator: np.random.Generator) -> UUID:
    return UUID(bytes=generator.bytes(16), version=4)


def _nickname(lab: Lab, number: int) -> str:
    # Both labs of the Sainsbury Wellcome Centre count in one series. One number was given twice,
    # as happened between real labs.
    if lab.lab_name == "hoferlab":
        number = 2 * number - 1
    elif lab.lab_name == "mrsicflogellab":
        number = max(1, 2 * number - 2)
    return lab.prefix.format(number)


def _born(seed: int, number: int, n_mice: int, lab: Lab, rank: int) -> Mouse:
    g = _generator(seed, number, BIRTH)
    # Ascending uuids let a mirror be written in the order of its primary keys.
    leading = int((number + g.random()) / n_mice * 2**32)
    uuid = UUID(bytes=leading.to_bytes(4, "big") + g.bytes(12), version=4)
    start = FIRST_START + timedelta(int(g.integers((LAST_START - FIRST_START).days)))
    # Age at start: measured median 97 days.
    birth = start - timedelta(int(97 * np.exp(g.normal(0, 0.22))))
    # Measured: 80 male and 60 female; medians 23.6 and 19.6 g.
    sex = "M" if g.random() < 80 / 140 else "F"
    weight = (23.6 if sex == "M" else 19.6) * np.exp(g.normal(0, 0.07))
    habituation, days = _working_days(start, g)
    # Assumed: 3 % die while at work, and most others are culled within weeks of the last session.
    early_death = None
    if g.random() < 0.03:
        early_death = _date(days[0]) + timedelta(int(g.integers(8, 50)))
        days = days[days < np.datetime64(early_death)]
    days_to_cull = int(g.integers(1, 60)) if g.random() < 0.75 else None
    if number % 500 == 11:  # never trained
        days = days[:0]
    # Assumed: 6 % never learns. The rest of the spread of paces is by lab and mouse.
    learns = g.random() > 0.06
    lab_pace = lab.days_to_trained / 15.5
    slow_to_learn = 1 + 3 * g.random()
    pace = 1.03 * lab_pace * np.exp(g.normal(0, 0.47)) * (1 if learns else slow_to_learn)
    lapse = 0.047 * np.exp(g.normal(0, 0.40)) if learns else g.uniform(0.16, 0.32)
    slowness = g.normal(0, 0.5)
    return Mouse(
        number=number,
        subject_uuid=uuid,
        subject_nickname=_nickname(lab, rank),
        lab=lab,
        has_lab=number % 97 != 23,
        sex=sex,
        subject_birth_date=birth,
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
        pace=float(pace),
        patience=int(g.exponential(7)),
        eagerness=g.normal(0, 0.17) - 0.2 * slowness,
        threshold=8.6 * np.exp(g.normal(0, 0.18)),
        lapse=float(lapse),
        bias=g.normal(0.4, 1.5),
        lean=g.normal(0, 0.15),
        prior_shift=3.3 * np.exp(g.normal(0, 0.35)),
        prior_guess=g.uniform(0.05, 0.25),
        after_correct=g.normal(1.0, 1.0),
        after_error=g.normal(0.8, 1.2),
        quickness=g.normal(0, 0.2),
        slowness=slowness,
    )


def _date(day: np.datetime64) -> date:
    return date.fromisoformat(str(day))


def _working_days(start: date, g: np.random.Generator) -> tuple[Array, Array]:
    """Choose the days on which a mouse is worked with: first habituation, then training."""
    days = np.arange(np.datetime64(start), np.datetime64(CLOSING) + 1)
    # Weekend days are 1.8 % of the measured days; 3 % of weekdays left out is assumed.
    keep = np.where(np.is_busday(days), 0.97, 0.97 * 0.018 * 5 / (2 * (1 - 0.018)))
    closed = (days >= np.datetime64("2019-12-24")) & (days <= np.datetime64("2020-01-01"))
    days = days[(g.random(len(days)) < keep) & ~closed]
    n_habituation = int(g.integers(3, 6))
    return days[:n_habituation], days[n_habituation:]


# --- how a mouse does on a day --------------------------------------------------------------


def _skill(mouse: Mouse, day: Array) -> Array:
    """Rise from 0 to 1 along a Gompertz curve.

    Its shape is that of the measured easy performance on days 0, 4, 9, 14: slow to start, steep,
    slow to finish.
    """
    return np.exp(-np.exp(-(day / mouse.pace - 6.2) / 2.5))


# Skill from which on a session has the next contrast set; the last one drops 50 %.
SET_FROM = (0.35, 0.58, 0.75, 0.87, 0.93)


def _plan(
    mouse: Mouse, stage: Stage, first: int, n_days: int, g: np.random.Generator
) -> pd.DataFrame:
    """Draw the sessions of some days, with all that the task needs to know about them."""
    day, is_crash, is_empty = _pattern(first, min(first + n_days, len(mouse.days)), g)
    n = len(day)
    skill = _skill(mouse, day)
    ignorance = 1 - skill
    biased = stage.is_biased
    # Measured medians of trials per session: 313, 509, 643, 658 on days 0, 4, 9, 14; then 774.
    usual = 310 + 410 * (1 - np.exp(-day / 7)) if not biased else np.full(n, 775.0)
    n_trials = usual * np.exp(mouse.eagerness + g.normal(0, 0.36, n))
    n_trials = np.clip(n_trials, 60, 2000).astype(int)
    n_trials = np.where(is_crash, g.integers(3, 40, n), n_trials)
    lapse = mouse.lapse + (0.5 - mouse.lapse) * ignorance
    lean = mouse.lean * ignorance + g.normal(0, 1, n) * (0.04 + 0.1 * ignorance)
    guess = np.clip(0.5 + lean, 0.05, 0.95)
    early = (skill < 0.5) & (g.random(n) < 0.12) & (not biased)
    frame = pd.DataFrame(
        {
            "mouse": mouse.number,
            "day": day,
            "is_empty": is_empty,
            "is_crash": is_crash,
            "n_trials": np.where(is_empty, 0, n_trials),
            "is_biased": biased,
            "contrast_set": task.BIASED_SET
            if biased
            else np.searchsorted(SET_FROM, skill, "right"),
            "has_odd_contrasts": (g.random(n) < 0.006) & (skill > 0.8),
            "debias_lean": np.where(early, guess, np.nan),
            "threshold": (mouse.threshold + 45 * ignorance)
            * (1.4 if biased else 1)
            * np.exp(g.normal(0, 0.12, n)),
            "lapse": np.minimum(lapse * np.exp(g.normal(0, 0.25, n)), 0.5),
            "guess_right": guess,
            "bias": mouse.bias + g.normal(0, 2 + 10 * ignorance, n),
            "prior_shift": mouse.prior_shift if biased else 0.0,
            "prior_guess": mouse.prior_guess if biased else 0.0,
            "after_correct": mouse.after_correct + 4 * ignorance,
            "after_error": mouse.after_error + 4 * ignorance,
            "no_go": 0.0012 + 0.011 * ignorance,
            "slow_odds": mouse.slowness + 1.5 * ignorance + (0.0 if biased else 0.72),
            "slow_log": 0.8 * ignorance,
            "quick_log": mouse.quickness + 0.4 * ignorance + (0.0 if biased else 0.2),
            # Measured: 3.4 % of times are missing, nearly all in sessions that miss them all.
            "missing_stimulus": np.where(g.random(n) < 0.03, 1.0, 0.003),
            # Assumed: one session in thirty lost single rows, a few lost dozens.
            "missing_rows": np.where(g.random(n) < 0.033, 0.004, 0.0),
            # The reward shrinks from 3 to 1.5 microlitres as the mouse learns to work.
            "reward_ul": np.maximum(1.5, 3 - 0.1 * day).round(1) if not biased else 1.5,
        }
    )
    return _describe(frame, mouse.days[day], mouse, stage, g)


def _pattern(first: int, last: int, g: np.random.Generator) -> tuple[Array, Array, Array]:
    """List the sessions of the days: most have one, a few a crash or an empty one before it.

    Measured: of 6,394 days 86 have two sessions with trials and 4 have four. Sessions without
    any trials are assumed on 3 % of days.
    """
    full, crash, empty = (False, False), (True, False), (False, True)
    patterns = (
        ((full,), 0.956),
        ((crash, full), 0.011),
        ((full, full), 0.0024),
        ((crash, crash, crash, full), 0.0006),
        ((empty, full), 0.015),
        ((empty,), 0.015),
    )
    ends = np.cumsum([share for _, share in patterns])
    drawn = np.searchsorted(ends, g.random(last - first) * ends[-1], "right")
    rows = [
        (day, *session)
        for day, which in zip(range(first, last), drawn, strict=True)
        for session in patterns[which][0]
    ]
    day, is_crash, is_empty = np.array(rows, int).reshape(-1, 3).T
    return day, is_crash.astype(bool), is_empty.astype(bool)


def _describe(
    frame: pd.DataFrame, dates: Array, mouse: Mouse, stage: Stage, g: np.random.Generator
) -> pd.DataFrame:
    """Add to planned sessions what the database knows about them but for their trials."""
    n = len(frame)
    hour = np.clip(mouse.hour + g.normal(0, 0.8, n), 7, 20.5)
    start = dates.astype("datetime64[s]") + np.rint(hour * 3600).astype("timedelta64[s]")
    number = np.ones(n, int)
    for row in range(1, n):
        if dates[row] == dates[row - 1]:
            number[row] = number[row - 1] + 1
            # The next one starts when the last is surely over.
            is_short = frame["is_crash"].iloc[row - 1] or frame["is_empty"].iloc[row - 1]
            pause = g.integers(2400, 3600) if is_short else g.integers(9000, 14000)
            start[row] = start[row - 1] + np.timedelta64(int(pause), "s")
    place = "ephys_0" if stage.is_ephys_rig else f"behavior_{mouse.rig}"
    rig = f"_iblrig_{mouse.lab.lab_name}_{place}"
    others = [user for user in mouse.lab.users if user != mouse.responsible_user]
    alone = (mouse.responsible_user,)
    both = tuple(sorted((*alone, others[0])))
    delay = g.uniform(15.1, 20, n) if stage.is_delayed else np.zeros(n)
    unlogged = (g.random(n) < 0.03) & (not stage.is_delayed)
    known: dict[str, object] = {
        "has_trials": frame["n_trials"] > 0,
        "session_start_time": start,
        "session_number": number,
        "session_uuid": [_uuid(g) for _ in range(n)],
        "task_protocol": [_protocol(stage.protocol, day, g) for day in dates],
        "session_location": rig,
        # Two users on 4 % of sessions is assumed.
        "users": [both if g.random() < 0.04 else alone for _ in range(n)],
        "session_projects": [mouse.subject_projects] * n,
        "pybpod_board": [None if g.random() < 0.012 else rig for _ in range(n)],
        "session_delay_in_mins": np.where(unlogged, np.nan, delay.round(4)),
        "has_go_cue": start >= GO_CUE_SINCE,
        # Measured on IBL's sessions: 8 % have no end, 0.2 % end before they start.
        "end_is_missing": g.random(n) < 0.08,
        "end_is_early": g.random(n) < 0.002,
        "idle_minutes": g.uniform(20, 45, n),
    }
    return pd.concat([frame, pd.DataFrame(known, frame.index)], axis=1)


def _protocol(word: str, day: np.datetime64, g: np.random.Generator) -> str | None:
    """Name the task as the rigs do; a few sessions have no version, fewer no name at all."""
    drawn = g.random()
    if drawn < 0.002:
        return None
    name = f"_iblrig_tasks_{word}ChoiceWorld"
    if drawn < 0.03:
        return name
    return name + [version for since, version in RIG_VERSIONS if np.datetime64(since) <= day][-1]


def _habituation(mouse: Mouse, g: np.random.Generator) -> pd.DataFrame:
    """List the sessions before training, which have no trials."""
    frame = pd.DataFrame({"mouse": mouse.number, "day": -1, "n_trials": 0}, mouse.habituation)
    frame = frame.reset_index(drop=True)
    return _describe(frame, mouse.habituation, mouse, HABITUATION, g)


# --- how the experimenters lead the mice through -------------------------------------------


@dataclass
class _Life:
    """How far a mouse has come."""

    mouse: Mouse
    stage: int = 0
    days_in_stage: int = 0
    next_day: int = 0
    n_plans: int = 0
    n_planned: int = 0

    @property
    def is_over(self) -> bool:
        return self.stage == len(STAGES) or self.next_day >= len(self.mouse.days)

    def plan(self, seed: int) -> pd.DataFrame:
        """Draw the next sessions, and name them by numbers that rise with mouse and time."""
        self.n_plans += 1
        stage = STAGES[self.stage]
        n_days = stage.days_ahead
        if stage is TRAINING and self.next_day == 0:
            # Saves rounds; it has no say in when the mouse is moved on.
            n_days = int(np.clip(16 * self.mouse.pace + 4, 10, 40))
        generator = _generator(seed, self.mouse.number, PLANNING, self.n_plans)
        plan = _plan(self.mouse, stage, self.next_day, n_days, generator)
        named = self.mouse.number * MAX_SESSIONS + self.n_planned + np.arange(len(plan))
        self.n_planned += len(plan)
        return plan.assign(session=named)

    def move_on(self, plan: pd.DataFrame, rank: Array, seed: int) -> int:
        """Decide from the statuses of planned sessions how many of them happen."""
        stage = STAGES[self.stage]
        day = plan["day"].to_numpy()
        last, is_reached = int(day[-1]), False
        if stage.goal is not None:
            reached = np.flatnonzero(rank >= RANKS[stage.goal])
            is_reached = len(reached) > 0
            if is_reached:
                # The experimenter acts on it the next day or some days later (assumed).
                hesitates = _generator(seed, self.mouse.number, MOVING, self.n_plans).integers(3)
                last = min(last, int(day[reached[0]] + hesitates))
        n_kept = int(np.searchsorted(day, last, "right"))
        self.days_in_stage += last + 1 - self.next_day
        self.next_day = last + 1
        patience = stage.days_at_most + (self.mouse.patience if stage is TRAINING else 0)
        if is_reached:
            self.stage += 1
            self.days_in_stage = 0
        elif self.days_in_stage >= patience:
            self.stage = len(STAGES)
        return n_kept


@dataclass(frozen=True)
class _Past:
    """What has happened so far, of all mice; sessions by name."""

    sessions: pd.DataFrame
    counts: pd.DataFrame
    zero_contrast: pd.DataFrame

    def and_then(self, new: "_Past") -> "_Past":
        if self.sessions.empty:
            return new
        return _Past(
            pd.concat([self.sessions, new.sessions]).sort_values("session"),
            pd.concat([self.counts, new.counts]),
            pd.concat([self.zero_contrast, new.zero_contrast]),
        )

    def where(self, sessions: pd.Series) -> "_Past":
        names = self.sessions["session"][sessions]
        return _Past(
            self.sessions[sessions],
            self.counts[self.counts["session"].isin(names)],
            self.zero_contrast[self.zero_contrast["session"].isin(names)],
        )

    def ranks(self) -> pd.Series:
        """Rank the training status of each session that has trials."""
        judged = self.sessions[self.sessions["n_trials"] > 0].rename(columns={"mouse": "subject"})
        found = status.evaluate(judged, self.counts, self.zero_contrast).status
        return found.set_index("session")["training_status"].map(RANKS)


def _live(mice: list[Mouse], seed: int) -> Cohort:
    """Let the mice do some sessions each, judge them all together, and so on."""
    lives = [_Life(mouse) for mouse in mice]
    past = _Past(*(pd.DataFrame({"session": np.zeros(0, int), "mouse": 0}) for _ in range(3)))
    played = []
    while going := [life for life in lives if not life.is_over]:
        plan = pd.concat([life.plan(seed) for life in going], ignore_index=True)
        new, trials = _play(plan, going, seed)
        numbers = [life.mouse.number for life in going]
        ranks = past.where(past.sessions["mouse"].isin(numbers)).and_then(new).ranks()
        rank = ranks.reindex(plan["session"]).to_numpy(float)
        happens = np.zeros(len(plan), bool)
        for life in going:
            rows = np.flatnonzero(plan["mouse"] == life.mouse.number)
            happens[rows[: life.move_on(plan.iloc[rows], rank[rows], seed)]] = True
        past = past.and_then(new.where(pd.Series(happens)))
        played.append(trials)
    return _cohort(mice, past.sessions, played, seed)


def _play(plan: pd.DataFrame, lives: list[_Life], seed: int) -> tuple[_Past, task.Played]:
    has_trials = plan["n_trials"] > 0
    to_play = plan[has_trials]
    playing = set(to_play["mouse"])
    generators = [
        _generator(seed, life.mouse.number, PLAYING, life.n_plans)
        for life in lives
        if life.mouse.number in playing
    ]
    trials = task.play(to_play, generators)
    names = to_play["session"].to_numpy()
    plan.loc[has_trials, "performance_easy"] = task.easy_performance(trials, len(to_play))
    named = replace(trials, session=names[trials.session])
    return _Past(plan, task.counts(named), task.zero_contrast(named)), named


def _cohort(
    mice: list[Mouse], sessions: pd.DataFrame, played: list[task.Played], seed: int
) -> Cohort:
    """Put together what happened, as the database tells it."""
    habits = [_habituation(mouse, _generator(seed, mouse.number, HABITS)) for mouse in mice]
    table = pd.concat([*habits, sessions], ignore_index=True)
    table["mouse"] -= mice[0].number
    table = table.sort_values(["mouse", "session_start_time"], ignore_index=True)
    with_trials = table[table["has_trials"]]
    trials = task.joined(played, with_trials["session"].to_numpy(int), with_trials.index.to_numpy())
    generators = [
        _generator(seed, mice[row].number, RECORDS) for row in with_trials["mouse"].unique()
    ]
    records = task.record(trials, table, generators)
    table["session_end_time"] = _ends(table, records)
    for name in ("task_protocol", "pybpod_board"):
        table[name] = _with_none(table[name])
    people = {name: [getattr(mouse, name) for mouse in mice] for name in MICE_COLUMNS}
    last_start = table.groupby("mouse")["session_start_time"].max()
    people["death_date"] = [
        _death(mouse, start) for mouse, start in zip(mice, last_start, strict=True)
    ]
    people["lab_name"] = [mouse.lab.lab_name if mouse.has_lab else None for mouse in mice]
    return Cohort(
        mice=pd.DataFrame({name: _with_none(pd.Series(v)) for name, v in people.items()}),
        sessions=table[list(SESSION_COLUMNS)],
        trials=records,
    )


def _death(mouse: Mouse, last_start: pd.Timestamp) -> date | None:
    if mouse.early_death is not None or mouse.days_to_cull is None:
        return mouse.early_death
    return last_start.date() + timedelta(mouse.days_to_cull)


def _with_none(column: pd.Series) -> pd.Series:
    """Say None where there is no value, whatever this version of pandas makes of it."""
    if not column.isna().any():
        return column
    return column.astype(object).where(column.notna(), None)


def _ends(table: pd.DataFrame, records: dict[str, Array]) -> pd.Series:
    """Tell when sessions ended: at the end of the last trial, if that is known."""
    seconds = 60 * table["idle_minutes"].to_numpy(copy=True)
    last = np.flatnonzero(np.diff(records["session"], append=-1))
    seconds[records["session"][last]] = records["trial_end_time"][last]
    seconds[table["end_is_early"]] *= -0.1
    ends = table["session_start_time"] + pd.to_timedelta(np.rint(seconds), unit="s")
    is_empty = ~table["has_trials"] & (table["day"] >= 0)
    return ends.mask(table["end_is_missing"] | is_empty).astype("datetime64[s]")
