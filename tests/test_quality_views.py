"""The views of sql/quality, on tables small enough to check by eye."""

from datetime import datetime
from pathlib import Path

import duckdb
import pytest
from handmade import (
    BIASED,
    CHOSE_LEFT,
    DAY_SUMMARIES,
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
    opened,
    right,
    rows,
)

from mirror import derive, store, views

SQL = Path(__file__).parents[1] / "sql"
VIEWS = sorted(file.stem for file in (SQL / "quality").glob("*.sql"))
MORE_TABLES = """
create table behavior.complete_trial_session (
    subject_uuid uuid, session_start_time timestamp,
    stim_on_times_status enum ('Complete', 'Partial', 'Missing') not null,
    go_cue_trigger_times_status enum ('Complete', 'Missing') not null,
    primary key (subject_uuid, session_start_time)
);
create table behavior_analyses.behavioral_summary_by_date__reaction_time_by_date (
    subject_uuid uuid, session_date date, median_reaction_time double,
    primary key (subject_uuid, session_date)
);
"""
AFTERNOON = MONDAY.replace(hour=15)


@pytest.fixture
def con():
    with opened(DAY_SUMMARIES, MORE_TABLES) as connection:
        yield connection


def add_trial_set(con, n_trials, start=MONDAY, n_correct_trials=None):
    add_to_session(
        con,
        "behavior.trial_set",
        start,
        n_trials=n_trials,
        n_correct_trials=n_correct_trials,
        trials_start_time=0.0,
        trials_end_time=60.0,
    )


# days


def add_day(con, start=MONDAY, performance=0.5, reaction_time=0.5, **values):
    row = {
        "performance_easy": 0.5,
        "n_trials_date": 4,
        "training_day": 1,
        "training_week": 0,
    } | values
    add(
        con,
        "behavior_analyses.behavioral_summary_by_date",
        subject_uuid=MOUSE,
        session_date=start.date(),
        performance=performance,
        **row,
    )
    if reaction_time is not None:
        add(
            con,
            "behavior_analyses.behavioral_summary_by_date__reaction_time_by_date",
            subject_uuid=MOUSE,
            session_date=start.date(),
            median_reaction_time=reaction_time,
        )


@pytest.fixture
def day(con):
    """Four trials in half a second: right and wrong at full contrast, two rewarded at 0.

    Trials above 0 contrast alone give a performance of .25; with 0 contrast it is .75.
    """
    add_mouse(con)
    add_session(con)
    add_trial_set(con, 4)
    add_trial(con, 1)
    add_trial(con, 2, **CHOSE_LEFT, **ERROR)
    add_trial(con, 3, **right(0.0))
    add_trial(con, 4, **right(0.0))
    return con


DISAGREEMENT = "select quantity, stored_value, recomputed_value, difference, explanation"


def test_a_day_that_agrees_does_not_appear(day):
    add_day(day, performance=0.25)
    define(day)
    assert rows(day, "from day_disagreements") == []


def test_a_day_that_counts_rewarded_trials_is_explained(day):
    add_day(day, performance=0.75)
    define(day)
    assert rows(day, f"{DISAGREEMENT}, is_explained from day_disagreements") == [
        ("performance", 0.75, 0.25, 0.5, "stored: rewarded trials, 0 contrast included", True)
    ]


def test_a_day_that_follows_neither_rule_is_not_explained(day):
    add_day(day, performance=0.625, performance_easy=1.0, reaction_time=0.75, n_trials_date=3)
    define(day)
    assert rows(day, f"{DISAGREEMENT}, is_explained from day_disagreements order by quantity") == [
        ("median_reaction_time", 0.75, 0.5, 0.25, None, False),
        ("n_trials_date", 3.0, 4.0, -1.0, None, False),
        ("performance", 0.625, 0.25, 0.375, None, False),
        ("performance_easy", 1.0, 0.5, 0.5, None, False),
    ]


