"""Maps of one exam beside their truth."""

from typing import Any

import torch
from jaxtyping import Float
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure as Canvas
from torch import Tensor

from pipeline.evaluation.flow.plan import quantify
from pipeline.evaluation.flow.prepared import Prepared
from pipeline.evaluation.flow.records import Motion
from pipeline.evaluation.flow.true_wall import TrueWall
from pipeline.types import FlowMap, FlowModel

_MARGIN = 6
_SCALE_95 = 1.96
_Plane = Float[Tensor, "row column"]
_Column = tuple[str, _Plane, dict[str, Any]]


def example_picture(prepared: Prepared, model: FlowModel) -> Canvas:
    """Return truth, map, difference and standard error of every slice, motion corrected."""
    analysis = quantify(prepared, Motion.CORRECTED, model)
    rows = [
        _columns(true, result.flow)
        for true, result in zip(prepared.views[Motion.CORRECTED].true, analysis.slices, strict=True)
    ]
    figure = Canvas(figsize=(10.0, 2.5 * len(rows)), dpi=90, layout="constrained")
    FigureCanvasAgg(figure)
    for line, columns in enumerate(rows):
        for place, (title, plane, style) in enumerate(columns):
            axes = figure.add_subplot(len(rows), 4, 4 * line + place + 1)
            shown = axes.imshow(plane.numpy(), interpolation="nearest", **style)
            axes.set_facecolor("#202020")
            axes.set_xticks([])
            axes.set_yticks([])
            if line == 0:
                axes.set_title(title, fontsize=8, loc="left")
            if line == len(rows) - 1:
                figure.colorbar(shown, ax=axes, orientation="horizontal", shrink=0.8)
    return figure


def _columns(true: TrueWall, flow: FlowMap | None) -> list[_Column]:
    """Return the four planes of one slice, cut to the heart, with how they are drawn."""
    unknown = torch.full_like(true.flow_ml_min_g, torch.nan)
    found = unknown if flow is None else flow.flow_ml_min_g
    error = unknown
    if flow is not None and flow.standard_error_ml_min_g is not None:
        error = flow.standard_error_ml_min_g
    on_wall = torch.where(true.wall, found, torch.nan)
    relative = 100 * (on_wall / true.flow_ml_min_g - 1.0)
    top = 1.4 * float(true.flow_ml_min_g.nanmedian())
    of_flow = {"cmap": "turbo", "vmin": 0.0, "vmax": top}
    box = _box(true)
    return [
        ("true MBF, ml/min/g", true.flow_ml_min_g[box], of_flow),
        ("found, with blood around it", found[box], of_flow),
        ("found - true, %", relative[box], {"cmap": "RdBu_r", "vmin": -50.0, "vmax": 50.0}),
        (
            "half width of the 95 % interval, %",
            (100 * _SCALE_95 * torch.where(true.wall, error, torch.nan) / found)[box],
            {"cmap": "viridis", "vmin": 0.0, "vmax": 80.0},
        ),
    ]


def _box(true: TrueWall) -> tuple[slice, slice]:
    place = torch.nonzero(true.wall)
    low = (place.amin(dim=0) - _MARGIN).clamp(min=0).tolist()
    high = (place.amax(dim=0) + _MARGIN + 1).tolist()
    return slice(low[0], high[0]), slice(low[1], high[1])
