"""The field that counts beats is found by evidence, whatever the vendor calls it."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from pydicom import dcmread
from pydicom.dataset import Dataset

from node.errors import UnusableStudyError
from node.settings import DEFAULT_ACQUISITION
from node.translate import decode_study
from node.translate.clock import read_clock
from node.translate.headers import read_headers
from node.translate.time_sources import TimeSource, parse_time_us
from pipeline.findings import Code, Grade
from tests.fakes.decoded import noticed
from tests.fakes.exams import edit, series, small_exam, write_small_exam

Change = Callable[[Dataset, float], object]


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


def drop_times(dataset: Dataset) -> None:
    """Leave no other field that counts beats."""
    freeze_acquisition(dataset)
    dataset.ContentTime = dataset.SeriesTime
    dataset.remove_private_tags()


def seconds_of(dataset: Dataset) -> float:
    """Return the time of the beat as the virtual scanner writes it."""
    return (parse_time_us(str(dataset.AcquisitionTime)) or 0) / 1e6


def private(group: int, creator: str, element: int, kind: str, unit_s: float) -> Change:
    def change(dataset: Dataset, seconds: float) -> None:
        block = dataset.private_block(group, creator, create=True)
        written = seconds / unit_s
        block.add_new(element, kind, f"{written:.10g}" if kind == "DS" else written)

    return change


def public(keyword: str, unit_s: float) -> Change:
    return lambda dataset, seconds: dataset.__setattr__(keyword, seconds / unit_s)


def frame_reference(dataset: Dataset, seconds: float) -> None:
    moment = datetime(2026, 3, 2) + timedelta(seconds=seconds)
    dataset.FrameReferenceDateTime = moment.strftime("%Y%m%d%H%M%S.%f")


@pytest.mark.parametrize(
    ("write", "source"),
    [
        (frame_reference, TimeSource.FRAME_REFERENCE),
        (
            private(0x2005, "Philips MR Imaging DD 001", 0xA0, "FL", 1.0),
            TimeSource.DYNAMIC_BEGIN,
        ),
        (private(0x0021, "SIEMENS MR SDI 02", 0x04, "DS", 1.0), TimeSource.TIME_AFTER_START),
        (public("TemporalPositionTimeOffset", 1.0), TimeSource.POSITION_OFFSET),
        (private(0x0021, "GEMS_RELA_01", 0x5E, "DS", 1.0), TimeSource.TIMER_SECONDS),
        (private(0x0021, "GEMS_RELA_01", 0x5E, "DS", 1e-4), TimeSource.TIMER_TENTHS),
    ],
)
def test_whatever_counts_beats_is_a_clock(
    write: Change, source: TimeSource, tmp_path: Path
) -> None:
    files = write_small_exam(tmp_path, n_slices=1)
    expected = decode_study(files, rules=DEFAULT_ACQUISITION).exams[0].exam

    def rewrite(dataset: Dataset) -> None:
        seconds = seconds_of(dataset)
        drop_times(dataset)
        write(dataset, seconds % 1000)

    edit(files, rewrite)
    assert source_of(files) is source
    (item,) = decode_study(files, rules=DEFAULT_ACQUISITION).exams
    for image, before in zip(item.exam.slices, expected.slices, strict=True):
        torch.testing.assert_close(image.time_s, before.time_s, rtol=0, atol=1e-3)


def test_whole_seconds_are_the_last_choice(tmp_path: Path) -> None:
    files = write_small_exam(tmp_path, n_slices=1)

    def round_down(dataset: Dataset) -> None:
        dataset.AcquisitionTime = f"1020{int(dataset.AcquisitionNumber):02d}"

    edit(files, round_down)
    assert source_of(files) is TimeSource.TIME_AFTER_START
    edit(files, remove_private)
    assert source_of(files) is TimeSource.ACQUISITION_TIME
    findings = noticed(decode_study(files, rules=DEFAULT_ACQUISITION))
    assert [item.code for item in findings if "whole seconds" in item.text] == [
        Code.TIMING_UNREADABLE
    ]


def test_one_stamp_for_two_beats_is_no_clock(tmp_path: Path) -> None:
    """As registered series of one vendor have it for their first frames."""
    files = write_small_exam(tmp_path, n_slices=1)
    first = dcmread(series(files, 12)[0]).AcquisitionTime
    edit(series(files, 12)[3:9], lambda dataset: dataset.__setattr__("AcquisitionTime", first))
    assert source_of(files) is TimeSource.TIME_AFTER_START


def test_fields_that_contradict_each_other_are_told(tmp_path: Path) -> None:
    files = write_small_exam(tmp_path, n_slices=1)

    def scramble(dataset: Dataset) -> None:
        """As a program that removes identities and shifts some of the dates."""
        if int(dataset.AcquisitionNumber) % 2:
            hours, rest = dataset.AcquisitionTime[:4], float(dataset.AcquisitionTime[4:]) + 1.3
            dataset.AcquisitionTime = f"{hours}{rest:09.6f}"

    edit(files, scramble)
    (finding,) = [
        item
        for item in decode_study(files, rules=DEFAULT_ACQUISITION).findings
        if "contradict" in item.text
    ]
    assert (finding.code, finding.grade) == (Code.TIMING_UNREADABLE, Grade.REVIEW)
    assert "1.3 s" in finding.text
