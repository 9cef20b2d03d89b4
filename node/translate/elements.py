"""Elements as the bytes of a file, explicit little endian (PS3.5 7.1.2); equal ones are made once.

A corrected series has hundreds of objects that differ in a few elements. Made and written one by
one as objects of pydicom they take many times as long.
"""

import struct
import warnings
from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from typing import Any

from pydicom.charset import default_encoding
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import DataElement, RawDataElement, convert_raw_data_element
from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_data_element
from pydicom.multival import MultiValue
from pydicom.sequence import Sequence
from pydicom.tag import BaseTag, Tag
from pydicom.valuerep import AMBIGUOUS_VR, EXPLICIT_VR_LENGTH_32

Element = DataElement | RawDataElement
Elements = dict[BaseTag, Element]
Value = str | int | tuple[str, ...] | None

UNREADABLE = (ValueError, TypeError, KeyError, AttributeError, NotImplementedError)
"""What pydicom raises when it converts a garbled value."""
TEXTS = frozenset({"AS", "CS", "DA", "DS", "DT", "IS", "LO", "PN", "SH", "TM", "UI"})
_NUMBERS = frozenset({"US", "SS", "UL", "SL", "FL", "FD"})
_ESCAPE = "\x1b"
_LONG = frozenset(map(str, EXPLICIT_VR_LENGTH_32))
_AMBIGUOUS = frozenset(map(str, AMBIGUOUS_VR))
_ITEM = struct.pack("<HH", 0xFFFE, 0xE000)
_UNDEFINED_LENGTH = 0xFFFFFFFF
_MAX_LENGTH = 0xFFFE
"""Bytes of a value whose length has two bytes."""
_N_REMEMBERED = 8192


def make_elements(values: Mapping[str, Value]) -> Elements:
    """Return elements by keyword and value."""
    return {tag_of(keyword): make_element(keyword, value) for keyword, value in values.items()}


def make_element(keyword: str, value: Value, kind: str | None = None) -> Element:
    """Return an element, as bytes where its text means the same in any character set.

    Parameters
    ----------
    keyword, value
        What it says.
    kind
        Value representation where the dictionary leaves a choice.

    """
    made = _make_bytes(keyword, value, kind or kind_of(keyword))
    if made is not None:
        return made
    several = list(value) if isinstance(value, tuple) else value
    return DataElement(tag_of(keyword), kind or kind_of(keyword), several)


def make_sequence(keyword: str, items: Iterable[Elements]) -> Element:
    """Return a sequence, as bytes where all of its elements are."""
    found = list(items)
    if all(is_plain(element) for item in found for element in item.values()):
        return plain_element(keyword, "SQ", b"".join(map(pack_item, found)))
    return DataElement(tag_of(keyword), "SQ", Sequence(map(Dataset, found)))


def plain_element(keyword: str, kind: str, value: bytes) -> RawDataElement:
    """Return an element of bytes, which pydicom reads when they are asked for."""
    return _plain(tag_of(keyword), kind, value)


def is_plain(element: Element) -> bool:
    """Whether an element is bytes as they stand in a file."""
    return (
        isinstance(element, RawDataElement)
        and element.value is not None
        and element.VR is not None
        and element.VR not in _AMBIGUOUS
        and not element.is_implicit_VR
        and element.is_little_endian
        and element.length != _UNDEFINED_LENGTH
    )


def pack_item(elements: Mapping[BaseTag, Element]) -> bytes:
    """Return an item of plain elements (PS3.5 7.5)."""
    return item_of(b"".join(pack_element(elements[tag]) for tag in sorted(elements, key=int)))


def item_of(elements: bytes) -> bytes:
    """Return an item of elements that are bytes, in the order of their tags."""
    return _ITEM + struct.pack("<L", len(elements)) + elements


