"""The statistics of the charts: tests across laboratories, of survival, and of correlation.

Tables have one row per mouse and name the laboratory in `institution_short`. Each test comes with
its effect size, a 95 % interval where there is a standard one, and its numbers of mice and labs.

The paper (paper-behavior, figures 2g and 3c to 3e) chooses between analysis of variance and
Kruskal-Wallis by the normality of all mice pooled, and takes Dunn's pairs without correction. What
analysis of variance assumes is normality within laboratories, and 21 pairs at 0.05 find one by
chance: `compare(within=True)` and `p_corrected` of `pairs` are the same without these two slips.
"""

from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats
from scipy.optimize import brentq

ANOVA = "one-way ANOVA"
KRUSKAL = "Kruskal-Wallis"
Values = NDArray[np.float64]


def compare(mice: pd.DataFrame, measures: Iterable[str], within: bool = False) -> pd.DataFrame:
    """Test whether laboratories differ, one row per measure, as the paper does.

    D'Agostino and Pearson's test of all mice, or of their differences from the mean of their
    laboratory if `within`, chooses one-way ANOVA (p >= 0.05) or Kruskal-Wallis; fewer than 20 mice
    are too few for it and are ranked. The effect is eta squared of the ANOVA or epsilon squared of
    the ranks, the share of the variance between laboratories from 0 to 1. `levene_p` is of equal
    variances around the medians. `p_corrected` and `levene_p_corrected` are Benjamini and
    Hochberg's, over the measures.

    Laboratories of one mouse are left out. Where fewer than two are left, or all mice are equal,
    `test` is None and the numbers are NaN.
    """
    tests = pd.DataFrame([{"measure": m, **_compared(_groups(mice, m), within)} for m in measures])
    for p in ("p", "levene_p"):
        tests[f"{p}_corrected"] = corrected(tests[p])
    return tests


def corrected(p: pd.Series) -> pd.Series:
    """The p values with Benjamini and Hochberg's correction over those that are not NaN."""
    known = p.dropna()
    if known.empty:
        return p
    found = pd.Series(stats.false_discovery_control(known), index=known.index)
    return found.reindex(p.index)


def pairs(mice: pd.DataFrame, measure: str, test: str) -> pd.DataFrame:
    """Test each pair of laboratories: Dunn's test after Kruskal-Wallis, Tukey's HSD after ANOVA.

    The effect of Dunn's test is Cliff's delta, how much more often a mouse of `first` is above one
    of `second` than below, -1 to 1, without interval; that of Tukey's is the mean of `first` less
    that of `second`, in units of the measure. `p` of Dunn is of the pair alone, as in the paper,
    and `p_corrected` is Holm's; Tukey's p is corrected as it is. No rows without two laboratories.
    """
    groups = _groups(mice, measure)
    found = pd.DataFrame(
        [
            {"first": first, "second": second, "n_first": len(a), "n_second": len(b)}
            for (first, a), (second, b) in combinations(groups.items(), 2)
        ]
    )
    if found.empty:
        return found
    numbers = _tukey if test == ANOVA else _dunn
    return found.assign(**numbers(list(groups.values())))


def log_rank(times: pd.Series, is_event: pd.Series, labs: pd.Series) -> dict[str, Any]:
    """Test whether events come at the same rate in all labs (Mantel and Cox, k samples).

    The statistic is chi squared with `df` degrees of freedom: labs with a mouse at risk at an
    event, less one. NaN where that is none. Mice without a lab are left out.
    """
    known = labs.notna().to_numpy()
    time = times.to_numpy(float)[known]
    event = is_event.to_numpy(bool)[known]
    codes, names = pd.factorize(labs[known])
    member = np.arange(len(names))[:, None] == codes
    moments = np.unique(time[event])
    at_risk = member.astype(float) @ (time[:, None] >= moments)
    happened = member.astype(float) @ ((time[:, None] == moments) & event[:, None])
    n, d = at_risk.sum(axis=0), happened.sum(axis=0)
    share = at_risk / n
    expected = (share * d).sum(axis=1)
    # the last mouse at risk has no variance
    variance = d * (n - d) / np.maximum(n - 1, 1)
    covariance = np.diag((share * variance).sum(axis=1)) - (share * variance) @ share.T
    excess = happened.sum(axis=1) - expected
    df = int((expected > 0).sum()) - 1
    result = {"test": "log-rank", "statistic": np.nan, "df": max(df, 0), "p": np.nan}
    if df > 0:
        statistic = float(excess @ np.linalg.pinv(covariance) @ excess)
        result |= {"statistic": statistic, "p": float(stats.chi2.sf(statistic, df))}
    return result | {"n_mice": len(time), "n_events": int(event.sum()), "n_labs": len(names)}


def correlate(mice: pd.DataFrame, first: str, second: str) -> dict[str, Any]:
    """Spearman's correlation of two measures over mice, NaN below four mice or without spread.

    The 95 % interval is Bonett and Wright's (Psychometrika 2000;65:23), on Fisher's scale.
    """
    known = mice[[first, second]].dropna()
    n = len(known)
    row = {"test": "Spearman", "effect": np.nan, "effect_low": np.nan, "effect_high": np.nan}
    row |= {"p": np.nan, "n_mice": n}
    if n < 4 or (known.nunique() == 1).any():
        return row
    r, p = stats.spearmanr(known[first], known[second])
    reach = stats.norm.ppf(0.975) * np.sqrt((1 + r**2 / 2) / (n - 3))
    # a perfect correlation is at the end of the scale, with any interval
    with np.errstate(divide="ignore"):
        low, high = np.tanh(np.arctanh(r) + np.array([-reach, reach]))
    found = {"effect": r, "effect_low": low, "effect_high": high, "p": p}
    return row | {name: float(value) for name, value in found.items()}


