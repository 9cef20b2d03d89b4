"""Text that fits its place: letters are measured, not counted."""

from bisect import bisect_right
from functools import cache
from math import ceil

from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path

from pipeline.picture.canvas import DPI

_INDENT = "      "
_CUT = " ..."
_PT_PER_INCH = 72


def width_px(text: str, size: float) -> float:
    """Return how wide a line of text is on a page, pixels.

    Parameters
    ----------
    text
        One line.
    size
        Of its letters, points.

    """
    # In one piece: kerning counts.
    return _width_pt(text, size) * DPI / _PT_PER_INCH


def wrap(text: str, *, most_px: int, size: float) -> list[str]:
    """Break a text into lines that are no wider than a place; all but the first are indented."""
    words = text.split()
    lines: list[str] = []
    while words:
        indent = _INDENT if lines else ""
        n_words = _count_fitting(words, indent, "", most_px=most_px, size=size) or 1
        lines.append(indent + " ".join(words[:n_words]))
        words = words[n_words:]
    return lines


def shorten(text: str, *, most_px: int, size: float) -> str:
    """Cut a text at a word so that it fits into one line, and mark the cut."""
    if width_px(text, size) <= most_px:
        return text
    words = text.split(" ")
    n_words = _count_fitting(words, "", _CUT, most_px=most_px, size=size)
    return " ".join(words[:n_words]).rstrip(" |;,") + _CUT


def _count_fitting(words: list[str], before: str, after: str, *, most_px: int, size: float) -> int:
    """Return how many words fit; measuring is slow, so that few lengths are tried."""
    return bisect_right(
        range(1, len(words) + 1),
        most_px,
        key=lambda n_words: ceil(width_px(before + " ".join(words[:n_words]) + after, size)),
    )


@cache
def _width_pt(text: str, size: float) -> float:
    look = FontProperties(size=size)
    width, _, _ = text_to_path.get_text_width_height_descent(text, look, ismath=False)
    return float(width)
