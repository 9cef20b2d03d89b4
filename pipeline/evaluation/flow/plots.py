"""Results of flow as plots."""

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure as Canvas
from scipy.stats import norm

from models.phantom import TissueModel
from pipeline.evaluation.flow.design import FACTORS, Group
from pipeline.evaluation.flow.records import FlowRecord, Motion
from pipeline.evaluation.flow.statistics import (
    area_under_curve,
    defect_scores,
    of_segments,
    region_scores,
)
from pipeline.types import FlowModel

Rows = Sequence[FlowRecord]
_Corner = Literal["best", "upper left", "upper right", "lower right"]
_COLOURS = {
    TissueModel.PLUG_FLOW: "#3b7dd8",
    TissueModel.TWO_COMPARTMENT: "#e0932f",
    TissueModel.PARALLEL: "#3a9c5f",
    TissueModel.DISPERSED: "#c8433f",
}
_LIMIT = 60.0
"""Per cent; points beyond it are drawn at the edge."""


def agreement_plot(records: Rows, model: FlowModel) -> Canvas:
    """Return Bland-Altman plots of segments after motion correction: clinical, factors, random."""
    figure = _canvas(11.0, 3.8)
    for place, group in enumerate(Group):
        axes = figure.add_subplot(1, len(Group), place + 1)
        rows = _corrected(records, model, group)
        _bland_altman(axes, rows)
        axes.set_title(f"{group.value}, {len(rows)} exams", fontsize=9, loc="left")
        axes.set_xlabel("true MBF of the segment, ml/min/g")
    figure.axes[0].set_ylabel("found - true, % of true")
    _legend(figure.axes[0])
    return figure


def _bland_altman(axes: Axes, rows: Rows) -> None:
    for tissue, colour in _COLOURS.items():
        chosen = [row for row in rows if row.tissue == tissue]
        true, relative = _points(chosen)
        if len(true):
            shown = np.clip(relative, -_LIMIT, _LIMIT)
            axes.plot(true, shown, "o", markersize=3, alpha=0.6, color=colour, label=tissue.value)
    whole = of_segments(rows)
    if math.isfinite(whole.bias):
        axes.axhline(100 * whole.bias, color="black", linewidth=1.2)
        for limit in (whole.lower_limit, whole.upper_limit):
            axes.axhline(100 * limit, color="black", linewidth=0.8, linestyle="--")
    axes.axhspan(-3.0, 3.0, color="#999999", alpha=0.25, linewidth=0)
    axes.set_ylim(-_LIMIT - 2, _LIMIT + 2)
    axes.grid(alpha=0.3)


def _points(rows: Rows) -> tuple[np.ndarray, np.ndarray]:
    true = np.array([value for row in rows for value in row.segment_true])
    found = np.array([value for row in rows for value in row.segment_found])
    known = np.isfinite(found)
    return true[known], 100 * (found[known] / true[known] - 1.0)


def bias_plot(records: Rows) -> Canvas:
    """Return bias and its limits over true flow, each fit, moving and still."""
    figure = _canvas(9.0, 3.8)
    models = [model for model in FlowModel if any(row.model == model for row in records)]
    for place, motion in enumerate(Motion):
        axes = figure.add_subplot(1, 2, place + 1)
        for order, model in enumerate(models):
            rows = [
                row
                for row in records
                if (row.factor, row.motion, row.model) == ("MBF", motion, model)
            ]
            _bias_line(axes, rows, 0.03 * (order - 1), model)
        axes.axhspan(-3.0, 3.0, color="#999999", alpha=0.25, linewidth=0)
        axes.set_title(f"{motion.value} images", fontsize=9, loc="left")
        axes.set_xlabel("true MBF of healthy wall, ml/min/g")
        axes.set_ylim(-_LIMIT, _LIMIT)
        axes.grid(alpha=0.3)
    figure.axes[0].set_ylabel("bias of segments, % (bars: one SD)")
    _legend(figure.axes[0])
    return figure


