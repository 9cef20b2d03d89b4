"""An archive that answers as the test says: a real pynetdicom storage provider on loopback."""

import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pynetdicom import AE, evt
from pynetdicom.sop_class import MRImageStorage, SecondaryCaptureImageStorage, Verification  # type: ignore[attr-defined]  # made at run time

AE_TITLE = "ARCHIVE"
STORED = (MRImageStorage, SecondaryCaptureImageStorage)
SYNTAXES = (ExplicitVRLittleEndian, ImplicitVRLittleEndian)


class Archive:
    """What arrived, and what is answered.

    `answer` gives the status of the n-th store (from 0); it may block, or abort through the event.
    """

    def __init__(self, answer: Callable[[int, evt.Event], int] | None = None) -> None:
        self.answer = answer or (lambda _number, _event: 0x0000)
        self.received: list[tuple[str, str]] = []
        self.syntaxes: set[str] = set()
        self.data: dict[str, bytes] = {}
        self.n_associations = 0
        self._lock = threading.Lock()

    def store(self, occurrence: evt.Event) -> int:
        data = occurrence.request.DataSet.getvalue()
        with self._lock:
            number = len(self.received)
            uid = str(occurrence.request.AffectedSOPInstanceUID)
            self.received.append((uid, hashlib.sha256(data).hexdigest()))
            self.data[uid] = data
            self.syntaxes.add(str(occurrence.context.transfer_syntax))
        return self.answer(number, occurrence)

    def accept(self, _occurrence: evt.Event) -> None:
        with self._lock:
            self.n_associations += 1

    @property
    def uids(self) -> list[str]:
        """What arrived, in order, repetitions included."""
        return [uid for uid, _ in self.received]

    @contextmanager
    def listening(
        self,
        port: int,
        *,
        classes: tuple[str, ...] = STORED,
        syntaxes: tuple[str, ...] = SYNTAXES,
        callers: tuple[str, ...] = (),
    ) -> Iterator[None]:
        entity = AE(ae_title=AE_TITLE)
        entity.require_calling_aet = list(callers)
        entity.add_supported_context(Verification)
        for sop_class in classes:
            entity.add_supported_context(sop_class, list(syntaxes))
        server = entity.start_server(
            ("127.0.0.1", port),
            block=False,
            evt_handlers=[(evt.EVT_C_STORE, self.store), (evt.EVT_ACCEPTED, self.accept)],
        )
        try:
            yield
        finally:
            server.shutdown()
            server.server_close()
