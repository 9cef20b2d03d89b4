"""What a hostile or broken peer does costs little and stops nobody else."""

import logging
import socket
import struct
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack

import pytest
from pynetdicom import AE
from pynetdicom.pdu import A_ASSOCIATE_RQ

from node.receive.callers import Caller, CallerList, Rejection
from node.receive.guard import WAITING_PER_ADDRESS, WaitingRoom
from node.settings import AllowedPeer
from tests.fakes import store_user
from tests.fakes.images import MR_IMAGE, encoded, image
from tests.fakes.store_user import association, connect, echo, send
from tests.node.receive.conftest import Room

P_DATA = 0x04


def raw_connection(port: int) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port))
    store_user.close_later(connection)
    connection.settimeout(10)
    return connection


def is_closed_by_node(connection: socket.socket) -> bool:
    """Whether the node ends the connection; what it says before is of no interest."""
    try:
        while connection.recv(4096):
            pass
    except ConnectionResetError:
        pass
    finally:
        connection.close()
    return True


@pytest.fixture
def quick(make_room: Callable[..., Room]) -> Room:
    """Return a started receiver with little patience."""
    room = make_room(timeout_s=1, max_object_mb=0.5, max_pdu_mb=0.125)
    room.receiver.start()
    return room


@pytest.mark.parametrize(
    "said",
    [
        b"\x01\0\xff\xff\xff\xff" + b"x" * 100,  # a request of 4 GiB
        b"\x04\0\xff\xff\xff\xff",
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03",  # TLS client hello
        b"\xff" * 1000,
        b"\x01\0\0",  # half a header
        b"\x01\0\0\0\x10\0abc",  # half a request
        b"\x04\0\0\0\0\x04abcd",  # data before a request
        b"\x05\0\0\0\0\x04\0\0\0\0",  # release before a request
        b"\x01\0\0\0\0\x02\0\1",  # a request without content
        b"",  # silence
    ],
)
def test_what_is_not_dicom_is_disconnected_and_others_go_on(quick: Room, said: bytes) -> None:
    connection = raw_connection(quick.port)
    connection.sendall(said)
    assert echo(quick.port) == 0
    assert is_closed_by_node(connection)


def within_association(port: int, *said: bytes, pause_s: float = 0.0) -> bool:
    """Say bytes in an accepted association; whether the node ends it."""
    peer = connect(port)
    peer._reactor_checkpoint.clear()
    assert peer.dul.socket is not None
    connection = peer.dul.socket.socket
    assert connection is not None
    try:
        for part in said:
            connection.sendall(part)
            time.sleep(pause_s)
    except OSError:  # ended while we were talking
        pass
    peer._reactor_checkpoint.set()
    peer.join(10)
    connection.close()
    return not peer.is_alive()


def test_a_unit_longer_than_allowed_ends_the_association(quick: Room) -> None:
    assert within_association(quick.port, struct.pack(">BxL", P_DATA, 200_000) + b"x" * 200_000)
    assert echo(quick.port) == 0


def test_dripping_bytes_do_not_hold_an_association(quick: Room) -> None:
    drip = [struct.pack(">BxL", P_DATA, 1000), *[b"x"] * 30]
    assert within_association(quick.port, *drip, pause_s=0.1)


def test_fragments_without_end_are_cut_at_the_limit(
    quick: Room, caplog: pytest.LogCaptureFixture
) -> None:
    fragment = b"\0" * 60_000  # command 0: data set, not the last fragment
    pdv = struct.pack(">LBB", len(fragment) + 2, 3, 0) + fragment
    unit = struct.pack(">BxL", P_DATA, len(pdv)) + pdv
    with caplog.at_level(logging.WARNING, "perfnode.receive"):
        assert within_association(quick.port, *[unit] * 20)
    assert "association cut: more data than allowed" in caplog.messages
    assert list(quick.files.listing()) == []


def test_objects_below_the_limit_pass_and_larger_ones_do_not(quick: Room) -> None:
    with association(quick.port) as peer:
        assert send(peer, image(1, size=256), image(2, size=256)) == [0, 0]
    assert "Status" not in connect(quick.port).send_c_store(image(3, size=600))
    assert len(quick.catalogue.instances(1)) == 2


def test_silent_connections_take_no_place_of_an_association(make_room: Callable[..., Room]) -> None:
    room = make_room(timeout_s=10, max_associations=1)
    room.receiver.start()
    with ExitStack() as stack:
        for _ in range(WAITING_PER_ADDRESS - 1):
            stack.enter_context(raw_connection(room.port))
        assert echo(room.port) == 0
        stack.enter_context(raw_connection(room.port))
        assert is_closed_by_node(raw_connection(room.port))  # the crowd is turned away at the door
    while room.receiver._server.waiting_room._waiting:  # those that left are forgotten
        time.sleep(0.01)
    assert echo(room.port) == 0


