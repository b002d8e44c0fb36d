"""IBL's public files, read from a folder in ONE's layout into the tables of the server."""

import shutil
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from uuid import UUID

import duckdb
import one_cache
import pytest
from one_cache import KS017, XY_001, change, eid, path

from mirror import connect
from mirror.sources.one import OneSource
from mirror.sync import Options, Report, sync

TRIAL = "behavior.trial_set__trial"
LAST = "order by session_start_time desc, trial_id desc limit 1"


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return one_cache.build(tmp_path_factory.mktemp("ONE"))


@pytest.fixture(scope="module")
def synced(cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Report:
    """A mirror of both mice, with everything that is made of them."""
    return copy(cache, tmp_path_factory.mktemp("mirror") / "ibl.duckdb", with_derived=True)


@pytest.fixture(scope="module")
def con(synced: Report) -> Iterator[duckdb.DuckDBPyConnection]:
    with connect(synced.database) as connection:
        yield connection


@pytest.fixture
def own(cache: Path, tmp_path: Path) -> Path:
    """A folder of the same files, for tests that change them."""
    return Path(shutil.copytree(cache, tmp_path / "ONE"))


def copy(folder: Path, file: Path, *tables: str, with_derived: bool = False, **options) -> Report:
    source = OneSource(folder)
    try:
        wanted = Options(table=tables, **options)
        return sync(source, file, wanted, with_derived=with_derived)
    finally:
        source.close()


def rows(folder: Path, query: str, *tables: str, **options) -> list[tuple]:
    """What a mirror of some tables answers."""
    file = folder.parent / "part.duckdb"
    copy(folder, file, *tables, **options)
    with connect(file) as connection:
        return connection.execute(query).fetchall()


def notes(folder: Path, table: str) -> list[str]:
    [(found,)] = rows(folder, "select notes from _mirror.tables", table)
    return found


# what the tables say


def test_the_mice_their_laboratories_and_their_sessions(con):
    assert con.execute(
        "select subject_uuid, subject_nickname, sex::varchar, subject_birth_date, lab_name"
        " from subject.subject join subject.subject_lab using (subject_uuid) order by 2"
    ).fetchall() == [
        (KS017, "KS017", "F", date(2019, 4, 30), "cortexlab"),
        (XY_001, "XY_001", "U", None, "angelakilab"),
    ]
    assert con.execute(
        "select lab_name, institution, institution_short, time_zone from reference.lab"
    ).fetchall() == [
        ("angelakilab", "New York University", "NYU", "America/New_York"),
        ("cortexlab", "University College London", "UCL", "Europe/London"),
    ]
    assert con.execute(
        "select session_uuid, session_number, session_lab, session_type, session_end_time"
        " from acquisition.session order by subject_uuid = $x, session_start_time",
        {"x": XY_001},
    ).fetchall() == [
        (UUID(eid(mouse, start)), number, one_cache.LABS[mouse], "Experiment", None)
        for mouse, start, _, number, _ in one_cache.SESSIONS
    ]


def test_a_start_is_rounded_to_the_second_as_the_server_did_across_midnight_too(con):
    starts = [
        start
        for (start,) in con.execute(
            "select session_start_time from acquisition.session order by 1"
        ).fetchall()
    ]

    assert starts[:4] == [
        datetime(2019, 8, 1, 11, 5, 30),
        datetime(2019, 8, 2, 11, 0, 1),
        datetime(2019, 8, 2, 15, 30, 0),
        datetime(2019, 9, 2, 0, 0, 0),
    ]
    [(when,)] = con.execute(
        "select session_date from sessions where session_start_time = '2019-09-02'"
    ).fetchall()
    assert when == date(2019, 9, 2)


def test_a_trial_says_what_the_file_says(con):
    found = con.execute(
        f"select * exclude (subject_uuid, session_start_time) from {TRIAL}"
        " where subject_uuid = $1 and session_start_time::date = '2019-08-01' and trial_id = 4",
        [KS017],
    )
    [row] = found.fetchall()
    row = dict(zip((name for name, *_ in found.description), row, strict=True))

    assert row.pop("trial_go_cue_time") == pytest.approx(40.01)
    assert row.pop("trial_go_cue_trigger_time") == pytest.approx(40.005)
    assert row == {
        "trial_id": 4,
        "trial_start_time": 39.5,
        "trial_end_time": 43.0,
        "trial_response_time": 40.4375,
        # the left side at 12.5 %, answered wrong: the wheel turned to the right
        "trial_response_choice": "CCW",
        "trial_stim_on_time": 40.0,
        "trial_stim_contrast_left": 0.125,
        "trial_stim_contrast_right": 0.0,
        "trial_feedback_time": 40.438,
        "trial_feedback_type": -1,
        "trial_rep_num": None,
        "trial_stim_prob_left": 0.5,
        "trial_reward_volume": 0.0,
        "trial_iti_duration": None,
        "trial_included": None,
    }


def test_sides_signs_and_outcomes_agree_in_the_views(con):
    assert con.execute(
        "select count(*), count(*) filter (where (choice = stim_side) = (rewarded = 1)) from trials"
    ).fetchall() == [(60, 60)]
    assert con.execute(
        "select trial_id, signed_contrast, choice, correct, reaction_time_source, reaction_time"
        " from trials where session_date = '2019-08-01' and trial_id < 4 order by 1"
    ).fetchall() == [
        (1, 100, 1, 1, "stim_on", 0.4375),
        (2, -50, -1, 1, "stim_on", 0.4375),
        (3, 25, 1, 1, "go_cue", pytest.approx(0.4325)),
    ]


def test_sets_count_all_rows_and_correct_trials_by_the_published_rule(con):
    sets = con.execute("from behavior.trial_set order by session_start_time").fetchall()

    # the sixth and the twelfth have no contrast, the fourth and the eighth are wrong
    assert {row[2:] for row in sets} == {(12, 8, 9.5, 123.0)}
    assert len(sets) == 5


def test_the_state_of_a_session_is_counted(con):
    assert con.execute(
        "select distinct columns(* exclude (subject_uuid, session_start_time))::varchar"
        " from behavior.complete_trial_session"
    ).fetchall() == [
        ("Partial", "Missing", "Missing", "Missing", "Complete", "Complete", "Complete", "Missing")
    ]


def test_a_row_without_an_end_is_left_out_told_and_leaves_its_number(own):
    def cut(values):
        return [None if place in (1, 2) else value for place, value in enumerate(values)]

    change(path(own, "KS017"), intervals_1=cut)
    told = "2 rows are left out, without a start, an end, a choice or a prior"

    assert rows(
        own,
        f"select trial_id from {TRIAL} {LAST.replace('desc', '')}, 1".replace(
            "limit 1, 1", "limit 3"
        ),
        TRIAL,
    ) == [(1,), (4,), (5,)]
    assert told in " ".join(notes(own, TRIAL)).replace("14 rows", "2 rows")
