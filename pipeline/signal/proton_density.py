"""The proton-density image as a map of receive sensitivity and proton density."""

import torch
from jaxtyping import Float
from torch import Tensor

from models.smoothing import smooth

_TISSUE_FRACTION = 0.25
"""Pixels darker than this fraction of the bright ones (lung, air) do not enter the smoothing."""
_TRUST_FRACTION = 0.2
"""Smallest share of tissue under the smoothing kernel for which the field is believed."""
_BRIGHT_QUANTILE = 0.95


def receive_field(
    frames: Float[Tensor, "time row column"],
    *,
    spacing_mm: tuple[float, float],
    width_mm: float = 1.5,
) -> Float[Tensor, "row column"]:
    """Return the smoothed mean of the proton-density frames, NaN where there is no tissue.

    Smoothing is a normalised convolution over tissue, so that dark lung next to the heart does not
    pull the field down at the epicardium. The kernel is narrow, 3.5 mm at half height: it takes
    noise and a residual misalignment of a pixel away and leaves the proton density of each tissue
    in place. One of 3 mm or more mixes that of wall, blood and fat into the wall.

    Parameters
    ----------
    frames
        Proton-density frames, registered, scanner units.
    spacing_mm
        Row and column spacing, mm.
    width_mm
        Standard deviation of the kernel, mm.

    """
    mean = frames.mean(dim=0)
    tissue = mean > _TISSUE_FRACTION * torch.quantile(mean.flatten(), _BRIGHT_QUANTILE)
    width_px = (width_mm / spacing_mm[0], width_mm / spacing_mm[1])
    weight = smooth(tissue.to(mean.dtype), width_px)
    field = smooth(mean * tissue, width_px) / weight.clamp_min(_TRUST_FRACTION)
    return torch.where((weight >= _TRUST_FRACTION) & (field > 0), field, torch.nan)
