"""Psychometric curves: the share of choices to the right against contrast, fitted by thousands.

The model is `erf_psycho_2gammas` of psychofit (Cortex Lab), which the published pipelines fit one
curve at a time: lapse_low + (1 - lapse_low - lapse_high) * (erf((x - bias) / threshold) + 1) / 2.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from scipy.special import erf, erfinv

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Ints = NDArray[np.int64]

PARAMETERS = ("bias", "threshold", "lapse_low", "lapse_high")
VERDICTS = ("ok", "no_trials", "few_contrasts", "one_sided", "undetermined")
# as many as the curve has parameters
MIN_CONTRASTS = 4
# a threshold of 0 is a step, which any threshold well below the gap between contrasts draws
THRESHOLD_FLOOR = 0.05
# psychofit's stand-in for a probability of 0
EPSILON = float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class Variant:
    """Where a pipeline starts its fits and within which bounds it keeps them.

    Each triple is (start, lowest, highest), in percent for bias and threshold. None as the start
    of the bias is the mean of the contrasts shown, as a bound the smallest or largest of them.
    The start is kept for the record: the maximum that `fit` finds does not depend on it.
    """

    name: str
    bias: tuple[float | None, float | None, float | None]
    threshold: tuple[float, float, float]
    lapse_low: tuple[float, float, float]
    lapse_high: tuple[float, float, float]


VARIANTS: Mapping[str, Variant] = MappingProxyType(
    {
        "datajoint": Variant(
            "datajoint", (None, None, None), (20, 0, 100), (0.05, 0, 1), (0.05, 0, 1)
        ),
        "paper": Variant("paper", (0, None, None), (20, 5, 40), (0.05, 0, 1), (0.05, 0, 1)),
    }
)
"""The two published ways to fit.

"datajoint": PsychResults, PsychResultsBlock and the training status of IBL-pipeline. Trials
without a choice (No Go) count as not right: `p_right` = right / all. Lapses up to 1 allow curves
that fall, and a threshold of 0 allows steps.

