"""The views days and labs, on tables small enough to check by eye."""

from datetime import date, datetime, timedelta
from uuid import UUID

import pytest
from handmade import (
    BIASED,
    CHOSE_LEFT,
    CHOSE_RIGHT,
    DAY_SUMMARIES,
    ERROR,
    HABITUATION,
    MONDAY,
    MOUSE,
    NO_GO,
    OTHER_MOUSE,
    TRAINING,
    TUESDAY,
    add,
    add_lab,
    add_mouse,
    add_session,
    add_to_session,
    add_trial,
    column,
    define,
    opened,
    right,
    rows,
)

AFTERNOON = MONDAY.replace(hour=15)


@pytest.fixture
def con():
    with opened(DAY_SUMMARIES) as connection:
        yield connection


def answer(con, query):
    define(con)
    return rows(con, query)


def add_summary(con, day, mouse=MOUSE, **values):
    row = {"performance": 0.5} | values
    add(
        con,
        "behavior_analyses.behavioral_summary_by_date",
        subject_uuid=mouse,
        session_date=day,
        **row,
    )


def add_status(con, start, status, mouse=MOUSE):
    add_to_session(
        con,
        "behavior_analyses.session_training_status",
        start,
        mouse,
        training_status=status,
        good_enough_for_brainwide_map=False,
    )


def add_trial_set(con, start, mouse=MOUSE, n_trials=1):
    add_to_session(
        con,
        "behavior.trial_set",
        start,
        mouse,
        n_trials=n_trials,
        trials_start_time=0,
        trials_end_time=1,
    )


# days: which there are


def test_two_sessions_of_a_date_are_one_day(con):
    add_mouse(con)
    for start in (MONDAY, AFTERNOON, TUESDAY):
        add_session(con, start)
        add_trial(con, 1, start)
    assert answer(
        con,
        "select session_date, training_day, n_sessions, n_sessions_with_trials, n_trials"
        " from days order by session_date",
    ) == [(MONDAY.date(), 1, 2, 2, 2), (TUESDAY.date(), 2, 1, 1, 1)]


def test_a_date_of_habituation_alone_is_no_day(con):
    add_mouse(con)
    add_session(con, MONDAY, HABITUATION)
    add_session(con, TUESDAY, TRAINING)
    assert answer(con, "select session_date, training_day, calendar_day from days") == [
        (TUESDAY.date(), 1, 0)
    ]


def test_a_habituation_with_trials_is_a_day_but_no_training_day(con):
    add_mouse(con)
    add_session(con, protocol=HABITUATION)
    add_trial(con, 1)
    assert answer(
        con,
        "select training_day, training_day0, training_week, n_sessions, n_sessions_with_trials,"
        " n_trials, tasks from days",
    ) == [(None, None, None, 0, 1, 1, None)]


def test_a_crashed_session_without_trials_keeps_its_day(con):
    add_mouse(con)
    add_session(con)
    assert answer(
        con,
        "select training_day, n_sessions, n_sessions_with_trials, n_trials, cum_trials,"
        " performance, performance_easy, median_reaction_time, status, has_stored_summary,"
        " stored_n_trials, age_days, lab_name from days",
    ) == [(1, 1, 0, None, 0, None, None, None, None, False, None, None, None)]


def test_a_stored_summary_without_a_session_keeps_its_day(con):
    add_mouse(con)
    add_session(con, TUESDAY)
    add_trial(con, 1, TUESDAY)
    add_summary(con, MONDAY.date(), n_trials_date=300, training_day=4, training_week=0)
    add_summary(con, TUESDAY.date(), n_trials_date=1, training_day=5, training_week=1)
    assert answer(
        con,
        "select session_date, n_sessions, n_trials, stored_cum_trials, training_day, training_week,"
        " stored_training_day, stored_training_week, has_stored_summary"
        " from days order by session_date",
    ) == [
        (MONDAY.date(), 0, None, 300, None, None, 4, 0, True),
        (TUESDAY.date(), 1, 1, 301, 1, 0, 5, 1, True),
    ]


def test_mice_of_one_name_have_their_own_days(con):
    for mouse in (MOUSE, OTHER_MOUSE):
        add_mouse(con, mouse, "twin")
        add_session(con, TUESDAY, mouse=mouse)
    add_session(con, MONDAY)
    assert answer(
        con,
        "select subject_uuid, subject_nickname, session_date, training_day, calendar_day"
        " from days order by subject_uuid, session_date",
    ) == [
        (MOUSE, "twin", MONDAY.date(), 1, 0),
        (MOUSE, "twin", TUESDAY.date(), 2, 1),
        (OTHER_MOUSE, "twin", TUESDAY.date(), 1, 0),
    ]


