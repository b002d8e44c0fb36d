"""One client, from its greeting to its leave: each command is answered before the next is read."""

import re
import ssl
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from mirror.serve.answers import Refusal
from mirror.serve.wire import packets, rows
from mirror.serve.wire.channel import Channel, Farewell, Gone
from mirror.serve.wire.engines import Engines, Seat
from mirror.serve.wire.login import Claim, changed, log_in
from mirror.serve.wire.stopwatch import Stopwatch

STATEMENT_BYTES = 16 << 20
LOGIN_SECONDS = 10
STOPPED = Refusal(1317, "70100", "The statement was stopped.")
# mariadb's Ctrl-C sends it, on a second connection
KILL = re.compile(r"\s*kill\s+(?:(query|connection)\s+)?(\d+)\s*;?\s*", re.IGNORECASE)
# what the list of a table's columns tells of each default
NO_DEFAULT = b"\xfb"


@dataclass(frozen=True)
class House:
    """What the clients of a server share."""

    engines: Engines
    version: str
    password: str | None
    tls: Callable[[], ssl.SSLContext]
    time_limit: float
    # by their numbers
    clients: dict[int, "Client"] = field(default_factory=dict)
    started: float = field(default_factory=time.monotonic)


class Client:
    """A client that has just connected."""

    def __init__(self, channel: Channel, number: int, house: House) -> None:
        self._channel = channel
        self._house = house
        self._seat = Seat(number)
        self._stopwatch = Stopwatch(house.time_limit)
        self._login_ends = time.monotonic() + LOGIN_SECONDS
        self._is_in = False

    def converse(self) -> None:
        """Answer the client until it leaves or must go."""
        try:
            self._log_in()
            while (message := self._channel.command(STATEMENT_BYTES))[:1] != QUIT:
                self._answer(message)
        except Gone:
            pass
        except Exception as error:
            with suppress(Gone):
                self._channel.send(packets.refusal(_refusal(error)))
        finally:
            self._house.engines.leave(self._seat)
            self._channel.close()

    def look(self) -> None:
        """See to it that nothing lasts for ever; from another thread."""
        if not self._is_in:
            if time.monotonic() > self._login_ends:
                self._channel.hang_up()
        elif self._stopwatch.is_running:
            if self._channel.has_left():
                self._stopwatch.stop(STOPPED)
            self._stopwatch.look()

    def stop(self, is_last: bool) -> None:
        """End the statement, and if it is the last, the connection; from another thread."""
        self._stopwatch.stop(STOPPED)
        if is_last:
            self._channel.hang_up()

    def _log_in(self) -> None:
        house = self._house
        claim = log_in(self._channel, self._seat.number, house.version, house.password, house.tls)
        self._enter(claim)

    def _enter(self, claim: Claim) -> None:
        """The password was right; without the database there is still no entry."""
        self._seat.user = f"{claim.user.decode(errors='replace')}@{self._channel.peer}"
        if claim.database:
            try:
                self._use(claim.database)
            except Refusal as refusal:
                raise Farewell(refusal.number, refusal.state, refusal.message) from refusal
        self._channel.send(packets.ok())
        self._is_in = True

    def _answer(self, message: bytes) -> None:
        try:
            command = COMMANDS.get(message[:1])
            if command is None:
                raise Refusal(1047, "08S01", "This server does not know that command.")
            command(self, message[1:])
        except (Gone, Farewell):
            raise
        except Exception as error:
            self._channel.send(packets.refusal(_refusal(error)))

    def _query(self, body: bytes) -> None:
        statement = _text(body)
        if kill := KILL.fullmatch(statement):
            self._kill(int(kill[2]), is_last=(kill[1] or "").lower() != "query")
            return
        watch = self._stopwatch
        with self._house.engines.at_work(self._seat) as session, watch.statement(session):
            with watch.running():
                answer = session.ask(statement)
            if not answer.fields:
                self._channel.send(packets.ok())
                return
            columns = [packets.column(field) for field in answer.fields]
            self._channel.send(packets.number(len(columns)), *columns, packets.end())
            batches = iter(answer.batches())
            while True:
                with watch.running():
                    batch = next(batches, None)
                if batch is None:
                    break
                rows.send(self._channel, batch)
            self._channel.send(packets.end())

    def _use(self, name: bytes) -> None:
        with self._house.engines.at_work(self._seat) as session:
            session.ask(f"USE {_quoted(name)}")

    def _use_database(self, body: bytes) -> None:
        self._use(body)
        self._channel.send(packets.ok())

    def _list_columns(self, body: bytes) -> None:
        table = packets.Reader(body).name()
        with self._house.engines.at_work(self._seat) as session:
            fields = session.ask(f"SELECT * FROM {_quoted(table)} LIMIT 0").fields
        columns = [packets.column(field) + NO_DEFAULT for field in fields]
        self._channel.send(*columns, packets.end())

    def _tell_statistics(self, _: bytes) -> None:
        house = self._house
        uptime = time.monotonic() - house.started
        self._channel.send(f"Uptime: {uptime:.0f}  Threads: {len(house.clients)}".encode())

    def _kill_connection(self, body: bytes) -> None:
        self._kill(packets.Reader(body).integer(4), is_last=True)

    def _kill(self, number: int, is_last: bool) -> None:
        client = self._house.clients.get(number)
        if client is None:
            raise Refusal(1094, "HY000", f"There is no connection {number}.")
        client.stop(is_last)
        self._channel.send(packets.ok())

    def _ping(self, _: bytes) -> None:
        self._channel.send(packets.ok())

    def _change_user(self, body: bytes) -> None:
        self._is_in = False
        self._login_ends = time.monotonic() + LOGIN_SECONDS
        claim = changed(self._channel, body, self._house.password)
        self._house.engines.leave(self._seat)
        self._seat.database = None
        self._enter(claim)

    def _prepare(self, _: bytes) -> None:
        raise Refusal(1295, "HY000", "This server prepares no statements: send them as text.")

    def _set_option(self, body: bytes) -> None:
        if packets.Reader(body).integer(2) == 0:
            raise Refusal(1235, "42000", "This server takes one statement at a time.")
        self._channel.send(packets.end())

    def _reset(self, _: bytes) -> None:
        self._house.engines.leave(self._seat)
        self._channel.send(packets.ok())


QUIT = b"\x01"
COMMANDS: dict[bytes, Callable[[Client, bytes], None]] = {
    b"\x02": Client._use_database,
    b"\x03": Client._query,
    b"\x04": Client._list_columns,
    b"\x09": Client._tell_statistics,
    b"\x0c": Client._kill_connection,
    b"\x0e": Client._ping,
    b"\x11": Client._change_user,
    b"\x16": Client._prepare,
    b"\x1b": Client._set_option,
    b"\x1f": Client._reset,
}


def _text(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise Refusal(1300, "HY000", "The statement is not encoded in UTF-8.") from error


def _quoted(name: bytes) -> str:
    return "`" + _text(name).replace("`", "``") + "`"


def _refusal(error: Exception) -> Refusal:
    """What a client is told: nothing but refusals is expected here."""
    if isinstance(error, Refusal):
        return error
    return Refusal(1105, "HY000", f"A fault of the program, {type(error).__name__}: {error}")
