"""The process tree: start the children, restart what dies, stop all in good order.

Every child is a fresh interpreter of its own (no fork of a threaded process, no inherited locks
or sockets) in its own session, so that Ctrl-C reaches the supervisor alone, which then stops the
children one way.
"""

import logging
import os
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from node.errors import StartupError
from node.log import event
from node.work.child import REASON_DESCRIPTOR, REASON_LENGTH, STARTUP_FAILED
from node.work.locks import only_one

_log = logging.getLogger("perfnode.supervisor")


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildProcess:
    """A process to keep alive."""

    name: str
    command: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long the supervisor waits for what."""

    restart_after_s: tuple[float, ...] = (0.5, 1, 2, 5, 10, 30)
    """Pauses before the first, second, ... restart in a row; the last one repeats."""
    stable_after_s: float = 60
    """A child that lived so long starts again at the first pause."""
    stop_within_s: float = 20
    """Children that did not stop by then are killed."""
    look_every_s: float = 0.1


class Supervisor:
    """Keep the processes of one node alive.

    Parameters
    ----------
    children
        What to run.
    data_folder
        Locked while running: a second node on it refuses to start.
    patience
        Waiting times.
    clock
        Monotonic seconds.

    """

    def __init__(
        self,
        children: Sequence[ChildProcess],
        *,
        data_folder: Path,
        patience: Patience | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._data_folder = data_folder
        self._patience = patience or Patience()
        self._clock = clock
        self._kept = [_Kept(child, self._patience, clock) for child in children]

    def run(self, stop: threading.Event) -> None:
        """Start all children, keep them alive until `stop` is set, then stop them.

        Raises
        ------
        StartupError
            The data folder is in use, or a child cannot start; carries the child's reason.

        """
        with only_one(self._data_folder / "node.lock", f"node on {self._data_folder}"):
            try:
                for kept in self._kept:
                    kept.start()
                while not stop.wait(self._patience.look_every_s):
                    for kept in self._kept:
                        kept.look_after()
            finally:
                self._stop_all()

    def pids(self) -> dict[str, int]:
        """Return the process id of every child that is alive."""
        return {kept.name: pid for kept in self._kept if (pid := kept.pid) is not None}

    def _stop_all(self) -> None:
        for kept in self._kept:
            kept.ask_to_stop()
        deadline_s = self._clock() + self._patience.stop_within_s
        for kept in self._kept:
            kept.end_by(deadline_s)


class _Kept:
    """One child and its history."""

    def __init__(self, child: ChildProcess, patience: Patience, clock: Callable[[], float]) -> None:
        self._child = child
        self._patience = patience
        self._clock = clock
        self._process: subprocess.Popen[bytes] | None = None
        self._reason: int | None = None
        self._started_s = 0.0
        self._restart_at_s = 0.0
        self._n_deaths = 0
        self._n_starts = 0

    @property
    def name(self) -> str:
        return self._child.name

    @property
    def pid(self) -> int | None:
        alive = self._process is not None and self._process.poll() is None
        return self._process.pid if alive and self._process else None

    def start(self) -> None:
        reading, writing = os.pipe()
        try:
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and arguments
                self._child.command,
                stdin=subprocess.PIPE,
                env={**os.environ, REASON_DESCRIPTOR: str(writing)},
                pass_fds=(writing,),
                start_new_session=True,
            )
        except OSError as error:
            os.close(reading)
            raise StartupError(f"cannot start {self.name}: {error.strerror}") from error
        finally:
            os.close(writing)
        self._reason = reading
        self._started_s = self._clock()
        self._n_starts += 1
        event(_log, logging.INFO, "process started", process=self.name, pid=self._process.pid)

    def look_after(self) -> None:
        """Notice a death, and restart when the pause is over."""
        if self._process is not None and self._process.poll() is not None:
            self._bury(self._process.returncode)
        if self._process is None and self._clock() >= self._restart_at_s:
            self.start()

    def ask_to_stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()

    def end_by(self, deadline_s: float) -> None:
        """Wait until the deadline, then kill."""
        if self._process is None:
            return
        try:
            self._process.wait(max(deadline_s - self._clock(), 0))
        except subprocess.TimeoutExpired:
            event(_log, logging.WARNING, "process killed, it did not stop", process=self.name)
            self._process.kill()
            self._process.wait()
        self._close()

    def _bury(self, exit_code: int) -> None:
        reason = self._close()
        if exit_code == STARTUP_FAILED and self._n_starts == 1:
            raise StartupError(reason or f"{self.name} cannot start; its messages are above")
        # A node that once ran is not brought down by a restart that fails: the cause (a port
        # still held, a full disk) may pass while the other processes go on working.
        if self._clock() - self._started_s >= self._patience.stable_after_s:
            self._n_deaths = 0
        pauses_s = self._patience.restart_after_s
        pause_s = pauses_s[min(self._n_deaths, len(pauses_s) - 1)]
        self._n_deaths += 1
        self._restart_at_s = self._clock() + pause_s
        event(
            _log,
            logging.ERROR,
            "process died, restarting",
            process=self.name,
            exit_code=exit_code,
            pause_s=pause_s,
            reason=reason or "none given",
        )

    def _close(self) -> str:
        """Let go of a dead process; return the reason it left."""
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
        self._process = None
        if self._reason is None:
            return ""
        os.set_blocking(self._reason, False)
        try:
            reason = os.read(self._reason, REASON_LENGTH).decode("utf-8", "replace")
        except BlockingIOError:
            reason = ""
        finally:
            os.close(self._reason)
            self._reason = None
        return reason
