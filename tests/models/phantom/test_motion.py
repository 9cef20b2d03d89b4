"""Motion never folds, its inverse is its inverse, and breathing follows the patient's will."""

import pytest
import torch

from models.phantom.heart import HeartSection
from models.phantom.motion import (
    displacement_px,
    draw_amplitudes,
    inverse,
    jacobian,
    motion_modes,
    sample,
)
from models.phantom.patient import draw_patient
from models.phantom.protocol import Breathing, PhantomState, Protocol
from models.phantom.randomness import stream
from models.phantom.shapes import grid_mm


def field(seed, protocol, offset_mm=0.0):
    patient = draw_patient(seed, state=PhantomState.STRESS, protocol=protocol)
    section = HeartSection(heart=patient.heart, offset_mm=offset_mm)
    amplitudes = draw_amplitudes(
        stream(seed, "test"),
        patient.body,
        time_s=patient.rhythm.trigger_s,
        is_ectopic=patient.rhythm.is_ectopic,
    )
    spacing_mm = (protocol.spacing_mm, protocol.spacing_mm)
    modes = motion_modes(section, patient.thorax, grid_mm(protocol.matrix, spacing_mm))
    return displacement_px(amplitudes, modes, spacing_mm)


@pytest.mark.parametrize("seed", range(12))
def test_the_deepest_breathing_does_not_fold(seed):
    deep = Protocol(breathing=Breathing.FREE, breathing_range_mm=(12.0, 12.0))
    determinant = jacobian(field(seed, deep, offset_mm=40.0 * (seed % 2)))
    assert float(determinant.min()) > 0.3
    assert float(determinant.max()) < 2.0


def test_inverse_undoes_the_displacement():
    displacement = field(1, Protocol(breathing=Breathing.FREE))
    backward = inverse(displacement)
    assert float((backward + sample(displacement, backward)).abs().max()) < 1e-3


def test_folding_motion_is_refused():
    monstrous = Protocol(breathing=Breathing.FREE, breathing_range_mm=(90.0, 90.0))
    with pytest.raises(ValueError, match="folds"):
        inverse(field(1, monstrous))


def test_jacobian_of_a_plain_stretch_is_its_area():
    rows, columns = grid_mm((20, 30), (1.0, 1.0))
    stretched = torch.stack([0.1 * rows, -0.2 * columns])[None]
    assert torch.allclose(jacobian(stretched), torch.full((1, 20, 30), 1.1 * 0.8), atol=1e-5)


def test_sampling_by_zero_and_by_whole_pixels():
    images = torch.rand(2, 3, 12, 16, generator=torch.Generator().manual_seed(1))
    still = torch.zeros(2, 2, 12, 16)
    assert torch.allclose(sample(images, still), images, atol=1e-5)
    still[:, 0] = 2.0
    assert torch.allclose(sample(images, still)[..., :9, :], images[..., 2:11, :], atol=1e-5)


@pytest.mark.parametrize(
    ("breathing", "early_mm", "late_mm"),
    [
        (Breathing.HELD, (0.0, 1.5), (0.0, 4.0)),
        (Breathing.FAILS, (0.0, 1.5), (3.0, 14.0)),
        (Breathing.FREE, (3.0, 14.0), (3.0, 14.0)),
    ],
)
def test_breathing_follows_the_patients_will(breathing, early_mm, late_mm):
    protocol = Protocol(breathing=breathing, breathing_range_mm=(6.0, 12.0))
    for seed in range(5):
        patient = draw_patient(seed, state=PhantomState.STRESS, protocol=protocol)
        reach = patient.body.trace.at(patient.rhythm.trigger_s).abs()
        assert early_mm[0] <= float(reach[:15].max()) <= early_mm[1]
        assert late_mm[0] <= float(reach[40:].max()) <= late_mm[1]
