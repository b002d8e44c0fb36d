"""The task and what mice do in it, trial by trial.

All sessions are played side by side: the loop goes over trial numbers, and numpy over sessions,
because only repeated stimuli and the pull of the previous choice depend on what went before.
Figures called "measured" are those of IBL's published trials.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
import pandas as pd

Array = np.ndarray

# The two odd ones at the end were shown in a handful of sessions.
CONTRASTS = np.array([0, 0.0625, 0.125, 0.25, 0.5, 1, 0.04, 0.08])
ODD = {1: 6, 2: 7}
# The order in which the task brings contrasts in; the last set is that of the biased task too.
CONTRAST_SETS = (
    (5, 4),
    (5, 4, 3),
    (5, 4, 3, 2),
    (5, 4, 3, 2, 1),
    (5, 4, 3, 2, 1, 0),
    (5, 3, 2, 1, 0),
)
BIASED_SET = len(CONTRAST_SETS) - 1
# Trials with contrast 0 are rarer than each other contrast: measured 99 to 129 thousand.
ZERO_WEIGHT = 0.76

# Errors on these contrasts repeat the stimulus while the mouse is in training.
EASIEST = 4
UNBIASED_TRIALS = 90
BLOCK_FACTOR, BLOCK_MIN, BLOCK_MAX = 60, 20, 100
RESPONSE_WINDOW_S = 60.0

# Bpod's clock counts tenths of a millisecond. Times are added up as whole ticks, which gives
# the same sums on every machine.
TICKS_PER_S = 10_000

# Share of slow trials and median of the quick ones, by contrast in the order of CONTRASTS: the
# measured quantiles are those of a quick log-normal and a slow one with a tail to a minute.
SLOW_SHARE = np.array([0.36, 0.29, 0.215, 0.155, 0.115, 0.10, 0.32, 0.27])
QUICK_S = np.array([0.333, 0.307, 0.286, 0.270, 0.258, 0.251, 0.32, 0.30])
QUICK_SPREAD = 0.33
SLOW_S, SLOW_SPREAD = 2.2, 1.35

# Lapses are rarest where the stimulus is plain: measured accuracy keeps rising from 25 to 100 %.
LAPSE_FACTOR = np.array([2.0, 2.0, 2.0, 1.7, 1.2, 1, 2.0, 2.0])

# States of the trial before, for the choice history.
RIGHT_CORRECT, RIGHT_ERROR, LEFT_CORRECT, LEFT_ERROR, NO_HISTORY = range(5)
# erf(x) is close to 2 / (1 + exp(-2.4 x)) - 1, and needs no scipy.
ERF_SLOPE = 2.4

MISSING_STIMULUS, EARLY_RESPONSE, MISSING_ROW = 1, 2, 4


@dataclass(frozen=True)
class Played:
    """Trials as they were played, one value per trial; sessions one after the other."""

    session: Array  # row of the session
    number: Array  # from 1
    contrast: Array  # index into CONTRASTS
    side: Array  # +1 right
    choice: Array  # +1 right, 0 No Go
    repetition: Array
    prob_left: Array  # tenths
    reaction_s: Array
    dirt: Array

    @property
    def rewarded(self) -> Array:
        return self.choice == self.side

    def take(self, rows: Array) -> "Played":
        return Played(*(getattr(self, field.name)[rows] for field in fields(self)))


NOTHING = replace(Played(*(np.zeros(0, np.int8) for _ in fields(Played))), reaction_s=np.zeros(0))


def joined(parts: Sequence[Played], rows: Array) -> Played:
    """Put trials in the order of their sessions, and name those by row instead."""
    together = Played(
        *(
            np.concatenate([getattr(part, field.name) for part in (NOTHING, *parts)])
            for field in fields(Played)
        )
    )
    kept = together.take(np.argsort(together.session, kind="stable"))
    is_first = np.diff(kept.session, prepend=-1) > 0
    return replace(kept, session=rows[np.cumsum(is_first) - 1])


def play(sessions: pd.DataFrame, generators: Sequence[np.random.Generator]) -> Played:
    """Play sessions of several mice; `generators` has one for each run of one mouse's rows.

    A mouse's chance comes from its own generator, so that its trials do not depend on the
    others that happen to be played beside it.
    """
    if sessions.empty:
        return NOTHING
    n_trials = sessions["n_trials"].to_numpy()
    mouse = sessions["mouse"].to_numpy()
    firsts = np.flatnonzero(np.diff(mouse, prepend=-1))
    lengths = np.add.reduceat(n_trials, firsts)
    lasts = np.append(firsts[1:], len(sessions))
    for_contrast, for_odd, for_side, for_choice, for_speed, for_stimulus, for_fault = _chance(
        generators, 7, lengths
    )
    noise = np.concatenate([g.standard_normal(n) for g, n in zip(generators, lengths, strict=True)])
    prob_left = np.concatenate(
        [
            _prob_left(sessions.iloc[first:last], g)
            for g, first, last in zip(generators, firsts, lasts, strict=True)
        ]
    )
    session = np.repeat(np.arange(len(sessions), dtype=np.int32), n_trials)
    contrast = _contrasts(sessions, session, for_contrast, for_odd)
    right = for_side >= prob_left / 10
    stimulus = (2 * contrast + right).astype(np.int8)
    biased = sessions["is_biased"].to_numpy()
    block = np.where(biased[session], np.sign(5 - prob_left) + 1, 1)
    stimulus, choice, repetition = _choose(sessions, stimulus, block, for_choice)
    contrast = stimulus >> 1
    reaction = _reaction_times(sessions, session, contrast, for_speed, noise)
    starts = np.cumsum(n_trials) - n_trials
    return Played(
        session=session,
        number=(np.arange(1, len(session) + 1) - starts[session]).astype(np.int32),
        contrast=contrast,
        side=((stimulus & 1) * 2 - 1).astype(np.int8),
        choice=choice,
        repetition=repetition,
        prob_left=prob_left,
        reaction_s=np.where(choice == 0, RESPONSE_WINDOW_S, reaction),
        dirt=_dirt(sessions, session, choice, for_stimulus, for_fault),
    )


def _chance(generators: Sequence[np.random.Generator], rows: int, lengths: Array) -> Array:
    """Draw the chance of every trial, each mouse's from its own generator; half size, for room."""
    draws = zip(generators, lengths, strict=True)
    drawn = [g.random((rows, n), dtype=np.float32) for g, n in draws]
    return np.concatenate([np.zeros((rows, 0), np.float32), *drawn], 1)


