"""Results on their way out, and back: real files, real tables, a real archive."""

import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import datetime
from io import BytesIO
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.uid import KeyObjectSelectionDocumentStorage

from node.errors import TransientError
from node.send.drain import drain
from node.settings import Destination, NodeSettings, SendSettings, Settings
from node.translate.encode_retraction import Reason
from node.work.outgoing import make_retract, recipients, reject_study
from storage.catalogue import Catalogue
from storage.database import Database
from storage.errors import IllegalTransitionError
from storage.files import FileStore
from storage.outbox import Outbox
from storage.records import DeliveryStatus, StudyState
from tests.fakes.archive import AE_TITLE, STORED, Archive
from tests.fakes.records import received
from tests.fakes.result_files import sending_study

NOW = datetime(2026, 3, 2, 11, 30)
N_OBJECTS = 3
CLASSES = (*STORED, KeyObjectSelectionDocumentStorage)


@pytest.fixture
def catalogue(database: Database) -> Catalogue:
    return Catalogue(database, datetime.now)


@pytest.fixture
def outbox(database: Database) -> Outbox:
    return Outbox(database, datetime.now)


@pytest.fixture
def settings(tmp_path: Path, free_port: Callable[[], int]) -> Settings:
    pacs = Destination(name="PACS", ae_title=AE_TITLE, address="127.0.0.1", port=free_port())
    return Settings(
        node=NodeSettings(data=tmp_path),
        destinations=(pacs,),
        send=SendSettings(timeout_s=2, retry_after_s=(0.05, 0.1)),
    )


@pytest.fixture
def study_id(catalogue: Catalogue, tmp_path: Path) -> int:
    number, _ = sending_study(catalogue, tmp_path, n_objects=N_OBJECTS, destinations=("PACS",))
    return number


def reject(
    settings: Settings, catalogue: Catalogue, study_id: int, reason: str = "quality"
) -> None:
    study = catalogue.study(study_id)
    reject_study(study, reason, settings=settings, catalogue=catalogue, now=NOW)


def send_everything(settings: Settings, catalogue: Catalogue, outbox: Outbox) -> None:
    """Drain until nothing waits."""
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
    deadline = time.monotonic() + 30
    while any(outbox.pending(study.id) for study in catalogue.studies()):
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.02)
    stop.set()
    thread.join()


def named_in(data: bytes) -> list[str]:
    """Return what a retraction takes back."""
    document = dcmread(BytesIO(data), force=True)
    return [
        str(item.ReferencedSOPSequence[0].ReferencedSOPInstanceUID)
        for item in document.ContentSequence
        if item.ValueType != "TEXT"
    ]


def test_a_profile_never_leaves_out_the_news_that_there_is_no_result(settings: Settings) -> None:
    (pacs,) = settings.destinations
    old = pacs.model_copy(update={"name": "OLD", "objects": ("colour", "page")})
    everything, some = recipients((pacs, old))
    assert everything.takes("report")
    assert {kind for kind in ("colour", "page", "failure", "retraction") if some.takes(kind)} == {
        "colour",
        "page",
        "failure",
        "retraction",
    }
    assert not some.takes("report")
    assert not some.takes("parametric")


def test_an_archive_gets_the_results_and_then_their_retraction(
    settings: Settings, catalogue: Catalogue, outbox: Outbox, study_id: int
) -> None:
    archive = Archive()
    with archive.listening(settings.destinations[0].port, classes=CLASSES):
        send_everything(settings, catalogue, outbox)
        delivered = list(archive.uids)
        reject(settings, catalogue, study_id, "safety")
        send_everything(settings, catalogue, outbox)
    assert archive.uids[:-1] == delivered
    assert named_in(archive.data[archive.uids[-1]]) == delivered
    assert catalogue.study(study_id).state is StudyState.REJECTED


def test_a_rejection_in_the_middle_of_sending(
    settings: Settings, catalogue: Catalogue, outbox: Outbox, study_id: int
) -> None:
    """What is under way is taken back, what is still here never goes."""

    def answer(number: int, _: object) -> int:
        if number == 0:
            reject(settings, catalogue, study_id)
        return 0

    archive = Archive(answer)
    with archive.listening(settings.destinations[0].port, classes=CLASSES):
        send_everything(settings, catalogue, outbox)
    first, retraction = archive.uids
    assert named_in(archive.data[retraction]) == [first]


def test_a_sender_killed_before_it_noted_the_answer(
    settings: Settings, catalogue: Catalogue, outbox: Outbox, study_id: int, tmp_path: Path
) -> None:
    port = settings.destinations[0].port
    archive = Archive()
    with archive.listening(port, classes=CLASSES):
        dying = [sys.executable, "-m", "tests.fakes.sender_process", str(tmp_path), str(port)]
        assert subprocess.run(dying, check=False).returncode == -signal.SIGKILL
        reject(settings, catalogue, study_id)
        send_everything(settings, catalogue, outbox)
    arrived, retraction = archive.uids
    assert named_in(archive.data[retraction]) == [arrived]


def test_an_archive_that_takes_no_retraction(
    settings: Settings, catalogue: Catalogue, outbox: Outbox, study_id: int
) -> None:
    """It is tried like any other object, and its refusal is told."""
    archive = Archive()
    with archive.listening(settings.destinations[0].port):
        send_everything(settings, catalogue, outbox)
        reject(settings, catalogue, study_id)
        send_everything(settings, catalogue, outbox)
    (refused,) = [row for row in outbox.deliveries(study_id) if row.kind == "retraction"]
    assert refused.status is DeliveryStatus.ABANDONED
    assert "accepts none of the object classes" in (refused.last_error or "")


def test_the_same_retraction_made_twice_is_one_file(
    settings: Settings, catalogue: Catalogue, study_id: int, tmp_path: Path
) -> None:
    files = FileStore(tmp_path)
    retract = make_retract(settings, files, Reason.SUPERSEDED, NOW, received=tuple)
    results = catalogue.results(study_id, 1)
    assert retract(results) == retract(results)
    assert retract(results[:1]).sop_uid != retract(results).sop_uid


def test_without_any_file_of_the_study_nothing_is_changed(
    settings: Settings, catalogue: Catalogue, outbox: Outbox, study_id: int, tmp_path: Path
) -> None:
    with Archive().listening(settings.destinations[0].port, classes=CLASSES):
        send_everything(settings, catalogue, outbox)
    shutil.rmtree(tmp_path / "results")
    with pytest.raises(TransientError, match="cannot retract"):
        reject(settings, catalogue, study_id)
    assert catalogue.study(study_id).state is not StudyState.REJECTED


def test_a_study_that_is_computed_cannot_be_rejected(
    settings: Settings, catalogue: Catalogue
) -> None:
    catalogue.record_instance(received())
    with pytest.raises(IllegalTransitionError):
        reject(settings, catalogue, 1)
