"""The three calls that the node needs from a durable job engine."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Job:
    """The computation of one revision of one study; plain numbers, nothing personal."""

    study_id: int
    revision: int


class JobEngine(Protocol):
    """Runs every job at least once, whatever is killed meanwhile."""

    def submit(self, job: Job) -> None:
        """Queue a job; does nothing if it is already there."""
        ...

    def reconcile(self, wanted: Callable[[], Collection[Job]]) -> None:
        """Make the engine hold exactly the jobs that our tables want.

        Missing jobs are submitted, jobs that ended for the engine but not for us run again, and
        what is over for both is forgotten.

        Parameters
        ----------
        wanted
            Returns the jobs that are queued or running according to our tables. It is asked
            after the engine was read, so that a job that ends in between is not run again.

        """
        ...

    def reap(self, living: Collection[str]) -> int:
        """Give the jobs of dead workers to living ones.

        Parameters
        ----------
        living
            Slots whose heartbeat is recent.

        Returns
        -------
        Number of jobs put back into the queue.

        """
        ...
