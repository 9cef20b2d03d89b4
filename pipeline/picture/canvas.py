"""A dark page of fixed size, and how it becomes an array."""

from typing import Any

import numpy as np
from jaxtyping import UInt8
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

PAGE_SHAPE = (768, 1024)
INK = "#e8e8e8"
QUIET_INK = "#9aa4ad"
PAPER = "#101418"
GRADE_COLOURS = {"PASS": "#6fce8f", "REVIEW": "#f5c04a", "FAIL": "#ff6b5e"}
_DPI = 100


def new_page() -> Figure:
    """Return an empty dark page of `PAGE_SHAPE` pixels."""
    rows, columns = PAGE_SHAPE
    return Figure(figsize=(columns / _DPI, rows / _DPI), dpi=_DPI, facecolor=PAPER)


def to_rgb(figure: Figure) -> UInt8[np.ndarray, "row column 3"]:
    """Render a page."""
    canvas: Any = FigureCanvasAgg(figure)  # its drawing methods carry no annotations
    canvas.draw()
    return np.asarray(canvas.buffer_rgba(), dtype=np.uint8)[..., :3].copy()


def style_plot(axes: Axes, title: str, horizontal: str, vertical: str) -> None:
    """Give a plot the colours of the page."""
    axes.set_facecolor("#171d23")
    axes.set_title(title, color=INK, fontsize=9, loc="left")
    axes.set_xlabel(horizontal, color=QUIET_INK, fontsize=8)
    axes.set_ylabel(vertical, color=QUIET_INK, fontsize=8)
    axes.tick_params(colors=QUIET_INK, labelsize=7)
    for spine in axes.spines.values():
        spine.set_color("#39424a")
    axes.grid(visible=True, color="#262e35", linewidth=0.5)
