"""Echo-planar readout: shots behave like spoiled pulses, echoes decay with T2*."""

import math

import pytest
import torch

from models.physics import EchoPlanarGradientEcho, Readout, SaturationRecovery

RATES_1_S = torch.tensor([0.2, 1.0, 3.0, 8.0, 25.0], dtype=torch.float64)
READOUT = EchoPlanarGradientEcho(
    repetition_time_s=0.0068,
    echo_time_s=0.0031,
    flip_angle_rad=math.radians(25.0),
    pulses_before_centre=9,
    echo_train_length=4,
    echo_spacing_s=0.0012,
)


def test_the_train_equals_a_simulation_shot_by_shot():
    for rate in RATES_1_S.tolist():
        magnetisation = 1.0 - math.exp(-0.08 * rate)
        for _ in range(9):
            flipped = magnetisation * math.cos(READOUT.flip_angle_rad)
            magnetisation = 1.0 - (1.0 - flipped) * math.exp(-0.0068 * rate)
        known = magnetisation * math.sin(READOUT.flip_angle_rad) * math.exp(-0.0031 * 35.0)
        sequence = SaturationRecovery(
            saturation_delay_s=0.08, residual_fraction=0.0, readout=READOUT
        )
        signal = sequence.signal(torch.tensor(rate, dtype=torch.float64), 35.0)
        assert float(signal) == pytest.approx(known, rel=1e-12)


def test_it_is_a_readout_and_counts_shots():
    assert isinstance(READOUT, Readout)
    assert READOUT.time_to_centre_s == pytest.approx(9 * 0.0068)
    assert torch.equal(
        READOUT.signal(RATES_1_S), READOUT.signal_after(torch.ones_like(RATES_1_S), RATES_1_S)
    )


def test_echoes_that_run_into_the_next_shot_are_refused():
    with pytest.raises(ValueError, match="before the next shot"):
        EchoPlanarGradientEcho(
            repetition_time_s=0.004,
            echo_time_s=0.002,
            flip_angle_rad=0.4,
            pulses_before_centre=9,
            echo_train_length=4,
            echo_spacing_s=0.0012,
        )
