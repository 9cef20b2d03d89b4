"""The process that computes: one job at a time, every attempt counted before it begins.

An attempt is counted in our tables by `Catalogue.start` before the computation is entered, so
that a study whose data kill the process (segmentation fault, out of memory) ends FAILED after
`compute.max_attempts` like one whose computation raises. A stop in good order gives it back.
"""

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from node.errors import NodeError, UnusableStudyError
from node.log import event
from node.settings import ComputeSettings
from node.work.child import describe
from node.work.engine import EngineWorker
from node.work.locks import only_one
from pipeline.errors import CannotQuantifyError
from pipeline.findings import Code
from storage.catalogue import Catalogue
from storage.errors import StorageError
from storage.records import Failure, Outgoing, Run, StudyState

ENGINE_FILE = "engine.sqlite"

Compute = Callable[[Run], None]
"""Computes one study and ends with `Catalogue.commit_results`; may be called again for a run."""
GiveUp = Callable[[Run, Failure], None]
"""Makes the failure page of a study and ends with `Catalogue.commit_results` and the failure."""

_log = logging.getLogger("perfnode.work")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How often a worker does what."""

    heartbeat_s: float = 5.0
    polling_s: float = 0.5
    """How often the queue is looked at."""
    retry_pause_s: float = 2.0
    """Pause between two attempts in the same process."""


class JobRunner:
    """Run one job to its end: computed, failed for a stated reason, or superseded.

    Parameters
    ----------
    catalogue
        The tables.
    compute
        The computation.
    give_up
        Called when there will be no result; None commits the failure without a page.
    max_attempts
        Attempts before a study fails with P14.
    pace
        Waiting times.

    """

    def __init__(
        self,
        *,
        catalogue: Catalogue,
        compute: Compute,
        give_up: GiveUp | None,
        max_attempts: int,
        pace: Pace,
    ) -> None:
        self._catalogue = catalogue
        self._compute = compute
        self._give_up = give_up
        self._max_attempts = max_attempts
        self._retry_pause_s = pace.retry_pause_s
        self._running: Run | None = None

    def __call__(self, study_id: int, revision: int) -> None:
        """Run a job; never raises, the tables say what became of it.

        When the tables themselves fail, the study stays queued or running there, and the
        janitor submits it again.
        """
        try:
            while (run := self._catalogue.start(study_id, revision)) is not None:
                self._running = run
                if self._is_over(run):
                    return
                time.sleep(self._retry_pause_s)
        except (StorageError, NodeError) as error:
            event(_log, logging.ERROR, "job left", study_id=study_id, **describe(error))
        finally:
            self._running = None

    def interrupt(self) -> None:
        """Give the attempt of the running job back: the node stops, the job is not at fault."""
        run = self._running
        if run is not None:
            self._catalogue.interrupt(run.study_id, run.revision)

    @property
    def is_busy(self) -> bool:
        """Whether a job is running."""
        return self._running is not None

    def _is_over(self, run: Run) -> bool:
        """Make one attempt; False if another one may help."""
        reference = self._catalogue.study(run.study_id).reference
        if run.attempt > self._max_attempts:
            self._fail(run, _technical_failure(reference, self._max_attempts))
            return True
        event(_log, logging.INFO, "study running", study=reference, attempt=run.attempt)
        failure = self._attempt(run, reference)
        if failure is not None:
            self._fail(run, failure)
        return self._has_left_running(run)

    def _attempt(self, run: Run, reference: str) -> Failure | None:
        """Return why there can be no result; None when computed, or when to try again."""
        try:
            self._compute(run)
        except (UnusableStudyError, CannotQuantifyError) as error:
            return Failure(code=error.code, text=error.text)
        # The worker boundary: whatever a computation raises must not take the process down,
        # and must not loop for ever.
        except Exception as error:  # noqa: BLE001 - the worker boundary
            event(
                _log,
                logging.ERROR,
                "computation failed",
                study=reference,
                attempt=run.attempt,
                **describe(error),
            )
        return None

    def _fail(self, run: Run, failure: Failure) -> None:
        """End a study FAILED, with a page in PACS if that can be made."""
        is_page_safe = run.attempt <= self._max_attempts + 1
        if self._give_up is not None and is_page_safe:
            try:
                self._give_up(run, failure)
            except Exception as error:  # noqa: BLE001 - without its page rather than not at all
                event(_log, logging.ERROR, "failure page failed", **describe(error))
        if self._catalogue.commit_results(run.study_id, run.revision, Outgoing(), failure):
            reference = self._catalogue.study(run.study_id).reference
            event(_log, logging.WARNING, "study failed", study=reference, code=str(failure.code))

    def _has_left_running(self, run: Run) -> bool:
        study = self._catalogue.study(run.study_id)
        return study.state is not StudyState.RUNNING or study.revision != run.revision


def run_worker(
    *,
    slot: str,
    data_folder: Path,
    settings: ComputeSettings,
    catalogue: Catalogue,
    compute: Compute,
    give_up: GiveUp | None,
    stop: threading.Event,
    pace: Pace | None = None,
) -> None:
    """Compute studies until told to stop.

    Parameters
    ----------
    slot
        Name of this worker (`worker-1`), the same after every restart.
    data_folder
        Folder of the engine's database.
    settings
        Section `compute` of the configuration.
    catalogue
        The tables.
    compute, give_up
        See `JobRunner`.
    stop
        Set to end.
    pace
        Waiting times; None for the usual ones.

    Raises
    ------
    StartupError
        Another worker runs in this slot.
    NodeError
        The engine's database was replaced: the process has to start again.

    """
    pace = pace or Pace()
    runner = JobRunner(
        catalogue=catalogue,
        compute=compute,
        give_up=give_up,
        max_attempts=settings.max_attempts,
        pace=pace,
    )
    with only_one(data_folder / f"{slot}.lock", slot), _heartbeat(catalogue, slot, pace):
        engine = EngineWorker(
            data_folder / ENGINE_FILE, slot=slot, run=runner, polling_s=pace.polling_s
        )
        engine.launch()
        try:
            _wait(engine, stop)
        finally:
            _leave(engine, runner)


def _wait(engine: EngineWorker, stop: threading.Event) -> None:
    while not stop.wait(0.2):
        if not engine.is_intact():
            raise NodeError("the engine's database was replaced")


def _leave(engine: EngineWorker, runner: JobRunner) -> None:
    """Stop at once: a running job is begun again after the restart, without losing an attempt."""
    if not runner.is_busy:
        engine.stop()
    if not runner.is_busy:
        return
    try:
        runner.interrupt()
    finally:
        # The thread of the job cannot be stopped, and Python would wait for it.
        logging.shutdown()
        os._exit(0)


@contextmanager
def _heartbeat(catalogue: Catalogue, slot: str, pace: Pace) -> Iterator[None]:
    """Show life from a thread of its own while a job computes."""
    over = threading.Event()
    catalogue.touch_heartbeat(slot, os.getpid())

    def beat() -> None:
        while not over.wait(pace.heartbeat_s):
            try:
                catalogue.touch_heartbeat(slot, os.getpid())
            except StorageError as error:
                event(_log, logging.WARNING, "heartbeat missed", **describe(error))

    thread = threading.Thread(target=beat, name="heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _technical_failure(reference: str, n_attempts: int) -> Failure:
    return Failure(
        code=Code.TECHNICAL_ERROR,
        text=f"The computation stopped {n_attempts} times. Reference {reference}.",
    )
