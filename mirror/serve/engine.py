"""A mirror opened to be asked in MySQL: nothing outside of the file can be reached from here."""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.resources import files
from itertools import count
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from duckdb.sqltypes import DuckDBPyType
from sqlglot import exp

from mirror import store
from mirror.serve import catalogue, digits, render, show, statements
from mirror.serve.answers import Field, Refusal, Value
from mirror.serve.facts import Facts
from mirror.serve.modes import PIPES
from mirror.serve.packing import packed
from mirror.serve.translate import Relation, Translator, parameters, parse, size
from mirror.serve.translate.literals import quoted_text
from mirror.serve.variables import GLOBAL, NO_LIMIT, Settings

CONNECTIONS = count(1)
# of a schema, a table or a column that there is not, or that is there twice
OF_NAMES = (1046, 1049, 1051, 1052, 1054, 1060, 1066, 1109, 1146, 1222, 1241, 1248)
COUNTS_ALL = "SQL_CALC_FOUND_ROWS"
# what a table of the file is called by first
OF_FILE = '"mirror".'
# what functions.sql refuses, as an error or as a text that is no number
OWN = re.compile(
    r"(?:Invalid Input Error: |Could not convert string ')"
    r"(?:(The mirror [^']*)|([A-Z ]+ value is out of range))"
)
WITHOUT_ROWS = ("", "USE", "SET", "DO", "PREPARE", "EXECUTE", "DEALLOCATE", "DROP")
MEMORY_LIMIT = "2GB"
# Translations of a session, of statements up to so many letters: notebooks ask the same again.
MOST_KEPT, LONGEST_KEPT = 32, 10_000
# The same of an engine, for queries that DuckDB has parsed: that can take longer than to run them.
MOST_PARSED = 64
BATCH_ROWS = 20_000


@dataclass(frozen=True)
class Translation:
    """A statement in DuckDB's words, and what it was told of its session, as `repr` writes it."""

    relation: Relation
    facts: Sequence[tuple[str, str]]


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
        self._parsed = lru_cache(MOST_PARSED)(
            lambda query: self.cursor().extract_statements(query)[0]
        )

    def session(
        self, user: str = "mirror@localhost", settings: Settings | None = None
    ) -> "Session":
        return Session(self, user, settings)

    def cursor(self) -> duckdb.DuckDBPyConnection:
        return self._connection.cursor()

    def parsed(self, query: str) -> str | duckdb.Statement:
        """A query for DuckDB, parsed if it is short. Raises duckdb.Error."""
        return query if len(query) > LONGEST_KEPT else self._parsed(query)

    def close(self) -> None:
        self._connection.close()


