"""The views of training status, on a few sessions whose statuses a person can follow."""

from datetime import date, datetime, timedelta
from uuid import UUID

import pytest
from handmade import (
    BIASED,
    CHOSE_LEFT,
    CHOSE_RIGHT,
    DAY_SUMMARIES,
    EPHYS,
    HABITUATION,
    MONDAY,
    MOUSE,
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
    left,
    opened,
    right,
    rows,
)

from mirror import views

THIRD_MOUSE = UUID(int=3)
AFTERNOON = MONDAY.replace(hour=15)
PROJECT = "ibl_neuropixel_brainwide_01"


@pytest.fixture
def con():
    with opened(DAY_SUMMARIES) as connection:
        yield connection


def answer(con, query):
    define(con)
    return rows(con, query)


def day(number):
    """Mornings in a row, from Monday, 6 January 2020."""
    return MONDAY + timedelta(days=number - 1)


def add_status(con, start, status, mouse=MOUSE):
    add_to_session(
        con,
        "behavior_analyses.session_training_status",
        start,
        mouse,
        training_status=status,
        good_enough_for_brainwide_map=False,
    )


def add_run(con, start, status=None, protocol=TRAINING, mouse=MOUSE):
    """A session of one trial, and the status that the server stored after it."""
    add_session(con, start, protocol, mouse)
    add_trial(con, 1, start, mouse)
    if status is not None:
        add_status(con, start, status, mouse)


def add_summary(con, start, n_trials, training_day, mouse=MOUSE):
    add(
        con,
        "behavior_analyses.behavioral_summary_by_date",
        subject_uuid=mouse,
        session_date=start.date(),
        performance=0.5,
        n_trials_date=n_trials,
        training_day=training_day,
    )


# at each contrast so many choices to the right of 60: enough for trained_1b
TRAINED = {-100: 0, -25: 2, -6.25: 14, 0: 30, 6.25: 46, 25: 58, 100: 60}


def add_trained_session(con, start, counts=TRAINED):
    add_session(con, start)
    trial_id = 1
    for percent, n_right in counts.items():
        side = right(percent / 100) if percent > 0 else left(-percent / 100)
        for i in range(60):
            add_trial(con, trial_id, start, **side, **(CHOSE_RIGHT if i < n_right else CHOSE_LEFT))
            trial_id += 1


# session_status


def test_stored_and_recomputed_status_stand_side_by_side(con):
    add_mouse(con)
    add_run(con, day(1), "in_training")
    add_run(con, day(2), "trained_1b", BIASED)
    assert answer(
        con,
        "select task, stored_training_status, training_status, is_same, status, status_rank,"
        " status_source, rule, is_status_certain, training_day"
        " from session_status order by session_start_time",
    ) == [
        (
            *("training", "in_training", "in_training", True, "in_training", 0, "stored"),
            *("fewer than three sessions", True, 1),
        ),
        (
            *("biased", "trained_1b", "in_training", False, "trained_1b", 2, "stored"),
            *("fewer than three sessions", True, 2),
        ),
    ]


@pytest.mark.parametrize(
    ("status", "rank"),
    [
        ("in_training", 0),
        ("untrainable", 0),
        ("trained_1a", 1),
        ("trained_1b", 2),
        ("unbiasable", 2),
        ("ready4ephysrig", 3),
        ("ready4delay", 4),
        ("ready4recording", 5),
        ("wrong rig", None),
    ],
)
def test_a_status_has_its_place_on_the_ladder(con, status, rank):
    add_mouse(con)
    add_run(con, MONDAY, status)
    assert answer(con, "select status, status_rank from session_status") == [(status, rank)]


def test_a_gap_in_what_is_stored_of_a_mouse_stays_a_gap(con):
    add_mouse(con)
    add_mouse(con, OTHER_MOUSE, "other mouse")
    add_run(con, day(1))
    add_run(con, day(2), "trained_1a")
    add_run(con, day(1), mouse=OTHER_MOUSE)
    assert answer(
        con,
        "select subject_nickname, session_date, status, status_source from session_status"
        " order by subject_nickname, session_start_time",
    ) == [
        ("mouse", day(1).date(), None, "stored"),
        ("mouse", day(2).date(), "trained_1a", "stored"),
        ("other mouse", day(1).date(), "in_training", "recomputed"),
    ]


