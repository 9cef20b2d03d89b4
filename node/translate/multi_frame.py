"""Frames of Enhanced and Legacy Converted Enhanced MR objects, each as one classic header.

A multi-frame object keeps what all frames share once, and the rest in functional groups (PS3.3
C.7.6.16). Here every frame becomes the header of a single classic image: values of the frame
first, then those shared by all frames, then those of the object, under the keywords of classic
MR. Nothing else in this software has to know that such objects exist.
"""

import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from io import BytesIO
from typing import Any

from pydicom.charset import default_encoding
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset, FileDataset
from pydicom.filereader import read_sequence
from pydicom.sequence import Sequence as Items
from pydicom.tag import BaseTag, Tag
from pydicom.uid import EnhancedMRImageStorage, LegacyConvertedEnhancedMRImageStorage

from node.errors import NotDicomError
from node.translate.classic_keywords import add_classic_keywords
from node.translate.copying import replace_value
from node.translate.elements import UNREADABLE
from node.translate.values import number_of, text_of
from node.translate.vendors import lift_private

MULTI_FRAME_CLASSES = frozenset({EnhancedMRImageStorage, LegacyConvertedEnhancedMRImageStorage})
MAX_FRAMES = 20_000
"""More than any scan; a damaged count must not fill the memory."""

_FRAMES_PER_OBJECT = 10_000
"""Room for the numbers of the frames of one object among those of its series."""
_NOT_OF_A_FRAME = frozenset(
    Tag(keyword)
    for keyword in (
        "SharedFunctionalGroupsSequence",
        "PerFrameFunctionalGroupsSequence",
        "NumberOfFrames",
        "DimensionOrganizationSequence",
        "DimensionOrganizationType",
        "DimensionIndexSequence",
        "ConcatenationUID",
        "SourceImageSequence",
    )
)
_GROUPS = frozenset(
    Tag(keyword)
    for keyword in (
        "FrameContentSequence",
        "PlanePositionSequence",
        "PlaneOrientationSequence",
        "PixelMeasuresSequence",
        "PixelValueTransformationSequence",
        "FrameVOILUTSequence",
        "TemporalPositionSequence",
        "CardiacSynchronizationSequence",
        "MRImageFrameTypeSequence",
        "MRTimingAndRelatedParametersSequence",
        "MREchoSequence",
        "MRModifierSequence",
        "MRImagingModifierSequence",
        "MRReceiveCoilSequence",
        "MRFOVGeometrySequence",
        "MRAveragesSequence",
        "UnassignedSharedConvertedAttributesSequence",
        "UnassignedPerFrameConvertedAttributesSequence",
    )
)
"""Functional groups whose attributes say something about one image (C.7.6.16.2, C.8.13.5)."""
_WHOLE_GROUPS = frozenset({Tag("RealWorldValueMappingSequence")})
"""Functional groups that classic images have too, as a sequence."""
_OF_OBJECT = frozenset(
    Tag(keyword)
    for keyword in (
        "SOPInstanceUID",
        "SOPClassUID",
        "StudyInstanceUID",
        "SeriesInstanceUID",
        "PatientID",
        "PatientName",
        "PatientBirthDate",
        "InstanceNumber",
        "Rows",
        "Columns",
    )
)
"""What a part of a header does not say about the whole."""
_ITEM = b"\xfe\xff\x00\xe0"

Elements = dict[BaseTag, DataElement | RawDataElement]


def is_multi_frame(dataset: Dataset) -> bool:
    """Whether a file is an object that may hold many frames."""
    return text_of(dataset, "SOPClassUID") in MULTI_FRAME_CLASSES


def is_consistent(dataset: Dataset) -> bool:
    """Whether there are functional groups for every frame, or none at all.

    With one too few nobody knows which is missing, and headers would slip against pixels.
    """
    n_groups = len(_items(dataset, "PerFrameFunctionalGroupsSequence"))
    return n_groups in {0, int(number_of(dataset, "NumberOfFrames") or 1)}


