"""The strips over time: what they say, and that no exam breaks them."""

import dataclasses

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure

from pipeline.motion import Method, correct, identity
from pipeline.picture.canvas import new_page, to_rgb
from pipeline.picture.profile import describe, show_motion
from pipeline.types import ImageSeries, MotionCorrection, SliceAnalysis
from tests.pipeline.exams import as_exam

PLACE = (0.1, 0.1, 0.8, 0.8)


@pytest.fixture(scope="module")
def series() -> ImageSeries:
    return as_exam(motion=True).slices[1]


@pytest.fixture(scope="module")
def corrected(series: ImageSeries) -> MotionCorrection:
    return correct(
        series.frames,
        spacing_mm=series.geometry.spacing_mm,
        n_proton_density=series.n_proton_density,
        method=Method.ITERATIVE,
    )


def draw(series: ImageSeries, motion: MotionCorrection) -> tuple[Figure, np.ndarray]:
    figure = new_page()
    result = SliceAnalysis(
        motion=motion, masks=None, flow=None, tissue_time_s=None, tissue_mmol_l=None
    )
    show_motion(figure, PLACE, result, series)
    return figure, to_rgb(figure)


def test_walls_are_straighter_after_than_before(
    series: ImageSeries, corrected: MotionCorrection
) -> None:
    figure, _ = draw(series, corrected)
    before, after = (np.asarray(axes.images[0].get_array())[:, 30:] for axes in figure.axes)
    jerk = [np.abs(np.diff(strip, n=2, axis=1)).mean() for strip in (before, after)]
    assert jerk[1] < 0.8 * jerk[0]


def test_method_and_figures_are_written(series: ImageSeries, corrected: MotionCorrection) -> None:
    figure, _ = draw(series, corrected)
    assert figure.axes[1].get_title() == "after: iterative"
    assert figure.texts[0].get_text() == describe(corrected)
    assert "misalignment x 0." in describe(corrected)


def test_marked_beats_have_a_mark_and_are_counted(
    series: ImageSeries, corrected: MotionCorrection
) -> None:
    is_unlike = torch.zeros(63, dtype=torch.bool)
    is_unlike[[20, 41]] = True
    marked = dataclasses.replace(corrected, is_unlike=is_unlike)
    figure, _ = draw(series, marked)
    assert list(figure.axes[1].lines[0].get_xdata()) == [20, 41]
    assert figure.axes[1].get_title() == "after: iterative, 2 marked"
    assert not draw(series, corrected)[0].axes[1].lines


@pytest.mark.parametrize("fill", [0.0, 7.0, float("nan"), float("inf")])
def test_frames_that_show_nothing_are_drawn(series: ImageSeries, fill: float) -> None:
    empty = dataclasses.replace(series, frames=torch.full_like(series.frames, fill))
    still = identity(empty.frames, spacing_mm=(2.0, 2.0), n_proton_density=3)
    assert draw(empty, still)[1].shape[2] == 3
    assert describe(still).startswith("frames as acquired")
