"""One client, from its greeting to its leave: each command is answered before the next is read."""

import re
import ssl
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from pymysql.constants import COMMAND

from mirror.serve.answers import Field, Refusal, Value
from mirror.serve.variables import Settings
from mirror.serve.wire import packets, prepared, resultset
from mirror.serve.wire.channel import Channel, Farewell, Gone
from mirror.serve.wire.charsets import CHARSETS, in_charset
from mirror.serve.wire.engines import Engines, SessionState
from mirror.serve.wire.handshake import HandshakeResponse, changed, log_in
from mirror.serve.wire.prepared import Quota, Statement, Statements
from mirror.serve.wire.stopwatch import Stopwatch

STATEMENT_BYTES = 16 << 20
LOGIN_SECONDS = 10
STOPPED = Refusal(1317, "70100", "The statement was stopped.")
# mariadb's Ctrl-C sends it, on a second connection
KILL = re.compile(r"\s*kill\s+(?:(query|connection)\s+)?(\d+)\s*;?\s*", re.IGNORECASE)
# what the list of a table's columns tells of each default
NO_DEFAULT = b"\xfb"
# which PyMySQL does not name
COM_RESET_CONNECTION = 31
MOST_PARAMETERS = 2**16 - 1


@dataclass(frozen=True)
class Instance:
    """What the clients of a server share."""

    engines: Engines
    version: str
    password: str | None
    tls: Callable[[], ssl.SSLContext]
    time_limit: float
    # by their numbers
    clients: dict[int, "Client"] = field(default_factory=dict)
    quota: Quota = field(default_factory=Quota)
    started: float = field(default_factory=time.monotonic)


class Client:
    """A client that has just connected."""

    def __init__(self, channel: Channel, number: int, instance: Instance) -> None:
        self._channel = channel
        self._instance = instance
        self._state = SessionState(number)
        self._statements = Statements(instance.quota)
        self._stopwatch = Stopwatch(instance.time_limit)
        self._login_ends = time.monotonic() + LOGIN_SECONDS
        self._charset = "utf8mb4"
        self._is_in = False

    @property
    def name(self) -> str:
        """The name that the client goes by; whoever goes by the same may end its statements."""
        return self._state.user.rpartition("@")[0]

    def converse(self) -> None:
        """Answer the client until it leaves or must go."""
        try:
            self._log_in()
            while True:
                message = self._channel.command(STATEMENT_BYTES)
                if message[:1] == bytes([COMMAND.COM_QUIT]):
                    break
                self._answer(message)
        except Gone:
            pass
        except Exception as error:
            with suppress(Gone):
                self._channel.send(packets.err(_refusal(error)))
        finally:
            self._instance.engines.leave(self._state)
            self._statements.clear()
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
        instance = self._instance
        response = log_in(
            self._channel, self._state.number, instance.version, instance.password, instance.tls
        )
        self._enter(response)

    def _enter(self, response: HandshakeResponse) -> None:
        """The password was right; without the database there is still no entry."""
        self._charset = response.charset
        self._state.settings = Settings.of_client(response.charset)
        self._state.user = f"{response.user.decode(errors='replace')}@{self._channel.peer}"
        if response.database:
            try:
                self._use(response.database)
            except Refusal as refusal:
                raise Farewell(refusal.number, refusal.state, refusal.message) from refusal
        self._channel.send(packets.ok(self._state.settings))
        self._is_in = True

    def _answer(self, message: bytes) -> None:
        try:
            command = COMMANDS.get(message[0]) if message else None
            if command is None:
                raise Refusal(1047, "08S01", "This server does not know that command.")
            command(self, message[1:])
        except (Gone, Farewell):
            raise
        except Exception as error:
            self._channel.send(packets.err(_refusal(error)))

    def _query(self, body: bytes) -> None:
        self._run(self._text(body))

    def _text(self, data: bytes) -> str:
        """What a client writes, with what is no letter kept for where bytes may stand."""
        return data.decode(self._state.settings.codec, "surrogateescape")

    def _run(self, statement: str, values: Sequence[Value] | None = None) -> None:
        """Answer a statement in the text protocol; a prepared one, with values, in the binary."""
        if kill := KILL.fullmatch(statement):
            self._kill(int(kill[2]), is_last=(kill[1] or "").lower() != "query")
            return
        watch, is_binary = self._stopwatch, values is not None
        with self._instance.engines.at_work(self._state) as session, watch.statement(session):
            with watch.running():
                answer = session.ask(statement, values)
            if not answer.fields:
                self._channel.send(packets.ok(session.settings))
                return
            watch.shorten(session.seconds)
            charset = CHARSETS[session.settings.results_charset]
            head = packets.length_encoded_integer(len(answer.fields))
            self._channel.send(head, *_columns(answer.fields, session.settings))
            batches = iter(answer.batches(is_binary))
            while True:
                with watch.running():
                    batch = next(batches, None)
                if batch is None:
                    break
                batch = in_charset(batch, answer.fields, charset)
                if is_binary:
                    resultset.send_binary(self._channel, batch, answer.fields)
                else:
                    resultset.send_text(self._channel, batch)
            self._channel.send(packets.eof(session.settings))

    def _use(self, name: bytes) -> None:
        with self._instance.engines.at_work(self._state) as session:
            session.ask(f"USE {_quoted(name)}")

    def _use_database(self, body: bytes) -> None:
        self._use(body)
        self._channel.send(packets.ok(self._state.settings))

    def _list_columns(self, body: bytes) -> None:
        table = packets.Reader(body).name()
        with self._instance.engines.at_work(self._state) as session:
            fields = session.ask(f"SELECT * FROM {_quoted(table)} LIMIT 0").fields
        columns = [packets.column_definition(field) + NO_DEFAULT for field in fields]
        self._channel.send(*columns, packets.eof(self._state.settings))

    def _tell_statistics(self, _: bytes) -> None:
        instance = self._instance
        uptime = time.monotonic() - instance.started
        self._channel.send(f"Uptime: {uptime:.0f}  Threads: {len(instance.clients)}".encode())

    def _kill_connection(self, body: bytes) -> None:
        self._kill(packets.Reader(body).integer(4), is_last=True)

    def _kill(self, number: int, is_last: bool) -> None:
        client = self._instance.clients.get(number)
        if client is None:
            raise Refusal(1094, "HY000", f"There is no connection {number}.")
        if client.name != self.name:
            raise Refusal(1095, "HY000", f"You are not the owner of connection {number}.")
        client.stop(is_last)
        self._channel.send(packets.ok(self._state.settings))

    def _ping(self, _: bytes) -> None:
        self._channel.send(packets.ok(self._state.settings))

    def _change_user(self, body: bytes) -> None:
        self._is_in = False
        self._login_ends = time.monotonic() + LOGIN_SECONDS
        response = changed(self._channel, body, self._instance.password)
        self._instance.engines.leave(self._state)
        self._statements.clear()
        self._state.database = None
        self._enter(response)

    def _prepare(self, body: bytes) -> None:
        text, watch = self._text(body), self._stopwatch
        parameters: int = 0
        fields: tuple[Field, ...] = ()
        if not KILL.fullmatch(text):
            with (
                self._instance.engines.at_work(self._state) as session,
                watch.statement(session),
                watch.running(),
            ):
                parameters, fields = session.describe(text)
        if parameters > MOST_PARAMETERS:
            raise Refusal(1390, "HY000", "Prepared statement contains too many placeholders")
        number = self._statements.add(Statement(text, parameters))
        said = [packets.prepare_ok(number, len(fields), parameters)]
        if parameters:
            said += [packets.PARAMETER] * parameters + [packets.eof(self._state.settings)]
        if fields:
            said += _columns(fields, self._state.settings)
        self._channel.send(*said)

    def _execute(self, body: bytes) -> None:
        said = packets.Reader(body)
        statement = self._statements.get(said.integer(4))
        # rows are sent at once also to who would rather have a cursor, and are a single execution
        said.take(1 + 4)
        try:
            if statement.fault:
                raise statement.fault
            codec = self._state.settings.codec
            values = prepared.values(said, statement, lambda data: data.decode(codec))
            self._run(statement.text, values)
        finally:
            self._statements.forget_long_data(statement)

    def _send_long_data(self, body: bytes) -> None:
        said = packets.Reader(body)
        number, parameter = said.integer(4), said.integer(2)
        self._statements.lengthen(number, parameter, said.rest(), STATEMENT_BYTES)

    def _close_statement(self, body: bytes) -> None:
        self._statements.close(packets.Reader(body).integer(4))

    def _reset_statement(self, body: bytes) -> None:
        statement = self._statements.get(packets.Reader(body).integer(4))
        self._statements.forget_long_data(statement)
        self._channel.send(packets.ok(self._state.settings))

    def _fetch(self, body: bytes) -> None:
        number = packets.Reader(body).integer(4)
        self._statements.get(number)
        raise Refusal(1421, "HY000", f"The statement ({number}) has no open cursor.")

    def _set_option(self, body: bytes) -> None:
        if packets.Reader(body).integer(2) == 0:
            raise Refusal(1235, "42000", "This server takes one statement at a time.")
        self._channel.send(packets.eof(self._state.settings))

    def _reset(self, _: bytes) -> None:
        self._state.settings = Settings.of_client(self._charset)
        self._instance.engines.leave(self._state)
        self._statements.clear()
        self._channel.send(packets.ok(self._state.settings))


