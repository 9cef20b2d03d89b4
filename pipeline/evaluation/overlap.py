"""Overlap of the true masks of all frames after each was moved by the estimated field."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from pipeline.motion import warp


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlap:
    """Dice coefficient of every frame."""

    reference: Float[Tensor, " time"]
    """With the mask of the reference frame."""
    consensus: Float[Tensor, " time"]
    """With the pixels that most frames agree on; a poor reference frame cannot spoil it."""


def overlap(
    masks: Bool[Tensor, "time row column"],
    displacement: Float[Tensor, "time axis row column"],
    reference: int,
) -> Overlap:
    """Move the true mask of every frame and compare.

    Parameters
    ----------
    masks
        True myocardium of each frame as acquired.
    displacement
        Estimated field in pixels, corrected to original.
    reference
        Frame that the others are compared with.

    """
    return compare(warp(masks.float(), displacement.float()) > 0.5, reference)


def compare(moved: Bool[Tensor, "time row column"], reference: int) -> Overlap:
    """Compare masks that were moved already."""
    agreed = moved.float().mean(dim=0) > 0.5
    return Overlap(reference=dice(moved, moved[reference]), consensus=dice(moved, agreed))


def dice(
    masks: Bool[Tensor, "time row column"], target: Bool[Tensor, "row column"]
) -> Float[Tensor, " time"]:
    """Return 2 |A and B| / (|A| + |B|) of every mask with one; 1 when both are empty."""
    both = (masks & target).sum(dim=(1, 2))
    total = masks.sum(dim=(1, 2)) + target.sum()
    return torch.where(total > 0, 2.0 * both / total.clamp_min(1), 1.0)
