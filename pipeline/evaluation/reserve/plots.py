"""Pictures of the evidence: maps of one pair beside their truth, and all segments."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure

from pipeline.evaluation.reserve.measure import Answer
from pipeline.evaluation.reserve.records import ReserveRecord, Way
from pipeline.evaluation.reserve.truth import TruePair
from pipeline.picture import Provenance, draw_pair_page
from pipeline.picture.raster import Picture
from pipeline.picture.scale import FLOW_SCALE, RESERVE_SCALE, ColourScale, ColourTable, colours_of

_MARGIN = 5
_DIFFERENCE_PERCENT = 50.0
_LEVELS = ("base", "mid", "apex")
_GROUND = "#202428"
_SEGMENT_COLOUR = "#1f6fb4"

Plane = Float[np.ndarray, "row column"]


def example_plot(answer: Answer) -> Figure:
    """Return flow under stress, flow at rest carried onto it, and reserve beside the truth."""
    figure = Figure(figsize=(10.4, 6.4), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.subplots(3, 5)
    titles = ("MBF stress", "MBF rest, carried", "MPR found", "MPR true", "found - true, %")
    for line, true in enumerate(answer.true):
        columns = _columns(answer, line, true)
        for place, (plane, style) in enumerate(columns):
            axes: Axes = grid[line, place]
            shown = axes.imshow(plane, interpolation="nearest", **style)
            axes.set_facecolor(_GROUND)
            axes.set_xticks([])
            axes.set_yticks([])
            if line == 0:
                axes.set_title(titles[place], fontsize=10, loc="left")
            if place == 0:
                axes.set_ylabel(_LEVELS[line], fontsize=10)
            if line == len(answer.true) - 1:
                bar = figure.colorbar(shown, ax=grid[:, place], orientation="horizontal", pad=0.02)
                bar.ax.tick_params(labelsize=9)
    return figure


def page_of(answer: Answer) -> Picture:
    """Return the page that a node would send of the pair."""
    provenance = Provenance(
        software="perfnode evaluate reserve",
        created="virtual patient",
        label="RESEARCH ONLY - NOT FOR DIAGNOSTIC USE",
        motion=", ".join(sorted({one.motion.method for one in answer.stress.analysis.slices})),
    )
    return draw_pair_page(
        stress=answer.stress, rest=answer.rest, reserve=answer.reserve, provenance=provenance
    )


def segment_plot(records: Sequence[ReserveRecord]) -> Figure:
    """Return found over true reserve of all segments, a panel per way."""
    figure = Figure(figsize=(10.4, 3.8), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(1, len(Way), sharex=True, sharey=True)
    for axes, way in zip(panels, Way, strict=True):
        own = [row for row in records if row.way == way.value]
        true = np.array([value for row in own for value in row.segment_true])
        found = np.array([value for row in own for value in row.segment_found])
        error = np.array([value for row in own for value in row.segment_standard_error])
        if way is Way.ANALYSED:
            axes.errorbar(true, found, error, fmt="none", ecolor="#b8cfe4", elinewidth=0.8)
        axes.plot(true, found, ".", color=_SEGMENT_COLOUR, markersize=4)
        axes.plot((1, 5), (1, 5), color="#666666", linewidth=0.8)
        axes.set_title(way.value, fontsize=10, loc="left")
        axes.set_xlabel("true MPR of a segment", fontsize=9)
        axes.set_aspect("equal")
        axes.grid(visible=True, color="#dddddd", linewidth=0.5)
    panels[0].set_xlim(1, 5)
    panels[0].set_ylim(1, 5)
    panels[0].set_ylabel("reported MPR", fontsize=9)
    return figure


def _columns(answer: Answer, index: int, true: TruePair) -> list[tuple[Plane, dict[str, Any]]]:
    """Return the planes of one slice, cut to the heart, with how they are drawn."""
    found, result = answer.reserve.maps[index], answer.stress.analysis.slices[index]
    unknown = torch.full_like(true.stress.flow_ml_min_g, torch.nan)
    wall = true.stress.wall if result.masks is None else result.masks.myocardium
    flow = unknown if result.flow is None else result.flow.flow_ml_min_g
    ratio = unknown if found is None else found.reserve
    difference = 100 * (ratio / true.reserve - 1.0)
    box = _box(wall)
    of_flow, of_reserve = _style(FLOW_SCALE), _style(RESERVE_SCALE)
    return [
        (_cut(torch.where(wall, flow, torch.nan), box), of_flow),
        (_cut(unknown if found is None else found.rest_flow_ml_min_g, box), of_flow),
        (_cut(ratio, box), of_reserve),
        (_cut(true.reserve, box), of_reserve),
        (
            _cut(difference, box),
            {"cmap": "RdBu_r", "vmin": -_DIFFERENCE_PERCENT, "vmax": _DIFFERENCE_PERCENT},
        ),
    ]


def _style(scale: ColourScale) -> dict[str, Any]:
    colours = ListedColormap(colours_of(ColourTable.PERFUSION) / 255)
    return {"cmap": colours, "vmin": scale.low, "vmax": scale.high}


def _box(wall: torch.Tensor) -> tuple[slice, slice]:
    place = torch.nonzero(wall)
    low = (place.amin(dim=0) - _MARGIN).clamp(min=0).tolist()
    high = (place.amax(dim=0) + _MARGIN + 1).tolist()
    return slice(low[0], high[0]), slice(low[1], high[1])


def _cut(plane: torch.Tensor, box: tuple[slice, slice]) -> Plane:
    return np.asarray(plane[box], dtype=np.float64)
