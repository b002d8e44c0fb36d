"""A mirror opened to be asked in MySQL: nothing outside of the file can be reached from here."""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from itertools import count
from pathlib import Path

import duckdb
import pyarrow as pa
from sqlglot import exp

from mirror import store
from mirror.serve import catalogue, render
from mirror.serve.answers import Field, Refusal
from mirror.serve.packing import packed
from mirror.serve.translate import Relation, Translator, parse

CONNECTIONS = count(1)
MEMORY_LIMIT = "2GB"
BATCH_ROWS = 20_000


class Engine:
    """One DuckDB in memory that has the file attached, to read; locked before anyone asks.

    Raises MirrorError where the file is no mirror.
    """

    def __init__(self, file: Path) -> None:
        store.connect(file).close()
        self._connection = duckdb.connect(config={"memory_limit": MEMORY_LIMIT})
        execute = self._connection.execute
        try:
            execute(f"attach {store.literal(str(file))} as mirror (read_only)")
        except duckdb.Error as error:
            raise store.explain(error, file) from error
        catalogue.create(self._connection)
        execute(files("mirror.serve").joinpath("functions.sql").read_text(encoding="utf-8"))
        self.catalogue = catalogue.read(self._connection)
        execute("set enable_external_access = false")
        execute("set autoinstall_known_extensions = false")
        execute("set autoload_known_extensions = false")
        execute("set lock_configuration = true")

    def session(self, user: str = "mirror@localhost") -> "Session":
        return Session(self, user)

    def cursor(self) -> duckdb.DuckDBPyConnection:
        return self._connection.cursor()

    def close(self) -> None:
        self._connection.close()


class Session:
    """One client's conversation with an engine."""

    def __init__(self, engine: Engine, user: str) -> None:
        self.engine = engine
        self.user = user
        self.database: str | None = None
        self.number = next(CONNECTIONS)
        self._cursor = engine.cursor()

    def ask(self, statement: str) -> "Answer":
        """Answer one statement. Raises Refusal."""
        tree = parse(statement)
        if not isinstance(tree, exp.Query):
            raise Refusal(1142, "42000", "The mirror can only be read")
        session = {
            **self.engine.catalogue.variables,
            "database": self.database,
            "user": self.user,
            "connection_id": self.number,
        }
        try:
            translator = Translator(self.engine.catalogue, self.database, session)
            relation = translator.query(tree)
        except RecursionError as error:
            raise Refusal(1436, "HY000", "The statement is nested too deeply") from error
        return Answer(render.fields(relation), relation, self._cursor)

    def interrupt(self) -> None:
        self._cursor.interrupt()

    def close(self) -> None:
        self._cursor.close()


@dataclass(frozen=True)
class Answer:
    """The rows of a query, in one of two forms, once."""

    fields: tuple[Field, ...]
    relation: Relation
    cursor: duckdb.DuckDBPyConnection

    def rows(self) -> list[tuple]:
        """All rows, as PyMySQL would hand them to DataJoint."""
        result = self.cursor.execute(render.for_python(self.relation))
        blobs = {
            place: str(result.description[place][1])
            for place, field in enumerate(self.fields)
            if field.type.kind == "blob"
        }
        rows = result.fetchall()
        if blobs:
            rows = [
                tuple(
                    packed(value, blobs[place]) if place in blobs else value
                    for place, value in enumerate(row)
                )
                for row in rows
            ]
        return rows

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The rows as the texts of MySQL's text protocol, in batches as DuckDB finds them."""
        result = self.cursor.execute(render.for_wire(self.relation))
        yield from result.to_arrow_reader(BATCH_ROWS)
