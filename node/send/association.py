"""Associations with a destination; whatever goes wrong is said in words."""

import socket
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from pynetdicom import AE
from pynetdicom.association import Association
from pynetdicom.presentation import PresentationContext
from pynetdicom.transport import T_CONNECT, AddressInformation, AssociationSocket

from node.errors import TransientError
from node.settings import Destination


class AssociationFailedError(TransientError):
    """No association: the peer cannot be found, reached, or does not want us."""


class NothingAcceptedError(AssociationFailedError):
    """The peer answers, and takes none of the classes that were proposed."""


@contextmanager
def open_association(
    destination: Destination,
    *,
    calling_ae: str,
    contexts: Sequence[PresentationContext],
    timeout_s: float,
) -> Iterator[Association]:
    """Hold an association, released at the end.

    Parameters
    ----------
    destination
        The peer.
    calling_ae
        Our AE title.
    contexts
        Presentation contexts to propose.
    timeout_s
        For connecting, for each answer, and for each read or write on the connection.

    Raises
    ------
    AssociationFailedError
        With the step that failed and what to look at.
    NothingAcceptedError
        There was no step left to fail: the peer does not want what is to be sent.

    """
    entity = _application_entity(calling_ae, timeout_s)
    association = _first_success(entity, destination, contexts)
    try:
        yield association
    finally:
        if association.is_established:
            association.release()


def _application_entity(calling_ae: str, timeout_s: float) -> AE:
    entity = _Entity(ae_title=calling_ae)
    entity.connection_timeout = timeout_s
    entity.acse_timeout = timeout_s
    entity.dimse_timeout = timeout_s
    entity.network_timeout = timeout_s
    return entity


def _first_success(
    entity: AE, destination: Destination, contexts: Sequence[PresentationContext]
) -> Association:
    """Try the addresses of the host in turn: `localhost` may be IPv6 where the peer is not."""
    reason = "no address"
    for address in _resolve(destination):
        association = entity.associate(
            address,
            destination.port,
            contexts=list(contexts),
            ae_title=destination.ae_title,
        )
        if association.is_established:
            return association
        if _accepts_nothing(association):
            raise NothingAcceptedError(
                f"{destination.ae_title} accepts none of the object classes that are sent"
            )
        reason = _reason(association, address, destination)
        if association.is_rejected:
            break
    raise AssociationFailedError(reason)


def _resolve(destination: Destination) -> list[str]:
    try:
        found = socket.getaddrinfo(destination.address, destination.port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise AssociationFailedError(
            f"host name {destination.address} is not known ({error.strerror}): "
            "check the address of the destination and the name service"
        ) from error
    return list(dict.fromkeys(str(item[4][0]) for item in found))


class _TunedSocket(AssociationSocket):
    """A connection whose packets leave at once, that never blocks for ever, and is closed.

    Without TCP_NODELAY every object waits some 40 ms for the peer's delayed acknowledgement.
    pynetdicom clears the timeout after connecting, so that a peer that stops in the middle of a
    protocol data unit would hold the thread for good; and it leaves a socket open whose peer is
    gone, because the shutdown before the close fails.
    """

    def connect(self, primitive: T_CONNECT) -> None:
        """Connect, then set what pynetdicom leaves unset."""
        super().connect(primitive)
        if self.socket is not None:
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.socket.settimeout(self.assoc.network_timeout)

    def recv(self, nr_bytes: int) -> bytearray:
        """Read from the connection and acknowledge at once.

        Archives write an answer in two pieces and hold the second back until the first is
        acknowledged (Nagle), which the system delays by some 40 ms unless told otherwise each time.
        """
        if self.socket is not None:
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        return super().recv(nr_bytes)

    def _shutdown_socket(self) -> None:
        connection = self.socket
        super()._shutdown_socket()
        if connection is not None:
            connection.close()


class _Entity(AE):
    """An application entity whose associations use `_TunedSocket`."""

    def _create_socket(
        self,
        assoc: Association,
        address: AddressInformation,
        tls_args: tuple[ssl.SSLContext, str] | None,
    ) -> AssociationSocket:
        connection = _TunedSocket(assoc, address=address)
        connection.tls_args = tls_args
        return connection


def _accepts_nothing(association: Association) -> bool:
    has_answer = association.acceptor.primitive is not None
    return has_answer and not association.is_rejected and not association.accepted_contexts


def _reason(association: Association, address: str, destination: Destination) -> str:
    answer = association.acceptor.primitive
    if association.is_rejected and answer is not None:
        return (
            f"association rejected by {destination.ae_title}: "
            f"{answer.result_str.lower()}, {answer.reason_str.lower()}"
        )
    return _why_unreachable(address, destination.port, association.connection_timeout)


def _why_unreachable(address: str, port: int, timeout_s: float | None) -> str:
    try:
        socket.create_connection((address, port), timeout=timeout_s).close()
    except TimeoutError:
        return f"no connection to {address}:{port} in time: check address and firewall"
    except OSError as error:
        return f"no connection to {address}:{port} ({error.strerror}): is the peer running?"
    return f"{address}:{port} takes connections but does not answer as a DICOM node"
