"""What experimenters do with mice: on which days they train, and when they are moved on.

A mouse is moved on by its training status, as the rules of IBL-pipeline give it: training until
trained_1b, the biased task until ready4ephysrig, an ephys rig until ready4delay, a delayed start
until ready4recording, then a few recordings.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from mirror.derive import status
from mirror.sources.demo import sessions, task
from mirror.sources.demo.mouse import MOVING, PLANNING, PLAYING, Mouse
from mirror.sources.demo.sessions import Kind

Array = np.ndarray

# Sessions are named by mouse and order while they happen.
MAX_SESSIONS = 10_000
# Status by status upwards.
RANKS = {name: rank for rank, name in enumerate(status.STATUSES)}


@dataclass(frozen=True)
class Stage:
    """A part of a mouse's life: what it is given, the status that ends it, how it is planned."""

    kind: Kind
    goal: str | None
    days_ahead: int  # planned at a time
    days_at_most: int  # until the experimenter gives up (assumed)


TRAINING = Stage(Kind("training"), "trained_1b", 10, 40)
STAGES = (
    TRAINING,
    Stage(Kind("biased"), "ready4ephysrig", 7, 22),
    Stage(Kind("biased", is_ephys_rig=True), "ready4delay", 3, 8),
    Stage(Kind("biased", is_ephys_rig=True, is_delayed=True), "ready4recording", 4, 10),
    Stage(Kind("ephys", is_ephys_rig=True, is_delayed=True), None, 4, 4),
)


@dataclass
class Life:
    """How far a mouse has come."""

    mouse: Mouse
    stage: int = 0
    stage_began: int = 0  # days of training, as the next one
    next_day: int = 0
    n_plans: int = 0
    n_planned: int = 0  # sessions

    @property
    def is_over(self) -> bool:
        return self.stage == len(STAGES) or self.next_day >= len(self.mouse.days)

    def chance(self, purpose: int) -> np.random.Generator:
        return self.mouse.chance(purpose, self.n_plans)

    def plan(self) -> pd.DataFrame:
        """Draw the next sessions, and name them by numbers that rise with mouse and time."""
        self.n_plans += 1
        stage = STAGES[self.stage]
        n_days = stage.days_ahead
        if self.next_day == 0:
            # Saves rounds; it has no say in when the mouse is moved on.
            n_days = int(np.clip(16 * self.mouse.mind.pace + 4, 10, 40))
        days = range(self.next_day, min(self.next_day + n_days, len(self.mouse.days)))
        plan = sessions.planned(self.mouse, stage.kind, days, self.chance(PLANNING))
        names = self.mouse.number * MAX_SESSIONS + self.n_planned + np.arange(len(plan))
        self.n_planned += len(plan)
        return plan.assign(session=names)

    def move_on(self, day: Array, rank: Array) -> int:
        """Decide from the days and statuses of planned sessions how many of them happen."""
        stage = STAGES[self.stage]
        last = int(day[-1])
        reached = day[rank >= RANKS[stage.goal]] if stage.goal is not None else day[:0]
        if len(reached):
            # The experimenter acts on it the next day or some days later (assumed).
            last = min(last, int(reached[0] + self.chance(MOVING).integers(3)))
        self.next_day = last + 1
        patience = stage.days_at_most + (self.mouse.patience if stage is TRAINING else 0)
        if len(reached):
            self.stage += 1
            self.stage_began = self.next_day
        elif self.next_day - self.stage_began >= patience:
            self.stage = len(STAGES)
        return int(np.searchsorted(day, last, "right"))


@dataclass(frozen=True)
class Past:
    """Sessions that were played, and of their trials what the rules of the status ask for."""

    sessions: pd.DataFrame
    counts: pd.DataFrame
    zero_contrast: pd.DataFrame

    def where(self, which: Array) -> "Past":
        kept = self.sessions[which]
        counts, zero_contrast = (
            frame[frame["session"].isin(kept["session"])]
            for frame in (self.counts, self.zero_contrast)
        )
        return Past(kept, counts, zero_contrast)

    def ranks(self) -> pd.Series:
        """Rank the training status of each session that has trials."""
        judged = self.sessions[self.sessions["has_trials"]].rename(columns={"mouse": "subject"})
        found = status.evaluate(judged, self.counts, self.zero_contrast).status
        return found.set_index("session")["training_status"].map(RANKS)


def _together(parts: Sequence[Past]) -> Past:
    return Past(
        pd.concat([part.sessions for part in parts]).sort_values("session"),
        pd.concat([part.counts for part in parts]),
        pd.concat([part.zero_contrast for part in parts]),
    )


def lead(mice: Sequence[Mouse]) -> tuple[list[pd.DataFrame], list[task.Played]]:
    """Let the mice do some sessions each, judge them all together, and so on.

    What happened comes in parts; sessions, and trials by session, have names that rise with mouse
    and time.
    """
    lives = [Life(mouse) for mouse in mice]
    past: list[Past] = []
    played = []
    while going := [life for life in lives if not life.is_over]:
        plan = pd.concat([life.plan() for life in going], ignore_index=True)
        new, trials = _play(plan, going)
        numbers = [life.mouse.number for life in going]
        own = [part.where(np.isin(part.sessions["mouse"], numbers)) for part in past]
        rank = _together([*own, new]).ranks().reindex(plan["session"]).to_numpy(float)
        day = plan["day"].to_numpy()
        happens = np.zeros(len(plan), bool)
        for life in going:
            rows = np.flatnonzero(plan["mouse"] == life.mouse.number)
            happens[rows[: life.move_on(day[rows], rank[rows])]] = True
        past.append(new.where(happens))
        kept = np.isin(trials.session, past[-1].sessions["session"])
        played.append(trials.take(np.flatnonzero(kept)))
    return [part.sessions for part in past], played


def _play(plan: pd.DataFrame, lives: Sequence[Life]) -> tuple[Past, task.Played]:
    plan["has_trials"] = plan["n_trials"] > 0
    to_play = plan[plan["has_trials"]]
    playing = set(to_play["mouse"])
    generators = [life.chance(PLAYING) for life in lives if life.mouse.number in playing]
    trials = task.play(to_play, generators)
    plan.loc[to_play.index, "performance_easy"] = task.easy_performance(trials, len(to_play))
    trials = replace(trials, session=to_play["session"].to_numpy()[trials.session])
    return Past(plan, task.counts(trials), task.zero_contrast(trials)), trials
