"""Where the slices of the virtual exam lie: oblique short-axis planes in patient axes."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_LONG_AXIS = np.array([0.65, -0.55, -0.52])  # base to apex: left, forward, down
_HEART_CENTRE_MM = np.array([18.0, -42.0, 25.0])  # of the basal slice
_FEET = np.array([0.0, 0.0, -1.0])

LONG_AXIS = _LONG_AXIS / np.linalg.norm(_LONG_AXIS)
"""Unit vector from base to apex."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImagePlane:
    """One plane of an image (C.7.6.2)."""

    row_direction: NDArray[np.float64]
    column_direction: NDArray[np.float64]
    origin_mm: NDArray[np.float64]
    """Centre of the first pixel."""


def short_axis_plane(
    shape: tuple[int, int], spacing_mm: tuple[float, float], offset_mm: float
) -> ImagePlane:
    """Return a short-axis plane seen from the apex: patient's left on the right, feet below.

    Parameters
    ----------
    shape
        Rows, columns.
    spacing_mm
        Between rows, between columns.
    offset_mm
        Distance from the basal slice towards the apex.

    """
    column = _FEET - (_FEET @ LONG_AXIS) * LONG_AXIS
    column /= np.linalg.norm(column)
    row = np.cross(LONG_AXIS, column)
    return centred_plane(row, column, _HEART_CENTRE_MM + offset_mm * LONG_AXIS, shape, spacing_mm)


def centred_plane(
    row: NDArray[np.float64],
    column: NDArray[np.float64],
    centre_mm: NDArray[np.float64],
    shape: tuple[int, int],
    spacing_mm: tuple[float, float],
) -> ImagePlane:
    """Return the plane with these directions whose middle lies at a point."""
    down = column * spacing_mm[0] * (shape[0] - 1) / 2
    right = row * spacing_mm[1] * (shape[1] - 1) / 2
    return ImagePlane(
        row_direction=row, column_direction=column, origin_mm=centre_mm - down - right
    )


def localizer_planes(
    shape: tuple[int, int], spacing_mm: tuple[float, float]
) -> tuple[ImagePlane, ...]:
    """Return a transverse, a coronal and a sagittal plane through the heart."""
    left, back, up = np.eye(3)
    pairs = ((left, back), (left, -up), (back, -up))
    return tuple(
        centred_plane(row, column, _HEART_CENTRE_MM, shape, spacing_mm) for row, column in pairs
    )
