"""Folders that are written beside where they belong, and renamed when they are whole."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mirror.errors import MirrorError, UsageError


@contextmanager
def replacing(target: Path, mark: str, kind: str, option: str) -> Iterator[Path]:
    """A folder to write in, which takes the place of the target when all went well.

    `mark` is the file that every folder of this kind has. Raises UsageError where the target is
    something else; `option` is how another one is named on the command line.
    """
    # what a link points to is replaced, not the link
    target = target.resolve()
    _put_back(target)
    is_other = target.exists() and not (target / mark).exists()
    if is_other and not (target.is_dir() and not any(target.iterdir())):
        raise UsageError(f"{target} is there and no {kind}: name another folder, {option} DIR.")
    # two runs into one folder must not write in each other's pages: the last one stays
    partial = f".{target.name}.{os.getpid()}"
    work, old = (target.with_name(f"{partial}.{word}") for word in ("partial", "old"))
    shutil.rmtree(work, ignore_errors=True)
    try:
        work.mkdir(parents=True)
        yield work
        shutil.rmtree(old, ignore_errors=True)
        if target.exists():
            target.rename(old)
        try:
            work.rename(target)
        except OSError:
            if old.exists():
                old.rename(target)
            raise
        shutil.rmtree(old, ignore_errors=True)
    except OSError as error:
        raise MirrorError(
            f"{target} cannot be written ({error.strerror}): make room, or name another folder"
            f" with {option} DIR."
        ) from error
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _put_back(target: Path) -> None:
    """Give the target its place again, if who was killed between two renames left it aside."""
    for old in target.parent.glob(f".{target.name}.*.old"):
        if not target.exists():
            old.rename(target)
