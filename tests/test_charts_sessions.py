"""The charts of sessions and last days, and the rows of one mouse against those of all."""

import re
from datetime import timedelta
from math import sqrt

import altair as alt
import pandas as pd
import pytest
import vl_convert
from charted import add_status, opened, words
from handmade import (
    ACTION,
    BIASED,
    CHOSE_LEFT,
    CHOSE_RIGHT,
    ERROR,
    MONDAY,
    MOUSE,
    NO_GO,
    OTHER_MOUSE,
    TUESDAY,
    add,
    add_mouse,
    add_session,
    add_trial,
    define,
    left,
    right,
)

from analyses import (
    criterion_checklist,
    mouse_contrasts,
    mouse_fits,
    mouse_last_days,
    mouse_progress,
    mouse_weights,
    session_course,
    session_curves,
    style,
)
from mirror.derive import psychometric
from mirror.report import contents

pytestmark = pytest.mark.slow

WEDNESDAY, THURSDAY = (TUESDAY + timedelta(days=n) for n in (1, 2))
# Square of the normal quantile that leaves out 32 %.
SQUARE = 0.98894648
# Choices to the right of twenty, by contrast: alike in both blocks but for 0.
RISING = {-100: 2, -25: 2, -12.5: 4, 12.5: 16, 25: 18, 100: 18}

OF_MICE = (
    criterion_checklist,
    mouse_contrasts,
    mouse_fits,
    mouse_last_days,
    mouse_progress,
    mouse_weights,
    session_course,
    session_curves,
)


@pytest.fixture(scope="module")
def con():
    """One mouse with four days, and another with the first and third, which has no status."""
    with opened() as connection:
        add_mouse(connection)
        add_mouse(connection, OTHER_MOUSE, "other")
        connection.execute(ACTION)
        for mouse in (MOUSE, OTHER_MOUSE):
            weighed = {"subject_uuid": mouse, "weighing_time": MONDAY, "weight": 20.0}
            add(connection, "action.weighing", **weighed)
        add_few_trials(connection)
        add_blocks(connection)
        add_curves(connection)
        add_session(connection, THURSDAY)
        add_trial(connection, 1, THURSDAY)
        add_trial(connection, 2, THURSDAY)
        for start, status in ((MONDAY, "in_training"), (TUESDAY, "trained_1a")):
            add_status(connection, start, status)
        for start, n_trials in ((MONDAY, 1), (WEDNESDAY, 2)):
            add_session(connection, start, mouse=OTHER_MOUSE)
            for trial_id in range(n_trials):
                add_trial(connection, trial_id, start, OTHER_MOUSE, **left(1.0), **CHOSE_LEFT)
            add_status(connection, start, "in_training", OTHER_MOUSE)
        define(connection)
        yield connection


def took(seconds, trial_id):
    return {"trial_response_time": 10.0 * trial_id + 1 + seconds}


def add_few_trials(con):
    """Three right and a no-go at 100 %, one right of two at -25 %, one left at -100 %."""
    add_session(con)
    for trial_id, seconds in enumerate((0.2, 0.4, 0.6), start=1):
        add_trial(con, trial_id, **took(seconds, trial_id))
    add_trial(con, 4, **NO_GO, **took(60, 4))
    add_trial(con, 5, **left(0.25), **CHOSE_LEFT, **took(1, 5))
    add_trial(con, 6, **left(0.25), **ERROR, trial_response_time=None)
    # before the stimulus: a reaction time that is below 0
    add_trial(con, 7, **left(1.0), **CHOSE_LEFT, **took(-0.1, 7))


