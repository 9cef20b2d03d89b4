"""All vendors together: who made a scanner, and what its private elements say."""

from collections.abc import Iterable
from typing import Any

from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

from node.translate.values import as_number, text_of
from node.translate.vendors.canon import CANON
from node.translate.vendors.elements import Meaning, Vendor, find_blocks, read_private
from node.translate.vendors.ge import GE, set_component
from node.translate.vendors.philips import PHILIPS, set_measured_scale
from node.translate.vendors.siemens import SIEMENS
from node.translate.vendors.uih import UIH

VENDORS: tuple[Vendor, ...] = (SIEMENS, PHILIPS, GE, UIH, CANON)
_COMPLETE = {PHILIPS.name: set_measured_scale, GE.name: set_component}


def vendor_of(dataset: Dataset) -> Vendor | None:
    """Return who made the scanner, by Manufacturer or else by private elements; None if unknown."""
    maker = text_of(dataset, "Manufacturer").upper()
    for vendor in VENDORS:
        if any(word in maker for word in vendor.makers):
            return vendor
    blocks = find_blocks(dataset) if not maker else {}
    for vendor in VENDORS:
        if any((item.group, item.creator) in blocks for item in vendor.elements):
            return vendor
    return None


def complete_header(header: Dataset) -> None:
    """Write what only private elements say under the keywords of classic MR, in place."""
    vendor = vendor_of(header)
    if vendor is not None and vendor.name in _COMPLETE:
        _COMPLETE[vendor.name](header)


def private_number(dataset: Dataset, meaning: Meaning) -> float | None:
    """Return the first private element of a meaning that is a finite number, or None."""
    values = (as_number(value) for value in _values(dataset, meaning))
    return next((value for value in values if value is not None), None)


def private_text(dataset: Dataset, meaning: Meaning) -> str:
    """Return all private elements of a meaning as one line of text."""
    texts = [
        " ".join(map(str, value)) if isinstance(value, MultiValue | list) else str(value)
        for value in _values(dataset, meaning)
        if not isinstance(value, bytes)
    ]
    return " ".join(texts).strip()


def lift_private(source: Dataset, target: Dataset) -> None:
    """Bring the known private elements of a part of a header to its top, where they are found."""
    blocks = find_blocks(source)
    if not blocks:
        return
    for element in (item for vendor in VENDORS for item in vendor.elements):
        value = read_private(source, blocks, element)
        if value is None:
            continue
        block = target.private_block(element.group, element.creator, create=True)
        block.add_new(element.element, element.kind, value)


def _values(dataset: Dataset, meaning: Meaning) -> Iterable[Any]:
    blocks = find_blocks(dataset)
    for element in (item for vendor in VENDORS for item in vendor.elements):
        if element.meaning is meaning:
            value = read_private(dataset, blocks, element)
            if value is not None:
                yield value
