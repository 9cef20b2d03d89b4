"""Signal curves of the wall: how rough they are, and how far from those without motion."""

import math

import torch
from jaxtyping import Bool, Float
from torch import Tensor

N_SEGMENTS = 6


def segment_curves(
    frames: Float[Tensor, "time row column"],
    myocardium: Bool[Tensor, "row column"],
) -> Float[Tensor, "time segment"]:
    """Return the mean signal over time of six equal sectors of the wall; empty ones are left out.

    Parameters
    ----------
    frames
        Corrected frames of one contrast.
    myocardium
        The wall in the geometry of the corrected series.

    """
    place = myocardium.nonzero()
    offset = place.double() - place.double().mean(dim=0)
    angle = torch.atan2(offset[:, 0], offset[:, 1]) + math.pi
    sector = (angle * (N_SEGMENTS / (2 * math.pi))).long().clamp(max=N_SEGMENTS - 1)
    pixels = frames[:, myocardium].double()
    parts = [pixels[:, sector == index] for index in range(N_SEGMENTS)]
    found = [part.mean(dim=1) for part in parts if part.shape[1]]
    return torch.stack(found, dim=1) if found else pixels.new_zeros(len(frames), 0)


def curve_roughness(curves: Float[Tensor, "time segment"]) -> float:
    """Return the RMS second difference of the curves over their span, median of the segments.

    It falls with blur too, so it is read beside sharpness.
    """
    if len(curves) < 3 or curves.shape[1] == 0:
        return math.nan
    bend = curves[2:] - 2 * curves[1:-1] + curves[:-2]
    span = curves.amax(dim=0) - curves.amin(dim=0)
    return float((bend.square().mean(dim=0).sqrt() / span.clamp_min(1e-12)).median())


def curve_error(
    curves: Float[Tensor, "time segment"], still: Float[Tensor, "time segment"]
) -> float:
    """Return the RMS difference from the curves without motion, over the span of those."""
    if still.shape[1] == 0:
        return math.nan
    span = (still.amax(dim=0) - still.amin(dim=0)).clamp_min(1e-12)
    return float(((curves - still).square().mean(dim=0).sqrt() / span).mean())
