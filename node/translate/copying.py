"""Copying single elements from a source header, which may hold anything."""

import copy
import warnings
from collections.abc import Iterable

from pydicom import config
from pydicom.datadict import dictionary_VR
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.valuerep import validate_value

UNREADABLE = (ValueError, TypeError, KeyError, AttributeError, NotImplementedError)
"""What pydicom raises when it converts a garbled value."""


def copy_elements(source: Dataset, target: Dataset, keywords: Iterable[str]) -> None:
    """Copy elements as they are; those that cannot be read are left out.

    Identity must come back as it came in, even where it breaks a rule of its kind.
    """
    for keyword in keywords:
        element = _read(source, keyword)
        if element is not None:
            target[keyword] = element


def copy_valid_elements(source: Dataset, target: Dataset, keywords: Iterable[str]) -> None:
    """Copy elements that keep the rules of their kind (PS3.5 6.2).

    A decimal comma of one scanner must not make a result that an archive refuses.
    """
    for keyword in keywords:
        element = _read(source, keyword)
        if element is not None and _is_valid(element):
            target[keyword] = element


def replace_value(target: Dataset, keyword: str, value: object) -> None:
    """Put a new element in the place of one; assigning to it would change every header with it."""
    target.add_new(keyword, dictionary_VR(keyword), value)


def _read(source: Dataset, keyword: str) -> DataElement | None:
    if keyword not in source:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            element = copy.deepcopy(source[keyword])
    except UNREADABLE:
        return None
    if element.VR == "SQ":
        for item in element.value:
            item.remove_private_tags()
    return element if dictionary_VR(keyword) == element.VR else None


def _is_valid(element: DataElement) -> bool:
    if element.VR == "SQ" or element.is_empty:
        return True
    values = element.value if element.VM > 1 else [element.value]
    try:
        for value in values:
            written = str(value) if element.VR in {"DS", "IS"} else value
            validate_value(element.VR, written, config.RAISE)
    except UNREADABLE:
        return False
    return True
