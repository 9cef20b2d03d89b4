"""Whatever stops the receiver, what it acknowledged is there afterwards."""

import hashlib
import random
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from pydicom.uid import ExplicitVRLittleEndian

from node.receive.part10 import file_header, take_apart
from node.receive.recover import Recovery, recover
from storage.catalogue import Catalogue
from storage.database import open_database
from storage.files import FileStore
from storage.records import InstanceStatus
from tests.fakes.images import MR_IMAGE, encoded, image
from tests.fakes.store_user import SECONDARY_CAPTURE, association, connect, send, store
from tests.fakes.ticking_clock import TickingClock
from tests.node.receive.conftest import Process, Room

NOTHING = Recovery(n_swept=0, n_adopted=0, n_damaged=0, n_missing=0)


def acknowledged_by(process: Process, numbers: range, chance: random.Random) -> dict[str, str]:
    """Send images until the receiver is killed; return SOP UID and digest of the acknowledged.

    The kill comes while images go on being sent, at any moment of the few that an image takes.
    """
    acknowledged: dict[str, str] = {}
    killer = threading.Timer(chance.uniform(0, 0.1), process.kill)
    n_before_kill = chance.randint(4, 12)
    peer = connect(process.port)
    for number in numbers:
        if len(acknowledged) == n_before_kill:
            killer.start()
        item = image(number, fill=number)
        if not peer.is_established or "Status" not in (answer := peer.send_c_store(item)):
            break
        assert answer.Status == 0x0000
        acknowledged[item.SOPInstanceUID] = hashlib.sha256(encoded(item)).hexdigest()
    killer.join()
    peer.join(10)
    return acknowledged


def test_killed_in_the_middle_nothing_acknowledged_is_lost(process: Process) -> None:
    acknowledged: dict[str, str] = {}
    chance = random.Random(4)
    for round_number in range(3):
        process.start()
        numbers = range(round_number * 10_000, round_number * 10_000 + 10_000)
        acknowledged |= acknowledged_by(process, numbers, chance)
    process.start()  # repairs
    assert process.stop() == 0
    database = open_database(process.data)
    catalogue, files = Catalogue(database, TickingClock()), FileStore(process.data)
    rows = {row.sop_uid: row for row in catalogue.instances(1)}
    assert set(files.listing()) == {row.path for row in rows.values()}
    assert len(acknowledged) >= 12
    for sop_uid, digest in acknowledged.items():
        file = files.absolute(rows[sop_uid].path).read_bytes()
        assert hashlib.sha256(take_apart(file).dataset).hexdigest() == digest
    assert catalogue.study(1).n_open_associations == 0
    assert list((process.data / "incoming").iterdir()) == []
    database.close()


def test_terminated_in_the_middle_it_ends_in_order(process: Process) -> None:
    process.start()
    peer = connect(process.port)
    assert send(peer, image(1)) == [0]
    assert process.stop() == 0
    peer.join(10)
    assert "association cut" in process.log()
    assert "Traceback" not in process.log()


@pytest.mark.filterwarnings("ignore:Invalid value for VR UI")  # of the sender, in this process
def test_hostile_identifiers_name_no_file_and_reach_no_log(
    process: Process, tmp_path: Path
) -> None:
    process.start()
    honest = b"\x08\0\x18\0UI\x0c\x001.2.3.1.1.1\0"
    lies = [
        ("../../x", "../../x"),
        ("1.2.3.1.1.1", "1.2.3.1.1.2"),
        ("..\r\nfake log line", "1.2.3.1.1.1"),
    ]
    with association(process.port) as peer:
        for in_command, in_dataset in lies:
            lie = honest[:8] + in_dataset.encode().ljust(12, b"\0")
            dataset = encoded(image()).replace(honest, lie)
            status, comment = store(peer, dataset, sop_uid=in_command)
            assert status == 0xA900
            assert "UID" in comment
            assert in_command not in comment
        assert send(peer, image(9)) == [0]  # the association goes on
    assert process.stop() == 0
    assert len(list(FileStore(process.data).listing())) == 1
    assert {path.name for path in tmp_path.iterdir()} == {"data", "log"}
    for secret in ("../../x", "fake", "1.2.3.1", "DOE", "4711"):
        assert secret not in process.log()


