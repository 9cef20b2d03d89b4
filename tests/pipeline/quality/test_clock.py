"""A clock that was not measured, or is not that of the other series, is told from a true one."""

import dataclasses

import pytest
import torch
from torch import Tensor

from pipeline.findings import Code, Grade
from pipeline.quality import check_clock
from pipeline.types import Exam, ImageSeries
from tests.pipeline.quality.test_checks import exam, series
from tests.pipeline.quality.test_timing import beats


def at(time_s: Tensor) -> ImageSeries:
    return series(time_s=time_s)


def clock(scale: float = 1.0, start_s: float = 0.0) -> Tensor:
    steps = scale * beats()
    return start_s + torch.cat([steps.new_zeros(1), steps.cumsum(0)])


def true_exam() -> Exam:
    slices = tuple(at(clock(start_s=delay_s)) for delay_s in (0.013, 0.203, 0.393))
    return exam(slices=slices, arterial_input=at(clock()))


def said(changed: Exam) -> list[str]:
    found = check_clock(changed)
    assert {(entry.code, entry.grade) for entry in found} <= {
        (Code.TIMING_UNREADABLE, Grade.REVIEW)
    }
    return [entry.sentence for entry in found]


def test_a_measured_clock_is_silent() -> None:
    assert said(true_exam()) == []


def test_a_missed_beat_at_the_end_is_silent() -> None:
    longer = clock()
    longer[-1] += 0.8
    assert said(dataclasses.replace(true_exam(), arterial_input=at(longer))) == []


@pytest.mark.parametrize(
    ("time_s", "words"),
    [
        (0.8123456 * torch.arange(63, dtype=torch.float64), "exactly as far apart"),
        (clock(scale=1.3).round(), "rounded"),
        (clock(scale=0.2), "no heart beat"),
        (clock(scale=6.0), "no heart beat"),
        (clock(start_s=30.0), "apart from slice 1"),
        (clock(scale=1.1), "apart from slice 1"),
    ],
)
def test_an_untrue_clock_is_said(time_s: Tensor, words: str) -> None:
    texts = said(dataclasses.replace(true_exam(), arterial_input=at(time_s)))
    assert any(words in text for text in texts)
    assert all(text.startswith("Arterial input: ") for text in texts)


def test_an_exam_without_slices_has_no_clock_to_compare() -> None:
    assert said(exam(slices=(), arterial_input=at(clock()))) == []
