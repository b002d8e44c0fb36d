"""The training status of each session by the rules of IBL-pipeline's SessionTrainingStatus.

The database keeps the status alone. Here each criterion is evaluated for each session whatever
the status, and every number that it looked at is kept, to answer why a mouse is not trained yet.

The rules are IBL-pipeline's as they ran, with what is odd about them:

* The last three are sessions, not days, and the one evaluated is among them. The original orders
  them by nothing; in practice they come in the order of the primary key, mouse then start.
* A status is kept once a session got it (`reached before`), except `untrainable`, which counts
  sessions, not days: a mouse can be untrainable at the 40th and trained_1a at the 45th.
* `unbiasable` is never written: where the original sets it, a later rule always overwrites it.
  Its count of sessions is among the criteria all the same.
* A mouse whose last three sessions fulfil what ready4recording or ready4ephysrig ask of the
  single sessions, and have trials of even probability, but none in one of the biased blocks, is
  written down as trained_1b, even if it never earned that or is further already.
* trained_1b allows a threshold of up to 20, trained_1a only one of up to 19.
* The contrasts of trained_1a and trained_1b, 0 and one between 0.1 and 6.5 %, are those of the
  session evaluated; everything else is of the last three.
* The original calls the trials of probability left 0.2 `trials_80` and those of 0.8 `trials_20`.
  Here 20 and 80 are percent left: stimuli are mostly on the right in block 20.
* A missing `performance_easy`, which stands for no easy trials and for none of them correct,
  fails; so does a median reaction time of trials of which none has a time.
* A session without protocol counts where any protocol does, and fails where one is asked for.
* In three cases the original raises an error and writes no row: a mouse that reached
  ready4ephysrig (and no more) runs a session without Settings or without protocol, and three
  sessions that fulfil all but the reaction time without a trial at 0 %. Such a session has no
  status here either, and later ones do not see it.
"""

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mirror.derive import psychometric
from mirror.derive.psychometric import Flags, Floats, Ints
from mirror.derive.windows import (
    KINDS,
    Counts,
    LastThree,
    distinct,
    has_word,
    last_three,
    median,
    pool,
    stack,
)

RULE_SET = "ibl-pipeline"

STATUSES = (
    "in_training",
    "untrainable",
    "unbiasable",
    "trained_1a",
    "trained_1b",
    "ready4ephysrig",
    "ready4delay",
    "ready4recording",
)


@dataclass(frozen=True)
class Evaluation:
    """What became of each session, and why.

    `status`: one row per session; `rule` names the rule that decided. `is_certain` is False where
    trials or numbers of this or an earlier session of the mouse are missing from the mirror, so
    that the server may have stored another status, and where measures that lie within the fit's
    standard error of their limits, here or before, could have brought about another one.

    `criteria`: one row per session, criterion and measure. A criterion is met where all its rows
    passed. It is left out from the first of these on that fails: `protocol` (the session's own is
    another kind), `sessions` (too few of the kind so far); that row itself stays. `value` is the
    worst of the three sessions where each has one, and the absolute bias; an unknown number is
    NaN and then `passed` is missing, but a number known not to exist fails. `blocks` counts those
    of 20, 50 and 80 % left that have trials. `standard_error` is that of the fit, from the
    curvature of the likelihood: how far the value would move with other trials of the same mouse,
    mostly further than with other random starts of psychofit. It is NaN for what is not fitted, at
    a bound of the fit and where the trials determine no value. `is_certain` is False where the
    value is not determined or within that error of the limit, and where trials are missing.

    `windows`: one row per session, kind of window and block, with the fit to its pooled trials,
    from those of `first_session` on; the verdict is "trials_missing" where a session lacks its own.
    """

    status: pd.DataFrame
    criteria: pd.DataFrame
    windows: pd.DataFrame


@dataclass(frozen=True)
class Rule:
    """One comparison; of the last three sessions each must pass."""

    measure: str
    comparison: str
    limit: float


@dataclass(frozen=True)
class Criterion:
    """Rules that all must pass: of the last three sessions of a kind, or of the session alone."""

    name: str
    sessions: str
    rules: tuple[Rule, ...]
    reason: str = "criterion met"
    lasts: bool = True
    after: str | None = None


