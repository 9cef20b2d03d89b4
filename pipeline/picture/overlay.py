"""Lines over an image: drawn once with smooth edges, laid over as many frames as wanted."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from PIL import Image, ImageDraw

from pipeline.picture.borders import Borders, Points
from pipeline.picture.colour import TERRITORY_COLOURS
from pipeline.picture.panel import Panel
from pipeline.picture.raster import Picture

_FINER = 4
"""Lines are drawn this many times larger and shrunk."""
_RIM = "#000000"
_NO_TERRITORY = "#ffffff"

Line = tuple[Points, str, float]
"""Points in pixels of the panel, colour, width in pixels."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Overlay:
    """The pixels that lines touch."""

    at: Int[np.ndarray, " pixel"]
    """Index in the panel, row by row."""
    colour: Float[np.ndarray, "pixel 3"]
    """Times the opacity."""
    see_through: Float[np.ndarray, "pixel 1"]
    """What is left of the image, 0-1."""

    def over(self, picture: Picture) -> Picture:
        """Return a picture of the size of the panel with the lines over it."""
        result = picture.reshape(-1, 3).copy()
        mixed = self.see_through * result[self.at] + self.colour
        result[self.at] = np.rint(mixed).astype(np.uint8)
        return result.reshape(picture.shape)


def draw_overlay(n_rows: int, n_columns: int, lines: Iterable[Line]) -> Overlay:
    """Draw lines for panels of a size, the first at the bottom."""
    canvas = Image.new("RGBA", (n_columns * _FINER, n_rows * _FINER))
    draw = ImageDraw.Draw(canvas)
    for points, colour, width in lines:
        path = [tuple(point) for point in (points * _FINER).tolist()]
        draw.line(path, fill=colour, width=max(1, round(width * _FINER)), joint="curve")
    small = np.asarray(canvas.resize((n_columns, n_rows), Image.Resampling.BOX), dtype=np.float64)
    opacity = small[..., 3].reshape(-1, 1) / 255
    at = np.flatnonzero(opacity[:, 0])
    return Overlay(
        at=at,
        colour=opacity[at] * small.reshape(-1, 4)[at, :3],
        see_through=1 - opacity[at],
    )


def contour_lines(borders: Borders, panel: Panel, width: float) -> list[Line]:
    """Return both borders of the wall by territory and the spokes between segments.

    Parameters
    ----------
    borders
        Of the slice.
    panel
        Where they are shown.
    width
        Of the lines, pixels; a dark rim sets them off from any colour.

    """
    pieces = [
        (panel.place(piece.points), TERRITORY_COLOURS[piece.territory])
        if piece.territory
        else (panel.place(piece.points), _NO_TERRITORY)
        for piece in borders.pieces
    ]
    return [
        *((points, _RIM, width + 1.4) for points, _ in pieces),
        *((panel.place(spoke), _NO_TERRITORY, 0.6 * width) for spoke in borders.spokes),
        *((points, colour, width) for points, colour in pieces),
    ]
