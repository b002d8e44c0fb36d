"""What a table is, as its source declares it, and which part of it a sync wants."""

import re
from dataclasses import dataclass
from datetime import date
from uuid import UUID

# DataJoint writes the tier of a table into the first characters of its MySQL name.
TIERS = {"__": "Computed", "_": "Imported", "#": "Lookup", "~": "Hidden", "": "Manual"}


# Why hidden tables are left out, told by their number and not one by one.
BOOKKEEPING = "DataJoint's own bookkeeping"


@dataclass(frozen=True)
class Column:
    """A column with the server's own words for it, unaltered."""

    name: str
    declared_type: str
    nullable: bool
    default: str | None = None
    key: str = ""
    extra: str = ""
    comment: str = ""
    character_set: str = ""
    collation: str = ""
    generated_as: str = ""

    @property
    def adapter(self) -> str:
        """The DataJoint type that hides behind a MySQL type, such as `uuid`, or ''."""
        match = re.match(r":([^:]+):", self.comment)
        return match[1] if match else ""

    @property
    def description(self) -> str:
        """The comment as people wrote it, without DataJoint's type in front."""
        return re.sub(r"^:[^:]+:", "", self.comment)


@dataclass(frozen=True)
class ForeignKey:
    """A reference to the rows of another table, named by their MySQL names."""

    name: str
    columns: tuple[str, ...]
    mysql_schema: str
    mysql_table: str
    references: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """A table as the source declares it; `schema` and `name` are those in the mirror."""

    schema: str
    name: str
    mysql_schema: str
    mysql_table: str
    comment: str
    columns: tuple[Column, ...]
    primary_key: tuple[str, ...]
    foreign_keys: tuple[ForeignKey, ...] = ()

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}"

    @property
    def tier(self) -> str:
        return tier(self.mysql_table)

    @property
    def datajoint_name(self) -> str:
        """The name in Python: `behavior.TrialSet.Trial` for `behavior`.`_trial_set__trial`."""
        parts = (
            "".join(word.capitalize() for word in part.split("_"))
            for part in plain_name(self.mysql_table).split("__")
        )
        return ".".join((self.schema, *parts))

    def column(self, name: str) -> Column | None:
        return next((column for column in self.columns if column.name == name), None)


@dataclass(frozen=True)
class Selection:
    """The part of the rows that a narrowed sync wants; empty means all of them."""

    subjects: tuple[UUID, ...] = ()
    since: date | None = None

    def restrict(self, table: Table) -> "Restriction":
        """What the selection means for one table.

        Mice are found by the column `subject_uuid`, dates by the first date or datetime of
        the primary key (`session_start_time`, `session_date`, `weighing_time`, ...). A table
        that has neither, such as a lookup, is wanted whole.
        """
        dated = next(
            (
                name
                for name in table.primary_key
                if (column := table.column(name)) and column.declared_type.startswith("date")
            ),
            None,
        )
        return Restriction(
            subjects=self.subjects if table.column("subject_uuid") else (),
            date_column=dated if self.since else None,
            since=self.since if dated else None,
        )


@dataclass(frozen=True)
class Restriction:
    """The rows of one table that are wanted."""

    subjects: tuple[UUID, ...] = ()
    date_column: str | None = None
    since: date | None = None


@dataclass(frozen=True)
class LeftOut:
    """A schema, table or column that the mirror does not hold, and why."""

    what: str
    why: str


def tier(mysql_table: str) -> str:
    """DataJoint's tier of a table, read from its MySQL name."""
    if mysql_table.startswith("~"):
        return "Hidden"
    if "__" in mysql_table.lstrip("_#"):
        return "Part"
    return next(name for prefix, name in TIERS.items() if mysql_table.startswith(prefix))


def plain_name(mysql_table: str) -> str:
    """The table's name without the characters of its tier; parts keep `master__part`."""
    return mysql_table.lstrip("_#~")
