"""Draw the outer border of the wall where the passage of contrast says that muscle ends.

The network knows what a heart looks like and finds the cavity well; fat or fluid as bright as
muscle may mislead it about the epicardium. Muscle takes up contrast and its surroundings do not,
or do it at another time. So every pixel near the network's border is written as a sum of the curves
of the network's muscle and blood, and the border is drawn anew where the part of muscle ends, not
far from where the network saw it.
"""

from dataclasses import replace

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from pipeline.segment.blood import enhancement
from pipeline.segment.bolus import EDGE_MM, non_negative_parts
from pipeline.segment.polar import (
    STEP_MM,
    cheapest_contour,
    outward_slope,
    radii_mm,
    smooth_contour,
)
from pipeline.segment.wall import Wall, trace_wall
from pipeline.types import HeartMasks

NEAR_MM = 5.0
EDGE_WEIGHT = 0.25
"""The border moves by `NEAR_MM` for an edge at which this share of the muscle ends."""
THIN_WALL_MM = 3.0
"""A thinner wall, or none as in the outflow tract, is left as it is: blood beside it tells lies."""
CORE_MM = 1.5
MIN_CORE_SAMPLES = 30


def refined(
    masks: HeartMasks,
    series: Float[Tensor, "time row column"],
    spacing_mm: tuple[float, float],
) -> HeartMasks:
    """Return the masks with the outer border drawn anew.

    Parameters
    ----------
    masks
        What the network saw.
    series
        Corrected saturation-recovery frames, finite.
    spacing_mm
        Row and column spacing, mm.

    """
    wall = trace_wall(masks, spacing_mm)
    if wall is None:
        return masks
    rise = enhancement(series, spacing_mm)
    outer_mm = _outer_mm(wall, masks, rise)
    size = (masks.myocardium.shape[0], masks.myocardium.shape[1])
    _, angle_rad = wall.rays.polar(outer_mm, size)
    is_thick = wall.rays.at(_is_thick(masks, wall).to(outer_mm.dtype), angle_rad) > 0.5
    drawn = wall.rays.inside(outer_mm, size) & ~masks.left_ventricle
    muscle = torch.where(is_thick, drawn, masks.myocardium)
    right = masks.right_ventricle
    return replace(
        masks,
        myocardium=muscle,
        right_ventricle=None if right is None else right & ~muscle,
    )


def _outer_mm(
    wall: Wall, masks: HeartMasks, rise: Float[Tensor, "time row column"]
) -> Float[Tensor, " angle"]:
    """Return the radius at which muscle ends, mm."""
    curves = wall.rays.sample(rise)
    basis = [_muscle_curve(curves, wall)]
    if bool(masks.left_ventricle.any()):
        basis.append(rise[:, masks.left_ventricle].mean(dim=1))
    right = masks.right_ventricle
    has_right = right is not None and bool(right.any())
    if right is not None and has_right:
        basis.append(rise[:, right].mean(dim=1))
    parts = non_negative_parts(curves.flatten(1), torch.stack(basis))
    parts = parts.reshape(len(basis), *curves.shape[1:]).clamp(0, 1.5)
    edge = outward_slope(parts[0], width_mm=EDGE_MM)
    if has_right:
        edge = edge - outward_slope(parts[-1], width_mm=EDGE_MM)
    away_mm = radii_mm(curves)[None] - wall.outer_mm[:, None]
    return smooth_contour(cheapest_contour(edge + EDGE_WEIGHT * (away_mm / NEAR_MM).square()))


def _muscle_curve(curves: Float[Tensor, "time angle radius"], wall: Wall) -> Float[Tensor, " time"]:
    """Return the median curve of the core of the wall, or of all of it where it has no core."""
    radius_mm = radii_mm(curves)[None]
    depth_mm = radius_mm - wall.inner_mm[:, None]
    left_mm = wall.outer_mm[:, None] - radius_mm
    core = (depth_mm > CORE_MM) & (left_mm > CORE_MM)
    if int(core.sum()) < MIN_CORE_SAMPLES:
        core = (depth_mm >= 0) & (left_mm >= 0)
    return curves[:, core].median(dim=1).values


def _is_thick(masks: HeartMasks, wall: Wall) -> Bool[Tensor, " angle"]:
    profile = wall.rays.sample(masks.myocardium.float()[None])[0]
    return (profile >= 0.5).sum(dim=1) * STEP_MM > THIN_WALL_MM
