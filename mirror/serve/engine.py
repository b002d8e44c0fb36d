"""A mirror opened to be asked in MySQL: nothing outside of the file can be reached from here."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from itertools import count
from pathlib import Path

import duckdb
import pyarrow as pa
from duckdb.sqltypes import DuckDBPyType
from sqlglot import exp

from mirror import store
from mirror.serve import catalogue, digits, modes, render, show, statements
from mirror.serve.answers import Field, Refusal
from mirror.serve.packing import packed
from mirror.serve.translate import Relation, Translator, parameters, parse, size
from mirror.serve.translate.literals import quoted_text
from mirror.serve.translate.parameters import Value

CONNECTIONS = count(1)
# of a schema, a table or a column that there is not, or that is there twice
OF_NAMES = (1046, 1049, 1051, 1052, 1054, 1060, 1066, 1109, 1146, 1222, 1241, 1248)
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
            catalogue.create(self._connection)
            execute(files("mirror.serve").joinpath("functions.sql").read_text(encoding="utf-8"))
            self.catalogue = catalogue.read(self._connection)
        except duckdb.Error as error:
            self._connection.close()
            raise store.explain(error, file) from error
        # what does not fit into memory is not put on the disk either
        execute("set temp_directory = ''")
        execute("set enable_external_access = false")
        execute("set autoinstall_known_extensions = false")
        execute("set autoload_known_extensions = false")
        execute(store.TRUSTED_OPTIMIZERS)
        store.without_progress_bar(self._connection)
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
        self._variables = {
            name: _value(value) for name, value in engine.catalogue.variables.items()
        }
        self._cursor = engine.cursor()

    def ask(self, statement: str, values: Sequence[Value] | None = None) -> "Answer":
        """Answer one statement; values, if given, stand for the ? in it. Raises Refusal."""
        word, statement = self._read(statement)
        if word in statements.IGNORED:
            return NOTHING
        if word == "USE":
            self.database = self.engine.catalogue.schema(statements.used_schema(statement)).name
            return NOTHING
        if word == "SET":
            self._set(statement)
            return NOTHING
        return self._query(self._select(statement), values)

    def describe(self, statement: str) -> tuple[int, tuple[Field, ...]]:
        """How many values a statement wants, and its columns where they can be told before.

        Raises Refusal where the statement would be refused whatever the values are.
        """
        word, statement = self._read(statement)
        if word in (*statements.IGNORED, "USE", "SET"):
            return 0, ()
        tree = parse(self._select(statement))
        wanted = parameters.count(tree)
        try:
            return wanted, render.fields(self._translated(parameters.opened(tree), len(statement)))
        except Refusal as refusal:
            if not wanted or refusal.number in OF_NAMES:
                raise
            return wanted, ()

    def interrupt(self) -> None:
        """End the statement that runs, from another thread: Refusal 1317 there."""
        self._cursor.interrupt()

    def close(self) -> None:
        self._cursor.close()

    def _read(self, statement: str) -> tuple[str, str]:
        """The first word of a statement that may be answered, and its text as it is run."""
        statements.check_text(statement)
        size.check_words(statement)
        statement = statements.plain(statement)
        word = statements.first_word(statement)
        statements.check_readable(word, statement, self.user)
        return word, statement

    def _select(self, statement: str) -> str:
        select = show.rewrite(statement, self.engine.catalogue, self.database, self.user)
        return statement if select is None else select

    def _query(self, statement: str, values: Sequence[Value] | None = None) -> "Answer":
        tree, letters = parse(statement), len(statement)
        if values is not None:
            tree = parameters.bound(tree, values)
            letters += sum(len(value) for value in values if isinstance(value, str | bytes))
        relation = self._translated(tree, letters)
        return Answer(render.fields(relation), relation, self._cursor)

    def _translated(self, tree: exp.Expr, letters: int) -> Relation:
        facts = {
            **self._variables,
            "database()": self.database,
            "user()": self.user,
            "version()": self._variables.get("version"),
            "connection_id()": self.number,
        }
        try:
            relation = Translator(self.engine.catalogue, self.database, facts).query(tree)
            size.check(relation.sql, letters)
        except RecursionError as error:
            raise Refusal(1436, "HY000", "The statement is nested too deeply") from error
        return relation

    def _set(self, statement: str) -> None:
        """Give variables their values: all of them, or where one is refused, none."""
        items = [i for i in statements.assignments(statement) if i.name in self._variables]
        for name, value in [(item.name, self._evaluated(item)) for item in items]:
            self._variables[name] = None if value is None else _value(value)
            # for SHOW VARIABLES
            self._cursor.execute(f"set variable {name} = {quoted_text(value or '')}")

    def _evaluated(self, item: statements.Assignment) -> str | None:
        """The value of a variable as SHOW VARIABLES writes it."""
        default = self.engine.catalogue.variables[item.name]
        if item.value is None:
            return default
        [(value,)] = self._query(f"select {item.value}").rows()
        if item.name == "sql_mode":
            return modes.settled(value)
        written = None if value is None else str(value)
        if written is not None and default in SWITCH.values():
            return SWITCH.get(written, written.upper())
        return written


# what 0 and 1 are called
SWITCH = {"0": "OFF", "1": "ON"}


def _value(written: str) -> object:
    """A variable as SELECT @@name gives it."""
    if re.fullmatch("[0-9]{1,20}", written):
        return int(written)
    return {"ON": 1, "OFF": 0}.get(written, written)


@dataclass(frozen=True)
class Answer:
    """The rows of a query, in one of two forms, once."""

    fields: tuple[Field, ...] = ()
    relation: Relation | None = None
    cursor: duckdb.DuckDBPyConnection | None = None

    def rows(self) -> list[tuple]:
        """All rows, as PyMySQL would hand them to DataJoint. Raises Refusal."""
        if self.relation is None or self.cursor is None:
            return []
        with _refusals():
            result = self.cursor.execute(render.for_python(self.relation))
            blobs = self._blobs(result)
            rows = result.fetchall()
        if not blobs:
            return rows
        return [
            tuple(
                packed(value, blobs[place]) if place in blobs else value
                for place, value in enumerate(row)
            )
            for row in rows
        ]

    def batches(self, is_binary: bool = False) -> Iterator[pa.RecordBatch]:
        """The rows as DuckDB finds them, as the texts of MySQL's text protocol or, for the binary
        one, as `render.for_binary` has them. Raises Refusal.
        """
        if self.relation is None or self.cursor is None:
            return
        query = render.for_binary if is_binary else render.for_text
        with _refusals():
            result = self.cursor.execute(query(self.relation))
            blobs = self._blobs(result)
            for batch in result.to_arrow_reader(BATCH_ROWS):
                yield _written(batch, blobs, is_binary)

    def _blobs(self, result: duckdb.DuckDBPyConnection) -> dict[int, DuckDBPyType]:
        """The places of DataJoint's blobs, and their types in DuckDB."""
        return {
            place: result.description[place][1]
            for place, field in enumerate(self.fields)
            if field.type.kind == "blob"
        }


