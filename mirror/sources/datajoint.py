"""A DataJoint server as a source: its login, its catalogue, its rows.

Everything is read with SELECT alone. The login is DataJoint's own configuration and is
never written, printed or passed on a command line.
"""

import ipaddress
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import pymysql
from pymysql.constants import CLIENT

from mirror import blobs
from mirror.errors import MirrorError, SourceError
from mirror.sources import (
    Census,
    Parts,
    ReadAgain,
    Reading,
    Share,
    Stamp,
    Unreadable,
    headings,
    library,
    readers,
)
from mirror.sources.login import Login
from mirror.sources.mysql import (
    SESSION,
    beside,
    conditions,
    equal,
    is_exact,
    is_ordered,
    literal,
    name_of,
    quoted,
    where,
)
from mirror.tables import LeftOut, Restriction, Table
from mirror.types import Conversion

# MySQL 8 otherwise answers UPDATE_TIME from a cache that may be a day old.
UNCACHED = "set information_schema_stats_expiry = 0"

REFUSED_LOGIN = {1044, 1045, 1130, 1698, 1862, 3118}
REFUSED_TABLE = {1044, 1142, 1143, 1146, 1356, 1370}
LOST = {0, 1053, 1077, 1927, 2006, 2013, 2055}
PUBLIC_SERVER = "internationalbrainlab.org"


