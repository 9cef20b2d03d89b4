import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from models.training.delivery import CROPPED_SHARE, deliver


def _series():
    """A bright disc that fills and empties on noise."""
    line = torch.arange(60.0)
    disc = (torch.hypot(line[:, None] - 31, line - 27) < 9).float()
    level = torch.linspace(0.2, 1.0, 8)[:, None, None]
    noise = 0.02 * torch.randn(8, 60, 60, generator=torch.Generator().manual_seed(0))
    return 300 * (0.1 + level * disc + noise).clamp_min(0.0)


def _deliver(seed):
    return deliver(_series(), torch.Generator().manual_seed(seed))


def test_the_same_generator_delivers_the_same():
    assert torch.equal(_deliver(1), _deliver(1))
    assert not torch.equal(_deliver(1), _deliver(2))


@given(seed=st.integers(0, 10_000))
@settings(max_examples=60, deadline=None)
def test_what_is_bright_stays_in_its_place(seed):
    delivered = _deliver(seed)
    assert delivered.shape == _series().shape
    assert bool(delivered.isfinite().all())
    assert float(delivered.min()) >= 0
    last = delivered[-1]
    assert float(last[28:35, 24:31].mean()) > 2 * float(last[28:35, 40:43].mean())


def test_every_part_comes_and_some_series_stay_as_they_are():
    before = _series()
    delivered = [_deliver(seed) for seed in range(300)]
    untouched = sum(torch.equal(frames, before) for frames in delivered)
    assert 0.15 < untouched / 300 < 0.35
    # A crop repeats its border outwards: two first rows or columns that are the same.
    cropped = sum(
        torch.equal(frames[:, 0], frames[:, 1])
        or torch.equal(frames[:, -1], frames[:, -2])
        or torch.equal(frames[:, :, 0], frames[:, :, 1])
        or torch.equal(frames[:, :, -1], frames[:, :, -2])
        for frames in delivered
    )
    assert abs(cropped / 300 - CROPPED_SHARE) < 0.06
