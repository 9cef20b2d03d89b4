"""Proton-density frames that came as series of their own."""

from pathlib import Path

import pytest
import torch
from pydicom import dcmread
from pydicom.dataset import Dataset

from node.scanner import Dialect, write_exam
from node.settings import DEFAULT_ACQUISITION
from node.translate import DecodedStudy, decode_study
from node.translate.account import Origin, SeriesRole
from node.translate.density_series import MAX_FRAMES
from pipeline.findings import Code, Grade
from tests.fakes.decoded import noticed
from tests.fakes.exams import edit, series, small_exam, values, write_small_exam

DENSITY = (13, 14)
"""Numbers of the series: of the arterial input, of the slices."""


def decode(files: list[Path]) -> DecodedStudy:
    return decode_study(files, rules=DEFAULT_ACQUISITION)


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    dialect = Dialect(has_proton_density_series=True)
    return write_exam(small_exam("stress", 1), tmp_path, dialect=dialect)


def numbers(files: list[Path], *wanted: int) -> list[Path]:
    return [path for number in wanted for path in series(files, number)]


def test_the_exam_is_that_of_one_series(files: list[Path], tmp_path: Path) -> None:
    (apart,) = decode(files).exams
    (whole,) = decode(write_small_exam(tmp_path / "whole", n_slices=1)).exams
    pairs = zip(apart.exam.slices, whole.exam.slices, strict=True)
    for one, other in pairs:
        assert torch.equal(one.frames, other.frames)
        assert torch.equal(one.time_s, other.time_s)
        assert one.n_proton_density == other.n_proton_density == 3
        assert one.proton_density == other.proton_density
    assert apart.exam.arterial_input is not None
    assert apart.exam.arterial_input.n_proton_density == 3


def test_its_flip_angle_is_believed_and_its_role_told(files: list[Path]) -> None:
    edit(numbers(files, *DENSITY), values(FlipAngle="7"))
    study = decode(files)
    facts = {fact.name: fact for fact in study.exams[0].account.facts}
    angle = facts["perfusion: proton-density flip angle"]
    assert (angle.value, angle.origin) == ("7", Origin.HEADER)
    assert "of its own" in facts["perfusion: proton-density frames"].detail
    roles = {account.number: account.role for account in study.account.series}
    assert [roles[number] for number in DENSITY] == [SeriesRole.PROTON_DENSITY] * 2


def test_without_a_name_the_signal_tells(files: list[Path]) -> None:
    edit(
        numbers(files, *DENSITY),
        values(SeriesDescription="stress scan", ProtocolName="stress scan", SequenceName="x"),
    )
    (item,) = decode(files).exams
    assert [images.n_proton_density for images in item.exam.slices] == [3]


def darken(dataset: Dataset) -> None:
    """Make a baseline of a proton-density image."""
    dataset.PixelData = (dataset.pixel_array // 8).astype("<u2").tobytes()
    dataset.SeriesDescription = dataset.ProtocolName = "stress_perf_tfl_sr_sax_pre"


def test_a_baseline_of_the_perfusion_sequence_is_none(files: list[Path]) -> None:
    edit(numbers(files, *DENSITY), darken)
    study = decode(files)
    (item,) = study.exams
    assert [images.n_proton_density for images in item.exam.slices] == [0]
    assert [len(sources) for sources in item.sources.slices] == [24]


def test_a_baseline_beside_proton_density_does_not_spoil_it(files: list[Path]) -> None:
    edit(numbers(files, DENSITY[1]), darken)
    (item,) = decode(files).exams
    assert [images.n_proton_density for images in item.exam.slices] == [0]
    assert item.exam.arterial_input is not None
    assert item.exam.arterial_input.n_proton_density == 3


def test_a_clock_that_starts_again_leaves_it_out_with_a_finding(files: list[Path]) -> None:
    def restart(dataset: Dataset) -> None:
        dataset.AcquisitionTime = dataset.ContentTime = dataset.SeriesTime

    edit(files, restart)
    for number in DENSITY:  # the time after start begins at zero in every series
        for position, path in enumerate(series(files, number)):
            dataset = dcmread(path)
            dataset[0x0019, 0x1016].value = f"{position * 0.7 + 3:.3f}"
            dataset.save_as(path)
    study = decode(files)
    assert [images.n_proton_density for images in study.exams[0].exam.slices] == [0]
    (finding,) = noticed(study)
    assert (finding.code, finding.grade) == (Code.TIMING_UNREADABLE, Grade.REVIEW)
    assert "proton-density series" in finding.text


def test_what_was_taken_after_the_bolus_or_long_before_is_none(files: list[Path]) -> None:
    for time in ("120000", "080000"):
        edit(
            numbers(files, *DENSITY),
            values(AcquisitionTime=time, ContentTime=time, SeriesTime=time),
        )
        (item,) = decode(files).exams
        assert [images.n_proton_density for images in item.exam.slices] == [0]


def test_of_another_frame_of_reference_it_is_of_another_place(files: list[Path]) -> None:
    edit(numbers(files, *DENSITY), values(FrameOfReferenceUID="1.2.3.4"))
    (item,) = decode(files).exams
    assert [images.n_proton_density for images in item.exam.slices] == [0]


def test_each_run_has_the_frames_of_its_own_state(tmp_path: Path) -> None:
    dialect = Dialect(has_proton_density_series=True)
    files = [
        path
        for state in ("stress", "rest")
        for path in write_exam(small_exam(state, 1), tmp_path / state, dialect=dialect)
    ]
    study = decode(files)
    assert [images.n_proton_density for item in study.exams for images in item.exam.slices] == [
        3,
        3,
    ]
    for item in study.exams:
        names = {str(source.SeriesDescription).split("_")[0] for source in item.sources.slices[0]}
        assert names == {str(item.exam.state)}


def test_a_long_series_is_a_bolus_and_no_proton_density() -> None:
    assert MAX_FRAMES < 20
