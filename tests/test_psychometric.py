"""Psychometric fits: as likely as psychofit's, and honest about what the data do not say."""

import dataclasses
import warnings

import numpy as np
import psychofit
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mirror.derive import psychometric
from mirror.derive.psychometric import (
    PARAMETERS,
    THRESHOLD_FLOOR,
    VARIANTS,
    VERDICTS,
    Curves,
    Fits,
    fit,
    fit_each,
    p_right,
)

FULL = (-100, -50, -25, -12.5, -6.25, 0, 6.25, 12.5, 25, 50, 100)
BIASED = (-100, -25, -12.5, -6.25, 0, 6.25, 12.5, 25, 100)
ODD = (-100, -25, -8, -4, 0, 4, 8, 25, 100)
DATAJOINT, PAPER = VARIANTS["datajoint"], VARIANTS["paper"]


def curves(*each: tuple[tuple[float, ...], object, object]) -> Curves:
    """One curve per (contrasts, trials, share to the right)."""
    rows = [
        (index, x, n, p)
        for index, (shown, trials, share) in enumerate(each)
        for x, n, p in zip(
            shown,
            np.broadcast_to(trials, len(shown)),
            np.broadcast_to(share, len(shown)),
            strict=True,
        )
    ]
    curve, x, n, p = np.array(rows, float).reshape(-1, 4).T
    return Curves(curve.astype(np.int64), x, n, p, len(each))


def mice(count: int, seed: int) -> Curves:
    """Good, poor, one-sided, lapsing, contrary and hardly tested mice."""
    random = np.random.default_rng(seed)
    each = []
    for index in range(count):
        x = np.array((FULL, BIASED, ODD)[index % 3], float)
        bias, threshold = random.normal(0, 6), random.uniform(4, 40)
        lapses = random.uniform(0, 0.15, 2)
        trials = random.integers(15, 120, len(x))
        match index % 7:
            case 1:
                threshold = random.uniform(5, 90)
            case 2:
                bias = random.normal(0, 35)
            case 3:
                lapses = random.uniform(0, 0.5, 2)
            case 4:
                lapses = random.uniform(0.5, 1, 2)
            case 5:
                trials = random.integers(2, 6, len(x))
        chance = np.clip(p_right(x, bias, threshold, *lapses), 0, 1)
        each.append((tuple(x), trials, random.binomial(trials, chance) / trials))
    return curves(*each)


def likelihood(table: Curves, index: int, parameters: np.ndarray) -> float:
    mine = table.curve == index
    x, n, p = table.signed_contrast[mine], table.n_trials[mine], table.p_right[mine]
    chance = p_right(x, *parameters)
    tiny = np.finfo(float).eps
    chance = np.where(chance == 0, tiny, np.where(chance == 1, 1 - tiny, chance))
    return float(np.sum(n * (p * np.log(chance) + (1 - p) * np.log(1 - chance))))


def same(one: Fits, other: Fits, where: object = slice(None)) -> None:
    for field in dataclasses.fields(Fits):
        left, right = getattr(one, field.name), getattr(other, field.name)[where]
        if left.dtype == np.float64:
            np.testing.assert_allclose(left, right, rtol=1e-9, atol=1e-9)
        else:
            assert (left == right).all()


def psychofit_best(table: Curves, index: int, variant: str) -> float:
    mine = table.curve == index
    data = np.vstack([table.signed_contrast[mine], table.n_trials[mine], table.p_right[mine]])
    start, low, high = {
        "datajoint": (data[0].mean(), 0, 100),
        "paper": (0, 5, 40),
    }[variant]
    np.random.seed(index)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        _, best = psychofit.mle_fit_psycho(
            data,
            "erf_psycho_2gammas",
            np.array([start, 20, 0.05, 0.05]),
            np.array([data[0].min(), low, 0, 0]),
            np.array([data[0].max(), high, 1, 1]),
            5,
        )
    return best


@pytest.mark.parametrize("shown", [FULL, BIASED, ODD])
@pytest.mark.parametrize("variant", VARIANTS.values(), ids=list(VARIANTS))
@pytest.mark.parametrize(
    "truth",
    [(3, 15, 0.05, 0.1), (-12, 30, 0.2, 0.02), (0, 8, 0.01, 0.01), (5, 20, 0.9, 0.8)],
    ids=["good", "biased", "sharp", "contrary"],
)
def test_recovers_what_made_the_data(shown, variant, truth):
    fits = fit(curves((shown, 1e6, p_right(np.array(shown), *truth))), variant)
    assert fits.verdict.tolist() == ["ok"]
    np.testing.assert_allclose(fits.best[0], truth, atol=1e-4)
    for name, value in zip(PARAMETERS, truth, strict=True):
        assert getattr(fits, name)[0] == pytest.approx(value, abs=1e-4)
        assert 0 < getattr(fits, f"{name}_se")[0] < 0.1
        assert not getattr(fits, f"{name}_at_bound")[0]