@pytest.mark.parametrize(
    ("stored_days", "has_earlier_days"),
    [
        ((None, None), None),
        ((1, None), False),
        ((1, 2), False),
        ((1, 1), False),
        ((None, 3), True),
        ((31, 32), True),
    ],
)
def test_days_that_the_server_counted_before_show_in_its_number_of_the_day(
    con, stored_days, has_earlier_days
):
    add_mouse(con)
    add_mouse(con, OTHER_MOUSE, "other mouse")
    for start, stored_day in zip((MONDAY, TUESDAY), stored_days, strict=True):
        add_session(con, start)
        add_session(con, start, mouse=OTHER_MOUSE)
        add_summary(con, start.date(), training_day=stored_day)
    add_summary(con, MONDAY.date(), OTHER_MOUSE, training_day=1)
    assert answer(
        con,
        "select subject_nickname, has_earlier_days from days"
        " order by subject_nickname, session_date",
    ) == [
        ("mouse", has_earlier_days),
        ("mouse", has_earlier_days),
        ("other mouse", False),
        ("other mouse", False),
    ]


# days: what they hold


def test_days_are_counted_by_date_by_week_of_five_and_by_calendar(con):
    add_mouse(con, subject_birth_date=date(2019, 10, 1))
    for day in (3, 6, 7, 8, 9, 10):  # a Friday, then the week after
        add_session(con, datetime(2020, 1, day, 9))
    assert answer(
        con,
        "select day(session_date), training_day, training_day0, training_week, calendar_day,"
        " age_days from days order by session_date",
    ) == [
        (3, 1, 0, 0, 0, 94),
        (6, 2, 1, 0, 3, 97),
        (7, 3, 2, 0, 4, 98),
        (8, 4, 3, 0, 5, 99),
        (9, 5, 4, 1, 6, 100),
        (10, 6, 5, 1, 7, 101),
    ]


def test_performance_by_each_rule_stands_beside_the_stored_one(con):
    add_mouse(con)
    add_session(con)
    add_trial(con, 1, **right(1.0), **CHOSE_RIGHT)
    add_trial(con, 2, **right(1.0), **CHOSE_LEFT, **ERROR)
    add_trial(con, 3, **right(0.0), **CHOSE_RIGHT)
    add_trial(con, 4, **right(0.5), **NO_GO, trial_response_time=101)
    add_trial(con, 5, **right(0.125), **CHOSE_RIGHT, trial_stim_on_time=None)
    add_summary(con, MONDAY.date(), performance=0.8, n_trials_date=6)
    assert answer(
        con,
        "select n_trials, performance, performance_rewarded, round(performance_easy, 3),"
        " median_reaction_time, stored_n_trials, stored_performance, stored_performance_easy"
        " from days",
    ) == [(5, 0.4, 0.6, 0.333, 0.5, 6, 0.8, None)]


def test_stored_performance_of_exactly_80_percent_is_not_above_80_percent(con):
    add_mouse(con)
    add_summary(con, MONDAY.date(), performance=0.8, performance_easy=0.8)
    assert answer(
        con,
        "select stored_performance > 0.8::double, stored_performance_easy > 0.8::double from days",
    ) == [(False, False)]


def test_trials_add_up_here_and_as_stored(con):
    add_mouse(con)
    starts = [datetime(2020, 1, day, 9) for day in (6, 7, 8, 9)]
    for start in starts:
        add_session(con, start)
    for trial_id in (1, 2):
        add_trial(con, trial_id, starts[0])
        add_trial(con, trial_id, starts[1])
    add_summary(con, starts[1].date(), n_trials_date=100)
    add_summary(con, starts[2].date(), n_trials_date=None)
    assert answer(
        con,
        "select n_trials, stored_n_trials, cum_trials, stored_cum_trials from days"
        " order by session_date",
    ) == [(2, None, 2, None), (2, 100, 4, 100), (None, None, 4, 100), (None, None, 4, 100)]


@pytest.mark.parametrize(
    ("here", "stored", "source"),
    [
        ((0, 1, 2), (0, 1), "recomputed"),
        ((0, 1), (0, 1, 2), "stored"),
        ((0, 1), (1, 2), "stored"),
        ((0,), (), "recomputed"),
        ((), (0,), "stored"),
    ],
)
def test_a_mouse_has_one_clock_and_one_source_of_summaries(con, here, stored, source):
    add_mouse(con)
    for number in here:
        add_session(con, MONDAY + timedelta(days=number))
        add_trial(con, 1, MONDAY + timedelta(days=number))
    for number in stored:
        add_summary(con, (MONDAY + timedelta(days=number)).date(), training_day=number + 5)
    define(con)
    assert rows(con, "select distinct day_source, summary_source from days") == [(source, source)]


