"""How long the engine works on a statement, and what ends it before it is done."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from mirror.serve.answers import Refusal
from mirror.serve.wire.engines import Session


class Stopwatch:
    """Counts the seconds of one client's statement; `look`, called often, stops it when due.

    Only the engine's time counts: a client may take its own to read rows.
    """

    def __init__(self, limit: float) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._session: Session | None = None
        self._why: Refusal | None = None
        # what this statement may take, and what is left of it
        self._left = self._allowed = limit
        self._since: float | None = None

    @contextmanager
    def statement(self, session: Session) -> Iterator[None]:
        with self._lock:
            self._session, self._why = session, None
            self._left = self._allowed = self._limit
        try:
            yield
        finally:
            with self._lock:
                self._session = None

    def shorten(self, seconds: float | None) -> None:
        """Take the limit that the client has set, where it is the shorter one."""
        with self._lock:
            if seconds is not None:
                self._left -= max(self._allowed - seconds, 0)
                self._allowed = min(self._allowed, seconds)

    @contextmanager
    def running(self) -> Iterator[None]:
        """The engine works. Raises the Refusal that the statement was stopped for."""
        with self._lock:
            if self._why:
                raise self._why
            self._since = time.monotonic()
        try:
            yield
        except Exception as error:
            # what the engine makes of an interrupt does not know what it was for
            if self._why:
                raise self._why from error
            raise
        finally:
            with self._lock:
                self._left -= time.monotonic() - self._since
                self._since = None

    @property
    def is_running(self) -> bool:
        return self._since is not None

    def stop(self, why: Refusal) -> None:
        """End the statement, if there is one, from another thread."""
        with self._lock:
            if self._session is not None:
                self._why = self._why or why

    def look(self) -> None:
        """Interrupt a statement that was stopped or is over its time, from another thread."""
        with self._lock:
            if self._session is None or self._since is None:
                return
            if time.monotonic() - self._since > self._left:
                self._why = self._why or Refusal(
                    1969, "70100", f"The statement took more than {self._allowed:g} seconds."
                )
            if self._why:
                # again at each look: an interrupt between two queries of a statement is lost
                self._session.interrupt()
