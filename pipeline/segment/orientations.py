"""The eight orientations of a square: quarter turns, and the same mirrored."""

from jaxtyping import Float
from torch import Tensor

N_ORIENTATIONS = 8


def turned(
    images: Float[Tensor, "channel side side"], index: int
) -> Float[Tensor, "channel side side"]:
    """Return one of the eight orientations: quarter turns, from the fifth on mirrored."""
    quarter = images.rot90(index % 4, (-2, -1))
    return quarter.flip(-1) if index >= N_ORIENTATIONS // 2 else quarter


def turned_back(
    images: Float[Tensor, "channel side side"], index: int
) -> Float[Tensor, "channel side side"]:
    """Undo `turned`."""
    upright = images.flip(-1) if index >= N_ORIENTATIONS // 2 else images
    return upright.rot90(-(index % 4), (-2, -1))
