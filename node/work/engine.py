"""Durable jobs on DBOS Transact: the only module that knows it.

Rules learnt by breaking it, each kept here:

- the application version is pinned: otherwise jobs of an older release are silently left behind;
- the executor id is the slot of the worker: otherwise two workers take each other's jobs;
- only `worker_concurrency` limits a queue: the global limit counts dead workers;
- a resumed job names its queue: otherwise it lands in one without limits;
- arguments are two integers in JSON: the default is pickle in a database;
- a published workflow is never edited: a changed one gets a new name, the old one stays.

The job itself counts its attempts in our tables, which survive the loss of this database.
"""

import sqlite3
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dbos import DBOS, DBOSClient, DBOSPortableJSONSerializer
from dbos._error import DBOSException  # not exported; the version is pinned
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.exc import SQLAlchemyError

from node.errors import TransientError
from node.work.locks import one_at_a_time
from node.work.port import Job

APPLICATION_VERSION = "engine-1"
_APPLICATION = "perfnode"
_WORKFLOW = "quantify_v1"
_QUEUE = "compute"
_BUSY_TIMEOUT_MS = 30_000
_LIVE = ["ENQUEUED", "PENDING", "DELAYED"]
_FINAL = ["SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"]

RunJob = Callable[[int, int], None]
"""Called with study id and revision; must return normally whatever happened."""


class EngineClient:
    """Submit, reconcile and reap from any process (`node.work.port.JobEngine`).

    Parameters
    ----------
    file
        Database of the engine; made when it is missing, at any time.

    Raises
    ------
    TransientError
        By every method, when the database cannot be read or written now.

    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._open()

    def submit(self, job: Job) -> None:
        """Queue a job; does nothing if it is already there."""
        with self._reachable():
            self._enqueue(job)

    def reconcile(self, wanted: Callable[[], Collection[Job]]) -> None:
        """Make the engine hold exactly the jobs that our tables want; see the port."""
        with self._reachable():
            ended = self._workflow_ids(_FINAL)
            jobs = wanted()
            if ended:
                self._client.delete_workflows(ended)
            known = set(self._workflow_ids(_LIVE))
            for job in jobs:
                if _workflow_id(job) not in known:
                    self._enqueue(job)

    def reap(self, living: Collection[str]) -> int:
        """Give the jobs of dead workers to living ones; see the port."""
        with self._reachable():
            running = self._client.list_workflows(
                status="PENDING", load_input=False, load_output=False
            )
            orphans = [item.workflow_id for item in running if item.executor_id not in living]
            if orphans:
                self._client.resume_workflows(orphans, queue_name=_QUEUE)
        return len(orphans)

    def close(self) -> None:
        """Close the connections."""
        self._client.destroy()
        self._connections.dispose()

    def _open(self) -> None:
        _prepare(self._file)
        self._identity = _identity(self._file)
        self._connections = _connect(self._file)
        self._client = DBOSClient(
            system_database_engine=self._connections,
            serializer=DBOSPortableJSONSerializer(),
            application_name=_APPLICATION,
            retry_connection_errors=False,
        )

    @contextmanager
    def _reachable(self) -> Iterator[None]:
        """Follow the file if it was replaced, and turn foreign errors into ours."""
        try:
            self._reopen_if_replaced()
            yield
        except (SQLAlchemyError, DBOSException, sqlite3.Error, OSError) as error:
            raise TransientError(f"the job engine is not available: {type(error).__name__}") from (
                error
            )

    def _enqueue(self, job: Job) -> None:
        self._client.enqueue(
            {
                "workflow_name": _WORKFLOW,
                "queue_name": _QUEUE,
                "workflow_id": _workflow_id(job),
                "app_version": APPLICATION_VERSION,
            },
            job.study_id,
            job.revision,
        )

    def _reopen_if_replaced(self) -> None:
        """Follow the file: SQLite would go on writing into a deleted one without an error."""
        if _identity(self._file) != self._identity:
            self.close()
            self._open()

    def _workflow_ids(self, statuses: list[str]) -> list[str]:
        workflows = self._client.list_workflows(
            status=statuses, load_input=False, load_output=False
        )
        return [workflow.workflow_id for workflow in workflows]


class EngineWorker:
    """Run jobs in this process, one at a time. One instance per process.

    Parameters
    ----------
    file
        Database of the engine; made when it is missing.
    slot
        Name of this worker, the same after every restart and used by no other.
    run
        Called for every job, possibly again after a kill.
    max_recoveries
        Restarts after which the engine gives a job up. It is only a second net: `run` counts
        its attempts itself and ends the study before.
    polling_s
        How often the queue is looked at.

    """

    def __init__(
        self,
        file: Path,
        *,
        slot: str,
        run: RunJob,
        max_recoveries: int = 50,
        polling_s: float = 0.5,
    ) -> None:
        _prepare(file)
        self._file = file
        self._identity = _identity(file)
        self._polling_s = polling_s
        DBOS(
            config={
                "name": _APPLICATION,
                "system_database_engine": _connect(file),
                "executor_id": slot,
                "application_version": APPLICATION_VERSION,
                "serializer": DBOSPortableJSONSerializer(),
                "log_level": "WARNING",
            }
        )

        @DBOS.workflow(name=_WORKFLOW, max_recovery_attempts=max_recoveries)
        def quantify_v1(study_id: int, revision: int) -> None:
            run(study_id, revision)

    def launch(self) -> None:
        """Take up the jobs that this slot left behind, then new ones, in the background."""
        DBOS.listen_queues([_QUEUE])
        DBOS.launch()
        DBOS.register_queue(_QUEUE, worker_concurrency=1, polling_interval_sec=self._polling_s)

    def is_intact(self) -> bool:
        """Whether the database is still the one that this worker opened."""
        return _identity(self._file) == self._identity

    def stop(self) -> None:
        """Take no new jobs. A running one is not waited for."""
        DBOS.destroy()


def _workflow_id(job: Job) -> str:
    return f"q:{job.study_id}:{job.revision}"


def _identity(file: Path) -> tuple[int, int] | None:
    try:
        status = file.stat()
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino


def _prepare(file: Path) -> None:
    """Create the database, alone: two first switches to write-ahead logging collide."""
    with one_at_a_time(file.with_name(file.name + ".lock")):
        if not file.exists():
            # A log without its database would be replayed into the new one.
            for suffix in ("-wal", "-shm"):
                file.with_name(file.name + suffix).unlink(missing_ok=True)
        connection = sqlite3.connect(file, timeout=_BUSY_TIMEOUT_MS / 1000)
        try:
            connection.execute("PRAGMA journal_mode=wal")
        finally:
            connection.close()
        DBOS.migrate(f"sqlite:///{file}")


def _connect(file: Path) -> Engine:
    engine = create_engine(f"sqlite:///{file}", pool_size=8, max_overflow=8)
    event.listen(engine, "connect", _configure)
    return engine


def _configure(connection: Any, _record: Any) -> None:
    """Wait for locks instead of failing, and take the write lock when a transaction begins."""
    connection.isolation_level = "IMMEDIATE"
    connection.execute(f"PRAGMA busy_timeout={_BUSY_TIMEOUT_MS}")
    connection.execute("PRAGMA foreign_keys=ON")
    connection.execute("PRAGMA synchronous=FULL")
