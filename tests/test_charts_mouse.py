"""The charts of one mouse, one session, and progress, on a few rows that a person can check."""

from datetime import timedelta

import duckdb
import pytest
from charted import add_status, data, having, opened, words
from handmade import (
    ACTION,
    BIASED,
    CHOSE_LEFT,
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
    add_trial,
    define,
    left,
    right,
)

from analyses import (
    criterion_checklist,
    learning_progress,
    mice,
    mouse_contrasts,
    mouse_fits,
    mouse_progress,
    mouse_weights,
    session_trials,
)
from mirror.errors import UsageError

pytestmark = pytest.mark.slow

CHARTS = [
    criterion_checklist,
    learning_progress,
    mouse_contrasts,
    mouse_fits,
    mouse_progress,
    session_trials,
]


@pytest.fixture
def con():
    with opened() as connection:
        yield connection


def add_two_days(con):
    """Two trials wrong on Monday; on Tuesday one in each block, right, and a no-go."""
    add_mouse(con)
    add_session(con)
    add_trial(con, 1, **CHOSE_LEFT | ERROR)
    add_trial(con, 2, trial_response_time=None, **left(1.0), **ERROR)
    add_status(con, MONDAY, "in_training")
    add_session(con, TUESDAY, BIASED)
    for trial_id, percent in enumerate((50, 20, 80), start=1):
        add_trial(con, trial_id, TUESDAY, trial_stim_prob_left=percent / 100)
    add_trial(con, 4, TUESDAY, trial_response_time=101, trial_stim_prob_left=0.8, **NO_GO)
    add_status(con, TUESDAY, "trained_1a")
    define(con)


# mouse_progress


@pytest.mark.parametrize("x", ["date", "day"])
def test_days_of_a_mouse_and_its_statuses(con, x):
    add_two_days(con)
    drawn = mouse_progress.chart(con, x=x)
    days = [
        (row["session_date"], row["training_day"], row["n_trials"], row["performance_easy"])
        for row in having(drawn, "n_trials")
    ]
    assert days == [("2020-01-06", 1, 2, 0), ("2020-01-07", 2, 4, 75)]
    statuses = {(row["status"], row["session_date"]) for row in having(drawn, "status_rank")}
    assert statuses == {("trained_1a", "2020-01-07")}
    assert words(drawn) == (
        "Training of a mouse: mouse no laboratory; 2 days with 6 trials"
        " reaction time: median; dashed: first date of each status"
    )


def test_minutes_are_of_all_sessions_of_the_date(con):
    add_mouse(con)
    for start, ended in ((MONDAY, 120.0), (MONDAY + timedelta(hours=2), 180.0)):
        add_session(con, start)
        add_trial(con, 1, start, trial_start_time=60.0, trial_end_time=70.0)
        add_trial(con, 2, start, trial_start_time=70.0, trial_end_time=ended)
    define(con)
    assert mouse_progress.rows(con, str(MOUSE))["days"]["minutes"].tolist() == [3]


def test_the_mouse_with_most_trials_unless_one_is_named(con):
    add_two_days(con)
    add_mouse(con, OTHER_MOUSE, "other")
    add_session(con, mouse=OTHER_MOUSE)
    add_trial(con, 1, mouse=OTHER_MOUSE)
    define(con)
    find = mice.find_mouse
    assert find(con)["subject_nickname"] == "mouse"
    assert find(con, subject="other")["subject_nickname"] == "other"
    assert find(con, subject=str(OTHER_MOUSE).upper())["subject_nickname"] == "other"
    assert find(con, subject="none") is None
    assert find(con, lab="nowhere") is None


def test_the_session_by_start_by_uuid_or_the_last_with_trials(con):
    add_two_days(con)
    add_session(con, TUESDAY + timedelta(days=1))
    find = mice.find_session
    assert find(con)["session_start_time"] == TUESDAY
    assert find(con, session="2020-01-06")["session_start_time"] == MONDAY
    assert find(con, session="2020-01-06T09:30:00")["session_start_time"] == MONDAY
    uuid = "00000000-0000-0000-0000-0000000003e8"
    assert find(con, subject="mouse", session=uuid)["session_start_time"] == MONDAY
    assert find(con, session="2020-01-08") is None


# mouse_weights


