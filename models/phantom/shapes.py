"""Signed distances to simple outlines, and how an outline becomes a soft edge.

All lengths in mm; distances are negative inside and exact near the outline only.
"""

import torch
from jaxtyping import Float
from torch import Tensor

Plane = Float[Tensor, "row column"]


def grid_mm(matrix: tuple[int, int], spacing_mm: tuple[float, float]) -> tuple[Plane, Plane]:
    """Return row and column position of every pixel centre from the centre of the image."""
    axes = [
        (torch.arange(count, dtype=torch.float32) - (count - 1) / 2.0) * spacing
        for count, spacing in zip(matrix, spacing_mm, strict=True)
    ]
    rows, columns = torch.meshgrid(*axes, indexing="ij")
    return rows, columns


def disc(rows: Plane, columns: Plane, centre: tuple[float, float], radius: float) -> Plane:
    """Return the signed distance to a circle."""
    return torch.hypot(rows - centre[0], columns - centre[1]) - radius


def ellipse(
    rows: Plane,
    columns: Plane,
    centre: tuple[float, float],
    half_axes: tuple[float, float],
    angle_rad: float = 0.0,
) -> Plane:
    """Return the first-order signed distance to an ellipse; half axes along rows and columns."""
    turn = torch.tensor(angle_rad, dtype=rows.dtype)
    down, right = rows - centre[0], columns - centre[1]
    first = (torch.cos(turn) * down + torch.sin(turn) * right) / half_axes[0]
    second = (torch.cos(turn) * right - torch.sin(turn) * down) / half_axes[1]
    level = torch.hypot(first, second)
    slope = torch.hypot(first / half_axes[0], second / half_axes[1]).clamp(min=1e-6)
    return (level - 1.0) * level / slope


def coverage(distance: Plane, width_mm: float) -> Plane:
    """Return how much of each pixel lies inside an outline, 0-1."""
    return (0.5 - distance / width_mm).clamp(0.0, 1.0)


def smooth_step(value: Float[Tensor, " *shape"]) -> Float[Tensor, " *shape"]:
    """Return the cubic step from 0 at 0 to 1 at 1."""
    clipped = value.clamp(0.0, 1.0)
    return clipped * clipped * (3.0 - 2.0 * clipped)
