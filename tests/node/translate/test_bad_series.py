"""Series that a scanner or an archive has spoiled: the right code, or a result with a finding."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest
import torch
from pydicom.dataset import Dataset

from node.errors import UnusableStudyError
from node.settings import DEFAULT_ACQUISITION
from node.translate import DecodedStudy, decode_study
from node.translate.clock import TimeSource
from pipeline.findings import Code, Grade
from tests.fakes.decoded import noticed
from tests.fakes.exams import edit, series, small_exam, values, write_small_exam

MISSING_IN_ARTERIAL_INPUT = 5


def decode(files: list[Path]) -> DecodedStudy:
    return decode_study(files, rules=DEFAULT_ACQUISITION)


def as_other(dataset: Dataset) -> None:
    dataset.SOPInstanceUID = f"{dataset.SOPInstanceUID[:60]}.9"


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    return write_small_exam(tmp_path / "exam", n_slices=1)


def test_phase_images_that_do_not_say_so_leave_no_readable_clock(
    files: list[Path], tmp_path: Path
) -> None:
    twins = series(write_small_exam(tmp_path / "phase", n_slices=1), 12)
    edit(twins, as_other)
    with pytest.raises(UnusableStudyError) as caught:
        decode([*files, *twins])
    assert caught.value.code is Code.TIMING_UNREADABLE


@pytest.mark.parametrize(
    "change",
    [
        values(ImageType=["ORIGINAL", "PRIMARY", "P", "ND"]),
        values(ComplexImageComponent="PHASE"),
        values(ImageType=["ORIGINAL", "PRIMARY", "IMAGINARY"]),
    ],
)
def test_phase_images_mixed_in_change_nothing(
    change: object, files: list[Path], tmp_path: Path
) -> None:
    twins = series(write_small_exam(tmp_path / "phase", n_slices=1), 12)
    edit(twins, as_other)
    assert callable(change)
    edit(twins, change)
    study = decode([*twins, *files])
    expected = small_exam("stress", 1).slices[0].frames.round().clamp(0, 4095)
    assert torch.equal(study.exams[0].exam.slices[0].frames, expected)
    assert noticed(study) == ()


def test_one_stamp_given_twice_sends_the_clock_to_another_field(files: list[Path]) -> None:
    slices = series(files, 12)
    stamps: list[str] = []
    edit(slices[7:8], lambda dataset: stamps.append(dataset.AcquisitionTime))
    edit(slices[8:9], values(AcquisitionTime=stamps[0]))
    (item,) = decode(files).exams
    assert item.account.clock == TimeSource.TIME_AFTER_START
    phantom = small_exam("stress", 1)
    start_s = min(phantom.slices[0].time_s.min(), phantom.arterial_input.time_s.min())
    torch.testing.assert_close(
        item.exam.slices[0].time_s, phantom.slices[0].time_s - start_s, rtol=0, atol=1.01e-3
    )


def test_one_image_of_another_day_is_no_beat(files: list[Path]) -> None:
    """A stamp that jumps by a day is not a beat: another field counts."""

    def another_day(dataset: Dataset) -> None:
        date = datetime.strptime(dataset.AcquisitionDate, "%Y%m%d") + timedelta(days=1)
        dataset.AcquisitionDate = date.strftime("%Y%m%d")

    edit(series(files, 12)[9:10], another_day)
    study = decode(files)
    (item,) = study.exams
    times = item.exam.slices[0].time_s
    assert float(times[-1]) < 60


def test_beats_that_only_the_arterial_input_lacks_are_remarked(files: list[Path]) -> None:
    lost = series(files, 11)[10 : 10 + MISSING_IN_ARTERIAL_INPUT]
    study = decode([path for path in files if path not in lost])
    (finding,) = noticed(study)
    assert (finding.code, finding.grade) == (Code.INCOMPLETE_TRANSFER, Grade.REVIEW)
    assert "arterial input has 22 images, the slices have up to 27" in finding.text
    assert study.exams[0].account.stacks[-1].n_missing == MISSING_IN_ARTERIAL_INPUT


def test_series_of_two_frames_of_reference_are_one_exam_in_patient_axes(files: list[Path]) -> None:
    """Positions decide; a scanner that starts a new frame of reference moves the axes."""
    edit(series(files, 11), values(FrameOfReferenceUID="1.2.3.4"))
    (item,) = decode(files).exams
    assert item.exam.arterial_input is not None


def test_a_long_axis_among_short_axes_is_left_out(tmp_path: Path) -> None:
    files = write_small_exam(tmp_path)
    long_axis = values(ImageOrientationPatient=[0, 0, -1, -0.7071068, 0.7071068, 0])
    edit(series(files, 12)[::3], long_axis)
    study = decode(files)
    assert len(study.exams[0].exam.slices) == 2
    (finding,) = noticed(study)
    assert (finding.code, finding.grade) == (Code.FEW_SLICES, Grade.REVIEW)
    assert "not parallel" in finding.text
