"""Slices that share the time of their beat are set apart by their delay after the R wave."""

from pathlib import Path

import pytest
from pydicom.dataset import Dataset

from node.translate.headers import FrameHeader, read_headers
from node.translate.within_beat import set_apart
from tests.fakes.exams import edit, write_small_exam

BEATS_US = [[0, 800_000, 1_700_000], [0, 800_000, 1_700_000]]


def two_slices(folder: Path, *delays_ms: str) -> list[list[FrameHeader]]:
    """Return three beats of two slices with these trigger times, slice after slice."""
    files = write_small_exam(folder, n_slices=2)[-54:]
    chosen = [*files[0:6:2], *files[1:6:2]]
    words = iter(delays_ms)

    def write(dataset: Dataset) -> None:
        dataset.TriggerTime = next(words)

    edit(chosen, write)
    frames = [read_headers(path)[0] for path in chosen]
    return [frames[:3], frames[3:]]


def test_shared_times_get_the_delay_of_their_slice(tmp_path: Path) -> None:
    groups = two_slices(tmp_path, "130", "130", "130", "320.5", "320.5", "320.5")
    assert set_apart(groups, BEATS_US) == [
        [130_000, 930_000, 1_830_000],
        [320_500, 1_120_500, 2_020_500],
    ]


def test_a_missing_beat_does_not_hide_that_times_are_shared(tmp_path: Path) -> None:
    first, second = two_slices(tmp_path, *["130"] * 3, *["320"] * 3)
    apart = set_apart([first, second[:2]], [BEATS_US[0], [0, 1_700_000]])
    assert apart[1] == [320_000, 2_020_000]


def test_times_of_their_own_stay(tmp_path: Path) -> None:
    groups = two_slices(tmp_path, *["130"] * 3, *["320"] * 3)
    own = [[0, 800_000, 1_700_000], [190_000, 990_000, 1_890_000]]
    assert set_apart(groups, own) == own


@pytest.mark.parametrize("last", ["", "1730"], ids=["missing", "adds up"])
def test_trigger_times_that_are_no_delay_are_left_alone(tmp_path: Path, last: str) -> None:
    groups = two_slices(tmp_path, *["130"] * 3, "320", "320", last)
    assert set_apart(groups, BEATS_US) == BEATS_US
