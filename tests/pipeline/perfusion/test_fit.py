"""Laws of the deconvolution, recovery of known tissue, and curves that are no tissue."""

import dataclasses

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from models.kinetics import interpolate
from pipeline.perfusion import FlowFit, fit
from pipeline.perfusion.btex import LOWEST_FLOW_ML_MIN_G
from pipeline.perfusion.fermi import SHARPNESS, fermi_table
from pipeline.perfusion.interpolation import monotone_cubic
from tests.pipeline.perfusion.curves import BOUNDS, DENSITY_G_ML, arterial_input, beats, tissue

FLOWS = torch.tensor([0.5, 0.8, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0], dtype=torch.float64)


def deconvolve(curves: torch.Tensor, seed: int = 0, **changes) -> FlowFit:
    when = beats(seed)
    arguments = {
        "time_s": when.tissue_s,
        "arterial_input": arterial_input(when),
        "bounds": BOUNDS,
        "density_g_ml": DENSITY_G_ML,
    }
    return fit(curves, **(arguments | changes))


def noisy(curves: torch.Tensor, sd: float, n: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    repeated = curves.repeat(n, 1)
    noise = torch.randn(repeated.shape, generator=generator, dtype=torch.float64)
    return repeated + sd * noise


@pytest.mark.parametrize("seed", [0, 1])
def test_flow_of_exchange_tissue_is_recovered_without_noise(seed):
    found = deconvolve(tissue(beats(seed), FLOWS), seed)
    bias = found.flow_ml_min_g / FLOWS - 1.0
    assert float(bias[:-1].abs().max()) < 0.08
    assert float(bias[-1].abs()) < 0.2
    assert bool((found.fit_quality > 0.99).all())


@given(st.floats(0.1, 2.2))
@settings(max_examples=8, deadline=None)
def test_known_delay_is_found(delay):
    found = deconvolve(tissue(beats(), FLOWS[2:6], delay_s=delay))
    assert float((found.delay_s - delay).abs().max()) < 0.12


def test_median_error_with_noise_and_a_shared_arrival_is_small():
    when = beats()
    for flow, limit in ((1.0, 0.12), (2.0, 0.15), (3.0, 0.25)):
        curves = noisy(tissue(when, torch.full((1,), flow)), 0.03, 40)
        regional = curves.mean(0, keepdim=True).expand_as(curves)
        found = deconvolve(curves, regional_mmol_l=regional).flow_ml_min_g
        assert float((found / flow - 1.0).abs().median()) < limit


def test_neighbours_make_the_flow_of_a_pixel_more_certain():
    curves = noisy(tissue(beats(), torch.full((1,), 2.5)), 0.03, 40)
    regional = curves.mean(0, keepdim=True).expand_as(curves)
    alone = deconvolve(curves).flow_ml_min_g
    together = deconvolve(curves, regional_mmol_l=regional).flow_ml_min_g
    assert float(together.std()) < 0.8 * float(alone.std())


def test_blood_that_shines_into_the_pixel_hardly_moves_its_flow():
    when = beats()
    curves = tissue(when, torch.full((1,), 2.5))
    blood = 0.02 * interpolate(when.fine_mmol_l, when.fine_s, when.tissue_s)
    regional = curves
    clean = deconvolve(curves, regional_mmol_l=regional).flow_ml_min_g
    mixed = deconvolve(curves + blood, regional_mmol_l=regional).flow_ml_min_g
    assert float((mixed / clean - 1.0).abs()) < 0.2


@given(st.floats(0.05, 8.0))
@settings(max_examples=8, deadline=None)
def test_flow_does_not_depend_on_the_unit_of_concentration(scale):
    """A wrong relaxivity scales artery and tissue alike and cancels, without noise or blood."""
    when = beats()
    artery = arterial_input(when)
    scaled = dataclasses.replace(artery, concentration_mmol_l=scale * artery.concentration_mmol_l)
    curves = tissue(when, FLOWS[2:5])
    first = deconvolve(curves).flow_ml_min_g
    second = deconvolve(scale * curves, arterial_input=scaled).flow_ml_min_g
    assert torch.allclose(first, second, rtol=0.1)


def test_clock_of_the_exam_may_start_anywhere():
    when = beats()
    artery = arterial_input(when)
    later = dataclasses.replace(artery, time_s=artery.time_s + 1000.0)
    curves = tissue(when, FLOWS)
    moved = deconvolve(curves, time_s=when.tissue_s + 1000.0, arterial_input=later)
    assert torch.allclose(moved.flow_ml_min_g, deconvolve(curves).flow_ml_min_g, rtol=1e-3)


@pytest.mark.parametrize("cut", [3, 50])
def test_result_does_not_depend_on_the_batch(cut):
    curves = noisy(tissue(beats(), FLOWS), 0.03, 8)
    whole = deconvolve(curves, regional_mmol_l=curves)
    parts = [deconvolve(part, regional_mmol_l=part) for part in curves.split(cut)]
    for name in ("flow_ml_min_g", "fit_quality", "delay_s"):
        joined = torch.cat([getattr(part, name) for part in parts])
        assert torch.allclose(joined, getattr(whole, name), rtol=1e-6, atol=1e-9)


def test_float32_is_kept_and_agrees():
    curves = tissue(beats(), FLOWS)
    single = deconvolve(curves.float())
    assert single.flow_ml_min_g.dtype == torch.float32
    assert torch.allclose(
        single.flow_ml_min_g.double(), deconvolve(curves).flow_ml_min_g, rtol=1e-2
    )


@pytest.mark.parametrize("value", [0.0, 0.4, -0.4])
def test_constant_curves_have_no_flow(value):
    curves = torch.full((3, 60), value, dtype=torch.float64)
    found = deconvolve(curves)
    assert bool(found.flow_ml_min_g.isnan().all())
    assert bool(found.fit_quality.isnan().all())


@pytest.mark.parametrize("hole", [float("nan"), float("inf")])
def test_a_hole_in_a_curve_makes_that_voxel_nan_and_no_other(hole):
    curves = tissue(beats(), FLOWS)
    spoilt = curves.clone()
    spoilt[2, 20] = hole
    found = deconvolve(spoilt).flow_ml_min_g
    expected = deconvolve(curves).flow_ml_min_g
    assert bool(found[2].isnan())
    keep = torch.arange(len(FLOWS)) != 2
    assert torch.allclose(found[keep], expected[keep], rtol=1e-6)


def test_falling_curves_have_next_to_no_flow_not_an_invented_one():
    found = deconvolve(-tissue(beats(), FLOWS))
    assert float(found.flow_ml_min_g.max()) < 0.1
    assert float(found.flow_ml_min_g.min()) >= LOWEST_FLOW_ML_MIN_G - 1e-6
    assert float(found.fit_quality.max()) < 0.0


def test_bounds_are_kept():
    found = deconvolve(10.0 * tissue(beats(), FLOWS, delay_s=2.9))
    assert float(found.flow_ml_min_g.max()) <= 8.0 + 1e-6
    assert 0.0 <= float(found.delay_s.min()) <= float(found.delay_s.max()) <= 3.0


def test_no_voxels_and_too_few_samples_give_no_flow():
    when = beats()
    assert deconvolve(torch.zeros(0, 60, dtype=torch.float64)).flow_ml_min_g.shape == (0,)
    few = deconvolve(
        tissue(when, FLOWS)[:, :5], time_s=when.tissue_s[:5], arterial_input=arterial_input(when)
    )
    assert bool(few.flow_ml_min_g.isnan().all())


def test_table_is_the_equation_of_the_docstring():
    when = beats()
    artery = arterial_input(when)
    start = artery.foot
    concentration, time_s = artery.concentration_mmol_l[start:], artery.time_s[start:]
    table = fermi_table(concentration, time_s, end_s=float(time_s[20]))
    at_s = time_s[18:19]
    width_index = torch.tensor([12.0], dtype=torch.float64)
    delay_s = torch.tensor([0.5], dtype=torch.float64)
    vascular, retained = table.basis(at_s, delay_s, width_index)
    width = float(table.width_s(width_index)[0])
    past_s = torch.arange(0.0, float(at_s) - 0.5 - float(time_s[0]), 0.001, dtype=torch.float64)
    decay = SHARPNESS / width
    b = torch.exp(torch.tensor(-decay * width))
    response = (1 + b) / (1 + b * torch.exp(decay * past_s))
    blood = monotone_cubic(concentration, time_s, float(at_s) - 0.5 - past_s)
    assert float(vascular) == pytest.approx(
        float(torch.trapezoid(response * blood, dx=0.001)), rel=2e-3
    )
    assert float(retained) == pytest.approx(float(torch.trapezoid(blood, dx=0.001)), rel=2e-3)