"paper": the figures of The International Brain Laboratory (2021, eLife 10:e63711). No Go trials
are left out of the mean, `p_right` = right / (left + right), and yet counted in `n_trials`. It
skips curves of fewer than four contrasts.
"""


@dataclass(frozen=True)
class Curves:
    """Many curves as one table, sorted by curve: one row per curve and contrast.

    Rows without trials, or without a share of choices between 0 and 1, are left out.
    """

    curve: Ints
    signed_contrast: Floats  # percent, right positive
    n_trials: Floats  # No Go included
    p_right: Floats  # the variants count No Go differently, see VARIANTS
    size: int  # curves, those without rows included


@dataclass(frozen=True)
class Fits:
    """The most likely curves, one value per curve.

    A parameter is NaN where the data do not determine it, its standard error also at a bound, the
    likelihood without trials.
    `verdict` is one of VERDICTS: "few_contrasts" is fewer than MIN_CONTRASTS, "one_sided" never
    or always to the right, "undetermined" a likelihood that is flat along some parameters.
    """

    bias: Floats
    threshold: Floats
    lapse_low: Floats
    lapse_high: Floats
    bias_se: Floats
    threshold_se: Floats
    lapse_low_se: Floats
    lapse_high_se: Floats
    bias_at_bound: Flags
    threshold_at_bound: Flags
    lapse_low_at_bound: Flags
    lapse_high_at_bound: Flags
    log_likelihood: Floats  # natural; without the binomial coefficients, as psychofit's
    n_contrasts: Ints
    n_trials: Floats
    verdict: NDArray[np.object_]
    best: Floats  # size x 4, the maximum that was found even where others are as good


def p_right(
    signed_contrast: Floats | float,
    bias: Floats | float,
    threshold: Floats | float,
    lapse_low: Floats | float,
    lapse_high: Floats | float,
) -> Floats:
    """Probability of a choice to the right."""
    rise = (erf((np.asarray(signed_contrast, float) - bias) / threshold) + 1) / 2
    return np.asarray(lapse_low + (1 - lapse_low - lapse_high) * rise)


def fit(curves: Curves, variant: Variant) -> Fits:
    """Find the most likely curve for each of many.

    The maximum does not depend on chance, nor on the other curves fitted along.
    """
    [fits] = fit_each([(curves, variant)])
    return fits


def fit_each(asked: Sequence[tuple[Curves, Variant]]) -> list[Fits]:
    """Fit the same curves by several variants: the same rows, but for their shares.

    A maximum is looked for once: where a variant finds it within the narrower bounds of the next
    one, which has the same shares, it is the highest there too.
    """
    found: list[Fits] = []
    best = np.empty((4, 0))
    for number, (curves, variant) in enumerate(asked):
        table = _pad(curves)
        limits = _limits(table, variant)
        known = np.full((4, curves.size), np.nan)
        if number:
            earlier, wider = asked[number - 1][0], _limits(table, asked[number - 1][1])
            kept = ((wider[0] <= limits[0]) & (limits[1] <= wider[1])).all(axis=0)
            kept &= ((limits[0] <= best) & (best <= limits[1])).all(axis=0)
            kept[curves.curve[curves.p_right != earlier.p_right]] = False
            known[:, kept] = best[:, kept]
        best = known
        unknown = np.flatnonzero((table.rows > 0) & np.isnan(best[0]))
        if len(unknown):
            best[:, unknown] = _maximise(table.of(unknown), limits[:, :, unknown], variant)
        found.append(_describe(table, limits, best, variant))
    return found


# Inside, a curve is (bias, threshold, low, high) with low = lapse_low and high = 1 - lapse_high
# its two asymptotes: given bias and threshold, the probabilities are linear in them. Arrays of
# rows are contrasts x curves, and sums run over the first axis one row after the other, so that
# the sums of a curve do not change in the last digit with the curves or padding beside it.

GRID_CURVES = 128
THRESHOLD_BANDS = 5
BIAS_BANDS = 5
STEP_STARTS = 2
# starts, and steps of each
AT_A_TIME, MOST_STEPS = 4000, 100
# of log-likelihood
ENOUGH, LITTLE = 1e-10, 0.1
SAME = 1e-7
# of a threshold, and twice what it is of an asymptote
NEAR = 0.1
# of the way to a bound
NEARLY = 0.9
# of the way between the bounds
AT_BOUND = 1e-12


@dataclass(frozen=True)
class _Table:
    """Contrasts x curves; padding has no trials and repeats the largest contrast."""

    x: Floats
    n: Floats
    p: Floats
    rows: Ints

    def of(self, curves: Ints) -> "_Table":
        rows = self.rows[curves]
        deepest = int(rows.max(initial=0))
        pick = np.ix_(np.arange(deepest), curves)
        return _Table(self.x[pick], self.n[pick], self.p[pick], rows)


def _pad(curves: Curves) -> _Table:
    """The rows that can be fitted, sorted by contrast, in columns of one length."""
    keep = (
        np.isfinite(curves.signed_contrast)
        & np.isfinite(curves.n_trials)
        & (curves.n_trials > 0)
        & (curves.p_right >= 0)
        & (curves.p_right <= 1)
    )
    curve = np.asarray(curves.curve, np.int64)[keep]
    x = np.asarray(curves.signed_contrast, np.float64)[keep]
    order = np.lexsort((x, curve))
    curve, x = curve[order], x[order]
    n = np.asarray(curves.n_trials, np.float64)[keep][order]
    p = np.asarray(curves.p_right, np.float64)[keep][order]
    rows = np.bincount(curve, minlength=curves.size).astype(np.int64)
    deepest = int(rows.max(initial=0))
    place = np.arange(len(curve)) - np.repeat(np.cumsum(rows) - rows, rows)
    last = np.zeros(curves.size)
    last[curve] = x
    padded = np.tile(last, (deepest, 1))
    padded[place, curve] = x
    trials, share = np.zeros_like(padded), np.zeros_like(padded)
    trials[place, curve] = n
    share[place, curve] = p
    return _Table(padded, trials, share, rows)


def _limits(table: _Table, variant: Variant) -> Floats:
    """Lowest and highest value of each parameter, 2 x 4 x curves."""
    limits = np.empty((2, 4, len(table.rows)))
    for side in (0, 1):
        bound = variant.bias[1 + side]
        if bound is not None:
            limits[side, 0] = bound
        else:
            # first and last, as the contrasts are sorted
            limits[side, 0] = table.x[-side] if len(table.x) else 0.0
        limits[side, 1] = max(variant.threshold[1 + side], THRESHOLD_FLOOR)
        limits[side, 2] = variant.lapse_low[1 + side]
        limits[side, 3] = 1 - variant.lapse_high[2 - side]
    return limits


def _maximise(table: _Table, limits: Floats, variant: Variant) -> Floats:
    """Refine a few promising starts of each curve and keep the best, 4 x curves."""
    starts = np.concatenate(
        [_grid_starts(table, limits, variant), _step_starts(table, limits)], axis=1
    )
    _, tries, count = starts.shape
    new = np.ones((tries, count), bool)
    for later in range(1, tries):
        repeated = (starts[:, :later] == starts[:, later, None]).all(axis=0)
        new[later] = ~repeated.any(axis=0)
    curve, start = np.nonzero(new.T)
    value = np.full((tries, count), -np.inf)
    starts[:, start, curve], value[start, curve] = _climb(
        starts[:, start, curve], curve, table, limits
    )
    # the first of equals: which of two is higher in the last digits is chance
    chosen = np.argmax(value >= value.max(axis=0) - SAME, axis=0)
    return starts[:, chosen, np.arange(count)]


def _grid_starts(table: _Table, limits: Floats, variant: Variant) -> Floats:
    """The likeliest points of a grid of bias and threshold, 4 x starts x curves.

    One of every band of thresholds and one of every band of biases: where there are few trials,
    the likelihood has several maxima, often a steep one beside a shallow one. The highest points
    of the whole grid would all lie around the same one of them.
    """
    half = np.array([2.5, 6.25, 9, 12.5, 18, 25, 36, 50, 70, 100])
    biases = np.concatenate([-half[::-1], [0.0], half])
    low, high = max(variant.threshold[1], 2.0), min(variant.threshold[2], 95.0)
    thresholds = np.geomspace(low, high, 1 + round(math.log(high / low) / 0.45))
    cells = np.arange(len(biases) * len(thresholds)).reshape(len(biases), len(thresholds))
    bands = [
        band.ravel()
        for axis, number in ((1, THRESHOLD_BANDS), (0, BIAS_BANDS))
        for band in np.array_split(cells, number, axis=axis)
    ]
    bias = np.repeat(biases, len(thresholds))
    threshold = np.tile(thresholds, len(biases))
    shown, place = np.unique(table.x, return_inverse=True)
    place = place.reshape(table.x.shape)
    rise = (erf((shown[:, None] - bias) / threshold) + 1) / 2
    starts = np.empty((4, len(bands), table.x.shape[1]))
    for first in range(0, table.x.shape[1], GRID_CURVES):
        part = slice(first, first + GRID_CURVES)
        value, a, b = _asymptotes(rise, place[:, part], table.n[:, part], table.p[:, part])
        lowest, highest = limits[0, 0, part, None], limits[1, 0, part, None]
        value[(bias < lowest) | (bias > highest)] = -np.inf
        every = np.arange(len(value))
        for start, band in enumerate(bands):
            pick = band[np.argmax(value[:, band], axis=1)]
            starts[:, start, part] = (
                bias[pick],
                threshold[pick],
                a[every, pick],
                b[every, pick],
            )
    return np.clip(starts, limits[0, :, None], limits[1, :, None])


def _asymptotes(rise: Floats, place: Ints, n: Floats, p: Floats) -> tuple[Floats, Floats, Floats]:
    """Nearly the likeliest asymptotes, curves x grid, by weighted least squares in the box."""
    share = (n * p + 0.5) / (n + 1)
    weight = n / (share * (1 - share))
    size = (place.shape[1], rise.shape[1])
    ff, fg, gg, fp, gp = (np.full(size, 1e-6) for _ in range(5))
    for row in range(len(place)):
        f = rise[place[row]]
        g = 1 - f
        wf = weight[row, :, None] * f
        wg = weight[row, :, None] * g
        ff += wf * f
        fg += wf * g
        gg += wg * g
        fp += wf * p[row, :, None]
        gp += wg * p[row, :, None]
    a = (gp * ff - fp * fg) / np.maximum(ff * gg - fg * fg, 1e-9)
    # not all the way to the box's edge, where a single trial may have probability zero
    a = np.clip(a, 0.002, 0.998)
    b = np.clip((fp - a * fg) / ff, 0.002, 0.998)
    a = np.clip((gp - b * fg) / gg, 0.002, 0.998)
    value = np.zeros(size)
    for row in range(len(place)):
        f = rise[place[row]]
        probability = a + (b - a) * f
        right = (n * p)[row, :, None]
        value += right * np.log(probability)
        value += (n[row, :, None] - right) * np.log(1 - probability)
    return value, a, b


def _step_starts(table: _Table, limits: Floats) -> Floats:
    """The likeliest steps, 4 x starts x curves.

    A step is between two contrasts, or at one whose own share lies between those on either side.
    With few trials they are often the best there is, and too narrow for a grid to meet.
    """
    x, n = table.x, table.n
    right = n * table.p
    deepest, count = x.shape
    before_n, before_right = np.cumsum(n, axis=0), np.cumsum(right, axis=0)
    after_n, after_right = before_n[-1] - before_n, before_right[-1] - before_right
    below = _ratio(before_right, before_n)
    above = _ratio(after_right, after_n)
    # between row and row + 1
    between = _entropy(before_right, before_n) + _entropy(after_right, after_n)
    gap = np.diff(x, axis=0, append=x[-1:])
    candidates = [
        (np.where(gap > 0, between, -np.inf), x + gap / 2, gap / 5, below, above),
    ]
    if deepest > 2:
        a, b, at = below[:-2], above[1:-1], table.p[1:-1]
        height = b - a
        with np.errstate(divide="ignore", invalid="ignore"):
            share = (at - a) / height
        inside = (share > 0) & (share < 1) & (gap[:-2] > 0) & (gap[1:-1] > 0)
        share = np.where(inside, np.clip(share, 0.001, 0.999), 0.5)
        value = (
            _entropy(before_right[:-2], before_n[:-2])
            + _entropy(right[1:-1], n[1:-1])
            + _entropy(after_right[1:-1], after_n[1:-1])
        )
        width = np.minimum(gap[:-2], gap[1:-1]) / 2.5
        candidates.append(
            (np.where(inside, value, -np.inf), x[1:-1] - width * erfinv(2 * share - 1), width, a, b)
        )
    value, bias, width, a, b = (np.concatenate(each) for each in zip(*candidates, strict=True))
    starts = np.empty((4, STEP_STARTS, count))
    every = np.arange(count)
    for start in range(STEP_STARTS):
        top = np.argmax(value, axis=0)
        starts[:, start] = (
            bias[top, every],
            width[top, every],
            a[top, every],
            b[top, every],
        )
        value[top, every] = -np.inf
    return np.clip(starts, limits[0, :, None], limits[1, :, None])


def _ratio(part: Floats, whole: Floats) -> Floats:
    """A share of each, of any shape; 0 of nothing."""
    return np.clip(part / np.where(whole > 0, whole, 1), 0, 1)


def _entropy(right: Floats, n: Floats) -> Floats:
    """The largest log-likelihood that so many of n can have, of any shape."""
    share = np.clip(_ratio(right, n), EPSILON, 1 - EPSILON)
    return np.asarray(right * np.log(share) + (n - right) * np.log(1 - share))


def _total(rows: Floats) -> Floats:
    """The sum over the first axis, row after row."""
    total = np.zeros(rows.shape[1:])
    for row in rows:
        total += row
    return total


@dataclass(frozen=True)
class _Slope:
    """Log-likelihood with its gradient, and its curvature as observed and as `_caution` has it.

    The curvatures are negated second derivatives, the ten of the lower triangle in rows.
    """

    value: Floats
    gradient: Floats
    observed: Floats
    cautious: Floats

    def of(self, curves: Ints | Flags) -> "_Slope":
        return _Slope(
            self.value[curves],
            self.gradient[:, curves],
            self.observed[:, curves],
            self.cautious[:, curves],
        )

    def beside(self, other: "_Slope") -> "_Slope":
        return _Slope(
            np.append(self.value, other.value),
            np.append(self.gradient, other.gradient, axis=1),
            np.append(self.observed, other.observed, axis=1),
            np.append(self.cautious, other.cautious, axis=1),
        )


PAIRS = tuple((i, j) for i in range(4) for j in range(i + 1))
DIAGONAL = [row for row, (i, j) in enumerate(PAIRS) if i == j]


def _rise(theta: Floats, x: Floats) -> tuple[Floats, Floats]:
    """Each contrast's distance from the bias, in thresholds, and how far its curve has risen."""
    z = (x - theta[0]) / theta[1]
    return z, (erf(z) + 1) / 2


