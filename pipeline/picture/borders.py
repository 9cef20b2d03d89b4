"""Borders of the wall as lines, each piece in the coronary territory it belongs to."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from pipeline.regions import TERRITORIES, SliceSectors, Territory, territory_of
from pipeline.segment.wall import Wall, trace_wall
from pipeline.types import HeartMasks

_N_POINTS = 360
_LABEL_MM = 6.0

Points = Float[np.ndarray, "point xy"]
"""Column and row in pixels of the slice; whole numbers are the middle of a pixel."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Piece:
    """A part of the endocardium or epicardium."""

    points: Points
    territory: Territory | None
    """None where no segment is known."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Borders:
    """The lines that are drawn on a slice."""

    pieces: tuple[Piece, ...]
    """Both borders, all around."""
    spokes: tuple[Points, ...]
    """Borders between segments, from the endocardium to the epicardium."""
    labels: tuple[tuple[Territory, float, float], ...]
    """Where the name of a territory stands: column and row, outside the middle of its arc."""
    numbers: tuple[tuple[int, float, float], ...]
    """The same for the AHA number of each segment."""


def trace_borders(
    masks: HeartMasks, sectors: SliceSectors | None, spacing_mm: tuple[float, float]
) -> Borders | None:
    """Return the borders of the wall of one slice, None without a wall.

    Parameters
    ----------
    masks
        Wall of the slice.
    sectors
        Its segments; without them no piece has a territory.
    spacing_mm
        Row and column spacing, mm.

    """
    wall = trace_wall(masks, spacing_mm)
    if wall is None:
        return None
    angle = np.linspace(0, 2 * math.pi, _N_POINTS, endpoint=False)
    segment = np.zeros(_N_POINTS, dtype=np.int64)
    if sectors is not None:
        segment = _segment_at(wall, sectors, angle)
    borders = [np.asarray(border, dtype=np.float64) for border in (wall.inner_mm, wall.outer_mm)]
    inner, outer = (_points(wall, _radius(border, angle), angle) for border in borders)
    changes = np.flatnonzero((segment != np.roll(segment, 1)) & (segment > 0))
    return Borders(
        pieces=(*_pieces(inner, segment), *_pieces(outer, segment)),
        spokes=tuple(np.stack([inner[at], outer[at]]) for at in changes),
        labels=tuple(
            (territory, *_outside(wall, angle[np.isin(segment, TERRITORIES[territory])]))
            for territory in Territory
            if np.isin(segment, TERRITORIES[territory]).any()
        ),
        numbers=tuple(
            (number, *_outside(wall, angle[segment == number]))
            for number in np.unique(segment[segment > 0]).tolist()
        ),
    )


def _segment_at(
    wall: Wall, sectors: SliceSectors, angle: Float[np.ndarray, " angle"]
) -> Int[np.ndarray, " angle"]:
    """Return the AHA number in the middle of the wall at each angle, 0 where it is open."""
    numbers = np.asarray(sectors.segment, dtype=np.int64)
    middle = 0.5 * np.asarray(wall.inner_mm + wall.outer_mm, dtype=np.float64)
    place = _points(wall, _radius(middle, angle), angle)
    column = np.clip(place[:, 0].round().astype(np.int64), 0, numbers.shape[1] - 1)
    row = np.clip(place[:, 1].round().astype(np.int64), 0, numbers.shape[0] - 1)
    return np.asarray(numbers[row, column], dtype=np.int64)


def _radius(
    border_mm: Float[np.ndarray, " ray"], angle: Float[np.ndarray, " angle"]
) -> Float[np.ndarray, " angle"]:
    rays = np.linspace(0, 2 * math.pi, len(border_mm), endpoint=False)
    return np.asarray(np.interp(angle, rays, border_mm, period=2 * math.pi), dtype=np.float64)


def _points(
    wall: Wall, radius_mm: Float[np.ndarray, " angle"], angle: Float[np.ndarray, " angle"]
) -> Points:
    row_mm, column_mm = wall.rays.spacing_mm
    row = wall.rays.centre_row + radius_mm * np.sin(angle) / row_mm
    column = wall.rays.centre_column + radius_mm * np.cos(angle) / column_mm
    return np.stack([column, row], axis=1)


def _pieces(points: Points, segment: Int[np.ndarray, " point"]) -> Iterator[Piece]:
    """Divide a closed line, a piece per run of one territory."""
    owners = [_owner(number) for number in segment.tolist()]
    start = 0
    for stop in range(1, _N_POINTS + 1):
        if stop == _N_POINTS or owners[stop] is not owners[start]:
            run = points[np.arange(start, stop + 1) % _N_POINTS]
            yield Piece(points=run, territory=owners[start])
            start = stop


def _outside(wall: Wall, arc: Float[np.ndarray, " angle"]) -> tuple[float, float]:
    """Return column and row outside the middle of an arc."""
    outer = np.asarray(wall.outer_mm, dtype=np.float64) + _LABEL_MM
    middle = np.array([math.atan2(np.sin(arc).sum(), np.cos(arc).sum())])
    ((column, row),) = _points(wall, _radius(outer, middle), middle).tolist()
    return column, row


def _owner(number: int) -> Territory | None:
    return territory_of(number) if number else None
