"""Exchange curves from the table, their weights, their error, and what the whole heart tells."""

import math

import pytest
import torch

from models.kinetics import BloodTissueExchange, convolve_uniform, interpolate
from pipeline.perfusion import Belief, fit
from pipeline.perfusion.btex import USUAL, tissue_curves
from pipeline.perfusion.delay_profile import PIXEL_SD, DelayProfile, belief_from
from pipeline.perfusion.exchange_table import ExchangeTable, exchange_table
from pipeline.perfusion.fit import SYSTEMATIC_FRACTION, exam_belief
from pipeline.perfusion.noise import NOISE_SD_MMOL_L, SHARE_SD, whitening
from tests.pipeline.perfusion.curves import BOUNDS, DENSITY_G_ML, arterial_input, beats, tissue

HEMATOCRIT = 0.42
PARAMETERS = torch.tensor(
    [
        [math.log(flow / 60), math.log(volume), math.log(surface / 60), math.log(space), delay]
        for flow, volume, surface, space, delay in (
            (0.5, 0.08, 0.6, 0.2, 0.0),
            (1.5, 0.12, 1.5, 0.3, 1.1),
            (3.0, 0.09, 1.0, 0.2, 0.4),
            (5.0, 0.15, 3.0, 0.15, 2.3),
        )
    ]
)


def table() -> ExchangeTable:
    when = beats()
    return exchange_table(when.fine_mmol_l, when.fine_s, end_s=45.0)


def test_curves_are_those_of_the_forward_model():
    when = beats()
    log_flow, log_volume, log_surface, log_space, delay = PARAMETERS.double().unbind(1)
    exact = convolve_uniform(
        BloodTissueExchange(
            flow_1_s=log_flow.exp(),
            blood_volume=log_volume.exp(),
            interstitial_volume=log_space.exp() / (1 - HEMATOCRIT),
            permeability_surface_1_s=log_surface.exp() / (1 - HEMATOCRIT),
        ),
        when.fine_mmol_l,
        0.02,
    )
    at_s = torch.linspace(1.0, 44.0, 60, dtype=torch.float64)
    found = tissue_curves(table(), at_s, PARAMETERS, hematocrit_fraction=HEMATOCRIT)[:, -1]
    for curve, late_s, wanted in zip(found, delay, exact, strict=True):
        truth = interpolate(wanted, when.fine_s, at_s - float(late_s))
        assert float((curve - truth).abs().max() / truth.max()) < 2e-3


def test_derivatives_are_those_of_the_curves():
    at_s = torch.linspace(9.0, 44.0, 50, dtype=torch.float64)
    derivatives = tissue_curves(table(), at_s, PARAMETERS, hematocrit_fraction=HEMATOCRIT)[:, :-1]
    for index in range(5):
        step = torch.zeros(5)
        step[index] = 0.1  # one cell of the table: its slopes are constant within cells
        ahead, behind = (
            tissue_curves(table(), at_s, PARAMETERS + side * step, hematocrit_fraction=HEMATOCRIT)
            for side in (1, -1)
        )
        slope = (ahead[:, -1] - behind[:, -1]) / 0.2
        error = (derivatives[:, index] - slope).square().mean().sqrt()
        assert float(error) < 0.1 * float(slope.square().mean().sqrt()), index


def test_weights_are_the_inverse_of_the_covariance_that_is_described():
    when = beats()
    artery = arterial_input(when)
    at_s = when.tissue_s[:30]
    offsets = torch.full((30, 1), 5**-0.5, dtype=torch.float64)
    weights = whitening(artery.concentration_mmol_l, artery.time_s, at_s, offsets=offsets)
    blood = interpolate(when.fine_mmol_l, when.fine_s, at_s)
    covariance = torch.eye(30, dtype=torch.float64) + torch.outer(blood, blood) * (
        (SHARE_SD / NOISE_SD_MMOL_L) ** 2
    )
    covariance = covariance + offsets @ offsets.T
    curves = torch.randn(2, 4, 30, generator=torch.Generator().manual_seed(0))
    wanted = curves @ torch.linalg.inv(covariance).float() @ curves.transpose(1, 2)
    found = weights.inner(curves)
    assert float((found - wanted).abs().max() / wanted.abs().max()) < 0.01


