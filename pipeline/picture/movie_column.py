"""One slice in the movie: original above corrected, and a line through both over all beats."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, UInt8
from PIL import Image

from pipeline.picture.borders import trace_borders
from pipeline.picture.canvas import GRADE_COLOURS
from pipeline.picture.overlay import Caption, Line, Overlay, border_lines, draw_lines, lay_over
from pipeline.picture.panel import Panel, fit_panel
from pipeline.picture.raster import Picture
from pipeline.picture.window import Window, heart_window
from pipeline.types import ImageSeries, SliceAnalysis

_HALF_WIDTH_MM = 65.0
_LINE_PX = 1.2
_UNLIKE = GRADE_COLOURS["REVIEW"]
_GREY_PERCENT = (1.0, 98.5)
"""Of the frames around the heart, shown as black and white."""

Frames = UInt8[np.ndarray, "time r c"]
"""Grey values of the window."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MovieColumn:
    """What is shown of one slice, on one grey scale before and after."""

    name: str
    panel: Panel
    before: Frames
    after: Frames
    is_unlike: Bool[np.ndarray, " time"]
    """Frames that do not fit the others."""
    over_before: Overlay
    """Contours and caption."""
    over_after: Overlay
    over_unlike: Overlay
    """The same for frames that do not fit."""
    size_px: int
    """Width of the strips and longer side of the panels."""

    @property
    def line_px(self) -> float:
        """Where the line runs down the panel, pixels from its left edge."""
        middle = np.array([[_middle(self.panel.window), 0.0]])
        return float(self.panel.place(middle)[0, 0])

    def beat_px(self, frame: int) -> float:
        """Return the middle of a beat on the strips, pixels from their left edge."""
        return (frame + 0.5) * self.size_px / len(self.before)

    def panels(self, frame: int) -> tuple[Picture, Picture]:
        """Return the original and the corrected frame with the same contours over both."""
        size = (self.panel.n_columns, self.panel.n_rows)
        original, corrected = (
            _to_rgb(Image.fromarray(frames[frame]).resize(size, Image.Resampling.BICUBIC))
            for frames in (self.before, self.after)
        )
        note = self.over_unlike if self.is_unlike[frame] else self.over_after
        return self.over_before.over(original), note.over(corrected)

    def strips(self, n_rows: int) -> tuple[Picture, Picture]:
        """Return the line through the heart over all beats, before and after correction."""
        middle = _middle(self.panel.window) - self.panel.window.columns.start
        before, after = (
            _strip(frames[:, :, middle], (n_rows, self.size_px))
            for frames in (self.before, self.after)
        )
        return before, after


def prepare_column(
    series: ImageSeries, result: SliceAnalysis, *, name: str, size_px: int
) -> MovieColumn:
    """Prepare one slice.

    Parameters
    ----------
    series
        The slice as it was received.
    result
        What is known of it.
    name
        Of the slice.
    size_px
        Longer side of a panel, pixels.

    """
    window = heart_window(series, result, _HALF_WIDTH_MM)
    panel = fit_panel(window, series.geometry.spacing_mm, size_px)
    before, after = _grey(series, result, window)
    lines = draw_lines(panel.n_rows, panel.n_columns, _contours(series, result, panel))
    title = Caption(text=name, size=16, is_bold=True)
    below = (
        Caption(text="original", size=13, is_low=True),
        Caption(text="corrected", size=13, is_low=True),
        Caption(text="does not fit", size=13, is_low=True, colour=_UNLIKE),
    )
    over_before, over_after, over_unlike = (lay_over(lines, (title, caption)) for caption in below)
    return MovieColumn(
        name=name,
        panel=panel,
        before=before,
        after=after,
        is_unlike=np.asarray(result.motion.is_unlike, dtype=np.bool_),
        over_before=over_before,
        over_after=over_after,
        over_unlike=over_unlike,
        size_px=size_px,
    )


def _grey(series: ImageSeries, result: SliceAnalysis, window: Window) -> tuple[Frames, Frames]:
    """Return original and corrected frames as grey values of the original around the heart.

    Proton-density frames, much brighter than the rest, have a range of their own.
    """
    before, after = (
        np.asarray(frames[:, window.rows, window.columns], dtype=np.float32)
        for frames in (series.frames, result.motion.frames)
    )
    low, scale = np.zeros(len(before)), np.ones(len(before))
    for part in (slice(0, series.n_proton_density), slice(series.n_proton_density, None)):
        known = before[part][np.isfinite(before[part])]
        if known.size:
            darkest, brightest = np.percentile(known, _GREY_PERCENT)
            low[part], scale[part] = darkest, 255 / max(float(brightest - darkest), 1e-6)
    return _levels(before, low, scale), _levels(after, low, scale)


def _levels(
    frames: Float[np.ndarray, "time r c"],
    low: Float[np.ndarray, " time"],
    scale: Float[np.ndarray, " time"],
) -> Frames:
    """Return grey levels; black where a resampled image has no pixel."""
    grey = (frames - low[:, None, None]) * scale[:, None, None]
    return np.asarray(np.rint(np.nan_to_num(grey, nan=0.0).clip(0, 255)), dtype=np.uint8)


def _contours(series: ImageSeries, result: SliceAnalysis, panel: Panel) -> list[Line]:
    if result.masks is None:
        return []
    borders = trace_borders(result.masks, result.sectors, series.geometry.spacing_mm)
    return [] if borders is None else border_lines(borders, panel, _LINE_PX)


def _middle(window: Window) -> int:
    """Return the column of the line that is drawn over all beats."""
    return int(window.columns.start + window.columns.stop) // 2


def _to_rgb(grey: Image.Image) -> Picture:
    return np.array(grey.convert("RGB"), dtype=np.uint8)


def _strip(line: UInt8[np.ndarray, "time r"], shape: tuple[int, int]) -> Picture:
    """Return a line over all beats, one per column: smooth along the line only."""
    n_rows, n_columns = shape
    tall = Image.fromarray(np.ascontiguousarray(line.T)).resize(
        (len(line), n_rows), Image.Resampling.BICUBIC
    )
    return _to_rgb(tall.resize((n_columns, n_rows), Image.Resampling.NEAREST))
