"""What names mean at one place of a statement, and the way from a node to its rule."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from sqlglot import exp

from mirror.serve.answers import Refusal
from mirror.serve.translate.dependence import Dependence
from mirror.serve.translate.dialect import shown
from mirror.serve.translate.rules import FUNCTIONS, OPERATORS, has_aggregate, unwrapped
from mirror.serve.translate.size import check_joins, check_length
from mirror.serve.translate.typed import Typed, condition

WITHOUT_BRACKETS = (
    *("CURRENT_DATE", "CURRENT_TIME", "CURRENT_TIMESTAMP", "LOCALTIME", "LOCALTIMESTAMP"),
    *("UTC_DATE", "UTC_TIME", "UTC_TIMESTAMP", "CURRENT_USER"),
)


@dataclass(frozen=True)
class Source:
    """A table or subquery of a FROM clause, under its alias, with its columns in order."""

    alias: str
    schema: str
    columns: Mapping[str, Typed]


@dataclass(frozen=True)
class Joins:
    """How many tables DuckDB may join in any order, and how many equalities join them."""

    tables: int = 1
    tests: int = 0

    def __add__(self, other: "Joins") -> "Joins":
        total = Joins(self.tables + other.tables, self.tests + other.tests)
        check_joins(total.tables, total.tests)
        return total


@dataclass(frozen=True)
class Relation:
    """A SELECT in DuckDB's SQL, and the names and types of its columns."""

    sql: str
    columns: tuple[tuple[str, Typed], ...]
    dependences: tuple[Dependence, ...] = ()
    joins: Joins = Joins()


@dataclass(frozen=True)
class Scope:
    """The sources of a FROM clause, and their columns as joins have merged them.

    `listed` are the columns of `*`, in order; one of several sources is there once if NATURAL
    JOIN or USING made it one. `visible` finds them by their names in lower case; names that
    stay ambiguous are in `ambiguous`; `dependences` are those of columns on each other, `joins`
    those of the sources.
    """

    sources: tuple[Source, ...] = ()
    visible: Mapping[str, Typed] = field(default_factory=dict)
    ambiguous: frozenset[str] = frozenset()
    listed: tuple[Typed, ...] = ()
    dependences: tuple[Dependence, ...] = ()
    outer: "Context | None" = None
    joins: Joins = Joins()

    def has(self, name: str) -> bool:
        """Whether a name, in lower case, is one column's or several's."""
        return name in self.visible or name in self.ambiguous

    def find(self, name: str, table: str = "", schema: str = "") -> Typed | None:
        """The column of that name, None if there is none. Raises Refusal 1052 if several."""
        name = name.lower()
        if not table:
            if name in self.ambiguous:
                raise Refusal(1052, "23000", f"Column '{name}' in field list is ambiguous")
            return self.visible.get(name)
        for source in self.sources:
            if source.alias == table and schema in ("", source.schema):
                return source.columns.get(name)
        return None


@dataclass(frozen=True)
class Groups:
    """What a clause that sees groups may name, by its SQL.

    `keys` stand in DuckDB's GROUP BY as they are; of what is `determined`, any row of a group
    tells. That is None where MySQL takes any row's value of anything.
    """

    keys: frozenset[str]
    determined: frozenset[str] | None
    are_all_rows: bool
    # under WITH ROLLUP, by what is grouped: the key that a row of totals has not
    totals: Mapping[str, str] = field(default_factory=dict)

    def has(self, expression: Typed) -> bool:
        if expression.sql in self.totals:
            return True
        return expression.sql in self.keys or expression.sql in (self.determined or ())

    def of(self, column: Typed) -> Typed:
        """A column, or a key, as one value. Raises Refusal 1055, or 1140 without GROUP BY."""
        if column.sql in self.totals:
            sql = f"case when grouping({self.totals[column.sql]}) = 0 then first({column.sql}) end"
            return replace(column, sql=sql, is_nullable=True)
        if column.sql in self.keys:
            return column
        if self.determined is not None and column.sql not in self.determined:
            number, group = (1140, "all rows") if self.are_all_rows else (1055, "a group")
            raise Refusal(
                number,
                "42000",
                f"'{column.name}' may have several values in {group}, which is incompatible with"
                f" sql_mode=only_full_group_by: group by it, or take any_value({column.name})",
            )
        is_nullable = column.is_nullable or self.are_all_rows
        return replace(column, sql=f"first({column.sql})", is_nullable=is_nullable)


