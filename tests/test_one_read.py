"""IBL's public files, read from a folder in ONE's layout into the tables of the server."""

import csv
import math
import os
import shutil
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from uuid import NAMESPACE_URL, UUID, uuid4, uuid5

import duckdb
import numpy as np
import one_cache
import pytest
from one_cache import KS017, TRIALS_PER_SESSION, XY_001, change, eid, path

from mirror import connect
from mirror.errors import MirrorError, UsageError
from mirror.inventory import describe
from mirror.sources.one import in_folder
from mirror.syncing import Options, Report, sync

ROOT = Path(__file__).parents[1]
TRIAL = "behavior.trial_set__trial"


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
    source = in_folder(folder)
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


def notes(folder: Path) -> list[str]:
    """What the mirror that was made last tells of its tables."""
    with connect(folder.parent / "part.duckdb") as connection:
        found = connection.execute("select unnest(notes) from _mirror.tables").fetchall()
    return [note for (note,) in found]


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
        (3, 25, 1, 1, "go_cue", pytest.approx(0.4325, abs=1e-4)),
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


# what is left out, and told


def test_a_row_without_an_end_is_left_out_told_and_leaves_its_number(own):
    change(path(own, "KS017"), intervals_1=lambda old: [old[0], None, math.nan, *old[3:]])

    assert rows(
        own,
        f"select trial_id from {TRIAL} where trial_id < 5 and session_start_time"
        " = '2019-08-01 11:05:30' order by 1",
        TRIAL,
        subject=("KS017",),
    ) == [(1,), (4,)]
    assert "rows left out, which lack a start, an end, a choice or a prior: 2" in notes(own)


@pytest.mark.parametrize("column", ["choice", "probabilityLeft", "intervals_0"])
def test_a_row_without_a_choice_a_prior_or_a_start_is_left_out(own, column):
    change(path(own, "KS017"), **{column: lambda old: [None, *old[1:]]})

    assert rows(own, f"select count(*) from {TRIAL}", TRIAL, subject=("KS017",)) == [(35,)]


def test_a_session_of_which_no_trial_is_left_has_no_set_and_is_told(con):
    assert con.execute(
        "select count(*) from acquisition.session anti join behavior.trial_set"
        " using (subject_uuid, session_start_time)"
    ).fetchall() == [(1,)]
    [(told,)] = con.execute(
        "select notes from _mirror.tables where table_name = 'trial_set'"
    ).fetchall()
    assert any(note.startswith("sessions left out, of whose trials none has") for note in told)


def test_missing_values_may_be_nan(own):
    nan = [math.nan] * 36
    change(path(own, "KS017"), rewardVolume=lambda old: [math.nan, *old[1:]])
    change(path(own, "KS017"), firstMovement_times=nan, stimOn_times=nan, contrastLeft=nan)

    assert rows(
        own,
        "select count(*), count(trial_stim_on_time), max(trial_stim_contrast_left),"
        f" count(trial_reward_volume), max(trial_reward_volume) from {TRIAL}",
        TRIAL,
        subject=("KS017",),
    ) == [(36, 0, 0.0, 35, 1.5)]
    assert "trials without a contrast on either side, 0 here as on the server: 18" in notes(own)


def test_columns_that_older_files_lack_are_null_and_told(own):
    newer = ("quiescence", "phase", "position", "task_protocol", "protocol_number")
    change(path(own, "KS017"), **dict.fromkeys(newer))

    found = rows(
        own,
        "select count(trial_quiescence), count(trial_first_movement_time) from one.trial_extras",
        "one.trial_extras",
        subject=("KS017",),
    )
    assert found == [(0, 33)]
    told = " ".join(notes(own))
    assert "mice whose files have no quiescence, NULL here: 1" in told and "position" in told