class Session:
    """One client's conversation with an engine; what it has set outlasts both."""

    def __init__(self, engine: Engine, user: str, settings: Settings | None = None) -> None:
        self.engine = engine
        self.user = user
        self.database: str | None = None
        self.number = next(CONNECTIONS)
        self.settings = settings or Settings()
        # how long the statement of now may take, if the client wants to know an end
        self.seconds: float | None = None
        self._cursor = engine.cursor()
        self._shown: set[str] = set()
        self._translations: dict[tuple[object, ...], Translation] = {}
        self._show(self.settings)

    def ask(self, statement: str, values: Sequence[Value] | None = None) -> "Answer":
        """Answer one statement; values, if given, stand for the ? in it. Raises Refusal."""
        word, statement = self._read(statement)
        self.seconds = self.settings.seconds
        match word:
            case "":
                return NOTHING
            case _ if word in statements.IGNORED:
                settings = self.settings
                settings.in_transaction = statements.in_transaction(
                    statement, settings.in_transaction
                )
                return NOTHING
            case "USE":
                self.database = self.engine.catalogue.schema(statements.used_schema(statement)).name
                return NOTHING
            case "SET":
                limited = statements.of_one_statement(statement)
                if limited:
                    return self._with(*limited, values)
                if self.settings.in_transaction and statements.is_of_next_transaction(statement):
                    raise Refusal(
                        1568, "25001", "Transaction characteristics can't be changed in the middle"
                    )
                self._set(statements.assignments(statement), values)
                return NOTHING
            case "DO":
                self._query(f"select {statement[len(word) :]}", values).rows()
                return NOTHING
            case "PREPARE" | "EXECUTE" | "DEALLOCATE" | "DROP":
                return self._prepared(statements.prepared(statement))
        answer = self._query(statement, values)
        if not self.settings.is_autocommit and answer.relation and OF_FILE in answer.relation.sql:
            self.settings.in_transaction = True
        return answer

    def describe(self, statement: str) -> tuple[int, tuple[Field, ...]]:
        """How many values a statement wants, and its columns where they can be told before.

        Raises Refusal where the statement would be refused whatever the values are.
        """
        word, statement = self._read(statement)
        if word in (*statements.IGNORED, *WITHOUT_ROWS):
            return statements.count_parameters(statement), ()
        tree = self._parsed(statement)
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
        """The first word of a statement that may be answered, and its text as it is run.

        Both are empty where there are comments only, which a server takes without a word.
        """
        statements.check_text(statement)
        size.check_words(statement)
        rest = statements.without_leading(statements.plain(statement))
        if statements.is_empty(rest) and not statements.is_empty(statement):
            return "", ""
        statement = rest
        word = statements.first_word(statement)
        statements.check_readable(word, statement, self.user)
        return word, statement

    @property
    def _joins_by_pipes(self) -> bool:
        return PIPES in (self.settings["sql_mode"] or "").split(",")

    def _parsed(self, statement: str) -> exp.Expr:
        """The query that answers a statement, with as many rows as the client wants at most."""
        if show.AS_DATAJOINT_2.fullmatch(statement) and not self.settings.as_datajoint_2:
            self.settings.as_datajoint_2 = True
            self._show(self.settings)
        select = show.rewrite(
            statement,
            self.engine.catalogue,
            self.database,
            self.user,
            self.settings.as_datajoint_2,
        )
        # what answers a SHOW is written here, in any mode the same
        tree = parse(statement, self._joins_by_pipes) if select is None else parse(select)
        limit = self.settings.row_limit
        if limit == NO_LIMIT or tree.args.get("limit") or not isinstance(tree, exp.Query):
            return tree
        return tree.limit(limit)

    def _query(self, statement: str, values: Sequence[Value] | None = None) -> "Answer":
        if values is None and (known := self._known(statement)):
            return self._answer(known, self.settings)
        tree, letters = self._parsed(statement), len(statement)
        if values is not None:
            tree = parameters.bound(tree, values)
            letters += sum(len(value) for value in values if isinstance(value, str | bytes))
        translation = self._translation(tree, letters)
        relation = translation.relation
        if COUNTS_ALL in map(str, tree.args.get("operation_modifiers") or ()) and tree.args.get(
            "limit"
        ):
            whole = tree.copy()
            whole.set("limit", None)
            whole.set("offset", None)
            every = self._translated(whole, letters).sql
            with _refusals():
                [(found,)] = self._cursor.execute(f"select count(*) from ({every})").fetchall()
            self.settings.found_rows = found
            return self._answer(relation)
        if values is None:
            self._keep(statement, translation)
        return self._answer(relation, self.settings)

    def _answer(self, relation: Relation, settings: Settings | None = None) -> "Answer":
        fields = render.fields(relation)
        return Answer(fields, relation, self._cursor, self.engine.parsed, settings)

    def _known(self, statement: str) -> Relation | None:
        """The translation of a statement that was asked before, where it is still the same."""
        found = self._translations.get((statement, *self._circumstances))
        if found and all(repr(self._fact(name)) == value for name, value in found.facts):
            return found.relation
        return None

    def _keep(self, statement: str, translation: Translation) -> None:
        if len(statement) > LONGEST_KEPT:
            return
        if len(self._translations) == MOST_KEPT:
            del self._translations[next(iter(self._translations))]
        self._translations[statement, *self._circumstances] = translation

    @property
    def _circumstances(self) -> tuple[object, ...]:
        """What decides, beside facts, how a statement is read."""
        settings = self.settings
        return self.database, settings.as_datajoint_2, settings.row_limit, self._joins_by_pipes

    def _translated(self, tree: exp.Expr, letters: int) -> Relation:
        return self._translation(tree, letters).relation

    def _translation(self, tree: exp.Expr, letters: int) -> Translation:
        facts = Facts(self._fact)
        try:
            relation = Translator(self.engine.catalogue, self.database, facts).query(tree)
            size.check(relation.sql, letters)
        except RecursionError as error:
            raise Refusal(1436, "HY000", "The statement is nested too deeply") from error
        return Translation(relation, [(name, repr(value)) for name, value in facts.asked.items()])

    def _fact(self, name: str) -> object:
        """What a statement may ask about this session. Raises KeyError for what there is not."""
        match name.removeprefix(GLOBAL):
            case "database()":
                return self.database
            case "user()":
                return self.user
            case "version()":
                return self.settings["version"]
            case "version_comment":
                return self.engine.catalogue.version_comment
            case "pseudo_thread_id" | "connection_id()":
                return self.number
            case "codec()":
                return self.settings.codec
            case "found_rows()":
                return self.settings.found_rows
            case "row_count()":
                return -1
        return self.settings.fact(name)

    def _set(
        self, items: Sequence[statements.Assignment], values: Sequence[Value] | None = None
    ) -> None:
        """Give variables their values: all of them, or where one is refused, none."""
        changed = deepcopy(self.settings)
        left = list(values or ())
        for item in items:
            if item.value is None:
                changed.set_default(item.name)
                continue
            tree = parse(f"select {item.value}", self._joins_by_pipes)
            own, left = left[: (wanted := parameters.count(tree))], left[wanted:]
            relation = self._translated(parameters.bound(tree, own), len(item.value))
            [row] = self._answer(relation).rows()
            if len(row) != 1:
                raise Refusal(1064, "42000", f"You have an error in your SQL syntax near '{item}'")
            if item.is_own:
                changed.own[item.name] = parameters.kept(row[0])
            else:
                changed.set(item.name, row[0])
        changed.check_size()
        self.settings = changed
        self._show(changed)

    def _with(
        self,
        items: Sequence[statements.Assignment],
        statement: str,
        values: Sequence[Value] | None,
    ) -> "Answer":
        """SET STATEMENT ... FOR: answer a statement with other settings than the session's."""
        before = self.settings
        self._set(items)
        try:
            return self.ask(statement, values)
        finally:
            self.settings = before
            self._show(before)

    def _prepared(self, said: statements.Prepare | statements.Execute | str) -> "Answer":
        """PREPARE, EXECUTE and DEALLOCATE PREPARE, of statements that have names."""
        held = self.settings.prepared
        match said:
            case statements.Prepare():
                [[text]] = self._query(f"select {said.source}").rows()
                self.describe(str(text))
                changed = replace(self.settings, prepared={**held, said.name: str(text)})
                changed.check_size()
                self.settings = changed
                return NOTHING
            case statements.Execute():
                if said.name not in held:
                    raise _no_statement(said.name)
                values = [
                    value
                    for text in said.values
                    for (value,) in self._query(f"select {text}").rows()
                ]
                return self.ask(held[said.name], values)
        if held.pop(said, None) is None:
            raise _no_statement(said)
        return NOTHING

    def _show(self, settings: Settings) -> None:
        """Let SHOW VARIABLES see what is set."""
        for name in self._shown - set(settings.written):
            self._cursor.execute(f"reset variable {name}")
        for name, written in settings.written.items():
            self._cursor.execute(f"set variable {name} = {quoted_text(written or '')}")
        self._shown = set(settings.written)
        self._cursor.execute(f"set variable asks_as_datajoint_2 = {settings.as_datajoint_2}")


