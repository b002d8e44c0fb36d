"""Where tables come from: the little that a sync asks of every source."""

from collections.abc import Callable, Collection, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol
from uuid import UUID

from mirror.errors import MirrorError
from mirror.tables import LeftOut, Restriction, Table
from mirror.types import Conversion

if TYPE_CHECKING:
    import pyarrow as pa


class Unreadable(MirrorError):
    """One table that the source will not show; the others go on."""


@dataclass(frozen=True)
class Reading:
    """The rows of one table on their way: batches of one Arrow schema, still to be cast.

    `conversions` names each column of the batches with the cast that it needs; a blob
    column's type is known by now. `undecodable` counts the blobs that became NULL, per
    column, and is complete when the last batch has been taken; `originals` are then the
    blobs that the column's type does not restore, as batches of column, row and original.
    `told` says, for each part of a table that comes in parts, how often what is to be known.
    """

    conversions: Mapping[str, Conversion]
    schema: "pa.Schema"
    batches: Generator["pa.RecordBatch", None, None]
    undecodable: dict[str, int] = field(default_factory=dict)
    originals: Iterable["pa.RecordBatch"] = ()
    notes: tuple[str, ...] = ()
    told: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


class ReadAgain(Exception):
    """Something broke off while a table was read, and another attempt is worth while."""


@dataclass(frozen=True)
class Stamp:
    """When the source last saw a table change, as far as it keeps account of that.

    Once settled, a stamp that stays the same means that nothing has changed; while it is
    fresh, another change may leave the same one.
    """

    text: str
    is_fresh: bool
    is_settled: bool


@dataclass(frozen=True)
class Part:
    """Rows of a table that change together: what people call them, and when they last changed."""

    name: str
    stamp: str


@dataclass(frozen=True)
class Parts:
    """The parts that a table comes in, by the value that their rows have in one column.

    That is a mouse where the column is `subject_uuid`: a restriction to mice then reads parts.
    """

    column: str
    parts: Mapping[str, Part]


@dataclass(frozen=True)
class Census:
    """What the source itself says of the rows asked for, at one moment.

    `values` counts what is not NULL of each column of which some may become so, because no DuckDB
    type holds them; `changed` what is read as something else. `checksum` is over the whole table;
    where it takes a while, `checksum_later` is to be called for it, once, when rows are read.
    """

    rows: int
    values: Mapping[str, int] = field(default_factory=dict)
    changed: Mapping[str, int] = field(default_factory=dict)
    checksum: str | None = None
    checksum_later: Callable[[], str | None] | None = None


@dataclass(frozen=True)
class Share:
    """The rows of one value of a key: how many, a digest of all, the key as the source writes it.

    Rows of equal digest are equal, written as `Conversion.local_digest` writes them.
    """

    rows: int
    digest: int
    key: tuple[Any, ...]


@dataclass(frozen=True)
class Request:
    """A table that is going to be read, which of its columns, which of its rows."""

    table: Table
    columns: Mapping[str, Conversion]
    wanted: Restriction


@dataclass(frozen=True)
class Download:
    """What there is to fetch of one mouse: files, and their bytes."""

    lab: str
    mouse: str
    files: int
    size: int
    to_fetch: int


class Plan(Protocol):
    """Files that are fetched before they are read; its `str` says how many, from where to where."""

    def by_mouse(self) -> Sequence[Download]: ...


class Source(Protocol):
    """A place that tables come from."""

    kind: str
    address: str
    is_simulated: bool
    # whether all sessions are here that a mouse has ever had
    is_whole: bool

    @property
    def plan(self) -> Plan | None:
        """What it fetches first; None where rows are simply asked for."""

    def versions(self) -> Mapping[str, str]:
        """The versions of what answers, for the provenance."""

    def schemas(self) -> Sequence[str]:
        """The schemas that are there, by their names in the mirror."""

    def tables(self) -> tuple[Sequence[Table], Sequence[LeftOut]]:
        """Every table that can be read, and what cannot."""

    def hides(self, mysql_schema: str, mysql_table: str) -> bool:
        """Whether a table that `tables` does not tell may be there all the same."""

    def subjects(self, names: Sequence[str]) -> Mapping[str, Sequence[UUID]]:
        """The mice of each nickname or uuid."""

    def prepare(self, tables: Sequence[Table], anew: bool) -> None:
        """Hear which tables are going to be read, before any is.

        All of them are where it is `anew`; else those that have changed.
        """

    def stamps(self, tables: Sequence[Table]) -> Mapping[Table, Stamp]:
        """When tables last changed, of those where that is known. Reads no rows."""

    def checksums(self, tables: Sequence[Table]) -> Mapping[Table, str]:
        """A checksum over all rows of each table, computed where they are, if that is possible."""

    def read_ahead(self, requests: Sequence[Request]) -> Collection[Table]:
        """Hear what is going to be read, in this order; begin with what is small, and tell it."""

    def census(
        self,
        table: Table,
        columns: Mapping[str, Conversion],
        wanted: Restriction,
        with_checksum: bool,
    ) -> Callable[[], Census]:
        """Choose this moment to count at; the call that is returned counts.

        It may run beside a `read`, and what the rows read later say is never older. A checksum is
        of the same moment, whenever it is taken.
        """

    def parts(self, table: Table, wanted: Restriction) -> Parts | None:
        """What the rows asked for come in, if in parts that change on their own. Reads no rows.

        A part that the source no longer has is kept: the source may never have it again.
        """

    def digests(
        self,
        table: Table,
        columns: Mapping[str, Conversion],
        by: Sequence[str],
        wanted: Restriction,
    ) -> Mapping[tuple[str, ...], Share]:
        """The share of the rows that each value of the columns `by` has.

        Found by the value as `Conversion.local_digest` writes it. Raises ReadAgain where rows
        cannot be told by these columns.
        """

    def read(
        self,
        table: Table,
        columns: Mapping[str, Conversion],
        wanted: Restriction,
        batch_rows: int,
        keys: Sequence[Mapping[str, object]] | None = None,
    ) -> Reading:
        """Read the rows asked for in the order of the primary key, never all at once.

        `keys` narrows further, to the rows that have one of these values.
        """

    def close(self) -> None: ...
