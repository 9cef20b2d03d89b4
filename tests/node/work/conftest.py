"""A real database in a temporary folder and a clock that the test sets."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.catalogue import Catalogue
from storage.database import Database, open_database
from storage.outbox import Outbox
from tests.fakes.ticking_clock import TickingClock


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
