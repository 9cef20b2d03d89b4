"""A heart of two tubes in the patient, cut by any plane: masks whose AHA segments are known."""

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from node.scanner.plane import LONG_AXIS
from pipeline.regions import SliceLevel
from pipeline.types import Geometry, HeartMasks, ImageSeries

CENTRE = np.array([18.0, -42.0, 25.0])
SIZE = (96, 88)
SPACING_MM = (1.6, 1.8)


def _unit(vector: np.ndarray) -> np.ndarray:
    return vector / np.linalg.norm(vector)


ANTERIOR = _unit(
    np.array([0.0, -0.35, 1.0]) - (np.array([0.0, -0.35, 1.0]) @ LONG_AXIS) * LONG_AXIS
)
SEPTAL = np.cross(LONG_AXIS, ANTERIOR)
"""To the right and forwards: seen from the apex, septum left, anterior wall on top."""


@dataclass(frozen=True, kw_only=True)
class Cut:
    """Masks of a slice and what is true of them."""

    masks: HeartMasks
    geometry: Geometry
    segment: Tensor
    offset_mm: float

    def series(self) -> ImageSeries:
        return ImageSeries(
            frames=torch.zeros(2, *self.masks.myocardium.shape),
            time_s=torch.tensor([0.0, 1.0]),
            n_proton_density=0,
            geometry=self.geometry,
            sequence=None,
            proton_density=None,
        )


def cut(
    *,
    offset_mm: float = 20.0,
    turn_deg: float = 0.0,
    is_mirrored: bool = False,
    from_behind: bool = False,
    level: SliceLevel = SliceLevel.MID,
    with_right: bool = True,
    cavity_mm: float | None = None,
    rotated_heart_deg: float = 0.0,
    right_reach: float = 0.95,
) -> Cut:
    """Cut the heart at an offset from its base, seen from the apex unless `from_behind`."""
    row, column = _plane(turn_deg, is_mirrored=is_mirrored, from_behind=from_behind)
    middle = CENTRE + offset_mm * LONG_AXIS + 9.0 * row - 7.0 * column
    rows = (np.arange(SIZE[0]) - (SIZE[0] - 1) / 2) * SPACING_MM[0]
    columns = (np.arange(SIZE[1]) - (SIZE[1] - 1) / 2) * SPACING_MM[1]
    place = middle + rows[:, None, None] * column + columns[None, :, None] * row - CENTRE
    septal, anterior = _rotated(rotated_heart_deg)
    x, y = place @ septal, place @ anterior
    cavity = 24.0 * math.sqrt(1 - (offset_mm / 70.0) ** 2) if cavity_mm is None else cavity_mm
    outer = cavity + 9.0
    radius = np.hypot(x, y)
    right = np.hypot((x - right_reach * outer) / 1.05, y / 1.15) < outer
    right &= (radius >= outer) if with_right else np.zeros_like(right)
    myocardium = (radius < outer) & (radius >= cavity)
    origin = middle + rows[0] * column + columns[0] * row
    return Cut(
        masks=HeartMasks(
            myocardium=torch.from_numpy(myocardium),
            left_ventricle=torch.from_numpy(radius < cavity),
            right_ventricle=torch.from_numpy(right) if with_right else None,
        ),
        geometry=Geometry(
            spacing_mm=SPACING_MM,
            thickness_mm=8.0,
            origin_mm=tuple(origin.tolist()),
            row_direction=tuple(row.tolist()),
            column_direction=tuple(column.tolist()),
        ),
        segment=torch.from_numpy(_truth(x, y, level) * myocardium),
        offset_mm=offset_mm,
    )


def _plane(
    turn_deg: float, *, is_mirrored: bool, from_behind: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Return row and column direction of a short-axis image turned by any angle."""
    right, down = -SEPTAL, -ANTERIOR
    if is_mirrored != from_behind:
        right = -right
    turn = math.radians(turn_deg)
    row = math.cos(turn) * right + math.sin(turn) * down
    column = math.cos(turn) * down - math.sin(turn) * right
    return row, column


def _rotated(degrees: float) -> tuple[np.ndarray, np.ndarray]:
    """Return septal and anterior direction of a heart turned about its long axis."""
    turn = math.radians(degrees)
    return (
        math.cos(turn) * SEPTAL + math.sin(turn) * ANTERIOR,
        math.cos(turn) * ANTERIOR - math.sin(turn) * SEPTAL,
    )


def _truth(x: np.ndarray, y: np.ndarray, level: SliceLevel) -> np.ndarray:
    """Number the segments on the usual picture: anterior on top, septum on the left."""
    picture_deg = np.degrees(np.arctan2(y, -x)) % 360.0
    if level is SliceLevel.APICAL:
        return np.array([16, 13, 14, 15])[((picture_deg + 45.0) // 90.0).astype(int) % 4]
    first = 1 if level is SliceLevel.BASAL else 7
    return first + np.array([5, 0, 1, 2, 3, 4])[(picture_deg // 60.0).astype(int) % 6]
