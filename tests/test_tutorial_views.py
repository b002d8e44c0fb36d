"""The tutorial's two queries: what DataJoint fetches, the views give, and what is lost is told."""

from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from uuid import UUID

import datajoint as dj
import ibl
import numpy as np
import pandas as pd
import pytest
from handmade import (
    BIASED,
    HABITUATION,
    MONDAY,
    MOUSE,
    OTHER_MOUSE,
    TRAINING,
    TUESDAY,
    add,
    add_mouse,
    add_session,
    add_to_session,
    column,
    empty_derived,
    opened,
    rows,
)

from mirror import connect
from mirror.sources.datajoint import DataJointSource
from mirror.syncing import sync

SQL = Path(__file__).parents[1] / "sql"
VIEWS = (
    "base/subjects",
    "base/session_labels",
    "base/sessions",
    "tutorial/tutorial_subjects",
    "tutorial/tutorial_sessions",
    "tutorial/tutorial_sessions_lost",
)
UPPER_CASE = TRAINING.upper()
LONELY = UUID("22222222-2222-4222-8222-222222222222")


# beside DataJoint


def tutorial_subjects(tables: SimpleNamespace) -> dj.expression.QueryExpression:
    """The tutorial's mice, as it writes the query."""
    return tables.Subject * tables.SubjectLab * tables.Lab


def subjects_frame(tables: SimpleNamespace) -> pd.DataFrame:
    return (
        tutorial_subjects(tables)
        .proj("subject_nickname", "sex", "subject_birth_date", "time_zone")
        .fetch(format="frame")
        .sort_values(["lab_name", "subject_nickname"])
    )


def sessions_frame(tables: SimpleNamespace) -> pd.DataFrame:
    """The tutorial's training sessions, as it writes the query."""
    sessions = (
        tables.TrialSet
        * tables.PsychResults
        * tables.ReactionTime
        * tables.SessionTrainingStatus
        * (tables.Session & 'task_protocol LIKE "%training%"')
        * tables.SessionUser
        & tutorial_subjects(tables)
    )
    return sessions.proj(
        "n_trials",
        "performance_easy",
        "threshold",
        "bias",
        "lapse_low",
        "lapse_high",
        "training_status",
        "user_name",
        session_duration="TIMEDIFF(session_end_time,session_start_time)",
    ).fetch(format="frame")


def add_analysed_session(
    tables: SimpleNamespace,
    start: datetime,
    lasting: timedelta | None = timedelta(hours=1),
    protocol: str | None = TRAINING,
    mouse: UUID = ibl.KS014,
    parameters: tuple[float | None, ...] = (0.9, 15.4, 0.2, 0.1, 0.09),
) -> None:
    """A session that has everything the tutorial's query asks for."""
    key = {"subject_uuid": mouse, "session_start_time": start}
    tables.Session.insert1(
        key
        | {"session_uuid": UUID(int=start.toordinal() * 86400 + start.hour)}
        | {"session_end_time": None if lasting is None else start + lasting}
        | {"task_protocol": protocol}
    )
    tables.SessionUser.insert1(key | {"user_name": "zoë"})
    tables.TrialSet.insert1(
        key | {"n_trials": 500, "trials_start_time": 0.0, "trials_end_time": 3600.0},
        allow_direct_insert=True,
    )
    names = ("performance_easy", "threshold", "bias", "lapse_low", "lapse_high")
    blobs = ("signed_contrasts", "n_trials_stim", "n_trials_stim_right", "prob_choose_right")
    tables.PsychResults.insert1(
        key
        | {"performance": 0.5}
        | dict(zip(names, parameters, strict=True))
        | dict.fromkeys(blobs, np.zeros(1)),
        allow_direct_insert=True,
    )
    tables.ReactionTime.insert1(key | {"reaction_time": np.zeros(1)}, allow_direct_insert=True)
    tables.SessionTrainingStatus.insert1(
        key | {"training_status": "trained_1a"}, allow_direct_insert=True
    )


def agreed(view: str, frame: pd.DataFrame, file: Path) -> list[tuple]:
    """Prove that the view has the columns and cells of the frame, and return the rows."""
    n_keys = len(frame.index.names)
    flat = frame.reset_index()
    theirs = [
        tuple(None if pd.isna(value) else value for value in row)
        for row in flat.itertuples(index=False, name=None)
    ]
    with connect(file) as mirror:
        answer = mirror.sql(f"from {view}")
        assert answer.columns == list(flat.columns)
        ours = answer.fetchall()
    assert sorted(ours, key=lambda row: row[:n_keys]) == sorted(
        theirs, key=lambda row: row[:n_keys]
    )
    return ours


