"""The pixels of images, on the scale their headers declare."""

import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileDataset
from pydicom.pixels.processing import apply_modality_lut

from node.errors import NotDicomError, UnusableStudyError
from node.translate.codecs import Stored, can_decode, decode_frame
from node.translate.fragments import split_frames
from node.translate.headers import FrameHeader, read_dataset
from node.translate.scale import slope_and_intercept
from node.translate.values import number_of
from pipeline.findings import Code

Plane = NDArray[np.float32]
"""Shape `(row, column)`."""

_PIXEL_KEYWORDS = (
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
    "PixelData",
)
"""What decoding needs beside the header that was read before (C.7.6.3)."""
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
        dataset = read_dataset(path, with_pixels=True, only=_PIXEL_KEYWORDS)
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
        stored = dataset.pixel_array
    except _UNREADABLE as error:
        raise UnusableStudyError(
            Code.UNSUPPORTED_SEQUENCE,
            f"The pixels of series {headers[0].series_number} cannot be decoded "
            f"({dataset.file_meta.TransferSyntaxUID.name}).",
        ) from error
    frames = stored if stored.ndim == 3 else stored[np.newaxis]
    positions = [_position(header) for header in headers]
    return [frames[position] if position < len(frames) else None for position in positions]


def _position(header: FrameHeader) -> int:
    return (header.frame_number or 1) - 1


def _scaled(stored: Stored, header: Dataset) -> Plane:
    if header.get("ModalityLUTSequence"):
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
