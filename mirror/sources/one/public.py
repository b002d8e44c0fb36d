"""IBL's public bucket as a source: files of the mice asked for, fetched and read as a folder."""

from collections.abc import Callable, Sequence
from contextlib import closing

from mirror.progress import Progress
from mirror.sources.one import OneSource, fetch, mice, releases
from mirror.sources.one.bucket import Bucket


def outlook(tags: Sequence[str], subjects: Sequence[str]) -> fetch.Plan:
    """What there is to fetch of these mice, or of all mice of these tags; fetches nothing."""
    with closing(Bucket()) as bucket:
        return _plan(bucket, tags, subjects)


def download(
    tags: Sequence[str],
    subjects: Sequence[str],
    tell: Callable[[str], object],
    progress: Progress | None = None,
) -> OneSource:
    """Fetch what is not here yet, and open it.

    Raises UsageError for unknown mice and tags, SourceError when no host answers, and MirrorError
    when a file is not what the bucket lists; what has come is kept, and the next call goes on.
    """
    with closing(Bucket()) as bucket:
        plan = _plan(bucket, tags, subjects)
        for note in plan.notes:
            tell(f"{note}\n")
        fetch.fetch(plan, bucket, progress)
    return OneSource(
        plan.cache,
        only={file.path.as_posix() for file in plan.files},
        address=f"s3://ibl-brain-wide-map-public ({', '.join(plan.tags)})",
    )


def _plan(bucket: Bucket, tags: Sequence[str], subjects: Sequence[str]) -> fetch.Plan:
    nicknames = [mice.nickname(subject) for subject in subjects]
    return fetch.plan(fetch.cache_folder(), tags or releases.DEFAULT_TAGS, nicknames, bucket.list)