def _slope(theta: Floats, rise: tuple[Floats, Floats], n: Floats, p: Floats) -> _Slope:
    """The likelihood at 4 x curves and how it changes there, from rows of contrasts x curves."""
    _, threshold, a, b = theta
    height = b - a
    z, f = rise
    probability = np.clip(a + height * f, EPSILON, 1 - EPSILON)
    missing = 1 - probability
    value = _total(n * (p * np.log(probability) + (1 - p) * np.log(missing)))

    by_bias = np.exp(-z * z) / (-math.sqrt(math.pi) * threshold)
    by_threshold = by_bias * z
    first = (height * by_bias, height * by_threshold, 1 - f, f)
    up, down = n * p / probability, n * (1 - p) / missing
    pull = up - down
    bend = up / probability + down / missing
    weight = _caution(p, bend, n / (probability * missing))
    turn = 2 * z * z - 1
    pulled_bias, pulled_threshold = _total(pull * by_bias), _total(pull * by_threshold)
    flex = height / threshold
    second = {
        (0, 0): 2 * flex * pulled_threshold,
        (1, 0): flex * _total(pull * by_bias * turn),
        (1, 1): flex * _total(pull * by_threshold * (turn - 1)),
        (2, 0): -pulled_bias,
        (2, 1): -pulled_threshold,
        (3, 0): pulled_bias,
        (3, 1): pulled_threshold,
    }
    gradient = np.stack(
        [height * pulled_bias, height * pulled_threshold, _total(pull * first[2]), _total(pull * f)]
    )
    observed = np.empty((10, theta.shape[1]))
    cautious = np.empty((10, theta.shape[1]))
    for row, (i, j) in enumerate(PAIRS):
        product = first[i] * first[j]
        observed[row] = _total(bend * product)
        cautious[row] = _total(weight * product)
        if (i, j) in second:
            observed[row] -= second[i, j]
    return _Slope(value, gradient, observed, cautious)


