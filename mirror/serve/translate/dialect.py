"""MySQL's grammar, as sqlglot reads it, with every function under the name it was called by.

sqlglot turns functions into its own kinds on the way, and for some of MySQL's it picks the
wrong one; here rules of ours are looked up by MySQL's names. Where sqlglot binds operators
tighter or looser than MySQL does, the statement is refused instead of read another way.
"""

import re
from bisect import bisect
from functools import lru_cache, partial
from itertools import pairwise
from typing import Any, ClassVar

import sqlglot
from sqlglot import exp
from sqlglot.dialects.dialect import DialectType
from sqlglot.dialects.mysql import MySQL
from sqlglot.errors import ErrorLevel
from sqlglot.generators.mysql import MySQLGenerator
from sqlglot.parsers.mysql import MySQLParser
from sqlglot.tokens import Token, TokenType

from mirror.serve.answers import Refusal
from mirror.serve.translate.assignments import without_assignments
from mirror.serve.translate.lists import Constants, taken_out

COMPARISONS = (
    *(exp.EQ, exp.NEQ, exp.NullSafeEQ, exp.GT, exp.GTE, exp.LT, exp.LTE),
    *(exp.Like, exp.RegexpLike, exp.In, exp.Is, exp.Between),
)
# the longest number of MySQL has 65 digits
NUMBER = re.compile(r"(?=.{1,100}$)([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]{1,3})?", re.IGNORECASE)
# what sqlglot takes for one word with the sum that it begins, as 1e3 of 1e3+2
SWALLOWED = re.compile(
    r"(?<![\w.])(?:\d++\.?+\d*+|\.\d++)e\d++(?=[+-]\d)", re.IGNORECASE | re.ASCII
)
# a byte that is no letter, as `surrogateescape` keeps it
BYTE = re.compile("[\udc80-\udcff]")
BITS = (exp.BitwiseAnd, exp.BitwiseOr, exp.BitwiseXor, exp.BitwiseLeftShift, exp.BitwiseRightShift)


LONGEST_KEPT = 10_000


class Dated(exp.Expression):
    """DATE '...', TIME '...' or TIMESTAMP '...': a text that is a constant of that kind."""

    arg_types = {"this": True, "kind": True}  # noqa: RUF012


class Plain(MySQL):
    """MySQL without sqlglot's ideas of what its functions mean."""

    def tokenize(self, sql: str, dialect: DialectType = None) -> list[Token]:
        """The words of a statement, with a number with an exponent apart from a sign behind it."""
        tokens = super().tokenize(sql, dialect)
        ends = [
            token.start + found.end()
            for token in tokens
            if token.token_type in (TokenType.NUMBER, TokenType.VAR)
            for found in SWALLOWED.finditer(token.text)
        ]
        if not ends:
            return tokens
        pieces = [sql[start:end] for start, end in pairwise([0, *ends, len(sql)])]
        tokens = super().tokenize(" ".join(pieces), dialect)
        # their places are those in the statement as it is written
        spaces = [end + place for place, end in enumerate(ends)]
        for token in tokens:
            token.start -= bisect(spaces, token.start)
            token.end -= bisect(spaces, token.end)
        return tokens

    class Parser(MySQLParser):
        FUNCTIONS: ClassVar[dict[str, Any]] = {}
        NO_PAREN_FUNCTIONS: ClassVar[dict[str, Any]] = {}
        FUNCTION_PARSERS: ClassVar = {
            name: parser
            for name, parser in MySQLParser.FUNCTION_PARSERS.items()
            if name in ("CAST", "CONVERT", "EXTRACT", "GROUP_CONCAT", "POSITION", "TRIM")
            or name in ("SUBSTR", "SUBSTRING")
        }
        TYPE_LITERAL_PARSERS: ClassVar = {
            exp.DType.DATE: lambda self, this, _: Dated(this=this, kind="DATE"),
            exp.DType.TIME: lambda self, this, _: Dated(this=this, kind="TIME"),
            exp.DType.TIMESTAMPTZ: lambda self, this, _: Dated(this=this, kind="TIMESTAMP"),
        }
        # the same in ODBC's braces
        ODBC_DATETIME_LITERALS: ClassVar[dict[str, Any]] = {
            "d": partial(Dated, kind="DATE"),
            "t": partial(Dated, kind="TIME"),
            "ts": partial(Dated, kind="TIMESTAMP"),
        }
        PLACEHOLDER_PARSERS: ClassVar = {
            **MySQLParser.PLACEHOLDER_PARSERS,
            TokenType.PLACEHOLDER: lambda self: self._parameter(),
        }

        def _parameter(self) -> exp.Placeholder:
            """A ?, with its place in the text: that of the first is the first parameter's."""
            node = self.expression(exp.Placeholder())
            node.meta["place"] = self._prev.start
            return node

        def _parse_disjunction(self) -> exp.Expr | None:
            """A condition, or an assignment, which MySQL takes wherever a value may stand."""
            this = super()._parse_disjunction()
            if isinstance(this, exp.Parameter) and self._match(TokenType.COLON_EQ):
                value = self._parse_disjunction()
                return self.expression(exp.PropertyEQ(this=this, expression=value))
            return this

        def _parse_interval(self, *arguments: Any, **named: Any) -> exp.Add | exp.Interval | None:
            """INTERVAL 1.5 SECOND, whose number is no text: MySQL shows and rounds it otherwise."""
            words = self._tokens[self._index + 1 : self._index + 3]
            node = super()._parse_interval(*arguments, **named)
            if isinstance(node, exp.Interval) and isinstance(node.this, exp.Literal):
                match [word.token_type for word in words]:
                    case [TokenType.NUMBER, _]:
                        node.set("this", exp.Literal.number(words[0].text))
                    case [TokenType.DASH, TokenType.NUMBER]:
                        node.set("this", exp.Neg(this=exp.Literal.number(words[1].text)))
            return node

        def _parse_limit(self, this: exp.Expr | None = None, *rest: Any, **named: Any) -> Any:
            """The LIMIT of a query; that of GROUP_CONCAT stands behind its separator."""
            return super()._parse_limit(None, *rest, **named) if this is None else this

        def _parse_group_concat(self) -> exp.Expr | None:
            node = super()._parse_group_concat()
            if node is not None:
                node.set("limit", self._parse_limit())
                node.set("offset", self._parse_offset())
            return node

        def _warn_unsupported(self) -> None:
            """Say nothing to whoever serves: a statement is its client's affair."""

        def _parse_join(self, *arguments: Any, **named: Any) -> exp.Join | None:
            """A join, that says whether it is a comma, which binds looser than JOIN does."""
            start = self._curr
            join = super()._parse_join(*arguments, **named)
            if join is not None and start is not None:
                join.meta["comma"] = start.token_type == TokenType.COMMA
            return join

        def _parse_projections(self) -> tuple[list[exp.Expr], None]:
            return self._parse_csv(self._parse_item), None

        def _parse_item(self) -> exp.Expr | None:
            """An item of the select list, with its text, by which MySQL names its column."""
            start = self._curr
            item = self._parse_expression()
            if item is not None and start is not None:
                item.meta["text"] = self._find_sql(start, self._prev)
            return item

    class Generator(MySQLGenerator):
        TRANSFORMS: ClassVar[dict[Any, Any]] = {
            **MySQLGenerator.TRANSFORMS,
            Constants: lambda *_: "...",
            Dated: lambda self, node: f"{node.args['kind']} {self.sql(node, 'this')}",
        }