def add_blocks(con):
    """Trials 1 to 25 without 5 and 14: four at even odds, then blocks of 20, 80, 20 and 80."""
    prob_left = dict.fromkeys((1, 2, 3, 4), 0.5)
    prob_left |= dict.fromkeys((*range(6, 13), *range(18, 22)), 0.2)
    special = {
        1: left(1.0) | CHOSE_LEFT,
        2: left(1.0) | CHOSE_LEFT,
        3: CHOSE_LEFT | ERROR,
        4: NO_GO | took(60, 4),
        6: {"trial_response_time": None},
        # 0.3 in the middle of 0.2 and 0.4
        **{n: took(0.2, n) for n in (12, 13, 15, 16, 17)},
        **{n: took(0.4, n) for n in (18, 19, 20, 21, 22)},
        # a step of three without reaction times: a choice on each side, a no-go without a side
        23: left(1.0) | CHOSE_LEFT | {"trial_response_time": None},
        24: {"trial_response_time": None},
        25: right(0) | NO_GO | {"trial_response_time": None},
    }
    add_session(con, TUESDAY, BIASED)
    for trial_id in (*range(1, 5), *range(6, 14), *range(15, 26)):
        block = {"trial_stim_prob_left": prob_left.get(trial_id, 0.8)}
        add_trial(con, trial_id, TUESDAY, **block | special.get(trial_id, {}))


def add_curves(con):
    """Twenty choices at each of seven contrasts, and a no-go, in a block of 20, then of 80."""
    add_session(con, WEDNESDAY, BIASED)
    trial_id = 0
    for prob_left, at_zero in ((0.2, 15), (0.8, 5)):
        for percent, n_right in (RISING | {0: at_zero}).items():
            side = right(percent / 100) if percent > 0 else left(-percent / 100)
            for n in range(20):
                trial_id += 1
                choice = CHOSE_RIGHT if n < n_right else CHOSE_LEFT
                block = {"trial_stim_prob_left": prob_left}
                add_trial(con, trial_id, WEDNESDAY, **block | side | choice)
        trial_id += 1
        # counts in fits with the server's bounds alone, as not right
        add_trial(con, trial_id, WEDNESDAY, **right(0), **NO_GO, trial_stim_prob_left=prob_left)


def frames(module, con, mouse=None, *start):
    """What `rows` finds, by name."""
    found = module.rows(con, mouse and str(mouse), *start)
    return found if isinstance(found, dict) else {"measures": found}


def as_text(frame):
    """Each row in words, in an order of their own."""
    return sorted(str(row) for row in values(frame))


def values(frame):
    """The rows as a chart embeds them."""
    [found] = alt.Chart(frame).mark_point().to_dict()["datasets"].values()
    return found


def of(frame, **having):
    """The rows that have these values."""
    for name, value in having.items():
        frame = frame[frame[name] == value]
    return frame


def plain(curve):
    """A row of points as lists."""
    names = ("signed_contrast", "percent_right", "low", "high", "n_choices")
    return {name: list(curve[name]) for name in names}


# session_curves


def test_points_of_a_session_with_their_intervals(con):
    curves = session_curves.rows(con, str(MOUSE), MONDAY)["curves"]
    [points] = curves.to_dict("records")
    assert (points["kind"], points["prob_left_block"]) == ("points", 50)
    half = 100 * sqrt(SQUARE) / (2 * sqrt(2 + SQUARE))
    assert plain(points) == {
        "signed_contrast": [-100, -25, 100],
        "percent_right": [0, 50, 100],
        "low": pytest.approx([0, 50 - half, 100 * 3 / (3 + SQUARE)], abs=0.05),
        "high": pytest.approx([100 * SQUARE / (1 + SQUARE), 50 + half, 100], abs=0.05),
        # the no-go is none
        "n_choices": [1, 2, 3],
    }
    assert session_curves.words(curves)[0] == "6 choices at 3 contrasts"


def test_reaction_times_of_a_session_with_their_quartiles(con):
    times = session_curves.rows(con, str(MOUSE), MONDAY)["times"]
    quartiles = ["q1_reaction_time", "median_reaction_time", "q3_reaction_time"]
    found = {
        row["signed_contrast"]: (row["n_reaction_times"], [row[name] for name in quartiles])
        for row in times.to_dict("records")
    }
    # at -100 % the only one is below 0; the 60 s of the no-go count
    assert found == {
        -25: (1, pytest.approx([1, 1, 1])),
        100: (4, pytest.approx([0.35, 0.5, 0.6 + 59.4 / 4])),
    }


