"""The signal equation: against pulse-by-pulse simulation, against dcmri, and its limits."""

import math

import dcmri
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from models.physics import SaturationRecovery, SpoiledGradientEcho

RATES_1_S = torch.tensor([0.2, 0.5, 1.0, 3.0, 8.0, 25.0, 60.0], dtype=torch.float64)

readouts = st.builds(
    SpoiledGradientEcho,
    repetition_time_s=st.floats(1e-3, 5e-3),
    echo_time_s=st.floats(0.5e-3, 2e-3),
    flip_angle_rad=st.floats(math.radians(1.0), math.radians(40.0)),
    pulses_before_centre=st.integers(0, 80),
)
sequences = st.builds(
    SaturationRecovery,
    saturation_delay_s=st.floats(2e-3, 0.2),
    residual_fraction=st.floats(-0.1, 0.2),
    readout=readouts,
)


def simulate(readout, start, rate_1_s):
    """Play one pulse after another: each tips Mz by the flip angle, then Mz relaxes for one TR."""
    magnetisation = start
    for _ in range(readout.pulses_before_centre):
        magnetisation = magnetisation * math.cos(readout.flip_angle_rad)
        decay = math.exp(-readout.repetition_time_s * rate_1_s)
        magnetisation = 1.0 + (magnetisation - 1.0) * decay
    return magnetisation * math.sin(readout.flip_angle_rad)


@given(sequence=sequences)
def test_saturation_recovery_equals_a_simulation_pulse_by_pulse(sequence):
    for rate in RATES_1_S.tolist():
        gone = (1.0 - sequence.residual_fraction) * math.exp(-sequence.saturation_delay_s * rate)
        simulated = simulate(sequence.readout, 1.0 - gone, rate)
        signal = sequence.signal(torch.tensor(rate, dtype=torch.float64))
        assert float(signal) == pytest.approx(simulated, abs=1e-12)


@given(readout=readouts)
def test_proton_density_equals_a_simulation_pulse_by_pulse(readout):
    for rate in RATES_1_S.tolist():
        signal = readout.signal(torch.tensor(rate, dtype=torch.float64))
        assert float(signal) == pytest.approx(simulate(readout, 1.0, rate), abs=1e-12)


@given(sequence=sequences)
def test_saturation_recovery_equals_dcmri(sequence):
    readout = sequence.readout
    theirs = dcmri.signal_spgr(
        1.0,
        RATES_1_S.numpy(),
        readout.pulses_before_centre * readout.repetition_time_s,
        readout.repetition_time_s,
        math.degrees(readout.flip_angle_rad),
        TP=sequence.saturation_delay_s,
        n0=sequence.residual_fraction,
    )
    # dcmri returns magnitudes; below zero magnetisation only the sign differs.
    assert sequence.signal(RATES_1_S).abs().numpy() == pytest.approx(theirs, abs=1e-9)


@given(sequence=sequences)
def test_signal_grows_with_the_rate(sequence):
    rates = torch.linspace(0.1, 40.0, 400, dtype=torch.float64)
    assert bool((sequence.signal(rates).diff() > 0).all())


def test_small_flip_angles_leave_plain_saturation_recovery():
    readout = SpoiledGradientEcho(
        repetition_time_s=0.002, echo_time_s=0.001, flip_angle_rad=1e-5, pulses_before_centre=30
    )
    sequence = SaturationRecovery(saturation_delay_s=0.05, residual_fraction=0.0, readout=readout)
    recovered = -torch.expm1(-sequence.saturation_time_s * RATES_1_S)
    assert torch.allclose(sequence.signal(RATES_1_S) / 1e-5, recovered, rtol=1e-8)


def test_long_repetition_times_recover_fully_between_pulses():
    readout = SpoiledGradientEcho(
        repetition_time_s=200.0, echo_time_s=0.001, flip_angle_rad=0.7, pulses_before_centre=3
    )
    full = torch.full_like(RATES_1_S, math.sin(0.7))
    assert torch.allclose(readout.signal(RATES_1_S), full, rtol=1e-12)


def test_transverse_decay_is_one_exponential():
    readout = SpoiledGradientEcho(
        repetition_time_s=0.002, echo_time_s=0.001, flip_angle_rad=0.2, pulses_before_centre=5
    )
    ratio = readout.signal(RATES_1_S, torch.full_like(RATES_1_S, 40.0)) / readout.signal(RATES_1_S)
    assert torch.allclose(ratio, torch.full_like(ratio, math.exp(-0.04)), rtol=1e-12)


@pytest.mark.parametrize("value", [0.0, -1.0, math.nan, math.inf])
def test_constants_without_sense_are_refused(value):
    with pytest.raises(ValueError, match="repetition_time_s must be positive"):
        SpoiledGradientEcho(
            repetition_time_s=value, echo_time_s=0.001, flip_angle_rad=0.2, pulses_before_centre=5
        )


def test_trains_and_saturation_without_sense_are_refused():
    with pytest.raises(ValueError, match="pulses_before_centre must not be negative"):
        SpoiledGradientEcho(
            repetition_time_s=0.002, echo_time_s=0.001, flip_angle_rad=0.2, pulses_before_centre=-1
        )
    readout = SpoiledGradientEcho(
        repetition_time_s=0.002, echo_time_s=0.001, flip_angle_rad=0.2, pulses_before_centre=24
    )
    with pytest.raises(ValueError, match="residual_fraction must lie"):
        SaturationRecovery(saturation_delay_s=0.06, residual_fraction=1.0, readout=readout)
