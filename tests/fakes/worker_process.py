"""A worker process for kill tests: `python -m tests.fakes.worker_process DATA SLOT BEHAVIOUR`.

Every attempt appends a line to DATA/attempts; what happens then is the behaviour:
`finish` commits, `wait` commits when DATA/go exists, `raise` raises, `die` kills the process.
"""

import os
import signal
import sys
import threading
import time
from datetime import datetime
from functools import partial
from pathlib import Path

from node.settings import ComputeSettings
from node.work.child import run_child
from node.work.worker import Pace, run_worker
from storage.catalogue import Catalogue
from storage.database import open_database
from storage.records import Outgoing, Run

PACE = Pace(heartbeat_s=0.2, polling_s=0.05, retry_pause_s=0.01)
MAX_ATTEMPTS = 2


def main(data: str, slot: str, behaviour: str) -> int:
    folder = Path(data)
    catalogue = Catalogue(open_database(folder), datetime.now)
    compute = partial(_compute, folder, catalogue, behaviour)

    def work(stop: threading.Event) -> None:
        run_worker(
            slot=slot,
            data_folder=folder,
            settings=ComputeSettings(threads=1, max_attempts=MAX_ATTEMPTS),
            catalogue=catalogue,
            compute=compute,
            give_up=None,
            stop=stop,
            pace=PACE,
        )

    return run_child(work)


def _compute(folder: Path, catalogue: Catalogue, behaviour: str, run: Run) -> None:
    with (folder / "attempts").open("a") as attempts:
        attempts.write(f"{run.study_id} {run.revision} {run.attempt}\n")
    if behaviour == "raise":
        raise ValueError("PATIENT^NAME")
    if behaviour == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    while behaviour == "wait" and not (folder / "go").exists():
        time.sleep(0.02)
    catalogue.commit_results(run.study_id, run.revision, Outgoing())
    with (folder / "finished").open("a") as finished:
        finished.write(f"{run.study_id}\n")


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