def test_lines_of_a_session_are_its_fits(con):
    curves = session_curves.rows(con, str(MOUSE), WEDNESDAY)["curves"]
    points, lines = (
        of(curves, kind=kind).set_index("prob_left_block") for kind in ("points", "line")
    )
    at_zero = session_curves.ALONG.index(0)
    stored = con.execute(
        "select prob_left_block, bias, threshold, lapse_low, lapse_high"
        " from derived.psychometric_fits"
        " where grain = 'session_block' and variant = 'datajoint' and session_start_time = ?"
        " and subject_uuid = ? and prob_left_block in (20, 80) order by 1",
        [WEDNESDAY, MOUSE],
    ).fetchall()
    assert [block for block, *_ in stored] == list(lines.index) == list(points.index) == [20, 80]
    for block, *parameters in stored:
        line = lines.loc[block, "percent_right"]
        assert len(line) == len(session_curves.ALONG)
        assert line[at_zero] == pytest.approx(100 * psychometric.p_right(0, *parameters), abs=0.05)
        # and the choices are not far
        at = list(points.loc[block, "signed_contrast"]).index(0)
        assert line[at_zero] == pytest.approx(points.loc[block, "percent_right"][at], abs=5)
        assert [line[0], line[-1]] == pytest.approx([10, 90], abs=5)


def test_a_session_with_few_contrasts_has_points_and_no_line(con):
    curves = session_curves.rows(con, str(MOUSE), TUESDAY)["curves"]
    assert set(curves["kind"]) == {"points"}
    assert sorted(curves["prob_left_block"]) == [20, 50, 80]


def test_the_curves_of_a_session_that_is_named_or_the_last(con):
    drawn = session_curves.chart(con, subject="mouse", session="2020-01-08")
    assert words(drawn) == (
        "Curves of a session: mouse, 2020-01-08 09:30 biased; 280 choices at 7 contrasts"
        " choices with 68 % intervals and their fits; reaction times: medians and quartiles"
    )
    last = session_curves.chart(con, subject="other")
    assert "other, 2020-01-08 09:30 training; 2 choices at 1 contrast" in words(last)


# session_course


def test_steps_of_ten_trials_whatever_their_numbers(con):
    course = session_course.rows(con, str(MOUSE), TUESDAY)["course"]
    assert list(zip(course["first_trial"], course["last_trial"], strict=True)) == [
        (1, 11),
        (12, 22),
        (23, 25),
    ]
    assert list(course["n_trials"]) == [10, 10, 3]


def test_a_step_counts_a_no_go_as_wrong_and_not_as_a_choice(con):
    course = session_course.rows(con, str(MOUSE), TUESDAY)["course"]
    # the last trial has no choice, and at 0 contrast no side and nothing to be right about
    assert list(course["stimuli"]) == [80, 100, 50]
    assert list(course["choices"]) == [66.7, 100, 50]
    assert list(course["percent_correct"]) == [80, 100, 100]


def test_a_step_has_the_median_of_the_reaction_times_that_there_are(con):
    course = session_course.rows(con, str(MOUSE), TUESDAY)["course"]
    *times, last = course["median_reaction_time"]
    assert times == pytest.approx([0.5, 0.3])
    assert last != last
    [monday] = session_course.rows(con, str(MOUSE), MONDAY)["course"]["median_reaction_time"]
    # 0.2, 0.4, 0.6, 1 and 60: one trial has none, and that of another is below 0
    assert monday == pytest.approx(0.6)


def test_bands_are_the_biased_blocks_each_from_its_first_trial_to_its_last(con):
    blocks = session_course.rows(con, str(MOUSE), TUESDAY)["blocks"]
    bands = blocks[["prob_left_block", "block_start", "block_end", "n_trials"]]
    assert list(bands.itertuples(index=False, name=None)) == [
        (20, 5.5, 12.5, 7),
        (80, 12.5, 17.5, 4),
        (20, 17.5, 21.5, 4),
        (80, 21.5, 25.5, 4),
    ]
    assert session_course.rows(con, str(MOUSE), MONDAY)["blocks"].empty


