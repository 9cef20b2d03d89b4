"""How many CPU threads one computation may use."""

import os

from node.settings import ComputeSettings


def threads_per_worker(settings: ComputeSettings) -> int:
    """Return how many series one worker registers side by side: its share of the cores.

    The numerical library itself gets one thread: its own threads wait for each other after every
    small operation, which is many times slower as soon as another process wants a core.
    """
    n_cores = len(os.sched_getaffinity(0))
    return settings.threads or max(n_cores // settings.workers, 1)
