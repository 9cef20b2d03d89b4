from pathlib import Path

import pytest
import torch
from torch import nn

from models.networks import AffineNetwork, DeformableNetwork
from models.networks.warping import affine_field, warp
from models.training.augmentation import (
    PoseRange,
    random_affine,
    random_gain,
    random_orientation,
)
from models.training.loop import LoopSettings, Step
from models.training.losses import local_correlation
from models.training.published import (
    PublishedSettings,
    train_affine,
    train_affine_refine,
    train_deformable,
)
from models.training.published_pairs import component_pairs, inner_pairs, low_rank_pairs, usable

SIZE = 32


def toy_series(seed: int = 0, n_frames: int = 14, motion_px: float = 2.0) -> torch.Tensor:
    """A bright ring that wanders by some pixels and changes its brightness."""
    generator = torch.Generator().manual_seed(seed)
    place = torch.arange(SIZE) - (SIZE - 1) / 2
    radius = torch.hypot(place[:, None], place[None, :] / 1.3)
    still = torch.exp(-((radius - 7) ** 2) / 6) + 0.3 * torch.exp(-((place[:, None] - 9) ** 2) / 8)
    shift = torch.zeros(n_frames, 2, 3)
    shift[:, :, 2] = motion_px * torch.randn(n_frames, 2, generator=generator)
    level = 1 + torch.rand(n_frames, generator=generator)[:, None, None]
    series = level * warp(still.expand(n_frames, -1, -1).contiguous(), affine_field(shift, still))
    return series + 0.01 * torch.rand(series.shape, generator=generator)


def affine_network() -> AffineNetwork:
    torch.manual_seed(1)
    return AffineNetwork(image_size=SIZE, num_channel_initial=4, depth=3)


def deformable_network() -> DeformableNetwork:
    torch.manual_seed(1)
    return DeformableNetwork(num_channel_initial=4, n_levels=3)


def settings(n_steps: int) -> PublishedSettings:
    return PublishedSettings(
        loop=LoopSettings(seed=2, learning_rate=3e-3, n_steps=n_steps),
        batch_size=8,
        fixed_pose=PoseRange(rotation_rad=0.1, shift_fraction=0.125),
        component_pose=PoseRange(rotation_rad=0.1, shift_fraction=0.125),
        has_all_orientations=False,
    )


def fell(steps: list[Step]) -> bool:
    losses = torch.tensor([step.loss for step in steps])
    return bool(losses[-8:].mean() < losses[:8].mean() - 0.01)


def moved_away(network: nn.Module, start: nn.Module) -> bool:
    """Every weight has felt the loss."""
    pairs = zip(network.parameters(), start.parameters(), strict=True)
    return all(bool((new != old).any()) for new, old in pairs)


def test_step_one_learns_on_a_toy(tmp_path: Path) -> None:
    network, steps = affine_network(), list[Step]()
    data = [toy_series(seed) for seed in range(3)]
    train_affine(settings(60), data, network=network, folder=tmp_path, on_step=steps.append)
    assert fell(steps)
    assert moved_away(network, affine_network())


def test_step_two_learns_on_a_toy(tmp_path: Path) -> None:
    network, steps = affine_network(), list[Step]()
    data = [toy_series(seed) for seed in range(3)]
    train_affine_refine(
        settings(60),
        data,
        network=network,
        before=affine_network(),
        folder=tmp_path,
        on_step=steps.append,
    )
    assert fell(steps)
    assert moved_away(network, affine_network())


def test_step_three_learns_on_a_toy(tmp_path: Path) -> None:
    network = deformable_network()
    data = [toy_series(seed, n_frames=40, motion_px=4.0) for seed in range(3)]
    pairs = inner_pairs(data, affine_network().eval(), affine_network().eval())
    train_deformable(
        settings(40),
        data,
        network=network,
        before=(affine_network(), affine_network()),
        folder=tmp_path,
        on_step=lambda _: None,
    )
    moved = warp(pairs.moving, network(pairs.moving, pairs.fixed).detach())
    before = float(local_correlation(pairs.moving, pairs.fixed))
    assert float(local_correlation(moved, pairs.fixed)) > before + 0.02
    assert moved_away(network, deformable_network())


