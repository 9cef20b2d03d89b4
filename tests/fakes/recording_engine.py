"""A job engine that only remembers what it was asked."""

from collections.abc import Callable, Collection

from node.errors import TransientError
from node.work.port import Job


class RecordingEngine:
    """Fulfils `node.work.port.JobEngine` in memory."""

    def __init__(self) -> None:
        self.submitted: list[Job] = []
        self.wanted: list[Job] = []
        self.living: set[str] = set()
        self.is_down = False

    def submit(self, job: Job) -> None:
        if self.is_down:
            raise TransientError("down")
        self.submitted.append(job)

    def reconcile(self, wanted: Callable[[], Collection[Job]]) -> None:
        if self.is_down:
            raise TransientError("down")
        self.wanted = list(wanted())

    def reap(self, living: Collection[str]) -> int:
        self.living = set(living)
        return 0
