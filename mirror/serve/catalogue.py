"""What MySQL clients see of the file: the server's schemas, tables and columns, by its names.

`create` makes the tables of information_schema, `read` tells Python what they say. What is left
out of the file does not exist here either.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from importlib.resources import files

import duckdb
import pyarrow as pa
from pymysql.constants import FLAG

from mirror.mysql_types import LONGEST, TYPES, declared
from mirror.serve import variables
from mirror.serve.answers import Refusal, Type
from mirror.sources.library import nma_ibl_schemas
from mirror.store import literal
from mirror.types import plain, unescaped

INFORMATION_SCHEMA = "information_schema"
LINEAGE = "~lineage"


@dataclass(frozen=True)
class Column:
    """A column: its declaration on the server, and its type in DuckDB.

    `default_sql` is the default as it stands in CREATE TABLE; `originals` finds the bytes
    that the file keeps of a blob's column, where that has some that it does not restore; `flags`
    are those of MySQL's metadata.
    """

    name: str
    type: Type
    declared_type: str
    duckdb_type: str
    is_nullable: bool
    default: str | None
    default_sql: str | None
    key: str
    extra: str
    comment: str
    originals: str = ""
    flags: int = 0


@dataclass(frozen=True)
class Index:
    """An index, as far as the file knows it; the primary key is called PRIMARY."""

    name: str
    is_unique: bool
    columns: tuple[str, ...]


@dataclass(frozen=True)
class ForeignKey:
    """A reference to rows of another table that is here."""

    name: str
    columns: tuple[str, ...]
    referenced_schema: str
    referenced_table: str
    referenced_columns: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """A table under the server's names; `location` is where it lies, as quoted DuckDB SQL."""

    schema: str
    name: str
    comment: str
    location: str
    columns: tuple[Column, ...]
    indexes: tuple[Index, ...]
    foreign_keys: tuple[ForeignKey, ...]
    _by_name: Mapping[str, Column] = field(default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_name", {c.name.lower(): c for c in self.columns})

    def column(self, name: str) -> Column | None:
        """A column by its name in any case."""
        return self._by_name.get(name.lower())

    @property
    def primary_key(self) -> tuple[str, ...]:
        """Names of the primary key's columns in the key's order."""
        return next((index.columns for index in self.indexes if index.name == "PRIMARY"), ())


@dataclass(frozen=True)
class Schema:
    """A schema and its tables by name; those of information_schema are in capitals."""

    name: str
    tables: Mapping[str, Table]


@dataclass(frozen=True)
class Catalogue:
    """Everything a client can name, and what the server says of itself."""

    schemas: Mapping[str, Schema]
    version_comment: str

    def schema(self, name: str) -> Schema:
        """A schema by its name, in which case matters. Raises Refusal 1049."""
        if name.lower() == INFORMATION_SCHEMA:
            name = INFORMATION_SCHEMA
        if name not in self.schemas:
            raise Refusal(1049, "42000", f"Unknown database '{name}'")
        return self.schemas[name]

    def table(self, schema: str, name: str) -> Table:
        """A table by its names, in which case matters. Raises Refusal 1049, 1109 or 1146."""
        home = self.schema(schema)
        if home.name == INFORMATION_SCHEMA:
            if name.upper() not in home.tables:
                raise Refusal(1109, "42S02", f"Unknown table '{name}' in information_schema")
            return home.tables[name.upper()]
        if name not in home.tables:
            raise Refusal(1146, "42S02", f"Table '{schema}.{name}' doesn't exist")
        return home.tables[name]


def create(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the schema `catalogue` in the database in memory, of the file attached as `mirror`.

    nma_ibl cannot be imported when one of its schemas is missing, so that those which the file
    lacks are there, and empty.
    """
    script = files("mirror.serve").joinpath("catalogue.sql").read_text(encoding="utf-8")
    types = [
        {
            "name": name,
            "size": kind.length if name.endswith(("text", "blob")) else None,
            "digits": kind.digits,
            "scale": kind.scale,
            # MariaDB tells no character set of a uuid
            "is_text": kind.is_text and name != "uuid",
            "is_time": kind.is_moment,
        }
        for name, kind in TYPES.items()
    ]
    settings = [
        {"variable_name": one.name, "variable_value": one.value}
        for one in variables.known().values()
    ]
    brought = {"mysql_types": types, "mysql_variables": settings}
    for name, rows in brought.items():
        connection.register(name, pa.Table.from_pylist(rows))
    connection.execute(script)
    for name in brought:
        connection.unregister(name)
    names = nma_ibl_schemas()
    held = connection.execute(
        "select distinct schema_name, mysql_schema from mirror._mirror.tables"
    ).fetchall()
    # a server may have all of them under one prefix
    prefixes = {mysql.removesuffix(names[module]) for module, mysql in held if module in names}
    prefix = prefixes.pop() if len(prefixes) == 1 else ""
    known = {mysql for _, mysql in held}
    for name in names.values():
        if prefix + name not in known:
            connection.execute(f"insert into declared.schemas values ({literal(prefix + name)})")


def read(connection: duckdb.DuckDBPyConnection) -> Catalogue:
    """What `create` has made."""
    originals = _originals(connection)
    columns = defaultdict(list)
    for schema, table, name, declared_type, duckdb_type, *rest in connection.execute(
        "select own.schema_name, own.table_name, own.column_name, own.declared_type,"
        " own.duckdb_type, own.is_nullable, own.column_default, shown.column_default,"
        " own.column_key, own.extra, own.comment"
        " from declared.columns as own join catalogue.columns as shown"
        " on shown.table_schema = own.schema_name and shown.table_name = own.table_name"
        " and shown.column_name = own.column_name"
        " order by own.schema_name, own.table_name, own.position"
    ).fetchall():
        kept = originals.get((schema, table, name), "")
        kind = type_of(declared_type, duckdb_type)
        column = Column(name, kind, declared_type, duckdb_type, *rest)
        columns[schema, table].append(replace(column, originals=kept))
    indexes = defaultdict(list)
    for schema, table, name, is_unique, names in connection.execute(
        "select schema_name, table_name, index_name, is_unique, column_names"
        " from declared.indexes order by schema_name, table_name, place"
    ).fetchall():
        indexes[schema, table].append(Index(name, is_unique, tuple(names)))
    foreign_keys = defaultdict(list)
    for schema, table, name, names, there, referenced, references in connection.execute(
        "select schema_name, table_name, constraint_name, column_names, referenced_schema,"
        " referenced_table, referenced_columns"
        " from declared.foreign_keys where is_followed"
        " order by schema_name, table_name, constraint_name"
    ).fetchall():
        foreign_keys[schema, table].append(
            ForeignKey(name, tuple(names), there, referenced, tuple(references))
        )
    tables: dict[str, dict[str, Table]] = {
        name: {}
        for (name,) in connection.execute(
            "select schema_name from declared.schemas order by schema_name"
        ).fetchall()
    }
    for schema, table, comment, *home in connection.execute(
        "select schema_name, table_name, comment, home_database, home_schema, home_table"
        " from declared.tables order by schema_name, table_name"
    ).fetchall():
        tables[schema][table] = Table(
            schema,
            table,
            comment,
            ".".join('"' + name.replace('"', '""') + '"' for name in home),
            tuple(
                replace(column, flags=flags_of(column, indexes[schema, table]))
                for column in columns[schema, table]
            ),
            tuple(indexes[schema, table]),
            tuple(foreign_keys[schema, table]),
        )
    for schema in tables:
        if tables[schema] and schema != INFORMATION_SCHEMA:
            tables[schema][LINEAGE] = _lineage(connection, schema)
    [(comment,)] = connection.execute(
        "select variable_value from declared.variables where variable_name = 'version_comment'"
    ).fetchall()
    return Catalogue({name: Schema(name, held) for name, held in tables.items()}, comment)


def _lineage(connection: duckdb.DuckDBPyConnection, schema: str) -> Table:
    """The table in which DataJoint 2 looks up where the attributes of a schema come from."""
    location = f'declared."~lineage {schema.replace(chr(34), chr(34) * 2)}"'
    connection.execute(
        f"create view {location} as select table_name, attribute_name, lineage"
        f" from declared.lineages where schema_name = {literal(schema)}"
    )
    columns = tuple(
        Column(
            name,
            type_of(f"varchar({length})", "VARCHAR"),
            f"varchar({length})",
            "VARCHAR",
            False,
            None,
            None,
            "" if name == "lineage" else "PRI",
            "",
            comment,
        )
        for name, length, comment in (
            ("table_name", 64, "table name within the schema"),
            ("attribute_name", 64, "attribute name"),
            ("lineage", 255, "origin: schema.table.attribute"),
        )
    )
    index = Index("PRIMARY", True, ("table_name", "attribute_name"))
    return Table(schema, LINEAGE, "", location, columns, (index,), ())


def _originals(connection: duckdb.DuckDBPyConnection) -> dict[tuple[str, str, str], str]:
    """How to find the bytes of the blobs that are kept as they were, by the column's names."""
    is_there = connection.execute(
        "select 1 from duckdb_tables() where database_name = 'mirror'"
        " and schema_name = '_mirror' and table_name = 'blobs'"
    ).fetchall()
    if not is_there:
        # a file of an earlier version has none
        return {}
    rows = connection.execute(
        "select distinct own.schema_name, own.table_name, blobs.column_name,"
        " own.home_schema, own.home_table"
        " from mirror._mirror.blobs as blobs join declared.tables as own"
        " on own.home_schema = blobs.schema_name and own.home_table = blobs.table_name"
    ).fetchall()
    return {
        (schema, table, column): f"schema_name = {literal(home_schema)}"
        f" and table_name = {literal(home_table)} and column_name = {literal(column)}"
        for schema, table, column, home_schema, home_table in rows
    }


def type_of(declared_type: str, duckdb_type: str) -> Type:
    """MySQL's type of a column as it was declared, for what the file holds of it.

    Lengths are those of MySQL's metadata: a decimal's counts its sign and its point.
    """
    known = declared(plain(declared_type))
    # what has no name here is kept as text in the file
    if known is None:
        return Type("string", LONGEST, name="longtext")
    kind, unsigned = TYPES[known.name], known.is_unsigned
    length, scale = (*known.numbers, None, None)[:2]
    usual = kind.unsigned_length if unsigned else kind.length
    match kind.kind:
        case "integer":
            is_unsigned = unsigned or known.name in ("bit", "year")
            return Type("integer", length or usual, 0, is_unsigned, name=known.name)
        case "decimal":
            precision, scale = length or kind.length, scale or 0
            width = precision + (scale > 0) + (not unsigned)
            return Type("decimal", width, scale, unsigned, name=known.name)
        case "float" | "double" if scale is None:
            # float(24) only asks for precision, float(7,4) for rounding
            return Type(kind.kind, usual, None, unsigned, name=known.name)
        case "float" | "double":
            return Type(kind.kind, length or usual, scale, unsigned, name=known.name)
        case "datetime" | "time":
            digits = length or 0
            return Type(kind.kind, kind.length + (digits > 0) + digits, digits, name=known.name)
        case "date":
            return Type("date", kind.length, 0, name=known.name)
        case "enum":
            members = _members(known.arguments)
            return Type("enum", max(map(len, members)), members=members, name=known.name)
        case "binary" if duckdb_type == "UUID":
            return Type("uuid", 16, name=known.name)
    if known.name == "set":
        return Type("string", len(",".join(_members(known.arguments))), name=known.name)
    return Type(kind.kind, length or kind.length, name=known.name)


def _members(written: str) -> tuple[str, ...]:
    found = re.findall(r"'((?:[^']|'')*)'", written)
    return tuple(unescaped(member.replace("''", "'")) for member in found)


def flags_of(column: Column, indexes: Iterable[Index]) -> int:
    """What MySQL's metadata says of a column beside its type."""
    flags = 0
    for index in indexes:
        if column.name not in index.columns:
            continue
        flags |= FLAG.PART_KEY
        if index.name == "PRIMARY":
            flags |= FLAG.PRI_KEY
        elif index.columns == (column.name,) and index.is_unique:
            flags |= FLAG.UNIQUE_KEY
        elif index.columns[0] == column.name:
            flags |= FLAG.MULTIPLE_KEY
    if not column.is_nullable and column.default is None and not column.extra:
        flags |= NO_DEFAULT_VALUE
    if "auto_increment" in column.extra.lower():
        flags |= FLAG.AUTO_INCREMENT
    if "on update" in column.extra.lower():
        flags |= ON_UPDATE_NOW
    if column.type.name == "timestamp":
        flags |= FLAG.UNSIGNED
        if "current_timestamp" in f"{column.default} {column.extra}".lower():
            flags |= FLAG.TIMESTAMP
    return flags | (FLAG.ZEROFILL if "zerofill" in column.declared_type.lower() else 0)


# two that PyMySQL does not name
NO_DEFAULT_VALUE, ON_UPDATE_NOW = 1 << 12, 1 << 13
