"""An arterial input of another place, of the right ventricle or of mixed pixels is said."""

import dataclasses

import pytest
import torch
from torch import Tensor

from pipeline.findings import Code, Grade
from pipeline.quality.blood_place import check_blood_place, half_rise_s
from pipeline.types import ArterialInput
from tests.pipeline.perfusion.curves import arterial_input, beats
from tests.pipeline.quality.hearts import N_DENSITY, heart_slice, masks, recovery, still, toy
from tests.pipeline.quality.test_checks import exam


def read_at(mask: Tensor) -> ArterialInput:
    """Return the arterial input that is the mean signal of some pixels."""
    curve = recovery()[:, mask].mean(dim=1).double()
    curve = (curve - curve[:3].mean()) / 200
    peak = int(curve.argmax())
    return dataclasses.replace(
        arterial_input(beats()),
        time_s=heart_slice().time_s[N_DENSITY:],
        concentration_mmol_l=curve,
        mask=mask,
        foot=3,
        peak=peak,
        valley=min(peak + 12, len(curve) - 1),
    )


def said(found: ArterialInput) -> list[tuple[Grade, str]]:
    made = exam(slices=(heart_slice(),) * 3, arterial_input=heart_slice())
    hearts = [(still(), masks())] * 3
    findings = check_blood_place(made, found, still(), hearts)
    assert {entry.code for entry in findings} <= {Code.NO_ARTERIAL_INPUT}
    return [(entry.grade, entry.text) for entry in findings]


def inner(mask: Tensor) -> Tensor:
    """Return a mask without its rim."""
    return mask & mask.roll(1, 0) & mask.roll(-1, 0) & mask.roll(1, 1) & mask.roll(-1, 1)


def test_the_left_ventricle_is_silent() -> None:
    assert said(read_at(inner(toy().left_ventricle))) == []


def test_the_right_ventricle_fails() -> None:
    found = said(read_at(inner(toy().right_ventricle)))
    assert (
        Grade.FAIL,
        "The arterial input rises with the right ventricle, not with the left.",
    ) in (found)


@pytest.mark.parametrize(("shift_px", "grade"), [(13, Grade.REVIEW), (22, Grade.FAIL)])
def test_another_place_is_said(shift_px: int, grade: Grade) -> None:
    found = read_at(inner(toy().left_ventricle))
    moved = dataclasses.replace(found, mask=found.mask.roll(shift_px, 0))
    assert any(kind is grade and "beside" in text for kind, text in said(moved))


def test_mixed_pixels_are_said() -> None:
    mixed = toy().left_ventricle | toy().myocardium
    assert any("not all of them are blood" in text for _, text in said(read_at(mixed)))


def test_half_rise_is_interpolated_between_samples() -> None:
    curve = torch.tensor([0.0, 0.0, 0.0, 1.0, 4.0, 4.0, 4.0])
    time_s = torch.arange(7, dtype=torch.float64)
    assert half_rise_s(curve, time_s) == pytest.approx(3 + 1 / 3)
    assert half_rise_s(torch.ones(5), time_s[:5]) == 0.0
