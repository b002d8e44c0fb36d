"""One writer at a time for a file, by an empty file beside it that is locked.

The operating system frees the lock however the process ends, and the file goes with it.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from mirror.errors import MirrorError

# Windows itself keeps a file that is open from being removed or replaced.
if sys.platform != "win32":
    import fcntl

# A link in the lock's place would have what it leads to emptied.
NOT_THROUGH_LINKS = getattr(os, "O_NOFOLLOW", 0)


@contextmanager
def held(
    target: Path, mode: int, work: str = "sync", elsewhere: str = "a file elsewhere with --database"
) -> Iterator[None]:
    """Keep other processes, and other threads of this one, from writing the target meanwhile.

    `mode` are the permission bits of the file that is locked; `work` and `elsewhere` are for
    the sentences. Raises MirrorError when another one holds the target, or when the folder
    cannot be written.
    """
    lock = target.with_name(f".{target.name}.lock")
    try:
        opened = _locked(lock, mode | 0o600)
    except BlockingIOError as error:
        raise MirrorError(
            f"Another {work}{_holder(lock)} is writing {target}: wait for it, or stop it and run"
            " this one again."
        ) from error
    except OSError as error:
        at = lock if os.path.isfile(lock) else target.parent
        raise MirrorError(
            f"{at} cannot be written ({error.strerror}): name {elsewhere} PATH."
        ) from error
    try:
        yield
    finally:
        with suppress(OSError):
            lock.unlink()
        os.close(opened)


def _locked(lock: Path, mode: int) -> int:
    """Open and lock the file of that name, with the number of this process in it."""
    while True:
        opened, is_ours = _opened(lock, mode)
        try:
            if sys.platform != "win32":
                fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # between opening and locking, who held it may have removed it
            if _is_named(lock, opened):
                if is_ours:
                    os.truncate(opened, 0)
                    os.write(opened, str(os.getpid()).encode())
                    return opened
                # of a killed sync of another account
                lock.unlink()
        except BaseException:
            os.close(opened)
            raise
        os.close(opened)


def _opened(lock: Path, mode: int) -> tuple[int, bool]:
    """Open the file, making it where there is none; tells whether it can be written."""
    try:
        return os.open(lock, os.O_RDWR | os.O_CREAT | NOT_THROUGH_LINKS, mode), True
    except PermissionError:
        # where it can at least be read, it can be asked whether anybody holds it
        return os.open(lock, os.O_RDONLY | NOT_THROUGH_LINKS), False


def _is_named(lock: Path, opened: int) -> bool:
    with suppress(FileNotFoundError):
        return os.path.samestat(lock.lstat(), os.fstat(opened))
    return False


def _holder(lock: Path) -> str:
    """Which process holds the lock, if that can be read."""
    with suppress(OSError, ValueError):
        return f" (PID {int(lock.read_bytes()[:20])})"
    return ""