def _bias_line(axes: Axes, rows: Rows, shift: float, model: FlowModel) -> None:
    levels = sorted({row.level for row in rows}, key=float)
    if not levels:
        return
    parts = [of_segments(row for row in rows if row.level == level) for level in levels]
    bias = [100 * part.bias for part in parts]
    spread = [
        100 * math.sqrt(max(part.root_mean_square**2 - part.bias**2, 0.0))
        if math.isfinite(part.bias)
        else math.nan
        for part in parts
    ]
    at = [float(level) + shift for level in levels]
    axes.errorbar(at, bias, yerr=spread, marker="o", markersize=4, capsize=2, label=model.value)


def factor_plot(records: Rows, model: FlowModel) -> Canvas:
    """Return segment RMSE and bias of every level of every factor, moving and still."""
    names = [(factor, level) for factor, levels in FACTORS.items() for level in levels]
    figure = _canvas(9.5, 0.8 + 0.19 * len(names))
    axes = figure.add_subplot()
    for motion, colour in ((Motion.CORRECTED, "#3b7dd8"), (Motion.STILL, "#999999")):
        values = []
        for factor, level in names:
            found = of_segments(
                row
                for row in records
                if (row.factor, row.level, row.motion, row.model) == (factor, level, motion, model)
            )
            values.append((100 * found.bias, 100 * found.root_mean_square))
        places = np.arange(len(names)) + (0.17 if motion is Motion.STILL else -0.17)
        axes.barh(
            places,
            [rms for _, rms in values],
            height=0.32,
            color=colour,
            alpha=0.45,
            label=f"{motion.value}: RMSE",
        )
        bias = [bias for bias, _ in values]
        axes.plot(bias, places, "|", markersize=7, color=colour, label=f"{motion.value}: bias")
    axes.set_yticks(range(len(names)), [f"{factor}: {level}" for factor, level in names])
    axes.tick_params(axis="y", labelsize=7)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.axvline(8.0, color="black", linewidth=0.8, linestyle="--")
    axes.axvspan(-3.0, 3.0, color="#999999", alpha=0.25, linewidth=0)
    axes.set_xlim(-40.0, 60.0)
    axes.set_xlabel("segments, % of true flow (dashed: goal of RMSE; grey: goal of bias)")
    _legend(axes, "lower right")
    axes.grid(axis="x", alpha=0.3)
    return figure


def coverage_plot(records: Rows, model: FlowModel) -> Canvas:
    """Return how often the truth lies within an interval, over how often it should."""
    figure = _canvas(8.0, 3.8)
    nominal = np.linspace(0.05, 0.99, 40)
    axes = figure.add_subplot(1, 2, 1)
    for group in Group:
        sizes = np.abs(region_scores(_corrected(records, model, group)))
        if len(sizes):
            found = [(sizes <= norm.ppf(0.5 + 0.5 * level)).mean() for level in nominal]
            axes.plot(nominal, found, label=f"{group.value}, {len(sizes)} segments")
    _diagonal(axes, "segments as reported")
    axes = figure.add_subplot(1, 2, 2)
    for group in Group:
        rows = _corrected(records, model, group)
        count = sum(row.n_with_error for row in rows)
        if count:
            found = [
                sum(row.n_within_68 for row in rows) / count,
                sum(row.n_within_95 for row in rows) / count,
            ]
            axes.plot([0.6827, 0.95], found, "o-", label=f"{group.value}, {count} pixels")
    _diagonal(axes, "pixels of the true wall")
    return figure


def _diagonal(axes: Axes, title: str) -> None:
    axes.plot([0, 1], [0, 1], color="black", linewidth=0.8, linestyle="--")
    axes.fill_between([0, 1], [-0.05, 0.95], [0.05, 1.05], color="#999999", alpha=0.25, linewidth=0)
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    axes.set_title(title, fontsize=9, loc="left")
    axes.set_xlabel("said")
    axes.set_ylabel("found")
    axes.grid(alpha=0.3)
    _legend(axes, "upper left")


