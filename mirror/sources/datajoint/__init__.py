"""A DataJoint server as a source: its login, its catalogue, its rows.

Everything is read with SELECT alone. The login is DataJoint's own configuration and is
never written, printed or passed on a command line.
"""

import ipaddress
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any
from uuid import UUID

from mirror.background import in_background
from mirror.errors import SourceError
from mirror.sources import (
    Census,
    Parts,
    ReadAgain,
    Reading,
    Request,
    Share,
    Stamp,
    library,
)
from mirror.sources.datajoint import counting, headings
from mirror.sources.datajoint.access import Access
from mirror.sources.datajoint.login import Login
from mirror.sources.datajoint.mysql import (
    beside,
    conditions,
    equal,
    exact,
    is_exact,
    is_ordered,
    literal,
    name_of,
    quoted,
    where,
)
from mirror.tables import LeftOut, Restriction, Table
from mirror.types import Conversion

if TYPE_CHECKING:
    from mirror.sources.datajoint.ahead import Ahead, Answer

# Of the main connection, the one that counts, the one that reads, and who asks after a silence.
CONNECTIONS = 4
# Batches in a query of connectorx, which goes ten ways to the server and back to begin one.
RANGE = 4
# What a point in a transaction is called.
HERE = "counted"


class DataJointSource:
    """A server that answers, and the schemas that `nma_ibl` names on it."""

    kind = "datajoint"
    is_simulated = False
    is_whole = True
    plan = None

    def __init__(self, at: Login) -> None:
        self.access = Access(at)
        self.address = self.access.address
        self._ahead: Ahead | None = None
        self._states: dict[Table, counting.Sized] = {}
        self._names = {
            module: at.prefix + schema for module, schema in library.nma_ibl_schemas().items()
        }
        [(self._version, self._allowed)], [(_, cipher)] = self.access.ask_all(
            "select version(), @@max_user_connections", "show session status like 'Ssl_cipher'"
        )
        if at.use_tls and not cipher:
            raise SourceError(
                f"The server at {self.address} offers no encryption: have it offered, or take"
                " database.use_tls out of DataJoint's configuration."
            )
        # connectorx cannot encrypt: a connection that DataJoint would encrypt is not
        # reopened in the clear, unless it never leaves this machine
        self.fast = (
            at.use_tls in (None, False)
            and (not cipher or (_is_loopback(at.host) and self.access.server.takes_unencrypted()))
            and self._may_have(CONNECTIONS)
        )

    def versions(self) -> Mapping[str, str]:
        return {"server": self._version}

    def schemas(self) -> Sequence[str]:
        return tuple(self._names)

    def tables(self) -> tuple[Sequence[Table], Sequence[LeftOut]]:
        return headings.read(self.access.ask_all, self._names)

    def hides(self, mysql_schema: str, mysql_table: str) -> bool:
        # of a table that is not there it says so only to those who may read it
        place = f"{quoted(mysql_schema)}.{quoted(mysql_table)}"
        return self.access.is_refused(f"select 1 from {place} limit 0")

    def subjects(self, names: Sequence[str]) -> Mapping[str, Sequence[UUID]]:
        table = f"{quoted(self._names['subject'])}.`subject`"
        found: dict[str, Sequence[UUID]] = {}
        for name in names:
            try:
                wanted = f"subject_uuid = {literal(UUID(name))}"
            except ValueError:
                wanted = f"subject_nickname = {literal(name)}"
            rows = self.access.ask(f"select subject_uuid from {table} where {wanted}")
            found[name] = [UUID(bytes=uuid) for (uuid,) in rows]
        return found

    def prepare(self, tables: Sequence[Table], anew: bool) -> None:
        # what an earlier sync has read is no longer of this moment
        self._stop_reading_ahead()
        if anew:
            # what takes a while to load and to start
            in_background(partial(import_module, f"{__name__}.ahead"))
            if self.fast:
                self.access.connectorx()

    def stamps(self, tables: Sequence[Table]) -> Mapping[Table, Stamp]:
        found = {table: answer.stamp for table in tables if (answer := self._read_already(table))}
        if asked := [table for table in tables if table not in found]:
            states = counting.states(asked, self.access.ask(counting.state(asked), asked[0]))
            self._states.update(states)
            found.update({table: state.stamp for table, state in states.items()})
        return {table: stamp for table, stamp in found.items() if stamp}

    def checksums(self, tables: Sequence[Table]) -> Mapping[Table, str]:
        rows = self.access.ask(counting.checksum(tables), tables[0])
        found = zip(tables, map(counting.checksum_of, rows), strict=True)
        return {table: checksum for table, checksum in found if checksum}

    def read_ahead(self, requests: Sequence[Request]) -> Collection[Table]:
        """Begin with the small tables, if the server allows a connection for that."""
        if not requests:
            return ()
        small = [
            (request, state.size)
            for request in requests
            if (state := self._states.get(request.table)) and counting.is_small(state)
        ]
        if self.fast and len(small) < len(requests):
            # it takes a while to start
            self.access.connectorx()
        # NumPy and Arrow, which a sync that finds nothing changed can do without
        from mirror.sources.datajoint import ahead

        questions = [
            ahead.Question(request, query, size)
            for request, size in small
            for query in self._queries(
                request.table, request.columns, [conditions(request.wanted)], as_text=True
            )
        ]
        if questions and self._may_have(CONNECTIONS + 1):
            with suppress(SourceError):
                self._ahead = ahead.Ahead(self.access.server, questions)
                return {question.request.table for question in questions}
        return ()

    def census(
        self,
        table: Table,
        columns: Mapping[str, Conversion],
        wanted: Restriction,
        with_checksum: bool,
    ) -> Callable[[], Census]:
        if answer := self._read_already(table):
            known = answer.census
            return lambda: known
        request = Request(table, columns, wanted)
        side = self.access.free_side()
        with self.access.errors(table):
            side.ask("start transaction with consistent snapshot")

        def last(statement: str) -> Sequence[tuple[Any, ...]]:
            """Ask the last thing of this moment."""
            try:
                with self.access.errors(table):
                    rows, _ = side.ask_on(statement, "commit")
            finally:
                if self.access.counting is side:
                    self.access.counting = None
            return rows

        def checksum() -> str | None:
            with self.access.checking:
                [row] = last(counting.checksum([table]))
            return counting.checksum_of(row)

        def count() -> Census:
            counts = counting.census(request)
            if not with_checksum:
                [row] = last(counts)
                return counting.census_of(request, row)
            with self.access.errors(table):
                # lets go of the table: else who waits to alter it keeps rows from being read
                _, [row], _ = side.ask_on(f"savepoint {HERE}", counts, f"rollback to {HERE}")
            return replace(counting.census_of(request, row), checksum_later=checksum)

        if side is not self.access.main:
            self.access.counting = side
            return count
        # nothing can run beside it
        counted = count()
        if with_checksum:
            counted = replace(counted, checksum=checksum(), checksum_later=None)
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
        rows = self.access.ask(
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
        from mirror import blobs
        from mirror.sources.datajoint import readers

        answer = self._read_already(table) if keys is None else None
        has_blobs = any(conversion.is_blob for conversion in columns.values())
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
        # connectorx holds all the values of a query at once
        is_odd = table in self.access.too_odd or any(found.is_file for found in columns.values())
        is_ranged = is_ordered(table) and columns.keys() >= set(table.primary_key)
        if self.fast and is_ranged and not (answer or has_blobs or is_odd):
            most = RANGE * batch_rows if keys is None else None
            ranges = self._ranges(table, base, most) if most else whole
            queries = self._queries(table, columns, ranges, as_text=False, most=most)
            try:
                return readers.read_arrow(self.access, table, columns, queries)
            except readers.NotForConnectorx as refusal:
                self.fast = not refusal.for_all_tables
        if answer:
            batches = readers.parts_of(answer.rows, columns, batch_rows)
        else:
            queries = self._queries(table, columns, whole, as_text=True)
            batches = readers.text_batches(self.access, table, columns, queries, batch_rows)
        if has_blobs:
            unpack = blobs.unpacker(library.datajoint("blob").Blob)
            return readers.read_blobs(table, columns, batches, unpack)
        return readers.read_text(columns, batches)

    def close(self) -> None:
        self._stop_reading_ahead()
        self.access.close()

    def _queries(
        self,
        table: Table,
        columns: Mapping[str, Conversion],
        ranges: Iterable[Sequence[str]],
        as_text: bool,
        most: int | None = None,
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
        of = f"{name_of(table)} as t"
        if most:
            # or a server might sort all rows for each range
            of, clause = f"{of} force index (primary)", f"{clause} limit {most}"
        for some in ranges:
            yield f"select {select} from {of}{where(some)}{clause}"

    def _ranges(self, table: Table, base: list[str], rows: int) -> Iterator[list[str]]:
        """Cut the rows wanted into ranges of the primary key, each above the last row before."""
        above: list[str] = []
        while True:
            yield [*base, *above]
            found = self.access.connectorx()
            if found.rows < rows:
                return
            above = [beside(table.primary_key, ">", exact(table, found.last))]

    def _stop_reading_ahead(self) -> None:
        if self._ahead:
            self._ahead.close()
        self._ahead = None

    def _read_already(self, table: Table) -> "Answer | None":
        if self._ahead and not self.access.has_failed(table):
            return self._ahead.get(table)
        return None

    def _may_have(self, connections: int) -> bool:
        return self._allowed == 0 or self._allowed >= connections


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
