"""Random DataJoint expressions, of the sort that scripts on IBL's database are made of.

`questions(tables)` draws a recipe (see recipes.py) that ends in a fetch. SQL comes from a grammar:
templates by kind of result, whose {slots} are filled by columns, literals taken from the data, or
templates again. Everything drawn has one answer: orders are total, bare columns of aggregates
depend on the key, and a string that stands for its group is marked as `folded`.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from hypothesis import strategies as st
from judge import fold
from recipes import Call, Operation, Table

# rows of a join beyond which it is not drawn
MOST_ROWS = 4000
SOME = 12
NUMBER = (
    *("{number:column}", "{number:literal}", "{number} + {number}", "{number} - {number}"),
    *("{number} * {number}", "{number} / {number}", "({number} + {number}) / 2", "-{number}"),
    *("{number:column} DIV {int}", "{number} % {int}", "MOD({number}, {int})", "ABS({number})"),
    *("ROUND({number})", "ROUND({number}, {digits})", "FLOOR({number})", "CEIL({number})"),
    *("TRUNCATE({number}, {digits})", "SIGN({number})", "SQRT(ABS({number}))", "POW({number}, 2)"),
    *("IF({truth}, {number}, {number})", "IFNULL({number}, {number})", "{truth}", "({truth})"),
    *("COALESCE({number}, {number}, 0)", "NULLIF({number}, {number})", "LN({number})"),
    *("GREATEST({number}, {number})", "LEAST({number}, {number})", "EXP({number:literal})"),
    "CASE WHEN {truth} THEN {number} WHEN {truth} THEN {number} ELSE {number} END",
    "CASE {string:column} WHEN {string:literal} THEN 1 WHEN {string:literal} THEN 2 END",
    *("LENGTH({string})", "CHAR_LENGTH({string})", "LOCATE({string:literal}, {string})"),
    *("INSTR({string}, {string:literal})", "STRCMP({string}, {string})", "ASCII({string})"),
    "FIELD({string:column}, {string:literal}, {string:literal})",
    "FIND_IN_SET({string:literal}, {string})",
    *("DATEDIFF({day}, {day})", "YEAR({day})", "MONTH({day})", "DAY({day})", "DAYOFYEAR({day})"),
    *("DAYOFWEEK({day})", "WEEKDAY({day})", "QUARTER({day})", "TO_DAYS({day})", "WEEK({day})"),
    *("HOUR({moment})", "MINUTE({moment})", "SECOND({moment})", "HOUR({span})", "WEEK({day}, 3)"),
    *(
        "TIME_TO_SEC({span})",
        "MICROSECOND({moment})",
        "EXTRACT(YEAR FROM {day})",
    ),
    *("TIMESTAMPDIFF({unit}, {moment}, {moment})", "TIMESTAMPDIFF({unit}, {day}, {day})"),
    *("UNIX_TIMESTAMP({moment})", "TIME_TO_SEC(TIMEDIFF({moment}, {moment})) / 60"),
    *("CAST({number} AS SIGNED)", "CAST({number} AS DECIMAL(12,3))", "CAST({string} AS SIGNED)"),
    *("CAST({truth} AS UNSIGNED)", "ISNULL({any})", "{string} + 0", "{day} + 0", "{enum} + 0"),
    *("{number} & 3", "{number:column} | 1", "{number} + {string}"),
)
STRING = (
    *("{string:column}", "{enum}", "{string:literal}", "CONCAT({string}, {string})"),
    *("CONCAT({string}, '_', {plain})", "CONCAT_WS('-', {string}, {plain}, {string})"),
    *("UPPER({string})", "LOWER({string})", "TRIM({string})", "LTRIM({string})", "RTRIM({string})"),
    *("SUBSTRING({string}, {int}, {int})", "SUBSTRING({string}, -{int})", "SUBSTR({string}, 2)"),
    *("LEFT({string}, {int})", "RIGHT({string}, {int})", "REPLACE({string}, {part}, {part})"),
    *("REVERSE({string})", "LPAD({string}, {int}, '*')", "RPAD({string}, 8, ' ')"),
    *("SUBSTRING_INDEX({string}, {part}, 1)", "SUBSTRING_INDEX({string}, {part}, -1)"),
    *("IF({truth}, {string}, {string})", "IFNULL({string}, {string})", "REPEAT({string}, 2)"),
    *("COALESCE({string}, {string:literal})", "NULLIF({string}, {string:literal})"),
    "CASE WHEN {truth} THEN {string} ELSE {string} END",
    "CASE {string:column} WHEN {string:literal} THEN {string} ELSE {string:literal} END",
    *("IFNULL({number}, {string})", "IF({truth}, {number}, {string})", "IFNULL({day}, {string})"),
    *("GREATEST({string}, {string})", "LEAST({string}, {string})", "ELT({int}, 'one', {string})"),
    *(
        "DATE_FORMAT({moment}, {format})",
        "DATE_FORMAT({day}, {format})",
        "TIME_FORMAT({span}, '%H')",
    ),
    *("DAYNAME({day})", "MONTHNAME({day})", "HEX({uuid})", "LOWER(HEX({uuid}))", "HEX({string})"),
    *("CAST({number} AS CHAR)", "CAST({moment} AS CHAR)", "CONCAT({number})", "CONCAT({span})"),
    *("FORMAT({number}, 2)", "INSERT({string}, 2, 1, '+')", "MD5({string})", "QUOTE({string})"),
)
DATE = (
    *("{date:column}", "DATE({moment})", "{date} + INTERVAL {int} DAY", "LAST_DAY({moment})"),
    *("DATE_ADD({date}, INTERVAL {int} MONTH)", "DATE_SUB({date}, INTERVAL {int} WEEK)"),
    *("IFNULL({date}, {date})", "LEAST({date}, {date})", "GREATEST({date}, {date})"),
    *("IF({truth}, {date}, {date})", "COALESCE({date}, DATE({date:literal}))"),
    *(
        "CAST({moment} AS DATE)",
        "STR_TO_DATE({date:literal}, '%Y-%m-%d')",
        "NULLIF({date}, {date})",
    ),
)
MOMENT = (
    *(
        "{moment:column}",
        "{moment} + INTERVAL {int} HOUR",
        "DATE_ADD({moment}, INTERVAL {int} DAY)",
    ),
    *("DATE_SUB({moment}, INTERVAL {int} MONTH)", "TIMESTAMP({date})", "CAST({date} AS DATETIME)"),
    *("IFNULL({moment}, {moment})", "LEAST({moment}, {moment})", "GREATEST({moment}, {moment})"),
    *("IF({truth}, {moment}, {moment})", "IFNULL({date}, {moment})", "NULLIF({moment}, {moment})"),
    *("TIMESTAMPADD({unit}, {int}, {moment})", "DATE_ADD({moment}, INTERVAL {int} MICROSECOND)"),
)
SPAN = (
    *("{span:column}", "TIMEDIFF({moment}, {moment})", "TIME({moment})", "SEC_TO_TIME({number})"),
    *("IFNULL({span}, {span})", "ADDTIME({span}, '01:30:00')", "SUBTIME({span}, '00:00:30')"),
    *("MAKETIME({int}, {int}, {int})", "CAST({moment} AS TIME)", "GREATEST({span}, {span})"),
)
UUIDS = ("{uuid:column}", "IF({truth}, {uuid}, {uuid})", "COALESCE({uuid}, {uuid})")
TRUTH = (
    *("{column} {op} {sample}", "{column} {op} {sample}", "{column} {op} {sample}"),
    *("{column} IN ({sample}, {sample})", "{column} NOT IN ({sample}, {sample}, {sample})"),
    *("{column} BETWEEN {sample} AND {sample}", "{column} NOT BETWEEN {sample} AND {sample}"),
    *(
        "{nullable} IS NULL",
        "{nullable} IS NOT NULL",
        "{column} <=> {sample}",
        "ISNULL({nullable})",
    ),
    *("{string:column} LIKE {pattern}", "{string:column} NOT LIKE {pattern}"),
    *("{string} LIKE {pattern}", "{string:column} REGEXP {regex}", "{string} NOT REGEXP {regex}"),
    *("{number} {op} {number}", "{string} {op} {string}", "{moment} {op} {moment}"),
    *("{date} {op} {date}", "{span} {op} {span}", "{date} {op} {moment}", "{uuid} {op} {uuid}"),
    *("{number} IN ({number}, {number})", "{number} BETWEEN {number} AND {number}"),
    *("{truth} AND {truth}", "{truth} OR {truth}", "NOT {truth}", "({truth} OR {truth})"),
    *(
        "NOT ({truth} AND {truth})",
        "{truth} XOR {truth}",
        "({truth}) = {int}",
        "{truth} && {truth}",
    ),
    *("DATE({moment}) {op} {date:literal}", "YEAR({day}) = 2019", "{moment} < NOW()"),
    *(
        "{day} {op} {string:literal}",
        "{string:column} {op} {number:literal}",
        "{plain} {op} {plain}",
    ),
    *("{number:column} {op} {string:literal}", "TIME({moment}) {op} '12:00:00'", "{number}"),
    *("({truth}) IS TRUE", "{truth} IS NOT FALSE", "BINARY {string:column} = {string:literal}"),
)
AGGREGATE = {
    "number": (
        *("COUNT(*)", "COUNT({any})", "COUNT(DISTINCT {any})", "SUM({number})", "SUM({truth})"),
        *("AVG({number})", "AVG({truth})", "MIN({number})", "MAX({number})", "STD({number})"),
        *("SUM({truth}) / COUNT(*)", "ROUND(AVG({number}), 2)", "VARIANCE({number})", "COUNT(1)"),
        *(
            "STDDEV_SAMP({number})",
            "SUM({number}) / SUM({number})",
            "MAX({number}) - MIN({number})",
        ),
        *(
            "DATEDIFF(MAX({moment}), MIN({moment}))",
            "COUNT(IF({truth}, 1, NULL))",
            "VAR_SAMP({number})",
        ),
        *(
            "IFNULL(SUM({number}), 0)",
            "SUM(IF({truth}, {number}, 0))",
            "COUNT(DISTINCT {any}, {any})",
        ),
        *(
            "COUNT({uuid})",
            "SUM(DISTINCT {number:column})",
            "STDDEV_POP({number})",
            "BIT_OR({number})",
        ),
    ),
    "date": ("MIN({date})", "MAX({date})", "MIN(DATE({moment}))", "DATE(MAX({moment}))"),
    "moment": ("MIN({moment})", "MAX({moment})"),
    "span": ("TIMEDIFF(MAX({moment}), MIN({moment}))", "MAX({span})", "SEC_TO_TIME(SUM({number}))"),
    "folded": ("MIN({string})", "MAX({string})", "MIN(UPPER({string}))"),
    "string": (
        *(
            "GROUP_CONCAT({plain} ORDER BY {group})",
            "GROUP_CONCAT({plain} ORDER BY {group} SEPARATOR ';')",
        ),
        *("GROUP_CONCAT(DISTINCT {exact} ORDER BY {same})", "MAX({enum})", "MIN({enum})"),
        "GROUP_CONCAT(DISTINCT {exact} ORDER BY {same} DESC SEPARATOR ' ')",
    ),
}
GRAMMAR = {
    "number": NUMBER,
    "string": STRING,
    "date": DATE,
    "moment": MOMENT,
    "span": SPAN,
    "uuid": UUIDS,
    "truth": TRUTH,
}
LITERALS: dict[str, tuple] = {
    "number": (0, 1, 2, -1, 0.5, 0.1, 10, 100, 0.25, 1e-5, 3.5, -2.5, 12345.678),
    "string": (
        "",
        "a",
        "M",
        "alpha",
        "O'Brien",
        '"quoted"',
        "a\\b",
        "50%",
        "Zürich ",
        "12",
        "1.50",
    ),
    "date": (date(2019, 10, 31), date(2019, 12, 31), date(2020, 2, 29)),
    "moment": (datetime(2019, 8, 2, 11), datetime(2019, 10, 31, 9, 7, 3)),
    "span": (timedelta(hours=1), timedelta(0), timedelta(hours=27)),
    "enum": ("M", "f", "low"),
    "uuid": (UUID(int=1),),
    "blob": (None,),
}
WORDS: dict[str, tuple[str, ...]] = {
    "op": ("=", "<", ">", "<=", ">=", "!=", "<>"),
    "int": ("1", "2", "3", "7"),
    "digits": ("2", "0", "1", "-1", "4"),
    "unit": ("DAY", "HOUR", "MINUTE", "SECOND", "WEEK", "MONTH", "YEAR"),
    "part": ("'_'", "'a'", "' '", "'L'", "''"),
    "format": ("'%Y-%m-%d'", "'%Y-%m'", "'%H:%i:%s'", "'%d.%m.%y'", "'%W %M %e %Y'", "'%j %T'"),
    "pattern": (
        *('"%a%"', '"A%"', '"%training%"', '"_l%"', '"%biased%"', '"5\\_0"', '"50\\%"', '"%\'%"'),
        *('"%zo_%"', '""', '"%"', '"% "', '"%ü%"', '"%\\\\\\\\%"'),
    ),
    "regex": ("'a'", "'^[A-C]'", "'training|biased'", "'[0-9]+'", "'_'", "'e$'", "'.'", "'^$'"),
}
PLAIN = ("number", "string", "date", "moment", "span", "enum")
KINDS = (*PLAIN, "uuid")
CAST = {"moment": ("TIMESTAMP", "date"), "date": ("DATE", "moment"), "span": ("TIME", "moment")}
TYPED = {"date", "moment", "day", "span", "uuid", "enum"}
NEW_NAMES = ("x", "y", "n", "label")


@dataclass(frozen=True)
class Column:
    """A column of an expression; the values in `samples` are from the data."""

    name: str
    kind: str
    is_key: bool
    samples: tuple = ()
    is_nullable: bool = True
    # the collation holds strings equal that differ
    is_mixed: bool = False


@dataclass(frozen=True)
class Drawn:
    """An expression so far: its recipe, its columns, and about how many rows it has."""

    recipe: Any
    columns: tuple[Column, ...]
    rows: int
    # a limit or a union, which DataJoint does not let everything be done with
    is_closed: bool = False
    # DataJoint loses order and limit of a union
    is_union: bool = False

    @property
    def key(self) -> tuple[Column, ...]:
        return tuple(column for column in self.columns if column.is_key)

    @property
    def rest(self) -> tuple[Column, ...]:
        return tuple(column for column in self.columns if not column.is_key)

    def without(self, names: set[str]) -> "Drawn":
        """Itself without those secondary columns."""
        if not names & {column.name for column in self.rest}:
            return self
        kept = tuple(c for c in self.columns if c.is_key or c.name not in names)
        recipe = Call(self.recipe, "proj", tuple(c.name for c in kept if not c.is_key))
        return replace(self, recipe=recipe, columns=kept)


@dataclass(frozen=True)
class Question:
    """A recipe that ends in a fetch, and what the judge must know of its answer."""

    recipe: Any
    in_order: bool
    folded: frozenset[str]

    def __repr__(self) -> str:
        return repr(self.recipe)


def survey(classes: Mapping[str, type]) -> dict[str, Drawn]:
    """Each table as the simplest expression: its columns, some of its values, its rows."""
    found = {}
    for name, table in sorted(classes.items()):
        heading = table().heading
        rows = table().fetch(as_dict=True, order_by="KEY")
        columns = []
        for column in heading.attributes.values():
            values = [row[column.name] for row in rows if row[column.name] is not None]
            kind = _kind(column)
            distinct = list(dict.fromkeys(values)) if kind != "blob" else []
            columns.append(
                Column(
                    column.name,
                    kind,
                    column.in_key,
                    tuple(distinct[:: max(1, len(distinct) // SOME)]),
                    column.nullable,
                    kind == "string" and len(set(map(fold, distinct))) < len(distinct),
                )
            )
        found[name] = Drawn(Table(name), tuple(columns), len(rows))
    return found


def _kind(attribute: Any) -> str:
    if attribute.uuid:
        return "uuid"
    if attribute.is_blob:
        return "blob"
    if attribute.numeric:
        return "number"
    declared = re.match(r"\w+", attribute.type).group()
    return {
        "enum": "enum",
        "date": "date",
        "datetime": "moment",
        "timestamp": "moment",
        "time": "span",
    }.get(declared, "string")


def literal(value: Any, quote: str = '"') -> str:
    """A value as MySQL reads it."""
    match value:
        case None:
            return "NULL"
        case bool() | int() | float() | Decimal():
            return str(value)
        case UUID():
            return f"X'{value.hex}'"
        case timedelta():
            minutes, seconds = divmod(abs(int(value.total_seconds())), 60)
            sign = "-" if value < timedelta(0) else ""
            return f"'{sign}{minutes // 60:02}:{minutes % 60:02}:{seconds:02}'"
        case date():
            return f'"{value}"'
    return quote + str(value).replace("\\", "\\\\").replace(quote, quote * 2) + quote


def slots(template: str) -> set[str]:
    return set(re.findall(r"\{(\w+)", template))


class Sql:
    """Draws SQL over some columns; % is doubled where DataJoint leaves that to its user."""

    def __init__(
        self,
        draw: Callable,
        columns: tuple[Column, ...],
        group: str = "",
        is_condition: bool = True,
    ) -> None:
        self.draw = draw
        self.columns = columns
        self.group = group
        self.last: Column | None = None
        self.same = ""
        # in conditions DataJoint takes words in lower case for attributes
        self.is_lower = not is_condition and draw(st.booleans())
        self.kinds = {column.kind for column in columns} | {"number", "string", "truth"}
        # a moment has a date and a time of day
        if self.kinds & {"date", "moment"}:
            self.kinds |= {"date", "moment", "day"}
        if "moment" in self.kinds:
            self.kinds.add("span")

    def __call__(self, kind: str, depth: int) -> str:
        """SQL of a kind; at depth 0 a column or a literal."""
        if kind in ("any", "plain"):
            kinds = KINDS if kind == "any" else PLAIN
            kind = self.draw(st.sampled_from([k for k in kinds if k in self.kinds]))
        if kind == "day":
            kind = self.draw(st.sampled_from(("moment", "date")))
        if kind == "enum":
            return self.leaf("enum")
        if kind == "truth":
            depth = max(depth, 1)
        if depth == 0:
            return self.leaf(kind)
        return self.fill(self.template(GRAMMAR[kind]), depth - 1)

    def template(self, templates: Sequence[str]) -> str:
        """One that these columns can fill."""
        fitting = [t for t in templates if slots(t) & TYPED <= self.kinds]
        return self.draw(st.sampled_from(fitting)) if fitting else "NULL"

    def fill(self, template: str, depth: int) -> str:
        template = template.lower() if self.is_lower else template
        return re.sub(r"\{(\w+)(?::(\w+))?\}", lambda m: self.slot(m[1], m[2], depth), template)

    def slot(self, kind: str, form: str | None, depth: int) -> str:
        if kind in WORDS:
            return self.draw(st.sampled_from(WORDS[kind]))
        if kind in ("column", "nullable"):
            return self.column(kind)
        if kind == "sample":
            return self.sample(self.last)
        if kind == "group":
            return self.group
        if kind == "same":
            return self.same
        if kind == "exact":
            self.same = self.exact()
            return self.same
        if form == "literal":
            return self.literal(kind)
        if form == "column":
            return self.leaf(kind)
        # one of many arguments goes deep, so that the whole stays small
        inner = self(kind, depth if depth == 0 or self.draw(st.booleans()) else depth - 1)
        return f"({inner})" if kind != "truth" and " " in inner and inner[-1] != ")" else inner

    def of(self, *kinds: str) -> list[Column]:
        return [column for column in self.columns if column.kind in kinds]

    def column(self, form: str) -> str:
        """A column to be compared with its own samples, or asked for NULL."""
        if form == "nullable":
            choice = [c for c in self.columns if c.is_nullable] or list(self.columns)
        else:
            choice = self.of(*KINDS, "folded")
        if not choice:
            return "1"
        self.last = self.draw(st.sampled_from(choice))
        return self.last.name

    def sample(self, column: Column | None) -> str:
        if column is None:
            return "1"
        return self.literal(column.kind, column.samples)

    def exact(self) -> str:
        """A column whose values show in one way only."""
        choice = [c for c in self.of("number", "date", "moment", "enum")]
        return self.draw(st.sampled_from(choice)).name if choice else "1"

    def leaf(self, kind: str) -> str:
        kinds = ("string", "enum") if kind == "string" else (kind,)
        choice = self.of(*kinds)
        if choice:
            return self.draw(st.sampled_from(choice)).name
        if kind not in CAST:
            return self.literal(kind)
        cast, source = CAST[kind]
        choice = self.of(source)
        inner = self.draw(st.sampled_from(choice)).name if choice else self.literal(kind)
        return f"{cast}({inner})"

    def literal(self, kind: str, samples: tuple = ()) -> str:
        kind = "string" if kind == "folded" else kind
        values = LITERALS[kind]
        if samples and self.draw(st.integers(0, 5)):
            values = samples
        value = self.draw(st.sampled_from(values))
        if isinstance(value, str):
            if value and not self.draw(st.integers(0, 5)):
                value = value.swapcase()
            if value.endswith("\\"):
                value += "."
            # as people write it, unless DataJoint would take it for the end of the string
            return literal(value, "'" if '"' in value else '"')
        return literal(value)


@st.composite
def questions(draw: Callable, tables: Mapping[str, Drawn], depth: int = 4) -> Question:
    """An expression and one of the ways to fetch it."""
    return draw_fetch(draw, draw_expression(draw, tables, draw(st.integers(0, depth))))


def draw_expression(draw: Callable, tables: Mapping[str, Drawn], depth: int) -> Drawn:
    """A table with up to `depth` operations on it."""
    if depth == 0:
        return tables[draw(st.sampled_from(list(tables)))]
    # what sets shrink to comes first
    step = draw(
        st.sampled_from(
            (
                *(draw_restriction, draw_restriction, draw_restriction, draw_projection),
                *(draw_projection, draw_projection, draw_join, draw_join, draw_aggregation),
                *(draw_aggregation, draw_universal, draw_universal, draw_top, draw_union),
            )
        )
    )
    if depth > 1 and draw(st.booleans()):
        depth -= 1
    return step(draw, draw_expression(draw, tables, depth - 1), tables)


def draw_restriction(draw: Callable, drawn: Drawn, tables: Mapping[str, Drawn]) -> Drawn:
    sign = draw(st.sampled_from(("&", "&", "&", "-")))
    if not drawn.key:
        # an aggregate over everything, which DataJoint cannot restrict
        return drawn
    condition = draw_condition(draw, drawn, tables, 2)
    restricted = replace(drawn, recipe=Operation(drawn.recipe, sign, condition))
    if isinstance(condition, str):
        # surely a query of its own around the limit or the union
        return replace(restricted, is_closed=False, is_union=False)
    return restricted


def draw_condition(draw: Callable, drawn: Drawn, tables: Mapping[str, Drawn], depth: int) -> Any:
    form = draw(
        st.sampled_from(
            (
                *("string", "string", "string", "dict", "dict", "table", "table", "list"),
                *("not", "and", "fetched"),
            )
            if depth
            else ("string", "dict")
        )
    )
    match form:
        case "string":
            return Sql(draw, drawn.columns)("truth", draw(st.integers(1, 3)))
        case "dict":
            return draw_mapping(draw, drawn)
        case "table":
            return draw_partner(draw, drawn, tables).recipe
        case "fetched":
            # keys or rows that were fetched before, as scripts pass them on
            options: dict[str, Any] = {"order_by": "KEY", "limit": draw(st.integers(1, 4))}
            other = draw_partner(draw, drawn, tables)
            other = other.without({column.name for column in other.rest})
            way = draw(st.sampled_from(("KEY", "array", "frame", "dict")))
            if way == "frame":
                options["format"] = "frame"
            if way == "dict":
                options["as_dict"] = True
            return Call(other.recipe, "fetch", ("KEY",) if way == "KEY" else (), options)
        case "not":
            return Call("dj", "Not", (draw_condition(draw, drawn, tables, depth - 1),))
    several = [
        draw_condition(draw, drawn, tables, depth - 1) for _ in range(draw(st.integers(0, 3)))
    ]
    return Call("dj", "AndList", (several,)) if form == "and" else several


def draw_mapping(draw: Callable, drawn: Drawn) -> dict[str, Any]:
    """A restriction by values: None, and the data's own or others of the kind."""
    choice = [c for c in drawn.columns if c.kind not in ("blob", "span")]
    found: dict[str, Any] = {}
    for _ in range(draw(st.integers(0, 2)) if choice else 0):
        column = draw(st.sampled_from(choice))
        values = column.samples or LITERALS["string" if column.kind == "folded" else column.kind]
        value = draw(st.sampled_from(values))
        if column.kind != "uuid" and not draw(st.integers(0, 7)):
            value = draw(st.sampled_from((None, *LITERALS["string"][:4], 1, "2019-10-31")))
        found[column.name] = value
    if not draw(st.integers(0, 7)):
        # DataJoint ignores names that it does not find
        found["no_such_attribute"] = 1
    return found