def _caution(p: Floats, observed: Floats, expected: Floats) -> Floats:
    """Curvatures that let go of the edges, probabilities of 0 and 1.

    There the expected curvature is endless even for trials that are all on that side, and the
    observed one for trials that are not.
    """
    return np.where((p > 0) & (p < 1), expected, observed)


def _solve(matrix: Floats, vector: Floats) -> tuple[Floats, Flags]:
    """Solve symmetric 4 x 4 systems, 10 x curves and 4 x curves; which are positive definite."""
    low: dict[tuple[int, int], Floats] = {}
    pivots: list[Floats] = []
    good = np.ones(matrix.shape[1], bool)
    rows = dict(zip(PAIRS, matrix, strict=True))
    for j in range(4):
        pivot = rows[j, j] - sum(low[j, k] ** 2 * pivots[k] for k in range(j))
        # what is left of a sum that cancels is noise
        fine = pivot > 1e-13 * rows[j, j]
        good &= fine
        pivot = np.where(fine, pivot, 1.0)
        pivots.append(pivot)
        for i in range(j + 1, 4):
            rest = rows[i, j] - sum(low[i, k] * low[j, k] * pivots[k] for k in range(j))
            low[i, j] = rest / pivot
    forward: list[Floats] = []
    for i in range(4):
        forward.append(vector[i] - sum(low[i, k] * forward[k] for k in range(i)))
    back = [forward[i] / pivots[i] for i in range(4)]
    for i in (2, 1, 0):
        back[i] = back[i] - sum(low[k, i] * back[k] for k in range(i + 1, 4))
    return np.stack(back), good


