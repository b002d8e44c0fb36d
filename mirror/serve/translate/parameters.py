"""The ? of a prepared statement: how many there are, and the literals that take their places.

A value becomes a node of the tree, as if it had been read from the statement; it is never
written into the text of one.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal

from sqlglot import exp

from mirror.serve.answers import Refusal, Value


def count(tree: exp.Expr) -> int:
    return len(_places(tree))


def bound(tree: exp.Expr, values: Sequence[Value]) -> exp.Expr:
    """The statement with a value for each ?. Raises Refusal 1210 for more or fewer values."""
    if count(tree) != len(values):
        raise Refusal(1210, "HY000", "Incorrect arguments to EXECUTE")
    return _filled(tree, list(map(_parameter, values))) if values else tree


def opened(tree: exp.Expr) -> exp.Expr:
    """The statement before its values are known, to see which columns it gives."""
    unknown = [
        exp.Literal.number(1) if isinstance(place.parent, exp.Limit | exp.Offset) else exp.Null()
        for place in _places(tree)
    ]
    return _filled(tree, unknown)


def _parameter(value: Value) -> exp.Expr:
    node = literal(value)
    node.meta["is_parameter"] = True
    return node


def literal(value: Value) -> exp.Expr:
    """The node that a parser would have read for a value of its type."""
    match value:
        case None:
            return exp.Null()
        case int() | Decimal() if value < 0:
            return exp.Neg(this=literal(-value))
        case int():
            return exp.Literal.number(str(int(value)))
        case Decimal() if value.is_finite():
            written = f"{value:f}"
            return exp.Literal.number(written if "." in written else f"{written}.")
        case float() if abs(value) < float("inf"):
            written = repr(abs(value))
            node = exp.Literal.number(written if "e" in written else f"{written}e0")
            return exp.Neg(this=node) if value < 0 else node
        case str():
            return exp.Literal.string(value)
        case bytes():
            return exp.Introducer(this="_binary", expression=exp.HexString(this=value.hex()))
        case datetime():
            return _cast(str(value), exp.DType.DATETIME, value.microsecond)
        case date():
            return _cast(str(value), exp.DType.DATE, 0)
        case timedelta():
            return _cast(_span(value), exp.DType.TIME, value.microseconds)
    raise Refusal(1210, "HY000", f"No number of MySQL's: {value}")


def kept(value: Value) -> Value:
    """What a variable of the client's holds of a value: dates and times as texts."""
    if isinstance(value, timedelta):
        written = _span(value)
        return written if value.microseconds else written.partition(".")[0]
    return str(value) if isinstance(value, date) else value


def _places(tree: exp.Expr) -> list[exp.Placeholder]:
    """In the order in which they are written."""
    found = [node for node in tree.find_all(exp.Placeholder) if "place" in node.meta]
    return sorted(found, key=lambda node: node.meta["place"])


def _filled(tree: exp.Expr, nodes: Sequence[exp.Expr]) -> exp.Expr:
    # statements that were read are kept, and read only
    copied = tree.copy()
    places = _places(copied)
    taken = {id(place): node for place, node in zip(places, nodes, strict=True)}
    # replacing them one by one takes minutes where there are thousands beside each other
    for parent, key in {(id(p.parent), p.arg_key): (p.parent, p.arg_key) for p in places}.values():
        if parent is None or key is None:
            continue
        held = parent.args[key]
        filled = (
            [taken.get(id(one), one) for one in held]
            if isinstance(held, list)
            else taken.get(id(held), held)
        )
        parent.set(key, filled)
    return copied


def _cast(written: str, kind: exp.DType, fraction: int) -> exp.Cast:
    digits = [exp.DataTypeParam(this=exp.Literal.number(6))] if fraction else []
    return exp.Cast(
        this=exp.Literal.string(written), to=exp.DataType(this=kind, expressions=digits)
    )


def _span(value: timedelta) -> str:
    micros = abs(value) // timedelta(microseconds=1)
    seconds, fraction = divmod(micros, 1_000_000)
    sign = "-" if value < timedelta(0) else ""
    return f"{sign}{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{fraction:06}"
