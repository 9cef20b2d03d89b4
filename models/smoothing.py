"""Gaussian smoothing, and reading, of small images as two matrix products.

For images of a few thousand pixels a product with a dense Gaussian matrix is faster than a
convolution, costs the same for every width, and meets the border without a dark rim because each
row of the matrix sums to one.
"""

import torch
from jaxtyping import Float
from torch import Tensor

NARROWEST = 0.1
"""A Gaussian narrower than this many samples is one sample wide to all digits."""
NEGLIGIBLE = 1e-12
"""The tail beyond adds nothing in single precision, but products with it are denormal numbers,
which made smoothing ten to thirty times slower."""


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
    if row_width >= NARROWEST:
        images = gaussian_matrix(images.shape[-2], row_width, like=images) @ images
    if column_width >= NARROWEST:
        images = images @ gaussian_matrix(images.shape[-1], column_width, like=images).T
    return images


def read_smooth(
    images: Float[Tensor, "*batch row column"],
    width_px: tuple[float, float],
    *,
    row: Float[Tensor, " new_row"],
    column: Float[Tensor, " new_column"],
) -> Float[Tensor, "*batch new_row new_column"]:
    """Blur images and read them, bilinear, where rows and columns of a new grid cross.

    Parameters
    ----------
    images
        Any number of images. Shape `(..., row, column)`.
    width_px
        Standard deviation of the blur along rows and columns, px.
    row, column
        Places of the new grid, px; beyond the border the border is read. An image without pixels
        reads as zeros.

    """
    if 0 in images.shape[-2:]:
        return images.new_zeros(*images.shape[:-2], len(row), len(column))
    rows = _reading_matrix(row, images.shape[-2], width_px[0], like=images)
    columns = _reading_matrix(column, images.shape[-1], width_px[1], like=images)
    return rows @ (images @ columns.T)


def _reading_matrix(
    place: Float[Tensor, " new"], size: int, width: float, *, like: Float[Tensor, "..."]
) -> Float[Tensor, "new size"]:
    place = place.to(like).clamp(0, size - 1)
    left = place.floor().clamp(max=max(size - 2, 0)).long()
    along = place - left
    matrix = like.new_zeros(len(place), size)
    line = torch.arange(len(place), device=like.device)
    matrix[line, left] = 1 - along
    matrix[line, (left + 1).clamp(max=size - 1)] += along
    return matrix @ gaussian_matrix(size, width, like=like)


def gaussian_matrix(
    size: int, width: float, *, like: Float[Tensor, "..."]
) -> Float[Tensor, "size size"]:
    """Return the matrix that blurs a vector of `size` by `width` samples; rows sum to one."""
    if width < NARROWEST:
        return torch.eye(size, dtype=like.dtype, device=like.device)
    place = torch.arange(size, dtype=like.dtype, device=like.device)
    weight = torch.exp(-0.5 * ((place[:, None] - place[None, :]) / width).square())
    weight = torch.where(weight < NEGLIGIBLE, 0.0, weight)
    return weight / weight.sum(dim=1, keepdim=True)
