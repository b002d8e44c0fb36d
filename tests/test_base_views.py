"""The views subjects, sessions and trials, on tables small enough to check by eye."""

from datetime import date, datetime
from pathlib import Path
from uuid import UUID

import pytest
from handmade import (
    BIASED,
    CHOSE_LEFT,
    CHOSE_RIGHT,
    EPHYS,
    ERROR,
    HABITUATION,
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
    column,
    define,
    empty_derived,
    left,
    opened,
    right,
    rows,
)

BASE = Path(__file__).parents[1] / "sql" / "base"
VIEWS = [
    "subjects",
    "session_labels",
    "sessions",
    "trials",
    "trial_times",
]  # each reads those before it


@pytest.fixture
def con():
    with opened() as connection:
        empty_derived(connection)
        # defined as the files say: trials too is a view here, and sees what is put in later
        for view in VIEWS:
            connection.execute((BASE / f"{view}.sql").read_text())
        yield connection


# subjects


def test_mouse_without_lab_project_or_user_keeps_its_row(con):
    add_mouse(con)
    assert rows(
        con,
        "select subject_nickname, lab_name, institution_code, projects, responsible_user, is_alive"
        " from subjects",
    ) == [("mouse", None, None, None, None, None)]


def test_mouse_in_two_projects_has_one_row_with_both_sorted(con):
    add_mouse(con)
    for project in ["b_project", "a_project"]:
        add(con, "subject.subject_project", subject_uuid=MOUSE, subject_project=project)
    assert rows(con, "select subject_nickname, projects from subjects") == [
        ("mouse", "a_project,b_project")
    ]


def test_mouse_gets_the_institution_of_its_lab_and_the_label_of_the_paper(con):
    labs = [("cortexlab", "UCL"), ("danlab", "Berkeley"), ("steinmetzlab", None)]
    for number, (lab, institution) in enumerate(labs, start=1):
        add(
            con,
            "reference.lab",
            lab_name=lab,
            institution=f"University {number}",
            institution_short=institution,
            time_zone="Europe/London",
        )
        add_mouse(con, UUID(int=number), f"mouse {number}")
        add(con, "subject.subject_lab", subject_uuid=UUID(int=number), lab_name=lab)
    assert rows(
        con,
        "select lab_name, institution, institution_short, institution_code, time_zone"
        " from subjects order by subject_uuid",
    ) == [
        ("cortexlab", "University 1", "UCL", "Lab 1", "Europe/London"),
        ("danlab", "University 2", "Berkeley", "Lab 7", "Europe/London"),
        ("steinmetzlab", "University 3", None, None, "Europe/London"),
    ]


def test_mouse_with_a_recorded_death_is_not_alive(con):
    add_mouse(con)
    add(con, "subject.death", subject_uuid=MOUSE, death_date=date(2020, 3, 1))
    assert rows(con, "select death_date, is_alive from subjects") == [(date(2020, 3, 1), False)]


# sessions


@pytest.mark.parametrize(
    ("protocol", "task"),
    [
        (TRAINING, "training"),
        (BIASED, "biased"),
        (EPHYS, "ephys"),
        (HABITUATION, "habituation"),
        ("_iblrig_tasks_ephys_biasedChoiceWorld", "ephys"),
        ("_IBLRIG_TASKS_BiasedChoiceWorld", "biased"),
        ("_iblrig_tasks_passiveChoiceWorld6.2.5", "other"),
        ("", "other"),
        (None, "unknown"),
    ],
)
def test_task_follows_from_the_protocol(con, protocol, task):
    add_mouse(con)
    add_session(con, protocol=protocol)
    assert column(con, "select task from sessions") == [task]


