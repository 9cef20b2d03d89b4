"""A dark page of fixed size, and how it becomes an array."""

from typing import Any

import numpy as np
from jaxtyping import UInt8
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

PAGE_SHAPE = (1080, 1536)
INK = "#e8e8e8"
QUIET_INK = "#9aa4ad"
PAPER = "#101418"
RULE = "#39424a"
PANEL = "#171d23"
GRADE_COLOURS = {"PASS": "#6fce8f", "REVIEW": "#f5c04a", "FAIL": "#ff6b5e"}
DPI = 100

Place = tuple[float, float, float, float]
"""Left, bottom, width and height as fractions of the page."""


def new_page() -> Figure:
    """Return an empty dark page of `PAGE_SHAPE` pixels."""
    rows, columns = PAGE_SHAPE
    return Figure(figsize=(columns / DPI, rows / DPI), dpi=DPI, facecolor=PAPER)


def place_px(left: int, top: int, width: int, height: int) -> Place:
    """Return a place on the page from pixels counted from its upper left corner."""
    rows, columns = PAGE_SHAPE
    return (left / columns, 1 - (top + height) / rows, width / columns, height / rows)


def write(figure: Figure, left: int, top: int, text: str, *, size: float, **style: Any) -> None:
    """Write a line of text; its upper left corner in pixels from that of the page."""
    rows, columns = PAGE_SHAPE
    look: dict[str, Any] = {"color": INK, "va": "top", **style}
    figure.text(left / columns, 1 - top / rows, text, fontsize=size, **look)


def to_rgb(figure: Figure) -> UInt8[np.ndarray, "row column 3"]:
    """Render a page."""
    canvas: Any = FigureCanvasAgg(figure)  # its drawing methods carry no annotations
    canvas.draw()
    return np.asarray(canvas.buffer_rgba(), dtype=np.uint8)[..., :3].copy()


def style_plot(axes: Axes, title: str, horizontal: str, vertical: str) -> None:
    """Give a plot the colours of the page."""
    axes.set_facecolor(PANEL)
    # A given height spares the search for one above all other parts of the plot.
    axes.set_title(title, color=INK, fontsize=10.5, loc="left", y=1.0)
    axes.set_xlabel(horizontal, color=QUIET_INK, fontsize=9.5)
    axes.set_ylabel(vertical, color=QUIET_INK, fontsize=9.5)
    axes.tick_params(colors=QUIET_INK, labelsize=9)
    for spine in axes.spines.values():
        spine.set_color(RULE)
    axes.grid(visible=True, color="#262e35", linewidth=0.5)