@dataclass(frozen=True)
class Context:
    """How to translate the expressions of one clause.

    `aliases` are the select list's, where the clause may use them; `groups` are those that the
    clause sees, if it sees any; `query` translates a subquery; `windows` are those that have a
    name, and `over` the one that the function which is translated now looks at. `restricts`
    where the expression only tells which rows to keep, so that false and NULL are alike.
    """

    scope: Scope
    query: Callable[[exp.Expr, "Context"], Relation]
    session: Mapping[str, object]
    aliases: Mapping[str, exp.Expr] = field(default_factory=dict)
    groups: Groups | None = None
    windows: Mapping[str, exp.Window] = field(default_factory=dict)
    over: str = ""
    restricts: bool = False

    def typed(self, node: exp.Expr) -> Typed:
        """Translate an expression. Raises Refusal for what no rule covers, or grows too large."""
        return (replace(self, restricts=False) if self.restricts else self)._checked(node)

    def _checked(self, node: exp.Expr) -> Typed:
        expression = self._typed(node)
        check_length(expression.sql)
        return expression

    def _typed(self, node: exp.Expr) -> Typed:
        if isinstance(node, exp.Anonymous):
            name = str(node.this).upper()
            if name not in FUNCTIONS:
                raise Refusal(1305, "42000", f"FUNCTION {node.this} does not exist in the mirror")
            return FUNCTIONS[name](node.expressions, self)
        rule = OPERATORS.get(type(node))
        if rule is None:
            raise Refusal(
                1235,
                "42000",
                f"The mirror does not translate '{shown(node)}'",
            )
        return rule(node, self)

    def item(self, node: exp.Expr) -> Typed:
        """An expression that may be a key of the groups as a whole."""
        if self.groups is not None and not has_aggregate(node):
            as_key = replace(self, groups=None, over="").typed(node)
            if self.groups.has(as_key):
                return self.groups.of(as_key)
        return self.typed(node)

    def both(self, node: exp.Expr) -> tuple[Typed, Typed]:
        return self.typed(node.this), self.typed(node.expression)

    def condition(self, node: exp.Expr) -> str:
        return condition(self.typed(node))

    def restriction(self, node: exp.Expr) -> str:
        """A condition that only tells which rows to keep."""
        return replace(self, restricts=True).part(node)

    def part(self, node: exp.Expr) -> str:
        """A condition of those that AND and OR join, which restricts where they do."""
        return condition(self._checked(unwrapped(node)))

    def of_rows(self) -> "Context":
        """The context in which an aggregate's argument is read: rows, not groups.

        An alias is known there if it is made of a row, and no column has its name.
        """
        of_rows = {
            name: item
            for name, item in self.aliases.items()
            if not (self.scope.has(name) or has_aggregate(item) or item.find(exp.Window))
        }
        return replace(self, groups=None, aliases=of_rows, over="")

    def of_arguments(self) -> "Context":
        """The same for an aggregate that may look at a window: that is of groups, if of any."""
        return replace(self, over="") if self.over else self.of_rows()

    def column(self, node: exp.Column) -> Typed:
        """What a name stands for: an alias, a column of the FROM clause, or of a query around."""
        name = node.name
        if not node.table and name.lower() in self.aliases:
            return replace(self, aliases={}).item(self.aliases[name.lower()])
        found = self.scope.find(name, node.table, node.db)
        if found is not None:
            return found if self.groups is None else self.groups.of(found)
        if self.scope.outer is not None:
            return self.scope.outer.column(node)
        if not node.table and name.upper() in WITHOUT_BRACKETS:
            return FUNCTIONS[name.upper()]([], self)
        written = ".".join(part.name for part in node.parts)
        raise Refusal(1054, "42S22", f"Unknown column '{written}' in 'field list'")