@pytest.mark.parametrize(
    ("dataset", "status", "comment"),
    [
        (None, 0xA900, "no data set"),
        (encoded(image())[:30], 0xC000, "header: a value lies beyond the end"),
        (b"\xff" * 100, 0xC000, "header: no value representation where one must be"),
        (encoded(image(sop_class_uid=SECONDARY_CAPTURE)), 0xA900, "SOP Class UID differs"),
        (encoded(image(2)), 0xA900, "SOP Instance UID differs"),
    ],
)
def test_what_has_no_identity_is_refused(
    room: Room, dataset: bytes | None, status: int, comment: str
) -> None:
    with association(room.port) as peer:
        answer = store(peer, dataset, sop_uid="1.2.3.1.1.1")
        assert answer[0] == status
        assert answer[1].startswith(comment)
        assert len(answer[1]) <= 64
    assert room.catalogue.studies() == ()
    assert list(room.files.listing()) == []


def test_a_class_must_be_that_of_its_context(room: Room) -> None:
    dataset = encoded(image(sop_class_uid=SECONDARY_CAPTURE))
    with association(room.port) as peer:
        answer = store(peer, dataset, sop_uid="1.2.3.1.1.1", sop_class_uid=SECONDARY_CAPTURE)
    assert answer == (0xA900, "SOP class is not that of the presentation context")


def test_an_image_cut_in_its_pixels_is_stored(room: Room) -> None:
    """Refusing it would only lose it: processing reports what is wrong with it."""
    with association(room.port) as peer:
        assert store(peer, encoded(image())[:-20], sop_uid="1.2.3.1.1.1") == (0, "")
    assert len(room.catalogue.instances(1)) == 1


@pytest.fixture
def idle(make_room: Callable[..., Room]) -> Room:
    """Return a receiver that is not started."""
    return make_room()


def keep(room: Room, number: int = 1) -> str:
    """Put a file on disk as a receiver killed before its commit would; return its path."""
    header = file_header(
        sop_class_uid=MR_IMAGE,
        sop_uid=f"1.2.3.1.1.{number}",
        transfer_syntax_uid=ExplicitVRLittleEndian,
        sending_ae="SCANNER",
    )
    return room.files.keep([encoded(image(number))], header=header).path


def test_complete_files_without_a_row_are_adopted(idle: Room) -> None:
    path = keep(idle)
    assert recover(idle.catalogue, idle.files) == Recovery(
        n_swept=0, n_adopted=1, n_damaged=0, n_missing=0
    )
    (instance,) = idle.catalogue.instances(1)
    assert (instance.path, instance.status) == (path, InstanceStatus.ACCEPTED)
    assert recover(idle.catalogue, idle.files) == NOTHING


def test_adoption_and_reception_record_the_same(idle: Room) -> None:
    keep(idle)
    recover(idle.catalogue, idle.files)
    (adopted,) = idle.catalogue.instances(1)
    idle.receiver.start()
    with association(idle.port) as peer:
        assert send(peer, image(1)) == [0]
    assert idle.catalogue.instances(1) == (adopted,)  # a duplicate, byte for byte


def test_half_files_go_and_damaged_ones_stay_unused(idle: Room) -> None:
    damaged = [keep(idle, number) for number in (1, 2, 3)]
    contents = [b"", b"not DICOM", idle.files.absolute(damaged[2]).read_bytes()[:-1]]
    for path, content in zip(damaged, contents, strict=True):
        idle.files.absolute(path).write_bytes(content)
    (idle.data / "incoming" / "half.part").write_bytes(b"half")
    assert recover(idle.catalogue, idle.files) == Recovery(
        n_swept=1, n_adopted=0, n_damaged=3, n_missing=0
    )
    assert idle.catalogue.studies() == ()
    assert len(list(idle.files.listing())) == 3


def test_a_deleted_file_is_noticed(idle: Room, caplog: pytest.LogCaptureFixture) -> None:
    path = keep(idle)
    recover(idle.catalogue, idle.files)
    idle.files.absolute(path).unlink()
    assert recover(idle.catalogue, idle.files).n_missing == 1
    assert caplog.records[-1].levelname == "ERROR"