def test_the_waiting_room_counts_per_address_and_in_all() -> None:
    room = WaitingRoom()
    assert all(room.enter("a") for _ in range(WAITING_PER_ADDRESS))
    assert not room.enter("a")
    assert room.enter("b")
    room.leave("a")
    assert room.enter("a")
    addresses = [f"c{number}" for number in range(500)]
    assert 0 < sum(room.enter(address) for address in addresses) < 128


def test_too_many_associations_are_told_to_come_back(make_room: Callable[..., Room]) -> None:
    room = make_room(max_associations=2)
    room.receiver.start()
    first, second = connect(room.port), connect(room.port)
    third = connect(room.port)
    assert third.is_rejected
    answer = third.acceptor.primitive
    assert answer is not None
    assert (answer.result, answer.result_source, answer.diagnostic) == (2, 3, 2)
    first.release()
    second.release()
    assert echo(room.port) == 0


def test_a_thousand_contexts_are_rejected(room: Room) -> None:
    entity = AE(ae_title="SCANNER")
    entity.add_requested_context(MR_IMAGE)
    peer = entity.associate("127.0.0.1", room.port, ae_title="PERFNODE")
    assert peer.requestor.primitive is not None
    request = A_ASSOCIATE_RQ(peer.requestor.primitive)
    context = next(item for item in request.variable_items if item.item_type == 0x20)
    peer.release()
    request.variable_items += [context] * 999
    connection = raw_connection(room.port)
    connection.sendall(request.encode())
    assert connection.recv(10)[:1] == b"\x03"  # A-ASSOCIATE-RJ
    connection.close()


def test_control_characters_in_a_title_reach_no_log_line(
    room: Room, caplog: pytest.LogCaptureFixture
) -> None:
    entity = AE(ae_title="SCANNER")
    entity.add_requested_context(MR_IMAGE)
    peer = entity.associate("127.0.0.1", room.port, ae_title="PERFNODE")
    assert peer.requestor.primitive is not None
    request = A_ASSOCIATE_RQ(peer.requestor.primitive).encode()
    peer.release()
    with caplog.at_level(logging.INFO, "perfnode.receive"):
        for title in (b"X\r\n\x1b[2J evil    ", b"\xff" * 16, b" " * 16, b"../../../etc/pas"):
            connection = raw_connection(room.port)
            connection.sendall(request[:26] + title + request[42:])
            assert is_closed_by_node(connection)
    assert echo(room.port) == 0
    for record in caplog.records:
        title = str(getattr(record, "fields", {}).get("calling_ae", ""))
        assert title.isprintable()


def test_many_senders_at_once_lose_nothing(room: Room) -> None:
    statuses: list[int] = []

    def send_series(series: int) -> None:
        with association(room.port) as peer:
            statuses.extend(send(peer, *(image(number, series=series) for number in range(5))))

    threads = [threading.Thread(target=send_series, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [0] * 40
    assert len(room.catalogue.instances(1)) == 40


def test_no_thread_or_association_is_left_behind(room: Room) -> None:
    for _ in range(3):
        echo(room.port)
        raw_connection(room.port).close()
        connect(room.port, calling_ae="NOBODY")
        peer = connect(room.port)
        assert peer.dul.socket is not None
        assert peer.dul.socket.socket is not None
        peer.dul.socket.socket.close()  # without a word
        peer.join()
    room.receiver.stop()
    names = [thread.name for thread in threading.enumerate()]
    assert not [name for name in names if "Acceptor" in name or "process_request" in name]
    assert room.receiver._reception._accepted == {}
    assert room.receiver._reception._rejected == {}


ALLOWED = (
    AllowedPeer(ae_title="MR1", address="10.1.2.3"),
    AllowedPeer(ae_title="PACS", address="10.1.3.0/24"),
    AllowedPeer(ae_title="SIX", address="2001:db8::/32"),
)


@pytest.mark.parametrize(
    ("ae_title", "address", "rejection"),
    [
        ("MR1", "10.1.2.3", None),
        ("MR1", "::ffff:10.1.2.3", None),
        ("PACS", "10.1.3.77", None),
        ("SIX", "2001:db8::1%eth0", None),
        ("MR1", "10.1.2.4", Rejection.CALLING_AE_UNKNOWN),
        ("MR1", "10.1.3.77", Rejection.CALLING_AE_UNKNOWN),
        ("PACS", "10.1.2.3", Rejection.CALLING_AE_UNKNOWN),
        ("mr1", "10.1.2.3", Rejection.CALLING_AE_UNKNOWN),
        ("", "10.1.2.3", Rejection.CALLING_AE_UNKNOWN),
    ],
)
def test_title_and_address_must_match_in_one_entry(
    ae_title: str, address: str, rejection: Rejection | None
) -> None:
    caller = Caller(ae_title=ae_title, address=address, called_ae_title="PERFNODE", n_contexts=1)
    assert CallerList("PERFNODE", ALLOWED).judge(caller) is rejection


def test_encoded_images_fit_the_story() -> None:
    """The limit of 0.5 MiB lies between the two sizes used above."""
    assert len(encoded(image(size=256))) < 512 * 1024 < len(encoded(image(size=600)))
