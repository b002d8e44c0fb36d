"""The views of sql/activity, on tables small enough to check by eye."""

from datetime import date, datetime
from pathlib import Path
from uuid import UUID

import pytest
from handmade import (
    ACTION,
    BIASED,
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
    empty_derived,
    opened,
    rows,
)

from mirror import derive

SQL = Path(__file__).parents[1] / "sql"
AFTERNOON = MONDAY.replace(hour=15)
JAN_6, JAN_7, JAN_8 = (date(2020, 1, day) for day in (6, 7, 8))
THIRD_MOUSE = UUID(int=3)


@pytest.fixture
def con():
    with opened(ACTION) as connection:
        empty_derived(connection)
        for view in ("base/subjects", "base/session_labels", "base/sessions"):
            connection.execute((SQL / f"{view}.sql").read_text())
        for file in sorted((SQL / "activity").glob("*.sql")):
            connection.execute(file.read_text())
        yield connection


def add_trial_set(con, start, n_trials, mouse=MOUSE):
    """As stored by the server, all of whose trials are here."""
    add_to_session(con, "derived.session_performance", start, mouse, n_trials=n_trials)
    add_to_session(
        con,
        "behavior.trial_set",
        start,
        mouse,
        n_trials=n_trials,
        trials_start_time=0.0,
        trials_end_time=60.0,
    )


@pytest.fixture
def week(con):
    """One mouse in lab a with a day of two sessions, one in no lab, one without sessions."""
    add_mouse(con, MOUSE, "mouse")
    add_mouse(con, OTHER_MOUSE, "stray")
    add_mouse(con, THIRD_MOUSE, "idle")
    add_lab(con, "a", "UCL", MOUSE, THIRD_MOUSE)
    add_lab(con, "b")
    add_session(con, MONDAY, HABITUATION)
    add_session(con, AFTERNOON, TRAINING)
    add_session(con, TUESDAY, BIASED)
    add_session(con, TUESDAY, EPHYS, OTHER_MOUSE)
    add_session(con, datetime(2020, 1, 8, 23, 5), None, OTHER_MOUSE)
    add_trial_set(con, AFTERNOON, 100)
    add_trial_set(con, TUESDAY, 500)
    add_trial_set(con, TUESDAY, 40, OTHER_MOUSE)
    for user in ("anna", "wilma"):
        add_to_session(con, "acquisition.session_user", AFTERNOON, user_name=user)
    add_to_session(con, "acquisition.session_user", TUESDAY, user_name="anna")
    add_to_session(con, "acquisition.session_user", TUESDAY, OTHER_MOUSE, user_name="anna")
    return con


# sessions by lab, user and mouse

TASKS = "n_habituation, n_training, n_biased, n_ephys, n_other, n_unknown"


def test_lab_counts_a_session_of_two_users_once_and_keeps_labs_and_mice_without(week):
    assert rows(
        week,
        "select lab_name, institution_short, n_sessions, n_days, n_mice, n_sessions_with_trials,"
        " n_trials, first_session_date, last_session_date"
        " from sessions_by_lab order by lab_name nulls last",
    ) == [
        ("a", "UCL", 3, 2, 1, 2, 600, JAN_6, JAN_7),
        ("b", None, 0, 0, 0, 0, 0, None, None),
        (None, None, 2, 2, 1, 1, 40, JAN_7, JAN_8),
    ]


def test_lab_counts_add_up_by_task(week):
    assert rows(
        week, f"select lab_name, {TASKS} from sessions_by_lab order by lab_name nulls last"
    ) == [("a", 1, 1, 1, 0, 0, 0), ("b", 0, 0, 0, 0, 0, 0), (None, 0, 0, 0, 1, 0, 1)]


def test_user_counts_a_shared_session_for_both(week):
    assert rows(
        week,
        "select user_name, lab_names, n_sessions, n_sessions_shared, n_days, n_mice, n_trials,"
        " first_session_date, last_session_date"
        " from sessions_by_user order by user_name nulls last",
    ) == [
        ("anna", "a", 3, 1, 2, 2, 640, JAN_6, JAN_7),
        ("wilma", "a", 1, 1, 1, 1, 100, JAN_6, JAN_6),
        (None, "a", 2, 0, 2, 2, 0, JAN_6, JAN_8),
    ]


