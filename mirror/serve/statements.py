"""What kind of statement a text is, and what a server that can only be read says to each kind."""

import re
from collections.abc import Callable
from dataclasses import dataclass

import sqlglot
from sqlglot.errors import TokenError
from sqlglot.tokens import Token, TokenType

from mirror.serve.answers import Refusal

# spaces and comments before the first word
LEADING = re.compile(r"(?:\s|/\*(?![M!]).*?\*/|(?:--\s|#)[^\n]*(?:\n|$))*", re.DOTALL)
QUOTED = re.compile(r"'(?:[^'\\]|\\.|'')*'|\"(?:[^\"\\]|\\.|\"\")*\"|`[^`]*`", re.DOTALL)
# comments that MySQL runs
EXECUTABLE = re.compile(r"/\*M?!")
# what mysqldump puts into such comments and says nothing to a mirror, but not within a text
NEEDLESS = re.compile(
    QUOTED.pattern
    + r"|(?P<needless>/\*!\d*\s*(SQL_NO_CACHE|WITH CONSISTENT SNAPSHOT|LOCAL)\s*\*/)",
    re.DOTALL | re.IGNORECASE,
)
WHOLLY_EXECUTABLE = re.compile(r"\s*/\*M?!\d*\s(?P<inner>.*?)\*/[\s;]*", re.DOTALL)

