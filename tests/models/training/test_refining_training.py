from functools import partial

import pytest
import torch

from models.networks.matching import MatchingNetwork
from models.networks.warping import warp
from models.training.loop import LoopSettings
from models.training.misaligned import misaligned
from models.training.refining import (
    RefiningRecipe,
    displacement_loss,
    missing_step,
    train_refining,
)
from models.training.scenes import draw_pool
from pipeline.motion.stiff import align_stiffly

SMALL = RefiningRecipe(width=8, n_levels=2, n_frames=14, size=48, spacing_mm=3.5, averaging=0.5)


@pytest.fixture(scope="module")
def pool():
    return draw_pool([100000])


def _series(pool, seed):
    generator = torch.Generator().manual_seed(seed)
    return misaligned(pool, generator, n_frames=14, size=48, spacing_mm=3.5)


def test_the_same_state_draws_the_same_series(pool):
    one, same, other = (_series(pool, seed) for seed in (1, 1, 2))
    assert torch.equal(one.frames, same.frames)
    assert not torch.equal(one.frames, other.frames)


def _scatter(heart, is_enhanced):
    mean = heart[is_enhanced].mean(dim=0)
    return float((heart - mean).abs().mean() / mean.mean())


def test_the_missing_step_brings_every_heart_to_the_same_place(pool):
    before, after = 0.0, 0.0
    for seed in range(4):
        series = _series(pool, seed)
        step = missing_step(series)
        heart = series.anatomy[:, :2].sum(dim=1)
        assert bool(series.is_enhanced.any())
        before += _scatter(heart, series.is_enhanced)
        after += _scatter(warp(heart, step), series.is_enhanced)
        place = torch.stack([warp(part, step) for part in series.place.unbind(dim=1)], dim=1)
        middle = slice(14, 34)
        rest = place - series.place[series.is_enhanced].median(dim=0).values
        assert float(rest[:, :, middle, middle].abs().mean()) < 0.05
    assert after < 0.7 * before


def test_the_loss_is_least_at_the_truth_with_the_error_that_is_made():
    true = torch.randn(3, 2, 8, 8, generator=torch.Generator().manual_seed(0))
    weight = torch.ones(3, 8, 8)

    def loss(off_px, log_error):
        return float(
            displacement_loss(true + off_px, torch.full((3, 8, 8), log_error), true, weight)
        )

    assert loss(0.0, 0.0) < loss(0.5, 0.0) < loss(1.0, 0.0)
    right = float(torch.tensor(2**0.5 / 2).log())  # of a Laplace density in two dimensions
    assert loss(1.0, right) < min(loss(1.0, right - 0.5), loss(1.0, right + 0.5))


def test_training_lowers_the_loss_and_resumes_where_it_stopped(pool, tmp_path):
    matching = MatchingNetwork(n_levels=2, n_features=2).eval()
    losses = []

    def run(n_steps, *, is_resumed=False):
        settings = LoopSettings(seed=1, learning_rate=3e-3, n_steps=n_steps, is_resumed=is_resumed)
        return train_refining(
            SMALL,
            pool,
            matching,
            partial(align_stiffly, spacing_mm=SMALL.spacing_mm),
            settings,
            folder=tmp_path,
            on_step=lambda step: losses.append(step.loss),
        )

    run(40)
    assert sum(losses[-10:]) < sum(losses[:10]) - 2
    finished = run(40, is_resumed=True)
    assert len(losses) == 40
    assert finished.training is False
