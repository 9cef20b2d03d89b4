"""Studies that cannot be quantified end FAILED with a code and a page, and nothing is lost."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset

from node.selftest.archive import Archive, free_port, running_archive
from node.settings import Destination
from node.translate import read_result
from storage.records import StudyState
from tests.fakes.exams import edit, series, write_small_exam
from tests.peers.running_node import RunningNode, quick_settings, running_node


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with running_archive(tmp_path / "archive") as archive:
        yield archive


@pytest.fixture
def node(tmp_path: Path, archive: Archive) -> Iterator[RunningNode]:
    destination = Destination(
        name="PACS", ae_title="ARCHIVE", address="127.0.0.1", port=archive.port
    )
    settings = quick_settings(tmp_path / "data", free_port(), (destination,))
    with running_node(tmp_path, settings) as running:
        yield running


def _kinds(archive: Archive) -> list[str]:
    return sorted({read_result(path).kind for path in archive.files()})


def test_without_arterial_input_series_are_corrected_and_a_page_says_why(
    node: RunningNode, archive: Archive, tmp_path: Path
) -> None:
    files = series(write_small_exam(tmp_path / "scanner"), 12)
    node.send(files)
    study = node.wait_for(StudyState.FAILED, StudyState.DONE)
    assert (study.state, study.failure_code) == (StudyState.FAILED, "P05")
    assert study.n_instances == len(files)
    assert _kinds(archive) == ["failure", "moco", "movie", "page"]


def test_late_image_makes_a_new_revision_over_the_whole_study(
    node: RunningNode, archive: Archive, tmp_path: Path
) -> None:
    files = series(write_small_exam(tmp_path / "scanner"), 12)
    node.send(files[:-1])
    first = node.wait_for(StudyState.FAILED)
    node.send(files[-1:])
    second = node.wait_for(StudyState.FAILED, revision=2)
    assert (first.n_instances, second.n_instances) == (len(files) - 1, len(files))
    assert "retraction" in _kinds(archive), "what was made of the incomplete study is taken back"
    node.send(files)  # the same again changes nothing
    assert node.wait_for(StudyState.FAILED, revision=2).n_instances == len(files)


def _other_patient(dataset: Dataset) -> None:
    dataset.PatientID = "SOMEBODYELSE"
    dataset.PatientName = "Else^Somebody"


def _no_pixels(dataset: Dataset) -> None:
    del dataset.PixelData


@pytest.mark.parametrize(
    ("change", "code", "kinds"),
    [
        pytest.param(_other_patient, "P14", [], id="two patients: no page under either name"),
        pytest.param(_no_pixels, "P13", ["failure"], id="missing pixel data"),
    ],
)
def test_spoiled_study_fails_with_its_code(
    node: RunningNode,
    archive: Archive,
    tmp_path: Path,
    change: Callable[[Dataset], None],
    code: str,
    kinds: list[str],
) -> None:
    files = write_small_exam(tmp_path / "scanner")
    edit(files[:40], change)
    node.send(files)
    study = node.wait_for(StudyState.FAILED, StudyState.DONE)
    assert (study.state, study.failure_code) == (StudyState.FAILED, code)
    assert study.n_instances == len(files)
    assert _kinds(archive) == kinds
    kept = sorted((node.settings.node.data / "instances").rglob("*.dcm"))
    assert {str(dcmread(path).SOPInstanceUID) for path in kept} == {
        str(dcmread(path).SOPInstanceUID) for path in files
    }
