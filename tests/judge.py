"""Two servers, one DataJoint: ask both the same, and say how alike their answers are."""

import math
import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import datajoint as dj
import numpy as np
import pandas as pd
import pymysql
from recipes import build

SCHEMAS = {
    "reference": "ibl_reference",
    "subject": "ibl_subject",
    "action": "ibl_action",
    "acquisition": "ibl_acquisition",
    "behavior": "ibl_behavior",
    "behavior_analyses": "ibl_analyses_behavior",
}
# MySQL takes columns that depend on the grouped key; MariaDB refuses them in DataJoint's own mode
WITHOUT_FULL_GROUP_BY = (
    "set sql_mode = 'NO_ZERO_DATE,NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO,"
    "STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION'"
)
GRAVITY = ("equal", "near", "skipped", "refused", "different")
# sums in another order differ in their last bits
TOLERANCE = 1e-12
# MariaDB 10.11 leaves duplicates in: SELECT DISTINCT AVG(1) FROM t GROUP BY a gives a row a group
ITS_OWN_FAULT = re.compile(r"SELECT DISTINCT[^()]*\b(AVG|STD|VAR|SUM).* GROUP BY ", re.IGNORECASE)


@dataclass
class Side:
    """A connection, the classes of its tables by name, and what it was asked last."""

    connection: dj.Connection
    modules: dict[str, Any] = field(init=False)
    classes: dict[str, type] = field(init=False)
    statements: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        query = self.connection.query

        def recorded(statement: str, *arguments: Any, **options: Any) -> Any:
            self.statements.append(statement)
            return query(statement, *arguments, **options)

        self.connection.query = recorded
        self.modules = {
            name: dj.VirtualModule(name, schema, connection=self.connection)
            for name, schema in SCHEMAS.items()
        }
        self.classes = {}
        for module in self.modules.values():
            for name, table in vars(module).items():
                if isinstance(table, type) and issubclass(table, dj.user_tables.UserTable):
                    self.classes[name] = table
                    for part, value in vars(table).items():
                        if isinstance(value, type) and issubclass(value, dj.Part):
                            self.classes[f"{name}.{part}"] = value

    def ask(self, recipe: Any) -> Any:
        """The answer to a recipe, or the exception that it ended in."""
        self.statements.clear()
        try:
            answer = build(recipe, self.classes)
            if any(map(ITS_OWN_FAULT.search, self.statements)):
                return Failure(AssertionError("MariaDB's DISTINCT of groups leaves duplicates in"))
            return answer
        except Exception as error:
            return Failure(error)


@dataclass(frozen=True)
class Failure:
    """What was raised instead of an answer."""

    error: Exception

    @property
    def is_refusal(self) -> bool:
        """Whether a client of MySQL would know it as the server's word."""
        return isinstance(self.error, dj.errors.DataJointError | pymysql.err.MySQLError)

    def __repr__(self) -> str:
        return f"{type(self.error).__name__}: {self.error}"


@dataclass(frozen=True)
class Raised:
    """A failure that goes from one process to another."""

    error: str


@dataclass(frozen=True)
class Parts:
    """Several answers to one question, by name."""

    answers: dict[str, Any]


@dataclass(frozen=True)
class Verdict:
    """How alike: equal, near (in the last bits), refused, different, or skipped."""

    kind: str
    why: str = ""
    detail: str = ""


def connect(host: str, port: int, user: str, password: str) -> dj.Connection:
    """A connection of its own to a MariaDB that takes what MySQL takes."""
    dj.logger.setLevel("ERROR")
    return dj.Connection(host, user, password, port, init_fun=WITHOUT_FULL_GROUP_BY, use_tls=False)


def judge(theirs: Any, ours: Any, in_order: bool = False, folded: Collection[str] = ()) -> Verdict:
    """Compare the server's answer with the mirror's.

    Rows are matched in any order unless `in_order`. In columns that are `folded` a group's string
    stands for all that the collation holds equal, so that one is as good as another.
    """
    if isinstance(theirs, Parts) and isinstance(ours, Parts):
        verdicts = {
            name: judge(answer, ours.answers[name], in_order, folded)
            for name, answer in theirs.answers.items()
        }
        worst = max(verdicts, key=lambda name: GRAVITY.index(verdicts[name].kind))
        verdict = verdicts[worst]
        return Verdict(verdict.kind, f"{worst}: {verdict.why}", verdict.detail)
    if isinstance(theirs, Failure):
        both = isinstance(ours, Failure)
        return Verdict("skipped", f"{'' if both else 'answered by the mirror: '}{theirs!r}")
    if isinstance(ours, Failure):
        return Verdict("refused" if ours.is_refusal else "different", repr(ours))
    one, other = table_of(theirs), table_of(ours)
    if one.form != other.form:
        return Verdict("different", "another form", f"{one.form} and {other.form}")
    if len(one.rows) != len(other.rows):
        return Verdict("different", "number of rows", f"{len(one.rows)} and {len(other.rows)}")
    loose = [name in folded for name in one.names]
    rows = [
        [
            tuple(fold(v) if is_loose else v for v, is_loose in zip(row, loose, strict=True))
            for row in table.rows
        ]
        for table in (one, other)
    ]
    if not in_order:
        rows = [sorted(found, key=_position) for found in rows]
    is_near = False
    for mine, yours in zip(*rows, strict=True):
        for name, a, b in zip(one.names, mine, yours, strict=True):
            match = alike(a, b)
            if match == "different":
                kinds = " and ".join(dict.fromkeys((type(a).__name__, type(b).__name__)))
                return Verdict("different", f"value of {kinds}", f"{name}: {a!r} and {b!r}")
            is_near |= match == "near"
    return Verdict("near" if is_near else "equal")