def test_weight_and_water_with_the_limits_of_the_restriction(con):
    add_mouse(con)
    con.execute(ACTION)
    for start, weight, water in ((MONDAY, 20.0, 1.5), (TUESDAY, 16.0, None)):
        add(con, "action.weighing", subject_uuid=MOUSE, weighing_time=start, weight=weight)
        add(
            con,
            "action.water_administration",
            subject_uuid=MOUSE,
            administration_time=start,
            water_administered=water,
            watertype_name="Water",
            adlib=water is None,
        )
    add(
        con,
        "action.water_restriction",
        subject_uuid=MOUSE,
        restriction_start_time=MONDAY,
        reference_weight=20.0,
    )
    define(con)

    drawn = mouse_weights.chart(con)

    dates = having(drawn, "weight_85")
    assert [row["weight"] for row in dates] == [20, 16]
    assert [row["weight_85"] for row in dates] == [17, 17]
    assert [row["weight_75"] for row in dates] == [15, 15]
    assert [row["percent_of_reference"] for row in dates] == [100, 80]
    assert [row["water_ml"] for row in dates] == [1.5, None]
    assert [row["is_ad_lib"] for row in dates] == [False, True]
    assert "weighed on 2 dates, water on 1 date" in words(drawn)


# mouse_contrasts


def test_choices_of_block_50_by_day_and_contrast(con):
    add_mouse(con)
    add_session(con)
    add_trial(con, 1, **right(0.25))
    add_trial(con, 2, **right(0.25), **CHOSE_LEFT)
    add_trial(con, 3, **left(1.0), **CHOSE_LEFT)
    add_session(con, TUESDAY, BIASED)
    add_trial(con, 1, TUESDAY, trial_stim_prob_left=0.5)
    add_trial(con, 2, TUESDAY, trial_stim_prob_left=0.8)
    define(con)
    cells = [
        (row["training_day"], row["signed_contrast"], row["percent_right"], row["n_trials"])
        for row in having(mouse_contrasts.chart(con), "percent_right")
    ]
    assert cells == [(1, -100, 0, 1), (1, 25, 50, 2), (2, 100, 100, 1)]


# mouse_fits


def add_fit(con, start, block, contrasts, **values):
    add(
        con,
        "behavior_analyses.behavioral_summary_by_date__psych_results",
        subject_uuid=MOUSE,
        session_date=start.date(),
        prob_left_block=block,
        prob_left=0.5,
        signed_contrasts=contrasts,
        n_trials_stim=[10 for _ in contrasts],
        **{"threshold": 12.5, "bias": -1.5, "lapse_low": 0.25, "lapse_high": 0.125} | values,
    )


def test_fits_of_six_contrasts_by_block(con):
    six = [-1.0, -0.25, -0.125, 0.125, 0.25, 1.0]
    add_mouse(con)
    for start in (MONDAY, TUESDAY):
        add_session(con, start, BIASED)
        add_trial(con, 1, start)
    add_fit(con, MONDAY, 0, six[1:])
    add_fit(con, TUESDAY, 0, six)
    add_fit(con, TUESDAY, 1, six, threshold=50.0)
    define(con)
    drawn = mouse_fits.chart(con, source="stored")
    fits = {
        (row["training_day"], row["prob_left_block"], row["threshold"])
        for row in having(drawn, "threshold")
    }
    assert fits == {(2, 50, 12.5), (2, 20, 50)}
    assert {row["lapse_low"] for row in having(drawn, "lapse_low")} == {0.25}
    assert "2 fits of 1 day, 120 trials" in words(drawn)


def test_the_limits_are_those_of_trained_1a(con):
    assert [mouse_fits.limits(parameter) for parameter in mouse_fits.PANELS] == [
        [19],
        [-16, 16],
        [0.2],
        [0.2],
    ]


# criterion_checklist


def test_each_measure_against_its_limit(con):
    add_two_days(con)
    drawn = criterion_checklist.chart(con)
    lines = {
        (row["criterion"], row["measure"]): (row["shown"], row["limit_shown"], row["verdict"])
        for row in having(drawn, "measure")
    }
    assert lines["trained_1a", "sessions"] == ("2", ">= 3", "failed")
    assert lines["good_enough_for_brainwide_map", "protocol"] == ("no", "yes", "failed")
    assert lines["untrainable", "sessions"] == ("2", ">= 40", "not reached")
    met = {row["heading"]: row["met"] for row in having(drawn, "met")}
    assert met.pop("untrainable") == "no: trained_1a"
    assert set(met.values()) == {"not met"}
    assert "2020-01-07 09:30 (biased, training day 2): trained_1a" in words(drawn)


