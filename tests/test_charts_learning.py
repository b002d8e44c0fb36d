"""The charts of learning, of performance and of fits, on mice and days by hand."""

from datetime import timedelta
from uuid import UUID

import pandas as pd
import pytest
from charted import add_status, data, having, opened, words
from handmade import (
    BIASED,
    CHOSE_LEFT,
    CHOSE_RIGHT,
    MONDAY,
    MOUSE,
    OTHER_MOUSE,
    TRAINING,
    add,
    add_lab,
    add_mouse,
    add_session,
    add_trial,
    define,
    left,
    right,
)

from analyses import learning_curves, learning_fits
from mirror.errors import UsageError

pytestmark = pytest.mark.slow

# Shares of choices right that rise with contrast, the same to both sides of 0.
RISING = {-100: 0.1, -25: 0.1, -12.5: 0.2, 0: 0.5, 12.5: 0.8, 25: 0.9, 100: 0.9}
THIRD_MOUSE = UUID(int=3)


@pytest.fixture
def con():
    with opened() as connection:
        yield connection


def add_lab_and_mice(con, lab, institution_short, *mice):
    for number, mouse in enumerate(mice):
        add_mouse(con, mouse, f"{institution_short} {number}")
    add_lab(con, lab, institution_short, *mice)


def add_trials(con, day, contrasts, prob_left=0.5, n=20, mouse=MOUSE, first_id=1):
    """A block with so many trials of each contrast, in the session of a day."""
    start = MONDAY + timedelta(days=day)
    for number, percent in enumerate(contrasts):
        side = right(percent / 100) if percent > 0 else left(-percent / 100)
        for trial in range(n):
            choice = CHOSE_RIGHT if trial < round(RISING[percent] * n) else CHOSE_LEFT
            trial_id = first_id + number * n + trial
            values = side | choice | {"trial_stim_prob_left": prob_left}
            add_trial(con, trial_id, start, mouse, **values)


def add_stored_day(con, day, mouse=MOUSE, n_trials=101, performance_easy=0.5):
    add(
        con,
        "behavior_analyses.behavioral_summary_by_date",
        subject_uuid=mouse,
        session_date=MONDAY.date() + timedelta(days=day),
        performance=performance_easy,
        performance_easy=performance_easy,
        n_trials_date=n_trials,
        training_day=day + 1,
        training_week=0,
    )


def add_stored_fit(con, day, threshold, bias, mouse=MOUSE, block=0, n_contrasts=6):
    add_stored_day(con, day, mouse)
    add(
        con,
        "behavior_analyses.behavioral_summary_by_date__psych_results",
        subject_uuid=mouse,
        session_date=MONDAY.date() + timedelta(days=day),
        prob_left_block=block,
        prob_left=0.5,
        signed_contrasts=[float(n) for n in range(n_contrasts)],
        n_trials_stim=[10] * n_contrasts,
        threshold=threshold,
        bias=bias,
        lapse_low=0.0,
        lapse_high=0.0,
    )


def of_mice(chart):
    return having(chart, "subject_uuid")


def of_means(chart, panel):
    """Laboratory and day of the means in a panel, in the order in which they are drawn."""
    rows = [row for row in having(chart, "n_mice") if row["panel"] == panel]
    return [(row["institution_short"], row["day"]) for row in rows]


def test_days_with_six_contrasts_of_even_blocks_are_drawn(con):
    add_mouse(con)
    for day, protocol in enumerate((TRAINING, TRAINING, TRAINING, BIASED)):
        add_session(con, MONDAY + timedelta(days=day), protocol)
    # no more than 100 trials, and four contrasts: days that count and are not drawn
    add_trials(con, 0, RISING, n=10)
    add_trials(con, 1, [-100, -25, 25, 100], n=30)
    add_trials(con, 2, RISING)
    add_trials(con, 3, [-100, -25, 25, 100], n=30)
    add_trials(con, 3, RISING, 0.8, first_id=1000)
    add_status(con, MONDAY + timedelta(days=2), "trained_1a")
    define(con)
    chart = learning_fits.chart(con)
    [day] = of_mice(chart)
    # the third day, in the middle of the first three
    assert (day["day"], day["is_trained"], day["n_trials"]) == (2, True, 140)
    assert day["bias"] == pytest.approx(0, abs=0.01)
    assert 5 < day["threshold"] < 25
    assert "1 mouse, 1 day with six contrasts, 140 trials" in words(chart)
    assert not having(chart, "n_mice")


def test_stored_fits_are_drawn_on_request(con):
    add_mouse(con)
    add_stored_fit(con, 0, 50, -40)
    add_stored_fit(con, 1, 20, 0, n_contrasts=5)
    add_stored_fit(con, 2, 10, 5)
    add_stored_fit(con, 4, 12, 6)
    # of blocks with 20 % on the left, and after the last day
    add_stored_fit(con, 3, 10, 5, block=1)
    add_stored_fit(con, 41, 10, 5)
    define(con)
    chart = learning_fits.chart(con, source="stored")
    assert [(r["day"], r["threshold"], r["bias"]) for r in of_mice(chart)] == [
        # the medians of two days, and a third
        (2, 30, -17.5),
        (5, 12, 6),
    ]
    assert "the server's fits" in words(chart)
    [row] = data(learning_fits.chart(con))
    assert row["why"] == "no derived fits of a day with six contrasts match"
    with pytest.raises(UsageError, match="derived or stored, not 'both'"):
        learning_fits.chart(con, source="both")


