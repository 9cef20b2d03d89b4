"""Header fields that may hold the time of an image, whoever made it.

Each is read in microseconds from a start of its own. Which of them can be believed is judged in
`clock`: vendors put the time of a beat into different fields, and other things into the same ones.
"""

import re
from collections.abc import Callable
from datetime import date
from enum import StrEnum

from pydicom.dataset import Dataset

from node.translate.values import number_of, text_of
from node.translate.vendors import Meaning, private_number

DAY_US = 86_400_000_000
_TIME = re.compile(r"(\d{2}):?(\d{2})?:?(\d{2})?(?:\.(\d{1,6}))?")
_DATE = re.compile(r"(\d{4})\.?(\d{2})\.?(\d{2})")


class TimeSource(StrEnum):
    """Where the times of an exam were read."""

    ACQUISITION_DATE_TIME = "acquisition date and time"
    FRAME_REFERENCE = "frame reference date and time"
    ACQUISITION_TIME = "acquisition time"
    DYNAMIC_BEGIN = "private begin of the dynamic scan"
    TIME_AFTER_START = "private time after start"
    POSITION_OFFSET = "offset of the temporal position"
    TRIGGER_TIME = "cumulative trigger time"
    TIMER_SECONDS = "private timer in seconds"
    TIMER_TENTHS = "private timer in tenths of a millisecond"
    CONTENT_TIME = "time of image creation"


def parse_time_us(text: str) -> int | None:
    """Return a DICOM TM value as microseconds after midnight (PS3.5 6.2), or None."""
    match = _TIME.match(text)
    if match is None:
        return None
    hours, minutes, seconds, fraction = match.groups(default="0")
    whole = (int(hours) * 60 + int(minutes)) * 60 + int(seconds)
    return whole * 1_000_000 + int(fraction.ljust(6, "0"))


def moment_us(dataset: Dataset, date_word: str, time_word: str) -> int | None:
    """Return a date and a time of day as microseconds, or None when there is no time.

    Without a date it is the time of day; the year 1 began the count of days.
    """
    time = parse_time_us(text_of(dataset, time_word))
    return None if time is None else time + _day_us(text_of(dataset, date_word))


def _day_us(text: str) -> int:
    match = _DATE.match(text)
    if match is None:
        return 0
    try:
        return date(*(int(part) for part in match.groups())).toordinal() * DAY_US
    except ValueError:
        return 0


def _date_time(keyword: str) -> Callable[[Dataset], int | None]:
    """Read a value of kind DT (PS3.5 6.2); all times of an exam are in one time zone."""

    def read(dataset: Dataset) -> int | None:
        value = text_of(dataset, keyword)
        time = parse_time_us(value[8:])
        return None if time is None else time + _day_us(value[:8])

    return read


def _date_and_time(date_word: str, time_word: str) -> Callable[[Dataset], int | None]:
    return lambda dataset: moment_us(dataset, date_word, time_word)


def _number(keyword: str, unit_us: float) -> Callable[[Dataset], int | None]:
    def read(dataset: Dataset) -> int | None:
        value = number_of(dataset, keyword)
        return None if value is None else round(value * unit_us)

    return read


def _private(meaning: Meaning, unit_us: float) -> Callable[[Dataset], int | None]:
    def read(dataset: Dataset) -> int | None:
        value = private_number(dataset, meaning)
        return None if value is None else round(value * unit_us)

    return read


SOURCES: dict[TimeSource, Callable[[Dataset], int | None]] = {
    TimeSource.ACQUISITION_DATE_TIME: _date_time("AcquisitionDateTime"),
    TimeSource.FRAME_REFERENCE: _date_time("FrameReferenceDateTime"),
    TimeSource.ACQUISITION_TIME: _date_and_time("AcquisitionDate", "AcquisitionTime"),
    TimeSource.DYNAMIC_BEGIN: _private(Meaning.DYNAMIC_BEGIN, 1e6),
    TimeSource.TIME_AFTER_START: _private(Meaning.TIME_AFTER_START, 1e6),
    TimeSource.POSITION_OFFSET: _number("TemporalPositionTimeOffset", 1e6),
    # Milliseconds after the R wave by the standard; some scanners accumulate it over beats.
    TimeSource.TRIGGER_TIME: _number("TriggerTime", 1e3),
    # Seconds or tenths of a millisecond, by release: in the other unit no step is a beat.
    TimeSource.TIMER_SECONDS: _private(Meaning.TIMER, 1e6),
    TimeSource.TIMER_TENTHS: _private(Meaning.TIMER, 1e2),
    TimeSource.CONTENT_TIME: _date_and_time("ContentDate", "ContentTime"),
}
"""In the order in which they are believed."""
