"""Private elements found by their creator, because blocks move between systems (PS3.5 7.8.1).

An archive that does not know a private element keeps its bytes under the kind UN; the table says
what they mean. An element under another creator is another element, whatever its number.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal

from pydicom.dataset import Dataset
from pydicom.tag import BaseTag, Tag

from node.translate.elements import UNREADABLE

UNVERIFIED = "unverified"
"""Source of what no document and no file confirms."""


class Meaning(StrEnum):
    """What a private element says, in the unit that it is written in."""

    TIME_AFTER_START = "time after start, s"
    DYNAMIC_BEGIN = "begin of the dynamic scan, s"
    TIMER = "timer, s or 0.1 ms"
    SCALE_SLOPE = "scale slope"
    SATURATION_DELAY = "prepulse delay, ms"
    PREPULSE_KIND = "kind of prepulse"
    COMPONENT = "0 magnitude, 1 phase, 2 real, 3 imaginary"
    IMAGE_TYPE_TEXT = "image type in words"
    PULSE_SEQUENCE = "name of the pulse sequence"


Kind = Literal["DS", "IS", "LO", "CS", "FL", "FD", "SS", "US", "SL", "UL"]
_FORMATS = {"FL": "<f", "FD": "<d", "SS": "<h", "US": "<H", "SL": "<i", "UL": "<I"}


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivateElement:
    """One private element: where it is, and what it means."""

    meaning: Meaning
    group: int
    creator: str
    element: int
    """Last two digits; the block in front of them moves."""
    kind: Kind
    """Value representation, for bytes that have lost it."""
    source: str
    """Who says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vendor:
    """One maker of scanners."""

    name: str
    makers: tuple[str, ...]
    """Parts of Manufacturer, in capitals."""
    elements: tuple[PrivateElement, ...]
    """In the order in which they are asked."""


Blocks = Mapping[tuple[int, str], int]
"""Block by group and creator."""


def find_blocks(dataset: Dataset) -> Blocks:
    """Return which block of which group is reserved for whom; the first reservation counts."""
    blocks: dict[tuple[int, str], int] = {}
    for tag in sorted(_reservations(dataset)):
        blocks.setdefault((tag.group, _text(_read(dataset, tag))), tag.element)
    return blocks


def read_private(dataset: Dataset, blocks: Blocks, element: PrivateElement) -> Any:
    """Return the value of a private element, or None when it is not there or unreadable.

    Parameters
    ----------
    dataset
        Where to look; sequences in it are not searched.
    blocks
        What `find_blocks` returned for it.
    element
        What to look for.

    """
    block = blocks.get((element.group, element.creator))
    if block is None:
        return None
    tag = Tag(element.group, block << 8 | element.element)
    value = _read(dataset, tag) if tag in dataset else None
    return _decode(value, element.kind) if isinstance(value, bytes) else value


def _reservations(dataset: Dataset) -> list[BaseTag]:
    """Return the private creator elements, (gggg,0010) to (gggg,00FF) of odd groups."""
    return [
        Tag(tag)
        for tag in dataset.keys()  # noqa: SIM118 - a dataset yields its elements, not its keys
        if tag >> 16 & 1 and 0x10 <= tag & 0xFFFF <= 0xFF
    ]


def _read(dataset: Dataset, tag: BaseTag) -> Any:
    try:
        return dataset[tag].value
    except UNREADABLE:
        return None


def _decode(value: bytes, kind: Kind) -> Any:
    """Return what bytes without a kind say; more values may follow the first one."""
    code = _FORMATS.get(kind)
    if code is None:
        return _text(value).split("\\")[0] or None
    return struct.unpack_from(code, value)[0] if len(value) >= struct.calcsize(code) else None


def _text(value: Any) -> str:
    text = value.decode("ascii", "replace") if isinstance(value, bytes) else str(value or "")
    return text.strip(" \0")