def test_sessions_without_trials_do_not_appear_unless_something_is_stored_of_them(con):
    add_mouse(con)
    for number in (1, 2, 3):
        add_session(con, day(number))
    add_status(con, day(2), "trained_1a")
    add_to_session(
        con,
        "behavior.trial_set",
        day(3),
        n_trials=500,
        trials_start_time=0,
        trials_end_time=1,
    )
    assert answer(
        con,
        "select session_date, stored_training_status, training_status, is_same, status, rule,"
        " is_status_certain"
        " from session_status order by session_date",
    ) == [
        (day(2).date(), "trained_1a", None, None, "trained_1a", None, None),
        (day(3).date(), None, None, None, None, "no trials here", False),
    ]


def test_a_mouse_of_which_no_status_can_be_known_has_no_source(con):
    add_mouse(con)
    add_session(con)
    add_to_session(con, "behavior.trial_set", n_trials=500, trials_start_time=0, trials_end_time=1)
    assert answer(con, "select status, status_source from session_status") == [(None, None)]


# training_milestones


def test_milestones_of_a_mouse_that_skipped_two_statuses(con):
    add_mouse(con)
    add_run(con, day(1), protocol=HABITUATION)
    add_run(con, day(2), "in_training")
    add_run(con, day(3), "trained_1b")
    add_run(con, day(4), "trained_1b", BIASED)
    add_run(con, day(5), "ready4delay", BIASED)
    add_run(con, day(6), "ready4delay", EPHYS)
    add_session(con, day(7), EPHYS)
    add_to_session(con, "behavior.settings", day(6), pybpod_board="_iblrig_danlab_ephys_0")
    assert answer(
        con,
        "select day(first_in_training), first_trained_1a, day(first_trained_1b),"
        " first_ready4ephysrig, day(first_ready4delay), first_ready4recording"
        " from training_milestones",
    ) == [(7, None, 8, None, 10, None)]
    assert rows(
        con,
        "select day(date_reached_trained_1a), day(date_reached_trained_1b),"
        " day(date_reached_ready4ephysrig), day(date_reached_ready4delay),"
        " date_reached_ready4recording from training_milestones",
    ) == [(8, 8, 10, 10, None)]
    assert rows(
        con,
        "select day(date_trained), day(date_biased), day(date_ephys), latest_status,"
        " latest_status_rank, day(latest_status_date), status_source, n_sessions_with_status"
        " from training_milestones",
    ) == [(8, 9, 10, "ready4delay", 4, 11, "stored", 5)]
    assert rows(
        con,
        "select day(first_session_date), day(first_training_session), day(first_biased_session),"
        " day(first_ephys_session), day(first_on_ephys_rig), day(last_session_date)"
        " from training_milestones",
    ) == [(6, 7, 9, 11, 11, 12)]


def test_a_mouse_that_was_never_1a_or_1b_was_not_trained_but_reached_1a(con):
    add_mouse(con)
    add_run(con, MONDAY, "ready4ephysrig", BIASED)
    assert answer(
        con,
        "select date_trained, date_biased, date_ephys, date_reached_trained_1a"
        " from training_milestones",
    ) == [(None, None, MONDAY.date(), MONDAY.date())]


def test_untrainable_need_not_be_the_end(con):
    add_mouse(con)
    for number, status in enumerate(("in_training", "untrainable", "trained_1a"), start=1):
        add_run(con, day(number), status)
    assert answer(
        con,
        "select first_untrainable, date_trained, latest_status, date_reached_trained_1b"
        " from training_milestones",
    ) == [(day(2).date(), day(3).date(), "trained_1a", None)]


def test_a_biased_session_before_trained_1b_is_not_the_date_biased(con):
    add_mouse(con)
    add_run(con, day(1), "trained_1a", BIASED)
    add_run(con, day(2), "trained_1b", TRAINING)
    add_run(con, day(3), "trained_1b", BIASED)
    assert answer(con, "select first_biased_session, date_biased from training_milestones") == [
        (day(1).date(), day(3).date())
    ]


def test_a_mouse_without_sessions_keeps_its_row(con):
    add_mouse(con)
    assert answer(
        con,
        "select subject_nickname, lab_name, status_source, n_sessions_with_status,"
        " date_trained, latest_status, first_session_date from training_milestones",
    ) == [("mouse", None, None, 0, None, None, None)]


