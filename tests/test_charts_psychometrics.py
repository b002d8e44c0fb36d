"""The charts of psychometric curves, reaction times and choice history, on a few trials by hand."""

from datetime import timedelta
from uuid import UUID

import pandas as pd
import pytest
from handmade import (
    BIASED,
    CHOSE_LEFT,
    CHOSE_RIGHT,
    DAY_SUMMARIES,
    MONDAY,
    MOUSE,
    NO_GO,
    OTHER_MOUSE,
    TRAINING,
    add,
    add_mouse,
    add_session,
    add_to_session,
    add_trial,
    define,
    left,
    opened,
    right,
)

from analyses import (
    bias_shift,
    block_curves,
    choice_history,
    chronometric_curves,
    psychometric_curves,
    variability_across_labs,
)

pytestmark = pytest.mark.slow

CHARTS = (
    bias_shift,
    block_curves,
    choice_history,
    chronometric_curves,
    psychometric_curves,
    variability_across_labs,
)
CONTRASTS = (-100, -50, -25, -12.5, 0, 12.5, 25, 50, 100)


@pytest.fixture
def con():
    with opened(DAY_SUMMARIES) as connection:
        for lab, institution in (("mainenlab", "CCU"), ("zadorlab", "CSHL")):
            add(
                connection,
                "reference.lab",
                lab_name=lab,
                institution=institution,
                institution_short=institution,
                time_zone="Europe/Lisbon",
            )
        yield connection


def mouse(con, uuid=MOUSE, nickname="mouse", lab="mainenlab"):
    add_mouse(con, uuid, nickname)
    add(con, "subject.subject_lab", subject_uuid=uuid, lab_name=lab)


def session(con, status=None, start=MONDAY, uuid=MOUSE, protocol=TRAINING):
    add_session(con, start, protocol, uuid)
    if status:
        add_to_session(
            con,
            "behavior_analyses.session_training_status",
            start,
            uuid,
            training_status=status,
            good_enough_for_brainwide_map=False,
        )


def trials(con, shares, n_trials=20, start=MONDAY, uuid=MOUSE, first_id=1, **values):
    """`n_trials` of each contrast, of which the share was chosen right."""
    trial_id = first_id
    con.begin()
    for percent, share in shares.items():
        side = right(percent / 100) if percent > 0 else left(-percent / 100)
        for n in range(n_trials):
            choice = CHOSE_RIGHT if n < round(share * n_trials) else CHOSE_LEFT
            add_trial(con, trial_id, start, uuid, **side | choice | values)
            trial_id += 1
    con.commit()
    return trial_id


def rising(low=0.1, zero=0.5, high=0.9):
    """Shares of choices right that rise with contrast."""
    half = (low, low, low + 0.05, low + 0.1)
    return dict(zip(CONTRASTS, (*half, zero, high - 0.1, high - 0.05, high, high), strict=True))


def datasets(chart):
    drawn = chart.to_dict()
    return [row for rows in drawn.get("datasets", {}).values() for row in rows]


def words(chart):
    return " ".join(chart.to_dict()["title"]["subtitle"])


@pytest.mark.parametrize("module", CHARTS, ids=lambda module: module.__name__)
def test_a_chart_of_nothing_says_so(con, module):
    mouse(con)
    session(con, "in_training")
    trials(con, rising())
    define(con)
    for values in ({}, {"lab": "zadorlab"}, {"cohort": "paper"}):
        [row] = datasets(module.chart(con, **values))
        assert row["why"].startswith("no ")


# psychometric_curves


