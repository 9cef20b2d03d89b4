"""Images on scales that cannot be compared are told, and a slope of zero erases nothing."""

import warnings
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from node.scanner.dialect import Dialect, Vendor
from node.settings import DEFAULT_ACQUISITION
from node.translate import DecodedStudy, decode_study
from node.translate.scale import set_real_world_scale, slope_and_intercept
from pipeline.findings import Code, Finding, Grade
from tests.fakes.exams import edit, series, write_small_exam


def decode(files: list[Path]) -> DecodedStudy:
    return decode_study(files, rules=DEFAULT_ACQUISITION)


def told(study: DecodedStudy, words: str) -> list[tuple[Code, Grade]]:
    found: list[Finding] = [item for item in study.findings if words in item.text]
    return [(item.code, item.grade) for item in found]


def set_slope(value: str | None) -> Callable[[Dataset], None]:
    def change(dataset: Dataset) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            dataset.RescaleIntercept, dataset.RescaleSlope = "0", value

    return change


@pytest.mark.parametrize("slope", ["0", "nan", None])
def test_a_broken_slope_everywhere_leaves_stored_values(slope: str | None, tmp_path: Path) -> None:
    files = write_small_exam(tmp_path, n_slices=1)
    expected = decode(files).exams[0].exam.slices[0].frames
    edit(files, set_slope(slope))
    study = decode(files)
    assert told(study, "rescale slope") == [(Code.IMAGE_PITFALL, Grade.REVIEW)]
    assert torch.equal(study.exams[0].exam.slices[0].frames, expected)


def test_a_broken_slope_here_and_there_makes_numbers_worthless(tmp_path: Path) -> None:
    files = write_small_exam(tmp_path, n_slices=1)
    edit(files, set_slope("2"))
    edit(series(files, 12)[4:9], set_slope("0"))
    study = decode(files)
    assert told(study, "rescale slope") == [(Code.MAP_IMPLAUSIBLE, Grade.FAIL)]
    # Corrected series go out; no signal is converted, so that there is no wrong map.
    assert all(series.sequence is None for series in study.exams[0].exam.slices)


def test_slopes_may_differ_from_image_to_image(tmp_path: Path) -> None:
    files = write_small_exam(tmp_path, n_slices=1)
    expected = decode(files).exams[0].exam.slices[0].frames

    def stretch(dataset: Dataset) -> None:
        factor = 1 + dataset.InstanceNumber % 3
        dataset.PixelData = (dataset.pixel_array * factor).tobytes()
        dataset.BitsStored, dataset.HighBit = 16, 15
        dataset.RescaleSlope, dataset.RescaleIntercept = f"{1 / factor:.12g}", "0"

    edit(series(files, 12), stretch)
    found = decode(files).exams[0].exam.slices[0].frames
    torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-3)


def forget_scale(dataset: Dataset) -> None:
    del dataset.private_block(0x2005, "Philips MR Imaging DD 001")[0x0E]


def test_one_series_without_the_scale_of_the_receiver_is_told(tmp_path: Path) -> None:
    files = write_small_exam(tmp_path, n_slices=1, dialect=Dialect(vendor=Vendor.PHILIPS))
    assert told(decode(files), "scale") == []
    edit(series(files, 11), forget_scale)
    assert told(decode(files), "scale of the receiver") == [(Code.MAP_IMPLAUSIBLE, Grade.FAIL)]
    edit(series(files, 12), forget_scale)
    assert told(decode(files), "display scale") == [(Code.IMAGE_PITFALL, Grade.REVIEW)]


def mapped(slope: float) -> Dataset:
    item, header = Dataset(), Dataset()
    item.RealWorldValueSlope, item.RealWorldValueIntercept = slope, 3.0
    header.RealWorldValueMappingSequence = Sequence([item])
    return header


def test_a_real_world_mapping_counts_only_where_nothing_else_does() -> None:
    header = mapped(2.0)
    set_real_world_scale(header)
    assert slope_and_intercept(header) == (2.0, 3.0)
    other = mapped(2.0)
    other.RescaleSlope, other.RescaleIntercept = "5", "1"
    set_real_world_scale(other)
    assert slope_and_intercept(other) == (5.0, 1.0)


@pytest.mark.parametrize("slope", [0.0, 1.5e38, float("inf"), float("nan")])
def test_a_mapping_that_maps_nothing_is_ignored(slope: float) -> None:
    header = mapped(slope)
    set_real_world_scale(header)
    assert slope_and_intercept(header) == (1.0, 0.0)
