"""Sending files to a node the way a scanner does: one association, one image after the other."""

import socket
from collections.abc import Sequence
from pathlib import Path

from pydicom import dcmread
from pynetdicom import AE, evt
from pynetdicom.association import Association
from pynetdicom.status import code_to_category

from node.errors import PeerRefusedError, TransientError
from node.ports import Progress

_TIMEOUT_S = 30.0
_ACCEPTED = frozenset({"Success", "Warning"})


def send_files(
    files: Sequence[Path],
    *,
    address: str,
    port: int,
    called_ae: str,
    calling_ae: str,
    progress: Progress | None = None,
) -> None:
    """Store files at a peer over one association.

    Parameters
    ----------
    files
        DICOM files, sent in this order.
    address, port
        Where the peer listens.
    called_ae, calling_ae
        Its title and ours.
    progress
        Told the stage and the fraction done after each image.

    Raises
    ------
    TransientError
        No connection, or it broke.
    PeerRefusedError
        The peer refused the association or an image.

    """
    association = _associate(files, address, port, called_ae, calling_ae)
    try:
        for position, path in enumerate(files, start=1):
            _store(association, path)
            if progress is not None:
                progress("sending images", position / len(files))
    finally:
        if association.is_established:
            association.release()


def _associate(
    files: Sequence[Path], address: str, port: int, called_ae: str, calling_ae: str
) -> Association:
    entity = AE(ae_title=calling_ae)
    entity.connection_timeout = entity.acse_timeout = _TIMEOUT_S
    entity.dimse_timeout = entity.network_timeout = _TIMEOUT_S
    for sop_class, transfer_syntax in sorted({_context(path) for path in files}):
        entity.add_requested_context(sop_class, transfer_syntax)
    association = entity.associate(
        address, port, ae_title=called_ae, evt_handlers=[(evt.EVT_CONN_OPEN, _send_at_once)]
    )
    if association.is_established:
        return association
    if association.is_rejected:
        raise PeerRefusedError(f"{called_ae} refused the association of {calling_ae}")
    raise TransientError(f"no DICOM association with {called_ae} at {address}:{port}")


def _context(path: Path) -> tuple[str, str]:
    header = dcmread(path, specific_tags=["SOPClassUID"], stop_before_pixels=True)
    return str(header.SOPClassUID), str(header.file_meta.TransferSyntaxUID)


def _send_at_once(event: evt.Event) -> None:
    """Switch Nagle's algorithm off: it waits 40 ms per image against a delayed acknowledgement."""
    connection = event.assoc.dul.socket
    if connection is not None and connection.socket is not None:
        connection.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _store(association: Association, path: Path) -> None:
    try:
        answer = association.send_c_store(path)
    except (RuntimeError, ValueError) as error:
        raise PeerRefusedError(f"an image could not be sent: {error}") from error
    if "Status" not in answer:
        raise TransientError("the connection broke while an image was sent")
    if code_to_category(answer.Status) not in _ACCEPTED:
        raise PeerRefusedError(f"the peer answered status 0x{answer.Status:04X} to an image")