def test_the_laboratorys_mean_counts_each_mouse_the_same(con):
    mouse(con)
    mouse(con, OTHER_MOUSE, "other")
    for uuid, zero, n_trials in ((MOUSE, 0.5, 40), (OTHER_MOUSE, 0.8, 20)):
        session(con, "trained_1a", uuid=uuid)
        trials(con, rising(zero=zero), n_trials, uuid=uuid)
    define(con)
    chart = psychometric_curves.chart(con)
    [zero] = [r for r in datasets(chart) if r.get("kind") == "mean" and r["x"] == 0]
    assert (zero["n_mice"], zero["percent_right"]) == (2, pytest.approx(65))
    assert "2 mice, 2 curves, 540 trials" in words(chart)


THIRD_MOUSE = UUID(int=3)


@pytest.mark.parametrize(("shares", "ends"), [((0.5, 0.8), None), ((0.4, 0.5, 0.9), (44.7, 75.3))])
def test_a_mean_of_two_mice_has_no_bar(con, shares, ends):
    """Berkeley had two, with a standard error of the whole axis."""
    for uuid, zero in zip((MOUSE, OTHER_MOUSE, THIRD_MOUSE), shares, strict=False):
        mouse(con, uuid, f"mouse {uuid.int}")
        session(con, "trained_1a", uuid=uuid)
        trials(con, rising(zero=zero), uuid=uuid)
    define(con)
    drawn = datasets(psychometric_curves.chart(con))
    [zero] = [r for r in drawn if r.get("kind") == "mean" and r["x"] == 0]
    found = (zero["low"], zero["high"])
    assert found == ((None, None) if ends is None else pytest.approx(ends, abs=0.1))


def test_only_the_three_days_up_to_being_trained_count(con):
    mouse(con)
    for day in range(5):
        start = MONDAY + timedelta(days=day)
        session(con, "trained_1a" if day == 3 else "in_training", start)
        trials(con, rising(), start=start)
    define(con)
    assert "1 mouse, 1 curve, 540 trials" in words(psychometric_curves.chart(con))


def test_a_curve_passes_near_the_shares_that_it_was_fitted_to(con):
    mouse(con)
    session(con, "trained_1a")
    trials(con, rising())
    define(con)
    line = [r for r in datasets(psychometric_curves.chart(con)) if r.get("kind") == "mouse"]
    at = {row["x"]: row["percent_right"] for row in line}
    assert at[-37] == pytest.approx(10, abs=3)
    assert at[37] == pytest.approx(90, abs=3)
    [near_zero] = [share for x, share in at.items() if abs(x) == min(map(abs, at)) and x >= 0]
    assert near_zero == pytest.approx(50, abs=5)


def test_on_the_broken_axis_100_stands_at_35_and_50_is_not_drawn():
    points = pd.DataFrame({"signed_contrast": [-100.0, -50.0, -4.0, 0.0, 25.0, 100.0]})
    assert psychometric_curves.point_rows(points)["x"].tolist() == [-35, 0, 25, 35]


def test_a_mouse_that_always_chooses_right_has_no_curve(con):
    mouse(con)
    mouse(con, OTHER_MOUSE, "other")
    session(con, "trained_1a")
    trials(con, rising())
    session(con, "trained_1a", uuid=OTHER_MOUSE)
    trials(con, dict.fromkeys(CONTRASTS, 1), uuid=OTHER_MOUSE)
    define(con)
    chart = psychometric_curves.chart(con)
    assert "2 mice, 1 curve, 360 trials" in words(chart)
    assert {r["subject_nickname"] for r in datasets(chart) if r.get("kind") == "mouse"} == {"mouse"}


# block_curves, bias_shift


def in_blocks(con, status, uuid=MOUSE, shares=(0.75, 0.2)):
    """A biased session with these shares right at 0 contrast in blocks of 20 and 80."""
    session(con, status, uuid=uuid, protocol=BIASED)
    next_id = trials(con, rising(zero=shares[0]), uuid=uuid, trial_stim_prob_left=0.2)
    return trials(
        con, rising(zero=shares[1]), uuid=uuid, first_id=next_id, trial_stim_prob_left=0.8
    )