@dataclass(frozen=True)
class Rows:
    """Any answer of DataJoint as rows: their form (container, names, dtypes) and their values."""

    form: tuple
    names: tuple[str, ...]
    rows: list[tuple]


def table_of(answer: Any) -> Rows:
    """Bring what fetch, fetch1, len, ... return into rows."""
    match answer:
        case pd.DataFrame():
            index = tuple(answer.index.names)
            # the index of a dj.U() is a RangeIndex without a name
            frame = answer.reset_index(drop=index == (None,))
            dtypes = tuple(str(dtype) for dtype in frame.dtypes)
            names = tuple(map(str, frame.columns))
            columns = [frame.iloc[:, i].tolist() for i in range(len(names))]
            return Rows(("frame", index, names, dtypes), names, list(zip(*columns, strict=True)))
        case np.ndarray() if answer.dtype.names:
            names = answer.dtype.names
            dtypes = tuple(str(answer.dtype[name]) for name in names)
            return Rows(("array", names, dtypes), names, [tuple(row) for row in answer.tolist()])
        case np.ndarray():
            return Rows(("column", str(answer.dtype)), ("",), [(value,) for value in answer])
        case dict():
            return Rows(("row", tuple(answer)), tuple(answer), [tuple(answer.values())])
        case list() if answer and all(isinstance(row, dict) for row in answer):
            names = tuple(answer[0])
            return Rows(("rows", names), names, [tuple(row.values()) for row in answer])
        case list() if answer and all(isinstance(column, np.ndarray | list) for column in answer):
            tables = [table_of(column) for column in answer]
            form = ("columns", *(table.form for table in tables))
            names = tuple(f"{i}" for i in range(len(tables)))
            rows = [
                tuple(row if len(row) > 1 else row[0] for row in several)
                for several in zip(*(table.rows for table in tables), strict=True)
            ]
            return Rows(form, names, rows)
        case list() | tuple():
            return Rows((type(answer).__name__,), ("",), [(value,) for value in answer])
        case _:
            return Rows((type(answer).__name__,), ("",), [(answer,)])


def alike(a: Any, b: Any) -> str:
    """Compare two values: equal, near or different; types count, and NaN equals NaN."""
    if type(a) is not type(b):
        return "different"
    match a:
        case float() | np.floating():
            if a == b or (math.isnan(a) and math.isnan(b)):
                return "equal"
            near = math.isclose(a, b, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
            return "near" if near else "different"
        case Decimal():
            return "equal" if str(a) == str(b) else "different"
        case np.ndarray():
            if a.dtype != b.dtype or a.shape != b.shape:
                return "different"
            return _worst(map(alike, a.ravel(), b.ravel()))
        case np.void():
            return _worst(map(alike, a.tolist(), b.tolist()))
        case dict():
            if list(a) != list(b):
                return "different"
            return _worst(map(alike, a.values(), b.values()))
        case list() | tuple():
            return "different" if len(a) != len(b) else _worst(map(alike, a, b))
        case _:
            return "equal" if a == b or (a is pd.NaT and b is pd.NaT) else "different"


def _worst(matches: Any) -> str:
    found = set(matches)
    return next((kind for kind in ("different", "near") if kind in found), "equal")


def _position(row: tuple) -> str:
    """Where a row sorts: by what it shows, blind to the last digits of floats."""
    return repr([f"{v:.9g}" if isinstance(v, float | np.floating) else repr(v) for v in row])


def fold(value: Any) -> Any:
    """What MySQL's collation sees of a string: no case, no accents, no spaces at its end."""
    if isinstance(value, tuple):
        return tuple(map(fold, value))
    if not isinstance(value, str):
        return value
    letters = unicodedata.normalize("NFD", value.replace("ß", "s").rstrip(" ").upper())
    return "".join(letter for letter in letters if not unicodedata.combining(letter))
