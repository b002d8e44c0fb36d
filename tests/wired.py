"""A mirror on a port of this process, and a client that says to it what no driver would."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from hashlib import sha1, sha256
from pathlib import Path
from struct import pack, unpack

import pymysql
from pymysql.constants import COMMAND

from mirror.serve.engine import Engine
from mirror.serve.wire.server import Server

PASSWORD = "p@ss w:rd"
NATIVE, SHA2 = b"mysql_native_password", b"caching_sha2_password"
# protocol 4.1, passwords of 4.1, plugins
FLAGS = 1 << 9 | 1 << 15 | 1 << 19
QUERY = b"\x03"
# endless for DuckDB, whatever it is asked of
ENDLESS = "ibl_behavior._trial_set__trial a, ibl_behavior._trial_set__trial b"


@dataclass
class Served:
    """Where the server is, and what it had to say."""

    port: int
    told: list[str] = field(default_factory=list)

    def connect(self, **options) -> pymysql.Connection:
        given = {"host": "127.0.0.1", "user": "anyone", "password": PASSWORD, "port": self.port}
        return pymysql.connect(**{**given, **options})

    def raw(self) -> "Raw":
        return Raw(socket.create_connection(("127.0.0.1", self.port), 20))

    def ask(self, statement: str) -> tuple:
        connection = self.connect()
        try:
            return ask(connection, statement)
        finally:
            connection.close()


@contextmanager
def serving(
    file: Path, password: str | None = PASSWORD, time_limit: float = 60
) -> Iterator[Served]:
    """Serve a file; at the end no thread is left."""
    before = set(threading.enumerate())
    told: list[str] = []
    with Server(file, Engine, "127.0.0.1", 0, password, time_limit, told.append) as server:
        thread = threading.Thread(target=server.serve)
        thread.start()
        try:
            yield Served(server.port, told)
        finally:
            server.stop()
            thread.join()
    left = set(threading.enumerate()) - before
    assert not left, left


def ask(connection: pymysql.Connection, statement: str) -> tuple:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall()


def packet(message: bytes, sequence: int) -> bytes:
    return len(message).to_bytes(3, "little") + bytes([sequence]) + message


def proof(plugin: bytes, password: str, salt: bytes) -> bytes:
    digest = {NATIVE: sha1, SHA2: sha256}[plugin]
    once = digest(password.encode()).digest()
    twice = digest(once).digest()
    mask = digest(salt + twice if plugin == NATIVE else twice + salt).digest()
    return bytes(a ^ b for a, b in zip(once, mask, strict=True))


class Raw:
    """A connection that reads and sends single packets."""

    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection
        self.sequence = 0

    def __enter__(self) -> "Raw":
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def receive(self) -> bytes | None:
        """The next packet; None where the server has closed."""
        header = self._read(4)
        if header is None:
            return None
        self.sequence = header[3] + 1
        return self._read(int.from_bytes(header[:3], "little"))

    def send(self, message: bytes) -> None:
        self.socket.sendall(packet(message, self.sequence))
        self.sequence += 1

    def begin(self, message: bytes) -> None:
        """Send a command and leave its answer unread."""
        self.sequence = 0
        self.send(message)

    def command(self, message: bytes) -> bytes | None:
        self.begin(message)
        return self.receive()

    def greeting(self) -> bytes:
        """Read the greeting; returns its salt."""
        said = self.receive()
        assert said is not None and said[0] == 10
        rest = said[said.index(b"\0", 1) + 1 :]
        return rest[4:12] + rest[31:43]

    def log_in(
        self, password: str = PASSWORD, plugin: bytes = NATIVE, user: str = "anyone"
    ) -> bytes | None:
        """Go through the login; returns the server's last word on it."""
        said = self.claim(proof(plugin, password, self.greeting()), plugin, user)
        # the quick way of caching_sha2_password
        return self.receive() if said == b"\x01\x03" else said

    def claim(self, given: bytes, plugin: bytes, user: str = "anyone") -> bytes | None:
        start = FLAGS.to_bytes(4, "little") + bytes(4) + bytes([45]) + bytes(23)
        self.send(start + user.encode() + b"\0" + bytes([len(given)]) + given + plugin + b"\0")
        return self.receive()

    def until_eof(self) -> list[bytes]:
        """Columns, or rows, up to the EOF behind them."""
        found = []
        while (message := self.receive()) is not None and not is_eof(message):
            assert error(message) is None, message
            found.append(message)
        return found

    def answer(self, command: bytes) -> "Answered | int":
        """The columns and rows that a command gives, or the number of its refusal."""
        head = self.command(command)
        assert head, "the server has closed"
        if head[0] in (0, 0xFF):
            return error(head) or 0
        return Answered(self.until_eof(), self.until_eof())

    def prepare(self, statement: str) -> "Prepared | int":
        head = self.command(bytes([COMMAND.COM_STMT_PREPARE]) + statement.encode())
        assert head
        if error(head):
            return error(head) or 0
        number, columns, parameters = unpack("<IHH", head[1:9])
        wanted = self.until_eof() if parameters else []
        return Prepared(number, wanted, self.until_eof() if columns else [])

    def execute(self, number: int, *values: "Parameter") -> "Answered | int":
        return self.answer(execution(number, *values))

    def finish(self) -> None:
        """Say that nothing more will be sent."""
        with suppress(OSError):
            self.socket.shutdown(socket.SHUT_WR)

    def rest(self) -> bytes:
        """Whatever comes until the server closes."""
        said = b""
        try:
            while part := self.socket.recv(1 << 16):
                said += part
        except ConnectionError:
            pass
        return said

    def _read(self, length: int) -> bytes | None:
        data = b""
        while len(data) < length:
            try:
                part = self.socket.recv(length - len(data))
            except ConnectionError:
                return None
            if not part:
                return None
            data += part
        return data


@dataclass(frozen=True)
class Answered:
    """The definitions of columns, and rows, as the packets that they came in."""

    columns: list[bytes]
    rows: list[bytes]


@dataclass(frozen=True)
class Prepared:
    """A statement that the server has prepared: its number, its parameters and its columns."""

    number: int
    parameters: list[bytes]
    columns: list[bytes]


@dataclass(frozen=True)
class Parameter:
    """A value as it is sent; None for NULL, and for one that was sent as long data."""

    code: int
    value: bytes | None
    is_unsigned: bool = False


def execution(number: int, *values: Parameter, flags: int = 0) -> bytes:
    head = bytes([COMMAND.COM_STMT_EXECUTE]) + pack("<IBI", number, flags, 1)
    if not values:
        return head
    nulls = sum((one.value is None) << place for place, one in enumerate(values))
    types = b"".join(bytes([one.code, 0x80 * one.is_unsigned]) for one in values)
    bitmap = nulls.to_bytes((len(values) + 7) // 8, "little")
    return head + bitmap + b"\1" + types + b"".join(one.value or b"" for one in values)


def is_eof(message: bytes) -> bool:
    return message[:1] == b"\xfe" and len(message) < 9


def error(message: bytes | None) -> int | None:
    """The number of a refusal; None for anything else."""
    if message is None or message[:1] != b"\xff":
        return None
    return int.from_bytes(message[1:3], "little")
