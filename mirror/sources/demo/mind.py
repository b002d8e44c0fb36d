"""How a mouse learns and decides, which nobody sees.

Figures called "measured" are those of IBL's published sessions; the other numbers were chosen so
that the mice come out as those did (`tests/bench_demo.py` compares).
"""

from dataclasses import dataclass

import numpy as np

from mirror.sources.demo.labs import Lab

Array = np.ndarray

# Assumed: some mice never learn, and lapse too often even when they are as good as they get.
NEVER_LEARNS = 0.06
# Measured: the median mouse is trained after so many days.
DAYS_TO_TRAINED = 15.5
# Day on which the median mouse's skill has come to 1 / e, and how many days the rise takes.
SKILL_DAY, SKILL_DAYS = 5.4, 2.9
# Contrast added to a mouse's threshold while it knows nothing, and factor of the biased task.
THRESHOLD_TO_LOSE, BIASED_THRESHOLD = 30, 1.5
# Measured medians of trials per session: 313, 509, 643, 658 on days 0, 4, 9, 14; then 774.
FIRST_TRIALS, MORE_TRIALS, DAYS_TO_MORE = 310, 410, 7
BIASED_TRIALS = 775
FEWEST_TRIALS, MOST_TRIALS = 60, 2000


@dataclass(frozen=True)
class Mind:
    """What makes a mouse differ from others; contrasts in percent."""

    pace: float  # days that it takes, against the median mouse
    lapse: float
    slowness: float  # log odds of a slow reaction
    eagerness: float  # log of the number of trials, against the median
    threshold: float
    bias: float
    lean: float  # to one side while it does not know the task
    prior_shift: float
    prior_guess: float
    after_correct: float
    after_error: float
    quickness: float  # log of a quick reaction time, against the median

    def skill(self, day: Array) -> Array:
        """Rise from 0 to 1 along a Gompertz curve.

        Its shape is that of the measured easy performance on days 0, 4, 9, 14: slow to start,
        steep, slow to finish.
        """
        return np.exp(-np.exp(-(day / self.pace - SKILL_DAY) / SKILL_DAYS))

    def n_trials(self, day: Array, is_biased: bool, g: np.random.Generator) -> Array:
        """Draw how long the mouse works."""
        learning = FIRST_TRIALS + MORE_TRIALS * (1 - np.exp(-day / DAYS_TO_MORE))
        usual = np.full(len(day), BIASED_TRIALS) if is_biased else learning
        drawn = usual * np.exp(self.eagerness + g.normal(0, 0.36, len(day)))
        return np.clip(drawn, FEWEST_TRIALS, MOST_TRIALS).astype(int)

    def mood(self, day: Array, is_biased: bool, g: np.random.Generator) -> dict[str, Array]:
        """Draw by what the mouse decides in the sessions of these days, as `task.play` asks."""
        n = len(day)
        ignorance = 1 - self.skill(day)
        lean = self.lean * ignorance + g.normal(0, 1, n) * (0.04 + 0.1 * ignorance)
        threshold = (self.threshold + THRESHOLD_TO_LOSE * ignorance) * (
            BIASED_THRESHOLD if is_biased else 1
        )
        # Lapses go a little sooner than the rest of the ignorance.
        lapse = self.lapse + (0.5 - self.lapse) * ignorance**1.2
        return {
            "guess_right": np.clip(0.5 + lean, 0.05, 0.95),
            "threshold": threshold * np.exp(g.normal(0, 0.12, n)),
            "lapse": np.minimum(lapse * np.exp(g.normal(0, 0.25, n)), 0.5),
            "bias": self.bias + g.normal(0, 2 + 10 * ignorance, n),
            "prior_shift": np.full(n, self.prior_shift if is_biased else 0.0),
            "prior_guess": np.full(n, self.prior_guess if is_biased else 0.0),
            "after_correct": self.after_correct + 4 * ignorance,
            "after_error": self.after_error + 4 * ignorance,
            "no_go": 0.0012 + 0.011 * ignorance,
            "slow_odds": self.slowness + 1.5 * ignorance + (0.0 if is_biased else 0.72),
            "slow_log": 0.8 * ignorance,
            "quick_log": self.quickness + 0.4 * ignorance + (0.0 if is_biased else 0.15),
        }


def drawn(lab: Lab, g: np.random.Generator) -> Mind:
    """Draw a mind; how fast it learns depends on the lab too."""
    learns = g.random() > NEVER_LEARNS
    slow_to_learn = 1 + 3 * g.random()
    lab_pace = lab.days_to_trained / DAYS_TO_TRAINED
    pace = 1.08 * lab_pace * np.exp(g.normal(0, 0.47)) * (1 if learns else slow_to_learn)
    lapse = 0.047 * np.exp(g.normal(0, 0.40)) if learns else g.uniform(0.16, 0.32)
    slowness = g.normal(0, 0.5)
    return Mind(
        pace=float(pace),
        lapse=float(lapse),
        slowness=slowness,
        eagerness=g.normal(0, 0.17) - 0.2 * slowness,
        threshold=8.0 * np.exp(g.normal(0, 0.18)),
        bias=g.normal(0.4, 1.5),
        lean=g.normal(0, 0.15),
        prior_shift=3.3 * np.exp(g.normal(0, 0.35)),
        prior_guess=g.uniform(0.05, 0.25),
        after_correct=g.normal(1.0, 1.0),
        after_error=g.normal(0.8, 1.2),
        quickness=g.normal(0, 0.2),
    )