def test_without_the_protocol_of_its_trials_a_session_has_that_of_the_table_of_sessions(own):
    change(path(own, "KS017"), task_protocol=None, protocol_number=None)

    assert rows(
        own,
        "select task_protocol from acquisition.session order by session_start_time",
        "acquisition.session",
        subject=("KS017",),
    ) == [(one_cache.TRAINING,), (one_cache.TRAINING,), (one_cache.BIASED,)]


def test_protocols_in_a_row_are_one_session_numbered_through(con):
    assert con.execute(
        "select task_protocol, n_trials, (select list(trial_id order by trial_id)"
        f" from {TRIAL} as t where t.session_start_time = s.session_start_time)"
        " from acquisition.session as s join behavior.trial_set"
        " using (subject_uuid, session_start_time) where session_start_time = '2019-09-03 09:00'"
    ).fetchall() == [
        (f"{one_cache.BIASED}/{one_cache.TRAINING}", 12, list(range(1, TRIALS_PER_SESSION + 1)))
    ]


def test_what_is_not_public_is_null_recorded_and_told(con):
    assert con.execute(
        "select column_name, is_nullable from _mirror.columns where table_name = 'subject'"
        " and column_name in ('subject_nickname', 'protocol_number') order by 1"
    ).fetchall() == [("protocol_number", True), ("subject_nickname", False)]
    assert con.execute(
        "select notes[-1] from _mirror.tables where table_name = 'project'"
    ).fetchall() == [("not public, so NULL: project_uuid, project_description, project_ts",)]


def test_tables_that_no_public_file_fills_are_empty_and_say_so(con):
    filled = con.execute("select count(*) from _mirror.tables where n_rows > 0").fetchall()
    empty = con.execute(
        "select distinct n_rows, notes from _mirror.tables where list_contains(notes, $1)",
        ["empty: none of it is public"],
    ).fetchall()

    assert filled == [(13,)]
    assert empty == [(0, ["empty: none of it is public"])]


def test_of_several_projects_the_first_is_that_of_the_session_and_the_rest_are_told(con):
    assert con.execute(
        "select distinct session_project from acquisition.session_project"
    ).fetchall() == [("ibl_behaviour",)]
    assert con.execute("select project_name from reference.project order by 1").fetchall() == [
        ("ibl_behaviour",),
        ("ibl_extra",),
    ]
    assert con.execute(
        "select subject_project from subject.subject_project where subject_uuid = $1 order by 1",
        [KS017],
    ).fetchall() == [("ibl_behaviour",), ("ibl_extra",)]
    [(told,)] = con.execute(
        "select notes from _mirror.tables where table_name = 'session_project'"
    ).fetchall()
    assert "sessions of several projects, of which the first is here: 1" in told


def test_mice_of_whom_only_single_sessions_are_here_are_counted(own, tmp_path):
    for day in ("2019-10-01", "2019-10-02"):
        (own / "danlab" / "Subjects" / "DY_001" / day / "001" / "alf").mkdir(parents=True)
    report = copy(own, tmp_path / "x.duckdb", "reference.lab")

    assert "2 sessions of 1 mice, such as DY_001" in [item.what for item in report.left_out]


# what the files are called


def test_the_newest_revision_of_a_file_is_read(own):
    old = path(own, "KS017", "Training")
    new = old.parent / "#2024-07-30#" / old.name
    new.parent.mkdir()
    shutil.copy(old, new)
    change(new, training_status=["in training", "untrainable"])

    assert rows(
        own,
        "select training_status from one.subject_training order by 1",
        "one.subject_training",
        subject=("KS017",),
    ) == [("in training",), ("untrainable",)]


def test_names_may_have_the_id_of_the_dataset(own):
    for kind in ("Trials", "Sessions", "Training"):
        old = path(own, "KS017", kind)
        old.rename(old.with_name(f"{old.stem}.{uuid4()}.pqt"))

    assert rows(own, "select count(*) from acquisition.session", "acquisition.session") == [(6,)]


