"""A network between a client and a server: it can freeze, break or be long, as networks do."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from queue import Queue
from typing import Literal

Fault = Literal["freeze", "freeze one", "cut", "cut once"]


class Proxy:
    """Passes on what both sides say until some words go by.

    Then the whole network freezes, or the connection on which they were said, or this is cut,
    once or as often as they are said. Without words all is frozen from the beginning:
    connections are accepted, and nothing is said.
    """

    def __init__(self, port: int, words: bytes, fault: Fault) -> None:
        self._to, self._words, self._fault = port, words, fault
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._sockets = [self._listening]
        self.port = self._listening.getsockname()[1]
        self.connections = 0
        self.frozen = threading.Event()
        if not words:
            self.frozen.set()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        for each in self._sockets:
            # which wakes the thread that waits for it
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _is_dead(self) -> bool:
        return self.frozen.is_set() and self._fault == "freeze"

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                self._sockets.append(client)
                self.connections += 1
                if not self._is_dead():
                    server = socket.create_connection(("127.0.0.1", self._to))
                    self._sockets.append(server)
                    for ends in ((client, server), (server, client)):
                        threading.Thread(target=self._pass, args=ends, daemon=True).start()

    def _pass(self, source: socket.socket, target: socket.socket) -> None:
        before = b""
        with suppress(OSError):
            while said := source.recv(65_536):
                is_past = self._fault == "cut once" and self.frozen.is_set()
                if self._words and self._words in before + said and not is_past:
                    self.frozen.set()
                    if self._fault.startswith("cut"):
                        for end in (source, target):
                            end.shutdown(socket.SHUT_RDWR)
                    return
                if self._is_dead():
                    return
                target.sendall(said)
                before = said[-len(self._words) :]
            target.shutdown(socket.SHUT_WR)


@contextmanager
def between(port: int, words: bytes = b"", fault: Fault = "freeze") -> Iterator[Proxy]:
    proxy = Proxy(port, words, fault)
    yield proxy
    proxy.close()


class Line:
    """A way to a server that takes a while, and as long back."""

    def __init__(self, port: int, delay: float) -> None:
        self._to, self._half = port, delay / 2
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        # how often a client has spoken after the server
        self.turns = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                threading.Thread(target=self._join, args=(client,), daemon=True).start()

    def _join(self, client: socket.socket) -> None:
        # as long as it takes until a connection is there
        time.sleep(2 * self._half)
        server = socket.create_connection(("127.0.0.1", self._to))
        last: list[socket.socket] = []
        for source, target in ((client, server), (server, client)):
            source.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            on_the_way: Queue[tuple[float, bytes]] = Queue()
            heard = partial(self._heard, source, client, last)
            for work in (
                partial(_take, source, on_the_way, self._half, heard),
                partial(_give, target, on_the_way),
            ):
                threading.Thread(target=work, daemon=True).start()

    def _heard(self, source: socket.socket, client: socket.socket, last: list) -> None:
        if source is client and last != [client]:
            self.turns += 1
        last[:] = [source]


def _take(
    source: socket.socket,
    on_the_way: "Queue[tuple[float, bytes]]",
    delay: float,
    heard: Callable[[], None],
) -> None:
    said = b"?"
    while said:
        try:
            said = source.recv(262_144)
        except OSError:
            said = b""
        if said:
            heard()
        on_the_way.put((time.monotonic() + delay, said))


def _give(target: socket.socket, on_the_way: "Queue[tuple[float, bytes]]") -> None:
    with suppress(OSError):
        while True:
            due, said = on_the_way.get()
            time.sleep(max(0.0, due - time.monotonic()))
            if not said:
                target.shutdown(socket.SHUT_WR)
                return
            target.sendall(said)


@contextmanager
def far(port: int, delay: float) -> Iterator[Line]:
    """A line to a server, of so many seconds there and back."""
    line = Line(port, delay)
    try:
        yield line
    finally:
        line.close()
