"""The insertions of the right ventricle, as marked by the network.

Masks tell where the septum is and roughly where it ends; a mark of the network beside an end tells
more exactly, since it was learned where the wall of the right ventricle leaves the left one.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from pipeline.segment.insertions import Point, find_insertions
from pipeline.segment.network import HeartShares
from pipeline.segment.polar import N_ANGLES, radii_mm
from pipeline.segment.wall import Wall, trace_wall
from pipeline.types import HeartMasks

MIN_MARK = 0.15
"""A mark that is weaker than this says nothing."""
BESIDE_MM = 5.0
REACH = round(35.0 / 360.0 * N_ANGLES)
"""How far from the end of the septum its mark may lie, rays."""
AROUND = round(15.0 / 360.0 * N_ANGLES)


def marked_insertions(seen: HeartShares, masks: HeartMasks) -> tuple[Point, Point] | None:
    """Return row and column of both insertions, px, in order across the septum.

    Parameters
    ----------
    seen
        What the network sees.
    masks
        The masks made of it.

    """
    wall = trace_wall(masks, seen.square.image_spacing_mm)
    points = None if wall is None else find_insertions(masks, wall)
    if wall is None or points is None:
        return points
    size = (masks.myocardium.shape[0], masks.myocardium.shape[1])
    marks = _along_border(seen.square.spread(seen.insertions[None], size), wall)
    first, second = (_at_mark(point, marks, wall) for point in points)
    return first, second


def _along_border(marks: Float[Tensor, "one row column"], wall: Wall) -> Float[Tensor, " angle"]:
    """Return the strongest mark beside the epicardium on each ray."""
    profile = wall.rays.sample(marks)[0]
    away_mm = (radii_mm(profile)[None] - wall.outer_mm[:, None]).abs()
    return torch.where(away_mm < BESIDE_MM, profile, 0.0).amax(dim=1)


def _at_mark(point: Point, marks: Float[Tensor, " angle"], wall: Wall) -> Point:
    """Return the middle of the strongest mark near a point; the point itself without one."""
    row_mm, column_mm = wall.rays.spacing_mm
    angle_rad = math.atan2(
        (point[0] - wall.rays.centre_row) * row_mm, (point[1] - wall.rays.centre_column) * column_mm
    )
    at = round(angle_rad / math.tau * N_ANGLES)
    near = marks[torch.arange(at - REACH, at + REACH + 1) % N_ANGLES]
    if float(near.amax()) < MIN_MARK:
        return point
    peak = at - REACH + int(near.argmax())
    steps = torch.arange(-AROUND, AROUND + 1)
    weight = marks[(peak + steps) % N_ANGLES].square()
    ray = peak + float((weight * steps).sum() / weight.sum())
    return _on_border(ray / N_ANGLES * math.tau, wall)


def _on_border(angle_rad: float, wall: Wall) -> Point:
    radius_mm = float(wall.rays.at(wall.outer_mm, wall.outer_mm.new_tensor(angle_rad)))
    row_mm, column_mm = wall.rays.spacing_mm
    return (
        wall.rays.centre_row + radius_mm * math.sin(angle_rad) / row_mm,
        wall.rays.centre_column + radius_mm * math.cos(angle_rad) / column_mm,
    )
