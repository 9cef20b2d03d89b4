import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.motion.gate import helps, score
from pipeline.motion.quality import Figures, figures, motion_quality, pca_metric
from pipeline.types import MotionQuality
from tests.pipeline.toy import make_toy


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000))
def test_pca_metric_is_the_published_sum(seed: int) -> None:
    frames = torch.rand(7, 12, 12, generator=torch.Generator().manual_seed(seed))
    correlation = torch.corrcoef(frames.flatten(1).double())
    values = torch.linalg.eigvalsh(correlation).tolist()
    expected = sum(rank * value for rank, value in enumerate(reversed(values), start=1))
    assert pca_metric(frames, torch.ones(12, 12)) == pytest.approx(expected, rel=1e-4)


def test_alike_frames_have_the_lowest_metric() -> None:
    frames = torch.rand(1, 12, 12).expand(7, -1, -1)
    assert pca_metric(frames, torch.ones(12, 12)) == pytest.approx(7.0, rel=1e-4)


@settings(max_examples=5, deadline=None)
@given(scale=st.floats(1e-3, 1e3))
def test_figures_do_not_depend_on_gain(scale: float) -> None:
    toy = make_toy(n_frames=20)
    weight = torch.ones(96, 96)
    plain = figures(toy.frames, weight, 2)
    scaled = figures(scale * toy.frames, weight, 2)
    for name in ("roughness", "pca_metric", "sharpness"):
        assert getattr(scaled, name) == pytest.approx(getattr(plain, name), rel=1e-3)


def test_motion_makes_all_figures_worse() -> None:
    weight = torch.ones(96, 96)
    still, moving = (
        figures(make_toy(amplitude_mm=amplitude).frames, weight, 2) for amplitude in (0.0, 8.0)
    )
    assert moving.roughness > still.roughness
    assert moving.pca_metric > still.pca_metric
    assert moving.sharpness < still.sharpness


def judged(roughness: float, metric: float, sharpness: float, fold: float = 0.0) -> MotionQuality:
    field = torch.zeros(4, 2, 8, 8)
    if fold:
        field[:, 0] = fold * torch.arange(8.0)[:, None]
    before = Figures(roughness=1.0, pca_metric=1.0, sharpness=1.0)
    after = Figures(roughness=roughness, pca_metric=metric, sharpness=sharpness)
    return motion_quality(before, after, field)


def test_the_gate_wants_every_figure() -> None:
    assert helps(judged(0.5, 0.9, 1.0))
    assert score(judged(0.5, 0.9, 1.0)) == pytest.approx(0.9)
    assert helps(judged(1.0, 0.9, 1.0))
    assert not helps(judged(1.0, 0.97, 1.0))
    assert helps(judged(0.9, 0.97, 1.02))
    assert not helps(judged(0.9, 0.975, 1.003))  # noise alone was seen to come this far
    assert not helps(judged(0.94, 0.955, 1.02))  # and this far
    assert not helps(judged(1.1, 0.9, 1.0))
    assert not helps(judged(0.5, 1.0, 1.0))
    assert not helps(judged(0.5, 0.9, 0.9))
    assert not helps(judged(0.5, 0.9, 1.0, fold=-2.0))


def test_a_sharper_mean_counts_where_curves_jerk_for_other_reasons() -> None:
    assert helps(judged(1.2, 0.7, 1.2))
    assert helps(judged(1.1, 0.93, 1.03))
    assert not helps(judged(1.1, 0.93, 1.01))
    assert not helps(judged(1.4, 0.7, 1.2))
    assert not helps(judged(1.2, 0.96, 1.2))
    assert not helps(judged(1.2, 0.7, 1.2, fold=-2.0))
    assert not helps(judged(float("nan"), 0.9, 1.05))