def test_mice_are_those_that_datajoint_fetches(
    source: DataJointSource, tables: SimpleNamespace, tmp_path: Path
) -> None:
    tables.Subject.insert1({"subject_uuid": LONELY, "subject_nickname": "lonely", "sex": "U"})

    sync(source, tmp_path / "ibl.duckdb")

    mice = agreed("tutorial_subjects", subjects_frame(tables), tmp_path / "ibl.duckdb")
    assert {mouse[2] for mouse in mice} == {"KS014", "CSHL_001"}


def test_labs_join_without_regard_to_case_as_on_the_server(
    source: DataJointSource, tables: SimpleNamespace, tmp_path: Path
) -> None:
    tables.Subject.insert1({"subject_uuid": LONELY, "subject_nickname": "lonely", "sex": "U"})
    tables.SubjectLab.insert1((LONELY, "ZadorLab"))

    sync(source, tmp_path / "ibl.duckdb")

    mice = agreed("tutorial_subjects", subjects_frame(tables), tmp_path / "ibl.duckdb")
    assert (LONELY, "ZadorLab", "lonely", "U", None, "America/New_York") in mice


def test_sessions_are_those_that_datajoint_fetches(
    source: DataJointSource, tables: SimpleNamespace, tmp_path: Path
) -> None:
    tables.Subject.insert1({"subject_uuid": LONELY, "subject_nickname": "lonely", "sex": "U"})
    day = datetime(2019, 10, 1, 9)
    add_analysed_session(tables, day, lasting=None)
    add_analysed_session(tables, day.replace(hour=10), timedelta(minutes=-5))
    add_analysed_session(tables, day.replace(hour=11), timedelta(days=50), UPPER_CASE)
    add_analysed_session(tables, day.replace(hour=12), timedelta(days=-50))
    add_analysed_session(tables, day.replace(hour=13), timedelta(hours=30, seconds=1))
    add_analysed_session(tables, day.replace(hour=14), parameters=(None, 1e-7, -0.0, 0, 1 / 3))
    add_analysed_session(tables, day.replace(hour=15), protocol=None)
    add_analysed_session(tables, day.replace(hour=16), protocol=BIASED)
    add_analysed_session(tables, day.replace(hour=17), mouse=LONELY)

    sync(source, tmp_path / "ibl.duckdb")

    sessions = agreed("tutorial_sessions", sessions_frame(tables), tmp_path / "ibl.duckdb")
    first, second = (start for _, start, _ in ibl.SESSIONS[:2])
    assert sorted((row[1], row[2], row[-1]) for row in sessions) == [
        (first, "O'Brien", timedelta(hours=1)),
        (first, "zoë", timedelta(hours=1)),
        (second, "zoë", timedelta(hours=1)),
        (day, "zoë", None),
        (day.replace(hour=10), "zoë", timedelta(minutes=-5)),
        (day.replace(hour=11), "zoë", timedelta(hours=838, minutes=59, seconds=59)),
        (day.replace(hour=12), "zoë", -timedelta(hours=838, minutes=59, seconds=59)),
        (day.replace(hour=13), "zoë", timedelta(hours=30, seconds=1)),
        (day.replace(hour=14), "zoë", timedelta(hours=1)),
    ]


def test_parameters_have_the_digits_that_datajoint_fetches(
    source: DataJointSource, tables: SimpleNamespace, tmp_path: Path
) -> None:
    random = np.random.default_rng(0)
    for number in range(200):
        size = 10.0 ** random.integers(-6, 6)
        add_analysed_session(
            tables,
            datetime(2019, 10, 1, 9) + timedelta(days=number),
            parameters=(*(size * random.normal(size=4)), number / 64),
        )

    sync(source, tmp_path / "ibl.duckdb")

    sessions = agreed("tutorial_sessions", sessions_frame(tables), tmp_path / "ibl.duckdb")
    assert len(sessions) == 203


# what is lost, on tables made by hand


