"""What is accepted: storage classes and the encodings they may come in."""

from collections.abc import Sequence

from pynetdicom.presentation import PresentationContext, build_context
from pynetdicom.service_class import StorageServiceClass
from pynetdicom.sop_class import (  # type: ignore[attr-defined] # made at import time
    EnhancedMRColorImageStorage,
    EnhancedMRImageStorage,
    GrayscaleSoftcopyPresentationStateStorage,
    LegacyConvertedEnhancedMRImageStorage,
    MRImageStorage,
    MultiFrameTrueColorSecondaryCaptureImageStorage,
    RawDataStorage,
    SecondaryCaptureImageStorage,
    Verification,
    register_uid,
    uid_to_service_class,
)

PROCESSED_CLASSES: tuple[str, ...] = (
    MRImageStorage,
    EnhancedMRImageStorage,
    LegacyConvertedEnhancedMRImageStorage,
)
STORED_CLASSES: tuple[str, ...] = (
    SecondaryCaptureImageStorage,
    MultiFrameTrueColorSecondaryCaptureImageStorage,
    EnhancedMRColorImageStorage,
    RawDataStorage,
    GrayscaleSoftcopyPresentationStateStorage,
)
"""Sent along with perfusion series by scanners; kept, not processed."""

TRANSFER_SYNTAXES: tuple[str, ...] = (
    "1.2.840.10008.1.2.1",  # explicit little endian
    "1.2.840.10008.1.2",  # implicit little endian, the default of the standard
    "1.2.840.10008.1.2.2",  # explicit big endian, retired but still met
    "1.2.840.10008.1.2.5",  # RLE
    "1.2.840.10008.1.2.4.80",  # JPEG-LS lossless
    "1.2.840.10008.1.2.4.90",  # JPEG 2000 lossless
    "1.2.840.10008.1.2.4.70",  # JPEG lossless, first-order prediction
    "1.2.840.10008.1.2.4.57",  # JPEG lossless
    "1.2.840.10008.1.2.4.81",  # JPEG-LS near-lossless
    "1.2.840.10008.1.2.4.91",  # JPEG 2000
)
"""In the order of preference. Deflated is left out: a kilobyte of it can grow to a megabyte."""


def is_processed(sop_class_uid: str) -> bool:
    """Whether objects of this class can be part of an exam; all others are kept and ignored."""
    return sop_class_uid in PROCESSED_CLASSES


def supported_contexts(also_store: Sequence[str]) -> list[PresentationContext]:
    """Return all presentation contexts that a peer may propose.

    Parameters
    ----------
    also_store
        Further storage classes to keep without processing, standard or private.
    """
    for uid in also_store:
        _make_known(uid)
    classes = dict.fromkeys((*PROCESSED_CLASSES, *STORED_CLASSES, *also_store))
    verification = build_context(Verification, list(TRANSFER_SYNTAXES[:2]))
    return [verification, *(build_context(uid, list(TRANSFER_SYNTAXES)) for uid in classes)]


def _make_known(uid: str) -> None:
    """Tell pynetdicom that a private class is a storage class; else it drops the association."""
    if uid_to_service_class(uid) is not StorageServiceClass:
        register_uid(uid, "Storage_" + uid.replace(".", "_"), StorageServiceClass)
