"""Compressed frames into stored values: RLE, JPEG-LS, JPEG 2000 and lossless JPEG.

Every codec here is maintained and of a permissive licence. RLE segments are decoded by
pylibjpeg-rle, which cannot read beyond its input; the others by imagecodecs (CharLS, OpenJPEG, and
jpegsof3, which notices a stream cut short where another decoder returns noise). What a stream says
about its size is compared with the header before a decoder sees it. A decoder may still crash on
hostile bytes; it runs in the worker, which the receiver outlives.
"""

import struct
from collections.abc import Callable, Mapping

import imagecodecs
import numpy as np
from numpy.typing import NDArray
from pydicom.uid import (
    JPEG2000,
    JPEG2000Lossless,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)
from rle.rle import decode_segment

Stored = NDArray[np.integer]
"""Stored values of one frame. Shape `(row, column)`."""
Shape = tuple[int, int]

_RLE_HEADER = struct.Struct("<16I")
_SEGMENT = struct.Struct(">H")
_JPEG_FRAME = struct.Struct(">BHHB")  # precision, rows, columns, components
_J2K_SIZE = struct.Struct(">4sHH4I16xH")
_FRAME_MARKERS = frozenset({0xC3, 0xF7})
"""Start of frame of lossless JPEG (SOF3) and of JPEG-LS (SOF55)."""
_JPEG_END = b"\xff\xd9"
_J2K_START = b"\xff\x4f\xff\x51"


def can_decode(transfer_syntax_uid: str) -> bool:
    """Whether frames of a transfer syntax are decoded here."""
    return transfer_syntax_uid in _DECODERS


def decode_frame(
    frame: bytes, transfer_syntax_uid: str, shape: Shape, *, bits_stored: int, is_signed: bool
) -> Stored:
    """Return the stored values of one compressed grey frame. Shape `(row, column)`.

    Parameters
    ----------
    frame
        The compressed bytes.
    transfer_syntax_uid
        How they are compressed; `can_decode` has to say so.
    shape
        Rows, columns.
    bits_stored
        Bits of each value that count (PS3.5 8.1.1).
    is_signed
        Whether the highest of them is a sign; most streams do not say.

    Raises
    ------
    ValueError, RuntimeError
        The frame is damaged, or is another one than the header describes.

    """
    decoded = _DECODERS[transfer_syntax_uid](frame, shape)
    if decoded.shape != shape or decoded.dtype.itemsize > 2:
        raise ValueError("a compressed frame has another shape than its header")
    return _with_sign(decoded, bits_stored, is_signed=is_signed)


def _with_sign(decoded: Stored, bits_stored: int, *, is_signed: bool) -> Stored:
    """Keep the bits that count, and let the highest one be the sign if it is one."""
    size = decoded.dtype.itemsize
    spare = max(8 * size - bits_stored, 0)
    values = decoded.view(f"{'i' if is_signed else 'u'}{size}")
    kept: Stored = (values << spare) >> spare
    return kept


def _decode_rle(frame: bytes, shape: Shape) -> Stored:
    """Decode the byte planes of a frame, highest byte first (PS3.5 G)."""
    n_segments, *offsets = _RLE_HEADER.unpack_from(frame)
    if n_segments not in {1, 2}:
        raise ValueError("an RLE frame has neither one nor two bytes per pixel")
    ends = [*offsets[1:n_segments], len(frame)]
    n_pixels = shape[0] * shape[1]
    planes = []
    for start, end in zip(offsets[:n_segments], ends, strict=True):
        segment = frame[start:end]
        plane = decode_segment(segment) if segment else b""
        if not n_pixels <= len(plane) <= n_pixels + 1:  # one byte of padding
            raise ValueError("an RLE segment has another length than the image")
        planes.append(np.frombuffer(plane, np.uint8)[:n_pixels].reshape(shape))
    if n_segments == 1:
        return planes[0]
    return planes[0].astype(np.uint16) << 8 | planes[1]


def _decode_jpeg_ls(frame: bytes, shape: Shape) -> Stored:
    _require_jpeg(frame, shape)
    return np.asarray(imagecodecs.jpegls_decode(frame))


def _decode_lossless_jpeg(frame: bytes, shape: Shape) -> Stored:
    _require_jpeg(frame, shape)
    return np.asarray(imagecodecs.jpegsof3_decode(frame))


def _decode_jpeg_2000(frame: bytes, shape: Shape) -> Stored:
    start = max(frame.find(_J2K_START), 0)
    _, _, _, right, bottom, left, top, components = _J2K_SIZE.unpack_from(frame, start)
    if (bottom - top, right - left) != shape or components != 1:
        raise ValueError("a JPEG 2000 stream has another size than its header")
    # One thread: the images of an exam are decoded side by side.
    return np.asarray(imagecodecs.jpeg2k_decode(frame[start:], numthreads=1))


def _require_jpeg(frame: bytes, shape: Shape) -> None:
    """Refuse a stream that is cut short, or not that of one grey image of the right size.

    CharLS takes seconds to find out that a stream has no end.
    """
    if not frame.rstrip(b"\0").endswith(_JPEG_END):
        raise ValueError("a JPEG stream is cut short")
    at = 2
    while at + 4 <= len(frame) and frame[at] == 0xFF:
        marker = frame[at + 1]
        if marker in _FRAME_MARKERS:
            _, *size, components = _JPEG_FRAME.unpack_from(frame, at + 4)
            if tuple(size) != shape or components != 1:
                raise ValueError("a JPEG stream has another size than its header")
            return
        at += 2 + _SEGMENT.unpack_from(frame, at + 2)[0]
    raise ValueError("a JPEG stream has no frame header of its kind")


_DECODERS: Mapping[str, Callable[[bytes, Shape], Stored]] = {
    RLELossless: _decode_rle,
    JPEGLSLossless: _decode_jpeg_ls,
    JPEGLSNearLossless: _decode_jpeg_ls,
    JPEG2000Lossless: _decode_jpeg_2000,
    JPEG2000: _decode_jpeg_2000,
    JPEGLosslessSV1: _decode_lossless_jpeg,
    JPEGLossless: _decode_lossless_jpeg,
}
