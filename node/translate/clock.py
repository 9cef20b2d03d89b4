"""The time axis of an exam, chosen by evidence: the header field that counts beats.

Vendors put the time of a beat into different fields, and put other things into the same fields.
A field is believed only if, within every slice, all its values are there, are distinct and step
by a plausible interval between beats. All series of an exam are read from the same field, so they
share one clock. A nominal interval is never used to invent times.
"""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from node.translate.headers import FrameHeader
from node.translate.time_sources import DAY_US, SOURCES, TimeSource, moment_us
from node.translate.within_beat import set_apart

MIN_STEP_US = 250_000
MAX_STEP_US = 6_000_000
_MIN_FRAMES = 3
_SECOND_US = 1_000_000

Times = list[list[int]]
"""Microseconds, per group of frames."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """Times of the frames of an exam, microseconds after its first frame."""

    source: TimeSource
    microseconds: tuple[tuple[int, ...], ...]
    """One tuple per group of frames, in the order of that group."""
    is_coarse: bool
    """Whether all times are whole seconds: then each is wrong by up to half a second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rival:
    """Another field that counts beats, and counts them differently."""

    source: TimeSource
    error_us: int
    """How far the two are apart within one slice."""


def read_clock(groups: Sequence[Sequence[FrameHeader]]) -> Clock | None:
    """Return the common clock of several slices, or None when no field is one.

    A field in whole seconds is believed only after all finer ones, and the time of image creation
    only after those: reconstruction lags behind.

    Parameters
    ----------
    groups
        The frames of each slice and of the arterial input, in any order.

    """
    coarse: Clock | None = None
    for source in SOURCES:
        if source is TimeSource.CONTENT_TIME and coarse is not None:
            return coarse
        clock = _clock_of(groups, source)
        if clock is not None and not clock.is_coarse:
            return clock
        coarse = coarse or clock
    return coarse


def find_rival(groups: Sequence[Sequence[FrameHeader]], clock: Clock) -> Rival | None:
    """Return the field that contradicts a clock most, or None.

    Fields of one exam may start at different moments, so the two are compared slice by slice.
    They contradict each other when they part by more than half a beat.

    Parameters
    ----------
    groups
        What the clock was read from.
    clock
        The clock that is believed.

    """
    rivals = []
    for source in SOURCES:
        if source in {clock.source, TimeSource.CONTENT_TIME}:
            continue
        other = _clock_of(groups, source)
        if other is None or other.is_coarse:
            continue
        errors = [
            _spread(own, its)
            for own, its in zip(clock.microseconds, other.microseconds, strict=True)
        ]
        beat = min(_median_step(group) for group in clock.microseconds)
        if max(errors) > beat / 2:
            rivals.append(Rival(source=source, error_us=max(errors)))
    return max(rivals, key=lambda rival: rival.error_us, default=None)


def time_us(frame: FrameHeader, source: TimeSource) -> int | None:
    """Return what one field says of one image, microseconds from a start of its own, or None."""
    return SOURCES[source](frame.dataset)


def counts_beats(times: Sequence[int]) -> bool:
    """Whether times of one slice, microseconds, are distinct and step by plausible intervals."""
    if len(times) < _MIN_FRAMES or len(set(times)) != len(times):
        return False
    return MIN_STEP_US <= _median_step(times) <= MAX_STEP_US


def wall_time_us(frame: FrameHeader) -> int:
    """Return roughly when an image was taken, microseconds; only to tell bolus runs apart."""
    for kind in ("Acquisition", "Content", "Series"):
        time = moment_us(frame.dataset, f"{kind}Date", f"{kind}Time")
        if time is not None:
            return time
    return 0


def wall_span_us(frames: Sequence[FrameHeader]) -> tuple[int, int]:
    """Return when the first and the last image of a series were taken, roughly.

    No series lasts half a day. One that seems to was taken over midnight by a scanner that writes
    no dates, or converted by a program that spoiled them: then the time of the series has to do.
    """
    times = [wall_time_us(frame) for frame in frames]
    if max(times) - min(times) <= DAY_US // 2:
        return min(times), max(times)
    header = frames[0].dataset
    start = moment_us(header, "SeriesDate", "SeriesTime") or min(times)
    return start, start


def _clock_of(groups: Sequence[Sequence[FrameHeader]], source: TimeSource) -> Clock | None:
    """Return what one field says, if it counts beats in every group at the same time."""
    read = SOURCES[source]
    known: Times = []
    for group in groups:
        times = [time for frame in group if (time := read(frame.dataset)) is not None]
        if len(times) < len(group) or len(times) < _MIN_FRAMES:
            return None
        known.append(times)
    unwrapped = _unwrap(known)
    if not unwrapped or not all(counts_beats(group) for group in unwrapped):
        return None
    if not _overlap(unwrapped):
        return None
    # Whole seconds are shared by chance, not because a beat has one time.
    is_coarse = all(time % _SECOND_US == 0 for group in unwrapped for time in group)
    placed = unwrapped if is_coarse else set_apart(groups, unwrapped)
    start = min(min(group) for group in placed)
    return Clock(
        source=source,
        microseconds=tuple(tuple(time - start for time in group) for group in placed),
        is_coarse=is_coarse,
    )


def _median_step(times: Sequence[int]) -> float:
    return statistics.median(b - a for a, b in pairwise(sorted(times)))


def _spread(first: Sequence[int], second: Sequence[int]) -> int:
    """Return how much the difference of two clocks changes from frame to frame."""
    differences = [one - other for one, other in zip(first, second, strict=True)]
    return max(differences) - min(differences)


def _overlap(groups: Sequence[Sequence[int]]) -> bool:
    """Whether all groups were acquired during the same beats."""
    return max(min(group) for group in groups) < min(max(group) for group in groups)


def _unwrap(groups: Sequence[Sequence[int]]) -> list[list[int]]:
    """Add a day to times after midnight; no exam lasts half a day."""
    start = min((min(group) for group in groups if group), default=0)
    end = max((max(group) for group in groups if group), default=0)
    if end - start <= DAY_US // 2:
        return [list(group) for group in groups]
    return [
        [time + DAY_US if time < start + DAY_US // 2 else time for time in group]
        for group in groups
    ]
