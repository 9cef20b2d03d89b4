"""One map with its scale, its numbers and its origin.

The map lies over the corrected image, with thin contours; the number of every segment stands
outside the wall, its value beside the map.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from pipeline.findings import Grade, grade_of
from pipeline.picture.borders import Borders, trace_borders
from pipeline.picture.canvas import GRADE_COLOURS, QUIET_INK, RULE
from pipeline.picture.colour import TERRITORY_COLOURS, TERRITORY_NAMES
from pipeline.picture.labels import side_letters
from pipeline.picture.overlay import border_lines, draw_lines, lay_over, spoke_lines
from pipeline.picture.paint import paint
from pipeline.picture.panel import Panel, fit_panel
from pipeline.picture.provenance import Provenance, assumed_line, foot_lines
from pipeline.picture.raster import Picture, Raster, Spot, blank, cut_text
from pipeline.picture.scale import ColourScale, ColourTable, colours_of
from pipeline.picture.slices import mean_image
from pipeline.picture.window import heart_window
from pipeline.regions import SEGMENT_NAMES, territory_of
from pipeline.types import Analysis, ImageSeries, SliceAnalysis

MAP_SHAPE = (768, 960)
"""Rows and columns of the picture."""

_HALF_WIDTH_MM = 70.0
_MAP_PX = 616
_LEFT_PX, _TOP_PX, _RIGHT_PX = 24, 84, 936
_GRADE_PX = _LEFT_PX + _MAP_PX
"""Right edge of the verdict: in the corners viewers write name and series over the picture."""
_BAR_PX = (666, 118, 26, 582)
"""Left, top, width and height of the scale bar."""
_READINGS_PX = (770, 84)
_NOTES_PX = 700
"""Where the last line of the notes stands."""
_FOOT_PX = 712
_LINE_PX, _SPOKE_PX = 1.4, 0.9


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A number that stands beside a map."""

    value: float
    standard_error: float
    inner: float
    """Of the inner half of the wall; NaN where there is none."""
    outer: float
    segment: int | None
    """AHA number; None for the whole slice."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MapSubject:
    """One map and where it belongs."""

    values: Float[np.ndarray, "row column"]
    """On the pixels of the slice; NaN shows the image below."""
    scale: ColourScale
    state: str
    """Of the patient; both for a reserve."""
    name: str
    """Of the slice."""
    readings: Sequence[Reading]
    """Of the whole slice first."""
    notes: Sequence[str]
    """Lines that say how to read the numbers."""
    series: ImageSeries
    result: SliceAnalysis


def draw_map(
    subject: MapSubject, analysis: Analysis, provenance: Provenance, table: ColourTable
) -> Picture:
    """Draw one map.

    Parameters
    ----------
    subject
        The map.
    analysis
        What it belongs to: state, verdict, methods.
    provenance
        What is burned into the foot.
    table
        Colours of the map.

    """
    panel = fit_panel(
        heart_window(subject.series, subject.result, _HALF_WIDTH_MM),
        subject.series.geometry.spacing_mm,
        _MAP_PX,
    )
    raster = Raster(blank(*MAP_SHAPE))
    corner = _corner(panel)
    borders = _borders(subject)
    picture = _colour(subject, panel, table)
    if borders is not None:
        lines = [
            *spoke_lines(borders, panel, _SPOKE_PX),
            *border_lines(borders, panel, _LINE_PX),
        ]
        picture = lay_over(draw_lines(panel.n_rows, panel.n_columns, lines)).over(picture)
    raster.paste(corner, picture)
    _write_head(raster, subject, analysis)
    _write_sides(raster, subject, panel, corner)
    _write_numbers(raster, borders, panel, corner)
    _draw_bar(raster, subject.scale, table)
    _write_readings(raster, subject)
    foot = [*foot_lines(analysis, provenance), assumed_line(provenance)]
    for line, text in enumerate(foot):
        shown = cut_text(text, size=10, width=_RIGHT_PX - _LEFT_PX)
        raster.write((_LEFT_PX, _FOOT_PX + 17 * line), shown, size=10, colour=QUIET_INK)
    return raster.picture()


def _corner(panel: Panel) -> tuple[int, int]:
    """Return where a panel stands so that it is in the middle of its place."""
    return (
        _LEFT_PX + (_MAP_PX - panel.n_columns) // 2,
        _TOP_PX + (_MAP_PX - panel.n_rows) // 2,
    )


def _colour(subject: MapSubject, panel: Panel, table: ColourTable) -> Picture:
    """Return the map in colour over the dimmed image."""
    values = panel.enlarge_known(subject.values)
    picture = paint(values, panel.enlarge(mean_image(subject.result)), subject.scale, table)
    return np.asarray(np.rint(255 * picture), dtype=np.uint8)


def _write_head(raster: Raster, subject: MapSubject, analysis: Analysis) -> None:
    word = grade_of(analysis.findings).word
    raster.write((_LEFT_PX, 18), f"{subject.state.upper()}   {subject.name}", size=28, is_bold=True)
    raster.write((_LEFT_PX, 54), subject.scale.title, size=17, colour=QUIET_INK)
    raster.write(
        (_GRADE_PX, 18), word, size=28, colour=GRADE_COLOURS[word], is_bold=True, anchor="ra"
    )
    codes = sorted({str(one.code) for one in analysis.findings if one.grade > Grade.NOTE})
    raster.write((_GRADE_PX, 54), " ".join(codes), size=17, colour=QUIET_INK, anchor="ra")


def _borders(subject: MapSubject) -> Borders | None:
    result = subject.result
    if result.masks is None:
        return None
    return trace_borders(result.masks, result.sectors, subject.series.geometry.spacing_mm)


def _write_sides(
    raster: Raster, subject: MapSubject, panel: Panel, corner: tuple[int, int]
) -> None:
    """Write which side of the patient is where."""
    left, top = corner
    right, bottom = left + panel.n_columns, top + panel.n_rows
    across, down = (left + right) // 2, (top + bottom) // 2
    spots = (
        (left + 8, down, "lm"),
        (across, top + 6, "ma"),
        (right - 8, down, "rm"),
        (across, bottom - 6, "md"),
    )
    letters = side_letters(subject.series.geometry)
    for letter, (x, y, anchor) in zip(letters, spots, strict=True):
        raster.write((x, y), letter, size=20, anchor=anchor, is_outlined=True)


def _write_numbers(
    raster: Raster, borders: Borders | None, panel: Panel, corner: tuple[int, int]
) -> None:
    """Write the AHA numbers outside the wall."""
    for number, column, row in () if borders is None else borders.numbers:
        ((x, y),) = panel.place(np.array([[column, row]])).tolist()
        colour = TERRITORY_COLOURS[territory_of(number)]
        spot = (corner[0] + round(x), corner[1] + round(y))
        raster.write(spot, str(number), size=17, colour=colour, anchor="mm", is_outlined=True)


def _draw_bar(raster: Raster, scale: ColourScale, table: ColourTable) -> None:
    left, top, width, height = _BAR_PX
    raster.fill((left - 1, top - 1), (width + 2, height + 2), RULE)
    part = 1 - (np.arange(height) + 0.5) / height
    column = colours_of(table)[scale.entry(scale.low + part * (scale.high - scale.low))]
    raster.paste((left, top), np.repeat(column[:, None], width, axis=1))
    raster.write((left, _TOP_PX + 4), scale.unit or scale.quantity, size=14)
    for tick in scale.ticks:
        level = top + round(height * (scale.high - tick) / (scale.high - scale.low))
        raster.fill((left + width, level), (7, 1), QUIET_INK)
        text = f"\N{GREATER-THAN OR EQUAL TO} {tick}" if tick == scale.high else str(tick)
        raster.write((left + width + 12, level), text, size=16, anchor="lm")


def _write_readings(raster: Raster, subject: MapSubject) -> None:
    """Write the number of the slice, and those of its segments below."""
    left, top = _READINGS_PX
    n_decimals = subject.scale.n_decimals
    raster.write((left, top), "mean \N{PLUS-MINUS SIGN} standard error", size=13, colour=QUIET_INK)
    top += 28
    for reading in subject.readings:
        value = f"{reading.value:.{n_decimals}f}"
        layers = f"endo {reading.inner:.{n_decimals}f}   epi {reading.outer:.{n_decimals}f}"
        if reading.segment is None:
            error = f"\N{PLUS-MINUS SIGN} {reading.standard_error:.{n_decimals}f}"
            raster.write((left, top), value, size=30, is_bold=True)
            raster.write((_RIGHT_PX, top + 12), error, size=16, colour=QUIET_INK, anchor="ra")
            raster.write((left, top + 42), layers, size=13, colour=QUIET_INK)
            top += 84
        else:
            _write_segment(raster, (left, top), reading.segment, (value, layers))
            top += 46
    for line, text in enumerate(reversed(subject.notes)):
        raster.write((left, _NOTES_PX - 17 * line), text, size=11, colour=QUIET_INK, anchor="ls")


def _write_segment(raster: Raster, spot: Spot, segment: int, texts: tuple[str, str]) -> None:
    left, top = spot
    value, layers = texts
    territory = territory_of(segment)
    raster.fill((left, top + 4), (9, 9), TERRITORY_COLOURS[territory])
    wall = SEGMENT_NAMES[segment].split()[-1]
    raster.write((left + 16, top), f"{segment} {wall}", size=13)
    raster.write((_RIGHT_PX, top - 1), value, size=16, is_bold=True, anchor="ra")
    second = f"{TERRITORY_NAMES[territory]}   {layers}"
    raster.write((left + 16, top + 18), second, size=11, colour=QUIET_INK)