def test_points_of_blocks_have_the_intervals_of_the_view(con):
    mouse(con)
    next_id = in_blocks(con, "ready4ephysrig")
    add_trial(con, next_id, **right(0.0), **NO_GO, trial_stim_prob_left=0.2)
    define(con)
    chart = block_curves.chart(con)
    points = [r for r in datasets(chart) if "low" in r]
    found = {(r["prob_left_block"], r["signed_contrast"]): r for r in points}
    assert found[20, 0]["percent_right"] == 75
    assert found[20, 0]["n_choices"] == 20
    assert found[80, 0]["percent_right"] == 20
    for block, contrast, low, high in con.execute(
        "select prob_left_block, signed_contrast, p_right_low68, p_right_high68"
        " from psychometrics_by_block where abs(signed_contrast) <> 50"
    ).fetchall():
        ends = found[block, contrast]["low"], found[block, contrast]["high"]
        assert ends == (pytest.approx(100 * low), pytest.approx(100 * high))
    assert "1 mouse, 1 session, 361 trials" in words(chart)


def test_a_mouse_that_was_never_ready_is_drawn_when_asked_for(con):
    mouse(con)
    in_blocks(con, "trained_1b")
    define(con)
    assert "why" in datasets(block_curves.chart(con))[0]
    for name in ("mouse", str(MOUSE)):
        assert "1 session, 360 trials" in words(block_curves.chart(con, subject=name))


def test_the_shift_is_right_in_20_minus_right_in_80(con):
    mouse(con)
    mouse(con, OTHER_MOUSE, "other", "zadorlab")
    in_blocks(con, "ready4ephysrig")
    in_blocks(con, "ready4ephysrig", OTHER_MOUSE, (0.5, 0.25))
    define(con)
    at_zero = [r for r in datasets(bias_shift.chart(con)) if r.get("signed_contrast") == 0]
    mice = {r["subject_nickname"]: r["shift"] for r in at_zero if r.get("kind") == "mouse"}
    assert mice == {"mouse": pytest.approx(55), "other": pytest.approx(25)}
    [every] = [r for r in at_zero if r["institution_short"] == bias_shift.ALL]
    assert (every["n_mice"], every["shift"]) == (2, pytest.approx(40))


# chronometric_curves


def test_reaction_times_are_medians_from_the_onset_of_trials_with_a_choice(con):
    mouse(con)
    session(con, "trained_1a")
    for trial_id, seconds in enumerate((0.2, 0.3, 0.9), start=1):
        onset = 10.0 * trial_id + 1
        add_trial(con, trial_id, trial_response_time=onset + seconds)
    add_trial(con, 4, **NO_GO, trial_response_time=101.0)
    add_trial(con, 5, trial_stim_on_time=None, trial_go_cue_trigger_time=51.0)
    define(con)
    chart = chronometric_curves.chart(con)
    [found] = [r for r in datasets(chart) if r.get("kind") == "mouse"]
    assert (found["x"], found["seconds"]) == (35, pytest.approx(0.3))
    assert "1 mouse, 3 trials" in words(chart)
    assert "go on" not in words(chart)
    assert "go on above 0.25 s" in words(chronometric_curves.chart(con, longest=0.25))
    assert "why" in datasets(chronometric_curves.chart(con, subject="other"))[0]


# variability_across_labs


def test_each_mouse_has_its_measures(con):
    mouse(con)
    for day in range(2):
        start = MONDAY + timedelta(days=day)
        session(con, "trained_1a" if day else "in_training", start)
        trials(con, rising(), 20 + 20 * day, start=start)
    define(con)
    [found] = variability_across_labs.measured(con).to_dict("records")
    assert (found["n_trials"], found["n_sessions"]) == (270, 2)
    # handmade trials are all rewarded; `correct` goes by side and choice
    assert found["performance_easy"] == pytest.approx(90)
    assert found["reaction_time"] == pytest.approx(0.5)
    assert found["bias"] == pytest.approx(0, abs=1)
    assert "1 mouse, 2 sessions" in words(variability_across_labs.chart(con))


