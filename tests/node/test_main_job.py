"""The main job: a stress exam in by DICOM; corrected series and maps out to real archives."""

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread

from models.phantom import PhantomExam, make_exam
from node.scanner import write_exam
from node.selftest.accuracy import compare
from node.selftest.archive import free_port, running_archive
from node.selftest.run import measured_maps
from node.settings import Destination
from node.translate import ReceivedResult, read_result
from pipeline.picture.canvas import PAGE_SHAPE
from storage.records import DeliveryStatus, Study, StudyState
from tests.peers import orthanc
from tests.peers.orthanc import Orthanc, running_orthanc
from tests.peers.running_node import RunningNode, quick_settings, running_node

SEED = 1
N_BEATS = 63
OTHER_SERIES = (1, 1, 1, 1, 1, 1, 3, 3, 3)
"""Page, movie, report, float map, two segmentations; maps of flow, fit quality and in colour."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MainJob:
    """What is left after the study was done; both archives still run."""

    exam: PhantomExam
    sent: tuple[Path, ...]
    node: RunningNode
    study: Study
    orthanc: Orthanc
    dcmtk_files: tuple[Path, ...]


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MainJob]:
    folder = tmp_path_factory.mktemp("main_job")
    exam = make_exam(SEED, state="stress")
    sent = write_exam(exam, folder / "scanner")
    dicom_port, http_port = free_port(), free_port()
    with (
        running_orthanc(
            "Orthanc", folder / "orthanc", dicom_port=dicom_port, http_port=http_port
        ) as viewer,
        running_archive(folder / "archive") as archive,
    ):
        settings = quick_settings(
            folder / "data",
            free_port(),
            (
                Destination(
                    name="ORTHANC",
                    ae_title=orthanc.AE_TITLE,
                    address="127.0.0.1",
                    port=dicom_port,
                ),
                Destination(
                    name="DCMTK", ae_title="ARCHIVE", address="127.0.0.1", port=archive.port
                ),
            ),
        )
        with running_node(folder, settings) as node:
            node.send(sent)
            study = node.wait_for(StudyState.DONE, StudyState.FAILED)
            assert archive.name == "dcmtk storescp"
            yield MainJob(
                exam=exam,
                sent=tuple(sent),
                node=node,
                study=study,
                orthanc=viewer,
                dcmtk_files=archive.files(),
            )


@pytest.fixture(scope="module")
def results(done: MainJob) -> tuple[ReceivedResult, ...]:
    return tuple(read_result(path) for path in done.dcmtk_files)


def test_study_is_done_and_says_why_it_was_complete(done: MainJob) -> None:
    assert done.study.state is StudyState.DONE
    assert done.study.completed_by is not None
    assert done.study.completed_by.value == "association released"
    states = [event.state for event in done.node.events(done.study)]
    assert states == [
        StudyState.RECEIVING,
        StudyState.QUEUED,
        StudyState.RUNNING,
        StudyState.SENDING,
        StudyState.DONE,
    ]


def test_every_result_reached_both_archives(done: MainJob) -> None:
    deliveries = done.node.deliveries(done.study)
    assert {delivery.status for delivery in deliveries} == {DeliveryStatus.SENT}
    n_results = len(deliveries) // 2
    assert n_results == len(done.sent) + sum(OTHER_SERIES)
    assert done.orthanc.count_instances() == n_results
    assert len(done.dcmtk_files) == n_results


def test_measured_flow_agrees_with_the_truth(
    done: MainJob, results: tuple[ReceivedResult, ...]
) -> None:
    accuracy = compare(measured_maps(results, done.exam), done.exam)
    assert [row.slice_index for row in accuracy.slices] == [0, 1, 2]
    assert accuracy.is_accurate, accuracy


def test_archive_shows_the_series_of_the_study(done: MainJob) -> None:
    (study,) = done.orthanc.ask("/studies?expand")
    series = [done.orthanc.ask(f"/series/{name}") for name in study["Series"]]
    shown = sorted(
        (item["MainDicomTags"]["SeriesDescription"], len(item["Instances"])) for item in series
    )
    counts = [count for _, count in shown]
    assert sorted(counts) == [*OTHER_SERIES, N_BEATS, 3 * N_BEATS]
    source = dcmread(done.sent[0], stop_before_pixels=True)
    tags = study["MainDicomTags"] | study["PatientMainDicomTags"]
    assert tags["StudyInstanceUID"] == source.StudyInstanceUID
    assert tags["PatientID"] == source.PatientID
    assert tags["AccessionNumber"] == source.AccessionNumber


def test_archive_holds_the_same_pixels_as_the_node(done: MainJob) -> None:
    data = done.node.settings.node.data
    ours = {row.sop_uid: data / row.path for row in done.node.deliveries(done.study)}
    instances = done.orthanc.ask("/instances?expand")
    maps = [item for item in instances if item["MainDicomTags"].get("SOPInstanceUID") in ours]
    assert len(maps) == len(ours)
    for item in maps[:: max(1, len(maps) // 40)]:
        stored = dcmread(BytesIO(done.orthanc.fetch(f"/instances/{item['ID']}/file")))
        kept = dcmread(ours[str(stored.SOPInstanceUID)])
        assert np.array_equal(stored.pixel_array, kept.pixel_array)


def test_results_in_the_archive_have_no_validator_errors(done: MainJob) -> None:
    errors = []
    for path in done.dcmtk_files[::8]:
        found = subprocess.run(
            ["dciodvfy", "-new", str(path)], capture_output=True, text=True, check=False
        )
        errors += [line for line in found.stderr.splitlines() if line.startswith("Error")]
    assert errors == []


def test_log_has_percentages_and_no_identity(done: MainJob) -> None:
    log = done.node.log.read_text(encoding="utf-8")
    assert "percent=" in log
    source = dcmread(done.sent[0], stop_before_pixels=True)
    for secret in (source.PatientID, str(source.PatientName), source.StudyInstanceUID):
        assert secret not in log


def test_page_arrives_as_a_colour_picture(results: tuple[ReceivedResult, ...]) -> None:
    (page,) = [result for result in results if result.kind == "page"]
    assert page.values.shape == (*PAGE_SHAPE, 3)
    assert page.values.std() > 20