def test_mice_of_one_nickname_in_two_laboratories_are_two(own):
    other = own / "aggregates" / "Subjects" / "danlab" / "KS017"
    shutil.copytree(path(own, "XY_001").parent, other)
    change(
        other / "_ibl_subjectTrials.table.pqt",
        session=lambda old: [str(uuid5(NAMESPACE_URL, eid)) for eid in old],
    )
    found = rows(
        own,
        "select lab_name, subject_uuid from subject.subject join subject.subject_lab"
        " using (subject_uuid) order by 1",
        "subject.subject*",
        subject=("KS017",),
    )

    assert found == [("cortexlab", KS017), ("danlab", uuid5(NAMESPACE_URL, "danlab/KS017"))]


def test_repeated_trials_are_numbered_where_the_session_has_the_file(own):
    folder = own / "cortexlab" / "Subjects" / "KS017" / "2019-08-02"
    for number, length in ((1, 12), (2, 11)):
        alf = folder / f"{number:03d}" / "alf"
        alf.mkdir(parents=True)
        np.save(alf / "_ibl_trials.repNum.npy", np.arange(length))

    assert rows(
        own,
        "select session_start_time, count(trial_rep_num), max(trial_rep_num),"
        f" rep_num_status::varchar from {TRIAL} join behavior.complete_trial_session"
        " using (subject_uuid, session_start_time) group by all order by 1",
        TRIAL,
        "*.complete_trial_session",
        subject=("KS017",),
    ) == [
        (datetime(2019, 8, 1, 11, 5, 30), 0, None, "Missing"),
        (datetime(2019, 8, 2, 11, 0, 1), 12, 11, "Complete"),
        (datetime(2019, 8, 2, 15, 30, 0), 0, None, "Missing"),
    ]
    told = "sessions whose file of repNum has not one value for each trial, NULL here: 1"
    assert told in notes(own)


# what ONE knows and the server did not


def test_the_extras_of_trials_meet_their_trial(con):
    assert con.execute(
        "select trial_first_movement_time, trial_stim_off_time, trial_quiescence,"
        " trial_stim_phase, trial_stim_position from one.trial_extras"
        " where session_start_time = '2019-08-01 11:05:30' and trial_id in (5, 6) order by trial_id"
    ).fetchall() == [(None, 51.5, 0.4, 1.0, 35), (60.25, 61.5, 0.4, 1.0, -35)]
    assert con.execute(
        f"select count(*) from one.trial_extras join {TRIAL}"
        " using (subject_uuid, session_start_time, trial_id)"
    ).fetchall() == [(60,)]


def test_movement_times_are_what_users_of_one_call_reaction_times(con):
    assert con.execute(
        "select signed_contrast, n_trials, n_movement_times, median_movement_time"
        " from movement_times where session_date = '2019-08-01' and signed_contrast > 5 order by 1"
    ).fetchall() == [(6.25, 2, 1, 0.25), (25, 2, 1, 0.25), (100, 2, 2, 0.25)]


def test_statuses_by_ones_rules_stay_apart(con):
    assert con.execute(
        "select training_status, status_date, session_uuid from one.subject_training"
        " where subject_uuid = $1 order by 1",
        [KS017],
    ).fetchall() == [
        ("in training", date(2019, 8, 1), UUID(eid(*one_cache.SESSIONS[0][:2]))),
        ("trained 1a", date(2019, 8, 2), UUID(eid(*one_cache.SESSIONS[1][:2]))),
    ]
    assert con.execute(
        "select count(*) from behavior_analyses.session_training_status"
    ).fetchall() == [(0,)]
    assert con.execute(
        "select distinct training_status from derived.session_status"
    ).fetchall() == [("in_training",)]


def test_no_status_is_certain_of_mice_whose_sessions_are_not_all_public(con):
    assert con.execute("select bool_or(is_certain) from derived.session_status").fetchall() == [
        (False,)
    ]


