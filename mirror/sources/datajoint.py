"""A DataJoint server as a source: its login, its catalogue, its rows.

Everything is read with SELECT alone. The login is DataJoint's own configuration and is
never written, printed or passed on a command line.
"""

import ipaddress
import re
import sys
import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from getpass import getpass
from typing import Any
from uuid import UUID

import pymysql
from pymysql.converters import escape_string

from mirror import blobs
from mirror.errors import MirrorError, SourceError, UsageError
from mirror.sources import Census, Reading, Unreadable, library, readers
from mirror.tables import Column, ForeignKey, LeftOut, Restriction, Table, plain_name, tier
from mirror.types import Conversion

# What every connection says first. MySQL converts TIMESTAMP columns to the session's zone:
# pinned, a mirror does not depend on where the server stands. An empty mode makes string
# literals mean the same on every server.
SESSION = ("set time_zone = '+00:00'", "set sql_mode = ''")
# MySQL 8 otherwise answers UPDATE_TIME from a cache that may be a day old.
UNCACHED = "set information_schema_stats_expiry = 0"

REFUSED_LOGIN = {1044, 1045, 1130, 1698, 1862, 3118}
REFUSED_TABLE = {1044, 1142, 1143, 1146, 1356, 1370}
LOST = {0, 1053, 1077, 1927, 2006, 2013, 2055}
PUBLIC_SERVER = "internationalbrainlab.org"


@dataclass(frozen=True)
class Login:
    """Where the server is and who asks; the password shows in no `repr`."""

    host: str
    port: int
    user: str
    password: "Secret"
    use_tls: bool | dict | None
    prefix: str


class Secret:
    """A password that cannot be printed by accident."""

    def __init__(self, value: str) -> None:
        self.reveal = lambda: value


def login(
    host: str | None = None,
    port: int | None = None,
    user: str | None = None,
    ask_password: bool = False,
) -> Login:
    """Take the login from DataJoint's configuration; arguments go before it.

    The files `dj_local_conf.json` and `~/.datajoint_config.json` and the variables `DJ_HOST`,
    `DJ_USER` and `DJ_PASS` are read as DataJoint reads them. A password is asked for only on
    request and only at a terminal. Raises UsageError.
    """
    try:
        config = library.datajoint("settings").config
        for name in ("host", "user", "password"):
            if not isinstance(config[f"database.{name}"], str | None):
                raise TypeError(f"database.{name} is not a text")
        configured_port = int(config["database.port"])
        custom = dict(config.get("custom") or {})
    # KeyError: a loglevel that DataJoint does not know
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise UsageError(
            f"DataJoint's configuration cannot be read ({error}): mend dj_local_conf.json or"
            " ~/.datajoint_config.json."
        ) from error
    host = host or config["database.host"]
    user = user or config["database.user"]
    if not user:
        raise UsageError(
            "No DataJoint login is configured: set DJ_HOST, DJ_USER and DJ_PASS, or run where"
            " dj_local_conf.json lies, or have ~/.datajoint_config.json."
        )
    # as in DataJoint, a port written behind the host wins over the configured one
    match = re.fullmatch(r"(?P<host>[^:]+):(?P<port>\d+)", host)
    if match:
        host = match["host"]
    port = port or (int(match["port"]) if match else configured_port)
    password = config["database.password"]
    if ask_password:
        # there is none at all where it was closed
        if not (sys.stdin and sys.stdin.isatty()):
            raise UsageError("--ask-password needs a terminal: set DJ_PASS instead.")
        password = getpass(f"Password of {user} at {host}: ")
    if password is None:
        raise UsageError(
            f"No password for {user} at {host}: set DJ_PASS, write database.password into"
            " DataJoint's configuration, or add --ask-password."
        )
    prefix = custom.get("database.prefix", config.get("database.prefix", ""))
    return Login(host, port, user, Secret(password), config["database.use_tls"], prefix)


