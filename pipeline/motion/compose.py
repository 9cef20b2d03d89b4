"""Displacement fields: apply, join, invert, and look for folds.

A field `u` of shape `(time, axis, row, column)` is in pixels, axis 0 = row, and says where a
corrected pixel comes from: `corrected[t, y] = original[t, y + u[t, :, y]]`. Outside the image the
nearest border pixel counts.
"""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from models.slopes import slopes

Interpolation = Literal["bilinear", "bicubic"]


def warp(
    frames: Float[Tensor, "time row column"],
    displacement: Float[Tensor, "time axis row column"],
    *,
    interpolation: Interpolation = "bilinear",
) -> Float[Tensor, "time row column"]:
    """Resample each frame where its displacement points.

    Parameters
    ----------
    frames
        Images in any unit. Shape `(time, row, column)`.
    displacement
        Field in pixels. Shape `(time, axis, row, column)`.
    interpolation
        `bilinear` never leaves the range of the input; `bicubic` keeps edges sharper.

    """
    return _sample(frames[:, None], displacement, interpolation)[:, 0]


def carry(
    images: Float[Tensor, "time channel row column"],
    displacement: Float[Tensor, "time axis row column"],
) -> Float[Tensor, "time channel row column"]:
    """Resample several images of each frame alike, bilinear; as `warp`."""
    return _sample(images, displacement, "bilinear")


def compose(
    first: Float[Tensor, "time axis row column"], then: Float[Tensor, "time axis row column"]
) -> Float[Tensor, "time axis row column"]:
    """Return the one field that does what warping by `first` and then by `then` does."""
    return then + _sample(first, then, "bilinear")


def invert(
    displacement: Float[Tensor, "time axis row column"], *, n_iterations: int = 20
) -> Float[Tensor, "time axis row column"]:
    """Return the field that undoes `displacement`, by fixed point v = -u(y + v)."""
    inverse = -displacement
    for _ in range(n_iterations):
        inverse = -_sample(displacement, inverse, "bilinear")
    return inverse


def magnitude(
    displacement: Float[Tensor, "time axis row column"],
) -> Float[Tensor, "time row column"]:
    """Return the length of the displacement, px.

    Not `norm`: over an axis that is not the last it is ten times slower.
    """
    return torch.hypot(displacement[:, 0], displacement[:, 1])


def jacobian_determinant(
    displacement: Float[Tensor, "time axis row column"],
) -> Float[Tensor, "time row column"]:
    """Return the local change of area of y -> y + u(y); not positive where the field folds."""
    row_slope, column_slope = slopes(displacement)
    return (1 + row_slope[:, 0]) * (1 + column_slope[:, 1]) - column_slope[:, 0] * row_slope[:, 1]


def largest_share_without_folds(
    displacement: Float[Tensor, "time axis row column"], least: float
) -> Float[Tensor, " time"]:
    """Return by how much, 0-1, each field must be multiplied to squeeze no pixel too much.

    Along with the factor f the local change of area is 1 + f trace + f² determinant of the slopes,
    so the factor is exact and moves with the field without steps.

    Parameters
    ----------
    displacement
        Field in pixels.
    least
        Smallest local change of area allowed, below 1.

    """
    row, column = slopes(displacement)
    trace = row[:, 0] + column[:, 1]
    determinant = row[:, 0] * column[:, 1] - column[:, 0] * row[:, 1]
    discriminant = trace.square() - 4 * determinant * (1 - least)
    descent = discriminant.clamp_min(0).sqrt() - trace
    is_squeezed = (discriminant >= 0) & (descent > 0)
    factor = torch.where(is_squeezed, 2 * (1 - least) / descent, torch.inf)
    return factor.flatten(1).amin(dim=1).clamp_max(1)


def pixel_grid(like: Float[Tensor, "*batch row column"]) -> Float[Tensor, "axis row column"]:
    """Return the coordinates of every pixel, axis 0 = row."""
    rows = torch.arange(like.shape[-2], dtype=like.dtype, device=like.device)
    columns = torch.arange(like.shape[-1], dtype=like.dtype, device=like.device)
    return torch.stack(torch.meshgrid(rows, columns, indexing="ij"))


def _sample(
    images: Float[Tensor, "time channel row column"],
    displacement: Float[Tensor, "time axis row column"],
    interpolation: Interpolation,
) -> Float[Tensor, "time channel row column"]:
    n_rows, n_columns = images.shape[-2:]
    place, shift = pixel_grid(images), displacement.to(images.dtype)
    scale = torch.tensor(
        [2 / max(n_columns - 1, 1), 2 / max(n_rows - 1, 1)],
        dtype=images.dtype,
        device=images.device,
    )
    grid = torch.stack([place[1] + shift[:, 1], place[0] + shift[:, 0]], dim=-1)
    grid = grid.mul_(scale).sub_(1)
    return functional.grid_sample(
        images, grid, mode=interpolation, padding_mode="border", align_corners=True
    )
