"""Long lists of constants behind IN, which are taken out of a statement before it is read.

A grammar reads each constant with care, and would take seconds for a hundred thousand of them.
"""

import re
from collections.abc import Sequence

from sqlglot import exp

# from so many constants on
MANY = 1000
HIDDEN = r"'(?:[^'\\]|\\.|'')*+'|\"(?:[^\"\\]|\\.|\"\")*+\"|`[^`]*`|/\*.*?\*/|(?:--\s|#)[^\n]*"
CONSTANTS = (r"-?\d{1,18}", r"'[^'\\]*+'", r"[xX]'(?:[0-9a-fA-F]{2})*+'")
LISTS = "|".join(rf"{one}(?:\s*+,\s*+{one}){{{MANY - 1},}}+" for one in CONSTANTS)
PIECE = re.compile(rf"{HIDDEN}|\bin\s*\(\s*(?P<list>{LISTS})\s*\)", re.DOTALL | re.IGNORECASE)
CONSTANT = re.compile("|".join(CONSTANTS))


class Constants(exp.Expression):
    """Constants of one kind: integers, texts or bytes."""

    arg_types = {"values": True}  # noqa: RUF012


def taken_out(statement: str) -> tuple[str, dict[int, Constants]]:
    """The statement with a ? for each long list, and the lists by the places of these."""
    pieces, found = [], dict[int, Constants]()
    at = length = 0
    for piece in PIECE.finditer(statement):
        if not piece["list"]:
            continue
        start, stop = piece.span("list")
        pieces += [statement[at:start], "?"]
        length += start - at
        found[length] = Constants(values=_values(piece["list"]))
        length, at = length + 1, stop
    return "".join([*pieces, statement[at:]]), found


def _values(written: str) -> Sequence[int] | Sequence[str] | Sequence[bytes]:
    constants = CONSTANT.findall(written)
    match written[0]:
        case "'":
            return [one[1:-1] for one in constants]
        case "x" | "X":
            return [bytes.fromhex(one[2:-1]) for one in constants]
    return [int(one) for one in constants]
