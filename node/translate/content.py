"""Content items of a structured report, written as bytes (PS3.3 C.17.3, explicit little endian).

A report has some five thousand nested items. As objects they take half a second to make and write,
as bytes a hundredth of that; the tests compare them with the templates of highdicom. Items are
nested from the inside out: what an item contains is given when it is made.
"""

import struct
from collections.abc import Iterable
from enum import StrEnum
from functools import cache

from pydicom.charset import convert_encodings, default_encoding
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.tag import Tag

from node.translate.codes import CodedTerm

_LONG = {"SQ", "UT"}
"""Value representations with a length of four bytes (PS3.5 7.1.2)."""
_ITEM = struct.pack("<HH", 0xFFFE, 0xE000)


class Relation(StrEnum):
    """How an item belongs to the one that contains it (PS3.3 C.17.3.2.4)."""

    CONTAINS = "CONTAINS"
    CONTEXT = "HAS OBS CONTEXT"
    MODIFIER = "HAS CONCEPT MOD"
    PROPERTY = "HAS PROPERTIES"
    ACQUISITION = "HAS ACQ CONTEXT"


def text_item(relation: Relation, name: CodedTerm, text: str) -> bytes:
    """Return an item of plain text; what is not ASCII becomes a question mark.

    So the text fits into the character set of every source.
    """
    return _item(relation, "TEXT", name, after=_element("TextValue", _ascii(text)))


def code_item(
    relation: Relation, name: CodedTerm, value: CodedTerm, children: Iterable[bytes] = ()
) -> bytes:
    """Return an item whose value is a coded term."""
    coded = _element("ConceptCodeSequence", _coded(value))
    return _item(relation, "CODE", name, after=coded + _content(children))


def uid_item(relation: Relation, name: CodedTerm, uid: str) -> bytes:
    """Return an item whose value is an identifier."""
    return _item(relation, "UIDREF", name, after=_element("UID", uid.encode()))


def number_item(
    relation: Relation,
    name: CodedTerm,
    value: float,
    unit: CodedTerm,
    children: Iterable[bytes] = (),
) -> bytes:
    """Return an item whose value is a number with its unit, to four decimals."""
    rounded = round(value, 4)
    measured = _sequence_item(
        _element("MeasurementUnitsCodeSequence", _coded(unit))
        + _element("FloatingPointValue", struct.pack("<d", rounded))
        + _element("NumericValue", f"{rounded:.10g}".encode())
    )
    measured = _element("MeasuredValueSequence", measured)
    return _item(relation, "NUM", name, after=measured + _content(children))


def image_item(
    relation: Relation, name: CodedTerm | None, image: tuple[str, str], segment: int | None = None
) -> bytes:
    """Return a reference to an image.

    Parameters
    ----------
    relation, name
        How it belongs to the container; an image of a library has no name.
    image
        SOP class and SOP instance.
    segment
        Number of the segment, for a segmentation.

    """
    sop_class, sop_instance = image
    reference = _element("ReferencedSOPClassUID", sop_class.encode()) + _element(
        "ReferencedSOPInstanceUID", sop_instance.encode()
    )
    if segment is not None:
        reference += _element("ReferencedSegmentNumber", struct.pack("<H", segment))
    before = _element("ReferencedSOPSequence", _sequence_item(reference))
    return _item(relation, "IMAGE", name, before=before)


def container_item(
    name: CodedTerm, children: Iterable[bytes], *, template: str | None = None
) -> bytes:
    """Return a container with its content, made by a template of PS3.16 if one is named."""
    after = _element("ContinuityOfContent", b"SEPARATE")
    if template is not None:
        after += _element("ContentTemplateSequence", _template(template))
    return _item(Relation.CONTAINS, "CONTAINER", name, after=after + _content(children))


def set_content(target: Dataset, children: Iterable[bytes]) -> None:
    """Write the content of a document; pydicom reads its items when they are asked for."""
    value = b"".join(map(_sequence_item, children))
    tag = Tag("ContentSequence")
    target[tag] = RawDataElement(tag, "SQ", len(value), value, 0, False, True)
    declared = target.get("SpecificCharacterSet")
    encodings = convert_encodings(declared) if declared else default_encoding
    target.set_original_encoding(False, True, encodings)


def _item(
    relation: Relation,
    value_type: str,
    name: CodedTerm | None,
    *,
    before: bytes = b"",
    after: bytes = b"",
) -> bytes:
    """Return an item with its elements in the order of their tags."""
    concept = b"" if name is None else _element("ConceptNameCodeSequence", _coded(name))
    kind = _element("RelationshipType", relation.encode()) + _element(
        "ValueType", value_type.encode()
    )
    return before + kind + concept + after


def _content(children: Iterable[bytes]) -> bytes:
    value = b"".join(map(_sequence_item, children))
    return _element("ContentSequence", value) if value else b""


def _sequence_item(elements: bytes) -> bytes:
    return _ITEM + struct.pack("<L", len(elements)) + elements


@cache
def _coded(term: CodedTerm) -> bytes:
    """Return a coded term as the only item of a sequence (PS3.3 8.8)."""
    return _sequence_item(
        _element("CodeValue", term.value.encode())
        + _element("CodingSchemeDesignator", term.scheme.encode())
        + _element("CodeMeaning", _ascii(term.meaning))
    )


@cache
def _template(identifier: str) -> bytes:
    return _sequence_item(
        _element("MappingResource", b"DCMR") + _element("TemplateIdentifier", identifier.encode())
    )


def _element(keyword: str, value: bytes) -> bytes:
    tag, kind = _tag_and_kind(keyword)
    if len(value) % 2:
        value += b"\0" if kind == "UI" else b" "
    length = "<2xL" if kind in _LONG else "<H"
    return tag + kind.encode() + struct.pack(length, len(value)) + value


@cache
def _tag_and_kind(keyword: str) -> tuple[bytes, str]:
    tag = Tag(tag_for_keyword(keyword) or 0)
    return struct.pack("<HH", tag.group, tag.element), dictionary_VR(tag)


def _ascii(text: str) -> bytes:
    return text.encode("ascii", "replace")