def test_training_day_counts_dates_from_one_without_habituation(con):
    add_mouse(con)
    add_session(con, datetime(2020, 1, 6, 9), HABITUATION)
    add_session(con, datetime(2020, 1, 7, 9), TRAINING)
    add_session(con, datetime(2020, 1, 7, 15), TRAINING)  # restarted after a crash
    add_session(con, datetime(2020, 1, 8, 9), None)
    add_session(con, datetime(2020, 1, 13, 9), BIASED)
    assert column(con, "select training_day from sessions order by session_start_time") == [
        None,
        1,
        1,
        2,
        3,
    ]


def test_training_day_is_counted_for_each_mouse(con):
    add_mouse(con)
    add_mouse(con, OTHER_MOUSE, "other mouse")
    add_session(con, MONDAY)
    add_session(con, TUESDAY)
    add_session(con, TUESDAY, mouse=OTHER_MOUSE)
    assert rows(
        con,
        "select subject_nickname, training_day from sessions"
        " order by subject_nickname, session_start_time",
    ) == [("mouse", 1), ("mouse", 2), ("other mouse", 1)]


def test_session_of_two_users_has_one_row_with_both_sorted(con):
    add_mouse(con)
    add_session(con)
    for user in ["wilma", "anna"]:
        add_to_session(con, "acquisition.session_user", user_name=user)
    assert rows(con, "select users, n_users from sessions") == [("anna,wilma", 2)]


def add_stored_results(con):
    add_to_session(
        con,
        "behavior.trial_set",
        n_trials=500,
        n_correct_trials=400,
        trials_start_time=30.0,
        trials_end_time=2730.0,
    )
    add_to_session(
        con,
        "behavior_analyses.psych_results",
        performance=0.75,
        performance_easy=0.8,
        threshold=15.5,
        bias=-2.5,
        lapse_low=0.125,
        lapse_high=0.25,
    )
    add_to_session(con, "behavior_analyses.reaction_time", reaction_time=[0.5])
    add_to_session(
        con,
        "behavior_analyses.session_training_status",
        training_status="trained_1b",
        good_enough_for_brainwide_map=False,
    )


def test_session_without_trials_user_or_results_keeps_its_row(con):
    add_mouse(con)
    add_session(con)
    assert rows(
        con,
        "select users, n_users, has_trials, has_stored_trials, has_stored_reaction_time, n_trials,"
        " stored_trials_duration_min, performance, stored_performance, training_status,"
        " is_status_certain, on_ephys_rig, session_delay_min, session_duration_min,"
        " age_days, session_project from sessions",
    ) == [(None, 0, False, False, False, *[None] * 11)]


def test_stored_results_and_settings_reach_the_session(con):
    add_mouse(con)
    add_session(con, protocol=EPHYS)
    add_stored_results(con)
    add_to_session(con, "behavior.settings", pybpod_board="_iblrig_danlab_ephys_0")
    add_to_session(con, "behavior.session_delay", session_delay_in_mins=15.0)
    add_to_session(con, "acquisition.session_project", session_project="a_project")
    assert rows(
        con,
        "select has_stored_trials, stored_n_trials, stored_n_correct_trials,"
        " stored_trials_duration_min, stored_performance, stored_performance_easy,"
        " stored_threshold, stored_bias, stored_lapse_low, stored_lapse_high,"
        " has_stored_reaction_time, stored_training_status, stored_good_enough_for_brainwide_map,"
        " on_ephys_rig, session_delay_min, session_project from sessions",
    ) == [
        (
            *(True, 500, 400, 45.0, 0.75),
            *(0.8, 15.5, -2.5, 0.125, 0.25, True),
            *("trained_1b", False, True, 15.0),
            "a_project",
        )
    ]


PLAIN = (
    "n_trials, n_correct_trials, performance, performance_rewarded, performance_easy,"
    " median_reaction_time, threshold, bias, lapse_low, lapse_high, training_status,"
    " is_status_certain, good_enough_for_brainwide_map"
)


