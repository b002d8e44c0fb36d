"""How a source reaches its server: connections, a process that reads fast, and what goes wrong.

What the server or the driver says ends here as a sentence, for the one table or for all.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Lock
from typing import Any

import pymysql

from mirror.errors import MirrorError, SourceError
from mirror.sources import ReadAgain, Unreadable
from mirror.sources.datajoint import connectorx_process
from mirror.sources.datajoint.connectorx_process import Connectorx
from mirror.sources.datajoint.login import Login
from mirror.sources.datajoint.mysql import SESSION
from mirror.sources.datajoint.server import (
    LOST,
    Connection,
    Server,
    Silent,
    TooManyConnections,
    code_of,
)
from mirror.tables import Table

REFUSED_SELECT = {1044, 1142, 1143, 1370}
NOT_THERE = {1049, 1146}


class Access:
    """The server of a login, and whatever is open to it."""

    def __init__(self, at: Login) -> None:
        self._login = at
        self.server = Server(at)
        self.address = self.server.address
        self.main = Connection(self.server)
        self._side: Connection | None = None
        # the side connection while it counts, and what is held while it takes a checksum
        self.counting: Connection | None = None
        self.checking = Lock()
        self._connectorx: Connectorx | None = None
        # tables that one of the readers has failed at
        self.too_odd: set[Table] = set()
        self._broken: set[Table] = set()

    def ask(self, query: str, table: Table | None = None) -> Sequence[tuple[Any, ...]]:
        """The rows of a query, on the main connection."""
        with self.errors(table):
            [rows] = self.main.ask(query)
        return rows

    def ask_all(self, *queries: str) -> Sequence[Sequence[tuple[Any, ...]]]:
        """The rows of each of some queries, in one go."""
        with self.errors():
            return self.main.ask(*queries)

    def is_refused(self, query: str) -> bool:
        """Whether this login lacks the right to ask a query, of a table that may not be there."""
        with self.errors():
            try:
                self.main.ask(query)
            except pymysql.err.MySQLError as error:
                if code_of(error) in REFUSED_SELECT:
                    return True
                if code_of(error) not in NOT_THERE:
                    raise
        return False

    def free_side(self) -> Connection:
        """The connection that counts, which the main one finds its way through the rows beside."""
        with self.checking:
            if self._side and self.counting is self._side:
                # for a table that has been given up meanwhile
                self._side.hang_up()
            elif self._side:
                return self._side
        self._side = self._another()
        return self._side

    @contextmanager
    def reading(self, table: Table) -> Iterator[Connection]:
        """A connection that reads a table: one of its own, unless there can be none."""
        connection = self._another()
        try:
            with self.errors(table):
                yield connection
        finally:
            if connection is not self.main:
                connection.hang_up()

    @contextmanager
    def errors(self, table: Table | None = None) -> Iterator[None]:
        """Put what goes wrong at the server into a sentence, and say whom it concerns.

        Raises SourceError where it is the server as a whole, ReadAgain or Unreadable where it is
        the table.
        """
        try:
            yield
        except Silent:
            raise self._stopped(table) from None
        except (pymysql.err.MySQLError, UnicodeError) as error:
            raise self._told(error, table) from None

    def connectorx(self) -> Connectorx:
        """The process that reads through connectorx."""
        if self._connectorx is None:
            at = self._login
            url = connectorx_process.url(at.host, at.port, at.user, at.password.reveal())
            self._connectorx = Connectorx(url, SESSION)
        return self._connectorx

    def stop_connectorx(self) -> None:
        if self._connectorx:
            self._connectorx.stop()
        self._connectorx = None

    def failed(self, table: Table, is_odd: bool = False) -> Exception:
        """What to raise when the rows of a table stop coming, whoever is to blame.

        `is_odd` says that connectorx has stumbled over the table.
        """
        if not self.server.answers():
            return self._stopped(table)
        tried = self.too_odd if is_odd else self._broken
        if table in tried:
            return Unreadable("the server breaks off the connection when it is read")
        tried.add(table)
        return ReadAgain()

    def has_failed(self, table: Table) -> bool:
        """Whether its rows have stopped coming before."""
        return table in self.too_odd | self._broken

    def close(self) -> None:
        for connection in (self.main, self._side):
            if connection:
                connection.hang_up()
        self.stop_connectorx()

    def _another(self) -> Connection:
        """A connection beside the main one, or that where the server allows no more."""
        try:
            return Connection(self.server)
        except TooManyConnections:
            return self.main

    def _stopped(self, table: Table | None) -> SourceError:
        reading = f" while {table} was read" if table else ""
        return SourceError(
            f"The server at {self.address} stopped answering{reading}; what is copied is"
            " kept, run the same command again to go on."
        )

    def _told(self, error: Exception, table: Table | None) -> Exception:
        code = code_of(error)
        is_lost = code in LOST or (code is None and isinstance(error, pymysql.err.MySQLError))
        if is_lost:
            return self.failed(table) if table else self._stopped(table)
        if table and code in REFUSED_SELECT:
            return Unreadable(f"the server refuses SELECT ({code})")
        reason = str(error.args[-1] if error.args else type(error).__name__).rstrip(".")
        if table:
            return Unreadable(f"the server answers: {reason} ({code})")
        return MirrorError(f"The server at {self.address} answered: {reason} ({code}).")
