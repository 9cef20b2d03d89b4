"""The part of a slice that is shown: a square around the left ventricle."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from pipeline.types import ImageSeries, SliceAnalysis

_HALF_WIDTH_MM = 55.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A part of the image, in pixels."""

    rows: slice
    columns: slice

    def cut(self, image: Float[np.ndarray, "row column"]) -> Float[np.ndarray, "r c"]:
        """Return the part of an image."""
        return image[self.rows, self.columns]


def heart_window(
    series: ImageSeries, result: SliceAnalysis, half_width_mm: float = _HALF_WIDTH_MM
) -> Window:
    """Return the part of the slice around the left ventricle, or around the image centre."""
    rows, columns = series.frames.shape[1:]
    centre = (rows / 2, columns / 2)
    if result.masks is not None and bool(result.masks.myocardium.any()):
        centre = _centroid(np.asarray(result.masks.myocardium, dtype=np.bool_))
    row_mm, column_mm = series.geometry.spacing_mm
    return Window(
        rows=_span(centre[0], half_width_mm / row_mm, rows),
        columns=_span(centre[1], half_width_mm / column_mm, columns),
    )


def _centroid(mask: Bool[np.ndarray, "row column"]) -> tuple[float, float]:
    where = np.argwhere(mask).mean(axis=0)
    return float(where[0]), float(where[1])


def _span(centre: float, half: float, length: int) -> slice:
    size = min(round(2 * half), length)
    start = int(np.clip(round(centre - size / 2), 0, length - size))
    return slice(start, start + size)
