"""Where in the slice at rest lies the muscle of a pixel under stress.

Shift, turn and scale bring one heart onto the other; what then still differs, because the wall is
thicker in another phase of the beat, follows the borders: a pixel is found by its angle around the
cavity and by its depth in the wall, 0 at the endocardium, 1 at the epicardium. The images are never
compared: contrast differs, and a field that follows it would move flow from one place to another.
"""

import math
from collections.abc import Iterable
from statistics import median

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from pipeline.errors import CannotQuantifyError
from pipeline.findings import Code
from pipeline.reserve.placed import PlacedWall
from pipeline.segment.insertions import dot, image_angle_rad
from pipeline.segment.wall import PlaceInWall

_MOST_TURN_DEG = 30.0
"""Half a segment. A heart turns by a few degrees between two phases of the beat."""
_SCALE_RANGE = (0.8, 1.25)
"""Diameter at rest over that under stress. Between end-systole and end-diastole the epicardium
changes by a tenth."""
_LEAST_DICE = 0.7
"""Of both walls after shift, turn and scale. End-systole on end-diastole has 0.8, an outline that
lost half of the wall 0.67."""

Place = Float[Tensor, "axis row column"]


def turn_between(pairs: Iterable[tuple[PlacedWall, PlacedWall]]) -> float:
    """Return by which angle hearts at rest are turned, rad, in the images under stress.

    The septum tells, and the heart turns as one: the middle of all slices is taken. 0 where the
    right ventricle was never seen.
    """
    turns = [
        _wrapped(
            image_angle_rad(rest.septum.middle, stress.geometry)
            - image_angle_rad(stress.septum.middle, stress.geometry)
        )
        for stress, rest in pairs
        if stress.septum is not None and rest.septum is not None
    ]
    return median(turns) if turns else 0.0


def corresponding_px(stress: PlacedWall, rest: PlacedWall, turn_rad: float) -> Place:
    """Return row and column in the slice at rest of the muscle of every pixel under stress.

    Parameters
    ----------
    stress, rest
        Walls of two slices of one level.
    turn_rad
        As `turn_between`.

    Returns
    -------
    Pixels, axis 0 = row; outside the wall of stress without a meaning.

    """
    place = _place(stress)
    angle_rad = _seen_at_rest(place.angle_rad, stress, rest, turn_rad)
    inner_mm, outer_mm = (
        rest.wall.rays.at(border, angle_rad) for border in (rest.wall.inner_mm, rest.wall.outer_mm)
    )
    return _at(rest, angle_rad, inner_mm + place.depth * (outer_mm - inner_mm))


def overlap_dice(stress: PlacedWall, rest: PlacedWall, turn_rad: float) -> float:
    """Return the Dice overlap of both walls after shift, turn and scale.

    Raises
    ------
    CannotQuantifyError
        P10 where turn, scale or overlap say that these cannot be the same muscle.

    """
    turn_deg = abs(math.degrees(turn_rad))
    if turn_deg > _MOST_TURN_DEG:
        raise _unlike(f"the right ventricle at rest lies {turn_deg:.0f} degrees away")
    scale = _radius_mm(rest) / _radius_mm(stress)
    if not _SCALE_RANGE[0] <= scale <= _SCALE_RANGE[1]:
        raise _unlike(f"the ventricle at rest has {scale:.2f} times the diameter")
    wall = stress.masks.myocardium
    radius_mm, angle_rad = stress.wall.rays.polar(stress.wall.outer_mm, _size(stress))
    where = _at(rest, _seen_at_rest(angle_rad, stress, rest, turn_rad), scale * radius_mm)
    other = read_at(rest.masks.myocardium.to(where.dtype)[None], where)[0] >= 0.5
    dice = 2 * float((wall & other).sum()) / max(1.0, float(wall.sum() + other.sum()))
    if dice < _LEAST_DICE:
        raise _unlike(f"the wall at rest overlaps that under stress by {dice:.2f} (Dice) only")
    return dice


def read_at(
    images: Float[Tensor, "channel rest_row rest_column"], where: Place
) -> Float[Tensor, "channel row column"]:
    """Read images at places in pixels, bilinear; outside of them lies 0."""
    size = torch.tensor(images.shape[-2:], dtype=where.dtype, device=where.device)
    scaled = where.permute(1, 2, 0) * (2 / (size - 1).clamp_min(1)) - 1
    return functional.grid_sample(
        images[None].to(where.dtype), scaled.flip(-1)[None], align_corners=True
    )[0]


def _place(one: PlacedWall) -> PlaceInWall:
    return one.wall.place(_size(one))


def _size(one: PlacedWall) -> tuple[int, int]:
    n_rows, n_columns = one.masks.myocardium.shape
    return n_rows, n_columns


def _seen_at_rest(
    angle_rad: Float[Tensor, "row column"], stress: PlacedWall, rest: PlacedWall, turn_rad: float
) -> Float[Tensor, "row column"]:
    """Return an angle of the image under stress as an angle of the image at rest.

    By way of the patient: both images may be turned or mirrored against each other.
    """
    across, down = torch.cos(angle_rad + turn_rad), torch.sin(angle_rad + turn_rad)
    own, other = stress.geometry, rest.geometry
    column, row = (
        across * dot(own.row_direction, axis) + down * dot(own.column_direction, axis)
        for axis in (other.row_direction, other.column_direction)
    )
    return torch.atan2(row, column)


def _at(
    one: PlacedWall,
    angle_rad: Float[Tensor, "row column"],
    radius_mm: Float[Tensor, "row column"],
) -> Place:
    rays = one.wall.rays
    row_mm, column_mm = rays.spacing_mm
    return torch.stack(
        [
            rays.centre_row + radius_mm * torch.sin(angle_rad) / row_mm,
            rays.centre_column + radius_mm * torch.cos(angle_rad) / column_mm,
        ]
    )


def _radius_mm(one: PlacedWall) -> float:
    """Return the radius of the circle that has the area of the ventricle with its wall."""
    return float(one.wall.outer_mm.square().mean().sqrt())


def _wrapped(angle_rad: float) -> float:
    return math.remainder(angle_rad, 2 * math.pi)


def _unlike(text: str) -> CannotQuantifyError:
    return CannotQuantifyError(Code.SEGMENTATION_UNCERTAIN, f"{text}, no reserve.")
