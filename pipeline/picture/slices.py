"""One slice on a page: the map with contours, and an x-t strip before and after correction."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline.picture.canvas import INK, QUIET_INK
from pipeline.picture.colour import colour_flow
from pipeline.types import ImageSeries, SliceAnalysis, Vector

_HALF_WIDTH_MM = 55.0
_LETTERS = (("L", "R"), ("P", "A"), ("H", "F"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A part of the image, in pixels."""

    rows: slice
    columns: slice

    def cut(self, image: Float[np.ndarray, "row column"]) -> Float[np.ndarray, "r c"]:
        """Return the part of an image."""
        return image[self.rows, self.columns]


def show_slice(axes: Axes, series: ImageSeries, result: SliceAnalysis, *, name: str) -> None:
    """Show the flow map of a slice over its corrected image, with contours and side letters."""
    window = _heart_window(series, result)
    underlay = window.cut(_mean_image(result))
    flow = np.full_like(underlay, np.nan)
    if result.flow is not None:
        flow = window.cut(np.asarray(result.flow.flow_ml_min_g, dtype=np.float64))
    row_mm, column_mm = series.geometry.spacing_mm
    axes.imshow(colour_flow(flow, underlay), aspect=row_mm / column_mm, interpolation="nearest")
    if result.masks is not None:
        for mask in (result.masks.myocardium, result.masks.left_ventricle):
            outline = window.cut(np.asarray(mask, dtype=np.float64))
            if outline.any():
                axes.contour(outline, levels=[0.5], colors="#ffffff", linewidths=0.7)
    axes.set_axis_off()
    axes.text(0.02, 0.97, name, color=INK, fontsize=10, va="top", transform=axes.transAxes)
    _write_sides(axes, series)


def show_motion(
    figure: Figure,
    place: tuple[float, float, float, float],
    result: SliceAnalysis,
    series: ImageSeries,
) -> None:
    """Show a line through the heart over time, before (left) and after (right) correction."""
    left, bottom, width, height = place
    window = _heart_window(series, result)
    column = (window.columns.start + window.columns.stop) // 2
    half = 0.49 * width
    pairs = (("before", series.frames), ("after motion correction", result.motion.frames))
    for position, (title, frames) in enumerate(pairs):
        axes = figure.add_axes((left + position * (width - half), bottom, half, height))
        strip = np.asarray(frames[series.n_proton_density :, window.rows, column]).T
        axes.imshow(strip, cmap="gray", aspect="auto", vmax=np.percentile(strip, 99.5) + 1e-6)
        axes.set_axis_off()
        axes.set_title(title, color=QUIET_INK, fontsize=7, pad=2)


def _mean_image(result: SliceAnalysis) -> Float[np.ndarray, "row column"]:
    frames = result.motion.frames
    return np.asarray(frames[frames.shape[0] // 2 :].mean(dim=0), dtype=np.float64)


def _heart_window(series: ImageSeries, result: SliceAnalysis) -> Window:
    """Return the part of the slice around the left ventricle, or around the image centre."""
    rows, columns = series.frames.shape[1:]
    centre = (rows / 2, columns / 2)
    if result.masks is not None and bool(result.masks.myocardium.any()):
        centre = _centroid(np.asarray(result.masks.myocardium, dtype=np.bool_))
    row_mm, column_mm = series.geometry.spacing_mm
    return Window(
        rows=_span(centre[0], _HALF_WIDTH_MM / row_mm, rows),
        columns=_span(centre[1], _HALF_WIDTH_MM / column_mm, columns),
    )


def _centroid(mask: Bool[np.ndarray, "row column"]) -> tuple[float, float]:
    where = np.argwhere(mask).mean(axis=0)
    return float(where[0]), float(where[1])


def _span(centre: float, half: float, length: int) -> slice:
    size = min(round(2 * half), length)
    start = int(np.clip(round(centre - size / 2), 0, length - size))
    return slice(start, start + size)


def _write_sides(axes: Axes, series: ImageSeries) -> None:
    """Write which side of the patient lies left and on top (DICOM patient axes)."""
    geometry = series.geometry
    left = _letter(tuple(-value for value in geometry.row_direction))
    top = _letter(tuple(-value for value in geometry.column_direction))
    axes.text(0.01, 0.5, left, color=INK, fontsize=9, va="center", transform=axes.transAxes)
    axes.text(
        0.5, 0.99, top, color=INK, fontsize=9, va="top", ha="center", transform=axes.transAxes
    )


def _letter(direction: Vector | tuple[float, ...]) -> str:
    axis = int(np.argmax(np.abs(direction)))
    positive, negative = _LETTERS[axis]
    return positive if direction[axis] > 0 else negative