def _climb(starts: Floats, curve: Ints, table: _Table, limits: Floats) -> tuple[Floats, Floats]:
    """Follow each start, 4 x starts, to its maximum, never downwards and never out of the limits.

    Newton's steps with the damping of Levenberg and Marquardt; where the likelihood is not
    concave, with the expected curvature, which always is, in place of the observed one. Starts
    that are about to arrive where the highest of their curve is end there, with a value of -inf.
    """

    def slope_of(new: Ints) -> _Slope:
        theta, at = starts[:, new], curve[new]
        return _slope(theta, _rise(theta, table.x[:, at]), table.n[:, at], table.p[:, at])

    ends, values = starts.copy(), np.empty(starts.shape[1])
    top, top_value = np.empty((4, table.x.shape[1])), np.full(table.x.shape[1], -np.inf)
    # where the starts of each curve begin
    edges = np.searchsorted(curve, np.arange(table.x.shape[1] + 1))
    began, going = 0, np.arange(0)
    theta, here = starts[:, going], slope_of(going)
    damping, steps = np.empty(0), np.empty(0, np.int64)
    done, smooth = np.empty(0, bool), np.empty(0, bool)
    while True:
        # a step of a few takes as long as one of many: as some arrive, others set out
        if done.sum() >= 0.2 * len(going):
            ends[:, going[done]], values[going[done]] = theta[:, done], here.value[done]
            more = ~done
            last = min(began + max(AT_A_TIME - more.sum(), 0), edges[-1])
            new = np.arange(began, edges[np.searchsorted(edges, last)])
            began += len(new)
            going = np.append(going[more], new)
            if not len(going):
                return ends, values
            at = curve[going]
            x, n, p = table.x[:, at], table.n[:, at], table.p[:, at]
            low, high = limits[:, :, at]
            snap = AT_BOUND * (high - low)
            theta = np.append(theta[:, more], starts[:, new], axis=1)
            here = here.of(more).beside(slope_of(new))
            damping = np.append(damping[more], np.full(len(new), 1e-3))
            steps = np.append(steps[more], np.zeros(len(new), np.int64))
            smooth = np.append(smooth[more], np.ones(len(new), bool))
            done = np.zeros(len(going), bool)
        step, promised = _step(theta, low, high, here, damping)
        moved = np.clip(theta + step, low, high)
        # a step that ends a rounding short of a bound would leave the next one no room
        moved = np.where(moved - low < snap, low, np.where(high - moved < snap, high, moved))
        rise = _rise(moved, x)
        moved[2:] = np.where(smooth, _settle(moved, rise[1], low, high, n, p), moved[2:])
        there = _slope(moved, rise, n, p)
        gain = there.value - here.value
        smooth = gain >= 0
        better = smooth & ~done
        # a step that promises little because it is damped says nothing about the maximum
        done |= ((promised < ENOUGH) & (damping <= 0.01)) | (damping > 1e8)
        steps += 1
        done |= steps == MOST_STEPS
        damping = np.where(better, np.maximum(damping * 0.1, 1e-9), damping * 8)
        theta = np.where(better, moved, theta)
        here = _Slope(
            np.where(better, there.value, here.value),
            np.where(better, there.gradient, here.gradient),
            np.where(better, there.observed, here.observed),
            np.where(better, there.cautious, here.cautious),
        )
        higher = np.flatnonzero(here.value > top_value[at])
        # of several of a curve, the last one stays
        higher = higher[np.argsort(here.value[higher], kind="stable")]
        top[:, at[higher]], top_value[at[higher]] = theta[:, higher], here.value[higher]
        arriving = (here.value < top_value[at]) & (promised < LITTLE) & ~done
        met = arriving & _is_near(theta, top[:, at])
        here.value[met] = -np.inf
        done |= met


