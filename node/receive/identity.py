"""Who an object is, read from the data set itself: the command that brings it can be wrong."""

import hashlib
import re
from dataclasses import dataclass

from node.receive.scan import Encoding, UnreadableDataError, top_level_elements
from node.receive.status import StoreRefusedError, StoreStatus

SOP_CLASS_UID = 0x00080016
SOP_INSTANCE_UID = 0x00080018
PATIENT_NAME = 0x00100010
PATIENT_ID = 0x00100020
PATIENT_BIRTH_DATE = 0x00100030
STUDY_INSTANCE_UID = 0x0020000D
SERIES_INSTANCE_UID = 0x0020000E

_NAMES = {
    SOP_CLASS_UID: "SOP Class UID",
    SOP_INSTANCE_UID: "SOP Instance UID",
    STUDY_INSTANCE_UID: "Study Instance UID",
    SERIES_INSTANCE_UID: "Series Instance UID",
}
_PATIENT = (PATIENT_ID, PATIENT_NAME, PATIENT_BIRTH_DATE)
_WANTED = frozenset({*_NAMES, *_PATIENT})
_LAST = max(_WANTED)
_UID = re.compile(rb"[0-9]+(\.[0-9]+)*")
"""Looser than PS3.5 9.1, which forbids leading zeros: scanners send them, and they harm nobody."""
UID_LENGTH = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """The identifiers of one object."""

    study_uid: str
    series_uid: str
    sop_uid: str
    sop_class_uid: str
    patient_digest: str


def read_identity(dataset: bytes, transfer_syntax_uid: str) -> Identity:
    """Read the identifiers of an encoded data set.

    Of an element that occurs twice the first counts. Reading stops behind the last one needed:
    an image cut short in its pixels still has an identity, and is stored.

    Raises
    ------
    StoreRefusedError
        If the header cannot be read, or an identifier is missing or not a UID.
    """
    values = _read_values(dataset, Encoding.of(transfer_syntax_uid))
    uids = {tag: _checked_uid(values.get(tag, b""), name) for tag, name in _NAMES.items()}
    return Identity(
        study_uid=uids[STUDY_INSTANCE_UID],
        series_uid=uids[SERIES_INSTANCE_UID],
        sop_uid=uids[SOP_INSTANCE_UID],
        sop_class_uid=uids[SOP_CLASS_UID],
        patient_digest=_patient_digest(*(values.get(tag, b"") for tag in _PATIENT)),
    )


def trimmed(value: bytes) -> bytes:
    """Return a text value without padding."""
    return value.strip(b"\0 ")


def _read_values(dataset: bytes, encoding: Encoding) -> dict[int, bytes]:
    values: dict[int, bytes] = {}
    try:
        for element in top_level_elements(dataset, encoding):
            if element.tag in _WANTED and element.tag not in values:
                values[element.tag] = trimmed(dataset[element.start : element.end])
            if element.tag >= _LAST and values.keys() >= _NAMES.keys():
                break
    except UnreadableDataError as error:
        if values.keys() < _NAMES.keys():
            raise StoreRefusedError(StoreStatus.CANNOT_UNDERSTAND, f"header: {error}") from error
    return values


def _checked_uid(value: bytes, name: str) -> str:
    if not value:
        raise StoreRefusedError(StoreStatus.DATASET_MISMATCH, f"{name} is missing")
    if len(value) > UID_LENGTH or not _UID.fullmatch(value):
        raise StoreRefusedError(StoreStatus.DATASET_MISMATCH, f"{name} is not a legal UID")
    return value.decode("ascii")


def _patient_digest(patient_id: bytes, name: bytes, birth_date: bytes) -> str:
    """Return a digest that differs between two patients, but not between two spellings of one.

    Empty trailing name components and the case of ASCII letters are a matter of the sender.
    """
    parts = (patient_id.upper(), name.upper().rstrip(b"^= "), birth_date)
    return hashlib.sha256(b"\0".join(parts)).hexdigest()
