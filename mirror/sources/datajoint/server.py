"""The server that a login leads to: its connections, and what its silence and its errors mean.

A silent server may be computing, and so may a dead one's last words have been lost. So it is
asked, on another connection, whether it is at work on what is waited for.
"""

import socket
import ssl
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

import pymysql
from pymysql.constants import CLIENT
from pymysql.cursors import SSCursor

from mirror.errors import SourceError
from mirror.sources.datajoint.login import Login
from mirror.sources.datajoint.mysql import SESSION
from mirror.sources.waiting import attended, wait_for

REFUSED_LOGIN = {1044, 1045, 1130, 1698, 1862, 3118}
TOO_MANY = {1040, 1203, 1226}
LOST = {0, 1053, 1077, 1158, 1159, 1160, 1161, 1927, 2006, 2013, 2055, 4031}
PUBLIC_SERVER = "internationalbrainlab.org"
# The column of SHOW PROCESSLIST that holds the statement.
INFO = 7
# Steps without a word: half a minute for what takes no time, five where the server has done its
# work, but what it has sent may still be on a slow way.
PATIENCE = 3
LAST_WORDS = 30
BATCH_BYTES = 16 * 1024 * 1024

T = TypeVar("T")


class TooManyConnections(SourceError):
    """The server is there, and lets this login have no further connection for now."""


class Unreachable(SourceError):
    """Nothing answers at the address, or not as a MySQL server does."""


class Silent(Exception):
    """The server is gone, or has forgotten what is waited for."""


class Server:
    """Opens connections the way DataJoint does: encrypted where the server offers it."""

    def __init__(self, at: Login) -> None:
        self._login = at
        self.address = f"{at.host}:{at.port}" + (f" ({at.prefix}*)" if at.prefix else "")

    def dial(self, encrypted: bool = True) -> pymysql.Connection:
        """Open a connection and make its settings. Raises SourceError.

        It takes several statements at once: a server may be far away.
        """
        at = self._login
        tls: dict[str, Any] = {}
        if encrypted and at.use_tls is not False:
            tls = {"ssl": at.use_tls if isinstance(at.use_tls, dict) else _unverified()}
        try:
            connection = pymysql.connect(
                host=at.host,
                port=at.port,
                user=at.user,
                # as bytes: PyMySQL writes texts in latin-1
                password=at.password.reveal().encode(),
                charset="utf8mb4",
                # as the settings say
                autocommit=None,
                client_flag=CLIENT.MULTI_STATEMENTS,
                defer_connect=True,
                **tls,
            )

            def call() -> None:
                connection.connect()
                with connection.cursor() as cursor:
                    cursor.execute("; ".join(SESSION))
                    while cursor.nextset():
                        pass

            wait_for(call, Impatient(), lambda: hang_up(connection))
        except Silent:
            raise self._unreachable("it accepts connections and says nothing") from None
        # at what is no MySQL server, pymysql fails in any way there is
        except Exception as error:
            raise self._refusal(error) from None
        return connection

    def takes_unencrypted(self) -> bool:
        """Whether the login needs no encryption."""
        try:
            self.dial(encrypted=False).close()
        except SourceError:
            return False
        return True

    def answers(self) -> bool:
        """Whether the server is there at this moment. Raises SourceError where it refuses."""
        with suppress(Unreachable):
            self.dial().close()
            return True
        return False

    def works_on(self, statement: str) -> bool:
        """Whether it is busy with a statement, as far as it says. Raises Silent if it does not."""
        try:
            connection = self.dial()
            connection.use_unicode = False
            with connection.cursor() as cursor:
                wait_for(
                    lambda: cursor.execute("show full processlist"),
                    Impatient(),
                    lambda: hang_up(connection),
                )
                doing = [row[INFO] for row in cursor.fetchall() if row[INFO]]
            connection.close()
        except TooManyConnections:
            # so it is there, and takes no questions
            return True
        except (SourceError, pymysql.err.MySQLError):
            raise Silent from None
        return any(part in statement.encode() for part in doing)

    def _refusal(self, error: Exception) -> SourceError:
        code, user = code_of(error), self._login.user
        if code in REFUSED_LOGIN:
            return SourceError(
                f"The server at {self.address} refused the login of {user!r}: check DJ_USER and"
                " DJ_PASS, or DataJoint's configuration."
            )
        reason = str(error.args[-1] if error.args else error).rstrip(".")
        if code in TOO_MANY:
            return TooManyConnections(
                f"The server at {self.address} lets {user!r} have no more connections now"
                f" ({reason}): close others and run the same command again, a sync can do with one."
            )
        return self._unreachable(reason)

    def _unreachable(self, reason: str) -> Unreachable:
        retired = (
            " IBL's public server was retired in December 2023: use a server of your own,"
            " or a mirror that somebody has kept."
            if self._login.host.endswith(PUBLIC_SERVER)
            else " Check DJ_HOST, --host and --port, and that the server runs."
        )
        return Unreachable(f"No server answers at {self.address} ({reason}).{retired}")


