"""Orthanc's web viewer shows corrected series, map and page."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from tests.peers.orthanc import Orthanc
from tests.viewers.orthanc_viewer import OrthancViewer
from tests.viewers.processed import Processed
from tests.viewers.series_numbers import FLOW, MOCO, PAGE, STRESS

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.viewers
BEAT = 30


def open_series(page: "Page", hospital: Orthanc, number: int) -> OrthancViewer:
    names = {
        int(one["MainDicomTags"]["SeriesNumber"]): one["ID"]
        for one in hospital.ask("/series?expand")
    }
    return OrthancViewer(page, f"http://127.0.0.1:{hospital.http_port}", names[number])


def test_map(
    page: "Page",
    hospital: Orthanc,
    processed: Processed,
    keep: Callable[[str, Image.Image], None],
) -> None:
    viewer = open_series(page, hospital, STRESS + FLOW)
    shown = viewer.values()
    maps = [processed.read(STRESS + FLOW, at) for at in range(3)]
    differences = [np.abs(shown - one.pixel_array * float(one.RescaleSlope)) for one in maps]
    nearest = min(differences, key=lambda difference: difference.mean())
    # The viewer is sent a JPEG of 8 bits: near enough to look at, not to measure in.
    assert nearest.mean() < 0.01
    assert nearest.max() < 0.5
    keep("orthanc_map", viewer.picture())


def test_corrected_series(
    page: "Page", hospital: Orthanc, keep: Callable[[str, Image.Image], None]
) -> None:
    viewer = open_series(page, hospital, STRESS + MOCO)
    first = viewer.values()
    viewer.step(BEAT)
    assert np.abs(viewer.values() - first).max() > 100
    keep("orthanc_moco", viewer.picture())


def test_page(page: "Page", hospital: Orthanc, keep: Callable[[str, Image.Image], None]) -> None:
    viewer = open_series(page, hospital, STRESS + PAGE)
    drawn = viewer.picture()
    assert drawn.getcolors(2000) is None  # a page with maps has thousands of colours
    keep("orthanc_page", drawn)
