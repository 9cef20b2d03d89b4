"""Resample images by affine maps and displacement fields, as the networks speak of them.

A corrected pixel y comes from y + u(y); u in pixels, axis 0 = row. An affine is `(axis, 3)`: linear
part minus identity about the image centre, then the shift in px.
"""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional


def warp(
    images: Float[Tensor, "frame row column"], field: Float[Tensor, "frame axis row column"]
) -> Float[Tensor, "frame row column"]:
    """Resample each image where its field points, bilinear; outside counts the border.

    Parameters
    ----------
    images
        Images in any unit. Shape `(frame, row, column)`.
    field
        Displacement, px. Shape `(frame, axis, row, column)`.

    """
    place = _grid(images) + field
    scale = place.new_tensor([2 / (images.shape[-2] - 1), 2 / (images.shape[-1] - 1)])
    where = (place * scale[:, None, None] - 1).flip(1).permute(0, 2, 3, 1)
    return functional.grid_sample(
        images[:, None], where, mode="bilinear", padding_mode="border", align_corners=True
    )[:, 0]


def affine_field(
    affine: Float[Tensor, "frame axis parameter"], like: Float[Tensor, "*batch row column"]
) -> Float[Tensor, "frame axis row column"]:
    """Return the displacement of every pixel under an affine, px.

    Parameters
    ----------
    affine
        Linear part minus identity about the image centre, and shift in px.
    like
        Any image of the size wanted.

    """
    grid = _grid(like)
    place = grid - grid.mean(dim=(1, 2), keepdim=True)
    linear = torch.einsum("fab,bij->faij", affine[:, :, :2], place)
    return linear + affine[:, :, 2, None, None]


def join(
    first: Float[Tensor, "frame axis parameter"], then: Float[Tensor, "frame axis parameter"]
) -> Float[Tensor, "frame axis parameter"]:
    """Return the one affine that does what resampling by `first` and then by `then` does."""
    identity = torch.eye(2, dtype=first.dtype, device=first.device)
    whole = identity + first[:, :, :2]
    joined = whole @ torch.cat([identity + then[:, :, :2], then[:, :, 2:]], dim=2)
    linear, shift = joined[:, :, :2] - identity, joined[:, :, 2:] + first[:, :, 2:]
    return torch.cat([linear, shift], dim=2)


def _grid(like: Float[Tensor, "*batch row column"]) -> Float[Tensor, "axis row column"]:
    rows = torch.arange(like.shape[-2], dtype=like.dtype, device=like.device)
    columns = torch.arange(like.shape[-1], dtype=like.dtype, device=like.device)
    return torch.stack(torch.meshgrid(rows, columns, indexing="ij"))
