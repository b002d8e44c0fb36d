"""The charts of parameters by block and of history, on numbers by hand."""

from datetime import timedelta
from itertools import product
from math import exp, log, sqrt
from uuid import UUID

import pandas as pd
import pytest
from charted import opened
from handmade import (
    BIASED,
    CHOSE_LEFT,
    CHOSE_RIGHT,
    ERROR,
    MONDAY,
    MOUSE,
    NO_GO,
    OTHER_MOUSE,
    TRAINING,
    TUESDAY,
    add,
    add_mouse,
    add_session,
    add_to_session,
    add_trial,
    define,
    left,
    right,
)

from analyses import block_parameters, history_curves, history_weights
from analyses.style import ask

pytestmark = pytest.mark.slow

# Shares of choices right that rise with contrast; at 0 they differ between blocks.
RISING = {-100: 0.1, -25: 0.1, -12.5: 0.2, 12.5: 0.8, 25: 0.9, 100: 0.9}


@pytest.fixture
def con():
    with opened() as connection:
        add(
            connection,
            "reference.lab",
            lab_name="mainenlab",
            institution="CCU",
            institution_short="CCU",
            time_zone="Europe/Lisbon",
        )
        yield connection


def mouse(con, uuid=MOUSE, nickname="mouse"):
    add_mouse(con, uuid, nickname)
    add(con, "subject.subject_lab", subject_uuid=uuid, lab_name="mainenlab")


def session(con, status, protocol, start=MONDAY, uuid=MOUSE):
    add_session(con, start, protocol, uuid)
    add_to_session(
        con,
        "behavior_analyses.session_training_status",
        start,
        uuid,
        training_status=status,
        good_enough_for_brainwide_map=False,
    )


def block(con, prob_left, at_zero, first_id=1, uuid=MOUSE):
    """Twenty trials of each contrast."""
    trial_id = first_id
    for percent, share in (RISING | {0: at_zero}).items():
        side = right(percent / 100) if percent > 0 else left(-percent / 100)
        for n in range(20):
            choice = CHOSE_RIGHT if n < round(share * 20) else CHOSE_LEFT
            add_trial(con, trial_id, mouse=uuid, **side, **choice, trial_stim_prob_left=prob_left)
            trial_id += 1
    return trial_id


def words(chart):
    return " ".join(chart.to_dict()["title"]["subtitle"])


def datasets(chart):
    return [row for rows in chart.to_dict().get("datasets", {}).values() for row in rows]


@pytest.mark.parametrize("module", (block_parameters, history_curves, history_weights))
def test_a_chart_of_mice_that_met_no_criterion_says_so(con, module):
    mouse(con)
    session(con, "in_training", TRAINING)
    block(con, 0.5, 0.5)
    define(con)
    [row] = datasets(module.chart(con))
    assert row["why"].startswith("no ")


# block_parameters


def test_a_mouse_that_follows_the_blocks_has_a_larger_bias_in_80_20(con):
    mouse(con)
    mouse(con, OTHER_MOUSE, "one block")
    session(con, "ready4ephysrig", BIASED)
    next_id = block(con, 0.2, 0.75)
    block(con, 0.8, 0.25, next_id)
    session(con, "ready4ephysrig", BIASED, uuid=OTHER_MOUSE)
    block(con, 0.8, 0.25, uuid=OTHER_MOUSE)
    define(con)
    mice = block_parameters.paired(ask(con, block_parameters.POINTS, lab=None, cohort=None))
    assert set(mice["subject_nickname"]) == {"mouse"}
    found = mice.set_index("parameter")
    in_80, in_20 = found["block_80"], found["block_20"]
    assert in_80["bias"] > 1
    assert in_80["lapse_high"] == pytest.approx(0.1, abs=0.02)
    # the choices in one block are those in the other, left and right exchanged
    assert in_20["bias"] == pytest.approx(-in_80["bias"], abs=0.1)
    assert in_20["threshold"] == pytest.approx(in_80["threshold"], abs=0.1)
    assert in_20["lapse_high"] == pytest.approx(in_80["lapse_low"], abs=0.01)
    assert in_20["lapse_low"] == pytest.approx(in_80["lapse_high"], abs=0.01)
    chart = block_parameters.chart(con)
    assert "1 mouse, 1 session, 280 trials" in words(chart)
    for panel in chart.to_dict()["concat"]:
        assert panel["title"]["text"] == ["no test with fewer than 6 mice that differ"]