def _no_statement(name: str) -> Refusal:
    return Refusal(1243, "HY000", f"Unknown prepared statement handler ({name}) given to EXECUTE")


@dataclass(frozen=True)
class Answer:
    """The rows of a query, in one of two forms, once."""

    fields: tuple[Field, ...] = ()
    relation: Relation | None = None
    cursor: duckdb.DuckDBPyConnection | None = None
    parsed: Callable[[str], str | duckdb.Statement] = str
    # whose FOUND_ROWS this answer's rows are
    settings: Settings | None = None

    def rows(self) -> list[tuple[Any, ...]]:
        """All rows, as PyMySQL would hand them to DataJoint. Raises Refusal."""
        if self.relation is None or self.cursor is None:
            return []
        with _refusals():
            # not as a relation, which DuckDB plans twice
            result = self.cursor.execute(self.parsed(render.for_python(self.relation)))
            blobs = self._blobs([kind for _, kind, *_ in result.description])
            rows = result.fetchall()
        self._found(len(rows))
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
            result = self.cursor.sql(self.parsed(query(self.relation)))
            blobs = self._blobs(result.types)
            found = 0
            for batch in result.to_arrow_reader(BATCH_ROWS):
                found += batch.num_rows
                yield _written(batch, blobs, is_binary)
        self._found(found)

    def _found(self, count: int) -> None:
        if self.settings is not None:
            self.settings.found_rows = count

    def _blobs(self, types: Sequence[DuckDBPyType]) -> dict[int, DuckDBPyType]:
        """The places of DataJoint's blobs, and their types in DuckDB."""
        return {
            place: types[place]
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
    if own := OWN.search(text):
        return Refusal(1235, "42000", own[1]) if own[1] else Refusal(1690, "22003", own[2])
    if "out of range" in text.lower() or "overflow" in text.lower():
        return Refusal(1690, "22003", f"Value is out of range ({text})")
    if "More than one row returned by a subquery" in text:
        return Refusal(1242, "21000", "Subquery returns more than 1 row")
    if isinstance(error, duckdb.OutOfMemoryException | MemoryError):
        return Refusal(
            1041, "HY000", "Out of memory: ask for fewer rows, or aggregate less at once"
        )
    return Refusal(1105, "HY000", f"The mirror cannot answer this ({text})")
