import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from models.smoothing import smooth
from pipeline.motion import compose, warp
from pipeline.motion.compose import (
    invert,
    jacobian_determinant,
    largest_share_without_folds,
)


def random_frames(seed: int, size: int = 24) -> torch.Tensor:
    return torch.rand(2, size, size, generator=torch.Generator().manual_seed(seed))


def random_field(seed: int, amplitude_px: float, size: int = 32) -> torch.Tensor:
    noise = torch.randn(2, 2, size, size, generator=torch.Generator().manual_seed(seed))
    field = smooth(noise, 5.0)
    return field * (amplitude_px / field.abs().max())


@settings(deadline=None)
@given(seed=st.integers(0, 1000))
def test_zero_displacement_is_the_identity(seed: int) -> None:
    frames = random_frames(seed)
    for interpolation in ("bilinear", "bicubic"):
        still = warp(frames, torch.zeros(2, 2, 24, 24), interpolation=interpolation)
        torch.testing.assert_close(still, frames, atol=1e-4, rtol=0)


@settings(deadline=None)
@given(seed=st.integers(0, 1000), row=st.integers(-5, 5), column=st.integers(-5, 5))
def test_whole_pixels_are_a_roll(seed: int, row: int, column: int) -> None:
    frames = random_frames(seed)
    field = torch.tensor([row, column]).float()[None, :, None, None].expand(2, 2, 24, 24)
    rolled = frames.roll((-row, -column), dims=(1, 2))
    inner = slice(6, 18)
    moved = warp(frames, field)
    torch.testing.assert_close(moved[:, inner, inner], rolled[:, inner, inner], atol=1e-4, rtol=0)


@settings(deadline=None)
@given(seed=st.integers(0, 1000))
def test_beyond_the_border_counts_the_border(seed: int) -> None:
    frames = random_frames(seed)
    far = torch.full((2, 2, 24, 24), 100.0)
    corner = frames[:, -1:, -1:].expand_as(frames)
    torch.testing.assert_close(warp(frames, far), corner, atol=1e-4, rtol=0)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000))
def test_joined_fields_do_what_two_warps_do(seed: int) -> None:
    frames = smooth(random_frames(seed, 32), 3.0)
    first, then = random_field(seed, 2.0), random_field(seed + 1, 2.0)
    twice = warp(warp(frames, first), then)
    once = warp(frames, compose(first, then))
    inner = slice(4, 28)
    # Interpolating twice blurs more than once: 3.2e-3 at most over all these seeds.
    torch.testing.assert_close(once[:, inner, inner], twice[:, inner, inner], atol=4e-3, rtol=0)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000))
def test_joining_is_associative(seed: int) -> None:
    a, b, c = (random_field(seed + k, 1.5) for k in range(3))
    left, right = compose(compose(a, b), c), compose(a, compose(b, c))
    inner = slice(6, 26)
    torch.testing.assert_close(left[..., inner, inner], right[..., inner, inner], atol=0.02, rtol=0)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000))
def test_a_field_and_its_inverse_cancel(seed: int) -> None:
    field = random_field(seed, 2.0)
    inner = slice(6, 26)
    for joined in (compose(field, invert(field)), compose(invert(field), field)):
        assert joined[..., inner, inner].abs().max() < 0.05


@settings(deadline=None)
@given(scale=st.floats(-0.5, 0.5), shear=st.floats(-0.5, 0.5))
def test_jacobian_of_a_linear_map_is_its_determinant(scale: float, shear: float) -> None:
    place = torch.arange(8.0)
    row, column = torch.meshgrid(place, place, indexing="ij")
    field = torch.stack([scale * row + shear * column, scale * column])[None]
    determinant = jacobian_determinant(field)
    torch.testing.assert_close(
        determinant, torch.full((1, 8, 8), (1 + scale) ** 2), atol=1e-5, rtol=0
    )


def test_a_fold_has_a_negative_jacobian() -> None:
    place = torch.arange(8.0)
    field = torch.stack([-2 * place[:, None].expand(8, 8), torch.zeros(8, 8)])[None]
    assert bool((jacobian_determinant(field) < 0).all())


@settings(deadline=None)
@given(seed=st.integers(0, 1000), amplitude_px=st.floats(0.5, 20.0))
def test_a_field_is_shrunk_just_enough_to_unfold(seed: int, amplitude_px: float) -> None:
    field = random_field(seed, amplitude_px).double()
    share = largest_share_without_folds(field, 0.3)
    smallest = jacobian_determinant(field * share[:, None, None, None]).flatten(1).amin(dim=1)
    for each_share, each_smallest in zip(share.tolist(), smallest.tolist(), strict=True):
        assert each_smallest == pytest.approx(0.3) if each_share < 1 else each_smallest >= 0.3


@pytest.mark.parametrize("size", [1, 2])
def test_tiny_images_do_not_raise(size: int) -> None:
    frames = torch.rand(3, size, size)
    assert warp(frames, torch.zeros(3, 2, size, size)).shape == frames.shape
    assert jacobian_determinant(torch.zeros(3, 2, size, size)).shape == frames.shape
