"""The tables of the schema derived, from trials small enough to check by eye."""

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
    left,
    opened,
    right,
    rows,
)

from mirror import derive, views

AFTERNOON = MONDAY.replace(hour=15)


@pytest.fixture
def con():
    with opened() as connection:
        yield connection


def refresh(con, is_whole=True):
    """Bring the tables up, as when a sync has read the trials anew."""
    con.execute("delete from _mirror.views; delete from _mirror.derived")
    return derive.refresh(con, views.read(), run=1, is_whole=is_whole)


def add_counts(con, counts, start=MONDAY, mouse=MOUSE, first_id=1, **values):
    """Trials of which so many, of so many, were choices to the right, by signed contrast in %."""
    trial_id = first_id
    for percent, (n_right, n_trials) in counts.items():
        side = right(percent / 100) if percent > 0 else left(-percent / 100)
        for i in range(n_trials):
            choice = CHOSE_RIGHT if i < n_right else CHOSE_LEFT
            add_trial(con, trial_id, start, mouse, **side, **choice, **values)
            trial_id += 1
    return trial_id


# what there is


def test_what_is_derived_from_is_told_before_the_views_are_parsed() -> None:
    assert derive.read_from(views.read()) == set(derive.READ_FROM)


def test_an_empty_mirror_gives_empty_tables(con):
    assert refresh(con).rows == dict.fromkeys(derive.TABLES, 0)


def test_columns_have_their_types_with_and_without_rows(con):
    types = (
        "select table_name, column_name, data_type from duckdb_columns()"
        " where schema_name = 'derived' order by all"
    )
    refresh(con)
    empty = rows(con, types)
    add_mouse(con)
    for start in (MONDAY, AFTERNOON, TUESDAY):
        add_trained_session(con, start)
    refresh(con)
    assert rows(con, types) == empty


def test_mice_are_worked_on_in_portions_of_sessions(con, monkeypatch):
    for mouse in (MOUSE, OTHER_MOUSE):
        add_mouse(con, mouse)
        for start in (MONDAY, AFTERNOON, TUESDAY):
            add_session(con, start, mouse=mouse)
            add_counts(con, CURVE, start, mouse)
    refresh(con)
    at_once = {name: rows(con, f"from derived.{name}") for name in derive.TABLES}
    monkeypatch.setattr(derive, "PORTION", 2)
    refresh(con)
    for name, expected in at_once.items():
        assert expected and sorted(rows(con, f"from derived.{name}"), key=repr) == sorted(
            expected, key=repr
        )


def test_a_value_that_no_pipeline_wrote_leaves_the_copy_alone(con):
    add_mouse(con)
    add_session(con, protocol=BIASED)
    add_trial(con, 1, trial_stim_prob_left=1e9)
    add_trial(con, 2, trial_stim_prob_left=float("nan"))
    assert refresh(con).how == "derived"
    assert column(con, "select prob_left_pct from derived.choice_counts") == [None]


def test_every_table_and_column_says_what_it_is(con):
    refresh(con)
    assert column(
        con,
        "select distinct table_name from duckdb_tables() where"
        " schema_name = 'derived' and comment is not null order by 1",
    ) == sorted(derive.TABLES)
    assert not rows(
        con,
        "select table_name, column_name from duckdb_columns()"
        " where schema_name in ('derived', '_mirror') and comment is null",
    )


def test_nothing_is_computed_again_until_something_changes(con):
    def again(is_whole=True):
        return derive.refresh(con, views.read(), run=1, is_whole=is_whole).how

    def read(schema, table):
        """Write down, as a sync does, that it has read the rows of a table just now."""
        con.execute(
            "insert into _mirror.tables select ?, ?, 'x', 'x', 'x', 'Manual', '', 1, 1, 1, 1, [],"
            " map {}, map {}, [], 'x', null, null, now() at time zone 'UTC', null",
            [schema, table],
        )

    add_mouse(con)
    assert [again(), again(), again(is_whole=False)] == ["derived", "unchanged", "derived"]
    read("reference", "lab")
    assert again(is_whole=False) == "derived"
    read("action", "weighing")
    assert again(is_whole=False) == "unchanged"
    con.execute("update _mirror.tables set read_at = read_at + interval 1 second")
    assert again(is_whole=False) == "derived"