def test_standard_errors_are_the_scatter_of_repeated_sessions():
    random = np.random.default_rng(1)
    chance = p_right(np.array(FULL), 2, 20, 0.1, 0.1)
    fits = fit(
        curves(*[(FULL, 200, random.binomial(200, chance) / 200) for _ in range(400)]), DATAJOINT
    )
    for name in PARAMETERS:
        scatter = np.nanstd(getattr(fits, name))
        assert np.nanmedian(getattr(fits, f"{name}_se")) == pytest.approx(scatter, rel=0.25)


@pytest.mark.slow
@pytest.mark.parametrize("variant", VARIANTS)
def test_no_less_likely_than_psychofit(variant):
    table = mice(42, seed=2)
    fits = fit(table, VARIANTS[variant])
    psychofits = [psychofit_best(table, index, variant) for index in range(table.size)]
    assert (fits.log_likelihood - psychofits).min() > -1e-3


STEPS = (-100, -50, -25, 25, 50, 100)
# variant, contrasts, trials, choices to the right, and a curve a poorer search missed
HARD = (
    (
        "datajoint",
        BIASED,
        (10, 18, 24, 24, 45, 69, 102, 84, 91),
        (5, 14, 22, 21, 39, 64, 101, 84, 89),
        (-20.9465, 27.6212, 0.5423, 0.0109),
    ),
    (
        "datajoint",
        BIASED,
        (31, 20, 29, 21, 65, 103, 109, 108, 105),
        (25, 20, 29, 21, 64, 103, 109, 108, 105),
        (-100, 57.9596, 0.6169, 0),
    ),
    (
        "datajoint",
        BIASED,
        (10, 10, 9, 9, 12, 8, 13, 9, 10),
        (2, 7, 4, 6, 9, 5, 13, 9, 9),
        (-16.6134, 33.7306, 0.2245, 0.0516),
    ),
    (
        "datajoint",
        BIASED,
        (76, 65, 85, 88, 110, 7, 19, 14, 28),
        (0, 1, 1, 4, 31, 1, 4, 9, 20),
        (6.8521, 16.067, 0.0034, 0.3255),
    ),
    (
        "datajoint",
        BIASED,
        (5, 3, 3, 8, 10, 23, 9, 13, 17),
        (2, 2, 3, 6, 10, 22, 9, 12, 17),
        (-21.9062, 20.6909, 0.4061, 0.0249),
    ),
    (
        "datajoint",
        BIASED,
        (25, 25, 19, 26, 22, 11, 2, 6, 4),
        (0, 1, 0, 0, 10, 9, 2, 6, 4),
        (1.4183, 5.5162, 0.011, 0),
    ),
    (
        "datajoint",
        BIASED,
        (105, 87, 80, 86, 189, 91, 62, 82, 87),
        (0, 0, 4, 4, 76, 75, 52, 76, 84),
        (1.016, 8.9273, 0, 0.0616),
    ),
    ("paper", STEPS, (5, 6, 9, 10, 7, 2), (1, 0, 4, 9, 7, 2), (-9.6373, 35.1674, 0.1129, 0)),
    (
        "paper",
        FULL,
        (8, 8, 8, 10, 9, 9, 2, 6, 6, 9, 9),
        (2, 2, 4, 7, 6, 8, 1, 3, 3, 8, 9),
        (-17.406, 40, 0.2431, 0.1398),
    ),
)


@pytest.mark.parametrize(("variant", "shown", "trials", "right", "known"), HARD)
def test_the_highest_of_several_maxima(variant, shown, trials, right, known):
    table = curves((shown, trials, np.divide(right, trials)))
    found = fit(table, VARIANTS[variant]).log_likelihood[0]
    assert found > likelihood(table, 0, known) - 1e-3


def test_likelihood_is_psychofits_own():
    table = mice(42, seed=3)
    fits = fit(table, DATAJOINT)
    for index in range(table.size):
        own = likelihood(table, index, fits.best[index])
        assert fits.log_likelihood[index] == pytest.approx(own, abs=1e-6)


