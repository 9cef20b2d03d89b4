"""Orthanc's own web viewer, open on a series."""

from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image

if TYPE_CHECKING:
    from playwright.sync_api import Page

_SHOWN = "window.cornerstone?.getEnabledElements()[0]?.image"
_PHYSICAL = f"""
(i => [i.rows, i.columns, Array.from(i.getPixelData(), v => v * i.slope + i.intercept)])({_SHOWN})
"""


class OrthancViewer:
    """A series open in the viewer."""

    def __init__(self, page: "Page", address: str, series: str) -> None:
        self.page = page
        page.goto(f"{address}/web-viewer/app/viewer.html?series={series}")
        page.wait_for_function(_SHOWN)
        page.wait_for_timeout(1500)  # the picture is drawn twice: coarse first, then fine

    def step(self, n_images: int) -> None:
        """Turn the wheel of the mouse."""
        self.page.mouse.move(400, 300)
        for _ in range(n_images):
            self.page.mouse.wheel(0, 100)
            self.page.wait_for_timeout(120)
        self.page.wait_for_timeout(1500)

    def values(self) -> NDArray[np.float64]:
        """Return the physical values of the image that is shown. Shape `(row, column)`."""
        rows, columns, values = self.page.evaluate(_PHYSICAL)
        return np.asarray(values, dtype=np.float64).reshape(rows, columns)

    def picture(self) -> Image.Image:
        """Return what the page shows."""
        return Image.open(BytesIO(self.page.screenshot()))
