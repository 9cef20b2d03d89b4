"""What is sent is stored unchanged, recorded once, and only then acknowledged."""

import errno
import hashlib
import os
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.uid import JPEG2000Lossless, RLELossless
from pynetdicom import AE

from node.errors import StartupError
from node.receive.callers import Caller, CallerList, Rejection
from node.receive.part10 import take_apart
from node.receive.serve import Receiver
from storage import database as database_module
from storage.database import FILE_NAME
from storage.files import FileStore
from storage.records import InstanceStatus, StudyState
from tests.fakes.images import MR_IMAGE, encoded, image, save
from tests.fakes.store_user import (
    CT_IMAGE,
    SECONDARY_CAPTURE,
    association,
    connect,
    echo,
    send,
    store,
)
from tests.node.receive.conftest import Room

UIDS = {"sop_uid": "1.2.3.1.1.1"}


def stored_bytes(room: Room) -> list[bytes]:
    """Return the received data sets on disk, checked against their names."""
    found = []
    for path in room.files.listing():
        dataset = take_apart(room.files.absolute(path).read_bytes()).dataset
        assert hashlib.sha256(dataset).hexdigest() == Path(path).stem
        found.append(dataset)
    return found


def test_echo_with_dcmtk(room: Room, program: Callable[[str], str]) -> None:
    call = [program("echoscu"), "-aec", "PERFNODE", "127.0.0.1", str(room.port)]
    subprocess.run(call, check=True)


@pytest.mark.parametrize(
    ("titles", "reason"),
    [
        (["-aet", "NOBODY", "-aec", "PERFNODE"], "Calling AE Title Not Recognized"),
        (["-aec", "ELSEWHERE"], "Called AE Title Not Recognized"),
    ],
)
def test_strangers_are_rejected_with_the_reason(
    room: Room, program: Callable[[str], str], titles: list[str], reason: str
) -> None:
    call = [program("echoscu"), *titles, "127.0.0.1", str(room.port)]
    ended = subprocess.run(call, check=False, capture_output=True, text=True)
    assert ended.returncode != 0
    assert "Rejected Permanent" in ended.stderr
    assert reason in ended.stderr


def test_nobody_may_send_by_default(make_room: Callable[..., Room]) -> None:
    room = make_room(allow=())
    room.receiver.start()
    peer = connect(room.port)
    assert peer.is_rejected
    answer = peer.acceptor.primitive
    assert answer is not None
    assert (answer.result, answer.result_source, answer.diagnostic) == (1, 1, 3)


def test_dcmtk_sends_a_folder(room: Room, program: Callable[[str], str], tmp_path: Path) -> None:
    images = [image(number, fill=number) for number in range(1, 6)]
    save(tmp_path / "sent", *images)
    peer = ["-aec", "PERFNODE", "127.0.0.1", str(room.port)]
    subprocess.run([program("storescu"), *peer, "+sd", str(tmp_path / "sent")], check=True)
    room.receiver.stop()
    (study,) = room.catalogue.studies()
    assert (study.state, study.n_instances) == (StudyState.RECEIVING, 5)
    assert study.n_open_associations == 0
    assert room.catalogue.association_last_released_at(study.id) is not None
    received = {
        dcmread(room.files.absolute(path)).pixel_array[0, 0] for path in room.files.listing()
    }
    assert received == {1, 2, 3, 4, 5}
    assert {item.patient_digest for item in room.catalogue.instances(study.id)} != {""}


def test_bytes_are_stored_as_received(room: Room) -> None:
    """Also what a decoder would tidy up: here a retired group length and odd padding."""
    sent = b"\x08\0\0\0UL\x04\0\x00\x00\x00\x00" + encoded(image()).replace(b"MR", b"\0\0")
    with association(room.port) as peer:
        assert store(peer, sent, **UIDS) == (0x0000, "")
    assert stored_bytes(room) == [sent]


@pytest.mark.parametrize("syntax", [RLELossless, JPEG2000Lossless])
def test_compressed_images_are_stored_as_they_are(room: Room, syntax: str) -> None:
    entity = AE(ae_title="SCANNER")
    entity.add_requested_context(MR_IMAGE, syntax)
    peer = entity.associate("127.0.0.1", room.port, ae_title="PERFNODE")
    assert peer.is_established
    sent = encoded(image())  # nobody here looks into the pixels
    assert store(peer, sent, **UIDS)[0] == 0x0000
    peer.release()
    (instance,) = room.catalogue.instances(1)
    assert instance.transfer_syntax_uid == syntax
    assert stored_bytes(room) == [sent]


