"""How values leave: as PyMySQL would hand them over, or as MySQL prints them on the wire."""

from collections.abc import Callable

from mirror.serve.answers import Field, Type
from mirror.serve.translate import Relation
from mirror.serve.translate.typed import Typed, exact, number, octets, span, text


def fields(relation: Relation) -> tuple[Field, ...]:
    return tuple(
        Field(name, column.type, column.is_nullable, column.origin)
        for name, column in relation.columns
    )


def for_python(relation: Relation) -> str:
    """The query whose rows DuckDB hands over as PyMySQL would."""
    return _around(relation, _in_python)


def for_text(relation: Relation) -> str:
    """The query whose columns are the texts, or the bytes, of MySQL's text protocol.

    Only numbers of floating point arrive as such: `digits.texts` is quicker, and so is a query
    that does not spell out how they are written.
    """
    return _around(relation, _as_text)


def for_binary(relation: Relation) -> str:
    """The query whose columns are numbers, dates, microseconds, texts and bytes, as MySQL's
    binary protocol sends them.
    """
    return _around(relation, _as_binary)


def _around(relation: Relation, form: Callable[[Typed, str], str]) -> str:
    places = [f"c{i}" for i in range(len(relation.columns))]
    shown = [
        form(Typed(place, column.type, column.held), place) + f" as {place}"
        for place, (_, column) in zip(places, relation.columns, strict=True)
    ]
    return f"select {', '.join(shown)} from ({relation.sql}) as answer({', '.join(places)})"


def _in_python(column: Typed, place: str) -> str:
    match column.kind:
        case "integer":
            return number(column) if column.held == "boolean" else place
        case "decimal":
            return exact(column)
        case "double" if column.type.decimals is not None:
            return f"cast(printf('%.{column.type.decimals}f', {place}) as double)"
        case "float":
            return f"float_value({place})"
        case "enum":
            return f"cast({place} as varchar)"
        case "time":
            return f"to_microseconds({span(column)})"
        case "uuid" | "binary":
            return octets(column)
    return place


def _as_text(column: Typed, place: str) -> str:
    if column.kind in ("uuid", "binary"):
        return octets(column)
    if column.kind in ("blob", "null", "float"):
        return place
    if column.kind == "double" and column.type.decimals is None:
        return place
    return text(column)


def _as_binary(column: Typed, place: str) -> str:
    match column.kind:
        case "integer":
            return f"cast({number(column)} as {_width(column.type)})"
        case "double" | "float" | "date" | "datetime" | "blob" | "null":
            return place
        case "time":
            return f"cast({span(column)} as bigint)"
        case "uuid" | "binary":
            return octets(column)
    return text(column)


def _width(kind: Type) -> str:
    """The type of DuckDB that is as wide as the protocol's of an integer."""
    width = kind.mysql.duckdb
    return f"u{width}" if kind.unsigned and not width.startswith("U") else width
