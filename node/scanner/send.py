"""Sending files to a node the way a scanner does: one association, one image after the other."""

from collections.abc import Sequence
from pathlib import Path

from pydicom import dcmread
from pynetdicom.association import Association
from pynetdicom.presentation import PresentationContext, build_context
from pynetdicom.status import code_to_category

from node.errors import PeerRefusedError, TransientError
from node.ports import Progress
from node.send.association import open_association
from node.settings import Destination

_TIMEOUT_S = 120.0
"""As patient as the node: its disk may stall, and an image is only acknowledged once it is kept."""
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
        No association, or it broke.
    PeerRefusedError
        The peer refused an image.

    """
    peer = Destination(name="node", ae_title=called_ae, address=address, port=port)
    with open_association(
        peer, calling_ae=calling_ae, contexts=_contexts(files), timeout_s=_TIMEOUT_S
    ) as association:
        for position, path in enumerate(files, start=1):
            _store(association, path)
            if progress is not None:
                progress("sending images", position / len(files))


def _contexts(files: Sequence[Path]) -> list[PresentationContext]:
    return [build_context(*pair) for pair in sorted({_context(path) for path in files})]


def _context(path: Path) -> tuple[str, str]:
    """Return SOP class and transfer syntax of a file."""
    header = dcmread(path, specific_tags=["SOPClassUID"], stop_before_pixels=True)
    return str(header.SOPClassUID), str(header.file_meta.TransferSyntaxUID)


def _store(association: Association, path: Path) -> None:
    try:
        answer = association.send_c_store(path)
    except (RuntimeError, ValueError) as error:
        raise PeerRefusedError(f"an image could not be sent: {error}") from error
    if "Status" not in answer:
        raise TransientError("the connection broke while an image was sent")
    if code_to_category(answer.Status) not in _ACCEPTED:
        raise PeerRefusedError(f"the peer answered status 0x{answer.Status:04X} to an image")