def test_sending_again_changes_nothing(room: Room) -> None:
    for _ in range(2):
        with association(room.port) as peer:
            assert send(peer, image(1), image(2)) == [0, 0]
    assert [item.status for item in room.catalogue.instances(1)] == [InstanceStatus.ACCEPTED] * 2
    assert len(list(room.files.listing())) == 2


def test_other_bytes_under_the_same_identifiers_are_kept_aside(room: Room) -> None:
    with association(room.port) as peer:
        assert send(peer, image(fill=1), image(fill=2)) == [0, 0]
    statuses = [item.status for item in room.catalogue.instances(1)]
    assert statuses == [InstanceStatus.ACCEPTED, InstanceStatus.CONFLICT]
    assert len(list(room.files.listing())) == 2


def test_two_patients_under_one_study_are_recorded_as_two(room: Room) -> None:
    with association(room.port) as peer:
        assert send(peer, image(1), image(2, patient="ROE^RICHARD")) == [0, 0]
    digests = {item.patient_digest for item in room.catalogue.instances(1)}
    assert len(digests) == 2


def test_secondary_captures_are_kept_and_ignored(room: Room) -> None:
    with association(room.port) as peer:
        assert send(peer, image(sop_class_uid=SECONDARY_CAPTURE)) == [0]
    (instance,) = room.catalogue.instances(1)
    assert instance.status is InstanceStatus.IGNORED
    assert room.catalogue.study(1).n_instances == 0


def test_other_classes_need_the_configuration(make_room: Callable[..., Room]) -> None:
    private = "1.3.12.2.1107.5.9.1"
    room = make_room(also_store=(CT_IMAGE, private))
    room.receiver.start()
    peer = connect(room.port, classes=(CT_IMAGE, private, "1.2.840.10008.5.1.4.1.1.128"))
    accepted = {str(context.abstract_syntax) for context in peer.accepted_contexts}
    assert accepted == {"1.2.840.10008.1.1", CT_IMAGE, private}
    assert send(peer, image(1, sop_class_uid=CT_IMAGE)) == [0]
    data = encoded(image(2, sop_class_uid=private))
    answer = store(
        peer, data, sop_uid="1.2.3.1.1.2", sop_class_uid=private, context_class_uid=private
    )
    assert answer == (0x0000, "")
    peer.release()
    assert {item.status for item in room.catalogue.instances(1)} == {InstanceStatus.IGNORED}


def test_a_class_that_is_not_configured_is_not_accepted(room: Room) -> None:
    peer = connect(room.port, classes=(CT_IMAGE,))
    assert [str(item.abstract_syntax) for item in peer.rejected_contexts] == [CT_IMAGE]
    peer.release()


def test_the_release_is_seen_only_at_the_end(room: Room) -> None:
    with association(room.port) as peer:
        send(peer, image())
        assert room.catalogue.study(1).n_open_associations == 1
        assert room.catalogue.association_last_released_at(1) is None
    room.receiver.stop()
    assert room.catalogue.study(1).n_open_associations == 0
    assert room.catalogue.association_last_released_at(1) is not None


def test_an_abort_is_no_release(room: Room) -> None:
    with association(room.port) as peer:
        send(peer, image())
        peer.abort()
    room.receiver.stop()
    assert room.catalogue.study(1).n_open_associations == 0
    assert room.catalogue.association_last_released_at(1) is None
    assert len(stored_bytes(room)) == 1


def test_a_failing_disk_is_answered_out_of_resources_and_recovers(
    make_room: Callable[..., Room],
) -> None:
    is_full = False

    def sync(descriptor: int) -> None:
        if is_full:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        os.fsync(descriptor)

    empty = make_room()
    room = empty.with_files(FileStore(empty.data, sync=sync))
    room.receiver.start()
    with association(room.port) as peer:
        is_full = True
        status, comment = store(peer, encoded(image()), **UIDS)
        assert (status, "No space left" in comment) == (0xA700, True)
        assert room.catalogue.studies() == ()
        is_full = False
        assert store(peer, encoded(image()), **UIDS) == (0x0000, "")
    room.receiver.stop()
    assert len(stored_bytes(room)) == 1


