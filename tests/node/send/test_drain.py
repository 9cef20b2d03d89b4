"""The outbox empties whatever the archive does: down, full, strict, silent, or dying with us."""

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import dcmread

from node.send.drain import JITTER_FRACTION, drain, retry_delay_s
from node.settings import Destination, SendSettings, Settings
from storage.catalogue import Catalogue
from storage.outbox import Outbox
from storage.records import Delivery, DeliveryStatus, StudyState
from tests.fakes.archive import AE_TITLE, Archive
from tests.fakes.result_files import sending_study

WAIT_S = 30
N_OBJECTS = 4


@contextmanager
def draining(settings: Settings, catalogue: Catalogue, outbox: Outbox) -> Iterator[None]:
    stop = threading.Event()
    thread = threading.Thread(
        target=drain,
        args=(settings,),
        kwargs={
            "catalogue": catalogue,
            "outbox": outbox,
            "clock": datetime.now,
            "stop": stop,
            "look_every_s": 0.02,
        },
    )
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


@pytest.fixture
def study_id(catalogue: Catalogue, tmp_path: Path) -> int:
    number, _ = sending_study(catalogue, tmp_path, n_objects=N_OBJECTS, destinations=("PACS",))
    return number


@pytest.fixture
def is_done(catalogue: Catalogue) -> Callable[[int], bool]:
    return lambda study_id: catalogue.study(study_id).state is StudyState.DONE


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.02)


def in_order(outbox: Outbox, study_id: int) -> list[Delivery]:
    return sorted(outbox.deliveries(study_id), key=lambda delivery: delivery.id)


def statuses(outbox: Outbox, study_id: int) -> list[DeliveryStatus]:
    return [delivery.status for delivery in in_order(outbox, study_id)]


@given(st.integers(1, 100), st.floats(-1, 1))
def test_pauses_follow_the_schedule(n_failures: int, jitter: float) -> None:
    settings = SendSettings()
    schedule_s = settings.retry_after_s
    expected_s = schedule_s[n_failures - 1] if n_failures <= len(schedule_s) else schedule_s[-1]
    pause_s = retry_delay_s(settings, n_failures, jitter)
    assert abs(pause_s / expected_s - 1) <= JITTER_FRACTION + 1e-9


def test_everything_arrives_once_and_the_study_is_done(
    settings, catalogue, outbox, study_id, port, is_done
) -> None:
    archive = Archive()
    with archive.listening(port), draining(settings, catalogue, outbox):
        wait_until(lambda: is_done(study_id))
    expected = [delivery.sop_uid for delivery in in_order(outbox, study_id)]
    assert archive.uids == expected
    assert archive.n_associations == 1


def test_an_archive_that_is_down_and_comes_back(
    settings, catalogue, outbox, study_id, port, is_done
) -> None:
    archive = Archive()
    with draining(settings, catalogue, outbox):
        wait_until(lambda: in_order(outbox, study_id)[0].tries >= 3)
        assert "is the peer running?" in (in_order(outbox, study_id)[0].last_error or "")
        with archive.listening(port):
            wait_until(lambda: is_done(study_id))
    assert len(archive.uids) == len(set(archive.uids)) == N_OBJECTS


def test_an_archive_that_is_full_for_a_while(
    settings, catalogue, outbox, study_id, port, is_done
) -> None:
    archive = Archive(lambda number, _event: 0xA700 if number < 3 * N_OBJECTS else 0)
    with archive.listening(port), draining(settings, catalogue, outbox):
        wait_until(lambda: is_done(study_id))
    assert statuses(outbox, study_id) == [DeliveryStatus.SENT] * N_OBJECTS


def test_a_refusal_that_stands_is_final_and_the_others_go(
    settings, catalogue, outbox, study_id, port, is_done
) -> None:
    refused = in_order(outbox, study_id)[1].sop_uid

    def answer(_number, occurrence) -> int:
        return 0xC000 if occurrence.request.AffectedSOPInstanceUID == refused else 0

    archive = Archive(answer)
    with archive.listening(port), draining(settings, catalogue, outbox):
        wait_until(lambda: is_done(study_id))
    assert statuses(outbox, study_id).count(DeliveryStatus.ABANDONED) == 1
    assert in_order(outbox, study_id)[1].last_error == "refused: the peer refused it (0xC000)"
    assert archive.uids.count(refused) == len(settings.send.retry_after_s) + 1
    assert len(archive.uids) == N_OBJECTS + len(settings.send.retry_after_s)


def test_a_refusal_that_passes_is_delivered(
    settings, catalogue, outbox, study_id, port, is_done
) -> None:
    archive = Archive(lambda number, _event: 0xC000 if number < N_OBJECTS else 0)
    with archive.listening(port), draining(settings, catalogue, outbox):
        wait_until(lambda: is_done(study_id))
    assert statuses(outbox, study_id) == [DeliveryStatus.SENT] * N_OBJECTS


