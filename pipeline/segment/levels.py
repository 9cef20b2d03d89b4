"""Which slices are basal, mid and apical, whatever order they came in.

The ventricle is cut in equal thirds along its axis (Cerqueira 2002, doi 10.1161/hc0402.102975);
the slices are taken to cover it evenly. Their order is that of their places in the patient.
Which end is the base is told by two signs: the apex points to the left, forwards and down, and
both ventricles get smaller towards it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from pipeline.regions import SliceLevel
from pipeline.segment.insertions import dot, points_to_apex, slice_normal
from pipeline.types import Geometry, HeartMasks, ImageSeries, Vector

_MOST_TILT_DEG = 30.0
"""A slice further from the direction of the others is no short-axis slice."""
_SAME_PLACE_MM = 1.0
_RIGHT_WEIGHT = 0.5
"""The right ventricle tells less: it can be cut off by the image or be seen in part."""
_CLEAR_SIZE = 0.3
"""Logarithm of a ratio of areas between both ends that is no chance."""
_MIN_RIGHT_MM2 = 100.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LongAxis:
    """The stack of slices along the left ventricle."""

    towards_apex: Vector
    """Unit vector normal to the slices."""
    place_mm: tuple[float | None, ...]
    """Of each slice along that vector; None where the slice is no short-axis slice."""
    is_sure: bool
    """Whether the sizes of the ventricles do not speak against the patient axes."""


def slice_levels(
    slices: Sequence[ImageSeries], masks: Sequence[HeartMasks | None]
) -> tuple[SliceLevel | None, ...]:
    """Return the level of each slice.

    Parameters
    ----------
    slices
        The slices of an exam in any order.
    masks
        What was outlined in each; helps to tell base from apex.

    Returns
    -------
    One level per slice, in their order. A single slice is mid; None where a slice is no short-axis
    slice.

    """
    if not slices:
        return ()
    places = long_axis(slices, masks).place_mm
    known = sorted({round(place / _SAME_PLACE_MM) for place in places if place is not None})
    return tuple(
        None if place is None else _level(known.index(round(place / _SAME_PLACE_MM)), known)
        for place in places
    )


def long_axis(slices: Sequence[ImageSeries], masks: Sequence[HeartMasks | None]) -> LongAxis:
    """Return the places of the slices from base to apex."""
    normals = [slice_normal(series.geometry) for series in slices]
    leader = max(normals, key=lambda one: sum(abs(dot(one, other)) for other in normals))
    cosine = math.cos(math.radians(_MOST_TILT_DEG))
    is_short_axis = [abs(dot(normal, leader)) >= cosine for normal in normals]
    places = [
        dot(_middle_mm(series), leader) if is_in else None
        for series, is_in in zip(slices, is_short_axis, strict=True)
    ]
    by_sizes = _shrinking(slices, masks, places)
    by_patient = points_to_apex(leader)
    sign = math.copysign(1.0, by_patient + by_sizes)
    return LongAxis(
        towards_apex=(sign * leader[0], sign * leader[1], sign * leader[2]),
        place_mm=tuple(None if place is None else sign * place for place in places),
        is_sure=abs(by_sizes) < _CLEAR_SIZE or by_sizes * by_patient > 0,
    )


def _level(rank: int, known: Sequence[int]) -> SliceLevel:
    """Return the third of the ventricle that a slice lies in, the outer ones half a gap inside."""
    if len(known) == 1:
        return SliceLevel.MID
    gap = median(later - earlier for earlier, later in pairwise(known))
    fraction = (known[rank] - known[0] + 0.5 * gap) / (known[-1] - known[0] + gap)
    if fraction < 1 / 3 - 1e-6:
        return SliceLevel.BASAL
    return SliceLevel.MID if fraction < 2 / 3 + 1e-6 else SliceLevel.APICAL


def _middle_mm(series: ImageSeries) -> Vector:
    """Return the middle of an image in patient axes."""
    geometry = series.geometry
    down = 0.5 * (series.frames.shape[1] - 1) * geometry.spacing_mm[0]
    right = 0.5 * (series.frames.shape[2] - 1) * geometry.spacing_mm[1]
    x, y, z = (
        origin + down * column + right * row
        for origin, column, row in zip(
            geometry.origin_mm, geometry.column_direction, geometry.row_direction, strict=True
        )
    )
    return (x, y, z)


def _shrinking(
    slices: Sequence[ImageSeries],
    masks: Sequence[HeartMasks | None],
    places: Sequence[float | None],
) -> float:
    """Return how much the ventricles shrink with growing place: sum of logarithms of areas."""
    seen = [
        (place, _left_log(mask, series.geometry), _right_log(mask, series.geometry))
        for series, mask, place in zip(slices, masks, places, strict=True)
        if mask is not None and place is not None and bool(mask.myocardium.any())
    ]
    if len(seen) < 2:
        return 0.0
    at = [place for place, _, _ in seen]
    left = _fall(at, [size for _, size, _ in seen])
    right = _fall(at, [size for _, _, size in seen])
    return left + _RIGHT_WEIGHT * max(-1.0, min(1.0, right))


def _left_log(masks: HeartMasks, geometry: Geometry) -> float:
    n_pixels = int((masks.myocardium | masks.left_ventricle).sum())
    return math.log(n_pixels * math.prod(geometry.spacing_mm))


def _right_log(masks: HeartMasks, geometry: Geometry) -> float:
    n_pixels = 0 if masks.right_ventricle is None else int(masks.right_ventricle.sum())
    return math.log(n_pixels * math.prod(geometry.spacing_mm) + _MIN_RIGHT_MM2)


def _fall(place: Sequence[float], size: Sequence[float]) -> float:
    """Return how much a straight line through the sizes falls from first to last place."""
    middle = sum(place) / len(place)
    spread = sum((at - middle) ** 2 for at in place)
    if spread < _SAME_PLACE_MM**2:
        return 0.0
    slope = sum((at - middle) * value for at, value in zip(place, size, strict=True)) / spread
    return -slope * (max(place) - min(place))
