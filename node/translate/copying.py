"""Copying single elements from a source header, which may hold anything."""

import copy
import warnings
from collections.abc import Iterable
from functools import lru_cache

from pydicom import config
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.valuerep import validate_value

from node.translate.elements import (
    TEXTS,
    UNREADABLE,
    Element,
    Elements,
    kind_of,
    plain_kind,
    renew_plain,
    tag_of,
)

_NUMBERS = frozenset({"DS", "IS"})
_PADDING = " \0"


def copy_elements(source: Dataset, keywords: Iterable[str]) -> Elements:
    """Return copies of elements as they are; those that cannot be read are left out.

    Identity must come back as it came in, even where it breaks a rule of its kind.
    """
    copies = ((tag_of(keyword), _copy(source, keyword)) for keyword in keywords)
    return {tag: copied for tag, copied in copies if copied is not None}


def copy_valid_elements(source: Dataset, keywords: Iterable[str]) -> Elements:
    """Return copies of elements that keep the rules of their kind (PS3.5 6.2).

    A decimal comma of one scanner must not make a result that an archive refuses.
    """
    copies = copy_elements(source, keywords)
    return {tag: copied for tag, copied in copies.items() if _is_valid(copied)}


def replace_value(target: Dataset, keyword: str, value: object) -> None:
    """Put a new element in the place of one; assigning to it would change every header with it."""
    target.add_new(keyword, kind_of(keyword), value)


def _copy(source: Dataset, keyword: str) -> Element | None:
    """Return an element that belongs to no other data set, with the VR of the dictionary."""
    tag = tag_of(keyword)
    unread: Element | None = source.get_item(tag)
    if unread is None:
        return None
    try:
        if isinstance(unread, RawDataElement) and (kind := plain_kind(unread, keyword)):
            return renew_plain(tag, kind, unread.value)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            element = source[tag]
    except UNREADABLE:
        return None
    if kind_of(keyword) != element.VR:
        return None
    if element.VR == "SQ":
        return _own_sequence(element)
    # A new element around the same value: what is assigned to one of them leaves the other alone.
    return DataElement(element.tag, element.VR, element.value, already_converted=True)


def _own_sequence(element: DataElement) -> DataElement:
    own = copy.deepcopy(element)
    for item in own.value:
        item.remove_private_tags()
    return own


def _is_valid(element: Element) -> bool:
    if isinstance(element, RawDataElement):
        # Binary numbers cannot break a rule.
        return element.VR not in TEXTS or _is_valid_text(element.VR, element.value or b"")
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
