"""Which of IBL's public files belong to a release, and bringing those that are not here yet.

    plan = fetch.plan(fetch.cache_folder(), ["2021_Q1_IBL_et_al_Behaviour"], ["KS014"], bucket.list)
    fetch.fetch(plan, bucket)

A plan lists the files, three a mouse, and fetches nothing. Fetching puts each at the place that
ONE gives it under its own cache folder, the key in the bucket without the dataset's id:

    aggregates/Subjects/LAB/MOUSE/[#REVISION#/]_ibl_subjectTrials.table.pqt

so that ONE opens the folder as its own. Another revision of a mouse may lie beside the one that
a plan chose; whoever reads the plan's mice reads `plan.cache / file.path` of its `files`.

What has come of a file stands beside it under `NAME.ETAG.part`, where the next call goes on,
until its size and MD5 are right. A file is there if it has them; if the bucket has no MD5 of it,
if it has the size and is no older than the bucket's.
"""

import hashlib
import os
import re
import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial
from itertools import groupby
from multiprocessing.pool import ThreadPool
from pathlib import Path, PurePosixPath
from threading import Lock

from mirror import lock, store
from mirror.errors import MirrorError, UsageError
from mirror.progress import Progress
from mirror.sources import Download
from mirror.sources.one import releases
from mirror.sources.one.bucket import AT_ONCE, Bucket, Entry, Unfit
from mirror.sources.one.releases import Release

PREFIX = "aggregates/Subjects/"
TRIALS = "_ibl_subjectTrials.table.pqt"
TABLES = (TRIALS, "_ibl_subjectSessions.table.pqt", "_ibl_subjectTraining.table.pqt")
_TABLE = (
    r"(?P<table>_ibl_subject(?:Trials|Sessions|Training)\.table)"
    r"\.(?P<dataset>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.pqt"
)
# names as ONE spells them (one/alf/spec.py); none begins with a point, and none leads out
_NAME = r"(?!\.)[\w.~+-]+"
_ANYWHERE = re.compile(rf"(?:.*[/\\])?{_TABLE}", re.DOTALL)
_KEY = re.compile(
    rf"{PREFIX}(?P<lab>{_NAME})/(?P<mouse>{_NAME})/(?:#(?P<revision>{_NAME})#/)?{_TABLE}"
)


@dataclass(frozen=True)
class File:
    """A table of one mouse: where it lies in the bucket, and `path`, in the cache folder."""

    lab: str
    mouse: str
    revision: str
    dataset: str
    path: PurePosixPath
    entry: Entry

    @property
    def at(self) -> tuple[str, str]:
        """Which mouse: a nickname may occur in two laboratories."""
        return self.lab, self.mouse

    @property
    def md5(self) -> str | None:
        """The checksum, unless the bucket has none: it hashes large files part by part."""
        return self.entry.etag if re.fullmatch("[0-9a-f]{32}", self.entry.etag) else None


@dataclass(frozen=True)
class Plan:
    """The files of the mice asked for, and those that must be fetched; sizes in bytes.

    `notes` are sentences on what the files are not.
    """

    cache: Path
    tags: tuple[str, ...]
    files: tuple[File, ...]
    missing: tuple[File, ...]
    notes: tuple[str, ...]

    @property
    def size(self) -> int:
        return sum(file.entry.size for file in self.files)

    @property
    def to_fetch(self) -> int:
        """The bytes still to fetch, without those of files half fetched."""
        return sum(_rest(self.cache, file) for file in self.missing)

    def by_mouse(self) -> list[Download]:
        """By laboratory and nickname."""
        rests = {file: _rest(self.cache, file) for file in self.missing}
        downloads = []
        for (lab, mouse), group in groupby(self.files, key=lambda file: file.at):
            files = list(group)
            size = sum(file.entry.size for file in files)
            to_fetch = sum(rests.get(file, 0) for file in files)
            downloads.append(Download(lab, mouse, len(files), size, to_fetch))
        return downloads

    def __str__(self) -> str:
        files = f"{len(self.files)} files, {in_words(self.size)}"
        if not self.missing:
            return f"{files}, all of them in {self.cache}"
        if len(self.missing) < len(self.files) or self.to_fetch < self.size:
            files += f", of which {len(self.missing)} files, {in_words(self.to_fetch)}, to fetch"
        return f"{files}, from IBL's public bucket, no login; kept in {self.cache}"


def in_words(size: int) -> str:
    """A number of bytes, as people say it."""
    return f"{size / 1e9:.1f} GB" if size >= 1e8 else f"{size / 1e6:.1f} MB"


def cache_folder() -> Path:
    """Where files are kept unless told otherwise."""
    caches = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(caches) / "ibl-mirror" / "one"


