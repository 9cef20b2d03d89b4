"""Noise lifts magnitudes; the signal of a pool is freed from it, and its meaning is kept."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import CannotQuantifyError
from pipeline.findings import Code
from pipeline.perfusion.pool_signal import noise_power, pool_concentration, read_pool
from pipeline.signal import signal_table
from tests.pipeline.perfusion.pools import BLOOD, readout, recovery


def magnitudes(level: torch.Tensor, noise: float, n_pixels: int = 400) -> torch.Tensor:
    generator = torch.Generator().manual_seed(3)
    shape = (len(level), n_pixels)
    first, second = (torch.randn(shape, generator=generator, dtype=torch.float64) for _ in range(2))
    return torch.hypot(level[:, None] + noise * first, noise * second)


@given(st.floats(0.0, 8.0), st.floats(0.1, 10.0))
def test_power_of_noise_is_found_below_and_above_it(level_over_noise, noise):
    steady = torch.full((12,), level_over_noise * noise, dtype=torch.float64)
    found = float(noise_power(magnitudes(steady, noise, n_pixels=900)))
    assert found == pytest.approx(2.0 * noise**2, rel=0.25)


def test_a_slow_drift_is_no_noise():
    drift = torch.linspace(1.0, 1.1, 20, dtype=torch.float64)[:, None].expand(20, 50)
    assert float(noise_power(drift)) < 1e-4


def test_too_few_beats_tell_no_noise():
    assert float(noise_power(torch.rand(2, 50, dtype=torch.float64))) == 0.0


def test_signal_below_the_noise_is_found_where_the_average_is_twice_as_high():
    level = torch.cat([torch.full((10,), 0.5), torch.full((10,), 6.0)]).double()
    signal = read_pool(magnitudes(level, 1.0), torch.ones(400, dtype=torch.float64), n_before=10)
    assert float(signal.plain[:10].mean()) > 1.2
    assert signal.level == pytest.approx(0.5, abs=0.35)
    assert float(signal.curve[10:].mean()) == pytest.approx(6.0, rel=0.01)


def test_pixels_without_reference_are_left_out():
    scale = torch.tensor([2.0, torch.nan, 2.0], dtype=torch.float64)
    pixels = torch.tensor([[4.0, 999.0, 4.0]] * 4, dtype=torch.float64)
    signal = read_pool(pixels, scale, n_before=2)
    assert signal.n_pixels == 2
    assert torch.allclose(signal.curve, torch.full((4,), 2.0, dtype=torch.float64))


def table(*, has_reference: bool):
    reference = readout(5.0) if has_reference else None
    return signal_table(recovery(), proton_density=reference, relaxation=BLOOD)


def ratios(curve: torch.Tensor, *, has_reference: bool) -> torch.Tensor:
    rate = BLOOD.longitudinal_1_s(curve)
    none = torch.zeros(1, dtype=torch.float64)
    reference = readout(5.0) if has_reference else recovery()
    shown = recovery().signal(rate, 6.0 * curve)
    return shown / reference.signal(BLOOD.longitudinal_1_s(none))


@pytest.mark.parametrize("has_reference", [True, False])
@given(st.floats(1.0, 6.0))
def test_concentration_of_a_clean_pool_is_exact(has_reference, peak):
    curve = torch.cat([torch.zeros(5), torch.linspace(0.2, 1.0, 9)]).double() * peak
    pixels = 700.0 * ratios(curve, has_reference=has_reference)[:, None].expand(-1, 20)
    scale = torch.full((20,), 700.0 if has_reference else 1.0, dtype=torch.float64)
    signal = read_pool(pixels, scale, n_before=5)
    found = pool_concentration(
        signal, table(has_reference=has_reference), is_calibrated=has_reference
    )
    assert torch.allclose(found, curve, atol=3e-3 * peak + 2e-3)


def test_noise_does_not_cut_the_bolus():
    curve = torch.cat([torch.zeros(8), torch.full((8,), 4.0)]).double()
    shown = ratios(curve, has_reference=True)
    noise = 4.0 * float(shown[0])
    pixels = magnitudes(shown, noise)
    signal = read_pool(pixels, torch.ones(400, dtype=torch.float64), n_before=8)
    found = pool_concentration(signal, table(has_reference=True), is_calibrated=True)
    assert float(found[8:].mean()) == pytest.approx(4.0, rel=0.04)
    plain = table(has_reference=True)
    cut = pixels.mean(dim=1) - pixels[:8].mean() + plain.ratio_at(0.0)
    assert float(cut[8:].mean() / shown[-1]) < 0.93


def test_before_contrast_is_zero_with_its_scatter():
    curve = torch.cat([torch.zeros(8), torch.full((8,), 4.0)]).double()
    pixels = magnitudes(ratios(curve, has_reference=True), 0.01)
    signal = read_pool(pixels, torch.ones(400, dtype=torch.float64), n_before=8)
    before = pool_concentration(signal, table(has_reference=True), is_calibrated=True)[:8]
    assert float(before.mean().abs()) < 1e-9
    assert float(before.std()) > 0.0


def test_a_scale_lost_in_the_noise_is_refused():
    curve = torch.cat([torch.zeros(8), torch.full((8,), 4.0)]).double()
    pixels = magnitudes(ratios(curve, has_reference=False), 3.0)
    signal = read_pool(pixels, torch.ones(400, dtype=torch.float64), n_before=8)
    with pytest.raises(CannotQuantifyError) as refused:
        pool_concentration(signal, table(has_reference=False), is_calibrated=False)
    assert refused.value.code is Code.NO_ARTERIAL_INPUT


def test_a_peak_beyond_the_table_is_no_number():
    curve = torch.cat([torch.zeros(5), torch.full((5,), 4.0)]).double()
    pixels = 3.0 * ratios(curve, has_reference=True)[:, None].expand(-1, 20)
    signal = read_pool(pixels, torch.full((20,), 0.4, dtype=torch.float64), n_before=5)
    found = pool_concentration(signal, table(has_reference=True), is_calibrated=True)
    assert bool(found[5:].isnan().all())
