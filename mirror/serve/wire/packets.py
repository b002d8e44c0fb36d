"""What packets say, in the protocol's encoding: OK, ERR, EOF, columns, and what clients send."""

from pymysql.constants import FIELD_TYPE, FLAG, SERVER_STATUS

from mirror.mysql_types import LONGEST
from mirror.serve.answers import Field, Origin, Refusal, Type
from mirror.serve.variables import Settings
from mirror.serve.wire.channel import Farewell
from mirror.serve.wire.charsets import TEXTS, UTF8MB4, Charset

# no character set
BINARY = 63
# as many decimals as a number has, or a text that no table holds
NOT_FIXED, NOT_FIXED_TEXT = 31, 39
# what clients make room for in an error
MESSAGE_BYTES = 512

NUMBERS = ("integer", "decimal", "double", "float")


def length_encoded_integer(value: int) -> bytes:
    """Encode an integer in 1, 3, 4 or 9 bytes."""
    if value < 251:
        return bytes([value])
    for mark, width in ((0xFC, 2), (0xFD, 3)):
        if value < 1 << 8 * width:
            return bytes([mark]) + value.to_bytes(width, "little")
    return b"\xfe" + value.to_bytes(8, "little")


def length_encoded_string(value: bytes) -> bytes:
    return length_encoded_integer(len(value)) + value


def ok(settings: Settings) -> bytes:
    return b"\x00\x00\x00" + status(settings) + b"\x00\x00"


def eof(settings: Settings) -> bytes:
    """The end of the columns, or of the rows."""
    return b"\xfe\x00\x00" + status(settings)


def status(settings: Settings) -> bytes:
    """What drivers keep of a client: whether it is in a transaction, and opens them itself."""
    flags = settings.in_transaction * SERVER_STATUS.SERVER_STATUS_IN_TRANS
    flags |= settings.is_autocommit * SERVER_STATUS.SERVER_STATUS_AUTOCOMMIT
    return flags.to_bytes(2, "little")


def err(said: Refusal) -> bytes:
    message = said.message.encode(errors="replace")[:MESSAGE_BYTES].decode(errors="ignore")
    head = b"\xff" + said.number.to_bytes(2, "little")
    return head + b"#" + said.state.encode() + message.encode()


def prepare_ok(number: int, columns: int, parameters: int) -> bytes:
    return b"".join(
        [
            b"\x00" + number.to_bytes(4, "little"),
            columns.to_bytes(2, "little") + parameters.to_bytes(2, "little"),
            b"\x00\x00\x00",
        ]
    )


def column_definition(field: Field, charset: Charset = UTF8MB4) -> bytes:
    """The definition of a column of an answer, whose texts are in a character set."""
    kind = field.type
    numbers = [
        (charset.number if kind.kind in TEXTS else BINARY, 2),
        (_length(kind, charset), 4),
        (kind.mysql.code, 1),
        (_flags(field), 2),
        (_decimals(field), 1),
        (0, 2),
    ]
    origin = field.origin or Origin("", "", "", "")
    names = (
        *("def", origin.schema, origin.table, origin.original_table),
        *(field.name, origin.original_name),
    )
    encoded = b"".join(
        length_encoded_string(name.encode(charset.codec, "replace")) for name in names
    )
    return encoded + b"\x0c" + b"".join(value.to_bytes(width, "little") for value, width in numbers)


def _length(kind: Type, charset: Charset) -> int:
    """The most bytes that a value takes as a text."""
    length = kind.length or max(map(len, kind.members), default=kind.mysql.length)
    if kind.kind == "decimal" and not kind.name:
        # its digits, and room for a sign and a point
        return length + (not kind.unsigned) + bool(kind.decimals)
    if kind.kind == "json" or (kind.kind == "string" and kind.name.endswith("text")):
        return length
    return min(length * charset.width, LONGEST) if kind.kind in TEXTS else length


def _flags(field: Field) -> int:
    kind, origin = field.type, field.origin
    flags = origin.flags if origin else 0
    if not field.is_nullable:
        flags |= FLAG.NOT_NULL
    if kind.unsigned:
        flags |= FLAG.UNSIGNED
    if kind.kind == "enum":
        flags |= FLAG.ENUM
    if kind.name == "set":
        flags |= FLAG.SET
    if kind.mysql.code == FIELD_TYPE.BLOB:
        flags |= FLAG.BLOB
    is_column_of_numbers = origin is not None and kind.kind in NUMBERS
    if kind.kind not in TEXTS and not is_column_of_numbers:
        flags |= FLAG.BINARY
    return flags


def _decimals(field: Field) -> int:
    kind = field.type
    if kind.kind in ("double", "float") and kind.decimals is None:
        return NOT_FIXED
    if kind.kind in TEXTS and field.origin is None:
        return NOT_FIXED_TEXT
    return kind.decimals or 0


# a parameter may be of any type
PARAMETER = column_definition(Field("?", Type("string")))


class Reader:
    """What a client's message says, from front to back. Raises Farewell where it ends early."""

    def __init__(self, message: bytes) -> None:
        self._rest = memoryview(message)

    def take(self, length: int) -> bytes:
        if length > len(self._rest):
            raise Farewell(1835, "HY000", "A packet ends before what it announces.")
        taken, self._rest = bytes(self._rest[:length]), self._rest[length:]
        return taken

    def integer(self, width: int, is_signed: bool = False) -> int:
        return int.from_bytes(self.take(width), "little", signed=is_signed)

    def length_encoded_integer(self) -> int:
        first = self.integer(1)
        return (
            self.integer({0xFC: 2, 0xFD: 3, 0xFE: 8}[first]) if first in (252, 253, 254) else first
        )

    def length_encoded_string(self) -> bytes:
        return self.take(self.length_encoded_integer())

    def name(self) -> bytes:
        """A text up to its zero byte, or to the end."""
        rest = bytes(self._rest)
        found, _, _ = rest.partition(b"\0")
        self._rest = self._rest[len(found) + 1 :]
        return found

    def rest(self) -> bytes:
        return self.take(len(self._rest))