def test_without_the_tables_of_trials_it_is_left_out_and_says_why(con):
    con.execute("drop table behavior.trial_set__trial")
    assert refresh(con) == derive.Derived("left out", why="needs behavior.trial_set__trial")
    assert set(
        column(con, "select table_name from duckdb_tables() where schema_name = 'derived'")
    ) == set(derive.TABLES)
    for name in derive.TABLES:
        assert rows(con, f"select count(*) from derived.{name}") == [(0,)]


# counts, performance, days


def test_counts_keep_apart_what_the_pipeline_and_the_paper_count_differently(con):
    add_mouse(con)
    add_session(con, protocol=BIASED)
    for trial_id, values in enumerate((CHOSE_RIGHT, CHOSE_LEFT, NO_GO), start=1):
        add_trial(con, trial_id, **right(0.25), **values, trial_stim_prob_left=0.8)
    refresh(con)
    assert rows(
        con,
        "select prob_left_pct, prob_left_block, signed_contrast, n_trials, n_no_go, n_right"
        " from derived.choice_counts",
    ) == [(80, 80, 25.0, 3, 1, 1)]


def test_performance_by_each_rule(con):
    add_mouse(con)
    add_session(con)
    add_trial(con, 1, **right(1.0), **CHOSE_RIGHT)
    add_trial(con, 2, **right(1.0), **CHOSE_LEFT, **ERROR)
    add_trial(con, 3, **right(0.0), **CHOSE_RIGHT)
    add_trial(con, 4, **right(0.125), **NO_GO)
    refresh(con)
    assert rows(
        con,
        "select n_trials, performance, performance_rewarded, performance_easy, n_easy"
        " from derived.session_performance",
    ) == [(4, 0.25, 0.5, 0.5, 2)]


def test_two_sessions_of_a_day_are_one_day(con):
    add_mouse(con)
    for start, seconds in ((MONDAY, 0.2), (AFTERNOON, 0.6), (TUESDAY, 0.4)):
        add_session(con, start)
        add_trial(con, 1, start, trial_response_time=11 + seconds)
    refresh(con)
    assert rows(
        con,
        "select session_date, training_day, n_sessions, n_trials_date,"
        " round(median_reaction_time, 6) from derived.daily_summaries",
    ) == [(MONDAY.date(), 1, 2, 2, 0.4), (TUESDAY.date(), 2, 1, 1, 0.4)]


def test_reaction_times_name_their_contrast_and_their_source(con):
    add_mouse(con)
    add_session(con)
    add_trial(con, 1, **left(1.0), trial_response_time=11.2)
    add_trial(
        con,
        2,
        **left(1.0),
        trial_stim_on_time=None,
        trial_go_cue_trigger_time=20.5,
        trial_response_time=21.5,
    )
    add_trial(con, 3, **right(1.0), **NO_GO, trial_response_time=91.0)
    add_trial(con, 4, **right(0.5), trial_stim_on_time=None)
    refresh(con)
    assert rows(
        con,
        "select signed_contrast, n_trials, n_reaction_times, n_from_go_cue,"
        " round(median_reaction_time, 6), round(median_reaction_time_paper, 6)"
        " from derived.reaction_times where grain = 'session'",
    ) == [(-100.0, 2, 2, 1, 0.6, 0.2), (50.0, 1, 0, 0, None, None), (100.0, 1, 1, 0, 60.0, None)]


# fits

CURVE = {
    -100: (1, 40),
    -50: (2, 40),
    -25: (4, 40),
    0: (20, 40),
    25: (36, 40),
    50: (38, 40),
    100: (39, 40),
}