def test_the_course_of_a_session_that_is_named(con):
    drawn = session_course.chart(con, subject="mouse", session="2020-01-07")
    assert words(drawn) == (
        "Course of a session: mouse, 2020-01-07 09:30"
        " biased; 23 trials in steps of ten, 4 biased blocks"
    )


# mouse_last_days


def test_the_last_three_of_four_dates_by_block(con):
    last = mouse_last_days.rows(con, str(MOUSE))
    points = of(last["last_curves"], kind="points")
    choices = {
        (row["session_date"], row["prob_left_block"]): sum(row["n_choices"])
        for row in points.to_dict("records")
    }
    assert choices == {
        ("2020-01-07", 20): 11,
        ("2020-01-07", 50): 3,
        # the no-go is none
        ("2020-01-07", 80): 7,
        ("2020-01-08", 20): 140,
        ("2020-01-08", 80): 140,
        ("2020-01-09", 50): 2,
    }
    assert set(last["last_times"]["session_date"]) == {date for date, _ in choices}
    assert mouse_last_days.words(**last)[0] == "3 days; 303 choices at 7 contrasts"


def test_a_day_of_one_session_has_its_curves_and_reaction_times(con):
    day = mouse_last_days.rows(con, str(MOUSE))
    session = session_curves.rows(con, str(MOUSE), WEDNESDAY)
    for of_day, of_session in (("last_curves", "curves"), ("last_times", "times")):
        expected = session[of_session].drop(columns="session_start_time")
        found = of(day[of_day], session_date="2020-01-08").drop(columns=["session_date", "day"])
        assert as_text(found) == as_text(expected)


def test_a_day_of_one_session_has_its_steps_of_ten(con):
    day = of(mouse_last_days.rows(con, str(MOUSE))["last_course"], session_date="2020-01-08")
    session = medians_of_steps(con, WEDNESDAY)
    assert day["median_reaction_time"].tolist() == session
    assert day["first_trial"].tolist()[:3] == [1, 11, 21]


def medians_of_steps(con, start):
    course = session_course.rows(con, str(MOUSE), start)["course"]
    return course["median_reaction_time"].dropna().tolist()


def test_the_last_days_of_two_mice_are_not_mixed(con):
    curves = mouse_last_days.rows(con)["last_curves"]
    dates = curves.groupby("subject_uuid")["session_date"].agg(lambda found: sorted(set(found)))
    assert dates.to_dict() == {
        str(MOUSE): ["2020-01-07", "2020-01-08", "2020-01-09"],
        str(OTHER_MOUSE): ["2020-01-06", "2020-01-08"],
    }
    others = of(curves, subject_uuid=str(OTHER_MOUSE))
    assert [list(found) for found in others["n_choices"]] == [[1], [2]]
    assert [list(found) for found in others["percent_right"]] == [[0], [0]]


def test_the_last_days_of_a_mouse_with_two(con):
    assert words(mouse_last_days.chart(con, subject="other")) == (
        "The last three days: other no laboratory; 2 days; 3 choices at 1 contrast"
        " choices with 68 % intervals and their fits; reaction times: medians and quartiles"
        " no line where the trials determine none: 2020-01-06 block 50, 2020-01-08 block 50"
    )


# rows of one mouse or session, and of all


@pytest.mark.parametrize("module", OF_MICE)
def test_the_rows_of_all_mice_are_those_of_each(con, module):
    parts = [frames(module, con, mouse) for mouse in (MOUSE, OTHER_MOUSE)]
    for name, everything in frames(module, con).items():
        assert not everything.empty
        assert as_text(everything) == sorted(text for part in parts for text in as_text(part[name]))


def test_the_rows_of_a_mouse_are_its_own(con):
    for module in OF_MICE:
        for name, frame in frames(module, con, MOUSE).items():
            assert set(frame["subject_uuid"]) == {str(MOUSE)}, (module, name)