def test_user_counts_add_up_by_task(week):
    assert rows(
        week, f"select user_name, {TASKS} from sessions_by_user order by user_name nulls last"
    ) == [("anna", 0, 1, 1, 1, 0, 0), ("wilma", 0, 1, 0, 0, 0, 0), (None, 1, 0, 0, 0, 0, 1)]


def test_mouse_without_sessions_appears_with_zeros(week):
    assert rows(
        week,
        "select subject_nickname, lab_name, n_sessions, n_days, n_training_days,"
        " n_sessions_with_trials, n_trials, first_session_date, last_session_date"
        " from sessions_by_subject order by subject_uuid",
    ) == [
        ("mouse", "a", 3, 2, 2, 2, 600, JAN_6, JAN_7),
        ("stray", None, 2, 2, 2, 1, 40, JAN_7, JAN_8),
        ("idle", "a", 0, 0, 0, 0, 0, None, None),
    ]


def test_mouse_counts_add_up_by_task(week):
    assert rows(
        week, f"select subject_nickname, {TASKS} from sessions_by_subject order by subject_uuid"
    ) == [("mouse", 1, 1, 1, 0, 0, 0), ("stray", 0, 0, 0, 1, 0, 1), ("idle", 0, 0, 0, 0, 0, 0)]


def test_mice_of_one_name_are_counted_apart(con):
    for mouse in (MOUSE, OTHER_MOUSE):
        add_mouse(con, mouse, "twin")
        add_session(con, mouse=mouse)
    assert rows(con, "select subject_nickname, n_sessions from sessions_by_subject") == [
        ("twin", 1),
        ("twin", 1),
    ]


# days and hours


def test_each_lab_and_date_has_a_row(week):
    assert rows(
        week,
        "select lab_name, session_date, weekday, n_sessions, n_mice, n_sessions_with_trials,"
        " n_trials from sessions_per_day order by lab_name nulls last, session_date",
    ) == [
        ("a", JAN_6, "Monday", 2, 1, 1, 100),
        ("a", JAN_7, "Tuesday", 1, 1, 1, 500),
        (None, JAN_7, "Tuesday", 1, 1, 1, 40),
        (None, JAN_8, "Wednesday", 1, 1, 0, 0),
    ]


def test_growth_counts_each_mouse_and_lab_from_its_first_session(week):
    assert rows(
        week,
        "select session_date, n_mice, n_labs, n_sessions, n_trials, n_new_mice, n_new_labs,"
        " n_new_sessions, n_new_trials from growth order by session_date",
    ) == [
        (JAN_6, 1, 1, 2, 100, 1, 1, 2, 100),
        (JAN_7, 2, 1, 4, 640, 1, 0, 2, 540),
        (JAN_8, 2, 1, 5, 640, 0, 0, 1, 0),
    ]


def test_growth_tells_apart_what_has_trials(con):
    add_mouse(con)
    add_lab(con, "a", None, MOUSE)
    add_session(con, MONDAY)
    add_session(con, TUESDAY)
    add_trial_set(con, TUESDAY, 10)
    assert rows(
        con,
        "select n_mice, n_mice_with_trials, n_labs_with_trials, n_sessions_with_trials"
        " from growth order by session_date",
    ) == [(1, 0, 0, 0), (1, 1, 1, 1)]


def test_hours_are_those_of_the_wall_clock(week):
    assert rows(
        week,
        "select lab_name, weekday_number, weekday, hour_of_day, n_sessions, n_mice, n_trials"
        " from session_hours order by lab_name nulls last, weekday_number, hour_of_day",
    ) == [
        ("a", 1, "Monday", 9, 1, 1, 0),
        ("a", 1, "Monday", 15, 1, 1, 100),
        ("a", 2, "Tuesday", 9, 1, 1, 500),
        (None, 2, "Tuesday", 9, 1, 1, 40),
        (None, 3, "Wednesday", 23, 1, 1, 0),
    ]


def test_a_lab_that_works_at_night_stands_out(week):
    assert rows(
        week,
        "select lab_name, lab_share, night_share from session_hours"
        " where hour_of_day in (15, 23) order by lab_name nulls last",
    ) == [("a", pytest.approx(1 / 3), 0.0), (None, 0.5, 0.5)]


