"""Each tissue model evaluated independently: its differential equation, its transform, its area."""

import math

import dcmri
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from models.kinetics import (
    BloodTissueExchange,
    RecirculatingBolus,
    convolve,
    fermi_response,
    gamma_variate,
    two_compartment_exchange,
)


def double(values):
    return torch.tensor(values, dtype=torch.float64)


PARAMETERS = ("flow_1_s", "blood_volume", "interstitial_volume", "permeability_surface_1_s")

tissues = st.fixed_dictionaries(
    {
        "flow_1_s": st.floats(0.1 / 60, 6.0 / 60),
        "blood_volume": st.floats(0.03, 0.2),
        "interstitial_volume": st.floats(0.1, 0.8),
        "permeability_surface_1_s": st.floats(0.1 / 60, 4.0 / 60),
    }
)


def tensors(tissue):
    return {name: double(value) for name, value in tissue.items()}


@given(tissue=tissues, rate_1_s=st.floats(0.02, 0.5))
def test_plug_flow_has_its_laplace_transform(tissue, rate_1_s):
    flow, blood, interstitium, surface = (tissue[name] for name in PARAMETERS)
    lost = surface * rate_1_s * interstitium / (rate_1_s * interstitium + surface)
    transform = flow * (1.0 - math.exp(-(rate_1_s * blood + lost) / flow)) / rate_1_s
    # Integrating by parts twice uses `ramp` alone, which has no jump to integrate over.
    time_s = torch.linspace(0.0, 60.0 / rate_1_s, 60001, dtype=torch.float64)
    ramp = BloodTissueExchange(**tensors(tissue)).ramp(time_s)
    numeric = rate_1_s**2 * torch.trapezoid(torch.exp(-rate_1_s * time_s) * ramp, time_s)
    assert float(numeric) == pytest.approx(transform, rel=1e-5)


def solve_plug_flow(tissue, end_s, n_cells):
    """Carry blood cell by cell (one cell per step, no numerical diffusion), exchange in between."""
    flow, blood, interstitium, surface = tissue
    step_s = blood / flow / n_cells
    total = surface / blood + surface / interstitium
    exchanged = (1.0 - math.exp(-total * step_s)) / total
    inside, outside = np.zeros(n_cells), np.zeros(n_cells)
    leaving = []
    for _ in range(int(end_s / step_s)):
        inside = np.concatenate([[1.0], inside[:-1]])
        change = exchanged * (outside - inside)
        inside = inside + surface / blood * change
        outside = outside - surface / interstitium * change
        leaving.append(inside[-1])
    return step_s * np.arange(1, len(leaving) + 1), 1.0 - np.array(leaving)


@pytest.mark.parametrize(
    "tissue",
    [
        (3.0 / 60, 0.11, 0.34, 2.0 / 60),
        (0.8 / 60, 0.08, 0.30, 1.0 / 60),
        (0.3 / 60, 0.17, 0.10, 4.0 / 60),
    ],
)
def test_plug_flow_solves_its_differential_equations(tissue):
    time_s, kept = solve_plug_flow(tissue, 60.0, 1000)
    model = BloodTissueExchange(**tensors(dict(zip(PARAMETERS, tissue, strict=True))))
    found = model.response(double(time_s)).numpy() / tissue[0]
    away = np.abs(time_s - tissue[1] / tissue[0]) > 0.05  # from the jump of the front
    assert np.abs(found - kept)[away].max() < 2e-3


@given(tissue=tissues)
def test_integrals_of_plug_flow_are_consistent(tissue):
    model = BloodTissueExchange(**tensors(tissue))
    transit_s = tissue["blood_volume"] / tissue["flow_1_s"]
    time_s = transit_s + torch.linspace(1e-6, 40.0, 4001, dtype=torch.float64)
    step, ramp = model.step(time_s), model.ramp(time_s)
    area = torch.cumulative_trapezoid(model.response(time_s), time_s)
    assert torch.allclose(step[1:] - step[0], area, atol=1e-5)
    moment = torch.cumulative_trapezoid(step, time_s)
    assert torch.allclose(ramp[1:] - ramp[0], moment, atol=1e-4)


@given(tissue=tissues)
def test_all_volume_is_seen_in_the_end(tissue):
    distribution = tissue["blood_volume"] + tissue["interstitial_volume"]
    for model in (
        BloodTissueExchange(**tensors(tissue)),
        two_compartment_exchange(**tensors(tissue)),
    ):
        assert float(model.step(double([1e4]))) == pytest.approx(distribution, rel=1e-3)


