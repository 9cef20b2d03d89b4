"""The header of every image as a frozen value. Pixels are read later, and only where needed."""

import hashlib
import re
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset

from node.errors import NotDicomError, TransientError
from node.translate.files import DAMAGED, read_header
from node.translate.multi_frame import flatten, is_consistent, is_multi_frame
from node.translate.scale import set_real_world_scale
from node.translate.values import number_of, numbers_of, source_key, text_of
from node.translate.vendors import Meaning, complete_header, private_text
from pipeline.types import Geometry, Vector

_NAME_KEYWORDS = (
    "SeriesDescription",
    "ProtocolName",
    "SequenceName",
    "ImageComments",
    "ImageType",
)
_NAME_MEANINGS = (Meaning.IMAGE_TYPE_TEXT, Meaning.PULSE_SEQUENCE)
_MAX_AXIS_ERROR = 0.01
_UID = re.compile(r"[0-9.]{1,64}")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FrameHeader:
    """What the header of one image says.

    `dataset` is the pixel-free header itself, kept for the result objects made from it.
    """

    path: Path
    dataset: Dataset
    study_uid: str
    series_uid: str
    sop_uid: str
    sop_class_uid: str
    patient_digest: str
    """SHA-256 of patient ID, name and birth date: tells two patients apart without naming them."""
    series_number: int
    names: str
    """All texts in which the role of a series may be written."""
    protocol: str
    """Protocol name and series description: where the rules of config.yaml look."""
    station: str
    """Station name of the scanner; rules may be for one scanner only."""
    image_type: tuple[str, ...]
    shape: tuple[int, int]
    """Rows, columns."""
    geometry: Geometry | None
    """None when position, orientation or spacing is missing or impossible."""
    echo_time_ms: float
    has_pixels: bool = True
    """False where the file contradicts itself on which frame is which."""
    frame_number: int | None = None
    """Position in a multi-frame object, counted from 1; None where the file is one image."""
    pixels_begin: int | None = None
    """Where the pixel data of a file begin, bytes; None where the header has to be read again."""

    @property
    def key(self) -> str:
        """Tells two images apart, in one file or in several."""
        return source_key(self.dataset)

    @property
    def is_derived(self) -> bool:
        """Whether the pixels were computed from other images."""
        return self.image_type[:1] == ("DERIVED",)


def read_headers(path: Path) -> tuple[FrameHeader, ...]:
    """Read the header of every image in a file, in the order of the frames.

    Raises
    ------
    NotDicomError
        Not DICOM, damaged, or without the identifiers that every instance must have.
    TransientError
        The file cannot be opened or read.

    """
    dataset, end = read_header(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if not is_multi_frame(dataset):
                return (_header(path, dataset, has_pixels=is_consistent(dataset), begin=end),)
            frames = flatten(dataset)
            has_pixels = is_consistent(dataset)
            return tuple(_header(path, frame, has_pixels=has_pixels) for frame in frames)
    except DAMAGED as error:
        raise NotDicomError("the header is damaged") from error


def find_reference(paths: Iterable[Path]) -> Dataset | None:
    """Return the header of the first readable image, to carry identity into a failure page.

    None when no image is readable, and when the images are of more than one patient: a page
    would land in the record of either.
    """
    headers = []
    for path in sorted(paths):
        try:
            headers.append(read_headers(path)[0])
        except (NotDicomError, TransientError):
            continue
    if len({header.patient_digest for header in headers}) != 1:
        return None
    return headers[0].dataset


def _header(
    path: Path, dataset: Dataset, *, has_pixels: bool, begin: int | None = None
) -> FrameHeader:
    complete_header(dataset)
    set_real_world_scale(dataset)
    frame = number_of(dataset, "ReferencedFrameNumber")
    return FrameHeader(
        path=path,
        dataset=dataset,
        study_uid=_required_uid(dataset, "StudyInstanceUID"),
        series_uid=_required_uid(dataset, "SeriesInstanceUID"),
        sop_uid=_required_uid(dataset, "SOPInstanceUID"),
        sop_class_uid=_required_uid(dataset, "SOPClassUID"),
        patient_digest=_patient_digest(dataset),
        series_number=int(number_of(dataset, "SeriesNumber") or 0),
        names=_names(dataset),
        protocol=f"{text_of(dataset, 'ProtocolName')} {text_of(dataset, 'SeriesDescription')}",
        station=text_of(dataset, "StationName"),
        image_type=tuple(text_of(dataset, "ImageType").split()),
        shape=(int(number_of(dataset, "Rows") or 0), int(number_of(dataset, "Columns") or 0)),
        geometry=_geometry(dataset),
        echo_time_ms=number_of(dataset, "EchoTime") or 0.0,
        has_pixels=has_pixels,
        frame_number=None if frame is None else int(frame),
        pixels_begin=begin,
    )


def _names(dataset: Dataset) -> str:
    texts = [text_of(dataset, keyword) for keyword in _NAME_KEYWORDS]
    texts += [private_text(dataset, meaning) for meaning in _NAME_MEANINGS]
    return " ".join(text for text in texts if text)


def _required_uid(dataset: Dataset, keyword: str) -> str:
    """Return a UID; components with leading zeros, which some makers write, are let through."""
    value = text_of(dataset, keyword)
    if not _UID.fullmatch(value):
        raise NotDicomError(f"{keyword} is missing or not a UID")
    return value


def _patient_digest(dataset: Dataset) -> str:
    return _digest(*(text_of(dataset, f"Patient{what}") for what in ("ID", "Name", "BirthDate")))


@lru_cache
def _digest(patient_id: str, name: str, birth_date: str) -> str:
    plain_name = re.sub(r"[\s^=]+", " ", name).strip().casefold()
    return hashlib.sha256(f"{patient_id}\0{plain_name}\0{birth_date}".encode()).hexdigest()


def _geometry(dataset: Dataset) -> Geometry | None:
    origin = numbers_of(dataset, "ImagePositionPatient", 3)
    axes = numbers_of(dataset, "ImageOrientationPatient", 6)
    spacing = numbers_of(dataset, "PixelSpacing", 2)
    if origin is None or axes is None or spacing is None or min(spacing) <= 0:
        return None
    return _geometry_of(origin, axes, spacing, number_of(dataset, "SliceThickness") or 0.0)


@lru_cache
def _geometry_of(
    origin: tuple[float, ...],
    axes: tuple[float, ...],
    spacing: tuple[float, ...],
    thickness_mm: float,
) -> Geometry | None:
    """Return one geometry for all images of a slice."""
    row, column = np.array(axes[:3]), np.array(axes[3:])
    lengths = np.linalg.norm(row), np.linalg.norm(column)
    if max(abs(lengths[0] - 1), abs(lengths[1] - 1), abs(row @ column)) > _MAX_AXIS_ERROR:
        return None
    return Geometry(
        spacing_mm=(spacing[0], spacing[1]),
        thickness_mm=thickness_mm,
        origin_mm=_vector(np.array(origin)),
        row_direction=_vector(row / lengths[0]),
        column_direction=_vector(column / lengths[1]),
    )


def _vector(values: np.ndarray) -> Vector:
    return float(values[0]), float(values[1]), float(values[2])
