"""SHOW, DESCRIBE and their kin as SELECT, in MySQL's SQL, over information_schema.

Names and texts of the statement return as quoted names and literals; only a WHERE keeps its
tokens, inside brackets. Columns, their order and their spelling are those of MariaDB 10.11.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NoReturn

import sqlglot
from sqlglot.errors import TokenError
from sqlglot.tokens import Token, TokenType

from mirror.serve.answers import Refusal
from mirror.serve.catalogue import (
    INFORMATION_SCHEMA,
    Catalogue,
    Column,
    ForeignKey,
    Index,
    Table,
)
from mirror.serve.statements import first_word

# how DataJoint 2 looks for a table, and none before it
AS_DATAJOINT_2 = re.compile(
    r"SELECT \* FROM information_schema\.tables WHERE table_schema = '[^']*'"
    r" AND table_name = '[^']*'"
)
ABOUT = ("SHOW", "DESCRIBE", "DESC", "EXPLAIN")


@dataclass(frozen=True)
class Listing:
    """A SHOW that lists rows of a table of information_schema.

    `columns` gives the expression of each output column; LIKE looks at the table's column
    `like`, FROM at its column `schema`.
    """

    table: str
    columns: Mapping[str, str]
    like: str
    order: Sequence[str] = ()
    schema: str = ""
    # SHOW DATABASES and SHOW TABLES name their column after the pattern
    is_named_after_pattern: bool = False


@dataclass
class Reader:
    """The words of a statement that are still to be read."""

    statement: str
    tokens: list[Token]
    at: int = field(default=0)

    def take(self, *words: str) -> bool:
        """Step over these words if they come next; what is quoted is no word."""
        ahead = self.tokens[self.at : self.at + len(words)]
        found = len(ahead) == len(words) and all(
            token.token_type not in QUOTED and token.text.upper() == word
            for token, word in zip(ahead, words, strict=True)
        )
        if found:
            self.at += len(words)
        return found

    def take_any(self, *words: str) -> bool:
        return any(self.take(word) for word in words)

    @property
    def is_at_end(self) -> bool:
        return self.at == len(self.tokens)

    def name(self) -> str:
        if not self.is_at_end:
            token = self.tokens[self.at]
            is_word = token.token_type not in QUOTED and re.fullmatch(r"[\w$]+", token.text)
            if token.token_type == TokenType.IDENTIFIER or is_word:
                self.at += 1
                return token.text
        self.fail()

    def text(self) -> str:
        if self.is_at_end or self.tokens[self.at].token_type not in TEXTS:
            self.fail()
        self.at += 1
        return self.tokens[self.at - 1].text

    def condition(self) -> str:
        """Everything that is left, as it was written, if its brackets match."""
        rest = self.tokens[self.at :]
        depth = 0
        for token in rest:
            depth += (token.token_type == TokenType.L_PAREN) - (
                token.token_type == TokenType.R_PAREN
            )
            if depth < 0 or token.token_type == TokenType.SEMICOLON:
                self.fail()
        if not rest or depth:
            self.fail()
        self.at = len(self.tokens)
        # a column of SHOW COLLATION, and a keyword to sqlglot
        return " ".join(
            "`Charset`"
            if token.token_type == TokenType.CHARACTER_SET
            else self.statement[token.start : token.end + 1]
            for token in rest
        )

    def end(self) -> None:
        if not self.is_at_end:
            self.fail()

    def fail(self) -> NoReturn:
        near = "" if self.is_at_end else self.statement[self.tokens[self.at].start :][:80]
        raise Refusal(1064, "42000", f"You have an error in your SQL syntax near '{near}'")


TEXTS = {TokenType.STRING, TokenType.NATIONAL_STRING}
QUOTED = {*TEXTS, TokenType.IDENTIFIER}


@dataclass(frozen=True)
class Asked:
    """What a statement is read against."""

    catalogue: Catalogue
    database: str | None
    user: str
    as_datajoint_2: bool = False

    def schema(self, reader: Reader) -> str:
        """The schema that FROM or IN names, or else the session's."""
        if reader.take_any("FROM", "IN"):
            return self.catalogue.schema(reader.name()).name
        if self.database is None:
            raise Refusal(1046, "3D000", "No database selected")
        return self.database

    def table(self, reader: Reader, *, may_follow: bool = False) -> Table:
        """The table that comes next; its schema may follow it, behind FROM or IN."""
        schema, name = self.database, reader.name()
        if reader.take("."):
            schema, name = name, reader.name()
        if may_follow and reader.take_any("FROM", "IN"):
            schema = reader.name()
        if schema is None:
            raise Refusal(1046, "3D000", "No database selected")
        return self.catalogue.table(schema, name)


