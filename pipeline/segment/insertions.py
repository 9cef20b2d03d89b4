"""Where the wall of the right ventricle meets the left one, and which way is anterior.

The septum is the arc of the epicardium that faces the right ventricle; its ends are the
insertions. Which of them is the anterior one is told in patient axes, so that neither a turned nor
a mirrored image changes it.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from pipeline.segment.polar import N_ANGLES, STEP_MM
from pipeline.segment.wall import Wall
from pipeline.types import Geometry, HeartMasks, Vector

Point = tuple[float, float]

_FACING_MM = 5.0
"""Blood of the right ventricle this near to the epicardium makes it septum: trabeculae and the
blur of a mask leave a gap."""
_STEP_RAD = 2 * math.pi / N_ANGLES
_BAND_RAD = math.radians(20.0)
"""A muscle bundle that parts the right ventricle is no wider than this."""
_NARROWEST_RAD = math.radians(25.0)
_WIDEST_RAD = math.radians(230.0)
"""A septum outside these widths is none."""

_UP_AND_FORWARD = (0.0, -math.sqrt(0.5), math.sqrt(0.5))
_LEFT_FORWARD_DOWN = (math.sqrt(1 / 3), -math.sqrt(1 / 3), -math.sqrt(1 / 3))
"""Patient axes: x to the left, y to the back, z to the head. The apex points this way in a lying
or standing heart (levocardia)."""
_CLEAR_COSINE = 0.4


@dataclass(frozen=True, slots=True, kw_only=True)
class Septum:
    """Where the septum lies, in patient axes."""

    middle: Vector
    """Unit vector from the centre of the left ventricle to the middle of the septum."""
    width_rad: float
    """Between the insertions."""


def find_insertions(masks: HeartMasks, wall: Wall) -> tuple[Point, Point] | None:
    """Find the ends of the epicardial arc that faces the right ventricle.

    Parameters
    ----------
    masks
        Left and right ventricle of one slice.
    wall
        The borders traced from them.

    Returns
    -------
    Row and column of both insertions, pixels, in the order of increasing angle
    atan2(row, column) across the septum; None where no right ventricle is seen beside the left.

    """
    if masks.right_ventricle is None or not bool(masks.right_ventricle.any()):
        return None
    arc = _longest_arc(_facing(masks, wall))
    if arc is None:
        return None
    start_rad, width_rad = arc
    if not _NARROWEST_RAD <= width_rad <= _WIDEST_RAD:
        return None
    return _point(wall, start_rad), _point(wall, start_rad + width_rad)


def septum_of(masks: HeartMasks, wall: Wall, geometry: Geometry) -> Septum | None:
    """Return the septum of a slice; None where no right ventricle is seen."""
    points = masks.insertions_px or find_insertions(masks, wall)
    if points is None:
        return None
    first, last = (_angle_rad(wall, point) for point in points)
    width_rad = (last - first) % (2 * math.pi)
    return Septum(middle=_direction(geometry, first + 0.5 * width_rad), width_rad=width_rad)


def image_angle_rad(direction: Vector, geometry: Geometry) -> float:
    """Return the angle atan2(row, column) at which a direction of the patient is seen."""
    return math.atan2(
        dot(direction, geometry.column_direction), dot(direction, geometry.row_direction)
    )


def anterior_turn(septum: Septum, geometry: Geometry) -> tuple[float, bool]:
    """Tell which way round the image leads from the septum to the anterior wall.

    Two signs are asked. The anterior insertion lies towards head and chest; and seen from the
    apex, which points left, forwards and down, the anterior wall follows the septum clockwise.
    The first is taken unless the heart is turned so far that it is weak.

    Returns
    -------
    tuple
        1.0 where angles atan2(row, column) increase from septum to anterior wall, else -1.0, and
        whether both signs agree: in a mirrored image whose header does not say so they do not.

    """
    angle_rad = image_angle_rad(septum.middle, geometry)
    onwards = _direction(geometry, angle_rad + 0.5 * math.pi)
    upwards = dot(onwards, _UP_AND_FORWARD)
    from_apex = -dot(slice_normal(geometry), _LEFT_FORWARD_DOWN)
    is_clear = abs(upwards) > _CLEAR_COSINE
    turn = math.copysign(1.0, upwards if is_clear else from_apex)
    agree = not is_clear or abs(from_apex) < _CLEAR_COSINE or turn * from_apex > 0
    return turn, agree


def slice_normal(geometry: Geometry) -> Vector:
    """Return the unit vector row direction x column direction."""
    (ax, ay, az), (bx, by, bz) = geometry.row_direction, geometry.column_direction
    return (ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx)


def dot(first: Vector, second: Vector) -> float:
    """Return the scalar product."""
    return sum(a * b for a, b in zip(first, second, strict=True))


def points_to_apex(direction: Vector) -> float:
    """Return how much a direction is that from base to apex in most people, -1 to 1."""
    return dot(direction, _LEFT_FORWARD_DOWN)


def _facing(masks: HeartMasks, wall: Wall) -> Float[Tensor, " angle"]:
    """Return how surely blood of the right ventricle lies just outside the wall, 0-1."""
    assert masks.right_ventricle is not None  # noqa: S101 - callers have asked
    profile = wall.rays.sample(masks.right_ventricle.float()[None])[0]
    radius_mm = torch.arange(profile.shape[1], device=profile.device) * STEP_MM
    beyond_mm = radius_mm[None] - wall.outer_mm[:, None]
    near = (beyond_mm >= -STEP_MM) & (beyond_mm <= _FACING_MM)
    return (profile * near).amax(dim=1)


def _longest_arc(facing: Float[Tensor, " angle"]) -> tuple[float, float] | None:
    """Return start and width, rad, of the longest arc with narrow gaps closed."""
    inside = [bool(value) for value in facing >= 0.5]
    if not any(inside) or all(inside):
        return None
    outside = inside.index(False)
    runs: list[list[int]] = []
    for step in range(outside, outside + N_ANGLES):
        if inside[step % N_ANGLES]:
            if runs and (step - runs[-1][1]) * _STEP_RAD <= _BAND_RAD:
                runs[-1][1] = step
            else:
                runs.append([step, step])
    if len(runs) > 1 and (runs[0][0] + N_ANGLES - runs[-1][1]) * _STEP_RAD <= _BAND_RAD:
        runs[-1][1] = runs.pop(0)[1] + N_ANGLES
    first, last = max(runs, key=lambda run: run[1] - run[0])
    start = first - _overhang(facing, first, first - 1)
    stop = last + _overhang(facing, last, last + 1)
    return start * _STEP_RAD, (stop - start) * _STEP_RAD


def _overhang(facing: Float[Tensor, " angle"], within: int, beyond: int) -> float:
    """Return how far past its last ray an arc reaches, in steps."""
    inner, outer = float(facing[within % N_ANGLES]), float(facing[beyond % N_ANGLES])
    return (inner - 0.5) / max(inner - outer, 1e-6)


def _point(wall: Wall, angle_rad: float) -> Point:
    radius_mm = float(wall.rays.at(wall.outer_mm, wall.outer_mm.new_tensor(angle_rad)))
    row_mm, column_mm = wall.rays.spacing_mm
    return (
        wall.rays.centre_row + radius_mm * math.sin(angle_rad) / row_mm,
        wall.rays.centre_column + radius_mm * math.cos(angle_rad) / column_mm,
    )


def _angle_rad(wall: Wall, point: Point) -> float:
    row_mm, column_mm = wall.rays.spacing_mm
    return math.atan2(
        (point[0] - wall.rays.centre_row) * row_mm,
        (point[1] - wall.rays.centre_column) * column_mm,
    )


def _direction(geometry: Geometry, angle_rad: float) -> Vector:
    """Return where an angle of the image points in the patient."""
    cosine, sine = math.cos(angle_rad), math.sin(angle_rad)
    x, y, z = (
        cosine * along + sine * down
        for along, down in zip(geometry.row_direction, geometry.column_direction, strict=True)
    )
    return (x, y, z)
