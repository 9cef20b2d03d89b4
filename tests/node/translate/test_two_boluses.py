"""Two bolus runs in one series are two exams, whatever clock tells them apart."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import torch
from pydicom.dataset import Dataset

from node.settings import DEFAULT_ACQUISITION
from node.translate import DecodedStudy, decode_study
from node.translate.account import SeriesRole
from pipeline.findings import Code, Grade
from pipeline.types import PatientState
from tests.fakes.decoded import noticed
from tests.fakes.exams import edit, series, write_small_exam


def decode(files: list[Path]) -> DecodedStudy:
    return decode_study(files, rules=DEFAULT_ACQUISITION)


def shared(path: Path, change: Callable[[Dataset], None], n_second: int = 27) -> list[Path]:
    """Write one series of slices that holds a stress run and a rest run of fewer beats."""
    first = series(write_small_exam(path / "a", "stress", n_slices=1), 12)
    second = series(write_small_exam(path / "b", "rest", n_slices=1), 22)[:n_second]
    uids: list[str] = []

    def unlabel(dataset: Dataset) -> None:
        uids.append(dataset.SeriesInstanceUID)
        dataset.SeriesInstanceUID, dataset.SeriesNumber = uids[0], 12
        dataset.SeriesDescription = dataset.ProtocolName = "perf_tfl_sr"
        dataset.ImageComments = ""

    files = [*first, *second]
    edit(files, unlabel)
    edit(files, change)
    return files


def nothing(dataset: Dataset) -> None:
    """Leave the acquisition times as they are."""


def one_wall_time(dataset: Dataset) -> None:
    """Count beats in trigger times, on the clock of the first bolus, as some scanners do."""
    start = datetime(1900, 1, 1, 10)
    taken = datetime.strptime(dataset.AcquisitionTime, "%H%M%S.%f") - start
    dataset.TriggerTime = f"{taken / timedelta(milliseconds=1):.3f}"
    dataset.AcquisitionTime = dataset.ContentTime = dataset.SeriesTime = "101500"
    del dataset[0x0019, 0x1016]


@pytest.mark.parametrize("change", [nothing, one_wall_time])
def test_a_pause_parts_the_runs(change: Callable[[Dataset], None], tmp_path: Path) -> None:
    files = shared(tmp_path, change)
    study = decode(files[::-1])
    assert [len(item.sources.slices[0]) for item in study.exams] == [27, 27]
    assert [item.exam.state for item in study.exams] == [PatientState.UNKNOWN] * 2
    assert [images.n_proton_density for item in study.exams for images in item.exam.slices] == [
        3,
        3,
    ]
    codes = [finding.code for finding in noticed(study)]
    assert codes.count(Code.STATE_MISSING) == 2
    (note,) = [finding for finding in noticed(study) if finding.code is Code.INCOMPLETE_TRANSFER]
    assert note.grade is Grade.REVIEW
    assert "two bolus runs" in note.text
    (account,) = study.account.series
    assert account.role is SeriesRole.PERFUSION


def test_the_runs_are_those_of_two_series(tmp_path: Path) -> None:
    (first, second) = decode(shared(tmp_path, nothing)).exams
    apart = series(write_small_exam(tmp_path / "c", "rest", n_slices=1), 22)
    (alone,) = decode(apart).exams
    assert torch.equal(second.exam.slices[0].frames, alone.exam.slices[0].frames)
    assert not torch.equal(first.exam.slices[0].frames, alone.exam.slices[0].frames)


def test_a_second_run_of_few_beats_is_left_out(tmp_path: Path) -> None:
    study = decode(shared(tmp_path, nothing, n_second=15))
    assert [len(item.sources.slices[0]) for item in study.exams] == [27]


def test_a_few_images_before_a_pause_are_no_run(tmp_path: Path) -> None:
    files = series(write_small_exam(tmp_path, n_slices=1), 12)

    def earlier(dataset: Dataset) -> None:
        taken = datetime.strptime(dataset.AcquisitionTime, "%H%M%S.%f") - timedelta(minutes=2)
        dataset.AcquisitionTime = taken.strftime("%H%M%S.%f")

    def forget_private_time(dataset: Dataset) -> None:
        del dataset[0x0019, 0x1016]

    edit(files, forget_private_time)
    edit(files[:3], earlier)
    study = decode(files)
    assert [images.n_proton_density for images in study.exams[0].exam.slices] == [3]
    assert noticed(study) == ()
