"""A receiver in this process, and one in a process of its own."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from node.receive.serve import Receiver
from node.settings import Settings
from storage.catalogue import Catalogue
from storage.database import Database, open_database
from storage.files import FileStore
from tests.fakes import store_user
from tests.fakes.receiver_process import loopback_settings
from tests.fakes.ticking_clock import TickingClock

ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def _no_open_sockets() -> Iterator[None]:
    yield
    store_user.close_all()


@dataclass(frozen=True)
class Room:
    """A receiver with the storage behind it."""

    data: Path
    port: int
    settings: Settings
    database: Database
    catalogue: Catalogue
    files: FileStore
    receiver: Receiver

    def with_files(self, files: FileStore) -> "Room":
        """Return the same room, not started, with other files."""
        return replace(self, files=files, receiver=Receiver(self.settings, self.catalogue, files))


@pytest.fixture
def make_room(tmp_path: Path, free_port: Callable[[], int]) -> Iterator[Callable[..., Room]]:
    """Return a function that builds a receiver, not started; keywords are receive settings."""
    rooms: list[Room] = []

    def make(*, port: int | None = None, **receive: object) -> Room:
        data, port = tmp_path / "data", port or free_port()
        settings = loopback_settings(data, port, **receive)
        database = open_database(data)
        catalogue = Catalogue(database, TickingClock(step_s=0.001))
        files = FileStore(data)
        receiver = Receiver(settings, catalogue, files)
        rooms.append(Room(data, port, settings, database, catalogue, files, receiver))
        return rooms[-1]

    yield make
    for room in rooms:
        room.receiver.stop()
        room.database.close()


@pytest.fixture
def room(make_room: Callable[..., Room]) -> Room:
    """Return a started receiver with default settings."""
    room = make_room()
    room.receiver.start()
    return room


@dataclass
class Process:
    """A receiver in its own process."""

    data: Path
    port: int
    timeout_s: float
    popen: "subprocess.Popen[str] | None" = None

    def start(self) -> None:
        arguments = [str(self.data), str(self.port), str(self.timeout_s)]
        with (self.data.parent / "log").open("a") as log:
            self.popen = subprocess.Popen(
                [sys.executable, "-m", "tests.fakes.receiver_process", *arguments],
                cwd=ROOT,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        assert self.popen.stdout is not None
        assert self.popen.stdout.readline() == "ready\n", self.log()

    def log(self) -> str:
        return (self.data.parent / "log").read_text()

    def kill(self) -> None:
        if self.popen is not None:
            self.popen.kill()
            self._wait()

    def stop(self) -> int:
        assert self.popen is not None
        self.popen.terminate()
        return self._wait()

    def _wait(self) -> int:
        assert self.popen is not None
        assert self.popen.stdout is not None
        code = self.popen.wait(60)
        self.popen.stdout.close()
        self.popen = None
        return code


@pytest.fixture
def process(tmp_path: Path, free_port: Callable[[], int]) -> Iterator[Process]:
    """Return a receiver process, not started; killed at the end whatever happens."""
    process = Process(tmp_path / "data", free_port(), timeout_s=2)
    yield process
    process.kill()