def test_no_neighbour_is_more_likely():
    table = mice(70, seed=4)
    fits = fit(table, PAPER)
    random = np.random.default_rng(0)
    for index in range(table.size):
        for size in (1e-4, 1e-2):
            moved = fits.best[index] + size * random.normal(size=4) * (20, 20, 1, 1)
            moved = np.clip(moved, (-100, 5, 0, 0), (100, 40, 1, 1))
            assert likelihood(table, index, moved) <= fits.log_likelihood[index] + 1e-7


@pytest.mark.parametrize("at_a_time", [8000, 100])
def test_the_company_of_other_curves_changes_nothing(at_a_time, monkeypatch):
    monkeypatch.setattr(psychometric, "AT_A_TIME", at_a_time)
    table = mice(60, seed=5)
    together = fit(table, DATAJOINT)
    for index in (0, 5, 11, 33, 59):
        mine = table.curve == index
        alone = Curves(
            np.zeros(mine.sum(), np.int64),
            table.signed_contrast[mine],
            table.n_trials[mine],
            table.p_right[mine],
            1,
        )
        same(fit(alone, DATAJOINT), together, [index])


def test_neither_does_the_order_of_rows():
    table = mice(60, seed=6)
    order = np.random.default_rng(0).permutation(len(table.curve))
    rows = (table.curve, table.signed_contrast, table.n_trials, table.p_right)
    same(fit(Curves(*(each[order] for each in rows), table.size), PAPER), fit(table, PAPER))
    same(fit(table, PAPER), fit(table, PAPER))


def test_what_one_variant_has_found_is_for_the_next_what_it_would_find_itself():
    # wide and narrow curves among them, which the narrower bounds of the second keep from theirs
    table = mice(200, seed=11)
    no_go = np.where(table.curve % 3 == 0, np.ceil(table.n_trials / 9), 0)
    shown = table.n_trials - no_go
    paper = dataclasses.replace(
        table, p_right=np.minimum(table.p_right * table.n_trials / shown, 1)
    )

    found = fit_each([(table, DATAJOINT), (paper, PAPER)])

    same(found[0], fit(table, DATAJOINT))
    alone = fit(paper, PAPER)
    np.testing.assert_allclose(found[1].log_likelihood, alone.log_likelihood, atol=1e-9)
    assert (found[1].verdict == alone.verdict).all()
    determined = alone.verdict == "ok"
    np.testing.assert_allclose(found[1].best[determined], alone.best[determined], atol=1e-4)


def test_a_maximum_within_both_bounds_is_looked_for_once(monkeypatch):
    looked_for = []
    maximise = psychometric._maximise

    def counting(table, limits, variant):
        looked_for.append((variant.name, table.x.shape[1]))
        return maximise(table, limits, variant)

    monkeypatch.setattr(psychometric, "_maximise", counting)
    table = mice(60, seed=11)
    [wider, _] = fit_each([(table, DATAJOINT), (table, PAPER)])

    outside = int(((wider.best[:, 1] < 5) | (wider.best[:, 1] > 40)).sum())
    assert 0 < outside < 60
    assert looked_for == [("datajoint", 60), ("paper", outside)]


def test_data_without_a_curve_in_them():
    three = (-100, 0, 100)
    fits = fit(
        curves(
            (FULL, 0, 0.5),
            ((25,), 30, 0.7),
            (three, 30, (0.1, 0.5, 0.9)),
            (FULL, 30, 0),
            (FULL, 30, 1),
            (FULL, 30, p_right(np.array(FULL), 0, 20, 0.1, 0.1)),
        ),
        DATAJOINT,
    )
    few = "few_contrasts"
    assert fits.verdict.tolist() == ["no_trials", few, few, "one_sided", "one_sided", "ok"]
    assert fits.n_contrasts.tolist() == [0, 1, 3, 11, 11, 11]
    assert fits.n_trials.tolist() == [0, 30, 90, 330, 330, 330]
    for name in PARAMETERS:
        assert np.isnan(getattr(fits, name)[:5]).all()
        assert np.isnan(getattr(fits, f"{name}_se")[:5]).all()
    assert np.isnan(fits.best[0]).all()
    assert np.isfinite(fits.best[1:]).all()


