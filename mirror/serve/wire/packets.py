"""What packets say: numbers and texts in MySQL's encoding, columns, OK, refusals, ends."""

from mirror.serve.answers import Field, Refusal, Type
from mirror.serve.wire.channel import Farewell

# utf8mb4_general_ci, which every client of the last ten years knows, and no character set
TEXT, BINARY = 45, 63
# flags of a column
IS_BLOB, IS_UNSIGNED, IS_BINARY, IS_ENUM = 16, 32, 128, 256
AUTOCOMMIT = 2
# as many decimals as a number has
ANY_DECIMALS = 31
# what clients make room for in an error
MESSAGE_BYTES = 512
LONGEST = 2**32 - 1

# Numbers of MySQL's types, the character set, flags, and a length for where none is told.
# A JSON column is a text to MariaDB's clients, and so to DataJoint.
KINDS = {
    "integer": (8, BINARY, IS_BINARY, 20),
    "decimal": (246, BINARY, IS_BINARY, 65),
    "double": (5, BINARY, IS_BINARY, 22),
    "float": (4, BINARY, IS_BINARY, 12),
    "string": (253, TEXT, 0, 65535),
    "enum": (254, TEXT, IS_ENUM, 255),
    "date": (10, BINARY, IS_BINARY, 10),
    "datetime": (12, BINARY, IS_BINARY, 26),
    "time": (11, BINARY, IS_BINARY, 17),
    "binary": (253, BINARY, IS_BINARY, 65535),
    "uuid": (254, BINARY, IS_BINARY, 16),
    "blob": (252, BINARY, IS_BINARY | IS_BLOB, LONGEST),
    "json": (252, TEXT, IS_BLOB, LONGEST),
    "null": (6, BINARY, IS_BINARY, 0),
}


def number(value: int) -> bytes:
    """Encode an integer in 1, 3, 4 or 9 bytes."""
    if value < 251:
        return bytes([value])
    for mark, width in ((0xFC, 2), (0xFD, 3)):
        if value < 1 << 8 * width:
            return bytes([mark]) + value.to_bytes(width, "little")
    return b"\xfe" + value.to_bytes(8, "little")


def text(value: bytes) -> bytes:
    """Encode a text with its length."""
    return number(len(value)) + value


def ok() -> bytes:
    return b"\x00\x00\x00" + AUTOCOMMIT.to_bytes(2, "little") + b"\x00\x00"


def end() -> bytes:
    """The end of the columns, or of the rows."""
    return b"\xfe\x00\x00" + AUTOCOMMIT.to_bytes(2, "little")


def refusal(said: Refusal) -> bytes:
    message = said.message.encode(errors="replace")[:MESSAGE_BYTES].decode(errors="ignore")
    head = b"\xff" + said.number.to_bytes(2, "little")
    return head + b"#" + said.state.encode() + message.encode()


def column(field: Field) -> bytes:
    """The definition of a column of an answer."""
    kind = field.type
    code, charset, flags, _ = KINDS[kind.kind]
    if kind.unsigned:
        flags |= IS_UNSIGNED
    numbers = [
        (charset, 2),
        (_length(kind), 4),
        (code, 1),
        (flags, 2),
        (_decimals(kind), 1),
        (0, 2),
    ]
    # an answer does not know the database, the table and the first name of its columns
    names = text(b"def") + text(b"") * 3 + text(field.name.encode()) + text(b"")
    return names + b"\x0c" + b"".join(value.to_bytes(width, "little") for value, width in numbers)


def _length(kind: Type) -> int:
    """The most bytes that a value takes as a text."""
    _, charset, _, longest = KINDS[kind.kind]
    length = kind.length or max(map(len, kind.members), default=longest)
    if kind.kind == "decimal":
        # its digits, and room for a sign and a point
        return length + (not kind.unsigned) + bool(kind.decimals)
    return min(length * 4, LONGEST) if charset == TEXT else length


def _decimals(kind: Type) -> int:
    if kind.kind in ("double", "float") and kind.decimals is None:
        return ANY_DECIMALS
    return kind.decimals or 0


class Reader:
    """What a client's message says, from front to back. Raises Farewell where it ends early."""

    def __init__(self, message: bytes) -> None:
        self._rest = memoryview(message)

    def take(self, length: int) -> bytes:
        if length > len(self._rest):
            raise Farewell(1835, "HY000", "A packet ends before what it announces.")
        taken, self._rest = bytes(self._rest[:length]), self._rest[length:]
        return taken

    def integer(self, width: int) -> int:
        return int.from_bytes(self.take(width), "little")

    def number(self) -> int:
        first = self.integer(1)
        return (
            self.integer({0xFC: 2, 0xFD: 3, 0xFE: 8}[first]) if first in (252, 253, 254) else first
        )

    def name(self) -> bytes:
        """A text up to its zero byte, or to the end."""
        rest = bytes(self._rest)
        found, _, _ = rest.partition(b"\0")
        self._rest = self._rest[len(found) + 1 :]
        return found

    def rest(self) -> bytes:
        return self.take(len(self._rest))
