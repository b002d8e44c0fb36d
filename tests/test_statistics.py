"""The statistics of the charts: by hand where a hand suffices, else as textbooks print them."""

from math import atanh, exp, sqrt, tanh

import pandas as pd
import pytest
from scipy import stats

from analyses.statistics import ANOVA, KRUSKAL, compare, correlate, log_rank, pairs

# The pH of four ponds: Zar, Biostatistical Analysis, example 10.11, where corrected H is 11.943.
PONDS = {
    "1": [7.68, 7.69, 7.70, 7.70, 7.72, 7.73, 7.73, 7.76],
    "2": [7.71, 7.73, 7.74, 7.74, 7.78, 7.78, 7.80, 7.81],
    "3": [7.74, 7.75, 7.77, 7.78, 7.80, 7.81, 7.84],
    "4": [7.71, 7.71, 7.74, 7.79, 7.81, 7.85, 7.87, 7.91],
}
# Weeks in remission of patients with leukaemia: Freireich and others, Blood 1963;21:699.
PLACEBO = [1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23]
TREATED = [6, 6, 6, 7, 10, 13, 16, 22, 23, 6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35]
N_RELAPSED = 9
# Sorted, and alike on both sides of 0: far from failing a test for normality.
SPREAD = [-2, -1.5, -1, -0.6, -0.3, 0, 0.3, 0.6, 1, 1.5, 2]


def mice_of(labs, measure="x"):
    return pd.DataFrame(
        [
            {"institution_short": lab, measure: value}
            for lab, values in labs.items()
            for value in values
        ]
    )


def compared(labs, **options):
    [row] = compare(mice_of(labs), ["x"], **options).to_dict("records")
    return row


# compare


def test_normal_values_are_compared_by_means():
    found = compared({"UCL": SPREAD, "NYU": [value + 1 for value in SPREAD]})
    within = 2 * sum(value**2 for value in SPREAD)
    between = 22 * 0.5**2
    assert found["test"] == ANOVA
    assert found["statistic"] == pytest.approx(between / (within / 20))
    assert found["effect"] == pytest.approx(between / (between + within))
    assert (found["n_mice"], found["n_labs"]) == (22, 2)


def test_skewed_values_are_compared_by_ranks_and_a_lab_of_one_mouse_is_left_out():
    even, odd = ([2**power for power in range(first, 20, 2)] for first in (0, 1))
    found = compared({"UCL": even, "NYU": odd, "SWC": [9]})
    #  ranks 1, 3, ... and 2, 4, ...: sums 100 and 110
    expected = 12 / (20 * 21) * (100**2 + 110**2) / 10 - 3 * 21
    assert found["test"] == KRUSKAL
    assert found["statistic"] == pytest.approx(expected)
    assert found["effect"] == pytest.approx(expected / 19)
    assert (found["n_mice"], found["n_labs"]) == (20, 2)


def test_fewer_than_twenty_mice_are_ranked():
    found = compared({"UCL": [1, 2, 3], "NYU": [4, 5, 6]})
    assert found["test"] == KRUSKAL
    assert found["statistic"] == pytest.approx(12 / (6 * 7) * (6**2 / 3 + 15**2 / 3) - 3 * 7)
    assert pd.isna(found["normal_p"])


def test_normality_within_labs_chooses_where_the_labs_themselves_are_apart():
    # two heaps far apart are not normal together, each of them is
    apart = {"UCL": SPREAD, "NYU": [value + 100 for value in SPREAD]}
    pooled, within = compared(apart), compared(apart, within=True)
    assert (pooled["test"], within["test"]) == (KRUSKAL, ANOVA)
    assert pooled["normal_p"] < 0.05 < within["normal_p"]


def test_the_interval_holds_the_noncentral_f_that_make_the_effect_rare():
    found = compared({"UCL": SPREAD, "NYU": [value + 2 for value in SPREAD]})
    for end, above in (("effect_low", 0.025), ("effect_high", 0.975)):
        shift = 22 * found[end] / (1 - found[end])
        assert stats.ncf.sf(found["statistic"], 1, 20, shift) == pytest.approx(above)


def test_labs_alike_have_an_interval_from_none_and_labs_of_one_value_each_are_all_apart():
    alike = compared({"UCL": SPREAD, "NYU": SPREAD})
    assert (alike["effect"], alike["effect_low"]) == (pytest.approx(0), 0)
    apart = compared({"UCL": [1, 1], "NYU": [2, 2]})
    assert [apart[name] for name in ("effect", "effect_low", "effect_high")] == pytest.approx(
        [1] * 3
    )


def test_variances_are_compared_around_medians():
    found = compared({"UCL": [1, 2, 3], "NYU": [0, 5, 10]})
    # distances from the medians are 1, 0, 1 and 5, 0, 5, their means 2/3, 10/3 and 2
    between, within = 6 * (4 / 3) ** 2, 26 * 2 / 3
    assert found["levene_p"] == pytest.approx(stats.f.sf(between / (within / 4), 1, 4))
    assert pd.isna(compared({"UCL": [1, 2], "NYU": [3, 4]})["levene_p"])


