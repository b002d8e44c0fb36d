"""A DataJoint server as a source: its login, its catalogue, its rows.

Everything is read with SELECT alone. The login is DataJoint's own configuration and is
never written, printed or passed on a command line.
"""

import ipaddress
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from uuid import UUID

import pymysql

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
from mirror.sources.connectorx_process import Connectorx
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
from mirror.sources.server import (
    LOST,
    Connection,
    Server,
    Silent,
    TooManyConnections,
    code_of,
)
from mirror.tables import LeftOut, Restriction, Table
from mirror.types import Conversion

REFUSED_SELECT = {1044, 1142, 1143, 1370}
# Of the main connection, the one that counts, the one that reads, and who asks after a silence.
CONNECTIONS = 4


class DataJointSource:
    """A server that answers, and the schemas that `nma_ibl` names on it."""

    kind = "datajoint"
    is_simulated = False
    is_whole = True

    def __init__(self, at: Login) -> None:
        self._login = at
        self.server = Server(at)
        self.address = self.server.address
        self._main = Connection(self.server)
        self._side: Connection | None = None
        # the side connection while it counts
        self._counting: Connection | None = None
        self._connectorx: Connectorx | None = None
        # tables that one of the readers has failed at
        self._too_odd: set[Table] = set()
        self._broken: set[Table] = set()
        self._names = {
            module: at.prefix + schema for module, schema in library.nma_ibl_schemas().items()
        }
        [(self._version, allowed)] = self._ask("select version(), @@max_user_connections")
        [(_, cipher)] = self._ask("show session status like 'Ssl_cipher'")
        if at.use_tls and not cipher:
            raise SourceError(
                f"The server at {self.address} offers no encryption: have it offered, or take"
                " database.use_tls out of DataJoint's configuration."
            )
        # connectorx cannot encrypt: a connection that DataJoint would encrypt is not
        # reopened in the clear, unless it never leaves this machine
        self.fast = (
            at.use_tls in (None, False)
            and (not cipher or (_is_loopback(at.host) and self.server.takes_unencrypted()))
            and (allowed == 0 or allowed >= CONNECTIONS)
        )
        if self.fast:
            # it takes a while to start
            self.connectorx()

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

    def prepare(self, tables: Sequence[Table]) -> None: ...

    def stamp(self, table: Table) -> Stamp | None:
        """InnoDB's time of the last change, which the server keeps in memory, to the second.

        MariaDB writes down when the transaction began, not when it was committed: one begun
        in the same second may still be open. No pipeline works on one row for a day.
        """
        rows = self._ask(
            "select create_time, update_time, update_time >= now() - interval 2 second,"
            " update_time < now() - interval 1 day"
            f" from information_schema.tables where table_schema = {literal(table.mysql_schema)}"
            f" and table_name = {literal(table.mysql_table)}",
            table,
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
        statements = [
            f"select {select} from {name_of(table)}{where(conditions(wanted))}",
            "commit",
        ]
        if with_checksum:
            statements.insert(0, f"checksum table {name_of(table)}")
        side = self._free_side(table)
        with self.errors(table):
            side.ask("start transaction with consistent snapshot")

        def count() -> Census:
            # in one go: between statements the transaction would hold the table, and who waits
            # to alter it keeps the rows from being read meanwhile
            try:
                with self.errors(table):
                    *checksums, [(rows, *values)], _ = side.ask_on(*statements)
            finally:
                if self._counting is side:
                    self._counting = None
            checksum = checksums[0][0][1] if checksums else None
            told: dict[str, dict[str, int]] = {"lost": {}, "changed": {}}
            for (kind, name, _), value in zip(counts, values, strict=True):
                if value:
                    told[kind][name] = int(value)
            return Census(rows, None if checksum is None else str(checksum), **told)

        if side is not self._main:
            self._counting = side
            return count
        # nothing can run beside it
        counted = count()
        return lambda: counted

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

    @contextmanager
    def reading(self, table: Table) -> Iterator[Connection]:
        """A connection that reads a table: one of its own, unless there can be none."""
        connection = self._another()
        try:
            with self.errors(table):
                yield connection
        finally:
            if connection is not self._main:
                connection.hang_up()

    @contextmanager
    def errors(self, table: Table | None = None) -> Iterator[None]:
        """Put what goes wrong at the server into a sentence, and say whom it concerns.

        Raises SourceError where it is the server as a whole, ReadAgain or Unreadable where it is
        the table.
        """
        try:
            yield
        except Silent:
            raise self._stopped(table) from None
        except (pymysql.err.MySQLError, UnicodeError) as error:
            raise self._told(error, table) from None

    def connectorx(self) -> Connectorx:
        """The process that reads through connectorx."""
        if self._connectorx is None:
            at = self._login
            url = readers.url(at.host, at.port, at.user, at.password.reveal())
            self._connectorx = Connectorx(url, SESSION)
        return self._connectorx

    def stop_connectorx(self) -> None:
        if self._connectorx:
            self._connectorx.stop()
        self._connectorx = None

    def failed(self, table: Table, is_odd: bool = False) -> Exception:
        """What to raise when the rows of a table stop coming, whoever is to blame.

        `is_odd` says that connectorx has stumbled over the table.
        """
        if not self.server.answers():
            return self._stopped(table)
        tried = self._too_odd if is_odd else self._broken
        if table in tried:
            return Unreadable("the server breaks off the connection when it is read")
        tried.add(table)
        return ReadAgain()

    def close(self) -> None:
        for connection in (self._main, self._side):
            if connection:
                connection.hang_up()
        self.stop_connectorx()

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
        with self.errors(table):
            [rows] = self._main.ask(query)
        return rows

    def _another(self, many: bool = False) -> Connection:
        """A connection beside the main one, or that where the server allows no more."""
        try:
            return Connection(self.server, many)
        except TooManyConnections:
            return self._main

    def _free_side(self, table: Table) -> Connection:
        """The connection that counts, which the main one finds its way through the rows beside."""
        if self._side and self._counting is self._side:
            # for a table that has been given up meanwhile
            self._side.hang_up()
        elif self._side:
            return self._side
        self._side = self._another(many=True)
        return self._side

    def _stopped(self, table: Table | None) -> SourceError:
        reading = f" while {table} was read" if table else ""
        return SourceError(
            f"The server at {self.address} stopped answering{reading}; what is copied is"
            " kept, run the same command again to go on."
        )

    def _told(self, error: Exception, table: Table | None) -> Exception:
        code = code_of(error)
        is_lost = code in LOST or (code is None and isinstance(error, pymysql.err.MySQLError))
        if is_lost:
            return self.failed(table) if table else self._stopped(table)
        if table and code in REFUSED_SELECT:
            return Unreadable(f"the server refuses SELECT ({code})")
        reason = str(error.args[-1] if error.args else type(error).__name__).rstrip(".")
        if table:
            return Unreadable(f"the server answers: {reason} ({code})")
        return MirrorError(f"The server at {self.address} answered: {reason} ({code}).")


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
