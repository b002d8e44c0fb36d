"""Training statuses of made-up mice, a few sessions each, whose curves are known."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mirror.derive.psychometric import p_right
from mirror.derive.status import CRITERIA, LADDER, STATUSES, Evaluation, evaluate

TRAINING = "_iblrig_tasks_trainingChoiceWorld6.0.5"
BIASED = "_iblrig_tasks_biasedChoiceWorld6.0.5"
EPHYS = "_iblrig_tasks_ephysChoiceWorld6.0.5"
TRAINING_RIG = "_iblrig_mainenlab_behavior_1"
EPHYS_RIG = "_iblrig_mainenlab_ephys_0"

ALL = (0, 6.25, 12.5, 25, 100)
EASY = (50, 100)
# bias, threshold, lapse_low, lapse_high
GOOD = (2, 12, 0.03, 0.04)
FAIR = (12, 18, 0.15, 0.1)
FLAT = (0, 60, 0.2, 0.2)
SHIFTED = ((20, (-6, 15, 0.03, 0.03)), (50, GOOD), (80, (6, 15, 0.04, 0.04)))
UNSHIFTED = ((20, GOOD), (50, GOOD), (80, GOOD))

SESSIONS = [
    "session",
    "subject",
    "task_protocol",
    "n_trials",
    "performance_easy",
    "pybpod_board",
    "session_delay_in_mins",
    "has_trials",
]
COUNTS = ["session", "prob_left_pct", "signed_contrast", "n_trials", "n_right"]


@dataclass(frozen=True)
class Run:
    """One session; its curves are by probability left."""

    protocol: str | None = TRAINING
    n_trials: float = 500
    easy: float = 0.95
    board: str | None = TRAINING_RIG
    delay: float = np.nan
    has_trials: bool = True
    curves: tuple[tuple[int, tuple[float, float, float, float]], ...] = ((50, GOOD),)
    contrasts: tuple[float, ...] = ALL
    times: tuple[float, ...] = (0.4, 0.5, 0.6)


POOR = Run(curves=((50, FLAT),), easy=0.6)
TRAINED_1A = Run(curves=((50, FAIR),), n_trials=300, easy=0.85)
TRAINED_1B = Run()
SHIFTS = Run(protocol=BIASED, curves=SHIFTED)
ON_EPHYS_RIG = replace(SHIFTS, board=EPHYS_RIG)
RECORDS = replace(SHIFTS, protocol=EPHYS, board=EPHYS_RIG, delay=16)


def judge(*mice: Iterable[Run]) -> Evaluation:
    """Evaluate the mice; the sessions of the first are 10, 11, 12...

    Counts and times are not in the order of the sessions, as nobody promises.
    """
    runs = [(f"mouse {m}", run) for m, mouse in enumerate(mice) for run in mouse]
    sessions, counts, times = [], [], []
    for session, (subject, run) in enumerate(runs, start=10):
        sessions.append(
            {
                "session": session,
                "subject": subject,
                "task_protocol": run.protocol,
                "n_trials": run.n_trials,
                "performance_easy": run.easy,
                "pybpod_board": run.board,
                "session_delay_in_mins": run.delay,
                "has_trials": run.has_trials,
            }
        )
        if not run.has_trials:
            continue
        times.extend((session, time) for time in run.times)
        for prob_left_pct, curve in run.curves:
            for x in sorted({sign * c for c in run.contrasts for sign in (-1, 1)}):
                right = 100 * float(p_right(x, *curve))
                counts.append((session, prob_left_pct, x, 100.0, right))
    return evaluate(
        pd.DataFrame(sessions, columns=SESSIONS),
        pd.DataFrame(counts[::-1], columns=COUNTS),
        pd.DataFrame(times[::-1], columns=["session", "reaction_time"]),
    )


def statuses(*runs: Run) -> list[str | None]:
    return judge(runs).status["training_status"].tolist()


def rules(*runs: Run) -> list[str]:
    return judge(runs).status["rule"].tolist()


def rows(evaluation: Evaluation, session: int, criterion: str) -> pd.DataFrame:
    """One criterion of a session, by measure."""
    table = evaluation.criteria
    kept = (table["session"] == session) & (table["criterion"] == criterion)
    return table[kept].set_index("measure")


def failed(evaluation: Evaluation, session: int, criterion: str) -> list[str]:
    table = rows(evaluation, session, criterion)
    return table.index[table["passed"].eq(False).fillna(False)].tolist()


def unknown(evaluation: Evaluation, session: int, criterion: str) -> list[str]:
    table = rows(evaluation, session, criterion)
    return table.index[table["passed"].isna()].tolist()


def test_a_mouse_becomes_trained_1a_and_then_1b():
    runs = [POOR, POOR, POOR, *[TRAINED_1A] * 3, *[TRAINED_1B] * 3]
    assert statuses(*runs) == [
        *["in_training"] * 5,
        *["trained_1a"] * 3,
        "trained_1b",
    ]
    assert rules(*runs) == [
        *["fewer than three sessions"] * 2,
        *["criterion not met"] * 3,
        "criterion met",
        *["reached before"] * 2,
        "criterion met",
    ]


def test_a_mouse_becomes_trained_1b_without_1a():
    assert statuses(*[TRAINED_1B] * 3) == ["in_training", "in_training", "trained_1b"]


def test_a_status_is_kept():
    assert statuses(*[TRAINED_1B] * 3, *[POOR] * 4)[2:] == ["trained_1b"] * 5
    assert statuses(*[RECORDS] * 3, POOR, TRAINED_1B)[2:] == ["ready4recording"] * 3


def test_a_mouse_of_fewer_than_three_sessions_is_in_training():
    evaluation = judge([TRAINED_1B] * 2)
    assert evaluation.status["training_status"].tolist() == ["in_training"] * 2
    assert evaluation.windows.empty
    assert rows(evaluation, 11, "trained_1b").index.tolist() == ["sessions"]


def test_mice_are_independent():
    status = judge([TRAINED_1B] * 3, [TRAINED_1B] * 2, [POOR] * 3).status
    assert status["training_status"].tolist() == [
        *["in_training", "in_training", "trained_1b"],
        *["in_training"] * 5,
    ]


def test_two_sessions_of_a_day_are_two():
    """Nothing knows the date: a crashed session pushes a good one out of the last three."""
    crashed = replace(TRAINED_1B, n_trials=12)
    assert statuses(TRAINED_1B, TRAINED_1B, crashed, TRAINED_1B)[-1] == "in_training"


def test_no_sessions_give_empty_tables():
    evaluation = judge()
    assert evaluation.status.empty
    assert evaluation.criteria.empty
    assert evaluation.windows.empty


@pytest.mark.parametrize(
    ("last", "measures"),
    [
        (replace(TRAINED_1A, n_trials=200), ["n_trials"]),
        (replace(TRAINED_1A, easy=0.8), ["performance_easy"]),
        (replace(TRAINED_1A, easy=np.nan), ["performance_easy"]),
        (replace(TRAINED_1A, contrasts=(6.25, 12.5, 25, 100)), ["zero_contrast_shown"]),
        (replace(TRAINED_1A, contrasts=(0, 12.5, 25, 100)), ["low_contrast_shown"]),
    ],
)
def test_the_last_session_alone_can_fail_trained_1a(last: Run, measures: list[str]):
    evaluation = judge([TRAINED_1A, TRAINED_1A, last])
    assert evaluation.status["training_status"].iloc[-1] == "in_training"
    assert failed(evaluation, 12, "trained_1a") == measures


@pytest.mark.parametrize(
    ("curve", "measure", "value"),
    [
        ((16.5, 15, 0.1, 0.1), "bias", 16.5),
        ((-16.5, 15, 0.1, 0.1), "bias", 16.5),
        ((0, 19.5, 0.1, 0.1), "threshold", 19.5),
        ((0, 15, 0.21, 0.1), "lapse_low", 0.21),
        ((0, 15, 0.1, 0.21), "lapse_high", 0.21),
    ],
)
def test_the_curve_of_the_last_three_can_fail_trained_1a(curve, measure, value):
    evaluation = judge([replace(TRAINED_1A, curves=((50, curve),))] * 3)
    assert evaluation.status["training_status"].iloc[-1] == "in_training"
    assert failed(evaluation, 12, "trained_1a") == [measure]
    row = rows(evaluation, 12, "trained_1a").loc[measure]
    assert row["value"] == pytest.approx(value, abs=0.01)


def test_the_worst_session_is_the_value():
    evaluation = judge([replace(TRAINED_1A, n_trials=n) for n in (450, 390, 420)])
    table = rows(evaluation, 12, "trained_1b")
    assert table.loc["n_trials", ["value", "comparison", "limit"]].tolist() == [390, ">", 400]


def test_contrasts_of_4_and_8_percent_count_as_low_and_not():
    low = replace(TRAINED_1A, contrasts=(0, 4, 8, 25, 100))
    assert statuses(low, low, low)[-1] == "trained_1a"
    high = replace(TRAINED_1A, contrasts=(0, 8, 25, 100))
    assert statuses(low, low, high)[-1] == "in_training"


def test_the_contrasts_are_those_of_the_session_alone():
    early = replace(TRAINED_1A, contrasts=(*EASY, 25, 12.5))
    assert statuses(early, early, TRAINED_1A)[-1] == "trained_1a"


def test_the_threshold_of_trained_1b_is_looser_than_that_of_1a():
    runs = [replace(TRAINED_1B, curves=((50, (0, 19.5, 0.03, 0.03)),))] * 3
    assert statuses(*runs)[-1] == "trained_1b"
    assert failed(judge(runs), 12, "trained_1a") == ["threshold"]


def test_slow_responses_fail_trained_1b_alone():
    evaluation = judge([replace(TRAINED_1B, times=(1.9, 2.1, 60.0))] * 3)
    assert evaluation.status["training_status"].iloc[-1] == "trained_1a"
    assert failed(evaluation, 12, "trained_1b") == ["reaction_time"]
    assert rows(evaluation, 12, "trained_1b").loc["reaction_time", "value"] == 2.1


def test_the_median_is_of_all_trials_of_the_three():
    runs = [
        replace(TRAINED_1B, times=(9.0,)),
        replace(TRAINED_1B, times=(0.2, 0.4, 0.6, 0.8)),
        replace(TRAINED_1B, times=(8.0,)),
    ]
    value = rows(judge(runs), 12, "trained_1b").loc["reaction_time", "value"]
    assert value == pytest.approx(0.7)


def test_no_reaction_time_fails():
    evaluation = judge([replace(TRAINED_1B, times=())] * 3)
    assert failed(evaluation, 12, "trained_1b") == ["reaction_time"]
    assert np.isnan(rows(evaluation, 12, "trained_1b").loc["reaction_time", "value"])
    assert evaluation.status["is_certain"].all()


def test_no_easy_trials_fail():
    evaluation = judge([TRAINED_1B, replace(TRAINED_1B, easy=np.nan), TRAINED_1B])
    assert evaluation.status["training_status"].iloc[-1] == "in_training"
    assert failed(evaluation, 12, "trained_1b") == ["performance_easy"]
    assert evaluation.status["is_certain"].all()


def test_the_40th_session_makes_untrainable_and_the_45th_may_make_trained():
    found = statuses(*[POOR] * 42, *[TRAINED_1A] * 3, POOR)
    assert found[38:] == [
        "in_training",
        *["untrainable"] * 5,
        "trained_1a",
        "trained_1a",
    ]


def test_40_biased_sessions_do_not_make_unbiasable():
    evaluation = judge([replace(POOR, protocol=BIASED)] * 40)
    assert evaluation.status["training_status"].iloc[-1] == "untrainable"
    assert rows(evaluation, 49, "unbiasable")["passed"].all()


def test_a_shift_between_the_blocks_makes_ready4ephysrig():
    runs = [*[TRAINED_1B] * 3, *[SHIFTS] * 3]
    assert statuses(*runs)[2:] == [*["trained_1b"] * 3, "ready4ephysrig"]
    table = rows(judge(runs), 15, "ready4ephysrig")
    assert table["passed"].all()
    assert table.loc["bias_shift", "value"] == pytest.approx(12, abs=0.05)
    assert table.loc["lapse_high_80", "value"] == pytest.approx(0.04, abs=0.001)


def test_the_shift_is_from_mostly_right_to_mostly_left():
    against = ((20, SHIFTED[2][1]), (50, GOOD), (80, SHIFTED[0][1]))
    evaluation = judge([replace(SHIFTS, curves=against)] * 3)
    assert failed(evaluation, 12, "ready4ephysrig") == ["bias_shift"]
    value = rows(evaluation, 12, "ready4ephysrig").loc["bias_shift", "value"]
    assert value == pytest.approx(-12, abs=0.05)


def test_training_sessions_between_biased_ones_do_not_count():
    runs = [SHIFTS, SHIFTS, POOR, SHIFTS]
    assert statuses(*runs)[-1] == "ready4ephysrig"
    windows = judge(runs).windows
    biased = windows[(windows["session"] == 13) & (windows["window"] == "last_three_biased")]
    assert biased["first_session"].tolist() == [10, 10, 10]


def test_ephys_sessions_do_not_count_for_ready4ephysrig():
    ephys = replace(SHIFTS, protocol=EPHYS)
    assert statuses(SHIFTS, SHIFTS, ephys)[-1] == "trained_1b"
    assert rows(judge([SHIFTS, SHIFTS, ephys]), 12, "ready4ephysrig").index.tolist() == ["protocol"]


def test_no_trials_of_even_probability_fail():
    evaluation = judge([replace(SHIFTS, curves=(SHIFTED[0], SHIFTED[2]))] * 3)
    assert failed(evaluation, 12, "ready4ephysrig") == ["blocks"]
    assert rows(evaluation, 12, "ready4ephysrig").loc["blocks", "value"] == 2
    assert evaluation.status["rule"].iloc[-1] == "criterion met"


@pytest.mark.parametrize("missing", [0, 2])
def test_no_trials_in_a_biased_block_write_trained_1b_unearned(missing: int):
    one = tuple(curve for i, curve in enumerate(SHIFTED) if i != missing)
    runs = [replace(SHIFTS, curves=one, times=(5.0,))] * 3
    assert statuses(*runs) == ["in_training", "in_training", "trained_1b"]
    assert rules(*runs)[-1] == "no trials in the biased blocks"
    assert failed(judge(runs), 12, "trained_1b") == ["reaction_time"]
    assert failed(judge(runs), 12, "ready4ephysrig")[0] == "blocks"


def test_no_trials_in_a_biased_block_take_ready4delay_back_for_a_session():
    unbiased = replace(ON_EPHYS_RIG, curves=((50, GOOD),))
    delayed = replace(unbiased, delay=16)
    runs = [*[SHIFTS] * 3, ON_EPHYS_RIG, unbiased, unbiased, delayed, POOR]
    assert statuses(*runs)[3:] == [
        *["ready4delay"] * 3,
        "trained_1b",
        "ready4delay",
    ]


def test_one_good_session_on_the_ephys_rig_makes_ready4delay():
    runs = [*[SHIFTS] * 3, SHIFTS, ON_EPHYS_RIG, POOR]
    assert statuses(*runs)[2:] == [*["ready4ephysrig"] * 2, "ready4delay", "ready4delay"]
    before, after = (rows(judge(runs), session, "ready4delay") for session in (12, 13))
    assert before.loc["previous_status", "value"] == 0
    assert after.loc["previous_status", "value"] == 1


@pytest.mark.parametrize(
    "run",
    [
        replace(ON_EPHYS_RIG, protocol=EPHYS),
        replace(ON_EPHYS_RIG, n_trials=400),
        replace(ON_EPHYS_RIG, easy=0.9),
    ],
)
def test_other_sessions_do_not_make_ready4delay(run: Run):
    assert statuses(*[SHIFTS] * 3, run)[-1] == "ready4ephysrig"


def test_three_sessions_on_the_ephys_rig_one_delayed_make_ready4recording():
    prompt = replace(RECORDS, delay=0)
    assert statuses(RECORDS, prompt, prompt)[-1] == "ready4recording"
    assert statuses(RECORDS, prompt, ON_EPHYS_RIG)[-1] == "ready4recording"


def test_a_delay_of_15_minutes_exactly_is_enough_for_ready4recording():
    runs = [replace(RECORDS, delay=delay) for delay in (0, 15, 0)]
    assert statuses(*runs)[-1] == "ready4recording"
    delay = rows(judge(runs), 12, "ready4recording").loc["delay"]
    assert delay[["value", "comparison", "limit"]].tolist() == [15, ">=", 15]


@pytest.mark.parametrize(
    ("runs", "measure", "value"),
    [
        ([replace(RECORDS, delay=14.9)] * 3, "delay", 14.9),
        ([replace(RECORDS, delay=np.nan)] * 3, "delay", np.nan),
        ([RECORDS, RECORDS, replace(RECORDS, board=TRAINING_RIG)], "ephys_rig", 2),
        ([RECORDS, RECORDS, replace(RECORDS, board=None)], "ephys_rig", 2),
    ],
)
def test_ready4recording_needs_the_rig_and_a_delay(runs: list[Run], measure: str, value: float):
    evaluation = judge(runs)
    assert evaluation.status["training_status"].iloc[-1] == "trained_1b"
    assert failed(evaluation, 12, "ready4recording") == [measure]
    found = rows(evaluation, 12, "ready4recording").loc[measure, "value"]
    assert found == pytest.approx(value, nan_ok=True)


def test_without_settings_a_mouse_on_its_way_to_the_rig_gets_no_row():
    """Later sessions do not see the session, only those before it."""
    runs = [*[SHIFTS] * 3, replace(SHIFTS, board=None), SHIFTS]
    evaluation = judge(runs)
    assert statuses(*runs)[2:] == ["ready4ephysrig", None, "ready4ephysrig"]
    assert evaluation.status["rule"].iloc[3] == "no Settings row"
    assert evaluation.status["is_certain"].all()


def test_settings_are_not_needed_before_or_after():
    assert statuses(*[replace(TRAINED_1B, board=None)] * 3)[-1] == "trained_1b"
    runs = [*[SHIFTS] * 3, ON_EPHYS_RIG, replace(SHIFTS, board=None)]
    assert statuses(*runs)[-1] == "ready4delay"


def test_a_session_without_protocol_counts_where_any_does():
    runs = [replace(TRAINED_1B, protocol=None)] * 3
    assert statuses(*runs)[-1] == "trained_1b"
    assert rows(judge(runs), 12, "ready4ephysrig").index.tolist() == ["protocol"]


def test_without_protocol_a_mouse_on_its_way_to_the_rig_gets_no_row():
    runs = [*[SHIFTS] * 3, replace(SHIFTS, protocol=None)]
    assert statuses(*runs)[-1] is None
    assert rules(*runs)[-1] == "no task protocol"


def test_biased_sessions_without_zero_contrast_get_no_row():
    runs = [replace(SHIFTS, contrasts=(6.25, 12.5, 25, 100), times=())] * 3
    assert statuses(*runs) == ["in_training", "in_training", None]
    assert rules(*runs)[-1] == "no trials at 0 % contrast"
    assert failed(judge(runs), 12, "ready4ephysrig") == ["reaction_time"]


def test_a_session_whose_trials_are_elsewhere_has_no_status_and_keeps_its_place():
    absent = replace(TRAINED_1B, has_trials=False, easy=np.nan)
    evaluation = judge([TRAINED_1B, TRAINED_1B, absent, *[TRAINED_1B] * 3])
    assert evaluation.status["training_status"].tolist() == [
        *["in_training", "in_training", None],
        *["in_training", "in_training", "trained_1b"],
    ]
    assert evaluation.status["is_certain"].tolist() == [True, True, *[False] * 4]
    assert failed(evaluation, 13, "trained_1b") == []
    assert unknown(evaluation, 13, "trained_1b") == [
        *["performance_easy", "bias", "threshold", "lapse_low", "lapse_high", "reaction_time"],
    ]
    window = evaluation.windows.set_index("session").loc[13]
    assert window["first_session"] == 11
    assert np.isnan(window["n_trials"])
    assert np.isnan(window["bias"])


def test_an_unknown_number_matters_where_nothing_else_fails():
    good, poor = (
        judge([run, run, replace(run, n_trials=np.nan)]).status["is_certain"].tolist()
        for run in (TRAINED_1B, POOR)
    )
    assert good == [True, True, False]
    assert poor == [True, True, True]


NEAR_1A = replace(TRAINED_1A, curves=((50, (0, 19.004, 0.1, 0.1)),))


def certain(evaluation: Evaluation) -> list[bool]:
    return evaluation.status["is_certain"].tolist()


@pytest.mark.parametrize(
    ("run", "curve", "criterion", "measure", "given"),
    [
        (TRAINED_1A, (0, 19.004, 0.1, 0.1), "trained_1a", "threshold", "in_training"),
        (TRAINED_1A, (0, 18.96, 0.1, 0.1), "trained_1a", "threshold", "trained_1a"),
        (TRAINED_1A, (-16.2, 15, 0.1, 0.1), "trained_1a", "bias", "in_training"),
        (TRAINED_1B, (0, 12, 0.0995, 0.03), "trained_1b", "lapse_low", "trained_1b"),
        (TRAINED_1B, (0, 12, 0.03, 0.1005), "trained_1b", "lapse_high", "trained_1a"),
    ],
)
def test_a_limit_within_the_standard_error_of_the_fit_makes_a_status_uncertain(
    run: Run, curve: tuple[float, ...], criterion: str, measure: str, given: str
):
    evaluation = judge([replace(run, curves=((50, curve),))] * 3)
    assert evaluation.status["training_status"].iloc[-1] == given
    assert certain(evaluation) == [True, True, False]
    row = rows(evaluation, 12, criterion).loc[measure]
    assert 0 < abs(row["value"] - row["limit"]) < row["standard_error"]
    assert not row["is_certain"]


def test_a_bias_shift_within_its_standard_error_of_5_is_uncertain():
    """That of a difference: the root of the sum of the squares of both blocks' errors."""
    curves = ((20, (-2.4, 15, 0.03, 0.03)), (50, GOOD), (80, (2.4, 15, 0.04, 0.04)))
    evaluation = judge([replace(SHIFTS, curves=curves)] * 3)
    row = rows(evaluation, 12, "ready4ephysrig").loc["bias_shift"]
    windows = evaluation.windows.query("window == 'last_three_biased' and prob_left_block > 0")
    assert row["standard_error"] == pytest.approx(np.hypot(*windows["bias_se"]))
    assert not row["is_certain"]
    assert not certain(evaluation)[-1]


