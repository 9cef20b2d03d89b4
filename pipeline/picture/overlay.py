"""Lines over an image: drawn once with smooth edges, laid over as many frames as wanted."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from PIL import Image, ImageDraw

from pipeline.picture.borders import Borders
from pipeline.picture.canvas import INK
from pipeline.picture.colour import TERRITORY_COLOURS
from pipeline.picture.panel import Panel
from pipeline.picture.raster import Picture, letters

_FINER = 4
"""Lines are drawn this many times larger and shrunk."""
_MARGIN_PX = 4
"""Around the points of lines, for their width."""
_RIM, _RIM_PX = "#000000", 1.4
_NO_TERRITORY = "#ffffff"

_CAPTION_PX = 6
"""From the edge of the panel."""

Line = tuple[Float[np.ndarray, "_ xy"], str, float]
"""Points in pixels of the panel, of any number; colour; width in pixels."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Caption:
    """One line of text at the left edge of a panel."""

    text: str
    size: int
    is_low: bool = False
    """At the bottom, not on top."""
    is_bold: bool = False
    colour: str = INK


def draw_lines(n_rows: int, n_columns: int, lines: Sequence[Line]) -> Image.Image:
    """Draw lines for panels of a size, the first at the bottom; transparent elsewhere."""
    panel = Image.new("RGBA", (n_columns, n_rows))
    if not lines:
        return panel
    every = np.concatenate([points for points, _, _ in lines])
    # Only the part with lines is drawn finer: the rest of a large panel would cost the time.
    left, top = (math.floor(low) - _MARGIN_PX for low in every.min(axis=0))
    right, bottom = (math.ceil(high) + _MARGIN_PX for high in every.max(axis=0))
    canvas = Image.new("RGBA", ((right - left) * _FINER, (bottom - top) * _FINER))
    draw = ImageDraw.Draw(canvas)
    for points, colour, width in lines:
        path = [tuple(point) for point in ((points - (left, top)) * _FINER).tolist()]
        draw.line(path, fill=colour, width=max(1, round(width * _FINER)), joint="curve")
    panel.paste(canvas.reduce(_FINER), (left, top))
    return panel


def lay_over(lines: Image.Image, captions: Iterable[Caption] = ()) -> Overlay:
    """Return drawn lines, and captions at the left edge, as pixels to lay over an image."""
    canvas = lines.copy()
    draw = ImageDraw.Draw(canvas)
    for caption in captions:
        draw.text(
            (_CAPTION_PX, canvas.height - _CAPTION_PX if caption.is_low else _CAPTION_PX),
            caption.text,
            font=letters(caption.size, is_bold=caption.is_bold),
            fill=caption.colour,
            anchor="ls" if caption.is_low else "la",
            stroke_width=2,
            stroke_fill=_RIM,
        )
    pixels = np.asarray(canvas, dtype=np.float64).reshape(-1, 4)
    opacity = pixels[:, 3:] / 255
    at = np.flatnonzero(opacity[:, 0])
    return Overlay(at=at, colour=opacity[at] * pixels[at, :3], see_through=1 - opacity[at])


def border_lines(borders: Borders, panel: Panel, width: float) -> list[Line]:
    """Return both borders of the wall, in the colours of the territories.

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
        (
            panel.place(piece.points),
            TERRITORY_COLOURS[piece.territory] if piece.territory else _NO_TERRITORY,
        )
        for piece in borders.pieces
    ]
    return [
        *((points, _RIM, width + _RIM_PX) for points, _ in pieces),
        *((points, colour, width) for points, colour in pieces),
    ]


def spoke_lines(borders: Borders, panel: Panel, width: float) -> list[Line]:
    """Return the borders between segments."""
    return [(panel.place(spoke), _NO_TERRITORY, width) for spoke in borders.spokes]
