"""The engine of the file as it is now.

A sync puts a new file in the place of the served one. The next statement finds it and runs on a
new engine; statements that run already end on the old one, which is closed after the last.
"""

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import pyarrow as pa

from mirror.errors import MirrorError
from mirror.serve.answers import Field, Value
from mirror.serve.variables import Settings


class Answer(Protocol):
    """What the wire asks of an answer: columns, and values for either protocol in batches."""

    @property
    def fields(self) -> tuple[Field, ...]: ...

    def batches(self, is_binary: bool) -> Iterator[pa.RecordBatch]: ...


class Session(Protocol):
    """What the wire asks of a client's place at the engine."""

    database: str | None
    number: int
    settings: Settings
    seconds: float | None

    def ask(self, statement: str, values: Sequence[Value] | None = None) -> Answer: ...

    def describe(self, statement: str) -> tuple[int, tuple[Field, ...]]: ...

    def interrupt(self) -> None: ...

    def close(self) -> None: ...


class Engine(Protocol):
    """What the wire asks of the engine of a file."""

    def session(self, user: str, settings: Settings) -> Session: ...

    def close(self) -> None: ...


@dataclass(eq=False)
class Opened:
    """An engine, the sessions on it, and how many of them are at work."""

    engine: Engine
    sessions: list[Session] = field(default_factory=list)
    running: int = 0


class Engines:
    """Opens the file, again when it changes. Raises MirrorError where it is no mirror.

    When a changed file cannot be opened, `tell` gets a sentence and the old engine serves on.
    """

    def __init__(
        self, file: Path, opened: Callable[[Path], Engine], tell: Callable[[str], None]
    ) -> None:
        self._file = file
        self._engine = opened
        self._tell = tell
        self._lock = threading.Lock()
        self._stamp = self._stamped()
        self._current = Opened(opened(file))

    @contextmanager
    def at_work(self, state: "SessionState") -> Iterator[Session]:
        """Lend the session of a client for one statement, on the engine of today."""
        with self._lock:
            self._look()
            opened = self._current
            session = state.session
            if session is None or state.opened is not opened:
                fresh = opened.engine.session(state.user, state.settings)
                fresh.database, fresh.number = state.database, state.number
                self._drop(state)
                opened.sessions.append(fresh)
                state.session, state.opened, session = fresh, opened, fresh
            opened.running += 1
        try:
            yield session
        finally:
            with self._lock:
                state.database, state.settings = session.database, session.settings
                opened.running -= 1
                self._retire(opened)

    def leave(self, state: "SessionState") -> None:
        """Close the session of a client; its next statement gets another, as it left it."""
        with self._lock:
            self._drop(state)

    def close(self) -> None:
        with self._lock:
            for session in self._current.sessions:
                session.close()
            self._current.engine.close()

    def _look(self) -> None:
        stamp = self._stamped()
        # a file that is away for a moment is served from what is open
        if stamp is None or stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            fresh = Opened(self._engine(self._file))
        except MirrorError as error:
            self._tell(f"still serving the file from before: {error}")
            return
        old, self._current = self._current, fresh
        self._retire(old)

    def _retire(self, opened: Opened) -> None:
        if opened is self._current or opened.running:
            return
        for session in opened.sessions:
            session.close()
        opened.sessions.clear()
        opened.engine.close()

    def _drop(self, state: "SessionState") -> None:
        if state.session is not None and state.opened is not None:
            if state.session in state.opened.sessions:
                state.opened.sessions.remove(state.session)
                state.session.close()
            state.session = state.opened = None

    def _stamped(self) -> tuple[int, int, int] | None:
        try:
            found = os.stat(self._file)
        except OSError:
            return None
        return found.st_dev, found.st_ino, found.st_mtime_ns


@dataclass(eq=False)
class SessionState:
    """One client's session and the engine it is on, and what outlives both."""

    number: int
    user: str = ""
    database: str | None = None
    settings: Settings = field(default_factory=Settings)
    session: Session | None = None
    opened: Opened | None = None
