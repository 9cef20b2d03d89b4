"""Blank, broken and cut-off frames are counted and said once per series."""

import dataclasses

import pytest
import torch

from pipeline.findings import Code, Grade
from pipeline.quality import check_frames
from pipeline.types import ImageSeries
from tests.pipeline.exams import as_exam


def series() -> ImageSeries:
    return as_exam(motion=True).slices[0]


@pytest.mark.parametrize("fill", [0.0, 4095.0, float("nan"), float("inf")])
def test_frames_that_show_nothing_are_counted(fill: float) -> None:
    frames = series().frames.clone()
    frames[[4, 30]] = fill
    found = check_frames(dataclasses.replace(series(), frames=frames), index=0)
    assert [(entry.code, entry.grade) for entry in found] == [
        (Code.INCOMPLETE_TRANSFER, Grade.REVIEW)
    ]
    assert found[0].sentence == "Slice 1: 2 of 63 frames are blank or broken."


@pytest.mark.parametrize(
    ("index", "code"), [(0, Code.MAP_IMPLAUSIBLE), (None, Code.ARTERIAL_INPUT_SATURATED)]
)
def test_cut_off_frames_are_counted(index: int | None, code: Code) -> None:
    frames = series().frames
    cut = dataclasses.replace(series(), frames=frames.clamp(max=0.5 * float(frames.amax())))
    found = check_frames(cut, index=index)
    assert [(entry.code, entry.grade) for entry in found] == [(code, Grade.REVIEW)]


def test_whole_numbers_and_noise_are_not_cut_off() -> None:
    assert check_frames(series(), index=0) == ()
    assert (
        check_frames(dataclasses.replace(series(), frames=series().frames.round()), index=0) == ()
    )


def test_a_series_without_pixels_shows_nothing() -> None:
    empty = dataclasses.replace(series(), frames=torch.zeros(63, 0, 5))
    assert "63 of 63" in check_frames(empty, index=2)[0].text
