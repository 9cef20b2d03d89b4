"""Plots over time: gadolinium in blood and myocardium, and the spacing of the beats."""

import numpy as np
from matplotlib.axes import Axes

from pipeline.picture.canvas import QUIET_INK, style_plot
from pipeline.types import Analysis, ImageSeries

_SLICE_COLOURS = ("#6fb7ff", "#6fce8f", "#f5c04a", "#d98cff")


def plot_curves(axes: Axes, analysis: Analysis) -> None:
    """Plot the arterial input (left axis) and the myocardium of each slice (right axis)."""
    title = "Gadolinium [mmol/l]: blood red, left scale; muscle of each slice, right scale"
    style_plot(axes, title, "s", "")
    if analysis.arterial_input is not None:
        blood = analysis.arterial_input
        axes.plot(blood.time_s, blood.concentration_mmol_l, color="#ff6b5e", linewidth=1.4)
    tissue = axes.twinx()
    tissue.tick_params(colors=QUIET_INK, labelsize=7)
    for spine in tissue.spines.values():
        spine.set_color("#39424a")
    for index, result in enumerate(analysis.slices):
        if result.tissue_time_s is not None and result.tissue_mmol_l is not None:
            colour = _SLICE_COLOURS[index % len(_SLICE_COLOURS)]
            tissue.plot(result.tissue_time_s, result.tissue_mmol_l, color=colour, linewidth=1.1)


def plot_intervals(axes: Axes, series: ImageSeries) -> None:
    """Plot the time between frames: a missed or extra beat stands out."""
    style_plot(axes, "Beat to beat [s]", "frame", "")
    intervals = np.diff(np.asarray(series.time_s, dtype=np.float64))
    axes.plot(np.arange(1, intervals.size + 1), intervals, color="#6fb7ff", linewidth=1.0)
    if intervals.size:
        axes.set_ylim(0, max(1.2, 1.15 * float(intervals.max())))
