"""Relaxation is a straight line in concentration."""

import torch

from models.physics import relaxation_rate


def test_rate_is_a_straight_line_through_the_native_rate():
    concentration = torch.tensor([0.0, 1.0, 4.0], dtype=torch.float64)
    rate = relaxation_rate(concentration, native_t1_s=2.0, relaxivity_l_mmol_s=5.0)
    assert rate.tolist() == [0.5, 5.5, 20.5]
