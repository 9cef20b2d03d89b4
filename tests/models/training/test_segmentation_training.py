from dataclasses import fields, replace

import pytest
import torch

from models.networks.segmentation import TISSUES
from models.networks.summary import N_CHANNELS, SIZE
from models.training.loop import LoopSettings
from models.training.scenes import ScenePool, draw_pool
from models.training.segmentation import (
    SegmentationRecipe,
    segmentation_loss,
    train_segmentation,
)
from models.training.segmentation_sampling import (
    SMALL_CAVITY_SHARE,
    MarkedPool,
    SegmentationBatch,
    sample_series,
)

SMALL = SegmentationRecipe(width=8, n_levels=2, n_series=1, averaging=0.5)


@pytest.fixture(scope="module")
def pool():
    return draw_pool([100000])


def _draw(pool, seed, n_series=1):
    return sample_series(MarkedPool(pool), torch.Generator().manual_seed(seed), n_series)


def test_the_same_generator_renders_the_same_batch(pool):
    first, second, other = _draw(pool, 3), _draw(pool, 3), _draw(pool, 4)
    assert torch.equal(first.inputs, second.inputs)
    assert torch.equal(first.insertions, second.insertions)
    assert not torch.equal(first.inputs, other.inputs)


def test_shares_are_whole_and_insertions_lie_where_three_meet(pool):
    batch = _draw(pool, 1, 6)
    assert batch.inputs.shape == (6, N_CHANNELS, SIZE, SIZE)
    assert batch.shares.shape == (6, len(TISSUES), SIZE, SIZE)
    assert bool(batch.inputs.isfinite().all())
    assert torch.allclose(batch.shares.sum(dim=1), torch.ones(6, SIZE, SIZE), atol=2e-3)
    is_marked = batch.insertions > 0.9
    near = torch.nn.functional.max_pool2d(batch.shares, 9, stride=1, padding=4)
    assert bool(is_marked.any())
    for tissue in range(2, len(TISSUES)):
        assert float(near[:, tissue][is_marked].min()) > 0.4


def test_slices_without_a_cavity_are_shown_more_often(pool):
    many = ScenePool(
        **{
            entry.name: getattr(pool, entry.name).expand(20, *getattr(pool, entry.name).shape[1:])
            for entry in fields(ScenePool)
        }
    )
    anatomy = many.anatomy.clone()
    anatomy[7, 0, 0] = 0
    marked = MarkedPool(replace(many, anatomy=anatomy))
    generator = torch.Generator().manual_seed(0)
    chosen = [marked.choose(generator) for _ in range(1000)]
    assert set(chosen) == set(range(20))
    usual = (1 - SMALL_CAVITY_SHARE) / 20
    assert abs(chosen.count(7) / 1000 - SMALL_CAVITY_SHARE - usual) < 0.03


def test_the_loss_is_least_at_the_truth():
    tissue = torch.randint(4, (2, 16, 16), generator=torch.Generator().manual_seed(0))
    shares = torch.nn.functional.one_hot(tissue, 4).movedim(-1, 1).float()
    marks = (torch.rand(2, 16, 16, generator=torch.Generator().manual_seed(1)) > 0.8).float()
    batch = SegmentationBatch(
        inputs=torch.zeros(2, N_CHANNELS, 16, 16), shares=shares, insertions=marks
    )
    sure = (20 * (2 * shares - 1), 20 * (2 * marks - 1))
    assert float(segmentation_loss(sure, batch)) < 1e-3
    assert float(segmentation_loss((-sure[0], -sure[1]), batch)) > 10


def test_training_goes_on_as_if_it_had_not_stopped(pool, tmp_path):
    losses = {"whole": [], "parts": []}

    def run(name, n_steps, *, is_resumed=False):
        settings = LoopSettings(
            seed=1,
            learning_rate=3e-3,
            n_steps=n_steps,
            n_between_checkpoints=2,
            is_resumed=is_resumed,
        )
        return train_segmentation(
            SMALL,
            pool,
            settings,
            folder=tmp_path / name,
            on_step=lambda step: losses[name].append(step.loss),
        )

    whole = run("whole", 4)
    assert whole.training is False
    again = run("whole", 4, is_resumed=True)
    assert len(losses["whole"]) == 4
    for name, value in whole.state_dict().items():
        assert torch.equal(value, again.state_dict()[name]), name
