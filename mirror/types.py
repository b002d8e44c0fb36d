"""Declared MySQL and DataJoint types: the DuckDB type of each, and the cast that gets there.

Types come from the heading alone, never from the values; only blobs, whose heading says
nothing, are typed by what they hold (`mirror.blobs`).
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from mirror.mysql_types import TYPES
from mirror.tables import Column


@dataclass(frozen=True)
class Conversion:
    """How one column travels: MySQL expression, then DuckDB expression, then its type.

    `{c}` stands for the quoted column. connectorx sends `select`; a driver that speaks MySQL's text
    protocol, which prints a FLOAT with six digits, sends `select_as_text` where there is one.
    `digest` and `local_digest` write a value as text in MySQL and in DuckDB: equal texts mean
    equal values, so that a server can tell which rows have changed without sending them.
    `may_lose` says that `select` makes NULL of values without a counterpart; `changed` is the
    MySQL condition under which a value is read as something else. Both are counted and told.
    `is_file` marks values that may be too long for many to be read at once.
    """

    duckdb_type: str
    select: str = "{c}"
    select_as_text: str = ""
    load: str = "cast({c} as {type})"
    digest: str = "cast({c} as char)"
    local_digest: str = "cast({c} as varchar)"
    may_lose: bool = False
    changed: str = ""
    note: str = ""
    is_blob: bool = False
    is_file: bool = False
    is_left_out: bool = False


# Not so zero dates, zeros inside a date, and days that their month does not have: where there is
# no such month, and with some servers no such day, the last one is NULL.
IS_A_DATE = "dayofmonth({c}) between 1 and dayofmonth(last_day({c})) and year({c}) > 0"
# How the catalogue writes the members of an enum; quotes are doubled, as in DuckDB.
ESCAPED = re.compile(r"\\(.)", re.DOTALL)
ESCAPES = {"0": "\0", "n": "\n", "r": "\r", "Z": "\x1a"}


def unescaped(member: str) -> str:
    """A member of an enum, or a default, without the backslashes of the catalogue."""
    return ESCAPED.sub(lambda found: ESCAPES.get(found[1], found[1]), member)


# How MariaDB writes what it does with a column beside its type, as in "longblob /*!100301
# COMPRESSED*/".
ATTRIBUTE = re.compile(r"\s*/\*M?!\d*[^*]*\*/$")


def plain(declared_type: str) -> str:
    """A declared type without what its server does with the column beside."""
    return ATTRIBUTE.sub("", declared_type.strip())


# MySQL keeps an invalid enum value as '' with index 0.
NO_SUCH_MEMBER = "{c} + 0 = 0"

WIDTH = r"(?:\(\d+\))?"
SCALE = r"(?:\(\d+(?:,\d+)?\))?"


# MySQL prints 12 where DuckDB prints 12.0; numbers too large or small for that are printed
# in two ways, which costs reading them again and never hides a change.
LOCAL_NUMBER = "regexp_replace(cast(cast({c} as double) as varchar), '\\.0$', '')"


def _date(duckdb_type: str) -> Conversion:
    return Conversion(
        duckdb_type,
        # connectorx ends at what is no date, and the table is then read as text
        select_as_text=f"if({IS_A_DATE}, {{c}}, null)",
        # it takes the year 0 for one
        load="if(cast({c} as {type}) >= '0001-01-01', cast({c} as {type}), null)",
        digest=f"date_format(if({IS_A_DATE}, {{c}}, null), '%Y-%m-%d %H:%i:%s.%f')",
        local_digest="strftime({c}, '%Y-%m-%d %H:%M:%S.%f')",
        may_lose=True,
    )


def _integer(match: re.Match[str]) -> Conversion:
    held = TYPES["int" if match["name"].lower() == "integer" else match["name"].lower()].duckdb
    return Conversion(f"U{held}" if match["unsigned"] else held)


def _decimal(match: re.Match[str]) -> Conversion:
    precision, scale = int(match["precision"]), int(match["scale"] or 0)
    if precision > 38:
        return Conversion(
            "VARCHAR",
            select="cast({c} as char)",
            note=f"{match[0]} has more digits than DuckDB's decimals, kept as text",
        )
    return Conversion(f"DECIMAL({precision},{scale})", select="cast({c} as char)")


def _enum(match: re.Match[str]) -> Conversion:
    members = [unescaped(m) for m in re.findall(r"'((?:[^']|'')*)'", match["members"])]
    # catalogues write ? for a character of four bytes, such as an emoji
    is_named = "?" not in match["members"]
    # as text: MySQL 8 sends what is still an enum under a type that drivers take for ASCII
    text = "cast({c} as char)"
    has_empty = "" in members
    return Conversion(
        "ENUM(" + ", ".join(f"'{member}'" for member in members) + ")" if is_named else "VARCHAR",
        # the server alone can tell an empty member from none, which costs it time
        select=f"if({NO_SUCH_MEMBER}, null, {text})" if has_empty else text,
        load="cast({c} as {type})" if has_empty else "cast(nullif({c}, '') as {type})",
        digest=f"if({NO_SUCH_MEMBER}, null, {{c}})",
        may_lose=True,
        note="" if is_named else "an enum whose members the server may not name, kept as text",
    )


FLOAT = Conversion(
    "FLOAT",
    select_as_text="{c} + 0e0",
    digest="cast({c} + 0e0 as char)",
    local_digest=LOCAL_NUMBER,
)

RULES: tuple[tuple[str, Conversion | Callable[[re.Match[str]], Conversion]], ...] = (
    (
        r"tinyint\(1\).*|bool(ean)?",
        Conversion(
            "BOOLEAN",
            load="cast({c} as smallint) <> 0",
            digest="cast({c} <> 0 as char)",
            local_digest="cast(cast({c} as tinyint) as varchar)",
            changed="{c} not in (0, 1)",
        ),
    ),
    (
        r"(?P<name>tinyint|smallint|mediumint|int(?:eger)?|bigint)"
        rf"{WIDTH}(?P<unsigned> unsigned)?.*",
        _integer,
    ),
    (rf"float{SCALE}.*", FLOAT),
    (rf"(?:double|real){SCALE}.*", Conversion("DOUBLE", local_digest=LOCAL_NUMBER)),
    (
        r"(?:decimal|numeric)\((?P<precision>\d+)(?:,(?P<scale>\d+))?\).*",
        _decimal,
    ),
    (r"bit.*", Conversion(TYPES["bit"].duckdb, select="{c} + 0", digest="cast({c} + 0 as char)")),
    (r"year.*", Conversion(TYPES["year"].duckdb, select="cast({c} as signed)")),
    (r"date", _date("DATE")),
    (rf"(?:datetime|timestamp){WIDTH}.*", _date("TIMESTAMP")),
    (rf"time{WIDTH}", Conversion("INTERVAL", select="cast({c} as char)")),
    (r"enum\((?P<members>.*)\).*", _enum),
    (r"set\(.*", Conversion("VARCHAR")),
    (rf"(?:var)?char{WIDTH}.*|(?:tiny|medium|long)?text.*", Conversion("VARCHAR")),
    (r"json", Conversion("JSON", select="cast({c} as char)")),
    (r"uuid", Conversion("UUID", select="cast({c} as char)")),
    (
        rf"(?:var)?binary{WIDTH}",
        Conversion("BLOB", load="{c}", digest="hex({c})", local_digest="hex({c})"),
    ),
    (r"(?:tiny|medium|long)?blob", Conversion("BLOB", load="{c}", is_blob=True)),
    (
        rf"vector{WIDTH}",
        Conversion(
            "BLOB",
            select="cast({c} as binary)",
            load="{c}",
            digest="hex({c})",
            local_digest="hex({c})",
            note="a vector, kept as the bytes of its 4-byte floats",
        ),
    ),
    (
        r"(?:multi)?(?:point|linestring|polygon)|geometry(?:collection)?|geomcollection",
        Conversion("VARCHAR", select="st_astext({c})", note="a geometry, kept as text"),
    ),
)

ADAPTERS = {
    "uuid": Conversion(
        "UUID",
        select_as_text="hex({c})",
        digest="hex({c})",
        local_digest="upper(replace(cast({c} as varchar), '-', ''))",
    ),
    "attach": Conversion(
        "BLOB",
        load="{c}",
        note="DataJoint attachments, kept as bytes: the name of a file, a zero byte, its content",
        is_file=True,
    ),
}
OUTSIDE = re.compile(r"(blob|attach|filepath)@|filepath$|external")


def conversion(column: Column) -> Conversion:
    """How a declared column reaches DuckDB.

    An unknown type is kept as text, with a note; what DataJoint stores outside the table
    (in a store of files) is left out, with a note.
    """
    if OUTSIDE.match(column.adapter):
        return Conversion(
            "", is_left_out=True, note=f"stored outside the table (DataJoint {column.adapter})"
        )
    if column.adapter in ADAPTERS:
        return ADAPTERS[column.adapter]
    declared = plain(column.declared_type)
    for pattern, rule in RULES:
        # enum members keep their case and their line breaks
        match = re.fullmatch(pattern, declared, re.IGNORECASE | re.DOTALL)
        if match:
            return rule if isinstance(rule, Conversion) else rule(match)
    return Conversion(
        "VARCHAR",
        select="cast({c} as char)",
        note=f"unknown type {declared}, kept as text",
    )
