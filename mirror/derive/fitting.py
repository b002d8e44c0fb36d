"""Curves fitted by several processes: in one, Python's threads take turns at arrays so small.

Run as a program, this file takes jobs from standard input, and answers each with its fits.
"""

import os
import pickle
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import fields
from importlib.util import module_from_spec, spec_from_file_location
from itertools import pairwise
from pathlib import Path
from queue import Empty, SimpleQueue
from types import ModuleType
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mirror.derive.psychometric import Curves, Fits, Variant

PSYCHOMETRIC = Path(__file__).with_name("psychometric.py")
LENGTH = struct.Struct("<Q")
MOST_PROCESSES = 4
# Of curves: below, a process takes longer to start; above, the others wait for the last one.
FEWEST, MOST = 400, 2000

# Some curves: the arrays that their variants share, how many curves they are, and for each variant
# its name and the shares.
Job = tuple[tuple[Any, ...], int, list[tuple[str, Any]]]
Arrays = dict[str, Any]


class Fitting:
    """Fits as `psychometric.fit` makes them, by processes that start when there is enough to do."""

    def __init__(self) -> None:
        self._number = min(MOST_PROCESSES, os.cpu_count() or 1)
        self._threads = ThreadPoolExecutor(self._number)
        self._processes: list[subprocess.Popen[bytes]] = []
        self._idle: SimpleQueue[subprocess.Popen[bytes]] = SimpleQueue()
        self._is_over = False

    def get_ready(self) -> None:
        """Start the processes, which take a while to load: there will be enough to do."""
        with suppress(OSError):
            for _ in range(self._number if self._number > 1 else 0):
                self._idle.put(self._started())

    def fit(self, curves: "Curves", variant: "Variant") -> "Fits":
        """Find the most likely curve for each of many."""
        [fits] = self.start([(curves, variant)])()
        return fits

    def start(self, asked: "Sequence[tuple[Curves, Variant]]") -> Callable[[], list["Fits"]]:
        """Begin to fit as `psychometric.fit_each` does; what is returned waits for the fits."""
        from mirror.derive import psychometric

        if self._number == 1 or asked[0][0].size < 2 * FEWEST:
            found = psychometric.fit_each(asked)
            return lambda: found
        waiting = [self._threads.submit(self._done, job) for job in self._jobs(asked)]

        def fits() -> list["Fits"]:
            by_variant = zip(*(job.result() for job in waiting), strict=True)
            return [psychometric.Fits(**_joined(parts)) for parts in by_variant]

        return fits

    def stop(self) -> None:
        """End all processes, whatever they are at."""
        self._is_over = True
        for process in self._processes:
            process.kill()
        self._threads.shutdown(cancel_futures=True)
        for process in self._processes:
            # of one that ended before, the pipe may still hold a job
            with suppress(BrokenPipeError), process:
                process.kill()

    def _jobs(self, asked: "Sequence[tuple[Curves, Variant]]") -> Iterator[Job]:
        import numpy as np

        curves = asked[0][0]
        rounds = -(-curves.size // (self._number * MOST))
        bounds = np.linspace(0, curves.size, self._number * rounds + 1).astype(int)
        for low, high in pairwise(bounds.tolist()):
            of_part = (curves.curve >= low) & (curves.curve < high)
            yield (
                (
                    curves.curve[of_part] - low,
                    curves.signed_contrast[of_part],
                    curves.n_trials[of_part],
                ),
                high - low,
                [(variant.name, each.p_right[of_part]) for each, variant in asked],
            )

    def _done(self, job: Job) -> list[Arrays]:
        """Have a process do a job, or do it here where there can be no process."""
        try:
            try:
                process = self._idle.get_nowait()
            except Empty:
                process = self._started()
            found = _answer(process, job)
            self._idle.put(process)
        except (OSError, EOFError):
            if self._is_over:
                raise
            from mirror.derive import psychometric

            return _fitted(psychometric, job)
        return found

    def _started(self) -> "subprocess.Popen[bytes]":
        process = subprocess.Popen(
            # -P: nothing beside this file is taken for a library
            [sys.executable, "-P", __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # one that cannot work is done without
            stderr=subprocess.DEVNULL,
            # Ctrl-C at a terminal is for the sync
            start_new_session=True,
        )
        self._processes.append(process)
        return process


@contextmanager
def fitting() -> Iterator[Fitting]:
    """Fit within this block, after which the processes have ended."""
    work = Fitting()
    try:
        yield work
    finally:
        work.stop()


def _answer(process: "subprocess.Popen[bytes]", job: Job) -> list[Arrays]:
    assert process.stdin and process.stdout
    _write(process.stdin, job)
    found: list[Arrays] = _read(process.stdout)
    return found


def _fitted(psychometric: ModuleType, job: Job) -> list[Arrays]:
    arrays, size, variants = job
    found = psychometric.fit_each(
        [
            (psychometric.Curves(*arrays, shares, size), psychometric.VARIANTS[name])
            for name, shares in variants
        ]
    )
    return [{each.name: getattr(fits, each.name) for each in fields(fits)} for fits in found]


def _joined(parts: Sequence[Arrays]) -> Arrays:
    import numpy as np

    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _write(stream: IO[bytes], value: object) -> None:
    content = pickle.dumps(value, protocol=pickle.HIGHEST_PROTOCOL)
    stream.write(LENGTH.pack(len(content)))
    stream.write(content)
    stream.flush()


def _read(stream: IO[bytes]) -> Any:
    """What `_write` wrote. Raises EOFError at the end."""
    header = stream.read(LENGTH.size)
    if len(header) < LENGTH.size:
        raise EOFError
    content = stream.read(*LENGTH.unpack(header))
    return pickle.loads(content)


def _serve(jobs: IO[bytes], answers: IO[bytes]) -> None:
    # by itself: the package around it takes longer to load than some jobs
    spec = spec_from_file_location("psychometric", PSYCHOMETRIC)
    assert spec and spec.loader
    psychometric = sys.modules["psychometric"] = module_from_spec(spec)
    spec.loader.exec_module(psychometric)
    while True:
        try:
            job = _read(jobs)
        except EOFError:
            return
        _write(answers, _fitted(psychometric, job))


if __name__ == "__main__":
    # nothing else is to write where the answers go
    with os.fdopen(os.dup(1), "wb") as output:
        os.dup2(2, 1)
        _serve(sys.stdin.buffer, output)
