"""@x := ... inside of a SELECT, as drivers write it: a value that later items of a row use again.

What an item assigns in each of its branches stands in for the variable in the items behind it. A
variable that goes on from row to row is refused; MySQL itself advises against it.
"""

from sqlglot import exp

from mirror.serve.answers import Refusal

# nodes that may be written again where a variable is used
MOST_NODES = 50_000


def without_assignments(tree: exp.Expr) -> None:
    """Write the values of variables where they are used. Raises Refusal 1235 where it cannot."""
    left = MOST_NODES
    for select in list(tree.find_all(exp.Select)):
        known: dict[str, exp.Expr] = {}
        for item in list(select.expressions):
            for used in list(item.find_all(exp.Parameter)):
                name = used.name.lower()
                if name not in known or _is_target(used):
                    continue
                left -= sum(1 for _ in known[name].walk())
                if left < 0:
                    raise Refusal(1235, "42000", "The mirror does not use variables so often")
                value = exp.Paren(this=known[name].copy())
                value.meta.update(used.meta)
                used.replace(value)
            assigned = {node.this.name.lower() for node in item.find_all(exp.PropertyEQ)}
            for name in assigned:
                held = _value(item, name)
                if held is None or _reads(held, name):
                    raise Refusal(
                        1235,
                        "42000",
                        f"The mirror carries no @{name} from row to row: use a window function",
                    )
                known[name] = held
            _unwrap(item)


def _reads(node: exp.Expr, name: str) -> bool:
    return any(one.name.lower() == name for one in node.find_all(exp.Parameter))


def _is_target(node: exp.Parameter) -> bool:
    return isinstance(node.parent, exp.PropertyEQ) and node.arg_key == "this"


def _value(node: exp.Expr, name: str) -> exp.Expr | None:
    """What the variable holds behind a node; None if not every branch of it assigns."""
    match node:
        case exp.PropertyEQ() if node.this.name.lower() == name:
            return _unwrap(exp.Paren(this=node.expression.copy()))
        case exp.Alias() | exp.Paren() | exp.Cast():
            return _value(node.this, name)
        case exp.If() | exp.Case():
            whole = node.copy()
            ends = [one.args["true"] for one in whole.args.get("ifs") or [whole]]
            ends.append(whole.args.get("default" if isinstance(node, exp.Case) else "false"))
            for end in ends:
                value = _value(end, name) if end is not None else None
                if end is None or value is None:
                    return None
                end.replace(value)
            return _unwrap(whole)
    return None


def _unwrap(node: exp.Expr) -> exp.Expr:
    """Leave of each assignment its value."""
    for one in list(node.find_all(exp.PropertyEQ)):
        value = exp.Paren(this=one.expression)
        # by its text MySQL names the column
        value.meta.update(one.meta)
        one.replace(value)
    return node
