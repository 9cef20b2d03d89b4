"""The uniform table against CIELAB by a colour management system that is not ours (LittleCMS)."""

import numpy as np
import pytest
from PIL import Image, ImageCms

from pipeline.picture.scale import ColourTable, colours_of
from pipeline.picture.uniform import lab_to_rgb, uniform_colours

ENTRIES = np.linspace(0, 255, 13).round().astype(int)
"""Equal steps, of half a unit of flow each."""


def lab_of(rgb: np.ndarray) -> np.ndarray:
    """Return L*, a*, b* of 8-bit colours, to half a unit."""
    to_lab = ImageCms.buildTransform(
        ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB", 6500), "RGB", "LAB"
    )
    image = ImageCms.applyTransform(Image.fromarray(rgb[None]), to_lab)
    stored = np.asarray(image)[0].astype(np.float64)
    signed = np.where(stored[:, 1:] > 127, stored[:, 1:] - 256, stored[:, 1:])
    return np.column_stack([stored[:, 0] * 100 / 255, signed])


def unevenness(table: np.ndarray) -> float:
    """Return how far lightness is from a straight line over the table, L*."""
    lightness = lab_of(table)[:, 0]
    line = np.linspace(lightness[0], lightness[-1], len(lightness))
    return float(np.abs(lightness - line).max())


def test_lightness_rises_evenly() -> None:
    assert unevenness(uniform_colours()) < 1.5
    assert unevenness(colours_of(ColourTable.PERFUSION)) > 10.0  # why there is another table


def test_every_step_looks_equally_large() -> None:
    steps = np.linalg.norm(np.diff(lab_of(uniform_colours())[ENTRIES], axis=0), axis=1)
    assert steps.max() / steps.min() < 1.25
    usual = lab_of(colours_of(ColourTable.PERFUSION))[ENTRIES]
    usual_steps = np.linalg.norm(np.diff(usual, axis=0), axis=1)
    assert usual_steps.max() / usual_steps.min() > 3


def test_the_screen_has_every_colour() -> None:
    """A colour out of range would be cut, and the table uneven there."""
    assert uniform_colours().shape == (256, 3)
    assert np.abs(np.diff(uniform_colours().astype(int), axis=0)).max() <= 6


def test_colours_of_the_standard() -> None:
    """Black and white of sRGB, a red of known CIELAB values, and a colour of no screen."""
    lab = np.array([[0.0, 0, 0], [100.0, 0, 0], [53.24, 80.09, 67.20], [50.0, -128, 0]])
    rgb = lab_to_rgb(lab)
    assert rgb[:3] == pytest.approx(np.array([[0, 0, 0], [1, 1, 1], [1, 0, 0]]), abs=4e-3)
    assert rgb[3].min() < 0