QUERIES = ("SELECT", "WITH", "(", "VALUES")
IGNORED = ("BEGIN", "START", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE", "UNLOCK")
WRITES = (
    *("INSERT", "REPLACE", "UPDATE", "DELETE", "CREATE", "ALTER", "DROP", "TRUNCATE", "RENAME"),
    *("LOCK", "GRANT", "REVOKE", "ANALYZE", "OPTIMIZE", "REPAIR", "CHECKSUM", "HANDLER", "IMPORT"),
)
PRIVILEGED = (
    *("FLUSH", "SHUTDOWN", "RESET", "PURGE", "CHANGE", "STOP", "INSTALL", "UNINSTALL", "KILL"),
    *("BINLOG", "CACHE", "BACKUP"),
)
# what would change answers, and the values that do not
ONLY = {
    "sql_select_limit": ("18446744073709551615",),
    "div_precision_increment": ("4",),
    "default_week_format": ("0",),
    "lc_time_names": ("EN_US",),
    "timestamp": ("0",),
    "sql_auto_is_null": ("0", "OFF"),
}
UTC = ("SYSTEM", "+00:00", "UTC", "ETC/UTC", "GMT", "-00:00")
TEXT_SETS = ("UTF8", "UTF8MB3", "UTF8MB4", "DEFAULT", "BINARY", "ASCII", "NULL")
# what SET NAMES sets, each of which can be set by itself
NAMES = (*("names", "character_set_client", "character_set_connection", "character_set_results"),)


@dataclass(frozen=True)
class Assignment:
    """A variable of SET, in lower case, and the text of its value; None for DEFAULT."""

    name: str
    value: str | None


def check_text(statement: str) -> None:
    """Refuse what cannot be written in UTF-8. Raises Refusal 1300."""
    try:
        statement.encode()
    except UnicodeEncodeError as error:
        raise Refusal(1300, "HY000", "The statement is not encoded in UTF-8.") from error


def first_word(statement: str) -> str:
    """The word that says what a statement is, in capitals. Raises Refusal 1065 without one."""
    start = LEADING.match(statement)
    rest = statement[start.end() :] if start else statement
    word = re.match(r"[A-Za-z]+|\(|.", rest, re.DOTALL)
    if not word or not rest.strip("; \n\t"):
        raise Refusal(1065, "42000", "Query was empty")
    return word[0].upper()


def plain(statement: str) -> str:
    """A statement without comments that MySQL would run; unwrapped if it is one as a whole."""
    if not EXECUTABLE.search(statement):
        return statement
    whole = WHOLLY_EXECUTABLE.fullmatch(statement)
    if whole:
        return whole["inner"]
    if not EXECUTABLE.search(QUOTED.sub("''", statement)):
        return statement
    rest = NEEDLESS.sub(lambda found: " " if found["needless"] else found[0], statement)
    if EXECUTABLE.search(QUOTED.sub("''", rest)):
        raise Refusal(1235, "42000", "The mirror does not run SQL inside of comments")
    return rest


def check_readable(word: str, statement: str, user: str) -> None:
    """Raise the Refusal that an account gets which may only read."""
    account = "@".join(f"'{part}'" for part in user.split("@"))
    if word in WRITES:
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
    if word in ("PREPARE", "EXECUTE", "DEALLOCATE"):
        raise Refusal(1295, "HY000", "A mirror does not take prepared statements")
    if word == "CALL":
        raise Refusal(1305, "42000", "A mirror has no procedures")


def used_schema(statement: str) -> str:
    """The schema of a USE."""
    match = re.fullmatch(r"\s*use\s+(?:`([^`]+)`|([\w$]+))[\s;]*", statement, re.IGNORECASE)
    if not match:
        raise Refusal(1064, "42000", "You have an error in your SQL syntax near 'USE'")
    return match[1] or match[2]


def assignments(statement: str) -> list[Assignment]:
    """The variables that a SET gives values to. Raises Refusal for what must not be ignored."""
    try:
        tokens = sqlglot.tokenize(statement, dialect="mysql")
    except TokenError:
        raise Refusal(1064, "42000", "You have an error in your SQL syntax near 'SET'") from None
    parts = _split(tokens[1:], lambda token: token.token_type == TokenType.COMMA)
    found = [item for part in parts if (item := _assignment(part, statement)) is not None]
    for item in found:
        _check(item)
    return found


def _assignment(tokens: list[Token], statement: str) -> Assignment | None:
    words = [token.text.upper() for token in tokens]
    if not tokens:
        raise Refusal(1064, "42000", "You have an error in your SQL syntax near 'SET'")
    if re.match(r"(@@)?(GLOBAL|PERSIST)", "".join(words)):
        raise Refusal(
            1227, "42000", "Access denied; SET GLOBAL needs privileges that nobody has on a mirror"
        )
    if words[0] in ("NAMES", "CHARSET") or words[:2] == ["CHARACTER", "SET"]:
        value = words[2] if words[0] == "CHARACTER" else words[1] if len(words) > 1 else ""
        return Assignment("names", value)
    if "TRANSACTION" in words[:2]:
        return None
    if words[0] in ("PASSWORD", "STATEMENT", "ROLE", "DEFAULT", "RESOURCE"):
        raise Refusal(1235, "42000", f"A mirror does not take SET {words[0]}")
    place = next(
        (i for i, word in enumerate(words) if word in ("=", ":=") or word.startswith(":=")), None
    )
    if place is None or place == 0 or place == len(words) - 1:
        raise Refusal(1064, "42000", "You have an error in your SQL syntax near 'SET'")
    name = "".join(words[:place]).lower()
    for prefix in ("@@session.", "@@local.", "@@", "session", "local"):
        name = name.removeprefix(prefix)
    rest = tokens[place + 1 :]
    if len(rest) == 1 and rest[0].token_type == TokenType.DEFAULT:
        return Assignment(name, None)
    if len(rest) == 1 and rest[0].token_type not in (TokenType.STRING, TokenType.NUMBER):
        # SET autocommit = ON, SET names = utf8: words, not columns
        return Assignment(name, "'" + rest[0].text.replace("'", "''") + "'")
    return Assignment(name, statement[rest[0].start : rest[-1].end + 1])


def _check(item: Assignment) -> None:
    if item.value is None:
        return
    value = item.value.strip("'\"").upper()
    if item.name == "time_zone" and value not in UTC:
        raise Refusal(1298, "HY000", f"The mirror knows no time zone but UTC, not {item.value}")
    if item.name in ONLY and value not in ONLY[item.name]:
        raise Refusal(1231, "42000", f"The mirror does not take {item.value} for {item.name}")
    if item.name in NAMES and value not in TEXT_SETS:
        raise Refusal(1115, "42000", f"The mirror speaks UTF-8, not {item.value}")


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