def test_what_the_server_stored_as_null_is_a_disagreement(day):
    add_day(
        day,
        performance=0.25,
        performance_easy=None,
        reaction_time=None,
        training_day=None,
        training_week=None,
    )
    define(day)
    assert rows(day, f"{DISAGREEMENT} from day_disagreements order by quantity") == [
        (
            *("median_reaction_time", None, 0.5, None),
            "stored: none, as the times of the day were not complete",
        ),
        ("performance_easy", None, 0.5, None, None),
        ("training_day", None, 1.0, None, "stored: no day was counted"),
        ("training_week", None, 0.0, None, "stored: no day was counted"),
    ]


def test_easy_performance_of_exactly_0_was_stored_as_null(con):
    add_mouse(con)
    add_session(con)
    add_trial(con, 1, **CHOSE_LEFT, **ERROR)
    add_day(con, performance=0.0, performance_easy=None, n_trials_date=1)
    define(con)
    assert rows(con, f"{DISAGREEMENT} from day_disagreements") == [
        ("performance_easy", None, 0.0, None, "stored: NULL where it is exactly 0")
    ]


def test_trials_that_are_not_here_explain_the_count_and_the_share(day):
    day.execute("update behavior.trial_set set n_trials = 5, n_correct_trials = 2")
    add_day(day, performance=0.4, n_trials_date=5)
    define(day)
    assert rows(day, f"{DISAGREEMENT} from day_disagreements order by quantity") == [
        (
            *("n_trials_date", 5.0, 4.0, 1.0),
            "stored: trials in the raw files, not all of which are here",
        ),
        (
            *("performance", pytest.approx(0.4), 0.25, pytest.approx(0.15)),
            "stored: over the trials in the raw files, not all of which are here",
        ),
    ]


def test_earlier_days_without_a_session_explain_a_training_day(day):
    add_day(day, datetime(2020, 1, 3), training_day=1)
    add_day(day, performance=0.25, training_day=2)
    define(day)
    assert rows(day, f"{DISAGREEMENT}, session_date from day_disagreements") == [
        (
            *("training_day", 2.0, 1.0, 1.0),
            "stored: counts earlier days whose sessions are not here",
            MONDAY.date(),
        )
    ]


def test_a_training_day_behind_is_not_explained_by_lost_days(day):
    add_day(day, datetime(2020, 1, 3), training_day=1)
    add_day(day, performance=0.25, training_day=0)
    define(day)
    assert column(day, "select explanation from day_disagreements") == [None]


def test_two_sessions_of_a_day_are_compared_as_one(day):
    add_session(day, AFTERNOON)
    add_trial_set(day, 4, AFTERNOON)
    for trial_id in range(1, 5):
        add_trial(day, trial_id, AFTERNOON)
    add_day(day, performance=5 / 8, performance_easy=5 / 6, n_trials_date=8)
    define(day)
    assert rows(day, "from day_disagreements") == []


def test_days_without_trials_or_without_a_stored_row_do_not_appear(day):
    add_session(day, TUESDAY)
    add_day(day, TUESDAY)
    define(day)
    assert rows(day, "from day_disagreements") == []


# sessions


def add_psych_results(con, start=MONDAY):
    add_to_session(
        con,
        "behavior_analyses.psych_results",
        start,
        performance=1,
        performance_easy=1,
        threshold=15,
        bias=0,
        lapse_low=0,
        lapse_high=0,
    )


def add_complete(con, stim_on, go_cue_trigger):
    add_to_session(
        con,
        "behavior.complete_trial_session",
        stim_on_times_status=stim_on,
        go_cue_trigger_times_status=go_cue_trigger,
    )