def plan(
    cache: Path,
    tags: Sequence[str],
    subjects: Sequence[str],
    lister: Callable[[str], Iterable[Entry]],
) -> Plan:
    """Choose the files of these tags, of all mice or of those of these nicknames.

    Of a mouse in several tags, the files are those of the tag named first; of a table in several
    revisions, the newest. `lister` lists a prefix, as `Bucket.list` does. Raises UsageError when
    a tag or a nickname is not known, and MirrorError when the listing makes no sense.
    """
    wanted = None if releases.ALL in tags else releases.of(tags)
    listed = _tables(lister(PREFIX))
    notes: list[str] = []
    chosen = _newest(listed) if wanted is None else _of_releases(wanted, listed, notes)
    if not chosen:
        raise MirrorError(
            f"IBL's public bucket lists no file of {', '.join(tags)} under {PREFIX}:"
            f" {store.UPGRADE}."
        )
    with_trials = {file.at for file in chosen if file.path.name == TRIALS}
    without = sorted({f"{file.lab}/{file.mouse}" for file in chosen if file.at not in with_trials})
    if without:
        notes.append(f"Left out, for want of a table of trials: {', '.join(without)}.")
    files = [file for file in chosen if file.at in with_trials]
    if subjects:
        _refuse_unknown(subjects, files, tags, listed)
        files = [file for file in files if file.mouse in subjects]
    files.sort(key=lambda file: (file.lab, file.mouse, TABLES.index(file.path.name)))
    unchecked = sum(file.md5 is None for file in files)
    if unchecked:
        notes.append(
            "Checked by size and date alone, for want of an MD5 in the bucket:"
            f" {unchecked} of {len(files)} files."
        )
    with ThreadPool(AT_ONCE) as pool:
        is_there = pool.map(lambda file: _is_there(cache, file), files)
    missing = tuple(file for file, there in zip(files, is_there, strict=True) if not there)
    return Plan(cache, tuple(tags), tuple(files), missing, tuple(notes))


def fetch(plan: Plan, bucket: Bucket, progress: Progress | None = None) -> None:
    """Bring the files that are missing, four at a time.

    Whatever happens, what has come is kept, and the next call goes on from there. Raises
    SourceError when no host answers, and MirrorError when another sync is at it, when the disk
    is full, or, after all others have come, when a file is twice not what the bucket lists.
    """
    progress = progress or Progress()
    progress.begin_fetch(str(plan), plan.to_fetch)
    if plan.missing:
        _refuse_folder(plan)
        with lock.held(plan.cache / "aggregates", 0o644):
            failed = _bring_all(plan, bucket, progress)
        if failed:
            more = f" And {len(failed) - 1} more files like it." if len(failed) > 1 else ""
            raise MirrorError(failed[0] + more)
    progress.end_fetch()


class _Over(Exception):
    """The call that a thread works for has ended."""


class _Gate:
    """Lets threads change files one at a time, and none of them once it is shut.

    A thread that waits for a host cannot be stopped; shut out, it does no harm.
    """

    def __init__(self, progress: Progress) -> None:
        self._lock, self._progress, self._is_shut = Lock(), progress, False

    def write(self, part: Path, chunk: bytes) -> None:
        with self._lock:
            self._pass()
            # closed each time: all that has come is there, should this process be killed
            with part.open("ab") as out:
                out.write(chunk)
            self._progress.received(len(chunk))

    def keep(self, part: Path, target: Path) -> None:
        with self._lock:
            self._pass()
            os.replace(part, target)
            # of versions that the bucket no longer has
            for left in target.parent.glob(f"{target.name}.*.part"):
                left.unlink()

    def drop(self, part: Path) -> None:
        with self._lock:
            self._pass()
            self._progress.received(-_size(part))
            part.unlink(missing_ok=True)

    def shut(self) -> None:
        with self._lock:
            self._is_shut = True

    def _pass(self) -> None:
        if self._is_shut:
            raise _Over


def _bring_all(plan: Plan, bucket: Bucket, progress: Progress) -> list[str]:
    """Bring what is missing, and return a sentence for each file that cannot be had."""
    gate = _Gate(progress)
    # its threads end with the process, whatever they wait for
    with ThreadPool(AT_ONCE) as pool:
        try:
            faults = pool.imap_unordered(
                lambda file: _bring(plan.cache, file, bucket, gate), plan.missing
            )
            return [fault for fault in faults if fault]
        except OSError as error:
            raise store.explain(error, plan.cache / "aggregates") from error
        finally:
            gate.shut()


def _bring(cache: Path, file: File, bucket: Bucket, gate: _Gate) -> str | None:
    """Bring one file; returns a sentence if it comes wrong twice, from beginning to end."""
    if _is_there(cache, file):
        # another sync has brought it since the plan was made
        return None
    part = _part(cache, file)
    part.parent.mkdir(parents=True, exist_ok=True)
    times_wrong = 0
    while times_wrong < 2:
        # what an earlier call has left may be wrong, which says nothing of the bucket
        is_from_the_start = not part.exists()
        fault = None
        try:
            bucket.copy(file.entry, _size(part), partial(gate.write, part))
            fault = _fault(file, part)
        except Unfit as error:
            fault = str(error)
        if fault is None:
            gate.keep(part, cache / file.path)
            return None
        gate.drop(part)
        times_wrong += is_from_the_start
    return (
        f"{file.entry.key} came wrong twice ({fault}) and is not kept: run the same command again"
        " later."
    )


