"""A part of a slice enlarged to a panel of a picture, without a plotting library."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from PIL import Image

from pipeline.picture.borders import Points
from pipeline.picture.window import Window

_HALF_KNOWN = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """A window of a slice and the size it is shown in; pixels are square afterwards."""

    window: Window
    n_rows: int
    n_columns: int

    def enlarge(self, image: Float[np.ndarray, "row column"]) -> Float[np.ndarray, "r c"]:
        """Return the window of an image of the slice, smoothly interpolated."""
        return self._resize(image, Image.Resampling.BICUBIC)

    def enlarge_known(self, values: Float[np.ndarray, "row column"]) -> Float[np.ndarray, "r c"]:
        """Return the window of a map, interpolated between the pixels that have a number.

        Values are interpolated, never colours, and NaN stays NaN: what has no number gets none.
        """
        is_known = np.isfinite(values)
        weight = self._resize(is_known.astype(np.float64), Image.Resampling.BILINEAR)
        total = self._resize(np.where(is_known, values, 0.0), Image.Resampling.BILINEAR)
        is_inside = weight >= _HALF_KNOWN
        return np.where(is_inside, total / np.where(is_inside, weight, 1.0), np.nan)

    def place(self, points: Points) -> Points:
        """Return where points of the slice lie on the panel, pixels from its upper left corner."""
        rows, columns = self.window.rows, self.window.columns
        zoom = (
            self.n_columns / (columns.stop - columns.start),
            self.n_rows / (rows.stop - rows.start),
        )
        moved = (points + 0.5 - (columns.start, rows.start)) * zoom
        return np.asarray(moved, dtype=np.float64)

    def _resize(
        self, image: Float[np.ndarray, "row column"], resampling: Image.Resampling
    ) -> Float[np.ndarray, "r c"]:
        window = np.ascontiguousarray(self.window.cut(image), dtype=np.float32)
        larger = Image.fromarray(window).resize((self.n_columns, self.n_rows), resampling)
        return np.asarray(larger, dtype=np.float64)


def fit_panel(window: Window, spacing_mm: tuple[float, float], size_px: int) -> Panel:
    """Return a panel whose longer side has a given size.

    Parameters
    ----------
    window
        The part of the slice.
    spacing_mm
        Row and column spacing of the slice, mm.
    size_px
        Longer side of the panel, pixels.

    """
    height_mm = (window.rows.stop - window.rows.start) * spacing_mm[0]
    width_mm = (window.columns.stop - window.columns.start) * spacing_mm[1]
    scale = size_px / max(height_mm, width_mm)
    return Panel(
        window=window,
        n_rows=max(1, round(height_mm * scale)),
        n_columns=max(1, round(width_mm * scale)),
    )
