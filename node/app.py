"""Composition root: the one place where concrete classes are wired together."""

import gc
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from node.errors import StartupError
from node.receive.serve import Receiver
from node.send.drain import drain
from node.settings import Settings
from node.work.engine import EngineClient
from node.work.janitor import Janitor
from node.work.supervise import ChildProcess, Supervisor
from node.work.worker import ENGINE_FILE, run_worker
from storage.catalogue import Catalogue
from storage.database import Database, open_database
from storage.files import FileStore
from storage.outbox import Outbox

RECEIVER, JANITOR, SENDER, WORKER = "receiver", "janitor", "sender", "worker-"


def supervise(settings: Settings, config: Path) -> Supervisor:
    """Return the supervisor of all processes of a node.

    The database is made here, before any child opens it: two first openings would collide.

    Raises
    ------
    StartupError
        The data folder cannot be made.
    StorageError
        The database cannot be opened.

    """
    data = settings.node.data
    try:
        data.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StartupError(
            f"cannot make the data folder {data} ({error.strerror}): check node.data"
        ) from error
    open_database(data).close()
    command = (sys.executable, "-m", "node.cli.main", "child")
    children = [
        ChildProcess(name=name, command=(*command, name, "--config", str(config)))
        for name in process_names(settings)
    ]
    return Supervisor(children, data_folder=data)


def process_names(settings: Settings) -> tuple[str, ...]:
    """Return the processes of a node, the receiver last: it listens when all else runs."""
    workers = tuple(f"{WORKER}{number}" for number in range(1, settings.compute.workers + 1))
    return (JANITOR, *workers, SENDER, RECEIVER)


def run_process(name: str, settings: Settings, stop: threading.Event) -> None:
    """Run one process of the node until told to stop.

    Raises
    ------
    StartupError
        There is no such process, or it cannot start.

    """
    with _database(settings) as database:
        if name.startswith(WORKER):
            _run_worker(name, settings, database, stop)
            return
        parts: dict[str, Callable[[Settings, Database, threading.Event], None]] = {
            RECEIVER: _run_receiver,
            JANITOR: _run_janitor,
            SENDER: _run_sender,
        }
        if name not in parts:
            raise StartupError(f"there is no process {name!r}")
        parts[name](settings, database, stop)


@contextmanager
def _database(settings: Settings) -> Iterator[Database]:
    database = open_database(settings.node.data)
    try:
        yield database
    finally:
        database.close()


def _run_receiver(settings: Settings, database: Database, stop: threading.Event) -> None:
    receiver = Receiver(settings, Catalogue(database, datetime.now), FileStore(settings.node.data))
    receiver.start()
    try:
        stop.wait()
    finally:
        receiver.stop()


def _run_janitor(settings: Settings, database: Database, stop: threading.Event) -> None:
    engine = EngineClient(settings.node.data / ENGINE_FILE)
    try:
        Janitor(
            catalogue=Catalogue(database, datetime.now),
            engine=engine,
            settings=settings.complete,
            data_folder=settings.node.data,
            clock=datetime.now,
        ).run(stop)
    finally:
        engine.close()


def _run_sender(settings: Settings, database: Database, stop: threading.Event) -> None:
    drain(
        settings,
        catalogue=Catalogue(database, datetime.now),
        outbox=Outbox(database, datetime.now),
        clock=datetime.now,
        stop=stop,
    )


def _run_worker(slot: str, settings: Settings, database: Database, stop: threading.Event) -> None:
    # Only this process needs the numerical libraries; they take a second to load.
    import torch

    from node.translate.map_stack import load_highdicom
    from node.work.networks import load_trained
    from node.work.parameters import choose_device
    from node.work.study_job import StudyJob

    torch.set_num_threads(1)  # series run side by side instead, see node.work.threads
    catalogue = Catalogue(database, datetime.now)
    trained = load_trained(settings, choose_device(settings.compute.device))
    if {"parametric", "segmentation"} & set(settings.results.objects):
        load_highdicom()
    # What is loaded stays; to look through all of it for garbage takes a fifth of a second, and
    # drawing one page makes enough garbage for that.
    gc.collect()
    gc.freeze()
    job = StudyJob(settings, catalogue, FileStore(settings.node.data), trained)
    run_worker(
        slot=slot,
        data_folder=settings.node.data,
        settings=settings.compute,
        catalogue=catalogue,
        compute=job.compute,
        give_up=job.give_up,
        stop=stop,
    )
