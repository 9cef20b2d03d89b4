"""The one-look page of an exam: maps, bull's-eye, table, motion before and after, findings."""

import math

import numpy as np
from jaxtyping import UInt8
from matplotlib.cm import ScalarMappable
from matplotlib.figure import Figure

from pipeline.findings import grade_of
from pipeline.picture.bullseye import draw_bullseye
from pipeline.picture.canvas import (
    GRADE_COLOURS,
    INK,
    PAGE_SHAPE,
    QUIET_INK,
    RULE,
    new_page,
    place_px,
    to_rgb,
    write,
)
from pipeline.picture.colour import (
    FLOW_WINDOW_ML_MIN_G,
    TERRITORY_NAMES,
    flow_colours,
    flow_window,
)
from pipeline.picture.curves import plot_curves, plot_intervals
from pipeline.picture.findings import list_findings
from pipeline.picture.labels import slice_name
from pipeline.picture.profile import show_motion
from pipeline.picture.provenance import Provenance, foot_lines
from pipeline.picture.slices import show_slice
from pipeline.picture.table import by_name, draw_table
from pipeline.regions import Layer
from pipeline.types import Analysis, Exam

__all__ = ["PAGE_SHAPE", "Provenance", "draw_page"]

_MAX_SLICES = 3
_LEFT_PX, _TOP_PX, _MAP_PX, _GAP_PX = 24, 100, 326, 12
_TABLE_PX, _RIGHT_PX = 1094, 1512
_EXPLANATION = (
    "AHA segments start from the middle of the septum, between both\n"
    "attachments of the right ventricle. Usual territories. Pixels next\n"
    "to a border of the wall are not counted. ratio: endo / epi.\n"
    "Grey or -: less than half of the region has a number."
)


def draw_page(
    exam: Exam, analysis: Analysis, provenance: Provenance
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

    """
    figure = new_page()
    _write_head(figure, analysis)
    for panel, index in enumerate(_shown(len(exam.slices))):
        result, series = analysis.slices[index], exam.slices[index]
        left = _LEFT_PX + panel * (_MAP_PX + _GAP_PX)
        show_slice(
            figure.add_axes(place_px(left, _TOP_PX, _MAP_PX, _MAP_PX)),
            series,
            result,
            name=slice_name(index, analysis),
        )
        show_motion(figure, place_px(left, 474, _MAP_PX, 96), result, series)
    _draw_colour_bar(figure)
    _draw_regions(figure, analysis)
    plot_curves(figure.add_axes(place_px(70, 648, 500, 150)), analysis)
    plot_intervals(figure.add_axes(place_px(665, 648, 375, 150)), exam.slices[0])
    list_findings(figure, _LEFT_PX, 852, analysis.findings)
    _write_foot(figure, analysis, provenance)
    return to_rgb(figure)


def _shown(n_slices: int) -> tuple[int, ...]:
    """Return the slices that fit on the page: all, or the first, a middle and the last."""
    if n_slices <= _MAX_SLICES:
        return tuple(range(n_slices))
    return (0, n_slices // 2, n_slices - 1)


def _write_head(figure: Figure, analysis: Analysis) -> None:
    word = grade_of(analysis.findings).word
    title = f"{analysis.state.upper()} PERFUSION   MBF [ml/min/g]"
    write(figure, _LEFT_PX, 22, title, size=19.0, weight="bold")
    write(figure, _LEFT_PX, 60, _summary(analysis), size=12.0, color=QUIET_INK)
    write(
        figure, _RIGHT_PX, 22, word, size=21.0, color=GRADE_COLOURS[word], weight="bold", ha="right"
    )


def _summary(analysis: Analysis) -> str:
    """Return the numbers to read first: the whole ventricle and the territories."""
    lookup = by_name(analysis.regions)
    parts = []
    for name, label in (("global", "global"), *TERRITORY_NAMES.items()):
        found = lookup.get((name, Layer.WHOLE))
        if found is not None and math.isfinite(found.mean_ml_min_g):
            error = found.standard_error_ml_min_g
            parts.append(f"{label} {found.mean_ml_min_g:.2f} ± {error:.2f}")
    return "Mean MBF ± standard error: " + (",   ".join(parts) if parts else "not available")


def _draw_regions(figure: Figure, analysis: Analysis) -> None:
    """Draw the bull's-eye and the table below it."""
    segments = {
        region.segment: region.flow
        for region in analysis.regions
        if region.segment is not None and region.layer is Layer.WHOLE
    }
    draw_bullseye(figure.add_axes(place_px(_TABLE_PX + 34, 78, 350, 350)), segments)
    bottom = draw_table(figure, _TABLE_PX, 440, analysis.regions)
    write(figure, _TABLE_PX, bottom + 6, _EXPLANATION, size=8.0, color=QUIET_INK, linespacing=1.35)


def _draw_colour_bar(figure: Figure) -> None:
    axes = figure.add_axes(place_px(1036, _TOP_PX, 16, _MAP_PX))
    bar = figure.colorbar(ScalarMappable(flow_window(), flow_colours()), cax=axes)
    low, high = FLOW_WINDOW_ML_MIN_G
    bar.set_ticks([float(tick) for tick in np.arange(low, high + 1)])
    bar.ax.tick_params(colors=INK, labelsize=9.5)
    bar.outline.set_edgecolor(RULE)


def _write_foot(figure: Figure, analysis: Analysis, provenance: Provenance) -> None:
    for top, text in zip((1038, 1057), foot_lines(analysis, provenance), strict=True):
        write(figure, _LEFT_PX, top, text, size=8.5, color=QUIET_INK)