@pytest.fixture
def con():
    with opened() as connection:
        empty_derived(connection)
        for view in VIEWS:
            connection.execute((SQL / f"{view}.sql").read_text())
        add_mouse(connection)
        add(connection, "reference.lab", lab_name="danlab", institution="Berkeley", time_zone="Z")
        add(connection, "subject.subject_lab", subject_uuid=MOUSE, lab_name="danlab")
        yield connection


def add_complete_session(con, start=MONDAY, without=(), users=("zoë",), **values):
    """A session that the tutorial shows once, unless it lacks something or has more users."""
    add_session(con, start, **values)
    mouse = values.get("mouse", MOUSE)
    parameters = dict.fromkeys(("threshold", "bias", "lapse_low", "lapse_high"), 1.0)
    contents = {
        "behavior.trial_set": {"n_trials": 9, "trials_start_time": 0, "trials_end_time": 1},
        "behavior_analyses.psych_results": {"performance": 0.5} | parameters,
        "behavior_analyses.reaction_time": {"reaction_time": [0.5]},
        "behavior_analyses.session_training_status": {
            "training_status": "in_training",
            "good_enough_for_brainwide_map": False,
        },
    }
    for table, row in contents.items():
        if table.split(".")[1] not in without:
            add_to_session(con, table, start, mouse, **row)
    for user in users:
        add_to_session(con, "acquisition.session_user", start, mouse, user_name=user)


LOST = "select fate, n_rows, reason from tutorial_sessions_lost"


def test_a_session_shown_once_is_not_lost(con):
    add_complete_session(con, protocol=UPPER_CASE)
    assert column(con, "select count(*) from tutorial_sessions") == [1]
    assert rows(con, LOST) == []


@pytest.mark.parametrize(
    ("without", "reason"),
    [
        (["reaction_time"], "no ReactionTime"),
        (["session_training_status"], "no SessionTrainingStatus"),
        (["reaction_time", "session_training_status"], "no ReactionTime; no SessionTrainingStatus"),
        (["psych_results", "reaction_time", "session_training_status"], "no PsychResults"),
        (
            ["trial_set", "psych_results", "reaction_time", "session_training_status"],
            "no TrialSet",
        ),
    ],
)
def test_a_dropped_session_says_which_table_lacks_it(con, without, reason):
    add_complete_session(con, without=without)
    assert rows(con, LOST) == [("dropped", 0, reason)]


def test_a_session_without_user_protocol_or_lab_is_dropped(con):
    add_mouse(con, OTHER_MOUSE, "other mouse")
    add_complete_session(con, MONDAY, users=())
    add_complete_session(con, TUESDAY, protocol=None)
    add_complete_session(con, MONDAY, mouse=OTHER_MOUSE, without=["reaction_time"], users=())
    assert rows(con, f"{LOST} order by subject_uuid, session_start_time") == [
        ("dropped", 0, "no SessionUser"),
        ("dropped", 0, "no protocol"),
        ("dropped", 0, "no ReactionTime; no SessionUser; no lab"),
    ]


def test_a_session_of_two_users_is_doubled(con):
    add_complete_session(con, users=("zoë", "Åsa"))
    assert column(con, "select user_name from tutorial_sessions order by 1") == ["zoë", "Åsa"]
    assert rows(con, f"{LOST[:6]} users, {LOST[7:]}") == [("zoë,Åsa", "doubled", 2, "2 users")]


def test_a_session_of_two_users_that_lacks_a_table_is_dropped_for_that_alone(con):
    add_complete_session(con, users=("zoë", "Åsa"), without=["reaction_time"])
    assert rows(con, LOST) == [("dropped", 0, "no ReactionTime")]


@pytest.mark.parametrize("protocol", [BIASED, HABITUATION])
def test_sessions_of_other_tasks_were_never_asked_for(con, protocol):
    add_complete_session(con, protocol=protocol, without=["reaction_time"])
    assert rows(con, LOST) == []


def test_shown_and_lost_sessions_are_all_training_sessions(con):
    add_complete_session(con, MONDAY)
    add_complete_session(con, TUESDAY, users=("zoë", "Åsa"))
    add_complete_session(con, TUESDAY.replace(hour=12), without=["reaction_time"])
    add_complete_session(con, TUESDAY.replace(hour=15), protocol=None)
    assert rows(
        con,
        "select count(*) filter (where n_rows = 0), count(*) filter (where n_rows > 1)"
        " from tutorial_sessions_lost",
    ) == [(2, 1)]
    assert column(con, "select count(*) from tutorial_sessions") == [3]