def test_a_value_near_its_limit_does_not_matter_where_something_else_fails():
    evaluation = judge([replace(NEAR_1A, n_trials=150)] * 3)
    assert certain(evaluation) == [True] * 3
    assert rows(evaluation, 12, "trained_1a")["is_certain"].to_dict()["threshold"] is False


def test_a_status_is_certain_again_once_every_way_leads_to_it():
    """Perhaps trained_1a at the third session, and in any case at the fourth."""
    steep = replace(TRAINED_1A, curves=((50, (0, 10, 0.1, 0.1)),))
    evaluation = judge([*[NEAR_1A] * 3, steep, POOR])
    assert evaluation.status["training_status"].tolist()[2:] == [
        "in_training",
        *["trained_1a"] * 2,
    ]
    assert certain(evaluation) == [True, True, False, True, True]


def test_a_limit_far_from_the_value_is_certain_also_at_a_bound():
    perfect = replace(TRAINED_1B, curves=((50, (0, 12, 0, 0)),))
    evaluation = judge([perfect] * 3)
    table = rows(evaluation, 12, "trained_1b")
    assert certain(evaluation) == [True] * 3
    assert table["is_certain"].all()
    assert table["standard_error"].notna().to_dict() == {
        name: name in ("bias", "threshold") for name in table.index
    }


