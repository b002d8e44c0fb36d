"""The files in which ONE keeps the behaviour of mice, found by their names.

    aggregates/Subjects/LAB/MOUSE/_ibl_subjectTrials.table.pqt     all sessions of a mouse
    LAB/Subjects/MOUSE/DATE/NNN/alf/_ibl_trials.repNum.npy         one session

Names may have a dataset id before the extension, as in IBL's bucket; a later version lies in a
folder of its own, between signs `#`.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from glob import escape, iglob
from pathlib import Path

ROOT = "aggregates/Subjects"
KINDS = ("Trials", "Sessions", "Training")
_REVISION = r"(?:#(?P<revision>[^/#]+)#/)?"
_DATASET = r"(?:\.[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})?"
_AGGREGATE = re.compile(
    rf"{ROOT}/(?P<lab>[^/]+)/(?P<mouse>[^/]+)/{_REVISION}"
    rf"_ibl_subject(?P<kind>{'|'.join(KINDS)})\.table{_DATASET}\.pqt"
)
_SESSION = re.compile(r"(?P<lab>[^/]+)/Subjects/(?P<mouse>[^/]+)/(?P<date>[^/]+)/(?P<number>\d+)")
_REP_NUM = re.compile(rf"alf/{_REVISION}_ibl_trials\.repNum{_DATASET}\.npy")

# a laboratory and a nickname
Name = tuple[str, str]
# a laboratory, a date as ISO writes it, and a number
SessionName = tuple[str, str, int]


@dataclass(frozen=True)
class File:
    """Where a file is, and a text that changes when the file does."""

    path: Path
    stamp: str


def aggregates(folder: Path) -> dict[Name, dict[str, File]]:
    """The newest file of each kind, of each mouse that has any."""
    found: dict[Name, dict[str, list[tuple[tuple[str, int], File]]]] = {}
    for pattern in ("*", "#*#/*"):
        for path in iglob(f"{escape(str(folder))}/{ROOT}/*/*/{pattern}"):
            file = Path(path)
            match = _AGGREGATE.fullmatch(file.relative_to(folder).as_posix())
            if match:
                own = found.setdefault((match["lab"], match["mouse"]), {})
                own.setdefault(match["kind"], []).append(_version(file, match))
    return {
        name: {kind: _newest(versions) for kind, versions in own.items()}
        for name, own in found.items()
    }


def sessions(folder: Path) -> dict[str, dict[SessionName, File | None]]:
    """The sessions that have files of their own, by nickname, with that of `repNum` if any."""
    found: dict[str, dict[SessionName, File | None]] = {}
    for path in iglob(f"{escape(str(folder))}/*/Subjects/*/*/*"):
        session = Path(path)
        match = _SESSION.fullmatch(session.relative_to(folder).as_posix())
        if match and match["lab"] != "aggregates":
            versions = [
                _version(file, match_file)
                for file in session.glob("alf/**/*.npy")
                if (match_file := _REP_NUM.fullmatch(file.relative_to(session).as_posix()))
            ]
            name = (match["lab"], match["date"], int(match["number"]))
            own = found.setdefault(match["mouse"], {})
            own[name] = _newest(versions) if versions else None
    return found


def _version(file: Path, match: re.Match[str]) -> tuple[tuple[str, int], File]:
    """A file with what decides which version of it is the newest."""
    state, revision = file.stat(), match["revision"] or ""
    stamp = f"{file.name} {revision} {state.st_size} {state.st_mtime_ns}"
    return (revision, state.st_mtime_ns), File(file, stamp)


def _newest(versions: Iterable[tuple[tuple[str, int], File]]) -> File:
    return max(versions, key=lambda version: version[0])[1]