THIS_BIASED = "this_biased"
THIS_EPHYS = "this_ephys"

_PROTOCOL = Rule("protocol", "=", 1)
_THREE = Rule("sessions", ">=", 3)
_GATES = ("protocol", "sessions")
_LOW_CONTRASTS = (Rule("zero_contrast_shown", "=", 1), Rule("low_contrast_shown", "=", 1))
_BIASED = (
    Rule("n_trials", ">", 400),
    Rule("performance_easy", ">", 0.9),
    Rule("blocks", "=", 3),
    Rule("lapse_low_20", "<", 0.1),
    Rule("lapse_high_20", "<", 0.1),
    Rule("lapse_low_80", "<", 0.1),
    Rule("lapse_high_80", "<", 0.1),
    Rule("bias_shift", ">", 5),
    Rule("reaction_time", "<", 2),
)

READY4RECORDING = Criterion(
    "ready4recording",
    "last_three_biased_or_ephys",
    (_PROTOCOL, _THREE, Rule("ephys_rig", "=", 3), Rule("delay", ">=", 15), *_BIASED),
)
READY4DELAY = Criterion(
    "ready4delay",
    THIS_BIASED,
    (
        _PROTOCOL,
        Rule("previous_status", "=", 1),
        Rule("ephys_rig", "=", 1),
        Rule("n_trials", ">", 400),
        Rule("performance_easy", ">", 0.9),
    ),
    after="ready4ephysrig",
)
READY4EPHYSRIG = Criterion("ready4ephysrig", "last_three_biased", (_PROTOCOL, _THREE, *_BIASED))
TRAINED_1B = Criterion(
    "trained_1b",
    "last_three",
    (
        _THREE,
        Rule("n_trials", ">", 400),
        Rule("performance_easy", ">", 0.9),
        *_LOW_CONTRASTS,
        Rule("bias", "<", 10),
        Rule("threshold", "<", 20),
        Rule("lapse_low", "<", 0.1),
        Rule("lapse_high", "<", 0.1),
        Rule("reaction_time", "<", 2),
    ),
)
TRAINED_1A = Criterion(
    "trained_1a",
    "last_three",
    (
        _THREE,
        Rule("n_trials", ">", 200),
        Rule("performance_easy", ">", 0.8),
        *_LOW_CONTRASTS,
        Rule("bias", "<", 16),
        Rule("threshold", "<", 19),
        Rule("lapse_low", "<", 0.2),
        Rule("lapse_high", "<", 0.2),
    ),
)
UNTRAINABLE = Criterion(
    "untrainable",
    "last_three",
    (Rule("sessions", ">=", 40),),
    reason="40 sessions",
    lasts=False,
)
UNBIASABLE = Criterion(
    "unbiasable", "last_three_biased", (_PROTOCOL, Rule("sessions", ">=", 40)), lasts=False
)
GOOD_ENOUGH = Criterion(
    "good_enough_for_brainwide_map",
    THIS_EPHYS,
    (_PROTOCOL, Rule("n_trials", ">", 400), Rule("performance_easy", ">", 0.9)),
    lasts=False,
)

LADDER = (READY4RECORDING, READY4DELAY, READY4EPHYSRIG, TRAINED_1B, TRAINED_1A, UNTRAINABLE)
"""In the order in which they are asked: the first that is met, or that lasts, decides."""
CRITERIA = (*LADDER, UNBIASABLE, GOOD_ENOUGH)

_COMPARE: Mapping[str, Callable[[Floats, float], Flags]] = MappingProxyType(
    {"<": operator.lt, ">": operator.gt, ">=": operator.ge, "=": operator.eq}
)
_BLOCKS = (20, 50, 80)
# the block and parameter of what is fitted
_FITTED: Mapping[str, tuple[int | None, str]] = MappingProxyType(
    {
        "bias": (None, "bias"),
        "threshold": (None, "threshold"),
        "lapse_low": (None, "lapse_low"),
        "lapse_high": (None, "lapse_high"),
        "lapse_low_20": (20, "lapse_low"),
        "lapse_high_20": (20, "lapse_high"),
        "lapse_low_80": (80, "lapse_low"),
        "lapse_high_80": (80, "lapse_high"),
    }
)
_BIASED_WINDOWS = ("last_three_biased", "last_three_biased_or_ephys")

