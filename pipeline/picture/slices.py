"""One slice on a page: the map with contours over the corrected image."""

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes

from pipeline.picture.canvas import INK
from pipeline.picture.colour import colour_flow
from pipeline.picture.contours import draw_contours
from pipeline.picture.labels import side_letters
from pipeline.picture.window import heart_window
from pipeline.types import FlowMap, HeartMasks, ImageSeries, SliceAnalysis


def show_slice(axes: Axes, series: ImageSeries, result: SliceAnalysis, *, name: str) -> None:
    """Show the flow map of a slice over its corrected image, with contours and side letters."""
    window = heart_window(series, result)
    underlay = window.cut(mean_image(result))
    flow = np.full_like(underlay, np.nan)
    if result.flow is not None:
        flow = window.cut(flow_of_tissue(result.flow, result.masks))
    row_mm, column_mm = series.geometry.spacing_mm
    axes.imshow(colour_flow(flow, underlay), aspect=row_mm / column_mm, interpolation="nearest")
    if result.masks is not None:
        draw_contours(axes, result.masks, result.sectors, series.geometry.spacing_mm, window)
    axes.set_axis_off()
    axes.text(
        0.02, 0.97, name, color=INK, fontsize=12, weight="bold", va="top", transform=axes.transAxes
    )
    _write_sides(axes, series)


def flow_of_tissue(flow: FlowMap, masks: HeartMasks | None) -> Float[np.ndarray, "row column"]:
    """Return the map without the blood pool, whose numbers mean nothing."""
    values = np.asarray(flow.flow_ml_min_g, dtype=np.float64)
    if masks is None:
        return values
    return np.where(np.asarray(masks.left_ventricle, dtype=np.bool_), np.nan, values)


def mean_image(result: SliceAnalysis) -> Float[np.ndarray, "row column"]:
    """Return the mean of the later half of the corrected frames: anatomy with contrast."""
    frames = result.motion.frames
    return np.asarray(frames[frames.shape[0] // 2 :].mean(dim=0), dtype=np.float64)


def _write_sides(axes: Axes, series: ImageSeries) -> None:
    """Write which side of the patient lies left and on top (DICOM patient axes)."""
    left, top, _, _ = side_letters(series.geometry)
    axes.text(0.01, 0.5, left, color=INK, fontsize=10, va="center", transform=axes.transAxes)
    axes.text(
        0.5, 0.99, top, color=INK, fontsize=10, va="top", ha="center", transform=axes.transAxes
    )
