"""Deflated files: found on disks, never taken from the network.

A kilobyte of a deflated file can grow to a megabyte, so it is inflated up to a bound only.
"""

import zlib
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from pydicom.dataset import FileDataset
from pydicom.filereader import read_dataset, read_file_meta_info
from pydicom.tag import BaseTag, Tag
from pydicom.uid import DeflatedExplicitVRLittleEndian

from node.errors import NotDicomError

MAX_BYTES = 512 * 2**20
"""Several times the largest perfusion series in one object."""
_PREAMBLE = 132
_GROUP_LENGTH = 12
"""Bytes of the element that gives the length of the file meta information."""
_HEAD = 512
_PIXEL_DATA = Tag("PixelData")


def is_deflated(file: BinaryIO) -> bool:
    """Whether a file says that it is deflated; it is left at its beginning."""
    head = file.read(_HEAD)
    file.seek(0)
    return DeflatedExplicitVRLittleEndian.encode("ascii") in head[_PREAMBLE:]


def read_deflated(path: Path, *, with_pixels: bool) -> FileDataset:
    """Read a deflated file (PS3.5 A.5).

    Raises
    ------
    NotDicomError
        It is cut short, or larger inside than any image here.
    zlib.error
        It is not deflated.

    """
    meta = read_file_meta_info(path)
    start = _PREAMBLE + _GROUP_LENGTH + int(meta.FileMetaInformationGroupLength)
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    body = inflater.decompress(path.read_bytes()[start:], MAX_BYTES)
    if not inflater.eof:
        raise NotDicomError("the deflated file is cut short, or too large inside")
    dataset = read_dataset(
        BytesIO(body),
        is_implicit_VR=False,
        is_little_endian=True,
        stop_when=None if with_pixels else _is_pixel_data,
    )
    return FileDataset(path, dataset, file_meta=meta, is_implicit_VR=False, is_little_endian=True)


def _is_pixel_data(tag: BaseTag, _kind: str | None, _length: int) -> bool:
    return bool(tag == _PIXEL_DATA)
