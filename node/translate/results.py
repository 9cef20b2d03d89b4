"""A result object and its bytes."""

import struct
import warnings
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pydicom.charset import default_encoding
from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import (
    correct_ambiguous_vr,
    correct_ambiguous_vr_element,
    write_data_element,
)
from pydicom.tag import BaseTag
from pydicom.uid import ExplicitVRLittleEndian
from pydicom.valuerep import AMBIGUOUS_VR

from node.translate.copying import replace_value
from node.translate.elements import (
    is_plain,
    make_elements,
    pack_element,
    pack_value,
    plain_element,
    tag_of,
)
from node.translate.uids import input_key
from node.version import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME

TRANSFER_SYNTAX_UID = str(ExplicitVRLittleEndian)
"""Result objects go out uncompressed, which every archive takes; only a movie is too large."""

_PREAMBLE = b"\0" * 128 + b"DICM"

ResultKind = Literal[
    "moco",
    "flow",
    "quality",
    "reserve",
    "colour",
    "page",
    "movie",
    "parametric",
    "segmentation",
    "report",
    "document",
    "failure",
    "retraction",
]
"""What a result object is, in the words of `results.objects` in config.yaml; failure pages and
retractions are not a matter of choice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkStamp:
    """Which trained network took part."""

    method: str
    """The method of motion correction it belongs to."""
    name: str
    sha256: str
    """Of its weights."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStamp:
    """Identity of one computation; from the stored run record, never from the wall clock."""

    created: datetime
    """Local time written into every result object."""
    software_version: str
    configuration_digest: str
    """Of all settings that change a result, and of the weights of the networks."""
    networks: tuple[NetworkStamp, ...]

    def describe_motion(self, method: str, *, n_digits: int = 64) -> str:
        """Return a method with the networks it uses and the start of the hash of their weights."""
        used = [
            f"{network.name} sha256 {network.sha256[:n_digits]}"
            for network in self.networks
            if network.method == method
        ]
        return f"{method}: {', '.join(used)}" if used else method

    def key(self, *sop_uids: str) -> str:
        """Return the digest that makes the UIDs of results made from these instances."""
        return input_key(sop_uids, self.software_version, self.configuration_digest)

    @property
    def date(self) -> str:
        """The date as DICOM writes it (DA)."""
        return self.created.strftime("%Y%m%d")

    @property
    def time(self) -> str:
        """The time as DICOM writes it (TM)."""
        return self.created.strftime("%H%M%S.%f")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ResultObject:
    """One DICOM object that goes out."""

    kind: ResultKind
    dataset: Dataset
    transfer_syntax_uid: str = TRANSFER_SYNTAX_UID
    """How the data set is written; compressed pixels are encapsulated already (PS3.5 A.4)."""


def to_bytes(result: ResultObject) -> bytes:
    """Return the object as a DICOM file; the same object always gives the same bytes.

    Text keeps the character set of the source. Where a text does not fit into it, as happens
    when the source declares none or a wrong one, the object is written in UTF-8.
    """
    try:
        return _write(result.dataset, result.transfer_syntax_uid)
    except UserWarning:
        wider = Dataset()
        wider.update(result.dataset)
        replace_value(wider, "SpecificCharacterSet", "ISO_IR 192")
        return _write(wider, result.transfer_syntax_uid)


def _write(dataset: Dataset, transfer_syntax_uid: str) -> bytes:
    meta = _pack(_file_meta(dataset, transfer_syntax_uid))
    with warnings.catch_warnings():
        # pydicom would write "??" for what the character set lacks, and only warn.
        warnings.filterwarnings("error", message=".*[Ee]ncod")
        body = _pack(Dataset(dict(dataset.items())))
    length = pack_value("FileMetaInformationGroupLength", struct.pack("<L", len(meta)))
    return b"".join((_PREAMBLE, length, meta, body))


def _file_meta(dataset: Dataset, transfer_syntax_uid: str) -> Dataset:
    """Return the file meta information without its length (PS3.10 7.1)."""
    uids = {
        "MediaStorageSOPClassUID": str(dataset.SOPClassUID),
        "MediaStorageSOPInstanceUID": str(dataset.SOPInstanceUID),
        "TransferSyntaxUID": transfer_syntax_uid,
        "ImplementationClassUID": IMPLEMENTATION_CLASS_UID,
        "ImplementationVersionName": IMPLEMENTATION_VERSION_NAME,
    }
    elements = make_elements(uids)
    elements[tag_of("FileMetaInformationVersion")] = plain_element(
        "FileMetaInformationVersion", "OB", b"\0\1"
    )
    return Dataset(elements)


def _pack(dataset: Dataset) -> bytes:
    """Return the elements in the order of their tags (PS3.5 7.1)."""
    elements = dict(dataset.items())
    return b"".join(
        pack_element(elements[tag]) if is_plain(elements[tag]) else _pack_object(dataset, tag)
        for tag in sorted(elements, key=int)
    )


def _pack_object(dataset: Dataset, tag: BaseTag) -> bytes:
    """Return an element that pydicom writes."""
    element = dataset[tag]
    if element.VR in AMBIGUOUS_VR:
        correct_ambiguous_vr_element(element, dataset, is_little_endian=True)
    elif element.VR == "SQ":
        for item in element.value:
            correct_ambiguous_vr(item, is_little_endian=True, ancestors=[item, dataset])
    buffer = DicomBytesIO()
    buffer.is_little_endian, buffer.is_implicit_VR = True, False
    write_data_element(buffer, element, dataset.get("SpecificCharacterSet", default_encoding))
    return buffer.getvalue()
