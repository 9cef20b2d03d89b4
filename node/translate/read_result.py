"""A result object read back from an archive: proof of what actually arrived."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.uid import (
    ComprehensiveSRStorage,
    EncapsulatedPDFStorage,
    KeyObjectSelectionDocumentStorage,
    ParametricMapStorage,
    SegmentationStorage,
)

from node.errors import NotDicomError
from node.translate.equipment import MANUFACTURER
from node.translate.files import read_dataset
from node.translate.read_report import ReceivedNumber, read_numbers
from node.translate.results import ResultKind
from node.translate.values import text_of

_KINDS: dict[str, ResultKind] = {
    "MOCO": "moco",
    "MBF": "flow",
    "R2": "quality",
    "MPR": "reserve",
    "MBF_COLOUR": "colour",
    "MPR_COLOUR": "colour",
    "SUMMARY": "page",
    "MOVIE": "movie",
    "FAILURE": "failure",
}
"""By the last value of the image type."""
_KINDS_OF_CLASS: dict[str, ResultKind] = {
    ParametricMapStorage: "parametric",
    SegmentationStorage: "segmentation",
    ComprehensiveSRStorage: "report",
    EncapsulatedPDFStorage: "document",
    KeyObjectSelectionDocumentStorage: "retraction",
}
_WITHOUT_PIXELS = ("report", "document", "retraction")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ReceivedResult:
    """One result object as somebody else stored it."""

    kind: ResultKind
    sop_uid: str
    acquired_at: datetime | None
    """Acquisition time of the beat that it shows; None for pages."""
    values: NDArray[np.float64] | NDArray[np.uint8]
    """Physical values `(row, column)`, NaN where a map says nothing; or RGB `(row, column, 3)`.
    Float maps, masks and movies have all frames, first axis; empty for what has no pixels."""
    numbers: tuple[ReceivedNumber, ...] = ()
    """What a report says."""


def read_result(path: Path) -> ReceivedResult:
    """Read one of our result objects.

    Raises
    ------
    NotDicomError
        Not DICOM, or not a result object of this node.
    TransientError
        The file cannot be read.

    """
    dataset = read_dataset(path, with_pixels=True)
    kind = _kind_of(dataset)
    return ReceivedResult(
        kind=kind,
        sop_uid=str(dataset.SOPInstanceUID),
        acquired_at=_acquired_at(dataset),
        values=np.zeros(0) if kind in _WITHOUT_PIXELS else _values(dataset, kind),
        numbers=read_numbers(dataset) if kind == "report" else (),
    )


def _kind_of(dataset: Dataset) -> ResultKind:
    label = (text_of(dataset, "ImageType").split() or [""])[-1]
    kind = _KINDS_OF_CLASS.get(text_of(dataset, "SOPClassUID"), _KINDS.get(label))
    if kind is None or text_of(dataset, "Manufacturer") != MANUFACTURER:
        raise NotDicomError("not a result object of this node")
    return kind


def _acquired_at(dataset: Dataset) -> datetime | None:
    text = text_of(dataset, "AcquisitionDate") + text_of(dataset, "AcquisitionTime")
    return datetime.strptime(text, "%Y%m%d%H%M%S.%f") if text else None


def _values(dataset: Dataset, kind: ResultKind) -> NDArray[np.float64] | NDArray[np.uint8]:
    """Return physical values by the real-world value mapping, as a reader would."""
    stored = dataset.pixel_array
    if kind in ("page", "failure", "colour", "movie", "segmentation"):
        return stored.astype(np.uint8)
    if kind == "moco":
        return stored.astype(np.float64)
    if kind == "parametric":
        return np.where(stored == dataset.FloatPixelPaddingValue, np.nan, stored.astype(np.float64))
    mapping = dataset.RealWorldValueMappingSequence[0]
    slope, intercept = mapping.RealWorldValueSlope, mapping.RealWorldValueIntercept
    return np.where(stored > 0, stored * slope + intercept, np.nan)
