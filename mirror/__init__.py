"""The International Brain Laboratory's behavioural database as one DuckDB file."""

import os
from collections.abc import Sequence
from datetime import date

# imported here, so that the function below, and not this module, is `mirror.sync`
import mirror.sync as _sync
from mirror.store import connect

__all__ = ["connect", "sync"]


def sync(
    database: str | os.PathLike | None = None,
    *,
    schema: str | Sequence[str] = (),
    table: str | Sequence[str] = (),
    subject: str | Sequence[str] = (),
    since: date | None = None,
    full: bool = False,
    include_private: bool = False,
    batch_rows: int = _sync.BATCH_ROWS,
    host: str | None = None,
    port: int | None = None,
    user: str | None = None,
) -> _sync.Report:
    """Copy a DataJoint server into a DuckDB file, as `mirror sync` does, and return the report.

    The login is DataJoint's configuration, `dj.config` where datajoint is imported. Raises
    MirrorError with one sentence.
    """
    from mirror.sources.datajoint import DataJointSource
    from mirror.sources.login import login

    source = DataJointSource(login(host, port, user))
    try:
        schemas, tables, subjects = (
            (some,) if isinstance(some, str) else tuple(some) for some in (schema, table, subject)
        )
        options = _sync.Options(schemas, tables, subjects, since, include_private)
        return _sync.sync(source, database, options, full, batch_rows)
    finally:
        source.close()