def _contrasts(sessions: pd.DataFrame, session: Array, draw: Array, odd: Array) -> Array:
    sets = np.zeros((len(CONTRAST_SETS), max(map(len, CONTRAST_SETS))), np.int8)
    ends = np.full(sets.shape, 2.0)
    for row, contrasts in enumerate(CONTRAST_SETS):
        weights = np.array([ZERO_WEIGHT if contrast == 0 else 1.0 for contrast in contrasts])
        sets[row, : len(contrasts)] = contrasts
        ends[row, : len(contrasts) - 1] = (np.cumsum(weights) / weights.sum())[:-1]
    which = sessions["contrast_set"].to_numpy()[session]
    place = np.zeros(len(session), np.int8)
    for end in ends.T[:-1]:
        place += draw >= end[which]
    contrast = sets[which, place]
    has_odd = sessions["has_odd_contrasts"].to_numpy()[session] & (odd < 0.05)
    for usual, replacement in ODD.items():
        contrast[has_odd & (contrast == usual)] = replacement
    return contrast


def _prob_left(sessions: pd.DataFrame, generator: np.random.Generator) -> Array:
    """Give the probability of a stimulus on the left, in tenths, for every trial."""
    parts = []
    for n, biased, lean in zip(
        sessions["n_trials"], sessions["is_biased"], sessions["debias_lean"], strict=True
    ):
        if biased:
            parts.append(_blocks(n, generator))
        elif np.isnan(lean):
            parts.append(np.full(n, 5))
        else:
            # Rigs of the first days showed the neglected side more often, in steps of a tenth.
            steps = np.clip(np.rint(10 * lean + generator.normal(0, 2, n // 30 + 1)), 0, 10)
            parts.append(np.repeat(steps.astype(int), 30)[:n])
    return np.concatenate(parts).astype(np.int8)


def _blocks(n_trials: int, generator: np.random.Generator) -> Array:
    """Draw 90 unbiased trials, then blocks in turn at 20 and 80 % left."""
    n_blocks = max(0, n_trials - UNBIASED_TRIALS) // BLOCK_MIN + 1
    low, high = np.exp(-BLOCK_MIN / BLOCK_FACTOR), np.exp(-BLOCK_MAX / BLOCK_FACTOR)
    chance = generator.random(n_blocks)
    lengths = (-BLOCK_FACTOR * np.log(low - chance * (low - high))).astype(int)
    first = 2 if generator.random() < 0.5 else 8
    values = np.where(np.arange(n_blocks) % 2 == 0, first, 10 - first)
    unbiased = np.full(UNBIASED_TRIALS, 5)
    return np.concatenate([unbiased, np.repeat(values, lengths)])[:n_trials]


def _probabilities(sessions: pd.DataFrame) -> tuple[Array, Array]:
    """Tabulate P(right) and P(No Go) of each session for every situation a trial can be in.

    The axes are session, block (left, none, right), state of the trial before, stimulus.
    """

    def column(name: str) -> Array:
        return sessions[name].to_numpy(float)[:, None, None, None]

    block = np.array([-1.0, 0, 1])[:, None, None]
    previous = np.array([1.0, 1, -1, -1, 0])[:, None]
    after_correct = np.array([1.0, 0, 1, 0, 0])[:, None]
    after_error = np.array([0.0, 1, 0, 1, 0])[:, None]
    signed = 100 * np.repeat(CONTRASTS, 2) * np.tile([-1, 1], len(CONTRASTS))
    pull = column("after_correct") * after_correct + column("after_error") * after_error
    centre = column("bias") - column("prior_shift") * block - pull * previous
    seen = 1 / (1 + np.exp(-ERF_SLOPE * (signed - centre) / column("threshold")))
    guess = np.clip(column("guess_right") + column("prior_guess") * block, 0.02, 0.98)
    lapses = 2 * np.minimum(column("lapse") * np.repeat(LAPSE_FACTOR, 2), 0.5)
    right = lapses * guess + (1 - lapses) * seen
    # No-go trials happen when the stimulus is faint.
    no_go = column("no_go") * (1 + 2 * (np.repeat(CONTRASTS, 2) < 0.06))
    return right, np.broadcast_to(no_go, right.shape)


def _choose(
    sessions: pd.DataFrame, proposed: Array, block: Array, chance: Array
) -> tuple[Array, Array, Array]:
    """Step through all sessions at once; longest first, so that those still running lead."""
    right, no_go = _probabilities(sessions)
    # One draw decides: No Go below the first bound, a right choice below the second.
    bounds = np.stack([no_go, no_go + (1 - no_go) * right], -1).reshape(-1, 2)
    n_trials = sessions["n_trials"].to_numpy()
    order = np.argsort(-n_trials, kind="stable")
    running = len(order) - np.searchsorted(
        n_trials[order][::-1], np.arange(n_trials.max()), "right"
    )
    first = (np.cumsum(n_trials) - n_trials)[order]
    n_stimuli = 2 * len(CONTRASTS)
    base = order * (3 * 5 * n_stimuli)
    situation = block.astype(np.int16) * (5 * n_stimuli)
    repeats = ~sessions["is_biased"].to_numpy()[order]
    stimuli, choices = proposed.copy(), np.zeros(len(proposed), np.int8)
    repetitions = np.zeros(len(proposed), np.int16)
    before = np.zeros(len(order), np.int8)
    again = np.zeros(len(order), bool)
    repetition = np.zeros(len(order), np.int16)
    state = np.full(len(order), NO_HISTORY)
    for step, n in enumerate(running):
        trial = first[:n] + step
        stimulus = np.where(again[:n], before[:n], proposed[trial])
        bound = bounds[base[:n] + situation[trial] + state[:n] * n_stimuli + stimulus]
        draw = chance[trial]
        is_choice = draw >= bound[:, 0]
        is_right = draw < bound[:, 1]
        is_correct = is_choice & (is_right == (stimulus & 1))
        repetition = np.where(again[:n], repetition[:n] + 1, 0)
        stimuli[trial] = stimulus
        choices[trial] = np.where(is_choice, 2 * is_right - 1, 0)
        repetitions[trial] = repetition
        state = np.where(is_choice, 2 * ~is_right + ~is_correct, NO_HISTORY)
        contrast = stimulus >> 1
        again = repeats[:n] & ~is_correct & ((contrast == EASIEST) | (contrast == EASIEST + 1))
        before = stimulus
    return stimuli, choices, repetitions


def _reaction_times(
    sessions: pd.DataFrame, session: Array, contrast: Array, chance: Array, noise: Array
) -> Array:
    def column(name: str) -> Array:
        return sessions[name].to_numpy(float)

    odds = (SLOW_SHARE / (1 - SLOW_SHARE))[None, :] * np.exp(column("slow_odds"))[:, None]
    is_slow = chance < (odds / (1 + odds))[session, contrast]
    quick = (np.log(QUICK_S)[None, :] + column("quick_log")[:, None])[session, contrast]
    slow = (np.log(SLOW_S) + column("slow_log"))[session]
    seconds = np.exp(np.where(is_slow, slow + SLOW_SPREAD * noise, quick + QUICK_SPREAD * noise))
    # Who would have taken longer than the window answers within it: No Go is drawn elsewhere.
    return np.where(seconds < RESPONSE_WINDOW_S, seconds, RESPONSE_WINDOW_S * chance)


def _dirt(
    sessions: pd.DataFrame, session: Array, choice: Array, missing: Array, rare: Array
) -> Array:
    """Mark trials whose record is faulty, at the measured rates."""
    has_no_stimulus = missing < sessions["missing_stimulus"].to_numpy()[session]
    dirt = np.where(has_no_stimulus, MISSING_STIMULUS, 0).astype(np.int8)
    # 0.12 % of measured reaction times are negative.
    dirt[(rare < 0.0012) & (choice != 0)] |= EARLY_RESPONSE
    is_last = np.append(np.diff(session) > 0, True)[: len(session)]
    dirt[(rare > 1 - sessions["missing_rows"].to_numpy()[session]) & ~is_last] |= MISSING_ROW
    return dirt


def counts(played: Played) -> pd.DataFrame:
    """Count trials by session, probability and signed contrast."""
    kept = played.take(np.flatnonzero(played.dirt & MISSING_ROW == 0))
    signed = kept.contrast.astype(np.int64) * 2 + (kept.side > 0)
    signed[kept.contrast == 0] = 0
    key = (kept.session * 11 + kept.prob_left) * 16 + signed
    present, cell, n_trials = np.unique(key, return_inverse=True, return_counts=True)
    n_right = np.bincount(cell, kept.choice == 1, len(present)).astype(int)
    rest, stimulus = np.divmod(present, 16)
    row, prob_left = np.divmod(rest, 11)
    percent = 100 * CONTRASTS[stimulus >> 1] * np.where(stimulus & 1, 1, -1)
    return pd.DataFrame(
        {
            "session": row,
            "prob_left_pct": prob_left * 10,
            "signed_contrast": percent + 0.0,
            "n_trials": n_trials,
            "n_right": n_right,
        }
    )


def zero_contrast(played: Played) -> pd.DataFrame:
    """List reaction times at contrast 0, where the time of the stimulus is known."""
    rows = np.flatnonzero((played.contrast == 0) & (played.dirt & MISSING_STIMULUS == 0))
    return pd.DataFrame({"session": played.session[rows], "reaction_time": played.reaction_s[rows]})


def easy_performance(played: Played, n_sessions: int) -> Array:
    """Give the share of correct trials at 50 and 100 % contrast; No Go is an error."""
    easy = (played.contrast == EASIEST) | (played.contrast == EASIEST + 1)
    shown = np.bincount(played.session[easy], minlength=n_sessions)
    correct = np.bincount(played.session[easy], played.rewarded[easy], n_sessions)
    return np.where(shown > 0, correct / np.maximum(shown, 1), np.nan)


def record(
    played: Played, sessions: pd.DataFrame, generators: Sequence[np.random.Generator]
) -> dict[str, Array]:
    """Write down the trials as the database has them, with times and gaps."""
    _, counts_by_mouse = np.unique(sessions["mouse"].to_numpy()[played.session], return_counts=True)
    chance = _chance(generators, 3, counts_by_mouse)
    session, rewarded = played.session, played.rewarded

    def ticks(seconds: Array) -> Array:
        return np.rint(seconds * TICKS_PER_S).astype(np.int32)

    # The mouse has to hold still for 0.4 to 0.7 s; then the stimulus comes on.
    quiet = ticks(0.4 + 0.3 * chance[0])
    reaction = ticks(played.reaction_s)
    early = played.dirt & EARLY_RESPONSE > 0
    # A negative reaction time is a stimulus that was logged late.
    reaction[early] = ticks(-0.005 - 0.9 * chance[1][early] ** 2)
    waited = np.where(early, quiet, quiet + reaction)
    stimulus = np.where(early, quiet - reaction, quiet)
    feedback = waited + 1
    # 1.5 s after a reward and 2.5 s after an error, of which 0.5 s are the inter-trial interval.
    end = feedback + np.where(rewarded, np.int32(15_000), np.int32(25_000))
    # The next trial starts 50 ms after the end of the last.
    starts = np.cumsum(end + 500, dtype=np.int64) - (end + 500)
    first = np.flatnonzero(np.diff(session, prepend=-1))
    lengths = np.diff(np.append(first, len(session)))
    start = (starts - np.repeat(starts[first], lengths) + 1_000).astype(np.int32)

    def seconds(offset: Array, kept: Array | None = None) -> Array:
        value = (start + offset) / TICKS_PER_S
        return value if kept is None else np.where(kept, value, np.nan)

    has_go_cue = sessions["has_go_cue"].to_numpy()[session]
    go_cue = stimulus + 12 + (chance[2] * 6).astype(np.int32)
    contrast = CONTRASTS[played.contrast]
    trials = {
        "session": session.astype(np.int32),
        "trial_id": played.number.astype(np.int32),
        "trial_start_time": seconds(np.zeros_like(quiet)),
        "trial_end_time": seconds(end),
        "trial_stim_on_time": seconds(stimulus, played.dirt & MISSING_STIMULUS == 0),
        "trial_go_cue_time": seconds(go_cue, has_go_cue),
        "trial_go_cue_trigger_time": seconds(go_cue - 1, has_go_cue),
        "trial_response_time": seconds(waited),
        "trial_feedback_time": seconds(feedback),
        "trial_iti_duration": np.full(len(session), 0.5),
        "trial_reward_volume": np.where(rewarded, sessions["reward_ul"].to_numpy()[session], 0.0),
        "trial_stim_contrast_left": np.where(played.side < 0, contrast, 0.0),
        "trial_stim_contrast_right": np.where(played.side > 0, contrast, 0.0),
        "trial_stim_prob_left": played.prob_left / 10,
        "choice": played.choice,
        "trial_feedback_type": np.where(rewarded, 1, -1).astype(np.int8),
        "trial_rep_num": played.repetition.astype(np.int16),
        "stim_side": played.side,
    }
    present = played.dirt & MISSING_ROW == 0
    for name in trials:
        trials[name] = trials[name][present]
    return trials
