import torch

from models.training.loop import LoopSettings
from models.training.matching import MatchingRecipe, shift_loss, train_matching
from models.training.scenes import draw_pool

SMALL = MatchingRecipe(
    n_levels=2,
    n_features=2,
    n_series=1,
    n_frames=9,
    size=48,
    spacing_mm=3.5,
    reach_px=8,
    averaging=0.5,
)


def test_the_loss_is_least_where_the_peak_is_right():
    shift = torch.tensor([[1.0, -2.0], [0.0, 3.0]])
    steps = torch.arange(-5, 6.0)

    def logits(place):
        row, column = ((steps - place[:, axis, None]) ** 2 / (2 * 0.6**2) for axis in (0, 1))
        return -(row[:, :, None] + column[:, None, :])

    right, wrong = shift_loss(logits(shift), shift), shift_loss(logits(shift + 1), shift)
    assert abs(float(right)) < 1e-4
    assert float(wrong) > 1


def test_training_lowers_the_loss_and_resumes_where_it_stopped(tmp_path):
    pool = draw_pool([100000])
    losses = []

    def run(n_steps, *, is_resumed=False):
        settings = LoopSettings(
            seed=1,
            learning_rate=3e-3,
            n_steps=n_steps,
            n_between_checkpoints=20,
            is_resumed=is_resumed,
        )
        return train_matching(
            SMALL, pool, settings, folder=tmp_path, on_step=lambda step: losses.append(step.loss)
        )

    run(40)
    assert sum(losses[-10:]) < 0.9 * sum(losses[:10])
    finished = run(40, is_resumed=True)
    assert len(losses) == 40
    assert finished.training is False


def test_a_series_without_a_heart_teaches_nothing(tmp_path):
    pool = draw_pool([100000])
    pool.anatomy.zero_()
    losses = []
    settings = LoopSettings(seed=1, learning_rate=1e-3, n_steps=1)
    train_matching(
        SMALL, pool, settings, folder=tmp_path, on_step=lambda step: losses.append(step.loss)
    )
    assert losses == [0.0]