def test_each_unit_of_a_session_gets_a_fit_of_each_variant(con):
    add_mouse(con)
    add_session(con)
    add_counts(con, CURVE)
    refresh(con)
    found = rows(
        con,
        "select grain, variant, prob_left_block, n_trials, n_contrasts, verdict, threshold"
        " from derived.psychometric_fits",
    )
    assert [row[:6] for row in found] == [
        ("day_block", "datajoint", 50, 280, 7, "ok"),
        ("day_block", "paper", 50, 280, 7, "ok"),
        ("session", "datajoint", None, 280, 7, "ok"),
        ("session", "paper", None, 280, 7, "ok"),
        ("session_block", "datajoint", 50, 280, 7, "ok"),
        ("session_block", "paper", 50, 280, 7, "ok"),
    ]
    assert len({round(threshold, 6) for *_, threshold in found}) == 1


def test_the_variants_treat_no_go_as_their_pipelines_did(con):
    add_mouse(con)
    add_session(con)
    next_id = add_counts(con, CURVE)
    add_counts(con, {100: (0, 40)}, first_id=next_id)
    con.execute(
        "update behavior.trial_set__trial set trial_response_choice = 'No Go'"
        f" where trial_id >= {next_id}"
    )
    refresh(con)
    lapses = dict(
        rows(
            con,
            "select variant, lapse_high from derived.psychometric_fits where grain = 'session'",
        )
    )
    assert lapses["datajoint"] > 0.2 > 0.1 > lapses["paper"]


def test_blocks_are_fitted_apart_and_a_day_joins_its_sessions(con):
    add_mouse(con)
    for start in (MONDAY, AFTERNOON):
        add_session(con, start, BIASED)
        next_id = add_counts(con, CURVE, start, trial_stim_prob_left=0.2)
        add_counts(con, CURVE, start, first_id=next_id, trial_stim_prob_left=0.8)
    refresh(con)
    assert rows(
        con,
        "select grain, prob_left_block, n_trials, count(*) from derived.psychometric_fits"
        " where variant = 'datajoint' group by all order by all",
    ) == [
        ("day_block", 20, 560, 1),
        ("day_block", 80, 560, 1),
        ("session", None, 560, 2),
        ("session_block", 20, 280, 2),
        ("session_block", 80, 280, 2),
    ]


@pytest.mark.parametrize(
    "counts, verdict",
    [
        ({100: (5, 10)}, "few_contrasts"),
        ({-100: (10, 10), -50: (10, 10), 50: (10, 10), 100: (10, 10)}, "one_sided"),
        ({-100: (0, 10), -50: (0, 10), 50: (10, 10), 100: (10, 10)}, "undetermined"),
    ],
)
def test_what_the_data_cannot_tell_is_null_with_the_reason(con, counts, verdict):
    add_mouse(con)
    add_session(con)
    add_counts(con, counts)
    refresh(con)
    assert rows(
        con,
        "select distinct verdict, threshold, threshold_se, bias from derived.psychometric_fits",
    ) == [(verdict, None, None, None)]


def test_odd_contrasts_and_priors_are_kept_as_they_are(con):
    add_mouse(con)
    add_session(con)
    add_trial(con, 1, **right(0.04), trial_stim_prob_left=0.0)
    add_trial(con, 2, **left(0.08), trial_stim_prob_left=0.7)
    refresh(con)
    assert rows(
        con,
        "select prob_left_pct, prob_left_block, signed_contrast from derived.choice_counts"
        " order by all",
    ) == [(0, 50, 4.0), (70, 50, -8.0)]


def test_trials_without_session_lab_or_times_do_no_harm(con):
    add_trial(con, 1, trial_stim_on_time=None, trial_response_time=None, trial_feedback_type=None)
    refresh(con)
    assert rows(
        con,
        "select n_trials, performance_rewarded, median_reaction_time"
        " from derived.session_performance",
    ) == [(1, 0.0, None)]
    assert rows(con, "from derived.daily_summaries") == []
    assert column(con, "select distinct grain from derived.reaction_times order by 1") == [
        "session",
        "session_block",
    ]


