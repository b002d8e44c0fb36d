"""mirror.offline: DataJoint answers from the file, and is given back as it was."""

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import datajoint as dj
import ibl
import numpy as np
import pymysql
import pytest
from server import Server

import mirror
from mirror.errors import UsageError
from mirror.serve.offline import OfflineConnection
from mirror.sources.datajoint import DataJointSource
from mirror.sources.demo import DemoSource
from mirror.syncing import Options, sync

pytestmark = pytest.mark.slow

NO_SERVER = "127.0.0.1:1"


@pytest.fixture
def before() -> Iterator[None]:
    """Leaves DataJoint with the connection that it has now."""
    kept = getattr(dj.conn, "connection", None)
    yield
    if kept is not None:
        dj.conn.connection = kept
    elif hasattr(dj.conn, "connection"):
        del dj.conn.connection


def run(program: str, folder: Path, **variables: str) -> str:
    plain = {k: v for k, v in os.environ.items() if not k.startswith(("DJ_", "MIRROR_"))}
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=folder,
        env={**plain, "HOME": str(folder), **variables},
        capture_output=True,
        text=True,
        timeout=120,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


TUTORIAL = """
import mirror
mirror.offline()
from nma_ibl import reference, subject, action, acquisition, data, behavior, behavior_analyses
mice = (subject.Subject * subject.SubjectLab * reference.Lab).proj('subject_nickname', 'time_zone')
sessions = (behavior.TrialSet * acquisition.Session & 'task_protocol LIKE "%training%"' & mice)
frame = sessions.proj(
    'n_trials', session_duration='TIMEDIFF(session_end_time, session_start_time)'
).fetch(format='frame')
print(len(mice.fetch(format='frame')), len(frame) > 10, frame.session_duration.dtype.kind)
"""


def test_the_tutorial_runs_without_server_and_login(simulated_file: Path, tmp_path: Path) -> None:
    printed = run(TUTORIAL, tmp_path, MIRROR_DATABASE=str(simulated_file), DJ_HOST=NO_SERVER)

    assert printed.split() == ["6", "True", "m"]


def test_a_block_gives_datajoint_its_connection_back(simulated_file: Path, before: None) -> None:
    dj.conn.connection = "another one"
    with mirror.offline(simulated_file) as offline:
        assert dj.conn() is offline.connection
        assert dj.conn().query("select count(*) from ibl_subject.subject").fetchone() == (6,)

    assert dj.conn.connection == "another one"


def test_where_datajoint_had_no_connection_it_has_none_again(
    simulated_file: Path, before: None
) -> None:
    if hasattr(dj.conn, "connection"):
        del dj.conn.connection
    offline = mirror.offline(simulated_file)
    offline.close()

    assert not hasattr(dj.conn, "connection")


def test_closing_leaves_a_connection_that_was_made_meanwhile(
    simulated_file: Path, before: None
) -> None:
    offline = mirror.offline(simulated_file)
    dj.conn.connection = "made meanwhile"
    offline.close()

    assert dj.conn.connection == "made meanwhile"


# a package with tables of its own, and a module that uses both this one and nma_ibl
PIPELINE = {
    "pipeline/__init__.py": "",
    "pipeline/subject.py": """
import datajoint as dj
schema = dj.schema("ibl_subject")
@schema
class Subject(dj.Manual):
    definition = "subject_uuid : uuid"
""",
    "helpers.py": """
from nma_ibl import subject
from pipeline.subject import Subject
mice = Subject & "sex='F' or sex<>'F'"
""",
    "counting.py": "from helpers import mice, subject",
}
TWICE = """
import mirror
for file in {files}:
    with mirror.offline(file):
        from nma_ibl import subject
        import pipeline.subject
        import counting
        everywhere = (subject.Subject, pipeline.subject.Subject, counting.subject.Subject)
        print(*(len(mice()) for mice in everywhere), len(counting.mice))
print("json" in __import__("sys").modules, "pipeline.subject" in __import__("sys").modules)
"""


def test_every_import_reads_the_file_of_the_latest_call(
    simulated_file: Path, tmp_path: Path
) -> None:
    narrow = tmp_path / "narrow.duckdb"
    source = DemoSource(5)
    sync(source, narrow, Options(schema=("subject",)), with_derived=False)
    source.close()
    (tmp_path / "pipeline").mkdir()
    for name, text in PIPELINE.items():
        (tmp_path / name).write_text(text)
    files = [str(simulated_file), str(narrow)]
    printed = run(TWICE.format(files=files), tmp_path, PYTHONPATH=str(tmp_path))

    assert printed.splitlines() == ["6 6 6 6", "5 5 5 5", "True False"]