# what is known of a rule or of a criterion
_YES, _NO, _UNKNOWN = 1, 0, -1
# what else IBL-pipeline makes of the last three sessions
_NO_BLOCKS, _NO_ZERO = 2, 3

Marks = NDArray[np.int8]
# Of many curves by one variant: `psychometric.fit`, or what does the same faster.
Fit = Callable[[psychometric.Curves, psychometric.Variant], psychometric.Fits]


def evaluate(
    sessions: pd.DataFrame,
    counts: pd.DataFrame,
    zero_contrast: pd.DataFrame,
    fit: Fit = psychometric.fit,
) -> Evaluation:
    """Give each session its status, and the numbers that decided.

    `sessions` are in the order of mouse then start; one that has no trials here keeps its place
    among the last three, gets no status and is invisible to later ones.
    """
    history = _History.of(sessions)
    pooled = _pooled(history, counts, zero_contrast, fit)
    measures, errors = _measures(history, pooled), _errors(pooled)
    outcomes = {c: _outcome(c, measures[c.sessions], {}, pooled) for c in CRITERIA}
    sure = {c: _outcome(c, measures[c.sessions], errors[c.sessions], pooled) for c in CRITERIA}
    decisions = _decide(history, outcomes, sure)
    measures[THIS_BIASED]["previous_status"] = _column(np.array([d.is_after for d in decisions]))
    errors[THIS_BIASED]["previous_status"] = _column(
        np.array([np.nan if d.is_after_certain else np.inf for d in decisions])
    )
    status = pd.DataFrame(
        {
            "session": history.session,
            "training_status": pd.Series([d.status for d in decisions], dtype=object),
            "good_enough_for_brainwide_map": _nullable(outcomes[GOOD_ENOUGH]),
            "rule": pd.Series([d.rule for d in decisions], dtype=object),
            "is_certain": np.array([d.is_certain for d in decisions], dtype=bool),
        }
    )
    return Evaluation(
        status,
        _criteria_table(history, measures, errors, np.array([d.is_known for d in decisions], bool)),
        _windows_table(history, pooled),
    )


@dataclass(frozen=True)
class _History:
    """The sessions as arrays, and the last three of each kind."""

    session: Ints
    protocol: pd.Series
    n_trials: Floats
    performance_easy: Floats
    has_settings: Flags
    is_ephys_rig: Flags
    delay: Floats
    has_trials: Flags
    last: Mapping[str, LastThree]

    @classmethod
    def of(cls, sessions: pd.DataFrame) -> "_History":
        mouse = pd.factorize(sessions["subject"])[0].astype(np.int64)
        protocol = sessions["task_protocol"]
        board = sessions["pybpod_board"]
        return cls(
            session=sessions["session"].to_numpy(np.int64),
            protocol=protocol,
            n_trials=_floats(sessions["n_trials"]),
            performance_easy=_floats(sessions["performance_easy"]),
            has_settings=board.notna().to_numpy(bool),
            is_ephys_rig=has_word(board, ("ephys",)),
            delay=_floats(sessions["session_delay_in_mins"]),
            has_trials=sessions["has_trials"].to_numpy(bool),
            last={k: last_three(mouse, has_word(protocol, words)) for k, words in KINDS.items()},
        )


def _floats(column: pd.Series) -> Floats:
    return column.to_numpy(dtype=np.float64, na_value=np.nan)


@dataclass(frozen=True)
class _Pooled:
    """Each distinct window once: its trials, its fits, and whose window it is."""

    of_session: Mapping[str, Ints]
    """Per kind each session's window, -1 where it has none."""
    members: Ints
    is_complete: Flags
    n_trials: Mapping[int | None, Floats]
    n_zero_contrast: Floats
    reaction_time: Floats
    fits: psychometric.Fits
    curve: Mapping[int | None, Ints]
    """Per block (None: all trials) each window's place among the fits, -1 where not fitted."""
    shows_zero: Floats
    """Per session, not per window: whether it showed 0 % contrast, NaN if unknown."""
    shows_low: Floats

    def of(self, kind: str, values: Floats) -> Floats:
        """Take the value of each session's window, not known where a session has no trials."""
        known = np.append(np.where(self.is_complete, values, np.nan), np.nan)
        return _column(known[self.of_session[kind]])

    def fitted(self, kind: str, block: int | None, values: Floats) -> Floats:
        """Take the value of the fit to each session's window, or to a block of it."""
        return self.of(kind, np.append(values, np.nan)[self.curve[block]])


