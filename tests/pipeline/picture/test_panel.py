"""Enlarging a part of a slice: places agree, and nothing gets a number that had none."""

import numpy as np
import pytest

from pipeline.picture.overlay import Caption, draw_lines, lay_over
from pipeline.picture.panel import fit_panel
from pipeline.picture.window import Window

WINDOW = Window(rows=slice(4, 24), columns=slice(10, 40))
PANEL = fit_panel(WINDOW, (2.0, 2.0), 300)


def test_pixels_are_square_and_the_longer_side_fits() -> None:
    assert (PANEL.n_rows, PANEL.n_columns) == (200, 300)
    tall = fit_panel(WINDOW, (6.0, 2.0), 240)
    assert (tall.n_rows, tall.n_columns) == (240, 120)


def test_a_point_lies_where_its_pixel_is_shown() -> None:
    """On a ramp the value at a placed point is that of the pixel it came from."""
    row, column = np.mgrid[0:30, 0:50].astype(np.float64)
    points = np.array([[12.0, 6.0], [25.0, 14.5], [37.0, 21.0]])
    at = PANEL.place(points).astype(int)
    assert PANEL.enlarge(column)[at[:, 1], at[:, 0]] == pytest.approx(points[:, 0], abs=0.06)
    assert PANEL.enlarge(row)[at[:, 1], at[:, 0]] == pytest.approx(points[:, 1], abs=0.06)


def test_values_stay_and_what_is_unknown_stays_unknown() -> None:
    values = np.full((30, 50), np.nan)
    values[8:16, 20:30] = 2.5
    shown = PANEL.enlarge_known(values)
    known = np.isfinite(shown)
    assert shown[known] == pytest.approx(2.5)
    # The area is that of the known pixels, to the corners that are rounded.
    assert known.sum() == pytest.approx(8 * 10 * 100, rel=0.02)
    assert not np.isfinite(PANEL.enlarge_known(np.full((30, 50), np.nan))).any()


def test_lines_lie_over_the_image_and_nowhere_else() -> None:
    image = np.full((60, 80, 3), 40, dtype=np.uint8)
    line = np.array([[10.0, 30.0], [70.0, 30.0]])
    result = lay_over(draw_lines(60, 80, [(line, "#ff0000", 4.0)])).over(image)
    assert result[30, 40].tolist() == [255, 0, 0]
    changed = (result != image).any(axis=2)
    assert changed[27:34, 8:73].sum() == changed.sum() > 200
    assert (image == 40).all()


def test_captions_stand_at_the_left_edge() -> None:
    image = np.zeros((80, 160, 3), dtype=np.uint8)
    caption = Caption(text="original", size=13, is_low=True)
    changed = lay_over(draw_lines(80, 160, []), [caption]).over(image).any(axis=2)
    assert changed[60:, :80].sum() == changed.sum() > 50
