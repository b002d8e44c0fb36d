"""`mirror sync --source one` without a folder: public files are fetched, then read."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import bucket as stand_in
import one_cache
import pytest

import mirror

pytestmark = pytest.mark.slow

Run = Callable[..., subprocess.CompletedProcess]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What the bucket holds: the tables of both mice, under keys of the release."""
    return stand_in.of_folder(one_cache.build(tmp_path_factory.mktemp("ONE")))


@pytest.fixture
def bucket(files: dict[str, bytes]) -> Iterator[stand_in.Bucket]:
    with stand_in.serving(dict(files)) as serving:
        yield serving


@pytest.fixture
def start(bucket: stand_in.Bucket, tmp_path: Path) -> Callable[..., subprocess.Popen]:
    def sync(*arguments: str, before: tuple[str, ...] = (), **variables: str) -> subprocess.Popen:
        return subprocess.Popen(
            [*before, sys.executable, "-m", "mirror", "sync", "--source", "one", *arguments],
            cwd=tmp_path,
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(tmp_path),
                "MIRROR_ONE_BUCKET": bucket.url,
                **variables,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            text=True,
        )

    return sync


@pytest.fixture
def run(start: Callable[..., subprocess.Popen]) -> Run:
    def sync(*arguments: str, **options) -> subprocess.CompletedProcess:
        process = start(*arguments, **options)
        out, err = process.communicate(timeout=300)
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)

    return sync


def fetched(bucket: stand_in.Bucket) -> list[str]:
    return sorted(request.path for request in bucket.seen if request.path.endswith(".pqt"))


def mice(folder: Path) -> list[tuple[str, int]]:
    with mirror.connect(folder / "ibl.duckdb") as connection:
        return connection.execute(
            "select subject_nickname, count(*) from trials group by all order by all"
        ).fetchall()


def test_one_command_brings_real_mice_and_the_next_fetches_nothing(run, bucket, files, tmp_path):
    done = run()
    assert done.returncode == 0, done.stderr
    assert f"{len(files)} files, " in done.stderr
    assert "from IBL's public bucket, no login; kept in " in done.stderr
    assert fetched(bucket) == sorted(files)
    assert [name for name, _ in mice(tmp_path)] == ["KS017", "XY_001"]
    with mirror.connect(tmp_path / "ibl.duckdb") as connection:
        assert connection.execute("select source, address from _mirror.runs").fetchall() == [
            ("one", "s3://ibl-brain-wide-map-public (2021_Q1_IBL_et_al_Behaviour)")
        ]
    # nothing is written outside the cache folder and the database
    assert sorted(path.name for path in tmp_path.iterdir()) == [".cache", "ibl.duckdb"]
    assert [path.name for path in (tmp_path / ".cache").glob("*/*")] == ["one"]

    bucket.seen.clear()
    again = run()
    assert again.returncode == 0, again.stderr
    assert "all of them in " in again.stderr
    assert not fetched(bucket)
    assert "(94 unchanged)" in again.stderr


@pytest.mark.parametrize("name", ["KS017", str(one_cache.KS017)])
def test_only_the_files_of_the_mice_asked_for_are_fetched(run, bucket, tmp_path, name):
    done = run("--subject", name)
    assert done.returncode == 0, done.stderr
    assert {path.split("/")[3] for path in fetched(bucket)} == {"KS017"}
    assert [mouse for mouse, _ in mice(tmp_path)] == ["KS017"]


def test_a_dry_run_lists_the_mice_and_brings_nothing(run, bucket, files, tmp_path):
    done = run("--dry-run")
    assert done.returncode == 0, done.stderr
    heading, *rows = (line.split("\t") for line in done.stdout.splitlines())
    assert heading == ["mouse", "laboratory", "files", "MB", "MB to fetch"]
    assert [row[:3] for row in rows] == [
        ["XY_001", "angelakilab", "3"],
        ["KS017", "cortexlab", "3"],
    ]
    assert not fetched(bucket)
    assert not list(tmp_path.iterdir())


def test_an_unknown_mouse_is_refused_before_anything_is_fetched(run, bucket, tmp_path):
    done = run("--subject", "KS071")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.endswith(
        "mirror: --subject KS071 is no mouse of 2021_Q1_IBL_et_al_Behaviour: did you mean KS017?\n"
    )
    assert not fetched(bucket) and not (tmp_path / "ibl.duckdb").exists()


def test_without_a_network_the_bucket_is_unreachable(run, tmp_path):
    # of whatever machine: no network but its own
    done = run(before=("unshare", "--map-root-user", "--net"), MIRROR_ONE_BUCKET="")
    assert done.returncode == 3, done.stderr
    last = done.stderr.splitlines()[-1]
    assert last.startswith("mirror: IBL's public bucket does not answer (ibl-brain-wide-map-public")
    assert "Files fetched so far are kept" in last
    assert not list(tmp_path.rglob("*.duckdb"))


def test_ctrl_c_while_files_come_and_again_costs_no_byte_twice(start, run, bucket, files, tmp_path):
    def is_halted() -> bool:
        """Four come at a time; what has been sent of them is there."""
        sent = sum(n for key in files for _, n in bucket.asked(key))
        come = sum(path.stat().st_size for path in tmp_path.rglob("*.part"))
        return len(bucket.halted) == len(files) - 4 and come == sent

    for _ in range(2):
        bucket.halted = {*files}
        process = start()
        deadline = time.monotonic() + 60
        while not is_halted():
            assert time.monotonic() < deadline
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=60)
        assert process.returncode == 130 and "Traceback" not in told
        assert told.endswith("mirror: interrupted.\n")
        assert not (tmp_path / "ibl.duckdb").exists()
    bucket.halted.clear()
    done = run("--no-derive")
    assert done.returncode == 0, done.stderr
    for key, data in files.items():
        # each answer goes on where the one before ended
        assert [sent for sent, _ in bucket.asked(key)] == [
            sum(n for _, n in bucket.asked(key)[:number])
            for number in range(len(bucket.asked(key)))
        ]
        assert sum(n for _, n in bucket.asked(key)) == len(data)


def test_a_host_that_answers_nothing_is_unreachable(run, bucket, tmp_path):
    bucket.answer = lambda path: (403, {}, b"")
    done = run()
    assert done.returncode == 3, done.stderr
    assert not (tmp_path / "ibl.duckdb").exists()


def test_a_file_that_is_no_table_leaves_no_mirror_and_is_named(run, bucket, files, tmp_path):
    key = next(key for key in files if "subjectTrials" in key)
    bucket.files[key] = files[key][: len(files[key]) // 2]
    done = run()
    assert done.returncode == 1, done.stderr
    assert "_ibl_subjectTrials.table.pqt" in done.stderr.splitlines()[-1]
    assert not (tmp_path / "ibl.duckdb").exists()