@pytest.fixture
def spotless(con):
    """A session of two trials to which nothing can be objected."""
    add_mouse(con)
    add(
        con,
        "reference.lab",
        lab_name="a",
        institution="University",
        institution_short=None,
        time_zone="Europe/London",
    )
    add(con, "subject.subject_lab", subject_uuid=MOUSE, lab_name="a")
    add(con, "subject.subject_project", subject_uuid=MOUSE, subject_project="project")
    add_session(con, MONDAY, BIASED, end=MONDAY.replace(hour=10))
    add_to_session(con, "acquisition.session_user", user_name="anna")
    add_trial_set(con, 2)
    add_trial(con, 1)
    add_trial(con, 2)
    add_complete(con, "Complete", "Complete")
    add_to_session(con, "behavior.settings", pybpod_board="board")
    add_psych_results(con)
    add_to_session(con, "behavior_analyses.reaction_time", reaction_time=[0.5])
    add_to_session(
        con,
        "behavior_analyses.session_training_status",
        training_status="in_training",
        good_enough_for_brainwide_map=False,
    )
    return con


def test_a_session_without_fault_has_no_flags_and_no_reasons(spotless):
    define(spotless)
    assert rows(
        spotless,
        "select flags, n_trials, n_trials_missing, n_trial_gaps, without_stim_on_share,"
        " no_go_share, n_odd_contrast, n_odd_prob_left, why_no_stored_reaction_time,"
        " why_no_stored_status, training_status, stored_training_status from session_quality",
    ) == [("", 2, 0, 0, 0.0, 0.0, 0, 0, None, None, "in_training", "in_training")]


@pytest.mark.parametrize(
    "change, flag",
    [
        ("update behavior.trial_set set n_trials = 3", "other_trial_count"),
        ("update behavior.trial_set__trial set trial_id = 4 where trial_id = 2", "trial_gaps"),
        ("update behavior.trial_set__trial set trial_stim_on_time = null", "missing_stim_on"),
        (
            "update behavior.trial_set__trial set trial_response_time = trial_stim_on_time",
            "reaction_time_not_positive",
        ),
        (
            "update behavior.trial_set__trial set trial_response_time = trial_stim_on_time + 60.5",
            "reaction_time_over_60",
        ),
        ("update behavior.trial_set__trial set trial_stim_contrast_right = .08", "odd_contrast"),
        ("update behavior.trial_set__trial set trial_stim_contrast_right = 50", "odd_contrast"),
        ("update behavior.trial_set__trial set trial_stim_contrast_right = 1e9", "odd_contrast"),
        ("update behavior.trial_set__trial set trial_stim_contrast_right = 'nan'", "odd_contrast"),
        (
            "update behavior.trial_set__trial set trial_stim_contrast_right = -1",
            "negative_contrast",
        ),
        ("update behavior.trial_set__trial set trial_stim_contrast_left = .25", "two_stimuli"),
        (
            "alter table behavior.trial_set__trial alter trial_response_choice type varchar;"
            "update behavior.trial_set__trial set trial_response_choice = 'ccw'",
            "odd_choice",
        ),
        ("update behavior.trial_set__trial set trial_stim_prob_left = .7", "odd_prob_left"),
        ("update behavior.trial_set__trial set trial_stim_prob_left = 1e9", "odd_prob_left"),
        ("delete from behavior.trial_set__trial", "trials_not_here"),
        ("delete from behavior_analyses.reaction_time", "no_stored_reaction_time"),
        ("delete from behavior_analyses.session_training_status", "no_stored_status"),
        ("delete from behavior.settings", "no_settings"),
        ("update acquisition.session set session_end_time = null", "end_missing"),
        (
            "update acquisition.session set session_end_time = '2020-01-06 09:29'",
            "end_before_start",
        ),
        ("update acquisition.session set session_end_time = '2020-01-07 09:31'", "over_24_h"),
        ("delete from acquisition.session_user", "no_user"),
        (
            "insert into acquisition.session_user select subject_uuid, session_start_time, 'wilma'"
            " from acquisition.session",
            "several_users",
        ),
        ("delete from subject.subject_lab", "no_lab"),
        ("delete from subject.subject_project", "no_project"),
    ],
)
def test_each_fault_raises_its_flag_and_no_other(spotless, change, flag):
    spotless.execute(change)
    define(spotless)
    assert column(spotless, "select flags from session_quality") == [flag]