def rewrite(
    statement: str,
    catalogue: Catalogue,
    database: str | None,
    user: str,
    as_datajoint_2: bool = False,
) -> str | None:
    """The SELECT, in MySQL's SQL, that answers a SHOW or DESCRIBE; None for other statements.

    `database` and `user` are the session's, and so is whether it asks as DataJoint 2 does.
    Raises Refusal: 1046, 1049, 1109 and 1146 for names,
    1064 for what is no such statement, 1227 for what a reader may not see, 1235 for what is not
    answered.
    """
    if first_word(statement) not in ABOUT:
        return None
    try:
        tokens = sqlglot.tokenize(statement, dialect="mysql")
    except TokenError:
        raise Refusal(1064, "42000", "You have an error in your SQL syntax") from None
    while tokens and tokens[-1].token_type == TokenType.SEMICOLON:
        tokens.pop()
    reader = Reader(statement, tokens)
    asked = Asked(catalogue, database, user, as_datajoint_2)
    if reader.take("SHOW"):
        for words, answer in FORMS:
            if reader.take(*words):
                return answer(reader, asked)
        raise Refusal(1235, "42000", f"A mirror does not answer '{statement[:80].strip()}'")
    reader.take_any("DESCRIBE", "DESC", "EXPLAIN")
    return _describe(reader, asked)


