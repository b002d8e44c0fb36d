"""What an answer is made of: fields of MySQL types, or a refusal with MySQL's number."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Type:
    """MySQL's type of a column or of an expression.

    `kind` is one of integer, decimal, double, float, string, enum, date, datetime, time, binary,
    uuid, blob, json and null. `length` counts characters or digits, as MySQL's metadata does;
    `decimals` is None for a double that shows as many as it has; `members` are an enum's.
    """

    kind: str
    length: int = 0
    decimals: int | None = None
    unsigned: bool = False
    members: tuple[str, ...] = ()


@dataclass(frozen=True)
class Field:
    """One column of an answer."""

    name: str
    type: Type


class Refusal(Exception):
    """A statement that gets no rows: MySQL's error number, its state, and a sentence."""

    def __init__(self, number: int, state: str, message: str) -> None:
        super().__init__(number, message)
        self.number = number
        self.state = state
        self.message = message