def test_p_is_corrected_over_the_measures_that_have_one():
    mice = mice_of({"UCL": [1, 2, 3], "NYU": [4, 5, 6]}).assign(
        mixed=[1, 3, 5, 2, 4, 6], equal=1.0, missing=float("nan")
    )
    found = compare(mice, ["x", "mixed", "equal", "missing"]).set_index("measure")
    apart, mixed = found.loc["x"], found.loc["mixed"]
    assert apart["p"] < mixed["p"]
    assert apart["p_corrected"] == pytest.approx(2 * apart["p"])
    assert mixed["p_corrected"] == pytest.approx(mixed["p"])
    assert found.loc[["equal", "missing"], "test"].isna().all()
    assert found.loc[["equal", "missing"], "p_corrected"].isna().all()
    assert found["n_mice"].tolist() == [6, 6, 6, 0]


@pytest.mark.parametrize("labs", [{"UCL": range(30)}, {"UCL": [1, 2], None: [3, 4]}, {"UCL": []}])
def test_one_lab_is_not_compared(labs):
    mice = mice_of(labs).reindex(columns=["institution_short", "x"])
    found = compare(mice, ["x"])
    assert found["test"].isna().all()
    assert found["p_corrected"].isna().all()
    assert pairs(mice, "x", KRUSKAL).empty


# pairs


def test_pairs_by_ranks_are_those_of_a_textbook():
    found = pairs(mice_of(PONDS), "x", KRUSKAL)
    assert [*zip(found["first"], found["second"], strict=True)][:2] == [("1", "2"), ("1", "3")]
    assert (found["n_first"][1], found["n_second"][1]) == (8, 7)
    # as scikit-posthocs 0.12 has them, with p_adjust=None and "holm"
    alone = [0.032597, 0.003184, 0.002773, 0.376262, 0.392660, 0.952962]
    assert found["p"].tolist() == pytest.approx(alone, abs=1e-6)
    holm = [0.13039, 0.01664, 0.01664, 1, 1, 1]
    assert found["p_corrected"].tolist() == pytest.approx(holm, abs=1e-5)


def test_the_effect_of_ranks_is_how_much_more_often_one_is_above():
    found = pairs(mice_of({"A": [1, 4], "B": [2, 3], "C": [4, 5]}), "x", KRUSKAL)
    # A and C: below in three of four, equal in one
    assert found["effect"].tolist() == [0, -3 / 4, -1]


def test_pairs_by_means_are_tukeys():
    found = pairs(mice_of(PONDS), "x", ANOVA)
    # as statsmodels 0.14 prints pairwise_tukeyhsd, which takes the second less the first
    assert found["effect"].tolist() == pytest.approx(
        [-0.0475, -0.0705, -0.085, -0.023, -0.0375, -0.0145], abs=1e-4
    )
    assert found["effect_low"][1] == pytest.approx(-0.1377, abs=1e-4)
    assert found["effect_high"][1] == pytest.approx(-0.0034, abs=1e-4)
    p = [0.2118, 0.0369, 0.0068, 0.7846, 0.4057, 0.9345]
    assert found["p"].tolist() == pytest.approx(p, abs=1e-4)
    assert found["p_corrected"].tolist() == found["p"].tolist()


# log_rank


def test_the_rates_of_two_groups_are_those_of_a_textbook():
    is_event = [True] * len(PLACEBO) + [n < N_RELAPSED for n in range(len(TREATED))]
    groups = ["placebo"] * len(PLACEBO) + ["treated"] * len(TREATED)
    found = log_rank(pd.Series(PLACEBO + TREATED), pd.Series(is_event), pd.Series(groups))
    assert found["statistic"] == pytest.approx(16.79, abs=0.005)
    assert (found["df"], found["n_mice"], found["n_events"]) == (1, 42, 30)


def test_the_rates_of_three_labs_by_hand():
    # events less expected are 2/3, 1/6 and -5/6; a mouse without lab does not count
    found = log_rank(
        pd.Series([3, 1, 2, 1]), pd.Series([True] * 4), pd.Series(["C", "A", "B", None])
    )
    assert found["statistic"] == pytest.approx(13 / 5)
    assert found["p"] == pytest.approx(exp(-13 / 10))
    assert (found["df"], found["n_mice"], found["n_labs"]) == (2, 3, 3)


def test_a_lab_that_nobody_saw_until_an_event_has_no_degree_of_freedom():
    times, labs = pd.Series([1, 2, 3, 0.5]), pd.Series(["A", "B", "C", "D"])
    assert log_rank(times, pd.Series([True, True, True, False]), labs)["df"] == 2
    never = log_rank(times, pd.Series([False] * 4), labs)
    assert pd.isna(never["p"])
    assert (never["df"], never["n_events"]) == (0, 0)


# correlate


def test_a_correlation_has_its_interval():
    mice = pd.DataFrame({"a": [1, 2, 3, 4, 5, 6], "b": [2, 1, 3, 4, 5, None]})
    found = correlate(mice, "a", "b")
    r = 1 - 6 * 2 / (5 * 24)
    reach = 1.959964 * sqrt((1 + r**2 / 2) / 2)
    assert found["effect"] == pytest.approx(r)
    assert found["effect_low"] == pytest.approx(tanh(atanh(r) - reach))
    assert found["effect_high"] == pytest.approx(tanh(atanh(r) + reach))
    assert found["n_mice"] == 5


def test_a_perfect_correlation_is_certain_and_one_without_spread_is_none():
    mice = pd.DataFrame({"a": [1, 2, 3, 4], "b": [2, 4, 6, 9], "same": 1})
    found = correlate(mice, "a", "b")
    assert [found[name] for name in ("effect", "effect_low", "effect_high")] == pytest.approx(
        [1] * 3
    )
    assert pd.isna(correlate(mice, "a", "same")["p"])
    assert pd.isna(correlate(mice.head(3), "a", "b")["p"])
