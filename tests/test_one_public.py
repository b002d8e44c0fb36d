"""`mirror sync --source one` without a folder: public files are fetched, then read."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import bucket as stand_in
import one_cache
import pytest

import mirror

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
def run(bucket: stand_in.Bucket, tmp_path: Path) -> Run:
    def sync(*arguments: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            [sys.executable, "-m", "mirror", "sync", "--source", "one", *arguments],
            cwd=tmp_path,
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(tmp_path),
                "MIRROR_ONE_BUCKET": bucket.url,
            },
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=300,
        )

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