def _part(cache: Path, file: File) -> Path:
    """Where a file grows; of another version of the file, elsewhere."""
    version = re.sub(r"\W", "", file.entry.etag)
    return cache / file.path.with_name(f"{file.path.name}.{version}.part")


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _rest(cache: Path, file: File) -> int:
    """The bytes of a file that have not come yet."""
    return max(file.entry.size - _size(_part(cache, file)), 0)


def _is_there(cache: Path, file: File) -> bool:
    path = cache / file.path
    try:
        found = path.stat()
        if found.st_size != file.entry.size:
            return False
        if file.md5 is None:
            return found.st_mtime >= file.entry.modified.timestamp()
        return _md5(path) == file.md5
    except OSError:
        return False


def _fault(file: File, part: Path) -> str | None:
    """What is wrong with a file that has come."""
    size = _size(part)
    if size != file.entry.size:
        return f"{file.entry.size:,} bytes expected, {size:,} found"
    if file.md5 and (found := _md5(part)) != file.md5:
        return f"MD5 {file.md5} expected, {found} found"
    return None


def _md5(path: Path) -> str:
    with path.open("rb") as opened:
        # against accidents only, as machines that forbid MD5 want to be told
        return hashlib.file_digest(opened, partial(hashlib.md5, usedforsecurity=False)).hexdigest()


def _tables(entries: Iterable[Entry]) -> list[File]:
    """The mice's tables among what is listed; raises MirrorError for one at an odd place."""
    files = []
    for entry in entries:
        if not _ANYWHERE.fullmatch(entry.key):
            continue
        parts = _KEY.fullmatch(entry.key)
        if parts is None:
            raise MirrorError(
                f"IBL's public bucket lists {entry.key!r}, which is no place in the cache folder:"
                " nothing was fetched."
            )
        folder = PurePosixPath(entry.key).parent
        files.append(
            File(
                lab=parts["lab"],
                mouse=parts["mouse"],
                revision=parts["revision"] or "",
                dataset=parts["dataset"],
                path=folder / f"{parts['table']}.pqt",
                entry=entry,
            )
        )
    return files


def _newest(files: Iterable[File]) -> list[File]:
    """One file for each table of each mouse, of the newest revision."""
    by_age = sorted(files, key=lambda file: (file.revision, file.entry.modified))
    return list({(*file.at, file.path.name): file for file in by_age}.values())


def _of_releases(wanted: Sequence[Release], listed: Sequence[File], notes: list[str]) -> list[File]:
    """The files of each mouse from the first of the releases that has the mouse."""
    chosen: list[File] = []
    for release in wanted:
        found = _newest(file for file in listed if file.dataset in release.datasets)
        expected = len(TABLES) * release.mice
        if len(found) < expected:
            notes.append(
                f"IBL's public bucket lists {len(found)} of the {expected} files of {release.tag}."
            )
        taken = {file.at for file in chosen}
        twice = {file.at for file in found} & taken
        if twice:
            notes.append(
                f"Also in a tag named before, whose files they have: {len(twice)} of the"
                f" {release.mice} mice of {release.tag}."
            )
        chosen += [file for file in found if file.at not in taken]
    return chosen


def _refuse_unknown(
    subjects: Sequence[str], files: Sequence[File], tags: Sequence[str], listed: Sequence[File]
) -> None:
    """Name the tag that has a mouse which these files are not of, or the names most like it."""
    names = {file.mouse for file in files}
    for subject in subjects:
        if subject in names:
            continue
        namesakes = [file for file in listed if file.mouse == subject]
        elsewhere = [
            release.tag
            for release in releases.RELEASES
            if any(file.dataset in release.datasets for file in namesakes)
        ]
        near = get_close_matches(subject, names, cutoff=0.5)
        if namesakes:
            way_out = f"ask for it with --tag {(elsewhere or [releases.ALL])[0]}."
        elif near:
            way_out = f"did you mean {', '.join(near)}?"
        else:
            way_out = "'mirror sync --source one --dry-run' lists the mice."
        raise UsageError(f"--subject {subject} is no mouse of {', '.join(tags)}: {way_out}")


def _refuse_folder(plan: Plan) -> None:
    """Make the cache folder, and see that it can be written and has room."""
    try:
        plan.cache.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(plan.cache).free
    except OSError as error:
        raise UsageError(
            f"{plan.cache} cannot be made ({error.strerror}): set XDG_CACHE_HOME to a folder that"
            " can be written."
        ) from error
    if not os.access(plan.cache, os.W_OK):
        raise UsageError(
            f"{plan.cache} cannot be written: set XDG_CACHE_HOME to a folder that can."
        )
    if free < plan.to_fetch:
        raise MirrorError(
            f"Fetching needs {in_words(plan.to_fetch)} in {plan.cache}, which has"
            f" {in_words(free)}: make room there, or set XDG_CACHE_HOME to another folder."
        )