COMMANDS: dict[int, Callable[[Client, bytes], None]] = {
    COMMAND.COM_INIT_DB: Client._use_database,
    COMMAND.COM_QUERY: Client._query,
    COMMAND.COM_FIELD_LIST: Client._list_columns,
    COMMAND.COM_STATISTICS: Client._tell_statistics,
    COMMAND.COM_PROCESS_KILL: Client._kill_connection,
    COMMAND.COM_PING: Client._ping,
    COMMAND.COM_CHANGE_USER: Client._change_user,
    COMMAND.COM_STMT_PREPARE: Client._prepare,
    COMMAND.COM_STMT_EXECUTE: Client._execute,
    COMMAND.COM_STMT_SEND_LONG_DATA: Client._send_long_data,
    COMMAND.COM_STMT_CLOSE: Client._close_statement,
    COMMAND.COM_STMT_RESET: Client._reset_statement,
    COMMAND.COM_SET_OPTION: Client._set_option,
    COMMAND.COM_STMT_FETCH: Client._fetch,
    COM_RESET_CONNECTION: Client._reset,
}


def _columns(fields: Sequence[Field], settings: Settings) -> list[bytes]:
    charset = CHARSETS[settings.results_charset]
    definitions = [packets.column_definition(field, charset) for field in fields]
    return [*definitions, packets.eof(settings)]


def _quoted(name: bytes) -> str:
    return "`" + name.decode(errors="replace").replace("`", "``") + "`"


def _refusal(error: Exception) -> Refusal:
    """What a client is told: nothing but refusals is expected here."""
    if isinstance(error, Refusal):
        return error
    return Refusal(1105, "HY000", f"A fault of the program, {type(error).__name__}: {error}")