def test_a_prior_outside_the_blocks_is_odd_only_where_there_are_blocks(spotless):
    spotless.execute("update behavior.trial_set__trial set trial_stim_prob_left = .7")
    spotless.execute("update acquisition.session set task_protocol = ?", [TRAINING])
    define(spotless)
    assert rows(spotless, "select flags, n_odd_prob_left from session_quality") == [("", None)]


def test_shares_of_missing_onsets_and_no_go(spotless):
    add_trial(spotless, 3, trial_stim_on_time=None, trial_go_cue_trigger_time=31.0)
    add_trial(spotless, 4, **NO_GO, trial_response_time=101.5)
    add_trial(spotless, 5, trial_response_time=None)
    spotless.execute("update behavior.trial_set set n_trials = 5")
    define(spotless)
    assert rows(
        spotless,
        "select n_trials, without_stim_on_share, n_without_reaction_time, n_no_go,"
        " no_go_share, n_reaction_time_over_60, flags from session_quality",
    ) == [(5, 0.2, 1, 1, 0.2, 0, "missing_stim_on")]


def test_a_session_without_trials_keeps_its_row_and_says_why(con):
    add_mouse(con)
    add_session(con, end=AFTERNOON)
    define(con)
    assert rows(
        con,
        "select flags, has_trials, n_trials, stored_n_trials, n_trials_missing, n_trial_gaps,"
        " no_go_share, why_no_stored_reaction_time, why_no_stored_status from session_quality",
    ) == [
        (
            *("no_trials,no_user,no_lab,no_project", False, None, None, None, None, None),
            *["no trials were extracted from the raw files"] * 2,
        )
    ]


def test_two_sessions_of_a_date_and_two_mice_of_a_name_are_told(con):
    for mouse in (MOUSE, OTHER_MOUSE):
        add_mouse(con, mouse, "twin")
    for start in (MONDAY, AFTERNOON, TUESDAY):
        add_session(con, start)
    define(con)
    assert rows(
        con,
        "select n_sessions_date, is_nickname_shared, flags like '%other_session_that_day%',"
        " flags like '%nickname_shared%' from session_quality order by session_start_time",
    ) == [(2, True, True, True), (2, True, True, True), (1, True, False, True)]


@pytest.mark.parametrize(
    "stim_on, go_cue_trigger, why",
    [
        ("Missing", "Missing", "neither stimulus onsets nor go cue triggers were recorded"),
        ("Missing", "Complete", "the times are there, but the server stored no result"),
        ("Partial", "Missing", "the times are there, but the server stored no result"),
    ],
)
def test_why_there_is_no_reaction_time(spotless, stim_on, go_cue_trigger, why):
    spotless.execute("delete from behavior_analyses.reaction_time")
    spotless.execute("delete from behavior.complete_trial_session")
    add_complete(spotless, stim_on, go_cue_trigger)
    define(spotless)
    assert column(spotless, "select why_no_stored_reaction_time from session_quality") == [why]


def test_why_there_is_no_reaction_time_where_nobody_looked(spotless):
    spotless.execute("delete from behavior_analyses.reaction_time")
    spotless.execute("delete from behavior.complete_trial_session")
    define(spotless)
    assert column(spotless, "select why_no_stored_reaction_time from session_quality") == [
        "the server did not look which times there are (no CompleteTrialSession)"
    ]


def test_why_there_is_no_reaction_time_where_no_trial_has_one(spotless):
    spotless.execute("delete from behavior_analyses.reaction_time")
    spotless.execute("update behavior.trial_set__trial set trial_response_time = null")
    define(spotless)
    assert column(spotless, "select why_no_stored_reaction_time from session_quality") == [
        "no trial has both a response and an onset"
    ]


