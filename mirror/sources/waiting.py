"""Waiting for a server so that Ctrl-C ends the wait at once, and so does a server that is gone.

What may block runs on a thread of its own, since Python hears Ctrl-C only where its main thread
runs Python. The wait is in steps: after each that brought nothing, somebody looks whether
anything will still come.
"""

from collections.abc import Callable, Generator
from contextlib import suppress
from queue import Empty, Queue
from threading import Event, Thread
from typing import Any, Protocol, TypeVar

# s between two looks
STEP = 10.0

T = TypeVar("T")


class Watch(Protocol):
    """Whoever looks after a wait."""

    def heard(self) -> None:
        """Something has arrived."""

    def silent(self) -> None:
        """Nothing has, for another `STEP`. Raises where nothing will."""


def attended(
    items: Generator[T, None, None], watch: Watch, abandon: Callable[[], object]
) -> Generator[T, None, None]:
    """Take items on a thread, from now on and one ahead, and hand them on.

    `abandon` is called when they are no longer waited for: it must make a blocked item fail.
    """
    # whether it is an item, and the item, or the error at the end, or None
    arrivals: Queue[tuple[bool, Any]] = Queue(maxsize=1)
    unwanted = Event()

    def take() -> None:
        try:
            for item in items:
                arrivals.put((True, item))
                if unwanted.is_set():
                    return
            arrivals.put((False, None))
        except BaseException as error:
            arrivals.put((False, error))
        finally:
            # they are tidied up where they came from
            items.close()

    Thread(target=take, daemon=True).start()
    handed_on = _handed_on(arrivals, unwanted, watch, abandon)
    next(handed_on)
    return handed_on


def _handed_on(
    arrivals: "Queue[tuple[bool, Any]]",
    unwanted: Event,
    watch: Watch,
    abandon: Callable[[], object],
) -> Generator[Any, None, None]:
    is_over = False
    try:
        # a generator that has not begun would not hear that it is closed
        yield
        while True:
            try:
                is_item, arrival = arrivals.get(timeout=STEP)
            except Empty:
                watch.silent()
                continue
            watch.heard()
            is_over = not is_item
            if is_item:
                yield arrival
            elif arrival is None:
                return
            else:
                raise arrival
    finally:
        if not is_over:
            unwanted.set()
            abandon()
            # the thread may stand before a full queue
            with suppress(Empty):
                arrivals.get_nowait()


def wait_for(work: Callable[[], T], watch: Watch, abandon: Callable[[], object]) -> T:
    """Do one thing that may block, as `attended` does many."""
    [result] = attended(_once(work), watch, abandon)
    return result


def _once(work: Callable[[], T]) -> Generator[T, None, None]:
    yield work()
