"""The one-look page of an exam: maps, bull's-eye, table, motion before and after, findings."""

from typing import Any

import numpy as np
from jaxtyping import UInt8
from matplotlib.figure import Figure

from pipeline.findings import grade_of
from pipeline.picture.bullseye import Look, draw_bullseye
from pipeline.picture.canvas import PAGE_SHAPE, QUIET_INK, new_page, place_px, to_rgb, write
from pipeline.picture.curves import plot_curves, plot_intervals
from pipeline.picture.findings import Box, Remark, list_findings
from pipeline.picture.frame import write_foot, write_head
from pipeline.picture.labels import shown_slices, slice_name
from pipeline.picture.paint import draw_bar
from pipeline.picture.profile import show_motion
from pipeline.picture.provenance import Provenance
from pipeline.picture.scale import FLOW_SCALE, ColourTable
from pipeline.picture.slices import flow_view, show_slice
from pipeline.picture.table import (
    Column,
    Table,
    draw_table,
    flow_cells,
    ratio_cells,
    valid_cells,
)
from pipeline.picture.words import territory_words, with_error
from pipeline.regions import Layer
from pipeline.types import Analysis, Exam

__all__ = ["PAGE_SHAPE", "Provenance", "draw_page"]

_LEFT_PX, _TOP_PX, _MAP_PX, _GAP_PX = 24, 96, 296, 10
_BAR_PX, _TABLE_PX = 944, 1018
_EXPLANATION = (
    "SE: standard error of the mean. SD: between pixels. endo, epi: inner and\n"
    "outer half. ratio: endo / epi. %: part with a number; - below half. Pixels next\n"
    "to a border of the wall are not counted. Segments start from the middle of\n"
    "the septum between both attachments of the right ventricle."
)


def draw_page(
    exam: Exam,
    analysis: Analysis,
    provenance: Provenance,
    table: ColourTable = ColourTable.PERFUSION,
) -> UInt8[np.ndarray, "row column 3"]:
    """Draw the result of one exam.

    Parameters
    ----------
    exam
        The exam as it was decoded.
    analysis
        Its result; missing maps leave their panel with the corrected image only.
    provenance
        What is burned into the foot of the page.
    table
        Colours of the maps.

    """
    return to_rgb(compose_page(exam, analysis, provenance, table))


def compose_page(
    exam: Exam, analysis: Analysis, provenance: Provenance, table: ColourTable
) -> Figure:
    """Put the page together, as `draw_page` renders it."""
    figure = new_page()
    title = f"{analysis.state.upper()} PERFUSION   MBF [ml/min/g]"
    write_head(figure, title, _summary(analysis), grade_of(analysis.findings))
    _draw_slices(figure, exam, analysis, table)
    bar = place_px(_BAR_PX, _TOP_PX, 16, _MAP_PX)
    draw_bar(figure, bar, FLOW_SCALE, table)
    _draw_regions(figure, analysis, table)
    curves = figure.add_axes(place_px(60, 586, 480, 186))
    plot_curves(curves, analysis, "Gadolinium [mmol/l] over time [s]: blood left, muscle right")
    beats = figure.add_axes(place_px(630, 586, 346, 186))
    plot_intervals(beats, {"": exam.slices[0]}, "Time to the next frame [s], frame by frame")
    box = Box(left=_LEFT_PX, top=820, n_lines=9, width=940)
    list_findings(figure, box, [Remark(finding=one) for one in analysis.findings])
    write_foot(figure, (analysis,), provenance)
    return figure


def _summary(analysis: Analysis) -> str:
    """Return the numbers to read first: the whole ventricle and the territories."""
    numbers = {
        one.name: (one.flow.mean_ml_min_g, one.flow.standard_error_ml_min_g)
        for one in analysis.regions
        if one.layer is Layer.WHOLE
    }
    whole = with_error(*numbers.get("global", (float("nan"),) * 2))
    parts = [f"global {whole}" if whole else "", territory_words(numbers)]
    return "Mean MBF ± standard error:  " + (
        ",   ".join(part for part in parts if part) or "not available"
    )


def _draw_slices(figure: Figure, exam: Exam, analysis: Analysis, table: ColourTable) -> None:
    """Draw map and motion of the slices that fit, side by side."""
    for panel, index in enumerate(shown_slices(len(exam.slices))):
        result, series = analysis.slices[index], exam.slices[index]
        left = _LEFT_PX + panel * (_MAP_PX + _GAP_PX)
        view = flow_view(series, result, slice_name(index, analysis))
        show_slice(figure.add_axes(place_px(left, _TOP_PX, _MAP_PX, _MAP_PX)), view, table)
        show_motion(figure, place_px(left, 424, _MAP_PX, 92), result, series)


def _draw_regions(figure: Figure, analysis: Analysis, table: ColourTable) -> None:
    """Draw the bull's-eye and the table below it."""
    regions = analysis.regions
    segments = {
        one.segment: one.flow.mean_ml_min_g
        for one in regions
        if one.segment is not None and one.layer is Layer.WHOLE
    }
    look = Look(scale=FLOW_SCALE, table=table, letters_pt=11.0)
    draw_bullseye(figure.add_axes(place_px(_TABLE_PX + 76, 66, 350, 350)), segments, look)
    whole = Layer.WHOLE
    error = flow_cells(regions, whole, lambda flow: flow.standard_error_ml_min_g)
    means = {layer: flow_cells(regions, layer, lambda flow: flow.mean_ml_min_g) for layer in Layer}
    columns = (
        Column(heading="MBF", right_px=236, cells=means[whole], is_main=True),
        Column(heading="± SE", right_px=280, cells=error),
        Column(
            heading="SD",
            right_px=322,
            cells=flow_cells(regions, whole, lambda flow: flow.sd_ml_min_g),
        ),
        Column(heading="endo", right_px=368, cells=means[Layer.ENDOCARDIAL]),
        Column(heading="epi", right_px=410, cells=means[Layer.EPICARDIAL]),
        Column(heading="ratio", right_px=454, cells=ratio_cells(regions)),
        Column(heading="%", right_px=494, cells=valid_cells(regions)),
    )
    content = Table(unit="ml/min/g", columns=columns, row_px=20, letters_pt=10.0)
    bottom = draw_table(figure, _TABLE_PX, 424, content)
    small: dict[str, Any] = {"size": 9.0, "color": QUIET_INK, "linespacing": 1.3}
    write(figure, _TABLE_PX, bottom + 4, _EXPLANATION, **small)
