"""The first words of a connection: handshake, TLS if wanted, and the password.

Any user name will do; there is one password. Passwords do not travel: the client proves that
it knows the password with a digest of it and of the random scramble of the handshake.
"""

import os
import secrets
import ssl
import stat
import string
from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from hashlib import sha1, sha256
from hmac import compare_digest
from operator import or_
from pathlib import Path

from pymysql.constants import CLIENT

from mirror.errors import UsageError
from mirror.serve.variables import Settings
from mirror.serve.wire.channel import Channel, Farewell
from mirror.serve.wire.charsets import UTF8MB4, name_of
from mirror.serve.wire.packets import Reader, status

NATIVE, SHA2 = b"mysql_native_password", b"caching_sha2_password"
SCRAMBLE_BYTES = 20
LETTERS = (string.ascii_letters + string.digits).encode()
# the attributes that clients tell of themselves may fill 64 kB
LOGIN_BYTES = 128 * 1024
# a login that stops before the name
TLS_REQUEST_BYTES = 32

# Not offered, on purpose: several statements at once, files of the client, compression, and
# the end of rows told by OK instead of EOF (JDBC drivers disagree on what then stands in it).
CAPABILITIES = (
    *(CLIENT.LONG_PASSWORD, CLIENT.FOUND_ROWS, CLIENT.LONG_FLAG, CLIENT.CONNECT_WITH_DB),
    *(CLIENT.PROTOCOL_41, CLIENT.INTERACTIVE, CLIENT.SSL, CLIENT.TRANSACTIONS),
    *(CLIENT.SECURE_CONNECTION, CLIENT.PLUGIN_AUTH, CLIENT.CONNECT_ATTRS),
    CLIENT.PLUGIN_AUTH_LENENC_CLIENT_DATA,
)
OFFERED = reduce(or_, CAPABILITIES)


@dataclass(frozen=True)
class HandshakeResponse:
    """Who a client says it is, and the proof it sends with it."""

    user: bytes
    database: bytes
    plugin: bytes
    proof: bytes
    charset: str


def password_from(file: Path | None) -> str:
    """The password that a file holds, or a new one. Raises UsageError where it holds none."""
    if file is None:
        return secrets.token_hex(12)
    try:
        password = file.read_text("utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not a text"
        raise UsageError(
            f"The password file {file} cannot be read ({reason}): name another one with"
            " --password-file."
        ) from error
    if not password:
        raise UsageError(
            f"The password file {file} is empty: write a password into it, or leave"
            " --password-file out for a random one."
        )
    if not (password.isascii() and password.isprintable()):
        raise UsageError(
            f"The password file {file} must hold one line of plain ASCII letters, digits and signs:"
            " of other letters, clients send different bytes, and DataJoint none at all."
        )
    return password


def is_read_by_others(file: Path) -> bool:
    """Whether other users of this machine may read a file, where the system tells."""
    return os.name == "posix" and bool(file.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH))


def log_in(
    channel: Channel,
    number: int,
    version: str,
    password: str | None,
    tls: Callable[[], ssl.SSLContext],
) -> HandshakeResponse:
    """Greet a client and check its password; the caller says OK. Raises Farewell."""
    scramble = _scramble()
    channel.send(_handshake(number, version, scramble))
    message = channel.receive(LOGIN_BYTES)
    if len(message) == TLS_REQUEST_BYTES and int.from_bytes(message[:4], "little") & CLIENT.SSL:
        channel.encrypt(tls())
        message = channel.receive(LOGIN_BYTES)
    response = _response(message)
    prove(channel, response, password, scramble)
    return response


def changed(channel: Channel, message: bytes, password: str | None) -> HandshakeResponse:
    """Check the password of a client that changes its user; the caller says OK."""
    said = Reader(message)
    user = said.name()
    said.take(said.integer(1))
    database = said.name()
    number = int.from_bytes(said.rest()[:2], "little")
    response = HandshakeResponse(user, database, b"", b"", name_of(number))
    # the old scramble has been used
    prove(channel, response, password, _scramble())
    return response


def prove(
    channel: Channel, response: HandshakeResponse, password: str | None, scramble: bytes
) -> None:
    """Have the client prove that it knows the password. Raises Farewell if it does not."""
    if password is None:
        return
    plugin, proof = response.plugin, response.proof
    if plugin not in PROOFS or len(proof) != PROOFS[plugin]().digest_size:
        plugin = plugin if plugin in PROOFS else NATIVE
        scramble = _scramble()
        channel.send(b"\xfe" + plugin + b"\0" + scramble + b"\0")
        proof = channel.receive(LOGIN_BYTES)
    if not compare_digest(proof, _proof(plugin, password.encode(), scramble)):
        user = response.user.decode(errors="replace")[:80]
        given = "YES" if proof.strip(b"\0") else "NO"
        raise Farewell(1045, "28000", f"Access denied for user '{user}' (using password: {given})")
    if plugin == SHA2:
        # the quick way has sufficed: no need for the whole password
        channel.send(b"\x01\x03")


PROOFS = {NATIVE: sha1, SHA2: sha256}


def _proof(plugin: bytes, password: bytes, scramble: bytes) -> bytes:
    digest = PROOFS[plugin]
    once = digest(password).digest()
    twice = digest(once).digest()
    mask = digest(scramble + twice if plugin == NATIVE else twice + scramble).digest()
    return bytes(a ^ b for a, b in zip(once, mask, strict=True))


def _scramble() -> bytes:
    return bytes(secrets.choice(LETTERS) for _ in range(SCRAMBLE_BYTES))


def _handshake(number: int, version: str, scramble: bytes) -> bytes:
    return b"".join(
        [
            b"\x0a" + version.encode() + b"\0",
            number.to_bytes(4, "little") + scramble[:8] + b"\0",
            (OFFERED & 0xFFFF).to_bytes(2, "little"),
            bytes([UTF8MB4.number]) + status(Settings()),
            (OFFERED >> 16).to_bytes(2, "little"),
            bytes([SCRAMBLE_BYTES + 1]) + bytes(10),
            scramble[8:] + b"\0" + NATIVE + b"\0",
        ]
    )


def _response(message: bytes) -> HandshakeResponse:
    said = Reader(message)
    wanted = said.integer(4)
    flags = wanted & OFFERED
    if wanted & CLIENT.COMPRESS:
        # a driver that asks for what it was not offered would go on compressed
        raise Farewell(1235, "42000", "The mirror compresses nothing: connect without compression")
    if not flags & CLIENT.PROTOCOL_41:
        raise Farewell(1043, "08S01", "The client's protocol is older than MySQL 4.1.")
    # the largest packet, the character set, and nothing
    said.take(4)
    charset = name_of(said.integer(1))
    said.take(23)
    user = said.name()
    if flags & CLIENT.PLUGIN_AUTH_LENENC_CLIENT_DATA:
        proof = said.take(said.length_encoded_integer())
    elif flags & CLIENT.SECURE_CONNECTION:
        proof = said.take(said.integer(1))
    else:
        proof = said.name()
    database = said.name() if flags & CLIENT.CONNECT_WITH_DB else b""
    plugin = said.name() if flags & CLIENT.PLUGIN_AUTH else NATIVE
    return HandshakeResponse(user, database, plugin, proof, charset)
