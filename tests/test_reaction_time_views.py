"""The views of reaction times, on tables small enough to check by eye."""

from math import nan
from pathlib import Path

import pytest
from handmade import (
    BIASED,
    CHOSE_LEFT,
    MONDAY,
    MOUSE,
    NO_GO,
    TUESDAY,
    add,
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

SQL = Path(__file__).parents[1] / "sql"
# movement_times is of public files alone
NAMES = sorted(
    file.stem for file in (SQL / "reaction_time").glob("*.sql") if file.stem != "movement_times"
)
AFTERNOON = MONDAY.replace(hour=15)

CURVE = """
    signed_contrasts double[], threshold float not null, bias float not null,
    lapse_low float not null, lapse_high float not null
"""
LISTS = """
    reaction_time_contrast double[], reaction_time_ci_high double[], reaction_time_ci_low double[]
"""
STORED = f"""
alter table behavior_analyses.psych_results add column signed_contrasts double[];
create table behavior_analyses.psych_results_block (
    subject_uuid uuid, session_start_time timestamp, prob_left_block integer, {CURVE},
    primary key (subject_uuid, session_start_time, prob_left_block)
);
create table behavior_analyses.behavioral_summary_by_date__psych_results (
    subject_uuid uuid, session_date date, prob_left_block integer, {CURVE},
    primary key (subject_uuid, session_date, prob_left_block)
);
create table behavior_analyses.reaction_time_contrast_block (
    subject_uuid uuid, session_start_time timestamp, prob_left_block integer, {LISTS},
    primary key (subject_uuid, session_start_time, prob_left_block)
);
create table behavior_analyses.behavioral_summary_by_date__reaction_time_contrast (
    subject_uuid uuid, session_date date, prob_left_block integer, {LISTS},
    primary key (subject_uuid, session_date, prob_left_block)
);
"""
FIT = {"threshold": 12.5, "bias": -1.5, "lapse_low": 0.25, "lapse_high": 0.125}


@pytest.fixture
def con():
    with opened(STORED) as connection:
        yield connection


def add_answer(con, trial_id, seconds, start=MONDAY, **values):
    """A trial answered so long after the onset of the stimulus."""
    add_trial(con, trial_id, start, **{"trial_response_time": trial_id * 10 + 1 + seconds} | values)


def from_go_cue(trial_id):
    """No onset of the stimulus, but a go cue a quarter of a second after it."""
    return {"trial_stim_on_time": None, "trial_go_cue_trigger_time": trial_id * 10 + 1.25}


# reaction_times_by_session, _by_block, _by_day


def test_the_pipeline_takes_go_cue_and_no_go_and_the_paper_neither(con):
    add_mouse(con)
    add_session(con)
    for trial_id, seconds in enumerate((0.5, 0.75, 1.0), start=1):
        add_answer(con, trial_id, seconds, **right(0.25))
    add_answer(con, 4, 1.5, **right(0.25), **from_go_cue(4))  # 1.25 from the go cue
    add_answer(con, 5, 60.0, **right(0.25), **NO_GO)
    define(con)
    assert rows(
        con,
        "select subject_nickname, session_date, training_day, task, signed_contrast, n_trials,"
        " n_reaction_times, n_from_go_cue, reaction_time_source, median_reaction_time,"
        " q1_reaction_time, q3_reaction_time, n_reaction_times_paper, median_reaction_time_paper"
        " from reaction_times_by_session",
    ) == [
        (
            *("mouse", MONDAY.date(), 1, "training", 25.0),
            *(5, 5, 1, "mixed", 1.0, 0.75, 1.25),
            *(3, 0.75),
        )
    ]


def test_the_source_of_the_reaction_times_is_named(con):
    add_mouse(con)
    add_session(con)
    add_answer(con, 1, 0.5, **left(1.0))
    add_answer(con, 2, 0.5, **left(0.5), **from_go_cue(2))
    add_answer(con, 3, 0.5, **left(0.25), trial_stim_on_time=None)
    add_answer(con, 4, 0.5, **left(0.25), trial_response_time=None)
    define(con)
    for view in ("reaction_times_by_session", "reaction_times_by_block", "reaction_times_by_day"):
        assert rows(
            con,
            "select signed_contrast, n_trials, n_reaction_times, reaction_time_source,"
            " median_reaction_time, q1_reaction_time, median_reaction_time_paper"
            f" from {view} order by signed_contrast",
        ) == [
            (-100.0, 1, 1, "stim_on", 0.5, 0.5, 0.5),
            (-50.0, 1, 1, "go_cue", 0.25, 0.25, None),
            (-25.0, 2, 0, None, None, None, None),
        ]


def test_zero_contrast_of_either_side_is_one_row(con):
    add_mouse(con)
    add_session(con)
    add_answer(con, 1, 0.5, **left(0.0), **CHOSE_LEFT)
    add_answer(con, 2, 1.0, **right(0.0))
    define(con)
    assert rows(
        con, "select signed_contrast, median_reaction_time from reaction_times_by_session"
    ) == [(0.0, 0.75)]


def test_blocks_are_apart_by_block_and_by_day_and_together_by_session(con):
    add_mouse(con)
    add_session(con, protocol=BIASED)
    for trial_id, (prior, seconds) in enumerate(((0.2, 0.25), (0.8, 0.75)), start=1):
        add_answer(con, trial_id, seconds, trial_stim_prob_left=prior)
    define(con)
    for view in ("reaction_times_by_block", "reaction_times_by_day"):
        assert rows(
            con,
            "select prob_left_block, signed_contrast, median_reaction_time"
            f" from {view} order by prob_left_block",
        ) == [(20, 100.0, 0.25), (80, 100.0, 0.75)]
    assert column(con, "select median_reaction_time from reaction_times_by_session") == [0.5]


def test_two_sessions_of_a_day_are_two_sessions_and_one_day(con):
    add_mouse(con)
    for start, seconds in ((MONDAY, 0.25), (AFTERNOON, 0.75), (TUESDAY, 1.0)):
        add_session(con, start)
        add_answer(con, 1, seconds, start)
    define(con)
    assert column(
        con,
        "select median_reaction_time from reaction_times_by_session order by session_start_time",
    ) == [0.25, 0.75, 1.0]
    assert rows(
        con,
        "select subject_nickname, session_date, training_day, prob_left_block, n_trials,"
        " median_reaction_time from reaction_times_by_day order by session_date",
    ) == [("mouse", MONDAY.date(), 1, 50, 2, 0.5), ("mouse", TUESDAY.date(), 2, 50, 1, 1.0)]


def test_trials_whose_session_is_missing_have_no_names_and_no_date(con):
    add_answer(con, 1, 0.5)
    define(con)
    for view in ("reaction_times_by_session", "reaction_times_by_block"):
        assert rows(
            con,
            f"select subject_nickname, session_date, task, median_reaction_time from {view}",
        ) == [(None, None, "unknown", 0.5)]
    assert rows(con, "from reaction_times_by_day") == []


def test_a_session_without_trials_has_no_row(con):
    add_mouse(con)
    add_session(con)
    define(con)
    for name in NAMES:
        assert rows(con, f"from {name}") == []


# stored_reaction_times


def store(con, contrasts, reaction_times, start=MONDAY):
    """What the server held of a session; no contrasts: no psychometric results."""
    if contrasts is not None:
        add_to_session(
            con,
            "behavior_analyses.psych_results",
            start,
            performance=0.5,
            signed_contrasts=contrasts,
            **FIT,
        )
    add_to_session(con, "behavior_analyses.reaction_time", start, reaction_time=reaction_times)


def test_a_stored_list_runs_the_other_way_than_its_contrasts(con):
    add_mouse(con)
    store(con, [-1.0, -0.0625, 0.0, 0.5], [0.5, 0.75, 1.0, 0.25])
    define(con)
    assert rows(
        con,
        "select grain, subject_nickname, session_start_time, session_date, prob_left_block,"
        " position, signed_contrast, median_reaction_time, n_contrasts, n_values"
        " from stored_reaction_times order by position",
    ) == [
        ("session", "mouse", MONDAY, MONDAY.date(), None, position, contrast, seconds, 4, 4)
        for position, contrast, seconds in (
            (1, 50.0, 0.5),
            (2, 0.0, 0.75),
            (3, -6.25, 1.0),
            (4, -100.0, 0.25),
        )
    ]


@pytest.mark.parametrize("contrasts", [[-1.0, 0.0, 1.0], [1.0], [], None])
def test_where_the_lengths_differ_no_value_has_a_contrast(con, contrasts):
    add_mouse(con)
    store(con, contrasts, [0.5, 0.25])
    define(con)
    assert rows(
        con,
        "select position, signed_contrast, median_reaction_time, n_contrasts, n_values"
        " from stored_reaction_times order by position",
    ) == [(1, None, 0.5, len(contrasts or []), 2), (2, None, 0.25, len(contrasts or []), 2)]


def test_a_lone_nan_is_null_and_an_empty_list_keeps_a_row(con):
    add_mouse(con)
    store(con, [0.0, 1.0], [nan], MONDAY)
    store(con, [0.0, 1.0], [], AFTERNOON)
    store(con, [0.0, 1.0], None, TUESDAY)
    define(con)
    assert rows(
        con,
        "select position, signed_contrast, median_reaction_time, n_contrasts, n_values"
        " from stored_reaction_times order by session_start_time",
    ) == [(1, None, None, 2, 1), (None, None, None, 2, 0), (None, None, None, 2, 0)]


def test_blocks_and_days_have_intervals_and_days_name_their_blocks(con):
    add_mouse(con)
    lists = {
        "reaction_time_contrast": [0.5, 0.75],
        "reaction_time_ci_low": [0.25, nan],
        "reaction_time_ci_high": [1.0, 1.25],
    }
    add_to_session(
        con,
        "behavior_analyses.psych_results_block",
        prob_left_block=80,
        signed_contrasts=[-0.25, 1.0],
        **FIT,
    )
    add_to_session(
        con, "behavior_analyses.reaction_time_contrast_block", prob_left_block=80, **lists
    )
    for code in (0, 1, 2):
        day = {"subject_uuid": MOUSE, "session_date": MONDAY.date(), "prob_left_block": code}
        summary = "behavior_analyses.behavioral_summary_by_date__"
        add(con, summary + "psych_results", **day, signed_contrasts=[-0.25, 1.0], **FIT)
        add(con, summary + "reaction_time_contrast", **day, **lists)
    define(con)
    assert rows(
        con,
        "select grain, session_start_time, session_date, prob_left_block, signed_contrast,"
        " median_reaction_time, median_reaction_time_low68, median_reaction_time_high68"
        " from stored_reaction_times order by grain, prob_left_block, position",
    ) == [
        (grain, start, MONDAY.date(), block, *values)
        for grain, start, block in (
            ("day_block", None, 20),
            ("day_block", None, 50),
            ("day_block", None, 80),
            ("session_block", MONDAY, 80),
        )
        for values in ((100.0, 0.5, 0.25, 1.0), (-25.0, 0.75, None, 1.25))
    ]


def test_an_interval_of_another_length_belongs_to_no_value(con):
    add_mouse(con)
    add_to_session(
        con,
        "behavior_analyses.reaction_time_contrast_block",
        prob_left_block=20,
        reaction_time_contrast=[0.5, 0.75],
        reaction_time_ci_low=[0.25],
        reaction_time_ci_high=None,
    )
    define(con)
    assert rows(
        con,
        "select median_reaction_time, median_reaction_time_low68, median_reaction_time_high68"
        " from stored_reaction_times order by position",
    ) == [(0.5, None, None), (0.75, None, None)]


def test_stored_values_are_those_recomputed_from_trials(con):
    add_mouse(con)
    add_session(con)
    for trial_id, (side, seconds) in enumerate(
        ((left(1.0), 0.25), (left(1.0), 0.75), (right(0.0), 1.0), (right(0.125), 2.0)), start=1
    ):
        add_answer(con, trial_id, seconds, **side)
    store(con, [-1.0, 0.0, 0.125], [2.0, 1.0, 0.5])
    define(con)
    assert rows(
        con,
        "select signed_contrast, stored.median_reaction_time, derived.median_reaction_time"
        " from stored_reaction_times as stored"
        " join reaction_times_by_session as derived"
        " using (subject_uuid, session_start_time, signed_contrast) order by signed_contrast",
    ) == [(-100.0, 0.5, 0.5), (0.0, 1.0, 1.0), (12.5, 2.0, 2.0)]


def test_without_the_stored_lists_only_their_view_is_left_out(con):
    con.execute("drop table behavior_analyses.reaction_time_contrast_block")
    assert set(NAMES) & set(define(con).skipped) == {"stored_reaction_times"}
