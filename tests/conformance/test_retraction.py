"""The retraction document under readers that are not ours."""

import subprocess
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest
from highdicom.ko import KeyObjectSelectionDocument
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.uid import ComprehensiveSRStorage, MRImageStorage

from node.settings import DEFAULT_ACQUISITION, ResultsSettings
from node.translate import decode_study, encode_failure_page, to_bytes
from node.translate.document import Reference
from node.translate.encode_retraction import Reason, encode_retraction
from tests.fakes.exams import PAGE, STAMP, write_small_exam

SETTINGS = ResultsSettings()
REFERENCES = (
    Reference(series_uid="2.25.8", sop_uid="2.25.8.2", sop_class_uid=MRImageStorage),
    Reference(series_uid="2.25.8", sop_uid="2.25.8.1", sop_class_uid=MRImageStorage),
    Reference(series_uid="2.25.9", sop_uid="2.25.9.1", sop_class_uid=ComprehensiveSRStorage),
)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Return a result object that is to be taken back."""
    folder = tmp_path_factory.mktemp("source")
    decoded = decode_study(write_small_exam(folder), rules=DEFAULT_ACQUISITION).exams[0]
    source = decoded.sources.slices[0][0]
    made = encode_failure_page(source, PAGE, reason="P05", run=STAMP, settings=SETTINGS)
    return dcmread(BytesIO(to_bytes(made)))


@pytest.mark.parametrize("reason", Reason)
def test_a_validator_has_no_remark(
    page: Dataset, reason: Reason, tmp_path: Path, program: Callable[[str], str]
) -> None:
    document = encode_retraction(page, REFERENCES, reason, run=STAMP, settings=SETTINGS)
    path = tmp_path / "retraction.dcm"
    path.write_bytes(to_bytes(document))
    run = subprocess.run(
        [program("dciodvfy"), "-new", str(path)], capture_output=True, text=True, check=False
    )
    lines = (run.stdout + run.stderr).splitlines()
    assert "KeyObjectSelectionDocument" in lines
    assert [line for line in lines if line.startswith(("Error", "Warning"))] == []


def test_another_library_reads_what_is_taken_back(page: Dataset) -> None:
    document = encode_retraction(page, REFERENCES, Reason.SAFETY, run=STAMP, settings=SETTINGS)
    read = KeyObjectSelectionDocument.from_dataset(dcmread(BytesIO(to_bytes(document))))
    assert read.content[0].name.value == "113037"
    found = {
        (item.referenced_sop_instance_uid, item.value_type.value)
        for item in read.content.get_references()
    }
    assert found == {
        ("2.25.8.1", "IMAGE"),
        ("2.25.8.2", "IMAGE"),
        ("2.25.9.1", "COMPOSITE"),
    }
    study, series, sop_uid = read.resolve_reference("2.25.8.2")[:3]
    assert (study, series, sop_uid) == (page.StudyInstanceUID, "2.25.8", "2.25.8.2")


def test_a_document_reader_shows_it(
    page: Dataset, tmp_path: Path, program: Callable[[str], str]
) -> None:
    document = encode_retraction(page, REFERENCES, Reason.SUPERSEDED, run=STAMP, settings=SETTINGS)
    path = tmp_path / "retraction.dcm"
    path.write_bytes(to_bytes(document))
    run = subprocess.run(
        [program("dsr2html"), str(path)], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    assert "Superseded by a newer computation" in run.stdout
    assert "Rejected for Quality Reasons" in run.stdout


def test_the_same_retraction_is_the_same_bytes_in_any_order(page: Dataset) -> None:
    first, second = (
        to_bytes(encode_retraction(page, order, Reason.QUALITY, run=STAMP, settings=SETTINGS))
        for order in (REFERENCES, (*reversed(REFERENCES), REFERENCES[0]))
    )
    assert first == second


def test_identity_comes_from_what_is_taken_back(page: Dataset) -> None:
    document = encode_retraction(
        page, REFERENCES, Reason.QUALITY, run=STAMP, settings=SETTINGS
    ).dataset
    for keyword in ("PatientID", "PatientName", "StudyInstanceUID", "AccessionNumber"):
        assert document[keyword].value == page[keyword].value
    assert document.SeriesNumber == page.SeriesNumber - 13 + 18
    assert document.Manufacturer == "perfnode"
