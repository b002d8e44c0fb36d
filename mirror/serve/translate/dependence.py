"""Which columns depend on which: MySQL's rule of what a query of groups may name.

Under ONLY_FULL_GROUP_BY a column must have one value in each group: because it is grouped by, or
because the grouped columns determine it, through a key, an equality or a constant (MySQL's manual,
"Detection of Functional Dependence", after SQL:1999). MariaDB looks at no keys and refuses more.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlglot import exp

from mirror.serve.catalogue import Table
from mirror.serve.translate.typed import Typed

if TYPE_CHECKING:
    from mirror.serve.translate.scope import Scope

# have another value each time
RESTLESS = {"RAND", "UUID", "UUID_SHORT", "SLEEP"}

Pair = tuple[Typed | None, Typed | None]


@dataclass(frozen=True)
class Dependence:
    """Rows that agree in the columns `given` agree in those that it `gives`; both by their SQL.

    It `outlasts` an outer join, which adds rows with NULL in all of them, if what is given is
    never NULL elsewhere.
    """

    given: frozenset[str]
    gives: frozenset[str]
    outlasts: bool


def seen_from_outside(
    dependences: Iterable[Dependence], alias: str, outputs: Collection[str] | None
) -> Iterator[Dependence]:
    """Those of a subquery, whose `outputs` have the names that its alias gives them.

    Without `outputs` all columns get new names: a WITH may be read twice, for other rows each time.
    """

    def named(columns: frozenset[str]) -> frozenset[str]:
        return frozenset(f"{alias}.{c}" if outputs is None or c in outputs else c for c in columns)

    for one in dependences:
        if outputs is not None and (one.given | one.gives).isdisjoint(outputs):
            yield one
        else:
            yield Dependence(named(one.given), named(one.gives), one.outlasts)


def depend(given: Iterable[Typed], *gives: str) -> Dependence:
    """Columns of one row on others of it."""
    columns = list(given)
    outlasts = any(not column.is_nullable for column in columns)
    return Dependence(frozenset(column.sql for column in columns), frozenset(gives), outlasts)


def same(one: str, other: str) -> list[Dependence]:
    """Two columns that are equal in every row, or NULL both."""
    a, b = frozenset([one]), frozenset([other])
    return [Dependence(a, b, outlasts=True), Dependence(b, a, outlasts=True)]


def determined(by: Iterable[str], dependences: Iterable[Dependence]) -> frozenset[str]:
    """All columns that have one value where those of `by` have one."""
    known = set(by)
    # each waits for the first column that it lacks
    waiting: dict[str, list[Dependence]] = {}
    ready = list(dependences)
    while ready:
        item = ready.pop()
        lacking = next(iter(item.given - known), None)
        if lacking is not None:
            waiting.setdefault(lacking, []).append(item)
            continue
        new = item.gives - known
        known |= new
        for column in new:
            ready += waiting.pop(column, ())
    return frozenset(known)


def of_keys(table: Table, columns: Mapping[str, Typed]) -> tuple[Dependence, ...]:
    """A row of a table on each of its keys."""
    row = [column.sql for column in columns.values()]
    keys = (
        [columns[name.lower()] for name in index.columns]
        for index in table.indexes
        if index.is_unique
    )
    return tuple(depend(key, *row) for key in keys if not any(column.is_nullable for column in key))


def of_rows(
    scope: "Scope", condition: exp.Expr | None, shared: Iterable[Pair] = ()
) -> tuple[Dependence, ...]:
    """What a condition makes of the rows that meet it; `shared` are columns that it equates."""
    found: list[Dependence] = []
    for one, other in (*shared, *_pairs(scope, condition)):
        if one is not None and other is not None:
            found += same(one.sql, other.sql)
        elif one is not None:
            found.append(depend([], one.sql))
    return tuple(found)


def of_matches(
    strong: "Scope", weak: "Scope", condition: exp.Expr | None, shared: Iterable[Pair] = ()
) -> tuple[Dependence, ...]:
    """What the condition of an outer join makes of the side that gets rows of NULL.

    Whether a row finds a match depends on all columns of the strong side that the condition
    names, and so does what the condition equates with them or with a constant.
    """
    pairs, given = [*shared], {one.sql: one for one, _ in shared if one is not None}
    if condition is not None:
        used = columns_of(condition, strong)
        if used is None:
            return ()
        given |= used
        for one, other in equalities(condition):
            for this, that in ((one, other), (other, one)):
                matched = _column(this, weak)
                if matched is not None and columns_of(that, weak) == {}:
                    pairs.append((None, matched))
    gives = [other.sql for _, other in pairs if other is not None]
    return (depend(given.values(), *gives),) if gives else ()


def columns_of(node: exp.Expr, scope: "Scope") -> dict[str, Typed] | None:
    """The columns of a scope that an expression depends on alone; None if it is restless."""
    found = {}
    for part in node.walk():
        if isinstance(part, exp.Window) or (
            isinstance(part, exp.Anonymous) and str(part.this).upper() in RESTLESS
        ):
            return None
        column = _column(part, scope)
        if column is not None:
            found[column.sql] = column
    return found


def equalities(node: exp.Expr) -> Iterator[tuple[exp.Expr, exp.Expr]]:
    """What is equal wherever a condition holds."""
    match node:
        case exp.Paren():
            yield from equalities(node.this)
        case exp.And():
            yield from equalities(node.this)
            yield from equalities(node.expression)
        case exp.EQ(this=exp.Tuple() as one, expression=exp.Tuple() as other):
            yield from zip(one.expressions, other.expressions, strict=False)
        case exp.EQ():
            yield node.this, node.expression
        case exp.In(expressions=[one]):
            yield node.this, one


def _pairs(scope: "Scope", condition: exp.Expr | None) -> Iterator[Pair]:
    """The equal columns; with None for a constant, or a column of a query around."""
    for one, other in equalities(condition) if condition is not None else ():
        first, second = _column(one, scope), _column(other, scope)
        if first is not None and second is not None:
            yield first, second
        elif first is not None and columns_of(other, scope) == {}:
            yield first, None
        elif second is not None and columns_of(one, scope) == {}:
            yield second, None


def _column(node: exp.Expr, scope: "Scope") -> Typed | None:
    while isinstance(node, exp.Paren):
        node = node.this
    if not isinstance(node, exp.Column) or isinstance(node.this, exp.Star):
        return None
    if not node.table and node.name.lower() in scope.ambiguous:
        # of a subquery, or else it is refused
        return None
    return scope.find(node.name, node.table, node.db)
