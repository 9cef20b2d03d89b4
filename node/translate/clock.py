"""The time axis of an exam, chosen by evidence: the header field that counts beats.

Vendors put the time of a beat into different fields, and put other things into the same fields.
A field is believed only if, within every slice, all its values are there, are distinct and step
by a plausible interval between beats. All series of an exam are read from the same field, so they
share one clock. A nominal interval is never used to invent times.
"""

import re
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from itertools import pairwise

from pydicom.dataset import Dataset

from node.translate.headers import FrameHeader
from node.translate.values import number_of, text_of
from node.translate.vendors import Meaning, private_number

MIN_STEP_US = 250_000
MAX_STEP_US = 6_000_000
_MIN_FRAMES = 3
_DAY_US = 86_400_000_000
_TIME = re.compile(r"(\d{2}):?(\d{2})?:?(\d{2})?(?:\.(\d{1,6}))?")
_DATE = re.compile(r"(\d{4})\.?(\d{2})\.?(\d{2})")


class TimeSource(StrEnum):
    """Where the times of an exam were read."""

    ACQUISITION_DATE_TIME = "acquisition date and time"
    ACQUISITION_TIME = "acquisition time"
    TIME_AFTER_START = "private time after start"
    TRIGGER_TIME = "cumulative trigger time"
    CONTENT_TIME = "time of image creation"


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """Times of the frames of an exam, microseconds after its first frame."""

    source: TimeSource
    microseconds: tuple[tuple[int, ...], ...]
    """One tuple per group of frames, in the order of that group."""


def read_clock(groups: Sequence[Sequence[FrameHeader]]) -> Clock | None:
    """Return the common clock of several slices, or None when no field is one.

    Parameters
    ----------
    groups
        The frames of each slice and of the arterial input, in any order.

    """
    for source, read in _SOURCES.items():
        times = [[read(frame.dataset) for frame in group] for group in groups]
        known = [[time for time in group if time is not None] for group in times]
        if any(len(a) != len(b) for a, b in zip(known, times, strict=True)):
            continue
        unwrapped = _unwrap(known)
        if all(_counts_beats(group) for group in unwrapped) and _overlap(unwrapped):
            start = min(min(group) for group in unwrapped)
            shifted = tuple(tuple(time - start for time in group) for group in unwrapped)
            return Clock(source=source, microseconds=shifted)
    return None


def wall_time_us(frame: FrameHeader) -> int:
    """Return roughly when an image was taken, microseconds; only to tell bolus runs apart."""
    for date_word, time_word in (
        ("AcquisitionDate", "AcquisitionTime"),
        ("ContentDate", "ContentTime"),
        ("SeriesDate", "SeriesTime"),
    ):
        time = _combine(text_of(frame.dataset, date_word), text_of(frame.dataset, time_word))
        if time is not None:
            return time
    return 0


def wall_span_us(frames: Sequence[FrameHeader]) -> tuple[int, int]:
    """Return when the first and the last image of a series were taken, roughly.

    No series lasts half a day. One that seems to was taken over midnight by a scanner that writes
    no dates, or converted by a program that spoiled them: then the time of the series has to do.
    """
    times = [wall_time_us(frame) for frame in frames]
    if max(times) - min(times) <= _DAY_US // 2:
        return min(times), max(times)
    header = frames[0].dataset
    start = _combine(text_of(header, "SeriesDate"), text_of(header, "SeriesTime")) or min(times)
    return start, start


def parse_time_us(text: str) -> int | None:
    """Return a DICOM TM value as microseconds after midnight (PS3.5 6.2), or None."""
    match = _TIME.match(text)
    if match is None:
        return None
    hours, minutes, seconds, fraction = match.groups(default="0")
    whole = (int(hours) * 60 + int(minutes)) * 60 + int(seconds)
    return whole * 1_000_000 + int(fraction.ljust(6, "0"))


def _counts_beats(times: Sequence[int]) -> bool:
    ordered = sorted(times)
    if len(ordered) < _MIN_FRAMES or len(set(ordered)) != len(ordered):
        return False
    step = statistics.median(b - a for a, b in pairwise(ordered))
    return MIN_STEP_US <= step <= MAX_STEP_US


def _overlap(groups: Sequence[Sequence[int]]) -> bool:
    """Whether all groups were acquired during the same beats."""
    return max(min(group) for group in groups) < min(max(group) for group in groups)


def _unwrap(groups: Sequence[Sequence[int]]) -> list[list[int]]:
    """Add a day to times after midnight; no exam lasts half a day."""
    start = min((min(group) for group in groups if group), default=0)
    end = max((max(group) for group in groups if group), default=0)
    if end - start <= _DAY_US // 2:
        return [list(group) for group in groups]
    return [
        [time + _DAY_US if time < start + _DAY_US // 2 else time for time in group]
        for group in groups
    ]


def _combine(date_text: str, time_text: str) -> int | None:
    time = parse_time_us(time_text)
    return None if time is None else time + _day_us(date_text)


def _day_us(text: str) -> int:
    match = _DATE.match(text)
    if match is None:
        return 0
    try:
        return date(*(int(part) for part in match.groups())).toordinal() * _DAY_US
    except ValueError:
        return 0


def _acquisition_date_time(dataset: Dataset) -> int | None:
    value = text_of(dataset, "AcquisitionDateTime")
    return _combine(value[:8], value[8:])


def _acquisition_time(dataset: Dataset) -> int | None:
    return _combine(text_of(dataset, "AcquisitionDate"), text_of(dataset, "AcquisitionTime"))


def _content_time(dataset: Dataset) -> int | None:
    return _combine(text_of(dataset, "ContentDate"), text_of(dataset, "ContentTime"))


def _time_after_start(dataset: Dataset) -> int | None:
    seconds = private_number(dataset, Meaning.TIME_AFTER_START)
    return None if seconds is None else round(seconds * 1e6)


def _trigger_time(dataset: Dataset) -> int | None:
    """Milliseconds after the R wave by the standard; some exports accumulate it over beats."""
    milliseconds = number_of(dataset, "TriggerTime")
    return None if milliseconds is None else round(milliseconds * 1e3)


_SOURCES: dict[TimeSource, Callable[[Dataset], int | None]] = {
    TimeSource.ACQUISITION_DATE_TIME: _acquisition_date_time,
    TimeSource.ACQUISITION_TIME: _acquisition_time,
    TimeSource.TIME_AFTER_START: _time_after_start,
    TimeSource.TRIGGER_TIME: _trigger_time,
    TimeSource.CONTENT_TIME: _content_time,
}