def identifier(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def text(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"


def _select(
    listing: Listing,
    reader: Reader,
    conditions: Iterable[str] = (),
    names: Iterable[str] | None = None,
) -> str:
    """The listing, narrowed by the LIKE or WHERE that ends the statement.

    `names` are those of the schemas or tables that LIKE chooses from, by case.
    """
    wanted = list(conditions)
    columns = dict(listing.columns)
    where = ""
    if reader.take("LIKE"):
        pattern = reader.text()
        if names is None:
            wanted.append(f"{listing.like} LIKE {text(pattern)}")
        else:
            chosen = filter(_like(pattern).fullmatch, names)
            wanted.append(f"{listing.like} IN ({', '.join(map(text, chosen)) or 'NULL'})")
        if listing.is_named_after_pattern:
            first = next(iter(columns))
            columns = {
                f"{name} ({pattern})" if name == first else name: expression
                for name, expression in columns.items()
            }
    elif reader.take("WHERE"):
        where = reader.condition()
    reader.end()
    outputs = ", ".join(f"{value} AS {identifier(name)}" for name, value in columns.items())
    select = f"SELECT {outputs} FROM information_schema.{listing.table}"
    if wanted:
        select += f" WHERE {' AND '.join(wanted)}"
    if listing.order:
        select += f" ORDER BY {', '.join(listing.order)}"
    return f"SELECT * FROM ({select}) AS shown WHERE ({where})" if where else select


def _like(pattern: str) -> re.Pattern[str]:
    """A pattern of LIKE as a regular expression."""
    wild = {"%": ".*", "_": "."}
    parts = (
        wild.get(part) or re.escape(part[-1]) for part in re.findall(r"\\.|.", pattern, re.DOTALL)
    )
    return re.compile("".join(parts), re.DOTALL)


def _literals(columns: Mapping[str, str]) -> str:
    outputs = ", ".join(f"{text(value)} AS {identifier(name)}" for name, value in columns.items())
    return f"SELECT {outputs}"


def _list(listing: Listing) -> Callable[[Reader, Asked], str]:
    return lambda reader, asked: _select(listing, reader)


def _list_schema(listing: Listing) -> Callable[[Reader, Asked], str]:
    def answer(reader: Reader, asked: Asked) -> str:
        schema = asked.schema(reader)
        tables = asked.catalogue.schema(schema).tables
        return _select(listing, reader, [f"{listing.schema} = {text(schema)}"], tables)

    return answer


def _databases(reader: Reader, asked: Asked) -> str:
    return _select(DATABASES, reader, names=asked.catalogue.schemas)


def _tables(is_full: bool) -> Callable[[Reader, Asked], str]:
    def answer(reader: Reader, asked: Asked) -> str:
        schema = asked.schema(reader)
        columns = {f"Tables_in_{schema}": "TABLE_NAME"}
        if is_full:
            columns["Table_type"] = "TABLE_TYPE"
        listing = Listing(
            "tables",
            columns,
            like="TABLE_NAME",
            order=["TABLE_NAME"],
            is_named_after_pattern=True,
        )
        tables = asked.catalogue.schema(schema).tables
        return _select(listing, reader, [f"TABLE_SCHEMA = {text(schema)}"], tables)

    return answer


def _of_table(table: Table) -> list[str]:
    return [f"TABLE_SCHEMA = {text(table.schema)}", f"TABLE_NAME = {text(table.name)}"]


def _open_tables(reader: Reader, asked: Asked) -> str:
    """A mirror has all of its tables open, and none of them locked."""
    schemas = asked.catalogue.schemas
    if reader.take_any("FROM", "IN"):
        schemas = {name: schemas[name] for name in [asked.catalogue.schema(reader.name()).name]}
    wanted = f"TABLE_SCHEMA IN ({', '.join(map(text, schemas))})"
    names = {name for schema in schemas.values() for name in schema.tables}
    return _select(OPEN_TABLES, reader, [wanted, "TABLE_TYPE = 'BASE TABLE'"], names)


def _no_list(*names: str) -> Callable[[Reader, Asked], str]:
    """What a mirror has none of."""

    def answer(reader: Reader, asked: Asked) -> str:
        reader.end()
        outputs = ", ".join(f"'' AS {identifier(name)}" for name in names)
        return f"SELECT {outputs} FROM information_schema.engines WHERE 1 = 0"

    return answer


def _columns(listing: Listing) -> Callable[[Reader, Asked], str]:
    def answer(reader: Reader, asked: Asked) -> str:
        if not reader.take_any("FROM", "IN"):
            reader.fail()
        table = asked.table(reader, may_follow=True)
        shown = listing
        if asked.as_datajoint_2 and listing is FULL_COLUMNS:
            shown = replace(listing, columns={**listing.columns, "Comment": CODEC_COMMENT})
        return _select(shown, reader, _of_table(table))

    return answer


def _describe(reader: Reader, asked: Asked) -> str:
    queries = (TokenType.SELECT, TokenType.WITH, TokenType.L_PAREN)
    if not reader.is_at_end and reader.tokens[reader.at].token_type in queries:
        return _explained(reader)
    if reader.take_any("EXTENDED", "FORMAT", "ANALYZE", "PARTITIONS"):
        raise Refusal(1235, "42000", "A mirror explains a SELECT, and that in one form only")
    table = asked.table(reader)
    wanted = _of_table(table)
    if not reader.is_at_end:
        is_text = reader.tokens[reader.at].token_type in TEXTS
        pattern = reader.text() if is_text else reader.name()
        wanted.append(f"COLUMN_NAME LIKE {text(pattern)}")
    reader.end()
    return _select(COLUMNS, reader, wanted)


def _explained(reader: Reader) -> str:
    """The columns of EXPLAIN: a mirror has no indexes to choose from, and reads what it needs."""
    rest = reader.statement[reader.tokens[reader.at].start : reader.tokens[-1].end + 1]
    reader.at = len(reader.tokens)
    # what could not be answered is not explained
    return (
        "SELECT 1 AS `id`, 'SIMPLE' AS `select_type`, NULL AS `table`, NULL AS `type`,"
        " NULL AS `possible_keys`, NULL AS `key`, NULL AS `key_len`, NULL AS `ref`,"
        f" NULL AS `rows`, 'DuckDB reads the columns that are named' AS `Extra`"
        f" FROM (SELECT 1 FROM ({rest}) AS explained LIMIT 0) AS no_rows"
        " RIGHT JOIN (SELECT 1) AS one_row ON 1"
    )


def _create_table(reader: Reader, asked: Asked) -> str:
    table = asked.table(reader)
    reader.end()
    return _literals({"Table": table.name, "Create Table": declaration(table)})


def _create_schema(reader: Reader, asked: Asked) -> str:
    condition = "/*!32312 IF NOT EXISTS*/ " if reader.take("IF", "NOT", "EXISTS") else ""
    schema = asked.catalogue.schema(reader.name()).name
    reader.end()
    made = (
        f"CREATE DATABASE {condition}{identifier(schema)}"
        " /*!40100 DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci */"
    )
    return _literals({"Database": schema, "Create Database": made})


def _create_view(reader: Reader, asked: Asked) -> str:
    table = asked.table(reader)
    raise Refusal(1347, "HY000", f"'{table.schema}.{table.name}' is not of type 'VIEW'")


def _no_rows(name: str) -> Callable[[Reader, Asked], str]:
    """SHOW WARNINGS or ERRORS: an answer either comes without, or is refused."""

    def answer(reader: Reader, asked: Asked) -> str:
        if reader.take("LIMIT"):
            reader.name()
            if reader.take(","):
                reader.name()
        reader.end()
        return (
            f"SELECT {text(name)} AS `Level`, 0 AS `Code`, '' AS `Message`"
            " FROM information_schema.engines WHERE 1 = 0"
        )

    return answer


def _zero(name: str) -> Callable[[Reader, Asked], str]:
    def answer(reader: Reader, asked: Asked) -> str:
        reader.end()
        return f"SELECT 0 AS {identifier(name)}"

    return answer


def _grants(reader: Reader, asked: Asked) -> str:
    if reader.take("FOR") and not reader.take("CURRENT_USER"):
        raise Refusal(1044, "42000", "Access denied: a mirror has one account and no others")
    if reader.take("("):
        reader.take(")")
    reader.end()
    account = "@".join(map(identifier, asked.user.split("@", 1)))
    return _literals({f"Grants for {asked.user}": f"GRANT SELECT ON *.* TO {account}"})


def _processes(reader: Reader, asked: Asked) -> str:
    reader.end()
    name, _, host = asked.user.partition("@")
    return (
        f"SELECT CONNECTION_ID() AS `Id`, {text(name)} AS `User`, {text(host)} AS `Host`,"
        f" {text(asked.database) if asked.database else 'NULL'} AS `db`,"
        " 'Query' AS `Command`, 0 AS `Time`, 'starting' AS `State`,"
        f" {text(reader.statement)} AS `Info`, 0.000 AS `Progress`"
    )


def _refuse(number: int, state: str, sentence: str) -> Callable[[Reader, Asked], str]:
    def answer(reader: Reader, asked: Asked) -> NoReturn:
        raise Refusal(number, state, sentence)

    return answer


def declaration(table: Table) -> str:
    """CREATE TABLE as MariaDB prints it."""
    lines = [
        *(_column(column) for column in table.columns),
        *(_index(index) for index in table.indexes),
        *(_foreign_key(key, table.schema) for key in table.foreign_keys),
    ]
    body = ",\n".join(f"  {line}" for line in lines)
    if table.schema == INFORMATION_SCHEMA:
        return f"CREATE TEMPORARY TABLE {identifier(table.name)} (\n{body}\n) ENGINE=MEMORY"
    options = "ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci"
    if table.comment:
        options += f" COMMENT={_quoted(table.comment)}"
    return f"CREATE TABLE {identifier(table.name)} (\n{body}\n) {options}"


def _quoted(value: str) -> str:
    return text(value).replace("\n", "\\n").replace("\r", "\\r")


def _column(column: Column) -> str:
    words = [identifier(column.name), column.declared_type]
    if not column.is_nullable:
        words.append("NOT NULL")
    elif column.declared_type.startswith("timestamp"):
        words.append("NULL")
    if column.default_sql is not None:
        words.append(f"DEFAULT {column.default_sql}")
    if column.extra:
        words.append(re.sub(r"auto_increment|on update", lambda m: m[0].upper(), column.extra))
    if column.comment:
        words.append(f"COMMENT {_quoted(column.comment)}")
    return " ".join(words)


def _index(index: Index) -> str:
    columns = ",".join(map(identifier, index.columns))
    if index.name == "PRIMARY":
        return f"PRIMARY KEY ({columns})"
    return f"{'UNIQUE KEY' if index.is_unique else 'KEY'} {identifier(index.name)} ({columns})"


def _foreign_key(key: ForeignKey, schema: str) -> str:
    columns = ", ".join(map(identifier, key.columns))
    referenced = ", ".join(map(identifier, key.referenced_columns))
    table = identifier(key.referenced_table)
    if key.referenced_schema != schema:
        table = f"{identifier(key.referenced_schema)}.{table}"
    return (
        f"CONSTRAINT {identifier(key.name)} FOREIGN KEY ({columns})"
        f" REFERENCES {table} ({referenced}) ON UPDATE CASCADE"
    )


# information_schema writes defaults as SQL, SHOW does not
DEFAULT = (
    "CASE WHEN COLUMN_DEFAULT = 'NULL' THEN NULL"
    " WHEN LEFT(COLUMN_DEFAULT, 1) = '''' THEN REPLACE(REPLACE("
    "SUBSTRING(COLUMN_DEFAULT, 2, CHAR_LENGTH(COLUMN_DEFAULT) - 2), '''''', ''''),"
    " '\\\\\\\\', '\\\\')"
    " ELSE COLUMN_DEFAULT END"
)

DATABASES = Listing(
    "schemata",
    {"Database": "SCHEMA_NAME"},
    like="SCHEMA_NAME",
    order=["SCHEMA_NAME"],
    is_named_after_pattern=True,
)
TABLE_STATUS = Listing(
    "tables",
    {
        "Name": "TABLE_NAME",
        "Engine": "ENGINE",
        "Version": "VERSION",
        "Row_format": "ROW_FORMAT",
        "Rows": "TABLE_ROWS",
        "Avg_row_length": "AVG_ROW_LENGTH",
        "Data_length": "DATA_LENGTH",
        "Max_data_length": "MAX_DATA_LENGTH",
        "Index_length": "INDEX_LENGTH",
        "Data_free": "DATA_FREE",
        "Auto_increment": "AUTO_INCREMENT",
        "Create_time": "CREATE_TIME",
        "Update_time": "UPDATE_TIME",
        "Check_time": "CHECK_TIME",
        "Collation": "TABLE_COLLATION",
        "Checksum": "CHECKSUM",
        "Create_options": "CREATE_OPTIONS",
        "Comment": "TABLE_COMMENT",
        "Max_index_length": "MAX_INDEX_LENGTH",
        "Temporary": "TEMPORARY",
    },
    like="TABLE_NAME",
    order=["TABLE_NAME"],
    schema="TABLE_SCHEMA",
)
OPEN_TABLES = Listing(
    "tables",
    {"Database": "TABLE_SCHEMA", "Table": "TABLE_NAME", "In_use": "0", "Name_locked": "0"},
    like="TABLE_NAME",
    order=["TABLE_SCHEMA", "TABLE_NAME"],
)
COLUMNS = Listing(
    "columns",
    {
        "Field": "COLUMN_NAME",
        "Type": "COLUMN_TYPE",
        "Null": "IS_NULLABLE",
        "Key": "COLUMN_KEY",
        "Default": DEFAULT,
        "Extra": "EXTRA",
    },
    like="COLUMN_NAME",
    order=["ORDINAL_POSITION"],
)
# by which DataJoint 2 knows a column whose bytes it is to decode
CODEC_COMMENT = (
    "IF(DATA_TYPE LIKE '%blob' AND COLUMN_COMMENT NOT LIKE ':%',"
    " CONCAT(':<blob>:', COLUMN_COMMENT), COLUMN_COMMENT)"
)
FULL_COLUMNS = Listing(
    "columns",
    {
        "Field": "COLUMN_NAME",
        "Type": "COLUMN_TYPE",
        "Collation": "COLLATION_NAME",
        "Null": "IS_NULLABLE",
        "Key": "COLUMN_KEY",
        "Default": DEFAULT,
        "Extra": "EXTRA",
        "Privileges": "PRIVILEGES",
        "Comment": "COLUMN_COMMENT",
    },
    like="COLUMN_NAME",
    order=["ORDINAL_POSITION"],
)
# in the order of the table
KEYS = Listing(
    "statistics",
    {
        "Table": "TABLE_NAME",
        "Non_unique": "NON_UNIQUE",
        "Key_name": "INDEX_NAME",
        "Seq_in_index": "SEQ_IN_INDEX",
        "Column_name": "COLUMN_NAME",
        "Collation": "COLLATION",
        "Cardinality": "CARDINALITY",
        "Sub_part": "SUB_PART",
        "Packed": "PACKED",
        "Null": "NULLABLE",
        "Index_type": "INDEX_TYPE",
        "Comment": "COMMENT",
        "Index_comment": "INDEX_COMMENT",
        "Ignored": "IGNORED",
    },
    like="INDEX_NAME",
)
SESSION_VARIABLES = Listing(
    "session_variables",
    {"Variable_name": "LOWER(VARIABLE_NAME)", "Value": "VARIABLE_VALUE"},
    like="VARIABLE_NAME",
    order=["VARIABLE_NAME"],
)
GLOBAL_VARIABLES = Listing(
    "global_variables",
    {"Variable_name": "LOWER(VARIABLE_NAME)", "Value": "VARIABLE_VALUE"},
    like="VARIABLE_NAME",
    order=["VARIABLE_NAME"],
)
STATUS = Listing(
    "session_status",
    {
        "Variable_name": "CONCAT(LEFT(VARIABLE_NAME, 1), LOWER(SUBSTRING(VARIABLE_NAME, 2)))",
        "Value": "VARIABLE_VALUE",
    },
    like="VARIABLE_NAME",
    order=["VARIABLE_NAME"],
)
ENGINES = Listing(
    "engines",
    {
        "Engine": "ENGINE",
        "Support": "SUPPORT",
        "Comment": "COMMENT",
        "Transactions": "TRANSACTIONS",
        "XA": "XA",
        "Savepoints": "SAVEPOINTS",
    },
    like="ENGINE",
)
PLUGINS = Listing(
    "engines",
    {
        "Name": "ENGINE",
        "Status": "'ACTIVE'",
        "Type": "'STORAGE ENGINE'",
        "Library": "NULL",
        "License": "'GPL'",
    },
    like="ENGINE",
)
COLLATIONS = Listing(
    "collations",
    {
        "Collation": "COLLATION_NAME",
        "Charset": "CHARACTER_SET_NAME",
        "Id": "ID",
        "Default": "IS_DEFAULT",
        "Compiled": "IS_COMPILED",
        "Sortlen": "SORTLEN",
    },
    like="COLLATION_NAME",
    order=["COLLATION_NAME"],
)
CHARACTER_SETS = Listing(
    "character_sets",
    {
        "Charset": "CHARACTER_SET_NAME",
        "Description": "DESCRIPTION",
        "Default collation": "DEFAULT_COLLATE_NAME",
        "Maxlen": "MAXLEN",
    },
    like="CHARACTER_SET_NAME",
    order=["CHARACTER_SET_NAME"],
)
TRIGGERS = Listing(
    "triggers",
    {
        "Trigger": "TRIGGER_NAME",
        "Event": "EVENT_MANIPULATION",
        "Table": "EVENT_OBJECT_TABLE",
        "Statement": "ACTION_STATEMENT",
        "Timing": "ACTION_TIMING",
        "Created": "CREATED",
        "sql_mode": "SQL_MODE",
        "Definer": "DEFINER",
        "character_set_client": "CHARACTER_SET_CLIENT",
        "collation_connection": "COLLATION_CONNECTION",
        "Database Collation": "DATABASE_COLLATION",
    },
    like="EVENT_OBJECT_TABLE",
    schema="TRIGGER_SCHEMA",
)
EVENTS = Listing(
    "events",
    {
        "Db": "EVENT_SCHEMA",
        "Name": "EVENT_NAME",
        "Definer": "DEFINER",
        "Time zone": "TIME_ZONE",
        "Type": "EVENT_TYPE",
        "Execute at": "EXECUTE_AT",
        "Interval value": "INTERVAL_VALUE",
        "Interval field": "INTERVAL_FIELD",
        "Starts": "STARTS",
        "Ends": "ENDS",
        "Status": "STATUS",
        "Originator": "ORIGINATOR",
        "character_set_client": "CHARACTER_SET_CLIENT",
        "collation_connection": "COLLATION_CONNECTION",
        "Database Collation": "DATABASE_COLLATION",
    },
    like="EVENT_NAME",
    schema="EVENT_SCHEMA",
)
ROUTINE = {
    "Db": "ROUTINE_SCHEMA",
    "Name": "ROUTINE_NAME",
    "Type": "ROUTINE_TYPE",
    "Definer": "DEFINER",
    "Modified": "LAST_ALTERED",
    "Created": "CREATED",
    "Security_type": "SECURITY_TYPE",
    "Comment": "ROUTINE_COMMENT",
    "character_set_client": "CHARACTER_SET_CLIENT",
    "collation_connection": "COLLATION_CONNECTION",
    "Database Collation": "DATABASE_COLLATION",
}
ROUTINES = Listing("routines", ROUTINE, like="ROUTINE_NAME")

_log = _refuse(1227, "42000", "Access denied: a mirror has no logs and no replicas")
_inside = _refuse(1227, "42000", "Access denied: a mirror has no engine of MySQL's")
_routine = _refuse(1305, "42000", "A mirror has no procedures or functions")

FORMS: tuple[tuple[tuple[str, ...], Callable[[Reader, Asked], str]], ...] = tuple(
    (tuple(words.split()), answer)
    for words, answer in {
        "DATABASES": _databases,
        "SCHEMAS": _databases,
        "TABLES": _tables(is_full=False),
        "FULL TABLES": _tables(is_full=True),
        "TABLE STATUS": _list_schema(TABLE_STATUS),
        "OPEN TABLES": _open_tables,
        "COLUMNS": _columns(COLUMNS),
        "FIELDS": _columns(COLUMNS),
        "FULL COLUMNS": _columns(FULL_COLUMNS),
        "FULL FIELDS": _columns(FULL_COLUMNS),
        # MySQL's; a mirror has no hidden columns
        "EXTENDED COLUMNS": _columns(COLUMNS),
        "EXTENDED FIELDS": _columns(COLUMNS),
        "EXTENDED FULL COLUMNS": _columns(FULL_COLUMNS),
        "EXTENDED FULL FIELDS": _columns(FULL_COLUMNS),
        "EXTENDED KEYS": _columns(KEYS),
        "EXTENDED INDEX": _columns(KEYS),
        "EXTENDED INDEXES": _columns(KEYS),
        "KEYS": _columns(KEYS),
        "INDEX": _columns(KEYS),
        "INDEXES": _columns(KEYS),
        "CREATE TABLE": _create_table,
        "CREATE DATABASE": _create_schema,
        "CREATE SCHEMA": _create_schema,
        "CREATE VIEW": _create_view,
        "CREATE PROCEDURE": _routine,
        "CREATE FUNCTION": _routine,
        "CREATE TRIGGER": _refuse(1360, "HY000", "Trigger does not exist"),
        "CREATE EVENT": _refuse(1539, "HY000", "Unknown event"),
        "VARIABLES": _list(SESSION_VARIABLES),
        "SESSION VARIABLES": _list(SESSION_VARIABLES),
        "LOCAL VARIABLES": _list(SESSION_VARIABLES),
        "GLOBAL VARIABLES": _list(GLOBAL_VARIABLES),
        "STATUS": _list(STATUS),
        "SESSION STATUS": _list(STATUS),
        "LOCAL STATUS": _list(STATUS),
        "GLOBAL STATUS": _list(STATUS),
        "ENGINES": _list(ENGINES),
        "STORAGE ENGINES": _list(ENGINES),
        "PLUGINS": _list(PLUGINS),
        "COLLATION": _list(COLLATIONS),
        "CHARACTER SET": _list(CHARACTER_SETS),
        "CHARSET": _list(CHARACTER_SETS),
        "TRIGGERS": _list_schema(TRIGGERS),
        "EVENTS": _list_schema(EVENTS),
        "PROCEDURE STATUS": _list(ROUTINES),
        "FUNCTION STATUS": _list(ROUTINES),
        "PACKAGE STATUS": _list(ROUTINES),
        "PACKAGE BODY STATUS": _list(ROUTINES),
        "WARNINGS": _no_rows("Warning"),
        "ERRORS": _no_rows("Error"),
        "COUNT ( * ) WARNINGS": _zero("@@session.warning_count"),
        "COUNT ( * ) ERRORS": _zero("@@session.error_count"),
        "GRANTS": _grants,
        "PRIVILEGES": _no_list("Privilege", "Context", "Comment"),
        "PROFILES": _no_list("Query_ID", "Duration", "Query"),
        "PROCESSLIST": _processes,
        "FULL PROCESSLIST": _processes,
        "MASTER": _log,
        "BINARY": _log,
        "BINLOG": _log,
        "RELAYLOG": _log,
        "SLAVE": _log,
        "REPLICA": _log,
        "ALL": _log,
        "ENGINE": _inside,
    }.items()
)
