"""The movie that earns trust in motion correction: original above corrected, beat by beat.

The same contours lie over both: the heart leaves them above and stays inside below. Under each
slice the line between the two marks at the edge of its images is drawn over all beats, before and
after; a cursor runs along with the movie. What does not change is drawn once.
"""

from dataclasses import dataclass

import numpy as np

from pipeline.picture.canvas import GRADE_COLOURS, QUIET_INK
from pipeline.picture.labels import shown_slices, slice_name
from pipeline.picture.movie_column import MovieColumn, prepare_column
from pipeline.picture.provenance import Provenance, foot_lines
from pipeline.picture.raster import Picture, Raster, blank, cut_text
from pipeline.picture.together import Beat, group_beats
from pipeline.types import Analysis, Exam

MOVIE_SHAPE = (728, 768)
"""Rows and columns of a frame."""

_PANEL_PX, _GAP_PX = 236, 12
_PANEL_TOPS_PX = (64, 308)
"""Of the original and the corrected images."""
_STRIP_TOPS_PX = (564, 628)
_STRIP_PX = 58
_HEAD_PX = 60
_FOOT_PX = 694
_MARGIN_PX = 18
_MARK_PX = 9
_MARK, _CURSOR, _EMPTY = (89, 200, 255), (255, 216, 77), 24
"""Colours: of the ends of the line, of the beat that is shown, of a beat without image."""
_UNLIKE = GRADE_COLOURS["REVIEW"]
_MARKS_PX = 687
_EXPLANATION = "contours of the corrected images over both"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Movie:
    """Frames that are composed when they are asked for."""

    positions: tuple[int, ...]
    """The slices that are shown, as numbered in the exam."""
    beats: tuple[Beat, ...]
    columns: tuple[MovieColumn, ...]
    lefts_px: tuple[int, ...]
    """Left edge of each column."""
    background: Picture
    """What is the same in every frame."""
    n_proton_density: int

    @property
    def n_frames(self) -> int:
        """One per beat."""
        return len(self.beats)

    @property
    def intervals_s(self) -> tuple[float, ...]:
        """Time from the frame before to each frame; 0 for the first."""
        times_s = [beat.time_s for beat in self.beats]
        return (0.0, *(float(step) for step in np.diff(times_s)))

    def frame(self, index: int) -> Picture:
        """Compose one frame. Shape `(row, column, 3)`, RGB."""
        picture = self.background.copy()
        frames = self.beats[index].frames
        for column, left, frame in zip(self.columns, self.lefts_px, frames, strict=True):
            if frame is None:
                _show_nothing(picture, column, left)
            else:
                _show_frame(picture, column, left, frame)
        head = Raster(picture[:_HEAD_PX])
        right = MOVIE_SHAPE[1] - _MARGIN_PX
        head.write(
            (right, 12), f"{index + 1} / {self.n_frames}", size=22, is_bold=True, anchor="ra"
        )
        head.write((right, 41), self._describe(index), size=13, colour=QUIET_INK, anchor="ra")
        picture[:_HEAD_PX] = head.picture()
        return picture

    def _describe(self, index: int) -> str:
        time_s = self.beats[index].time_s - self.beats[0].time_s
        parts = ["proton density"] if index < self.n_proton_density else []
        parts += [f"{time_s:.1f} s", f"beat to beat {self.intervals_s[index]:.2f} s"]
        return "    ".join(parts)


def draw_movie(exam: Exam, analysis: Analysis, provenance: Provenance) -> Movie:
    """Prepare the movie of one exam.

    Parameters
    ----------
    exam
        The exam as it was decoded.
    analysis
        Its result; a slice without masks has no contours.
    provenance
        What is burned into the foot.

    """
    shown = shown_slices(len(exam.slices))
    columns = tuple(
        prepare_column(
            exam.slices[index],
            analysis.slices[index],
            name=slice_name(index, analysis),
            size_px=_PANEL_PX,
        )
        for index in shown
    )
    lefts_px = _lefts_px(len(shown))
    raster = Raster(blank(*MOVIE_SHAPE))
    title = f"{analysis.state.upper()}   motion correction"
    raster.write((_MARGIN_PX, 12), title, size=22, is_bold=True)
    raster.write((_MARGIN_PX, 41), _EXPLANATION, size=13, colour=QUIET_INK)
    who, _ = foot_lines(analysis, provenance)  # flow is not shown: its methods are left out
    for line, text in enumerate((who, f"motion: {provenance.motion}")):
        shown_text = cut_text(text, size=10, width=MOVIE_SHAPE[1] - 2 * _MARGIN_PX)
        raster.write((_MARGIN_PX, _FOOT_PX + 15 * line), shown_text, size=10, colour=QUIET_INK)
    for column, left in zip(columns, lefts_px, strict=True):
        _draw_strips(raster, column, left)
    return Movie(
        positions=shown,
        beats=group_beats([exam.slices[index].time_s.tolist() for index in shown]),
        columns=columns,
        lefts_px=lefts_px,
        background=raster.picture(),
        n_proton_density=exam.slices[shown[0]].n_proton_density,
    )


def _lefts_px(n_columns: int) -> tuple[int, ...]:
    """Return where the columns begin so that they stand in the middle."""
    step = _PANEL_PX + _GAP_PX
    first = (MOVIE_SHAPE[1] - n_columns * step + _GAP_PX) // 2
    return tuple(first + position * step for position in range(n_columns))


def _draw_strips(raster: Raster, column: MovieColumn, left: int) -> None:
    """Draw the line over all beats, before and after, with marks at beats that do not fit."""
    texts = ("before", "after")
    for top, strip, text in zip(_STRIP_TOPS_PX, column.strips(_STRIP_PX), texts, strict=True):
        raster.paste((left, top), strip)
        spot = (left + 5, top + _STRIP_PX - 4)
        raster.write(spot, text, size=12, anchor="ls", is_outlined=True)
    for frame in np.flatnonzero(column.is_unlike).tolist():
        middle = left + round(column.beat_px(frame))
        for rise in range(5):
            raster.fill((middle - rise, _MARKS_PX + rise), (2 * rise + 1, 1), _UNLIKE)


def _show_frame(picture: Picture, column: MovieColumn, left: int, frame: int) -> None:
    """Show one beat of one slice, and where it is in the strips."""
    spot = left + round(column.beat_px(frame))
    for top in _STRIP_TOPS_PX:
        picture[top : top + _STRIP_PX, spot] = _CURSOR
    panel = column.panel
    first = left + (_PANEL_PX - panel.n_columns) // 2
    mark = first + round(column.line_px)
    for place, image in zip(_PANEL_TOPS_PX, column.panels(frame), strict=True):
        top = place + (_PANEL_PX - panel.n_rows) // 2
        bottom = top + panel.n_rows
        picture[top:bottom, first : first + panel.n_columns] = image
        picture[top : top + _MARK_PX, mark : mark + 2] = _MARK
        picture[bottom - _MARK_PX : bottom, mark : mark + 2] = _MARK


def _show_nothing(picture: Picture, column: MovieColumn, left: int) -> None:
    """Say that a slice was not imaged in a beat."""
    for top in _PANEL_TOPS_PX:
        empty = Raster(np.full((_PANEL_PX, _PANEL_PX, 3), _EMPTY, dtype=np.uint8))
        middle = (_PANEL_PX // 2, _PANEL_PX // 2)
        text = f"{column.name}: not imaged"
        empty.write(middle, text, size=14, colour=QUIET_INK, anchor="mm")
        picture[top : top + _PANEL_PX, left : left + _PANEL_PX] = empty.picture()
