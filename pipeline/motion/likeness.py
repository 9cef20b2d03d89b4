"""How alike a frame and its reference are, whatever their gain and offset."""

from jaxtyping import Float
from torch import Tensor


def standardise(
    frames: Float[Tensor, "time row column"], weight: Float[Tensor, "row column"]
) -> Float[Tensor, "time row column"]:
    """Take off the weighted mean and divide by the weighted standard deviation of each frame."""
    share = weight / weight.sum()
    rest = frames - (frames * share).sum(dim=(1, 2), keepdim=True)
    spread = (rest.square() * share).sum(dim=(1, 2), keepdim=True).sqrt()
    return rest / spread.clamp_min(1e-12)


def misfit(
    frames: Float[Tensor, "time row column"],
    reference: Float[Tensor, "time row column"],
    weight: Float[Tensor, "row column"],
) -> Float[Tensor, " time"]:
    """Return 1 - r² of each frame and its reference in the weighted region; 0 is perfect."""
    first, second = standardise(frames, weight), standardise(reference, weight)
    share = weight / weight.sum()
    correlation = (first * second * share).sum(dim=(1, 2))
    return 1 - correlation.clamp_min(0).square()