class DataJointSource:
    """A server that answers, and the schemas that `nma_ibl` names on it."""

    kind = "datajoint"

    def __init__(self, at: Login) -> None:
        self._login = at
        self.address = f"{at.host}:{at.port}"
        self._main = self.connect()
        self._side: pymysql.Connection | None = None
        self._beside = threading.Lock()
        self._names = {
            module: at.prefix + schema for module, schema in library.nma_ibl_schemas().items()
        }
        self._version = self._ask("select version()")[0][0]
        encrypted = bool(self._ask("show session status like 'Ssl_cipher'")[0][1])
        if at.use_tls and not encrypted:
            raise SourceError(
                f"The server at {self.address} offers no encryption: have it offered, or take"
                " database.use_tls out of DataJoint's configuration."
            )
        # connectorx cannot encrypt: a connection that DataJoint would encrypt is not
        # reopened in the clear, unless it never leaves this machine
        self.fast = at.use_tls in (None, False) and (
            not encrypted or (_is_loopback(at.host) and self._is_open_unencrypted())
        )

    def connect(self) -> pymysql.Connection:
        """Open a connection the way DataJoint does: encrypted where the server offers it."""
        at = self._login
        tls: dict[str, Any] = {}
        if at.use_tls is not False:
            tls = {"ssl": at.use_tls if isinstance(at.use_tls, dict) else {"ssl": {}}}
        try:
            connection = self._open(**tls)
            with connection.cursor() as cursor:
                for statement in SESSION:
                    cursor.execute(statement)
                if not re.search("mariadb", connection.get_server_info(), re.IGNORECASE):
                    self._set_uncached(cursor)
        # at what is no MySQL server, pymysql fails in any way there is
        except Exception as error:
            raise self._unreachable(error) from None
        return connection

    def _open(self, **tls: Any) -> pymysql.Connection:
        at = self._login
        return pymysql.connect(
            host=at.host,
            port=at.port,
            user=at.user,
            password=at.password.reveal(),
            charset="utf8mb4",
            autocommit=True,
            **tls,
        )

    def _is_open_unencrypted(self) -> bool:
        """Whether the login needs no encryption; connectorx would try for half a minute."""
        try:
            self._open().close()
        except (pymysql.err.MySQLError, OSError):
            return False
        return True

    @staticmethod
    def _set_uncached(cursor: pymysql.cursors.Cursor) -> None:
        try:
            cursor.execute(UNCACHED)
        except pymysql.err.OperationalError:
            # servers before MySQL 8 have no such cache
            return

    @property
    def url(self) -> str:
        """The address and login as connectorx takes them; for its ears only."""
        return readers.url(
            self._login.host, self._login.port, self._login.user, self._login.password.reveal()
        )

    def versions(self) -> Mapping[str, str]:
        return {"server": self._version}

    def schemas(self) -> Sequence[str]:
        return tuple(self._names)

    def tables(self) -> tuple[Sequence[Table], Sequence[LeftOut]]:
        """Read the catalogue: four queries over information_schema, whatever the server.

        Columns are taken by position, since MySQL 8 answers with upper-case names.
        """
        left_out = []
        by_mysql_name = {mysql: module for module, mysql in self._names.items()}
        wanted = ", ".join(literal(name) for name in by_mysql_name)
        visible = {
            name
            for (name,) in self._ask(
                "select schema_name from information_schema.schemata"
                f" where schema_name in ({wanted})"
            )
        }
        for module, mysql in self._names.items():
            if mysql not in visible:
                left_out.append(
                    LeftOut(module, f"schema {mysql} is missing or this login may not see it")
                )
        columns = defaultdict(list)
        for schema, table, *rest in self._ask(
            "select table_schema, table_name, column_name, column_type, is_nullable,"
            " column_default, column_key, extra, column_comment"
            f" from information_schema.columns where table_schema in ({wanted})"
            " order by table_schema, table_name, ordinal_position"
        ):
            columns[schema, table].append(self._column(*rest))
        primary_keys = defaultdict(list)
        for schema, table, column in self._ask(
            "select table_schema, table_name, column_name from information_schema.statistics"
            f" where table_schema in ({wanted}) and index_name = 'PRIMARY'"
            " order by table_schema, table_name, seq_in_index"
        ):
            primary_keys[schema, table].append(column)
        foreign_keys = self._foreign_keys(wanted)
        tables, taken = [], set()
        for schema, name, kind, comment in self._ask(
            "select table_schema, table_name, table_type, table_comment"
            f" from information_schema.tables where table_schema in ({wanted})"
            " order by table_schema, table_name"
        ):
            module = by_mysql_name[schema]
            if tier(name) == "Hidden":
                left_out.append(LeftOut(f"{module}.{name}", "DataJoint's own bookkeeping"))
                continue
            if kind == "VIEW":
                left_out.append(LeftOut(f"{module}.{name}", "a view of the server, not a table"))
                continue
            short = plain_name(name)
            # tables of two tiers may share a name: one of them keeps the sign of its tier
            if short != name and ((schema, short) in columns or (schema, short) in taken):
                short = name
            taken.add((schema, short))
            tables.append(
                Table(
                    schema=module,
                    name=short,
                    mysql_schema=schema,
                    mysql_table=name,
                    comment=comment or "",
                    columns=tuple(columns[schema, name]),
                    primary_key=tuple(primary_keys[schema, name]),
                    foreign_keys=tuple(foreign_keys[schema, name]),
                )
            )
        order = list(self._names)
        tables.sort(key=lambda table: (order.index(table.schema), table.name))
        return tables, left_out

    def subjects(self, names: Sequence[str]) -> Mapping[str, Sequence[UUID]]:
        table = f"{quoted(self._names['subject'])}.`subject`"
        found: dict[str, Sequence[UUID]] = {}
        for name in names:
            try:
                wanted = f"subject_uuid = {literal(UUID(name))}"
            except ValueError:
                wanted = f"subject_nickname = {literal(name)}"
            rows = self._ask(f"select subject_uuid from {table} where {wanted}")
            found[name] = [UUID(bytes=uuid) for (uuid,) in rows]
        return found

    def change_token(self, table: Table) -> str | None:
        """InnoDB's time of the last commit to the table.

        The server keeps it in memory and to the second: after a restart there is none, and
        one as young as the present second may still hide a change.
        """
        rows = self._ask(
            "select create_time, update_time from information_schema.tables where table_schema ="
            f" {literal(table.mysql_schema)} and table_name = {literal(table.mysql_table)}"
            " and update_time < now() - interval 1 second"
        )
        return f"{rows[0][0]} {rows[0][1]}" if rows and rows[0][0] else None

    def checksum(self, table: Table) -> str | None:
        rows = self._ask_apart(f"checksum table {_name(table)}", table)
        return None if rows[0][1] is None else str(rows[0][1])

    def census(
        self, table: Table, columns: Mapping[str, Conversion], wanted: Restriction
    ) -> Census:
        counts = [
            (kind, name, f"sum({condition.format(c=quoted(name))})")
            for name, conversion in columns.items()
            for kind, condition in (("lost", conversion.lost), ("changed", conversion.changed))
            if condition
        ]
        select = ", ".join(["count(*)", *(expression for _, _, expression in counts)])
        [(rows, *values)] = self._ask_apart(
            f"select {select} from {_name(table)}{_where(wanted)}", table
        )
        told: dict[str, dict[str, int]] = {"lost": {}, "changed": {}}
        for (kind, name, _), value in zip(counts, values, strict=True):
            if value:
                told[kind][name] = int(value)
        return Census(rows, **told)

    def digests(
        self,
        table: Table,
        columns: Mapping[str, Conversion],
        by: Sequence[str],
        wanted: Restriction,
    ) -> dict[tuple, tuple[int, int]]:
        keys = ", ".join(quoted(name) for name in by)
        text = ", ".join(
            f"coalesce(concat('=', {conversion.digest.format(c=quoted(name))}), '-')"
            for name, conversion in columns.items()
        )
        rows = self._ask(
            f"select {keys}, count(*), bit_xor(cast(conv(left(md5(concat_ws(char(31), {text})),"
            f" 15), 16, 10) as unsigned)) from {_name(table)}{_where(wanted)} group by {keys}",
            table,
        )
        return {
            tuple(UUID(bytes=v) if isinstance(v, bytes) else v for v in key): (count, digest)
            for *key, count, digest in rows
        }

    def read(
        self,
        table: Table,
        columns: Mapping[str, Conversion],
        wanted: Restriction,
        batch_rows: int,
        keys: Sequence[Mapping[str, object]] | None = None,
    ) -> Reading:
        where = _conditions(wanted)
        whole = [where]
        if keys is not None:
            whole = [
                [*where, "(" + " or ".join(map(_equal, keys[start : start + 100])) + ")"]
                for start in range(0, len(keys), 100)
            ]
        is_large = keys is None and self._estimated_rows(table) > batch_rows // 2
        with self._errors(table):
            if any(conversion.is_blob for conversion in columns.values()):
                queries = self._queries(table, columns, whole, as_text=True)
                unpack = blobs.unpacker(library.datajoint("blob").Blob)
                return readers.read_blobs(self, table, columns, queries, batch_rows, unpack)
            if self.fast and (not is_large or _is_ordered(table)):
                ranges = self._ranges(table, where, batch_rows) if is_large else whole
                queries = self._queries(table, columns, ranges, as_text=False)
                try:
                    return readers.read_arrow(self, table, columns, queries)
                except readers.NotForConnectorx as refusal:
                    self.fast = not refusal.for_all_tables
            queries = self._queries(table, columns, whole, as_text=True)
            return readers.read_text(self, table, columns, queries, batch_rows)

    def close(self) -> None:
        self._main.close()
        if self._side:
            self._side.close()

    def _queries(
        self,
        table: Table,
        columns: Mapping[str, Conversion],
        ranges: Iterable[Sequence[str]],
        as_text: bool,
    ) -> Iterator[str]:
        select = ", ".join(
            ((as_text and conversion.select_as_text) or conversion.select).format(
                c=f"t.{quoted(name)}"
            )
            + f" as {quoted(name)}"
            for name, conversion in columns.items()
        )
        # qualified, because an alias of the same name would be sorted as text
        order = ", ".join(f"t.{quoted(name)}" for name in table.primary_key)
        for conditions in ranges:
            yield (
                f"select {select} from {_name(table)} as t"
                + (f" where {' and '.join(conditions)}" if conditions else "")
                + (f" order by {order}" if order else "")
            )

    def _ranges(self, table: Table, where: list[str], batch_rows: int) -> Iterator[list[str]]:
        """Cut the rows wanted into ranges of the primary key, of batch_rows each."""
        key = ", ".join(quoted(name) for name in table.primary_key)
        above: list[str] = []
        while True:
            last = self._ask(
                f"select {key} from {_name(table)} force index (primary)"
                + (f" where {' and '.join([*where, *above])}" if where or above else "")
                + f" order by {key} limit 1 offset {batch_rows - 1}",
                table,
            )
            if not last:
                yield [*where, *above]
                return
            yield [*where, *above, _beside(table.primary_key, "<", last[0], "=")]
            above = [_beside(table.primary_key, ">", last[0])]

    def _estimated_rows(self, table: Table) -> int:
        rows = self._ask(
            "select table_rows from information_schema.tables where table_schema ="
            f" {literal(table.mysql_schema)} and table_name = {literal(table.mysql_table)}"
        )
        return int(rows[0][0] or 0) if rows else 0

    @staticmethod
    def _column(
        name: str,
        declared_type: Any,
        nullable: str,
        default: Any,
        key: str,
        extra: str,
        comment: str,
    ) -> Column:
        # MySQL 8 sends some of these as bytes; MariaDB writes defaults as SQL: NULL, 'text'
        text = [v.decode() if isinstance(v, bytes) else v for v in (declared_type, default)]
        declared_type, default = text
        if default == "NULL":
            default = None
        elif default and re.fullmatch(r"'.*'", default, re.DOTALL):
            default = default[1:-1].replace("''", "'").replace("\\\\", "\\")
        return Column(
            name, declared_type, nullable == "YES", default, key or "", extra or "", comment or ""
        )

    def _foreign_keys(self, wanted: str) -> dict[tuple[str, str], list[ForeignKey]]:
        pairs = defaultdict(list)
        for schema, table, constraint, *rest in self._ask(
            "select table_schema, table_name, constraint_name, referenced_table_schema,"
            " referenced_table_name, column_name, referenced_column_name"
            f" from information_schema.key_column_usage where table_schema in ({wanted})"
            " and referenced_table_name is not null"
            " order by table_schema, table_name, constraint_name, ordinal_position"
        ):
            pairs[schema, table, constraint].append(rest)
        keys = defaultdict(list)
        for (schema, table, constraint), rows in pairs.items():
            keys[schema, table].append(
                ForeignKey(
                    name=constraint,
                    columns=tuple(row[2] for row in rows),
                    mysql_schema=rows[0][0],
                    mysql_table=rows[0][1],
                    references=tuple(row[3] for row in rows),
                )
            )
        return keys

    def _ask(self, query: str, table: Table | None = None) -> Sequence[tuple]:
        with self._errors(table), self._main.cursor() as cursor:
            cursor.execute(query)
            return cursor.fetchall()

    def _ask_apart(self, query: str, table: Table) -> Sequence[tuple]:
        """Ask beside the main connection, which finds its way through the rows meanwhile."""
        with self._beside, self._errors(table):
            self._side = self._side or self.connect()
            with self._side.cursor() as cursor:
                cursor.execute(query)
                return cursor.fetchall()

    @contextmanager
    def _errors(self, table: Table | None) -> Iterator[None]:
        try:
            yield
        except (pymysql.err.MySQLError, OSError) as error:
            raise self.explain(error, table) from None

    def explain(self, error: Exception, table: Table | None) -> MirrorError:
        """Put what a driver says into a sentence."""
        code = error.args[0] if error.args and isinstance(error.args[0], int) else None
        if isinstance(error, OSError) or code in LOST:
            reading = f" while {table} was read" if table else ""
            return SourceError(
                f"The server at {self.address} stopped answering{reading}; what is copied is"
                " kept, run the same command again to go on."
            )
        if table and code in REFUSED_TABLE:
            return Unreadable(f"the server refuses SELECT ({code})")
        reason = error.args[-1] if error.args else type(error).__name__
        return MirrorError(f"The server at {self.address} answered: {reason} ({code}).")

    def _unreachable(self, error: Exception) -> SourceError:
        code = error.args[0] if error.args else None
        at = self._login
        if code in REFUSED_LOGIN:
            return SourceError(
                f"The server at {self.address} refused the login of {at.user!r}: check DJ_USER"
                " and DJ_PASS, or DataJoint's configuration."
            )
        retired = (
            " IBL's public server was retired in December 2023: use a server of your own,"
            " or a mirror that somebody has kept."
            if at.host.endswith(PUBLIC_SERVER)
            else " Check DJ_HOST, --host and --port, and that the server runs."
        )
        reason = str(error.args[-1] if error.args else error).rstrip(".")
        return SourceError(f"No server answers at {self.address} ({reason}).{retired}")


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