def _is_near(theta: Floats, other: Floats) -> Flags:
    """Whether two places of a curve are on the way to the same maximum, measured by its width."""
    apart = np.abs(theta - other)
    return np.asarray(
        (np.maximum(apart[0], apart[1]) < NEAR * other[1])
        & (np.maximum(apart[2], apart[3]) < NEAR / 2)
    )


def _settle(theta: Floats, f: Floats, low: Floats, high: Floats, n: Floats, p: Floats) -> Floats:
    """Bring the asymptotes, 2 x curves, towards their best for a new bias and threshold.

    Ridges are curved: without this, only short steps along them gain.
    """
    a, b = theta[2:]
    g = 1 - f
    probability = np.clip(a + (b - a) * f, EPSILON, 1 - EPSILON)
    missing = 1 - probability
    up, down = n * p / probability, n * (1 - p) / missing
    weight = _caution(p, up / probability + down / missing, n / (probability * missing))
    wf = weight * f
    wg = weight * g
    # a bare number for an asymptote that no contrast reaches
    ff, fg, gg = _total(wf * f) + 1e-9, _total(wf * g), _total(wg * g) + 1e-9
    pull = up - down
    pull_a, pull_b = _total(pull * g), _total(pull * f)
    determinant = np.maximum(ff * gg - fg * fg, 1e-12 * ff * gg)
    # short of the bounds, where a single trial may have probability zero
    low_a, high_a = a + NEARLY * (low[2] - a), a + NEARLY * (high[2] - a)
    low_b, high_b = b + NEARLY * (low[3] - b), b + NEARLY * (high[3] - b)
    new_a = np.clip(a + (pull_a * ff - pull_b * fg) / determinant, low_a, high_a)
    new_b = np.clip(b + (pull_b - (new_a - a) * fg) / ff, low_b, high_b)
    new_a = np.clip(a + (pull_a - (new_b - b) * fg) / gg, low_a, high_a)
    return np.stack([new_a, new_b])


