"""Motion that is left is measured without truth, to a fraction of a pixel."""

import pytest
import torch
from torch import Tensor

from pipeline.findings import Code, Grade
from pipeline.motion.compose import warp
from pipeline.quality.residual import check_residual, residual_shift_mm
from tests.pipeline.quality.hearts import SPACING_MM, masks, recovery


def shifted(beats: list[int], shift_mm: float) -> Tensor:
    frames = recovery()
    field = torch.zeros(len(frames), 2, *frames.shape[1:])
    field[beats] = shift_mm / SPACING_MM[0]
    return warp(frames, field)


def check(frames: Tensor) -> list[tuple[Code, Grade, str]]:
    found = check_residual(frames, masks=masks(), spacing_mm=SPACING_MM, index=0)
    return [(entry.code, entry.grade, entry.text) for entry in found]


def test_a_still_heart_does_not_move_while_contrast_passes() -> None:
    shift = residual_shift_mm(recovery(), masks().myocardium, spacing_mm=SPACING_MM)
    assert float(shift.abs().max()) < 0.5
    assert check(recovery()) == []


@pytest.mark.parametrize("shift_mm", [-2.0, -1.0, 1.0, 2.0])
def test_the_shift_of_a_beat_is_measured(shift_mm: float) -> None:
    frames = shifted([20, 30], shift_mm)
    found = residual_shift_mm(frames, masks().myocardium, spacing_mm=SPACING_MM)
    # What is read at y + u lies u before its place: the heart moved by -u.
    assert torch.allclose(
        found[[20, 30]].abs(), torch.full((2, 2), abs(shift_mm), dtype=found.dtype), atol=0.45
    )
    assert float(found[[10, 15, 25]].abs().max()) < 0.5


@pytest.mark.parametrize(("beats", "n_findings"), [([14], 0), ([14, 25], 1), ([8, 14, 25], 1)])
def test_two_beats_off_are_said(beats: list[int], n_findings: int) -> None:
    found = check(shifted(beats, 4.0))
    assert len(found) == n_findings
    for code, grade, text in found:
        assert (code, grade) == (Code.RESIDUAL_MOTION, Grade.REVIEW)
        assert f"off in {len(beats)} of 38 beats" in text


def test_a_short_or_constant_series_tells_nothing() -> None:
    assert check(recovery()[:8]) == []
    assert check(torch.ones_like(recovery())) == []
    assert check(torch.full_like(recovery(), float("nan"))) == []
