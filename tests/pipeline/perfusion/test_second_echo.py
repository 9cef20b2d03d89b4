"""R2* from two echoes is that of the blood where it can be seen, and calm where it cannot."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from pipeline.perfusion.pool_signal import read_pool
from pipeline.perfusion.second_echo import decay_1_s

SPACING_S = 0.001
TIME_S = torch.arange(40, dtype=torch.float64)
RISE = torch.exp(-0.5 * ((TIME_S - 18.0) / 4.0).square())


def pool(curve: torch.Tensor, noise: float, seed: int):
    generator = torch.Generator().manual_seed(seed)
    shape = (len(curve), 60)
    first, second = (torch.randn(shape, generator=generator, dtype=torch.float64) for _ in range(2))
    pixels = torch.hypot(curve[:, None] + noise * first, noise * second)
    return read_pool(pixels, torch.ones(60, dtype=torch.float64), n_before=6)


def found(true_1_s: torch.Tensor, noise: float) -> torch.Tensor:
    early = 0.02 + RISE
    echoes = [pool(early * lost, noise, seed) for seed, lost in enumerate((1.0, _lost(true_1_s)))]
    return decay_1_s(*echoes, time_s=TIME_S, spacing_s=SPACING_S)


def _lost(rate_1_s: torch.Tensor) -> torch.Tensor:
    return torch.exp(-SPACING_S * rate_1_s)


@given(st.floats(5.0, 120.0))
def test_decay_without_noise_is_exact(peak_1_s):
    true_1_s = 8.0 + peak_1_s * RISE
    seen = RISE > 0.2
    assert torch.allclose(found(true_1_s, 0.0)[seen], true_1_s[seen], atol=0.02 * peak_1_s + 0.5)


def test_decay_at_the_peak_survives_noise():
    true_1_s = 8.0 + 90.0 * RISE
    calm = found(true_1_s, 0.05)
    assert float(calm[16:21].mean()) == pytest.approx(float(true_1_s[16:21].mean()), rel=0.15)


def test_beats_that_know_nothing_follow_their_neighbours():
    calm = found(8.0 + 90.0 * RISE, 0.05)
    assert float(calm[:8].diff().abs().max()) < 25.0
    assert bool(calm.isfinite().all())


def test_a_pool_that_is_dark_in_the_second_echo_is_no_error():
    echoes = pool(0.02 + RISE, 0.0, 0), pool(torch.zeros(40, dtype=torch.float64), 0.0, 1)
    assert bool(decay_1_s(*echoes, time_s=TIME_S, spacing_s=SPACING_S).isfinite().all())
