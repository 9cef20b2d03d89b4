"""Gaussian smoothing of small images as two matrix products.

For images of a few thousand pixels a product with a dense Gaussian matrix is faster than a
convolution, costs the same for every width, and meets the border without a dark rim because each
row of the matrix sums to one.
"""

import torch
from jaxtyping import Float
from torch import Tensor

NARROWEST = 0.1
"""A Gaussian narrower than this many samples is one sample wide to all digits."""


def smooth(
    images: Float[Tensor, "*batch row column"], width_px: float | tuple[float, float]
) -> Float[Tensor, "*batch row column"]:
    """Blur the last two axes with a Gaussian.

    Parameters
    ----------
    images
        Any number of images. Shape `(..., row, column)`.
    width_px
        Standard deviation in pixels, one for both axes or (row, column); 0 leaves an axis as is.

    """
    row_width, column_width = width_px if isinstance(width_px, tuple) else (width_px, width_px)
    rows = gaussian_matrix(images.shape[-2], row_width, like=images)
    columns = gaussian_matrix(images.shape[-1], column_width, like=images)
    return rows @ images @ columns.T


def gaussian_matrix(
    size: int, width: float, *, like: Float[Tensor, "..."]
) -> Float[Tensor, "size size"]:
    """Return the matrix that blurs a vector of `size` by `width` samples; rows sum to one."""
    if width < NARROWEST:
        return torch.eye(size, dtype=like.dtype, device=like.device)
    place = torch.arange(size, dtype=like.dtype, device=like.device)
    weight = torch.exp(-0.5 * ((place[:, None] - place[None, :]) / width).square())
    return weight / weight.sum(dim=1, keepdim=True)