def _pooled(
    history: _History, counts: pd.DataFrame, zero_contrast: pd.DataFrame, fit: Fit
) -> _Pooled:
    members, of_session = distinct(history.last)
    is_complete: Flags = np.asarray(history.has_trials[members].all(axis=1))
    all_counts = _counts(history, counts)
    # the trials of a window of which a session is missing are not pooled at all
    pooled = np.where(is_complete[:, np.newaxis], members, -1)
    biased = np.unique(np.concatenate([of_session[kind] for kind in _BIASED_WINDOWS]))
    biased = biased[biased >= 0]
    curves = [pool(all_counts, pooled)]
    curve: dict[int | None, Ints] = {None: np.arange(len(members))}
    for block in (20, 80):
        curve[block] = np.full(len(members), -1, dtype=np.int64)
        curve[block][biased] = sum(c.size for c in curves) + np.arange(len(biased))
        curves.append(pool(all_counts.block(block), pooled[biased]))
    n_trials: dict[int | None, Floats] = {None: all_counts.total(pooled)}
    n_trials |= {block: all_counts.block(block).total(pooled) for block in _BLOCKS}
    contrast = np.abs(all_counts.signed_contrast)
    at_zero = all_counts.where(contrast == 0)
    low = all_counts.where((contrast > 0.1) & (contrast < 6.5))
    session, time = _placed(history, zero_contrast, "reaction_time")
    return _Pooled(
        of_session=of_session,
        members=members,
        is_complete=is_complete,
        n_trials=n_trials,
        n_zero_contrast=at_zero.total(pooled),
        reaction_time=median(pooled, session, time),
        fits=fit(stack(curves), psychometric.VARIANTS["datajoint"]),
        curve=curve,
        shows_zero=_shown(history, at_zero),
        shows_low=_shown(history, low),
    )


def _placed(history: _History, frame: pd.DataFrame, column: str) -> tuple[Ints, Floats]:
    """Sort a column by the position of its session."""
    session = np.searchsorted(history.session, frame["session"].to_numpy(np.int64))
    order = np.argsort(session, kind="stable")
    return session[order], _floats(frame[column])[order]


def _counts(history: _History, frame: pd.DataFrame) -> Counts:
    session, n_trials = _placed(history, frame, "n_trials")
    return Counts(
        session=session,
        prob_left_pct=_placed(history, frame, "prob_left_pct")[1].astype(np.int64),
        signed_contrast=_placed(history, frame, "signed_contrast")[1],
        n_trials=n_trials,
        n_right=_placed(history, frame, "n_right")[1],
    )


def _shown(history: _History, counts: Counts) -> Floats:
    shown = np.bincount(counts.session, counts.n_trials, minlength=len(history.session)) > 0
    return np.where(history.has_trials, shown, np.nan)


def _measures(history: _History, pooled: _Pooled) -> dict[str, dict[str, Floats]]:
    """Lay out each measure as sessions x 1, or x 3 where each of the last three has one.

    NaN is a number that is not known; an infinite one stands for a number that is known not to
    exist, on the side that fails.
    """
    performance = np.where(
        history.has_trials & np.isnan(history.performance_easy), -np.inf, history.performance_easy
    )
    measures = {kind: _window_measures(history, pooled, kind, performance) for kind in KINDS}
    for name, word in ((THIS_BIASED, "biased"), (THIS_EPHYS, "ephys")):
        measures[name] = {
            "protocol": _column(has_word(history.protocol, (word,))),
            "ephys_rig": _column(history.is_ephys_rig),
            "n_trials": _column(history.n_trials),
            "performance_easy": _column(performance),
        }
    return measures


def _column(values: Floats | Flags | Ints) -> Floats:
    return values.astype(np.float64).reshape(-1, 1)


