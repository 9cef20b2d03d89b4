"""Every field that may count the beats of a slice, and what it shows: for people who judge it."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from node.translate.clock import counts_beats, time_us
from node.translate.headers import FrameHeader
from node.translate.time_sources import TimeSource


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockEvidence:
    """One header field, looked at in one slice."""

    source: TimeSource
    n_images: int
    n_values: int
    """Images that have the field."""
    n_distinct: int
    step_s: float | None
    """Median step from image to image; None where there are no two values."""
    counts_beats: bool


def look_at_clocks(frames: Sequence[FrameHeader]) -> tuple[ClockEvidence, ...]:
    """Return what every time field shows in the images of one slice; never a moment."""
    return tuple(_evidence(source, frames) for source in TimeSource)


def _evidence(source: TimeSource, frames: Sequence[FrameHeader]) -> ClockEvidence:
    times = sorted(time for frame in frames if (time := time_us(frame, source)) is not None)
    steps = [after - before for before, after in pairwise(times)]
    return ClockEvidence(
        source=source,
        n_images=len(frames),
        n_values=len(times),
        n_distinct=len(set(times)),
        step_s=statistics.median(steps) * 1e-6 if steps else None,
        counts_beats=len(times) == len(frames) and counts_beats(times),
    )