def pairs(**differences):
    """Mice whose parameters differ so much between the blocks."""
    rows = [
        {"parameter": parameter, "block_80": float(d), "block_20": 0.0}
        for parameter in block_parameters.PARAMETERS
        for d in differences[parameter]
    ]
    return pd.DataFrame(rows)


def test_blocks_are_compared_by_signed_ranks_and_p_is_corrected_over_the_parameters():
    mice = pairs(
        threshold=[1, 2, 3, 4, 5, 6],
        bias=[-1, -2, -3, -4, -5, -6],
        lapse_low=[0, 1, 2, 3, 4, 5, -6],
        lapse_high=[0, 1, 2, 3, 4, 5],
    )
    tests = block_parameters.compared(mice).set_index("parameter")
    # one of the 2 ** 6 ways to give six ranks a sign, at either end
    assert tests.loc["threshold", "p"] == pytest.approx(2 / 64)
    assert tests.loc["threshold", "effect"] == 1
    assert tests.loc["bias", "effect"] == -1
    mixed = tests.loc["lapse_low"]
    assert (mixed["n_mice"], mixed["statistic"]) == (7, 6)
    assert mixed["effect"] == pytest.approx((15 - 6) / 21)
    # the least p of three is not corrected for the fourth, which has no test
    assert tests.loc["bias", "p_corrected"] == pytest.approx(2 / 64 * 3 / 2)
    assert mixed["p_corrected"] == pytest.approx(mixed["p"])
    assert tests.loc["lapse_high", ["p", "p_corrected"]].isna().all()


def test_laboratories_are_compared_in_each_block_and_p_is_corrected_over_the_eight():
    rows = pd.DataFrame(
        [
            {
                "subject_uuid": str(n),
                "institution_short": institution,
                "parameter": parameter,
                "block_80": float(n) if parameter == "bias" else 0.0,
                "block_20": float(n % 2) if parameter in ("bias", "threshold") else 0.0,
            }
            for n, institution in enumerate(["CCU"] * 4 + ["UCL"] * 4 + ["no laboratory"])
            for parameter in block_parameters.PARAMETERS
        ]
    )
    tests = block_parameters.across(rows).set_index(["parameter", "block"])
    assert len(tests) == 8
    bias = tests.loc["bias", "block_80"]
    # ranks 1 to 4 and 5 to 8: H = 12 / (8 * 9) * (10 ** 2 + 26 ** 2) / 4 - 3 * 9
    assert (bias["test"], bias["n_mice"], bias["n_labs"]) == ("Kruskal-Wallis", 8, 2)
    assert bias["statistic"] == pytest.approx(16 / 3)
    assert bias["effect"] == pytest.approx(16 / 3 / 7)
    # three of the eight have a test, and this is the least p of them
    assert bias["p_corrected"] == pytest.approx(3 * bias["p"])
    for parameter in ("bias", "threshold"):
        assert tests.loc[(parameter, "block_20"), "p"] == 1
    assert tests["p"].notna().sum() == 3


def test_the_tests_of_laboratories_stand_below_each_parameter(con):
    add(
        con,
        "reference.lab",
        lab_name="cortexlab",
        institution="UCL",
        institution_short="UCL",
        time_zone="Europe/London",
    )
    for n, lab in enumerate(("mainenlab", "mainenlab", "cortexlab", "cortexlab")):
        uuid = UUID(int=10 + n)
        add_mouse(con, uuid, f"mouse {n}")
        add(con, "subject.subject_lab", subject_uuid=uuid, lab_name=lab)
        session(con, "ready4ephysrig", BIASED, uuid=uuid)
        # the higher the number, the more it follows the blocks
        next_id = block(con, 0.2, 0.55 + 0.05 * n, uuid=uuid)
        block(con, 0.8, 0.45 - 0.05 * n, next_id, uuid)
    define(con)
    chart = block_parameters.chart(con)
    bias = chart.to_dict()["concat"][3]["title"]["text"]
    assert bias[0] == "no test with fewer than 6 mice that differ"
    for line, name in zip(bias[1:], ("80:20", "20:80"), strict=True):
        assert line.startswith(f"laboratories, {name}: Kruskal-Wallis, p = ")
        # ranks 1, 2 and 3, 4: H = 2.4, of 3 that there is
        assert line.endswith("ε² = 0.80, n = 4")
    assert "laboratories, 2 of them with 4 mice" in words(chart)
    assert "laboratories" not in words(block_parameters.chart(con, lab="cortexlab"))