REPORT = f"""
create view criterion_report as
select
    *,
    case when comparison <> '=' then abs(limit_value - value) end as margin,
    case when measure = 'threshold' then 1.5 end as standard_error,
    measure <> 'previous_status' as is_certain,
    '{MOUSE}'::uuid as subject_uuid,
    timestamp '{MONDAY}' as session_start_time
from (values
    ('trained_1a', 'n_trials', 1200::double, '>', 200::double, true, 0, 1),
    ('trained_1a', 'threshold', null, '<', 19, null, 0, 1),
    ('trained_1b', 'zero_contrast_shown', 1, '=', 1, true, 0, 0),
    ('ready4ephysrig', 'threshold', 18.5, '<', 19, true, 0, 0),
    ('ready4recording', 'threshold', 19.5, '<', 19, false, 1, 0),
    ('ready4delay', 'n_trials', 399, '>', 400, false, 2, 0),
    ('ready4delay', 'threshold', 19.5, '<', 19, false, 2, 0),
    ('untrainable', 'previous_status', 1, '=', 1, true, 0, 0)
) as report (
    criterion, measure, value, comparison, limit_value, passed, n_failed, n_unknown
)
"""


def test_a_measure_that_is_met_and_one_that_is_not_known(con):
    con.execute(REPORT)
    measures = con.execute(
        criterion_checklist.MEASURES, {"mouse": str(MOUSE), "start": MONDAY}
    ).df()
    rows = criterion_checklist.in_rows(measures, ("trained_1a", "trained_1b"))
    assert rows["heading"].dropna().tolist() == ["trained_1a", "trained_1b"]
    assert rows["met"].dropna().tolist() == ["not known", "met"]
    assert rows["shown"].tolist() == ["value", "1200", "not known", "value", "yes"]
    assert rows["limit_shown"].tolist() == ["limit", "> 200", "< 19", "limit", "yes"]


def test_a_criterion_that_hangs_on_a_value_near_its_limit_is_uncertain(con):
    con.execute(REPORT)
    measures = criterion_checklist.rows(con, str(MOUSE), MONDAY)
    rows = criterion_checklist.in_rows(
        measures, ("ready4ephysrig", "ready4recording", "ready4delay", "untrainable")
    )
    assert rows["met"].dropna().tolist() == ["uncertain", "uncertain", "not met", "uncertain"]
    assert rows["shown"].tolist()[1:6:2] == ["18.5 ± 1.5", "19.5 ± 1.5", "399"]


def test_a_criterion_that_nobody_wants_is_not_passed(con):
    """A mouse that was ready read `untrainable: met`, in blue."""
    con.execute(REPORT.replace("'previous_status', 1, '=', 1", "'sessions', 80, '>=', 40"))
    measures = criterion_checklist.rows(con, str(MOUSE), MONDAY)
    found = criterion_checklist.in_rows(measures, ("untrainable",))
    assert found["verdict"].dropna().tolist() == ["reached"]
    assert found["met"].dropna().tolist() == ["reached"]
    ready = criterion_checklist.in_rows(measures, ("untrainable",), "ready4ephysrig")
    assert ready["met"].dropna().tolist() == ["no: ready4ephysrig"]


# session_trials


def test_trials_of_a_session_in_their_blocks(con):
    add_two_days(con)
    drawn = session_trials.chart(con)
    trials = [
        (row["trial_id"], row["reaction_time"], row["running_median"], row["outcome"])
        for row in having(drawn, "outcome")
    ]
    assert trials == [
        (1, 0.5, 0.5, "correct"),
        (2, 0.5, 0.5, "correct"),
        (3, 0.5, 0.5, "correct"),
        (4, 60, 0.5, "no-go"),
    ]
    blocks = [
        (row["prob_left_block"], row["block_start"], row["block_end"])
        for row in having(drawn, "block_start")
    ]
    assert blocks == [(20, 1.5, 2.5), (80, 2.5, 4.5)]
    assert "biased, training day 2; 4 trials dark line" in words(drawn)


def test_a_trial_without_a_reaction_time_is_counted_and_not_drawn(con):
    add_two_days(con)
    drawn = session_trials.chart(con, session="2020-01-06")
    assert [row["trial_id"] for row in having(drawn, "outcome")] == [1]
    assert "training, training day 1; 2 trials, 1 of them without a reaction" in words(drawn)


def test_the_end_criterion_is_where_it_was_met(con):
    add_mouse(con)
    add_session(con)
    add_trial(con, 1)
    add_trial(con, 2)
    add_trial(con, 5, trial_start_time=46 * 60)
    define(con)
    drawn = session_trials.chart(con)
    assert [(row["trial_id"], row["words"]) for row in having(drawn, "words")] == [
        (5, "few trials in 45 min")
    ]
    assert "dashed: end criterion met at trial 5 (few trials in 45 min)" in words(drawn)


# learning_progress

