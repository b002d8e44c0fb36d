"""The International Brain Laboratory's behavioural database as one DuckDB file."""

# Until a function is called, nothing is imported that a file in the working directory could hide.
from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence
    from datetime import date

    import duckdb

    from mirror.serve.offline import Offline
    from mirror.syncing import Report

__all__ = ["__version__", "connect", "offline", "sync", "views"]


def connect(database: str | os.PathLike[str] | None = None) -> duckdb.DuckDBPyConnection:
    """Open a mirror to read: the file, else `MIRROR_DATABASE`, else `ibl.duckdb` here.

    DuckDB opens a file once in a process: close earlier connections to see what a sync has
    put there since. Raises UsageError where there is no mirror.
    """
    from mirror import store

    return store.connect(database)


def sync(
    database: str | os.PathLike[str] | None = None,
    *,
    schema: str | Sequence[str] = (),
    table: str | Sequence[str] = (),
    subject: str | Sequence[str] = (),
    since: date | None = None,
    full: bool = False,
    derive: bool = True,
    include_private: bool = False,
    batch_rows: int | None = None,
    source: str | None = None,
    host: str | None = None,
    port: int | None = None,
    user: str | None = None,
    one_cache: str | os.PathLike[str] | None = None,
    tag: str | Sequence[str] = (),
    demo: bool = False,
    demo_mice: int | None = None,
) -> Report:
    """Copy a source into a DuckDB file, as `mirror sync` does, and return the report.

    The source is a DataJoint server, whose login is DataJoint's configuration (`dj.config` where
    datajoint is imported), unless it is named: "one" for IBL's public files, "demo" for simulated
    mice. Raises MirrorError with one sentence.
    """
    from mirror import syncing
    from mirror.sources.choose import Wish, choose

    schemas, tables, subjects, tags = (
        (some,) if isinstance(some, str) else tuple(some) for some in (schema, table, subject, tag)
    )
    options = syncing.Options(schemas, tables, subjects, since, include_private)
    batch_rows = batch_rows or syncing.BATCH_ROWS
    chosen = choose(
        Wish(
            source=source,
            host=host,
            port=port,
            user=user,
            one_cache=one_cache,
            tag=tags,
            demo=demo,
            demo_mice=demo_mice,
        ),
        subjects,
    )
    try:
        return syncing.sync(chosen, database, options, full, batch_rows, with_derived=derive)
    finally:
        chosen.close()


def offline(database: str | os.PathLike[str] | None = None) -> Offline:
    """Let DataJoint be answered from a mirror, without a server, an account or a network.

    From here on `from nma_ibl import subject, behavior, ...` and every DataJoint expression
    read the file, until `close()` of what is returned, or the end of a `with` block, gives
    DataJoint its own connection back. Import `nma_ibl`, or a pipeline of your own, after this
    call, and again after the next: what was imported before keeps the connection that it had.
    Raises MirrorError where there is no mirror.
    """
    from mirror.serve.offline import Offline

    return Offline(database)


def __getattr__(name: str) -> Any:
    """Look up the version, and import `mirror.views`, when it is first asked for."""
    if name == "__version__":
        from importlib.metadata import version

        return version("ibl-mirror")
    if name == "views":
        from importlib import import_module

        return import_module("mirror.views")
    raise AttributeError(f"module 'mirror' has no attribute {name!r}")