def test_standard_error_is_the_scatter_of_repeated_measurements():
    when = beats()
    generator = torch.Generator().manual_seed(0)
    for flow in (1.0, 2.5):
        clean = tissue(when, torch.full((1,), flow, dtype=torch.float64)).repeat(200, 1)
        noise = torch.randn(clean.shape, generator=generator, dtype=torch.float64)
        found = fit(
            clean + 0.02 * noise,
            time_s=when.tissue_s,
            arterial_input=arterial_input(when),
            bounds=BOUNDS,
            density_g_ml=DENSITY_G_ML,
            belief=Belief(
                centre=(USUAL[0], math.log(0.11), math.log(1.2 / 60), math.log(0.19), 0.8)
            ),
        )
        scatter = float(found.flow_ml_min_g.std())
        assert found.standard_error_ml_min_g is not None
        claimed = float(found.standard_error_ml_min_g.median())
        by_noise = (claimed**2 - (SYSTEMATIC_FRACTION * flow) ** 2) ** 0.5
        assert 0.6 < by_noise / scatter < 2.0, flow


def test_the_whole_heart_tells_what_a_pixel_does_not():
    when = beats()
    artery = arterial_input(when)
    generator = torch.Generator().manual_seed(2)
    clean = tissue(when, torch.full((1,), 3.0, dtype=torch.float64), delay_s=1.4)
    noise = torch.randn(300, clean.shape[1], generator=generator, dtype=torch.float64)
    curves = clean + 0.03 * noise
    constants = {"arterial_input": artery, "bounds": BOUNDS, "density_g_ml": DENSITY_G_ML}
    belief = exam_belief(
        [(part.mean(0), when.tissue_s) for part in curves.split(100)],
        hematocrit_fraction=HEMATOCRIT,
        **constants,
    )
    assert abs(belief.centre[-1] - 1.4) < 0.35
    together = fit(curves, time_s=when.tissue_s, belief=belief, **constants).flow_ml_min_g
    alone = fit(curves, time_s=when.tissue_s, **constants).flow_ml_min_g
    assert float((together / 3.0 - 1.0).abs().median()) < float((alone / 3.0 - 1.0).abs().median())


def test_early_and_late_arrival_are_both_kept_in_mind():
    """A single minimum would name one delay; the spread of the belief covers what fits as well."""
    when = beats()
    curve = tissue(when, torch.full((1,), 3.0, dtype=torch.float64), delay_s=0.6)[0]
    generator = torch.Generator().manual_seed(3)
    beliefs = [
        exam_belief(
            [
                (
                    curve + 0.01 * torch.randn(curve.shape, generator=generator).double(),
                    when.tissue_s,
                )
            ],
            arterial_input=arterial_input(when),
            bounds=BOUNDS,
            density_g_ml=DENSITY_G_ML,
            hematocrit_fraction=HEMATOCRIT,
        )
        for _ in range(12)
    ]
    delays = torch.tensor([belief.centre[-1] for belief in beliefs])
    claimed = torch.tensor([belief.sd[-1] for belief in beliefs])
    assert float((delays - 0.6).abs().max()) < 3.0 * float(claimed.median())
    assert float(claimed.min()) > PIXEL_SD[-1]


@pytest.mark.parametrize("off", [-0.3, 0.3])
def test_a_level_without_a_model_says_which_end_of_the_valley_it_is(off: float) -> None:
    n_delays = 16
    parameters = torch.zeros(n_delays, 5, dtype=torch.float64)
    parameters[:, -1] = torch.linspace(0.0, 3.0, n_delays)
    parameters[:, 0] = math.log(2.0 / 60) + 0.4 * (parameters[:, -1] - 1.5)
    profile = DelayProfile(
        parameters=parameters,
        variance=torch.full((n_delays, 5), 1e-4, dtype=torch.float64),
        weight=torch.full((n_delays,), 1 / n_delays, dtype=torch.float64),
    )
    undecided = belief_from(profile, math.nan)
    decided = belief_from(profile, math.log(2.0 / 60) + off)
    assert undecided.centre[-1] == pytest.approx(1.5)
    assert decided.centre[0] == pytest.approx(math.log(2.0 / 60) + off, abs=0.05)
    assert decided.centre[-1] == pytest.approx(1.5 + off / 0.4, abs=0.1)
    assert decided.sd[-1] < 0.5 * undecided.sd[-1]


def test_a_heart_without_usable_curves_tells_nothing():
    when = beats()
    hole = torch.full((len(when.tissue_s),), math.nan, dtype=torch.float64)
    for curves in ([], [(hole, when.tissue_s)], [(hole[:3], when.tissue_s[:3])]):
        belief = exam_belief(
            curves,
            arterial_input=arterial_input(when),
            bounds=BOUNDS,
            density_g_ml=DENSITY_G_ML,
            hematocrit_fraction=HEMATOCRIT,
        )
        assert belief == Belief()
