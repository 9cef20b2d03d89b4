"""Copying single elements from a source header, which may hold anything."""

import copy
import warnings
from collections.abc import Iterable
from functools import lru_cache

from pydicom import config
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.valuerep import validate_value

UNREADABLE = (ValueError, TypeError, KeyError, AttributeError, NotImplementedError)
"""What pydicom raises when it converts a garbled value."""
_NUMBERS = frozenset({"DS", "IS"})
_TEXTS = _NUMBERS | {"AS", "CS", "DA", "DT", "LO", "PN", "SH", "TM", "UI"}
"""Kinds of values whose bytes are the same in any byte order."""
_ESCAPE = b"\x1b"
_PADDING = " \0"


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


def _read(source: Dataset, keyword: str) -> DataElement | RawDataElement | None:
    """Return an element that belongs to no other data set, with the VR of the dictionary."""
    tag = tag_for_keyword(keyword)
    if tag is None or tag not in source:
        return None
    unread: DataElement | RawDataElement | None = source.get_item(tag)
    if isinstance(unread, RawDataElement) and _may_stay_raw(unread, keyword):
        return unread
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            element = source[keyword]
    except UNREADABLE:
        return None
    if dictionary_VR(keyword) != element.VR:
        return None
    if element.VR == "SQ":
        return _own_sequence(element)
    # A new element around the same value: what is assigned to one of them leaves the other alone.
    return DataElement(element.tag, element.VR, element.value, already_converted=True)


def _may_stay_raw(element: RawDataElement, keyword: str) -> bool:
    """Whether the bytes mean the same in any data set, so that they need not be understood.

    Pure ASCII means the same in every character set unless it holds an escape sequence.
    """
    return (
        element.VR in _TEXTS
        and dictionary_VR(keyword) == element.VR
        and element.value is not None
        and element.value.isascii()
        and _ESCAPE not in element.value
    )


def _own_sequence(element: DataElement) -> DataElement:
    own = copy.deepcopy(element)
    for item in own.value:
        item.remove_private_tags()
    return own


def _is_valid(element: DataElement | RawDataElement) -> bool:
    if isinstance(element, RawDataElement):
        return _is_valid_text(element.VR or "", element.value or b"")
    if element.VR == "SQ" or element.is_empty:
        return True
    values = element.value if element.VM > 1 else [element.value]
    written = (str(value) if element.VR in _NUMBERS else value for value in values)
    return all(_is_valid_value(element.VR, value) for value in written)


@lru_cache(maxsize=4096)
def _is_valid_text(value_representation: str, value: bytes) -> bool:
    """Whether each of the values in the bytes of a text is valid; the same ones come every beat."""
    parts = value.decode("ascii").rstrip(_PADDING).split("\\")
    return all(_is_valid_value(value_representation, part.strip(" ")) for part in parts if part)


def _is_valid_value(value_representation: str, value: object) -> bool:
    try:
        validate_value(value_representation, value, config.RAISE)
    except UNREADABLE:
        return False
    return True