def _window_measures(
    history: _History, pooled: _Pooled, kind: str, performance: Floats
) -> dict[str, Floats]:
    last = history.last[kind]

    def each(values: Floats) -> Floats:
        return np.where(last.is_complete[:, np.newaxis], values[last.members], np.nan)

    def best(block: int | None, parameter: str) -> Floats:
        column = psychometric.PARAMETERS.index(parameter)
        return pooled.fitted(kind, block, pooled.fits.best[:, column])

    time = np.where(np.isnan(pooled.reaction_time), np.inf, pooled.reaction_time)
    blocks = np.array([pooled.n_trials[block] > 0 for block in _BLOCKS])
    delay = np.where(np.isnan(history.delay), -np.inf, history.delay)
    return {
        "protocol": _column(has_word(history.protocol, KINDS[kind])),
        "sessions": _column(last.number),
        "ephys_rig": each(history.is_ephys_rig.astype(np.float64)).sum(axis=1, keepdims=True),
        "delay": each(delay).max(axis=1, keepdims=True),
        "n_trials": each(history.n_trials),
        "performance_easy": each(performance),
        "zero_contrast_shown": _column(pooled.shows_zero),
        "low_contrast_shown": _column(pooled.shows_low),
        "blocks": pooled.of(kind, blocks.sum(axis=0).astype(np.float64)),
        **{name: best(*what) for name, what in _FITTED.items()},
        "bias": np.abs(best(None, "bias")),
        "bias_shift": best(80, "bias") - best(20, "bias"),
        "reaction_time": pooled.of(kind, time),
    }


def _errors(pooled: _Pooled) -> dict[str, dict[str, Floats]]:
    """Lay out the standard errors of the measures that are fitted, as `_measures` these.

    Infinite where the trials determine no value, so that the one that was found is one of many;
    NaN where a bound holds it.
    """
    of_parameter = {
        name: np.where(
            np.isnan(getattr(pooled.fits, name)), np.inf, getattr(pooled.fits, f"{name}_se")
        )
        for name in psychometric.PARAMETERS
    }
    errors: dict[str, dict[str, Floats]] = {THIS_BIASED: {}, THIS_EPHYS: {}}
    for kind in KINDS:
        of = {
            (block, name): pooled.fitted(kind, block, error)
            for block in (None, 20, 80)
            for name, error in of_parameter.items()
        }
        biases = [
            np.where(np.isnan(of[block, "bias"]), 0.0, of[block, "bias"]) for block in (20, 80)
        ]
        errors[kind] = {name: of[what] for name, what in _FITTED.items()}
        errors[kind]["bias_shift"] = np.hypot(*biases)
    return errors


def _compare(values: Floats, rule: Rule, error: Floats | None = None) -> Marks:
    """Tell whether all of a session's values pass; one that fails decides over unknown ones.

    With an error it is not known of a value so near its limit.
    """
    unknown = np.isnan(values)
    if error is not None:
        unknown |= np.abs(values - rule.limit) <= error
    fails = ~unknown & ~_COMPARE[rule.comparison](values, rule.limit)
    marks = np.where(fails.any(axis=1), _NO, np.where(unknown.any(axis=1), _UNKNOWN, _YES))
    return marks.astype(np.int8)


def _all(marks: list[Marks]) -> Marks:
    """Join the rules of a criterion: one that fails decides over unknown ones."""
    table = np.array(marks)
    return np.where(
        (table == _NO).any(axis=0), _NO, np.where((table == _UNKNOWN).any(axis=0), _UNKNOWN, _YES)
    ).astype(np.int8)


