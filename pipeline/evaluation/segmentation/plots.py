"""The results as plots."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure as Canvas

from pipeline.evaluation.cases import Split
from pipeline.evaluation.segmentation.figures import FAILED_DICE, Value
from pipeline.evaluation.segmentation.measure import Way
from pipeline.evaluation.segmentation.records import OutlineRecord
from pipeline.segment.trust import DOUBTFUL_DICE

_LEVELS = ("#3b7dd8", "#3a9c5f", "#c8433f")
_PANELS: tuple[tuple[str, Value], ...] = (
    ("Dice of the myocardium", lambda record: record.dice_myocardium),
    ("Dice of the left ventricle", lambda record: record.dice_left_ventricle),
    ("larger error of both insertions, degrees", lambda record: record.insertion_deg),
)


def dice_plot(records: Sequence[OutlineRecord]) -> Canvas:
    """Return every slice by both ways."""
    figure = canvas(11.0, 3.4)
    for place, (title, value) in enumerate(_PANELS):
        axes = figure.add_subplot(1, 3, place + 1)
        for line, way in enumerate(Way):
            rows = [record for record in records if record.way == way]
            known = [value(record) for record in rows if value(record) == value(record)]
            axes.boxplot(
                [known],
                positions=[line],
                orientation="horizontal",
                widths=0.6,
                showfliers=False,
                manage_ticks=False,
                medianprops={"color": "black"},
            )
            _strip(axes, rows, value, line)
        axes.set_yticks(range(len(Way)), [way.value if place == 0 else "" for way in Way])
        axes.set_xlabel(title)
        axes.grid(axis="x", alpha=0.3)
    for name, colour in zip(("base", "middle", "apex"), _LEVELS, strict=True):
        figure.axes[0].plot([], [], "o", markersize=4, color=colour, label=name)
    figure.axes[0].legend(fontsize=7, loc="best")
    return figure


def trust_plot(records: Sequence[OutlineRecord]) -> Canvas:
    """Return expected against true Dice, and the ROC curve of failures."""
    rows = [record for record in records if record.way == Way.SEGMENT]
    figure = canvas(9.0, 4.0)
    axes = figure.add_subplot(1, 2, 1)
    for record in rows:
        colour = _LEVELS[min(record.index, 2)]
        face = "none" if record.split == Split.BEYOND else colour
        axes.plot(
            record.expected,
            record.dice_myocardium,
            "o",
            markersize=4,
            color=colour,
            markerfacecolor=face,
        )
    axes.plot([0, 1], [0, 1], color="#777777", linewidth=0.8)
    axes.axvline(DOUBTFUL_DICE, color="#c8433f", linewidth=0.8, linestyle="--")
    axes.axhline(FAILED_DICE, color="#c8433f", linewidth=0.8, linestyle=":")
    axes.set_xlabel("expected Dice of the myocardium; dashed: doubted below")
    axes.set_ylabel("Dice of the myocardium; dotted: failed below")
    axes.grid(alpha=0.3)
    _roc(figure.add_subplot(1, 2, 2), rows)
    return figure


def canvas(width: float, height: float) -> Canvas:
    """Return an empty figure, inches."""
    figure = Canvas(figsize=(width, height), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _strip(axes: Axes, rows: Sequence[OutlineRecord], value: Value, line: int) -> None:
    for order, record in enumerate(rows):
        colour = _LEVELS[min(record.index, 2)]
        face = "none" if record.split == Split.BEYOND else colour
        height = line + 0.5 * ((order * 0.618) % 1.0 - 0.5)
        number = value(record)
        axes.plot(number, height, "o", markersize=3, color=colour, markerfacecolor=face)


def _roc(axes: Axes, rows: Sequence[OutlineRecord]) -> None:
    failed = np.array([record.dice_myocardium < FAILED_DICE for record in rows])
    expected = np.array([record.expected for record in rows])
    if not failed.any():
        axes.text(0.5, 0.5, "no slice failed", ha="center", va="center")
    if failed.any() and not failed.all():
        at = np.concatenate([[-1.0], np.sort(np.unique(expected)), [2.0]])
        told = [(expected[failed] < limit).mean() for limit in at]
        alarms = [(expected[~failed] < limit).mean() for limit in at]
        axes.step(alarms, told, where="post", color="#3b7dd8")
        axes.plot(
            (expected[~failed] < DOUBTFUL_DICE).mean(),
            (expected[failed] < DOUBTFUL_DICE).mean(),
            "o",
            color="#c8433f",
        )
    axes.set_xlabel("false alarms, share of good slices")
    axes.set_ylabel("failures told, share")
    axes.set_xlim(-0.02, 1.02)
    axes.set_ylim(-0.02, 1.02)
    axes.grid(alpha=0.3)