def test_a_locked_database_is_answered_out_of_resources_and_recovers(
    make_room: Callable[..., Room], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_module, "BUSY_TIMEOUT_S", 0)
    room = make_room()
    room.receiver.start()
    other = sqlite3.connect(room.data / FILE_NAME, isolation_level=None)
    with association(room.port) as peer:
        other.execute("BEGIN IMMEDIATE")
        assert store(peer, encoded(image()), **UIDS)[0] == 0xA700
        other.rollback()
        assert store(peer, encoded(image()), **UIDS) == (0x0000, "")
    other.close()
    assert len(room.catalogue.instances(1)) == 1


def test_an_unexpected_error_is_never_a_success(make_room: Callable[..., Room]) -> None:
    class BrokenFiles(FileStore):
        def keep(self, *_: object, **__: object) -> object:  # type: ignore[override] # broken
            raise ZeroDivisionError

    empty = make_room()
    room = empty.with_files(BrokenFiles(empty.data))
    room.receiver.start()
    with association(room.port) as peer:
        assert store(peer, encoded(image()), **UIDS) == (0x0110, "unexpected error")
    room.receiver.stop()


def test_a_check_of_the_caller_that_fails_rejects(room: Room) -> None:
    class BrokenCallers(CallerList):
        def judge(self, _: Caller) -> Rejection | None:
            raise ZeroDivisionError

    room.receiver._reception._callers = BrokenCallers("PERFNODE", ())
    assert connect(room.port).is_rejected


def test_an_end_that_cannot_be_recorded_is_told(
    make_room: Callable[..., Room],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(database_module, "BUSY_TIMEOUT_S", 0)
    room = make_room()
    room.receiver.start()
    other = sqlite3.connect(room.data / FILE_NAME, isolation_level=None)
    with association(room.port) as peer:
        send(peer, image())
        other.execute("BEGIN IMMEDIATE")
    room.receiver.stop()
    other.rollback()
    other.close()
    assert "end of association not recorded" in caplog.messages
    assert room.catalogue.study(1).n_open_associations == 1
    room.receiver.start()  # sets it right
    assert room.catalogue.study(1).n_open_associations == 0


def test_a_port_in_use_is_named_with_the_remedy(room: Room, make_room: Callable[..., Room]) -> None:
    second = make_room(port=room.port)
    with pytest.raises(StartupError, match=rf"port {room.port}.*change receive\.port"):
        second.receiver.start()
    assert echo(room.port) == 0


def test_an_address_of_another_machine_is_named(make_room: Callable[..., Room]) -> None:
    with pytest.raises(StartupError, match=r"192\.0\.2\.1.*change receive\.address"):
        make_room(address="192.0.2.1").receiver.start()


def test_a_data_folder_that_cannot_be_written_is_named(
    make_room: Callable[..., Room], tmp_path: Path
) -> None:
    """A path below a regular file: no user, not even root, can write there."""
    (tmp_path / "file").write_text("")
    room = make_room()
    receiver = Receiver(room.settings, room.catalogue, FileStore(tmp_path / "file" / "data"))
    with pytest.raises(StartupError, match=r"file/data.*check node\.data"):
        receiver.start()
    with socket.socket() as probe:  # the port is free again
        probe.bind(("127.0.0.1", room.port))


def test_stopping_twice_and_starting_again(room: Room) -> None:
    room.receiver.stop()
    room.receiver.stop()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", room.port))
    room.receiver.start()
    assert echo(room.port) == 0


def test_stopping_ends_open_associations(room: Room) -> None:
    peer = connect(room.port)
    send(peer, image())
    with socket.create_connection(("127.0.0.1", room.port)) as silent:
        room.receiver.stop()
        silent.settimeout(5)
        with suppress(ConnectionResetError):  # where it was not even accepted yet
            assert silent.recv(1) == b""
    peer.join(5)
    assert peer.is_aborted
    assert room.catalogue.study(1).n_open_associations == 0


def test_the_receiver_stays_small() -> None:
    """Its process neither computes nor encodes: the heavy libraries stay out of it."""
    script = (
        "import sys, node.receive.serve\n"
        "sys.exit(str(sys.modules.keys() & {'torch', 'highdicom', 'matplotlib', 'scipy', 'dbos'}))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script], check=False, capture_output=True, text=True
    )
    assert ended.stderr.strip() == "set()"
