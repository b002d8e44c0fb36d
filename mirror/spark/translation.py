"""The views of a mirror in Spark's SQL, or why they do not travel."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlglot import exp
from sqlglot.dialects.spark import Spark
from sqlglot.schema import MappingSchema

from mirror.parquet import Column, Manifest, Table, View
from mirror.spark import refusals
from mirror.spark.rules import rewritten

# What decides in a session what SQL means. A view keeps what it was defined under.
SETTINGS = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.ansi.enabled": "true",
    "spark.sql.caseSensitive": "false",
    # else each view reads all the SQL below it again
    "spark.sql.legacy.storeAnalyzedPlanForView": "true",
}

# What tells the tables and views of a catalogue that are the mirror's, and which of both they are.
MARK = "ibl-mirror"


@dataclass(frozen=True)
class Names:
    """What tables and views are called: temporary views, or tables of a catalogue's database.

    Temporary views take a dot into their names. Catalogues take letters, digits and underscores.
    """

    database: str | None = None

    def of(self, name: str) -> str:
        """The name of a table, `schema.table` or `main.view`, as it stands in Spark's SQL."""
        path, name = self.parts(name)
        return ".".join(map(quoted, (*path, name)))

    def parts(self, name: str) -> tuple[list[str], str]:
        """The catalogue and the database, if any, and the name in it."""
        name = name.removeprefix("main.")
        if self.database is None:
            return [], name
        return self.database.split("."), name.replace(".", "__")

    @property
    def quoted_database(self) -> str:
        return ".".join(map(quoted, (self.database or "").split(".")))


@dataclass(frozen=True)
class Translation:
    """The views that travel, by name in the order of their needs, and why the others do not."""

    views: Mapping[str, str]
    refused: Mapping[str, str]


def translate(manifest: Manifest, names: Names, defined: Iterable[str] = ()) -> Translation:
    """The statements that define a mirror's views, but for those `defined` already as tables."""
    schema = types(manifest)
    done, refused = set(defined), {}
    statements = {}
    for view in manifest.views:
        query = refusals.query_of(view.sql)
        needs = _needs(query)
        found = refusals.refused(view.sql, schema)
        missing = [name for name in needs if name.removeprefix("main.") in refused]
        if found:
            refused[view.name] = f"{view.file}, " + "; ".join(map(str, found))
        elif missing:
            refused[view.name] = f"needs {missing[0].removeprefix('main.')}"
        elif view.name not in done:
            statements[view.name] = _statement(view, query, names)
    return Translation(statements, refused)


def types(manifest: Manifest) -> MappingSchema:
    """The types of all columns, as sqlglot takes them."""
    found = MappingSchema(dialect="duckdb")
    relations: tuple[Table | View, ...] = (*manifest.tables, *manifest.views)
    for relation in relations:
        schema, _, name = relation.name.rpartition(".")
        columns = {column.name: column.kind for column in relation.columns}
        at = exp.table_(name, db=schema or "main", quoted=True)
        found.add_table(at, columns, dialect="duckdb")
    return found


def _needs(query: exp.Expr) -> list[str]:
    local = {cte.alias for cte in query.find_all(exp.CTE)}
    return [
        f"{table.db or 'main'}.{table.name}"
        for table in query.find_all(exp.Table)
        if table.name and (table.db or table.name not in local)
    ]


def _statement(view: View, query: exp.Expr, names: Names) -> str:
    query = rewritten(query)
    local = {cte.alias for cte in query.find_all(exp.CTE)}
    for table in query.find_all(exp.Table):
        if table.name and (table.db or table.name not in local):
            _rename(table, names)
    kind, mark = "temporary view", ""
    if names.database is not None:
        kind, mark = "view", f" tblproperties ('{MARK}' = 'view')"
    columns = ",\n".join(f"    {_head(column)}" for column in view.columns)
    casts = ",\n".join(
        f"    cast({quoted(column.name)} as {spark_type(column.kind)}) as {quoted(column.name)}"
        for column in view.columns
    )
    body = query.sql(dialect="spark", pretty=True)
    return (
        f"create or replace {kind} {names.of(view.name)} (\n{columns}\n)"
        f"{_comment(view.comment)}{mark} as\nselect\n{casts}\nfrom (\n{body}\n)"
    )


def _rename(table: exp.Table, names: Names) -> None:
    # under its own name, by which the query calls its columns
    alias = table.args.get("alias") or exp.TableAlias(this=exp.to_identifier(table.name))
    path, name = names.parts(f"{table.db or 'main'}.{table.name}")
    for part, word in zip(("this", "db", "catalog"), [name, *reversed(path)], strict=False):
        table.set(part, exp.to_identifier(word, quoted=True))
    if not path:
        table.set("db", None)
    table.set("alias", alias)


def define_table(table: Table, folder: str, names: Names) -> str:
    """The statement that makes a table of the Parquet files in a folder."""
    columns = ",\n".join(
        f"    {quoted(column.name)} {spark_type(column.kind)}{_comment(column.comment)}"
        for column in table.columns
    )
    # of a table by lab, lab_name is a column only if the files have it
    using = f"using parquet options (path {text(folder)}, recursiveFileLookup 'true')"
    if names.database is None:
        return f"create or replace temporary view {names.of(table.name)} (\n{columns}\n) {using}"
    return (
        f"create table {names.of(table.name)} (\n{columns}\n) {using}{_comment(table.comment)}"
        f" tblproperties ('{MARK}' = 'table')"
    )


def _head(column: Column) -> str:
    return quoted(column.name) + _comment(column.comment)


def _comment(words: str) -> str:
    return f" comment {text(words)}" if words else ""


def spark_type(kind: str) -> str:
    """A type of DuckDB in Spark's words."""
    if kind == "INTERVAL":
        return "interval day to second"
    return exp.DataType.build(kind, dialect="duckdb").sql(dialect="spark").lower()


def quoted(name: str) -> str:
    """Write a name as an identifier of Spark."""
    return "`" + name.replace("`", "``") + "`"


def text(words: str) -> str:
    """Write a text as a literal of Spark."""
    return Spark().generator().sql(exp.Literal.string(words))
