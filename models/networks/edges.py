"""Edge directions: what two frames of quite different contrast have in common.

Each image becomes a map of edge directions in which a bright-to-dark edge equals a dark-to-bright
one (Haber 2006, doi 10.1007/11866763_89).
"""

import torch
from jaxtyping import Complex, Float
from torch import Tensor

from models.slopes import slopes
from models.smoothing import smooth

EDGE_WIDTH_PX = 1.0
ROUNDING = 1e-5
"""Edges that are smaller than this fraction of the brightest pixel are none."""
NEGLIGIBLE = 1e-15


def edge_directions(
    frames: Float[Tensor, "time row column"], *, width_px: float = EDGE_WIDTH_PX
) -> Complex[Tensor, "time row column"]:
    """Return gradients with doubled angle, large edges cut to the size of typical ones.

    Doubling makes opposite gradients equal: a complex number z becomes z^2 / |z|.

    Parameters
    ----------
    frames
        Images in any unit.
    width_px
        Blur before the gradient is taken.

    """
    smooth_frames = smooth(frames, width_px)
    row_slope, column_slope = slopes(smooth_frames)
    gradient = torch.complex(row_slope, column_slope)
    size = gradient.abs()
    typical = size.flatten(1).square().mean(dim=1).sqrt()
    rounding = ROUNDING * frames.flatten(1).abs().amax(dim=1)
    typical = torch.maximum(typical, rounding).clamp_min(NEGLIGIBLE)[:, None, None]
    return gradient.square() / (size.square() + typical.square())


def edge_maps(
    frames: Float[Tensor, "time row column"], *, width_px: float = EDGE_WIDTH_PX
) -> Float[Tensor, "time part row column"]:
    """Return edge directions as two real maps of each frame."""
    directions = edge_directions(frames, width_px=width_px)
    return torch.stack([directions.real, directions.imag], dim=1)
