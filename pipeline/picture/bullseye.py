"""The 16 segments as a bull's-eye: base outside, anterior wall on top, septum on the left."""

import math
from collections.abc import Mapping

from matplotlib.axes import Axes
from matplotlib.patches import Wedge

from pipeline.picture.canvas import QUIET_INK
from pipeline.picture.colour import (
    NO_NUMBER,
    TERRITORY_COLOURS,
    TERRITORY_NAMES,
    flow_colours,
    flow_window,
    ink_on,
)
from pipeline.regions import SEGMENTS, FlowStatistics, SliceLevel, Territory, territory_of

_RINGS = {
    SliceLevel.BASAL: (0.71, 1.0),
    SliceLevel.MID: (0.42, 0.71),
    SliceLevel.APICAL: (0.13, 0.42),
}
_FIRST_MIDDLE_DEG = 90.0
_VESSELS_DEG = {Territory.LAD: 120.0, Territory.RCA: 240.0, Territory.LCX: 338.0}
"""Where the name of a territory stands, clear of the words for the walls."""


def draw_bullseye(axes: Axes, segments: Mapping[int, FlowStatistics]) -> None:
    """Draw flow of the segments with its number in each; grey where there is none.

    Parameters
    ----------
    axes
        A square place on the page.
    segments
        Flow by AHA number; a missing one is grey.

    """
    for level, (inner, outer) in _RINGS.items():
        span = 360.0 / len(SEGMENTS[level])
        for position, number in enumerate(SEGMENTS[level]):
            middle = _FIRST_MIDDLE_DEG + position * span
            found = segments.get(number)
            flow = math.nan if found is None else found.mean_ml_min_g
            _draw_segment(axes, (inner, outer), (middle, span), number, flow)
    for y, text in ((1.11, "anterior"), (-1.11, "inferior")):
        axes.text(0, y, text, color=QUIET_INK, fontsize=8.5, ha="center", va="center")
    for x, text, turn in ((-1.11, "septal", 90), (1.11, "lateral", 270)):
        axes.text(
            x, 0, text, color=QUIET_INK, fontsize=8.5, ha="center", va="center", rotation=turn
        )
    _write_vessels(axes)
    axes.set_xlim(-1.18, 1.18)
    axes.set_ylim(-1.18, 1.18)
    axes.set_aspect("equal")
    axes.set_axis_off()


def _draw_segment(
    axes: Axes,
    ring: tuple[float, float],
    sector_deg: tuple[float, float],
    number: int,
    flow: float,
) -> None:
    inner, outer = ring
    middle, span = sector_deg
    has_number = math.isfinite(flow)
    fill = flow_colours()(flow_window()(flow)) if has_number else NO_NUMBER
    gap = 0.012
    turn = math.degrees(2 * gap / (inner + outer))
    axes.add_patch(
        Wedge(
            (0, 0),
            outer - gap,
            middle - 0.5 * span + turn,
            middle + 0.5 * span - turn,
            width=outer - inner - 2 * gap,
            facecolor=fill,
            edgecolor=TERRITORY_COLOURS[territory_of(number)],
            linewidth=1.8,
        )
    )
    radius = 0.5 * (inner + outer)
    x, y = radius * math.cos(math.radians(middle)), radius * math.sin(math.radians(middle))
    ink = ink_on(flow)
    value = f"{flow:.2f}" if has_number else "-"
    axes.text(
        x, y - 0.035, value, color=ink, fontsize=10.5, weight="bold", ha="center", va="center"
    )
    axes.text(x, y + 0.07, str(number), color=ink, fontsize=7.5, ha="center", va="center")


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