def draw_partner(
    draw: Callable, drawn: Drawn, tables: Mapping[str, Drawn], is_strict: bool = True
) -> Drawn:
    """Another expression that may be joined with this one, if possible by a shared key."""
    names = {column.name for column in drawn.columns}
    kin = [t for t in tables.values() if names & {column.name for column in t.key}]
    other = draw(st.sampled_from(kin or list(tables.values())))
    for _ in range(draw(st.integers(0, 2))):
        step = draw(st.sampled_from((draw_restricted_by_text, draw_projection)))
        other = step(draw, other, tables)
    # DataJoint refuses to join by attributes that are secondary in both
    return other.without({c.name for c in drawn.rest if is_strict or c.kind == "blob"})


def draw_restricted_by_text(draw: Callable, drawn: Drawn, tables: Mapping[str, Drawn]) -> Drawn:
    condition = Sql(draw, drawn.columns)("truth", draw(st.integers(1, 2)))
    return replace(drawn, recipe=Operation(drawn.recipe, "&", condition))


def draw_join(draw: Callable, drawn: Drawn, tables: Mapping[str, Drawn]) -> Drawn:
    sign = draw(st.sampled_from(("*", "*", "*", "*", "left", "@")))
    other = draw_partner(draw, drawn, tables, is_strict=sign != "@")
    names = {column.name for column in drawn.columns}
    shared = names & {column.name for column in other.columns}
    if drawn.is_closed:
        return draw_restriction(draw, drawn, tables)
    is_finer = {c.name for c in other.key} <= names or {c.name for c in drawn.key} <= shared
    rows = max(drawn.rows, other.rows) if is_finer else drawn.rows * other.rows
    if rows > MOST_ROWS:
        return replace(drawn, recipe=Operation(drawn.recipe, "&", other.recipe))
    keys = {column.name for column in (*drawn.key, *other.key)}
    columns = [
        *drawn.columns,
        *(column for column in other.columns if column.name not in names),
    ]
    columns = [replace(column, is_key=column.name in keys) for column in columns]
    columns = [c for c in columns if c.is_key] + [c for c in columns if not c.is_key]
    if sign == "left":
        recipe: Any = Call(drawn.recipe, "join", (other.recipe,), {"left": True})
    else:
        recipe = Operation(drawn.recipe, sign, other.recipe)
    # the string of either side stands for both
    if any(c.is_mixed for c in columns if c.name in shared):
        columns = [_folded(c) if c.name in shared else c for c in columns]
    return Drawn(recipe, tuple(columns), rows)


