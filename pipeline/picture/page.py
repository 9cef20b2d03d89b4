"""The one-look page of an exam: maps, colour bar, curves, motion before and after, findings."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8
from matplotlib.cm import ScalarMappable
from matplotlib.figure import Figure

from pipeline.findings import grade_of
from pipeline.picture.canvas import (
    GRADE_COLOURS,
    INK,
    PAGE_SHAPE,
    QUIET_INK,
    new_page,
    to_rgb,
)
from pipeline.picture.colour import FLOW_WINDOW_ML_MIN_G, flow_colours, flow_window
from pipeline.picture.curves import plot_curves, plot_intervals
from pipeline.picture.findings import list_findings
from pipeline.picture.profile import show_motion
from pipeline.picture.slices import show_slice
from pipeline.types import Analysis, Exam

__all__ = ["PAGE_SHAPE", "Provenance", "draw_page"]

_MAX_SLICES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """What produced the page; burned into it."""

    software: str
    created: str
    label: str
    """Research-use wording."""
    motion: str
    """Methods of motion correction and the networks they used."""


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
    shown = _shown(len(exam.slices))
    for panel, index in enumerate(shown):
        left = 0.02 + 0.285 * panel
        show_slice(
            figure.add_axes((left, 0.47, 0.275, 0.40)),
            exam.slices[index],
            analysis.slices[index],
            name=_slice_name(index, len(exam.slices)),
        )
        show_motion(figure, (left, 0.315, 0.275, 0.13), analysis.slices[index], exam.slices[index])
    _draw_colour_bar(figure)
    plot_curves(figure.add_axes((0.055, 0.095, 0.33, 0.165)), analysis)
    plot_intervals(figure.add_axes((0.445, 0.095, 0.16, 0.165)), exam.slices[0])
    list_findings(figure, (0.635, 0.275), analysis.findings)
    _write_foot(figure, analysis, provenance)
    return to_rgb(figure)


def _shown(n_slices: int) -> tuple[int, ...]:
    """Return the slices that fit on the page: all, or the first, a middle and the last."""
    if n_slices <= _MAX_SLICES:
        return tuple(range(n_slices))
    return (0, n_slices // 2, n_slices - 1)


def _slice_name(index: int, n_slices: int) -> str:
    names = {3: ("BASE", "MID", "APEX"), 1: ("SLICE",)}.get(n_slices)
    return names[index] if names else f"SLICE {index + 1}"


def _write_head(figure: Figure, analysis: Analysis) -> None:
    word = grade_of(analysis.findings).word
    title = f"{analysis.state.upper()} PERFUSION   MBF [ml/min/g]"
    figure.text(0.02, 0.945, title, color=INK, fontsize=16, weight="bold")
    figure.text(0.02, 0.91, _summary(analysis), color=QUIET_INK, fontsize=10)
    figure.text(
        0.98, 0.945, word, color=GRADE_COLOURS[word], fontsize=16, weight="bold", ha="right"
    )


def _summary(analysis: Analysis) -> str:
    parts = []
    for index, result in enumerate(analysis.slices):
        if result.flow is None or result.masks is None:
            continue
        values = result.flow.flow_ml_min_g[result.masks.myocardium]
        values = values[values.isfinite()]
        if values.numel():
            name = _slice_name(index, len(analysis.slices)).lower()
            spread = float(values.std(correction=0))
            parts.append(f"{name} {float(values.mean()):.2f} ± {spread:.2f}")
    return "Mean MBF of the myocardium: " + (", ".join(parts) if parts else "not available")


def _draw_colour_bar(figure: Figure) -> None:
    axes = figure.add_axes((0.895, 0.49, 0.018, 0.36))
    bar = figure.colorbar(ScalarMappable(flow_window(), flow_colours()), cax=axes)
    low, high = FLOW_WINDOW_ML_MIN_G
    bar.set_ticks([float(tick) for tick in np.arange(low, high + 1)])
    bar.ax.tick_params(colors=INK, labelsize=9)
    bar.outline.set_edgecolor("#39424a")
    figure.text(0.895, 0.865, "ml/min/g", color=INK, fontsize=9)


def _write_foot(figure: Figure, analysis: Analysis, provenance: Provenance) -> None:
    source = analysis.arterial_input.source if analysis.arterial_input else "none"
    lines = (
        f"{provenance.label}   |   {provenance.software}   |   {provenance.created}",
        f"motion: {provenance.motion}   |   arterial input: {source}",
    )
    for height, text in zip((0.030, 0.010), lines, strict=True):
        figure.text(0.02, height, text, color=QUIET_INK, fontsize=7.5)
