"""The events of the protocol: an association is asked for, brings objects, and ends.

pynetdicom calls these methods from its own threads, several per association. An exception that
leaves one of them is swallowed there and the association goes on: a check that fails must reject.
"""

import logging
import threading
import time
from dataclasses import dataclass, field
from typing import cast

from pydicom.dataset import Dataset
from pynetdicom.association import Association
from pynetdicom.dimse_primitives import C_STORE
from pynetdicom.events import Event
from pynetdicom.pdu_primitives import A_ASSOCIATE
from pynetdicom.transport import AssociationSocket

from node.log import event as log_event
from node.receive.admit import StoreRequest, admit
from node.receive.callers import Caller, CallerList, Rejection
from node.receive.status import StoreRefusedError, StoreStatus
from storage.catalogue import Catalogue
from storage.errors import StorageError, TransientStorageError
from storage.files import FileStore
from storage.records import Admission

LOGGER = logging.getLogger("perfnode.receive")
MAX_WAITING_MESSAGES = 4
"""Requests sent ahead of our answers; the negotiated window is one."""


@dataclass(slots=True)
class Conversation:
    """What is known of one association while it lasts."""

    calling_ae: str = ""
    address: str = ""
    rejection: Rejection | None = None
    association_id: int | None = None
    n_bytes_of_message: int = 0
    n_admitted: dict[Admission, int] = field(default_factory=lambda: dict.fromkeys(Admission, 0))
    n_refused: int = 0
    opened_s: float = field(default_factory=time.monotonic)
    storing: threading.Lock = field(default_factory=threading.Lock)
    """Held while an object is admitted: whoever wants to end the association waits for it."""


