"""What `mirror.spark.session` needs of a machine, and says where it is missing."""

from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from mirror.errors import UsageError
from mirror.spark import java, session


def a_java(folder: Path, first_line: str) -> Path:
    """A folder with a program that calls itself a Java."""
    program = folder / "bin" / "java"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\necho '{first_line}' >&2\n")
    program.chmod(0o755)
    return folder


def test_no_java_is_a_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(UsageError, match=r"there is none in .* install one .*openjdk-17"):
        session()

    monkeypatch.delenv("JAVA_HOME")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UsageError, match="there is none on the path"):
        session()


@pytest.mark.parametrize(
    ("first_line", "number"),
    [('openjdk version "1.8.0_402"', 8), ('openjdk version "11.0.22" 2024-01-16', 11)],
)
def test_a_java_that_is_too_old_is_a_sentence(
    first_line: str, number: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("JAVA_HOME", str(a_java(tmp_path, first_line)))

    with pytest.raises(UsageError, match=f"is Java {number}, and Spark 4 needs 17"):
        session()


@pytest.mark.parametrize("first_line", ['openjdk version "17.0.15"', 'java version "25" 2025-09'])
def test_a_java_that_is_new_enough_is_taken(
    first_line: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("JAVA_HOME", str(a_java(tmp_path, first_line)))

    java.check_java()


@pytest.mark.parametrize("found", [None, "3.5.1"])
def test_no_pyspark_or_an_old_one_is_a_sentence(
    found: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def version(name: str) -> str:
        if found is None:
            raise PackageNotFoundError(name)
        return found

    monkeypatch.setattr(java, "version", version)

    with pytest.raises(UsageError, match=r"pip install 'pyspark>=4,<5'"):
        session()
