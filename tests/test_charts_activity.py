"""The charts of activity and training on a few sessions that a person can count."""

from datetime import timedelta
from math import exp, log, sqrt
from uuid import UUID

import pandas as pd
import pytest
from handmade import (
    BIASED,
    DAY_SUMMARIES,
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
    define,
    opened,
    rows,
)

from analyses import (
    days_to_trained,
    gallery,
    growth,
    learning_curves,
    learning_progress,
    session_hours,
    sessions_per_day,
    sessions_per_lab,
    training_funnel,
    training_probability,
)
from mirror import derive
from mirror.errors import UsageError

pytestmark = pytest.mark.slow

THIRD_MOUSE = UUID(int=3)
AFTERNOON = MONDAY.replace(hour=15)
SUNDAY = MONDAY + timedelta(days=6)
NAMES = (
    "session_hours",
    "sessions_per_lab",
    "sessions_per_day",
    "growth",
    "training_funnel",
    "training_probability",
    "days_to_trained",
)


@pytest.fixture
def con():
    with opened(DAY_SUMMARIES) as connection:
        yield connection


def add_run(con, start, mouse=MOUSE, n_trials=None, status=None, protocol=TRAINING, users=()):
    add_session(con, start, protocol, mouse)
    if n_trials is not None:
        add_to_session(
            con,
            "behavior.trial_set",
            start,
            mouse,
            n_trials=n_trials,
            trials_start_time=0,
            trials_end_time=1,
        )
        add(
            con,
            "behavior_analyses.behavioral_summary_by_date",
            subject_uuid=mouse,
            session_date=start.date(),
            performance=0.5,
            n_trials_date=n_trials,
        )
        for trial_id in range(n_trials):
            add_trial(con, trial_id, start, mouse)
    if status is not None:
        add_to_session(
            con,
            "behavior_analyses.session_training_status",
            start,
            mouse,
            training_status=status,
            good_enough_for_brainwide_map=False,
        )
    for user in users:
        add_to_session(con, "acquisition.session_user", start, mouse, user_name=user)


@pytest.fixture
def three_mice(con):
    """One trained on its third day, one not in three, one of no lab and without status."""
    for number, mouse in enumerate((MOUSE, OTHER_MOUSE, THIRD_MOUSE), start=1):
        add_mouse(con, mouse, f"mouse {number}")
    add_lab(con, "cortexlab", "UCL", MOUSE)
    add_lab(con, "danlab", "Berkeley", OTHER_MOUSE)
    statuses = ("in_training", "in_training", "trained_1a")
    for number, status in enumerate(statuses):
        start = MONDAY + timedelta(days=number)
        add_run(con, start, MOUSE, 100, status, users=("anna", "bruno"))
        add_run(con, start, OTHER_MOUSE, 10, "in_training", users=("anna",))
    add_run(con, AFTERNOON, THIRD_MOUSE, protocol=HABITUATION)
    add_run(con, SUNDAY, THIRD_MOUSE, protocol=BIASED)
    define(con)
    return con


def embedded(chart, *fields, number=0):
    """The rows of a chart's data sets that have these fields, sorted."""
    tables = [t for t in chart.to_dict()["datasets"].values() if set(fields) <= set(t[0])]
    return sorted(tuple(row[field] for field in fields) for row in tables[number])


def subtitle(chart):
    return " ".join(chart.to_dict()["title"]["subtitle"])


@pytest.mark.parametrize("name", NAMES)
def test_without_a_match_the_chart_says_so(three_mice, name):
    for values in ({"lab": "nowhere"}, {"cohort": "nobody"}):
        chart = gallery.draw(three_mice, name, **values)
        [(why,)] = embedded(chart, "why")
        assert why.endswith("match")


@pytest.mark.parametrize("name", NAMES)
def test_a_mirror_without_mice_has_a_chart(con, name):
    define(con)
    assert embedded(gallery.draw(con, name), "why")


@pytest.mark.parametrize("name", NAMES)
def test_one_lab_of_one_cohort_is_drawn(three_mice, name):
    chart = gallery.draw(three_mice, name, lab="cortexlab", cohort="all_trained")
    assert chart.to_dict()["title"]["subtitle"][0].startswith(("1 ", "3 "))