def test_easy_is_a_contrast_of_50_percent_and_no_less(con):
    mouse(con)
    session(con, "trained_1a")
    trials(con, {100: 1, 50: 0.5, 49.95: 0})
    define(con)
    [found] = variability_across_labs.measured(con).to_dict("records")
    assert found["performance_easy"] == pytest.approx(75)


def test_trials_per_minute_are_of_sessions_that_end_after_their_start(con):
    mouse(con)
    minutes = (90, 45, None, -1)
    for day, length in enumerate(minutes):
        start = MONDAY + timedelta(hours=3 * day)
        session(con, "trained_1a", start)
        trials(con, rising(), 20, start=start)
        if length is not None:
            con.execute(
                "update acquisition.session set session_end_time = ? where session_start_time = ?",
                [start + timedelta(minutes=length), start],
            )
    define(con)
    [found] = variability_across_labs.measured(con).to_dict("records")
    # 180 trials a session
    assert found["trials_per_minute"] == pytest.approx(360 / 135)
    assert found["n_sessions"] == 4


def test_six_measures_of_two_labs_are_tested_and_correlated(con):
    for n in range(4):
        uuid = UUID(int=100 + n)
        mouse(con, uuid, f"mouse {n}", "mainenlab" if n < 2 else "zadorlab")
        session(con, "trained_1a", uuid=uuid)
        trials(
            con,
            rising(),
            10 + n,
            uuid=uuid,
            trial_stim_on_time=11.0,
            trial_response_time=11.5 + n,
        )
    define(con)
    drawn = variability_across_labs.chart(con).to_dict()
    titles = [panel["title"]["text"] for panel in drawn["concat"]]
    assert {panel["title"]["orient"] for panel in drawn["concat"]} == {"bottom"}
    assert len(titles) == len(variability_across_labs.MEASURES) == 6
    # ranks 1 and 2 against 3 and 4: H = 12 / (4 * 5) * (3 ** 2 + 7 ** 2) / 2 - 3 * 5
    assert titles[0][0].startswith("Kruskal-Wallis, H(1) = 2.4, p = ")
    assert titles[0][0].endswith("n = 4")
    # no session has an end
    assert titles[5] == ["no test without two laboratories of two mice"]
    assert "Spearman r = 1.00" in " ".join(drawn["title"]["subtitle"])


# choice_history


def test_updating_that_the_following_trial_explains_as_well_is_subtracted(con):
    mouse(con)
    session(con, "ready4ephysrig", protocol=BIASED)
    for trial_id in range(1, 41):
        choice = CHOSE_RIGHT if trial_id <= 20 else CHOSE_LEFT
        add_trial(con, trial_id, **right(0.0), **choice)
    define(con)
    chart = choice_history.chart(con)
    found = {r["least_trials"]: r for r in datasets(chart) if "least_trials" in r}
    # 38 of 39 trials stay; right after right: 19 of 20, after left: none of 19,
    # right before right: 19 of 19, before left: 1 of 20
    assert found[39]["percent"] == pytest.approx(100 * 38 / 39)
    assert found[19]["percent"] == pytest.approx(0)
    assert found[39]["task"] == "with blocks"
    assert "1 mouse, 1 session" in words(chart)


def test_measures_of_few_trials_are_left_out(con):
    mouse(con)
    session(con, "trained_1a")
    for trial_id in range(1, 17):
        add_trial(con, trial_id, trial_rep_num=1, trial_feedback_type=1 if trial_id > 5 else -1)
    define(con)
    # ten trials after a reward, five after an error, none at 0 contrast
    [found] = [r for r in datasets(choice_history.chart(con)) if "least_trials" in r]
    assert (found["task"], found["percent"], found["least_trials"]) == ("basic", 100, 10)
