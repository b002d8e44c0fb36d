"""Ctrl-C ends a program soon, whatever it is at.

Python hears of a signal only between two of its own steps, and one step may be a minute in a
library: the fit of ten thousand curves, the writing of a file. The operating system tells a
thread of its own at once, which waits a little for the usual end, and then makes an end itself.
What has been written so far survives that as it survives a kill.
"""

import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread

# s for the usual end
GRACE = 1.5
EXIT_CODE = 130


@contextmanager
def soon(last_words: Callable[[], object]) -> Iterator[None]:
    """End the process GRACE after Ctrl-C, should this block not have ended by then.

    For the main thread of a program.
    """
    hears, tells = socket.socketpair()
    tells.setblocking(False)
    is_over = Event()

    def watch() -> None:
        while heard := hears.recv(1):
            if heard[0] == signal.SIGINT and not is_over.wait(GRACE):
                last_words()
                os._exit(EXIT_CODE)

    watching = Thread(target=watch, daemon=True)
    watching.start()
    before = signal.set_wakeup_fd(tells.fileno(), warn_on_full_buffer=False)
    try:
        yield
    finally:
        is_over.set()
        signal.set_wakeup_fd(before)
        tells.close()
        watching.join()
        hears.close()
