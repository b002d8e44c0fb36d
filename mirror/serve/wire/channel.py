"""Messages over a socket, cut into numbered packets as MySQL cuts them."""

import select
import socket
import ssl
import time
from contextlib import suppress

from mirror.serve.answers import Refusal

# a message of this length or more goes on in the next packet
FULL = 0xFFFFFF
# as MySQL's wait_timeout and net_read_timeout; its net_write_timeout of a minute would end
# a notebook that looks at some rows before it fetches more
IDLE_SECONDS = 8 * 3600
READ_SECONDS = 30
WRITE_SECONDS = 600
# what is too long is read to its end, so that the client gets to the refusal
SKIP_SECONDS, SILENT_SECONDS = 5, 0.3
AT_ONCE = 256 * 1024


class Gone(Exception):
    """The client has left, or does not answer."""


class Farewell(Refusal):
    """A refusal after which the connection is closed."""


class Channel:
    """The connection of one client. Raises Gone where the client does not take part."""

    def __init__(self, connection: socket.socket, peer: str) -> None:
        self._socket = connection
        self._sequence = 0
        self.peer = peer

    def receive(self, limit: int) -> bytes:
        """Wait for the next message. Raises Farewell on one of more bytes than the limit."""
        message = bytearray()
        length = FULL
        while length == FULL:
            # the client may think before it sends, but not in the middle
            header = self._read(1, READ_SECONDS if message else IDLE_SECONDS)
            header += self._read(3, READ_SECONDS)
            length = int.from_bytes(header[:3], "little")
            if header[3] != self._sequence:
                raise Farewell(1156, "08S01", "Packets arrive out of order.")
            self._sequence = (self._sequence + 1) % 256
            if len(message) + length > limit:
                self._skip(length)
                raise Farewell(1153, "08S01", f"A packet has more than {limit} bytes.")
            message += self._read(length, READ_SECONDS)
        return bytes(message)

    def command(self, limit: int) -> bytes:
        """Wait for the first message of another exchange, in which packets count from zero."""
        self._sequence = 0
        return self.receive(limit)

    def send(self, *messages: bytes) -> None:
        self._write(b"".join(part for message in messages for part in self._packets(message)))

    def send_rows(self, packets: memoryview, count: int) -> None:
        """Send packets that are numbered already."""
        self._sequence = (self._sequence + count) % 256
        self._write(packets)

    @property
    def sequence(self) -> int:
        """The number of the next packet."""
        return self._sequence

    def encrypt(self, context: ssl.SSLContext) -> None:
        """Go on in TLS, as the client has asked."""
        self._socket.settimeout(READ_SECONDS)
        try:
            # what hangs up must find the socket while hands are shaken
            self._socket = context.wrap_socket(
                self._socket, server_side=True, do_handshake_on_connect=False
            )
            self._socket.do_handshake()
        except (OSError, ValueError) as error:
            raise Gone from error

    def has_left(self) -> bool:
        """Look whether the client has closed its end, from another thread."""
        if not hasattr(select, "poll"):
            return False
        poll = select.poll()
        with suppress(OSError, ValueError):
            # Linux tells a closed end by POLLRDHUP, macOS by POLLHUP
            poll.register(self._socket, getattr(select, "POLLRDHUP", 0))
            return bool(poll.poll(0))
        return True

    def hang_up(self) -> None:
        """Wake whoever waits for the client, from another thread."""
        with suppress(OSError):
            # that of SSLSocket would first forget its keys, under the reader's eyes
            socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    def close(self) -> None:
        with suppress(OSError):
            self._socket.close()

    def _packets(self, message: bytes) -> list[bytes]:
        packets = []
        # a message that fills its last packet ends in an empty one
        for at in range(0, len(message) + 1, FULL):
            part = message[at : at + FULL]
            packets += [len(part).to_bytes(3, "little"), bytes([self._sequence]), part]
            self._sequence = (self._sequence + 1) % 256
        return packets

    def _read(self, length: int, seconds: float) -> bytearray:
        # grows with what arrives: lengths may lie
        data = bytearray()
        try:
            self._socket.settimeout(seconds)
            while len(data) < length:
                part = self._socket.recv(min(length - len(data), AT_ONCE))
                if not part:
                    raise Gone
                data += part
        except OSError as error:
            raise Gone from error
        return data

    def _skip(self, length: int) -> None:
        """Drop the rest of a message whose next packet has this length."""
        end = time.monotonic() + SKIP_SECONDS
        with suppress(OSError, Gone):
            while True:
                self._socket.settimeout(SILENT_SECONDS)
                left = length
                while left:
                    part = self._socket.recv(min(left, AT_ONCE))
                    if not part or time.monotonic() > end:
                        return
                    left -= len(part)
                if length < FULL:
                    return
                header = self._read(4, SILENT_SECONDS)
                length = int.from_bytes(header[:3], "little")
                self._sequence = (header[3] + 1) % 256

    def _write(self, data: bytes | memoryview) -> None:
        view = memoryview(data)
        try:
            self._socket.settimeout(WRITE_SECONDS)
            for at in range(0, len(view), AT_ONCE):
                self._socket.sendall(view[at : at + AT_ONCE])
        except OSError as error:
            raise Gone from error