def test_a_plain_name_is_recomputed_from_the_trials_whatever_is_stored(con):
    add_mouse(con)
    add_session(con)
    contrasts = (0.0625, 0.25, 1.0)
    for number in range(60):
        side = left if number % 2 else right
        # every fifth choice at the weakest contrast is wrong
        is_left = (number % 2 == 1) != (number % 15 == 0)
        outcome = ERROR if number % 15 == 0 else {}
        choice = CHOSE_LEFT if is_left else CHOSE_RIGHT
        add_trial(con, number + 1, **side(contrasts[number % 3]), **choice, **outcome)
    bare = define(con)
    assert "sessions" in bare.views
    recomputed = rows(con, f"select {PLAIN} from sessions")
    add_stored_results(con)
    assert recomputed[0][:5] == (60, 56, 56 / 60, 56 / 60, 1.0)
    assert recomputed[0][10:] == ("in_training", True, False)
    assert None not in recomputed[0]
    assert rows(con, f"select {PLAIN} from sessions") == recomputed


def test_what_is_stored_is_not_taken_for_what_the_trials_say(con):
    add_mouse(con)
    add_session(con)
    add_stored_results(con)
    assert rows(con, f"select {PLAIN} from sessions") == [(None,) * 13]


def test_performance_of_exactly_80_percent_is_not_above_80_percent(con):
    add_mouse(con)
    add_session(con)
    add_to_session(
        con,
        "behavior_analyses.psych_results",
        performance=0.8,
        performance_easy=0.8,
        threshold=15,
        bias=0,
        lapse_low=0,
        lapse_high=0,
    )
    (above,) = column(con, "select stored_performance_easy > 0.8::double from sessions")
    assert above is False


def test_session_on_a_behavior_rig_is_not_on_an_ephys_rig(con):
    add_mouse(con)
    add_session(con)
    add_to_session(con, "behavior.settings", pybpod_board="_iblrig_danlab_behavior_0")
    assert column(con, "select on_ephys_rig from sessions") == [False]


def test_labels_of_a_session_need_no_trials(con):
    add_mouse(con)
    add_session(con, MONDAY, HABITUATION)
    add_session(con, TUESDAY, BIASED)
    assert rows(
        con,
        "select subject_nickname, session_date, task, training_day from session_labels"
        " order by session_start_time",
    ) == [
        ("mouse", MONDAY.date(), "habituation", None),
        ("mouse", TUESDAY.date(), "biased", 1),
    ]


def test_time_of_day_date_weekday_and_age_are_read_from_the_clock_of_the_rig(con):
    add_mouse(con, subject_birth_date=date(2019, 10, 1))
    add_session(con, datetime(2020, 1, 6, 23, 45, 0))
    assert rows(con, "select session_date, weekday, local_hour, age_days from sessions") == [
        (date(2020, 1, 6), "Monday", 23.75, 97)
    ]


def test_session_duration_is_in_minutes_and_negative_where_the_end_precedes_the_start(con):
    add_mouse(con)
    add_session(con, MONDAY, end=datetime(2020, 1, 6, 10, 29, 30))
    add_session(con, TUESDAY, end=datetime(2020, 1, 7, 9, 29, 0))
    assert column(con, "select session_duration_min from sessions order by session_start_time") == [
        59.5,
        -1.0,
    ]


def test_session_carries_the_lab_and_projects_of_its_mouse(con):
    add_mouse(con)
    add(
        con,
        "reference.lab",
        lab_name="zadorlab",
        institution="Cold Spring Harbor Laboratory",
        institution_short="CSHL",
        time_zone="America/New_York",
    )
    add(con, "subject.subject_lab", subject_uuid=MOUSE, lab_name="zadorlab")
    for project in ["b_project", "a_project"]:
        add(con, "subject.subject_project", subject_uuid=MOUSE, subject_project=project)
    add_session(con)
    assert rows(
        con,
        "select subject_nickname, lab_name, institution_short, institution_code, time_zone,"
        " projects from sessions",
    ) == [("mouse", "zadorlab", "CSHL", "Lab 3", "America/New_York", "a_project,b_project")]


