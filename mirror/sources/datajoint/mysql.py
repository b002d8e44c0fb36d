"""What MySQL has to be told in its own words: names, values, conditions."""

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from pymysql.converters import escape_string

from mirror.tables import Restriction, Table

# What both readers tell a server first, so that neither its defaults nor its `init_connect` have
# a say in what is read.
SETTINGS = {
    # string literals mean the same on every server, and CHAR comes without its padding
    "sql_mode": "''",
    # TIMESTAMP columns are converted to the session's zone: a mirror does not depend on where
    # the server stands
    "time_zone": "'+00:00'",
    # nothing is cut, and nothing refused for its size
    "sql_select_limit": "18446744073709551615",
    "sql_big_selects": "1",
    # rows are counted as of one moment only where a transaction is one because somebody began it
    "autocommit": "1",
    # seconds: a connection waits while another reads a large table, or DuckDB takes its rows
    "wait_timeout": "86400",
    "net_read_timeout": "600",
    "net_write_timeout": "600",
}
# A table takes as long as it takes. MySQL 8 otherwise answers UPDATE_TIME from a cache that may
# be a day old.
OF_MARIADB = {"max_statement_time": "0"}
OF_MYSQL_5_7 = {"max_execution_time": "0"}
OF_MYSQL_8 = {"information_schema_stats_expiry": "0"}


def _assigned(settings: Mapping[str, str]) -> str:
    return ", ".join(f"session {name} = {value}" for name, value in settings.items())


SESSION = (
    # after connecting, because a server may ignore what a client says while it connects
    "set names utf8mb4",
    # what has a snapshot, and locks nothing
    "set session transaction isolation level repeatable read",
    # the comments are for the servers that they name
    f"set {_assigned(SETTINGS)} /*M!100102, {_assigned(OF_MARIADB)} */"
    f" /*!50708 , {_assigned(OF_MYSQL_5_7)} */ /*!80000 , {_assigned(OF_MYSQL_8)} */",
)


def literal(value: Any) -> str:
    """Write a value as a MySQL literal."""
    if isinstance(value, UUID):
        value = value.bytes
    if isinstance(value, bytes):
        return f"x'{value.hex()}'"
    if isinstance(value, int | Decimal):
        return str(value)
    if isinstance(value, datetime | date):
        return f"'{value}'"
    return "'" + escape_string(str(value)) + "'"


def quoted(name: str) -> str:
    """Write a name as a MySQL identifier."""
    return "`" + name.replace("`", "``") + "`"


def name_of(table: Table) -> str:
    """The table's name on the server, quoted."""
    return f"{quoted(table.mysql_schema)}.{quoted(table.mysql_table)}"


def conditions(wanted: Restriction) -> list[str]:
    """The conditions that a narrowed sync puts on the rows of a table."""
    found = []
    if wanted.subjects:
        uuids = ", ".join(literal(uuid) for uuid in wanted.subjects)
        found.append(f"`subject_uuid` in ({uuids})")
    if wanted.since and wanted.date_column:
        found.append(f"{quoted(wanted.date_column)} >= {literal(wanted.since)}")
    return found


def where(found: Sequence[str]) -> str:
    """The clause of some conditions, or nothing."""
    return f" where {' and '.join(found)}" if found else ""


def equal(key: Mapping[str, object]) -> str:
    """The condition for one value of a composite key."""
    return (
        "("
        + " and ".join(f"{quoted(name)} = {literal(value)}" for name, value in key.items())
        + ")"
    )


def exact(table: Table, key: Sequence[Any]) -> Sequence[Any]:
    """The values of a key as they compare on the server; a decimal arrives as text."""
    types = [column.declared_type for name in table.primary_key if (column := table.column(name))]
    return [Decimal(x) if t.startswith("dec") else x for t, x in zip(types, key, strict=True)]


def beside(names: Sequence[str], sign: str, values: Sequence[object], or_equal: str = "") -> str:
    """Compare a composite key, in the form that servers answer from its index."""
    alternatives = []
    for position in range(len(names)):
        equal = [
            f"{quoted(name)} = {literal(value)}"
            for name, value in zip(names[:position], values, strict=False)
        ]
        operator = sign + (or_equal if position == len(names) - 1 else "")
        last = f"{quoted(names[position])} {operator} {literal(values[position])}"
        alternatives.append(" and ".join([*equal, last]))
    return "((" + ") or (".join(alternatives) + "))"


def is_exact(table: Table, names: Sequence[str]) -> bool:
    """Whether `=` finds again the values of these columns that a driver has read."""
    # of a FLOAT, a TIME or a BIT it reads something else than can be written down
    exact = re.compile(r"(tiny|small|medium|big)?int|(var)?(char|binary)|date|timestamp|dec|enum")
    columns = map(table.column, names)
    return all(column and exact.match(column.declared_type) for column in columns)


def is_ordered(table: Table) -> bool:
    """Whether `<` agrees with the order of the primary key, and survives being written down.

    Enums are stored by number and compared by name, and a FLOAT has no exact literal.
    """
    ordered = re.compile(r"(tiny|small|medium|big)?int|(var)?(char|binary)|date|timestamp|dec")
    return bool(table.primary_key) and all(
        (column := table.column(name)) and ordered.match(column.declared_type)
        for name in table.primary_key
    )
