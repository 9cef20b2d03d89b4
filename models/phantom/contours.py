"""The outline of the heart in a slice, to a fraction of a pixel."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from models.phantom.heart import HeartSection

N_POINTS = 48
_THINNEST_MM = 1.5
"""Where the wall is thinner than this there is none: the outflow tract."""

Points = Float[Tensor, "point axis"]


def contour_points(
    section: HeartSection, matrix: tuple[int, int], spacing_mm: tuple[float, float]
) -> tuple[Float[Tensor, "inner_point axis"], Float[Tensor, "outer_point axis"]]:
    """Return points of endocardium and epicardium in reference position.

    Parameters
    ----------
    section
        The heart in the plane of the slice.
    matrix
        Rows and columns of the images.
    spacing_mm
        Row and column spacing.

    Returns
    -------
    tuple
        Endocardium and epicardium, pixels (row, column). 48 points at even angles, less those in
        the open outflow tract and outside the image; no endocardium if there is no cavity.

    """
    angle = torch.arange(N_POINTS, dtype=torch.float32)[None] * (math.tau / N_POINTS)
    inner_mm = section.endocardial_radius_mm(angle)
    wall_mm = section.wall_thickness_mm(angle)
    is_wall = wall_mm > _THINNEST_MM
    endocardium = _points(section, angle, inner_mm, matrix, spacing_mm)
    epicardium = _points(section, angle, inner_mm + wall_mm, matrix, spacing_mm)
    return (
        _kept(endocardium, is_wall & (inner_mm > 0.0), matrix),
        _kept(epicardium, is_wall, matrix),
    )


def _points(
    section: HeartSection,
    angle: Float[Tensor, "one point"],
    radius_mm: Float[Tensor, "one point"],
    matrix: tuple[int, int],
    spacing_mm: tuple[float, float],
) -> Points:
    position = [
        section.centre_mm[0] - radius_mm * torch.sin(angle),
        section.centre_mm[1] + radius_mm * torch.cos(angle),
    ]
    pixels = [
        part / spacing + (count - 1) / 2.0
        for part, spacing, count in zip(position, spacing_mm, matrix, strict=True)
    ]
    return torch.stack(pixels, -1)[0]


def _kept(
    points: Points, is_kept: Tensor, matrix: tuple[int, int]
) -> Float[Tensor, "kept_point axis"]:
    most = torch.tensor(matrix, dtype=points.dtype) - 1.0
    is_inside = ((points >= 0.0) & (points <= most)).all(1)
    return points[is_kept[0] & is_inside]
