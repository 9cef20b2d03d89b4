"""From the bytes of one C-STORE to a durable, recorded instance."""

from dataclasses import dataclass

from node.receive.contexts import is_processed
from node.receive.identity import Identity, read_identity
from node.receive.part10 import file_header
from node.receive.status import StoreRefusedError, StoreStatus
from storage.catalogue import Catalogue
from storage.files import FileStore
from storage.records import Admission, ReceivedInstance


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreRequest:
    """One C-STORE: the data set as received and what the command says of it."""

    dataset: bytes
    sop_class_uid: str
    sop_uid: str
    context_class_uid: str
    """Abstract syntax of the presentation context it came through."""
    transfer_syntax_uid: str
    calling_ae: str
    address: str
    association_id: int | None


def admit(request: StoreRequest, *, catalogue: Catalogue, files: FileStore) -> Admission:
    """Keep one object; after this it may be acknowledged.

    Raises
    ------
    StoreRefusedError
        If the object has no usable identity. Whatever else is wrong with it is not decided here:
        it is stored as it is, and processing sees to it.
    TransientStorageError
        If disk or database fail now; nothing is recorded.
    """
    identity = _checked_identity(request)
    header = file_header(
        sop_class_uid=identity.sop_class_uid,
        sop_uid=identity.sop_uid,
        transfer_syntax_uid=request.transfer_syntax_uid,
        sending_ae=request.calling_ae,
    )
    file = files.keep([request.dataset], header=header)
    return catalogue.record_instance(
        ReceivedInstance(
            study_uid=identity.study_uid,
            series_uid=identity.series_uid,
            sop_uid=identity.sop_uid,
            sop_class_uid=identity.sop_class_uid,
            transfer_syntax_uid=request.transfer_syntax_uid,
            file=file,
            patient_digest=identity.patient_digest,
            calling_ae=request.calling_ae,
            source_address=request.address,
            association_id=request.association_id,
            is_ignored=not is_processed(identity.sop_class_uid),
        )
    )


def _checked_identity(request: StoreRequest) -> Identity:
    """Return the identity of the data set, if the command tells the same."""
    if not request.dataset:
        raise StoreRefusedError(StoreStatus.DATASET_MISMATCH, "no data set")
    if request.sop_class_uid != request.context_class_uid:
        raise StoreRefusedError(
            StoreStatus.DATASET_MISMATCH, "SOP class is not that of the presentation context"
        )
    identity = read_identity(request.dataset, request.transfer_syntax_uid)
    if identity.sop_class_uid != request.sop_class_uid:
        raise StoreRefusedError(
            StoreStatus.DATASET_MISMATCH, "SOP Class UID differs between command and data set"
        )
    if identity.sop_uid != request.sop_uid:
        raise StoreRefusedError(
            StoreStatus.DATASET_MISMATCH, "SOP Instance UID differs between command and data set"
        )
    return identity
