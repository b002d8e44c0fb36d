"""A session's variables: the server's, which variables.csv lists, and those of the client's own."""

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files

from mirror.serve import modes
from mirror.serve.answers import Refusal, Value
from mirror.serve.collations import is_exact

# how MySQL's character sets are called in Python; bytes are bytes, of letters in UTF-8
CODECS = {
    "utf8": "utf-8",
    "utf8mb3": "utf-8",
    "utf8mb4": "utf-8",
    "binary": "utf-8",
    "ascii": "ascii",
    # MySQL's latin1 is what Windows called so
    "latin1": "cp1252",
}
NO_LIMIT = 2**64 - 1
# before a variable that is asked for as the server has it, whatever the session has set
GLOBAL = "global."
# variables and statements that a client may leave, and their letters in all
MOST_KEPT, MOST_LETTERS = 1000, 16 << 20
# MySQL's names of what MariaDB calls otherwise
SYNONYMS = {
    "tx_isolation": ("transaction_isolation",),
    "transaction_isolation": ("tx_isolation",),
    "tx_read_only": ("transaction_read_only",),
    "transaction_read_only": ("tx_read_only",),
}
# below which MariaDB sets none
LEAST = {"group_concat_max_len": 4}
# what 0 and 1 are called
SWITCH = {"0": "OFF", "1": "ON"}


@dataclass(frozen=True)
class Variable:
    """A variable of the server: its type, whether a session may set it, and to what."""

    name: str
    type: str
    is_settable: bool
    value: str
    # in lower case; empty where any value will do, for none of them changes an answer
    taken: tuple[str, ...]


@cache
def known() -> Mapping[str, Variable]:
    """The variables by name."""
    text = files("mirror.serve").joinpath("variables.csv").read_text(encoding="utf-8")
    return {
        row["name"]: Variable(
            row["name"],
            row["type"],
            row["scope"] == "session",
            row["value"],
            tuple(row["taken"].lower().split("|")) if row["taken"] else (),
        )
        for row in csv.DictReader(text.splitlines())
    }


def default_collation(charset: str) -> str:
    return "latin1_swedish_ci" if charset == "latin1" else f"{charset}_general_ci"


@dataclass
class Settings:
    """What a client has set: it outlasts the engine, for the file may be replaced.

    `written` holds values as SHOW VARIABLES writes them, None for NULL; `own` the client's own
    variables, `prepared` the texts of its PREPARE ... FROM, by their names in lower case;
    `found_rows` is how many rows the last answer had, `as_datajoint_2` whether the client asks as
    DataJoint 2 does, `in_transaction` whether it has begun a transaction.
    """

    written: dict[str, str | None] = field(default_factory=dict)
    own: dict[str, Value] = field(default_factory=dict)
    prepared: dict[str, str] = field(default_factory=dict)
    found_rows: int = 0
    as_datajoint_2: bool = False
    in_transaction: bool = False

    @classmethod
    def of_client(cls, charset: str) -> "Settings":
        """Those of a client that has just come, and speaks a character set."""
        names = ("character_set_client", "character_set_connection", "character_set_results")
        written: dict[str, str | None] = {}
        charset = "utf8mb3" if charset == "utf8" else charset
        if charset != known()["character_set_client"].value:
            written = dict.fromkeys(names, charset)
            written["collation_connection"] = default_collation(charset)
        return cls(written)

    def __getitem__(self, name: str) -> str | None:
        return self.written[name] if name in self.written else known()[name].value

    def fact(self, name: str) -> object:
        """The value that SELECT @@name gives, or with an @ before it, SELECT @name.

        Raises KeyError for a variable that no server has.
        """
        if name == "in_transaction":
            return int(self.in_transaction)
        if name.startswith(GLOBAL):
            variable = known()[name.removeprefix(GLOBAL)]
            return _value(variable, variable.value)
        return self.own.get(name[1:]) if name[0] == "@" else _value(known()[name], self[name])

    def set(self, name: str, value: object) -> None:
        """Give a variable a value. Raises Refusal, and sets nothing, where it cannot be taken."""
        was_autocommit = self.is_autocommit
        for one in (name, *SYNONYMS.get(name, ())):
            self.written[one] = settled(name, value)
        self._commit(was_autocommit)

    def set_default(self, name: str) -> None:
        """Give a variable the value of the server again. Raises Refusal as `set` does."""
        settled(name, "" if name not in known() else _value(known()[name], known()[name].value))
        was_autocommit = self.is_autocommit
        for one in (name, *SYNONYMS.get(name, ())):
            self.written.pop(one, None)
        self._commit(was_autocommit)

    def _commit(self, was_autocommit: bool) -> None:
        """A client that wants each statement to be a transaction again has ended its own."""
        if self.is_autocommit and not was_autocommit:
            self.in_transaction = False

    def check_size(self) -> None:
        """Raises Refusal 1461 where a client keeps more than is good for a server."""
        texts = [*self.prepared.values(), *map(str, self.own.values())]
        if len(texts) > MOST_KEPT or sum(map(len, texts)) > MOST_LETTERS:
            raise Refusal(1461, "42000", "Can't keep more variables and prepared statements")

    @property
    def is_autocommit(self) -> bool:
        return self["autocommit"] == "ON"

    @property
    def codec(self) -> str:
        """How the client writes its statements."""
        return CODECS[str(self["character_set_client"]).lower()]

    @property
    def results_charset(self) -> str:
        """The character set of texts in answers."""
        return str(self["character_set_results"] or "utf8mb4").lower()

    @property
    def row_limit(self) -> int:
        return int(self["sql_select_limit"] or NO_LIMIT)

    @property
    def seconds(self) -> float | None:
        """How long the client wants a statement to take at most."""
        limits = float(self["max_statement_time"] or 0), int(self["max_execution_time"] or 0) / 1000
        return min((limit for limit in limits if limit), default=None)


