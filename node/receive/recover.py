"""Repair at the start of the receiver: what a crash or a power cut left between disk and rows."""

import hashlib
import logging
from dataclasses import dataclass
from pathlib import PurePosixPath

from node.errors import RefusalError
from node.log import event as log_event
from node.receive.contexts import is_processed
from node.receive.identity import read_identity
from node.receive.part10 import take_apart
from storage.catalogue import Catalogue
from storage.files import FileStore
from storage.records import ReceivedInstance, StoredFile

LOGGER = logging.getLogger("perfnode.receive")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """What was found and done."""

    n_swept: int
    """Half-written files deleted; none was acknowledged."""
    n_adopted: int
    """Complete files that had no row and have one now."""
    n_damaged: int
    """Files without a row whose content is not what their name says, left where they are."""
    n_missing: int
    """Rows whose file is gone: acknowledged data were deleted by someone else."""


def recover(catalogue: Catalogue, files: FileStore) -> Recovery:
    """Bring files and rows together again; only while nobody receives.

    Raises
    ------
    TransientStorageError
        If disk or database fail.
    """
    catalogue.close_all_associations()
    n_swept = files.sweep_parts()
    known = catalogue.instance_paths()
    present = frozenset(files.listing())
    adopted = [_adopt(path, catalogue, files) for path in sorted(present - known)]
    found = Recovery(
        n_swept=n_swept,
        n_adopted=adopted.count(True),
        n_damaged=adopted.count(False),
        n_missing=len(known - present),
    )
    _report(found)
    return found


def _adopt(path: str, catalogue: Catalogue, files: FileStore) -> bool:
    """Record a file by its content; False if it cannot be what this node wrote."""
    with files.open(path) as file:
        content = file.read()
    digest = PurePosixPath(path).stem
    try:
        stored = take_apart(content)
        if hashlib.sha256(stored.dataset).hexdigest() != digest:
            return False
        identity = read_identity(stored.dataset, stored.transfer_syntax_uid)
    except RefusalError:
        return False
    catalogue.record_instance(
        ReceivedInstance(
            study_uid=identity.study_uid,
            series_uid=identity.series_uid,
            sop_uid=identity.sop_uid,
            sop_class_uid=identity.sop_class_uid,
            transfer_syntax_uid=stored.transfer_syntax_uid,
            file=StoredFile(path=path, sha256=digest, size_bytes=len(content)),
            patient_digest=identity.patient_digest,
            calling_ae=stored.sending_ae,
            source_address="",
            association_id=None,
            is_ignored=not is_processed(identity.sop_class_uid),
        )
    )
    return True


def _report(found: Recovery) -> None:
    level = logging.ERROR if found.n_missing or found.n_damaged else logging.INFO
    log_event(
        LOGGER,
        level,
        "received files checked against the catalogue",
        swept=found.n_swept,
        adopted=found.n_adopted,
        damaged=found.n_damaged,
        missing=found.n_missing,
    )
