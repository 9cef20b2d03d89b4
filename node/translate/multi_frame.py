"""Frames of Enhanced and Legacy Converted Enhanced MR objects, each as one classic header.

A multi-frame object keeps what all frames share once, and the rest in functional groups (PS3.3
C.7.6.16). Here every frame becomes the header of a single classic image: values of the frame
first, then those shared by all frames, then those of the object, under the keywords of classic
MR. Nothing else in this software has to know that such objects exist.
"""

import warnings
from collections.abc import Iterable, Iterator, Mapping

from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset, FileDataset
from pydicom.tag import BaseTag, Tag
from pydicom.uid import EnhancedMRImageStorage, LegacyConvertedEnhancedMRImageStorage

from node.errors import NotDicomError
from node.translate.classic_keywords import add_classic_keywords
from node.translate.copying import UNREADABLE
from node.translate.values import number_of

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
_ELEMENTS_OF_OBJECT = frozenset(
    Tag(keyword) for keyword in ("SOPInstanceUID", "SOPClassUID", "InstanceNumber")
)

Elements = dict[BaseTag, DataElement]


def is_multi_frame(dataset: Dataset) -> bool:
    """Whether a file is an object that may hold many frames."""
    return dataset.get("SOPClassUID") in MULTI_FRAME_CLASSES


def flatten(dataset: FileDataset) -> Iterator[Dataset]:
    """Return one classic header per frame, in the order of the frames.

    Values are shared between the headers, which are not to be changed in place. A frame without
    functional groups has what the object says, and a group without a frame makes a header too:
    which of the two counts is wrong cannot be told, and either way something is missing.

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
    items = dataset.get("PerFrameFunctionalGroupsSequence") or ()
    n_frames = max(declared, len(items), 1)
    if n_frames > MAX_FRAMES:
        raise NotDicomError(f"the file declares {n_frames} frames")
    shared = dataset.get("SharedFunctionalGroupsSequence") or (Dataset(),)
    base = _of_object(dataset) | _lift(shared[0])
    for index in range(n_frames):
        own = _lift(items[index]) if index < len(items) else {}
        yield _classic_header(dataset, base | own, None if n_frames == 1 else index + 1)


def _of_object(dataset: Dataset) -> Elements:
    return {
        element.tag: element
        for element in _readable(dataset, dataset.keys() - _NOT_OF_A_FRAME)
        if element.keyword != "PixelData"
    }


def _lift(groups: Dataset) -> Elements:
    """Return the attributes in the functional groups of a frame, or shared by all frames."""
    lifted: Elements = {}
    for group in _readable(groups, groups.keys()):
        if group.tag in _WHOLE_GROUPS:
            lifted[group.tag] = group
        elif group.tag in _GROUPS and group.value:
            item = group.value[0]
            lifted |= {
                element.tag: element
                for element in _readable(item, item.keys() - _ELEMENTS_OF_OBJECT)
                if not element.is_empty
            }
    return lifted


def _readable(dataset: Dataset, tags: Iterable[BaseTag]) -> Iterator[DataElement]:
    """Return the elements that can be decoded; pydicom decodes when they are asked for."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # odd values of other makers are not ours to report
        for tag in sorted(tags):
            try:
                yield dataset[tag]
            except UNREADABLE:
                continue


def _classic_header(
    dataset: FileDataset, elements: Mapping[BaseTag, DataElement], frame_number: int | None
) -> Dataset:
    header = Dataset(dict(elements))
    header.file_meta = dataset.file_meta
    add_classic_keywords(header)
    if frame_number is not None:
        header.ReferencedFrameNumber = frame_number
        header.InstanceNumber = _first_number(dataset) + frame_number
    return header


def _first_number(dataset: Dataset) -> int:
    """Return what is added to the numbers of frames: those of two objects must not meet.

    One object numbered 1 has frames 1, 2, 3 ...; the parts of one that was divided into several
    files (C.7.6.16.1, Concatenation) say where they begin.
    """
    object_number = int(number_of(dataset, "InstanceNumber") or 1)
    offset = int(number_of(dataset, "ConcatenationFrameOffsetNumber") or 0)
    return max(object_number - 1, 0) * _FRAMES_PER_OBJECT + offset
