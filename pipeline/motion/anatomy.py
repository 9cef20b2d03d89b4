"""Where the heart is, by the maps that the anatomy network makes of frames in any contrast."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from models.networks.anatomy import AnatomyNetwork, frame_inputs
from models.networks.batches import in_batches
from models.smoothing import smooth
from pipeline.motion.compose import pixel_grid

LOOKS = 24
HEART_LEVEL = 0.35
"""Mean share of heart from which on a pixel belongs to it."""
HEART_MARGIN_PX = 4
MIN_HEART_MM2 = 1500.0
"""A smaller heart is none: the network found nothing, and a round window must do."""
EDGE_PX = 1.5
MIN_MASS = 0.3
"""Frames whose maps hold less than this fraction of the usual heart do not tell its place."""


def anatomy_maps(
    network: AnatomyNetwork, frames: Float[Tensor, "time side side"], n_proton_density: int
) -> Float[Tensor, "look tissue side side"]:
    """Return share of left ventricle, myocardium, right ventricle in every pixel, 0-1.

    Of frames evenly spread over the series, `LOOKS` at most: only where the heart is on the whole
    is asked of them.
    """
    spread = torch.linspace(0, len(frames) - 1, min(LOOKS, len(frames))).round().long()
    inputs = frame_inputs(frames, n_proton_density)[spread.to(frames.device)]
    return in_batches(network, inputs).sigmoid()


def heart_window(
    maps: Float[Tensor, "look tissue side side"], *, spacing_mm: float
) -> Float[Tensor, "side side"] | None:
    """Return 1 on the heart and a margin around it, 0 elsewhere; None where there is no heart.

    Parameters
    ----------
    maps
        Maps of frames that lie roughly on each other.
    spacing_mm
        Pixel size, mm.

    """
    share = maps.mean(dim=0).sum(dim=0)
    is_heart = share > HEART_LEVEL
    if float(is_heart.sum()) * spacing_mm**2 < MIN_HEART_MM2:
        return None
    side = 2 * HEART_MARGIN_PX + 1
    grown = functional.max_pool2d(is_heart.to(maps.dtype)[None], side, 1, HEART_MARGIN_PX)
    return smooth(grown, EDGE_PX)[0]


def heart_place(maps: Float[Tensor, "look tissue side side"]) -> Float[Tensor, " axis"]:
    """Return the median centre of the left ventricle, px; the middle where none is seen."""
    heart = maps[:, 0] + maps[:, 1]
    mass = heart.sum(dim=(1, 2))
    is_seen = (mass > MIN_MASS * mass.median()) & (mass > 0)
    if not bool(is_seen.any()):
        return maps.new_full((2,), (maps.shape[-1] - 1) / 2)
    place = (heart[:, None] * pixel_grid(heart)).sum(dim=(2, 3))[is_seen] / mass[is_seen, None]
    return place.median(dim=0).values
