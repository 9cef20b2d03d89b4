"""Flow without a model: its algebra written out, its laws, known tissue, curves that are none."""

import dataclasses
from functools import cache

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from models.kinetics import convolution_matrix
from pipeline.perfusion.deconvolution import deconvolve
from pipeline.perfusion.interpolation import monotone_cubic
from pipeline.perfusion.regularisation import candidates, weigh
from pipeline.perfusion.window import arriving_bolus
from tests.pipeline.perfusion.curves import BOUNDS, DENSITY_G_ML, arterial_input, beats, tissue

FLOWS = torch.tensor([0.3, 0.5, 1.0, 2.0, 3.0, 4.0], dtype=torch.float64)


def flow_of(curves, seed=0, **changes):
    when = beats(seed)
    given = {
        "time_s": when.tissue_s,
        "arterial_input": arterial_input(when),
        "bounds": BOUNDS,
        "density_g_ml": DENSITY_G_ML,
    }
    return deconvolve(curves, **(given | changes))


def noisy(curves, sd, n):
    generator = torch.Generator().manual_seed(0)
    repeated = curves.repeat(n, 1)
    return repeated + sd * torch.randn(repeated.shape, generator=generator, dtype=torch.float64)


@cache
def small_problem():
    when = beats()
    concentration, arterial_s = arriving_bolus(arterial_input(when))
    at_s = when.tissue_s[8:30]
    whiten = torch.eye(22, dtype=torch.float64) - 0.02
    found = candidates(concentration, arterial_s, at_s=at_s, whiten=whiten, max_delay_s=2.0)
    return concentration, arterial_s, at_s, whiten, found


def written_out(delay, strength):
    """Return S and the flow of a curve from the equations of the docstring, by dense algebra."""
    concentration, arterial_s, at_s, whiten, found = small_problem()
    fine_s = torch.arange(float(arterial_s[0]), float(at_s[-1]) + 0.1, 0.1, dtype=torch.float64)
    blood = monotone_cubic(concentration, arterial_s, fine_s)
    knots = [0.0, 0.5]
    while knots[-1] < float(at_s[-1] - arterial_s[0]):
        knots.append(max(knots[-1] + 0.4, 1.25 * knots[-1]))
    knot_s = torch.tensor(knots, dtype=torch.float64)
    to_curve = convolution_matrix(blood, fine_s, knot_s=knot_s, at_s=at_s - found.delay_s[delay])
    shapes = [[float(knot <= last) for knot in range(len(knots))] for last in range(1, len(knots))]
    matrix = whiten @ to_curve @ torch.tensor(shapes, dtype=torch.float64).T
    penalty = torch.tensor([*knots[1:-1], 0.1], dtype=torch.float64)
    weight = found.strength[strength] * torch.trapezoid(blood, dx=0.1) ** 2
    covariance = torch.eye(22) + matrix @ torch.diag(1.0 / penalty) @ matrix.T / weight
    normal = matrix.T @ matrix + weight * torch.diag(penalty)
    flow = torch.linalg.solve(normal, matrix.T @ whiten).sum(0)
    return covariance, flow


@pytest.mark.parametrize(("delay", "strength"), [(0, 0), (3, 2), (8, 6)])
def test_each_candidate_is_its_least_squares_problem(delay, strength):
    found = small_problem()[-1]
    covariance, flow = written_out(delay, strength)
    axes = torch.linalg.solve(small_problem()[3], found.axes[delay])
    inverse = axes @ torch.diag(found.unexplained[delay, strength]) @ axes.T
    assert torch.allclose(inverse @ covariance, torch.eye(22, dtype=torch.float64), atol=1e-8)
    assert torch.allclose(found.flow[delay, strength], flow, rtol=1e-6, atol=1e-9)


def test_candidates_are_weighed_by_their_probability():
    whiten, found = small_problem()[3:]
    curve = tissue(beats(), torch.tensor([1.5]))[:, 8:30]
    n_delays, n_strengths = found.unexplained.shape[:2]
    total, mean = 0.0, 0.0
    probabilities = []
    for delay in range(n_delays):
        for strength in range(n_strengths):
            covariance, flow = written_out(delay, strength)
            white = (curve @ whiten)[0]
            spread = float(white @ torch.linalg.solve(covariance, white)) / 22
            minus_two_log = 22 * torch.log(torch.tensor(spread)) + torch.logdet(covariance)
            probabilities.append((float(-0.5 * minus_two_log), float(curve[0] @ flow)))
    best = max(score for score, _ in probabilities)
    for score, flow in probabilities:
        chance = float(torch.exp(torch.tensor(score - best)))
        total, mean = total + chance, mean + chance * max(flow, 0.0)
    assert float(weigh(found, curve).flow_1_s) == pytest.approx(mean / total, rel=1e-5)


@pytest.mark.parametrize("seed", [0, 1])
def test_flow_of_exchange_tissue_is_recovered_without_noise(seed):
    found = flow_of(tissue(beats(seed), FLOWS), seed)
    assert float((found.flow_ml_min_g / FLOWS - 1.0).abs().max()) < 0.2
    assert bool((found.fit_quality > 0.99).all())


@given(st.floats(0.1, 2.6))
@settings(max_examples=8, deadline=None)
def test_known_delay_is_found(delay):
    found = flow_of(tissue(beats(), FLOWS[1:], delay_s=delay))
    assert float((found.delay_s - delay).abs().max()) < 0.35