# trials


def test_signed_contrast_is_exact_percent_and_positive_on_the_right(con):
    add_mouse(con)
    add_session(con)
    contrasts = [left(1.0), left(0.0625), left(0.04), right(0.0), right(0.125), right(0.5)]
    for trial_id, contrast in enumerate(contrasts, start=1):
        add_trial(con, trial_id, **contrast)
    assert rows(con, "select signed_contrast, contrast from trials order by trial_id") == [
        (-100.0, 100.0),
        (-6.25, 6.25),
        (-4.0, 4.0),
        (0.0, 0.0),
        (12.5, 12.5),
        (50.0, 50.0),
    ]


def test_a_contrast_below_0_counts_by_its_size_and_stays_on_its_side(con):
    add_mouse(con)
    add_session(con)
    for trial_id, contrast in enumerate([left(-0.5), right(-1.0), left(-0.0)], start=1):
        add_trial(con, trial_id, **contrast, **CHOSE_LEFT)
    assert rows(
        con,
        "select signed_contrast, contrast, stim_side, correct, correct_easy from trials"
        " order by trial_id",
    ) == [(-50.0, 50.0, -1, 1, 1), (100.0, 100.0, 1, 0, 0), (0.0, 0.0, -1, None, None)]


def test_choice_counter_clockwise_is_right(con):
    add_mouse(con)
    add_session(con)
    for trial_id, choice in enumerate([CHOSE_RIGHT, CHOSE_LEFT, NO_GO], start=1):
        add_trial(con, trial_id, **choice)
    assert rows(con, "select choice, is_no_go, choice_right from trials order by trial_id") == [
        (1, False, 1),
        (-1, False, 0),
        (0, True, None),
    ]


def test_no_go_is_wrong_without_history_and_not_valid(con):
    add_mouse(con)
    add_session(con)
    add_trial(con, 1)
    add_trial(con, 2, **NO_GO, trial_response_time=81.0)
    add_trial(con, 3)
    assert rows(
        con,
        "select correct, rewarded, reaction_time, is_valid, previous_choice, next_choice,"
        " previous_rewarded, next_rewarded, previous_signed_contrast, stay"
        " from trials order by trial_id",
    ) == [
        (1, 1, 0.5, True, None, None, None, None, None, None),
        (0, 0, 60.0, False, 1, 1, 1, 1, 100.0, None),
        (1, 1, 0.5, True, None, None, None, None, 100.0, None),
    ]


def test_zero_contrast_has_a_rewarded_side_but_no_correct_answer(con):
    add_mouse(con)
    add_session(con)
    outcomes = [CHOSE_RIGHT, CHOSE_RIGHT | ERROR, CHOSE_LEFT, CHOSE_LEFT | ERROR, NO_GO]
    for trial_id, outcome in enumerate(outcomes, start=1):
        add_trial(con, trial_id, **right(0.0) | outcome)
    assert rows(con, "select stim_side, correct, rewarded from trials order by trial_id") == [
        (1, None, 1),
        (-1, None, 0),
        (-1, None, 1),
        (1, None, 0),
        (None, None, 0),
    ]


def test_correct_compares_choice_and_side_and_correct_easy_starts_at_50_percent(con):
    add_mouse(con)
    add_session(con)
    add_trial(con, 1, **right(0.25), **CHOSE_RIGHT)
    add_trial(con, 2, **right(0.5), **CHOSE_LEFT | ERROR)
    add_trial(con, 3, **left(0.5), **CHOSE_LEFT)
    add_trial(con, 4, **left(1.0), **NO_GO)
    add_trial(con, 5, **left(0.25), **CHOSE_RIGHT | ERROR)
    assert rows(con, "select stim_side, correct, correct_easy from trials order by trial_id") == [
        (1, 1, None),
        (1, 0, 0),
        (-1, 1, 1),
        (-1, 0, 0),
        (-1, 0, None),
    ]