class Connection:
    """A connection that is opened again when the server has closed it."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._connection = server.dial()

    def ask(self, *statements: str) -> list[Sequence[tuple[Any, ...]]]:
        """The rows of each statement.

        A connection that is found lost, as after long idling, is opened again and asked again: to
        read twice does no harm. Raises MySQLError, Silent, SourceError.
        """
        try:
            return self.ask_on(*statements)
        except pymysql.err.MySQLError as error:
            if code_of(error) not in LOST:
                raise
            lost = error
        try:
            self._connection = self._server.dial()
        except Unreachable:
            raise lost from None
        return self.ask_on(*statements)

    def ask_on(self, *statements: str) -> list[Sequence[tuple[Any, ...]]]:
        """As `ask`, within a transaction that a new connection would not know."""
        asked = "; ".join(statements)

        def rows() -> list[Sequence[tuple[Any, ...]]]:
            with self._connection.cursor() as cursor:
                cursor.execute(asked)
                results = [cursor.fetchall()]
                while cursor.nextset():
                    results.append(cursor.fetchall())
            return results

        return wait_for(rows, Attentive(self._server, lambda: asked), self.hang_up)

    def read(
        self, queries: Iterable[str], some: int, made: Callable[[list[tuple[Any, ...]]], T]
    ) -> Generator[T, None, None]:
        """Read queries, some rows at a time, and hand on what is made of these.

        Every value is the bytes that the server sent: texts in UTF-8, numbers as it prints them.
        Raises MySQLError, Silent.
        """
        connection, asked = self._connection, ""

        def chunks() -> Generator[T, None, None]:
            nonlocal asked
            for asked in queries:
                with connection.cursor(SSCursor) as cursor:
                    try:
                        cursor.execute(asked)
                        for rows in _in_batches(iter(cursor.fetchone, None), some):
                            yield made(rows)
                    finally:
                        # left half-way, the cursor would first read on to the end
                        if connection._result and connection._result.unbuffered_active:
                            connection._result.unbuffered_active = False
                            self.hang_up()

        with self._undecoded():
            yield from attended(chunks(), Attentive(self._server, lambda: asked), self.hang_up)

    def results(
        self, statements: Sequence[str]
    ) -> Generator[Sequence[tuple[Any, ...]], None, None]:
        """The rows of each statement, as `read` has them, on the thread that takes them.

        Raises MySQLError at the first statement that fails.
        """
        with self._undecoded(), self._connection.cursor() as cursor:
            cursor.execute("; ".join(statements))
            yield cursor.fetchall()
            while cursor.nextset():
                yield cursor.fetchall()

    @contextmanager
    def _undecoded(self) -> Iterator[None]:
        """Have values as bytes: texts PyMySQL would decode as ASCII where it knows no type."""
        connection = self._connection
        kept = connection.use_unicode, connection.decoders
        connection.use_unicode, connection.decoders = False, {}
        try:
            yield
        finally:
            connection.use_unicode, connection.decoders = kept

    def hang_up(self) -> None:
        """End it at once, also while a thread waits for an answer."""
        hang_up(self._connection)


def _unverified() -> ssl.SSLContext:
    """What PyMySQL makes where it is told no authority, but for the system's, which it loads."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


class Impatient:
    """Waits for what takes no time."""

    def __init__(self) -> None:
        self._missed = 0

    def heard(self) -> None: ...

    def silent(self) -> None:
        self._missed += 1
        if self._missed == PATIENCE:
            raise Silent


class Attentive:
    """Waits as long as the server is at work on a statement."""

    def __init__(self, server: Server, statement: Callable[[], str]) -> None:
        self._server, self._statement = server, statement
        self._missed = 0

    def heard(self) -> None:
        self._missed = 0

    def silent(self) -> None:
        self._missed = 0 if self._server.works_on(self._statement()) else self._missed + 1
        if self._missed > LAST_WORDS:
            raise Silent


def _in_batches(
    rows: Iterable[tuple[Any, ...]], batch_rows: int
) -> Iterator[list[tuple[Any, ...]]]:
    """Rows by so many, or by fewer where their values are long."""
    some: list[tuple[Any, ...]] = []
    size = 0
    for row in rows:
        some.append(row)
        size += sum(len(value) for value in row if value is not None)
        if len(some) == batch_rows or size > BATCH_BYTES:
            yield some
            some, size = [], 0
    if some:
        yield some


def code_of(error: Exception) -> int | None:
    """The number of an error of the server or of the driver."""
    return error.args[0] if error.args and isinstance(error.args[0], int) else None


def hang_up(connection: pymysql.Connection) -> None:
    """End a connection at once, also while a thread waits for its answer."""
    if connection._sock:
        # which closing alone would not wake
        with suppress(OSError):
            connection._sock.shutdown(socket.SHUT_RDWR)
    connection._force_close()
