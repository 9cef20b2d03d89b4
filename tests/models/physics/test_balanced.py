"""Balanced readout: against an independent integrator, its steady state, its bands, its limits."""

import dataclasses
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm

from models.physics import BalancedSteadyState, Preparation, Readout, SaturationRecovery

readouts = st.builds(
    BalancedSteadyState,
    repetition_time_s=st.floats(2e-3, 5e-3),
    flip_angle_rad=st.floats(math.radians(5.0), math.radians(80.0)),
    pulses_before_centre=st.integers(0, 40),
    preparation=st.sampled_from(Preparation),
    n_ramp=st.integers(1, 6),
    off_resonance_hz=st.floats(-300.0, 300.0),
)


def generator(angular_1_s, rate_1_s, transverse_1_s):
    """Bloch equations as one matrix for (Mx, My, Mz, 1); angular velocity about x, y, z."""
    x, y, z = angular_1_s
    matrix = np.zeros((4, 4))
    matrix[:3, :3] = [[-transverse_1_s, -z, y], [z, -transverse_1_s, -x], [-y, x, -rate_1_s]]
    matrix[2, 3] = rate_1_s
    return matrix


def integrate(readout, start, rate_1_s, transverse_1_s):
    """Play the train by matrix exponentials; pulses of 1 ns, so that they are instantaneous."""
    tr, alpha = readout.repetition_time_s, readout.flip_angle_rad
    angles, waits = [alpha / 2], [tr / 2]
    if readout.preparation is Preparation.RAMP:
        n = readout.n_ramp
        angles, waits = [(p - 0.5) * alpha / n for p in range(1, n + 1)], [tr] * n
    angles += [alpha] * (readout.pulses_before_centre + 1)
    waits += [tr] * readout.pulses_before_centre + [tr / 2]
    state = np.array([0.0, 0.0, start, 1.0])
    for index, (angle, wait) in enumerate(zip(angles, waits, strict=True)):
        sign = (-1.0) ** (index + 1)
        # The sense of rotation about x is a convention; the other one gives the same magnitude.
        state = expm(generator((sign * angle / 1e-9, 0.0, 0.0), 0.0, 0.0) * 1e-9) @ state
        free = generator((0.0, 0.0, math.tau * readout.off_resonance_hz), rate_1_s, transverse_1_s)
        state = expm(free * wait) @ state
    return math.hypot(state[0], state[1])


@settings(max_examples=25)
@given(
    readout=readouts,
    start=st.floats(-0.2, 1.0),
    rate=st.floats(0.3, 20.0),
    extra=st.floats(0.0, 40.0),
)
def test_the_transient_equals_an_independent_integrator(readout, start, rate, extra):
    values = [torch.tensor(value, dtype=torch.float64) for value in (start, rate, rate + extra)]
    assert float(readout.signal_after(*values)) == pytest.approx(
        integrate(readout, start, rate, rate + extra), abs=1e-8
    )


def settled(**changes):
    return BalancedSteadyState(
        repetition_time_s=0.0028,
        flip_angle_rad=math.radians(50.0),
        pulses_before_centre=4000,
        **changes,
    )


@pytest.mark.parametrize("preparation", list(Preparation))
def test_a_long_train_reaches_the_known_steady_state(preparation):
    rate, transverse = (torch.tensor(value, dtype=torch.float64) for value in (0.8, 22.0))
    readout = settled(preparation=preparation)
    one, two = math.exp(-0.0028 * 0.8), math.exp(-0.0028 * 22.0)
    angle = readout.flip_angle_rad
    known = (
        math.sin(angle) * (1 - one) / (1 - (one - two) * math.cos(angle) - one * two)
    ) * math.exp(-0.0014 * 22.0)
    assert float(readout.signal(rate, transverse)) == pytest.approx(known, rel=1e-6)


def test_bands_are_dark_at_half_of_1_over_tr_and_repeat():
    rate, transverse = (torch.tensor(value, dtype=torch.float64) for value in (0.8, 22.0))

    def at(cycles):
        readout = settled(off_resonance_hz=cycles / 0.0028)
        return float(readout.signal(rate, transverse))

    assert at(0.5) < 0.05 * at(0.0)
    assert min(at(0.1 * step) for step in range(11)) == at(0.5)
    assert at(1.0) == pytest.approx(at(0.0), rel=1e-9)
    assert at(0.3) == pytest.approx(at(-0.3), rel=1e-9)


def test_it_can_be_the_readout_of_a_saturation_recovery():
    readout = BalancedSteadyState(
        repetition_time_s=0.0028, flip_angle_rad=math.radians(50.0), pulses_before_centre=30
    )
    sequence = SaturationRecovery(saturation_delay_s=0.06, residual_fraction=0.0, readout=readout)
    assert isinstance(readout, Readout)
    assert sequence.saturation_time_s == pytest.approx(0.06 + 33 * 0.0028)
    half = dataclasses.replace(readout, preparation=Preparation.HALF_ALPHA)
    assert half.time_to_centre_s == pytest.approx(30.5 * 0.0028)
    rates = torch.linspace(0.5, 20.0, 100, dtype=torch.float64)
    recovered = 1.0 - torch.exp(-0.06 * rates)
    assert torch.equal(sequence.signal(rates, 20.0), readout.signal_after(recovered, rates, 20.0))
    assert bool((sequence.signal(rates, 20.0).diff() > 0).all())


def test_without_decay_between_pulses_little_is_lost():
    readout = BalancedSteadyState(
        repetition_time_s=1e-6, flip_angle_rad=0.9, pulses_before_centre=20
    )
    rate = torch.tensor(1.0, dtype=torch.float64)
    half = dataclasses.replace(readout, preparation=Preparation.HALF_ALPHA)
    # Half alpha puts the magnetisation on the cone of the steady state.
    assert float(half.signal(rate, 10.0)) == pytest.approx(math.sin(0.45), abs=1e-3)


@pytest.mark.parametrize("change", [{"n_ramp": 0}, {"pulses_before_centre": -1}])
def test_trains_without_sense_are_refused(change):
    fields = {"repetition_time_s": 0.003, "flip_angle_rad": 0.8, "pulses_before_centre": 5}
    with pytest.raises(ValueError, match="ramp pulse"):
        BalancedSteadyState(**(fields | change))