def draw_projection(draw: Callable, drawn: Drawn, tables: Mapping[str, Drawn]) -> Drawn:
    """Keep some columns, rename some, compute some."""
    keep = draw(st.sampled_from(("all", "some", "but")))
    rest = list(drawn.rest)
    if keep != "all" and rest:
        some = draw_some(draw, rest, 3)
        rest = [c for c in rest if (c in some) == (keep == "some")]
    arguments: list[Any] = [column.name for column in rest]
    if keep == "all" and rest:
        arguments = [...]
    if keep == "but":
        kept = {column.name for column in rest}
        arguments = [..., *(f"-{c.name}" for c in drawn.rest if c.name not in kept)]
    options: dict[str, Any] = {}
    columns = [*drawn.key, *rest]
    for _ in range(draw(st.integers(0, 2))):
        name = draw_name(draw, columns, options)
        if drawn.columns and not draw(st.integers(0, 3)):
            old = draw(st.sampled_from(drawn.columns))
            taken = {re.sub(r"[()]", "", v) for v in options.values()}
            if old.name in taken or f"-{old.name}" in arguments:
                continue
            if draw(st.booleans()):
                options[name] = f"({old.name})"
                columns.append(replace(old, name=name, is_key=False))
            else:
                options[name] = old.name
                if old in columns:
                    columns[columns.index(old)] = replace(old, name=name)
                else:
                    columns.append(replace(old, name=name))
                if old.name in arguments:
                    arguments.remove(old.name)
            continue
        sql = Sql(draw, drawn.columns, is_condition=False)
        kinds = ("number", "number", "number", "string", "string", "date", "moment", "span", "uuid")
        kind = draw(st.sampled_from([kind for kind in kinds if kind in sql.kinds]))
        text = sql(kind, draw(st.integers(1, 3)))
        if re.fullmatch(r"[\s(]*\w+[\s)]*", text):
            # a bare name would be a renaming
            text = f"IFNULL({text}, NULL)" if not text.strip("() ").isdigit() else text
        options[name] = text.replace("%", "%%")
        columns.append(Column(name, kind, False, is_mixed=kind == "string"))
    recipe = Call(drawn.recipe, "proj", tuple(arguments), options)
    return replace(drawn, recipe=recipe, columns=tuple(columns), is_union=False)