class Reception:
    """Answers the events of all associations of one listening socket.

    Parameters
    ----------
    callers
        Who may send.
    max_associations
        Accepted associations at a time.
    max_object_bytes
        Largest message; a larger one ends the association.
    """

    def __init__(
        self,
        *,
        catalogue: Catalogue,
        files: FileStore,
        callers: CallerList,
        max_associations: int,
        max_object_bytes: int,
    ) -> None:
        self._catalogue = catalogue
        self._files = files
        self._callers = callers
        self._max_associations = max_associations
        self._max_object_bytes = max_object_bytes
        self._lock = threading.Lock()
        self._accepted: dict[Association, Conversation] = {}
        self._rejected: dict[Association, Conversation] = {}

    def on_requested(self, event: Event) -> None:
        """Accept an association, or reject it and wait until the peer has seen why."""
        association = event.assoc
        try:
            conversation = self._admit_caller(association)
        except Exception:
            LOGGER.exception("association rejected: the check of the caller failed")
            conversation = Conversation(rejection=Rejection.NO_REASON)
        if conversation.rejection is not None:
            with self._lock:
                self._rejected[association] = conversation
            association.acse.send_reject(*conversation.rejection.value)
            association.kill()

    def on_data(self, event: Event) -> None:
        """Cut a peer whose message grows beyond the limit."""
        conversation = self._accepted.get(event.assoc)
        if conversation is None:
            return
        conversation.n_bytes_of_message += len(event.data)
        n_waiting = event.assoc.dimse.msg_queue.qsize()
        if (
            conversation.n_bytes_of_message > self._max_object_bytes
            or n_waiting > MAX_WAITING_MESSAGES
        ):
            self._report("association cut: more data than allowed", conversation, logging.WARNING)
            cast("AssociationSocket", event.assoc.dul.socket).close()

    def on_message(self, event: Event) -> None:
        """Begin to count anew: a whole message has arrived."""
        conversation = self._accepted.get(event.assoc)
        if conversation is not None:
            conversation.n_bytes_of_message = 0

    def on_store(self, event: Event) -> int | Dataset:
        """Answer a C-STORE: success only after the object is durable and recorded."""
        conversation = self._accepted[event.assoc]
        with conversation.storing:
            try:
                admission = self._store(event, conversation)
            except StoreRefusedError as refusal:
                return self._refuse(conversation, refusal)
            except TransientStorageError as error:
                return self._refuse(
                    conversation, StoreRefusedError(StoreStatus.OUT_OF_RESOURCES, str(error))
                )
            except Exception:
                LOGGER.exception("object not stored: unexpected error")
                return self._refuse(
                    conversation,
                    StoreRefusedError(StoreStatus.PROCESSING_FAILURE, "unexpected error"),
                )
            conversation.n_admitted[admission] += 1
        return int(StoreStatus.SUCCESS)

    def on_ended(self, association: Association) -> None:
        """Record the end of an association and write its line."""
        with self._lock:
            accepted = self._accepted.pop(association, None)
            rejected = self._rejected.pop(association, None)
        if accepted is not None:
            self._close(accepted, is_released=association.is_released)
        elif rejected is not None:
            self._report("association rejected", rejected, logging.WARNING)
        else:
            address = str(association.requestor.address)
            log_event(LOGGER, logging.INFO, "connection without association", address=address)

    def end_all(self) -> None:
        """Abort every association between two objects, never within one."""
        with self._lock:
            open_now = list(self._accepted.items())
        for association, conversation in open_now:
            with conversation.storing:
                association.abort()

    def _admit_caller(self, association: Association) -> Conversation:
        request = cast("A_ASSOCIATE", association.requestor.primitive)
        caller = Caller(
            ae_title=request.calling_ae_title.strip(),
            address=association.requestor.address,
            called_ae_title=request.called_ae_title.strip(),
            n_contexts=len(request.presentation_context_definition_list),
        )
        conversation = Conversation(
            calling_ae=caller.ae_title,
            address=caller.address,
            rejection=self._callers.judge(caller),
        )
        with self._lock:
            if conversation.rejection is None and len(self._accepted) >= self._max_associations:
                conversation.rejection = Rejection.LOCAL_LIMIT
            if conversation.rejection is None:
                self._accepted[association] = conversation
        return conversation

    def _store(self, event: Event, conversation: Conversation) -> Admission:
        if conversation.association_id is None:
            # Only now: a C-ECHO every second must not write to the disk.
            conversation.association_id = self._catalogue.open_association(
                conversation.calling_ae, conversation.address
            )
        request = cast("C_STORE", event.request)
        return admit(
            StoreRequest(
                dataset=request.DataSet.getvalue() if request.DataSet is not None else b"",
                sop_class_uid=str(request.AffectedSOPClassUID),
                sop_uid=str(request.AffectedSOPInstanceUID),
                context_class_uid=str(event.context.abstract_syntax),
                transfer_syntax_uid=str(event.context.transfer_syntax),
                calling_ae=conversation.calling_ae,
                address=conversation.address,
                association_id=conversation.association_id,
            ),
            catalogue=self._catalogue,
            files=self._files,
        )

    def _refuse(self, conversation: Conversation, refusal: StoreRefusedError) -> Dataset:
        conversation.n_refused += 1
        log_event(
            LOGGER,
            logging.WARNING,
            "object refused",
            calling_ae=conversation.calling_ae,
            status=f"0x{refusal.status:04X}",
            reason=refusal.comment,
        )
        answer = Dataset()
        answer.Status = int(refusal.status)
        answer.ErrorComment = refusal.comment
        return answer

    def _close(self, conversation: Conversation, *, is_released: bool) -> None:
        if conversation.association_id is not None:
            try:
                self._catalogue.close_association(
                    conversation.association_id, is_released=is_released
                )
            except StorageError as error:
                # Stays open in the catalogue until the next start; the idle timer still works.
                log_event(LOGGER, logging.ERROR, "end of association not recorded", why=str(error))
        ending = "association released" if is_released else "association cut"
        self._report(ending, conversation, logging.INFO)

    def _report(self, message: str, conversation: Conversation, level: int) -> None:
        counts = {admission.value: n for admission, n in conversation.n_admitted.items()}
        log_event(
            LOGGER,
            level,
            message,
            calling_ae=conversation.calling_ae,
            address=conversation.address,
            rejection=conversation.rejection.name if conversation.rejection else None,
            **counts,
            refused=conversation.n_refused,
            seconds=round(time.monotonic() - conversation.opened_s, 1),
        )