def test_all_correct_at_strong_contrasts_says_nothing_of_bias_and_threshold():
    fits = fit(curves(((-100, -50, 50, 100), 40, (0, 0, 1, 1))), DATAJOINT)
    assert fits.verdict.tolist() == ["undetermined"]
    assert np.isnan([fits.bias[0], fits.threshold[0]]).all()
    assert (fits.lapse_low[0], fits.lapse_high[0]) == pytest.approx((0, 0), abs=1e-12)
    assert fits.lapse_low_at_bound[0] and fits.lapse_high_at_bound[0]
    assert np.isnan(fits.lapse_low_se[0])
    assert np.isfinite(fits.best).all()
    assert fits.log_likelihood[0] == pytest.approx(0, abs=1e-9)


def test_a_step_between_contrasts_leaves_its_place_open():
    shares = (0.1, 0.1, 0.1, 0.1, 0.9, 0.9, 0.9, 0.9)
    fits = fit(curves(((-100, -50, -25, -12.5, 12.5, 25, 50, 100), 50, shares)), DATAJOINT)
    assert fits.verdict.tolist() == ["undetermined"]
    assert np.isnan(fits.threshold[0])
    assert fits.lapse_low[0] == pytest.approx(0.1, abs=1e-6)
    assert fits.lapse_high[0] == pytest.approx(0.1, abs=1e-6)
    assert np.isfinite([fits.lapse_low_se[0], fits.lapse_high_se[0]]).all()


def test_bounds_are_kept_and_told():
    steep, flat = (p_right(np.array(FULL), 0, each, 0.05, 0.05) for each in (2, 75))
    table = curves((FULL, 500, steep), (FULL, 500, flat))
    paper = fit(table, PAPER)
    assert paper.threshold.tolist() == [5, 40]
    assert paper.threshold_at_bound.all()
    assert np.isnan(paper.threshold_se).all()
    datajoint = fit(table, DATAJOINT)
    assert datajoint.threshold[1] == pytest.approx(75, abs=0.1)
    assert not datajoint.threshold_at_bound[1]


@pytest.mark.parametrize("name", VARIANTS)
def test_the_best_curve_is_within_the_bounds(name):
    table = mice(140, seed=7)
    low, high = {"datajoint": (THRESHOLD_FLOOR, 100), "paper": (5, 40)}[name]
    best = fit(table, VARIANTS[name]).best
    assert (best >= (-100, low, 0, 0)).all()
    assert (best <= (100, high, 1, 1)).all()


def test_rows_that_say_nothing_are_left_out():
    clean = mice(6, seed=8)
    extra = Curves(
        np.append(clean.curve, [0, 0, 1, 2, 3]),
        np.append(clean.signed_contrast, [200, -3, np.nan, 7, 9]),
        np.append(clean.n_trials, [0, -4, 10, np.nan, 10]),
        np.append(clean.p_right, [0.5, 0.5, 0.5, 0.5, np.nan]),
        clean.size,
    )
    same(fit(extra, DATAJOINT), fit(clean, DATAJOINT))


def test_a_contrast_in_two_rows_is_one_contrast():
    fits = fit(curves(((-100, -100, 0, 100), 20, (0, 0.1, 0.5, 1))), DATAJOINT)
    assert fits.n_contrasts.tolist() == [3]


def test_no_curves_at_all():
    none = Curves(np.array([], np.int64), np.array([]), np.array([]), np.array([]), 0)
    assert fit(none, PAPER).best.shape == (0, 4)
    empty = dataclasses.replace(none, size=3)
    assert fit(empty, PAPER).verdict.tolist() == ["no_trials"] * 3


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.lists(
            st.tuples(
                st.sampled_from([-100, -50, -25, -8, -4, 0, 4, 6.25, 33.3, 100]),
                st.integers(0, 400),
                # of counts, or of a mean without no-go trials
                st.fractions(0, 1, max_denominator=400).map(float),
            ),
            max_size=11,
        ),
        max_size=6,
    ),
    st.sampled_from(list(VARIANTS)),
)
def test_any_data_gets_a_verdict_without_complaint(each, name):
    table = curves(*[tuple(zip(*rows, strict=True)) if rows else ((), 0, 0) for rows in each])
    with warnings.catch_warnings(), np.errstate(all="warn", under="ignore"):
        warnings.simplefilter("error")
        fits = fit(table, VARIANTS[name])
    assert set(fits.verdict) <= set(VERDICTS)
    sound = fits.verdict == "ok"
    for parameter in PARAMETERS:
        assert np.isfinite(getattr(fits, parameter)[sound]).all()
    assert (np.isnan(fits.best).all(axis=1) == (fits.verdict == "no_trials")).all()
    assert (np.isnan(fits.log_likelihood) == (fits.verdict == "no_trials")).all()
