"""From what the network sees to masks that can be a heart."""

from jaxtyping import Bool
from torch import Tensor

from pipeline.component import largest_component, without_holes
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
    cavity = without_holes(largest_component(outer & (shares[1] > 0.5)))
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
    return without_holes(largest_component(mask))
