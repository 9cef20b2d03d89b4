"""What a report is told of one exam: its analysis and the objects that it speaks of."""

from collections.abc import Sequence
from dataclasses import dataclass

from pydicom.dataset import Dataset

from node.translate.context import ResultContext
from node.translate.results import ResultObject

Instance = tuple[str, str]
"""SOP class and SOP instance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedExam:
    """One exam with its maps and masks."""

    context: ResultContext
    maps: tuple[ResultObject, ...]
    """Classic flow maps in the order of the slices."""
    parametric: tuple[ResultObject, ...] = ()
    segmentations: tuple[ResultObject, ...] = ()

    @property
    def evidence(self) -> tuple[Dataset, ...]:
        """All objects that the report speaks of."""
        every = (*self.maps, *self.parametric, *self.segmentations)
        return tuple(result.dataset for result in every)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedMask:
    """Where the mask of a region is."""

    instance: Instance
    number: int
    """Segment number."""
    images: tuple[Instance, ...]
    """Maps that show the region."""


def instance_of(dataset: Dataset) -> Instance:
    """Return what names an object."""
    return str(dataset.SOPClassUID), str(dataset.SOPInstanceUID)


def find_masks(segmentations: Sequence[ResultObject]) -> dict[str, ReportedMask]:
    """Return the mask of each region by the name that it is tracked by.

    A region that is spread over several objects has no single mask and is left out.
    """
    found: dict[str, list[ReportedMask]] = {}
    for result in segmentations:
        for segment in result.dataset.SegmentSequence:
            mask = ReportedMask(
                instance=instance_of(result.dataset),
                number=int(segment.SegmentNumber),
                images=_images_of(result.dataset, int(segment.SegmentNumber)),
            )
            found.setdefault(str(segment.TrackingID), []).append(mask)
    return {name: masks[0] for name, masks in found.items() if len(masks) == 1}


def _images_of(segmentation: Dataset, number: int) -> tuple[Instance, ...]:
    """Return the images under the frames of a segment."""
    frames = [
        frame
        for frame in segmentation.PerFrameFunctionalGroupsSequence
        if frame.SegmentIdentificationSequence[0].ReferencedSegmentNumber == number
    ]
    sources = [frame.DerivationImageSequence[0].SourceImageSequence[0] for frame in frames]
    return tuple(
        (str(source.ReferencedSOPClassUID), str(source.ReferencedSOPInstanceUID))
        for source in sources
    )