def draw_some(draw: Callable, columns: Sequence[Column], most: int) -> list[Column]:
    if not columns:
        return []
    return draw(st.lists(st.sampled_from(columns), max_size=most, unique=True))


def draw_name(draw: Callable, columns: list[Column], options: Mapping[str, Any]) -> str:
    taken = {column.name for column in columns} | set(options)
    return draw(st.sampled_from([name for name in NEW_NAMES if name not in taken] or ["other"]))


def draw_aggregation(draw: Callable, drawn: Drawn, tables: Mapping[str, Drawn]) -> Drawn:
    """Group another expression by the key of this one."""
    other = draw_partner(draw, drawn, tables)
    if drawn.is_closed or drawn.rows * other.rows > 100 * MOST_ROWS:
        return draw_restriction(draw, drawn, tables)
    names = {column.name for column in drawn.columns}
    kept = draw_some(draw, drawn.rest, 2)
    inner = [*drawn.columns, *(c for c in other.columns if c.name not in names)]
    group = ", ".join(column.name for column in other.key)
    options, computed = draw_aggregates(draw, inner, group, [*drawn.key, *kept])
    if draw(st.booleans()):
        options["keep_all_rows"] = True
    recipe = Call(drawn.recipe, "aggr", (other.recipe, *(c.name for c in kept)), options)
    return Drawn(recipe, (*drawn.key, *kept, *computed), drawn.rows)


