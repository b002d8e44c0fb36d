"""`mirror sync --source one`: from a folder of ONE's to a mirror, in one command."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import bucket
import one_cache
import pytest

import mirror
from mirror import derive

pytestmark = pytest.mark.slow


def start(folder: Path, *arguments: str, **variables: str) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-m", "mirror", *arguments],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(folder), **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
    )


def run(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess:
    process = start(folder, *arguments, **variables)
    out, err = process.communicate(timeout=300)
    return subprocess.CompletedProcess(arguments, process.returncode, out, err)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return one_cache.build(tmp_path_factory.mktemp("ONE"))


@pytest.fixture(scope="module")
def folder(cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a mirror that was interrupted half-way, and finished by the same command."""
    folder = tmp_path_factory.mktemp("one")
    asked = ("sync", "--source", "one", "--one-cache", str(cache))
    process = start(folder, *asked)
    for line in process.stderr:
        if line.startswith("subject.subject:"):
            process.send_signal(signal.SIGINT)
            break
    process.communicate(timeout=60)
    assert process.returncode == 130
    assert not (folder / "ibl.duckdb").exists()
    done = run(folder, *asked)
    assert done.returncode == 0, done.stderr
    assert "going on from an interrupted sync" in done.stderr
    assert "note: 81 tables: empty: none of it is public\n" in done.stderr
    return folder


def test_the_mirror_is_of_real_mice_in_the_usual_file(folder, cache):
    with mirror.connect(folder / "ibl.duckdb") as connection:
        assert connection.execute(
            "select source, address, is_simulated from _mirror.runs"
        ).fetchall() == [("one", str(cache), False)]
        assert connection.execute("select count(*) from trials").fetchall() == [(60,)]
        assert connection.execute("select count(*) from movement_times").fetchall() != [(0,)]


def test_status_tells_what_the_public_files_lack(folder):
    told = run(folder, "status").stdout

    assert "(one), run 1\n" in told and "SIMULATED" not in told
    assert "note: 81 tables: empty: none of it is public\n" in told
    assert "sessions are fewer than there were" in told
    assert "n_correct_trials counts correct trials of a contrast above 0" in told


def test_a_second_sync_finds_nothing_to_do(folder, cache):
    again = run(folder, "sync", "--source", "one", "--one-cache", str(cache))

    assert "94 tables (94 unchanged)" in again.stderr
    assert f"derived: {len(derive.TABLES)} tables (unchanged)" in again.stderr


def test_a_dry_run_lists_tables_and_rows_and_writes_nothing(cache, tmp_path):
    before = sorted(cache.rglob("*"))
    asked = ("sync", "--source", "one", "--one-cache", str(cache), "--dry-run")
    done = run(tmp_path, *asked, "--subject", "KS017")

    assert done.returncode == 0, done.stderr
    heading, *rows = (line.split("\t") for line in done.stdout.splitlines())
    assert heading == ["table", "rows"] and len(rows) == 94
    assert ["subject.subject", "1"] in rows and ["behavior.trial_set__trial", "36"] in rows
    assert not list(tmp_path.iterdir()) and sorted(cache.rglob("*")) == before


def test_what_python_syncs_is_the_same(cache, tmp_path):
    report = mirror.sync(
        tmp_path / "x.duckdb", source="one", one_cache=cache, table="subject.subject", derive=False
    )

    assert report.rows == 2


@pytest.mark.parametrize(
    "arguments, words",
    [
        (("--host", "localhost"), "--host is for --source datajoint, and this is --source one"),
        (("--ask-password",), "--ask-password is for --source datajoint"),
        (("--demo",), "--demo is short for --source demo"),
        (("--demo-mice", "6"), "--demo-mice is for --source demo"),
    ],
)
def test_options_of_another_source_are_refused(tmp_path, arguments, words):
    refused = run(tmp_path, "sync", "--source", "one", *arguments)

    assert refused.returncode == 2
    assert words in refused.stderr


def test_a_cache_belongs_to_one(tmp_path):
    refused = run(tmp_path, "sync", "--one-cache", "x")

    assert refused.returncode == 2
    assert "--one-cache is for --source one, and this is --source datajoint" in refused.stderr


def test_a_folder_without_aggregates_is_a_wrong_call(tmp_path):
    refused = run(tmp_path, "sync", "--source", "one", "--one-cache", "x")

    assert refused.returncode == 2
    assert "x holds no ONE aggregates" in refused.stderr


@pytest.mark.parametrize("name", ["one", "subject", "derived"])
def test_a_file_is_not_called_as_a_schema_in_it(cache, tmp_path, name):
    asked = ("sync", "--source", "one", "--one-cache", str(cache))
    refused = run(tmp_path, *asked, "--database", f"{name}.duckdb")

    assert refused.returncode == 2
    assert f"would have the name of the schema {name} in it" in refused.stderr
    assert not list(tmp_path.glob("*.duckdb"))


@pytest.fixture
def public(cache: Path) -> Iterator[bucket.Bucket]:
    """The files of both mice in a bucket, as parts of the first release."""
    names = [file.relative_to(cache).as_posix() for file in sorted(cache.rglob("*.pqt"))]
    held = {key: (cache / name).read_bytes() for name, key in bucket.keys(names).items()}
    with bucket.serving(held) as running:
        yield running


def from_bucket(folder: Path, public: bucket.Bucket, *options: str):
    asked = ("sync", "--source", "one", "--no-derive", "--table", "subject.subject", *options)
    return run(folder, *asked, MIRROR_ONE_BUCKET=public.url)


def test_the_public_bucket_is_fetched_once_and_read(public, tmp_path):
    asked = ("--table", "acquisition.session", "--table", "one.subject_training")
    first = from_bucket(tmp_path, public, *asked)
    assert first.returncode == 0, first.stderr
    assert "6 files" in first.stderr and "no login" in first.stderr
    fetched = [key for key in public.files if public.asked(key)]
    again = from_bucket(tmp_path, public, *asked)

    assert len(fetched) == 6
    assert all(len(public.asked(key)) == 1 for key in fetched)
    assert "3 tables (3 unchanged)" in again.stderr
    with mirror.connect(tmp_path / "ibl.duckdb") as connection:
        assert connection.execute("select count(*) from acquisition.session").fetchall() == [(6,)]
        assert connection.execute("select address from _mirror.runs limit 1").fetchall() == [
            ("s3://ibl-brain-wide-map-public (2021_Q1_IBL_et_al_Behaviour)",)
        ]


def test_only_what_the_mice_and_the_tables_need_is_fetched(public, tmp_path):
    asked = ("--table", "subject.subject_project", "--subject", "KS017")
    done = from_bucket(tmp_path, public, *asked)

    assert done.returncode == 0, done.stderr
    [key] = [key for key in public.files if public.asked(key)]
    assert "KS017/_ibl_subjectSessions" in key


def test_a_mouse_may_be_named_by_its_uuid_to_the_bucket_too(public, tmp_path):
    done = from_bucket(tmp_path, public, "--subject", str(one_cache.KS017))

    assert done.returncode == 0, done.stderr
    with mirror.connect(tmp_path / "ibl.duckdb") as connection:
        assert connection.execute("select subject_nickname from subject.subject").fetchall() == [
            ("KS017",)
        ]
