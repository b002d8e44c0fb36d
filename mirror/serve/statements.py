"""What kind of statement a text is, and what a server that can only be read says to each kind."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import sqlglot
from sqlglot.errors import TokenError
from sqlglot.tokens import Token, TokenType

from mirror.serve.answers import Refusal
from mirror.serve.variables import default_collation

# spaces and comments before the first word
LEADING = re.compile(r"(?:\s|/\*(?![M!]).*?\*/|(?:--\s|#)[^\n]*(?:\n|$))*", re.DOTALL)
QUOTED = re.compile(r"'(?:[^'\\]|\\.|'')*'|\"(?:[^\"\\]|\\.|\"\")*\"|`[^`]*`", re.DOTALL)
# what a comment opens with that servers run, some from a version on; M is MariaDB's
EXECUTABLE = re.compile(r"/\*(?P<maker>M?)!(?P<version>\d{5,6})?")
# where a comment may begin, and what hides one
OPENING = re.compile(QUOTED.pattern + r"|(?:--\s|#)[^\n]*|/\*", re.DOTALL)
# the version that a mirror answers as
VERSION = 101_100
# that MariaDB leaves to MySQL
OF_MYSQL = range(50_700, 100_000)

IGNORED = ("BEGIN", "START", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE", "UNLOCK")
BEGINS = re.compile(r"begin\b|start\s+transaction\b|.*\band\s+chain\b", re.IGNORECASE | re.DOTALL)
ENDS = re.compile(r"commit\b|rollback(?!\s+(work\s+)?to\b)", re.IGNORECASE)
WRITES = (
    *("INSERT", "REPLACE", "UPDATE", "DELETE", "CREATE", "ALTER", "DROP", "TRUNCATE", "RENAME"),
    *("LOCK", "GRANT", "REVOKE", "ANALYZE", "OPTIMIZE", "REPAIR", "CHECKSUM", "HANDLER", "IMPORT"),
)
PRIVILEGED = (
    *("FLUSH", "SHUTDOWN", "RESET", "PURGE", "CHANGE", "STOP", "INSTALL", "UNINSTALL", "KILL"),
    *("BINLOG", "CACHE", "BACKUP"),
)
# what SET NAMES and SET CHARACTER SET set
NAMES = ("character_set_client", "character_set_connection", "character_set_results")
CHARACTER_SETS = ("character_set_client", "character_set_results")
# what alone is a value; another word is a name
VALUES = (
    *(TokenType.STRING, TokenType.NUMBER, TokenType.PLACEHOLDER, TokenType.NULL),
    *(TokenType.TRUE, TokenType.FALSE),
)
NAME = r"(?:`[^`]+`|[\w$]+)"
PREPARE = re.compile(rf"prepare\s+({NAME})\s+from\s+(.+?)[\s;]*", re.IGNORECASE | re.DOTALL)
EXECUTE = re.compile(rf"execute\s+({NAME})(?:\s+using\s+(.+?))?[\s;]*", re.IGNORECASE | re.DOTALL)
LEVELS = ("READ UNCOMMITTED", "READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE")
CHARACTERISTICS = {
    **{f"ISOLATION LEVEL {one}": ("tx_isolation", one.replace(" ", "-")) for one in LEVELS},
    "READ ONLY": ("tx_read_only", "ON"),
    "READ WRITE": ("tx_read_only", "OFF"),
}
DEALLOCATE = re.compile(rf"(?:deallocate|drop)\s+prepare\s+({NAME})[\s;]*", re.IGNORECASE)


@dataclass(frozen=True)
class Assignment:
    """A variable of SET, in lower case, and the text of its value; None for DEFAULT.

    `is_own` where it is one of the client's own, @name.
    """

    name: str
    value: str | None
    is_own: bool = False


@dataclass(frozen=True)
class Prepare:
    """A PREPARE ... FROM: the text of the expression that gives the statement."""

    name: str
    source: str


@dataclass(frozen=True)
class Execute:
    """An EXECUTE, and the texts of its values."""

    name: str
    values: tuple[str, ...]


def check_text(statement: str) -> None:
    """Refuse what are neither letters nor bytes. Raises Refusal 1300."""
    try:
        statement.encode(errors="surrogateescape")
    except UnicodeEncodeError as error:
        raise Refusal(1300, "HY000", "The statement is not encoded in UTF-8.") from error


def is_empty(statement: str) -> bool:
    return not statement.strip("; \r\n\t")


def first_word(statement: str) -> str:
    """The word that says what a statement is, in capitals. Raises Refusal 1065 without one."""
    word = re.match(r"[A-Za-z]+|\(|.", statement, re.DOTALL)
    if not word or is_empty(statement):
        raise Refusal(1065, "42000", "Query was empty")
    return word[0].upper()


def without_leading(statement: str) -> str:
    """A statement from its first word on."""
    start = LEADING.match(statement)
    return statement[start.end() :] if start else statement


def plain(statement: str) -> str:
    """A statement with what stands in comments that a server of this version runs.

    Raises Refusal 1064 for a comment that does not end, 1235 for comments inside of such.
    """
    if not EXECUTABLE.search(statement):
        return statement
    pieces, at = [], 0
    while opening := OPENING.search(statement, at):
        start = opening.start()
        pieces.append(statement[at:start])
        executable = EXECUTABLE.match(statement, start)
        at = opening.end()
        if opening[0] != "/*":
            pieces.append(opening[0])
            continue
        end = statement.find("*/", executable.end() if executable else at)
        if end < 0:
            raise Refusal(1064, "42000", "You have an error in your SQL syntax near '/*'")
        inner = statement[executable.end() : end] if executable else ""
        if "/*" in inner:
            raise Refusal(1235, "42000", "The mirror does not read comments inside of comments")
        is_run = executable and _is_of_this_version(executable["maker"], executable["version"])
        pieces.append(f" {inner} " if is_run else " ")
        at = end + 2
    return "".join([*pieces, statement[at:]])


def _is_of_this_version(maker: str, version: str | None) -> bool:
    number = int(version or 0)
    return number <= VERSION and (maker == "M" or number not in OF_MYSQL)


def check_readable(word: str, statement: str, user: str) -> None:
    """Raise the Refusal that an account gets which may only read."""
    account = "@".join(f"'{part}'" for part in user.split("@"))
    if word in WRITES and not DEALLOCATE.fullmatch(statement):
        if re.match(r"\s*(create|drop|alter)\s+(database|schema)\b", statement, re.IGNORECASE):
            raise Refusal(1044, "42000", f"Access denied for user {account}: a mirror is read-only")
        raise Refusal(
            1142, "42000", f"{word} command denied to user {account}: a mirror can only be read"
        )
    if word == "LOAD":
        raise Refusal(1045, "28000", f"Access denied for user {account}: a mirror is read-only")
    if word in PRIVILEGED:
        raise Refusal(
            1227, "42000", f"Access denied; {word} needs privileges that nobody has on a mirror"
        )
    if word == "CALL":
        raise Refusal(1305, "42000", "A mirror has no procedures")


def in_transaction(statement: str, before: bool) -> bool:
    """Whether a client is in a transaction after a statement that is answered without rows."""
    return bool(BEGINS.match(statement)) or (before and not ENDS.match(statement))


def used_schema(statement: str) -> str:
    """The schema of a USE."""
    match = re.fullmatch(r"\s*use\s+(?:`([^`]+)`|([\w$]+))[\s;]*", statement, re.IGNORECASE)
    if not match:
        raise Refusal(1064, "42000", "You have an error in your SQL syntax near 'USE'")
    return match[1] or match[2]


def prepared(statement: str) -> Prepare | Execute | str:
    """A PREPARE, an EXECUTE, or the name that DEALLOCATE PREPARE forgets."""
    if match := PREPARE.fullmatch(statement):
        return Prepare(_name(match[1]), match[2])
    if match := EXECUTE.fullmatch(statement):
        values = _split(_tokens(match[2] or ""), lambda token: token.token_type == TokenType.COMMA)
        texts = [match[2][part[0].start : part[-1].end + 1] for part in values if part]
        return Execute(_name(match[1]), tuple(texts))
    if match := DEALLOCATE.fullmatch(statement):
        return _name(match[1])
    raise Refusal(1064, "42000", f"You have an error in your SQL syntax near '{statement[:80]}'")


def count_parameters(statement: str) -> int:
    """How many ? there are in a statement that is no query."""
    return sum(token.token_type == TokenType.PLACEHOLDER for token in _tokens(statement))


def _name(written: str) -> str:
    return written.strip("`").lower()


def of_one_statement(statement: str) -> tuple[list[Assignment], str] | None:
    """What SET STATEMENT sets, and the statement that it is set for; None for other SETs."""
    if not re.match(r"set\s+statement\b", statement, re.IGNORECASE):
        return None
    tokens = _tokens(statement)
    place = next((i for i, token in enumerate(tokens) if token.text.upper() == "FOR"), len(tokens))
    if place > len(tokens) - 2:
        raise Refusal(1064, "42000", "You have an error in your SQL syntax near 'STATEMENT'")
    return _assignments(tokens[2:place], statement), statement[tokens[place + 1].start :]


def assignments(statement: str) -> list[Assignment]:
    """The variables that a SET gives values to. Raises Refusal for what must not be ignored."""
    if said := _transaction(statement):
        is_of_session, wanted = said
        found = _characteristics(wanted)
        # without SESSION they are the next transaction's alone
        return found if is_of_session else []
    return _assignments(_tokens(statement)[1:], statement)


def is_of_next_transaction(statement: str) -> bool:
    """Whether a SET is of the transaction that the client begins next."""
    said = _transaction(statement)
    return said is not None and not said[0]


def _transaction(statement: str) -> tuple[bool, str] | None:
    """Whether a SET TRANSACTION is of the session, and what it wants; None for other SETs."""
    tokens = _tokens(statement)[1:]
    words = [token.text.upper() for token in tokens if token.token_type != TokenType.SEMICOLON]
    is_of_session = words[:1] in (["SESSION"], ["LOCAL"])
    rest = words[is_of_session:]
    return (is_of_session, " ".join(rest[1:])) if rest[:1] == ["TRANSACTION"] else None


def _characteristics(written: str) -> list[Assignment]:
    """What SET TRANSACTION sets: a level, and whether only to read."""
    wanted = [" ".join(part.upper().split()) for part in written.split(",")]
    found = [CHARACTERISTICS[one] for one in wanted if one in CHARACTERISTICS]
    if len(dict(found)) < len(wanted):
        raise Refusal(1064, "42000", "You have an error in your SQL syntax near 'TRANSACTION'")
    return [Assignment(name, _quoted(value)) for name, value in found]


def _tokens(statement: str) -> list[Token]:
    try:
        return sqlglot.tokenize(statement, dialect="mysql")
    except TokenError:
        raise Refusal(1064, "42000", "You have an error in your SQL syntax") from None


def _assignments(tokens: list[Token], statement: str) -> list[Assignment]:
    parts = _split(tokens, lambda token: token.token_type == TokenType.COMMA)
    return [item for part in parts for item in _assigned(part, statement)]


def _assigned(tokens: list[Token], statement: str) -> list[Assignment]:
    words = [token.text.upper() for token in tokens]
    if not tokens:
        raise Refusal(1064, "42000", "You have an error in your SQL syntax near 'SET'")
    if re.match(r"(@@)?(GLOBAL|PERSIST)", "".join(words)):
        raise Refusal(
            1227, "42000", "Access denied; SET GLOBAL needs privileges that nobody has on a mirror"
        )
    if words[0] == "NAMES":
        return _character_sets(NAMES, words[1:])
    if words[0] in ("CHARSET", "CHARACTER SET"):
        return _character_sets(CHARACTER_SETS, words[1:])
    if words[:2] == ["CHARACTER", "SET"]:
        return _character_sets(CHARACTER_SETS, words[2:])
    if words[0] in ("PASSWORD", "ROLE", "DEFAULT", "RESOURCE"):
        raise Refusal(1235, "42000", f"A mirror does not take SET {words[0]}")
    place = next(
        (i for i, word in enumerate(words) if word in ("=", ":=") or word.startswith(":=")), None
    )
    if place is None or place == 0 or place == len(words) - 1:
        raise Refusal(1064, "42000", "You have an error in your SQL syntax near 'SET'")
    spelled = words[:place]
    if len(spelled) > 1 and spelled[0] in ("SESSION", "LOCAL"):
        spelled = spelled[1:]
    name = "".join(spelled).lower()
    is_own = name.startswith("@") and not name.startswith("@@")
    if is_own:
        name = name.removeprefix("@")
    for prefix in ("@@session.", "@@local.", "@@"):
        name = name.removeprefix(prefix)
    rest = tokens[place + 1 :]
    if len(rest) == 1 and rest[0].token_type == TokenType.DEFAULT and not is_own:
        return [Assignment(name, None)]
    if len(rest) == 1 and rest[0].token_type not in VALUES and not is_own:
        # SET autocommit = ON: a word, not a column
        return [Assignment(name, _quoted(rest[0].text))]
    return [Assignment(name, statement[rest[0].start : rest[-1].end + 1], is_own)]


def _character_sets(names: Sequence[str], words: list[str]) -> list[Assignment]:
    """SET NAMES x COLLATE y, and its kin."""
    if not words or len(words) not in (1, 3):
        raise Refusal(1064, "42000", "You have an error in your SQL syntax near 'NAMES'")
    if words[0] == "DEFAULT":
        return [Assignment(name, None) for name in (*names, "collation_connection")]
    charset = words[0].lower()
    charset = "utf8mb3" if charset == "utf8" else charset
    collation = words[2].lower() if len(words) == 3 else default_collation(charset)
    return [
        *(Assignment(name, _quoted(charset)) for name in names),
        Assignment("collation_connection", _quoted(collation)),
    ]


def _quoted(word: str) -> str:
    return "'" + word.replace("'", "''") + "'"


def _split(tokens: list[Token], is_border: Callable[[Token], bool]) -> list[list[Token]]:
    parts: list[list[Token]] = [[]]
    depth = 0
    for token in tokens:
        if token.token_type == TokenType.SEMICOLON and depth == 0:
            break
        depth += (token.token_type == TokenType.L_PAREN) - (token.token_type == TokenType.R_PAREN)
        if is_border(token) and depth == 0:
            parts.append([])
        else:
            parts[-1].append(token)
    return parts