@pytest.mark.parametrize("module", (session_course, session_curves))
def test_the_rows_of_a_mouse_are_those_of_its_sessions(con, module):
    starts = (MONDAY, TUESDAY, WEDNESDAY, THURSDAY)
    parts = [frames(module, con, MOUSE, start) for start in starts]
    for name, everything in frames(module, con, MOUSE).items():
        assert as_text(everything) == sorted(text for part in parts for text in as_text(part[name]))


def test_the_measures_of_a_mouse_are_those_of_its_last_session(con):
    last = {MOUSE: THURSDAY, OTHER_MOUSE: WEDNESDAY}
    for mouse, start in last.items():
        measures = criterion_checklist.rows(con, str(mouse))
        assert as_text(measures) == as_text(criterion_checklist.rows(con, str(mouse), start))
        assert set(measures["session_start_time"]) == {str(start)}


# rows at hand, and rows that a page brings


def course_and_blocks(con, mouse):
    return session_course.rows(con, mouse, WEDNESDAY)


def curves_and_times(con, mouse):
    return session_curves.rows(con, mouse, WEDNESDAY)


def days_of_two(con, mouse):
    days = [
        mouse_progress.rows(con, uuid)["days"].assign(mouse=place)
        for place, uuid in enumerate((mouse, str(OTHER_MOUSE)))
    ]
    return {"days": pd.concat(days)}


# Of each chart of the report: where its rows come from, and how it is drawn from them.
CHARTS = {
    "progress": (mouse_progress.rows, mouse_progress.draw),
    "both": (days_of_two, mouse_progress.beside),
    "contrasts": (mouse_contrasts.rows, mouse_contrasts.draw),
    "fits": (mouse_fits.rows, mouse_fits.draw),
    "last_days": (mouse_last_days.rows, mouse_last_days.draw),
    "weights": (mouse_weights.rows, mouse_weights.draw),
    "course": (course_and_blocks, session_course.draw),
    "choices": (curves_and_times, lambda curves, times: session_curves.choices(curves)),
    "times": (curves_and_times, lambda curves, times: session_curves.reaction_times(times)),
}


@pytest.fixture(scope="module")
def specs():
    return contents.specs()


def svg(spec):
    """The picture; gradients are numbered from one picture to the next."""
    return re.sub(r"gradient_\d+", "gradient", vl_convert.vegalite_to_svg(spec))


def test_the_report_has_no_other_charts(specs):
    assert specs.keys() == CHARTS.keys()


def brought(spec, found):
    """A chart of the report with the rows that a page brings."""
    rows = {name: values(frame) for name, frame in found.items()}
    return spec | {"datasets": spec.get("datasets", {}) | rows}


@pytest.mark.parametrize("name", CHARTS)
def test_a_chart_looks_the_same_with_its_rows_and_with_rows_that_a_page_brings(con, specs, name):
    find, draw = CHARTS[name]
    found = find(con, str(MOUSE))
    picture = svg(brought(specs[name], found))
    assert picture == svg(style.configured(draw(**found)).to_dict())
    assert ("first date of: trained_1a" in picture) == ("statuses" in found)


@pytest.mark.parametrize("name", ("progress", "contrasts", "fits"))
def test_the_strip_of_a_mouse_without_a_status_is_empty(con, specs, name):
    find, draw = CHARTS[name]
    statuses = find(con, str(OTHER_MOUSE))["statuses"]
    assert statuses.empty
    found = find(con, str(MOUSE)) | {"statuses": statuses}
    picture = svg(brought(specs[name], found))
    assert picture == svg(style.configured(draw(**found)).to_dict())
    assert re.search(r"training day[^:\"]*: [123]", picture)
    assert not re.search("first date of|NaN|undefined", picture)


@pytest.mark.parametrize("module", (mouse_progress, mouse_contrasts, mouse_fits))
def test_words_name_dashed_lines_only_where_there_are_some(con, module):
    said = {
        mouse: str(module.words(**module.rows(con, str(mouse)))) for mouse in (MOUSE, OTHER_MOUSE)
    }
    assert "dashed" in said[MOUSE]
    assert "dashed" not in said[OTHER_MOUSE]