# session_hours


def test_hours_are_those_on_the_clock_and_shares_those_of_the_lab(three_mice):
    chart = session_hours.chart(three_mice)
    assert embedded(chart, "laboratory", "weekday", "hour_of_day", "n_sessions", "lab_percent") == [
        (lab, weekday, 9, 1, pytest.approx(100 / 3))
        for lab in ("cortexlab", "danlab")
        for weekday in ("Mon", "Tue", "Wed")
    ] + [("no laboratory", "Mon", 15, 1, 50), ("no laboratory", "Sun", 9, 1, 50)]
    assert subtitle(chart).startswith("8 sessions of 3 mice;")


def test_hours_agree_with_the_view(three_mice):
    assert embedded(
        session_hours.chart(three_mice), "laboratory", "weekday_number", "hour_of_day", "n_sessions"
    ) == rows(
        three_mice,
        "select coalesce(lab_name, 'no laboratory'), weekday_number, hour_of_day, n_sessions"
        " from session_hours order by all",
    )


# sessions_per_lab


def test_sessions_count_for_their_lab_each_user_and_the_mouse_by_task(three_mice):
    chart = sessions_per_lab.chart(three_mice)
    labs, users, mice = chart.vconcat
    assert embedded(labs, "laboratory", "task", "n_sessions", "n_total") == [
        ("cortexlab", "training", 3, 3),
        ("danlab", "training", 3, 3),
        ("no laboratory", "biased", 1, 2),
        ("no laboratory", "habituation", 1, 2),
    ]
    assert embedded(users, "user_name", "laboratory", "n_sessions", "n_total") == [
        ("anna", "cortexlab", 3, 6),
        ("anna", "danlab", 3, 6),
        ("bruno", "cortexlab", 3, 3),
        ("no user", "no laboratory", 1, 2),
        ("no user", "no laboratory", 1, 2),
    ]
    # fewer than ten sessions each
    assert embedded(mice, "laboratory", "n_from", "n_to", "n_mice", "n_sessions") == [
        ("cortexlab", 0, 10, 1, 3),
        ("danlab", 0, 10, 1, 3),
        ("no laboratory", 0, 10, 1, 2),
    ]
    assert "8 sessions of 3 mice in 2 laboratories" in subtitle(chart)


def test_only_the_busiest_users_have_a_bar(three_mice):
    chart = sessions_per_lab.chart(three_mice, most_users=1)
    assert {user for (user,) in embedded(chart.vconcat[1], "user_name")} == {"anna"}
    assert "the 1 busiest users" in subtitle(chart)


# sessions_per_day


def test_a_date_has_its_sessions_mice_and_trials_and_no_time_zone(three_mice):
    add_session(three_mice, AFTERNOON)
    chart = sessions_per_day.chart(three_mice, lab="cortexlab", last_date="2020-01-07")
    assert embedded(chart, "session_date", "next_date", "n_sessions", "n_mice", "n_trials") == [
        ("2020-01-06T00:00:00", "2020-01-07T00:00:00", 2, 1, 100),
        ("2020-01-07T00:00:00", "2020-01-08T00:00:00", 1, 1, 100),
    ]
    assert subtitle(chart) == (
        "3 sessions of 1 mouse in 1 laboratory on 2 dates from 2020-01-06 to 2020-01-07"
    )


def test_days_agree_with_the_view(three_mice):
    chart = sessions_per_day.chart(three_mice, first_date=str(TUESDAY.date()))
    assert embedded(chart, "laboratory", "session_date", "n_sessions", "n_mice") == rows(
        three_mice,
        "select coalesce(lab_name, 'no laboratory'), session_date || 'T00:00:00', n_sessions,"
        " n_mice from sessions_per_day where session_date >= '2020-01-07' order by all",
    )
    assert "of 3 mice in 2 laboratories on" in subtitle(sessions_per_day.chart(three_mice))


# growth