def test_where_the_server_stored_nothing_the_trials_tell_when_a_mouse_was_trained(con):
    add_mouse(con)
    for start in (MONDAY, AFTERNOON, TUESDAY):
        add_trained_session(con, start)
    assert answer(
        con,
        "select status_source, first_in_training, date_trained, first_trained_1b, latest_status"
        " from training_milestones",
    ) == [("recomputed", MONDAY.date(), TUESDAY.date(), TUESDAY.date(), "trained_1b")]


# status_by_day


def test_a_status_is_carried_on_until_there_is_another(con):
    add_mouse(con)
    add_session(con, day(1))
    add_run(con, day(2), "in_training")
    add_run(con, day(3))
    add_run(con, day(4), "in_training")
    add_run(con, day(4).replace(hour=15), "trained_1a")
    add_run(con, day(8), "trained_1a")
    add_run(con, day(9), "in_training")
    assert answer(
        con,
        "select training_day, status, carried_status, carried_status_rank, previous_status,"
        " is_change, n_days_with_status from status_by_day order by session_date",
    ) == [
        (1, None, None, None, None, False, None),
        (2, "in_training", "in_training", 0, None, True, 1),
        (3, None, "in_training", 0, "in_training", False, 2),
        (4, "trained_1a", "trained_1a", 1, "in_training", True, 1),
        (5, "trained_1a", "trained_1a", 1, "trained_1a", False, 2),
        (6, "in_training", "in_training", 0, "trained_1a", True, 1),
    ]


def test_the_status_of_one_mouse_is_not_carried_on_to_the_next(con):
    add_mouse(con)
    add_mouse(con, OTHER_MOUSE, "other mouse")
    add_run(con, day(1), "trained_1b")
    add_session(con, day(2), mouse=OTHER_MOUSE)
    assert answer(
        con,
        "select subject_nickname, carried_status, previous_status from status_by_day"
        " order by subject_nickname",
    ) == [("mouse", "trained_1b", None), ("other mouse", None, None)]


# time_to_criterion


def test_time_counts_up_to_and_including_the_date_of_the_criterion(con):
    add_mouse(con)
    add_run(con, day(1), protocol=HABITUATION)
    add_run(con, day(2), "in_training")
    add_session(con, day(2).replace(hour=7))  # crashed and restarted
    add_session(con, day(3))  # crashed
    add_run(con, day(6), "in_training")
    add_run(con, day(6).replace(hour=15), "trained_1a")
    add_run(con, day(7), "trained_1b")
    add_summary(con, day(6), n_trials=700, training_day=3)
    assert answer(
        con,
        "select is_reached, date_reached, date_until, training_day, stored_training_day,"
        " calendar_day, n_days, n_sessions, n_sessions_with_trials, n_sessions_in_training,"
        " n_trials, n_days_without_status from time_to_criterion where criterion = 'trained'",
    ) == [
        # the habituation has a trial and, as the rules go, no status of its own on the server
        (True, day(6).date(), day(6).date(), 3, 3, 5, 3, 5, 4, 2, 4, 2)
    ]


def test_a_mouse_has_a_row_for_each_criterion_reached_or_not(con):
    add_mouse(con)
    add_run(con, day(1), "in_training")
    add_run(con, day(2), "trained_1b", BIASED)
    add_session(con, day(3))
    assert answer(
        con,
        "select criterion, is_reached, date_reached, date_until, n_days"
        " from time_to_criterion order by is_reached desc, criterion",
    ) == [
        ("biased", True, day(2).date(), day(2).date(), 2),
        ("reached_trained_1a", True, day(2).date(), day(2).date(), 2),
        ("reached_trained_1b", True, day(2).date(), day(2).date(), 2),
        ("trained", True, day(2).date(), day(2).date(), 2),
        # censored at the last date with a status, which is not the last date
        ("ephys", False, None, day(2).date(), 2),
        ("reached_ready4delay", False, None, day(2).date(), 2),
        ("reached_ready4ephysrig", False, None, day(2).date(), 2),
        ("reached_ready4recording", False, None, day(2).date(), 2),
    ]