def _step(
    theta: Floats, low: Floats, high: Floats, here: _Slope, damping: Floats
) -> tuple[Floats, Floats]:
    """The next step, 4 x curves, and the gain of each if all were a parabola without bounds."""
    at_low, at_high = theta <= low, theta >= high
    held = (at_low & (here.gradient <= 0)) | (at_high & (here.gradient >= 0))
    step = _damped(here, held, damping)
    # pushed over a bound by the others
    pushed = (at_low & (step < 0)) | (at_high & (step > 0))
    again = np.flatnonzero(pushed.any(axis=0))
    if len(again):
        held[:, again] |= pushed[:, again]
        step[:, again] = _damped(here.of(again), held[:, again], damping[again])
    step[held] = 0.0
    # before it is shortened: a bound that is near says nothing about the maximum
    promised = _total(step * np.where(held, 0.0, here.gradient))
    # along a ridge the parameters move together or not at all: shorten, do not bend
    room = np.where(step > 0, high - theta, theta - low)
    # what a parabola says of the threshold does not hold for many times its size
    room[1] = np.minimum(room[1], np.where(step[1] > 0, 2.0, 0.7) * theta[1])
    size = np.abs(step)
    share = np.min(room / np.maximum(size, np.maximum(room, 1e-300)), axis=0)
    return step * np.where(share > 0, share, 1.0), promised


def _damped(here: _Slope, held: Flags, damping: Floats) -> Floats:
    """The step from each place, 4 x curves, in the parameters that are not held at a bound."""
    newton, concave = _solve_damped(here.observed, here, held, damping)
    # where a trial that happened is all but impossible, the observed curvature is out of all scale
    wild = (here.observed[DIAGONAL] > 100 * here.cautious[DIAGONAL]).any(axis=0)
    other = np.flatnonzero(~concave | wild)
    if len(other):
        there = here.of(other)
        newton[:, other], _ = _solve_damped(there.cautious, there, held[:, other], damping[other])
    return newton