def test_growth_agrees_with_the_view(three_mice):
    chart = growth.chart(three_mice)
    found = embedded(chart, "session_date", "n_mice", "n_labs", "n_sessions", "n_trials")
    assert found[0] == ("2020-01-06T00:00:00", 3, 2, 3, 110)
    assert found == rows(
        three_mice,
        "select session_date || 'T00:00:00', n_mice, n_labs, n_sessions, n_trials"
        " from growth order by session_date",
    )
    assert subtitle(chart) == (
        "3 mice, 2 laboratories, 8 sessions, 330 trials from 2020-01-06 to 2020-01-12"
    )


def test_growth_has_no_trials_where_nothing_is_derived(three_mice):
    derive.clear(three_mice)
    chart = growth.chart(three_mice)
    assert subtitle(chart) == "3 mice, 2 laboratories, 8 sessions from 2020-01-06 to 2020-01-12"
    assert len(chart.concat) == 3


# training_funnel


def test_the_funnel_agrees_with_the_view(three_mice):
    found = three_mice.execute(
        f"from ({training_funnel.STAGES})"
        " where stage in (select stage from training_funnel) and stage not like '%_in_training'",
        {"lab": None, "cohort": None},
    ).fetchall()
    expected = rows(
        three_mice,
        "select coalesce(institution_short, 'no laboratory'), stage, n_mice"
        " from training_funnel where scope = 'lab' and stage not like '%_in_training'",
    )
    assert sorted(found) == sorted(expected)


def test_the_funnel_counts_mice_by_lab_and_says_who_is_still_in_training(three_mice):
    chart = training_funnel.chart(three_mice)
    by = ("institution_short", "stage", "n_mice")
    # by sessions and by status, each with the names over its first bar
    drawn = sorted({row for n in range(4) for row in embedded(chart, *by, number=n) if row[2]})
    expected = (
        [
            ("Berkeley", stage, 1)
            for stage in ("mice", "started_training", "with_sessions", "with_status")
        ]
        + [
            ("UCL", stage, 1)
            for stage in (
                "mice",
                "reached_trained_1a",
                "started_training",
                "with_sessions",
                "with_status",
            )
        ]
        + [
            ("no laboratory", stage, 1)
            for stage in ("mice", "started_biased", "started_training", "with_sessions")
        ]
    )
    assert drawn == sorted(expected)
    without = " 1 mouse without a status here: in no bar of the lower panel"
    assert subtitle(chart) == (
        "3 mice, 2 with a training status: 1 in training when last seen, as no deaths are recorded"
        + without
    )
    add(three_mice, "subject.death", subject_uuid=THIRD_MOUSE, death_date=TUESDAY.date())
    assert subtitle(training_funnel.chart(three_mice)) == (
        f"3 mice, 2 with a training status: 1 still in training, 0 died in training{without}"
    )


# training_probability


def test_kaplan_meier_by_hand():
    #  at risk 5, 4, 2: 1 - 4/5, then 1 - 4/5 * 3/4, then 1 - 4/5 * 3/4 * 1/2
    times = pd.Series([1, 2, 2, 3, 4])
    curve = training_probability.kaplan_meier(times, pd.Series([1, 1, 0, 1, 0]))
    assert curve["time"].tolist() == [0, 1, 2, 3, 4]
    assert curve["probability"].tolist() == pytest.approx([0, 0.2, 0.4, 0.7, 0.7])
    assert curve["n_at_risk"].tolist() == [5, 5, 4, 2, 1]
    assert curve["n_events"].tolist() == [0, 1, 1, 1, 0]
    # Greenwood's variance after the first event is 1 / (5 * 4)
    assert curve["low"].iloc[1] == pytest.approx(1 - 0.8 ** _log_log(0.8, 1 / 20))
    assert curve["high"].iloc[1] == pytest.approx(1 - 0.8 ** (1 / _log_log(0.8, 1 / 20)))


def _log_log(survival, greenwood):
    """Exponent of the survival at the upper end of its interval."""
    return exp(1.959964 * sqrt(greenwood) / log(survival))


