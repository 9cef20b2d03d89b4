"""A sender for kill tests: `python -m tests.fakes.sender_process DATA PORT`.

It dies where it hurts most: the archive has answered, the outbox does not know it yet.
"""

import os
import signal
import sys
import threading
from datetime import datetime
from pathlib import Path

from node.send.drain import drain
from node.settings import Destination, NodeSettings, SendSettings, Settings
from storage.catalogue import Catalogue
from storage.database import open_database
from storage.outbox import Outbox
from tests.fakes.archive import AE_TITLE


class DyingOutbox(Outbox):
    """Kills the process instead of recording that an object was sent."""

    def mark_sent(self, delivery_id: int, warning: str | None = None) -> None:  # noqa: ARG002 - dies first
        os.kill(os.getpid(), signal.SIGKILL)


def main(data: str, port: str) -> None:
    database = open_database(Path(data))
    destination = Destination(name="PACS", ae_title=AE_TITLE, address="127.0.0.1", port=int(port))
    drain(
        Settings(
            node=NodeSettings(data=Path(data)),
            destinations=(destination,),
            send=SendSettings(timeout_s=5),
        ),
        catalogue=Catalogue(database, datetime.now),
        outbox=DyingOutbox(database, datetime.now),
        clock=datetime.now,
        stop=threading.Event(),
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
