"""Work that goes on while this thread does something else."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import TypeVar

import duckdb

T = TypeVar("T")

# s between two tries to interrupt
INTERRUPTED_AGAIN = 0.05


def in_background(function: Callable[[], T]) -> "Future[T]":
    """Start a call that nobody waits for when the program ends."""
    future: Future[T] = Future()

    def work() -> None:
        try:
            future.set_result(function())
        except BaseException as error:
            future.set_exception(error)

    threading.Thread(target=work, daemon=True).start()
    return future


@contextmanager
def beside(
    connection: duckdb.DuckDBPyConnection, work: Callable[[duckdb.DuckDBPyConnection], T]
) -> Iterator[Future[T]]:
    """Do something with the same file within this block, at the end of which it is done.

    Where the block fails, the work is interrupted.
    """
    with connection.cursor() as cursor, ThreadPoolExecutor(1) as pool:
        working = pool.submit(work, cursor)
        try:
            yield working
        except BaseException:
            # nobody waits for it any more; between two of its statements it hears nothing
            while not working.done():
                cursor.interrupt()
                wait([working], INTERRUPTED_AGAIN)
            raise