def test_all_views_are_there(synced):
    assert synced.views.skipped == {}
    assert synced.orphans == ()


NAMES = list(csv.DictReader((ROOT / "mirror/sources/one/names.csv").open()))


def test_what_one_and_datajoint_call_things_is_there_under_the_name_that_is_told(con):
    columns = {
        f"{name}.{column}"
        for schema, table, datajoint, column in con.execute(
            "select schema_name, table_name, datajoint_name, column_name from duckdb_columns()"
            " left join _mirror.tables using (schema_name, table_name)"
        ).fetchall()
        for name in (table if schema == "main" else f"{schema}.{table}", datajoint)
    }

    told = {row[key] for row in NAMES for key in ("datajoint", "here") if row[key]}
    assert told - columns == set()
    [(_, _, comment)] = [c for c in describe(con, "trials").columns if c[0] == "prob_left"]
    assert comment.endswith("(ONE: trials.probabilityLeft)")
    shown = {name: comment for name, _, comment in describe(con, "behavior.TrialSet.Trial").columns}
    assert shown["trial_stim_on_time"].endswith("(ONE: trials.stimOn_times)")


def test_the_page_on_the_sources_has_all_names():
    page = (ROOT / "mirror" / "sources" / "README.md").read_text()
    lines = [
        "| " + " | ".join(f"`{row[key]}`" if row[key] else "" for key in row) + " |"
        for row in NAMES
    ]

    assert page.endswith("|---|---|---|\n" + "\n".join(lines) + "\n")


# what a sync is narrowed to


def test_mice_and_days_narrow_a_sync(own):
    found = rows(
        own,
        f"select count(distinct subject_uuid), min(session_start_time) from {TRIAL}",
        TRIAL,
        subject=("ks017",),
        since=date(2019, 8, 2),
    )
    assert found == [(1, datetime(2019, 8, 2, 11, 0, 1))]


def test_a_mouse_is_named_by_its_uuid_too(own):
    query = "select subject_nickname from subject.subject"
    assert rows(own, query, "subject.subject", subject=(str(KS017),)) == [("KS017",)]


def test_an_unknown_mouse_is_met_with_the_names_most_like_it(own, tmp_path):
    with pytest.raises(UsageError, match=r"--subject KS071 matches no mouse .* mean KS017\?"):
        copy(own, tmp_path / "x.duckdb", subject=("KS071",))


# refreshing


def hidden(file: Path) -> None:
    """Spoil a file so that only who reads it finds out: size and time stay."""
    state = file.stat()
    file.write_bytes(b"\0" * state.st_size)
    os.utime(file, ns=(state.st_atime_ns, state.st_mtime_ns))


# of each kind one: by laboratory, by project, by mouse, by session, by trial
TABLES = (
    *("reference.lab", "reference.project", "subject.subject", "acquisition.session"),
    *("acquisition.session_project", "behavior.trial_set", TRIAL, "one.*"),
)


def content(file: Path) -> dict[str, list[tuple]]:
    """All rows of all tables with rows, in the order in which they lie."""
    with connect(file) as connection:
        names = connection.execute(
            "select schema_name || '.' || table_name from _mirror.tables where n_rows > 0"
            " order by 1"
        ).fetchall()
        return {name: connection.execute(f"from {name}").fetchall() for (name,) in names}


def test_files_that_have_not_changed_are_not_read_again(own, tmp_path):
    copy(own, tmp_path / "x.duckdb", *TABLES)
    for file in own.rglob("*.pqt"):
        hidden(file)

    report = copy(own, tmp_path / "x.duckdb", *TABLES)
    assert {table.how for table in report.tables} == {"unchanged"}