class Pipes(Plain):
    """The same where || joins texts, as in sql_mode PIPES_AS_CONCAT."""

    class Parser(Plain.Parser):
        EXPONENT: ClassVar = {**MySQLParser.EXPONENT, TokenType.DPIPE: exp.DPipe}
        DISJUNCTION: ClassVar = {
            token: node
            for token, node in MySQLParser.DISJUNCTION.items()
            if token != TokenType.DPIPE
        }


def parse(statement: str, joins_by_pipes: bool = False) -> exp.Expr:
    """Read one statement, to be looked at only. Raises Refusal 1064 where it is not MySQL's."""
    read = _kept if len(statement) <= LONGEST_KEPT else _read
    return read(statement, Pipes if joins_by_pipes else Plain)


def _read(statement: str, dialect: type[Plain]) -> exp.Expr:
    lists: dict[int, Constants] = {}
    if len(statement) > LONGEST_KEPT:
        statement, lists = taken_out(statement)
    try:
        trees = [
            tree
            for tree in sqlglot.parse(statement, read=dialect)
            if tree is not None and not isinstance(tree, exp.Semicolon)
        ]
    except sqlglot.errors.SqlglotError as error:
        [where, *_] = getattr(error, "errors", None) or [{}]
        near = f"{where.get('highlight', '')}{where.get('end_context', '')}"[:80]
        raise Refusal(
            1064,
            "42000",
            f"You have an error in your SQL syntax near '{near}' at line {where.get('line', 1)}",
        ) from error
    except RecursionError as error:
        raise Refusal(1436, "HY000", "The statement is nested too deeply.") from error
    if not trees:
        raise Refusal(1065, "42000", "Query was empty")
    if len(trees) > 1:
        raise Refusal(
            1064, "42000", "You have an error in your SQL syntax: one statement at a time"
        )
    for hole in list(trees[0].find_all(exp.Placeholder)) if lists else ():
        if hole.meta.get("place") in lists:
            hole.replace(lists[hole.meta["place"]])
    if ":=" in statement:
        without_assignments(trees[0])
    has_bytes = BYTE.search(statement) is not None
    for node in trees[0].walk():
        if has_bytes:
            _check_letters(node)
        _check_precedence(node)
        if isinstance(node, exp.Literal) and not node.is_string and not NUMBER.fullmatch(node.name):
            raise Refusal(1235, "42000", f"The mirror does not read the number {node.name[:80]}")
    return trees[0]


# a cell that is run again, and all clients of a course, ask the same
_kept = lru_cache(maxsize=256)(_read)


def _check_letters(node: exp.Expr) -> None:
    """Refuse what is no letter of the client's; in quotes it is a byte."""
    is_text = isinstance(node, exp.Literal) and node.is_string
    if not is_text and any(isinstance(a, str) and BYTE.search(a) for a in node.args.values()):
        raise Refusal(1300, "HY000", "The statement holds bytes that are no letters")


def shown(node: exp.Expr) -> str:
    """A piece of a statement, for a sentence about it."""
    written = node.sql(dialect=Plain, unsupported_level=ErrorLevel.IGNORE)[:80]
    return written.encode(errors="replace").decode()


def _check_precedence(node: exp.Expr) -> None:
    doubtful = (
        (isinstance(node, COMPARISONS) and isinstance(node.args.get("expression"), COMPARISONS))
        or (isinstance(node, exp.Between) and isinstance(node.args["high"], COMPARISONS))
        or (isinstance(node, exp.And) and isinstance(node.this, exp.Xor))
        or (
            isinstance(node, (*BITS, exp.DPipe))
            and any(
                isinstance(part, exp.Binary) and not isinstance(part, exp.DPipe)
                for part in (node.left, node.right)
            )
        )
    )
    if doubtful:
        raise Refusal(
            1235,
            "42000",
            f"The mirror is not sure of the precedence in '{shown(node)}': write parentheses.",
        )
