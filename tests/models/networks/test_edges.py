import torch

from models.networks.edges import edge_directions, edge_maps


def _frames():
    return torch.rand(4, 24, 24, generator=torch.Generator().manual_seed(0))


def test_a_bright_edge_equals_a_dark_one_whatever_the_gain():
    frames = _frames()
    assert torch.allclose(edge_maps(frames), edge_maps(5 - 3 * frames), atol=1e-4)


def test_directions_across_each_other_are_opposite():
    ramp = torch.arange(24.0).expand(24, 24)
    both = edge_directions(torch.stack([ramp, ramp.T]))[:, 8:16, 8:16]
    assert torch.allclose(both[0], -both[1], atol=1e-4)


def test_a_constant_image_has_no_edges():
    assert float(edge_maps(torch.ones(2, 16, 16)).abs().max()) < 1e-3
