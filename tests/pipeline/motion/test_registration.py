"""Laws of the single steps: each finds a field that was put in."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from models.networks import shipped_networks
from models.smoothing import smooth
from pipeline.motion.affine import AffineSettings, affine_field, register_affine
from pipeline.motion.compose import invert, jacobian_determinant, warp
from pipeline.motion.contrast_free import place_group
from pipeline.motion.deformable import DeformableSettings, register_deformable
from pipeline.motion.iterative import anchored
from pipeline.motion.likeness import misfit
from pipeline.motion.phases import choose_reference, enhanced
from pipeline.motion.translation import matching_features, shift_field, translations
from tests.pipeline.toy import make_toy


def texture(seed: int, n_frames: int = 2, size: int = 48) -> torch.Tensor:
    noise = torch.randn(n_frames, size, size, generator=torch.Generator().manual_seed(seed))
    return 100 + 1000 * smooth(noise, 2.5)


def window(size: int = 48) -> torch.Tensor:
    place = torch.arange(size) - (size - 1) / 2
    return torch.exp(-0.5 * ((place[:, None] ** 2 + place[None] ** 2) / (0.3 * size) ** 2) ** 2)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 1000))
def test_affine_finds_a_known_affine(seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    reference = texture(seed)
    truth = 0.06 * (torch.rand(2, 2, 3, generator=generator) - 0.5)
    truth[:, :, 2] *= 40
    moving = warp(reference, invert(affine_field(truth, reference)), interpolation="bicubic")
    settings_ = AffineSettings(n_iterations=15, shape_stiffness=1e-3)
    found = register_affine(
        1.7 * moving + 30, reference, window(), torch.zeros_like(truth), settings_
    )
    torch.testing.assert_close(found[:, :, :2], truth[:, :, :2], atol=0.01, rtol=0)
    torch.testing.assert_close(found[:, :, 2], truth[:, :, 2], atol=0.15, rtol=0)


@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 1000))
def test_deformable_finds_a_smooth_field_and_never_folds(seed: int) -> None:
    reference = texture(seed)
    field = smooth(torch.randn(2, 2, 48, 48, generator=torch.Generator().manual_seed(seed)), 8.0)
    field = field * (1.5 / field.abs().max())
    moving = warp(reference, invert(field), interpolation="bicubic")
    settings_ = DeformableSettings(n_iterations=15, window_px=3.0, smoothing_px=1.0, damping=0.05)
    found = register_deformable(moving, reference, window(), torch.zeros_like(field), settings_)
    heart = window() > 0.5
    before = field.norm(dim=1)[:, heart].mean()
    after = (found - field).norm(dim=1)[:, heart].mean()
    assert float(after) < 0.4 * float(before)
    assert bool((jacobian_determinant(found) > 0).all())


@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 1000))
def test_deformable_does_not_fold_between_unlike_images(seed: int) -> None:
    moving, reference = texture(seed), texture(seed + 1)
    settings_ = DeformableSettings(n_iterations=15, window_px=2.0, smoothing_px=0.7, damping=0.01)
    start = torch.zeros(2, 2, 48, 48)
    found = register_deformable(moving, reference, window(), start, settings_)
    assert bool((jacobian_determinant(found) > 0).all())


@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 1000))
def test_votes_find_shifts_whatever_the_contrast(seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    shifts = (6 * (torch.rand(12, 2, generator=generator) - 0.5)).round()
    shifts = shifts - shifts.median(dim=0).values
    still = texture(seed, 1, 64).expand(12, -1, -1)
    sign = torch.where(torch.arange(12) % 3 == 0, -1.0, 1.0)[:, None, None]
    frames = warp(sign * still, -shift_field(shifts, still))
    found = translations(frames, window(64), reach_px=10)
    torch.testing.assert_close(found, shifts, atol=0.3, rtol=0)


def test_features_vote_beside_the_edges() -> None:
    network = shipped_networks("cpu").matching
    if network is None:
        pytest.skip("no matching network is shipped")
    toy = make_toy()
    features = matching_features(toy.frames, network, toy.n_proton_density)
    true = toy.displacement[:, :, 0, 0]
    off = {}
    for name, given_ in (("edges", None), ("both", features)):
        found = translations(toy.frames, window(96), reach_px=12, n_rounds=1, features=given_)
        rest = found - true
        off[name] = float((rest - rest.median(dim=0).values).norm(dim=1).mean())
    assert off["both"] < max(off["edges"], 0.3)


def test_of_frames_alike_the_one_that_moved_like_most_is_the_reference() -> None:
    frames = texture(4, 1).expand(10, -1, -1)
    shifts = torch.zeros(10, 2)
    shifts[:4] = 5.0
    is_enhanced = torch.ones(10, dtype=torch.bool)
    assert choose_reference(frames, window(), is_enhanced) < 4  # the first of equals
    field = shift_field(shifts, frames)
    assert choose_reference(frames, window(), is_enhanced, field) >= 4


def test_the_reference_frame_of_an_anchored_field_is_still() -> None:
    generator = torch.Generator().manual_seed(0)
    field = 0.3 * smooth(torch.randn(5, 2, 32, 32, generator=generator), 4.0) * 20
    held = anchored(field, 2)
    assert not bool(held[2].any())
    frames = texture(3, 1, 32).expand(5, -1, -1)
    moved = warp(warp(frames, invert(field)), held)
    middle = slice(8, 24)
    first = moved[:, middle, middle]
    assert float((first - first[2]).abs().max()) < 0.1 * float(frames.std())


def test_arrival_and_reference_of_the_toy() -> None:
    toy = make_toy(amplitude_mm=0.0)
    flags = enhanced(toy.frames, window(96), toy.n_proton_density)
    onset = int(flags.nonzero()[0])
    assert bool(flags[onset:].all())
    assert onset in (7, 8)
    assert choose_reference(toy.frames, window(96), flags) > 12


def test_nothing_is_enhanced_where_nothing_changes() -> None:
    frames = texture(0, 1).expand(10, -1, -1)
    assert not bool(enhanced(frames, window(), 2).any())
    assert 0 <= choose_reference(frames, window(), torch.zeros(10, dtype=torch.bool)) < 10


def test_a_group_far_off_is_brought_back_and_one_in_place_stays() -> None:
    toy = make_toy(amplitude_mm=0.0)
    with_agent, group = toy.frames[12:], toy.frames[:2]
    nowhere = torch.zeros(2)
    stays = place_group(group, with_agent, window(96), home=nowhere, spacing_mm=2.0)
    assert float(stays.norm()) < 0.3
    shifted = group.roll((2, -3), dims=(1, 2))
    found = place_group(shifted, with_agent, window(96), home=nowhere, spacing_mm=2.0)
    torch.testing.assert_close(found, torch.tensor([2.0, -3.0]), atol=0.4, rtol=0)


def test_small_misfits_are_told_apart() -> None:
    frames = texture(1).double()
    near = frames + 0.01 * texture(2).double()
    weight = torch.ones(48, 48)
    exact = misfit(near, frames, weight.double())
    assert 0 < float(exact.min()) < 1e-3
    torch.testing.assert_close(
        misfit(near.float(), frames.float(), weight).double(), exact, rtol=1e-5, atol=0
    )


@pytest.mark.parametrize("is_reference", [False, True])
def test_a_blank_frame_is_like_nothing(is_reference: bool) -> None:
    pair = texture(1), torch.zeros(2, 48, 48)
    first, second = pair if is_reference else pair[::-1]
    assert misfit(first, second, torch.ones(48, 48)).tolist() == pytest.approx([1.0, 1.0])