@pytest.mark.parametrize(
    "start, number",
    [
        (datetime(2017, 12, 31, 12), 7),
        (datetime(2018, 1, 1, 12), 1),
        (datetime(2020, 2, 29, 12), 6),
        (datetime(2020, 3, 1, 12), 7),
        (datetime(2016, 12, 26, 12), 1),
    ],
)
def test_weekday_is_numbered_from_monday_also_before_2018(con, start, number):
    add_mouse(con)
    add_session(con, start)
    assert column(con, "select weekday_number from session_hours") == [number]
    assert start.isoweekday() == number


# end of a session


def add_rows(con, first, last, start=MONDAY, **values):
    """Rewarded easy trials with the row numbers first to last, one every two seconds."""
    row = {
        "trial_start_time": "2.0 * i",
        "trial_end_time": "2.0 * i + 2",
        "trial_stim_on_time": "2.0 * i",
        "trial_response_time": "2.0 * i + 0.5",
        "trial_response_choice": "'CCW'",
        "trial_feedback_type": "1",
        "trial_stim_contrast_left": "0",
        "trial_stim_contrast_right": "1",
        "trial_stim_prob_left": "0.5",
    } | values
    con.execute(
        "insert into behavior.trial_set__trial"
        f" (subject_uuid, session_start_time, trial_id, {', '.join(row)})"
        f" select '{MOUSE}', timestamp '{start}', i + 1, {', '.join(row.values())}"
        f" from range({first}, {last + 1}) as r(i)"
    )


SLOW = {"trial_response_time": "2.0 * i + 10"}


def test_a_session_that_meets_no_criterion_keeps_its_row(con):
    add_mouse(con)
    add_session(con)
    add_trial(con, 1)
    assert rows(
        con,
        "select subject_nickname, session_date, task, n_trials, end_status, end_status_index,"
        " end_status_trial_id, n_trials_over, any_end_status from session_end_criteria",
    ) == [("mouse", JAN_6, "training", 1, None, None, None, None, None)]


def test_trials_whose_session_is_missing_keep_their_row(con):
    add_trial(con, 1)
    assert rows(con, "select n_trials, task from session_end_criteria") == [(1, "unknown")]


def test_long_reaction_times_end_a_session_after_400_trials(con):
    # ten of the last twenty at 10 s and ten at .5 s: their median is 5.25 s, over 5 * .5 s
    add_rows(con, 0, 409)
    add_rows(con, 410, 429, **SLOW)
    assert rows(
        con,
        "select end_status, end_status_index, end_status_trial_id, n_trials_over, long_rt_index,"
        " long_rt_trial_id from session_end_criteria",
    ) == [("long_rt", 419, 420, 11, 419, 420)]


def test_long_reaction_times_do_not_count_before(con):
    add_rows(con, 0, 350)
    add_rows(con, 351, 385, **SLOW)
    add_rows(con, 386, 415)
    assert column(con, "select long_rt_index from session_end_criteria") == [None]


def test_a_missing_onset_blinds_long_reaction_times_for_twenty_trials(con):
    add_rows(con, 0, 409)
    add_rows(con, 410, 440, **SLOW)
    con.execute(
        "update behavior.trial_set__trial set trial_stim_on_time = null where trial_id = 416"
    )
    assert column(con, "select long_rt_index from session_end_criteria") == [435]


def test_the_median_of_all_so_far_is_the_real_one(con):
    # 10 s from the start on: 20 more of 10 s are not long, although the fastest trials are
    add_rows(con, 0, 200)
    add_rows(con, 201, 430, **SLOW)
    assert column(con, "select long_rt_index from session_end_criteria") == [None]


def test_few_trials_after_45_minutes_with_the_index_and_the_trial_id(con):
    for trial_id, seconds in ((1, 10), (2, 2700), (5, 2701), (6, 2800)):
        add_trial(con, trial_id, trial_start_time=seconds)
    assert rows(
        con,
        "select end_status, end_status_index, end_status_trial_id, n_trials_over, n_trials,"
        " few_trials_index, few_trials_trial_id from session_end_criteria",
    ) == [("<400_trials", 2, 5, 2, 4, 2, 5)]


