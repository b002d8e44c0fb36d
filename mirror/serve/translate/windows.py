"""Window functions: a row among the rows of its partition."""

from sqlglot import exp

from mirror.serve.answers import Refusal, Type
from mirror.serve.translate.rules import operator
from mirror.serve.translate.scope import Context
from mirror.serve.translate.typed import Typed, double, key, ordered

# MariaDB has a median as a window function only, and shows ten decimals of it
MEDIAN = Type("double", 18, 10)
PLACES = ("ROW_NUMBER", "RANK", "DENSE_RANK")


@operator(exp.Window)
def window(node: exp.Window, context: Context) -> Typed:
    """MEDIAN, ROW_NUMBER, RANK and DENSE_RANK over a partition; no frames, no named windows."""
    function = node.this
    known = {"this", "partition_by", "order", "over"}
    name = str(function.this).upper() if isinstance(function, exp.Anonymous) else ""
    if name not in ("MEDIAN", *PLACES) or any(
        part for part_name, part in node.args.items() if part_name not in known
    ):
        raise Refusal(
            1235,
            "42000",
            "The mirror knows MEDIAN, ROW_NUMBER, RANK and DENSE_RANK OVER (...) only",
        )
    partition = [key(context.typed(item)) for item in node.args.get("partition_by") or ()]
    order = node.args.get("order")
    over = f"partition by {', '.join(partition)}" if partition else ""
    if name == "MEDIAN":
        if order is not None or len(function.expressions) != 1:
            raise Refusal(1064, "42000", "You have an error in your SQL syntax near 'MEDIAN'")
        return Typed(
            f"median({double(context.typed(function.expressions[0]))}) over ({over})", MEDIAN
        )
    if order is not None:
        ways = [
            ordered(context.typed(item.this), bool(item.args.get("desc")))
            for item in order.expressions
        ]
        over = f"{over} order by {', '.join(ways)}".strip()
    return Typed(f"{name.lower()}() over ({over})", Type("integer", 21), "", False)