@pytest.mark.parametrize(
    "change, why",
    [
        ("delete from behavior_analyses.psych_results", "no psychometric result was stored"),
        (
            "delete from behavior.trial_set__trial",
            "the server stored none, and the trials are not here",
        ),
        ("select 1", "the server stored none"),
    ],
)
def test_why_there_is_no_status(spotless, change, why):
    spotless.execute("delete from behavior_analyses.session_training_status")
    spotless.execute(change)
    define(spotless)
    assert column(spotless, "select why_no_stored_status from session_quality") == [why]


def test_why_there_is_no_status_where_the_rules_ask_for_settings(spotless):
    spotless.execute("delete from behavior_analyses.session_training_status")
    define(spotless)
    spotless.execute("update derived.session_status set rule = 'no Settings row'")
    assert column(spotless, "select why_no_stored_status from session_quality") == [
        "the rules ask for Settings, which the session lacks"
    ]


# the file


def add_run(con, run=1, n_tables=1, n_rows=1, **values):
    row = {"is_simulated": False, "options": "{}"} | values
    con.execute(
        "insert into _mirror.runs select ?, now()::timestamp - interval 50 hour,"
        " (now() at time zone 'UTC') - interval 49 hour, 1, 'datajoint', 'host:3306', ?, ?, '{}',"
        " ?, ?, true",
        [run, row["is_simulated"], row["options"], n_tables, n_rows],
    )


def add_recorded(con, table="subject", n_rows=1, run=1, **values):
    lists = {"left_out": [], "notes": [], "forced": {}, "true": {}} | values
    con.execute(
        "insert into _mirror.tables values ('subject', ?, 'x', 'x', 'x', 'Manual', '', ?, 1, 1, ?,"
        " ?, ?, ?, ?, 'x', null, null, null, null)",
        [
            *(table, n_rows, run, lists["left_out"]),
            duckdb.Value(lists["forced"], "map(varchar, bigint)"),
            duckdb.Value(lists["true"], "map(varchar, bigint)"),
            lists["notes"],
        ],
    )


def checks(con):
    return {name: (n, ok) for name, n, ok in rows(con, "select check_name, n, is_ok from health")}


@pytest.fixture
def bare():
    """A mirror of the one table subject.subject and one mouse, without trials or sessions."""
    with duckdb.connect() as con:
        store.prepare(con)
        con.execute("create schema subject; create table subject.subject (subject_uuid uuid)")
        con.execute("insert into subject.subject values (?)", [MOUSE])
        for view in ("data_health", "mirror_health"):
            con.execute((SQL / "quality" / f"{view}.sql").read_text())
        con.execute("create temp view health as from mirror_health")
        yield con


def test_a_file_without_a_sync_is_no_mirror(bare):
    assert checks(bare)["syncs"] == (0, False)


def test_a_narrowed_mirror_has_every_check(bare):
    add_run(bare, options='{"table": ["subject.*"]}')
    add_recorded(bare)
    found = checks(bare)
    assert {name for name, (_, ok) in found.items() if ok is False} == {"derived_tables"}
    assert {name: n for name, (n, ok) in found.items() if ok is None} == {
        "days_since_sync": 2,
        "simulated": 0,
        "narrowed": 1,
        "tables_empty": 0,
        "columns_left_out": 0,
        "left_out": 0,
        "notes": 0,
        "references_unchecked": 0,
    }
    assert column(bare, "select distinct n from health where is_ok and n > 0") == [1]


def test_a_whole_mirror_with_private_columns_is_not_narrowed(bare):
    add_run(bare, options='{"include_private": true}', is_simulated=True)
    assert checks(bare)["narrowed"] == (0, None)
    assert checks(bare)["simulated"] == (1, None)


def test_the_last_sync_counts(bare):
    add_run(bare, run=1, n_rows=7)
    add_run(bare, run=2, is_simulated=True)
    add_recorded(bare)
    found = checks(bare)
    assert (found["syncs"], found["rows"], found["simulated"]) == ((2, True), (1, True), (1, None))


