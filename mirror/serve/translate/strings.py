"""Texts: patterns, pieces and their functions."""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import groupby

from sqlglot import exp

from mirror.serve.answers import Refusal, Type
from mirror.serve.collations import is_exact
from mirror.serve.translate import literals
from mirror.serve.translate.dialect import BYTE
from mirror.serve.translate.numbers import is_real
from mirror.serve.translate.rules import as_is, function, operator
from mirror.serve.translate.scope import Context
from mirror.serve.translate.typed import (
    BYTES,
    INTEGER,
    LONGEST_DECIMAL,
    NUMBERS,
    STRING,
    Typed,
    collated,
    constant,
    double,
    flag,
    integer,
    number,
    octets,
    text,
    unrounded,
)
from mirror.serve.variables import CODECS

# letters of a constant that may be joined to texts without asking how long they become
SHORT = 1000


@operator(exp.Literal)
def literal(node: exp.Literal, context: Context) -> Typed:
    written = str(node.this)
    if node.is_string:
        # drivers write bytes between quotes like letters
        if BYTE.search(written):
            return constant(_bytes_of(node, context))
        codec = str(context.session["codec()"])
        is_plain = written.isascii() or codec == "utf-8"
        return constant(written) if is_plain else replace(constant(written), held=codec)
    if "e" in written.lower():
        return Typed(f"cast({written} as double)", Type("double", len(written)), "", False)
    if "." in written:
        digits, scale = len(written.replace(".", "")), len(written.partition(".")[2])
        return Typed(
            f"{written.strip('.')}::decimal({digits}, {scale})",
            Type("decimal", digits, scale),
            "",
            False,
            Decimal(written),
        )
    value = int(written)
    if value >= 2**64:
        return Typed(
            f"cast({written} as decimal(38, 0))", Type("decimal", len(written), 0), "", False
        )
    return replace(constant(value), type=Type("integer", len(written), unsigned=value >= 2**63))


@operator(exp.HexString)
def bytes_literal(node: exp.HexString, context: Context) -> Typed:
    return constant(_of_hex(node))


