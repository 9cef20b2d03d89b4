"""What every process of the node does around its own work: start, stop, die with its supervisor.

A child is told three things by its supervisor: SIGTERM means "stop in good order", the end of its
standard input means "the supervisor is dead, die at once", and the file descriptor named in the
environment takes the reason why it cannot start. Dying at once is safe everywhere in the node.
"""

import contextlib
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator

from node.errors import ConfigurationError, StartupError
from node.log import event
from storage.errors import DatabaseTooNewError, DataFolderError

STARTUP_FAILED = 3
"""Exit code of a child that cannot start, whatever is tried again."""
CRASHED = 1
REASON_DESCRIPTOR = "PERFNODE_REASON_DESCRIPTOR"
"""Environment variable with the number of the descriptor for the reason; set by the supervisor."""
REASON_LENGTH = 4000

_REFUSALS = (StartupError, ConfigurationError, DatabaseTooNewError, DataFolderError)
_log = logging.getLogger("perfnode.process")


def run_child(work: Callable[[threading.Event], None]) -> int:
    """Run the work of one process until it ends or is told to stop.

    Parameters
    ----------
    work
        Called with an event that is set when the process shall stop.

    Returns
    -------
    Exit code: 0, `STARTUP_FAILED` or `CRASHED`.

    """
    _die_with_supervisor()
    with stop_on_signals() as stop:
        try:
            work(stop)
        except _REFUSALS as error:
            _report(str(error))
            return STARTUP_FAILED
        except Exception as error:  # noqa: BLE001 - the outermost frame; the supervisor restarts
            event(_log, logging.ERROR, "process failed", **describe(error))
            return CRASHED
    return 0


@contextlib.contextmanager
def stop_on_signals() -> Iterator[threading.Event]:
    """Give an event that SIGTERM and SIGINT set; only in the main thread."""
    stop = threading.Event()
    before = {
        number: signal.signal(number, lambda *_: stop.set())
        for number in (signal.SIGTERM, signal.SIGINT)
    }
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def describe(error: BaseException) -> dict[str, str]:
    """Return log fields of an unexpected error: its type and place.

    Its text is left out: libraries quote header values, and with them patients, in their messages.
    """
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = "unknown" if trace is None else f"{trace.tb_frame.f_code.co_name}:{trace.tb_lineno}"
    return {"error": type(error).__name__, "at": place}


def _report(reason: str) -> None:
    """Tell the supervisor, or whoever started this process by hand, why it cannot start."""
    descriptor = os.environ.get(REASON_DESCRIPTOR)
    if descriptor is None:
        sys.stderr.write(reason + "\n")
        return
    with contextlib.suppress(OSError):
        os.write(int(descriptor), reason.encode()[:REASON_LENGTH])


def _die_with_supervisor() -> None:
    if REASON_DESCRIPTOR in os.environ:
        threading.Thread(target=_wait_for_supervisor, name="lifeline", daemon=True).start()


def _wait_for_supervisor() -> None:
    """Block until standard input ends, which is when the supervisor is dead."""
    with contextlib.suppress(OSError):
        while os.read(sys.stdin.fileno(), 1):
            pass
    os._exit(CRASHED)
