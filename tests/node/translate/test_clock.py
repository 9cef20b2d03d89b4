"""The field that counts beats is found by evidence, whatever the vendor calls it."""

from datetime import datetime
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset

from node.errors import UnusableStudyError
from node.settings import DEFAULT_ACQUISITION
from node.translate import decode_study
from node.translate.clock import read_clock
from node.translate.headers import read_headers
from node.translate.time_sources import TimeSource, parse_time_us
from pipeline.findings import Code, Grade
from tests.fakes.decoded import noticed
from tests.fakes.exams import edit, small_exam, write_small_exam


@given(st.integers(0, 86_399_999_999))
def test_times_of_day_survive_writing(microseconds: int) -> None:
    seconds, fraction = divmod(microseconds, 1_000_000)
    minutes, second = divmod(seconds, 60)
    hour, minute = divmod(minutes, 60)
    text = f"{hour:02d}{minute:02d}{second:02d}.{fraction:06d}"
    assert parse_time_us(text) == microseconds
    assert parse_time_us(f"{text[:2]}:{text[2:4]}:{text[4:]}") == microseconds


@pytest.mark.parametrize(
    ("text", "expected"),
    [("07", 25_200_000_000), ("0730", 27_000_000_000), ("073000.5", 27_000_500_000)],
)
def test_short_times_are_read(text: str, expected: int) -> None:
    assert parse_time_us(text) == expected


@pytest.mark.parametrize("text", ["", "noon", "7"])
def test_what_is_not_a_time_is_none(text: str) -> None:
    assert parse_time_us(text) is None


def source_of(files: list[Path]) -> TimeSource | None:
    slices = [read_headers(path)[0] for path in files if path.name.startswith("012")]
    groups = [slices[0::3], slices[1::3], slices[2::3]]
    clock = read_clock(groups)
    return None if clock is None else clock.source


def freeze_acquisition(dataset: Dataset) -> None:
    """One acquisition time for the whole series, as some scanners and archives write it."""
    dataset.AcquisitionTime = dataset.SeriesTime


def remove_private(dataset: Dataset) -> None:
    dataset.remove_private_tags()


def accumulate_trigger(dataset: Dataset) -> None:
    """Write trigger times that grow over the beats."""
    delay_ms = float(dataset.TriggerTime)
    beat = int(dataset.AcquisitionNumber) - 1
    dataset.TriggerTime = f"{delay_ms + 862.5 * beat:.3f}"


def test_acquisition_time_is_the_clock_of_this_vendor(tmp_path: Path) -> None:
    assert source_of(write_small_exam(tmp_path)) is TimeSource.ACQUISITION_TIME


def test_private_time_after_start_replaces_frozen_acquisition_times(tmp_path: Path) -> None:
    files = write_small_exam(tmp_path)
    edit(files, freeze_acquisition)
    assert source_of(files) is TimeSource.TIME_AFTER_START
    (item,) = decode_study(files, rules=DEFAULT_ACQUISITION).exams
    phantom = small_exam()
    for image, truth in zip(item.exam.slices, phantom.slices, strict=True):
        shift = phantom.arterial_input.time_s[0]
        torch.testing.assert_close(image.time_s, truth.time_s - shift, rtol=0, atol=1e-6)


def test_cumulative_trigger_time_is_a_clock(tmp_path: Path) -> None:
    files = write_small_exam(tmp_path)
    for change in (freeze_acquisition, remove_private, accumulate_trigger):
        edit(files, change)
    assert source_of(files) is TimeSource.TRIGGER_TIME
    (item,) = decode_study(files, rules=DEFAULT_ACQUISITION).exams
    for image in item.exam.slices:
        torch.testing.assert_close(
            image.time_s.diff(), torch.full((26,), 0.8625, dtype=torch.float64), rtol=0, atol=1e-6
        )


def test_constant_trigger_time_is_none_and_creation_time_is_remarked(tmp_path: Path) -> None:
    files = write_small_exam(tmp_path)
    for change in (freeze_acquisition, remove_private):
        edit(files, change)
    assert source_of(files) is TimeSource.CONTENT_TIME
    (finding,) = noticed(decode_study(files, rules=DEFAULT_ACQUISITION))
    assert (finding.code, finding.grade) == (Code.TIMING_UNREADABLE, Grade.REVIEW)


def test_equal_times_everywhere_are_refused(tmp_path: Path) -> None:
    files = write_small_exam(tmp_path)

    def freeze(dataset: Dataset) -> None:
        dataset.AcquisitionTime = dataset.ContentTime = dataset.SeriesTime

    for change in (freeze, remove_private):
        edit(files, change)
    with pytest.raises(UnusableStudyError, match="own time") as caught:
        decode_study(files, rules=DEFAULT_ACQUISITION)
    assert caught.value.code is Code.TIMING_UNREADABLE


def test_an_arterial_input_without_times_is_left_out(tmp_path: Path) -> None:
    files = write_small_exam(tmp_path)

    def freeze(dataset: Dataset) -> None:
        dataset.AcquisitionTime = dataset.ContentTime = dataset.SeriesTime
        dataset.remove_private_tags()

    edit([path for path in files if path.name.startswith("011")], freeze)
    study = decode_study(files, rules=DEFAULT_ACQUISITION)
    assert study.exams[0].exam.arterial_input is None
    assert study.exams[0].sources.arterial_input == ()
    assert [finding.code for finding in noticed(study)] == [Code.TIMING_UNREADABLE]


def test_midnight_is_no_gap(tmp_path: Path) -> None:
    started = datetime(2026, 3, 2, 23, 39, 50)  # the bolus comes 20 minutes later
    files = write_small_exam(tmp_path, started=started)

    def forget_the_new_day(dataset: Dataset) -> None:
        dataset.AcquisitionDate = "20260302"

    edit(files, forget_the_new_day)
    (item,) = decode_study(files, rules=DEFAULT_ACQUISITION).exams
    phantom = small_exam()
    for image, truth in zip(item.exam.slices, phantom.slices, strict=True):
        shift = phantom.arterial_input.time_s[0]
        torch.testing.assert_close(image.time_s, truth.time_s - shift, rtol=0, atol=1e-6)


def test_acquisition_date_time_comes_first(tmp_path: Path) -> None:
    files = write_small_exam(tmp_path)

    def join(dataset: Dataset) -> None:
        dataset.AcquisitionDateTime = dataset.AcquisitionDate + dataset.AcquisitionTime + "+0100"

    edit(files, join)
    assert source_of(files) is TimeSource.ACQUISITION_DATE_TIME


def test_private_time_as_undecoded_bytes_is_read(tmp_path: Path) -> None:
    files = write_small_exam(tmp_path)

    def as_unknown(dataset: Dataset) -> None:
        value = str(dataset.private_block(0x0019, "SIEMENS MR HEADER")[0x16].value)
        dataset.remove_private_tags()
        block = dataset.private_block(0x0019, "SIEMENS MR HEADER", create=True)
        block.add_new(0x16, "UN", value.encode() + b" " * (len(value) % 2))
        freeze_acquisition(dataset)

    edit(files, as_unknown)
    assert source_of(files) is TimeSource.TIME_AFTER_START
