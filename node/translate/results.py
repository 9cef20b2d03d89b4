"""A result object and its bytes."""

import io
import warnings
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian

from node.translate.copying import replace_value
from node.translate.uids import input_key
from node.version import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME

TRANSFER_SYNTAX_UID = str(ExplicitVRLittleEndian)
"""Result objects go out uncompressed, which every archive takes; only a movie is too large."""

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
    buffer = io.BytesIO()
    file = Dataset(dataset)
    # So that pydicom writes as it is what is bytes already: the content of a report.
    is_implicit, is_little_endian = dataset.original_encoding
    file.set_original_encoding(is_implicit, is_little_endian, dataset.original_character_set)
    file.file_meta = _file_meta(dataset, transfer_syntax_uid)
    with warnings.catch_warnings():
        # pydicom would write "??" for what the character set lacks, and only warn.
        warnings.filterwarnings("error", message=".*[Ee]ncod")
        file.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def _file_meta(dataset: Dataset, transfer_syntax_uid: str) -> FileMetaDataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    meta.TransferSyntaxUID = UID(transfer_syntax_uid)
    meta.ImplementationClassUID = UID(IMPLEMENTATION_CLASS_UID)
    meta.ImplementationVersionName = IMPLEMENTATION_VERSION_NAME
    return meta
