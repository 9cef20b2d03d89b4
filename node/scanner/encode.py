"""A data set becomes a file in one of the transfer syntaxes that lose nothing (PS3.5 A)."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from imagecodecs import jpeg2k_encode, jpeg8_encode
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from node.scanner.dialect import Syntax
from node.version import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME

_UIDS: Mapping[Syntax, UID] = {
    Syntax.EXPLICIT: ExplicitVRLittleEndian,
    Syntax.IMPLICIT: ImplicitVRLittleEndian,
    Syntax.DEFLATED: DeflatedExplicitVRLittleEndian,
    Syntax.RLE: RLELossless,
    Syntax.JPEG_LS: JPEGLSLossless,
    Syntax.JPEG_2000: JPEG2000Lossless,
    Syntax.JPEG_LOSSLESS: JPEGLosslessSV1,
}
_NATIVE = frozenset({Syntax.EXPLICIT, Syntax.IMPLICIT, Syntax.DEFLATED})
_PREVIOUS_PIXEL = 1
"""Predictor of JPEG lossless, selection value 1 (PS3.5 8.2.1)."""


def save(item: Dataset, path: Path, syntax: Syntax) -> None:
    """Write an object with native pixel data as a file.

    The object itself is changed: its pixel data become those of the file.
    """
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = item.SOPClassUID
    meta.MediaStorageSOPInstanceUID = item.SOPInstanceUID
    meta.TransferSyntaxUID = _UIDS[Syntax.EXPLICIT]
    meta.ImplementationClassUID = UID(IMPLEMENTATION_CLASS_UID)
    meta.ImplementationVersionName = IMPLEMENTATION_VERSION_NAME
    item.file_meta = meta
    if syntax in _ENCODERS:
        _encapsulate(item, _ENCODERS[syntax])
    elif syntax not in _NATIVE:
        item.compress(_UIDS[syntax], generate_instance_uid=False)
    meta.TransferSyntaxUID = _UIDS[syntax]
    item.save_as(path, enforce_file_format=True)


def _encapsulate(item: Dataset, encode: Callable[[NDArray[Any], int], bytes]) -> None:
    """Replace native pixel data by one code stream per frame (PS3.5 A.4)."""
    kind = "<i2" if item.PixelRepresentation else "<u2"
    frames = np.frombuffer(item.PixelData, kind).reshape(-1, item.Rows, item.Columns)
    item.PixelData = encapsulate([encode(frame, item.BitsStored) for frame in frames])
    item["PixelData"].is_undefined_length = True
    item["PixelData"].VR = "OB"


def _jpeg_lossless(frame: NDArray[Any], n_bits: int) -> bytes:
    unsigned = frame.view("<u2")  # the process knows no sign; its bits are kept
    return bytes(
        jpeg8_encode(unsigned, lossless=True, bitspersample=n_bits, predictor=_PREVIOUS_PIXEL)
    )


def _jpeg_2000(frame: NDArray[Any], n_bits: int) -> bytes:
    stream = jpeg2k_encode(frame, level=0, codecformat="j2k", reversible=True, bitspersample=n_bits)
    return bytes(stream)


_ENCODERS: Mapping[Syntax, Callable[[NDArray[Any], int], bytes]] = {
    Syntax.JPEG_2000: _jpeg_2000,
    Syntax.JPEG_LOSSLESS: _jpeg_lossless,
}
"""Those that pydicom has not, or only with a chain of packages."""
