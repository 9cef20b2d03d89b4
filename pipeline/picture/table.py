"""The table of regions: flow with its error, inner and outer half, how much of it is known."""

import math
from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from pipeline.picture.canvas import INK, PAGE_SHAPE, QUIET_INK, RULE, write
from pipeline.picture.colour import TERRITORY_COLOURS, TERRITORY_NAMES
from pipeline.regions import (
    SEGMENT_NAMES,
    SEGMENTS,
    FlowStatistics,
    Layer,
    RegionFlow,
    SliceLevel,
    Territory,
    territory_of,
)

Lookup = Mapping[tuple[str, Layer], FlowStatistics]

_COLUMNS = (
    ("MBF", 204),
    ("± SE", 244),
    ("endo", 286),
    ("epi", 324),
    ("ratio", 368),
    ("valid", 418),
)
"""Heading and where its numbers end, pixels from the left."""
_NUMBER = {"ha": "right", "va": "baseline"}
_ROW_PX = 21
_RULE_PX = 5
_RISE_PX = 13
"""From the top of a row to the line that its text stands on."""


def by_name(regions: Sequence[RegionFlow]) -> Lookup:
    """Return the statistics of each region and layer."""
    return {(region.name, region.layer): region.flow for region in regions}


def draw_table(figure: Figure, left: int, top: int, regions: Sequence[RegionFlow]) -> int:
    """Write the table and return where it ends.

    Parameters
    ----------
    figure
        The page.
    left, top
        Upper left corner, pixels.
    regions
        What was measured; a region that is missing has dashes.

    """
    lookup = by_name(regions)
    top += _RISE_PX
    for heading, right in _COLUMNS:
        write(figure, left + right, top, heading, size=8.5, color=QUIET_INK, **_NUMBER)
    write(figure, left, top, "ml/min/g", size=8.5, color=QUIET_INK, va="baseline")
    top += _ROW_PX
    for group in _groups():
        _draw_rule(figure, left, top - 10)
        top += _RULE_PX
        for name, label, colour in group:
            _write_row(figure, left, top, (label, colour), _cells(lookup, name))
            top += _ROW_PX
    return top - _RISE_PX


def _groups() -> tuple[list[tuple[str, str, str]], ...]:
    """Return name, label and colour of every row: the whole, levels, territories, segments."""
    levels = {SliceLevel.BASAL: "BASE", SliceLevel.MID: "MID", SliceLevel.APICAL: "APEX"}
    return (
        [("global", "GLOBAL", INK)],
        [(level.value, label, INK) for level, label in levels.items()],
        [(one.value, TERRITORY_NAMES[one], TERRITORY_COLOURS[one]) for one in Territory],
        *(
            [
                (SEGMENT_NAMES[number], SEGMENT_NAMES[number], TERRITORY_COLOURS[territory])
                for number, territory in ((one, territory_of(one)) for one in numbers)
            ]
            for numbers in SEGMENTS.values()
        ),
    )


def _write_row(
    figure: Figure, left: int, top: int, label: tuple[str, str], cells: Sequence[str]
) -> None:
    text, colour = label
    is_segment = text[0].isdigit()
    weight = "normal" if is_segment else "bold"
    if colour != INK:
        write(figure, left, top, "■", size=8.5, color=colour, va="baseline")
    write(figure, left + 14, top, text, size=9.0, weight=weight, va="baseline")
    for position, ((_, right), cell) in enumerate(zip(_COLUMNS, cells, strict=True)):
        ink = INK if position == 0 else QUIET_INK
        heavy = "bold" if position == 0 else "normal"
        write(figure, left + right, top, cell, size=9.0, color=ink, weight=heavy, **_NUMBER)


def _cells(lookup: Lookup, name: str) -> tuple[str, ...]:
    whole, endo, epi = (lookup.get((name, layer)) for layer in Layer)
    if whole is None:
        return ("-",) * len(_COLUMNS)
    inner, outer = (math.nan if one is None else one.mean_ml_min_g for one in (endo, epi))
    ratio = inner / outer if outer > 0 else math.nan
    numbers = (whole.mean_ml_min_g, whole.standard_error_ml_min_g, inner, outer, ratio)
    return (
        *(f"{number:.2f}" if math.isfinite(number) else "-" for number in numbers),
        f"{100 * whole.valid_fraction:.0f} %",
    )


def _draw_rule(figure: Figure, left: int, top: int) -> None:
    rows, columns = PAGE_SHAPE
    ends = ((left / columns, (left + _COLUMNS[-1][1]) / columns), (1 - top / rows,) * 2)
    figure.add_artist(Line2D(*ends, color=RULE, linewidth=0.8))
