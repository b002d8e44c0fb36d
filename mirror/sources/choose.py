"""Which source a sync reads, from the options of `mirror sync` and of `mirror.sync`."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from mirror.errors import UsageError
from mirror.progress import Progress
from mirror.sources import Source

KINDS = ("datajoint", "one", "demo")
# Options that say something of one source only, in the order of the command's help.
OWN = {
    "host": "datajoint",
    "port": "datajoint",
    "user": "datajoint",
    "ask_password": "datajoint",
    "one_cache": "one",
    "tag": "one",
    "demo_mice": "demo",
}


@dataclass(frozen=True)
class Wish:
    """What is said of the source; the names are those of the command line."""

    source: str | None = None
    host: str | None = None
    port: int | None = None
    user: str | None = None
    ask_password: bool = False
    one_cache: str | os.PathLike[str] | None = None
    tag: tuple[str, ...] = ()
    demo: bool = False
    demo_mice: int | None = None


def choose(
    wish: Wish,
    subjects: Sequence[str] = (),
    tell: Callable[[str], object] = lambda line: None,
    progress: Progress | None = None,
) -> Source:
    """Open the source that is meant, a server unless another is named.

    Of a source of files, those of the `subjects` are enough. `tell` hears in a line what is about
    to be asked, `progress` how far the source is with what it does before there are rows. Raises
    UsageError for options that do not go together.
    """
    kind = _kind(wish)
    if kind == "one":
        from mirror.sources.one import fetch, in_bucket, in_folder, releases

        if wish.one_cache is not None and not wish.tag:
            return in_folder(Path(wish.one_cache))
        cache = fetch.cache_folder() if wish.one_cache is None else Path(wish.one_cache)
        return in_bucket(cache, wish.tag or releases.DEFAULT_TAGS, subjects, tell, progress)
    if kind == "demo":
        from mirror.sources.demo import MICE, DemoSource

        demo = DemoSource(wish.demo_mice or MICE, progress=progress)
        tell(f"Simulating {demo.address}: no animal did any of this\n")
        return demo
    from mirror.sources.datajoint import DataJointSource
    from mirror.sources.datajoint.login import login

    at = login(wish.host, wish.port, wish.user, wish.ask_password)
    tell(f"Connecting to {at.host}:{at.port} as {at.user}\n")
    return DataJointSource(at)


def _kind(wish: Wish) -> str:
    if wish.source and wish.source not in KINDS:
        raise UsageError(f"There is no source {wish.source!r}: --source takes {', '.join(KINDS)}.")
    kind = wish.source or "datajoint"
    if wish.demo or (wish.demo_mice is not None and not wish.source):
        kind = "demo"
        if wish.source not in (None, "demo"):
            raise UsageError("--demo is short for --source demo: leave one of the two out.")
    for name, owner in OWN.items():
        if owner != kind and getattr(wish, name) not in (None, False, ()):
            raise UsageError(
                f"--{name.replace('_', '-')} is for --source {owner}, and this is --source {kind}:"
                " leave it out."
            )
    return kind
