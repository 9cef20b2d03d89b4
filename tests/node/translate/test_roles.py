"""Roles and states: names are hints, matrix and time decide."""

from pathlib import Path

import pytest
from pydicom.dataset import Dataset

from node.scanner import VirtualPatient
from node.settings import DEFAULT_ACQUISITION
from node.translate import DecodedStudy, decode_study
from pipeline.findings import Code
from pipeline.types import PatientState
from tests.fakes.decoded import noticed
from tests.fakes.exams import edit, series, write_small_exam


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    return write_small_exam(tmp_path)


def decode(files: list[Path]) -> DecodedStudy:
    return decode_study(files, rules=DEFAULT_ACQUISITION)


def rename(files: list[Path], description: str) -> None:
    def change(dataset: Dataset) -> None:
        dataset.SeriesDescription = dataset.ProtocolName = description
        dataset.ImageComments = ""

    edit(files, change)


@pytest.mark.parametrize(
    ("name", "state"),
    [
        ("STRESS_SSFP_Perf_TPAT3", PatientState.STRESS),
        ("perf adenosine 3 slices", PatientState.STRESS),
        ("Regadenoson first pass", PatientState.STRESS),
        ("dynamic_tfl_sr_rest", PatientState.REST),
        ("perf_Ruhe", PatientState.REST),
        ("REST_2CC_SEC_FLASH_PERF", PatientState.REST),
        ("perf_prestige", PatientState.UNKNOWN),
        ("rest_stress_perf", PatientState.UNKNOWN),
        ("dynamic_tfl_sr_tpat_sax", PatientState.UNKNOWN),
    ],
)
def test_state_follows_from_names(name: str, state: PatientState, files: list[Path]) -> None:
    rename(files, name)
    study = decode(files)
    assert study.exams[0].exam.state is state
    codes = [finding.code for finding in noticed(study)]
    assert (Code.STATE_MISSING in codes) == (state is PatientState.UNKNOWN)


def test_a_small_matrix_is_the_arterial_input_whatever_its_name(files: list[Path]) -> None:
    rename(series(files, 11), "stress_perf_xy")
    study = decode(files)
    exam = study.exams[0].exam
    assert exam.arterial_input is not None
    assert exam.arterial_input.frames.shape[1:] == (16, 20)
    assert exam.arterial_input.sequence is None  # no rule of the role knows this protocol


def test_an_unnamed_series_is_found_by_its_beats(files: list[Path]) -> None:
    rename(files, "protocol 7")
    study = decode(files)
    assert len(study.exams[0].exam.slices) == 3
    assert study.exams[0].exam.arterial_input is not None


def test_matrix_and_name_inside_one_series_are_told_apart(files: list[Path]) -> None:
    """Arterial input and slices in one series, as some scanners deliver them."""
    target = dict.fromkeys(("SeriesInstanceUID", "SeriesNumber", "SeriesDescription"), "")

    def note(dataset: Dataset) -> None:
        for keyword in target:
            target[keyword] = dataset[keyword].value

    def join(dataset: Dataset) -> None:
        for keyword, value in target.items():
            setattr(dataset, keyword, value)

    edit(series(files, 12)[:1], note)
    edit(series(files, 11), join)
    (item,) = decode(files).exams
    assert len(item.exam.slices) == 3
    assert item.exam.arterial_input is not None
    assert item.exam.arterial_input.frames.shape[1:] == (16, 20)


def test_phase_images_and_maps_are_passed_over(tmp_path: Path, files: list[Path]) -> None:
    twins = write_small_exam(tmp_path / "twins")

    def as_phase(dataset: Dataset) -> None:
        dataset.ImageType = ["ORIGINAL", "PRIMARY", "P", "ND"]
        dataset.SOPInstanceUID = f"{dataset.SOPInstanceUID[:60]}.1"

    def as_map(dataset: Dataset) -> None:
        dataset.ImageType = ["DERIVED", "PRIMARY", "PERFUSION", "TTP"]
        dataset.SeriesInstanceUID = f"{dataset.SeriesInstanceUID[:60]}.1"

    edit(twins, as_phase)
    assert noticed(decode([*files, *twins])) == ()
    edit(twins[-3:], as_map)
    study = decode([*files, *twins])
    assert noticed(study) == ()
    assert len(study.exams) == 1


def test_filtered_images_are_used_only_without_originals(tmp_path: Path, files: list[Path]) -> None:
    twins = write_small_exam(tmp_path / "twins")

    def as_filtered(dataset: Dataset) -> None:
        dataset.ImageType = ["DERIVED", "PRIMARY", "OTHER"]
        dataset.SOPInstanceUID = f"{dataset.SOPInstanceUID[:60]}.1"

    edit(twins, as_filtered)
    both, alone = decode([*files, *twins]), decode(twins)
    assert noticed(both) == noticed(alone) == ()
    assert [source.ImageType[0] for source in both.exams[0].sources.all] == ["ORIGINAL"] * 108
    assert [source.ImageType[0] for source in alone.exams[0].sources.all] == ["DERIVED"] * 108


def make_corrected(dataset: Dataset) -> None:
    """Pass for the motion-corrected copy of the scanner."""
    dataset.ImageType = ["DERIVED", "PRIMARY", "M", "ND", "MOCO"]
    dataset.SeriesDescription = f"{dataset.SeriesDescription}_MOCO"
    dataset.SeriesNumber = int(dataset.SeriesNumber) - 5
    dataset.SeriesInstanceUID = f"{dataset.SeriesInstanceUID[:60]}.2"
    dataset.SOPInstanceUID = f"{dataset.SOPInstanceUID[:60]}.2"


def test_measured_images_are_preferred_to_corrected_ones(tmp_path: Path, files: list[Path]) -> None:
    twins = write_small_exam(tmp_path / "twins")
    edit(twins, make_corrected)
    study = decode([*twins, *files])
    assert noticed(study) == ()
    assert {source.SeriesNumber for source in study.exams[0].sources.all} == {11, 12}


def test_corrected_images_alone_are_used_and_remarked(files: list[Path]) -> None:
    edit(files, make_corrected)
    study = decode(files)
    assert len(study.exams[0].exam.slices) == 3
    assert [finding.code for finding in noticed(study)] == [Code.RESIDUAL_MOTION]


def test_two_stress_runs_are_two_exams(tmp_path: Path) -> None:
    """A repeated injection: same protocol, other series, later."""
    files = write_small_exam(tmp_path / "first")
    again = write_small_exam(tmp_path / "second", "rest")

    def as_stress(dataset: Dataset) -> None:
        dataset.ImageComments = ""
        text = str(dataset.SeriesDescription).replace("rest", "stress")
        dataset.SeriesDescription = dataset.ProtocolName = text

    edit(again, as_stress)
    exams = decode([*again, *files]).exams
    assert [item.exam.state for item in exams] == [PatientState.STRESS] * 2
    assert [len(item.exam.slices) for item in exams] == [3, 3]


def test_one_patient_of_the_virtual_scanner_is_one_study(tmp_path: Path) -> None:
    patient = VirtualPatient.from_seed(42)
    files = [
        *write_small_exam(tmp_path / "a", "stress", patient=patient),
        *write_small_exam(tmp_path / "b", "rest", patient=patient),
    ]
    assert len(decode(files).exams) == 2
