"""Borders of the wall on a map, in the colours of the coronary territories."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patheffects import withStroke

from pipeline.picture.borders import Borders, Points, trace_borders
from pipeline.picture.colour import TERRITORY_COLOURS, TERRITORY_NAMES
from pipeline.picture.window import Window
from pipeline.regions import SliceSectors
from pipeline.types import HeartMasks

_NO_TERRITORY = "#ffffff"
_HALO = [withStroke(linewidth=2.6, foreground="#000000")]


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
    borders = trace_borders(masks, sectors, spacing_mm)
    if borders is None:
        return
    for piece in borders.pieces:
        colour = TERRITORY_COLOURS[piece.territory] if piece.territory else _NO_TERRITORY
        points = _shift(piece.points, window)
        axes.plot(*points.T, color=colour, linewidth=1.4, path_effects=_HALO)
    for spoke in borders.spokes:
        axes.plot(*_shift(spoke, window).T, color="#ffffff", linewidth=0.7, alpha=0.8)
    _write_territories(axes, borders, window)


def _shift(points: Points, window: Window) -> Points:
    moved = points - (window.columns.start, window.rows.start)
    return np.asarray(moved, dtype=np.float64)


def _write_territories(axes: Axes, borders: Borders, window: Window) -> None:
    for territory, column, row in borders.labels:
        axes.text(
            column - window.columns.start,
            row - window.rows.start,
            TERRITORY_NAMES[territory],
            color=TERRITORY_COLOURS[territory],
            fontsize=9,
            weight="bold",
            ha="center",
            va="center",
            path_effects=_HALO,
            clip_on=True,
        )
