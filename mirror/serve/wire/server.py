"""A port, and a thread for each client that comes to it.

DuckDB and Arrow work outside Python's lock, so that threads do; and a thread that waits for its
client to read holds up nothing but its own rows.
"""

import errno
import ipaddress
import socket
import threading
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from mirror.errors import MirrorError, UsageError
from mirror.serve.answers import Refusal
from mirror.serve.wire import certificate, packets, resultset
from mirror.serve.wire.channel import Channel, Gone
from mirror.serve.wire.client import Client, Instance
from mirror.serve.wire.engines import Engine, Engines, SessionState

# as MySQL's max_connections
CLIENTS = 151
# how often the server looks after its clients, and how long these have to leave at the end
LOOK_SECONDS, LEAVE_SECONDS = 0.1, 5
QUEUE = 128
FULL_HOUSE = Refusal(1040, "08004", "Too many connections")


class Server:
    """The file on a port, from the moment it is made; `serve` answers until `stop`.

    A port of 0 is any free one. Raises MirrorError where the file is no mirror, and where the
    port cannot be had.
    """

    def __init__(
        self,
        file: Path,
        opened: Callable[[Path], Engine],
        host: str,
        port: int,
        password: str | None,
        time_limit: float,
        tell: Callable[[str], None],
    ) -> None:
        self._listener = _listening(host, port)
        self.port: int = self._listener.getsockname()[1]
        try:
            engines = Engines(file, opened, tell)
        except BaseException:
            self._listener.close()
            raise
        tls = cache(certificate.context)
        # what is made once is made before the first client waits for it
        tls()
        resultset.get_ready()
        self._instance = Instance(engines, _version(engines), password, tls, time_limit)
        self._threads: dict[int, threading.Thread] = {}
        self._count = 0
        self._is_stopped = False

    def serve(self) -> None:
        """Let clients in and look after them, until `stop` is called from elsewhere."""
        self._listener.settimeout(LOOK_SECONDS)
        looked = 0.0
        while not self._is_stopped:
            try:
                connection, address = self._listener.accept()
                self._let_in(connection, address[0])
            except TimeoutError:
                pass
            except OSError:
                # no more files may be open, say: some will be closed
                time.sleep(LOOK_SECONDS)
            if time.monotonic() - looked > LOOK_SECONDS:
                looked = time.monotonic()
                for client in list(self._instance.clients.values()):
                    client.look()

    def stop(self) -> None:
        self._is_stopped = True

    def close(self) -> None:
        """End all statements and connections, and close the file."""
        self._listener.close()
        ends = time.monotonic() + LEAVE_SECONDS
        while self._threads and time.monotonic() < ends:
            for client in list(self._instance.clients.values()):
                client.stop(is_last=True)
                client.look()
            for thread in list(self._threads.values()):
                thread.join(LOOK_SECONDS)
        self._instance.engines.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _let_in(self, connection: socket.socket, peer: str) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # a client whose machine is gone is noticed some day
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        channel = Channel(connection, peer)
        if len(self._threads) >= CLIENTS:
            _turn_away(channel)
            return
        self._count += 1
        number = self._count
        client = Client(channel, number, self._instance)
        # a daemon, for one that does not leave must not keep the program
        thread = threading.Thread(target=self._attend, args=(number, client), daemon=True)
        self._instance.clients[number] = client
        self._threads[number] = thread
        try:
            thread.start()
        except RuntimeError:
            # the system gives no more threads
            self._forget(number)
            _turn_away(channel)

    def _attend(self, number: int, client: Client) -> None:
        try:
            client.converse()
        finally:
            self._forget(number)

    def _forget(self, number: int) -> None:
        del self._instance.clients[number]
        del self._threads[number]


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches the host."""
    return all(ipaddress.ip_address(address[0]).is_loopback for *_, address in _addresses(host, 0))


def _addresses(host: str, port: int) -> list[Any]:
    try:
        return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as error:
        raise UsageError(
            f"The host {host} is not known: name an address of this machine with --host."
        ) from error


def _listening(host: str, port: int) -> socket.socket:
    family, *_, address = _addresses(host, port)[0]
    try:
        return socket.create_server(address[:2], family=family, backlog=QUEUE)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise MirrorError(
                f"Port {port} is in use, perhaps by a MySQL server or another 'mirror serve':"
                " stop that, or choose another with --port."
            ) from error
        if error.errno == errno.EADDRNOTAVAIL:
            raise UsageError(
                f"{host} is no address of this machine: name one with --host."
            ) from error
        raise MirrorError(
            f"Port {port} of {host} cannot be had ({error.strerror}): choose another with --port."
        ) from error


def _version(engines: Engines) -> str:
    """What the engine calls itself; a greeting that differs would make clients ask amiss."""
    state = SessionState(0)
    with engines.at_work(state) as session:
        [batch] = session.ask("SELECT VERSION()").batches(is_binary=False)
    engines.leave(state)
    return str(batch.column(0)[0])


def _turn_away(channel: Channel) -> None:
    try:
        channel.send(packets.err(FULL_HOUSE))
    except Gone:
        pass
    finally:
        channel.close()
