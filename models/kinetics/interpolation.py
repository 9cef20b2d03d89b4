"""Straight lines between samples, the one interpolation all curves here share."""

import torch
from jaxtyping import Float
from torch import Tensor


def interpolate(
    values: Float[Tensor, "*batch time"],
    time_s: Float[Tensor, " time"],
    at_s: Float[Tensor, " at"],
) -> Float[Tensor, "*batch at"]:
    """Return the polygon through the samples at other times; zero before the first, then held.

    Parameters
    ----------
    values
        Samples at `time_s`.
    time_s
        Increasing sample times, s.
    at_s
        Wanted times, s.

    """
    piece = (
        torch.searchsorted(time_s, at_s.contiguous(), right=True).clamp(1, time_s.shape[0] - 1) - 1
    )
    weight = ((at_s - time_s[piece]) / (time_s[piece + 1] - time_s[piece])).clamp(0.0, 1.0)
    line = torch.lerp(values[..., piece], values[..., piece + 1], weight)
    return torch.where(at_s < time_s[0], torch.zeros_like(line), line)