def test_a_curve_without_events_or_without_survivors_has_no_interval():
    for is_event, ends_at in ((False, 0), (True, 1)):
        curve = training_probability.kaplan_meier(pd.Series([3, 5]), pd.Series([is_event] * 2))
        assert curve["probability"].iloc[-1] == ends_at
        assert pd.isna(curve["low"].iloc[-1])


def test_the_trained_mouse_is_an_event_and_the_other_is_censored(three_mice):
    for by, time in (("days", 3), ("sessions", 2), ("trials", 300)):
        chart = training_probability.chart(three_mice, by=by)
        curves, numbers = chart.vconcat
        found = embedded(curves, "group", "time", "probability")
        assert ("UCL", time, 1) in found
        assert ("all", 0, 0) in found
        assert [row for row in embedded(numbers, "group", "time", "n_mice") if row[1] == 0] == [
            ("Berkeley", 0, 1),
            ("UCL", 0, 1),
            ("all", 0, 2),
        ]
        assert subtitle(chart).startswith("2 mice, 1 trained and 1 censored; half are trained")


def test_laboratories_are_compared_where_both_are_at_risk(three_mice):
    # of two mice at risk one is trained: half expected in either, variance 1/4
    compared = "laboratories: log-rank, χ²(1) = 1.0, p = 0.317, 2 mice in 2 laboratories"
    assert compared in subtitle(training_probability.chart(three_mice))
    # the other mouse was seen for 30 trials, before the first was trained
    for values in ({"lab": "cortexlab"}, {"by": "trials"}):
        assert "no log-rank test" in subtitle(training_probability.chart(three_mice, **values))


def test_days_without_status_are_told(three_mice):
    three_mice.execute(
        "delete from behavior_analyses.session_training_status where training_status ="
        " 'in_training' and subject_uuid = ?",
        [MOUSE],
    )
    define(three_mice)
    for module in (training_probability, days_to_trained):
        assert "1 mouse has no status on most days" in subtitle(module.chart(three_mice))


def test_an_unknown_unit_is_refused(three_mice):
    with pytest.raises(UsageError, match="days, sessions, trials"):
        training_probability.chart(three_mice, by="years")


# days_to_trained


def test_days_and_trials_run_to_the_day_of_being_trained(three_mice):
    chart = days_to_trained.chart(three_mice)
    assert embedded(chart, "laboratory", "subject_nickname", "n_days", "n_trials") == [
        ("UCL", "mouse 1", 3, 300)
    ]
    assert subtitle(chart) == "1 trained mouse of 1 laboratory; median 3 days and 300 trials"
    for panel in chart.to_dict()["concat"]:
        assert panel["title"]["text"] == ["no test without two laboratories of two mice"]


def test_pairs_of_labs_that_differ_are_named_and_a_mouse_of_no_lab_is_drawn(con):
    for n in range(13):
        mouse = UUID(int=100 + n)
        add_mouse(con, mouse, f"mouse {n}")
        # twelve mice of two labs, trained on days 1 to 6 and 7 to 12, and one of none
        for day in range(n):
            add_run(con, MONDAY + timedelta(days=day), mouse, 100, "in_training")
        add_run(con, MONDAY + timedelta(days=n), mouse, 100, "trained_1a")
    add_lab(con, "cortexlab", "UCL", *(UUID(int=100 + n) for n in range(6)))
    add_lab(con, "danlab", "Berkeley", *(UUID(int=106 + n) for n in range(6)))
    define(con)
    chart = days_to_trained.chart(con)
    columns = {column for column, _ in embedded(chart, "laboratory", "n_days")}
    assert columns == {"UCL", "Berkeley", "no laboratory", "all"}
    # ranks 1 to 6 and 7 to 12: H = 12 / (12 * 13) * (21 ** 2 + 57 ** 2) / 6 - 3 * 13
    days, _ = chart.to_dict()["concat"]
    first, second = days["title"]["text"]
    assert first.startswith("Kruskal-Wallis, H(1) = 8.3, p = 0.004, ε² = 0.76 [0.")
    assert first.endswith("n = 12")
    assert second == "pairs that differ: Berkeley and UCL"
    assert "equal variances (Levene): days p = 1.000; trials p = 1.000" in subtitle(chart)


