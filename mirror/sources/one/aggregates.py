"""The files in which ONE keeps all sessions of a mouse, found by their names.

Their layout is that of ONE's cache folder and of IBL's public bucket: where a file was fetched
by ONE its name has no dataset id, in the bucket it has one before the extension; a later version
lies in a folder of its own, between signs `#`.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = "aggregates/Subjects"
KINDS = ("Trials", "Sessions", "Training")
NAME = re.compile(
    rf"{ROOT}/(?P<lab>[^/]+)/(?P<nickname>[^/]+)/(?:#(?P<revision>[^/#]+)#/)?"
    rf"_ibl_subject(?P<kind>{'|'.join(KINDS)})\.table"
    r"(?:\.(?P<dataset>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}))?\.pqt"
)


@dataclass(frozen=True)
class Aggregate:
    """A file: whose it is, which of the three kinds, and a text that changes when it does."""

    path: Path
    lab: str
    nickname: str
    kind: str
    stamp: str


def find(folder: Path) -> list[Aggregate]:
    """The newest file of each kind of each mouse under a folder in ONE's layout."""
    newest: dict[tuple[str, str, str], tuple[tuple, Aggregate]] = {}
    for entry in _files(folder / ROOT):
        match = NAME.fullmatch(Path(entry.path).relative_to(folder).as_posix())
        if not match:
            continue
        state = entry.stat()
        age = (match["revision"] or "", state.st_mtime_ns, entry.name)
        found = Aggregate(
            path=Path(entry.path),
            lab=match["lab"],
            nickname=match["nickname"],
            kind=match["kind"],
            stamp=f"{match[0]} {state.st_size} {state.st_mtime_ns}",
        )
        key = (found.lab, found.nickname, found.kind)
        newest[key] = max(newest.get(key, (age, found)), (age, found), key=lambda pair: pair[0])
    return [found for _, found in newest.values()]


def _files(folder: Path) -> Iterator[os.DirEntry]:
    try:
        entries = list(os.scandir(folder))
    except (FileNotFoundError, NotADirectoryError):
        return
    for entry in entries:
        if entry.is_dir():
            yield from _files(Path(entry.path))
        else:
            yield entry