def defect_plot(records: Rows) -> Canvas:
    """Return the receiver operating characteristic of defects, and the scores behind it."""
    figure = _canvas(8.0, 3.8)
    axes = figure.add_subplot(1, 2, 1)
    for model in FlowModel:
        inside, outside = defect_scores(_corrected(records, model, Group.CLINICAL))
        if inside and outside:
            area = area_under_curve(inside, outside)
            axes.plot(*_operating(inside, outside), label=f"{model.value}, AUC {area:.3f}")
    axes.set_xlabel("healthy sectors called defects")
    axes.set_ylabel("defects found")
    axes.set_xlim(-0.01, 0.5)
    axes.set_ylim(0.5, 1.01)
    axes.grid(alpha=0.3)
    _legend(axes, "lower right")
    _score_histogram(figure.add_subplot(1, 2, 2), records)
    return figure


def _score_histogram(axes: Axes, records: Rows) -> None:
    inside, outside = defect_scores(_corrected(records, FlowModel.BTEX, Group.CLINICAL))
    bins = [0.2 + 0.04 * step for step in range(36)]
    for values, colour, label in (
        (outside, "#3b7dd8", "healthy sectors of 1 cm"),
        (inside, "#c8433f", "defects of 1 cm at half flow"),
    ):
        known = [value for value in values if math.isfinite(value)]
        if known:
            axes.hist(known, bins=bins, density=True, alpha=0.6, color=colour, label=label)
    axes.set_xlabel("flow over the median of the wall")
    axes.set_yticks([])
    _legend(axes, "upper right")


def _operating(
    inside: Sequence[float], outside: Sequence[float]
) -> tuple[list[float], list[float]]:
    low, high = (
        np.array([value for value in values if math.isfinite(value)])
        for values in (inside, outside)
    )
    thresholds = np.sort(np.concatenate([[-math.inf], low, high, [math.inf]]))
    return (
        [float((high <= at).mean()) for at in thresholds],
        [float((low <= at).mean()) for at in thresholds],
    )


def model_plot(records: Rows) -> Canvas:
    """Return segment bias of every fit on every tissue: no fit is right on all."""
    figure = _canvas(9.0, 3.4)
    for place, motion in enumerate(Motion):
        axes = figure.add_subplot(1, 2, place + 1)
        for order, model in enumerate(FlowModel):
            rows = [
                row
                for row in records
                if (row.group, row.motion, row.model) == (Group.CLINICAL, motion, model)
            ]
            if rows:
                _tissue_bars(axes, rows, 0.22 * (order - 1), model)
        axes.set_xticks(range(len(TissueModel)), [tissue.value for tissue in TissueModel])
        axes.set_xlim(-0.5, len(TissueModel) - 0.5)
        axes.tick_params(axis="x", labelsize=7)
        axes.axhspan(-3.0, 3.0, color="#999999", alpha=0.25, linewidth=0)
        axes.set_ylim(-_LIMIT, _LIMIT)
        axes.set_title(f"{motion.value} images", fontsize=9, loc="left")
        axes.grid(axis="y", alpha=0.3)
    figure.axes[0].set_ylabel("bias of segments, % (bars: one SD)")
    _legend(figure.axes[0])
    return figure


def _tissue_bars(axes: Axes, rows: Rows, shift: float, model: FlowModel) -> None:
    parts = [of_segments(row for row in rows if row.tissue == tissue) for tissue in TissueModel]
    axes.errorbar(
        [order + shift for order in range(len(parts))],
        [100 * part.bias for part in parts],
        yerr=[100 * (part.upper_limit - part.bias) / 1.96 for part in parts],
        fmt="o",
        capsize=2,
        label=model.value,
    )


def _corrected(records: Rows, model: FlowModel, group: Group) -> list[FlowRecord]:
    return [
        row
        for row in records
        if (row.group, row.motion, row.model) == (group, Motion.CORRECTED, model)
    ]


def _legend(axes: Axes, place: _Corner = "best") -> None:
    if axes.get_legend_handles_labels()[0]:
        axes.legend(fontsize=7, loc=place)


def _canvas(width: float, height: float) -> Canvas:
    figure = Canvas(figsize=(width, height), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    return figure
