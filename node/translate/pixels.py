"""The pixels of one image, on the scale its header declares."""

import warnings

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileDataset
from pydicom.pixels.processing import apply_rescale

from node.errors import NotDicomError, UnusableStudyError
from node.translate.headers import FrameHeader, read_dataset
from node.translate.values import number_of
from pipeline.findings import Code

_UNREADABLE = (ValueError, TypeError, AttributeError, KeyError, NotImplementedError, RuntimeError)


def read_pixels(header: FrameHeader) -> NDArray[np.float32] | None:
    """Return stored value x slope + intercept (C.11.1.1.2). Shape `(row, column)`.

    None when the pixel data is missing or cut short.

    Raises
    ------
    UnusableStudyError
        Pixel data is complete but of a kind that cannot be decoded here.
    TransientError
        The file cannot be opened or read.

    """
    try:
        dataset = read_dataset(header.path, with_pixels=True)
    except NotDicomError:
        return None
    if not _has_all_pixels(dataset):
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            pixels = apply_rescale(dataset.pixel_array, dataset)
    except _UNREADABLE as error:
        raise UnusableStudyError(
            Code.UNSUPPORTED_SEQUENCE,
            f"The pixels of series {header.series_number} cannot be decoded "
            f"({dataset.file_meta.TransferSyntaxUID.name}).",
        ) from error
    if pixels.shape != header.shape:
        raise UnusableStudyError(
            Code.UNSUPPORTED_SEQUENCE,
            f"Series {header.series_number} holds images that are not single grey planes.",
        )
    return np.asarray(pixels, dtype=np.float32)


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
