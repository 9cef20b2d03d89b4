"""Every forward model can be differentiated: autograd against finite differences, float64."""

import pytest
import torch
from torch.autograd import gradcheck

from models.kinetics import ExponentialResponse, convolve, gamma_variate
from tests.models.kinetics.tissues import MODELS, double

TIME_S = double([0.0, 0.7, 1.9, 2.6, 3.4, 4.1, 5.5, 6.2, 7.3, 8.9, 12.0, 20.0])
ARTERIAL = 4.0 * gamma_variate(TIME_S, arrival_s=1.0, rise_s=4.0, shape=2.5)


@pytest.mark.parametrize("name", MODELS)
def test_curves_have_the_derivatives_of_finite_differences(name):
    make, given = MODELS[name]
    delay_s = double([0.0, 0.31, 1.13])

    def curves(delay_s, *values):
        response = make(**dict(zip(given, values, strict=True)))
        return convolve(response, ARTERIAL, TIME_S, at_s=TIME_S + 0.05, delay_s=delay_s)

    inputs = [delay_s, *given.values()]
    assert gradcheck(curves, [each.clone().requires_grad_() for each in inputs], atol=1e-6)


@pytest.mark.parametrize("name", MODELS)
def test_a_delay_per_voxel_is_a_shift_of_the_wanted_times(name):
    make, given = MODELS[name]
    delay_s = double([0.0, 0.31, 1.13])
    together = convolve(make(**given), ARTERIAL, TIME_S, delay_s=delay_s)
    for voxel, delay in enumerate(delay_s):
        alone = make(**{key: value[voxel] for key, value in given.items()})
        shifted = convolve(alone, ARTERIAL, TIME_S, at_s=TIME_S - delay)
        assert torch.allclose(together[voxel], shifted, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("rate", [0.0, 1e-9, 0.1, 1e9])
def test_very_slow_and_very_fast_decay_have_finite_derivatives(rate):
    rate_1_s = torch.tensor([rate], dtype=torch.float32, requires_grad=True)
    response = ExponentialResponse(amplitude_1_s=torch.ones(1), rate_1_s=rate_1_s)
    curve = convolve(response, ARTERIAL.float(), TIME_S.float())
    (slope,) = torch.autograd.grad(curve.sum(), rate_1_s)
    assert bool(slope.isfinite().all())


@pytest.mark.parametrize("name", ["plug flow", "two-compartment exchange", "Fermi"])
def test_single_precision_loses_less_than_the_noise(name):
    make, given = MODELS[name]
    exact = convolve(make(**given), ARTERIAL, TIME_S)
    single = convolve(
        make(**{key: value.float() for key, value in given.items()}),
        ARTERIAL.float(),
        TIME_S.float(),
    )
    assert float((single.double() - exact).abs().max() / exact.max()) < 1e-4