def test_a_criterion_met_in_the_first_row_counts_as_never_met(con):
    for trial_id, seconds in ((1, 5401), (2, 5402)):
        add_trial(con, trial_id, trial_start_time=seconds)
    assert rows(
        con,
        "select end_status, any_end_status, few_trials_index, over_90_min_index, stopped_index"
        " from session_end_criteria",
    ) == [(None, None, None, None, None)]


def test_90_minutes(con):
    for trial_id, seconds in ((1, 10), (2, 5400), (3, 5401)):
        add_trial(con, trial_id, trial_start_time=seconds)
    assert rows(
        con,
        "select end_status, end_status_index, over_90_min_index, over_90_min_trial_id"
        " from session_end_criteria",
    ) == [("<400_trials", 1, 2, 3)]


def test_90_minutes_of_many_trials(con):
    add_rows(con, 0, 419, trial_start_time="i", trial_stim_on_time="i", trial_response_time="i+.5")
    add_trial(con, 421, trial_start_time=5401)
    assert rows(
        con,
        "select end_status, end_status_index, n_trials_over, any_end_status"
        " from session_end_criteria",
    ) == [(">90_min", 420, 1, ">45_min_&_stopped")]


def test_a_mouse_that_stopped_has_fewer_than_45_trials_in_the_five_minutes_before(con):
    # one every two seconds up to 2698 s: 45 of them, from 2610 s on, lie before 2908 s; before
    # 2912 s lie 44, as the one exactly 300 s before does not count, but the one at 2908 s does
    add_rows(con, 0, 1349)
    for trial_id, seconds in ((1351, 2908), (1352, 2912), (1353, 2918)):
        add_trial(con, trial_id, trial_start_time=seconds)
    assert rows(
        con,
        "select end_status, any_end_status, stopped_index, stopped_trial_id"
        " from session_end_criteria",
    ) == [(None, ">45_min_&_stopped", 1351, 1352)]


ERROR = {"trial_feedback_type": "-1"}
HARD = {"trial_stim_contrast_right": "0.25"}


def test_easy_performance_drops_by_40_percent(con):
    # after 22 errors: 28 of the last 50, 56 percent, is 41 percent below 400 of 422
    add_rows(con, 0, 399)
    add_rows(con, 400, 430, **ERROR)
    assert rows(
        con,
        "select end_status, any_end_status, easy_drop_index, easy_drop_trial_id"
        " from session_end_criteria",
    ) == [(None, "perf_ez<40", 421, 422)]


def test_a_contrast_below_0_counts_by_its_size_in_what_is_easy(con):
    both = HARD | {"trial_stim_contrast_left": "-0.25"}
    add_rows(con, 0, 399)
    add_rows(con, 400, 430, **ERROR, **both)
    assert column(con, "select easy_drop_index from session_end_criteria") == [None]


def test_a_drop_before_400_trials_counts_from_the_first_trial_after(con):
    add_rows(con, 0, 349)
    add_rows(con, 350, 389, **ERROR)
    add_rows(con, 390, 405, **HARD)
    assert rows(con, "select easy_drop_index, easy_drop_trial_id from session_end_criteria") == [
        (401, 402)
    ]


def test_a_drop_that_is_made_good_by_then_does_not_count(con):
    add_rows(con, 0, 299)
    add_rows(con, 300, 339, **ERROR)
    add_rows(con, 340, 405)
    assert column(con, "select easy_drop_index from session_end_criteria") == [None]


def test_a_drop_in_a_session_of_400_trials_does_not_count(con):
    add_rows(con, 0, 349)
    add_rows(con, 350, 400, **ERROR)
    assert rows(con, "select n_trials, easy_drop_index from session_end_criteria") == [(401, None)]


def test_two_sessions_of_a_day_end_apart(con):
    add_mouse(con)
    for start in (MONDAY, AFTERNOON):
        add_session(con, start)
        add_trial(con, 1, start, trial_start_time=10)
    add_trial(con, 2, AFTERNOON, trial_start_time=2701)
    assert rows(
        con,
        "select end_status, n_trials from session_end_criteria order by session_start_time",
    ) == [(None, 1), ("<400_trials", 2)]


# weights and water