def test_each_bar_of_a_laboratory_is_the_standard_error_of_its_own_block():
    rows = pd.DataFrame(
        {
            "institution_short": ["CCU", "CCU", "CCU", "CSHL", "CSHL", "no laboratory"],
            "block_80": [1.0, 2.0, 3.0, 7.0, 8.0, 0.0],
            "block_20": [0.0, 2.0, 4.0, 8.0, 9.0, 0.0],
        }
    )
    means = block_parameters.laboratory_means(rows).set_index("institution_short")
    assert list(means.index) == ["CCU", "CSHL"]
    error = 1 / sqrt(3)
    right = means.loc["CCU", ["left", "block_80", "right"]].tolist()
    assert right == pytest.approx([2 - error, 2, 2 + error])
    left = means.loc["CCU", ["low", "block_20", "high"]].tolist()
    assert left == pytest.approx([2 - 2 * error, 2, 2 + 2 * error])
    # two mice have none
    assert means.loc["CSHL", ["left", "high"]].isna().all()


# history_curves


def test_points_after_a_choice_are_means_over_mice(con):
    mouse(con)
    mouse(con, OTHER_MOUSE, "other")
    for start, status in ((MONDAY, "in_training"), (TUESDAY, "trained_1a")):
        session(con, status, TRAINING, start)
        for trial_id in (1, 2, 3):
            add_trial(con, trial_id, start, **right(0.0), **CHOSE_RIGHT)
    session(con, "trained_1a", TRAINING, uuid=OTHER_MOUSE)
    played = (CHOSE_RIGHT, CHOSE_LEFT | ERROR, CHOSE_RIGHT, NO_GO, CHOSE_LEFT)
    for trial_id, choice in enumerate(played, start=1):
        add_trial(con, trial_id, mouse=OTHER_MOUSE, **right(0.0), **choice)
    define(con)
    chart = history_curves.chart(con)
    points = [r for r in datasets(chart) if "n_mice" in r]
    found = {(r["outcome"], r["previous_choice"]): r for r in points}
    assert set(found) == {("after reward", "right"), ("after error", "left")}
    # four of four in one mouse, none of one in the other
    after_reward = found["after reward", "right"]
    assert (after_reward["n_mice"], after_reward["percent_right"]) == (2, 50)
    # of two mice there is no bar
    assert (after_reward["low"], after_reward["high"]) == (None, None)
    assert found["after error", "left"]["percent_right"] == 100
    assert "basic task: 2 mice, 3 sessions, 6 choices" in words(chart)


# history_weights


def choices(rows, task="basic"):
    """Counts of choices as the view answers them: contrast, rewarded, unrewarded, block, right."""
    names = ["signed_contrast", "rewarded", "unrewarded", "block", "choice_right", "n_choices"]
    one = {"subject_uuid": "1", "subject_nickname": "mouse", "institution_short": "CCU"}
    return pd.DataFrame(rows, columns=names).assign(**one, task=task, n_sessions=1)


def test_weights_of_a_table_of_two_by_two_are_its_log_odds():
    # after a rewarded choice to the right 30 of 40 are right, after one to the left 10 of 40
    table = [(0, 1, 0, 0, 1, 30), (0, 1, 0, 0, 0, 10), (0, -1, 0, 0, 1, 10), (0, -1, 0, 0, 0, 30)]
    found = history_weights.weighed(choices(table)).set_index("weight")
    assert set(found.index) == {"rewarded", "bias"}
    rewarded = found.loc["rewarded"]
    assert rewarded["value"] == pytest.approx(log(3))
    assert found.loc["bias", "value"] == pytest.approx(0, abs=1e-6)
    se = sqrt(2 / 30 + 2 / 10) / 2
    assert rewarded["high"] - rewarded["low"] == pytest.approx(2 * 1.959964 * se, rel=1e-4)
    per_choice = 0.75 * log(0.75) + 0.25 * log(0.25)
    assert rewarded["pseudo_r2"] == pytest.approx(1 - per_choice / log(0.5))
    assert rewarded["accuracy"] == pytest.approx(0.75**2 + 0.25**2)
    assert rewarded["n_choices"] == 80