def _groups(mice: pd.DataFrame, measure: str) -> dict[str, Values]:
    """The values of each laboratory that has at least two."""
    known = mice.dropna(subset=[measure]).groupby("institution_short")[measure]
    return {name: values.to_numpy(float) for name, values in known if len(values) > 1}


def _compared(groups: dict[str, Values], within: bool) -> dict[str, Any]:
    values = list(groups.values())
    pooled = np.concatenate(values) if values else np.array([])
    n, k = len(pooled), len(values)
    names = ("statistic", "p", "effect", "effect_low", "effect_high", "normal_p", "levene_p")
    row: dict[str, Any] = {"test": None, **dict.fromkeys(names, np.nan), "n_mice": n, "n_labs": k}
    if k < 2 or np.ptp(pooled) == 0:
        return row
    checked = np.concatenate([group - group.mean() for group in values]) if within else pooled
    # below 20 the test warns that its p does not hold
    if n >= 20 and np.ptp(checked) > 0:
        row["normal_p"] = float(stats.normaltest(checked).pvalue)
    is_normal = row["normal_p"] >= 0.05
    statistic, p = stats.f_oneway(*values) if is_normal else stats.kruskal(*values)
    # H over n - 1 is the share of the variance of ranks that is between laboratories
    effect = _between(values) if is_normal else statistic / (n - 1)
    low, high = _interval(effect, n, k)
    # two mice are as far from their median as each other: without a third there is no p
    with np.errstate(divide="ignore", invalid="ignore"):
        row["levene_p"] = float(stats.levene(*values).pvalue)
    return row | {
        "test": ANOVA if is_normal else KRUSKAL,
        "statistic": float(statistic),
        "p": float(p),
        "effect": float(effect),
        "effect_low": low,
        "effect_high": high,
    }


def _between(values: Sequence[Values]) -> float:
    """Sum of squares between groups over all."""
    pooled = np.concatenate(values)
    between = sum(len(group) * (group.mean() - pooled.mean()) ** 2 for group in values)
    return float(between / ((pooled - pooled.mean()) ** 2).sum())


def _interval(effect: float, n: int, k: int) -> tuple[float, float]:
    """The 95 % interval of an explained share of variance, from the noncentral F (Steiger 2004).

    Epsilon squared has the same, taken as the eta squared of ranks. Over simulated laboratories
    of the paper's sizes it covers what it should; a bootstrap of mice does not, since drawing mice
    twice moves laboratories apart: without any difference its lower end is always above 0.
    """
    # all but rounding is explained, and the distribution is not computed so far out
    if effect > 1 - 1e-6:
        return 1.0, 1.0
    f = effect / (1 - effect) * (n - k) / (k - 1)

    def noncentrality(quantile: float) -> float:
        def above(shift: float) -> float:
            return float(stats.ncf.cdf(f, k - 1, n - k, shift)) - quantile

        if stats.f.cdf(f, k - 1, n - k) <= quantile:
            return 0.0
        end = float(n)
        while above(end) > 0:
            end *= 2
        return float(brentq(above, 0, end))

    low, high = noncentrality(0.975), noncentrality(0.025)
    return low / (low + n), high / (high + n)


def _dunn(values: Sequence[Values]) -> dict[str, Any]:
    """Dunn's z of mean ranks, with his correction for ties (Technometrics 1964;6:241)."""
    pooled = np.concatenate(values)
    n = len(pooled)
    ranks = np.split(stats.rankdata(pooled), np.cumsum([len(group) for group in values])[:-1])
    ties = np.unique(pooled, return_counts=True)[1]
    variance = n * (n + 1) / 12 - (ties**3 - ties).sum() / (12 * (n - 1))
    z = np.array(
        [
            (a.mean() - b.mean()) / np.sqrt(variance * (1 / len(a) + 1 / len(b)))
            for a, b in combinations(ranks, 2)
        ]
    )
    p = 2 * stats.norm.sf(np.abs(z))
    delta = [float(np.sign(np.subtract.outer(a, b)).mean()) for a, b in combinations(values, 2)]
    return {
        "test": "Dunn",
        "statistic": z,
        "effect": delta,
        "effect_low": np.nan,
        "effect_high": np.nan,
        "p": p,
        "p_corrected": _holm(p),
    }


def _tukey(values: Sequence[Values]) -> dict[str, Any]:
    """Tukey and Kramer's differences of means."""
    result = stats.tukey_hsd(*values)
    interval = result.confidence_interval(0.95)
    once = np.triu_indices(len(values), 1)
    return {
        "test": "Tukey HSD",
        "statistic": result.statistic[once],
        "effect": result.statistic[once],
        "effect_low": interval.low[once],
        "effect_high": interval.high[once],
        "p": result.pvalue[once],
        "p_corrected": result.pvalue[once],
    }


def _holm(p: Values) -> Values:
    """Holm's correction, which keeps the chance of any false pair at that of one test."""
    order = np.argsort(p)
    stepped = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    corrected = np.empty_like(p)
    corrected[order] = np.minimum(stepped, 1)
    return corrected