def test_each_criterion_takes_its_own_date(con):
    add_mouse(con)
    statuses = ("trained_1a", "trained_1b", "ready4ephysrig", "ready4delay", "ready4recording")
    for number, status in enumerate(statuses, start=1):
        add_run(con, day(number), status, BIASED)
    assert answer(
        con, "select criterion, n_days from time_to_criterion order by n_days, criterion"
    ) == [
        ("reached_trained_1a", 1),
        ("trained", 1),
        ("biased", 2),
        ("reached_trained_1b", 2),
        ("ephys", 3),
        ("reached_ready4ephysrig", 3),
        ("reached_ready4delay", 4),
        ("reached_ready4recording", 5),
    ]


def test_of_a_mouse_without_any_status_nobody_knows(con):
    add_mouse(con)
    add_session(con, day(1))
    add_session(con, day(2))
    assert answer(
        con,
        "select is_reached, status_source, date_until, training_day, n_days, n_sessions, n_trials"
        " from time_to_criterion where criterion = 'trained'",
    ) == [(None, None, day(2).date(), 2, 0, 2, 0)]


def test_days_that_have_only_a_stored_summary_count(con):
    add_mouse(con)
    for number in (1, 2):
        add_summary(con, day(number), n_trials=300, training_day=number)
    add_run(con, day(3), "trained_1a")
    assert answer(
        con,
        "select n_days, n_trials, training_day, n_sessions, n_days_without_status"
        " from time_to_criterion where criterion = 'trained'",
    ) == [(3, 600, 1, 1, 2)]


def test_a_mouse_without_days_has_no_row(con):
    add_mouse(con)
    add_session(con, protocol=HABITUATION)
    assert answer(con, "from time_to_criterion") == []


# days that the server counted and that are not here, as after a sync with --since


def test_a_mouse_that_the_server_knew_earlier_is_flagged(con):
    add_mouse(con)
    add_mouse(con, OTHER_MOUSE, "other mouse")
    for mouse in (MOUSE, OTHER_MOUSE):
        add_run(con, day(1), "trained_1a", mouse=mouse)
    add_summary(con, day(1), n_trials=300, training_day=31)  # of the other mouse nothing is stored
    assert answer(
        con,
        "select subject_nickname, has_earlier_days, is_reached, n_days, stored_training_day"
        " from time_to_criterion where criterion = 'trained' order by subject_nickname",
    ) == [("mouse", True, True, 1, 31), ("other mouse", None, True, 1, None)]


def test_days_from_a_criterion_are_counted_by_one_clock_for_each_mouse(con):
    """The server knows as many of its dates as the mirror does, so that its number counts."""
    add_mouse(con)
    add_run(con, day(1), "in_training")
    add_run(con, day(2), "in_training")
    add_run(con, day(4), "trained_1a")
    add_run(con, day(5), "trained_1a")
    add_summary(con, day(3), n_trials=300, training_day=4)  # without a session here
    for number, training_day in ((1, 2), (4, 5), (5, 6)):
        add_summary(con, day(number), n_trials=300, training_day=training_day)
    assert answer(
        con,
        "select day(session_date), training_day, stored_training_day, days_from_criterion,"
        " day_source from days_from_criterion where criterion = 'trained' order by session_date",
    ) == [
        (6, 1, 2, -3, "stored"),
        (7, 2, None, None, "stored"),
        (8, None, 4, -1, "stored"),
        (9, 3, 5, 0, "stored"),
        (10, 4, 6, 1, "stored"),
    ]


def test_the_clock_of_a_mouse_is_one_that_knows_the_date_of_the_criterion(con):
    add_mouse(con)
    add_summary(con, day(1), n_trials=300, training_day=1)  # no session
    add_run(con, day(2), "trained_1a")  # no summary
    assert answer(
        con,
        "select session_date, days_from_criterion, day_source from days_from_criterion"
        " where criterion = 'trained' order by session_date",
    ) == [(day(1).date(), None, "recomputed"), (day(2).date(), 0, "recomputed")]


def test_days_from_a_criterion_skip_dates_without_a_session(con):
    add_mouse(con)
    add_run(con, datetime(2020, 1, 8, 9), "in_training")
    add_session(con, datetime(2020, 1, 9, 9))
    add_run(con, datetime(2020, 1, 10, 9), "trained_1a")  # a Friday
    add_run(con, datetime(2020, 1, 13, 9), "trained_1a")
    assert answer(
        con,
        "select day(session_date), days_from_criterion, calendar_days_from_criterion, n_trials,"
        " date_reached from days_from_criterion where criterion = 'trained'"
        " order by session_date",
    ) == [
        (8, -2, -2, 1, date(2020, 1, 10)),
        (9, -1, -1, None, date(2020, 1, 10)),
        (10, 0, 0, 1, date(2020, 1, 10)),
        (13, 1, 3, 1, date(2020, 1, 10)),
    ]


