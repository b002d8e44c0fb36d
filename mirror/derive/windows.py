"""Pool the trials of a mouse's last three sessions, as every criterion of training asks.

A window is three sessions: one session and the two before it of the same kind. Sessions are
named by their position in the frame; both the table of windows and the pooling are whole-array.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import pandas as pd

from mirror.derive.psychometric import Curves, Flags, Floats, Ints

SIZE = 3

# The words of which a session's protocol must contain one; no words: any protocol, also none.
KINDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "last_three": (),
        "last_three_biased": ("biased",),
        "last_three_biased_or_ephys": ("biased", "ephys"),
    }
)


def has_word(protocols: pd.Series, words: tuple[str, ...]) -> Flags:
    """Tell which protocols contain one of the words; no words: all of them, also a missing one.

    As the view sessions reads them, without regard to case: so did the server's MySQL.
    """
    if not words:
        return np.ones(len(protocols), dtype=bool)
    return np.array(
        [isinstance(p, str) and any(word in p.lower() for word in words) for p in protocols],
        dtype=bool,
    )


@dataclass(frozen=True)
class LastThree:
    """For each session its place among the mouse's sessions of one kind, and its window."""

    number: Ints
    """How many sessions of the kind there have been, this one included; 0 for another kind."""
    members: Ints
    """[sessions, 3]: the positions, oldest first; -1 where there are fewer than three."""

    @property
    def is_complete(self) -> Flags:
        return self.members[:, 0] >= 0


def last_three(mouse: Ints, belongs: Flags) -> LastThree:
    """Find the last three sessions of a kind up to each session of it.

    `mouse` numbers the mice in the order of the sessions. They are sessions, not days, and a
    session without trials keeps its place.
    """
    number = np.zeros(len(mouse), dtype=np.int64)
    members = np.full((len(mouse), SIZE), -1, dtype=np.int64)
    at = np.flatnonzero(belongs)
    number[at] = np.arange(len(at)) - np.searchsorted(mouse[at], mouse[at]) + 1
    last = np.flatnonzero(number[at] >= SIZE)
    members[at[last]] = at[last[:, np.newaxis] + np.arange(1 - SIZE, 1)]
    return LastThree(number, members)


def distinct(windows: Mapping[str, LastThree]) -> tuple[Ints, dict[str, Ints]]:
    """Name each window once: the windows, and per kind each session's window or -1."""
    threes = np.concatenate([w.members[w.is_complete] for w in windows.values()])
    # the last session alone is not enough: the kinds of window may end in the same one
    found, index = np.unique(threes, axis=0, return_inverse=True)
    named = {}
    start = 0
    for kind, window in windows.items():
        name = np.full(len(window.number), -1, dtype=np.int64)
        stop = start + int(window.is_complete.sum())
        name[window.is_complete] = index.reshape(-1)[start:stop]
        named[kind] = name
        start = stop
    return found, named


def rows_of(windows: Ints, session: Ints) -> tuple[Ints, Ints]:
    """Pair each window with the rows of its sessions; `session` is each row's, sorted."""
    start = np.searchsorted(session, windows).ravel()
    length = np.searchsorted(session, windows, side="right").ravel() - start
    window = np.repeat(np.arange(windows.size) // SIZE, length)
    row = np.arange(length.sum()) + np.repeat(start - (length.cumsum() - length), length)
    return window, row


@dataclass(frozen=True)
class Counts:
    """Numbers of trials per session, block and contrast, sorted by session."""

    session: Ints
    prob_left_pct: Ints
    signed_contrast: Floats
    n_trials: Floats
    n_right: Floats

    def where(self, kept: Flags) -> "Counts":
        """Keep some rows."""
        return Counts(
            self.session[kept],
            self.prob_left_pct[kept],
            self.signed_contrast[kept],
            self.n_trials[kept],
            self.n_right[kept],
        )

    def block(self, prob_left_pct: int) -> "Counts":
        """Keep one block: 20 is the block whose stimuli are mostly on the right."""
        return self.where(self.prob_left_pct == prob_left_pct)

    def total(self, windows: Ints) -> Floats:
        """Count the trials of each window."""
        window, row = rows_of(windows, self.session)
        return _sums(window, self.n_trials[row], len(windows))


def pool(counts: Counts, windows: Ints) -> Curves:
    """Sum the trials of each window per contrast; the share of rightward ones is of all trials.

    A trial without a choice so counts as not rightward, as in IBL-pipeline.
    """
    window, row = rows_of(windows, counts.session)
    contrasts, code = np.unique(counts.signed_contrast, return_inverse=True)
    keys, group = np.unique(window * len(contrasts) + code[row], return_inverse=True)
    n_trials = _sums(group, counts.n_trials[row], len(keys))
    n_right = _sums(group, counts.n_right[row], len(keys))
    curve, at = np.divmod(keys, max(len(contrasts), 1))
    return Curves(
        curve=curve,
        signed_contrast=contrasts[at],
        n_trials=n_trials,
        p_right=n_right / n_trials,
        size=len(windows),
    )


def _sums(group: Ints, values: Floats, size: int) -> Floats:
    return np.bincount(group, values, minlength=size).astype(np.float64)


def stack(parts: list[Curves]) -> Curves:
    """Number the curves of the parts one after the other."""
    offsets = np.cumsum([0] + [part.size for part in parts])
    return Curves(
        curve=np.concatenate([p.curve + o for p, o in zip(parts, offsets[:-1], strict=True)]),
        signed_contrast=np.concatenate([p.signed_contrast for p in parts]),
        n_trials=np.concatenate([p.n_trials for p in parts]),
        p_right=np.concatenate([p.p_right for p in parts]),
        size=int(offsets[-1]),
    )


def median(windows: Ints, session: Ints, value: Floats) -> Floats:
    """Take the median of each window's values, NaN where there are none."""
    window, row = rows_of(windows, session)
    order = np.lexsort((value[row], window))
    value = value[row][order]
    start = np.searchsorted(window, np.arange(len(windows)))
    length = np.searchsorted(window, np.arange(len(windows)), side="right") - start
    result = np.full(len(windows), np.nan)
    some = length > 0
    low = start[some] + (length[some] - 1) // 2
    high = start[some] + length[some] // 2
    result[some] = (value[low] + value[high]) / 2
    return result