def _outcome(
    criterion: Criterion,
    measures: Mapping[str, Floats],
    errors: Mapping[str, Floats],
    pooled: _Pooled,
) -> Marks:
    """Tell of each session whether it meets a criterion, but for the mouse's earlier statuses."""
    marks = {
        rule.measure: _compare(measures[rule.measure], rule, errors.get(rule.measure))
        for rule in criterion.rules
        if rule.measure != "previous_status"
    }
    outcome = _all(list(marks.values()))
    if "blocks" in marks:
        window = pooled.of_session[criterion.sessions]
        has_window = window >= 0
        before = list(marks)[: list(marks).index("blocks")]
        asked = (_all([marks[m] for m in before]) == _YES) & has_window
        n_20, n_50, n_80 = (pooled.n_trials[block][window[asked]] for block in _BLOCKS)
        outcome[np.flatnonzero(asked)[(n_50 > 0) & ((n_20 == 0) | (n_80 == 0))]] = _NO_BLOCKS
        others = _all([marks[m] for m in marks if m != "reaction_time"])
        stumbles = has_window & (np.append(pooled.n_zero_contrast, 0)[window] == 0)
        outcome[stumbles & (others == _YES)] = _NO_ZERO
        outcome[stumbles & (others == _UNKNOWN)] = _UNKNOWN
    return outcome


@dataclass(frozen=True)
class _Decision:
    status: str | None
    rule: str
    is_known: bool
    """Whether nothing that the rules ask for was missing so far."""
    is_certain: bool
    is_after: bool
    """Whether an earlier session was ready4ephysrig."""
    is_after_certain: bool


# of each criterion of the ladder its outcome by session
_Ladder = list[tuple[Criterion, list[int]]]


def _decide(
    history: _History, outcomes: Mapping[Criterion, Marks], sure: Mapping[Criterion, Marks]
) -> list[_Decision]:
    """Walk through each mouse's sessions, remembering the statuses that were given.

    `outcomes` are those of the pipeline's comparisons; in `sure` those within the fit's error are
    unknown. Beside the statuses that were given go all that such comparisons could have given
    instead: a status is certain if each of these ways leads to it.
    """
    ladder, careful = ([(c, marks[c].tolist()) for c in LADDER] for marks in (outcomes, sure))
    lasting = {c.name for c in LADDER if c.lasts}
    number = history.last["last_three"].number.tolist()
    obstacle = [
        None if settings and protocol else "no task protocol" if settings else "no Settings row"
        for settings, protocol in zip(history.has_settings, history.protocol.notna(), strict=True)
    ]
    decisions = []
    reached: frozenset[str | None] = frozenset()
    others = {reached}
    known = True
    for i, has_trials in enumerate(history.has_trials.tolist()):
        if number[i] == 1:
            reached = frozenset()
            others = {reached}
            known = True
        is_after = "ready4ephysrig" in reached
        is_after_certain = known and all(is_after == ("ready4ephysrig" in way) for way in others)
        if has_trials:
            found = _statuses(ladder, i, number[i], reached, obstacle[i])
            status, rule = found[-1]
            known = known and len(found) == 1
            possible = {
                (way, name)
                for way in others
                for name, _ in _statuses(careful, i, number[i], way, obstacle[i])
            }
            others = {way | (lasting & {name}) for way, name in possible}
            is_certain = known and {name for _, name in possible} == {status}
        else:
            status, rule = None, "no trials here"
            known = is_certain = False
        decisions.append(_Decision(status, rule, known, is_certain, is_after, is_after_certain))
        reached |= lasting & {status}
    return decisions


def _statuses(
    ladder: _Ladder,
    session: int,
    number: int,
    reached: frozenset[str | None],
    obstacle: str | None,
) -> list[tuple[str | None, str]]:
    """Name the statuses that a session can have, each with the rule that decides.

    The last is the one if everything that is not known fails.
    """
    found: list[tuple[str | None, str]] = []
    for criterion, outcomes in ladder:
        if criterion.lasts and criterion.name in reached:
            return [*found, (criterion.name, "reached before")]
        if criterion.after is not None:
            if criterion.after not in reached:
                continue
            if obstacle is not None:
                return [*found, (None, obstacle)]
        outcome = outcomes[session]
        if outcome == _NO_BLOCKS:
            return [*found, ("trained_1b", "no trials in the biased blocks")]
        if outcome == _NO_ZERO:
            return [*found, (None, "no trials at 0 % contrast")]
        if outcome != _NO:
            found.append((criterion.name, criterion.reason))
        if outcome == _YES:
            return found
    rule = "criterion not met" if number >= 3 else "fewer than three sessions"
    return [*found, ("in_training", rule)]


def _nullable(marks: Marks) -> pd.arrays.BooleanArray:
    return pd.arrays.BooleanArray(marks == _YES, marks == _UNKNOWN)


