"""The table of regions: a row for each, columns of numbers, rules between the groups."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

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
from pipeline.reserve import RegionReserve

Lookup = Mapping[tuple[str, Layer], FlowStatistics]

_NUMBER: dict[str, Any] = {"ha": "right", "va": "baseline"}
_VESSEL_PX = 158
_RISE_PX = 14
"""From the top of a row to the line that its text stands on."""
_RULE_PX = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of numbers."""

    heading: str
    right_px: int
    """Where its numbers end, from the left of the table."""
    cells: Mapping[str, str]
    """By name of the region; a missing one is a dash."""
    is_main: bool = False
    """Stands out: what a reader looks for first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """What is written, and how large."""

    unit: str
    columns: tuple[Column, ...]
    row_px: int
    letters_pt: float
    groups: tuple[tuple[str, int, int], ...] = ()
    """Titles above some columns: text, left and right end, pixels from the left."""


def by_name(regions: Sequence[RegionFlow]) -> Lookup:
    """Return the statistics of each region and layer."""
    return {(region.name, region.layer): region.flow for region in regions}


def flow_cells(
    regions: Sequence[RegionFlow], layer: Layer, read: Callable[[FlowStatistics], float]
) -> Mapping[str, str]:
    """Return a number of each region in words, two decimals."""
    return {one.name: number(read(one.flow)) for one in regions if one.layer is layer}


def ratio_cells(regions: Sequence[RegionFlow]) -> Mapping[str, str]:
    """Return flow of the inner over that of the outer half of each region."""
    lookup = by_name(regions)
    found = {}
    for name in {one.name for one in regions}:
        inner, outer = (
            _mean(lookup.get((name, layer))) for layer in (Layer.ENDOCARDIAL, Layer.EPICARDIAL)
        )
        found[name] = number(inner / outer if outer > 0 else math.nan)
    return found


def valid_cells(regions: Sequence[RegionFlow]) -> Mapping[str, str]:
    """Return how much of each region has a number, per cent."""
    return {
        one.name: f"{100 * one.flow.valid_fraction:.0f}"
        for one in regions
        if one.layer is Layer.WHOLE
    }


def reserve_cells(
    regions: Sequence[RegionReserve], layer: Layer, read: Callable[[RegionReserve], float]
) -> Mapping[str, str]:
    """Return a number of the reserve of each region in words, two decimals."""
    return {one.name: number(read(one)) for one in regions if one.layer is layer}


def number(value: float) -> str:
    """Return a number as the table writes it."""
    return f"{value:.2f}" if math.isfinite(value) else "-"


def draw_table(figure: Figure, left: int, top: int, table: Table) -> int:
    """Write the table and return where it ends.

    Parameters
    ----------
    figure
        The page.
    left, top
        Upper left corner, pixels.
    table
        Its columns; a region that is missing in one has a dash.

    """
    top += _RISE_PX
    if table.groups:
        _write_groups(figure, left, top, table)
        top += table.row_px
    for column in table.columns:
        style: dict[str, Any] = {"size": table.letters_pt - 0.5, "color": QUIET_INK, **_NUMBER}
        write(figure, left + column.right_px, top, column.heading, **style)
    write(
        figure, left, top, table.unit, size=table.letters_pt - 0.5, color=QUIET_INK, va="baseline"
    )
    top += table.row_px
    for group in _groups():
        _draw_rule(figure, (left, left + table.columns[-1].right_px), top - _RISE_PX)
        top += _RULE_PX
        for name, label, territory in group:
            _write_row(figure, left, top, (name, label, territory), table)
            top += table.row_px
    return top - _RISE_PX


def _groups() -> tuple[list[tuple[str, str, Territory | None]], ...]:
    """Return name, label and territory of every row: the whole, levels, territories, segments."""
    levels = {SliceLevel.BASAL: "BASE", SliceLevel.MID: "MID", SliceLevel.APICAL: "APEX"}
    return (
        [("global", "GLOBAL", None)],
        [(level.value, label, None) for level, label in levels.items()],
        [(one.value, "territory", one) for one in Territory],
        *([_segment_row(each) for each in numbers] for numbers in SEGMENTS.values()),
    )


def _segment_row(segment: int) -> tuple[str, str, Territory | None]:
    name = SEGMENT_NAMES[segment]
    return name, name, territory_of(segment)


def _write_groups(figure: Figure, left: int, top: int, table: Table) -> None:
    for text, start, stop in table.groups:
        middle = left + (start + stop) // 2
        size = table.letters_pt + 0.5
        write(figure, middle, top, text, size=size, weight="bold", ha="center", va="baseline")
        _draw_rule(figure, (left + start, left + stop), top + 5)


def _write_row(
    figure: Figure, left: int, top: int, row: tuple[str, str, Territory | None], table: Table
) -> None:
    name, label, territory = row
    size = table.letters_pt
    weight = "normal" if label[0].isdigit() else "bold"
    write(figure, left, top, label, size=size, weight=weight, va="baseline")
    if territory is not None:
        look: dict[str, Any] = {
            "color": TERRITORY_COLOURS[territory],
            "weight": "bold",
            "va": "baseline",
        }
        write(figure, left + _VESSEL_PX, top, TERRITORY_NAMES[territory], size=size, **look)
    for column in table.columns:
        ink, heavy = (INK, "bold") if column.is_main else (QUIET_INK, "normal")
        cell = column.cells.get(name, "-")
        style: dict[str, Any] = {"size": size, "color": ink, "weight": heavy, **_NUMBER}
        write(figure, left + column.right_px, top, cell, **style)


def _draw_rule(figure: Figure, ends_px: tuple[int, int], top: int) -> None:
    rows, columns = PAGE_SHAPE
    ends = ((ends_px[0] / columns, ends_px[1] / columns), (1 - top / rows,) * 2)
    figure.add_artist(Line2D(*ends, color=RULE, linewidth=0.8))


def _mean(flow: FlowStatistics | None) -> float:
    return math.nan if flow is None else flow.mean_ml_min_g
