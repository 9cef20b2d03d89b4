"""A field that squeezes the heart, or takes its contrast away, is told from one that moves it."""

import dataclasses

import pytest
import torch
from torch import Tensor

from pipeline.findings import Code, Finding, Grade
from pipeline.motion.compose import warp
from pipeline.quality.field import check_field, lost_peak_fraction, touched_fraction
from pipeline.types import MotionCorrection
from tests.pipeline.quality.hearts import N_DENSITY, heart_slice, masks, recovery, still, toy


def moved(displacement: Tensor) -> MotionCorrection:
    frames = warp(toy().frames, displacement)
    return dataclasses.replace(still(), frames=frames, displacement=displacement, method="learned")


def check(motion: MotionCorrection) -> list[Finding]:
    return list(check_field(motion, series=heart_slice(), masks=masks(), index=1))


def zoom(factor: float, *, beats: slice) -> Tensor:
    """Return a field that reads the heart `factor` as wide as it is in some beats."""
    rows, columns = toy().left_ventricle.nonzero().float().mean(dim=0)
    grid = torch.stack(
        torch.meshgrid(torch.arange(72.0) - rows, torch.arange(72.0) - columns, indexing="ij")
    )
    field = torch.zeros_like(still().displacement)
    field[beats] = (factor - 1) * grid
    return field


def test_a_shift_changes_no_area_and_loses_nothing() -> None:
    motion = moved(torch.full_like(still().displacement, 1.5))
    assert float(touched_fraction(motion, masks().myocardium).max()) == 0
    assert check(motion) == []


@pytest.mark.parametrize("factor", [0.9, 1.1])
def test_breathing_may_change_the_area_by_a_fifth(factor: float) -> None:
    assert check(moved(zoom(factor, beats=slice(10, 20)))) == []


@pytest.mark.parametrize("factor", [0.6, 1.6])
def test_a_halved_or_doubled_heart_is_said_with_its_number_of_beats(factor: float) -> None:
    found = check(moved(zoom(factor, beats=slice(12, 15))))
    assert (found[0].code, found[0].grade) == (Code.RESIDUAL_MOTION, Grade.REVIEW)
    assert found[0].sentence.startswith("Slice 2: the motion field squeezes or stretches")
    assert "in 3 frames" in found[0].text


def test_a_few_squeezed_pixels_everywhere_are_said() -> None:
    field = torch.zeros_like(still().displacement)
    row, column = masks().left_ventricle.nonzero().float().mean(dim=0).long().tolist()
    field[:, 0, row - 1 : row + 2, column - 2 : column + 3] = torch.tensor([2.0, 0.0, -2.0])[
        :, None
    ]
    texts = [entry.text for entry in check(moved(field))]
    assert any("halves or doubles" in text for text in texts)


def test_lost_contrast_is_said() -> None:
    dimmed = toy().frames.clone()
    dimmed[:, toy().left_ventricle] *= 0.7
    motion = dataclasses.replace(still(), frames=dimmed, method="learned")
    assert lost_peak_fraction(dimmed[N_DENSITY:], recovery(), masks().left_ventricle) == (
        pytest.approx(0.3, abs=0.03)
    )
    assert any("lost" in entry.text for entry in check(motion))


def test_what_was_not_corrected_is_not_judged() -> None:
    motion = dataclasses.replace(moved(zoom(0.5, beats=slice(5, 9))), method="identity")
    assert check(motion) == []
