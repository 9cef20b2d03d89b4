"""A sender for tests: well-behaved by `send`, and able to say anything by `store`."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO

from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pynetdicom import AE, evt
from pynetdicom.association import Association
from pynetdicom.dimse_primitives import C_STORE
from pynetdicom.sop_class import Verification

from tests.fakes.images import MR_IMAGE

CT_IMAGE = "1.2.840.10008.5.1.4.1.1.2"
SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
_OPENED: list[socket.socket] = []
SCANNER = "SCANNER"
NODE = "PERFNODE"


def connect(
    port: int,
    *,
    calling_ae: str = SCANNER,
    called_ae: str = NODE,
    classes: tuple[str, ...] = (MR_IMAGE, SECONDARY_CAPTURE, CT_IMAGE),
    address: str = "127.0.0.1",
) -> Association:
    """Ask for an association; the caller looks at what came of it, and ends it."""
    entity = AE(ae_title=calling_ae)
    entity.add_requested_context(Verification)
    for uid in classes:
        entity.add_requested_context(uid, [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
    handlers: list[evt.EventHandlerType] = [(evt.EVT_CONN_OPEN, _remember)]
    return entity.associate(address, port, ae_title=called_ae, evt_handlers=handlers)


def close_later(connection: socket.socket) -> None:
    """Have a socket closed at the end of the test, however the test ends."""
    _OPENED.append(connection)


def close_all() -> None:
    """Close every socket that was opened here; pynetdicom forgets those the peer closed first."""
    while _OPENED:
        _OPENED.pop().close()


def _remember(event: evt.Event) -> None:
    wrapper = event.assoc.dul.socket
    if wrapper is not None and wrapper.socket is not None:
        close_later(wrapper.socket)


@contextmanager
def association(port: int, **keywords: str) -> Iterator[Association]:
    """Give an accepted association, and release it."""
    peer = connect(port, **keywords)  # type: ignore[arg-type] # only names and addresses here
    assert peer.is_established
    try:
        yield peer
    finally:
        if peer.is_established:
            peer.release()


def store(
    peer: Association,
    dataset: bytes | None,
    *,
    sop_uid: str,
    sop_class_uid: str = MR_IMAGE,
    context_class_uid: str = MR_IMAGE,
) -> tuple[int, str]:
    """Send a C-STORE with command and data set as given; return status and comment."""
    context = next(
        item for item in peer.accepted_contexts if item.abstract_syntax == context_class_uid
    )
    request = C_STORE()
    request.MessageID = 1
    request.AffectedSOPClassUID = sop_class_uid
    request.AffectedSOPInstanceUID = sop_uid
    request.Priority = 2
    request.DataSet = BytesIO(dataset) if dataset is not None else None
    peer._reactor_checkpoint.clear()
    while not peer._is_paused:
        time.sleep(0.001)
    peer.dimse.send_msg(request, context.context_id or 0)
    _, answer = peer.dimse.get_msg(block=True)
    peer._reactor_checkpoint.set()
    assert isinstance(answer, C_STORE), "no answer"
    return answer.Status or 0, str(answer.ErrorComment or "")


def send(peer: Association, *images: Dataset) -> list[int]:
    """Send images one after the other; return their statuses."""
    return [peer.send_c_store(image).Status for image in images]


def echo(port: int, **keywords: str) -> int:
    """Return the status of a C-ECHO."""
    with association(port, **keywords) as peer:
        status: int = peer.send_c_echo().Status
    return status
