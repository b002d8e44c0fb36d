"""The registry of rules: what becomes of each operator and each function of MySQL.

A rule is a small function with its MySQL name. Its decorator says what it wants its arguments as
and what it returns; what is in no rule is refused, so that nothing passes untranslated.
"""

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from mirror.serve.answers import Refusal, Type
from mirror.serve.translate.typed import Typed

if TYPE_CHECKING:
    from mirror.serve.translate.scope import Context

# each takes its own kind of node
Operator = Callable[[Any, "Context"], Typed]
Function = Callable[[list[exp.Expr], "Context"], Typed]

OPERATORS: dict[type[exp.Expr], Operator] = {}
FUNCTIONS: dict[str, Function] = {}
AGGREGATES: set[str] = set()


def operator(*kinds: type[exp.Expr]) -> Callable[[Operator], Operator]:
    """The rule of a kind of node: is given the node and the context to translate its parts in."""

    def register(rule: Operator) -> Operator:
        OPERATORS.update(dict.fromkeys(kinds, rule))
        return rule

    return register


def special(*names: str) -> Callable[[Function], Function]:
    """A function whose arguments are not plain values: is given them as they were read."""

    def register(rule: Function) -> Function:
        FUNCTIONS.update(dict.fromkeys(names, rule))
        return rule

    return register


def function(
    *wanted: Callable[[Typed], object], returns: Type | None = None, names: str = ""
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """A function of values: each is made into what the rule wants, the last kind repeating.

    With `returns` the rule gives DuckDB's SQL; without, it gives a Typed. `names` lists the
    names in MySQL, where they are not the rule's own.
    """

    def register(rule: Callable[..., Any]) -> Callable[..., Any]:
        parameters = inspect.signature(rule).parameters.values()
        is_open = any(item.kind is item.VAR_POSITIONAL for item in parameters)
        needed = sum(
            item.default is item.empty and item.kind is not item.VAR_POSITIONAL
            for item in parameters
        )
        most = None if is_open else len(parameters)
        mysql_names = names.split() or [rule.__name__.rstrip("_").upper()]

        def apply(arguments: list[exp.Expr], context: "Context") -> Typed:
            if len(arguments) < needed or (most is not None and len(arguments) > most):
                raise Refusal(
                    1582,
                    "42000",
                    f"Incorrect parameter count in the call to native function '{mysql_names[0]}'",
                )
            kinds = [*wanted, *[wanted[-1]] * len(arguments)] if wanted else []
            values = [
                make(context.typed(argument))
                for make, argument in zip(kinds, arguments, strict=False)
            ]
            result = rule(*values)
            return Typed(result, returns) if returns else result

        FUNCTIONS.update(dict.fromkeys(mysql_names, apply))
        return rule

    return register


def has_aggregate(node: exp.Expr) -> bool:
    """Whether an aggregate stands in an expression, subqueries aside."""
    stack = [node]
    while stack:
        part = stack.pop()
        if isinstance(part, exp.Query):
            continue
        if isinstance(part, exp.Window):
            # the function looks at rows that may be groups, which its arguments make
            stack += [*part.this.iter_expressions(), *(part.args.get("partition_by") or ())]
            stack += [part.args["order"]] if part.args.get("order") else []
            continue
        if isinstance(part, exp.GroupConcat):
            return True
        if isinstance(part, exp.Anonymous) and str(part.this).upper() in AGGREGATES:
            return True
        stack += part.iter_expressions()
    return False


def unwrapped(node: exp.Expr) -> exp.Expr:
    """What stands in parentheses, without them."""
    while isinstance(node, exp.Paren):
        node = node.this
    return node


def as_is(expression: Typed) -> Typed:
    """An argument whose type the rule wants to know."""
    return expression