def draw_aggregates(
    draw: Callable, inner: list[Column], group: str, columns: list[Column]
) -> tuple[dict[str, Any], list[Column]]:
    options: dict[str, Any] = {}
    computed: list[Column] = []
    kinds = ("number", "number", "number", "number", *AGGREGATE)
    for _ in range(draw(st.integers(0, 3))):
        name = draw_name(draw, [*columns, *inner], options)
        if name in options:
            continue
        kind = draw(st.sampled_from(kinds))
        sql = Sql(draw, tuple(inner), group, is_condition=False)
        text = sql.fill(sql.template(AGGREGATE[kind]), draw(st.integers(0, 2)))
        options[name] = text.replace("%", "%%")
        computed.append(Column(name, kind, False, is_mixed=kind == "string"))
    return options, computed


def draw_universal(draw: Callable, drawn: Drawn, tables: Mapping[str, Drawn]) -> Drawn:
    """Distinct values, or aggregates over them, or over everything."""
    choice = [column for column in drawn.columns if column.kind != "blob"]
    if drawn.is_closed or not choice:
        return draw_restriction(draw, drawn, tables)
    some = draw(st.lists(st.sampled_from(choice), min_size=1, max_size=2, unique=True))
    key = [replace(_folded(c) if c.is_mixed else c, is_key=True) for c in some]
    universal = Call("dj", "U", tuple(column.name for column in some))
    match draw(st.sampled_from(("&", "aggr", "all", "*"))):
        case "&":
            return Drawn(Operation(universal, "&", drawn.recipe), tuple(key), drawn.rows)
        case "*":
            names = {column.name for column in some}
            columns = [replace(c, is_key=c.is_key or c.name in names) for c in drawn.columns]
            columns = [c for c in columns if c.is_key] + [c for c in columns if not c.is_key]
            recipe = Operation(universal, "*", drawn.recipe)
            return replace(drawn, recipe=recipe, columns=tuple(columns))
        case "all":
            universal, key = Call("dj", "U"), []
    group = ", ".join(column.name for column in drawn.key) or "1"
    options, computed = draw_aggregates(draw, list(drawn.columns), group, key)
    if not computed:
        options, computed = {"n": "count(*)"}, [Column("n", "number", False)]
        if any(c.name == "n" for c in key):
            return draw_restriction(draw, drawn, tables)
    recipe = Call(universal, "aggr", (drawn.recipe,), options)
    return Drawn(recipe, (*key, *computed), drawn.rows if key else 1, is_closed=not key)