def _solve_damped(
    curvature: Floats, here: _Slope, held: Flags, damping: Floats
) -> tuple[Floats, Flags]:
    """The step that a curvature asks for; where it is positive definite."""
    matrix = np.empty_like(curvature)
    for row, (i, j) in enumerate(PAIRS):
        if i == j:
            # a bare number keeps the flat directions of a ridge solvable
            scale = here.cautious[row] + 1e-8
            matrix[row] = np.where(held[i], 1.0, curvature[row] + damping * scale)
        else:
            matrix[row] = np.where(held[i] | held[j], 0.0, curvature[row])
    return _solve(matrix, np.where(held, 0.0, here.gradient))


def _describe(table: _Table, limits: Floats, best: Floats, variant: Variant) -> Fits:
    """Say what the maxima are worth."""
    count = best.shape[1]
    has_trials = np.flatnonzero(table.rows > 0)
    every = table.of(has_trials)
    theta = best[:, has_trials]
    low, high = limits[:, :, has_trials]
    slope = _slope(theta, _rise(theta, every.x), every.n, every.p)

    at_bound = np.zeros((4, count), bool)
    at_bound[:, has_trials] = (theta <= low) | (theta >= high)
    errors = np.full((4, count), np.inf)
    errors[:, has_trials] = _errors(theta, low, high, slope)
    span = limits[1] - limits[0]
    unknown = ~(errors <= span)
    unknown[1] |= (variant.threshold[1] < THRESHOLD_FLOOR) & (best[1] <= limits[0, 1])

    new = (table.n[1:] > 0) & (np.diff(table.x, axis=0) > 0)
    contrasts = (table.rows > 0).astype(np.int64) + new.sum(axis=0, dtype=np.int64)
    right, trials = _total(table.n * table.p), _total(table.n)
    verdict = np.full(count, "ok", object)
    verdict[unknown.any(axis=0)] = "undetermined"
    one_sided = (right == 0) | (right == trials)
    verdict[one_sided] = "one_sided"
    verdict[contrasts < MIN_CONTRASTS] = "few_contrasts"
    verdict[table.rows == 0] = "no_trials"
    unknown |= one_sided | (contrasts < MIN_CONTRASTS)

    value = np.full(count, np.nan)
    value[has_trials] = slope.value
    named = np.stack([best[0], best[1], best[2], 1 - best[3]])
    known = np.where(unknown, np.nan, named)
    known_errors = np.where(unknown | at_bound, np.nan, errors)
    return Fits(
        bias=known[0],
        threshold=known[1],
        lapse_low=known[2],
        lapse_high=known[3],
        bias_se=known_errors[0],
        threshold_se=known_errors[1],
        lapse_low_se=known_errors[2],
        lapse_high_se=known_errors[3],
        bias_at_bound=at_bound[0],
        threshold_at_bound=at_bound[1],
        lapse_low_at_bound=at_bound[2],
        lapse_high_at_bound=at_bound[3],
        log_likelihood=value,
        n_contrasts=contrasts,
        n_trials=trials,
        verdict=verdict,
        best=named.T.copy(),
    )


def _errors(theta: Floats, low: Floats, high: Floats, slope: _Slope) -> Floats:
    """Standard errors over the parameters that no bound holds: zero if held, infinite if flat."""
    span = high - low
    held = ((theta <= low) & (slope.gradient * span < -1e-6)) | (
        (theta >= high) & (slope.gradient * span > 1e-6)
    )
    matrix = np.empty((theta.shape[1], 4, 4))
    for row, (i, j) in enumerate(PAIRS):
        entry = slope.observed[row] * span[i] * span[j]
        entry = np.where(held[i] | held[j], 0.0, entry)
        matrix[:, i, j] = matrix[:, j, i] = entry
    values, vectors = np.linalg.eigh(matrix)
    variance = np.einsum("cij,cj->ic", vectors**2, 1 / np.maximum(values, 1e-12))
    errors = np.sqrt(variance) * span
    return np.where(held, 0.0, errors)