@pytest.mark.slow
def test_of_a_changed_mouse_and_no_other_the_files_are_read_again(own, tmp_path):
    copy(own, tmp_path / "x.duckdb", *TABLES)
    change(path(own, "XY_001"), feedbackType=lambda old: [1] * len(old))
    copy(own, tmp_path / "fresh.duckdb", *TABLES)
    hidden(path(own, "KS017"))

    report = copy(own, tmp_path / "x.duckdb", *TABLES)
    how = {table.table: table.how for table in report.tables}
    assert how[TRIAL] == "updated" and how["subject.subject"] == "unchanged"
    assert content(tmp_path / "x.duckdb") == content(tmp_path / "fresh.duckdb")


def test_a_mouse_that_is_new_is_added(own, tmp_path):
    aside = shutil.move(path(own, "XY_001").parent, tmp_path / "aside")
    copy(own, tmp_path / "x.duckdb", *TABLES)
    shutil.move(aside, path(own, "XY_001").parent)
    hidden(path(own, "KS017"))

    copy(own, tmp_path / "x.duckdb", *TABLES)
    with connect(tmp_path / "x.duckdb") as connection:
        assert connection.execute(f"select count(*) from {TRIAL}").fetchall() == [(60,)]
        assert connection.execute("select count(*) from reference.lab").fetchall() == [(2,)]


@pytest.mark.slow
def test_a_mouse_that_is_gone_is_kept_and_told_until_a_full_sync(own, tmp_path):
    file = tmp_path / "x.duckdb"
    copy(own, file, *TABLES)
    before = content(file)
    shutil.rmtree(path(own, "KS017").parent)
    copy(own, file, *TABLES)

    assert content(file) == before
    with connect(file) as connection:
        [(told,)] = connection.execute(
            "select notes from _mirror.tables where table_name = 'subject'"
        ).fetchall()
    assert "no longer at the source and kept, a full sync drops them: cortexlab/KS017" in told
    source = in_folder(own)
    sync(source, file, Options(table=TABLES), full=True, with_derived=False)
    source.close()
    with connect(file) as connection:
        assert connection.execute("select subject_nickname from subject.subject").fetchall() == [
            ("XY_001",)
        ]


def test_a_mouse_that_is_gone_stays_when_another_changes(own, tmp_path):
    file = tmp_path / "x.duckdb"
    copy(own, file, *TABLES)
    shutil.rmtree(path(own, "KS017").parent)
    change(path(own, "XY_001"), feedbackType=lambda old: [1] * len(old))
    report = copy(own, file, *TABLES)

    assert not report.orphans
    with connect(file) as connection:
        assert connection.execute(
            f"select count(*), count(distinct subject_uuid), sum(trial_feedback_type) from {TRIAL}"
        ).fetchall() == [(60, 2, 24 + 18)]


def test_a_server_and_public_files_do_not_replace_each_other_unasked(own, source, tmp_path):
    def by_server(file: Path, full: bool = False) -> Report:
        wanted = Options(table=("subject.subject",))
        return sync(source, file, wanted, full, with_derived=False)

    of_server, of_files = tmp_path / "server.duckdb", tmp_path / "files.duckdb"
    by_server(of_server)
    copy(own, of_files, "subject.subject")
    before = of_server.read_bytes(), of_files.read_bytes()
    with pytest.raises(UsageError, match=r"was copied from 127\.0\.0\.1.*--full"):
        copy(own, of_server, "subject.subject")
    with pytest.raises(UsageError, match=r"was copied from .*ONE and this sync.*--full"):
        by_server(of_files)

    assert (of_server.read_bytes(), of_files.read_bytes()) == before
    assert by_server(of_files, full=True).rows == 2


# bad input


@pytest.mark.parametrize("make", [False, True])
def test_a_folder_without_aggregates_is_refused(tmp_path, make):
    folder = tmp_path / "empty"
    if make:
        folder.mkdir()
    with pytest.raises(UsageError, match=r"holds no ONE aggregates .*leave out --one-cache"):
        in_folder(folder)