def draw_top(draw: Callable, drawn: Drawn, tables: Mapping[str, Drawn]) -> Drawn:
    options = {"limit": draw(st.integers(1, 6)), "order_by": draw_order(draw, drawn)}
    if draw(st.booleans()):
        options["offset"] = draw(st.integers(0, 3))
    recipe = Operation(drawn.recipe, "&", Call("dj", "Top", (), options))
    return replace(drawn, recipe=recipe, rows=options["limit"], is_closed=True)


def draw_order(draw: Callable, drawn: Drawn) -> list[str]:
    """An order that leaves nothing open: it ends in the key."""
    choice = [c for c in drawn.columns if c.kind != "blob"]
    some = draw_some(draw, choice, 2)
    by = [column.name + draw(st.sampled_from(("", " DESC", " asc"))) for column in some]
    return [*by, draw(st.sampled_from(("KEY", "KEY DESC")))]


def draw_union(draw: Callable, drawn: Drawn, tables: Mapping[str, Drawn]) -> Drawn:
    """The rows of either of two expressions with one key."""
    keys = {column.name for column in drawn.key}
    kin = [table for table in tables.values() if {c.name for c in table.key} == keys]
    if drawn.is_closed or not kin:
        return draw_restriction(draw, drawn, tables)
    other = draw_restricted_by_text(draw, draw(st.sampled_from(kin)), tables)
    other = other.without({column.name for column in drawn.rest})
    if draw(st.booleans()):
        other = other.without({column.name for column in other.rest})
        drawn = drawn.without({column.name for column in drawn.rest})
    columns = [_folded(c) if c.is_mixed else c for c in (*drawn.columns, *other.rest)]
    recipe = Operation(drawn.recipe, "+", other.recipe)
    return Drawn(recipe, tuple(columns), drawn.rows + other.rows, True, True)


