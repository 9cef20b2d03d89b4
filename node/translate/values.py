"""Reading single attribute values of headers that may be empty, repeated or damaged."""

import math
import warnings
from typing import Any

from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.sequence import Sequence

from node.translate.elements import UNREADABLE, plain_kind, read_plain, tag_of


def text_of(dataset: Dataset, keyword: str) -> str:
    """Return an attribute as one line of text; several values are joined by blanks."""
    value = value_of(dataset, keyword)
    if value is None:
        return ""
    if isinstance(value, MultiValue | list | tuple):
        return " ".join(str(part) for part in value).strip()
    return str(value).strip()


def source_key(dataset: Dataset) -> str:
    """Return what names one image: its SOP Instance UID, and its frame in a multi-frame object."""
    frame = text_of(dataset, "ReferencedFrameNumber")
    uid = text_of(dataset, "SOPInstanceUID")
    return f"{uid}#{frame}" if frame else uid


def items_of(dataset: Dataset, keyword: str) -> tuple[Dataset, ...]:
    """Return the items of a sequence; none when it is missing or garbled."""
    value = value_of(dataset, keyword)
    return tuple(value) if isinstance(value, Sequence) else ()


def number_of(dataset: Dataset, keyword: str) -> float | None:
    """Return the first value of an attribute as a finite number, or None."""
    return as_number(value_of(dataset, keyword))


def as_number(value: Any) -> float | None:
    """Return a value, or the first of several, as a finite number, or None."""
    if isinstance(value, MultiValue | list | tuple):
        value = value[0] if value else None
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


def numbers_of(dataset: Dataset, keyword: str, count: int) -> tuple[float, ...] | None:
    """Return exactly `count` finite values of an attribute, or None."""
    value = value_of(dataset, keyword)
    if not isinstance(value, MultiValue | list | tuple) or len(value) != count:
        return None
    numbers = [as_number(part) for part in value]
    complete = tuple(number for number in numbers if number is not None)
    return complete if len(complete) == count else None


def value_of(dataset: Dataset, keyword: str) -> Any:
    """Return a value as it is, None when it is missing or garbled.

    What is still as it was read stays so: its bytes are what is copied into results.
    """
    tag = tag_of(keyword)
    element: Any = dataset.get_item(tag)  # decoded before, or raw
    if element is None or isinstance(element, DataElement):
        return None if element is None else element.value
    try:
        kind = plain_kind(element, keyword)
        if kind is not None:
            return read_plain(tag, kind, element.value)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return dataset[tag].value
    except UNREADABLE:
        return None