def test_a_date_has_the_mean_weight_and_the_sum_of_the_water(con):
    add_mouse(con, subject_birth_date=date(2019, 10, 1))
    add_lab(con, "a", None, MOUSE)
    for hour, weight in ((9, 20.0), (15, 21.0)):
        at = MONDAY.replace(hour=hour)
        add(con, "action.weighing", subject_uuid=MOUSE, weighing_time=at, weight=weight)
    for hour, amount, kind in (
        (10, 0.75, "Water 10% Sucrose"),
        (16, 0.5, "Water"),
        (17, None, "H"),
    ):
        add(
            con,
            "action.water_administration",
            subject_uuid=MOUSE,
            administration_time=MONDAY.replace(hour=hour),
            water_administered=amount,
            adlib=amount is None,
            watertype_name=kind,
        )
    assert rows(
        con,
        "select subject_nickname, lab_name, action_date, weekday, age_days, n_weighings, weight,"
        " n_administrations, n_without_amount, water_ml, water_types, is_ad_lib, is_restricted,"
        " reference_weight, weight_share from weights_and_water",
    ) == [
        (
            *("mouse", "a", JAN_6, "Monday", 97, 2, 20.5, 3, 1, 1.25),
            *("H,Water,Water 10% Sucrose", True, False, None, None),
        )
    ]


def test_a_date_with_water_only_or_weight_only_keeps_its_row(con):
    add_mouse(con)
    add(con, "action.weighing", subject_uuid=MOUSE, weighing_time=MONDAY, weight=20)
    add(
        con,
        "action.water_administration",
        subject_uuid=MOUSE,
        administration_time=TUESDAY,
        adlib=False,
        watertype_name="Water",
    )
    assert rows(
        con,
        "select action_date, n_weighings, weight, n_administrations, water_ml, water_types,"
        " is_ad_lib from weights_and_water order by action_date",
    ) == [(JAN_6, 1, 20.0, 0, None, None, False), (JAN_7, 0, None, 1, None, "Water", False)]


def test_the_restriction_in_force_is_the_last_that_began(con):
    add_mouse(con)
    for day, weight in ((5, 20), (6, 17), (7, 18), (9, 19)):
        at = datetime(2020, 1, day, 8)
        add(con, "action.weighing", subject_uuid=MOUSE, weighing_time=at, weight=weight)
    for start, end, weight in (
        (datetime(2020, 1, 6, 12), datetime(2020, 1, 8, 12), 20),
        (datetime(2020, 1, 7, 12), datetime(2020, 1, 7, 18), 24),
        (datetime(2020, 1, 9, 12), None, 0),
    ):
        add(
            con,
            "action.water_restriction",
            subject_uuid=MOUSE,
            restriction_start_time=start,
            restriction_end_time=end,
            reference_weight=weight,
        )
    assert rows(
        con,
        "select action_date, is_restricted, reference_weight, weight_share"
        " from weights_and_water order by action_date",
    ) == [
        (date(2020, 1, 5), False, None, None),
        (JAN_6, True, 20.0, 0.85),
        (JAN_7, True, 24.0, 0.75),
        (date(2020, 1, 9), True, 0.0, None),
    ]


# nothing derived


def test_where_nothing_is_derived_nothing_is_said_of_trials(con):
    add_lab(con, "lab", "UCL", MOUSE)
    add_mouse(con)
    add_session(con, MONDAY, TRAINING)
    add_trial(con, 1)
    derive.clear(con)
    for view, names in (
        ("labs", "n_trials, n_sessions_with_trials"),
        ("sessions", "has_trials::integer"),
        ("sessions_by_lab", "n_trials, n_sessions_with_trials"),
        ("sessions_by_subject", "n_trials, n_sessions_with_trials"),
        ("sessions_by_user", "n_trials, n_sessions_with_trials"),
        ("sessions_per_day", "n_trials, n_sessions_with_trials"),
        ("session_hours", "n_trials"),
        (
            "growth",
            "n_trials, n_new_trials, n_sessions_with_trials, n_mice_with_trials,"
            " n_labs_with_trials",
        ),
    ):
        if view == "labs":
            con.execute((SQL / "base/labs.sql").read_text())
        said = rows(con, f"select {names} from {view}")
        assert said == [(None,) * len(said[0])], view