def _folded(column: Column) -> Column:
    return replace(column, kind="folded") if column.kind == "string" else column


def draw_fetch(draw: Callable, drawn: Drawn) -> Question:
    """One of the ways to get at the answer."""
    recipe = drawn.recipe
    folded = {column.name for column in drawn.columns if column.kind == "folded"}
    names = [column.name for column in drawn.columns]
    options: dict[str, Any] = {}
    in_order = False
    form = draw(
        st.sampled_from(
            (
                *("array", "dict", "frame", "columns", "key", "key and column", "ordered", "len"),
                *("bool", "head", "tail", "one", "iterate", "columns in order", "some as dict"),
            )
        )
    )
    if form in ("ordered", "columns in order") or not draw(st.integers(0, 5)):
        in_order = not drawn.is_union
        options = {"order_by": draw_order(draw, drawn)}
        if draw(st.booleans()):
            options["limit"] = draw(st.integers(1, 9))
            if draw(st.booleans()):
                options["offset"] = draw(st.integers(0, 4))
    if not names:
        form = "len"
    some = draw(st.lists(st.sampled_from(names or [""]), min_size=1, max_size=3, unique=True))
    match form:
        case "len" | "bool":
            return Question(Call(None, form, (recipe,)), False, frozenset())
        case "head" | "tail":
            recipe = Call(recipe, form, (draw(st.integers(1, 5)),))
            return Question(recipe, not drawn.is_union, frozenset(folded))
        case "one":
            recipe = Operation(recipe, "&", Call("dj", "Top", (), {"limit": 1, "order_by": "KEY"}))
            wanted = tuple(some) if draw(st.booleans()) else ()
            # a tuple's values are rows of one column
            folded = folded if not wanted else ({""} if folded & set(wanted) else set())
            return Question(Call(recipe, "fetch1", wanted), True, frozenset(folded))
        case "iterate":
            recipe = Operation(recipe, "&", Call("dj", "Top", (), {"limit": 4, "order_by": "KEY"}))
            return Question(Call(None, "list", (recipe,)), False, frozenset(folded))
        case "columns" | "columns in order":
            numbers = {str(i) for i, name in enumerate(some) if name in folded}
            if len(some) == 1:
                numbers = {""} if numbers else set()
            return Question(
                Call(recipe, "fetch", tuple(some), options), in_order, frozenset(numbers)
            )
        case "key" if drawn.key:
            return Question(Call(recipe, "fetch", ("KEY",), options), in_order, frozenset(folded))
        case "key and column" if drawn.key:
            numbers = {"0"} if folded & {c.name for c in drawn.key} else set()
            numbers |= {"1"} if some[0] in folded else set()
            return Question(
                Call(recipe, "fetch", ("KEY", some[0]), options), in_order, frozenset(numbers)
            )
        case "dict":
            options["as_dict"] = True
        case "some as dict":
            return Question(
                Call(recipe, "fetch", tuple(some), {**options, "as_dict": True}),
                in_order,
                frozenset(folded),
            )
        case "frame" if drawn.key:
            options["format"] = "frame"
    return Question(Call(recipe, "fetch", (), options), in_order, frozenset(folded))