def pack_element(element: Element) -> bytes:
    """Return tag, kind, length and value of a plain element."""
    tag, kind = int(element.tag), element.VR or "UN"
    value: bytes = element.value or b""  # no other value is plain
    layout = "<HH2s2xL" if kind in _LONG else "<HH2sH"
    return struct.pack(layout, tag >> 16, tag & 0xFFFF, kind.encode(), len(value)) + value


def pack_text(keyword: str, text: str) -> bytes:
    """Return an element of text as it stands in a file; what is not ASCII becomes a question mark.

    So it fits into the character set of every source.
    """
    return pack_value(keyword, text.encode("ascii", "replace"))


def pack_value(keyword: str, value: bytes) -> bytes:
    """Return an element as it stands in a file, padded to an even length."""
    kind = kind_of(keyword)
    padding = b"\0" if kind == "UI" else b" "
    return pack_element(plain_element(keyword, kind, value + padding * (len(value) % 2)))


def plain_kind(element: RawDataElement, keyword: str) -> str | None:
    """Return the kind of a text or number that means the same in any data set; None of all else.

    Pure ASCII means the same in every character set unless it holds an escape sequence.
    """
    kind, value = kind_of(keyword), element.value
    if value is None or element.VR not in {kind, None}:
        return None
    if kind in TEXTS:
        return kind if value.isascii() and _ESCAPE.encode() not in value else None
    return kind if kind in _NUMBERS and element.is_little_endian else None


@lru_cache(_N_REMEMBERED)
def read_plain(tag: BaseTag, kind: str, value: bytes) -> Any:
    """Return a value that means the same in any data set; several as a tuple.

    Raises
    ------
    ValueError, TypeError, KeyError, AttributeError, NotImplementedError
        It is garbled.

    """
    read = _read(tag, kind, value).value
    return tuple(read) if isinstance(read, MultiValue) else read


@lru_cache(_N_REMEMBERED)
def renew_plain(tag: BaseTag, kind: str, value: bytes) -> RawDataElement:
    """Return an element as it is written anew, with no needless padding; raises as `read_plain`."""
    return _plain(tag, kind, write_value(_read(tag, kind, value)))


def write_value(element: DataElement) -> bytes:
    """Return the value as pydicom writes it."""
    buffer = DicomBytesIO()
    buffer.is_little_endian, buffer.is_implicit_VR = True, False
    write_data_element(buffer, element)
    return buffer.getvalue()[12 if element.VR in _LONG else 8 :]


@cache
def tag_of(keyword: str) -> BaseTag:
    """Look a keyword up once: headers are asked for the same ones thousands of times."""
    return Tag(keyword)


@cache
def kind_of(keyword: str) -> str:
    """Return the value representation that the dictionary gives; empty for no keyword of it."""
    tag = tag_for_keyword(keyword)
    return "" if tag is None else dictionary_VR(tag)


@lru_cache(_N_REMEMBERED, typed=True)
def _make_bytes(keyword: str, value: Value, kind: str) -> RawDataElement | None:
    """Return an element as bytes; None where its text hangs on the character set."""
    parts = value if isinstance(value, tuple) else (value,)
    texts = [part for part in parts if isinstance(part, str)]
    if not all(map(_is_plain_text, texts)) or sum(map(len, texts)) > _MAX_LENGTH:
        return None
    several = list(value) if isinstance(value, tuple) else value
    return _plain(tag_of(keyword), kind, write_value(DataElement(tag_of(keyword), kind, several)))


def _is_plain_text(text: str) -> bool:
    """Whether a text has the same bytes in every character set."""
    return text.isascii() and _ESCAPE not in text


def _plain(tag: BaseTag, kind: str, value: bytes) -> RawDataElement:
    return RawDataElement(tag, kind, len(value), value, 0, False, True)


def _read(tag: BaseTag, kind: str, value: bytes) -> DataElement:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # odd values of other makers are not ours to report
        return convert_raw_data_element(_plain(tag, kind, value), encoding=default_encoding)
