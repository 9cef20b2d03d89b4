"""The 16 segments as a bull's-eye: base outside, anterior wall on top, septum on the left."""

import math
from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Wedge

from pipeline.picture.canvas import INK, QUIET_INK
from pipeline.picture.colour import (
    NO_NUMBER,
    TERRITORY_COLOURS,
    TERRITORY_NAMES,
    flow_colours,
    flow_window,
    ink_on,
)
from pipeline.regions import SEGMENTS, FlowStatistics, SliceLevel, territory_of

_RINGS = {
    SliceLevel.BASAL: (0.71, 1.0),
    SliceLevel.MID: (0.42, 0.71),
    SliceLevel.APICAL: (0.13, 0.42),
}
_FIRST_MIDDLE_DEG = 90.0
_SIDES = ((0, 1.11, "anterior"), (0, -1.11, "inferior"))
_VESSELS_DEG = {1: 120.0, 3: 240.0, 6: 0.0}
"""Where the territory of a basal segment has its middle."""


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
    for x, y, text in _SIDES:
        axes.text(x, y, text, color=QUIET_INK, fontsize=8.5, ha="center", va="center")
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
    for number, degrees in _VESSELS_DEG.items():
        territory = territory_of(number)
        x, y = 1.14 * np.cos(np.radians(degrees)), 1.14 * np.sin(np.radians(degrees))
        if number == 6:
            x, y = 1.14 * np.cos(np.radians(-22)), 1.14 * np.sin(np.radians(-22))
        axes.text(
            float(x),
            float(y),
            TERRITORY_NAMES[territory],
            color=TERRITORY_COLOURS.get(territory, INK),
            fontsize=10,
            weight="bold",
            ha="center",
            va="center",
        )
