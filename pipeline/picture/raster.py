"""A picture of fixed size: text and smooth lines on pixels, without a plotting library.

Quick enough for every frame of a movie; the letters are those of the plotting library.
"""

from bisect import bisect_right
from functools import cache
from math import ceil
from pathlib import Path

import matplotlib as mpl
import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageDraw, ImageFont

from pipeline.picture.canvas import INK, PAPER

_CUT = "..."

Picture = UInt8[np.ndarray, "row column 3"]
Spot = tuple[int, int]
"""Column and row, pixels from the upper left corner."""


class Raster:
    """A picture while it is drawn.

    Parameters
    ----------
    background
        What is drawn on; it is copied.

    """

    def __init__(self, background: Picture) -> None:
        self._image = Image.fromarray(background)
        self._draw = ImageDraw.Draw(self._image)

    def write(
        self,
        spot: Spot,
        text: str,
        *,
        size: int,
        colour: str = INK,
        is_bold: bool = False,
        is_outlined: bool = False,
        anchor: str = "la",
    ) -> None:
        """Write one line of text.

        Parameters
        ----------
        spot
            Where its anchor stands.
        text
            The line.
        size
            Of the letters, pixels.
        colour
            Of the letters, `#rrggbb`.
        is_bold
            Heavy letters.
        is_outlined
            With a dark rim, for letters on an image.
        anchor
            Which point of the line that is, in the words of Pillow: left, middle or right; then
            ascender (top), middle or baseline.

        """
        self._draw.text(
            spot,
            text,
            font=letters(size, is_bold=is_bold),
            fill=colour,
            anchor=anchor,
            stroke_width=2 if is_outlined else 0,
            stroke_fill="#000000",
        )

    def fill(self, corner: Spot, size: tuple[int, int], colour: str) -> None:
        """Fill a rectangle of a width and height from its upper left corner."""
        (left, top), (width, height) = corner, size
        self._draw.rectangle((left, top, left + width - 1, top + height - 1), fill=colour)

    def paste(self, corner: Spot, part: Picture) -> None:
        """Put a picture in place, its upper left corner at column and row."""
        self._image.paste(Image.fromarray(part), corner)

    def picture(self) -> Picture:
        """Return what was drawn."""
        return np.array(self._image, dtype=np.uint8)


def blank(n_rows: int, n_columns: int) -> Picture:
    """Return an empty dark picture."""
    return np.array(Image.new("RGB", (n_columns, n_rows), PAPER), dtype=np.uint8)


def cut_text(text: str, *, size: int, width: int) -> str:
    """Return a line of text, without its last words where it is wider than allowed, pixels."""
    font, words = letters(size, is_bold=False), text.split(" ")
    if len(words) == 1 or font.getlength(text) <= width:
        return text
    n_words = bisect_right(
        range(1, len(words)),
        width,
        key=lambda n: ceil(font.getlength(" ".join([*words[:n], _CUT]))),
    )
    return " ".join([*words[: max(n_words, 1)], _CUT])


@cache
def letters(size: int, *, is_bold: bool) -> ImageFont.FreeTypeFont:
    """Return the letters of a size in pixels."""
    name = "DejaVuSans-Bold.ttf" if is_bold else "DejaVuSans.ttf"
    file = Path(mpl.get_data_path()) / "fonts" / "ttf" / name
    # The simple layout is the same on every system; the other hangs on an optional library.
    return ImageFont.truetype(str(file), size, layout_engine=ImageFont.Layout.BASIC)
