"""The pixels of images, on the scale their headers declare."""

import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileDataset
from pydicom.pixels.processing import apply_rescale

from node.errors import NotDicomError, UnusableStudyError
from node.translate.headers import FrameHeader, read_dataset
from node.translate.values import number_of
from pipeline.findings import Code

Plane = NDArray[np.float32]
"""Shape `(row, column)`."""

_UNREADABLE = (ValueError, TypeError, AttributeError, KeyError, NotImplementedError, RuntimeError)


def read_pixels(
    headers: Sequence[FrameHeader], progress: Callable[[float], None] | None = None
) -> tuple[Plane | None, ...]:
    """Return stored value x slope + intercept (C.11.1.1.2), one plane per header.

    Each file is read once, however many of its frames are asked for. None stands where the pixel
    data is missing or cut short.

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
        dataset = read_dataset(path, with_pixels=True)
    except NotDicomError:
        return [None] * len(headers)
    if not _has_all_pixels(dataset):
        return [None] * len(headers)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            stored = dataset.pixel_array
            frames = stored if stored.ndim == 3 else stored[np.newaxis]
            return [_plane(frames, header) for header in headers]
    except _UNREADABLE as error:
        raise UnusableStudyError(
            Code.UNSUPPORTED_SEQUENCE,
            f"The pixels of series {headers[0].series_number} cannot be decoded "
            f"({dataset.file_meta.TransferSyntaxUID.name}).",
        ) from error


def _plane(frames: NDArray[np.generic], header: FrameHeader) -> Plane | None:
    position = (header.frame_number or 1) - 1
    if position >= len(frames):
        return None
    if frames.shape[1:] != header.shape:
        raise UnusableStudyError(
            Code.UNSUPPORTED_SEQUENCE,
            f"Series {header.series_number} holds images that are not single grey planes.",
        )
    return np.asarray(apply_rescale(frames[position], header.dataset), dtype=np.float32)


def _has_all_pixels(dataset: FileDataset) -> bool:
    """Compare the bytes that are there with the bytes that must be (PS3.5 8.1.1)."""
    n_bytes = len(dataset.get("PixelData") or b"")
    is_compressed = dataset.file_meta.TransferSyntaxUID.is_encapsulated
    return n_bytes > 0 and (is_compressed or n_bytes >= _expected_bytes(dataset))


def _expected_bytes(dataset: Dataset) -> int:
    n_bits = number_of(dataset, "SamplesPerPixel") or 1
    for keyword in ("Rows", "Columns", "BitsAllocated"):
        n_bits *= number_of(dataset, keyword) or 0
    return int(n_bits) // 8
