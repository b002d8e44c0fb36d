"""What tables there are, from the server's own headings; asked once, whatever the server.

Columns of information_schema are taken by position, since MySQL 8 names them in capitals.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain, count
from typing import Any

from mirror.sources.datajoint.mysql import literal
from mirror.tables import BOOKKEEPING, Column, ForeignKey, LeftOut, Table, plain_name, tier
from mirror.types import unescaped

Ask = Callable[..., Sequence[Sequence[tuple[Any, ...]]]]


def read(ask: Ask, names: Mapping[str, str]) -> tuple[list[Table], list[LeftOut]]:
    """Find every table of the schemas named, and say what is left out.

    `names` gives the MySQL name of each schema of the mirror; `ask` the rows of each statement.
    """
    left_out = []
    by_mysql_name = {mysql: module for module, mysql in names.items()}
    wanted = ", ".join(literal(name) for name in by_mysql_name)
    # MariaDB writes defaults as SQL, so that 'NULL' is not NULL; MySQL writes them bare
    default = "if(version() like '%mariadb%', column_default, quote(column_default))"
    schemata, described, keyed, referring, listed = ask(
        f"select schema_name from information_schema.schemata where schema_name in ({wanted})",
        "select table_schema, table_name, column_name, column_type, is_nullable,"
        f" {default}, column_key, extra, column_comment, character_set_name,"
        " collation_name, generation_expression"
        f" from information_schema.columns where table_schema in ({wanted})"
        " order by table_schema, table_name, ordinal_position",
        "select table_schema, table_name, column_name from information_schema.statistics"
        f" where table_schema in ({wanted}) and index_name = 'PRIMARY'"
        " order by table_schema, table_name, seq_in_index",
        "select table_schema, table_name, constraint_name, referenced_table_schema,"
        " referenced_table_name, column_name, referenced_column_name"
        f" from information_schema.key_column_usage where table_schema in ({wanted})"
        " and referenced_table_name is not null"
        " order by table_schema, table_name, constraint_name, ordinal_position",
        "select table_schema, table_name, table_type, table_comment"
        f" from information_schema.tables where table_schema in ({wanted})",
    )
    visible = {name for (name,) in schemata}
    for module, mysql in names.items():
        if mysql not in visible:
            left_out.append(
                LeftOut(module, f"schema {mysql} is missing or this login may not see it")
            )
    columns = defaultdict(list)
    for schema, table, *rest in described:
        columns[schema, table].append(_column(rest))
    primary_keys = defaultdict(list)
    for schema, table, column in keyed:
        primary_keys[schema, table].append(column)
    foreign_keys = _foreign_keys(referring)
    # a damaged table has no kind
    shown = [(schema, name, kind or "", comment or "") for schema, name, kind, comment in listed]
    own = _own_names((schema, name) for schema, name, _, _ in shown)
    tables = []
    for schema, name, kind, comment in sorted(shown):
        module = by_mysql_name[schema]
        if tier(name) == "Hidden":
            left_out.append(LeftOut(f"{module}.{name}", BOOKKEEPING))
            continue
        if kind == "VIEW":
            left_out.append(LeftOut(f"{module}.{name}", "a view of the server, not a table"))
            continue
        tables.append(
            Table(
                schema=module,
                name=own[schema, name],
                mysql_schema=schema,
                mysql_table=name,
                comment=comment,
                columns=tuple(columns[schema, name]),
                primary_key=tuple(primary_keys[schema, name]),
                foreign_keys=tuple(foreign_keys[schema, name]),
            )
        )
    order = list(names)
    tables.sort(key=lambda table: (order.index(table.schema), table.name))
    return tables, left_out


def _own_names(shown: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """The name of each table in the file, where names that differ in case alone are one name.

    It is the plain one, as long as no other table has it; else with the sign of the tier, else
    with a number. Names in lower case, as DataJoint makes them, go first.
    """
    own: dict[tuple[str, str], str] = {}
    taken = set()
    for schema, name in sorted(shown, key=lambda table: (_has_sign(table[1]), table[1].swapcase())):
        numbered = (f"{name}_{number}" for number in count(2))
        for candidate in chain([plain_name(name), name], numbered):
            if candidate and (schema, candidate.lower()) not in taken:
                own[schema, name] = candidate
                taken.add((schema, candidate.lower()))
                break
    return own


def _has_sign(mysql_table: str) -> bool:
    return plain_name(mysql_table) != mysql_table


def _column(row: Sequence[Any]) -> Column:
    # MySQL 8 sends some of these as bytes
    name, declared_type, nullable, default, key, extra, comment, *definition = (
        value.decode() if isinstance(value, bytes) else value for value in row
    )
    if default == "NULL":
        default = None
    elif default and re.fullmatch(r"'.*'", default, re.DOTALL):
        default = unescaped(default[1:-1].replace("''", "'"))
    return Column(
        name,
        declared_type,
        nullable == "YES",
        default,
        key or "",
        extra or "",
        comment or "",
        *(text or "" for text in definition),
    )


def _foreign_keys(rows: Iterable[tuple[Any, ...]]) -> dict[tuple[str, str], list[ForeignKey]]:
    pairs = defaultdict(list)
    for schema, table, constraint, *rest in rows:
        pairs[schema, table, constraint].append(rest)
    keys = defaultdict(list)
    for (schema, table, constraint), own in pairs.items():
        keys[schema, table].append(
            ForeignKey(
                name=constraint,
                columns=tuple(row[2] for row in own),
                mysql_schema=own[0][0],
                mysql_table=own[0][1],
                references=tuple(row[3] for row in own),
            )
        )
    return keys