@pytest.mark.parametrize(("status", "remark"), [(0xB000, "0xB000"), (0x0111, "had it already")])
def test_warnings_and_duplicates_count_as_delivered(
    settings, catalogue, outbox, study_id, port, is_done, status, remark
) -> None:
    archive = Archive(lambda _number, _event: status)
    with archive.listening(port), draining(settings, catalogue, outbox):
        wait_until(lambda: is_done(study_id))
    assert len(archive.uids) == N_OBJECTS
    assert all(remark in (delivery.last_error or "") for delivery in in_order(outbox, study_id))


def test_an_archive_that_does_not_know_us_yet(
    settings, catalogue, outbox, study_id, port, is_done
) -> None:
    archive = Archive()
    with draining(settings, catalogue, outbox):
        with archive.listening(port, callers=("OTHER",)):
            wait_until(lambda: "rejected" in (in_order(outbox, study_id)[0].last_error or ""))
        with archive.listening(port):
            wait_until(lambda: is_done(study_id))


def test_an_archive_that_hangs_once(settings, catalogue, outbox, study_id, port, is_done) -> None:
    def answer(number, _event) -> int:
        if number == 1:
            time.sleep(settings.send.timeout_s * 1.5)
        return 0

    archive = Archive(answer)
    with archive.listening(port), draining(settings, catalogue, outbox):
        wait_until(lambda: is_done(study_id))
    assert set(archive.uids) == {delivery.sop_uid for delivery in in_order(outbox, study_id)}
    assert len(archive.uids) == N_OBJECTS + 1, "only the object in doubt is sent again"


def test_an_object_the_archive_cannot_survive_does_not_block_the_others(
    settings, catalogue, outbox, study_id, port
) -> None:
    poison = in_order(outbox, study_id)[0].sop_uid

    def answer(_number, occurrence) -> int:
        if occurrence.request.AffectedSOPInstanceUID == poison:
            occurrence.assoc.abort()
        return 0

    archive = Archive(answer)
    with archive.listening(port), draining(settings, catalogue, outbox):
        wait_until(lambda: statuses(outbox, study_id)[1:] == [DeliveryStatus.SENT] * 3)
    assert statuses(outbox, study_id)[0] is DeliveryStatus.PENDING
    assert catalogue.study(study_id).state is StudyState.SENDING


def test_a_dead_destination_does_not_hold_up_another(
    settings: Settings, catalogue, outbox, tmp_path, port, free_port
) -> None:
    dead = Destination(name="DEAD", ae_title=AE_TITLE, address="127.0.0.1", port=free_port())
    both = settings.model_copy(update={"destinations": (dead, *settings.destinations)})
    number, _ = sending_study(
        catalogue, tmp_path, n_objects=N_OBJECTS, destinations=("DEAD", "PACS")
    )
    with Archive().listening(port), draining(both, catalogue, outbox):
        wait_until(lambda: len(outbox.pending(number)) == N_OBJECTS)
    assert {delivery.destination for delivery in outbox.pending(number)} == {"DEAD"}
    assert catalogue.study(number).state is StudyState.SENDING


def test_killed_between_the_answer_and_the_commit(
    settings, catalogue, outbox, study_id, port, tmp_path, is_done
) -> None:
    archive = Archive()
    with archive.listening(port):
        dying = [sys.executable, "-m", "tests.fakes.sender_process", str(tmp_path), str(port)]
        assert subprocess.run(dying, check=False).returncode == -signal.SIGKILL
        assert len(archive.received) == 1
        with draining(settings, catalogue, outbox):
            wait_until(lambda: is_done(study_id))
    assert len(archive.received) == N_OBJECTS + 1
    assert len(set(archive.received)) == N_OBJECTS, "the same object with the same bytes"


def test_dcmtk_gets_the_same_pixels(
    settings, catalogue, outbox, port, tmp_path, is_done, program
) -> None:
    number, results = sending_study(catalogue, tmp_path, n_objects=2, destinations=("PACS",))
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    storescp = subprocess.Popen([program("storescp"), "-od", str(inbox), str(port)])
    try:
        with draining(settings, catalogue, outbox):
            wait_until(lambda: is_done(number))
    finally:
        storescp.terminate()
        storescp.wait()
    arrived = {item.SOPInstanceUID: item for item in map(dcmread, inbox.iterdir())}
    for result in results:
        sent = dcmread(tmp_path / result.file.path)
        assert arrived[result.sop_uid].PixelData == sent.PixelData
        assert arrived[result.sop_uid] == sent


def test_no_identity_in_the_log(settings, catalogue, outbox, study_id, port, is_done, caplog):
    archive = Archive(lambda number, _event: 0xC000 if number < 2 else 0)
    with (
        caplog.at_level("DEBUG", logger="perfnode"),
        archive.listening(port),
        draining(settings, catalogue, outbox),
    ):
        wait_until(lambda: is_done(study_id))
    ours = [record for record in caplog.records if record.name.startswith("perfnode")]
    text = " ".join(f"{record.getMessage()} {record.fields}" for record in ours)
    assert "study done" in text
    assert "DOE" not in text
    assert "2.25." not in text


def test_a_node_without_destinations_just_waits(settings, catalogue, outbox) -> None:
    with draining(settings.model_copy(update={"destinations": ()}), catalogue, outbox):
        pass
