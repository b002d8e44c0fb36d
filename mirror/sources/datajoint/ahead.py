"""Small tables, read before anybody asks for them: many in one question to the server.

Of a small table the way to the server and back costs more than its rows. So a batch of such
tables is asked at once for all that a copy needs, in one transaction: time of the last change,
checksum, counts and rows are of one moment. The next batch is on its way while one is copied.
"""

from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

import pyarrow as pa
import pymysql

from mirror.sources import Census, Request, Stamp, Unreadable
from mirror.sources.datajoint import counting
from mirror.sources.datajoint.readers import batch_of, text_schema
from mirror.sources.datajoint.server import LOST, Attentive, Connection, Server, Silent, code_of
from mirror.sources.waiting import attended
from mirror.tables import Table

BATCH_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True)
class Question:
    """A small table, and the query for its rows."""

    request: Request
    rows: str
    size: int


@dataclass(frozen=True)
class Answer:
    """What the server said of one table, all at one moment."""

    stamp: Stamp | None
    census: Census
    rows: pa.RecordBatch


class Ahead:
    """The answers to come. What goes wrong costs only the answers: tables can be read singly."""

    def __init__(self, server: Server, questions: Sequence[Question]) -> None:
        self._connection = Connection(server)
        self._expected = {question.request.table for question in questions}
        self._found: dict[Table, Answer] = {}
        self._asked = ""
        watch = Attentive(server, lambda: self._asked)
        self._arriving = attended(self._batches(questions), watch, self._connection.hang_up)

    def get(self, table: Table) -> Answer | None:
        """What was read of a table, if it was."""
        with suppress(pymysql.err.MySQLError, Silent):
            while table in self._expected and table not in self._found:
                batch = next(self._arriving, None)
                if batch is None:
                    break
                # tables are copied in the order in which they are read
                self._found = dict(batch)
        return self._found.get(table)

    def close(self) -> None:
        self._arriving.close()
        self._connection.hang_up()

    def _batches(
        self, questions: Sequence[Question]
    ) -> Generator[Mapping[Table, Answer], None, None]:
        for some in _in_batches(questions):
            found: dict[Table, Answer] = {}
            rest: Sequence[Question] = some
            while rest:
                rest = self._answer(rest, found)
            yield found

    def _answer(
        self, questions: Sequence[Question], found: dict[Table, Answer]
    ) -> Sequence[Question]:
        """Ask for all of these; returns those that come after one that the server refuses."""
        tables = [question.request.table for question in questions]
        statements = [
            # which ends the transaction of a question that was refused
            "rollback",
            counting.state(tables),
            "start transaction with consistent snapshot",
            *chain.from_iterable(
                (
                    counting.checksum([question.request.table]),
                    counting.census(question.request),
                    f"{question.rows} limit {counting.SMALL_ROWS + 1}",
                )
                for question in questions
            ),
            "commit",
        ]
        self._asked = "; ".join(statements)
        answered = 0
        try:
            with closing(self._connection.results(statements)) as results:
                next(results)
                states = counting.states(tables, next(results))
                next(results)
                for question in questions:
                    [summed], [counts], rows = next(results), next(results), next(results)
                    with suppress(Unreadable):
                        if answer := _answer(question, states, summed, counts, rows):
                            found[question.request.table] = answer
                    answered += 1
                next(results)
        except pymysql.err.MySQLError as error:
            if code_of(error) in LOST or code_of(error) is None:
                raise
            return questions[answered + 1 :]
        return []


def _answer(
    question: Question,
    states: Mapping[Table, counting.Sized],
    summed: Sequence[Any],
    counts: Sequence[Any],
    rows: Sequence[tuple[Any, ...]],
) -> Answer | None:
    """Put together what is said of one table, unless it is too large. Raises Unreadable."""
    table = question.request.table
    if len(rows) > counting.SMALL_ROWS or table not in states:
        return None
    census = counting.census_of(question.request, counts)
    census = replace(census, checksum=counting.checksum_of(summed))
    batch = batch_of(rows, text_schema(question.request.columns))
    stamp = states[table].stamp
    # what changes from now on is none of these rows
    return Answer(stamp and replace(stamp, is_fresh=False), census, batch)


def _in_batches(questions: Iterable[Question]) -> Iterator[list[Question]]:
    some: list[Question] = []
    size = 0
    for question in questions:
        if some and size + question.size > BATCH_BYTES:
            yield some
            some, size = [], 0
        some.append(question)
        size += question.size
    if some:
        yield some