def test_trials_at_a_criterion_are_those_of_three_training_days(con):
    add_mouse(con)
    for number in (1, 2, 4, 5):
        add_run(con, day(number), "in_training")
    add_run(con, day(8), "trained_1a", BIASED)
    add_run(con, day(9), "trained_1b")
    assert answer(
        con,
        "select day(session_date), trial_id, days_from_criterion, task, signed_contrast, choice"
        " from trials_at_criterion where criterion = 'trained' order by session_date",
    ) == [
        (9, 1, -2, "training", 100.0, 1),
        (10, 1, -1, "training", 100.0, 1),
        (13, 1, 0, "biased", 100.0, 1),
    ]
    assert column(con, "select distinct criterion from trials_at_criterion order by all") == [
        "reached_trained_1a",
        "reached_trained_1b",
        "trained",
    ]


def test_a_mouse_has_days_only_from_the_criteria_that_it_reached(con):
    add_mouse(con)
    add_mouse(con, OTHER_MOUSE, "other mouse")
    add_run(con, day(1), "trained_1a")
    add_run(con, day(1), "in_training", mouse=OTHER_MOUSE)
    assert answer(
        con, "select subject_nickname, criterion from days_from_criterion order by criterion"
    ) == [("mouse", "reached_trained_1a"), ("mouse", "trained")]


# criterion_report


def test_the_report_says_what_failed_and_by_how_much(con):
    add_mouse(con)
    for number in (1, 2, 3):
        add_run(con, day(number))
    report = "select measure, value, comparison, limit_value, passed, margin, n_failed, n_unknown"
    assert answer(
        con,
        f"{report}, subject_nickname, task, training_day from criterion_report"
        f" where criterion = 'trained_1a' and session_start_time = '{day(2)}'",
    ) == [("sessions", 2.0, ">=", 3.0, False, -1.0, 1, 0, "mouse", "training", 2)]
    assert rows(
        con,
        f"{report} from criterion_report"
        f" where criterion = 'good_enough_for_brainwide_map' and session_start_time = '{day(3)}'",
    ) == [("protocol", 0.0, "=", 1.0, False, None, 1, 0)]
    assert rows(
        con,
        "select measure, value, limit_value, passed, round(margin, 6) from criterion_report"
        f" where criterion = 'trained_1a' and session_start_time = '{day(3)}'"
        " and measure in ('sessions', 'n_trials', 'performance_easy', 'zero_contrast_shown')"
        " order by measure",
    ) == [
        ("n_trials", 1.0, 200.0, False, -199.0),
        ("performance_easy", 1.0, 0.8, True, 0.2),
        ("sessions", 3.0, 3.0, True, 0.0),
        ("zero_contrast_shown", 0.0, 1.0, False, None),
    ]


def test_a_met_criterion_has_nothing_failed_and_nothing_unknown(con):
    add_mouse(con)
    for start in (MONDAY, AFTERNOON, TUESDAY):
        add_trained_session(con, start)
    assert answer(
        con,
        "select distinct criterion, n_failed, n_unknown, is_certain from criterion_report"
        f" where session_start_time = '{TUESDAY}' and criterion like 'trained%' order by all",
    ) == [("trained_1a", 0, 0, True), ("trained_1b", 0, 0, True)]


