"""The rules: what sqlglot's own translation to Spark would leave wrong, and what becomes of it.

A rule is a function that is given a node of a query as DuckDB reads it and returns what to write
in its place. `tests/fixtures/spark/` has pairs of each, in a file of the rule's name; what no rule
covers is in `refusals`.
"""

from collections.abc import Callable

from sqlglot import exp

Rule = Callable[[exp.Expr], exp.Expr]
RULES: dict[type[exp.Expr], list[Rule]] = {}


def rule(*kinds: type[exp.Expr]) -> Callable[[Rule], Rule]:
    """What the decorated function does with nodes of some kinds."""

    def register(function: Rule) -> Rule:
        for kind in kinds:
            RULES.setdefault(kind, []).append(function)
        return function

    return register


def rewritten(query: exp.Expr) -> exp.Expr:
    """The query with all rules applied, from the inside out."""
    query = query.copy()
    for node in reversed(list(query.walk(bfs=False))):
        new = node
        for function in RULES.get(type(node), []):
            new = function(new)
        if new is not node:
            # the filter of an aggregate that is no longer the outermost has gone inside
            has_gone_inside = isinstance(node.parent, exp.Filter) and isinstance(new, exp.If)
            (node.parent if has_gone_inside and node.parent else node).replace(new)
    return query


def call(name: str, *arguments: exp.Expr) -> exp.Expr:
    """A call of one of Spark's functions."""
    return exp.Anonymous(this=name, expressions=list(arguments))


@rule(exp.Median)
def median(node: exp.Expr) -> exp.Expr:
    """Spark's median takes no frame of rows; percentile does, and is the same number."""
    return call("percentile", node.this.copy(), exp.Literal.number("0.5"))


@rule(exp.PercentileCont)
def quantile(node: exp.Expr) -> exp.Expr:
    """`quantile_cont(x, q)` has no name in Spark but percentile, also for a list of q."""
    return call("percentile", node.this.copy(), node.expression.copy())


@rule(exp.AtTimeZone)
def time_zone(node: exp.Expr) -> exp.Expr:
    """A wall clock in a zone is an instant; sqlglot takes it the other way round."""
    return call("to_utc_timestamp", node.this.copy(), node.args["zone"].copy())


@rule(exp.DateDiff)
def date_difference(node: exp.Expr) -> exp.Expr:
    """DuckDB counts the boundaries between two times, Spark the whole units that went by."""
    unit = node.text("unit").lower()

    def boundary(side: exp.Expr) -> exp.Expr:
        if unit == "day":
            return exp.cast(side.copy(), "date")
        return exp.TimestampTrunc(this=side.copy(), unit=exp.var(unit.upper()))

    return exp.DateDiff(
        this=boundary(node.this),
        expression=boundary(node.expression),
        unit=exp.var(unit.upper()),
    )


@rule(exp.Dayname)
def day_name(node: exp.Expr) -> exp.Expr:
    """The whole name of a weekday, of which Spark's function gives three letters."""
    return call("date_format", node.this.copy(), exp.Literal.string("EEEE"))


@rule(exp.ArgMax, exp.ArgMin)
def argument_of_extreme(node: exp.Expr) -> exp.Expr:
    """DuckDB passes over rows whose value is NULL; Spark would return it."""
    is_known = exp.Not(this=exp.Is(this=node.this.copy(), expression=exp.Null()))
    if isinstance(node.parent, exp.Filter):
        where = node.parent.expression
        where.set("this", exp.and_(where.this.copy(), is_known))
        return node
    return exp.Filter(this=node.copy(), expression=exp.Where(this=is_known))


@rule(exp.Bracket)
def element(node: exp.Expr) -> exp.Expr:
    """An element by its place from 1, NULL beyond the end, where Spark fails or counts from 0."""
    [place] = node.expressions
    return call("try_element_at", node.this.copy(), place.copy())


@rule(exp.Dot)
def user_of_session(node: exp.Expr) -> exp.Expr:
    """`session_user.user_name` is a column of a table, which sqlglot takes for a function."""
    if not isinstance(node.this, exp.SessionUser):
        return node
    return exp.column(node.expression.copy(), table="session_user", quoted=True)


@rule(exp.Anonymous)
def reversed_list(node: exp.Expr) -> exp.Expr:
    """Spark turns lists round by the name of what does it to texts."""
    if node.name.lower() not in ("list_reverse", "array_reverse"):
        return node
    return call("reverse", *(values.copy() for values in node.expressions))


@rule(exp.ArrayAgg)
def ordered_list(node: exp.Expr) -> exp.Expr:
    """Spark collects in no order and without NULLs: each value goes with what orders it."""
    if not isinstance(node.this, exp.Order):
        return node
    value, [ordered] = node.this.this, node.this.expressions
    key = ordered.this
    entry = call("struct", call("isnull", key.copy()), key.copy(), value.copy())
    collected: exp.Expr = call("collect_list", entry)
    if isinstance(node.parent, exp.Filter):
        collected = exp.Filter(this=collected, expression=node.parent.expression.copy())
    listed = call("array_sort", collected)
    element = exp.Lambda(
        this=exp.Dot(this=exp.to_identifier("entry"), expression=exp.to_identifier("col3")),
        expressions=[exp.to_identifier("entry")],
    )
    values = call("transform", listed, element)
    # of no rows, NULL
    return exp.If(
        this=exp.EQ(this=call("size", listed.copy()), expression=exp.Literal.number(0)),
        true=exp.Null(),
        false=values,
    )


@rule(exp.GroupConcat)
def distinct_texts(node: exp.Expr) -> exp.Expr:
    """Texts without repeats: Spark 4.3 breaks where its own way stands beside other DISTINCT."""
    if not isinstance(node.this, exp.Order) or not isinstance(node.this.this, exp.Distinct):
        return node
    [value], [ordered] = node.this.this.expressions, node.this.expressions
    collected: exp.Expr = call("collect_set", value.copy())
    if isinstance(node.parent, exp.Filter):
        collected = exp.Filter(this=collected, expression=node.parent.expression.copy())
    is_upwards = exp.false() if ordered.args.get("desc") else exp.true()
    texts = call("sort_array", collected, is_upwards)
    # of no rows, NULL
    return exp.If(
        this=exp.EQ(this=call("size", texts.copy()), expression=exp.Literal.number(0)),
        true=exp.Null(),
        false=call("array_join", texts, node.args["separator"].copy()),
    )
