"""Draw docs/pictures/phantom*.png: `python -m tests.models.phantom.contact_sheet [SEED]`."""

import sys
from pathlib import Path

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from models.phantom import Breathing, PhantomSeries, make_exam, random_protocol
from models.phantom.patient import draw_patient
from models.phantom.protocol import PhantomState
from models.phantom.scan import scan
from models.phantom.series import SeriesPlan

PICTURES = Path(__file__).parents[3] / "docs" / "pictures"
FRAMES = (0, 4, 12, 16, 20, 24, 30, 38, 60)
NAMES = ("base", "mid", "apex", "arterial input")
SHORT_NAMES = {
    "SpoiledGradientEcho": "GRE",
    "EchoPlanarGradientEcho": "EPI",
    "BalancedSteadyState": "bSSFP",
}
VARIETY = (4, 6)
FIRST_SEED = 5020
OVER_TIME_SEED = 5030
LATER = (-4, 0, 2, 4, 7, 11, 16, 24)
"""Beats after the peak of the right ventricle that are shown over time."""
DARK, LIGHT = "#101418", "#9aa4ad"


def draw(seed: int, target: Path) -> None:
    """Draw frames of all series over time; proton-density frames have a window of their own."""
    exam = make_exam(seed)
    every = (*exam.slices, exam.arterial_input)
    figure = _figure((13, 6.2))
    panels = figure.subplots(len(every), len(FRAMES), squeeze=False)
    for row, (series, name) in enumerate(zip(every, NAMES, strict=True)):
        for column, frame in enumerate(FRAMES):
            _show(panels[row, column], series, frame)
        panels[row, 0].set_ylabel(name, color="#e8e8e8", fontsize=8)
    figure.subplots_adjust(left=0.025, right=0.995, bottom=0.01, top=0.96, wspace=0.03)
    figure.savefig(target, facecolor=figure.get_facecolor())


def draw_variety(first_seed: int, target: Path, *, beyond: bool = False) -> None:
    """Draw many random exams shortly after the bolus left the ventricles, and one over time."""
    figure = _figure((13, 11.6))
    upper, lower = figure.subfigures(2, 1, height_ratios=[5.2, 1.0])
    panels = upper.subplots(*VARIETY).flatten()
    for index, axes in enumerate(panels):
        series, caption = random_slice(first_seed + index, index % 3, beyond=beyond)
        _show(axes, series, _peak(series, "myocardium"))
        axes.set_title(caption, color=LIGHT, fontsize=6, pad=2)
    upper.subplots_adjust(left=0.005, right=0.995, bottom=0.005, top=0.98, wspace=0.02, hspace=0.12)
    _draw_over_time(lower, OVER_TIME_SEED, beyond=beyond)
    figure.savefig(target, facecolor=figure.get_facecolor())


def random_slice(
    seed: int, index: int, *, beyond: bool, breathing: Breathing | None = None
) -> tuple[PhantomSeries, str]:
    """Scan one slice of a random exam; return it and what it is."""
    protocol = random_protocol(seed, beyond=beyond, breathing=breathing)
    patient = draw_patient(seed, state=PhantomState.STRESS, protocol=protocol)
    series = scan(patient, SeriesPlan.of_slice(protocol, index))
    readout = SHORT_NAMES[type(protocol.perfusion.readout).__name__]
    return series, (
        f"{readout} {protocol.field_strength_t:g} T, {protocol.spacing_mm:.1f} mm, "
        f"SNR {protocol.signal_to_noise:.0f}, {NAMES[index]}"
    )


def _draw_over_time(figure, seed: int, *, beyond: bool) -> None:
    series, caption = random_slice(seed, 1, beyond=beyond, breathing=Breathing.FREE)
    panels = figure.subplots(1, len(LATER) + 2, width_ratios=[*([1.0] * len(LATER)), 1.6, 1.6])
    peak = _peak(series, "right_ventricle")
    for axes, later in zip(panels, LATER, strict=False):
        _show(axes, series, min(max(peak + later, series.n_proton_density), len(series.time_s) - 1))
    heart = series.truth.reference_left_ventricle | series.truth.reference_myocardium
    row, column = (int(index.float().mean()) for index in torch.nonzero(heart, as_tuple=True))
    strips = {"rows over time": series.frames[:, :, column], "columns": series.frames[:, row]}
    for axes, (name, strip) in zip(panels[len(LATER) :], strips.items(), strict=True):
        later = strip[series.n_proton_density :]
        top = float(np.percentile(later, 99.0))
        axes.imshow(later.T, cmap="gray", vmin=0, vmax=top, aspect="auto")
        _label(axes, name)
    panels[0].set_ylabel(caption, color=LIGHT, fontsize=6)
    figure.subplots_adjust(left=0.02, right=0.995, bottom=0.03, top=0.93, wspace=0.04)


def _peak(series: PhantomSeries, region: str) -> int:
    """Return the frame in which a region holds most contrast agent."""
    mask = getattr(series.truth, f"reference_{region}")
    if not bool(mask.any()):
        mask = series.truth.reference_myocardium
    return int(series.truth.concentration_mmol_l[:, mask].nanmean(1).argmax())


def _figure(size_inches: tuple[float, float]) -> Figure:
    figure = Figure(figsize=size_inches, dpi=90, facecolor=DARK)
    FigureCanvasAgg(figure)
    return figure


def _show(axes: Axes, series: PhantomSeries, frame: int) -> None:
    n_first = series.n_proton_density
    same = series.frames[:n_first] if frame < n_first else series.frames[n_first:]
    row_mm, column_mm = series.spacing_mm
    top = float(np.percentile(same, 99.7))
    axes.imshow(series.frames[frame], cmap="gray", vmin=0, vmax=top, aspect=row_mm / column_mm)
    _label(axes, f"{float(series.time_s[frame]):.1f} s")


def _label(axes: Axes, text: str) -> None:
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_title(text, color=LIGHT, fontsize=7, pad=2)


if __name__ == "__main__":
    torch.set_num_threads(1)
    draw(int(sys.argv[1]) if len(sys.argv) > 1 else 1, PICTURES / "phantom.png")
    draw_variety(FIRST_SEED, PICTURES / "phantom_variety.png")
