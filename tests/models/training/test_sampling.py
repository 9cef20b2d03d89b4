import pytest
import torch

from models.training.contrast import recolour
from models.training.flaws import acquire
from models.training.sampling import sample
from models.training.scenes import N_PROTON_DENSITY, ScenePool, draw_pool


@pytest.fixture(scope="module")
def pool():
    return draw_pool([100000, 100001])


def _draw(pool, seed, n_frames=9):
    generator = torch.Generator().manual_seed(seed)
    return sample(pool, generator, n_series=2, n_frames=n_frames, size=48, spacing_mm=4.0)


def test_a_pool_survives_the_disk(pool, tmp_path):
    pool.save(tmp_path / "pool.safetensors")
    again = ScenePool.load(tmp_path / "pool.safetensors")
    for name in ScenePool.__dataclass_fields__:
        assert torch.equal(getattr(again, name), getattr(pool, name)), name


def test_the_same_seeds_draw_the_same_scene(pool):
    again = draw_pool([100001])
    assert torch.equal(again.tissues[0], pool.tissues[1])
    assert torch.equal(again.inverse_displacement[0], pool.inverse_displacement[1])


def test_the_same_generator_renders_the_same_batch(pool):
    first, second, other = _draw(pool, 3), _draw(pool, 3), _draw(pool, 4)
    assert torch.equal(first.frames, second.frames)
    assert torch.equal(first.anatomy, second.anatomy)
    assert not torch.equal(first.frames, other.frames)


def test_a_batch_is_what_a_scanner_could_deliver(pool):
    for seed in range(6):
        batch = _draw(pool, seed)
        assert batch.frames.shape == (2, 9, 48, 48)
        assert batch.anatomy.shape == (2, 9, 3, 48, 48)
        assert bool(batch.frames.isfinite().all())
        assert float(batch.frames.min()) >= 0
        assert float(batch.anatomy.min()) >= 0
        assert float(batch.anatomy.max()) <= 1 + 1e-3
        assert int(batch.n_proton_density.max()) <= N_PROTON_DENSITY


def test_the_heart_is_in_the_picture(pool):
    shares = torch.stack([_draw(pool, seed).anatomy.amax(dim=(3, 4)) for seed in range(6)])
    assert float((shares[..., 1] > 0.5).float().mean()) > 0.9


def test_any_contrast_is_positive_and_keeps_the_frames(pool):
    for seed in range(20):
        generator = torch.Generator().manual_seed(seed)
        signals = recolour(pool.signals[0], N_PROTON_DENSITY, generator)
        assert signals.shape == pool.signals[0].shape
        assert float(signals.min()) >= 0
        assert bool(signals.isfinite().all())


def test_acquisition_without_structure_shows_none():
    """Nothing but noise comes out of an empty field of view."""
    frames = acquire(torch.zeros(3, 64, 64), 32, torch.Generator().manual_seed(0))
    assert frames.shape == (3, 32, 32)
    assert 0 < float(frames.mean()) < 0.3
