"""SELECT in DuckDB's SQL: what FROM offers, and the clauses that work on it."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import count

from sqlglot import exp

# each module registers its rules
from mirror.serve.answers import Origin, Refusal, Type
from mirror.serve.catalogue import Catalogue, Column, Table
from mirror.serve.modes import FULL_GROUPS
from mirror.serve.translate import (  # noqa: F401
    aggregates,
    choices,
    documents,
    numbers,
    session,
    strings,
    times,
    window_functions,
)
from mirror.serve.translate.dependence import (
    Dependence,
    columns_of,
    depend,
    determined,
    of_keys,
    of_matches,
    of_rows,
    same,
    seen_from_outside,
)
from mirror.serve.translate.dialect import shown
from mirror.serve.translate.logic import compared
from mirror.serve.translate.rules import has_aggregate, operator, unwrapped
from mirror.serve.translate.scope import Context, Groups, Joins, Relation, Scope, Source
from mirror.serve.translate.size import check_length
from mirror.serve.translate.typed import (
    Typed,
    become,
    combined,
    exact,
    integer,
    key,
    ordered,
    settled,
    text,
    together,
)
from mirror.store import quoted

# what a clause may hold; anything else in the tree is refused, never passed over
SELECT_PARTS = {
    *("expressions", "from_", "joins", "where", "group", "having", "order", "limit", "offset"),
    *("distinct", "with_", "operation_modifiers", "kind", "hint", "windows", "locks"),
}
UNION_PARTS = {"this", "expression", "distinct", "order", "limit", "offset", "with_"}
# an expression of the select list, or a column that a star stands for; with its name, an item
Part = exp.Expr | Typed
Item = tuple[str, Part]
SMALL = ("TINYINT", "SMALLINT", "INTEGER", "UTINYINT", "USMALLINT", "UINTEGER")


@dataclass(frozen=True)
class Translator:
    """Translates the queries of one session against one catalogue."""

    catalogue: Catalogue
    database: str | None = None
    session: Mapping[str, object] = field(default_factory=dict)
    _aliases: "count[int]" = field(default_factory=count)

    def query(
        self,
        node: exp.Expr,
        outer: Context | None = None,
        named: Mapping[str, Relation] | None = None,
    ) -> Relation:
        """Translate a SELECT or a UNION, inside of an outer query or on its own."""
        named, names = dict(named or {}), set[str]()
        while isinstance(node, exp.Subquery) and not _extras(node, {"this", "alias"}):
            node = node.this
        if isinstance(node, exp.Subquery):
            node = _lifted(node)
        for cte in node.args["with_"].expressions if node.args.get("with_") else ():
            if cte.alias in names:
                raise Refusal(4004, "42000", f"Duplicate query name '{cte.alias}' in WITH clause")
            names.add(cte.alias)
            columns = [column.name for column in cte.args["alias"].columns]
            if node.args["with_"].args.get("recursive") and _names(cte.this, cte.alias):
                named[cte.alias] = self._recursive(cte, columns, outer, named)
            else:
                named[cte.alias] = _renamed(self.query(cte.this, outer, named), columns)
        if isinstance(node, exp.Union):
            relation = self._union(node, outer, named)
        elif isinstance(node, exp.Intersect | exp.Except):
            relation = self._common(node, outer, named)
        elif isinstance(node, exp.Select):
            relation = _Select(self, node, outer, named).relation()
        else:
            raise Refusal(1235, "42000", f"The mirror does not answer {node.key.upper()}")
        check_length(relation.sql)
        return relation

    def alias(self) -> str:
        return f"t{next(self._aliases)}"

    def context(self, scope: Scope, named: Mapping[str, Relation] | None = None) -> Context:
        """The context of a scope, in which subqueries see the same named queries."""
        return Context(scope, lambda node, outer: self.query(node, outer, named), self.session)

    def table(self, node: exp.Table) -> Table:
        schema = node.db or self.database
        if not schema:
            raise Refusal(1046, "3D000", "No database selected")
        return self.catalogue.table(schema, node.name)

    def _recursive(
        self,
        cte: exp.CTE,
        names: list[str],
        outer: Context | None,
        named: Mapping[str, Relation],
    ) -> Relation:
        """A query that is made of its own rows: those of its first part, and what they lead to."""
        union = cte.this
        if not isinstance(union, exp.Union) or _extras(union, {"this", "expression", "distinct"}):
            raise Refusal(1235, "42000", "The mirror wants of WITH RECURSIVE a UNION, and no more")
        if _names(union.this, cte.alias):
            raise Refusal(4006, "HY000", f"No anchors for recursive WITH element '{cte.alias}'")
        first = _renamed(self.query(union.this, outer, named), names)
        own = f"r{next(self._aliases)}"
        places = [f"c{i}" for i in range(len(first.columns))]
        # the first part gives the types, in which the others are written
        held = [replace(c, sql=place) for place, (_, c) in zip(places, first.columns, strict=True)]
        kinds = [combined([one]) for one in held]
        columns = tuple(
            (name, Typed(label(name), kind))
            for (name, _), kind in zip(first.columns, kinds, strict=True)
        )
        outputs = ", ".join(f"{p} as {c.sql}" for p, (_, c) in zip(places, columns, strict=True))
        itself = Relation(f"select {outputs} from {own}", columns)
        rest = self.query(union.expression, outer, {**named, cte.alias: itself})
        if len(rest.columns) != len(places):
            raise Refusal(
                1222, "21000", "The used SELECT statements have a different number of columns"
            )
        if union.args["distinct"] and any(kind.kind in ("string", "enum") for kind in kinds):
            raise Refusal(
                1235, "42000", "The mirror tells no texts apart in WITH RECURSIVE: UNION ALL"
            )
        parts = [
            ", ".join(
                _written(replace(c, sql=p), kind)
                for p, c, kind in zip(places, found, kinds, strict=True)
            )
            for found in ([c for _, c in first.columns], [c for _, c in rest.columns])
        ]
        listed = ", ".join(places)
        begin, follow = (
            f"select {{}} from ({relation.sql}) as u({listed})" for relation in (first, rest)
        )
        # MariaDB stops after so many rounds without a word; DuckDB would go on for ever
        most = int(str(self.session.get("max_recursive_iterations", 1000)))
        begin = begin.format(f"{parts[0]}, 0")
        follow = follow.format(f"{parts[1]}, past.round + 1")
        follow += f", (select max(round) as round from {own} having max(round) < {most}) as past"
        word, distinct = ("union", "distinct ") if union.args["distinct"] else ("union all", "")
        sql = (
            f"with recursive {own}({listed}, round) as ({begin} {word} {follow})"
            f" select {distinct}{outputs} from {own}"
        )
        return Relation(sql, columns)

    def _common(
        self, node: exp.SetOperation, outer: Context | None, named: Mapping[str, Relation]
    ) -> Relation:
        """INTERSECT and EXCEPT: distinct rows of the one part that the other has, or has not."""
        if _extras(node, UNION_PARTS) or not node.args.get("distinct"):
            word = node.key.upper()
            raise Refusal(
                1235, "42000", f"The mirror does not translate {word} ALL or such a {word}"
            )
        first, second = (self.query(part, outer, named) for part in (node.this, node.expression))
        if len(first.columns) != len(second.columns):
            raise Refusal(
                1222, "21000", "The used SELECT statements have a different number of columns"
            )
        names = [name for name, _ in first.columns]
        places = [f"c{i}" for i in range(len(names))]
        alias, listed = self.alias(), ", ".join(places)
        pairs = [
            together(
                [
                    _in_table(replace(a, sql=f"{alias}.{place}")),
                    _in_table(replace(b, sql=f"u.{place}")),
                ]
            )
            for place, (_, a), (_, b) in zip(places, first.columns, second.columns, strict=True)
        ]
        columns = {
            name: Typed(forms[0], kind, held)
            for name, (forms, kind, held) in zip(names, pairs, strict=True)
        }
        if len(columns) < len(names):
            raise Refusal(1060, "42S21", f"Duplicate column name in {node.key.upper()}")
        same = " and ".join(
            f"{key(Typed(forms[0], kind, held))} is not distinct from"
            f" {key(Typed(forms[1], kind, held))}"
            for forms, kind, held in pairs
        )
        word = "exists" if isinstance(node, exp.Intersect) else "not exists"
        outputs = ", ".join(f"{column.sql} as {label(name)}" for name, column in columns.items())
        sql = (
            f"select {_distinct(columns.values())}{outputs} from ({first.sql}) as {alias}({listed})"
            f" where {word}(select 1 from ({second.sql}) as u({listed}) where {same})"
        )
        lower = {name.lower(): column for name, column in columns.items()}
        context = self.context(Scope((), lower, outer=outer), named)
        sql += _order(node, context, list(columns.items())) + _limit(node)
        return Relation(
            sql, tuple((name, replace(c, sql=label(name))) for name, c in columns.items())
        )

    def _union(
        self, node: exp.Union, outer: Context | None, named: Mapping[str, Relation]
    ) -> Relation:
        if _extras(node, UNION_PARTS) or node.args.get("distinct") is None:
            raise Refusal(1235, "42000", "The mirror does not translate such a UNION")
        parts = [self.query(part, outer, named) for part in _united(node)]
        if len({len(part.columns) for part in parts}) > 1:
            raise Refusal(
                1222, "21000", "The used SELECT statements have a different number of columns"
            )
        names = [name for name, _ in parts[0].columns]
        places = [f"c{i}" for i in range(len(names))]
        # the columns side by side, and each in the form that holds the values of all parts
        across = [
            [_in_table(replace(part.columns[i][1], sql=place)) for part in parts]
            for i, place in enumerate(places)
        ]
        forms = [together(column) for column in across]
        alias = self.alias()
        listed = ", ".join(places)
        halves = []
        for i, part in enumerate(parts):
            half = ", ".join(
                f"{form[0][i]} as {place}" for form, place in zip(forms, places, strict=True)
            )
            halves.append(f"select {half} from ({part.sql}) as u({listed})")
        columns = {
            name: Typed(f"{alias}.{place}", kind, held, any(c.is_nullable for c in column))
            for name, place, (_, kind, held), column in zip(
                names, places, forms, across, strict=True
            )
        }
        if len(columns) < len(names):
            raise Refusal(1060, "42S21", "Duplicate column name in a UNION")
        distinct = ""
        if node.args["distinct"]:
            distinct = _distinct(columns.values())
        outputs = ", ".join(f"{column.sql} as {label(name)}" for name, column in columns.items())
        lower = {name.lower(): column for name, column in columns.items()}
        context = self.context(Scope((), lower, outer=outer), named)
        sql = f"select {distinct}{outputs} from ({' union all '.join(halves)}) as {alias}({listed})"
        sql += _order(node, context, list(columns.items())) + _limit(node)
        return Relation(
            sql, tuple((name, replace(c, sql=label(name))) for name, c in columns.items())
        )


class _Select:
    """One SELECT on its way, clause by clause."""

    def __init__(
        self,
        translator: Translator,
        node: exp.Select,
        outer: Context | None,
        named: Mapping[str, Relation],
    ) -> None:
        if _extras(node, SELECT_PARTS):
            clause = ", ".join(sorted(_extras(node, SELECT_PARTS))).upper()
            raise Refusal(1235, "42000", f"The mirror does not translate {clause}")
        if not node.expressions:
            raise Refusal(1064, "42000", "You have an error in your SQL syntax near 'SELECT'")
        self.translator, self.node, self.outer, self.named = translator, node, outer, named

    def relation(self) -> Relation:
        node = self.node
        scope, source = self._from()
        rows = self.translator.context(scope, self.named)
        named = {window.this.name.lower(): window for window in node.args.get("windows") or ()}
        rows = replace(rows, windows=named)
        items = self._items(scope)
        group = [self._group_key(item, rows, items) for item in self._group_nodes()]
        having, order = node.args.get("having"), node.args.get("order")
        is_grouped = bool(group) or any(
            has_aggregate(part)
            for part in (*(i for _, i in items if isinstance(i, exp.Expr)), having, order)
            if part is not None
        )
        keys = [key(item) for item in group]
        condition = node.args["where"].this if node.args.get("where") else None
        facts = (*scope.dependences, *of_rows(scope, condition)) if self.is_strict else ()
        context = rows
        if is_grouped:
            context = replace(rows, groups=self._groups(group, facts))
        columns = [(name, _item(item, context)) for name, item in items]
        distinct = bool(node.args.get("distinct"))
        looks_around = any(isinstance(i, exp.Expr) and i.find(exp.Window) for _, i in items)
        if is_grouped or distinct or node.args.get("limit") or having or looks_around:
            # MySQL puts these rows into a table of its own
            columns = [(n, replace(settled(column), is_stored=True)) for n, column in columns]
        joins = scope.joins + Joins(0, _equalities(condition))
        where = [rows.restriction(condition)] if condition is not None else []
        after = replace(context, aliases=self._aliases(items, scope))
        # of no rows there are no totals
        kept = ["count(*) > 0"] if self._has_totals else []
        if having is not None:
            (kept if is_grouped else where).append(after.restriction(having.this))
        sql = "select "
        if distinct:
            sql += _distinct(column for _, column in columns)
        sql += ", ".join(f"{column.sql} as {label(name)}" for name, column in columns)
        sql += source
        if where:
            sql += f" where {' and '.join(where)}"
        if group:
            listed = ", ".join(keys)
            sql += f" group by rollup ({listed})" if self._has_totals else f" group by {listed}"
        if kept:
            sql += f" having {' and '.join(kept)}"
        # in an expression of ORDER BY what is no column is an alias
        late = {name: one for name, one in after.aliases.items() if not scope.has(name)}
        if self.is_strict and distinct:
            self._check_order(items, replace(rows, aliases=late), group)
        if is_grouped and not group:
            # one row is in any order
            context = replace(context, groups=self._groups([], None))
        sql += _order(node, replace(context, aliases=late), columns) or (
            "" if distinct else self._by_keys(group, keys)
        )
        sql += _limit(node)
        if self.is_strict:
            facts += tuple(self._outputs(items, rows, group if is_grouped else None))
        outputs = tuple((name, replace(c, sql=label(name), value=None)) for name, c in columns)
        if is_grouped or distinct or node.args.get("limit"):
            joins = Joins()
        return Relation(sql, outputs, facts, joins)

    def _by_keys(self, group: list[Typed], keys: list[str]) -> str:
        """Where any order would do, that of the keys, which is the one people expect."""
        vary = [k for k, item in zip(keys, group, strict=True) if item.value is None]
        totals = "grouping({0}), " if self._has_totals else ""
        ways = [f"{totals.format(one)}{one} nulls first" for one in vary]
        return f" order by {', '.join(ways)}" if ways else ""

    @property
    def is_strict(self) -> bool:
        """Whether columns must depend on the group."""
        return FULL_GROUPS in str(self.translator.session.get("sql_mode"))

    def _groups(self, group: list[Typed], facts: tuple[Dependence, ...] | None) -> Groups:
        if self._has_totals:
            totals = {item.sql: key(item) for item in group}
            return Groups(frozenset(), frozenset(totals) if self.is_strict else None, False, totals)
        own = frozenset(item.sql for item in group if key(item) == item.sql)
        if facts is None or not self.is_strict:
            return Groups(own, None, not group)
        return Groups(own, determined([item.sql for item in group], facts), not group)

    def _outputs(
        self, items: list[Item], rows: Context, group: list[Typed] | None
    ) -> Iterator[Dependence]:
        """What the columns of the select list depend on, seen from a query around this one."""
        for name, item in items:
            output = label(name)
            if group is not None:
                yield depend(group, output)
            inner = _of_one_row(item, rows)
            if inner is not None:
                yield from same(output, inner.sql)
            if isinstance(item, exp.Expr) and not has_aggregate(item):
                used = columns_of(item, rows.scope)
                if used is not None:
                    yield depend(used.values(), output)

    def _check_order(self, items: list[Item], rows: Context, group: list[Typed]) -> None:
        """Refuse to order distinct rows by what they do not hold, which may be several values."""
        order = self.node.args.get("order")
        listed = {inner.sql for _, item in items if (inner := _of_one_row(item, rows))}
        if order is None or (group and {item.sql for item in group} <= listed):
            # as distinct as the groups are
            return
        names = {name.lower() for name, _ in items}
        for target in (item.this for item in order.expressions):
            is_name = isinstance(target, exp.Column) and not target.table
            if is_name and target.name.lower() in names:
                continue
            inner = _of_one_row(target, rows)
            used = set(columns_of(target, rows.scope) or ())
            number = 3066 if has_aggregate(target) else 3065
            if number == 3066 and not group:
                # one row
                continue
            if number == 3066 or not ((inner and inner.sql in listed) or used <= listed):
                raise Refusal(
                    number,
                    "HY000",
                    f"'{shown(target)}' of ORDER BY is not in the SELECT list; this is incompatible"
                    " with DISTINCT",
                )

    def _from(self) -> tuple[Scope, str]:
        node = self.node
        if not node.args.get("from_"):
            return Scope(outer=self.outer), ""
        scope, sql = self._tables(node.args["from_"].this, node.args.get("joins") or ())
        return replace(scope, outer=self.outer), f" from {sql}"

    def _tables(self, first: exp.Expr, joins: Iterable[exp.Join] = ()) -> tuple[Scope, str]:
        """Tables as their joins put them together; a comma binds looser than any JOIN."""
        groups = [self._source(first)]
        for join in (*(first.args.get("joins") or ()), *joins):
            if join.meta.get("comma"):
                groups.append(self._tables(join.this))
            else:
                groups[-1] = self._joined(*groups[-1], join)
        scope, sql = groups[0]
        for other, other_sql in groups[1:]:
            _check_unique(scope, other)
            scope, sql = (
                _merged(scope, other, [], ""),
                f"{sql} cross join {_enclosed(other, other_sql)}",
            )
        return scope, sql

    def _source(self, node: exp.Expr) -> tuple[Scope, str]:
        """A table or a subquery on its own."""
        alias = self.translator.alias()
        if isinstance(node, exp.Subquery):
            inner = node.this
            if not node.alias:
                if isinstance(inner, exp.Table | exp.Subquery):
                    return self._tables(inner)
                raise Refusal(1248, "42000", "Every derived table must have its own alias")
            relation = self.translator.query(_unnamed(node), None, self.named)
            outputs = {column.sql for _, column in relation.columns}
            return self._named(relation, node.alias, alias, outputs)
        if not isinstance(node, exp.Table) or _extras(
            node, {"this", "db", "alias", "hints", "joins"}
        ):
            raise Refusal(1235, "42000", f"The mirror does not read '{shown(node)}'")
        if not isinstance(node.this, exp.Identifier):
            raise Refusal(1305, "42000", f"FUNCTION {shown(node.this)} does not exist")
        if not node.db and node.name in self.named:
            return self._named(self.named[node.name], node.alias or node.name, alias, None)
        if node.name.lower() == "dual" and not node.db:
            return Scope(), "(select 1) as " + alias
        table = self.translator.table(node)
        name = node.alias or node.name
        columns = {
            column.name.lower(): stored(column, alias, table, name) for column in table.columns
        }
        source = Source(name, "" if node.alias else table.schema, columns)
        listed, keys = tuple(columns.values()), of_keys(table, columns)
        scope = Scope((source,), columns, listed=listed, dependences=keys)
        return scope, f"{table.location} as {alias}"

    def _named(
        self, relation: Relation, name: str, alias: str, outputs: Collection[str] | None
    ) -> tuple[Scope, str]:
        names = [column.lower() for column, _ in relation.columns]
        for column in names:
            if names.count(column) > 1:
                raise Refusal(1060, "42S21", f"Duplicate column name '{column}'")
        columns = {
            column.lower(): replace(
                typed,
                sql=f"{alias}.{label(column)}",
                name=column,
                origin=_derived(typed.origin, name, column),
            )
            for column, typed in relation.columns
        }
        scope = Scope(
            (Source(name, "", columns),),
            columns,
            listed=tuple(columns.values()),
            dependences=tuple(seen_from_outside(relation.dependences, alias, outputs)),
            joins=relation.joins,
        )
        return scope, f"({relation.sql}) as {alias}"

    def _joined(self, scope: Scope, sql: str, join: exp.Join) -> tuple[Scope, str]:
        side, method, kind = (
            (join.args.get(name) or "").upper() for name in ("side", "method", "kind")
        )
        if (
            _extras(join, {"this", "side", "kind", "method", "on", "using"})
            or side not in ("", "LEFT", "RIGHT")
            or kind not in ("", "INNER", "OUTER", "CROSS", "STRAIGHT_JOIN")
            or method not in ("", "NATURAL")
        ):
            raise Refusal(1235, "42000", f"The mirror does not join by '{shown(join)}'")
        other, other_sql = self._tables(join.this)
        _check_unique(scope, other)
        shared: list[str] = []
        first, second = (other, scope) if side == "RIGHT" else (scope, other)
        if method == "NATURAL":
            shared = [name for name in first.visible if name in second.visible]
        elif join.args.get("using"):
            # however USING lists them
            wanted = [item.name.lower() for item in join.args["using"]]
            shared = sorted(wanted, key=[*first.visible, *wanted].index)
        merged = _merged(scope, other, shared, side)
        tests = [_equal(scope, other, name) for name in shared]
        on = join.args.get("on")
        if on:
            context = self.translator.context(replace(merged, outer=self.outer), self.named)
            tests.append(context.restriction(on))
        pairs = [(first.find(name), second.find(name)) for name in shared]
        facts = of_matches(first, second, on, pairs) if side else of_rows(merged, on, pairs)
        # DuckDB moves no table across an outer join
        joins = scope.joins + other.joins + Joins(0, len(shared) + _equalities(on))
        joins = Joins() if side else joins
        merged = replace(merged, dependences=(*merged.dependences, *facts), joins=joins)
        if side and not tests and method != "NATURAL":
            raise Refusal(1064, "42000", "You have an error in your SQL syntax: a join wants ON")
        other_sql = _enclosed(other, other_sql)
        if not tests and not side:
            return merged, f"{sql} cross join {other_sql}"
        words = f"{side.lower()} join" if side else "join"
        return merged, f"{sql} {words} {other_sql} on ({' and '.join(tests) or 'true'})"

    def _items(self, scope: Scope) -> list[Item]:
        """The select list with its names, its stars spelled out."""
        items: list[Item] = []
        for item in self.node.expressions:
            if isinstance(item, exp.Star):
                if _extras(item, set()):
                    raise Refusal(1064, "42000", "You have an error in your SQL syntax near '*'")
                items += ((column.name, column) for column in scope.listed)
            elif isinstance(item, exp.Column) and isinstance(item.this, exp.Star):
                source = next((s for s in scope.sources if s.alias == item.table), None)
                if source is None:
                    raise Refusal(1051, "42S02", f"Unknown table '{item.table}'")
                items += ((column.name, column) for column in source.columns.values())
            elif isinstance(item, exp.Alias):
                items.append((item.alias, item.this))
            else:
                items.append((_own_name(item), item))
        return items

    def _group_nodes(self) -> list[exp.Expr]:
        group = self.node.args.get("group")
        if group is None:
            return []
        if _extras(group, {"expressions", "rollup"}):
            raise Refusal(1235, "42000", "The mirror does not translate such a GROUP BY")
        return group.expressions

    @property
    def _has_totals(self) -> bool:
        """Whether WITH ROLLUP asks for rows of totals."""
        group = self.node.args.get("group")
        return group is not None and bool(group.args.get("rollup"))

    def _aliases(self, items: list[Item], scope: Scope) -> dict[str, exp.Expr]:
        """The select list as HAVING knows it: keys of GROUP BY that are columns come before it."""
        keys = {
            item.name.lower()
            for item in self._group_nodes()
            if isinstance(item, exp.Column) and item.name.lower() in scope.visible
        }
        named: dict[str, exp.Expr] = {}
        for name, item in items:
            if isinstance(item, exp.Expr) and name.lower() not in keys:
                named.setdefault(name.lower(), item)
        return named

    def _group_key(
        self,
        node: exp.Expr,
        rows: Context,
        items: list[Item],
    ) -> Typed:
        """A key: a column, an expression, or the number or alias of an item of the select list."""
        if isinstance(node, exp.Literal) and not node.is_string:
            return _numbered(node, items, rows)
        if isinstance(node, exp.Column) and not node.table:
            by_name = {name.lower(): item for name, item in items}
            found = rows.scope.find(node.name)
            if found is None and node.name.lower() in by_name:
                item = by_name[node.name.lower()]
                return rows.typed(item) if isinstance(item, exp.Expr) else item
        return rows.typed(node)


def _derived(origin: Origin | None, table: str, column: str) -> Origin:
    """Where a column of a subquery comes from."""
    if origin is None:
        return Origin("", table, "", column)
    return replace(origin, schema="", table=table, original_name=column)


def stored(column: Column, alias: str, table: Table, name: str) -> Typed:
    """A column of the file in the form in which expressions expect its type."""
    sql, kind, duckdb_type = f"{alias}.{quoted(column.name)}", column.type, column.duckdb_type
    if kind.kind == "decimal":
        # its length counts the sign and the point
        digits = kind.length - bool(kind.decimals) - (not kind.unsigned)
        kind = replace(kind, length=digits, name="")
        if duckdb_type == "VARCHAR":
            sql = f"cast({sql} as decimal(38, {kind.decimals or 0}))"
    held = ""
    if kind.kind == "integer" and duckdb_type == "BOOLEAN":
        held = "boolean"
    elif kind.kind == "integer" and duckdb_type in SMALL:
        held = "small"
    elif kind.kind == "time":
        held = "interval"
    elif kind.kind == "blob" and column.originals:
        original = (
            "(select b.original from mirror._mirror.blobs as b"
            f' where {column.originals} and b."row" = {alias}.rowid)'
        )
        # bytes that do not decode are no value here, and yet were not NULL on the server
        both = f"{{'value': {sql}, 'original': {original}}}"
        sql = f"case when {sql} is not null or {original} is not null then {both} end"
    elif kind.kind == "json":
        sql = f"cast({sql} as varchar)"
    origin = Origin(table.schema, name, table.name, column.name, column.flags)
    return Typed(sql, kind, held, column.is_nullable, None, column.name, True, origin)


def _merged(scope: Scope, other: Scope, shared: list[str], side: str) -> Scope:
    """The columns of a join: the shared ones first and once, as MySQL lists them."""
    if side == "LEFT":
        other = _nullable(other)
    elif side == "RIGHT":
        scope = _nullable(scope)
    left, right = scope.visible, other.visible
    kept = right if side == "RIGHT" else left
    visible = {name: kept[name] for name in shared if name in kept}
    # USING and NATURAL make of a RIGHT JOIN a LEFT one, the other way round
    halves = (other, scope) if side == "RIGHT" and shared else (scope, other)
    rest = [column for half in halves for column in half.listed]
    listed = [*visible.values(), *(c for c in rest if c.name.lower() not in shared)]
    for column in listed:
        visible.setdefault(column.name.lower(), column)
    twice = {name for name in left if name in right and name not in shared}
    ambiguous = (scope.ambiguous | other.ambiguous | twice) - set(shared)
    dependences = (*scope.dependences, *other.dependences)
    return Scope(
        (*scope.sources, *other.sources),
        visible,
        frozenset(ambiguous),
        tuple(listed),
        dependences,
        joins=scope.joins + other.joins,
    )


def _enclosed(scope: Scope, sql: str) -> str:
    """Tables that are joined among themselves before something joins them."""
    return f"({sql})" if len(scope.sources) > 1 else sql


def _check_unique(scope: Scope, other: Scope) -> None:
    known = {(source.alias, source.schema) for source in scope.sources}
    for source in other.sources:
        if (source.alias, source.schema) in known:
            raise Refusal(1066, "42000", f"Not unique table/alias: '{source.alias}'")


def _nullable(scope: Scope) -> Scope:
    """The columns of the side of a join that rows of the other may lack."""

    def changed(columns: Mapping[str, Typed]) -> dict[str, Typed]:
        return {name: replace(column, is_nullable=True) for name, column in columns.items()}

    return replace(
        scope,
        dependences=tuple(one for one in scope.dependences if one.outlasts),
        sources=tuple(replace(s, columns=changed(s.columns)) for s in scope.sources),
        visible=changed(scope.visible),
        listed=tuple(replace(column, is_nullable=True) for column in scope.listed),
    )


def _equalities(condition: exp.Expr | None) -> int:
    """How many pairs of columns a condition compares."""
    if condition is None:
        return 0
    return sum(
        isinstance(unwrapped(test.this), exp.Column)
        and isinstance(unwrapped(test.expression), exp.Column)
        for test in condition.find_all(exp.EQ)
    )


def _equal(scope: Scope, other: Scope, name: str) -> str:
    left, right = scope.find(name), other.find(name)
    if left is None or right is None:
        raise Refusal(1054, "42S22", f"Unknown column '{name}' in 'from clause'")
    return compared(left, right, "=").sql


def label(name: str) -> str:
    """The name of a column in DuckDB, which wants one, and takes a zero byte for the end."""
    return quoted(name.encode(errors="replace").decode().replace("\0", "␀") or "_")


def _distinct(columns: Iterable[Typed]) -> str:
    """One row for each value of the columns that differ at all."""
    keys = [key(column) for column in columns if column.value is None and column.kind != "null"]
    return f"distinct on ({', '.join(keys)}) " if keys else "distinct "


def _item(item: Part, context: Context) -> Typed:
    """An item of the select list; in a query of groups, a key or something made of the group."""
    if isinstance(item, exp.Expr):
        return context.item(item)
    return item if context.groups is None else context.groups.of(item)


def _of_one_row(item: Part, rows: Context) -> Typed | None:
    """An item that is made of one row; None if it is made of several, or of another query."""
    if isinstance(item, Typed):
        return item
    if has_aggregate(item) or item.find(exp.Query, exp.Window):
        return None
    return rows.typed(item)


def _order(node: exp.Expr, context: Context, columns: list[tuple[str, Typed]]) -> str:
    """ORDER BY, NULL first and an enum in the order of its members."""
    order = node.args.get("order")
    if order is None:
        return ""
    named: dict[str, Typed] = {}
    for name, column in columns:
        named.setdefault(name.lower(), column)
    parts = []
    for item in order.expressions:
        if _extras(item, {"this", "desc", "nulls_first"}):
            raise Refusal(1235, "42000", "The mirror does not translate such an ORDER BY")
        target = unwrapped(item.this)
        if isinstance(target, exp.Literal) and not target.is_string:
            _, one = columns[_place(target, len(columns))]
        elif isinstance(target, exp.Column) and not target.table and target.name.lower() in named:
            one = named[target.name.lower()]
        else:
            _check_aliases(target, context)
            one = context.item(target)
        if one.kind == "null" or one.value is not None:
            # the same for all rows
            continue
        parts.append(ordered(one, bool(item.args.get("desc"))))
    return f" order by {', '.join(parts)}" if parts else ""


def _check_aliases(node: exp.Expr, context: Context) -> None:
    """Refuse what MySQL cannot work out with: a value of a group, by its name."""
    for column in node.find_all(exp.Column):
        named = None if column.table else context.aliases.get(column.name.lower())
        if named is not None and has_aggregate(named):
            raise Refusal(
                1247,
                "42S22",
                f"Reference '{column.name}' not supported (reference to group function)",
            )


def _place(node: exp.Literal, n: int) -> int:
    if not str(node.this).isdigit() or not 1 <= int(node.this) <= n:
        raise Refusal(1054, "42S22", f"Unknown column '{node.this}' in 'order clause'")
    return int(node.this) - 1


def _numbered(node: exp.Literal, items: list[Item], rows: Context) -> Typed:
    _, item = items[_place(node, len(items))]
    return rows.typed(item) if isinstance(item, exp.Expr) else item


def _limit(node: exp.Expr) -> str:
    sql = ""
    for name in ("limit", "offset"):
        part = node.args.get(name)
        if part is None:
            continue
        value = part.expression
        if not isinstance(value, exp.Literal) or not str(value.this).isdigit():
            raise Refusal(1064, "42000", f"You have an error in your SQL syntax near '{name}'")
        # MySQL's way of saying "all the rest" is beyond what DuckDB counts to
        sql += f" {name} {min(int(value.this), 2**62)}"
    return sql


def _written(column: Typed, kind: Type) -> str:
    """A column as a recursive query keeps it, in the type of its first part."""
    if kind.kind == "decimal":
        return exact(Typed(become(column, kind), kind, "double"))
    if kind.kind == "integer" and column.kind in ("decimal", "double", "float"):
        return integer(settled(column))
    return become(column, kind)


def _in_table(column: Typed) -> Typed:
    """A column as a UNION has it: MySQL makes of an enum a text, in the order of texts."""
    if column.kind != "enum":
        return settled(column)
    return Typed(text(column), Type("string", column.type.length), "", column.is_nullable)


def _names(node: exp.Expr, table: str) -> bool:
    """Whether a query reads a table of that name, without a schema."""
    return any(found.name == table and not found.db for found in node.find_all(exp.Table))


def _renamed(relation: Relation, names: list[str]) -> Relation:
    """The columns of a WITH by the names that it lists for them, if it does."""
    if not names:
        return relation
    if len(names) != len(relation.columns):
        raise Refusal(4002, "HY000", "WITH column list and SELECT field list have different counts")
    listed = ", ".join(map(label, names))
    columns = tuple(
        (name, replace(column, sql=label(name), name=name))
        for name, (_, column) in zip(names, relation.columns, strict=True)
    )
    return Relation(f"select {listed} from ({relation.sql}) as named({listed})", columns)


def _united(node: exp.Expr) -> list[exp.Expr]:
    """The parts of a chain of UNIONs of one kind, whose columns MySQL types together."""
    parts = [node.expression]
    first = node.this
    while (
        isinstance(first, exp.Union)
        and first.args.get("distinct") == node.args.get("distinct")
        and not _extras(first, {"this", "expression", "distinct"})
    ):
        parts.append(first.expression)
        first = first.this
    return [first, *reversed(parts)]


def _extras(node: exp.Expr, known: set[str]) -> set[str]:
    """What a node holds beside the parts that are known."""
    return {name for name, part in node.args.items() if part and name not in known}


def _lifted(node: exp.Subquery) -> exp.Expr:
    """(SELECT ...) ORDER BY ... LIMIT ... as a query around the one in parentheses."""
    if _extras(node, {"this", "alias", "order", "limit", "offset"}):
        raise Refusal(1235, "42000", "The mirror does not translate such a subquery")
    around = exp.select("*").from_(exp.Subquery(this=node.this, alias=exp.TableAlias(this="q")))
    for name in ("order", "limit", "offset"):
        around.set(name, node.args.get(name))
    return around


def _unnamed(node: exp.Subquery) -> exp.Expr:
    """The query of a subquery that stands among tables, whose joins are none of its own."""
    return node.this if not _extras(node, {"this", "alias", "joins"}) else _lifted(node)


def _own_name(item: exp.Expr) -> str:
    """What MySQL calls a column without an alias: its name, or its text."""
    written = str(item.meta.get("text", "?")).encode(errors="replace").decode()
    inner = unwrapped(item)
    if inner.meta.get("is_parameter"):
        return "?"
    if ":=" in written:
        return written
    match inner:
        case exp.Column() as column:
            return column.name
        case exp.Literal() as literal if literal.is_string:
            return str(literal.this)
        case exp.Concat() as adjacent:
            return "".join(str(part.this) for part in adjacent.expressions)
        case exp.Boolean() | exp.Null():
            return written.upper()
    return written


@operator(exp.Column)
def column(node: exp.Expr, context: Context) -> Typed:
    if not isinstance(node, exp.Column) or isinstance(node.this, exp.Star):
        raise Refusal(1064, "42000", "You have an error in your SQL syntax near '*'")
    return context.column(node)


@operator(exp.Subquery)
def scalar(node: exp.Expr, context: Context) -> Typed:
    relation = context.query(node, context)
    if len(relation.columns) != 1:
        raise Refusal(1241, "21000", "Operand should contain 1 column(s)")
    one = relation.columns[0][1]
    return replace(one, sql=f"({relation.sql})", is_nullable=True, origin=None)
