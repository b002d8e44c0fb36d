"""connectorx in a process of its own, which can be ended while it waits for a server.

Python stands still in a process while connectorx waits in it: nobody there would hear Ctrl-C, or
look at the clock.

Run as a program, this file takes orders, each a line of JSON, and answers with frames: a kind, a
length, and so many bytes.
"""

import json
import os
import struct
import subprocess
import sys
from collections.abc import Generator, Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import quote

if TYPE_CHECKING:
    import pyarrow

HEADER = struct.Struct("<cQ")
SCHEMA, BATCH, END = b"s", b"b", b"e"
# connectorx cannot read this query, or connect at all
UNREADABLE, UNREACHABLE = b"r", b"c"
# a row group of DuckDB's
ARROW_ROWS = 122_880


class Connectorx:
    """The process: it starts at once, and serves one query after the other."""

    def __init__(self, url: str, session: Sequence[str]) -> None:
        self._order = {"url": url, "session": session}
        self.asked = ""
        # how many rows the last query gave, and the key of the last of them
        self.rows = 0
        self.last: tuple[int | str | bytes, ...] = ()
        self._process = subprocess.Popen(
            # -P: nothing beside this file is taken for a library
            [sys.executable, "-P", __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # where Rust prints its panics
            stderr=subprocess.DEVNULL,
            # Ctrl-C at a terminal is for the sync
            start_new_session=True,
        )

    def frames(
        self, queries: Iterator[str], key: Sequence[str]
    ) -> Generator[tuple[bytes, bytes], None, None]:
        """The answers to the queries, as kind and content, up to the first that it cannot give.

        `rows` and `last`, the values of the columns `key`, are then those of the query before.
        Raises EOFError or OSError where the process ends, as it does when the server does.
        """
        for query in queries:
            self.asked = query
            self._send(query, key)
            while (frame := self._receive())[0] != END:
                yield frame
                if frame[0] in (UNREADABLE, UNREACHABLE):
                    return
            self.rows, last = json.loads(frame[1])
            self.last = tuple(map(_value, last))

    def stop(self) -> None:
        """End it, whatever it waits for."""
        self._process.kill()
        self._process.wait()

    def _send(self, query: str, key: Sequence[str]) -> None:
        assert self._process.stdin
        order = self._order | {"query": query, "key": key}
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        self._process.stdin.flush()

    def _receive(self) -> tuple[bytes, bytes]:
        kind, length = HEADER.unpack(self._read(HEADER.size))
        return kind, self._read(length)

    def _read(self, length: int) -> bytes:
        assert self._process.stdout
        found = self._process.stdout.read(length)
        if len(found) < length:
            raise EOFError
        return found


def url(host: str, port: int, user: str, password: str) -> str:
    """A server and a login, as connectorx is told them."""
    host = f"[{host}]" if ":" in host else host
    login = f"{quote(user, safe='')}:{quote(password, safe='')}"
    # by socket, the same login may be another account; a process that nobody ends any more is
    # told by its system when the network is gone
    return f"mysql://{login}@{host}:{port}/?prefer_socket=false&tcp_keepalive_time_ms=30000"


def _told(value: "pyarrow.Array") -> int | str | dict[str, str]:
    """The one value of an array, as JSON has it; Python has no words for some days."""
    import pyarrow

    if pyarrow.types.is_integer(value.type):
        return value[0].as_py()
    if pyarrow.types.is_binary(value.type) or pyarrow.types.is_large_binary(value.type):
        return {"bytes": value[0].as_py().hex()}
    return value.cast(pyarrow.string())[0].as_py()


def _value(told: int | str | dict[str, str]) -> int | str | bytes:
    return bytes.fromhex(told["bytes"]) if isinstance(told, dict) else told


def _serve(orders: BinaryIO, answers: BinaryIO) -> None:
    import connectorx

    # which it would load with the first query
    import pyarrow  # noqa: F401

    def answer(kind: bytes, content: bytes = b"") -> None:
        answers.write(HEADER.pack(kind, len(content)))
        answers.write(content)
        answers.flush()

    for line in orders:
        order = json.loads(line)
        try:
            # it reads ahead without limit, so a query is the most that it may hold in memory
            stream = connectorx.read_sql(
                order["url"],
                order["query"],
                return_type="arrow_stream",
                batch_size=ARROW_ROWS,
                pre_execution_query=order["session"],
            )
            # what it cannot read shows with the first rows, while there is another way
            first = next(stream, None)
        # a Rust panic is no Exception; what it says may hold the password, and goes nowhere
        except BaseException as error:
            is_unreachable = "waiting for connection" in str(error)
            answer(UNREACHABLE if is_unreachable else UNREADABLE)
            continue
        answer(SCHEMA, stream.schema.serialize())
        rows, last = 0, []
        for batch in chain([] if first is None else [first], stream):
            answer(BATCH, batch.serialize())
            if batch.num_rows:
                rows += batch.num_rows
                last = [
                    _told(batch.column(name).slice(batch.num_rows - 1)) for name in order["key"]
                ]
        answer(END, json.dumps([rows, last]).encode())


if __name__ == "__main__":
    # nothing else is to write where the answers go
    with os.fdopen(os.dup(1), "wb") as output:
        os.dup2(2, 1)
        _serve(sys.stdin.buffer, output)