def test_a_criterion_within_the_standard_error_of_its_limit_is_not_certain(con):
    """Lapses of 5 or 6 in 60, against a limit of 0.1."""
    add_mouse(con)
    for start in (MONDAY, AFTERNOON, TUESDAY):
        add_trained_session(con, start, TRAINED | {-100: 5, -25: 6, 25: 54, 100: 55})
    of_1b = f"from criterion_report where session_start_time = '{TUESDAY}' and criterion = "
    assert answer(con, f"select distinct n_failed, n_uncertain {of_1b} 'trained_1b'") == [(0, 2)]
    assert rows(con, f"select distinct n_failed, n_uncertain {of_1b} 'trained_1a'") == [(0, 0)]
    near = f"{of_1b} 'trained_1b' and abs(margin) <= standard_error"
    assert rows(con, f"select measure, is_certain {near} order by all") == [
        ("lapse_high", False),
        ("lapse_low", False),
    ]
    assert rows(
        con,
        f"select standard_error is null, count(*) {of_1b} 'trained_1b' and measure in"
        " ('n_trials', 'reaction_time', 'bias', 'threshold') group by all order by all",
    ) == [(False, 2), (True, 2)]
    assert rows(
        con, "select status, is_status_certain from session_status order by session_start_time"
    ) == [("in_training", True), ("in_training", True), ("trained_1b", False)]


def test_what_is_not_known_of_a_session_did_not_fail(con):
    add_mouse(con)
    for number in (1, 2, 3):
        add_session(con, day(number))
        add_to_session(
            con,
            "behavior.trial_set",
            day(number),
            n_trials=500,
            trials_start_time=0,
            trials_end_time=1,
        )
    assert answer(
        con,
        "select measure, value, passed, margin, n_failed, n_unknown > 0, is_certain"
        f" from criterion_report where session_start_time = '{day(3)}'"
        " and criterion = 'trained_1a' and measure in ('n_trials', 'threshold') order by measure",
    ) == [
        ("n_trials", 500.0, True, 300.0, 0, True, False),
        ("threshold", None, None, None, 0, True, False),
    ]


# training_funnel


def test_the_funnel_counts_the_mice_of_each_lab_and_all(con):
    add_mouse(con, MOUSE, "one")
    add_mouse(con, OTHER_MOUSE, "two")
    add_mouse(con, THIRD_MOUSE, "three")  # of no lab
    add_lab(con, "cortexlab", "UCL", MOUSE, OTHER_MOUSE)
    add_run(con, day(1), "in_training", mouse=MOUSE)
    add_run(con, day(2), "ready4delay", BIASED, mouse=MOUSE)
    add_run(con, day(1), "untrainable", mouse=OTHER_MOUSE)
    add(con, "subject.death", subject_uuid=OTHER_MOUSE, death_date=date(2020, 3, 1))
    add_session(con, day(1), HABITUATION, THIRD_MOUSE)
    assert answer(
        con,
        "select stage, n_mice, share_of_started, share_of_with_status from training_funnel"
        " where scope = 'all' order by stage_number",
    ) == [
        ("mice", 3, None, None),
        ("with_sessions", 3, None, None),
        ("started_training", 2, 1.0, None),
        ("with_status", 2, 1.0, 1.0),
        ("reached_trained_1a", 1, 0.5, 0.5),
        ("reached_trained_1b", 1, 0.5, 0.5),
        ("started_biased", 1, 0.5, None),
        ("reached_ready4ephysrig", 1, 0.5, 0.5),
        ("reached_ready4delay", 1, 0.5, 0.5),
        ("reached_ready4recording", 0, 0.0, 0.0),
        ("still_in_training", 0, 0.0, 0.0),
        ("died_in_training", 1, 0.5, 0.5),
    ]
    assert rows(
        con,
        "select lab_name, stage, n_mice, share_of_started from training_funnel"
        " where scope = 'lab' and stage in ('mice', 'started_training', 'with_status')"
        " order by lab_name, stage_number",
    ) == [
        ("cortexlab", "mice", 2, None),
        ("cortexlab", "started_training", 2, 1.0),
        ("cortexlab", "with_status", 2, 1.0),
        (None, "mice", 1, None),
        (None, "started_training", 0, None),
        (None, "with_status", 0, None),
    ]


def test_a_living_mouse_below_trained_1a_is_still_in_training(con):
    query = (
        "select stage, n_mice from training_funnel"
        " where scope = 'all' and stage like '%_in_training' order by stage"
    )
    add_mouse(con)
    add_run(con, MONDAY, "in_training")
    # where no deaths are recorded, nobody knows who lives
    assert answer(con, query) == [("died_in_training", None), ("still_in_training", None)]
    add_mouse(con, OTHER_MOUSE, "other mouse")
    add(con, "subject.death", subject_uuid=OTHER_MOUSE, death_date=MONDAY.date())
    assert answer(con, query) == [("died_in_training", 0), ("still_in_training", 1)]


