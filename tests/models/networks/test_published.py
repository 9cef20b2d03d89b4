import pytest
import torch

from models.networks import AffineNetwork, DeformableNetwork
from models.networks.published import (
    affine_to_components,
    affine_to_fixed,
    field_to_components,
    fixed_frame,
    inner_square,
)


@pytest.mark.parametrize(
    ("n_frames", "n_proton_density", "wanted"),
    [(60, 3, 50), (10, 0, 0), (12, 3, 3), (5, 2, 2), (3, 3, 2), (1, 0, 0)],
)
def test_the_fixed_frame_is_the_tenth_from_the_end_where_there_is_one(
    n_frames: int, n_proton_density: int, wanted: int
) -> None:
    assert fixed_frame(n_frames, n_proton_density) == wanted


def test_all_steps_answer_for_every_frame_blank_ones_too() -> None:
    torch.manual_seed(0)
    frames = torch.rand(7, 32, 32)
    frames[2] = 0
    affine = AffineNetwork(image_size=32, num_channel_initial=2, depth=3).eval()
    deformable = DeformableNetwork(num_channel_initial=2, n_levels=3).eval()
    assert affine_to_fixed(affine, frames, 4).shape == (7, 2, 3)
    assert affine_to_components(affine, frames).shape == (7, 2, 3)
    field = field_to_components(deformable, frames)
    assert inner_square(frames).shape == (7, 24, 24)
    assert field.shape == (7, 2, 32, 32)
    assert bool(field.isfinite().all())


def test_frames_do_not_depend_on_the_batch_they_are_in() -> None:
    torch.manual_seed(0)
    network = DeformableNetwork(num_channel_initial=2, n_levels=3).eval()
    for layer in network.net.output_block.layers:
        torch.nn.init.normal_(layer.conv.weight)
    moving, fixed = torch.rand(2, 6, 16, 16)
    together = network(moving, fixed)
    apart = torch.cat([network(moving[i : i + 1], fixed[i : i + 1]) for i in range(6)])
    assert bool(together.any())
    torch.testing.assert_close(together, apart, atol=1e-5, rtol=1e-4)
