"""One slice on a page: a map with contours over the corrected image."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes

from pipeline.picture.canvas import GRADE_COLOURS, INK, PANEL, QUIET_INK
from pipeline.picture.contours import draw_contours
from pipeline.picture.labels import side_letters
from pipeline.picture.paint import paint
from pipeline.picture.scale import FLOW_SCALE, RESERVE_SCALE, ColourScale, ColourTable
from pipeline.picture.window import heart_window
from pipeline.reserve import ReserveMap
from pipeline.types import FlowMap, HeartMasks, ImageSeries, SliceAnalysis

Map = Float[np.ndarray, "row column"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SliceView:
    """What is shown of a slice."""

    series: ImageSeries
    result: SliceAnalysis
    values: Map | None
    """None where there is no map."""
    scale: ColourScale
    name: str
    """Upper left."""
    level: str = ""
    """Upper right."""
    note: str = ""
    """At the bottom."""


def flow_view(series: ImageSeries, result: SliceAnalysis, name: str, level: str = "") -> SliceView:
    """Return the view of the flow of a slice."""
    values = None if result.flow is None else flow_of_tissue(result.flow, result.masks)
    return SliceView(
        series=series, result=result, values=values, scale=FLOW_SCALE, name=name, level=level
    )


def reserve_view(view: SliceView, found: ReserveMap | None, name: str) -> SliceView:
    """Return the view of the reserve of the slice whose flow under stress another view shows."""
    reserve = replace(view, values=None, scale=RESERVE_SCALE, name=name)
    if found is None:
        return reserve
    note = f"walls overlap {found.overlap_dice:.2f}"
    return replace(reserve, values=np.asarray(found.reserve, dtype=np.float64), note=note)


def show_slice(axes: Axes, view: SliceView, table: ColourTable) -> None:
    """Show the map of a slice over its corrected image, with contours and side letters."""
    series, result = view.series, view.result
    window = heart_window(series, result)
    underlay = window.cut(mean_image(result))
    values = np.full_like(underlay, np.nan) if view.values is None else window.cut(view.values)
    row_mm, column_mm = series.geometry.spacing_mm
    image = paint(values, underlay, view.scale, table)
    axes.imshow(image, aspect=row_mm / column_mm, interpolation="nearest")
    if result.masks is not None:
        draw_contours(axes, result.masks, result.sectors, series.geometry.spacing_mm, window)
    axes.set_axis_off()
    _write(axes, (0.02, 0.975), view.name, size=11.5, weight="bold", va="top")
    _write(axes, (0.98, 0.975), view.level, size=11.5, weight="bold", va="top", ha="right")
    _write_note(axes, view)
    _write_sides(axes, series)


def show_nothing(axes: Axes, text: str) -> None:
    """Fill the place of a slice that does not exist."""
    axes.set_facecolor(PANEL)
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(False)
    _write(axes, (0.5, 0.5), text, size=11.5, color=QUIET_INK, ha="center", va="center")


def flow_of_tissue(flow: FlowMap, masks: HeartMasks | None) -> Map:
    """Return the map without the blood pool, whose numbers mean nothing."""
    values = np.asarray(flow.flow_ml_min_g, dtype=np.float64)
    if masks is None:
        return values
    return np.where(np.asarray(masks.left_ventricle, dtype=np.bool_), np.nan, values)


def mean_image(result: SliceAnalysis) -> Map:
    """Return the mean of the later half of the corrected frames: anatomy with contrast."""
    frames = result.motion.frames
    return np.asarray(frames[frames.shape[0] // 2 :].mean(dim=0), dtype=np.float64)


def _write_note(axes: Axes, view: SliceView) -> None:
    place, below = (0.5, 0.02), {"ha": "center", "va": "bottom"}
    if view.values is None:
        text = f"no {view.scale.quantity} map"
        _write(axes, place, text, size=11.5, color=GRADE_COLOURS["REVIEW"], **below)
    else:
        _write(axes, place, view.note, size=9.5, color=QUIET_INK, **below)


def _write_sides(axes: Axes, series: ImageSeries) -> None:
    """Write which side of the patient lies left and on top (DICOM patient axes)."""
    left, top, _, _ = side_letters(series.geometry)
    _write(axes, (0.015, 0.5), left, size=10.5, va="center")
    _write(axes, (0.5, 0.985), top, size=10.5, va="top", ha="center")


def _write(
    axes: Axes,
    spot: tuple[float, float],
    text: str,
    *,
    size: float,
    **style: str,
) -> None:
    look: dict[str, Any] = {"color": INK, **style}
    axes.text(*spot, text, fontsize=size, transform=axes.transAxes, **look)