def test_flow_with_noise_is_about_right():
    for flow, bias, scatter in ((1.0, 0.2, 0.3), (2.0, 0.2, 0.3), (3.0, 0.2, 0.25)):
        curves = noisy(tissue(beats(), torch.tensor([flow])), 0.035, 60)
        found = flow_of(curves).flow_ml_min_g / flow - 1.0
        assert abs(float(found.median())) < bias
        assert float(found.std()) < scatter


def test_the_neighbourhood_tells_of_arrival():
    curves = noisy(tissue(beats(), torch.tensor([1.0])), 0.05, 60)
    near = curves.mean(0, keepdim=True).expand_as(curves)
    alone, together = flow_of(curves), flow_of(curves, regional_mmol_l=near)
    assert float(together.delay_s.std()) < 0.5 * float(alone.delay_s.std())
    assert float((together.delay_s - 0.8).abs().mean()) < 0.3


def test_blood_that_shines_into_the_pixel_hardly_moves_its_flow():
    when = beats()
    curves = noisy(tissue(when, torch.tensor([2.0])), 0.035, 40)
    artery = arterial_input(when)
    blood = 0.02 * monotone_cubic(artery.concentration_mmol_l, artery.time_s, when.tissue_s)
    clean = flow_of(curves).flow_ml_min_g.median()
    for mixed in (curves + blood, curves - blood):
        assert float(flow_of(mixed).flow_ml_min_g.median() / clean) == pytest.approx(1.0, abs=0.25)


@given(st.floats(1e-3, 1e3))
@settings(max_examples=8, deadline=None)
def test_flow_scales_with_the_curve(scale):
    curves = tissue(beats(), FLOWS[:3])
    wide = dataclasses.replace(BOUNDS, max_flow_ml_min_g=1e6)
    once, more = flow_of(curves, bounds=wide), flow_of(scale * curves, bounds=wide)
    assert torch.allclose(more.flow_ml_min_g, scale * once.flow_ml_min_g, rtol=1e-6)


def test_clock_of_the_exam_may_start_anywhere():
    when = beats()
    artery = arterial_input(when)
    later = dataclasses.replace(artery, time_s=artery.time_s + 1000.0)
    curves = tissue(when, FLOWS)
    moved = flow_of(curves, time_s=when.tissue_s + 1000.0, arterial_input=later)
    assert torch.allclose(moved.flow_ml_min_g, flow_of(curves).flow_ml_min_g, rtol=1e-5)


@pytest.mark.parametrize("with_neighbours", [False, True])
def test_result_does_not_depend_on_the_batch(monkeypatch, with_neighbours):
    curves = noisy(tissue(beats(), FLOWS), 0.03, 4)
    near = curves.flip(0) if with_neighbours else None
    whole = flow_of(curves, regional_mmol_l=near)
    monkeypatch.setattr("pipeline.perfusion.deconvolution._BATCH", 7)
    parts = flow_of(curves, regional_mmol_l=near)
    for name in ("flow_ml_min_g", "fit_quality", "delay_s"):
        assert torch.allclose(getattr(parts, name), getattr(whole, name), rtol=1e-9, atol=1e-12)


def test_single_precision_is_kept_and_agrees():
    curves = tissue(beats(), FLOWS)
    single = flow_of(curves.float()).flow_ml_min_g
    assert single.dtype == torch.float32
    assert torch.allclose(single.double(), flow_of(curves).flow_ml_min_g, rtol=1e-2)


@pytest.mark.parametrize("value", [0.0, 0.4, -0.4])
def test_constant_curves_have_no_flow(value):
    found = flow_of(torch.full((3, 60), value, dtype=torch.float64))
    assert bool(found.flow_ml_min_g.isnan().all())


@pytest.mark.parametrize("hole", [float("nan"), float("inf")])
def test_a_hole_in_a_curve_makes_that_voxel_nan_and_no_other(hole):
    curves = tissue(beats(), FLOWS)
    spoilt = curves.clone()
    spoilt[2, 20] = hole
    found, expected = flow_of(spoilt).flow_ml_min_g, flow_of(curves).flow_ml_min_g
    assert bool(found[2].isnan())
    keep = torch.arange(len(FLOWS)) != 2
    assert torch.allclose(found[keep], expected[keep], rtol=1e-6)


def test_a_hole_in_the_neighbourhood_leaves_the_voxel_to_itself():
    curves = tissue(beats(), FLOWS)
    near = curves.clone()
    near[2, 20] = float("nan")
    found = flow_of(curves, regional_mmol_l=near).flow_ml_min_g
    assert bool(found.isfinite().all())


def test_falling_curves_have_no_invented_flow():
    assert float(flow_of(-tissue(beats(), FLOWS)).flow_ml_min_g.max()) < 0.05


def test_bounds_are_kept_and_named():
    found = flow_of(10.0 * tissue(beats(), FLOWS, delay_s=2.9))
    assert float(found.flow_ml_min_g.max()) <= 8.0
    assert found.at_bound.tolist() == (found.flow_ml_min_g >= 8.0).tolist()
    assert bool(found.at_bound.any())
    assert 0.0 <= float(found.delay_s.min()) <= float(found.delay_s.max()) <= 3.0


def test_no_voxels_and_too_few_samples_give_no_flow():
    when = beats()
    assert flow_of(torch.zeros(0, 60, dtype=torch.float64)).flow_ml_min_g.shape == (0,)
    few = flow_of(tissue(when, FLOWS)[:, :5], time_s=when.tissue_s[:5])
    assert bool(few.flow_ml_min_g.isnan().all())