def flatten(dataset: FileDataset) -> Iterator[Dataset]:
    """Return one classic header per frame, in the order of the frames.

    Values are shared between the headers, which are not to be changed in place. A frame without
    functional groups has what the object says, and a group without a frame makes a header too:
    which of the two counts is wrong cannot be told (`is_consistent`), only that images are missing.

    Parameters
    ----------
    dataset
        An Enhanced or Legacy Converted Enhanced MR object, with or without pixels.

    Raises
    ------
    NotDicomError
        The declared number of frames is beyond reason.

    """
    declared = int(number_of(dataset, "NumberOfFrames") or 1)
    items = _items(dataset, "PerFrameFunctionalGroupsSequence")
    n_frames = max(declared, len(items), 1)
    if n_frames > MAX_FRAMES:
        raise NotDicomError(f"the file declares {n_frames} frames")
    kept = dataset.keys() - _NOT_OF_A_FRAME
    if n_frames > 1:
        _decode(dataset, kept)
    base = _elements_of(dataset, kept)
    shared = _items(dataset, "SharedFunctionalGroupsSequence")[:1]
    for index in range(n_frames):
        frame_number = None if n_frames == 1 else index + 1
        own = items[index : index + 1]
        yield _classic_header(dataset, base, (*shared, *own), frame_number)


def _classic_header(
    dataset: FileDataset, base: Elements, groups: Sequence[Dataset], frame_number: int | None
) -> Dataset:
    elements, holders = _lift(groups, base)
    header = Dataset(dict(elements))
    header.file_meta = dataset.file_meta
    for holder in holders:
        lift_private(holder, header)
    add_classic_keywords(header)
    if frame_number is not None:
        replace_value(header, "ReferencedFrameNumber", frame_number)
        replace_value(header, "InstanceNumber", _first_number(dataset) + frame_number)
    return header


def _lift(parts: Sequence[Dataset], base: Elements) -> tuple[Elements, list[Dataset]]:
    """Return the public elements of a frame, and the parts that may hold private ones.

    Functional groups count more than the object, and the last of them most. Some makers keep the
    classic header of a frame in a private sequence; it counts where nothing public says the same.
    """
    public: Elements = {}
    private: Elements = {}
    holders = []
    for part in parts:
        public |= _elements_of(part, part.keys() & _WHOLE_GROUPS)
        items = [
            item
            for value in _sequences(part, part.keys() & _GROUPS)
            if isinstance(value, Items)
            for item in value[:1]
        ]
        own = {tag for tag in part.keys() if tag.is_private}  # noqa: SIM118 - elements otherwise
        hidden = [item for value in _sequences(part, own) for item in _private_items(value)[:1]]
        for item in items:
            public |= _elements_of(item, _public(item))
        for item in hidden:
            private |= _elements_of(item, _public(item))
        holders += [part, *items, *hidden]
    return private | base | public, holders


def _items(dataset: Dataset, keyword: str) -> Sequence[Dataset]:
    """Return the items of a sequence; none when it is missing or no sequence."""
    value = dataset.get(keyword)
    return value if isinstance(value, Items) else ()


def _private_items(value: Any) -> Sequence[Dataset]:
    """Return the items of a private sequence, which an archive may have made into bytes."""
    if isinstance(value, bytes) and value.startswith(_ITEM):
        # Unknown sequences are stored implicit, little endian (PS3.5 6.2.2).
        return read_sequence(BytesIO(value), True, True, len(value), default_encoding)
    return value if isinstance(value, Items) else ()


def _public(item: Dataset) -> set[BaseTag]:
    return {tag for tag in item.keys() - _OF_OBJECT if not tag.is_private}


def _elements_of(dataset: Dataset, tags: Iterable[BaseTag]) -> Elements:
    """Return elements as they are; most of them are never asked for, and so never decoded."""
    return {tag: element for tag in tags if (element := dataset.get_item(tag)) is not None}


def _decode(dataset: Dataset, tags: Iterable[BaseTag]) -> None:
    """Decode what all frames share once and for all."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # odd values of other makers are not ours to report
        for tag in tags:
            with suppress(*UNREADABLE):
                _ = dataset[tag]


def _sequences(dataset: Dataset, tags: Iterable[BaseTag]) -> Iterator[Any]:
    """Return the values of elements that should be sequences."""
    for tag in tags:
        with suppress(*UNREADABLE):
            yield dataset[tag].value


def _first_number(dataset: Dataset) -> int:
    """Return what is added to the numbers of frames: those of two objects must not meet.

    One object numbered 1 has frames 1, 2, 3 ...; the parts of one that was divided into several
    files (C.7.6.16.1, Concatenation) say where they begin.
    """
    object_number = int(number_of(dataset, "InstanceNumber") or 1)
    offset = int(number_of(dataset, "ConcatenationFrameOffsetNumber") or 0)
    return max(object_number - 1, 0) * _FRAMES_PER_OBJECT + offset
