"""Private elements in a survey: who made them, where they stand, and how much they vary.

A value is never told: nobody can say what a private element of an unknown protocol holds. How
often it changes, and by which steps, is enough to find the ones that count beats.
"""

import re
import statistics
import warnings
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from pydicom.dataset import Dataset

from node.translate.elements import UNREADABLE
from node.translate.files import read_dataset
from node.translate.values import as_number
from node.translate.vendors.elements import find_blocks
from node.translate.vocabulary import HIDDEN

_MAKERS = re.compile(
    r"(?:SIEMENS|GEMS|GEIIS|PHILIPS|UIH|CANON|TOSHIBA|MR Imaging|Image Private Header)"
    r"[A-Z0-9 _.^-]{0,40}",
    re.IGNORECASE,
)
_NUMERIC = frozenset({"DS", "IS", "FL", "FD", "SS", "US", "SL", "UL"})
_LONGEST = 64
"""Bytes; of longer values it is only told that they are there."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class PrivateElementKey:
    """Where a private element stands."""

    group: str
    creator: str
    element: str
    """Last two digits; the block in front of them moves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivateSummary:
    """One private element over all files of a series."""

    key: PrivateElementKey
    kind: str
    """Value representation."""
    n_values: int
    n_distinct: int
    step: float | None
    """Median step between distinct numbers; None where there are fewer than three."""


def summarise_private(paths: Iterable[Path]) -> tuple[PrivateSummary, ...]:
    """Return the private elements of the files of a series, also those inside sequences.

    Raises
    ------
    NotDicomError
        A file is damaged.
    TransientError
        A file cannot be opened or read.

    """
    values: defaultdict[PrivateElementKey, list[tuple[str, Any]]] = defaultdict(list)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # odd values of other makers are not ours to report
        for path in paths:
            for key, kind, value in _walk(read_dataset(path, with_pixels=False)):
                values[key].append((kind, value))
    return tuple(_summary(key, values[key]) for key in sorted(values))


def _walk(dataset: Dataset) -> Iterator[tuple[PrivateElementKey, str, Any]]:
    creators = {(group, block): name for (group, name), block in find_blocks(dataset).items()}
    for tag in list(dataset.keys()):
        try:
            element = dataset[tag]
        except UNREADABLE:
            continue
        if element.VR == "SQ":
            for item in element.value or ():
                yield from _walk(item)
        elif element.tag.is_private and not element.tag.is_private_creator:
            creator = creators.get((element.tag.group, element.tag.element >> 8), "")
            yield _key(element.tag.group, element.tag.element, creator), element.VR, element.value


def _key(group: int, element: int, creator: str) -> PrivateElementKey:
    return PrivateElementKey(
        group=f"{group:04X}",
        creator=creator if _MAKERS.fullmatch(creator) else HIDDEN,
        element=f"{element & 0xFF:02X}",
    )


def _summary(key: PrivateElementKey, values: list[tuple[str, Any]]) -> PrivateSummary:
    short = {str(value) for _, value in values if not _is_long(value)}
    return PrivateSummary(
        key=key,
        kind=" ".join(sorted({kind for kind, _ in values})),
        n_values=len(values),
        n_distinct=len(short),
        step=_step([value for kind, value in values if kind in _NUMERIC]),
    )


def _step(values: Iterable[Any]) -> float | None:
    numbers = sorted({number for value in values if (number := as_number(value)) is not None})
    if len(numbers) < 3:
        return None
    return float(f"{statistics.median(b - a for a, b in pairwise(numbers)):.3g}")


def _is_long(value: Any) -> bool:
    return isinstance(value, str | bytes) and len(value) > _LONGEST
