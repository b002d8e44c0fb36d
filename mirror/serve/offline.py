"""DataJoint answered from the file, in this process: no server, no network, no credentials.

DataJoint keeps its own connection, cursors and errors, and so does PyMySQL; only what would go
over the wire is asked of an engine instead.
"""

import os
import sys
from contextlib import suppress
from types import FunctionType, ModuleType, TracebackType
from typing import Any

import datajoint as dj
import pymysql
from datajoint.expression import QueryExpression
from datajoint.user_tables import UserTable
from pymysql.constants import SERVER_STATUS
from pymysql.err import InternalError, OperationalError, error_map

from mirror import store
from mirror.serve.answers import Field, Refusal
from mirror.serve.engine import Engine

# what DataJoint sets on every connection that it opens
MODES = (
    "NO_ZERO_DATE,NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO,STRICT_ALL_TABLES,"
    "NO_ENGINE_SUBSTITUTION,ONLY_FULL_GROUP_BY"
)
# What is never imported anew.
KEPT = {"__main__", "datajoint", "mirror"}
_ABSENT = object()


class Offline:
    """DataJoint's connection to a mirror, and the one that it had before."""

    def __init__(self, database: str | os.PathLike[str] | None) -> None:
        self.connection = connection = OfflineConnection(database)
        self._before = getattr(dj.conn, "connection", _ABSENT)
        dj.conn.connection = connection
        _forget_modules()

    def close(self) -> None:
        """Give DataJoint its former connection back."""
        if getattr(dj.conn, "connection", None) is self.connection:
            if self._before is _ABSENT:
                del dj.conn.connection
            else:
                dj.conn.connection = self._before
        _forget_modules()
        self.connection.close()

    def __enter__(self) -> "Offline":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _forget_modules() -> None:
    """Let what has tables of DataJoint be imported anew: it keeps the connection that it found.

    That is `nma_ibl`, any pipeline's package, and whatever has imported from one.
    """
    held = {
        name: module.__dict__.values()
        for name, module in list(sys.modules.items())
        if isinstance(module, ModuleType) and _package(name) not in KEPT
    }
    stale = {name for name, values in held.items() if any(map(_is_bound, values))}
    while importing := {
        name
        for name, values in held.items()
        if name not in stale and any(_module(value) in stale for value in values)
    }:
        stale |= importing
    packages = set(map(_package, stale))
    for name in held:
        if _package(name) in packages:
            del sys.modules[name]


def _package(module: str) -> str:
    return module.partition(".")[0]


def _is_bound(value: object) -> bool:
    """Whether this is something of DataJoint's that has a connection."""
    if isinstance(value, type):
        return issubclass(value, UserTable) and getattr(value, "connection", None) is not None
    return isinstance(value, dj.Schema | dj.VirtualModule | QueryExpression)


def _module(value: object) -> str | None:
    """The module that this is, or that has defined it."""
    if isinstance(value, ModuleType):
        return value.__name__
    return value.__module__ if isinstance(value, type | FunctionType) else None


class OfflineConnection(dj.Connection):
    """A connection of DataJoint that asks a mirror: for a Schema, or through `mirror.offline`."""

    def __init__(self, database: str | os.PathLike[str] | None = None) -> None:
        self._engine = Engine(store.path(database))
        self._is_closed = False
        # DataJoint tells whom it is connected to
        is_simulated = "simulated" in self._engine.catalogue.version_comment
        user = "simulated" if is_simulated else "mirror"
        super().__init__(store.path(database).name, user, "", port=0)

    def connect(self) -> None:
        if self._is_closed:
            raise dj.errors.LostConnectionError(
                "This mirror is closed: call mirror.offline again, and then import anew what has"
                " the tables."
            )
        self._conn = _Wire(self._engine)
        self._conn.query(f"set sql_mode = '{MODES}'")

    def close(self) -> None:
        self._is_closed = True
        with suppress(pymysql.err.Error):
            super().close()
        self._engine.close()


class _Wire(pymysql.connections.Connection):
    """PyMySQL's connection without a socket."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(charset="utf8mb4", defer_connect=True)
        self._session = engine.session()
        self._closed = False
        self.server_status = SERVER_STATUS.SERVER_STATUS_AUTOCOMMIT

    def query(self, sql: str | bytes, unbuffered: bool = False) -> int:
        if self._closed:
            raise OperationalError(2006, "The mirror is closed")
        if isinstance(sql, bytes):
            sql = sql.decode("utf-8", "surrogateescape")
        try:
            answer = self._session.ask(sql)
            rows = answer.rows()
        except Refusal as refusal:
            kind = error_map.get(refusal.number)
            if kind is None:
                kind = InternalError if refusal.number < 1000 else OperationalError
            raise kind(refusal.number, refusal.message) from refusal
        self._result = _Result(answer.fields, rows)
        return len(rows)

    def ping(self, reconnect: bool = True) -> None:
        if self._closed:
            raise OperationalError(2006, "The mirror is closed")

    def autocommit(self, value: bool) -> None:
        self.autocommit_mode = bool(value)

    def select_db(self, db: str) -> None:
        self._session.database = db

    def close(self) -> None:
        self._closed = True
        self._session.close()

    def __del__(self) -> None:
        """There is no socket to close."""


class _Described:
    """What PyMySQL's cursors want to know of a column."""

    def __init__(self, field: Field) -> None:
        self.name = field.name
        self.table_name = field.origin.table if field.origin else ""
        self.type_code = field.type.mysql.code

    def description(self) -> tuple[Any, ...]:
        return (self.name, self.type_code, None, 0, 0, 0, True)


class _Result:
    """The result of a statement, as PyMySQL's cursors read it."""

    insert_id = 0
    warning_count = 0
    has_next = False
    message = None

    def __init__(self, fields: tuple[Field, ...], rows: list[tuple[Any, ...]]) -> None:
        self.fields = [_Described(field) for field in fields]
        self.description = tuple(item.description() for item in self.fields) or None
        self.rows = tuple(rows)
        self.affected_rows = len(rows)
