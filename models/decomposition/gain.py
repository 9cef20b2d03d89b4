"""Gain and offset of a frame, which a comparison with its reference must not see."""

from jaxtyping import Float
from torch import Tensor


def matched(
    frames: Float[Tensor, "time row column"],
    references: Float[Tensor, "time row column"],
    weight: Float[Tensor, "row column"],
) -> tuple[Float[Tensor, "time row column"], Float[Tensor, "time row column"]]:
    """Bring gain and offset of each frame to those of its reference, which gets unit spread.

    Parameters
    ----------
    frames, references
        Images in any unit; a constant one becomes zero.
    weight
        How much each pixel counts.

    """
    share = weight / weight.sum().clamp_min(1e-6)
    image = frames - (frames * share).sum(dim=(1, 2), keepdim=True)
    target = references - (references * share).sum(dim=(1, 2), keepdim=True)
    spread = (target.square() * share).sum(dim=(1, 2), keepdim=True).sqrt().clamp_min(1e-12)
    power = (image.square() * share).sum(dim=(1, 2), keepdim=True).clamp_min(1e-24)
    gain = (image * target * share).sum(dim=(1, 2), keepdim=True) / power
    return image * gain / spread, target / spread
