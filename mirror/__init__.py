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
    from mirror.sources import Source
    from mirror.syncing import Report

__all__ = ["connect", "offline", "sync", "views"]


def connect(database: str | os.PathLike | None = None) -> duckdb.DuckDBPyConnection:
    """Open a mirror to read: the file, else `MIRROR_DATABASE`, else `ibl.duckdb` here.

    DuckDB opens a file once in a process: close earlier connections to see what a sync has
    put there since. Raises UsageError where there is no mirror.
    """
    from mirror import store

    return store.connect(database)


def sync(
    database: str | os.PathLike | None = None,
    *,
    schema: str | Sequence[str] = (),
    table: str | Sequence[str] = (),
    subject: str | Sequence[str] = (),
    since: date | None = None,
    full: bool = False,
    derive: bool = True,
    include_private: bool = False,
    batch_rows: int | None = None,
    host: str | None = None,
    port: int | None = None,
    user: str | None = None,
    demo: bool = False,
    demo_mice: int | None = None,
) -> Report:
    """Copy a DataJoint server into a DuckDB file, as `mirror sync` does, and return the report.

    The login is DataJoint's configuration, `dj.config` where datajoint is imported; with `demo`
    or a number of `demo_mice` no server is asked. Raises MirrorError with one sentence.
    """
    from mirror import store, syncing

    source: Source
    if demo or demo_mice is not None:
        from mirror.sources.demo import DATABASE, MICE, DemoSource

        database = store.path(database, DATABASE)
        source = DemoSource(demo_mice or MICE)
    else:
        from mirror.sources.datajoint import DataJointSource
        from mirror.sources.login import login

        source = DataJointSource(login(host, port, user))
    try:
        schemas, tables, subjects = (
            (some,) if isinstance(some, str) else tuple(some) for some in (schema, table, subject)
        )
        options = syncing.Options(schemas, tables, subjects, since, include_private)
        batch_rows = batch_rows or syncing.BATCH_ROWS
        return syncing.sync(source, database, options, full, batch_rows, with_derived=derive)
    finally:
        source.close()


def offline(database: str | os.PathLike | None = None) -> Offline:
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
    """Import `mirror.views` when it is first asked for."""
    if name == "views":
        from importlib import import_module

        return import_module("mirror.views")
    raise AttributeError(f"module 'mirror' has no attribute {name!r}")
