"""Copying single elements from a source header, which may hold anything."""

import copy
import warnings
from collections.abc import Iterable
from contextlib import suppress
from functools import lru_cache

from pydicom import config
from pydicom.charset import default_encoding
from pydicom.dataelem import DataElement, RawDataElement, convert_raw_data_element
from pydicom.dataset import Dataset
from pydicom.tag import BaseTag
from pydicom.valuerep import AMBIGUOUS_VR, CUSTOMIZABLE_CHARSET_VR, validate_value

from node.translate.elements import (
    TEXTS,
    UNREADABLE,
    Element,
    Elements,
    kind_of,
    plain_kind,
    renew_plain,
    tag_of,
    write_value,
)

_NUMBERS = frozenset({"DS", "IS"})
_ESCAPE = b"\x1b"
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
        if isinstance(unread, RawDataElement) and (renewed := _renew(unread, keyword)):
            return renewed
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


def _renew(element: RawDataElement, keyword: str) -> RawDataElement | None:
    """Return an element as bytes, None where it hangs on its data set."""
    kind = plain_kind(element, keyword)
    if kind is not None:
        return renew_plain(element.tag, kind, element.value or b"")
    if kind_of(keyword) == "SQ" and element.VR in {"SQ", None}:
        return _renew_sequence(
            element.tag,
            element.value or b"",
            is_implicit=element.is_implicit_VR,
            is_little_endian=element.is_little_endian,
        )
    return None


@lru_cache(maxsize=256)
def _renew_sequence(
    tag: BaseTag, value: bytes, *, is_implicit: bool, is_little_endian: bool
) -> RawDataElement | None:
    """Return a sequence as bytes, None where one of its texts hangs on a character set."""
    if _ESCAPE in value:
        return None
    raw = RawDataElement(tag, "SQ", len(value), value, 0, is_implicit, is_little_endian)
    with warnings.catch_warnings(), suppress(*UNREADABLE):
        warnings.simplefilter("ignore")
        own = _own_sequence(convert_raw_data_element(raw, encoding=default_encoding))
        if all(map(_is_same_anywhere, own.value)):
            written = write_value(own)
            return RawDataElement(tag, "SQ", len(written), written, 0, False, True)
    return None


def _is_same_anywhere(item: Dataset) -> bool:
    """Whether all that an item says means the same in any data set."""
    return all(
        all(map(_is_same_anywhere, element.value))
        if element.VR == "SQ"
        else element.VR not in AMBIGUOUS_VR
        and (element.VR not in CUSTOMIZABLE_CHARSET_VR or str(element.value).isascii())
        for element in item
    )


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
