"""A line through the heart over time, before and after motion correction, with its figures.

Each column of a strip is one beat. Walls that stay in place draw straight bands; breathing draws
waves. Beats that do not fit the others have a yellow mark.
"""

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from pipeline.picture.canvas import GRADE_COLOURS, QUIET_INK, Place
from pipeline.picture.window import Window, heart_window
from pipeline.types import ImageSeries, MotionCorrection, SliceAnalysis

Strip = Float[np.ndarray, "line beat"]

_GAP = 0.02
"""Between the two strips, as a fraction of the width of both."""


def show_motion(figure: Figure, place: Place, result: SliceAnalysis, series: ImageSeries) -> None:
    """Show the strip before (left) and after (right) correction, and how much it gained.

    Parameters
    ----------
    figure
        The page.
    place
        Left, bottom, width and height on the page.
    result
        What is known of the slice.
    series
        The slice as it was received.

    """
    left, bottom, width, height = place
    motion, window = result.motion, heart_window(series, result)
    half = 0.5 * (1 - _GAP) * width
    strips = [_strip(frames, window) for frames in (series.frames, motion.frames)]
    n_marked = int(motion.is_unlike.sum())
    marked = f", {n_marked} marked" if n_marked else ""
    titles = ("before", f"after: {motion.method}{marked}")
    for position, (strip, title) in enumerate(zip(strips, titles, strict=True)):
        axes = figure.add_axes((left + position * (width - half), bottom, half, height))
        _show_strip(axes, strip, series.n_proton_density, title)
        _mark_beats(axes, motion)
    figure.text(
        left, bottom - 0.008, describe(motion), color=QUIET_INK, fontsize=8, va="top", ha="left"
    )


def describe(motion: MotionCorrection) -> str:
    """Return the label-free figures of a correction in one line."""
    quality = motion.quality
    if motion.method == "identity":
        return f"frames as acquired  |  roughness {quality.roughness_before:.3f}"
    ratio = quality.pca_metric_after / max(quality.pca_metric_before, 1e-12)
    parts = (
        f"misalignment x {ratio:.2f}",
        f"roughness {quality.roughness_before:.3f} > {quality.roughness_after:.3f}",
    )
    return "  |  ".join(parts)


def _strip(frames: Float[Tensor, "time row column"], window: Window) -> Strip:
    """Return the middle column of the window in every frame."""
    column = (window.columns.start + window.columns.stop) // 2
    line = np.asarray(frames[:, window.rows, column], dtype=np.float64)
    return np.nan_to_num(line, nan=0.0, posinf=0.0, neginf=0.0).T


def _show_strip(axes: Axes, strip: Strip, n_proton_density: int, title: str) -> None:
    """Show a strip; proton-density frames, much brighter than the rest, keep their own window."""
    scaled = strip.copy()
    for part in (slice(0, n_proton_density), slice(n_proton_density, None)):
        beats = strip[:, part]
        if beats.size:
            low, high = np.percentile(beats, [1, 99.5])
            scaled[:, part] = (beats - low) / max(float(high - low), 1e-6)
    axes.imshow(scaled, cmap="gray", aspect="auto", vmin=0, vmax=1, interpolation="nearest")
    axes.set_axis_off()
    axes.set_title(title, color=QUIET_INK, fontsize=8.5, pad=3, y=1.0)


def _mark_beats(axes: Axes, motion: MotionCorrection) -> None:
    """Put a mark under every beat that does not fit the others."""
    beats = np.flatnonzero(np.asarray(motion.is_unlike))
    if beats.size:
        bottom = axes.get_ylim()[0]
        axes.plot(
            beats,
            np.full(beats.size, bottom),
            linestyle="none",
            marker="^",
            markersize=3.5,
            color=GRADE_COLOURS["REVIEW"],
            clip_on=False,
        )