def test_closed_is_closed(simulated_file: Path, before: None) -> None:
    with mirror.offline(simulated_file) as offline:
        connection = offline.connection
    assert not connection.is_connected
    for reconnect in (False, True):
        with pytest.raises(dj.errors.LostConnectionError, match="mirror is closed"):
            connection.query("select 1", reconnect=reconnect)


def test_without_a_mirror_there_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"There is no mirror at .*: make one"):
        mirror.offline(tmp_path / "none.duckdb")


@pytest.mark.parametrize(
    ("statement", "error"),
    [
        ("select nothing from ibl_subject.subject", dj.errors.UnknownAttributeError),
        ("select 1 from ibl_subject.nothing", dj.errors.MissingTableError),
        ("selec 1", dj.errors.QuerySyntaxError),
        ("delete from ibl_subject.subject", dj.errors.AccessError),
        ("insert into ibl_subject.subject values (1)", dj.errors.AccessError),
        ("create table ibl_subject.x (a int)", dj.errors.AccessError),
        ("create database x", dj.errors.AccessError),
    ],
)
def test_refusals_are_datajoints_own_errors(
    simulated_file: Path, statement: str, error: type[Exception]
) -> None:
    connection = OfflineConnection(simulated_file)
    with pytest.raises(error):
        connection.query(statement)
    connection.close()


def test_one_row_of_many_is_no_answer_as_on_a_server(simulated_file: Path) -> None:
    connection = OfflineConnection(simulated_file)
    mice = dj.VirtualModule("subject", "ibl_subject", connection=connection).Subject
    sessions = dj.VirtualModule("acquisition", "ibl_acquisition", connection=connection).Session

    with pytest.raises(pymysql.err.MySQLError, match=r"1055.*task_protocol"):
        mice.aggr(sessions, n="count(*)", proto="task_protocol").fetch()
    with pytest.raises(pymysql.err.MySQLError, match=r"1140.*subject_nickname"):
        connection.query("select subject_nickname, count(*) from ibl_subject.subject")
    counted = mice.aggr(sessions, "subject_nickname", n="count(*)", proto="max(task_protocol)")
    assert len(counted.fetch("subject_nickname")) == 6
    connection.close()


def test_deleting_and_inserting_leave_the_file_as_it_is(simulated_file: Path) -> None:
    digest = hashlib.sha256(simulated_file.read_bytes()).hexdigest()
    connection = OfflineConnection(simulated_file)
    subject = dj.VirtualModule("subject", "ibl_subject", connection=connection)
    dj.config["safemode"] = False
    with pytest.raises(dj.errors.AccessError):
        subject.Subject.delete()
    with pytest.raises(dj.errors.DataJointError):
        subject.Source.insert1({"source_name": "nowhere"})
    connection.close()

    assert hashlib.sha256(simulated_file.read_bytes()).hexdigest() == digest


BLOBS = [
    np.array([1.5, np.nan, -2.0]),
    np.array([1.5, 2.5], np.float32),
    np.array([[1.0, 2.0], [3.0, 4.0]]),
    np.array([1.0, None, 2.0], dtype=object),
    np.array([]),
    float("nan"),
    3,
    [1.5, None, 1],
    (1, 2),
    {"a": [1, 2], "b": np.array([1, 2], np.uint8)},
    "a text",
    None,
]


def test_blobs_decode_to_what_the_server_would_give(
    server: Server, source: DataJointSource, tmp_path: Path
) -> None:
    schema = dj.Schema("ibl_behavior", connection=ibl.connect(server))

    @schema
    class Shape(dj.Manual):
        definition = """
        shape_id : int
        ---
        numbers=null : longblob
        anything=null : longblob
        """

    numbers = [*BLOBS[:6], *[None] * 6]
    Shape.insert(
        {"shape_id": i, "numbers": number, "anything": thing}
        for i, (number, thing) in enumerate(zip(numbers, BLOBS, strict=True))
    )
    there = Shape.fetch("numbers", "anything", order_by="shape_id")
    file = tmp_path / "ibl.duckdb"
    sync(source, file, Options(include_private=True))
    connection = OfflineConnection(file)
    here = dj.FreeTable(connection, "`ibl_behavior`.`shape`").fetch(
        "numbers", "anything", order_by="shape_id"
    )

    for one, other in zip(np.ravel(there), np.ravel(here), strict=True):
        assert equal(one, other), (one, other)
    connection.close()


def equal(one: object, other: object) -> bool:
    """The same in value, type and form, all the way down."""
    if type(one) is not type(other):
        return False
    if isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
        same = one.dtype == other.dtype and one.shape == other.shape
        return same and all(map(equal, one.ravel().tolist(), other.ravel().tolist()))
    if isinstance(one, dict) and isinstance(other, dict):
        return list(one) == list(other) and all(map(equal, one.values(), other.values()))
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(equal, one, other))
    return one == other or (one != one and other != other)
