"""Tell the heart from what looks like one beside it, where its place is known."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from pipeline.component import label_components

RIM_PX = 3
"""What is left of an organ around the pixels that are more heart than not."""


def without_other_organs(
    tissues: Float[Tensor, "orientation tissue side side"],
    place: tuple[float, float],
    reach_px: float,
) -> Float[Tensor, "orientation tissue side side"]:
    """Return shares without the hearts whose middle is not within reach of a place.

    Parameters
    ----------
    tissues
        Share of each class of `models.networks.segmentation.TISSUES`.
    place
        Row and column of the middle of the heart, px.
    reach_px
        How far from there the middle of a left ventricle with its wall may be.

    """
    parts = label_components((tissues[:, 1] + tissues[:, 2]).mean(dim=0) > 0.5)
    other = torch.zeros_like(parts, dtype=torch.bool)
    for number in range(1, int(parts.max()) + 1):
        part = parts == number
        row, column = part.nonzero().double().mean(dim=0).tolist()
        if (row - place[0]) ** 2 + (column - place[1]) ** 2 > reach_px**2:
            other |= part
    if not bool(other.any()):
        return tissues
    size = 2 * RIM_PX + 1
    wide = functional.max_pool2d(other[None, None].to(tissues), size, stride=1, padding=RIM_PX)
    nothing = torch.zeros_like(tissues)
    nothing[:, 0] = 1.0
    own = (parts > 0) & ~other
    return torch.where((wide[0] > 0.5) & ~own, nothing, tissues)
