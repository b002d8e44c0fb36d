"""How large a statement becomes: DuckDB cannot be interrupted before it begins to run it.

DuckDB writes a macro out wherever it is called, with its arguments wherever they stand in it, so
that calls inside of calls multiply.
"""

import re
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from mirror.serve.answers import Refusal

# words of a statement
MOST_WORDS = 500_000
# letters of what it becomes: at all, for short statements, and for each letter of long ones
MOST_LETTERS, SOME_LETTERS, GROWTH = 32 << 20, 200_000, 30
# DuckDB needs up to a millisecond for each
MOST_CALLS = 30_000

# conditions that AND and OR join, in all of a statement, for DuckDB puts those of subqueries
# together: of twice as many it takes four times as long
MOST_TESTS = 1000

# as MySQL's, which tables are joined with each other
MOST_TABLES = 61
# DuckDB looks for the best order of joins; each million costs it half a second
MOST_ORDERS = 6_000_000

WORD = re.compile(r"'(?:[^'\\]|\\.)*+'|\"(?:[^\"\\]|\\.)*+\"|`[^`]*`|\w+|[^\w\s]", re.DOTALL)
PIECE = re.compile(r"'[^']*'|\"[^\"]*\"|(?P<comment>--|/\*)|(?P<call>\w+)\(|(?P<word>\w+)|[(),]")
MACRO = re.compile(r"^create macro (\w+)\((.*?)\) as (.*?);$", re.DOTALL | re.MULTILINE)
TOO_LARGE = Refusal(
    1235, "42000", "The mirror does not answer statements as large as this: nest less, or split it"
)


@dataclass(frozen=True)
class Macro:
    """How many calls a macro is when written out, and how often each of its arguments."""

    calls: int
    uses: tuple[int, ...]


class Open(NamedTuple):
    """A bracket that is not closed yet: the macro before it, and its arguments' calls so far."""

    macro: Macro | None
    arguments: list[int]


def check_words(statement: str) -> None:
    """Refuse a statement of so many words that reading them would take minutes."""
    if len(statement) > MOST_WORDS and any(
        place >= MOST_WORDS for place, _ in enumerate(WORD.finditer(statement))
    ):
        raise TOO_LARGE


def check_joins(tables: int, tests: int) -> None:
    """Refuse what DuckDB would plan for minutes: so many tables, joined by so many equalities.

    The measure fits how long it took with up to 61 tables and up to 400 equalities.
    """
    if tables > MOST_TABLES or tables**2.5 * tests**1.5 > MOST_ORDERS:
        raise Refusal(
            1116,
            "HY000",
            f"Too many tables: the mirror does not join {tables} by {tests} equal columns; join"
            " fewer, or by ON and their keys",
        )


def check_length(sql: str) -> None:
    if len(sql) > MOST_LETTERS:
        raise TOO_LARGE


def check(sql: str, letters: int) -> None:
    """Refuse what DuckDB would write out for minutes, and what would end in a comment.

    `letters` are those of the statement and of the values that came with it.
    """
    has_grown = len(sql) > SOME_LETTERS + GROWTH * letters
    if has_grown or calls(sql, macros()) > MOST_CALLS:
        raise TOO_LARGE
    tests = sum((piece["word"] or "") in ("and", "or") for piece in PIECE.finditer(sql))
    if tests > MOST_TESTS:
        raise Refusal(
            1235,
            "42000",
            f"The mirror does not join {tests} conditions by AND and OR: ask by fewer, or by IN and"
            " a list",
        )


def calls(sql: str, known: dict[str, Macro], parameter: str = "") -> int:
    """Count the calls of macros in DuckDB's SQL when all are written out, and a parameter."""
    stack = [Open(None, [0])]
    for piece in PIECE.finditer(sql):
        if piece["call"]:
            stack.append(Open(known.get(piece["call"]), [0]))
        elif piece["word"]:
            stack[-1].arguments[-1] += piece["word"] == parameter
        elif piece["comment"]:
            raise Refusal(1235, "42000", "The mirror does not translate this: rephrase it")
        elif piece[0] == "(":
            stack.append(Open(None, [0]))
        elif piece[0] == ",":
            stack[-1].arguments.append(0)
        elif piece[0] == ")":
            macro, arguments = stack.pop()
            stack[-1].arguments[-1] += _written_out(macro, arguments)
    return sum(stack[0].arguments)


def _written_out(macro: Macro | None, arguments: list[int]) -> int:
    if macro is None:
        return sum(arguments)
    return macro.calls + sum(n * used for n, used in zip(arguments, macro.uses, strict=False))


@cache
def macros() -> dict[str, Macro]:
    """The macros of functions.sql by name; each calls only those before it."""
    script = files("mirror.serve").joinpath("functions.sql").read_text(encoding="utf-8")
    found: dict[str, Macro] = {}
    for name, parameters, body in MACRO.findall(re.sub(r"^--.*$", "", script, flags=re.MULTILINE)):
        without_calls = {other: replace(macro, calls=0) for other, macro in found.items()}
        uses = [calls(body, without_calls, one.strip()) for one in parameters.split(",")]
        found[name] = Macro(1 + calls(body, found), tuple(uses))
    return found
