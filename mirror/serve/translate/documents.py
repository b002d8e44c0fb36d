"""JSON: what stands in a document at a path, and documents made of values.

Paths are constants without wildcards. An array or an object leaves without spaces.
"""

import re
from collections.abc import Callable

from sqlglot import exp

from mirror.serve.answers import Refusal, Type
from mirror.serve.translate import literals
from mirror.serve.translate.rules import as_is, function, operator
from mirror.serve.translate.scope import Context
from mirror.serve.translate.typed import (
    FLAG,
    INTEGER,
    NUMBERS,
    TEXTS,
    Typed,
    flag,
    is_extracted,
    refuse,
    text,
)

DOCUMENT = Type("json", 2**24)
VALUE = Type("string", 2**16)
PATH = re.compile(r"\$(\.\w+|\.\"[^\"]+\"|\[\d+\])*")
ROOT = Typed("'$'", VALUE, "", False, "$")


def _path(path: Typed) -> str:
    if not isinstance(path.value, str) or not PATH.fullmatch(path.value):
        raise Refusal(1235, "42000", "The mirror takes of a JSON path steps like $.name and $[0]")
    return literals.quoted_text(path.value)


def _document(a: Typed) -> str:
    """As DuckDB's JSON; NULL where it is none."""
    if a.kind not in TEXTS and a.kind != "null":
        raise refuse(a, "a JSON document")
    return f"document({text(a)})"


def _at(a: Typed, path: Typed) -> str:
    return f"json_extract({_document(a)}, {_path(path)})"


@function(as_is, as_is, names="JSON_EXTRACT")
def extract(a: Typed, path: Typed) -> Typed:
    return Typed(f"cast({_at(a, path)} as varchar)", DOCUMENT, "extracted")


@function(as_is, names="JSON_UNQUOTE")
def unquote(a: Typed) -> Typed:
    return Typed(f"unquoted({text(a)})", VALUE)


def without_quotes(a: Typed, b: Typed) -> tuple[Typed, Typed]:
    """Two values to be compared: what a document holds meets a text as the text that it is."""
    if "string" in (a.kind, b.kind):
        a, b = (unquote(one) if is_extracted(one) else one for one in (a, b))
    return a, b


@function(as_is, as_is, names="JSON_VALUE")
def value(a: Typed, path: Typed) -> Typed:
    kind = f"json_type({_at(a, path)})"
    found = f"json_extract_string({_document(a)}, {_path(path)})"
    return Typed(
        f"case when {kind} not in ('ARRAY', 'OBJECT', 'NULL', 'BOOLEAN') then {found}"
        f" when {kind} = 'BOOLEAN' then if({found} = 'true', '1', '0') end",
        VALUE,
    )


@function(as_is, as_is, names="JSON_QUERY")
def query(a: Typed, path: Typed) -> Typed:
    is_nested = f"json_type({_at(a, path)}) in ('ARRAY', 'OBJECT')"
    return Typed(f"case when {is_nested} then cast({_at(a, path)} as varchar) end", DOCUMENT)


@function(as_is, names="JSON_VALID")
def valid(a: Typed) -> Typed:
    return flag(f"is_document({text(a)})", a.is_nullable)


@function(as_is, as_is, names="JSON_LENGTH")
def length(a: Typed, path: Typed = ROOT) -> Typed:
    part = _at(a, path)
    counted = (
        f"case json_type({part}) when 'ARRAY' then json_array_length({part})"
        f" when 'OBJECT' then len(json_keys({part})) else if({part} is null, null, 1) end"
    )
    return Typed(f"cast({counted} as bigint)", INTEGER)


@function(as_is, as_is, names="JSON_KEYS")
def keys(a: Typed, path: Typed = ROOT) -> Typed:
    part = _at(a, path)
    listed = f"list_transform(json_keys({part}), lambda k: cast(to_json(k) as varchar))"
    shown = f"'[' || array_to_string({listed}, ', ') || ']'"
    return Typed(f"case when json_type({part}) = 'OBJECT' then {shown} end", DOCUMENT)


@function(as_is, names="JSON_TYPE")
def type_(a: Typed) -> Typed:
    found = f"json_type({_document(a)})"
    return Typed(
        f"case {found} when 'VARCHAR' then 'STRING' when 'UBIGINT' then 'INTEGER'"
        f" when 'BIGINT' then 'INTEGER' else {found} end",
        VALUE,
    )


@function(as_is, as_is, as_is, names="JSON_CONTAINS")
def contains(a: Typed, other: Typed, path: Typed = ROOT) -> Typed:
    return flag(f"json_contains({_at(a, path)}, {_document(other)})")


@function(as_is, as_is, as_is, names="JSON_CONTAINS_PATH")
def contains_path(a: Typed, which: Typed, *paths: Typed) -> Typed:
    word = {"one": " or ", "all": " and "}.get(str(which.value).lower())
    if word is None or not paths:
        raise Refusal(4046, "42000", 'Argument 2 of JSON_CONTAINS_PATH must be "one" or "all"')
    tests = word.join(f"json_exists({_document(a)}, {_path(path)})" for path in paths)
    return flag(f"({tests})")


@function(text, names="JSON_QUOTE")
def quote(written: str) -> Typed:
    return Typed(f"cast(to_json({written}) as varchar)", VALUE)


def _written(a: Typed) -> str:
    """A value as it stands in a document."""
    if a.kind == "json":
        return f"coalesce({text(a)}, 'null')"
    if a.kind in NUMBERS:
        is_truth = a.held == "boolean" and a.type == FLAG
        shown = f"cast({a.sql} as varchar)" if is_truth else text(a)
        return f"coalesce({shown}, 'null')" if a.kind != "null" else "'null'"
    return f"coalesce(cast(to_json({text(a)}) as varchar), 'null')"


@function(as_is, names="JSON_ARRAY")
def array(*values: Typed) -> Typed:
    listed = " || ', ' || ".join(map(_written, values)) or "''"
    return Typed(f"('[' || {listed} || ']')", DOCUMENT, "", False)


@function(as_is, names="JSON_OBJECT")
def object_(*values: Typed) -> Typed:
    if len(values) % 2:
        raise Refusal(
            1582, "42000", "Incorrect parameter count in the call to native function 'JSON_OBJECT'"
        )
    pairs = zip(values[::2], values[1::2], strict=True)
    listed = [f"cast(to_json({text(k)}) as varchar) || ': ' || {_written(v)}" for k, v in pairs]
    joined = " || ', ' || ".join(listed) or "''"
    return Typed(f"('{{' || {joined} || '}}')", DOCUMENT, "", False)


def _arrow(kind: type[exp.Expr], then: Callable[[Typed], Typed]) -> None:
    @operator(kind)
    def rule(node: exp.Expr, context: Context) -> Typed:
        """column -> '$.path', MySQL's short form."""
        written = node.expression.sql("mysql").strip("'")
        path = Typed(literals.quoted_text(written), VALUE, "", False, written)
        return then(extract(context.typed(node.this), path))


_arrow(exp.JSONExtract, as_is)
_arrow(exp.JSONExtractScalar, unquote)
