"""The file format around a received data set (PS3.10 7.1): what stands before its first byte.

The preamble is zeros; a peer has no say in it, so a stored file is never anything but DICOM.
"""

import struct
from dataclasses import dataclass

from node.errors import NotDicomError
from node.receive.identity import trimmed
from node.receive.scan import Encoding, UnreadableDataError, top_level_elements
from node.version import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME

PREAMBLE = bytes(128) + b"DICM"
TRANSFER_SYNTAX_UID = 0x00020010
SENDING_AE_TITLE = 0x00020017
_META_ENCODING = Encoding(is_explicit=True)
_LONG_LENGTH_VR = b"OB"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredObject:
    """A file of ours, taken apart."""

    dataset: bytes
    transfer_syntax_uid: str
    sending_ae: str


def file_header(
    *, sop_class_uid: str, sop_uid: str, transfer_syntax_uid: str, sending_ae: str
) -> bytes:
    """Return preamble and file meta information for a data set that follows as received.

    The calling AE title is kept as Sending Application Entity Title (0002,0017), so that a file
    whose catalogue row was lost still tells where it came from.
    """
    meta = b"".join(
        (
            _element(0x0001, b"OB", b"\0\1"),
            _element(0x0002, b"UI", sop_class_uid.encode("ascii")),
            _element(0x0003, b"UI", sop_uid.encode("ascii")),
            _element(0x0010, b"UI", transfer_syntax_uid.encode("ascii")),
            _element(0x0012, b"UI", IMPLEMENTATION_CLASS_UID.encode("ascii")),
            _element(0x0013, b"SH", IMPLEMENTATION_VERSION_NAME.encode("ascii")),
            _element(0x0017, b"AE", sending_ae.encode("ascii")),
        )
    )
    return PREAMBLE + _element(0x0000, b"UL", struct.pack("<L", len(meta))) + meta


def take_apart(file: bytes) -> StoredObject:
    """Split a stored file into the received data set and what its header says.

    Raises
    ------
    NotDicomError
        If it is not a file that `file_header` began.
    """
    values: dict[int, bytes] = {}
    try:
        end = _end_of_meta(file)
        for element in top_level_elements(file[:end], _META_ENCODING, len(PREAMBLE)):
            values[element.tag] = trimmed(file[element.start : element.end])
    except (struct.error, UnreadableDataError) as error:
        raise NotDicomError("file meta information cannot be read") from error
    return StoredObject(
        dataset=file[end:],
        transfer_syntax_uid=values.get(TRANSFER_SYNTAX_UID, b"").decode("ascii", "replace"),
        sending_ae=values.get(SENDING_AE_TITLE, b"").decode("ascii", "replace"),
    )


def _end_of_meta(file: bytes) -> int:
    if not file.startswith(PREAMBLE):
        raise NotDicomError("no DICOM preamble")
    length: int = struct.unpack_from("<L", file, len(PREAMBLE) + 8)[0]
    return len(PREAMBLE) + 12 + length


def _element(number: int, representation: bytes, value: bytes) -> bytes:
    """Encode an element of group 2: explicit little endian, padded to an even length."""
    if len(value) % 2:
        value += b" " if representation in (b"SH", b"AE") else b"\0"
    form = "<HH2s2xL" if representation == _LONG_LENGTH_VR else "<HH2sH"
    return struct.pack(form, 0x0002, number, representation, len(value)) + value
