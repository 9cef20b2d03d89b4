import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from models.networks.affine import FARTHEST, AffineNetwork
from models.networks.warping import affine_field, join, warp


def affine(*numbers: float) -> torch.Tensor:
    return torch.tensor(numbers, dtype=torch.float32).reshape(1, 2, 3)


@given(row=st.integers(-3, 3), column=st.integers(-3, 3))
def test_a_whole_shift_is_a_roll(row: int, column: int) -> None:
    images = torch.rand(1, 16, 20, generator=torch.Generator().manual_seed(0))
    moved = warp(images, affine_field(affine(0, 0, row, 0, 0, column), images))
    rolled = images.roll((-row, -column), dims=(1, 2))
    torch.testing.assert_close(moved[:, 4:-4, 4:-4], rolled[:, 4:-4, 4:-4], atol=1e-5, rtol=0)


def test_turning_leaves_the_centre_where_it_is() -> None:
    images = torch.zeros(1, 9, 9)
    field = affine_field(affine(-1, -1, 0, 1, -1, 0), images)
    torch.testing.assert_close(field[0, :, 4, 4], torch.zeros(2))
    torch.testing.assert_close(field[0, :, 4, 5], torch.tensor([-1.0, -1.0]))


@given(seed=st.integers(0, 1000))
def test_joined_affines_are_their_fields_one_after_the_other(seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    first, then = torch.rand(2, 3, 2, 3, generator=generator) - 0.5
    like = torch.zeros(8, 10)
    place = affine_field(then, like)
    grid = torch.stack(torch.meshgrid(torch.arange(8.0), torch.arange(10.0), indexing="ij"))
    centred = grid - grid.mean(dim=(1, 2), keepdim=True) + place
    wanted = place + torch.einsum("fab,fbij->faij", first[:, :, :2], centred)
    wanted = wanted + first[:, :, 2, None, None]
    torch.testing.assert_close(affine_field(join(first, then), like), wanted, atol=1e-4, rtol=0)


def test_an_untrained_network_moves_nothing_and_its_bias_is_the_affine() -> None:
    network = AffineNetwork(image_size=16, num_channel_initial=2, depth=2).eval()
    images = torch.rand(2, 4, 16, 16)
    assert not bool(network(*images).any())
    numbers = torch.tensor([[0.1, 0.2, 0.05], [0.3, -0.1, -0.02]])
    with torch.no_grad():
        network.net.output_block.fc.bias.copy_(FARTHEST * (numbers / FARTHEST).atanh().flatten())
    wanted = numbers * torch.tensor([1.0, 1.0, 8.0])
    torch.testing.assert_close(network(*images), wanted.expand(4, -1, -1))
    twice = network(*torch.rand(2, 4, 32, 32))
    torch.testing.assert_close(twice, (wanted * torch.tensor([1.0, 1.0, 2.0])).expand(4, -1, -1))


def test_the_answer_is_bounded() -> None:
    network = AffineNetwork(image_size=16, num_channel_initial=2, depth=2).eval()
    torch.nn.init.constant_(network.net.output_block.fc.bias, 1e4)
    assert float(network(*torch.rand(2, 1, 16, 16)).detach().max()) == pytest.approx(FARTHEST * 8)
