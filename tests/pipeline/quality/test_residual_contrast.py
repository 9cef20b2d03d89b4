"""Gadolinium that is there before the bolus is noted, where proton-density frames can tell."""

import dataclasses

import pytest
import torch

from models.physics import Relaxation
from pipeline.findings import Code, Grade
from pipeline.quality.residual_contrast import check_residual_contrast, native_concentration
from pipeline.types import HeartMasks, ImageSeries
from tests.pipeline.quality.test_checks import series

N_DENSITY, N_BEFORE = 3, 5
MUSCLE = Relaxation(
    native_t1_s=1.3,
    native_t2_s=0.045,
    native_t2_star_s=0.024,
    relaxivity_l_mmol_s=4.5,
    transverse_relaxivity_l_mmol_s=5.9,
)
BLOOD = dataclasses.replace(MUSCLE, native_t1_s=2.0, native_t2_s=0.25, native_t2_star_s=0.09)


def masks() -> HeartMasks:
    muscle = torch.zeros(24, 24, dtype=torch.bool)
    blood = muscle.clone()
    muscle[6:12, 6:18] = True
    blood[12:18, 6:18] = True
    return HeartMasks(myocardium=muscle, left_ventricle=blood, right_ventricle=None)


def with_contrast(muscle_mmol_l: float, blood_mmol_l: float) -> ImageSeries:
    """Return a slice whose signal is that of the model, 1000 units of proton density."""
    made = series(20, n_proton_density=N_DENSITY, frames=torch.ones(20, 24, 24))
    assert made.sequence is not None
    assert made.proton_density is not None
    frames = torch.full((20, 24, 24), 30.0)
    for mask, relaxation, amount in (
        (masks().myocardium, MUSCLE, muscle_mmol_l),
        (masks().left_ventricle, BLOOD, blood_mmol_l),
    ):
        none, there = (torch.tensor([value], dtype=torch.float64) for value in (0.0, amount))
        decay = made.sequence.readout.decay
        dense = made.proton_density.signal(
            relaxation.longitudinal_1_s(none), relaxation.transverse_1_s(none, decay)
        )
        signal = made.sequence.signal(
            relaxation.longitudinal_1_s(there), relaxation.transverse_1_s(there, decay)
        )
        frames[:N_DENSITY, mask] = 1000 * float(dense)
        frames[N_DENSITY:, mask] = 1000 * float(signal)
    return dataclasses.replace(made, frames=frames)


def found_in(made: ImageSeries) -> list[tuple[Code, Grade]]:
    found = check_residual_contrast(
        made, masks=masks(), n_before=N_BEFORE, muscle=MUSCLE, blood=BLOOD, index=0
    )
    return [(entry.code, entry.grade) for entry in found]


@pytest.mark.parametrize("amount", [0.0, 0.1, 0.3])
def test_the_amount_is_measured(amount: float) -> None:
    core = torch.zeros(24, 24, dtype=torch.bool)
    core[8:10, 9:15] = True
    measured = native_concentration(
        with_contrast(amount, 0.0), core, relaxation=MUSCLE, n_before=N_BEFORE
    )
    assert measured == pytest.approx(amount, abs=0.02)


@pytest.mark.parametrize(
    ("amounts", "n_findings"),
    [((0.0, 0.0), 0), ((0.05, 0.08), 0), ((0.3, 0.0), 0), ((0.0, 0.3), 0), ((0.25, 0.35), 1)],
)
def test_it_must_be_in_muscle_and_blood(amounts: tuple[float, float], n_findings: int) -> None:
    assert found_in(with_contrast(*amounts)) == n_findings * [(Code.IMAGE_PITFALL, Grade.NOTE)]


def test_without_proton_density_nothing_is_told() -> None:
    made = with_contrast(0.3, 0.4)
    assert found_in(dataclasses.replace(made, proton_density=None)) == []
    assert found_in(dataclasses.replace(made, sequence=None)) == []
    assert found_in(dataclasses.replace(made, frames=torch.zeros_like(made.frames))) == []
