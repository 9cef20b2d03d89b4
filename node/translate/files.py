"""DICOM files: a header, the pixels behind it, or all of it."""

import struct
import warnings
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pydicom.filereader
from pydicom import dcmread
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset, FileDataset
from pydicom.errors import BytesLengthException, InvalidDicomError

from node.errors import NotDicomError, TransientError
from node.translate.deflated import is_deflated, read_deflated
from node.translate.elements import Element, tag_of

DAMAGED = (
    InvalidDicomError,
    BytesLengthException,
    EOFError,
    struct.error,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
    NotImplementedError,
    RecursionError,
    zlib.error,
)
"""What pydicom raises on bytes that are not DICOM, cut short, or garbled."""
_UNDEFINED_LENGTH = 0xFFFFFFFF


def read_dataset(
    path: Path, *, with_pixels: bool, only: Sequence[str] | None = None
) -> FileDataset:
    """Read a DICOM file, or some of its elements.

    Raises
    ------
    NotDicomError
        Not DICOM, or damaged beyond reading.
    TransientError
        The file cannot be opened or read.

    """
    dataset, _ = _read(path, with_pixels=with_pixels, only=only)
    return dataset


def read_header(path: Path) -> tuple[FileDataset, int | None]:
    """Read what stands before the pixels, and where they begin; None where that is no place.

    Raises as `read_dataset`.
    """
    return _read(path, with_pixels=False)


def read_pixel_data(path: Path, header: Dataset, begin: int) -> Element | None:
    """Read the pixel data of a file whose header was read before; None where there are none.

    Parameters
    ----------
    path
        The file.
    header
        What was read of it.
    begin
        Where its pixel data begin, bytes from the start of the file.

    Raises
    ------
    NotDicomError
        Damaged beyond reading.
    TransientError
        The file cannot be opened or read.

    """
    is_implicit, is_little_endian = header.original_encoding
    with _translate_errors(), path.open("rb") as file:
        file.seek(begin)
        rest = pydicom.filereader.read_dataset(file, bool(is_implicit), bool(is_little_endian))
    element: Element | None = rest.get_item(tag_of("PixelData"))
    return element


def _read(
    path: Path, *, with_pixels: bool, only: Sequence[str] | None = None
) -> tuple[FileDataset, int | None]:
    with _translate_errors(), path.open("rb") as file:
        if is_deflated(file):
            dataset, end = read_deflated(path, with_pixels=with_pixels), None
        else:
            tags = None if only is None else list(only)
            dataset = dcmread(file, stop_before_pixels=not with_pixels, specific_tags=tags)
            end = file.tell()
    if not with_pixels and _is_cut(dataset):
        raise NotDicomError("the file is cut short inside its header")
    return dataset, end


@contextmanager
def _translate_errors() -> Iterator[None]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # odd values of other makers are not ours to report
            yield
    except OSError as error:
        raise TransientError(f"a received file cannot be read: {error.strerror}") from error
    except DAMAGED as error:
        raise NotDicomError("the file is not DICOM, or damaged") from error


def _is_cut(dataset: FileDataset) -> bool:
    """Whether a value is shorter than its length field says; pydicom does not complain."""
    return any(
        isinstance(element, RawDataElement)
        and element.value is not None
        and element.length != _UNDEFINED_LENGTH
        and len(element.value) < element.length
        for _, element in dataset.items()
    )
