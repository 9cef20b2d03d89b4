"""Slices that share one time per beat, set apart by how long after the R wave they were taken.

Some scanners stamp a dynamic, not an image: all slices of a beat, and the arterial input, have the
time at which the beat began (dcm2niix, issue 911). One after the other is how they were taken, and
trigger time, milliseconds after the R wave (C.7.6.18.1), says when.
"""

import statistics
from collections.abc import Sequence

from node.translate.headers import FrameHeader
from node.translate.values import number_of

_MAX_SPREAD_MS = 20.0
"""A delay that is planned is the same in every beat; one that varies counts something else."""
_MIN_SHARED = 0.5
"""Missing beats leave more than this part of the times in common."""


def set_apart(
    groups: Sequence[Sequence[FrameHeader]], times_us: Sequence[Sequence[int]]
) -> list[list[int]]:
    """Add the trigger delay of each slice where slices share their times.

    Parameters
    ----------
    groups
        The frames of each slice and of the arterial input.
    times_us
        What one field says of them, microseconds, in the same order.

    Returns
    -------
    list[list[int]]
        Unchanged where times differ already, or trigger times do not tell.

    """
    delays = [_delay_us(group) for group in groups]
    known = [delay for delay in delays if delay is not None]
    if len(known) < len(delays) or not _are_shared(times_us):
        return [list(times) for times in times_us]
    return [[time + delay for time in times] for times, delay in zip(times_us, known, strict=True)]


def _delay_us(group: Sequence[FrameHeader]) -> int | None:
    """Return the trigger delay of a slice; None where it is missing or not the same every beat."""
    values = [number_of(frame.dataset, "TriggerTime") for frame in group]
    delays = [value for value in values if value is not None]
    if len(delays) < len(values) or max(delays) - min(delays) > _MAX_SPREAD_MS:
        return None
    return round(statistics.median(delays) * 1e3)


def _are_shared(times_us: Sequence[Sequence[int]]) -> bool:
    first = set(times_us[0])
    return len(times_us) > 1 and all(
        len(first.intersection(times)) > _MIN_SHARED * min(len(first), len(times))
        for times in times_us[1:]
    )