DAYS = """
create table days as
with day as (
    select
        mouse,
        day,
        if(day = 3, 100, 900) as n_trials,
        mouse / 10 + day / 10 as performance_easy,
        -- a mouse without trials, of which the server stored the days
        mouse = 1 as is_stored
    from range(1, 5) as m(mouse), range(1, 4) as d(day)
)
select
    mouse as subject_uuid,
    date '2020-01-05' + day::integer as session_date,
    'lab' as lab_name,
    if(mouse = 4, null, 'UCL') as institution_short,
    if(is_stored, null, day) as training_day,
    if(is_stored, day, null) as stored_training_day,
    if(is_stored, 0, 900 * day) as cum_trials,
    if(is_stored, 900 * day, null) as stored_cum_trials,
    if(is_stored, null, n_trials) as n_trials,
    if(is_stored, n_trials, null) as stored_n_trials,
    if(is_stored, null, performance_easy) as performance_easy,
    if(is_stored, performance_easy, null) as stored_performance_easy,
    if(is_stored, 'stored', 'recomputed') as day_source,
    if(is_stored, 'stored', 'recomputed') as summary_source,
    'mouse ' || mouse as subject_nickname
from day;
create table days_from_criterion as
select
    subject_uuid,
    session_date,
    coalesce(stored_training_day, training_day) - 2 as days_from_criterion,
    day_source,
    'reached_trained_1a' as criterion
from days where subject_uuid < 4;
create schema _mirror;
create table _mirror.runs (run integer, is_simulated boolean);
create table cohorts (cohort varchar, subject_uuid bigint);
"""


@pytest.mark.parametrize(
    "by, expected",
    [
        ("day", {("UCL", 1): 30, ("UCL", 2): 40, ("all", 1): 35, ("all", 2): 45}),
        ("trials", {("UCL", 500): 30, ("UCL", 1500): 40, ("all", 500): 35, ("all", 1500): 45}),
        ("criterion", {("UCL", -1): 30, ("UCL", 0): 40, ("all", -1): 30, ("all", 0): 40}),
    ],
)
def test_means_of_three_mice_or_more_with_their_interval(by, expected):
    with duckdb.connect() as con:
        con.execute(DAYS)
        means = having(learning_progress.chart(con, by=by), "mean")
        found = {(row["institution_short"], row["progress"]): row for row in means}
        # one institution is not drawn apart from all
        alone = {key: mean for key, mean in expected.items() if key[0] == "all"}
        assert {key: pytest.approx(row["mean"]) for key, row in found.items()} == alone
        three = [row for row in means if row["n_mice"] == 3]
        assert all(row["high"] - row["mean"] == pytest.approx(10 / 3**0.5) for row in three)


def test_the_subtitle_says_whose_days_and_performance_they_are():
    with duckdb.connect() as con:
        con.execute(DAYS)
        both = "as the server stored it, of 3 mice recomputed"
        assert f"training day {both}; performance {both}" in words(learning_progress.chart(con))
        con.execute("update days set day_source = 'recomputed', training_day = 1")
        drawn = words(learning_progress.chart(con, by="day"))
        assert f"training day recomputed; performance {both}" in drawn
        assert "training day" not in words(learning_progress.chart(con, by="trials"))


def test_a_mouse_with_days_of_two_clocks_is_drawn_by_one():
    """The server did not number the second day: the third of one clock is the second of another."""
    with duckdb.connect() as con:
        con.execute(DAYS)
        con.execute(
            "update days set n_trials = 900, stored_n_trials = 900, day_source = 'stored',"
            " training_day = day(session_date) - 5,"
            " stored_training_day = case day(session_date) when 6 then 1 when 8 then 2 end"
        )
        drawn = having(learning_progress.chart(con), "n_days")
        assert {row["progress"]: row["n_days"] for row in drawn} == {1: 4, 2: 4}


def test_two_mice_are_too_few():
    with duckdb.connect() as con:
        con.execute(DAYS)
        con.execute("delete from days where subject_uuid > 2")
        assert "no three mice match" in str(data(learning_progress.chart(con)))


# nothing, and what is not known


@pytest.mark.parametrize("module", CHARTS)
def test_nothing_matches(con, module):
    add_two_days(con)
    assert "match" in str(data(module.chart(con, lab="nowhere")))
    assert "match" in str(data(module.chart(con, cohort="paper")))


@pytest.mark.parametrize("module", CHARTS)
def test_a_mouse_that_never_ran(con, module):
    add_mouse(con)
    add_session(con, MONDAY, TRAINING)
    define(con)
    assert "match" in str(data(module.chart(con)))


@pytest.mark.parametrize(
    "module, wrong",
    [
        (mouse_progress, {"x": "week"}),
        (mouse_fits, {"source": "server"}),
        (learning_progress, {"by": "week"}),
    ],
)
def test_a_word_that_a_chart_does_not_know(con, module, wrong):
    add_two_days(con)
    with pytest.raises(UsageError, match=r"(week|server)"):
        module.chart(con, **wrong)
