"""The whole node as an administrator starts it: `perfnode serve` on a configuration file."""

import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from node.configuration import save_settings
from node.scanner import send_files
from node.selftest.archive import wait_for_port
from node.settings import (
    AllowedPeer,
    CompleteSettings,
    Destination,
    NodeSettings,
    ReceiveSettings,
    SendSettings,
    Settings,
)
from storage.catalogue import Catalogue
from storage.database import open_database
from storage.outbox import Outbox
from storage.records import Delivery, Event, Study, StudyState

SCANNER = "VIRTUALSCANNER"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningNode:
    """A node, and what its tables say."""

    settings: Settings
    log: Path

    def send(self, files: Sequence[Path]) -> None:
        send_files(
            files,
            address="127.0.0.1",
            port=self.settings.receive.port,
            called_ae=self.settings.node.ae_title,
            calling_ae=SCANNER,
        )

    def wait_for(self, *states: StudyState, revision: int = 1, timeout_s: float = 240.0) -> Study:
        """Wait until the only study is in one of the states and nothing waits to be sent."""
        deadline = time.monotonic() + timeout_s
        database = open_database(self.settings.node.data)
        try:
            catalogue = Catalogue(database, datetime.now)
            outbox = Outbox(database, datetime.now)
            while time.monotonic() < deadline:
                for study in catalogue.studies(*StudyState):
                    is_there = study.state in states and study.revision == revision
                    if is_there and not outbox.pending(study.id):
                        return study
                time.sleep(0.1)
        finally:
            database.close()
        raise AssertionError(f"not reached: {states}\n{self.log.read_text(encoding='utf-8')}")

    def deliveries(self, study: Study) -> tuple[Delivery, ...]:
        database = open_database(self.settings.node.data)
        try:
            return Outbox(database, datetime.now).deliveries(study.id)
        finally:
            database.close()

    def events(self, study: Study) -> tuple[Event, ...]:
        database = open_database(self.settings.node.data)
        try:
            return Catalogue(database, datetime.now).events(study.id)
        finally:
            database.close()


def quick_settings(
    data: Path, port: int, destinations: Sequence[Destination] = (), *, quiet_s: float = 0.5
) -> Settings:
    """Return settings with short waits."""
    return Settings(
        node=NodeSettings(data=data),
        receive=ReceiveSettings(
            address="127.0.0.1",
            port=port,
            allow=(AllowedPeer(ae_title=SCANNER, address="127.0.0.1"),),
        ),
        complete=CompleteSettings(quiet_s=quiet_s, idle_s=30, check_every_s=0.2),
        destinations=tuple(destinations),
        send=SendSettings(timeout_s=20, retry_after_s=(0.5,)),
    )


@contextmanager
def running_node(folder: Path, settings: Settings) -> Iterator[RunningNode]:
    folder.mkdir(parents=True, exist_ok=True)
    config, log = folder / "config.yaml", folder / "node.log"
    save_settings(settings, config)
    with log.open("wb") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", "node.cli.main", "serve", "--config", str(config)],
            stdout=stream,
            stderr=stream,
        )
    try:
        wait_for_port(settings.receive.port, 60)
        yield RunningNode(settings=settings, log=log)
    finally:
        process.terminate()
        process.wait(timeout=60)
