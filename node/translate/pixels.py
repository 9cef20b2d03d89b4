"""The pixels of images, on the scale their headers declare."""

import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileDataset
from pydicom.pixels.processing import apply_modality_lut
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from node.errors import NotDicomError, UnusableStudyError
from node.translate.codecs import Stored, can_decode, decode_frame
from node.translate.elements import Elements, tag_of
from node.translate.files import read_dataset, read_pixel_data
from node.translate.fragments import split_frames
from node.translate.headers import FrameHeader
from node.translate.scale import slope_and_intercept
from node.translate.values import items_of, number_of, text_of
from pipeline.findings import Code

Plane = NDArray[np.float32]
"""Shape `(row, column)`."""

_DESCRIBING = (
    "SamplesPerPixel",
    "PhotometricInterpretation",
    "PlanarConfiguration",
    "NumberOfFrames",
    "Rows",
    "Columns",
    "BitsAllocated",
    "BitsStored",
    "HighBit",
    "PixelRepresentation",
)
"""How the pixel data are to be understood (C.7.6.3)."""
_PLAIN = frozenset({ImplicitVRLittleEndian, ExplicitVRLittleEndian})
_UNREADABLE = (ValueError, TypeError, AttributeError, KeyError, NotImplementedError, RuntimeError)


def read_pixels(
    headers: Sequence[FrameHeader], progress: Callable[[float], None] | None = None
) -> tuple[Plane | None, ...]:
    """Return stored value x slope + intercept (C.11.1.1.2), one plane per header.

    Each file is read once, however many of its frames are asked for. None stands where the pixel
    data is missing, cut short or damaged, and for all frames of a file that does not hold as many
    as it declares: which of them is missing cannot be told.

    Parameters
    ----------
    headers
        The images wanted, in any order.
    progress
        Told the fraction done.

    Raises
    ------
    UnusableStudyError
        Pixel data is complete but of a kind that cannot be decoded here.
    TransientError
        A file cannot be opened or read.

    """
    files: dict[Path, list[int]] = {}
    for position, header in enumerate(headers):
        files.setdefault(header.path, []).append(position)
    planes: dict[int, Plane | None] = {}
    for n_read, (path, positions) in enumerate(files.items()):
        if progress is not None:
            progress(n_read / len(files))
        wanted = [headers[position] for position in positions]
        planes |= zip(positions, _read_file(path, wanted), strict=True)
    return tuple(planes[position] for position in range(len(headers)))


def _read_file(path: Path, headers: Sequence[FrameHeader]) -> Sequence[Plane | None]:
    """Return the planes of some frames of one file."""
    try:
        dataset = _read_image(path, headers[0])
    except NotDicomError:
        return [None] * len(headers)
    if not headers[0].has_pixels:
        return [None] * len(headers)
    _require_grey_planes(dataset, headers[0])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # odd values of other makers are not ours to report
        if can_decode(dataset.file_meta.TransferSyntaxUID):
            frames = _decompress(dataset, headers)
        else:
            frames = _read_plain(dataset, headers)
        return [
            None if stored is None else _scaled(stored, header.dataset)
            for stored, header in zip(frames, headers, strict=True)
        ]


def _read_image(path: Path, header: FrameHeader) -> FileDataset:
    """Return pixels and what describes them, which a header of one image has said already."""
    known = header.dataset
    if header.pixels_begin is None or not isinstance(known, FileDataset):
        return read_dataset(path, with_pixels=True, only=(*_DESCRIBING, "PixelData"))
    pixels = read_pixel_data(path, known, header.pixels_begin)
    elements: Elements = {
        tag: element
        for tag in map(tag_of, _DESCRIBING)
        if (element := known.get_item(tag)) is not None
    }
    if pixels is not None:
        elements[pixels.tag] = pixels
    is_implicit, is_little_endian = known.original_encoding
    return FileDataset(
        path, elements, None, known.file_meta, bool(is_implicit), bool(is_little_endian)
    )


def _require_grey_planes(dataset: FileDataset, header: FrameHeader) -> None:
    n_frames = number_of(dataset, "NumberOfFrames") or 1
    n_samples = number_of(dataset, "SamplesPerPixel") or 1
    is_one_of_many = header.frame_number is not None
    if n_samples != 1 or (n_frames > 1 and not is_one_of_many):
        raise UnusableStudyError(
            Code.UNSUPPORTED_SEQUENCE,
            f"Series {header.series_number} holds images that are not single grey planes.",
        )