def test_what_the_trials_do_not_determine_is_not_certain():
    always = ((20, (-1000, 15, 0, 0)), (50, GOOD), (80, GOOD))
    evaluation = judge([replace(SHIFTS, curves=always)] * 3)
    table = rows(evaluation, 12, "ready4ephysrig")
    assert not table.loc[["bias_shift", "lapse_low_20", "lapse_high_20"], "is_certain"].any()
    assert table.loc[["lapse_low_80", "lapse_high_80"], "is_certain"].all()
    assert not certain(evaluation)[-1]


def test_whether_a_mouse_was_ready_for_the_rig_is_as_certain_as_its_status():
    curves = ((20, (-2.6, 15, 0.03, 0.03)), (50, GOOD), (80, (2.6, 15, 0.04, 0.04)))
    evaluation = judge([*[replace(SHIFTS, curves=curves)] * 3, ON_EPHYS_RIG])
    assert evaluation.status["training_status"].iloc[-1] == "ready4delay"
    assert not certain(evaluation)[-1]
    assert not rows(evaluation, 13, "ready4delay").loc["previous_status", "is_certain"]


def test_good_enough_for_the_brainwide_map_is_of_the_session_alone():
    evaluation = judge(
        [
            RECORDS,
            replace(RECORDS, n_trials=400),
            replace(RECORDS, easy=np.nan),
            replace(RECORDS, protocol=None),
            SHIFTS,
            replace(RECORDS, has_trials=False, easy=np.nan),
        ]
    )
    good = evaluation.status["good_enough_for_brainwide_map"]
    assert good.tolist()[:5] == [True, False, False, False, False]
    assert good.isna().tolist() == [*[False] * 5, True]


