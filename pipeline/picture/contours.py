"""Borders of the wall on a map, in the colours of the coronary territories."""

import math

import numpy as np
from jaxtyping import Float, Int
from matplotlib.axes import Axes
from matplotlib.patheffects import withStroke

from pipeline.picture.colour import TERRITORY_COLOURS, TERRITORY_NAMES
from pipeline.picture.window import Window
from pipeline.regions import SliceSectors, Territory, territory_of
from pipeline.segment.wall import Wall, trace_wall
from pipeline.types import HeartMasks

_N_POINTS = 360
_NO_TERRITORY = "#ffffff"
_LABEL_MM = 6.0
_HALO = [withStroke(linewidth=2.6, foreground="#000000")]

Points = Float[np.ndarray, "point xy"]


def draw_contours(
    axes: Axes,
    masks: HeartMasks,
    sectors: SliceSectors | None,
    spacing_mm: tuple[float, float],
    window: Window,
) -> None:
    """Draw endocardium and epicardium by territory, and the borders between segments.

    Parameters
    ----------
    axes
        Shows the window in pixels.
    masks
        Wall of the slice.
    sectors
        Its segments; without them the contours are white.
    spacing_mm
        Row and column spacing, mm.
    window
        The part of the slice that is shown.

    """
    wall = trace_wall(masks, spacing_mm)
    if wall is None:
        return
    angle = np.linspace(0, 2 * math.pi, _N_POINTS, endpoint=False)
    segment = np.zeros(_N_POINTS, dtype=np.int64)
    if sectors is not None:
        segment = _segment_at(wall, sectors, angle)
    for border in (wall.inner_mm, wall.outer_mm):
        radius = _radius(np.asarray(border, dtype=np.float64), angle)
        _draw_border(axes, _points(wall, radius, angle, window), segment)
    _draw_spokes(axes, wall, angle, segment, window)
    _write_territories(axes, wall, angle, segment, window)


def _segment_at(
    wall: Wall, sectors: SliceSectors, angle: Float[np.ndarray, " angle"]
) -> Int[np.ndarray, " angle"]:
    """Return the AHA number in the middle of the wall at each angle, 0 where it is open."""
    numbers = np.asarray(sectors.segment, dtype=np.int64)
    middle = 0.5 * np.asarray(wall.inner_mm + wall.outer_mm, dtype=np.float64)
    place = _points(wall, _radius(middle, angle), angle, None)
    column = np.clip(place[:, 0].round().astype(np.int64), 0, numbers.shape[1] - 1)
    row = np.clip(place[:, 1].round().astype(np.int64), 0, numbers.shape[0] - 1)
    return np.asarray(numbers[row, column], dtype=np.int64)


def _radius(
    border_mm: Float[np.ndarray, " ray"], angle: Float[np.ndarray, " angle"]
) -> Float[np.ndarray, " angle"]:
    rays = np.linspace(0, 2 * math.pi, len(border_mm), endpoint=False)
    return np.asarray(np.interp(angle, rays, border_mm, period=2 * math.pi), dtype=np.float64)


def _points(
    wall: Wall,
    radius_mm: Float[np.ndarray, " angle"],
    angle: Float[np.ndarray, " angle"],
    window: Window | None,
) -> Points:
    """Return column and row, in pixels of the window."""
    row_mm, column_mm = wall.rays.spacing_mm
    top, left = (0, 0) if window is None else (window.rows.start, window.columns.start)
    row = wall.rays.centre_row + radius_mm * np.sin(angle) / row_mm - top
    column = wall.rays.centre_column + radius_mm * np.cos(angle) / column_mm - left
    return np.stack([column, row], axis=1)


def _draw_border(axes: Axes, points: Points, segment: Int[np.ndarray, " angle"]) -> None:
    """Draw a closed line, a piece per run of one territory."""
    colours = [_colour(number) for number in segment.tolist()]
    start = 0
    for stop in range(1, _N_POINTS + 1):
        if stop == _N_POINTS or colours[stop] != colours[start]:
            piece = points[np.arange(start, stop + 1) % _N_POINTS]
            axes.plot(*piece.T, color=colours[start], linewidth=1.4, path_effects=_HALO)
            start = stop


def _draw_spokes(
    axes: Axes,
    wall: Wall,
    angle: Float[np.ndarray, " angle"],
    segment: Int[np.ndarray, " angle"],
    window: Window,
) -> None:
    """Draw the borders between segments across the wall."""
    changes = np.flatnonzero((segment != np.roll(segment, 1)) & (segment > 0))
    at = angle[changes]
    ends = [
        _points(wall, _radius(np.asarray(border, dtype=np.float64), at), at, window)
        for border in (wall.inner_mm, wall.outer_mm)
    ]
    for inner, outer in zip(*ends, strict=True):
        axes.plot(
            (inner[0], outer[0]), (inner[1], outer[1]), color="#ffffff", linewidth=0.7, alpha=0.8
        )


def _write_territories(
    axes: Axes,
    wall: Wall,
    angle: Float[np.ndarray, " angle"],
    segment: Int[np.ndarray, " angle"],
    window: Window,
) -> None:
    """Write the name of each territory outside the middle of its arc."""
    owner = [territory_of(number) if number else None for number in segment.tolist()]
    outer = np.asarray(wall.outer_mm, dtype=np.float64) + _LABEL_MM
    for territory in Territory:
        arc = angle[[one is territory for one in owner]]
        if not arc.size:
            continue
        middle = np.array([math.atan2(np.sin(arc).sum(), np.cos(arc).sum())])
        ((column, row),) = _points(wall, _radius(outer, middle), middle, window)
        axes.text(
            column,
            row,
            TERRITORY_NAMES[territory],
            color=TERRITORY_COLOURS[territory],
            fontsize=9,
            weight="bold",
            ha="center",
            va="center",
            path_effects=_HALO,
            clip_on=True,
        )


def _colour(number: int) -> str:
    return TERRITORY_COLOURS[territory_of(number)] if number else _NO_TERRITORY