def test_the_times_of_a_trial_are_as_recorded(con):
    add_mouse(con)
    add_session(con)
    add_trial(con, 1, trial_stim_on_time=None)
    assert rows(
        con,
        "select subject_nickname, trial_id, trial_start_time, trial_stim_on_time,"
        " trial_response_time, trial_feedback_type from trial_times",
    ) == [("mouse", 1, 10.0, None, 11.5, 1)]


def test_missing_feedback_is_neither_rewarded_nor_unrewarded(con):
    add_mouse(con)
    add_session(con)
    add_trial(con, 1, **right(0.0), trial_feedback_type=None)
    assert rows(con, "select rewarded, stim_side from trials") == [(None, None)]


def test_reaction_time_falls_back_to_the_go_cue_and_names_its_source(con):
    add_mouse(con)
    add_session(con)
    times = {"trial_response_time": 2.0}
    add_trial(con, 1, **times, trial_stim_on_time=1.5, trial_go_cue_trigger_time=1.25)
    add_trial(con, 2, **times, trial_stim_on_time=None, trial_go_cue_trigger_time=1.25)
    add_trial(con, 3, **times, trial_stim_on_time=None, trial_go_cue_trigger_time=None)
    add_trial(con, 4, trial_response_time=None)
    assert rows(
        con,
        "select reaction_time, reaction_time_source, reaction_time_stim_on, is_valid"
        " from trials join trial_times using (subject_uuid, session_start_time, trial_id)"
        " order by trial_id",
    ) == [
        (0.5, "stim_on", 0.5, True),
        (0.75, "go_cue", None, True),
        (None, None, None, False),
        (None, None, None, False),
    ]


def test_implausible_reaction_times_are_kept_and_flagged(con):
    add_mouse(con)
    add_session(con)
    for trial_id, response in enumerate([0.5, 1.0, 61.0, 62.0], start=1):
        add_trial(con, trial_id, trial_stim_on_time=1.0, trial_response_time=response)
    assert rows(con, "select reaction_time, is_valid from trials order by trial_id") == [
        (-0.5, False),
        (0.0, False),
        (60.0, True),
        (61.0, False),
    ]


def test_history_does_not_reach_across_a_gap_in_trial_id(con):
    add_mouse(con)
    add_session(con)
    add_trial(con, 1, **right(1.0), **CHOSE_RIGHT)
    add_trial(con, 2, **left(0.25), **CHOSE_RIGHT | ERROR)
    add_trial(con, 4, **left(0.125), **CHOSE_LEFT)
    add_trial(con, 5, **right(0.0625), **CHOSE_RIGHT)
    assert rows(
        con,
        "select trial_id, previous_choice, previous_rewarded, previous_signed_contrast,"
        " previous_contrast, stay from trials order by trial_id",
    ) == [
        (1, None, None, None, None, None),
        (2, 1, 1, 100.0, 100.0, 1),
        (4, None, None, None, None, None),
        (5, -1, 1, -12.5, 12.5, 0),
    ]
    assert rows(
        con,
        "select trial_id, next_choice, next_rewarded, next_signed_contrast"
        " from trials order by trial_id",
    ) == [
        (1, 1, 0, -25.0),
        (2, None, None, None),
        (4, 1, 1, 6.25),
        (5, None, None, None),
    ]


def test_history_and_blocks_restart_with_each_session_of_a_day(con):
    add_mouse(con)
    afternoon = datetime(2020, 1, 6, 15)
    for start in [MONDAY, afternoon]:
        add_session(con, start, BIASED)
    add_trial(con, 1, MONDAY, trial_stim_prob_left=0.2)
    add_trial(con, 2, MONDAY, trial_stim_prob_left=0.8)
    add_trial(con, 1, afternoon, trial_stim_prob_left=0.8)
    add_trial(con, 2, afternoon, trial_stim_prob_left=0.8)
    assert rows(
        con,
        "select trial_id, previous_choice, next_choice, block_index, trial_in_block"
        " from trials order by session_start_time, trial_id",
    ) == [(1, None, 1, 1, 1), (2, 1, None, 2, 1), (1, None, 1, 1, 1), (2, 1, None, 1, 2)]


