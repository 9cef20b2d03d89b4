"""The 16 segments as a bull's-eye: base outside, anterior wall on top, septum on the left."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.patches import Wedge

from pipeline.picture.canvas import QUIET_INK
from pipeline.picture.colour import NO_NUMBER, TERRITORY_COLOURS, TERRITORY_NAMES
from pipeline.picture.paint import colour_of, ink_on
from pipeline.picture.scale import ColourScale, ColourTable
from pipeline.regions import SEGMENTS, SliceLevel, Territory, territory_of

_RINGS = {
    SliceLevel.BASAL: (0.73, 1.0),
    SliceLevel.MID: (0.45, 0.73),
    SliceLevel.APICAL: (0.1, 0.45),
}
_FIRST_MIDDLE_DEG = 90.0
_GAP = 0.012
"""Half the gap between two fields, in radii."""
_VESSELS_DEG = {Territory.LAD: 120.0, Territory.RCA: 240.0, Territory.LCX: 338.0}
"""Where the name of a territory stands, clear of the words for the walls."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How a bull's-eye is drawn."""

    scale: ColourScale
    table: ColourTable
    letters_pt: float
    """Size of the number in a segment."""
    is_plain: bool = False
    """Leaves out what a second bull's-eye beside the first need not repeat: numbers of segments,
    names of walls and vessels."""


def draw_bullseye(axes: Axes, segments: Mapping[int, float], look: Look) -> None:
    """Draw a quantity of the segments with its number in each; grey where there is none.

    Parameters
    ----------
    axes
        A square place on the page.
    segments
        Values by AHA number; a missing one or NaN is grey.
    look
        Scale and size.

    """
    for level, (inner, outer) in _RINGS.items():
        span = 360.0 / len(SEGMENTS[level])
        for position, number in enumerate(SEGMENTS[level]):
            middle = _FIRST_MIDDLE_DEG + position * span
            value = segments.get(number, math.nan)
            _draw_segment(axes, (inner, outer), (middle, span), (number, value), look)
    reach = 1.03 if look.is_plain else 1.18
    axes.set_xlim(-reach, reach)
    axes.set_ylim(-reach, reach)
    axes.set_aspect("equal")
    axes.set_axis_off()
    if not look.is_plain:
        _write_walls(axes)
        _write_vessels(axes)


def _draw_segment(
    axes: Axes,
    ring: tuple[float, float],
    sector_deg: tuple[float, float],
    content: tuple[int, float],
    look: Look,
) -> None:
    """Draw one field: its sector is given by the middle and the span."""
    (inner, outer), (middle, span), (number, value) = ring, sector_deg, content
    has_number = math.isfinite(value)
    fill = colour_of(value, look.scale, look.table) if has_number else to_rgb(NO_NUMBER)
    turn = math.degrees(2 * _GAP / (inner + outer))
    axes.add_patch(
        Wedge(
            (0, 0),
            outer - _GAP,
            middle - 0.5 * span + turn,
            middle + 0.5 * span - turn,
            width=outer - inner - 2 * _GAP,
            facecolor=fill,
            edgecolor=TERRITORY_COLOURS[territory_of(number)],
            linewidth=1.8,
        )
    )
    radius = 0.5 * (inner + outer)
    x, y = radius * math.cos(math.radians(middle)), radius * math.sin(math.radians(middle))
    text = f"{value:.{look.scale.n_decimals}f}" if has_number else "-"
    style: dict[str, Any] = {"color": ink_on(fill), "ha": "center", "va": "center"}
    lower = 0.0 if look.is_plain else 0.045
    axes.text(x, y - lower, text, fontsize=look.letters_pt, weight="bold", **style)
    if not look.is_plain:
        axes.text(x, y + 0.055, str(number), fontsize=8.5, **style)


def _write_walls(axes: Axes) -> None:
    style: dict[str, Any] = {"color": QUIET_INK, "fontsize": 9.5, "ha": "center", "va": "center"}
    for y, text in ((1.11, "anterior"), (-1.11, "inferior")):
        axes.text(0, y, text, **style)
    for x, text, turn in ((-1.11, "septal", 90), (1.11, "lateral", 270)):
        axes.text(x, 0, text, rotation=turn, **style)


def _write_vessels(axes: Axes) -> None:
    for territory, degrees in _VESSELS_DEG.items():
        x, y = 1.14 * math.cos(math.radians(degrees)), 1.14 * math.sin(math.radians(degrees))
        axes.text(
            x,
            y,
            TERRITORY_NAMES[territory],
            color=TERRITORY_COLOURS[territory],
            fontsize=10,
            weight="bold",
            ha="center",
            va="center",
        )
