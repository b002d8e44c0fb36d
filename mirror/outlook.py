"""What there is to copy, for `mirror sync --dry-run`: nothing is fetched and nothing written."""

from collections.abc import Callable, Iterator

from mirror.sources.choose import Wish, choose
from mirror.syncing import Options, to_copy


def rows(wish: Wish, options: Options, tell: Callable[[str], object]) -> Iterator[tuple[str, ...]]:
    """A heading, then a row per mouse whose files are in the public bucket, or per table.

    Raises MirrorError as a sync of the same options would.
    """
    source = choose(wish, options.subject, tell)
    try:
        if source.plan:
            tell(f"{source.plan}\n")
            yield "mouse", "laboratory", "files", "MB", "MB to fetch"
            for mouse in source.plan.by_mouse():
                sizes = (f"{size / 1e6:.1f}" for size in (mouse.size, mouse.to_fetch))
                yield mouse.mouse, mouse.lab, str(mouse.files), *sizes
            return
        yield "table", "rows"
        for table, n_rows in to_copy(source, options):
            yield str(table), "unreadable" if n_rows is None else str(n_rows)
    finally:
        source.close()
