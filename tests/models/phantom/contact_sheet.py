"""Draw docs/pictures/phantom.png: `python -m tests.models.phantom.contact_sheet 1`."""

import sys
from pathlib import Path

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from models.phantom import PhantomSeries, make_exam

TARGET = Path(__file__).parents[3] / "docs" / "pictures" / "phantom.png"
FRAMES = (0, 4, 12, 16, 20, 24, 30, 38, 60)
NAMES = ("base", "mid", "apex", "arterial input")


def draw(seed: int, target: Path) -> None:
    """Draw frames of all series over time; proton-density frames have a window of their own."""
    exam = make_exam(seed)
    every = (*exam.slices, exam.arterial_input)
    figure = Figure(figsize=(13, 6.2), dpi=90, facecolor="#101418")
    FigureCanvasAgg(figure)
    panels = figure.subplots(len(every), len(FRAMES), squeeze=False)
    for row, (series, name) in enumerate(zip(every, NAMES, strict=True)):
        for column, frame in enumerate(FRAMES):
            _show(panels[row, column], series, frame)
        panels[row, 0].set_ylabel(name, color="#e8e8e8", fontsize=8)
    figure.subplots_adjust(left=0.025, right=0.995, bottom=0.01, top=0.96, wspace=0.03)
    figure.savefig(target, facecolor=figure.get_facecolor())


def _show(axes: Axes, series: PhantomSeries, frame: int) -> None:
    n_first = series.n_proton_density
    same = series.frames[:n_first] if frame < n_first else series.frames[n_first:]
    row_mm, column_mm = series.spacing_mm
    top = float(np.percentile(same, 99.7))
    axes.imshow(series.frames[frame], cmap="gray", vmin=0, vmax=top, aspect=row_mm / column_mm)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_title(f"{float(series.time_s[frame]):.1f} s", color="#9aa4ad", fontsize=7, pad=2)


if __name__ == "__main__":
    torch.set_num_threads(1)
    draw(int(sys.argv[1]), TARGET)
