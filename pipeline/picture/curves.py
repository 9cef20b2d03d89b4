"""Plots over time: gadolinium in blood and myocardium, and the spacing of the beats."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from pipeline.picture.canvas import INK, QUIET_INK, RULE, style_plot
from pipeline.picture.labels import slice_name
from pipeline.types import Analysis, ImageSeries

_BLOOD_COLOUR = "#ff6b5e"
_SLICE_STYLES = (("#6fb7ff", "-"), ("#6fce8f", "--"), ("#f5c04a", "-."), ("#d98cff", ":"))
"""Line styles tell the slices apart where colours do not."""
_HEADROOM = 1.3
"""Room above the curves, for their names."""
_WIDE_HEADROOM = 1.8
"""Room for two rows of them."""
_BELOW = 0.06
"""Room below 0, as a part of the range: noise before the bolus."""
_RHYTHM_STYLES = (("#6fb7ff", "-"), ("#f5c04a", "--"))
_MINUTE_S = 60.0


def plot_curves(axes: Axes, analysis: Analysis, title: str, *, n_names_across: int = 4) -> None:
    """Plot the arterial input (left axis) and the myocardium of each slice (right axis).

    Parameters
    ----------
    axes
        A place on the page; the right scale stands beside it.
    analysis
        The result of an exam.
    title
        What stands above.
    n_names_across
        How many names of lines fit beside each other.

    """
    style_plot(axes, title, "", "")
    if analysis.arterial_input is not None:
        blood = analysis.arterial_input
        axes.plot(
            blood.time_s,
            blood.concentration_mmol_l,
            color=_BLOOD_COLOUR,
            linewidth=1.6,
            label="blood",
        )
        _set_range(axes, _HEADROOM * float(blood.concentration_mmol_l.max()))
        axes.tick_params(axis="y", colors=_BLOOD_COLOUR)
    tissue = axes.twinx()
    tissue.tick_params(colors=QUIET_INK, labelsize=9)
    for spine in tissue.spines.values():
        spine.set_color(RULE)
    for index, result in enumerate(analysis.slices):
        if result.tissue_time_s is not None and result.tissue_mmol_l is not None:
            colour, dashes = _SLICE_STYLES[index % len(_SLICE_STYLES)]
            look: dict[str, Any] = {"color": colour, "linestyle": dashes, "linewidth": 1.3}
            name = slice_name(index, analysis)
            tissue.plot(result.tissue_time_s, result.tissue_mmol_l, label=name, **look)
    if tissue.lines:
        highest = max(float(np.nanmax(line.get_ydata())) for line in tissue.lines)
        _set_range(tissue, _WIDE_HEADROOM * highest)
    _write_names(axes, tissue, n_across=n_names_across)


def plot_intervals(axes: Axes, states: Mapping[str, ImageSeries], title: str) -> None:
    """Plot the time between frames: a missed or extra beat stands out.

    Parameters
    ----------
    axes
        A place on the page.
    states
        A slice of each exam, by the name that its line has; one without name needs none.
    title
        What stands above.

    """
    style_plot(axes, title, "", "")
    longest = 0.0
    for (name, series), (colour, dashes) in zip(states.items(), _RHYTHM_STYLES, strict=False):
        intervals = np.diff(np.asarray(series.time_s, dtype=np.float64))
        if not intervals.size:
            continue
        rate = _MINUTE_S / float(np.median(intervals))
        label = f"{name} {rate:.0f}/min".strip()
        beats = np.arange(1, intervals.size + 1)
        look: dict[str, Any] = {"color": colour, "linestyle": dashes, "linewidth": 1.3}
        axes.plot(beats, intervals, label=label, **look)
        longest = max(longest, float(intervals.max()))
    room = _HEADROOM if len(states) == 1 else _WIDE_HEADROOM
    _set_range(axes, max(1.2, room * longest))
    _write_names(axes, n_across=1)


def _set_range(axes: Axes, top: float) -> None:
    """Show from a little below 0, with few round numbers."""
    high = top if math.isfinite(top) and top > 0 else 1.0
    axes.set_ylim(-_BELOW * high, high)
    axes.yaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))


def _write_names(*parts: Axes, n_across: int) -> None:
    """Write the names of all lines along the top."""
    lines = [line for part in parts for line in part.lines]
    if not lines:
        return
    legend = parts[-1].legend(
        handles=lines,
        loc="upper right",
        ncols=n_across,
        frameon=False,
        fontsize=9,
        labelcolor=INK,
        handlelength=1.6,
        handletextpad=0.4,
        columnspacing=0.9,
        borderaxespad=0.2,
    )
    legend.set_zorder(5)