def _criteria_table(
    history: _History,
    measures: Mapping[str, Mapping[str, Floats]],
    errors: Mapping[str, Mapping[str, Floats]],
    is_known: Flags,
) -> pd.DataFrame:
    """Give each session a row per criterion and measure, in the order in which they are asked."""
    rules = [(criterion, rule) for criterion in CRITERIA for rule in criterion.rules]
    at, which, values, passed, spread, certain = [], [], [], [], [], []
    none = np.full((len(history.session), 1), np.nan)
    position = 0
    for criterion in CRITERIA:
        shown = np.arange(len(history.session))
        for rule in criterion.rules:
            value = measures[criterion.sessions][rule.measure]
            error = errors[criterion.sessions].get(rule.measure, none)
            marks = _compare(value, rule)
            at.append(shown)
            which.append(np.full(len(shown), position))
            passed.append(marks[shown])
            values.append(_worst(value, rule, marks)[shown])
            spread.append(error[shown, 0])
            certain.append(((_compare(value, rule, error) != _UNKNOWN) & is_known)[shown])
            if rule.measure in _GATES:
                shown = shown[marks[shown] == _YES]
            position += 1
    session = np.concatenate(at)
    order = np.argsort(session, kind="stable")
    rule_of = np.concatenate(which)[order]
    text = {
        "criterion": [criterion.name for criterion, _ in rules],
        "measure": [rule.measure for _, rule in rules],
        "comparison": [rule.comparison for _, rule in rules],
    }
    columns = {name: np.array(words, dtype=object)[rule_of] for name, words in text.items()}
    error = np.concatenate(spread)[order]
    return pd.DataFrame(
        {
            "session": history.session[session[order]],
            "criterion": columns["criterion"],
            "measure": columns["measure"],
            "value": np.concatenate(values)[order],
            "comparison": columns["comparison"],
            "limit": np.array([rule.limit for _, rule in rules], dtype=np.float64)[rule_of],
            "passed": _nullable(np.concatenate(passed)[order]),
            "standard_error": np.where(np.isfinite(error), error, np.nan),
            "is_certain": np.concatenate(certain)[order],
        }
    )


def _worst(values: Floats, rule: Rule, marks: Marks) -> Floats:
    """Take the value that decides; NaN where it is not known, or known not to exist."""
    reduce = np.fmax if rule.comparison == "<" else np.fmin
    worst = reduce.reduce(values, axis=1)
    return np.where((marks == _UNKNOWN) | np.isinf(worst), np.nan, worst)


def _windows_table(history: _History, pooled: _Pooled) -> pd.DataFrame:
    """Give each session a row per kind of window and block."""
    at, kinds, blocks, windows, curves, n_trials = [], [], [], [], [], []
    for kind in KINDS:
        session = np.flatnonzero(history.last[kind].is_complete)
        of_session = pooled.of_session[kind][session]
        for block in (None, 20, 80) if kind in _BIASED_WINDOWS else (None,):
            at.append(session)
            kinds.append(np.full(len(session), kind, dtype=object))
            blocks.append(np.full(len(session), np.nan if block is None else block))
            windows.append(of_session)
            curves.append(pooled.curve[block][of_session])
            n_trials.append(
                np.where(pooled.is_complete, pooled.n_trials[block], np.nan)[of_session]
            )
    session = np.concatenate(at)
    order = np.argsort(session, kind="stable")
    curve = np.concatenate(curves)[order]
    window = np.concatenate(windows)[order]
    fitted = {
        field.name: getattr(pooled.fits, field.name)[curve]
        for field in fields(psychometric.Fits)
        if field.name not in ("best", "n_trials")
    }
    fitted["verdict"] = np.where(pooled.is_complete[window], fitted["verdict"], "trials_missing")
    return pd.DataFrame(
        {
            "session": history.session[session[order]],
            "window": np.concatenate(kinds)[order],
            "prob_left_block": pd.array(np.concatenate(blocks)[order], dtype="Int64"),
            "first_session": history.session[pooled.members[window, 0]],
            "n_trials": np.concatenate(n_trials)[order],
            **fitted,
        }
    )