@given(tissue=tissues, factor=st.floats(0.2, 5.0))
def test_flow_scales_with_the_response(tissue, factor):
    faster = {name: factor * value for name, value in tissue.items()}
    time_s = torch.linspace(0.0, 30.0, 50, dtype=torch.float64)
    for model in (
        lambda t: BloodTissueExchange(**tensors(t)),
        lambda t: two_compartment_exchange(**tensors(t)),
    ):
        once, more = model(tissue).response(time_s), model(faster).response(time_s)
        assert torch.allclose(factor * once, more, rtol=1e-9)


@given(tissue=tissues)
def test_responses_start_at_the_flow_and_never_rise(tissue):
    time_s = torch.linspace(0.0, 60.0, 300, dtype=torch.float64)
    for model in (
        BloodTissueExchange(**tensors(tissue)),
        two_compartment_exchange(**tensors(tissue)),
    ):
        response = model.response(time_s)
        assert float(response[0]) == pytest.approx(tissue["flow_1_s"], rel=1e-9)
        assert bool((response.diff() <= 1e-12).all())
        assert bool((response >= -1e-12).all())


@given(tissue=tissues)
def test_exchange_equals_dcmri(tissue):
    flow, blood, interstitium, surface = (tissue[name] for name in PARAMETERS)
    time_s = torch.linspace(0.0, 60.0, 121, dtype=torch.float64)
    arterial = gamma_variate(time_s, arrival_s=5.0, rise_s=5.0, shape=3.0)
    theirs = dcmri.conc_2cxm(
        flow * arterial.numpy(),
        [blood / (flow + surface), interstitium / surface],
        surface / (flow + surface),
        t=time_s.numpy(),
    ).sum(0)
    ours = convolve(two_compartment_exchange(**tensors(tissue)), arterial, time_s)
    assert ours.numpy() == pytest.approx(theirs, abs=1e-3 * theirs.max())


@given(tissue=tissues, hematocrit=st.floats(0.2, 0.6))
def test_blood_form_and_plasma_form_are_the_same_curve(tissue, hematocrit):
    plasma = 1.0 - hematocrit
    time_s = torch.linspace(0.0, 60.0, 61, dtype=torch.float64)
    blood_mmol_l = gamma_variate(time_s, arrival_s=5.0, rise_s=5.0, shape=3.0)
    in_plasma = {name: plasma * value for name, value in tissue.items()}
    for model in (
        lambda t: BloodTissueExchange(**tensors(t)),
        lambda t: two_compartment_exchange(**tensors(t)),
    ):
        by_blood = convolve(model(tissue), blood_mmol_l, time_s)
        by_plasma = convolve(model(in_plasma), blood_mmol_l / plasma, time_s)
        assert torch.allclose(by_blood, by_plasma, atol=1e-9)


@given(flow=st.floats(0.002, 0.1), decay=st.floats(0.01, 5.0), width=st.floats(-5.0, 20.0))
def test_fermi_is_its_equation_and_starts_at_the_flow(flow, decay, width):
    time_s = torch.linspace(0.0, 60.0, 100, dtype=torch.float64)
    found = fermi_response(
        time_s, flow_1_s=double(flow), decay_1_s=double(decay), width_s=double(width)
    )
    b = math.exp(-decay * width)
    written = [flow * (1 + b) / (1 + b * math.exp(min(decay * t, 700.0))) for t in time_s.tolist()]
    assert found.tolist() == pytest.approx(written, rel=1e-9, abs=1e-300)
    assert float(found[0]) == pytest.approx(flow)


def test_gamma_variate_peaks_with_one_where_told():
    time_s = torch.linspace(0.0, 60.0, 6001, dtype=torch.float64)
    curve = gamma_variate(time_s, arrival_s=7.0, rise_s=4.0, shape=2.7)
    assert float(curve.max()) == pytest.approx(1.0)
    assert float(time_s[curve.argmax()]) == pytest.approx(11.0)
    assert float(curve[time_s <= 7.0].max()) == 0.0
    assert float(curve[1500]) == pytest.approx((8 / 4) ** 2.7 * math.exp(2.7 * (1 - 8 / 4)))


def test_recirculation_leaves_a_valley_after_the_first_pass():
    bolus = RecirculatingBolus(
        peak_mmol_l=4.0,
        arrival_s=10.0,
        rise_s=5.0,
        shape=2.7,
        recirculation_delay_s=11.0,
        recirculation_fraction=0.13,
        remainder_fraction=0.14,
        clearance_s=180.0,
    )
    time_s = torch.linspace(0.0, 60.0, 601, dtype=torch.float64)
    curve = bolus.concentration_mmol_l(time_s)
    peak = int(curve.argmax())
    valley = peak + int(curve[peak:280].argmin())
    assert float(curve[peak]) == pytest.approx(4.0, rel=0.02)
    assert 0.1 < float(curve[valley]) / 4.0 < 0.4
    assert float(curve[valley:].max()) > 1.05 * float(curve[valley])
