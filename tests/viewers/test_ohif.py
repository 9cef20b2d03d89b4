"""OHIF shows every object, with the values that were computed."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import highdicom as hd
import numpy as np
import pytest
from PIL import Image
from pydicom import dcmread
from pydicom.dataset import FileDataset

from node.translate.encode_map import FLOW as FLOW_MAP
from node.translate.encode_map import QUALITY as QUALITY_MAP
from node.translate.encode_map import RESERVE as RESERVE_MAP
from tests.viewers.ohif import Ohif
from tests.viewers.processed import Processed
from tests.viewers.series_numbers import (
    ANATOMY,
    COLOUR,
    DOCUMENT,
    FLOW,
    MOCO,
    MOVIE,
    PAGE,
    PAIR_PAGE,
    PARAMETRIC,
    QUALITY,
    REPORT,
    RESERVE,
    RESERVE_COLOUR,
    REST,
    SEGMENTS,
    STRESS,
)

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.viewers
BEAT = 30
SPOT = 4
"""Side of a region, in pixels."""
ZOOM = 2.5
HALF_A_STEP = FLOW_MAP.slope / 2
TIMES = 100
"""OHIF shows a float map so many times too high, and says so."""
Keep = Callable[[str, Image.Image], None]


@pytest.fixture(scope="module")
def ohif(page: "Page", address: str, processed: Processed) -> Ohif:
    return Ohif(page, address, processed.study_uid)


def flow_of(image: FileDataset) -> np.ndarray:
    return image.pixel_array * float(image.RescaleSlope)


def most_even_spot(flow: np.ndarray) -> tuple[int, int]:
    """Return row and column of the square of muscle whose flow varies least."""
    squares = np.lib.stride_tricks.sliding_window_view(flow, (SPOT, SPOT))
    is_muscle = ((squares > 1) & (squares < 4)).all(axis=(2, 3))
    spread = np.where(is_muscle, squares.std(axis=(2, 3)), np.inf)
    row, column = np.unravel_index(spread.argmin(), spread.shape)
    return int(row), int(column)


def test_lists_every_series(ohif: Ohif, processed: Processed) -> None:
    found = ohif.series()
    assert found.keys() >= processed.series.keys()
    ours = {number: found[number] for number in processed.series}
    assert [number for number, one in ours.items() if one["unsupported"]] == []
    # Taken for a volume in time, a series shows its first beat only (OHIF issue 5876).
    assert [number for number, one in ours.items() if one["is4d"]] == []


def test_map_and_a_region_drawn_by_mouse(ohif: Ohif, processed: Processed, keep: Keep) -> None:
    ohif.show(STRESS + FLOW)
    assert ohif.window() == (0, FLOW_MAP.shown_maximum)
    stored = {
        str(image.SOPInstanceUID): flow_of(image)
        for image in (processed.read(STRESS + FLOW, at) for at in range(3))
    }[ohif.instance()]
    np.testing.assert_allclose(ohif.values(), stored, rtol=0, atol=1e-6)
    row, column = most_even_spot(stored)
    ohif.zoom(ZOOM)
    measured = ohif.measure((row, column), (row + SPOT - 1, column + SPOT - 1))
    region = stored[row : row + SPOT, column : column + SPOT]
    assert measured["mean"] == pytest.approx(region.mean(), abs=HALF_A_STEP)
    assert measured["max"] == pytest.approx(region.max(), abs=HALF_A_STEP)
    keep("ohif_map", ohif.whole())
    ohif.forget()


def test_fit_quality_has_a_window(ohif: Ohif, processed: Processed) -> None:
    ohif.show(STRESS + QUALITY)
    assert ohif.window() == (0, QUALITY_MAP.shown_maximum)
    assert 0.9 < ohif.values().max() <= 1


def test_reserve(ohif: Ohif, processed: Processed) -> None:
    ohif.show(STRESS + RESERVE)
    assert ohif.window() == (0, RESERVE_MAP.shown_maximum)
    stored = {
        str(image.SOPInstanceUID): flow_of(image)
        for image in map(dcmread, processed.series[STRESS + RESERVE])
    }[ohif.instance()]
    assert 1 < np.median(stored[stored > 0]) < 10
    np.testing.assert_allclose(ohif.values(), stored, rtol=1e-6, atol=1e-6)


def test_corrected_series(ohif: Ohif, processed: Processed, keep: Keep) -> None:
    files = processed.series[STRESS + MOCO]
    assert ohif.series()[STRESS + MOCO]["n_images"] == len(files)
    ohif.show(STRESS + MOCO, at=BEAT)
    stored = {
        str(image.SOPInstanceUID): image.pixel_array
        for image in (processed.read(STRESS + MOCO, at) for at in range(len(files)))
    }[ohif.instance()]
    assert np.array_equal(ohif.values(), stored)
    keep("ohif_moco", ohif.picture())


@pytest.mark.parametrize(
    ("name", "offset"),
    [
        ("ohif_page", PAGE),
        ("ohif_pair_page", PAIR_PAGE),
        ("ohif_colour", COLOUR),
        ("ohif_reserve_colour", RESERVE_COLOUR),
        ("ohif_movie", MOVIE),
    ],
)
def test_colours(ohif: Ohif, processed: Processed, keep: Keep, name: str, offset: int) -> None:
    ohif.show(STRESS + offset)
    image = processed.read(STRESS + offset)
    pixels = image.pixel_array
    first = pixels if pixels.ndim == 3 else pixels[0]
    shown = ohif.colours(97).astype(int)
    # Two decoders of one JPEG differ by rounding.
    off_by = 0 if "LossyImageCompressionRatio" not in image else 8
    assert np.abs(shown - first.reshape(-1, 3)[::97].astype(int)).max() <= off_by
    keep(name, ohif.picture())


def test_movie_has_every_beat(ohif: Ohif, processed: Processed) -> None:
    n_frames = int(processed.read(STRESS + MOVIE).NumberOfFrames)
    assert n_frames > 40
    assert ohif.series()[STRESS + MOVIE]["n_images"] == n_frames


def test_float_map_lies_on_its_slices(ohif: Ohif, processed: Processed, keep: Keep) -> None:
    ohif.overlay(STRESS + PARAMETRIC)
    uids, shown = ohif.overlaid(STRESS + PARAMETRIC)
    stored = {
        str(image.SOPInstanceUID): flow_of(image)
        for image in (processed.read(STRESS + FLOW, at) for at in range(3))
    }
    assert set(uids) == set(stored)
    for uid, slice_shown in zip(uids, shown, strict=True):
        # The classic map lowers a whole-numbered maximum by one step.
        np.testing.assert_allclose(
            slice_shown / TIMES, stored[uid], rtol=0, atol=HALF_A_STEP + FLOW_MAP.slope
        )
    ohif.zoom(ZOOM)
    ohif.spread(STRESS + PARAMETRIC, 0, TIMES * FLOW_MAP.shown_maximum)
    keep("ohif_parametric", ohif.picture())


@pytest.mark.parametrize(
    ("name", "offset"), [("ohif_anatomy", ANATOMY), ("ohif_segments", SEGMENTS)]
)
def test_segmentation(ohif: Ohif, processed: Processed, keep: Keep, name: str, offset: int) -> None:
    ohif.overlay(STRESS + offset)
    ohif.accept()
    ohif.zoom(ZOOM)
    (path,) = processed.series[STRESS + offset]
    stored = hd.seg.segread(path)
    expected = {
        stored.get_segment_description(number).segment_label: int(
            stored.get_volume(segment_numbers=[number]).array.sum()
        )
        for number in stored.segment_numbers
    }
    assert ohif.segments() == expected
    keep(name, ohif.picture())
    ohif.forget()


def test_document(ohif: Ohif, keep: Keep) -> None:
    ohif.open_document(STRESS + DOCUMENT)
    keep("ohif_document", ohif.whole())


@pytest.mark.parametrize("state", [STRESS, REST])
def test_report_is_read(ohif: Ohif, state: int) -> None:
    """OHIF reads measurements without coordinates; it draws nothing of them."""
    assert ohif.measurements(state + REPORT) > 16
