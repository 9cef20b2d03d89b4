"""Step and ramp of every model are the first and second integral of its response."""

import math

import dcmri
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from models.kinetics import (
    ExtendedTofts,
    FermiResponse,
    Response,
    TissueHomogeneity,
    convolve,
    gamma_variate,
    two_compartment_exchange,
    two_compartment_uptake,
)
from tests.models.kinetics.tissues import EXCHANGE, MODELS, TOFTS, UPTAKE, WITH_RESPONSE, double

FINE_S = torch.linspace(0.0, 60.0, 60001, dtype=torch.float64)


@pytest.mark.parametrize("name", MODELS)
def test_models_speak_one_protocol(name):
    make, given_values = MODELS[name]
    model = make(**given_values)
    assert isinstance(model, Response)
    for found in (model.step(FINE_S[:5]), model.ramp(FINE_S[:5])):
        assert found.shape == (3, 5)


@pytest.mark.parametrize("name", WITH_RESPONSE)
def test_integrals_are_those_of_the_response(name):
    make, given_values = MODELS[name]
    model = make(**given_values)
    area = torch.cumulative_trapezoid(model.response(FINE_S), FINE_S)
    assert torch.allclose(model.step(FINE_S)[:, 1:], area, atol=3e-5)  # half a step at a jump
    moment = torch.cumulative_trapezoid(model.step(FINE_S), FINE_S)
    assert torch.allclose(model.ramp(FINE_S)[:, 1:], moment, rtol=1e-6, atol=1e-9)


@given(decay=st.floats(0.02, 8.0), width=st.floats(-3.0, 15.0))
def test_fermi_integrals_hold_for_any_shape(decay, width):
    model = FermiResponse(flow_1_s=double(0.02), decay_1_s=double(decay), width_s=double(width))
    time_s = FINE_S[::6]
    area = torch.cumulative_trapezoid(model.response(time_s), time_s)
    assert torch.allclose(model.step(time_s)[1:], area, rtol=1e-4, atol=6e-7)
    moment = torch.cumulative_trapezoid(model.step(time_s), time_s)
    assert torch.allclose(model.ramp(time_s)[1:], moment, rtol=1e-4, atol=1e-7)


def test_dilogarithm_has_its_known_values():
    """The ramp of k = 1, w = 0 holds -Li2(-1) = pi²/12 and tends to t log 2 - pi²/12."""
    model = FermiResponse(flow_1_s=double(0.5), decay_1_s=double(1.0), width_s=double(0.0))
    found = float(model.ramp(double([80.0])))
    assert found == pytest.approx(80.0 * math.log(2.0) - math.pi**2 / 12.0, rel=1e-14)


def test_uptake_is_exchange_with_endless_room():
    endless = {**EXCHANGE, "interstitial_volume": torch.full((3,), 1e9, dtype=torch.float64)}
    time_s = FINE_S[::500]
    uptake = two_compartment_uptake(**UPTAKE).response(time_s)
    assert torch.allclose(two_compartment_exchange(**endless).response(time_s), uptake, rtol=1e-6)


def test_tofts_is_exchange_with_endless_flow():
    endless = {
        "flow_1_s": torch.full((3,), 1e5, dtype=torch.float64),
        "blood_volume": TOFTS["plasma_volume"],
        "interstitial_volume": TOFTS["interstitial_volume"],
        "permeability_surface_1_s": TOFTS["transfer_1_s"],
    }
    time_s = FINE_S[1000::500]
    found = two_compartment_exchange(**endless).step(time_s)
    assert torch.allclose(ExtendedTofts(**TOFTS).step(time_s), found, rtol=1e-5)


def test_tofts_does_not_know_flow():
    """Two tissues of unlike flow, one Ktrans: the same curve, so no flow can be read from it."""
    curves = []
    for flow, surface in ((0.02, 0.02), (0.05, 0.0125)):
        transfer = double([flow * surface / (flow + surface)])
        model = ExtendedTofts(
            transfer_1_s=transfer, plasma_volume=double([0.1]), interstitial_volume=double([0.3])
        )
        curves.append(model.step(FINE_S[::1000]))
    assert torch.allclose(*curves)


def test_tofts_shows_blood_at_once_and_nothing_before():
    model = ExtendedTofts(
        transfer_1_s=double([0.0]), plasma_volume=double([0.1]), interstitial_volume=double([0.3])
    )
    time_s, arterial = double([2.0, 3.0, 5.0]), double([1.0, 4.0, 2.0])
    at_s = double([0.0, 1.9, 2.0, 2.5, 3.0, 5.0])
    found = convolve(model, arterial, time_s, at_s=at_s)[0]
    assert found.tolist() == pytest.approx([0.0, 0.0, 0.1, 0.25, 0.4, 0.2])


def test_homogeneity_keeps_all_until_transit_and_drops_to_what_crossed():
    model = TissueHomogeneity(**EXCHANGE)
    transit_s = EXCHANGE["blood_volume"] / EXCHANGE["flow_1_s"]
    crossed = 1.0 - torch.exp(-EXCHANGE["permeability_surface_1_s"] / EXCHANGE["flow_1_s"])
    for voxel in range(3):
        at_s = transit_s[voxel] + double([-1e-6, 1e-6])
        share = model.response(at_s)[voxel] / EXCHANGE["flow_1_s"][voxel]
        assert share.tolist() == pytest.approx([1.0, float(crossed[voxel])], rel=1e-5)


@pytest.mark.parametrize(
    ("name", "kinetics", "theirs"),
    [
        ("two-compartment exchange", "2CX", ("H", "vb", "vi", "Fb", "PS")),
        ("two-compartment uptake", "2CU", ("H", "vb", "Fb", "PS")),
    ],
)
def test_tissue_of_heart_muscle_equals_dcmri(name, kinetics, theirs):
    make, given_values = MODELS[name]
    time_s = FINE_S[::200]
    arterial = 4.0 * gamma_variate(time_s, arrival_s=2.0, rise_s=4.5, shape=3.0)
    ours = convolve(make(**given_values), arterial, time_s)
    ours_of = {
        "H": lambda _: 0.0,
        "vb": lambda voxel: float(given_values["blood_volume"][voxel]),
        "vi": lambda voxel: float(given_values["interstitial_volume"][voxel]),
        "Fb": lambda voxel: float(given_values["flow_1_s"][voxel]),
        "PS": lambda voxel: float(given_values["permeability_surface_1_s"][voxel]),
    }
    for voxel in range(3):
        found = dcmri.conc_tissue(
            arterial.numpy(),
            t=time_s.numpy(),
            kinetics=kinetics,
            **{key: ours_of[key](voxel) for key in theirs},
        )
        assert ours[voxel].numpy() == pytest.approx(found, abs=1e-3 * found.max())
