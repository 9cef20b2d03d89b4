"""Text that fits its place: letters are measured, not counted."""

from functools import cache

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
    lines: list[str] = []
    line = ""
    for word in text.split():
        longer = f"{line} {word}" if line.strip() else f"{line}{word}"
        if line.strip() and width_px(longer, size) > most_px:
            lines.append(line)
            longer = _INDENT + word
        line = longer
    return [*lines, line] if line.strip() else lines


def shorten(text: str, *, most_px: int, size: float) -> str:
    """Cut a text at a word so that it fits into one line, and mark the cut."""
    if width_px(text, size) <= most_px:
        return text
    words = text.split(" ")
    while words and width_px(" ".join(words) + _CUT, size) > most_px:
        words.pop()
    return " ".join(words).rstrip(" |;,") + _CUT


@cache
def _width_pt(text: str, size: float) -> float:
    look = FontProperties(size=size)
    width, _, _ = text_to_path.get_text_width_height_descent(text, look, ismath=False)
    return float(width)
