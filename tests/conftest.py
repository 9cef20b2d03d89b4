"""Fixtures that every room shares: one thread per process, free ports, programs, a database."""

import os
import shutil
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from hypothesis import settings

from storage.catalogue import Catalogue
from storage.database import Database, open_database
from storage.outbox import Outbox
from tests.fakes.ticking_clock import TickingClock

torch.set_num_threads(1)
# No deadline: shared machines stall. Forty examples find what a hundred find, in half the time.
# The gate draws the same examples every time; `--hypothesis-profile=search` looks for new ones.
settings.register_profile("search", deadline=None, max_examples=200)
settings.register_profile("perfnode", deadline=None, max_examples=40, derandomize=True)
settings.load_profile("perfnode")
ROOT = Path(__file__).parents[1]


@pytest.fixture
def free_port() -> Callable[[], int]:
    """Return a function that names a loopback port nobody listens on."""

    def _find() -> int:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            return int(probe.getsockname()[1])

    return _find


@pytest.fixture
def program() -> Callable[[str], str]:
    """Return a function that finds an installed program, or fails and names its package."""
    packages = {"Orthanc": "orthanc", "dciodvfy": "dicom3tools", "dcentvfy": "dicom3tools"}

    def _find(name: str) -> str:
        path = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/bin")
        if path is None:
            package = packages.get(name, "dcmtk")
            pytest.fail(f"{name} is not installed; run: apt-get install {package}")
        return path

    return _find


@pytest.fixture
def reference_data() -> Path:
    """Return the folder of third-party numbers, or skip where it is absent."""
    default = ROOT.parent / "shared" / "reference_data"
    folder = Path(os.environ.get("PERFNODE_REFERENCE_DATA", default))
    if not folder.is_dir():
        pytest.skip(f"third-party reference data not found at {folder}")
    return folder


@pytest.fixture
def clock() -> TickingClock:
    return TickingClock()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = open_database(tmp_path)
    yield database
    database.close()


@pytest.fixture
def catalogue(database: Database, clock: TickingClock) -> Catalogue:
    return Catalogue(database, clock)


@pytest.fixture
def outbox(database: Database, clock: TickingClock) -> Outbox:
    return Outbox(database, clock)