@pytest.mark.parametrize(
    "column, values, words",
    [
        ("choice", [2], "a choice of 2 in row 1"),
        ("choice", [1, -1, 0, 5], "a choice of 5 in row 4"),
        ("contrastLeft", [7.0], "a contrast of 7 on the left in row 1"),
        ("contrastRight", [-0.5], "a contrast of -0.5 on the right in row 1"),
        ("probabilityLeft", [50.0], "a probability of 50 on the left in row 1"),
        ("feedbackType", [3], "a feedback type of 3 in row 1"),
        ("session", [None], "no session in row 1"),
        ("session", ["abc"], "cannot be read .*abc"),
        ("session_start_time", [None], "no start of its session in row 1"),
    ],
)
def test_what_no_trial_can_have_is_refused_with_file_and_row(own, tmp_path, column, values, words):
    change(path(own, "KS017"), **{column: lambda old: values + old[len(values) :]})
    with pytest.raises(MirrorError, match=rf"{path(own, 'KS017')}.*{words}.*delete it"):
        copy(own, tmp_path / "x.duckdb", TRIAL)


@pytest.mark.parametrize(
    "column",
    [
        *("choice", "contrastLeft", "contrastRight", "probabilityLeft", "intervals_0"),
        *("intervals_1", "session", "session_start_time"),
    ],
)
def test_a_column_without_which_a_file_says_nothing_is_named(own, tmp_path, column):
    change(path(own, "KS017"), **{column: None})
    with pytest.raises(MirrorError, match=rf"{path(own, 'KS017')} has no column {column}:"):
        copy(own, tmp_path / "x.duckdb", TRIAL)


@pytest.mark.parametrize("kind", ["Trials", "Sessions"])
@pytest.mark.parametrize("keep", [0, 10, 0.5, -4])
def test_a_file_that_is_cut_is_refused_and_named(own, tmp_path, kind, keep):
    file = path(own, "KS017", kind)
    whole = file.read_bytes()
    file.write_bytes(whole[: int(len(whole) * keep) if keep == 0.5 else keep])
    with pytest.raises(MirrorError, match=rf"{file} cannot be read .*delete it and run again"):
        copy(own, tmp_path / "x.duckdb", "acquisition.session")


def test_a_file_that_is_damaged_in_the_middle_is_refused_and_named(own, tmp_path):
    file = path(own, "KS017")
    damaged = bytearray(file.read_bytes())
    damaged[100:3000] = bytes(2900)
    file.write_bytes(damaged)
    with pytest.raises(MirrorError, match=rf"{file} cannot be read .*delete it and run again"):
        copy(own, tmp_path / "x.duckdb", TRIAL)


def test_two_sessions_that_begin_in_one_second_are_refused_by_their_names(own, tmp_path):
    def closer(old):
        early, late = one_cache.SESSIONS[1][1], datetime(2019, 8, 2, 15, 30, 0, 300_000)
        return [late if start == early else start for start in old]

    change(path(own, "KS017"), session_start_time=closer)
    with pytest.raises(MirrorError) as error:
        copy(own, tmp_path / "x.duckdb", TRIAL)
    for mouse, start, *_ in one_cache.SESSIONS[1:3]:
        assert eid(mouse, start) in str(error.value)


def test_a_session_of_two_mice_is_refused(own, tmp_path):
    shutil.copytree(path(own, "KS017").parent, own / "aggregates/Subjects/danlab/KS017")
    with pytest.raises(MirrorError, match="comes with two starts, or from two mice"):
        copy(own, tmp_path / "x.duckdb", TRIAL)


def test_a_file_of_repeated_trials_that_is_none_is_refused(own, tmp_path):
    alf = own / "cortexlab" / "Subjects" / "KS017" / "2019-08-02" / "001" / "alf"
    alf.mkdir(parents=True)
    (alf / "_ibl_trials.repNum.npy").write_bytes(b"no array")
    with pytest.raises(MirrorError, match=r"repNum\.npy cannot be read"):
        copy(own, tmp_path / "x.duckdb", TRIAL)