def test_threshold_and_bias_share_their_rows_and_the_mouse_under_the_pointer(con):
    add_lab_and_mice(con, "mainenlab", "CCU", MOUSE)
    add_lab_and_mice(con, "cortexlab", "UCL", OTHER_MOUSE)
    for mouse in (MOUSE, OTHER_MOUSE):
        add_stored_fit(con, 0, 10, 5, mouse)
    define(con)
    drawn = learning_fits.chart(con, source="stored").to_dict()
    assert len(drawn["datasets"]) == 1
    above, below = drawn["concat"]
    for row, field, ends in ((above, "threshold", [0, 40]), (below, "bias", [-30, 30])):
        mice, wide, means = row["spec"]["layer"]
        for layer in (mice, wide, means):
            assert layer["encoding"]["y"]["field"] == field
            assert layer["encoding"]["y"]["scale"] == {
                "domain": ends,
                "clamp": True,
                "nice": False,
            }
        assert row["facet"]["sort"] == ["UCL", "CCU"]
        assert mice["name"] in drawn["params"][0]["views"]


def test_the_last_panel_has_the_means_of_laboratories_and_that_of_all_on_top(con):
    mice = [UUID(int=number) for number in range(1, 8)]
    add_lab_and_mice(con, "mainenlab", "CCU", *mice[:4])
    add_lab_and_mice(con, "cortexlab", "UCL", *mice[4:])
    for mouse in mice:
        add_stored_day(con, 0, mouse, performance_easy=0.4 if mouse in mice[:4] else 0.75)
    # three of one laboratory, and three of both
    for mouse in mice[:3]:
        add_stored_day(con, 1, mouse)
    for mouse in mice[3:6]:
        add_stored_day(con, 2, mouse)
    define(con)
    chart = learning_curves.chart(con)
    assert of_means(chart, "UCL") == [("UCL", 1)]
    assert of_means(chart, "CCU") == [("CCU", 1), ("CCU", 2)]
    assert of_means(chart, "all") == [
        ("CCU", 1),
        ("CCU", 2),
        ("UCL", 1),
        ("all", 1),
        ("all", 2),
        ("all", 3),
    ]
    means = {row["institution_short"]: row for row in having(chart, "n_mice") if row["day"] == 1}
    # of mice, not of laboratories
    assert means["all"]["performance_easy"] == pytest.approx((4 * 40 + 3 * 75) / 7)
    assert means["UCL"]["performance_easy"] == pytest.approx(75)
    assert chart.to_dict()["facet"]["sort"] == ["UCL", "CCU", "all"]
    assert "of all in black" in words(chart)


def test_one_laboratory_has_no_panel_of_all(con):
    mice = (MOUSE, OTHER_MOUSE, THIRD_MOUSE)
    add_lab_and_mice(con, "mainenlab", "CCU", *mice)
    for mouse in mice:
        add_stored_fit(con, 0, 10, 5, mouse)
    define(con)
    for chart in (learning_curves.chart(con), learning_fits.chart(con, source="stored")):
        assert {row["panel"] for row in data(chart)} == {"CCU"}
        # a point of fits is of three days
        assert of_means(chart, "CCU") in ([("CCU", 1)], [("CCU", 2)])
        assert "all in black" not in words(chart)


def heads(chart):
    """What stands over the panels of a chart of laboratories."""
    drawn = chart.to_dict()
    facet = drawn["facet"] if "facet" in drawn else drawn["concat"][0]["facet"]
    return facet["header"]["labelExpr"]


def test_every_panel_says_of_how_many_mice_it_is(con):
    """Berkeley and SWC had two mice each, and nothing said so."""
    add_lab_and_mice(con, "mainenlab", "CCU", MOUSE, OTHER_MOUSE)
    add_lab_and_mice(con, "cortexlab", "UCL", THIRD_MOUSE)
    for mouse in (MOUSE, OTHER_MOUSE, THIRD_MOUSE):
        add_stored_fit(con, 0, 10, 5, mouse)
    define(con)
    for chart in (learning_curves.chart(con), learning_fits.chart(con, source="stored")):
        assert all(words in heads(chart) for words in ("CCU, 2 mice", "UCL, 1 mouse"))
        assert "all, 3 mice" in heads(chart)


def test_no_cell_without_a_panel_has_axes(con):
    add_lab_and_mice(con, "mainenlab", "CCU", MOUSE)
    add_stored_day(con, 0)
    define(con)
    assert learning_curves.chart(con).to_dict()["resolve"] == {"axis": {"x": "independent"}}


def test_laboratories_in_one_panel_have_a_dash_each(con):
    mice = [UUID(int=number) for number in range(1, 7)]
    add_lab_and_mice(con, "mainenlab", "CCU", *mice[:3])
    add_lab_and_mice(con, "cortexlab", "UCL", *mice[3:])
    for mouse in mice:
        add_stored_day(con, 0, mouse)
    define(con)
    *_, means = learning_curves.chart(con).to_dict()["spec"]["layer"]
    dashes = means["encoding"]["strokeDash"]["condition"]["scale"]["range"]
    assert len({tuple(dash) for dash in dashes[:2]}) == 2


def test_mice_leave_room_for_the_means():
    days = pd.DataFrame({"day": range(4500)})
    assert learning_curves.step(days, days[:0]) == 1
    assert learning_curves.step(days, days[:1]) == 2
    assert learning_curves.step(days, days) == 4