# learning_curves


def add_day(con, day, mouse, performance_easy, status=None):
    add_run(con, MONDAY + timedelta(days=day), mouse, 101, status)
    con.execute(
        "update behavior_analyses.behavioral_summary_by_date"
        " set performance_easy = ?, training_day = ? where session_date = ? and subject_uuid = ?",
        [performance_easy, day + 1, MONDAY.date() + timedelta(days=day), mouse],
    )


def test_the_day_on_which_the_mean_exceeds_four_fifths_is_told(con):
    for number, mouse in enumerate((MOUSE, OTHER_MOUSE, THIRD_MOUSE), start=1):
        add_mouse(con, mouse, f"mouse {number}")
        # means of 0.8, 0.9 and 1: 80 % is not above 80 %
        for day in range(3):
            add_day(con, day, mouse, 0.6 + 0.1 * number + 0.1 * day)
    # two mice are not enough for a mean
    add_day(con, 7, MOUSE, 1.0)
    define(con)
    assert "first exceeds 80 % on day 2 (3 mice)" in subtitle(learning_curves.chart(con))
    con.execute("update behavior_analyses.behavioral_summary_by_date set performance_easy = 0.8")
    define(con)
    assert "does not exceed 80 %" in subtitle(learning_curves.chart(con))


def test_days_count_from_1_by_one_clock_and_the_axis_says_so(con):
    """Training sessions without trials here come before, and are training days all the same."""
    for number, mouse in enumerate((MOUSE, OTHER_MOUSE, THIRD_MOUSE), start=1):
        add_mouse(con, mouse, f"mouse {number}")
        add_session(con, MONDAY, mouse=mouse)
        for day in (1, 2):
            add_day(con, day, mouse, 0.5)
    define(con)
    curves, progress = learning_curves.chart(con), learning_progress.chart(con)
    days = {day for (day,) in embedded(curves, "day")}
    assert days == {day for (day,) in embedded(progress, "progress")} == {2, 3}
    for chart in (curves, progress):
        assert "training day (the first is 1)" in chart.to_json()


def test_a_mouse_that_skipped_trained_1a_and_1b_is_trained(con):
    """As in figure 2d, which counts any last status but in_training and untrainable."""
    add_mouse(con)
    add_day(con, 0, MOUSE, 0.9, "in_training")
    add_day(con, 1, MOUSE, 0.9, "ready4ephysrig")
    define(con)
    assert "1 mouse, 1 trained and 0 censored" in subtitle(training_probability.chart(con))
    assert "1 trained mouse" in subtitle(days_to_trained.chart(con))
    assert embedded(learning_curves.chart(con), "day", "is_trained") == [(1, False), (2, True)]


def test_a_chart_of_many_days_has_fewer_points_and_the_same_means(con):
    con.execute(
        "create table run as select number, day, make_timestamp(2020, 1, 1, 9, 0, 0)"
        " + to_days(day::integer) as start, lpad(number::varchar, 32, '0')::uuid as mouse"
        " from range(1, 112) as mice (number), range(41) as days (day);"
        "insert into subject.subject (subject_uuid, subject_nickname, sex)"
        " select distinct mouse, 'mouse ' || number, 'F' from run;"
        "insert into acquisition.session"
        " select mouse, start, uuid(), null, 'training' from run;"
        "insert into behavior_analyses.behavioral_summary_by_date"
        " select mouse, start::date, 0.5, 0.5, 101, day + 1, 0 from run;"
    )
    define(con)
    drawn = learning_curves.chart(con).to_dict()
    [points] = [table for table in drawn["datasets"].values() if "day" in table[0]]
    assert {row["day"] for row in points if row["subject_uuid"]} == set(range(2, 41, 2))
    assert [row["n_mice"] for row in points if not row["subject_uuid"]] == [111] * 40
    first, *_, last = drawn["title"]["subtitle"]
    assert first.startswith("111 mice, 4,440 days")
    assert last == "lines of mice have a point every 2 days"