def _name(table: Table) -> str:
    return f"{quoted(table.mysql_schema)}.{quoted(table.mysql_table)}"


def _conditions(wanted: Restriction) -> list[str]:
    conditions = []
    if wanted.subjects:
        uuids = ", ".join(literal(uuid) for uuid in wanted.subjects)
        conditions.append(f"`subject_uuid` in ({uuids})")
    if wanted.since and wanted.date_column:
        conditions.append(f"{quoted(wanted.date_column)} >= {literal(wanted.since)}")
    return conditions


def _where(wanted: Restriction) -> str:
    conditions = _conditions(wanted)
    return f" where {' and '.join(conditions)}" if conditions else ""


def _equal(key: Mapping[str, object]) -> str:
    return (
        "("
        + " and ".join(f"{quoted(name)} = {literal(value)}" for name, value in key.items())
        + ")"
    )


def _beside(names: Sequence[str], sign: str, values: Sequence[object], or_equal: str = "") -> str:
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


def _is_ordered(table: Table) -> bool:
    """Whether `<` agrees with the order of the primary key, and survives being written down.

    Enums are stored by number and compared by name, and a FLOAT has no exact literal.
    """
    ordered = re.compile(r"(tiny|small|medium|big)?int|(var)?(char|binary)|date|timestamp|dec")
    return bool(table.primary_key) and all(
        (column := table.column(name)) and ordered.match(column.declared_type)
        for name in table.primary_key
    )


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