def expected(weights, task):
    """A thousand choices of each kind, as many of them right as the weights say."""
    rows = []
    blocks = (-1, 0, 1) if task == "full" else (0,)
    history = ((1, 0), (-1, 0), (0, 1), (0, -1))
    contrasts = [0, *(sign * c for c in history_weights.CONTRASTS.values() for sign in (-1, 1))]
    for contrast, (rewarded, unrewarded), side in product(contrasts, history, blocks):
        log_odds = (
            weights["bias"]
            + weights["rewarded"] * rewarded
            + weights["unrewarded"] * unrewarded
            + weights["block"] * side
        )
        if contrast:
            log_odds += weights[f"{abs(contrast):g}"] * (1 if contrast > 0 else -1)
        p = 1 / (1 + exp(-log_odds))
        kind = (contrast, rewarded, unrewarded, side)
        rows += [(*kind, 1, 1000 * p), (*kind, 0, 1000 * (1 - p))]
    return choices(rows, task)


def test_the_weights_that_made_the_choices_are_found():
    weights = {"6.25": 0.5, "12.5": 1.2, "25": 2, "100": 3}
    weights |= {"rewarded": 0.3, "unrewarded": -0.2, "bias": 0.1, "block": 0.4}
    both = pd.concat([expected(weights, "basic"), expected(weights, "full")])
    found = history_weights.weighed(both)
    for task, rows in found.groupby("task"):
        known = {name: w for name, w in weights.items() if task == "full" or name != "block"}
        assert dict(zip(rows["weight"], rows["value"], strict=True)) == pytest.approx(known)
        assert (rows["low"] < rows["value"]).all() and (rows["value"] < rows["high"]).all()


def test_a_contrast_without_errors_has_no_weight_and_the_others_have_theirs():
    history = [(0, 1, 0, 0, 1, 30), (0, 1, 0, 0, 0, 10), (0, -1, 0, 0, 1, 10), (0, -1, 0, 0, 0, 30)]
    perfect = [(100, 1, 0, 0, 1, 50), (-100, 1, 0, 0, 0, 50)]
    found = history_weights.weighed(choices(history + perfect)).set_index("weight")["value"]
    assert found.to_dict() == pytest.approx({"rewarded": log(3), "bias": 0}, abs=1e-4)


def test_a_mouse_whose_trials_do_not_tell_the_weights_apart_is_left_out():
    # always after a rewarded choice to the right: bias or history
    one_sided = [(0, 1, 0, 0, 1, 30), (0, 1, 0, 0, 0, 10)]
    assert history_weights.weighed(choices(one_sided)).empty


def asked(con):
    columns = "signed_contrast, rewarded, unrewarded, block, choice_right, n_choices"
    return sorted(
        con.execute(
            f"select {columns} from ({history_weights.CHOICES})", {"lab": None, "cohort": None}
        ).fetchall()
    )


def test_history_stays_within_a_session_and_ends_at_a_no_go(con):
    mouse(con)
    for start, status in ((MONDAY, "in_training"), (TUESDAY, "trained_1a")):
        session(con, status, TRAINING, start)
        add_trial(con, 1, start, **left(0.25), **CHOSE_LEFT)
        add_trial(con, 2, start, **right(0.25), **CHOSE_LEFT, **ERROR)
        add_trial(con, 3, start, **right(1.0))
        add_trial(con, 4, start, **NO_GO)
        add_trial(con, 5, start)
        add_trial(con, 6, start, **right(0.5))
        add_trial(con, 7, start, **right(0.0))
    define(con)
    # the first trials, those after a no-go and those of 50 % are no choices of the model
    assert asked(con) == [(0, 1, 0, 0, 1, 2), (25, -1, 0, 0, 0, 2), (100, 0, -1, 0, 1, 2)]


