"""Limits on what a peer can cost before and while it talks to us.

pynetdicom reads whatever length a peer claims, waits for ever for the rest of it, and counts
silent connections as associations. The classes here close those holes by overriding the places
where a connection becomes an association and where bytes are read.
"""

import contextlib
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from socketserver import BaseServer
from typing import TYPE_CHECKING, Any, cast

from pynetdicom import AE, evt
from pynetdicom.association import Association
from pynetdicom.transport import AssociationSocket, RequestHandler, ThreadedAssociationServer

if TYPE_CHECKING:
    from pynetdicom.pdu_primitives import A_ABORT

HEADER_LENGTH = 6
ASSOCIATE_REQUEST = 0x01
MAX_REQUEST_LENGTH = 256 * 1024
"""128 presentation contexts with every transfer syntax there is stay far below."""
READ_SIZE = 65536
WAITING_PER_ADDRESS = 32
WAITING_IN_ALL = 128
"""Connections that have not (yet) become an association: port scans, probes, silent peers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one connection may use."""

    max_pdu_bytes: int
    timeout_s: float
    """To read one protocol data unit, or to write one."""


class GuardedSocket(AssociationSocket):
    """A socket that reads no more than allowed and waits no longer than allowed."""

    def __init__(self, association: Association, connection: socket.socket, limits: Limits) -> None:
        super().__init__(association, client_socket=connection)
        self._limits = limits
        self._limit_bytes = HEADER_LENGTH
        self._is_at_header = True
        connection.settimeout(limits.timeout_s)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def recv(self, nr_bytes: int) -> bytearray:
        """Read the six bytes before a protocol data unit, or all the rest of it.

        Raises
        ------
        OSError
            If the unit is longer than allowed, or does not arrive in time, however busily its
            bytes drip.
        """
        if nr_bytes > self._limit_bytes:
            raise OSError("protocol data unit too long")
        received = self._read(nr_bytes, time.monotonic() + self._limits.timeout_s)
        if self._is_at_header and received:
            is_request = received[0] == ASSOCIATE_REQUEST
            maximum = self._limits.max_pdu_bytes
            self._limit_bytes = min(maximum, MAX_REQUEST_LENGTH) if is_request else maximum
        else:
            self._limit_bytes = HEADER_LENGTH
        self._is_at_header = not self._is_at_header
        return received

    def _read(self, n_bytes: int, deadline: float) -> bytearray:
        connection = self.socket
        received = bytearray()
        while connection is not None and len(received) < n_bytes:
            # Senders with Nagle's algorithm wait for an acknowledgement that the kernel delays by
            # 40 ms; the option is not sticky and must be set before each read.
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
            connection.settimeout(max(deadline - time.monotonic(), 0.001))
            some = connection.recv(min(READ_SIZE, n_bytes - len(received)))
            if not some:
                break
            received += some
            if time.monotonic() > deadline:
                raise TimeoutError
        if connection is not None:
            connection.settimeout(self._limits.timeout_s)
        return received

    def _shutdown_socket(self) -> None:
        """Close also where the peer was faster: the original then leaves the descriptor open."""
        if self.socket is None:
            return
        with contextlib.suppress(OSError):  # not connected any more
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


class WaitingRoom:
    """Counts connections that are no association yet, in all and per address."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: Counter[str] = Counter()

    def enter(self, address: str) -> bool:
        """Count a new connection; False, and nothing counted, if there are too many."""
        with self._lock:
            is_full = (
                self._waiting[address] >= WAITING_PER_ADDRESS
                or self._waiting.total() >= WAITING_IN_ALL
            )
            self._waiting[address] += 0 if is_full else 1
            return not is_full

    def leave(self, address: str) -> None:
        """Uncount a connection that was accepted or has ended."""
        with self._lock:
            self._waiting[address] -= 1
            self._waiting += Counter()  # drops what is zero


class GuardedHandler(RequestHandler):
    """One connection from the first byte to the last, in a thread that sees it end."""

    server: "GuardedServer"

    def handle(self) -> None:
        """Run the association to its end, then tell the server, whatever happened."""
        address = str(self.client_address[0])
        left = threading.Event()

        def leave(_: object = None) -> None:
            if not left.is_set():
                left.set()
                self.server.waiting_room.leave(address)

        association = self._create_association()
        self.server.connections.add(self.request)
        try:
            association.bind(evt.EVT_ESTABLISHED, leave)
            association.bind(evt.EVT_CONN_CLOSE, _stop_waiting_for_a_request)
            association.start()
            association.join()
        finally:
            leave()
            self.server.connections.discard(self.request)
            association.dul.kill_dul()
            self.server.shutdown_request(self.request)
            self.server.on_ended(association)

    def _create_association(self) -> Association:
        association = super()._create_association()
        # The plain socket is already in place and has announced the connection once.
        association.dul.socket = None
        association.dul.event_queue.get_nowait()
        association.set_socket(GuardedSocket(association, self.request, self.server.limits))
        return association


def _stop_waiting_for_a_request(event: evt.Event) -> None:
    """End an association whose peer left before asking for one, as health checks do.

    Its thread waits for a request with the full time-out, closed connection or not; None in the
    queue is what it takes for "none came".
    """
    if event.assoc.requestor.primitive is None:
        event.assoc.dul.to_user_queue.put(cast("A_ABORT", None))


class GuardedServer(ThreadedAssociationServer):
    """A listening socket that turns away crowds before it starts a thread for them.

    Parameters
    ----------
    entity
        Title, presentation contexts and timeouts.
    address
        Interface and port to listen on.
    handlers
        Events of the protocol and who answers them.
    limits
        For each connection.
    on_ended
        Called once for each connection that got a thread, when nothing of it is left.
    """

    def __init__(
        self,
        entity: AE,
        address: tuple[str, int],
        *,
        handlers: list[evt.EventHandlerType],
        limits: Limits,
        on_ended: Callable[[Association], None],
    ) -> None:
        self.limits = limits
        self.on_ended = on_ended
        self.waiting_room = WaitingRoom()
        self.connections: set[socket.socket] = set()
        super().__init__(
            entity,
            address,
            entity.ae_title,
            entity.supported_contexts,
            evt_handlers=handlers,
            request_handler=GuardedHandler,
        )

    def verify_request(self, request: object, client_address: Any) -> bool:  # noqa: ARG002 - fixed
        """Whether there is room for one more connection from this address."""
        return self.waiting_room.enter(str(client_address[0]))

    def stop_accepting(self) -> None:
        """Leave the accept loop; open connections go on."""
        BaseServer.shutdown(self)

    def close_connections(self) -> None:
        """Close the listening socket and what is still open; return when all threads are gone."""
        for connection in list(self.connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self.server_close()

    def handle_error(self, request: object, client_address: object) -> None:
        """Stay silent where the original prints a traceback; `on_ended` reports the end."""
