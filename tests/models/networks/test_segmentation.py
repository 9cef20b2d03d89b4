import math

import torch

from models.networks.segmentation import TISSUES, SegmentationNetwork
from models.networks.summary import N_CHANNELS, N_PICTURES, passage, summarise

SIDE = 64


def _bump(time, middle, width):
    return torch.exp(-0.5 * ((time - middle) / width) ** 2)


def _series(time=None, noise=0.0):
    """Two pools that fill one after the other, the right one first, in a dim chest."""
    time = torch.arange(40.0) if time is None else time
    line = torch.arange(SIDE) - (SIDE - 1) / 2
    rows, columns = torch.meshgrid(line, line, indexing="ij")
    right = torch.hypot(rows, columns + 14) < 9
    left = torch.hypot(rows, columns - 10) < 9
    chest = 10 + 5 * torch.cos(rows / 9) * torch.sin(columns / 7)
    frames = chest.repeat(len(time), 1, 1)
    frames = frames + _bump(time, 12.0, 2.5)[:, None, None] * right * 100
    frames = frames + _bump(time, 20.0, 3.5)[:, None, None] * left * 90
    generator = torch.Generator().manual_seed(0)
    return frames + noise * torch.randn(frames.shape, generator=generator)


def test_the_summary_does_not_know_the_gain_of_the_scanner():
    frames = _series(noise=2.0)
    assert torch.allclose(summarise(frames, 2), summarise(700 * frames, 2), atol=1e-4)


def test_without_proton_density_its_channel_is_empty():
    frames = _series()
    assert bool(summarise(frames, 2)[0].any())
    assert not bool(summarise(frames, 0)[0].any())
    assert summarise(frames, 0).shape == (N_CHANNELS, SIDE, SIDE)


def test_the_film_shows_the_same_at_half_the_heart_rate():
    quick, slow = passage(_series()), passage(_series(torch.arange(0.0, 40.0, 0.5)))
    assert quick.shape[0] == N_PICTURES
    assert float((quick - slow).abs().mean()) < 0.05 * float(quick.amax())


def test_the_film_begins_dark_then_shows_the_right_pool_then_the_left_one():
    film = passage(_series())
    middle = SIDE // 2
    right, left = film[:, middle, middle - 14], film[:, middle, middle + 10]
    assert float(right[0]) < 30
    assert float(left[0]) < 30
    assert 0 < int(right.argmax()) < int(left.argmax()) < N_PICTURES - 1


def test_a_spoiled_frame_changes_little():
    frames = _series(noise=1.0)
    spoiled = frames.clone()
    spoiled[30] = 400.0
    difference = (summarise(frames, 0) - summarise(spoiled, 0))[-N_PICTURES:].abs().mean()
    assert float(difference) < 0.05


def test_anything_finite_gives_something_finite():
    for frames in (torch.zeros(20, 32, 32), torch.full((20, 32, 32), 3.0), torch.rand(1, 32, 32)):
        assert bool(summarise(frames, 0).isfinite().all())


def test_the_network_answers_for_every_pixel_and_expects_few_insertions():
    torch.manual_seed(0)
    network = SegmentationNetwork(width=8, n_levels=2).eval()
    inputs = torch.randn(3, N_CHANNELS, 32, 48)
    with torch.no_grad():
        tissues, insertions = network(inputs)
        alone, _ = network(inputs[1:2])
    assert tissues.shape == (3, len(TISSUES), 32, 48)
    assert insertions.shape == (3, 32, 48)
    assert float(insertions.sigmoid().mean()) < math.exp(-3.0)
    assert torch.allclose(tissues[1:2], alone, atol=1e-5)