class DataJointSource:
    """A server that answers, and the schemas that `nma_ibl` names on it."""

    kind = "datajoint"
    is_simulated = False
    is_whole = True

    def __init__(self, at: Login) -> None:
        self._login = at
        self.address = f"{at.host}:{at.port}" + (f" ({at.prefix}*)" if at.prefix else "")
        self._main = self.connect()
        self._side: pymysql.Connection | None = None
        self._too_odd: set[Table] = set()
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

    def connect(self, client_flag: int = 0) -> pymysql.Connection:
        """Open a connection the way DataJoint does: encrypted where the server offers it."""
        at = self._login
        tls: dict[str, Any] = {}
        if at.use_tls is not False:
            tls = {"ssl": at.use_tls if isinstance(at.use_tls, dict) else {"ssl": {}}}
        try:
            connection = self._open(client_flag=client_flag, **tls)
            with connection.cursor() as cursor:
                for statement in SESSION:
                    cursor.execute(statement)
                if not re.search("mariadb", connection.get_server_info(), re.IGNORECASE):
                    self._set_uncached(cursor)
        # at what is no MySQL server, pymysql fails in any way there is
        except Exception as error:
            raise self._unreachable(error) from None
        return connection

    def _open(self, **options: Any) -> pymysql.Connection:
        at = self._login
        return pymysql.connect(
            host=at.host,
            port=at.port,
            user=at.user,
            password=at.password.reveal(),
            charset="utf8mb4",
            autocommit=True,
            **options,
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
        return headings.read(self._ask, self._names)

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

    def stamp(self, table: Table) -> Stamp | None:
        """InnoDB's time of the last change, which the server keeps in memory, to the second.

        MariaDB writes down when the transaction began, not when it was committed: one begun
        in the same second may still be open. No pipeline works on one row for a day.
        """
        rows = self._ask(
            "select create_time, update_time, update_time >= now() - interval 2 second,"
            " update_time < now() - interval 1 day"
            f" from information_schema.tables where table_schema = {literal(table.mysql_schema)}"
            f" and table_name = {literal(table.mysql_table)}"
        )
        if not rows or rows[0][1] is None:
            return None
        [(created, updated, is_fresh, is_settled)] = rows
        return Stamp(f"{created} {updated}", bool(is_fresh), bool(is_settled))

    def checksum(self, table: Table) -> str | None:
        [(_, checksum)] = self._ask(f"checksum table {name_of(table)}", table)
        return None if checksum is None else str(checksum)

    def census(
        self,
        table: Table,
        columns: Mapping[str, Conversion],
        wanted: Restriction,
        with_checksum: bool,
    ) -> Callable[[], Census]:
        counts = [
            (kind, name, f"sum({condition.format(c=quoted(name))})")
            for name, conversion in columns.items()
            for kind, condition in (("lost", conversion.lost), ("changed", conversion.changed))
            if condition
        ]
        select = ", ".join(["count(*)", *(expression for _, _, expression in counts)])
        # a connection beside the main one, which finds its way through the rows meanwhile
        self._side = self._side or self.connect(client_flag=CLIENT.MULTI_STATEMENTS)
        side = self._side
        self._run_all(side, ["start transaction with consistent snapshot"], table)

        statements = [
            f"select {select} from {name_of(table)}{where(conditions(wanted))}",
            "commit",
        ]
        if with_checksum:
            statements.insert(0, f"checksum table {name_of(table)}")

        def count() -> Census:
            # in one go: between statements the transaction would hold the table, and who waits
            # to alter it keeps the rows from being read meanwhile
            *checksums, [(rows, *values)], _ = self._run_all(side, statements, table)
            checksum = checksums[0][0][1] if checksums else None
            told: dict[str, dict[str, int]] = {"lost": {}, "changed": {}}
            for (kind, name, _), value in zip(counts, values, strict=True):
                if value:
                    told[kind][name] = int(value)
            return Census(rows, None if checksum is None else str(checksum), **told)

        return count

    def parts(self, table: Table, wanted: Restriction) -> Parts | None:
        return None

    def digests(
        self,
        table: Table,
        columns: Mapping[str, Conversion],
        by: Sequence[str],
        wanted: Restriction,
    ) -> dict[tuple[str, ...], Share]:
        if not is_exact(table, by):
            raise ReadAgain
        keys = ", ".join(quoted(name) for name in by)
        digests = {
            name: conversion.digest.format(c=quoted(name)) for name, conversion in columns.items()
        }
        written = ", ".join(digests[name] for name in by)
        text = ", ".join(f"coalesce(concat('=', {digest}), '-')" for digest in digests.values())
        rows = self._ask(
            f"select {keys}, {written}, count(*),"
            # MySQL 9.6 and later have neither md5 nor sha1
            f" bit_xor(cast(conv(left(sha2(concat_ws(char(31), {text}), 256),"
            f" 15), 16, 10) as unsigned)) from {name_of(table)}{where(conditions(wanted))}"
            f" group by {keys}",
            table,
        )
        n = len(by)
        found = {row[n : 2 * n]: Share(row[-2], row[-1], row[:n]) for row in rows}
        # values that the mirror cannot tell apart, or has none for
        if len(found) < len(rows) or any(None in key for key in found):
            raise ReadAgain
        return found

    def read(
        self,
        table: Table,
        columns: Mapping[str, Conversion],
        wanted: Restriction,
        batch_rows: int,
        keys: Sequence[Mapping[str, object]] | None = None,
    ) -> Reading:
        base = conditions(wanted)
        whole = [base]
        if keys is not None:
            # of no keys, the empty reading that still tells its columns
            whole = (
                [["false"]]
                if not keys
                else [
                    [*base, "(" + " or ".join(map(equal, keys[start : start + 100])) + ")"]
                    for start in range(0, len(keys), 100)
                ]
            )
        with self._errors(table):
            if any(conversion.is_blob for conversion in columns.values()):
                queries = self._queries(table, columns, whole, as_text=True)
                unpack = blobs.unpacker(library.datajoint("blob").Blob)
                return readers.read_blobs(self, table, columns, queries, batch_rows, unpack)
            # connectorx holds all the values of a query at once
            is_odd = table in self._too_odd or any(found.is_file for found in columns.values())
            if self.fast and is_ordered(table) and not is_odd:
                ranges = self._ranges(table, base, batch_rows) if keys is None else whole
                queries = self._queries(table, columns, ranges, as_text=False)
                try:
                    return readers.read_arrow(self, table, columns, queries)
                except readers.NotForConnectorx as refusal:
                    self.fast = not refusal.for_all_tables
            queries = self._queries(table, columns, whole, as_text=True)
            return readers.read_text(self, table, columns, queries, batch_rows)

    def broken(self, table: Table) -> Exception:
        """What to raise when connectorx stops within a table, whoever is to blame."""
        try:
            self._ask("select 1")
        except MirrorError:
            return self.explain(ConnectionError(), table)
        self._too_odd.add(table)
        return ReadAgain()

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
        clause = f" order by {order}" if order else ""
        for some in ranges:
            yield f"select {select} from {name_of(table)} as t{where(some)}{clause}"

    def _ranges(self, table: Table, base: list[str], batch_rows: int) -> Iterator[list[str]]:
        """Cut the rows wanted into ranges of the primary key, of batch_rows each."""
        key = ", ".join(quoted(name) for name in table.primary_key)
        above: list[str] = []
        while True:
            last = self._ask(
                f"select {key} from {name_of(table)} force index (primary)"
                f"{where([*base, *above])} order by {key} limit 1 offset {batch_rows - 1}",
                table,
            )
            if not last:
                yield [*base, *above]
                return
            yield [*base, *above, beside(table.primary_key, "<", last[0], "=")]
            above = [beside(table.primary_key, ">", last[0])]

    def _ask(self, query: str, table: Table | None = None) -> Sequence[tuple]:
        with self._errors(table), self._main.cursor() as cursor:
            cursor.execute(query)
            return cursor.fetchall()

    def _run_all(
        self, connection: pymysql.Connection, statements: Sequence[str], table: Table
    ) -> list[Sequence[tuple]]:
        with self._errors(table), connection.cursor() as cursor:
            cursor.execute("; ".join(statements))
            results = [cursor.fetchall()]
            while cursor.nextset():
                results.append(cursor.fetchall())
            return results

    @contextmanager
    def _errors(self, table: Table | None) -> Iterator[None]:
        try:
            yield
        except (pymysql.err.MySQLError, ConnectionError, TimeoutError) as error:
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


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
