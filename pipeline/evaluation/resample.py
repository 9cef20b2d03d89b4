"""Resampling as `pipeline.motion.correct` does it, for fields that come from elsewhere."""

import torch
from jaxtyping import Float
from torch import Tensor

from pipeline.motion import warp


def resample(
    frames: Float[Tensor, "time row column"], displacement: Float[Tensor, "time axis row column"]
) -> Float[Tensor, "time row column"]:
    """Resample once, cubic, without overshoot beyond the range of each frame."""
    sharp = warp(frames, displacement, interpolation="bicubic")
    lowest = frames.amin(dim=(1, 2), keepdim=True)
    highest = frames.amax(dim=(1, 2), keepdim=True)
    return torch.minimum(torch.maximum(sharp, lowest), highest)