# cohorts


@pytest.mark.parametrize(
    ("trained", "project", "cohorts"),
    [
        (date(2019, 11, 29), PROJECT, ["all_trained", "paper", "tutorial"]),
        (date(2019, 11, 30), PROJECT, ["all_trained", "paper"]),
        (date(2020, 3, 23), PROJECT, ["all_trained", "paper"]),
        (date(2020, 3, 24), PROJECT, ["all_trained"]),
        (date(2019, 6, 1), "another project", ["all_trained"]),
        (date(2019, 6, 1), None, ["all_trained"]),
    ],
)
def test_a_mouse_is_in_a_cohort_by_its_project_and_the_date_it_was_trained(
    con, trained, project, cohorts
):
    add_mouse(con)
    if project is not None:
        for name in (project, "a second project"):
            add(con, "subject.subject_project", subject_uuid=MOUSE, subject_project=name)
    add_run(con, datetime(trained.year, trained.month, trained.day, 9), "trained_1a")
    assert answer(con, "select cohort, date_trained from cohorts order by cohort") == [
        (cohort, trained) for cohort in cohorts
    ]


def test_a_mouse_that_skipped_trained_1a_and_1b_counts_as_trained_but_not_for_the_paper(con):
    """Figure 2d counts any last status but in_training and untrainable as trained."""
    add_mouse(con)
    add(con, "subject.subject_project", subject_uuid=MOUSE, subject_project=PROJECT)
    add_run(con, day(1), "in_training")
    add_run(con, day(2), "ready4ephysrig", BIASED)
    assert answer(con, "select cohort, date_trained from cohorts") == [
        ("all_trained", day(2).date())
    ]
    assert rows(
        con,
        "select criterion, is_reached, n_sessions_in_training from time_to_criterion"
        " where criterion in ('trained', 'reached_trained_1a') order by criterion",
    ) == [("reached_trained_1a", True, 1), ("trained", False, 1)]


def test_a_cohort_of_ones_own_is_as_it_was_listed(con):
    add_mouse(con)
    for mouse in (MOUSE, THIRD_MOUSE):
        add(con, "_mirror.cohort_mice", cohort="mine", subject_uuid=mouse)
    query = "select cohort, subject_uuid, date_trained from cohorts where cohort = 'mine'"
    # not trained; the other is not in this mirror
    assert answer(con, query) == [("mine", MOUSE, None)]
    # what is stored follows the list, without a sync
    con.execute("delete from _mirror.cohort_mice")
    views.define(con)
    assert rows(con, query) == []


def test_a_mouse_that_was_not_trained_is_in_no_cohort(con):
    add_mouse(con)
    add(con, "subject.subject_project", subject_uuid=MOUSE, subject_project=PROJECT)
    add_run(con, MONDAY, "in_training")
    assert answer(con, "from cohorts") == []


# all


@pytest.mark.parametrize(
    ("view", "key"),
    [
        ("session_status", "subject_uuid, session_start_time"),
        ("training_milestones", "subject_uuid"),
        ("status_by_day", "subject_uuid, session_date"),
        ("days_from_criterion", "subject_uuid, session_date, criterion"),
        ("trials_at_criterion", "subject_uuid, session_start_time, trial_id, criterion"),
        ("time_to_criterion", "subject_uuid, criterion"),
        ("criterion_report", "subject_uuid, session_start_time, criterion, measure"),
        ("training_funnel", "scope, lab_name, stage"),
        ("cohorts", "cohort, subject_uuid"),
    ],
)
def test_each_view_has_the_grain_that_its_head_names(con, view, key):
    for mouse in (MOUSE, OTHER_MOUSE):
        add_mouse(con, mouse, "twin")
        for project in (PROJECT, "another project"):
            add(con, "subject.subject_project", subject_uuid=mouse, subject_project=project)
        for start in (MONDAY, AFTERNOON, TUESDAY):
            add_run(con, start, "trained_1b", BIASED, mouse)
            for user in ("anna", "wilma"):
                add_to_session(con, "acquisition.session_user", start, mouse, user_name=user)
    found = answer(con, f"select {key} from {view}")
    assert len(found) == len(set(found)) > 0
    if "subject_uuid" in key:
        assert set(column(con, f"select subject_uuid from {view}")) == {MOUSE, OTHER_MOUSE}