NOTHING = Answer()


def _written(
    batch: pa.RecordBatch, blobs: dict[int, DuckDBPyType], is_binary: bool
) -> pa.RecordBatch:
    columns = []
    for place, column in enumerate(batch.columns):
        if place in blobs:
            packs = [packed(value, blobs[place]) for value in column.to_pylist()]
            column = pa.array(packs, pa.binary())
        elif pa.types.is_floating(column.type) and not is_binary:
            column = digits.texts(column)
        columns.append(column)
    return pa.RecordBatch.from_arrays(columns, names=batch.schema.names)


@contextmanager
def _refusals() -> Iterator[None]:
    """Say in MySQL's numbers what DuckDB raises."""
    try:
        yield
    except (duckdb.Error, RuntimeError, OSError, UnicodeDecodeError, MemoryError) as error:
        # what happens between batches comes through Arrow, as errors of its own; DuckDB cuts a
        # text that it complains of in the middle of a letter
        raise _refusal(error) from error


def _refusal(error: Exception) -> Refusal:
    text = str(error).splitlines()[0] if str(error) else type(error).__name__
    # by DuckDB's names of its errors, which are all that Arrow passes on
    if isinstance(error, duckdb.InterruptException) or "INTERRUPT Error" in text:
        return Refusal(1317, "70100", "Query execution was interrupted")
    if "Invalid Input Error: The mirror" in text:
        return Refusal(1235, "42000", text.partition("Invalid Input Error: ")[2])
    if "out of range" in text.lower() or "overflow" in text.lower():
        return Refusal(1690, "22003", f"Value is out of range ({text})")
    if "More than one row returned by a subquery" in text:
        return Refusal(1242, "21000", "Subquery returns more than 1 row")
    if isinstance(error, duckdb.OutOfMemoryException | MemoryError):
        return Refusal(
            1041, "HY000", "Out of memory: ask for fewer rows, or aggregate less at once"
        )
    return Refusal(1105, "HY000", f"The mirror cannot answer this ({text})")
