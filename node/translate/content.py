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
from pydicom.dataset import Dataset

from node.translate.codes import CodedTerm, pack_code
from node.translate.elements import item_of, pack_text, pack_value, plain_element, tag_of


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
    return _item(relation, "TEXT", name, after=pack_text("TextValue", text))


def code_item(
    relation: Relation, name: CodedTerm, value: CodedTerm, children: Iterable[bytes] = ()
) -> bytes:
    """Return an item whose value is a coded term."""
    coded = pack_value("ConceptCodeSequence", pack_code(value))
    return _item(relation, "CODE", name, after=coded + _content(children))


def uid_item(relation: Relation, name: CodedTerm, uid: str) -> bytes:
    """Return an item whose value is an identifier."""
    return _item(relation, "UIDREF", name, after=pack_value("UID", uid.encode()))


def number_item(
    relation: Relation,
    name: CodedTerm,
    value: float,
    unit: CodedTerm,
    children: Iterable[bytes] = (),
) -> bytes:
    """Return an item whose value is a number with its unit, to four decimals."""
    rounded = round(value, 4)
    measured = item_of(
        pack_value("MeasurementUnitsCodeSequence", pack_code(unit))
        + pack_value("FloatingPointValue", struct.pack("<d", rounded))
        + pack_value("NumericValue", f"{rounded:.10g}".encode())
    )
    measured = pack_value("MeasuredValueSequence", measured)
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
    reference = pack_value("ReferencedSOPClassUID", sop_class.encode()) + pack_value(
        "ReferencedSOPInstanceUID", sop_instance.encode()
    )
    if segment is not None:
        reference += pack_value("ReferencedSegmentNumber", struct.pack("<H", segment))
    before = pack_value("ReferencedSOPSequence", item_of(reference))
    return _item(relation, "IMAGE", name, before=before)


def container_item(
    name: CodedTerm, children: Iterable[bytes], *, template: str | None = None
) -> bytes:
    """Return a container with its content, made by a template of PS3.16 if one is named."""
    after = pack_value("ContinuityOfContent", b"SEPARATE")
    if template is not None:
        after += pack_value("ContentTemplateSequence", _template(template))
    return _item(Relation.CONTAINS, "CONTAINER", name, after=after + _content(children))


def set_content(target: Dataset, children: Iterable[bytes]) -> None:
    """Write the content of a document; pydicom reads its items when they are asked for."""
    value = b"".join(map(item_of, children))
    target[tag_of("ContentSequence")] = plain_element("ContentSequence", "SQ", value)
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
    concept = b"" if name is None else pack_value("ConceptNameCodeSequence", pack_code(name))
    kind = pack_value("RelationshipType", relation.encode()) + pack_value(
        "ValueType", value_type.encode()
    )
    return before + kind + concept + after


def _content(children: Iterable[bytes]) -> bytes:
    value = b"".join(map(item_of, children))
    return pack_value("ContentSequence", value) if value else b""


@cache
def _template(identifier: str) -> bytes:
    return item_of(
        pack_value("MappingResource", b"DCMR")
        + pack_value("TemplateIdentifier", identifier.encode())
    )