def test_history_does_not_reach_across_mice_that_start_at_the_same_second(con):
    for mouse in [MOUSE, OTHER_MOUSE]:
        add_mouse(con, mouse, "same name in two labs")
        add_session(con, MONDAY, mouse=mouse)
    add_trial(con, 1, mouse=MOUSE)
    add_trial(con, 2, mouse=OTHER_MOUSE)
    assert column(con, "select previous_choice from trials") == [None, None]


def test_blocks_change_with_the_prior_and_count_skipped_trials(con):
    add_mouse(con)
    add_session(con, protocol=BIASED)
    priors = {1: 0.5, 2: 0.5, 3: 0.2, 4: 0.2, 6: 0.2, 7: 0.8, 8: 0.2}
    for trial_id, prior in priors.items():
        add_trial(con, trial_id, trial_stim_prob_left=prior)
    assert rows(
        con,
        "select trial_id, prob_left, prob_left_pct, prob_left_block, block_index, trial_in_block"
        " from trials order by trial_id",
    ) == [
        (1, 0.5, 50, 50, 1, 1),
        (2, 0.5, 50, 50, 1, 2),
        (3, 0.2, 20, 20, 2, 1),
        (4, 0.2, 20, 20, 2, 2),
        (6, 0.2, 20, 20, 2, 4),
        (7, 0.8, 80, 80, 3, 1),
        (8, 0.2, 20, 20, 4, 1),
    ]


@pytest.mark.parametrize("protocol", [TRAINING, HABITUATION, None])
def test_session_of_an_unbiased_task_is_one_block_whatever_its_prior(con, protocol):
    add_mouse(con)
    add_session(con, protocol=protocol)
    for trial_id, prior in enumerate([0.5, 0.7, 0.0], start=1):
        add_trial(con, trial_id, trial_stim_prob_left=prior)
    assert rows(
        con,
        "select prob_left, prob_left_pct, prob_left_block, block_index, trial_in_block"
        " from trials order by trial_id",
    ) == [(0.5, 50, 50, 1, 1), (0.7, 70, 50, 1, 2), (0.0, 0, 50, 1, 3)]


def test_ephys_sessions_have_blocks(con):
    add_mouse(con)
    add_session(con, protocol=EPHYS)
    add_trial(con, 1, trial_stim_prob_left=0.8)
    assert column(con, "select prob_left_block from trials") == [80]


def test_trial_carries_the_names_of_its_mouse_lab_and_session(con):
    add_mouse(con)
    add(
        con,
        "reference.lab",
        lab_name="wittenlab",
        institution="Princeton University",
        institution_short="Princeton",
        time_zone="America/New_York",
    )
    add(con, "subject.subject_lab", subject_uuid=MOUSE, lab_name="wittenlab")
    add_session(con, protocol=BIASED)
    for user in ["anna", "wilma"]:  # must not double the trial
        add_to_session(con, "acquisition.session_user", user_name=user)
    add_trial(con, 1)
    assert rows(
        con,
        "select subject_nickname, lab_name, institution_short, session_uuid, session_date,"
        " training_day, task from trials",
    ) == [("mouse", "wittenlab", "Princeton", UUID(int=1000), date(2020, 1, 6), 1, "biased")]


def test_trial_whose_session_is_missing_keeps_its_row(con):
    add_trial(con, 1, trial_stim_prob_left=0.2)
    assert rows(con, "select trial_id, session_uuid, task, prob_left_block from trials") == [
        (1, None, "unknown", 50)
    ]
