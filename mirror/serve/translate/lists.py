"""Long lists of constants behind IN, which are taken out of a statement before it is read.

A grammar reads each constant with care, and would take seconds for a hundred thousand of them.
"""

import re
from decimal import Decimal

from sqlglot import exp

# from so many constants on
MANY = 1000
HIDDEN = r"'(?:[^'\\]|\\.|'')*+'|\"(?:[^\"\\]|\\.|\"\")*+\"|`[^`]*`|/\*.*?\*/|(?:--\s|#)[^\n]*"
TEXT = r"'[^'\\]*+'|\"[^\"\\]*+\""
NUMBER = r"-?(?:\d{1,18}(?:\.\d{0,12})?+|\.\d{1,12})(?:e[+-]?\d{1,2})?+(?![\w.])"
CONSTANT = rf"(?:{TEXT}|x'(?:[0-9a-f]{{2}})*+'|{NUMBER}|null\b)"
ROW = rf"\(\s*+{CONSTANT}(?:\s*+,\s*+{CONSTANT})*+\s*+\)"
LISTS = "|".join(rf"{one}(?:\s*+,\s*+{one}){{{MANY - 1},}}+" for one in (CONSTANT, ROW))
PIECE = re.compile(rf"{HIDDEN}|\bin\s*\(\s*(?P<list>{LISTS})\s*\)", re.DOTALL | re.IGNORECASE)
ONE, ONE_ROW = re.compile(CONSTANT, re.IGNORECASE), re.compile(ROW, re.IGNORECASE)

# an integer, a Decimal, a float, a text, bytes or None
Row = tuple[object, ...]


class Constants(exp.Expression):
    """Rows of constants; those of a list without rows are rows of one."""

    arg_types = {"rows": True}  # noqa: RUF012


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
        found[length] = Constants(rows=_rows(piece["list"]))
        length, at = length + 1, stop
    return "".join([*pieces, statement[at:]]), found


def _rows(written: str) -> list[Row]:
    if written[0] != "(":
        return [(_value(one),) for one in ONE.findall(written)]
    return [tuple(map(_value, ONE.findall(row))) for row in ONE_ROW.findall(written)]


def _value(written: str) -> object:
    match written[0].lower():
        case "'" | '"':
            return written[1:-1]
        case "x":
            return bytes.fromhex(written[2:-1])
        case "n":
            return None
    if "e" in written.lower():
        return float(written)
    return Decimal(written) if "." in written else int(written)
