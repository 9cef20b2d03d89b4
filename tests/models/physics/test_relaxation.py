"""Relaxation is a straight line in concentration, in both directions of the magnetisation."""

import pytest
import torch

from models.physics import Relaxation, TransverseDecay, relaxation_rate


def test_rate_is_a_straight_line_through_the_native_rate():
    concentration = torch.tensor([0.0, 1.0, 4.0], dtype=torch.float64)
    rate = relaxation_rate(concentration, native_t1_s=2.0, relaxivity_l_mmol_s=5.0)
    assert rate.tolist() == [0.5, 5.5, 20.5]


@pytest.mark.parametrize(
    ("decay", "native_1_s"),
    [(TransverseDecay.AGENT, 0.0), (TransverseDecay.T2, 20.0), (TransverseDecay.T2_STAR, 40.0)],
)
def test_each_readout_sees_its_own_transverse_rate(decay, native_1_s):
    tissue = Relaxation(
        native_t1_s=2.0,
        native_t2_s=0.05,
        native_t2_star_s=0.025,
        relaxivity_l_mmol_s=5.0,
        transverse_relaxivity_l_mmol_s=6.0,
    )
    concentration = torch.tensor([0.0, 1.0, 4.0], dtype=torch.float64)
    expected = native_1_s + 6.0 * concentration
    assert torch.allclose(tissue.transverse_1_s(concentration, decay), expected)
    assert tissue.longitudinal_1_s(concentration).tolist() == [0.5, 5.5, 20.5]
