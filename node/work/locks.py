"""Locks that die with their process: two nodes on one data folder, two workers in one slot."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from node.errors import StartupError

_PID_LENGTH = 32


@contextmanager
def only_one(file: Path, what: str) -> Iterator[None]:
    """Hold a lock, or refuse at once because another process holds it.

    Parameters
    ----------
    file
        Lock file; made when missing, left behind afterwards.
    what
        What would be doubled, for the message ("node on data folder /srv/perfnode").

    Raises
    ------
    StartupError
        Another process holds the lock, or the file cannot be written.

    """
    with _opened(file) as descriptor:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.pread(descriptor, _PID_LENGTH, 0).decode("ascii", "replace") or "unknown"
            raise StartupError(
                f"another {what} is running (process {holder}): stop it first, "
                "or give this one a data folder of its own (node.data)"
            ) from error
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode("ascii"), 0)
        yield


@contextmanager
def one_at_a_time(file: Path) -> Iterator[None]:
    """Hold a lock, waiting for it as long as needed.

    Raises
    ------
    StartupError
        The lock file cannot be written.

    """
    with _opened(file) as descriptor:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield


@contextmanager
def _opened(file: Path) -> Iterator[int]:
    try:
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StartupError(
            f"cannot write {file} ({error.strerror}): make the folder writable"
        ) from error
    try:
        yield descriptor
    finally:
        os.close(descriptor)
