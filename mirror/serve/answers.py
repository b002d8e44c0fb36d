"""What an answer is made of: fields of MySQL types, or a refusal with MySQL's number."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from mirror.mysql_types import (
    LENGTH_OF_LONGLONG,
    LONGEST_VARCHAR,
    OF_EXPRESSIONS,
    TYPES,
    MySQLType,
)

# what a client binds to a parameter, or keeps in a variable; bytes are MySQL's binary strings
Value = None | int | float | Decimal | str | bytes | date | datetime | timedelta


@dataclass(frozen=True)
class Type:
    """MySQL's type of a column or of an expression.

    `kind` is one of integer, decimal, double, float, string, enum, date, datetime, time, binary,
    uuid, blob, json and null. `length` counts characters or digits, as MySQL's metadata does;
    `decimals` is None for a double that shows as many as it has; `members` are an enum's;
    `name` is what a column was declared as, such as tinyint, and empty for an expression;
    `is_exact` tells of texts that compare letter by letter, as a collation _bin has it.
    """

    kind: str
    length: int = 0
    decimals: int | None = None
    unsigned: bool = False
    members: tuple[str, ...] = ()
    name: str = ""
    is_exact: bool = False

    @property
    def mysql(self) -> MySQLType:
        """The type that the protocol announces."""
        if self.kind == "integer" and not self.name and 0 < self.length < LENGTH_OF_LONGLONG:
            return TYPES["int"]
        if self.kind == "string" and not self.name and self.length > LONGEST_VARCHAR:
            return TYPES["text"]
        return TYPES[self.name or OF_EXPRESSIONS[self.kind]]


@dataclass(frozen=True)
class Origin:
    """The column of a table that an answer's column is: `table` is its alias, `flags` MySQL's."""

    schema: str
    table: str
    original_table: str
    original_name: str
    flags: int = 0


@dataclass(frozen=True)
class Field:
    """One column of an answer; what was worked out on the way has no origin."""

    name: str
    type: Type
    is_nullable: bool = True
    origin: Origin | None = None


class Refusal(Exception):
    """A statement that gets no rows: MySQL's error number, its state, and a sentence."""

    def __init__(self, number: int, state: str, message: str) -> None:
        super().__init__(number, message)
        self.number = number
        self.state = state
        self.message = message