def settled(name: str, value: object) -> str | None:
    """A value of a variable as SHOW VARIABLES writes it.

    Raises Refusal: 1193 for a name that there is not, 1238 for one that no session sets, 1231 for
    a value that the mirror does not take, 1232 for one of another type.
    """
    variable = known().get(name)
    if variable is None:
        raise Refusal(1193, "HY000", f"Unknown system variable '{name}'")
    if not variable.is_settable:
        raise Refusal(1238, "HY000", f"Variable '{name}' is a read only variable")
    if name == "sql_mode":
        return modes.settled(value)
    written = None if value is None else str(value)
    if variable.type == "choice" and isinstance(value, int) and 0 <= value < len(variable.taken):
        # by its place
        written = variable.taken[value]
    if variable.taken and (written or "NULL").lower() not in variable.taken:
        raise _refusal(name, written)
    if written is None:
        return None
    if variable.type == "choice":
        return written.upper()
    if name.startswith("collation_") and is_exact(written) and name == "collation_connection":
        raise Refusal(
            1231,
            "42000",
            f"The mirror minds no case where two constants meet, as {written} would: write COLLATE"
            " behind a text",
        )
    if written.lower() == "utf8":
        return "utf8mb3"
    if variable.type == "switch":
        switched = SWITCH.get(written, written.upper())
        if switched not in SWITCH.values():
            raise Refusal(
                1231, "42000", f"Variable '{name}' can't be set to the value of '{written}'"
            )
        return switched
    if variable.type in ("integer", "number"):
        form = r"\d{1,20}" if variable.type == "integer" else r"\d{1,15}(\.\d*)?(e[+-]?\d{1,2})?"
        if not re.fullmatch(form, written):
            raise Refusal(1232, "42000", f"Incorrect argument type to variable '{name}'")
        if variable.type == "integer":
            return str(max(int(written), LEAST.get(name, 0)))
        return f"{float(written):.6f}"
    return written


def _refusal(name: str, written: str | None) -> Refusal:
    if name == "time_zone":
        return Refusal(1298, "HY000", f"The mirror knows no time zone but UTC, not {written}")
    if name.startswith("character_set"):
        return Refusal(1115, "42000", f"The mirror speaks UTF-8 and latin1, not {written}")
    return Refusal(1231, "42000", f"The mirror does not take {written} for {name}")


def _value(variable: Variable, written: str | None) -> object:
    match variable.type:
        case _ if written is None:
            return None
        case "switch":
            return int(written == "ON")
        case "integer":
            return int(written)
        case "number":
            return float(written)
    return written
