"""From what the network sees to masks that can be a heart."""

import torch
from jaxtyping import Bool
from torch import Tensor
from torch.nn import functional

from pipeline.component import largest_component
from pipeline.errors import CannotQuantifyError
from pipeline.findings import Code
from pipeline.segment.network import HeartShares
from pipeline.types import HeartMasks

OUTER_MM2 = (300.0, 11000.0)
"""Area of the left ventricle with its wall: from a small apex to a dilated base."""
MIN_WALL_MM2 = 150.0
MIN_RIGHT_MM2 = 60.0


def masks_of(seen: HeartShares, size: tuple[int, int]) -> HeartMasks:
    """Return masks on the pixels of the image.

    Parameters
    ----------
    seen
        What the network sees.
    size
        Rows and columns of the image.

    Raises
    ------
    CannotQuantifyError
        P10 when what is seen cannot be a left ventricle.

    """
    shares = seen.square.spread(seen.tissues.mean(dim=0), size)
    outer = _whole(shares[1] + shares[2] > 0.5)
    cavity = _filled(largest_component(outer & (shares[1] > 0.5)))
    wall = outer & ~cavity
    row_mm, column_mm = seen.square.image_spacing_mm
    pixel_mm2 = row_mm * column_mm
    if not OUTER_MM2[0] <= int(outer.sum()) * pixel_mm2 <= OUTER_MM2[1]:
        raise CannotQuantifyError(Code.SEGMENTATION_UNCERTAIN, "no plausible left ventricle")
    if int(wall.sum()) * pixel_mm2 < MIN_WALL_MM2:
        raise CannotQuantifyError(Code.SEGMENTATION_UNCERTAIN, "no wall of the left ventricle")
    right = largest_component((shares[3] > 0.5) & ~outer)
    return HeartMasks(
        myocardium=wall,
        left_ventricle=cavity,
        right_ventricle=right if int(right.sum()) * pixel_mm2 >= MIN_RIGHT_MM2 else None,
        method="network",
    )


def _whole(mask: Bool[Tensor, "row column"]) -> Bool[Tensor, "row column"]:
    return _filled(largest_component(mask))


def _filled(mask: Bool[Tensor, "row column"]) -> Bool[Tensor, "row column"]:
    """Close the holes of a mask: what cannot be reached from the border of the image."""
    free = functional.pad(~mask, (1, 1, 1, 1), value=True)
    reached = torch.zeros_like(free)
    reached[0], reached[-1], reached[:, 0], reached[:, -1] = True, True, True, True
    before = 0
    while int(reached.sum()) > before:
        before = int(reached.sum())
        for _ in range(16):
            grown = functional.max_pool2d(
                reached[None, None].float(), (3, 1), stride=1, padding=(1, 0)
            ) + functional.max_pool2d(reached[None, None].float(), (1, 3), stride=1, padding=(0, 1))
            reached = free & (grown[0, 0] > 0)
    return ~reached[1:-1, 1:-1]
