import torch

from models.training.anatomy import AnatomyRecipe, anatomy_loss, train_anatomy
from models.training.loop import LoopSettings
from models.training.scenes import draw_pool

SMALL = AnatomyRecipe(
    width=8, n_levels=2, n_series=1, n_frames=5, size=32, spacing_mm=6.0, averaging=0.5
)


def test_the_loss_is_least_at_the_truth():
    target = (torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(0)) > 0.5).float()
    right, wrong = 20 * (2 * target - 1), 20 * (1 - 2 * target)
    assert float(anatomy_loss(right, target)) < 1e-3
    assert float(anatomy_loss(wrong, target)) > 10


def test_training_lowers_the_loss_and_resumes_where_it_stopped(tmp_path):
    pool = draw_pool([100000])
    losses = []

    def run(folder, n_steps, *, is_resumed=False):
        settings = LoopSettings(
            seed=1,
            learning_rate=3e-3,
            n_steps=n_steps,
            n_between_checkpoints=20,
            is_resumed=is_resumed,
        )
        return train_anatomy(
            SMALL, pool, settings, folder=folder, on_step=lambda step: losses.append(step.loss)
        )

    run(tmp_path, 40)
    assert sum(losses[-10:]) < 0.9 * sum(losses[:10])
    finished = run(tmp_path, 40, is_resumed=True)
    assert len(losses) == 40
    assert finished.training is False
