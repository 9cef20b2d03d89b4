"""Identifiers that follow from the input, so that a repeated run writes the same objects."""

import hashlib
import uuid
from collections.abc import Iterable

from pydicom.uid import UID

_NAMESPACE = uuid.UUID("8d3c1a52-6f0e-5b7d-9a41-2e7c5d90f6b3")
_SEPARATOR = "\x1f"


def make_uid(*parts: str) -> UID:
    """Return the UID `2.25.<uuid5>` of an ordered list of parts (PS3.5 B.2).

    Parameters
    ----------
    parts
        What the object is and what it was made from. Equal parts give equal UIDs.

    """
    return UID(f"2.25.{uuid.uuid5(_NAMESPACE, _SEPARATOR.join(parts)).int}")


def input_key(sop_uids: Iterable[str], *versions: str) -> str:
    """Return a digest of the inputs of a result, independent of their order.

    Parameters
    ----------
    sop_uids
        Every instance the result was made from.
    versions
        Software version, digest of the configuration: what else decides the content.

    """
    digest = hashlib.sha256()
    for part in (*sorted(set(sop_uids)), *versions):
        digest.update(part.encode() + b"\0")
    return digest.hexdigest()
