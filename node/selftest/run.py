"""The main job end to end: scanner -> node -> archive, and the answer against the truth."""

import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import torch

from models.phantom import PhantomExam, make_exam
from node.configuration import load_settings, save_settings
from node.errors import StartupError, TransientError
from node.ports import Progress
from node.scanner import VirtualPatient, send_files, write_exam
from node.scanner.session import Session
from node.selftest.accuracy import ExamAccuracy, MeasuredMap, compare
from node.selftest.archive import AE_TITLE, Archive, free_port, running_archive, wait_for_port
from node.settings import AllowedPeer, Destination, Settings
from node.translate import ReceivedResult, read_result
from storage.catalogue import Catalogue
from storage.database import open_database
from storage.outbox import Outbox
from storage.records import DeliveryStatus, Study, StudyState

SCANNER_TITLE = "VIRTUALSCANNER"
_START_TIMEOUT_S = 60.0
_POLL_S = 0.2
_ENDED = (StudyState.DONE, StudyState.FAILED)


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfTestReport:
    """What the run showed."""

    archive: str
    n_sent: int
    n_slices: int
    """Slices of the exam that was sent."""
    results: tuple[ReceivedResult, ...]
    accuracy: ExamAccuracy
    completed_by: str
    seconds_to_map: float
    """From the last image acknowledged to the last flow map accepted by the archive."""
    study: Study

    @property
    def is_passed(self) -> bool:
        """Whether every slice came back and agrees with the truth."""
        n_slices = len(self.accuracy.slices)
        is_complete = self.study.state is StudyState.DONE and n_slices == self.n_slices
        return is_complete and self.accuracy.is_accurate


def run_selftest(
    folder: Path, *, config: Path, seed: int, timeout_s: float, progress: Progress
) -> SelfTestReport:
    """Run the node from a temporary copy of a configuration against a phantom exam.

    Parameters
    ----------
    folder
        Working folder; gets configuration, data, log, scanner images and archive.
    config
        The configuration to copy; addresses, ports and folders are replaced.
    seed
        Seed of the phantom.
    timeout_s
        Longest wait for the results.
    progress
        Told each stage and its fraction.

    Raises
    ------
    StartupError
        Node or archive did not start.
    TransientError
        The results did not arrive in time.

    """
    with running_archive(folder / "archive") as archive:
        settings = _prepare(folder, config, archive)
        with _running_node(folder, settings):
            progress("rendering the phantom exam", 0.0)
            exam = make_exam(seed, state="stress")
            files = write_exam(exam, folder / "scanner")
            progress("rendering the phantom exam", 1.0)
            last_image_at = _send(files, settings, progress)
            study = _wait(settings, timeout_s, progress)
            return _report(archive, settings, exam, study, last_image_at, len(files))


def measured_maps(results: Sequence[ReceivedResult], exam: PhantomExam) -> tuple[MeasuredMap, ...]:
    """Return the flow maps among received results, on the clock of the phantom they came from."""
    started = Session.of(VirtualPatient.from_seed(exam.seed)).bolus_started(exam.state)
    return tuple(
        MeasuredMap(
            flow_ml_min_g=torch.from_numpy(result.values).float(),
            time_s=(result.acquired_at - started).total_seconds(),
        )
        for result in results
        if result.kind == "flow" and result.acquired_at is not None
    )


def _prepare(folder: Path, config: Path, archive: Archive) -> Settings:
    shipped = load_settings(config)
    settings = shipped.model_copy(
        update={
            "node": shipped.node.model_copy(update={"data": folder / "data"}),
            "receive": shipped.receive.model_copy(
                update={
                    "address": "127.0.0.1",
                    "port": free_port(),
                    "allow": (AllowedPeer(ae_title=SCANNER_TITLE, address="127.0.0.1"),),
                }
            ),
            "destinations": (
                Destination(
                    name="ARCHIVE", ae_title=AE_TITLE, address="127.0.0.1", port=archive.port
                ),
            ),
        }
    )
    save_settings(settings, folder / "config.yaml")
    return settings


@contextmanager
def _running_node(folder: Path, settings: Settings) -> Iterator[None]:
    log = folder / "node.log"
    command = [sys.executable, "-m", "node.cli.main", "serve", "--config"]
    with log.open("wb") as stream:
        process = subprocess.Popen(  # noqa: S603 - our own program
            [*command, str(folder / "config.yaml")], stdout=stream, stderr=stream
        )
    try:
        try:
            wait_for_port(settings.receive.port, _START_TIMEOUT_S)
        except StartupError as error:
            raise StartupError(f"the node did not start; see {log}") from error
        yield
    finally:
        process.terminate()
        process.wait(timeout=60)


def _send(files: list[Path], settings: Settings, progress: Progress) -> datetime:
    """Send the exam and return when the last image was acknowledged."""
    send_files(
        files,
        address="127.0.0.1",
        port=settings.receive.port,
        called_ae=settings.node.ae_title,
        calling_ae=SCANNER_TITLE,
        progress=lambda _, fraction: progress("sending the exam", fraction),
    )
    return datetime.now()


def _wait(settings: Settings, timeout_s: float, progress: Progress) -> Study:
    """Wait until the study has ended and every result was delivered."""
    database = open_database(settings.node.data)
    catalogue, outbox = Catalogue(database, datetime.now), Outbox(database, datetime.now)
    deadline = time.monotonic() + timeout_s
    try:
        while time.monotonic() < deadline:
            for study in catalogue.studies(*StudyState):
                _show(study, outbox, progress)
                if study.state in _ENDED and not outbox.pending(study.id):
                    return study
            time.sleep(_POLL_S)
    finally:
        database.close()
    raise TransientError(f"no complete result after {timeout_s:.0f} s")


def _show(study: Study, outbox: Outbox, progress: Progress) -> None:
    if study.state is StudyState.RECEIVING:
        progress("waiting for completeness", 0.0)
        return
    progress("waiting for completeness", 1.0)
    progress("computing", study.progress_fraction)
    deliveries = outbox.deliveries(study.id)
    if deliveries:
        progress("computing", 1.0)
        sent = sum(delivery.status is DeliveryStatus.SENT for delivery in deliveries)
        progress("results arriving", sent / len(deliveries))


def _report(
    archive: Archive,
    settings: Settings,
    exam: PhantomExam,
    study: Study,
    last_image_at: datetime,
    n_sent: int,
) -> SelfTestReport:
    results = tuple(read_result(path) for path in archive.files())
    flows = [result for result in results if result.kind == "flow"]
    return SelfTestReport(
        archive=archive.name,
        n_sent=n_sent,
        n_slices=len(exam.slices),
        results=results,
        accuracy=compare(measured_maps(results, exam), exam),
        completed_by="" if study.completed_by is None else study.completed_by.value,
        seconds_to_map=_seconds_to_map(settings, study, flows, last_image_at),
        study=study,
    )


def _seconds_to_map(
    settings: Settings, study: Study, flows: list[ReceivedResult], last_image_at: datetime
) -> float:
    database = open_database(settings.node.data)
    try:
        deliveries = Outbox(database, datetime.now).deliveries(study.id)
    finally:
        database.close()
    wanted = {flow.sop_uid for flow in flows}
    sent = [row.sent_at for row in deliveries if row.sop_uid in wanted and row.sent_at]
    return (max(sent) - last_image_at).total_seconds() if sent else float("nan")