# status

TRAINED = {
    -100: (0, 60),
    -25: (2, 60),
    -6.25: (14, 60),
    0: (30, 60),
    6.25: (46, 60),
    25: (58, 60),
    100: (60, 60),
}


def add_trained_session(con, start):
    add_session(con, start)
    add_counts(con, TRAINED, start)
    add_to_session(
        con,
        "behavior.trial_set",
        start,
        n_trials=420,
        n_correct_trials=340,
        trials_start_time=0,
        trials_end_time=3000,
    )


def test_status_and_the_numbers_behind_it(con):
    add_mouse(con)
    for start in (MONDAY, AFTERNOON, TUESDAY):
        add_trained_session(con, start)
    refresh(con)
    assert rows(con, "select training_status, rule, is_certain from derived.session_status") == [
        ("in_training", "fewer than three sessions", True),
        ("in_training", "fewer than three sessions", True),
        ("trained_1b", "criterion met", True),
    ]
    assert rows(
        con,
        "select measure, value, comparison, limit_value, passed from derived.criterion_windows"
        f" where criterion = 'trained_1b' and session_start_time = '{TUESDAY}'"
        " and measure in ('n_trials', 'performance_easy')",
    ) == [("n_trials", 420.0, ">", 400.0, True), ("performance_easy", 1.0, ">", 0.9, True)]
    assert column(con, "select grain from derived.psychometric_fits where grain like 'last%'") == [
        "last_three"
    ]


@pytest.mark.slow
def test_the_case_of_a_protocol_and_of_a_board_changes_nothing(con):
    """The server's MySQL compared without regard to case, and so does the view sessions."""
    for mouse, change in ((MOUSE, str), (OTHER_MOUSE, str.upper)):
        add_mouse(con, mouse)
        for start, protocol in ((MONDAY, BIASED), (AFTERNOON, EPHYS), (TUESDAY, BIASED)):
            add_session(con, start, change(protocol), mouse)
            add_counts(con, CURVE, start, mouse, trial_stim_prob_left=0.2)
            board = change("_iblrig_mainenlab_ephys_0")
            add_to_session(con, "behavior.settings", start, mouse, pybpod_board=board)
    define(con)
    for query in (
        "select grain, prob_left_block, n_trials from derived.psychometric_fits",
        "select criterion, measure, value, passed from derived.criterion_windows",
        "select training_status, rule from derived.session_status",
        "select task, on_ephys_rig from sessions",
    ):
        plain, shouted = (
            rows(con, f"{query} where subject_uuid = '{mouse}' order by all")
            for mouse in (MOUSE, OTHER_MOUSE)
        )
        assert plain == shouted and plain


def test_a_status_is_not_certain_when_older_sessions_stayed_behind(con):
    add_mouse(con)
    add_trained_session(con, MONDAY)
    refresh(con, is_whole=False)
    assert column(con, "select is_certain from derived.session_status") == [False]


def test_a_session_whose_trials_are_missing_has_no_status(con):
    add_mouse(con)
    add_trained_session(con, MONDAY)
    con.execute("delete from behavior.trial_set__trial")
    refresh(con)
    assert rows(
        con,
        "select training_status, rule, n_sessions_without_trials from derived.session_status",
    ) == [(None, "no trials here", 1)]


def test_two_mice_of_one_name_are_two_mice(con):
    for mouse in (MOUSE, OTHER_MOUSE):
        add_mouse(con, mouse, "twin")
        add_session(con, mouse=mouse, protocol=TRAINING)
        add_trial(con, 1, mouse=mouse)
    add(con, "subject.subject_lab", subject_uuid=MOUSE, lab_name="somelab")
    refresh(con)
    assert column(con, "select count(*) from derived.session_status group by subject_uuid") == [
        1,
        1,
    ]
