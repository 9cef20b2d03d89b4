"""How alike a frame and its reference are, whatever their gain and offset."""

import torch
from jaxtyping import Float
from torch import Tensor


def standardise(
    frames: Float[Tensor, "time row column"], weight: Float[Tensor, "row column"]
) -> Float[Tensor, "time row column"]:
    """Take off the weighted mean and divide by the weighted standard deviation of each frame."""
    share = weight / weight.sum()
    rest = frames - (frames * share).sum(dim=(1, 2), keepdim=True)
    spread = (rest.square() * share).sum(dim=(1, 2), keepdim=True).sqrt()
    return rest / spread.clamp_min(1e-12)


def misfit(
    frames: Float[Tensor, "time row column"],
    reference: Float[Tensor, "time row column"],
    weight: Float[Tensor, "row column"],
) -> Float[Tensor, " time"]:
    """Return 1 - r² of each frame and its reference in the weighted region; 0 is perfect.

    Summed up from what the frame leaves unexplained: the difference of 1 and r² would lose all
    but four digits where it decides between two good answers.
    """
    first, second = standardise(frames, weight), standardise(reference, weight)
    share = weight / weight.sum()
    correlation = (first * second * share).sum(dim=(1, 2), keepdim=True).clamp_min(0)
    rest = ((second - correlation * first).square() * share).sum(dim=(1, 2))
    is_blank = second.abs().amax(dim=(1, 2)) == 0
    return torch.where(is_blank, torch.ones_like(rest), rest)
