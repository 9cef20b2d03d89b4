"""Curves without images have the truth that is stated with them."""

import numpy as np
import pytest
import torch

from models.phantom.tissue_models import TissueModel
from pipeline.evaluation.flow.curves import draw_curves
from pipeline.parameters import FermiBounds
from pipeline.perfusion.fit import fit

QUIET = 1e9


def test_same_seed_gives_the_same_curves() -> None:
    """Another seed gives others."""
    first, again, other = (draw_curves(seed, 5).tissue_mmol_l for seed in (5000, 5000, 5001))
    assert torch.equal(first, again)
    assert first.shape != other.shape or not torch.equal(first, other)


def test_noise_is_that_of_the_ratio() -> None:
    """Halving the ratio doubles the scatter; without noise the clean curve is left."""
    sets = [draw_curves(5000, 40, signal_to_noise=ratio) for ratio in (10.0, 20.0, QUIET)]
    scatter = [float((each.tissue_mmol_l - each.noise_free_mmol_l).std()) for each in sets]
    assert scatter[0] == pytest.approx(2.0 * scatter[1], rel=1e-6)
    assert scatter[2] < 1e-6


def test_delay_shifts_the_curve() -> None:
    """The onset comes later by the true delay."""
    prompt, late = (
        draw_curves(5000, 1, signal_to_noise=QUIET, delay_s=(delay, delay)) for delay in (0.0, 2.0)
    )
    grid = torch.linspace(float(prompt.time_s[0]), float(prompt.time_s[-1]) - 2.0, 400).double()
    first, second = (
        torch.from_numpy(np.interp(at, each.time_s.numpy(), each.noise_free_mmol_l[0].numpy()))
        for each, at in ((prompt, grid.numpy()), (late, grid.numpy() + 2.0))
    )
    assert float((first - second).abs().max()) < 0.05 * float(first.max())


def test_fast_heart_is_imaged_every_second_beat() -> None:
    """At 130 beats a minute three slices need two beats."""
    fast, slow = (draw_curves(5000, 1, heart_rate_bpm=rate) for rate in (130.0, 95.0))
    assert float(fast.time_s.diff().median()) == pytest.approx(120.0 / 130.0, rel=0.02)
    assert float(slow.time_s.diff().median()) == pytest.approx(60.0 / 95.0, rel=0.02)


def test_missed_triggers_leave_gaps() -> None:
    """Each leaves one interval of twice the length."""
    steps = draw_curves(5000, 1, heart_rate_bpm=70.0, n_missed=3).time_s.diff()
    assert int((steps > 1.5 * steps.median()).sum()) == 3


@pytest.mark.parametrize("model", TissueModel)
def test_fit_finds_flow_of_the_right_size(model: TissueModel) -> None:
    """Without noise a fit of any model is within a third in the median of any tissue."""
    curves = draw_curves(5000, 60, tissue_model=model, signal_to_noise=QUIET, heart_rate_bpm=75.0)
    found = fit(
        curves.tissue_mmol_l,
        time_s=curves.time_s,
        arterial_input=curves.arterial_input,
        bounds=FermiBounds(max_flow_ml_min_g=8.0, max_delay_s=3.0),
        density_g_ml=1.05,
    )
    error = (found.flow_ml_min_g / curves.truth.flow_ml_min_g - 1.0).abs()
    assert float(error.median()) < 0.33
