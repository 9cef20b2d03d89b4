"""Other poses and other gains of the same images, drawn from a passed generator."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class PoseRange:
    """How far an image is turned and moved at random."""

    rotation_rad: float
    shift_fraction: float
    """Along each axis, of the width of the image."""
    chance: float = 1.0
    """Of an image to be moved at all."""


GAIN = 0.3
OFFSET = 0.2
NOISE = 0.01
"""Published: scale 1 +- 0.3, offset +- 0.2, noise of a standard deviation up to 0.01."""


def random_affine(
    n_frames: int, limits: PoseRange, generator: torch.Generator, *, side_px: int
) -> Float[Tensor, "frame axis parameter"]:
    """Draw a rotation about the image centre and a shift for each frame.

    Parameters
    ----------
    n_frames
        How many.
    limits
        Both are drawn evenly from -limit to limit.
    generator
        Source of randomness, on the CPU.
    side_px
        Width of the images, px.

    """
    angle, row, column = 2 * torch.rand(3, n_frames, generator=generator) - 1
    moved = (torch.rand(n_frames, generator=generator) < limits.chance).float()
    angle = angle * limits.rotation_rad * moved
    shift = torch.stack([row, column], dim=1) * limits.shift_fraction * side_px * moved[:, None]
    return torch.cat([_rotation(angle), shift[:, :, None]], dim=2)


def random_orientation(
    n_frames: int, generator: torch.Generator
) -> Float[Tensor, "frame axis parameter"]:
    """Draw a number of quarter turns, and a mirror image in half of the cases: nothing is lost."""
    turns = torch.randint(4, (n_frames,), generator=generator)
    angle = 0.5 * math.pi * turns
    mirror = torch.where(torch.rand(n_frames, generator=generator) < 0.5, -1.0, 1.0)
    identity = torch.eye(2)
    turn = _rotation(angle) + identity
    flipped = turn * torch.stack([torch.ones_like(mirror), mirror], dim=1)[:, None]
    return torch.cat([flipped - identity, torch.zeros(n_frames, 2, 1)], dim=2)


def random_gain(
    images: Float[Tensor, "frame row column"], generator: torch.Generator
) -> Float[Tensor, "frame row column"]:
    """Change scale and offset of each image and add noise; `generator` lives on the CPU."""
    draws = torch.rand(3, len(images), generator=generator).to(images)
    scale = 1 + GAIN * (2 * draws[0] - 1)
    offset = OFFSET * (2 * draws[1] - 1)
    noise = torch.randn(images.shape, generator=generator).to(images) * NOISE
    return images * scale[:, None, None] + offset[:, None, None] + noise * draws[2][:, None, None]


def _rotation(angle: Float[Tensor, " frame"]) -> Float[Tensor, "frame axis axis"]:
    """Return rotation matrices minus identity."""
    cosine, sine = angle.cos() - 1, angle.sin()
    return torch.stack(
        [torch.stack([cosine, -sine], dim=1), torch.stack([sine, cosine], dim=1)], dim=1
    )
