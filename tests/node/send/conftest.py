"""A real database on real time, and settings that wait only moments."""

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest

from node.settings import Destination, NodeSettings, SendSettings, Settings
from storage.catalogue import Catalogue
from storage.database import Database, open_database
from storage.outbox import Outbox
from tests.fakes.archive import AE_TITLE


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = open_database(tmp_path)
    yield database
    database.close()


@pytest.fixture
def catalogue(database: Database) -> Catalogue:
    return Catalogue(database, datetime.now)


@pytest.fixture
def outbox(database: Database) -> Outbox:
    return Outbox(database, datetime.now)


@pytest.fixture
def port(free_port: Callable[[], int]) -> int:
    return free_port()


@pytest.fixture
def destination(port: int) -> Destination:
    return Destination(name="PACS", ae_title=AE_TITLE, address="127.0.0.1", port=port)


@pytest.fixture
def settings(tmp_path: Path, destination: Destination) -> Settings:
    return Settings(
        node=NodeSettings(data=tmp_path),
        destinations=(destination,),
        send=SendSettings(timeout_s=1, retry_after_s=(0.05, 0.1)),
    )
