"""Compressed pixel data taken apart into frames (PS3.5 A.4).

Offset tables are optional and may be wrong after a conversion, so frames are told apart by what
they begin with. When there are more or fewer of them than the header declares, nobody can tell
which header belongs to which frame, and none is handed out.
"""

from pydicom.dataset import FileDataset
from pydicom.encaps import generate_fragments, parse_basic_offsets
from pydicom.uid import RLELossless

from node.translate.values import number_of

_STARTS = (
    b"\xff\xd8\xff",  # JPEG and JPEG-LS: start of image
    b"\xff\x4f\xff\x51",  # JPEG 2000: start of codestream
    b"\x00\x00\x00\x0cjP  ",  # JPEG 2000 in a file of its own
)
"""None of them can occur inside a frame: its bytes after 0xFF are marked or small."""


def split_frames(dataset: FileDataset) -> list[bytes]:
    """Return the compressed frames in order; none when their number is not the declared one.

    Raises
    ------
    ValueError
        The pixel data is no sequence of fragments.

    """
    fragments = _fragments(dataset.PixelData)
    declared = int(number_of(dataset, "NumberOfFrames") or 1)
    if dataset.file_meta.TransferSyntaxUID == RLELossless:
        frames = fragments  # one fragment each (A.4.2)
    else:
        frames = _join(fragments, declared)
    return frames if len(frames) == declared else []


def _fragments(pixel_data: bytes) -> list[bytes]:
    stream = memoryview(pixel_data)
    offsets = parse_basic_offsets(pixel_data)
    table = 8 + 4 * len(offsets)
    return [part for part in generate_fragments(bytes(stream[table:])) if part]


def _join(fragments: list[bytes], declared: int) -> list[bytes]:
    if not fragments or not fragments[0].startswith(_STARTS):
        # Something stands in front of the frames: what can be told is one or one each.
        return [b"".join(fragments)] if declared == 1 and fragments else fragments
    frames: list[bytes] = []
    for fragment in fragments:
        if fragment.startswith(_STARTS):
            frames.append(fragment)
        else:
            frames[-1] += fragment
    return frames
