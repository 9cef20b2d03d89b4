"""C-STORE of stored files, byte for byte, and what the answer means."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum, IntEnum, auto
from pathlib import Path

import pydicom
from pydicom.dataset import FileDataset
from pydicom.errors import InvalidDicomError
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian, JPEGBaseline8Bit
from pynetdicom import _config
from pynetdicom.association import Association
from pynetdicom.presentation import PresentationContext, build_context

from node.errors import RefusalError
from node.send.association import AssociationFailedError, open_association
from node.settings import Destination
from storage.records import Delivery

# Send the bytes of the file as they are; a data set decoded and encoded again is another one.
_config.STORE_SEND_CHUNKED_DATASET = True

SYNTAXES = (ExplicitVRLittleEndian, ImplicitVRLittleEndian)
"""What every peer takes at least one of, the better first."""
CONVERTIBLE = (*SYNTAXES, JPEGBaseline8Bit)
"""What can be sent in one of `SYNTAXES` instead."""
MAX_CONTEXTS = 128


class Status(IntEnum):
    """Answers of a storage peer (PS3.4 B.2.3, PS3.7 Annex C)."""

    SUCCESS = 0x0000
    REQUESTED_OPTIONAL_ATTRIBUTES_IGNORED = 0x0001
    ATTRIBUTE_LIST_ERROR = 0x0107
    DUPLICATE_SOP_INSTANCE = 0x0111
    ATTRIBUTE_VALUE_OUT_OF_RANGE = 0x0116
    OUT_OF_RESOURCES = 0xA700
    OUT_OF_RESOURCES_LAST = 0xA7FF
    WARNING = 0xB000
    WARNING_LAST = 0xBFFF


class Answer(Enum):
    """What a try came to."""

    DELIVERED = auto()
    LATER = auto()
    REFUSED = auto()
    """The peer does not want this object; see the package docstring for how final that is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The result of one try; `text` is empty when there is nothing to remark."""

    answer: Answer
    text: str = ""


class UnreadablePixelsError(RefusalError):
    """Stored pixels cannot be decompressed."""


class StoreSession:
    """One association over which objects are stored one after the other."""

    def __init__(self, association: Association) -> None:
        self._association = association
        self._message_id = 0

    def store(self, delivery: Delivery, file: Path) -> Outcome:
        """Store one object.

        Parameters
        ----------
        delivery
            What is delivered.
        file
            Its stored file.

        Raises
        ------
        AssociationFailedError
            The association broke, or no answer came; whether the peer has the object is unknown.

        """
        if not self._association.is_established:
            raise AssociationFailedError("the peer closed the association")
        syntax = self._accepted_syntax(delivery)
        if syntax is None:
            text = "the peer accepts no presentation context for this class"
            return Outcome(answer=Answer.REFUSED, text=text)
        if not file.is_file():
            return Outcome(answer=Answer.LATER, text="the stored file is missing")
        is_same = syntax == delivery.transfer_syntax_uid
        try:
            response = self._association.send_c_store(
                file if is_same else read_native(file), msg_id=self._next_message_id()
            )
        except UnreadablePixelsError:
            return Outcome(answer=Answer.REFUSED, text="the stored file cannot be decompressed")
        except RuntimeError as error:  # it broke after the check above
            raise AssociationFailedError("the peer closed the association") from error
        except (ValueError, AttributeError, InvalidDicomError):
            return Outcome(answer=Answer.REFUSED, text="the stored file cannot be sent")
        if "Status" not in response:
            raise AssociationFailedError("no answer from the peer in time, or it aborted")
        return judge(int(response.Status))

    def _accepted_syntax(self, delivery: Delivery) -> str | None:
        """Return the syntax of the file if accepted, else one that it can be converted to."""
        accepted = [
            context.transfer_syntax[0]
            for context in self._association.accepted_contexts
            if context.abstract_syntax == delivery.sop_class_uid
        ]
        if delivery.transfer_syntax_uid in accepted:
            return delivery.transfer_syntax_uid
        if delivery.transfer_syntax_uid not in CONVERTIBLE:
            return None
        return next((str(syntax) for syntax in SYNTAXES if syntax in accepted), None)

    def _next_message_id(self) -> int:
        self._message_id = self._message_id % 0xFFFF + 1
        return self._message_id


@contextmanager
def open_session(
    destination: Destination, deliveries: Sequence[Delivery], *, calling_ae: str, timeout_s: float
) -> Iterator[StoreSession]:
    """Hold one association that can carry exactly these deliveries.

    Raises
    ------
    AssociationFailedError
        There is no association; says why.

    """
    with open_association(
        destination,
        calling_ae=calling_ae,
        contexts=contexts_for(deliveries),
        timeout_s=timeout_s,
    ) as association:
        yield StoreSession(association)


def contexts_for(deliveries: Iterable[Delivery]) -> list[PresentationContext]:
    """Return the presentation contexts that the deliveries need, and no others.

    Every syntax has a context of its own: in a shared one the peer picks, and then the bytes of
    the file would have to be changed although the peer can take them.
    """
    wanted: dict[tuple[str, str], None] = {}
    for delivery in deliveries:
        wanted[delivery.sop_class_uid, delivery.transfer_syntax_uid] = None
        if delivery.transfer_syntax_uid in CONVERTIBLE:
            wanted.update(((delivery.sop_class_uid, str(syntax)), None) for syntax in SYNTAXES)
    return [build_context(*pair) for pair in wanted][:MAX_CONTEXTS]


def read_native(file: Path) -> FileDataset:
    """Read a stored file for a peer that takes no compressed pixels.

    The object keeps its UID and stays marked as compressed with loss: decompression adds none
    (PS3.3 C.7.6.1.1.5).

    Raises
    ------
    UnreadablePixelsError
        The pixels are damaged, or the decoder is not installed.

    """
    dataset = pydicom.dcmread(file)
    if dataset.file_meta.TransferSyntaxUID.is_compressed:
        try:
            dataset.decompress(generate_instance_uid=False)
        except (RuntimeError, ValueError, AttributeError) as error:
            raise UnreadablePixelsError(str(error)) from error
    return dataset


def judge(status: int) -> Outcome:
    """Return what a C-STORE status means for the delivery."""
    if status == Status.SUCCESS:
        return Outcome(answer=Answer.DELIVERED)
    if status == Status.DUPLICATE_SOP_INSTANCE:
        return Outcome(answer=Answer.DELIVERED, text="the peer had it already (0x0111)")
    if _is_warning(status):
        return Outcome(answer=Answer.DELIVERED, text=f"accepted with warning 0x{status:04X}")
    if Status.OUT_OF_RESOURCES <= status <= Status.OUT_OF_RESOURCES_LAST:
        return Outcome(answer=Answer.LATER, text=f"the peer is out of resources (0x{status:04X})")
    return Outcome(answer=Answer.REFUSED, text=f"the peer refused it (0x{status:04X})")


def _is_warning(status: int) -> bool:
    return Status.WARNING <= status <= Status.WARNING_LAST or status in (
        Status.REQUESTED_OPTIONAL_ATTRIBUTES_IGNORED,
        Status.ATTRIBUTE_LIST_ERROR,
        Status.ATTRIBUTE_VALUE_OUT_OF_RANGE,
    )