def test_the_windows_hold_the_pooled_curves():
    windows = judge([*[TRAINED_1B] * 2, *[SHIFTS] * 3]).windows
    last = windows[windows["session"] == 14]
    assert last["window"].tolist() == [
        "last_three",
        *["last_three_biased"] * 3,
        *["last_three_biased_or_ephys"] * 3,
    ]
    assert last["prob_left_block"].fillna(0).tolist() == [0, 0, 20, 80, 0, 20, 80]
    assert last["n_trials"].tolist() == [8100, 8100, 2700, 2700, 8100, 2700, 2700]
    assert last["first_session"].tolist() == [12] * 7
    assert last["bias"].iloc[2:4].tolist() == pytest.approx([-6, 6], abs=0.05)
    assert last["verdict"].tolist() == ["ok"] * 7
    mixed = windows[(windows["session"] == 12) & (windows["window"] == "last_three")]
    assert mixed["n_trials"].tolist() == [900 + 900 + 2700]


runs_of_a_mouse = st.lists(
    st.builds(
        Run,
        protocol=st.sampled_from([BIASED, BIASED, EPHYS, TRAINING, None]),
        n_trials=st.sampled_from([500, 500, 500, 300, np.nan]),
        easy=st.sampled_from([0.95, 0.95, 0.85, np.nan]),
        board=st.sampled_from([EPHYS_RIG, EPHYS_RIG, TRAINING_RIG, None]),
        delay=st.sampled_from([16.0, np.nan]),
        has_trials=st.sampled_from([True] * 9 + [False]),
        curves=st.sampled_from([SHIFTED, SHIFTED, UNSHIFTED, ((50, GOOD),), ((50, FAIR),)]),
        contrasts=st.sampled_from([ALL, ALL, EASY]),
        times=st.sampled_from([(0.5,), (0.5,), (3.0,), ()]),
    ),
    max_size=12,
)