def test_rows_tables_and_columns_that_went_missing_are_found(bare):
    add_run(bare, n_tables=2, n_rows=3)
    add_recorded(bare, n_rows=2)
    add_recorded(bare, "death", n_rows=1)
    bare.execute(
        "insert into _mirror.columns values"
        " ('subject', 'subject', 'subject_uuid', 1, 'UUID', 'x', false, null, 'PRI', '', ''),"
        " ('subject', 'subject', 'sex', 2, 'VARCHAR', 'x', false, null, '', '', ''),"
        " ('subject', 'subject', 'narrative', 3, null, 'x', false, null, '', '', '')"
    )
    found = checks(bare)
    assert found["tables"] == (2, True)
    assert found["rows"] == (3, True)
    assert found["tables_missing"] == (1, False)
    assert found["tables_with_other_rows"] == (1, False)
    assert found["columns_missing"] == (1, False)


def test_fewer_tables_than_the_sync_said(bare):
    add_run(bare, n_tables=2, n_rows=5)
    add_recorded(bare)
    assert (checks(bare)["tables"], checks(bare)["rows"]) == ((1, False), (1, False))


def test_values_that_were_changed_and_what_was_left_out_are_added_up(bare):
    add_run(bare)
    add_recorded(bare, forced={"a": 2, "b": 1}, true={"c": 1}, left_out=["a: private", "b"])
    add_recorded(bare, "death", n_rows=0, forced={"a": 4}, notes=["odd"])
    bare.execute("insert into _mirror.left_out values ('data', '--schema data brings it')")
    found = checks(bare)
    assert found["values_forced_to_null"] == (7, False)
    assert found["values_read_as_true"] == (1, False)
    assert found["columns_left_out"] == (2, None)
    assert found["left_out"] == (1, None)
    assert found["notes"] == (1, None)
    assert found["tables_empty"] == (1, None)


def test_orphans_are_counted_and_what_was_not_checked_is_told(bare):
    for violations in (0, 3, None):
        bare.execute(
            "insert into _mirror.foreign_keys values ('subject', 'subject', 'x', [], 'x', 'x',"
            " null, null, [], ?)",
            [violations],
        )
    found = checks(bare)
    assert (found["orphans"], found["references_unchecked"]) == ((3, False), (1, None))


def test_views_that_are_skipped_or_gone_are_found(bare):
    bare.execute(
        "insert into _mirror.views values ('mirror_health', 'x', null, false, null),"
        " ('gone', 'x', null, false, null),"
        " ('trials', 'x', 'needs acquisition.session', false, null)"
    )
    found = checks(bare)
    assert (found["views"], found["views_skipped"]) == ((2, False), (1, False))


def test_derived_tables_are_there_and_fresh(con):
    add_mouse(con)
    define(con)
    con.execute("create temp view health as from mirror_health")
    add_run(con)
    add_recorded(con)
    found = checks(con)
    assert found["derived_tables"] == (len(derive.TABLES), True)
    assert found["derived_with_other_rows"] == (0, True)
    assert found["derived_stale"] == (0, True)


def test_derived_tables_that_are_gone_stale_or_changed_are_found(con):
    add_mouse(con)
    define(con)
    con.execute("create temp view health as from mirror_health")
    add_recorded(con, run=2)
    con.execute("drop table derived.criterion_windows")
    con.execute("update _mirror.derived set n_rows = 5 where table_name = 'choice_counts'")
    found = checks(con)
    assert found["derived_tables"] == (len(derive.TABLES), False)
    assert found["derived_with_other_rows"] == (1, False)
    assert found["derived_stale"] == (len(derive.TABLES), False)


def test_what_makes_derived_tables_stale_is_all_that_they_are_made_from(con):
    base = views.needed(views.read(), derive.NEEDS)
    inputs = {name for view in base for name in view.needs if not name.startswith("main.")}
    inputs.update(derive.TABLES_BESIDE)
    text = (SQL / "quality" / "mirror_health.sql").read_text()
    assert {name for name in inputs if f"'{name}'" not in text} == set()
