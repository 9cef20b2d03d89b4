"""A receiver alone in its process, to be killed: `python -m tests.fakes.receiver_process`.

Arguments: data folder, port, time-out in seconds. Says `ready` when it listens; ends on SIGTERM.
"""

import signal
import sys
import threading
from datetime import datetime
from pathlib import Path

from node.log import set_up_logging
from node.receive.serve import Receiver
from node.settings import AllowedPeer, NodeSettings, ReceiveSettings, Settings
from storage.catalogue import Catalogue
from storage.database import open_database
from storage.files import FileStore


def loopback_settings(data: Path, port: int, **receive: object) -> Settings:
    """Return settings for a receiver on loopback that anyone there may send to."""
    peers = ("SCANNER", "ECHOSCU", "STORESCU")
    allow = tuple(AllowedPeer(ae_title=title, address="127.0.0.0/8") for title in peers)
    values = {"address": "127.0.0.1", "port": port, "allow": allow, "timeout_s": 10} | receive
    return Settings(node=NodeSettings(data=data), receive=ReceiveSettings.model_validate(values))


def main() -> None:
    data, port, timeout_s = Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    set_up_logging("info", "receive")
    database = open_database(data)
    catalogue = Catalogue(database, datetime.now)
    settings = loopback_settings(data, port, timeout_s=timeout_s)
    receiver = Receiver(settings, catalogue, FileStore(data))
    receiver.start()
    stopping = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    while not stopping.wait(0.1):
        pass
    receiver.stop()
    database.close()


if __name__ == "__main__":
    main()
