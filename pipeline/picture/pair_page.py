"""Stress, rest and reserve on one page: maps below each other, bull's-eyes and numbers beside."""

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from jaxtyping import UInt8
from matplotlib.figure import Figure

from pipeline.findings import grade_of
from pipeline.picture.bullseye import Look, draw_bullseye
from pipeline.picture.canvas import QUIET_INK, Place, new_page, place_px, to_rgb, write
from pipeline.picture.curves import plot_curves, plot_intervals
from pipeline.picture.findings import Box, Remark, list_findings
from pipeline.picture.frame import write_foot, write_head
from pipeline.picture.labels import shown_slices, slice_name
from pipeline.picture.paint import draw_bar
from pipeline.picture.provenance import Provenance
from pipeline.picture.scale import FLOW_SCALE, RESERVE_SCALE, ColourScale, ColourTable
from pipeline.picture.slices import SliceView, flow_view, reserve_view, show_nothing, show_slice
from pipeline.picture.table import Column, Table, draw_table, flow_cells, reserve_cells, valid_cells
from pipeline.picture.words import territory_words, with_error
from pipeline.quality.stress import AnalysedExam
from pipeline.regions import Layer, RegionFlow
from pipeline.reserve import RegionReserve, Reserve

_LEFT_PX, _TOP_PX, _MAP_PX, _GAP_PX = 24, 96, 238, 6
_BAR_PX = 768
_RIGHT_PX = 836
_ROUND_PX = 222
_TABLE_PX = 340
_EXPLANATION = (
    "SD: between pixels. %: part with a number; - below half. Pixels next to a border of the wall "
    "do not count."
)
_NOTHING = (math.nan, math.nan)


def draw_pair_page(
    *,
    stress: AnalysedExam,
    rest: AnalysedExam,
    reserve: Reserve,
    provenance: Provenance,
    table: ColourTable = ColourTable.PERFUSION,
) -> UInt8[np.ndarray, "row column 3"]:
    """Draw what both exams of a study say together.

    Parameters
    ----------
    stress, rest
        The exams with their results.
    reserve
        What `pipeline.reserve.compare_states` made of them.
    provenance
        What is burned into the foot of the page.
    table
        Colours of the maps.

    """
    return to_rgb(
        compose_pair_page(
            stress=stress, rest=rest, reserve=reserve, provenance=provenance, table=table
        )
    )


def compose_pair_page(
    *,
    stress: AnalysedExam,
    rest: AnalysedExam,
    reserve: Reserve,
    provenance: Provenance,
    table: ColourTable,
) -> Figure:
    """Put the page together, as `draw_pair_page` renders it."""
    figure = new_page()
    remarks = _remarks(stress, rest, reserve)
    grade = grade_of(remark.finding for remark in remarks)
    write_head(figure, "STRESS / REST PERFUSION", _summary(stress, rest, reserve), grade)
    _draw_maps(figure, stress, rest, reserve, table)
    _draw_bars(figure, table)
    _draw_bullseyes(figure, stress, rest, reserve, table)
    _draw_table(figure, stress, rest, reserve)
    _draw_curves(figure, stress, rest)
    box = Box(left=_RIGHT_PX, top=912, n_lines=4, width=676)
    list_findings(figure, box, remarks)
    write_foot(figure, (stress.analysis, rest.analysis), provenance)
    return figure


def _remarks(stress: AnalysedExam, rest: AnalysedExam, reserve: Reserve) -> list[Remark]:
    """Return what was found, first what this page alone shows."""
    return [
        *(Remark(finding=one, origin="MPR") for one in reserve.findings),
        *(Remark(finding=one, origin="stress") for one in stress.analysis.findings),
        *(Remark(finding=one, origin="rest") for one in rest.analysis.findings),
    ]


def _summary(stress: AnalysedExam, rest: AnalysedExam, reserve: Reserve) -> str:
    """Return the numbers to read first: the whole ventricle, then the reserve of territories."""
    ratios = {
        one.name: (one.reserve, one.standard_error)
        for one in reserve.regions
        if one.layer is Layer.WHOLE
    }
    parts = [
        f"MBF stress {_whole(stress.analysis.regions)}",
        f"rest {_whole(rest.analysis.regions)} ml/min/g",
        f"MPR {with_error(*ratios.get('global', _NOTHING)) or 'not available'}",
    ]
    territories = territory_words(ratios)
    words = f"     MPR:  {territories}" if territories else ""
    return "Global:  " + ",   ".join(parts) + words


def _whole(regions: Sequence[RegionFlow]) -> str:
    found = [one.flow for one in regions if one.name == "global" and one.layer is Layer.WHOLE]
    if not found:
        return "-"
    return with_error(found[0].mean_ml_min_g, found[0].standard_error_ml_min_g) or "-"


def _draw_maps(
    figure: Figure, stress: AnalysedExam, rest: AnalysedExam, reserve: Reserve, table: ColourTable
) -> None:
    """Draw a column per slice: stress, the slice at rest that lies there, their ratio."""
    for column, index in enumerate(shown_slices(len(stress.analysis.slices))):
        above = _flow(stress, index, "STRESS")
        found = reserve.maps[index]
        below = _flow(rest, index if found is None else found.rest_slice, "REST")
        ratio = None if above is None else reserve_view(above, found, "MPR")
        for row, view in enumerate((above, below, ratio)):
            axes = figure.add_axes(_place(row, column))
            if view is None:
                show_nothing(axes, "no slice at rest")
            else:
                show_slice(axes, view, table)


def _flow(one: AnalysedExam, index: int, state: str) -> SliceView | None:
    if index >= len(one.exam.slices):
        return None
    series, result = one.exam.slices[index], one.analysis.slices[index]
    return flow_view(series, result, state, slice_name(index, one.analysis))