def _decompress(dataset: FileDataset, headers: Sequence[FrameHeader]) -> list[Stored | None]:
    """Decode the frames that are wanted; a damaged one is None."""
    try:
        frames = split_frames(dataset)
    except _UNREADABLE:
        frames = []
    return [
        _decompress_frame(frames[position], dataset, header) if position < len(frames) else None
        for header in headers
        for position in (_position(header),)
    ]


def _decompress_frame(frame: bytes, dataset: FileDataset, header: FrameHeader) -> Stored | None:
    try:
        return decode_frame(
            frame,
            dataset.file_meta.TransferSyntaxUID,
            header.shape,
            bits_stored=int(number_of(dataset, "BitsStored") or 16),
            is_signed=number_of(dataset, "PixelRepresentation") == 1,
        )
    except _UNREADABLE:
        return None


def _read_plain(dataset: FileDataset, headers: Sequence[FrameHeader]) -> list[Stored | None]:
    """Return the frames that are wanted of uncompressed data, or of a kind that pydicom knows."""
    if not _has_all_pixels(dataset):
        return [None] * len(headers)
    try:
        stored = dataset.pixel_array if _needs_pydicom(dataset) else _view(dataset)
    except _UNREADABLE as error:
        raise UnusableStudyError(
            Code.UNSUPPORTED_SEQUENCE,
            f"The pixels of series {headers[0].series_number} cannot be decoded "
            f"({dataset.file_meta.TransferSyntaxUID.name}).",
        ) from error
    frames = stored if stored.ndim == 3 else stored[np.newaxis]
    positions = [_position(header) for header in headers]
    return [frames[position] if position < len(frames) else None for position in positions]


def _needs_pydicom(dataset: FileDataset) -> bool:
    """Whether pixels are not simply 16-bit numbers, one after another and lowest byte first."""
    return (
        dataset.file_meta.TransferSyntaxUID not in _PLAIN
        or number_of(dataset, "BitsAllocated") != 16
        or not 1 <= (number_of(dataset, "BitsStored") or 0) <= 16
        or number_of(dataset, "PixelRepresentation") not in {0, 1}
        or not text_of(dataset, "PhotometricInterpretation").startswith("MONOCHROME")
    )


def _view(dataset: FileDataset) -> Stored:
    n_frames, n_rows, n_columns = (
        int(number_of(dataset, keyword) or 1) for keyword in ("NumberOfFrames", "Rows", "Columns")
    )
    kind = "<i2" if number_of(dataset, "PixelRepresentation") else "<u2"
    pixels = np.frombuffer(dataset.PixelData, kind, count=n_frames * n_rows * n_columns)
    return pixels.reshape(n_frames, n_rows, n_columns)


def _position(header: FrameHeader) -> int:
    return (header.frame_number or 1) - 1


def _scaled(stored: Stored, header: Dataset) -> Plane:
    if items_of(header, "ModalityLUTSequence"):
        return np.asarray(apply_modality_lut(stored, header), dtype=np.float32)
    slope, intercept = slope_and_intercept(header)
    return (stored.astype(np.float64) * slope + intercept).astype(np.float32)


def _has_all_pixels(dataset: FileDataset) -> bool:
    """Compare the bytes that are there with the bytes that must be (PS3.5 8.1.1)."""
    n_bytes = len(dataset.get("PixelData") or b"")
    is_compressed = dataset.file_meta.TransferSyntaxUID.is_encapsulated
    if is_compressed:
        return n_bytes > 0
    expected = _expected_bytes(dataset)
    n_frames = int(number_of(dataset, "NumberOfFrames") or 1)
    has_more_frames = n_frames > 1 and n_bytes >= expected + expected // n_frames
    return 0 < expected <= n_bytes and not has_more_frames


def _expected_bytes(dataset: Dataset) -> int:
    n_bits = (number_of(dataset, "SamplesPerPixel") or 1) * (
        number_of(dataset, "NumberOfFrames") or 1
    )
    for keyword in ("Rows", "Columns", "BitsAllocated"):
        n_bits *= number_of(dataset, keyword) or 0
    return int(n_bits) // 8
