"""MySQL's types: one table, from which the copy, the catalogue and the wire read."""

import re
from dataclasses import dataclass

from pymysql.constants import FIELD_TYPE

LONGEST = 2**32 - 1


@dataclass(frozen=True)
class MySQLType:
    """What the name of a type says.

    `kind` is what its values are to a translator of SQL, `code` the protocol's number of it,
    `length` the letters, digits or bytes of a value where a declaration gives none, and
    `unsigned_length` those without a sign. `digits` and `scale` are information_schema's,
    `duckdb` the type of an integer in DuckDB.
    """

    kind: str
    code: int
    length: int = 1
    unsigned_length: int = 0
    digits: int | None = None
    scale: int | None = None
    duckdb: str = ""

    @property
    def is_text(self) -> bool:
        return self.kind in ("string", "enum")

    @property
    def is_moment(self) -> bool:
        return self.kind in ("datetime", "time")


# A BIT leaves a mirror as the number it is kept as. A JSON column is a text to MariaDB's
# clients, and so to DataJoint.
TYPES = {
    "tinyint": MySQLType("integer", FIELD_TYPE.TINY, 4, 3, 3, 0, "TINYINT"),
    "smallint": MySQLType("integer", FIELD_TYPE.SHORT, 6, 5, 5, 0, "SMALLINT"),
    "mediumint": MySQLType("integer", FIELD_TYPE.INT24, 9, 8, 7, 0, "INTEGER"),
    "int": MySQLType("integer", FIELD_TYPE.LONG, 11, 10, 10, 0, "INTEGER"),
    "bigint": MySQLType("integer", FIELD_TYPE.LONGLONG, 20, 20, 19, 0, "BIGINT"),
    "bit": MySQLType("integer", FIELD_TYPE.LONGLONG, 1, 1, duckdb="UBIGINT"),
    "year": MySQLType("integer", FIELD_TYPE.YEAR, 4, 4, duckdb="SMALLINT"),
    "float": MySQLType("float", FIELD_TYPE.FLOAT, 12, 12, 12),
    "double": MySQLType("double", FIELD_TYPE.DOUBLE, 22, 22, 22),
    "decimal": MySQLType("decimal", FIELD_TYPE.NEWDECIMAL, 10, 10, 10, 0),
    "date": MySQLType("date", FIELD_TYPE.DATE, 10),
    "datetime": MySQLType("datetime", FIELD_TYPE.DATETIME, 19),
    "timestamp": MySQLType("datetime", FIELD_TYPE.TIMESTAMP, 19),
    "time": MySQLType("time", FIELD_TYPE.TIME, 10),
    "enum": MySQLType("enum", FIELD_TYPE.STRING),
    "set": MySQLType("string", FIELD_TYPE.STRING),
    "char": MySQLType("string", FIELD_TYPE.STRING),
    "varchar": MySQLType("string", FIELD_TYPE.VAR_STRING),
    "tinytext": MySQLType("string", FIELD_TYPE.BLOB, 2**8 - 1),
    "text": MySQLType("string", FIELD_TYPE.BLOB, 2**16 - 1),
    "mediumtext": MySQLType("string", FIELD_TYPE.BLOB, 2**24 - 1),
    "longtext": MySQLType("string", FIELD_TYPE.BLOB, LONGEST),
    "json": MySQLType("json", FIELD_TYPE.BLOB, LONGEST),
    "uuid": MySQLType("string", FIELD_TYPE.STRING, 36),
    "binary": MySQLType("binary", FIELD_TYPE.STRING),
    "varbinary": MySQLType("binary", FIELD_TYPE.VAR_STRING),
    "tinyblob": MySQLType("blob", FIELD_TYPE.BLOB, 2**8 - 1),
    "blob": MySQLType("blob", FIELD_TYPE.BLOB, 2**16 - 1),
    "mediumblob": MySQLType("blob", FIELD_TYPE.BLOB, 2**24 - 1),
    "longblob": MySQLType("blob", FIELD_TYPE.BLOB, LONGEST),
    "null": MySQLType("null", FIELD_TYPE.NULL, 0),
}
# the types of what an expression gives
OF_EXPRESSIONS = {
    "integer": "bigint",
    "decimal": "decimal",
    "double": "double",
    "float": "float",
    "string": "varchar",
    "enum": "enum",
    "date": "date",
    "datetime": "datetime",
    "time": "time",
    "binary": "varbinary",
    "uuid": "binary",
    "blob": "longblob",
    "json": "json",
    "null": "null",
}
# from this length on, an integer that no column holds takes eight bytes
LENGTH_OF_LONGLONG = 10
# letters, of four bytes each, beyond which a text is of the kind of TEXT
LONGEST_VARCHAR = (2**16 - 1) // 4
SYNONYMS = {
    "bool": "tinyint(1)",
    "boolean": "tinyint(1)",
    "integer": "int",
    "real": "double",
    "numeric": "decimal",
}
DECLARED = re.compile(
    r"(?P<name>\w+)\s*(?:\((?P<arguments>.*)\))?(?P<unsigned> unsigned)?(?P<zerofill> zerofill)?",
    re.IGNORECASE | re.DOTALL,
)


@dataclass(frozen=True)
class Declared:
    """A declared type, taken apart: `arguments` is what its brackets hold."""

    name: str
    arguments: str
    is_unsigned: bool
    is_zerofill: bool

    @property
    def numbers(self) -> list[int]:
        """Length and scale, as far as they are given."""
        found = re.fullmatch(r"\s*(\d+)\s*(?:,\s*(\d+)\s*)?", self.arguments)
        return [int(number) for number in found.groups() if number] if found else []


def declared(written: str) -> Declared | None:
    """Take a declared type apart; None if it is of no name that is known."""
    match = DECLARED.fullmatch(written.strip())
    if not match:
        return None
    name = SYNONYMS.get(match["name"].lower(), match["name"].lower())
    if name.startswith("tinyint("):
        return Declared("tinyint", "1", False, False)
    if name not in TYPES:
        return None
    unsigned, zerofill = bool(match["unsigned"]), bool(match["zerofill"])
    return Declared(name, match["arguments"] or "", unsigned or zerofill, zerofill)