@pytest.mark.slow
@settings(max_examples=100, deadline=None)
@given(st.lists(runs_of_a_mouse, max_size=3))
def test_the_criteria_tell_the_status(mice: list[list[Run]]):
    evaluation = judge(*mice)
    met = evaluation.criteria.groupby(["session", "criterion"])["passed"].agg(
        lambda passed: passed.fillna(False).all()
    )
    subjects = [m for m, mouse in enumerate(mice) for _ in mouse]
    status = evaluation.status.assign(subject=subjects)
    for _, sessions in status.groupby("subject"):
        reached = set()
        for row in sessions.itertuples():
            first = next((c.name for c in LADDER if met[row.session, c.name]), "in_training")
            if row.rule in ("criterion met", "criterion not met", "fewer than three sessions"):
                assert row.training_status == first
            elif row.rule == "reached before":
                assert row.training_status in reached
            else:
                assert row.rule == "no trials in the biased blocks" or row.training_status is None
            reached.add(row.training_status)
    assert set(status["training_status"].dropna()) <= set(STATUSES)


@given(st.lists(runs_of_a_mouse, min_size=1, max_size=2))
@settings(max_examples=50, deadline=None)
def test_every_row_can_be_checked_by_hand(mice: list[list[Run]]):
    criteria = judge(*mice).criteria
    passes = {
        "<": criteria["value"] < criteria["limit"],
        ">": criteria["value"] > criteria["limit"],
        ">=": criteria["value"] >= criteria["limit"],
        "=": criteria["value"] == criteria["limit"],
    }
    known = criteria["passed"].notna()
    for comparison, expected in passes.items():
        asked = known & (criteria["comparison"] == comparison)
        assert (criteria["passed"][asked] == expected[asked]).all()
    assert criteria["value"][~known].isna().all()
    assert criteria.groupby("session")["criterion"].nunique().isin([len(CRITERIA)]).all()
