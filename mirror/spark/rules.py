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
            is_aggregate = isinstance(node, exp.ArrayAgg | exp.GroupConcat)
            has_gone_inside = is_aggregate and isinstance(node.parent, exp.Filter)
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
    """A wall clock in a zone is an instant; sqlglot takes it the other way round.

    Of the hour that a night in autumn has twice, DuckDB means the later one, Spark the earlier.
    """
    hour = exp.Interval(this=exp.Literal.string("1"), unit=exp.var("HOUR"))
    clock, zone = node.this, node.args["zone"]
    later = call("to_utc_timestamp", exp.paren(clock.copy()) + hour, zone.copy())
    return exp.Greatest(
        this=call("to_utc_timestamp", clock.copy(), zone.copy()),
        expressions=[exp.Sub(this=later, expression=hour.copy())],
    )


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
    is_known = _is_known(node.this)
    if isinstance(node.parent, exp.Filter):
        where = node.parent.expression
        where.set("this", exp.and_(where.this.copy(), is_known))
        return node
    return exp.Filter(this=node.copy(), expression=exp.Where(this=is_known))


@rule(exp.Bracket)
def element(node: exp.Expr) -> exp.Expr:
    """An element by its place from 1, NULL beyond the ends, where Spark fails or counts from 0."""
    [place] = (found.copy() for found in node.expressions)
    if not isinstance(place, exp.Literal):
        place = exp.Nullif(this=place, expression=exp.Literal.number(0))
    return call("try_element_at", node.this.copy(), place)


@rule(exp.GenerateSeries)
def series(node: exp.Expr) -> exp.Expr:
    """Nothing where the end is before the start, where Spark counts down."""
    start, end = node.args["start"], node.args["end"]
    return exp.Case(
        ifs=[
            exp.If(
                this=exp.GTE(this=end.copy(), expression=start.copy()),
                true=call("sequence", start.copy(), end.copy()),
            ),
            exp.If(this=exp.LT(this=end.copy(), expression=start.copy()), true=call("array")),
        ]
    )


@rule(exp.IsNan)
def not_a_number(node: exp.Expr) -> exp.Expr:
    """NULL is neither a number nor not one; Spark says it is not NaN."""
    return exp.If(this=_is_known(node.this), true=node.copy(), false=exp.Null())


@rule(exp.Floor, exp.Ceil)
def whole_number_below(node: exp.Expr) -> exp.Expr:
    """NaN stays NaN, of which Spark makes 0."""
    return exp.If(this=call("isnan", node.this.copy()), true=node.this.copy(), false=node.copy())


@rule(exp.Round)
def rounded(node: exp.Expr) -> exp.Expr:
    """DuckDB rounds what the number times 10^n is, Spark the digits that it is written with."""
    places = node.args.get("decimals")
    if not isinstance(places, exp.Literal) or int(places.name) < 1:
        return node
    factor = exp.Literal.number(f"1e{places.name}")
    scaled = exp.Round(this=exp.Mul(this=exp.paren(node.this.copy()), expression=factor))
    return exp.paren(exp.Div(this=scaled, expression=factor.copy(), typed=False, safe=False))


@rule(exp.CTE)
def common_table(node: exp.Expr) -> exp.Expr:
    """Spark is not told whether to keep what a query asks for twice."""
    node.set("materialized", None)
    return node


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


@rule(exp.Anonymous)
def formatted(node: exp.Expr) -> exp.Expr:
    """A text of what is NULL is NULL; Spark writes the word."""
    if node.name.lower() != "printf":
        return node
    known = exp.and_(*(_is_known(value) for value in node.expressions[1:]))
    return exp.If(this=known, true=node.copy(), false=exp.Null())


@rule(exp.ArrayAgg)
def ordered_list(node: exp.Expr) -> exp.Expr:
    """Spark collects in no order and without NULLs: each value goes with what orders it."""
    if not isinstance(node.this, exp.Order):
        return node
    return _unless_empty(_in_order(node.this, _filter_around(node)), lambda values: values)


@rule(exp.GroupConcat)
def joined_texts(node: exp.Expr) -> exp.Expr:
    """Texts in an order: Spark 4.3 breaks where its own way stands beside a DISTINCT."""
    if not isinstance(node.this, exp.Order):
        return node
    where, separator = _filter_around(node), node.args["separator"]
    if isinstance(node.this.this, exp.Distinct):
        [value], [ordered] = node.this.this.expressions, node.this.expressions
        is_upwards = exp.false() if ordered.args.get("desc") else exp.true()
        texts = call("sort_array", _filtered(call("collect_set", value.copy()), where), is_upwards)
    else:
        is_known = _is_known(node.this.this)
        texts = _in_order(node.this, exp.and_(where, is_known) if where else is_known)
    return _unless_empty(texts, lambda values: call("array_join", values, separator.copy()))


def _is_known(value: exp.Expr) -> exp.Expr:
    return exp.Not(this=exp.Is(this=value.copy(), expression=exp.Null()))


def _filter_around(node: exp.Expr) -> exp.Expr | None:
    """The condition of an aggregate's rows, which goes inside with what collects them."""
    return node.parent.expression.this if isinstance(node.parent, exp.Filter) else None


def _filtered(aggregate: exp.Expr, where: exp.Expr | None) -> exp.Expr:
    if where is None:
        return aggregate
    return exp.Filter(this=aggregate, expression=exp.Where(this=where.copy()))


def _in_order(order: exp.Order, where: exp.Expr | None) -> exp.Expr:
    """The values of a group as a list in an order, those without a key at the end."""
    keys = [
        exp.alias_(part, f"k{place}_{name}")
        for place, ordered in enumerate(order.expressions)
        for name, part in (
            ("is_null", call("isnull", ordered.this.copy())),
            ("value", ordered.this.copy()),
        )
    ]
    entry = call("struct", *keys, exp.alias_(order.this.copy(), "entry"))
    return call(
        "transform",
        call("array_sort", _filtered(call("collect_list", entry), where)),
        exp.Lambda(
            this=exp.Dot(this=exp.to_identifier("each"), expression=exp.to_identifier("entry")),
            expressions=[exp.to_identifier("each")],
        ),
    )


def _unless_empty(values: exp.Expr, then: Callable[[exp.Expr], exp.Expr]) -> exp.Expr:
    """An aggregate of no rows is NULL, also where Spark has an empty list."""
    return exp.If(
        this=exp.EQ(this=call("size", values.copy()), expression=exp.Literal.number(0)),
        true=exp.Null(),
        false=then(values),
    )
