"""Window functions: a row among the rows of its partition, or of its frame."""

import re
from collections.abc import Callable
from dataclasses import replace

from sqlglot import exp

from mirror.serve.answers import Refusal, Type
from mirror.serve.translate.aggregates import looked_at
from mirror.serve.translate.rules import AGGREGATES, FUNCTIONS, operator
from mirror.serve.translate.scope import Context
from mirror.serve.translate.typed import (
    NUMBERS,
    Typed,
    double,
    integer,
    key,
    number,
    ordered,
    refuse,
    together,
)

# MariaDB has a median as a window function only, and shows ten decimals of it
MEDIAN = Type("double", 18, 10)
PLACE = Type("integer", 21)
SHARE = Type("double", 12, 10)
WINDOW_PARTS = {"this", "partition_by", "order", "over", "spec", "alias"}
SPEC_PARTS = {"kind", "start", "start_side", "end", "end_side"}
# what no window looks at, in MySQL or in a mirror
NOT_OVER = ("GROUP_CONCAT", "ANY_VALUE")


@operator(exp.Window)
def window(node: exp.Window, context: Context) -> Typed:
    """A function OVER a window, which may have a name."""
    function = node.this
    name = str(function.this).upper() if isinstance(function, exp.Anonymous) else ""
    if name not in RULES and (name not in AGGREGATES or name in NOT_OVER):
        raise Refusal(1235, "42000", f"The mirror has no window function {name or function}")
    _check(node, WINDOW_PARTS)
    over = f" over ({_window(node, context)})"
    if name in RULES:
        return RULES[name](function.expressions, replace(context, over=over))
    return FUNCTIONS[name](function.expressions, replace(context, over=over))


def _window(node: exp.Window, context: Context) -> str:
    """What stands in the brackets of OVER."""
    base = _named(node, context)
    inner = replace(context, over="")
    partition = node.args.get("partition_by") or (base.args.get("partition_by") if base else None)
    order = node.args.get("order") or (base.args.get("order") if base else None)
    words = []
    if partition:
        words.append(f"partition by {', '.join(key(inner.item(item)) for item in partition)}")
    spec = node.args.get("spec") or (base.args.get("spec") if base else None)
    frame = _frame(spec, inner) if spec is not None else ""
    if order is not None:
        counts = bool(re.search(r"range .*\d", frame))
        ways = [_way(inner.item(item.this), item, counts) for item in order.expressions]
        words.append(f"order by {', '.join(ways)}")
    words += [frame] if frame else []
    return " ".join(words)


def _way(item: Typed, node: exp.Expr, counts: bool) -> str:
    """A key of a window's order; where the frame counts from its values, a wide number."""
    if counts and item.kind not in NUMBERS:
        raise refuse(item, "the order of a frame that counts")
    key_of = replace(item, sql=number(item), held="") if counts else item
    return ordered(key_of, bool(node.args.get("desc")))


def _named(node: exp.Window, context: Context) -> exp.Window | None:
    """The window that one refers to by its name."""
    alias = node.args.get("alias")
    if alias is None:
        return None
    found = context.windows.get(alias.name.lower())
    if found is None:
        raise Refusal(
            4005, "HY000", f"Window specification with name '{alias.name}' is not defined"
        )
    _check(found, WINDOW_PARTS)
    if found.args.get("alias"):
        raise Refusal(1235, "42000", "The mirror reads no window that is made of another")
    return found


def _check(node: exp.Expr, known: set[str]) -> None:
    extras = {name for name, part in node.args.items() if part and name not in known}
    if extras:
        raise Refusal(1235, "42000", f"The mirror reads no {', '.join(sorted(extras))} of a window")


def _frame(spec: exp.Expr, context: Context) -> str:
    _check(spec, SPEC_PARTS)
    kind = str(spec.args["kind"]).lower()
    start = _bound(spec.args["start"], spec.args.get("start_side"), context)
    end = _bound(spec.args.get("end") or "current row", spec.args.get("end_side"), context)
    return f"{kind} between {start} and {end}"


def _bound(bound: object, side: object, context: Context) -> str:
    if isinstance(bound, exp.Expr):
        value = context.typed(bound)
        if value.value is None or value.kind not in ("integer", "decimal"):
            raise Refusal(1235, "42000", "The mirror takes a plain number for a bound of a frame")
        return f"{value.sql} {str(side).lower()}"
    return " ".join(str(word).lower() for word in (bound, side) if word)


Rule = Callable[[list[exp.Expr], Context], Typed]


def _arguments(arguments: list[exp.Expr], context: Context, least: int, most: int) -> list[Typed]:
    if not least <= len(arguments) <= most:
        raise Refusal(1064, "42000", "You have an error in your SQL syntax near ') over'")
    inner = replace(context, over="")
    return [looked_at(argument, inner) for argument in arguments]


def _place(name: str, kind: Type) -> Rule:
    def rule(arguments: list[exp.Expr], context: Context) -> Typed:
        _arguments(arguments, context, 0, 0)
        return Typed(f"{name}(){context.over}", kind, "", False)

    return rule


def ntile(arguments: list[exp.Expr], context: Context) -> Typed:
    [count] = _arguments(arguments, context, 1, 1)
    return Typed(f"ntile({integer(count)}){context.over}", PLACE)


def _neighbour(name: str) -> Rule:
    def rule(arguments: list[exp.Expr], context: Context) -> Typed:
        value, *rest = _arguments(arguments, context, 1, 3)
        step = integer(rest[0]) if rest else "1"
        if len(rest) < 2:
            return Typed(f"{name}({value.sql}, {step}){context.over}", value.type, value.held)
        (sql, other), kind, held = together([value, rest[1]])
        return Typed(f"{name}({sql}, {step}, {other}){context.over}", kind, held)

    return rule


def _value(name: str, arguments_in_all: int) -> Rule:
    def rule(arguments: list[exp.Expr], context: Context) -> Typed:
        value, *rest = _arguments(arguments, context, arguments_in_all, arguments_in_all)
        listed = ", ".join([value.sql, *map(integer, rest)])
        return Typed(f"{name}({listed}){context.over}", value.type, value.held)

    return rule


def median(arguments: list[exp.Expr], context: Context) -> Typed:
    [value] = _arguments(arguments, context, 1, 1)
    if "order by" in context.over:
        raise Refusal(1064, "42000", "You have an error in your SQL syntax near 'MEDIAN'")
    return Typed(f"median({double(value)}){context.over}", MEDIAN)


RULES: dict[str, Rule] = {
    "ROW_NUMBER": _place("row_number", PLACE),
    "RANK": _place("rank", PLACE),
    "DENSE_RANK": _place("dense_rank", PLACE),
    "PERCENT_RANK": _place("percent_rank", SHARE),
    "CUME_DIST": _place("cume_dist", SHARE),
    "NTILE": ntile,
    "LAG": _neighbour("lag"),
    "LEAD": _neighbour("lead"),
    "FIRST_VALUE": _value("first_value", 1),
    "LAST_VALUE": _value("last_value", 1),
    "NTH_VALUE": _value("nth_value", 2),
    "MEDIAN": median,
}
