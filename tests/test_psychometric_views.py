"""The views of psychometric curves, block shifts and choice history, small enough to check."""

from datetime import datetime
from math import sqrt
from pathlib import Path
from statistics import NormalDist

import pytest
from handmade import (
    BIASED,
    CHOSE_LEFT,
    CHOSE_RIGHT,
    EPHYS,
    ERROR,
    MONDAY,
    MOUSE,
    NO_GO,
    TRAINING,
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
NAMES = sorted(file.stem for file in (SQL / "psychometrics").glob("*.sql"))
AFTERNOON = MONDAY.replace(hour=15)

STORED = """
alter table behavior_analyses.psych_results add column signed_contrasts double[];
alter table behavior_analyses.psych_results add column n_trials_stim bigint[];
alter table behavior_analyses.psych_results add column n_trials_stim_right bigint[];
alter table behavior_analyses.psych_results add column prob_choose_right double[];
create table behavior_analyses.psych_results_block (
    subject_uuid uuid, session_start_time timestamp, prob_left_block integer,
    signed_contrasts double[], n_trials_stim bigint[], n_trials_stim_right bigint[],
    prob_choose_right double[],
    threshold float not null, bias float not null,
    lapse_low float not null, lapse_high float not null,
    primary key (subject_uuid, session_start_time, prob_left_block)
);
create table behavior_analyses.behavioral_summary_by_date__psych_results (
    subject_uuid uuid, session_date date, prob_left_block integer, prob_left float not null,
    signed_contrasts double[], n_trials_stim bigint[], n_trials_stim_right bigint[],
    prob_choose_right double[],
    threshold float not null, bias float not null,
    lapse_low float not null, lapse_high float not null,
    primary key (subject_uuid, session_date, prob_left_block)
);
"""
FIT = {"threshold": 12.5, "bias": -1.5, "lapse_low": 0.25, "lapse_high": 0.125}


@pytest.fixture
def con():
    with opened(STORED) as connection:
        yield connection


def add_trials(con, choices, start=MONDAY, first_id=1, **values):
    """One trial per choice."""
    for trial_id, choice in enumerate(choices, start=first_id):
        add_trial(con, trial_id, start, **values | choice)


def share(con, n_right, n_trials, first_id, start=MONDAY, **values):
    choices = [CHOSE_RIGHT] * n_right + [CHOSE_LEFT] * (n_trials - n_right)
    add_trials(con, choices, start, first_id, **values)
    return first_id + n_trials


# psychometrics_by_session, _by_block, _by_day


def test_a_no_go_is_left_out_of_p_right_and_counts_as_not_right_for_the_server(con):
    add_mouse(con)
    add_session(con)
    add_trials(con, [CHOSE_RIGHT, CHOSE_LEFT, NO_GO, CHOSE_RIGHT, CHOSE_RIGHT], **right(0.0625))
    define(con)
    assert rows(
        con,
        "select subject_nickname, session_date, training_day, task, signed_contrast, n_trials,"
        " n_no_go, n_right, p_right, p_right_dj from psychometrics_by_session",
    ) == [("mouse", MONDAY.date(), 1, "training", 6.25, 5, 1, 3, 0.75, 0.6)]


def test_zero_contrast_of_either_side_is_one_row_and_left_is_negative(con):
    add_mouse(con)
    add_session(con)
    add_trial(con, 1, **left(0.0))
    add_trial(con, 2, **right(0.0), **CHOSE_LEFT)
    add_trial(con, 3, **left(0.5), **CHOSE_LEFT)
    define(con)
    assert rows(
        con,
        "select signed_contrast, n_trials, p_right from psychometrics_by_session order by 1",
    ) == [(-50.0, 1, 0.0), (0.0, 2, 0.5)]


def test_without_a_choice_p_right_and_its_interval_are_null(con):
    add_mouse(con)
    add_session(con)
    add_trials(con, [NO_GO, NO_GO])
    define(con)
    for view in ("by_session", "by_block", "by_day"):
        assert rows(
            con,
            "select n_trials, n_no_go, p_right, p_right_low68, p_right_high68, p_right_low95,"
            f" p_right_high95, p_right_dj from psychometrics_{view}",
        ) == [(2, 2, None, None, None, None, None, 0.0)]


@pytest.mark.parametrize("n_right", [0, 1, 8, 10])
def test_the_ends_of_the_interval_lie_as_many_standard_errors_away_as_wilson_says(con, n_right):
    add_mouse(con)
    add_session(con)
    share(con, n_right, 10, first_id=1)
    define(con)
    [found] = {
        row
        for view in ("by_session", "by_block", "by_day")
        for row in rows(
            con,
            "select p_right, p_right_low68, p_right_high68, p_right_low95, p_right_high95"
            f" from psychometrics_{view}",
        )
    }
    p = found[0]
    assert p == n_right / 10
    for (low, high), tail in ((found[1:3], 0.16), (found[3:], 0.025)):
        assert 0 <= low <= p <= high <= 1
        deviation = NormalDist().inv_cdf(1 - tail)
        for end in (low, high):
            if 0 < end < 1:
                error = sqrt(end * (1 - end) / 10)
                assert abs(p - end) == pytest.approx(deviation * error)
    assert (found[1] == 0) == (found[3] == 0) == (n_right == 0)
    assert (found[2] == 1) == (found[4] == 1) == (n_right == 10)


def test_blocks_are_apart_by_block_and_together_by_session(con):
    add_mouse(con)
    add_session(con, protocol=BIASED)
    share(con, 3, 4, first_id=1, **right(0.0), trial_stim_prob_left=0.2)
    share(con, 1, 4, first_id=5, **right(0.0), trial_stim_prob_left=0.8)
    define(con)
    assert rows(
        con,
        "select task, prob_left_block, signed_contrast, n_right, p_right"
        " from psychometrics_by_block order by prob_left_block",
    ) == [("biased", 20, 0.0, 3, 0.75), ("biased", 80, 0.0, 1, 0.25)]
    assert rows(con, "select n_trials, p_right from psychometrics_by_session") == [(8, 0.5)]


def test_training_has_no_blocks_whatever_its_prior(con):
    add_mouse(con)
    add_session(con, protocol=TRAINING)
    for trial_id, prior in enumerate([0.5, 0.7, 0.0], start=1):
        add_trial(con, trial_id, trial_stim_prob_left=prior)
    define(con)
    for view in ("by_block", "by_day"):
        assert rows(con, f"select prob_left_block, n_trials from psychometrics_{view}") == [(50, 3)]


def test_two_sessions_of_a_day_are_two_sessions_and_one_day(con):
    add_mouse(con)
    for start, n_right in ((MONDAY, 4), (AFTERNOON, 1), (TUESDAY, 2)):
        add_session(con, start)
        share(con, n_right, 4, 1, start)
    define(con)
    assert column(
        con, "select p_right from psychometrics_by_session order by session_start_time"
    ) == [1.0, 0.25, 0.5]
    assert rows(
        con,
        "select session_date, training_day, n_sessions, n_trials, n_right, p_right"
        " from psychometrics_by_day order by session_date",
    ) == [(MONDAY.date(), 1, 2, 8, 5, 0.625), (TUESDAY.date(), 2, 1, 4, 2, 0.5)]


def test_trials_whose_session_is_missing_have_no_names_and_no_date(con):
    add_trial(con, 1)
    define(con)
    for view in ("by_session", "by_block"):
        assert rows(
            con, f"select subject_nickname, session_date, task, n_trials from psychometrics_{view}"
        ) == [(None, None, "unknown", 1)]
    assert rows(con, "from psychometrics_by_day") == []


def test_a_session_without_trials_has_no_row(con):
    add_mouse(con)
    add_session(con)
    define(con)
    for name in NAMES:
        assert rows(con, f"from {name}") == []


def test_the_rows_rebuild_the_arrays_that_the_server_stored(con):
    add_mouse(con)
    add_session(con, protocol=BIASED)
    share(con, 1, 4, first_id=1, **left(1.0), trial_stim_prob_left=0.2)
    share(con, 0, 1, first_id=5, **left(0.0625), trial_stim_prob_left=0.8)
    share(con, 1, 2, first_id=6, **left(0.0), trial_stim_prob_left=0.2)
    share(con, 2, 2, first_id=8, **right(0.0625), trial_stim_prob_left=0.8)
    add_trial(con, 10, **right(0.0625), **NO_GO, trial_stim_prob_left=0.8)
    stored = {
        "signed_contrasts": [-1.0, -0.0625, 0.0, 0.0625],
        "n_trials_stim": [4, 1, 2, 3],
        "n_trials_stim_right": [1, 0, 1, 2],
        "prob_choose_right": [0.25, 0.0, 0.5, 2 / 3],
    }
    add_to_session(con, "behavior_analyses.psych_results", performance=0.5, **FIT, **stored)
    blocks = {
        20: {
            "signed_contrasts": [-1.0, 0.0],
            "n_trials_stim": [4, 2],
            "n_trials_stim_right": [1, 1],
            "prob_choose_right": [0.25, 0.5],
        },
        80: {
            "signed_contrasts": [-0.0625, 0.0625],
            "n_trials_stim": [1, 3],
            "n_trials_stim_right": [0, 2],
            "prob_choose_right": [0.0, 2 / 3],
        },
    }
    for code, (block, arrays) in enumerate(blocks.items(), start=1):
        add_to_session(
            con, "behavior_analyses.psych_results_block", prob_left_block=block, **FIT, **arrays
        )
        add(
            con,
            "behavior_analyses.behavioral_summary_by_date__psych_results",
            subject_uuid=MOUSE,
            session_date=MONDAY.date(),
            prob_left_block=code,
            prob_left=block / 100,
            **FIT,
            **arrays,
        )
    define(con)
    arrays = ", ".join(
        f"list({value} order by signed_contrast)"
        for value in ("signed_contrast / 100", "n_trials", "n_right", "p_right_dj")
    )
    in_server = ", ".join(stored)
    assert rows(con, f"select {arrays} from psychometrics_by_session") == rows(
        con, f"select {in_server} from behavior_analyses.psych_results"
    )
    block = "prob_left_block"
    for view, table in (
        ("by_block", "psych_results_block"),
        ("by_day", "behavioral_summary_by_date__psych_results"),
    ):
        assert rows(
            con, f"select {arrays} from psychometrics_{view} group by {block} order by {block}"
        ) == rows(con, f"select {in_server} from behavior_analyses.{table} order by {block}")


# psychometric_fits


def test_stored_fits_stand_beside_derived_ones_each_with_its_label(con):
    add_mouse(con)
    add_session(con, protocol=BIASED)
    share(con, 10, 20, first_id=1, **right(0.0), trial_stim_prob_left=0.2)
    stored = {"signed_contrasts": [-1.0, 0.0, 1.0], "n_trials_stim": [5, 3, 4], **FIT}
    add_to_session(con, "behavior_analyses.psych_results", performance=0.5, **stored)
    add_to_session(con, "behavior_analyses.psych_results_block", prob_left_block=20, **stored)
    define(con)
    assert rows(
        con,
        "select source, grain, variant, subject_nickname, session_date, prob_left_block, n_trials,"
        " n_contrasts, threshold, bias, lapse_low, lapse_high, verdict from psychometric_fits"
        " where grain in ('session', 'session_block') order by source, grain, variant",
    ) == [
        (source, grain, variant, "mouse", MONDAY.date(), block, *numbers)
        for source, variants, numbers in (
            ("derived", ("datajoint", "paper"), (20, 1, None, None, None, None, "few_contrasts")),
            ("stored", ("datajoint",), (12, 3, 12.5, -1.5, 0.25, 0.125, None)),
        )
        for grain, block in (("session", None), ("session_block", 20))
        for variant in variants
    ]


def test_the_blocks_of_a_stored_day_are_named_by_their_probability(con):
    add_mouse(con)
    for code, probability in enumerate((0.5, 0.2, 0.8)):
        add(
            con,
            "behavior_analyses.behavioral_summary_by_date__psych_results",
            subject_uuid=MOUSE,
            session_date=MONDAY.date(),
            prob_left_block=code,
            prob_left=probability,
            signed_contrasts=[0.0],
            n_trials_stim=[100 + code],
            **FIT,
        )
    define(con)
    assert rows(
        con,
        "select grain, session_start_time, session_date, prob_left_block, n_trials"
        " from psychometric_fits order by n_trials",
    ) == [
        ("day_block", None, MONDAY.date(), block, n_trials)
        for block, n_trials in ((50, 100), (20, 101), (80, 102))
    ]


def test_a_stored_fit_without_contrasts_keeps_its_row(con):
    add_mouse(con)
    add_session(con)
    for start, arrays in ((MONDAY, []), (TUESDAY, None)):
        add_to_session(
            con,
            "behavior_analyses.psych_results",
            start,
            performance=0.5,
            signed_contrasts=arrays,
            n_trials_stim=arrays,
            **FIT,
        )
    define(con)
    assert (
        rows(con, "select n_trials, n_contrasts, bias from psychometric_fits") == [(0, 0, -1.5)] * 2
    )


def test_windows_of_three_sessions_come_with_the_others(con):
    add_mouse(con)
    for start in (MONDAY, AFTERNOON, TUESDAY):
        add_session(con, start)
        share(con, 2, 4, 1, start)
    define(con)
    assert rows(
        con,
        "select source, session_start_time, n_trials from psychometric_fits"
        " where grain = 'last_three'",
    ) == [("derived", TUESDAY, 12)]


def test_without_the_stored_fits_only_their_view_is_left_out(con):
    con.execute("drop table behavior_analyses.psych_results_block")
    assert set(NAMES) & set(define(con).skipped) == {"psychometric_fits"}


# block_shift


def test_the_shift_is_p_right_at_zero_contrast_in_20_minus_in_80(con):
    add_mouse(con)
    add_session(con, protocol=EPHYS)
    next_id = share(con, 3, 4, first_id=1, **right(0.0), trial_stim_prob_left=0.2)
    next_id = share(con, 1, 5, first_id=next_id, **right(0.0), trial_stim_prob_left=0.8)
    next_id = share(con, 9, 9, first_id=next_id, **right(1.0), trial_stim_prob_left=0.8)
    next_id = share(con, 1, 1, first_id=next_id, **right(0.0), trial_stim_prob_left=0.5)
    add_trial(con, next_id, **right(0.0), **NO_GO, trial_stim_prob_left=0.2)
    define(con)
    [found] = rows(
        con,
        "select subject_nickname, task, n_trials_20, n_trials_80, n_choices_zero_20,"
        " n_choices_zero_80, p_right_zero_20, p_right_zero_80, p_right_shift from block_shift",
    )
    assert found == ("mouse", "ephys", 5, 14, 4, 5, 0.75, 0.2, pytest.approx(55))


def test_a_session_without_zero_contrast_has_no_shift_but_a_row(con):
    add_mouse(con)
    add_session(con, protocol=BIASED)
    add_trial(con, 1, trial_stim_prob_left=0.2)
    add_trial(con, 2, trial_stim_prob_left=0.8, **right(0.0), **NO_GO)
    define(con)
    assert rows(
        con,
        "select n_trials_20, n_choices_zero_20, n_choices_zero_80, p_right_zero_20,"
        " p_right_zero_80, p_right_shift, bias_20, bias_shift, bias_shift_dj from block_shift",
    ) == [(1, 0, 0, None, None, None, None, None, None)]


@pytest.mark.parametrize(
    "protocol, priors", [(BIASED, [0.5, 0.2]), (TRAINING, [0.2, 0.8]), (None, [0.2, 0.8])]
)
def test_a_session_without_both_blocks_has_no_shift(con, protocol, priors):
    add_mouse(con)
    add_session(con, protocol=protocol)
    for trial_id, prior in enumerate(priors, start=1):
        add_trial(con, trial_id, trial_stim_prob_left=prior)
    define(con)
    assert rows(con, "from block_shift") == []


def test_a_mouse_that_follows_the_prior_has_positive_shifts_of_both_kinds(con):
    add_mouse(con)
    add_session(con, protocol=BIASED)
    next_id = 1
    for prior, shares in ((0.2, (2, 6, 12, 19, 20, 21, 23)), (0.8, (1, 3, 4, 5, 12, 18, 22))):
        for percent, n_right in zip((-100, -25, -12.5, 0, 12.5, 25, 100), shares, strict=True):
            side = right(percent / 100) if percent > 0 else left(-percent / 100)
            next_id = share(con, n_right, 24, next_id, **side, trial_stim_prob_left=prior)
    define(con)
    [(shift, bias_20, bias_80, bias_shift, bias_shift_dj)] = rows(
        con, "select p_right_shift, bias_20, bias_80, bias_shift, bias_shift_dj from block_shift"
    )
    assert shift == pytest.approx(100 * (19 - 5) / 24)
    assert bias_20 < 0 < bias_80
    assert bias_shift == bias_80 - bias_20
    assert bias_shift_dj == pytest.approx(bias_shift, abs=0.5)


# choice_history


def play(con, moves, start=MONDAY, **values):
    """Trials of choice and outcome, such as R+ for a rewarded choice right, N for a no-go."""
    for trial_id, move in enumerate(moves.split(), start=1):
        if move == "gap":
            continue
        choice = {"R": CHOSE_RIGHT, "L": CHOSE_LEFT, "N": NO_GO}[move[0]]
        outcome = ERROR if move.endswith("-") else {}
        add_trial(con, trial_id, start, **values | choice | outcome)


def test_win_stay_and_lose_switch_skip_no_go_and_gaps(con):
    add_mouse(con)
    add_session(con)
    #  stays after reward: the 2nd and 4th trial; switches after reward: the 10th;
    #  switches after error: the 3rd
    play(con, "R+ R- L+ L+ N R- gap gap R+ L-")
    define(con)
    assert rows(
        con,
        "select subject_nickname, task, n_trials, n_after_reward, p_stay_after_reward,"
        " n_after_error, p_switch_after_error from choice_history",
    ) == [("mouse", "training", 8, 3, 2 / 3, 1, 1.0)]


def test_a_mouse_that_never_switches_has_a_share_of_zero_and_no_errors_give_null(con):
    add_mouse(con)
    for start, moves in ((MONDAY, "R- R- R-"), (TUESDAY, "R+ L+ R+")):
        add_session(con, start)
        play(con, moves, start)
    define(con)
    assert rows(
        con,
        "select n_after_reward, p_stay_after_reward, n_after_error, p_switch_after_error"
        " from choice_history order by session_start_time",
    ) == [(0, None, 2, 0.0), (2, 0.0, 0, None)]


def test_history_stays_within_a_session(con):
    add_mouse(con)
    for start in (MONDAY, AFTERNOON):
        add_session(con, start)
        play(con, "R+", start)
    define(con)
    assert column(con, "select n_after_reward from choice_history") == [0, 0]


@pytest.mark.parametrize(
    "nothing_to_tell",
    [left(0.0), {"trial_stim_contrast_left": -0.25, "trial_stim_contrast_right": 0.25}],
)
def test_zero_contrast_is_that_of_the_trial_itself_not_of_the_one_before(con, nothing_to_tell):
    add_mouse(con)
    add_session(con)
    add_trial(con, 1, **left(1.0), **CHOSE_LEFT)
    add_trial(con, 2, **nothing_to_tell, **CHOSE_LEFT)
    add_trial(con, 3, **right(1.0), **CHOSE_RIGHT)
    define(con)
    assert rows(
        con,
        "select n_after_reward, p_stay_after_reward, n_zero_after_reward,"
        " p_stay_zero_after_reward, n_zero_after_error, p_switch_zero_after_error"
        " from choice_history",
    ) == [(2, 0.5, 1, 1.0, 0, None)]


@pytest.mark.parametrize("first", [0, 1])
def test_trials_that_the_task_repeats_are_not_fresh_however_showings_are_numbered(con, first):
    add_mouse(con)
    add_session(con)
    for trial_id, (choice, number) in enumerate(
        [
            (CHOSE_LEFT | ERROR, 0),
            (CHOSE_LEFT | ERROR, 1),
            (CHOSE_RIGHT, 2),
            (CHOSE_LEFT | ERROR, 0),
            (CHOSE_RIGHT, 0),
        ],
        start=1,
    ):
        add_trial(con, trial_id, **choice, trial_rep_num=first + number)
    define(con)
    assert rows(
        con,
        "select n_after_error, p_switch_after_error, n_fresh_after_error,"
        " p_switch_fresh_after_error, n_fresh_after_reward, p_stay_fresh_after_reward"
        " from choice_history",
    ) == [(3, 2 / 3, 1, 1.0, 1, 0.0)]


@pytest.mark.parametrize(
    "protocol, fresh", [(TRAINING, (0, None)), (None, (0, None)), (BIASED, (2, 0.5))]
)
def test_without_numbers_of_repeats_only_tasks_that_never_repeat_have_fresh_trials(
    con, protocol, fresh
):
    add_mouse(con)
    add_session(con, protocol=protocol)
    play(con, "R- L- L+")
    define(con)
    assert rows(
        con, "select n_fresh_after_error, p_switch_fresh_after_error from choice_history"
    ) == [fresh]


def test_choice_updating_is_corrected_by_the_trial_that_follows(con):
    add_mouse(con)
    add_session(con)
    #  after R+ come R, L, R; after L+ comes L; after L- comes R
    #  before R+ are R, L, R; before L+ is R; before L- is L
    play(con, "R+ R+ L+ L- R+ R+", **right(0.0))
    define(con)
    assert rows(
        con,
        "select n_zero_after_right_reward, p_right_zero_after_right_reward,"
        " n_zero_after_left_reward, p_right_zero_after_left_reward,"
        " n_zero_after_left_error, p_right_zero_after_left_error,"
        " n_zero_after_right_error, p_right_zero_after_right_error from choice_history",
    ) == [(3, 2 / 3, 1, 0.0, 1, 1.0, 0, None)]
    assert rows(
        con,
        "select n_zero_before_right_reward, p_right_zero_before_right_reward,"
        " n_zero_before_left_reward, p_right_zero_before_left_reward,"
        " n_zero_before_left_error, p_right_zero_before_left_error,"
        " n_zero_before_right_error, p_right_zero_before_right_error from choice_history",
    ) == [(3, 2 / 3, 1, 1.0, 1, 0.0, 0, None)]
    [(after, before, corrected, *errors)] = rows(
        con,
        "select updating_after_reward, updating_before_reward, updating_after_reward_corrected,"
        " updating_after_error, updating_before_error, updating_after_error_corrected"
        " from choice_history",
    )
    assert (after, before, corrected) == pytest.approx((200 / 3, -100 / 3, 100))
    assert errors == [None, None, None]


def test_choice_history_counts_as_the_view_of_trials_does(con):
    add_mouse(con)
    for start, moves in (
        (MONDAY, "R+ L- N L+ L+ gap R- R+ R+ L- R- R+"),
        (datetime(2020, 1, 8), "L+ L- L+ gap N R+ R-"),
    ):
        add_session(con, start)
        play(con, moves, start, **right(0.0))
    define(con)
    of_trials = ", ".join(
        f"count(*) filter (where choice <> 0 and {side}_choice = {way} and {side}_rewarded = {won})"
        for side in ("previous", "next")
        for won in (1, 0)
        for way in (1, -1)
    )
    counted = ", ".join(
        f"n_zero_{side}_{way}_{won}"
        for side in ("after", "before")
        for won in ("reward", "error")
        for way in ("right", "left")
    )
    expected = rows(
        con, f"select session_start_time, {of_trials} from trials group by 1 order by 1"
    )
    assert sum(expected[0][1:]) > 0
    assert rows(con, f"select session_start_time, {counted} from choice_history order by 1") == (
        expected
    )
