"""What IBL's pipeline computed from the trials, its quirks included.

Psychometric curves are sorted by contrast right minus left, reaction times by left minus right.
No-go trials count as not right, as wrong, and with their 60 seconds. Blocks are told apart only
where the protocol has any; by session they are called 20, 50 and 80, by date 1, 0 and 2.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from mirror.derive import psychometric, status
from mirror.sources.demo.mice import Cohort

Columns = Mapping[str, Any]

BLOCKS = np.array([20, 50, 80])
CODES = np.array([1, 0, 2])
# of a normal distribution, the half width that holds 68 %
HALF_68 = 0.9945
EASY = 49.9
# from that day on, the pipeline took only contrasts above 0 for correct
ZERO_IS_WRONG_FROM = np.datetime64("2019-10-15")


@dataclass(frozen=True)
class Trials:
    """The trials of a cohort as the pipeline saw them."""

    session: NDArray[np.int64]
    # which of `contrasts`, percent, right minus left
    level: NDArray[np.int64]
    contrasts: NDArray[np.float64]
    # which of BLOCKS
    block: NDArray[np.int64]
    prob_left_pct: NDArray[np.int64]
    choice: NDArray[np.int64]
    is_rewarded: NDArray[np.bool_]
    reaction_time: NDArray[np.float64]
    reaction_time_stim_on: NDArray[np.float64]

    @property
    def signed_contrast(self) -> NDArray[np.float64]:
        return self.contrasts[self.level]

    @property
    def is_correct(self) -> NDArray[np.bool_]:
        """Whether the choice was the side of the stimulus, which 0 contrast does not have."""
        return (self.signed_contrast != 0) & (self.choice == np.sign(self.signed_contrast))


@dataclass(frozen=True)
class Curves:
    """One row per group and contrast shown in it, sorted by both."""

    groups: NDArray[np.int64]
    # where the rows of each group begin, and where the last ones end
    offsets: NDArray[np.int64]
    level: NDArray[np.int64]
    n_trials: NDArray[np.int64]
    n_right: NDArray[np.int64]


def trials_of(cohort: Cohort) -> Trials:
    """Code the trials."""
    trials = cohort.trials
    session = trials["session"].astype(np.int64)
    signed = (trials["trial_stim_contrast_right"] - trials["trial_stim_contrast_left"]) * 100
    contrasts, level = np.unique(np.round(signed.astype(float), 4), return_inverse=True)
    prob_left_pct = np.round(trials["trial_stim_prob_left"] * 100).astype(np.int64)
    protocol = cohort.sessions["task_protocol"].fillna("").str.lower()
    has_blocks = protocol.str.contains("biased|ephys").to_numpy()
    response = trials["trial_response_time"]
    stim_on = trials["trial_stim_on_time"]
    go_cue = trials["trial_go_cue_trigger_time"].astype(np.float32)
    return Trials(
        session=session,
        level=level,
        contrasts=contrasts,
        block=np.searchsorted(BLOCKS, np.where(has_blocks[session], prob_left_pct, 50)),
        prob_left_pct=prob_left_pct,
        choice=trials["choice"].astype(np.int64),
        is_rewarded=trials["trial_feedback_type"] == 1,
        reaction_time=response - np.where(np.isnan(stim_on), go_cue, stim_on),
        reaction_time_stim_on=response - stim_on,
    )


def n_correct(cohort: Cohort, trials: Trials) -> NDArray[np.int64]:
    """The correct trials of each session, by the rule of its date."""
    start = cohort.sessions["session_start_time"].to_numpy()
    is_late = (start >= ZERO_IS_WRONG_FROM)[trials.session]
    counted = np.where(is_late, trials.is_correct, trials.is_rewarded)
    return np.bincount(trials.session, counted, len(start)).astype(np.int64)


def tables(
    cohort: Cohort, trials: Trials, n_trials: NDArray[np.int64], n_correct: NDArray[np.int64]
) -> Iterator[tuple[str, Columns]]:
    """The rows of every table of behavior_analyses that is computed.

    `n_trials` and `n_correct` are those of TrialSet, 0 for a session that has none.
    """
    keys = _Keys.of(cohort)
    blocks, day = len(BLOCKS), keys.day[trials.session]
    by_session = _count(trials, trials.session)
    by_block = _count(trials, trials.session * blocks + trials.block)
    by_day = _count(trials, day * blocks + CODES[trials.block])
    of_sessions, of_blocks, of_days = _fit(trials, (by_session, by_block, by_day))
    easy = _performance_easy(trials, trials.session, len(cohort.sessions))
    yield (
        "behavior_analyses.psych_results",
        {
            **keys.session(by_session.groups),
            "performance": n_correct[by_session.groups] / n_trials[by_session.groups],
            "performance_easy": easy[by_session.groups],
            **_curve_columns(trials, by_session, of_sessions),
        },
    )
    yield (
        "behavior_analyses.psych_results_block",
        {
            **keys.session(by_block.groups // blocks),
            "prob_left_block": BLOCKS[by_block.groups % blocks],
            "prob_left": BLOCKS[by_block.groups % blocks] / 100,
            **_curve_columns(trials, by_block, of_blocks),
        },
    )
    yield "behavior_analyses.session_training_status", _status(cohort, trials, n_trials, easy)
    yield (
        "behavior_analyses.behavioral_summary_by_date",
        _summaries(keys, trials, n_trials, n_correct),
    )
    code = by_day.groups % blocks
    yield (
        "behavior_analyses.behavioral_summary_by_date__psych_results",
        {
            **keys.date(by_day.groups // blocks),
            "prob_left_block": code,
            "prob_left": BLOCKS[np.argsort(CODES)][code] / 100,
            **_curve_columns(trials, by_day, of_days),
        },
    )
    yield from _reaction_time_tables(keys, trials)


@dataclass(frozen=True)
class _Keys:
    """Whose sessions and days the rows are: per session, and `day` the row of `days`."""

    subject: NDArray[np.object_]
    start: NDArray[np.datetime64]
    days: pd.DataFrame
    day: NDArray[np.int64]

    @classmethod
    def of(cls, cohort: Cohort) -> "_Keys":
        sessions = cohort.sessions
        subject = cohort.mice["subject_uuid"].astype(str).to_numpy(object)[sessions["mouse"]]
        return cls(subject, sessions["session_start_time"].to_numpy(), *_days(sessions))

    def session(self, rows: NDArray[np.int64]) -> dict[str, Any]:
        return {"subject_uuid": self.subject[rows], "session_start_time": self.start[rows]}

    def date(self, rows: NDArray[np.int64]) -> dict[str, Any]:
        date = self.days["date"].to_numpy()[rows].astype("datetime64[D]")
        one = self.days["session"].to_numpy()[rows]
        return {"subject_uuid": self.subject[one], "session_date": date}


def _summaries(
    keys: _Keys, trials: Trials, n_trials: NDArray[np.int64], n_correct: NDArray[np.int64]
) -> Columns:
    """The days that have trials."""
    size, day = len(keys.days), keys.day[trials.session]
    rows = np.bincount(day, minlength=size)
    shown = np.flatnonzero(rows)
    correct = np.bincount(keys.day, n_correct, size)[shown]
    training_day = keys.days["training_day"].to_numpy()[shown]
    return {
        **keys.date(shown),
        "performance": correct / np.bincount(keys.day, n_trials, size)[shown],
        "performance_easy": _performance_easy(trials, day, size)[shown],
        "n_trials_date": rows[shown],
        "training_day": training_day,
        "training_week": training_day // 5,
    }


def _reaction_time_tables(keys: _Keys, trials: Trials) -> Iterator[tuple[str, Columns]]:
    blocks, day = len(BLOCKS), keys.day[trials.session]
    groups, times = _reaction_times(trials, trials.session)
    yield (
        "behavior_analyses.reaction_time",
        {**keys.session(groups), "reaction_time": times["reaction_time_contrast"]},
    )
    groups, times = _reaction_times(trials, trials.session * blocks + trials.block)
    yield (
        "behavior_analyses.reaction_time_contrast_block",
        {**keys.session(groups // blocks), "prob_left_block": BLOCKS[groups % blocks], **times},
    )
    groups, times = _reaction_times(trials, day * blocks + CODES[trials.block])
    yield (
        "behavior_analyses.behavioral_summary_by_date__reaction_time_contrast",
        {**keys.date(groups // blocks), "prob_left_block": groups % blocks, **times},
    )
    groups, (median, _, _) = _medians(trials.reaction_time, day)
    yield (
        "behavior_analyses.behavioral_summary_by_date__reaction_time_by_date",
        {**keys.date(groups), "median_reaction_time": median},
    )


def _days(sessions: pd.DataFrame) -> tuple[pd.DataFrame, NDArray[np.int64]]:
    """The days of all mice, in order, and the day of each session.

    `session` is one session of the day, `training_day` counts the dates so far on which the
    mouse had a session other than habituation, with trials or not.
    """
    own = pd.DataFrame(
        {
            "session": np.arange(len(sessions)),
            "mouse": sessions["mouse"].to_numpy(),
            "date": sessions["session_start_time"].dt.normalize().to_numpy(),
            "is_training": ~sessions["task_protocol"]
            .fillna("")
            .str.contains("habituation", case=False)
            .to_numpy(),
        }
    )
    grouped = own.groupby(["mouse", "date"])
    days = grouped.agg(session=("session", "first"), is_training=("is_training", "any"))
    days["training_day"] = days.groupby("mouse")["is_training"].cumsum()
    return days.reset_index(), grouped.ngroup().to_numpy().astype(np.int64)


def _count(trials: Trials, group: NDArray[np.int64]) -> Curves:
    levels = len(trials.contrasts)
    cell = group * levels + trials.level
    n_trials = np.bincount(cell)
    n_right = np.bincount(cell, trials.choice == 1)
    cells = np.flatnonzero(n_trials)
    groups, first = np.unique(cells // levels, return_index=True)
    return Curves(
        groups=groups,
        offsets=np.append(first, len(cells)),
        level=cells % levels,
        n_trials=n_trials[cells],
        n_right=n_right[cells].astype(np.int64),
    )


def _fit(trials: Trials, tables: tuple[Curves, ...]) -> list[NDArray[np.float64]]:
    """Fit every curve of the tables, which share most of them, once; one row per curve."""
    levels = len(trials.contrasts)
    matrices = []
    for curves in tables:
        matrix = np.zeros((len(curves.groups), 2, levels), np.int32)
        row = np.repeat(np.arange(len(curves.groups)), np.diff(curves.offsets))
        matrix[row, 0, curves.level] = curves.n_trials
        matrix[row, 1, curves.level] = curves.n_right
        matrices.append(matrix.reshape(-1, 2 * levels))
    distinct, place = np.unique(np.concatenate(matrices), axis=0, return_inverse=True)
    n_trials, n_right = distinct[:, :levels], distinct[:, levels:]
    curve, level = np.nonzero(n_trials)
    n = n_trials[curve, level].astype(float)
    fits = psychometric.fit(
        psychometric.Curves(
            curve=curve,
            signed_contrast=trials.contrasts[level],
            n_trials=n,
            p_right=n_right[curve, level] / n,
            size=len(distinct),
        ),
        psychometric.VARIANTS["datajoint"],
    )
    # what the search found, determined by the data or not: that is what the server kept
    return np.split(fits.best[place], np.cumsum([len(matrix) for matrix in matrices])[:-1])


def _curve_columns(trials: Trials, curves: Curves, fits: NDArray[np.float64]) -> dict[str, Any]:
    bias, threshold, lapse_low, lapse_high = fits.T
    return {
        # fractions here, though bias and threshold are percent
        "signed_contrasts": _lists(curves.offsets, trials.contrasts[curves.level] / 100),
        "n_trials_stim": _lists(curves.offsets, curves.n_trials),
        "n_trials_stim_right": _lists(curves.offsets, curves.n_right),
        "prob_choose_right": _lists(curves.offsets, curves.n_right / curves.n_trials),
        "threshold": threshold,
        "bias": bias,
        "lapse_low": lapse_low,
        "lapse_high": lapse_high,
    }


def _performance_easy(trials: Trials, group: NDArray[np.int64], size: int) -> NDArray[np.float64]:
    """The share correct at contrasts from 50 %; NaN without any, and where it is 0."""
    is_easy = np.abs(trials.signed_contrast) >= EASY
    n_easy = np.bincount(group[is_easy], minlength=size)
    right = np.bincount(group[is_easy], trials.is_correct[is_easy], size)
    return np.divide(right, n_easy, out=np.full(size, np.nan), where=right > 0)


def _reaction_times(
    trials: Trials, group: NDArray[np.int64]
) -> tuple[NDArray[np.int64], dict[str, Any]]:
    """The medians of each group by contrast, left minus right, without contrasts that have none."""
    levels = len(trials.contrasts)
    cells, (median, low, high) = _medians(
        trials.reaction_time, group * levels + (levels - 1 - trials.level)
    )
    groups, first = np.unique(cells // levels, return_index=True)
    offsets = np.append(first, len(cells))
    return groups, {
        "reaction_time_contrast": _lists(offsets, median),
        "reaction_time_ci_high": _lists(offsets, high),
        "reaction_time_ci_low": _lists(offsets, low),
    }


def _medians(
    values: NDArray[np.float64], group: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The groups that have values, and in rows their median and the ends of its 68 % interval.

    The ends are values of the group, found by their rank. The pipeline drew them by bootstrap,
    each time by other chance; the two differ little.
    """
    known = ~np.isnan(values)
    values, group = values[known], group[known]
    order = np.lexsort((values, group))
    values = values[order]
    groups, first, n = np.unique(group[order], return_index=True, return_counts=True)
    median = (values[first + (n - 1) // 2] + values[first + n // 2]) / 2
    rank = np.maximum(np.floor((n - HALF_68 * np.sqrt(n)) / 2), 0).astype(np.int64)
    return groups, np.stack([median, values[first + rank], values[first + n - 1 - rank]])


def _status(
    cohort: Cohort, trials: Trials, n_trials: NDArray[np.int64], easy: NDArray[np.float64]
) -> Columns:
    sessions, mice = cohort.sessions, cohort.mice
    subject = mice["subject_uuid"].astype(str).to_numpy(object)[sessions["mouse"]]
    levels, priors = len(trials.contrasts), 101
    cell = (trials.session * priors + trials.prob_left_pct) * levels + trials.level
    cells, place, n = np.unique(cell, return_inverse=True, return_counts=True)
    # without the go cue in the place of a stimulus whose time is not known
    at_zero = (trials.signed_contrast == 0) & ~np.isnan(trials.reaction_time_stim_on)
    # a session that brought no trials is none to the pipeline
    evaluation = status.evaluate(
        pd.DataFrame(
            {
                "session": np.arange(len(sessions)),
                "subject": subject,
                "task_protocol": sessions["task_protocol"],
                "n_trials": n_trials,
                "performance_easy": easy,
                "pybpod_board": sessions["pybpod_board"],
                "session_delay_in_mins": sessions["session_delay_in_mins"],
                "has_trials": True,
            }
        )[n_trials > 0],
        pd.DataFrame(
            {
                "session": cells // (priors * levels),
                "prob_left_pct": cells // levels % priors,
                "signed_contrast": trials.contrasts[cells % levels],
                "n_trials": n,
                "n_right": np.bincount(place, trials.choice == 1).astype(np.int64),
            }
        ),
        pd.DataFrame(
            {
                "session": trials.session[at_zero],
                "reaction_time": trials.reaction_time_stim_on[at_zero],
            }
        ),
    )
    # a session at which the pipeline stumbled, as without settings, has no row
    found = evaluation.status.dropna(subset="training_status")
    row = found["session"].to_numpy()
    return {
        "subject_uuid": subject[row],
        "session_start_time": sessions["session_start_time"].to_numpy()[row],
        "training_status": found["training_status"].to_numpy(object),
        "good_enough_for_brainwide_map": found["good_enough_for_brainwide_map"].astype(int),
    }


def _lists(offsets: NDArray[np.int64], values: NDArray[Any]) -> pa.Array:
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), pa.array(values))