@operator(exp.BitString)
def bits_literal(node: exp.BitString, context: Context) -> Typed:
    """b'101'"""
    digits = str(node.this)
    return constant(int(digits or "0", 2).to_bytes(-(-len(digits) // 8)))


@operator(exp.Introducer)
def introduced(node: exp.Introducer, context: Context) -> Typed:
    if str(node.this).lower() == "_binary":
        return constant(_bytes_of(node.expression, context))
    charset = str(node.this).lower().removeprefix("_")
    if charset not in CODECS:
        raise Refusal(1115, "42000", f"Unknown character set: '{node.this}'")
    # X'...' and raw bytes are letters of that character set
    try:
        return constant(_bytes_of(node.expression, context).decode(CODECS[charset]))
    except UnicodeDecodeError as error:
        raise Refusal(1300, "HY000", f"Invalid {charset} character string") from error


@operator(exp.National)
def national(node: exp.National, context: Context) -> Typed:
    """N'...'"""
    return constant(str(node.this))


def in_charset(a: Typed, charset: str) -> Typed:
    """CONVERT(... USING charset), where a letter that it has not becomes a ?."""
    if charset not in CODECS:
        raise Refusal(1115, "42000", f"Unknown character set: '{charset}'")
    if charset == "binary":
        return Typed(octets(a), Type("binary", a.type.length))
    codec = CODECS[charset]
    held = "" if codec == "utf-8" else codec
    if isinstance(a.value, bytes):
        a = constant(a.value.decode(codec, "replace").replace("\ufffd", "?"))
    if isinstance(a.value, str):
        return replace(constant(a.value.encode(codec, "replace").decode(codec)), held=held)
    if not held:
        return Typed(text(a), STRING)
    letters = "".join(bytes(range(0x80, 0x100)).decode(codec, "ignore"))
    return Typed(f"regexp_replace({text(a)}, '[^\\x00-\\x7f{letters}]', '?', 'g')", STRING, held)


def _bytes_of(node: exp.Expr, context: Context) -> bytes:
    """The bytes of a literal, as the client has sent them."""
    if isinstance(node, exp.HexString):
        return _of_hex(node)
    return str(node.this).encode(str(context.session["codec()"]), "surrogateescape")


def _of_hex(node: exp.HexString) -> bytes:
    digits = str(node.this)
    return bytes.fromhex(digits.zfill(len(digits) + len(digits) % 2))


@operator(exp.Placeholder)
def parameter(node: exp.Placeholder, context: Context) -> Typed:
    """A ? that nobody has given a value for."""
    raise Refusal(1064, "42000", "You have an error in your SQL syntax near '?'")


@operator(exp.Concat)
def adjacent(node: exp.Concat, context: Context) -> Typed:
    """'a' 'b', which MySQL reads as 'ab'."""
    return constant("".join(str(part.this) for part in node.expressions))


@operator(exp.Null)
def null(node: exp.Expr, context: Context) -> Typed:
    return constant(None)


@operator(exp.Boolean)
def boolean(node: exp.Boolean, context: Context) -> Typed:
    return constant(bool(node.this))


@operator(exp.Collate)
def collate(node: exp.Collate, context: Context) -> Typed:
    a = context.typed(node.this)
    kind = Type("string", a.type.length, is_exact=is_exact(node.expression.name))
    if a.kind == "string":
        return replace(a, type=replace(a.type, is_exact=kind.is_exact))
    return Typed(text(a), kind, "", a.is_nullable)


@operator(exp.Like)
def like(node: exp.Like, context: Context) -> Typed:
    return _like(node, node.this, node.expression, "\\", context)


@operator(exp.Escape)
def like_with_escape(node: exp.Escape, context: Context) -> Typed:
    inner, character = node.this, node.expression
    if not isinstance(inner, exp.Like) or not isinstance(character, exp.Literal):
        raise Refusal(1210, "HY000", "Incorrect arguments to ESCAPE")
    return _like(inner, inner.this, inner.expression, str(character.this), context)


def _like(node: exp.Expr, a: exp.Expr, b: exp.Expr, escape: str, context: Context) -> Typed:
    tested, pattern = context.typed(a), context.typed(b)
    if len(escape) > 1:
        raise Refusal(1210, "HY000", "Incorrect arguments to ESCAPE")
    if escape and escape in "%_":
        raise Refusal(1235, "42000", f"The mirror does not take '{escape}' for ESCAPE")
    is_exact = tested.type.is_exact or pattern.type.is_exact
    fold = "{}".format if is_exact else "folded({})".format
    if isinstance(pattern.value, str):
        sql = _like_constant(text(tested), pattern.value, escape, fold)
    else:
        sql = f"({fold(text(tested))} like {fold(f'few_wildcards({text(pattern)})')}"
        character = escape if is_exact else escape.upper()
        sql += f" escape {literals.quoted_text(character)})" if escape else ")"
    return flag(f"(not {sql})" if node.args.get("negate") else sql)


def _like_constant(tested: str, pattern: str, escape: str, fold: Callable[[str], str]) -> str:
    """LIKE with one pattern; DuckDB tries all ways to fit several %, which may last for ever."""
    # at its very end MySQL takes the escape for itself
    escaped = f"{re.escape(escape)}." if escape else r"(?!)"
    parts = re.findall(f"{escaped}|.", pattern, re.DOTALL)
    pieces = []
    for is_wild, run in groupby(parts, lambda part: part in ("%", "_")):
        if is_wild:
            pieces += ["'.*'" if part == "%" else "'.'" for part in run]
            continue
        plain = "".join(part[-1] for part in run)
        pieces.append(f"regexp_escape({fold(literals.quoted_text(plain))})")
    if pieces.count("'.*'") > 1 and len(pieces) > 3:
        return f"regexp_full_match({fold(tested)}, '(?s)' || {' || '.join(pieces)})"
    written = "".join(part if part in ("%", "_") else _plain(part[-1]) for part in parts)
    # without a need for it, DuckDB looks for the text itself, which is faster
    character = " escape '\\'" if "\\" in written else ""
    return f"({fold(tested)} like {fold(literals.quoted_text(written))}{character})"


def _plain(letter: str) -> str:
    return f"\\{letter}" if letter in "%_\\" else letter


@operator(exp.RegexpLike)
def regexp(node: exp.Expr, context: Context) -> Typed:
    a, pattern = context.both(node)
    return flag(f"regexp_matches({text(a)}, {text(pattern)}, 'i')")


@operator(exp.Substring)
def substring_of(node: exp.Substring, context: Context) -> Typed:
    start, length = node.args["start"], node.args.get("length")
    arguments = [node.this, start, *([length] if length else [])]
    a, *places = [context.typed(item) for item in arguments]
    return Typed(substring(text(a), *map(integer, places)), STRING)


@function(text, integer, returns=STRING, names="MID")
def substring(s: str, start: str, length: str | None = None) -> str:
    return f"rest({s}, {start})" if length is None else f"slice({s}, {start}, {length})"


@operator(exp.Trim)
def trim(node: exp.Trim, context: Context) -> Typed:
    side = {"LEADING": "l", "TRAILING": "r"}.get(str(node.args.get("position") or "").upper(), "")
    removed = node.args.get("expression")
    s = text(context.typed(node.this))
    if removed is None:
        return Typed(f"{side}trim({s}, ' ')", STRING)
    r = f"regexp_escape({text(context.typed(removed))})"
    patterns = {
        "l": f"'^(' || {r} || ')+'",
        "r": f"'(' || {r} || ')+$'",
        "": f"'^(' || {r} || ')+|(' || {r} || ')+$'",
    }
    return Typed(f"regexp_replace({s}, {patterns[side]}, '', 'gs')", STRING)


@operator(exp.StrPosition)
def position(node: exp.StrPosition, context: Context) -> Typed:
    found, s = context.typed(node.args["substr"]), context.typed(node.this)
    return Typed(locate(text(found), text(s)), INTEGER)


@function(text, text, integer, returns=INTEGER)
def locate(found: str, s: str, start: str = "1") -> str:
    return f"locate(lettered({found}), lettered({s}), {start})"


@function(text, text, returns=INTEGER)
def instr(s: str, found: str) -> str:
    return locate(found, s)


@function(text, returns=STRING, names="UPPER UCASE")
def upper(s: str) -> str:
    # which has no capital in MySQL
    return f"replace(upper({s}), 'ẞ', 'ß')"


@function(text, returns=STRING, names="LOWER LCASE")
def lower(s: str) -> str:
    return f"lower({s})"


@function(as_is, returns=INTEGER, names="LENGTH OCTET_LENGTH")
def length(a: Typed) -> str:
    return f"octet_length({octets(a)})"


@function(text, returns=INTEGER, names="CHAR_LENGTH CHARACTER_LENGTH")
def char_length(s: str) -> str:
    return f"length({s})"


@operator(exp.DPipe)
def piped(node: exp.DPipe, context: Context) -> Typed:
    """a || b, in sql_mode PIPES_AS_CONCAT."""
    return concat(*context.both(node))


@function(as_is, as_is)
def concat(*parts: Typed) -> Typed:
    if any(part.kind in BYTES for part in parts):
        # bytes among texts make bytes of them all
        return Typed(f"({' || '.join(map(octets, parts))})", Type("binary", 255))
    return Typed(f"({' || '.join(_fitting(parts))})" if parts else "''", STRING)


@function(as_is, as_is, returns=STRING)
def concat_ws(*parts: Typed) -> str:
    return f"concat_ws({', '.join(_fitting(parts))})"


def _fitting(parts: Sequence[Typed]) -> list[str]:
    """Texts to be joined, with a test that they fit into one, unless they are short anyway."""
    written = [text(part) for part in parts]
    if any(
        len(part.value) > SHORT if isinstance(part.value, str) else not part.is_stored
        for part in parts
        if part.kind == "string"
    ):
        written[0] = f"room({written[0]}, {' + '.join(f'strlen({item})' for item in written)})"
    return written


@function(text, integer, returns=STRING, names="LEFT")
def left(s: str, n: str) -> str:
    return f"left({s}, at_least_0({n}))"


@function(text, integer, returns=STRING, names="RIGHT")
def right(s: str, n: str) -> str:
    return f"right({s}, at_least_0({n}))"


@function(text, returns=STRING)
def ltrim(s: str) -> str:
    return f"ltrim({s}, ' ')"


@function(text, returns=STRING)
def rtrim(s: str) -> str:
    return f"rtrim({s}, ' ')"


@function(text, text, text, returns=STRING)
def replace_(s: str, found: str, other: str) -> str:
    return f"replace({s}, {found}, room({other}, strlen({s}) * (strlen({other}) - 1)))"


@function(text, returns=STRING)
def reverse(s: str) -> str:
    return f"reverse({s})"


@function(text, integer, returns=STRING)
def repeat(s: str, n: str) -> str:
    return f"repeat({s}, room(at_least_0({n}), strlen({s}) * {n}))"


@function(integer, returns=STRING)
def space(n: str) -> str:
    return f"repeat(' ', room(at_least_0({n}), {n}))"


@function(text, integer, text, returns=STRING)
def lpad(s: str, n: str, filling: str = "' '") -> str:
    return f"padded({s}, {n}, {filling}, lpad({s}, cast(room({n}, {n}) as integer), {filling}))"


@function(text, integer, text, returns=STRING)
def rpad(s: str, n: str, filling: str = "' '") -> str:
    return f"padded({s}, {n}, {filling}, rpad({s}, cast(room({n}, {n}) as integer), {filling}))"


@function(text, text, integer, returns=STRING)
def substring_index(s: str, separator: str, n: str) -> str:
    return f"substring_index({s}, {separator}, {n})"


@function(text, text, returns=INTEGER)
def find_in_set(s: str, many: str) -> str:
    return f"find_in_set(folded({s}), folded({many}))"


@function(as_is, as_is, returns=INTEGER)
def field(a: Typed, *others: Typed) -> str:
    if not all(item.kind in ("string", "enum", "null") for item in (a, *others)):
        raise Refusal(1235, "42000", "The mirror takes only texts for FIELD")
    listed = ", ".join(map(collated, others))
    return f"place({collated(a)}, [{listed}])"


@function(integer, text, returns=STRING)
def elt(n: str, *others: str) -> str:
    return f"case when {n} > 0 then ([{', '.join(others)}])[{n}] end"


@function(as_is, as_is, returns=INTEGER)
def strcmp(a: Typed, b: Typed) -> str:
    x, y = collated(a), collated(b)
    return f"case when {x} < {y} then -1 when {x} > {y} then 1 when {x} = {y} then 0 end"


@function(as_is, returns=STRING)
def hex_(a: Typed) -> str:
    if a.kind == "integer":
        return f"hex({number(a)})"
    if a.kind in NUMBERS:
        return f"hex({integer(a)})"
    return f"hex(room({octets(a)}, octet_length({octets(a)})))"


@function(text, returns=Type("binary", 255))
def unhex(s: str) -> str:
    return f"from_hex({s})"


@function(text, returns=STRING)
def quote(s: str) -> str:
    return f"quoted_text(room({s}, strlen({s})))"


@function(text, integer, integer, text, returns=STRING)
def insert(s: str, start: str, n: str, other: str) -> str:
    return f"inserted(room({s}, strlen({s}) + strlen({other})), {start}, {n}, {other})"


@function(text, returns=INTEGER)
def ascii_(s: str) -> str:
    return f"first_byte({s})"


@function(text, returns=INTEGER)
def ord_(s: str) -> str:
    return f"first_letter({s})"


@function(as_is, returns=INTEGER)
def bit_length(a: Typed) -> str:
    return f"(octet_length({octets(a)}) * 8)"


@function(as_is, returns=STRING)
def to_base64(a: Typed) -> str:
    return f"in_base64(room({octets(a)}, octet_length({octets(a)})))"


@function(text, returns=Type("binary", 255))
def from_base64(s: str) -> str:
    return f"of_base64({s})"


@function(as_is, returns=STRING)
def md5(a: Typed) -> str:
    return f"md5({octets(a)})"


@function(as_is, returns=Type("string", 40), names="SHA1 SHA")
def sha1(a: Typed) -> str:
    return f"sha1({octets(a)})"


@function(as_is, as_is)
def sha2(a: Typed, bits: Typed) -> Typed:
    if bits.value not in (0, 256):
        raise Refusal(1235, "42000", "The mirror knows SHA2 of 256 bits only")
    return Typed(f"sha256({octets(a)})", Type("string", 64))


@function(as_is, as_is)
def format_(a: Typed, places: Typed) -> Typed:
    if not isinstance(places.value, int):
        raise Refusal(1235, "42000", "The mirror takes only a number for the digits of FORMAT")
    digits = max(places.value, 0)
    if is_real(a):
        written = f"printf('%.{digits}f', rounded({double(a)}, 1e{digits}))"
    else:
        written = (
            f"cast(cast({unrounded(a, digits)} as decimal({LONGEST_DECIMAL}, {digits})) as varchar)"
        )
    return Typed(f"grouped({written})", STRING)


@function(text, text, text, returns=STRING)
def regexp_replace(s: str, pattern: str, other: str) -> str:
    fitting = f"room({other}, strlen({s}) * (strlen({other}) - 1))"
    return f"regexp_replace({s}, {pattern}, {fitting}, 'gi')"


@function(text, text, returns=STRING)
def regexp_substr(s: str, pattern: str) -> str:
    return f"regexp_extract({s}, {pattern}, 0, 'i')"