def test_training_goes_on_where_it_was_cut_off(tmp_path: Path) -> None:
    data = [toy_series()]
    whole = affine_network()
    train_affine(settings(4), data, network=whole, folder=tmp_path / "a", on_step=lambda _: None)

    def cut(step: Step) -> None:
        if step.number == 3:
            raise KeyboardInterrupt

    def run(network: AffineNetwork, *, is_resumed: bool, on_step) -> None:
        loop = LoopSettings(
            seed=2, learning_rate=3e-3, n_steps=4, n_between_checkpoints=2, is_resumed=is_resumed
        )
        chosen = PublishedSettings(
            loop=loop,
            batch_size=8,
            fixed_pose=settings(4).fixed_pose,
            has_all_orientations=False,
        )
        train_affine(chosen, data, network=network, folder=tmp_path / "b", on_step=on_step)

    with pytest.raises(KeyboardInterrupt):
        run(affine_network(), is_resumed=False, on_step=cut)
    again = affine_network()
    run(again, is_resumed=True, on_step=lambda _: None)
    for key, value in whole.state_dict().items():
        assert torch.equal(again.state_dict()[key], value), key


def test_pairs_know_their_fixed_frame_and_leave_out_blank_frames() -> None:
    series = [toy_series(n_frames=14), toy_series(1, n_frames=12)]
    series[0][3] = 0
    images, low_rank = low_rank_pairs([*series, torch.zeros(20, SIZE, SIZE)])
    assert len(images) == len(low_rank) == 13 + 12
    assert images.fixed_of.tolist() == [0] * 13 + [1] * 12
    torch.testing.assert_close(images.fixed[1], images.moving[13 + 2])
    assert len(usable([torch.rand(4, 8, 8)])) == 0
    before = series[1].clone()
    assert len(component_pairs(series, affine_network().eval())) == 25
    assert torch.equal(series[1], before)


def test_pairs_shrink_by_averaging() -> None:
    images, _ = low_rank_pairs([toy_series(), toy_series(1)])
    small = images.shrunk(16)
    assert images.shrunk(SIZE) is images
    torch.testing.assert_close(
        small.moving[3, 2, 5], images.moving[3, 4:6, 10:12].mean(), atol=1e-6, rtol=0
    )
    assert small.fixed.shape == (2, 16, 16)


def test_orientations_lose_no_pixel_and_poses_keep_their_limits() -> None:
    generator = torch.Generator().manual_seed(0)
    image = torch.rand(1, 8, 8)
    turned = warp(
        image.expand(40, -1, -1).contiguous(),
        affine_field(random_orientation(40, generator), image),
    )
    torch.testing.assert_close(
        turned.flatten(1).sort().values,
        image.flatten(1).sort().values.expand(40, -1),
        atol=1e-4,
        rtol=0,
    )
    kinds = {tuple(entry) for entry in turned.mul(100).round().flatten(1).tolist()}
    assert len(kinds) == 8
    pose = random_affine(
        500, PoseRange(rotation_rad=0.4, shift_fraction=0.1, chance=0.5), generator, side_px=100
    )
    assert 200 < int((pose[:, :, 2].abs().sum(dim=1) == 0).sum()) < 300
    assert 9 < float(pose[:, :, 2].abs().max()) <= 10
    assert float(pose[:, 1, 0].abs().max()) <= torch.tensor(0.4).sin() + 1e-6
    gained = random_gain(torch.zeros(300, 4, 4), generator).mean(dim=(1, 2))
    assert 0.15 < float(gained.abs().max()) < 0.22