def _place(row: int, column: int) -> Place:
    step = _MAP_PX + _GAP_PX
    return place_px(_LEFT_PX + column * step, _TOP_PX + row * step, _MAP_PX, _MAP_PX)


def _draw_bars(figure: Figure, table: ColourTable) -> None:
    """Draw a scale for both rows of flow, and one for the row of reserve."""
    step = _MAP_PX + _GAP_PX
    for top, bottom, scale in (
        (_TOP_PX, _TOP_PX + 2 * step - _GAP_PX, FLOW_SCALE),
        (_TOP_PX + 2 * step, _TOP_PX + 3 * step - _GAP_PX, RESERVE_SCALE),
    ):
        words = [scale.quantity, *([scale.unit] if scale.unit else [])]
        write(figure, _BAR_PX, top, "\n".join(words), size=9.5)
        start = top + 8 + 16 * len(words)
        draw_bar(figure, place_px(_BAR_PX, start, 14, bottom - start), scale, table)


def _draw_bullseyes(
    figure: Figure, stress: AnalysedExam, rest: AnalysedExam, reserve: Reserve, table: ColourTable
) -> None:
    """Draw flow under stress, flow at rest and reserve of the segments side by side."""
    ratios = {
        one.segment: one.reserve
        for one in reserve.regions
        if one.segment is not None and one.layer is Layer.WHOLE
    }
    parts: tuple[tuple[str, dict[int, float], ColourScale], ...] = (
        ("STRESS", _segments(stress.analysis.regions), FLOW_SCALE),
        ("REST", _segments(rest.analysis.regions), FLOW_SCALE),
        ("MPR", ratios, RESERVE_SCALE),
    )
    for position, (title, values, scale) in enumerate(parts):
        left = _RIGHT_PX + position * (_ROUND_PX + 5)
        look: dict[str, Any] = {"size": 11.0, "weight": "bold", "ha": "center"}
        write(figure, left + _ROUND_PX // 2, 84, title, **look)
        axes = figure.add_axes(place_px(left, 104, _ROUND_PX, _ROUND_PX))
        draw_bullseye(axes, values, Look(scale=scale, table=table, letters_pt=9.5, is_plain=True))


def _segments(regions: Sequence[RegionFlow]) -> dict[int, float]:
    return {
        one.segment: one.flow.mean_ml_min_g
        for one in regions
        if one.segment is not None and one.layer is Layer.WHOLE
    }


def _draw_table(figure: Figure, stress: AnalysedExam, rest: AnalysedExam, reserve: Reserve) -> None:
    columns = (
        *_stress_columns(stress.analysis.regions),
        *_rest_columns(rest.analysis.regions),
        *_reserve_columns(reserve.regions),
    )
    groups = (("STRESS", 200, 388), ("REST", 402, 508), ("MPR", 522, 676))
    content = Table(unit="ml/min/g", columns=columns, row_px=20, letters_pt=9.5, groups=groups)
    bottom = draw_table(figure, _RIGHT_PX, _TABLE_PX, content)
    write(figure, _RIGHT_PX, bottom + 5, _EXPLANATION, size=9.0, color=QUIET_INK)


def _stress_columns(regions: Sequence[RegionFlow]) -> Iterator[Column]:
    means = {layer: flow_cells(regions, layer, lambda flow: flow.mean_ml_min_g) for layer in Layer}
    spread = flow_cells(regions, Layer.WHOLE, lambda flow: flow.sd_ml_min_g)
    yield Column(heading="MBF", right_px=232, cells=means[Layer.WHOLE], is_main=True)
    yield Column(heading="SD", right_px=274, cells=spread)
    yield Column(heading="endo", right_px=316, cells=means[Layer.ENDOCARDIAL])
    yield Column(heading="epi", right_px=356, cells=means[Layer.EPICARDIAL])
    yield Column(heading="%", right_px=388, cells=valid_cells(regions))


def _rest_columns(regions: Sequence[RegionFlow]) -> Iterator[Column]:
    mean = flow_cells(regions, Layer.WHOLE, lambda flow: flow.mean_ml_min_g)
    spread = flow_cells(regions, Layer.WHOLE, lambda flow: flow.sd_ml_min_g)
    yield Column(heading="MBF", right_px=436, cells=mean, is_main=True)
    yield Column(heading="SD", right_px=476, cells=spread)
    yield Column(heading="%", right_px=508, cells=valid_cells(regions))


def _reserve_columns(regions: Sequence[RegionReserve]) -> Iterator[Column]:
    ratios = {layer: reserve_cells(regions, layer, lambda one: one.reserve) for layer in Layer}
    error = reserve_cells(regions, Layer.WHOLE, lambda one: one.standard_error)
    yield Column(heading="MPR", right_px=556, cells=ratios[Layer.WHOLE], is_main=True)
    yield Column(heading="± SE", right_px=598, cells=error)
    yield Column(heading="endo", right_px=640, cells=ratios[Layer.ENDOCARDIAL])
    yield Column(heading="epi", right_px=676, cells=ratios[Layer.EPICARDIAL])


def _draw_curves(figure: Figure, stress: AnalysedExam, rest: AnalysedExam) -> None:
    """Draw gadolinium over time of both exams, and the rhythm of both."""
    for left, one, state in ((56, stress, "Stress"), (332, rest, "Rest")):
        axes = figure.add_axes(place_px(left, 862, 216, 124))
        title = f"{state}: gadolinium [mmol/l]"
        plot_curves(axes, one.analysis, title, n_names_across=2)
    axes = figure.add_axes(place_px(616, 862, 186, 124))
    states = {"stress": stress.exam.slices[0], "rest": rest.exam.slices[0]}
    plot_intervals(axes, states, "Time to next frame [s]")