def test_the_clock_and_the_summaries_of_a_mouse_can_be_of_two_sources(con):
    """The server stored what happened on a date, and not which day of training it was."""
    add_mouse(con)
    add_session(con)
    add_summary(con, MONDAY.date(), training_day=None)
    define(con)
    assert rows(con, "select day_source, summary_source from days") == [("recomputed", "stored")]


def test_tasks_of_a_day_are_listed_once_and_sorted(con):
    add_mouse(con)
    for hour, protocol in ((9, TRAINING), (10, TRAINING), (11, BIASED), (12, None)):
        add_session(con, MONDAY.replace(hour=hour), protocol)
    add_session(con, MONDAY.replace(hour=13), HABITUATION)
    assert answer(con, "select tasks, n_sessions from days") == [("biased,training,unknown", 4)]


def test_status_of_a_day_is_that_of_its_last_session_that_has_one(con):
    add_mouse(con)
    for hour in (9, 12, 15):
        start = MONDAY.replace(hour=hour)
        add_session(con, start)
        add_trial(con, 1, start)
    add_status(con, MONDAY.replace(hour=9), "in_training")
    add_status(con, MONDAY.replace(hour=12), "trained_1a")
    assert answer(
        con, "select stored_training_status, training_status, status, status_rank from days"
    ) == [("trained_1a", "in_training", "trained_1a", 1)]


def test_a_day_carries_the_lab_of_its_mouse(con):
    add_mouse(con)
    add_lab(con, "zadorlab", "CSHL", MOUSE)
    add_session(con)
    assert answer(con, "select lab_name, institution_short, institution_code from days") == [
        ("zadorlab", "CSHL", "Lab 3")
    ]


def test_a_mirror_without_sessions_has_no_days(con):
    add_mouse(con)
    assert answer(con, "from days") == []


# labs


def test_a_lab_without_mice_keeps_its_row(con):
    add_lab(con, "steinmetzlab", None)
    assert answer(
        con,
        "select lab_name, institution, institution_short, institution_code, time_zone, n_mice,"
        " n_mice_with_sessions, n_sessions, n_sessions_with_trials, n_trials,"
        " first_session_date, last_session_date from labs",
    ) == [
        (
            *("steinmetzlab", "Institution of steinmetzlab", None, None, "Europe/London"),
            *(0, 0, 0, 0, 0, None, None),
        )
    ]


def test_a_lab_counts_the_mice_sessions_and_trials_of_its_mice(con):
    for mouse in (MOUSE, OTHER_MOUSE, UUID(int=3)):
        add_mouse(con, mouse, "mouse")
    add_lab(con, "cortexlab", "UCL", MOUSE, OTHER_MOUSE)
    add_session(con, MONDAY, HABITUATION)
    add_session(con, TUESDAY)
    add_trial_set(con, TUESDAY, n_trials=500)
    for trial_id in (1, 2):
        add_trial(con, trial_id, TUESDAY)
    add_session(con, TUESDAY, mouse=UUID(int=3))  # of no lab
    assert answer(
        con,
        "select lab_name, institution_code, n_mice, n_mice_with_sessions, n_sessions,"
        " n_sessions_with_trials, n_sessions_with_stored_trials, n_trials, stored_n_trials,"
        " first_session_date, last_session_date from labs",
    ) == [("cortexlab", "Lab 1", 2, 1, 2, 1, 1, 2, 500, MONDAY.date(), TUESDAY.date())]


def test_two_labs_of_one_institution_are_two_labs(con):
    for mouse in (MOUSE, OTHER_MOUSE):
        add_mouse(con, mouse, "mouse")
    add_lab(con, "hoferlab", "SWC", MOUSE)
    add_lab(con, "mrsicflogellab", "SWC", OTHER_MOUSE)
    assert answer(con, "select lab_name, institution_code, n_mice from labs order by lab_name") == [
        ("hoferlab", "Lab 6", 1),
        ("mrsicflogellab", "Lab 6", 1),
    ]


def test_labs_and_subjects_label_institutions_alike(con):
    shorts = ["UCL", "CCU", "CSHL", "NYU", "Princeton", "SWC", "Berkeley", "UCLA"]
    for number, short in enumerate(shorts, start=1):
        add_mouse(con, UUID(int=number), f"mouse {number}")
        add_lab(con, f"lab {number}", short, UUID(int=number))
    define(con)
    query = "select institution_short, institution_code from {} order by lab_name"
    assert rows(con, query.format("labs")) == rows(con, query.format("subjects"))
    assert column(con, "select institution_code from labs where institution_short = 'UCLA'") == [
        None
    ]