def test_blocks_with_stimuli_on_the_right_count_for_the_right(con):
    mouse(con)
    session(con, "ready4ephysrig", BIASED)
    for trial_id, prob_left in enumerate((0.5, 0.5, 0.2, 0.8), start=1):
        add_trial(con, trial_id, trial_stim_prob_left=prob_left)
    define(con)
    assert asked(con) == [(100, 1, 0, side, 1, 1) for side in (-1, 0, 1)]


def test_a_mouse_is_drawn_with_its_numbers(con):
    mouse(con)
    for day, (status, protocol) in enumerate(
        [("trained_1a", TRAINING), ("ready4ephysrig", BIASED)]
    ):
        start = MONDAY + timedelta(days=day)
        session(con, status, protocol, start)
        # pairs of choices at 0 contrast, of which three in four stay
        sides = (CHOSE_RIGHT, CHOSE_RIGHT, CHOSE_RIGHT, CHOSE_LEFT, CHOSE_LEFT, CHOSE_LEFT) * 10
        for trial_id, side in enumerate(sides, start=1):
            add_trial(con, trial_id, start, **right(0.0), **side)
    define(con)
    chart = history_weights.chart(con)
    assert "basic task: 1 mouse, 1 session, 59 choices" in words(chart)
    assert "full task: 1 mouse, 1 session, 59 choices" in words(chart)
    below = [panel.get("title", {}).get("text", []) for panel in chart.to_dict()["concat"]]
    assert "rewarded: no test without two mice in both tasks" in below[-1]
    drawn = {(r["task"], r["weight"]): r for r in datasets(chart) if r.get("kind") == "mouse"}
    assert set(drawn) == set(product(("basic", "full"), ("rewarded", "bias")))
    # after the right 20 of 30 are right, after the left 9 of 29
    assert drawn["basic", "rewarded"]["value"] == pytest.approx(log(2 * 20 / 9) / 2)
    assert drawn["basic", "bias"]["value"] == pytest.approx(log(2 * 9 / 20) / 2)


def fits(**values):
    """Mice with one weight in both tasks, by the laboratory's name."""
    return pd.DataFrame(
        [
            {"subject_uuid": str(n), "weight": weight, "task": task, "value": float(value)}
            for weight, both in values.items()
            for task, of_task in zip(("basic", "full"), both, strict=True)
            for n, value in enumerate(of_task)
        ]
    )


def test_tasks_are_compared_within_mice():
    # the last mouse was never in the full task
    weights = fits(rewarded=([1, 1, 1, 9], [2, 3, 4]), unrewarded=([1, 2, 3], [1, 2, 3]))
    tests = history_weights.compared(weights).set_index("weight")
    found = tests.loc["rewarded"]
    assert (found["n_mice"], found["difference"], found["effect"]) == (3, 2, 2)
    assert found["t"] == pytest.approx(2 * sqrt(3))
    # of t with two degrees of freedom
    assert found["p"] == pytest.approx(1 - sqrt(12 / 14))
    assert found["p_corrected"] == pytest.approx(found["p"])
    assert tests.loc["unrewarded", ["p", "p_corrected"]].isna().all()


def test_a_laboratory_of_three_mice_has_an_interval():
    weights = pd.DataFrame(
        {
            "institution_short": ["CCU"] * 3 + ["CSHL"] * 2 + ["no laboratory"] * 3,
            "task": "basic",
            "weight": "bias",
            "value": [1.0, 2, 3, 4, 5, 6, 7, 8],
        }
    )
    means = history_weights.laboratory_means(weights).set_index("institution_short")
    assert list(means.index) == ["CCU", "CSHL"]
    # 4.3027 is the quantile of t with two degrees of freedom
    half = 4.3027 / sqrt(3)
    assert means.loc["CCU", ["low", "value", "high"]].tolist() == pytest.approx(
        [2 - half, 2, 2 + half], abs=1e-3
    )
    assert means.loc["CSHL", "value"] == 4.5
    assert means.loc["CSHL", ["low", "high"]].isna().all()
