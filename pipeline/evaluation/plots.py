"""The results as plots."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure as Canvas

from pipeline.evaluation.cases import Split
from pipeline.evaluation.contenders import Contender
from pipeline.evaluation.figures import (
    DICE,
    ERROR,
    FLOW_ERROR,
    PHASES,
    SECONDS,
    Figure,
    known,
    mean,
    per_exam,
)
from pipeline.evaluation.phases import Phase
from pipeline.evaluation.records import Record
from pipeline.evaluation.tables import labels, of

_MODE_COLOURS = {
    "held": "#3b7dd8",
    "fails": "#e0932f",
    "free": "#3a9c5f",
    "gasps": "#c8433f",
}
_CEILINGS = (Contender.ORACLE_FIELD, Contender.MOTION_FREE)


def methods_plot(records: Sequence[Record]) -> Canvas:
    """Return Dice, error and flow error of every exam, one row per method."""
    rows = [row for row in records if not row.is_arterial]
    figure = _canvas(11.0, 0.8 + 0.42 * len(labels(rows)))
    for place, value in enumerate((DICE, ERROR, FLOW_ERROR)):
        axes = figure.add_subplot(1, 3, place + 1)
        _strips(axes, rows, value, has_names=place == 0)
    _mode_legend(figure)
    return figure


def phases_plot(records: Sequence[Record]) -> Canvas:
    """Return the error over the phases of the bolus, one line per method."""
    rows = [row for row in records if not row.is_arterial and row.split != Split.BEYOND]
    figure = _canvas(7.0, 3.8)
    axes = figure.add_subplot()
    for label in labels([row for row in rows if row.method not in _CEILINGS]):
        values = [mean(list(per_exam(of(rows, label), value).values())) for value in PHASES]
        axes.plot([phase.value for phase in Phase], values, marker="o", label=label)
    axes.set_ylabel("target registration error, mm")
    axes.set_ylim(bottom=0)
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5))
    return figure


def time_plot(records: Sequence[Record]) -> Canvas:
    """Return mean error against time of every method."""
    rows = [row for row in records if not row.is_arterial and row.split != Split.BEYOND]
    figure = _canvas(6.0, 3.8)
    axes = figure.add_subplot()
    for label in labels([row for row in rows if row.method not in {*_CEILINGS, Contender.NONE}]):
        seconds, error = (
            mean(list(per_exam(of(rows, label), value).values())) for value in (SECONDS, ERROR)
        )
        axes.plot(max(seconds, 0.01), error, "o", label=label)
    axes.legend(fontsize=8)
    axes.set_xscale("log")
    axes.set_xlabel("processor time of one slice, s")
    axes.set_ylabel("target registration error, mm")
    axes.set_ylim(bottom=0)
    axes.margins(x=0.25)
    axes.grid(alpha=0.3)
    return figure


def _canvas(width: float, height: float) -> Canvas:
    figure = Canvas(figsize=(width, height), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _strips(axes: Axes, rows: Sequence[Record], value: Figure, *, has_names: bool) -> None:
    """Draw a box and every exam of each method; filled marks are held-out, open ones beyond."""
    names = labels(rows)
    for place, label in enumerate(names):
        found = per_exam(of(rows, label), value)
        axes.boxplot(
            [known(found.values())],
            positions=[place],
            orientation="horizontal",
            widths=0.6,
            showfliers=False,
            manage_ticks=False,
            medianprops={"color": "black"},
        )
        for order, ((split, _, mode), number) in enumerate(sorted(found.items())):
            colour = _MODE_COLOURS.get(mode, "#777777")
            face = "none" if split == Split.BEYOND else colour
            height = place + 0.5 * ((order * 0.618) % 1.0 - 0.5)
            axes.plot(number, height, "o", markersize=3, color=colour, markerfacecolor=face)
    axes.set_yticks(range(len(names)), names if has_names else [""] * len(names))
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_xlabel(value.title)
    axes.grid(axis="x", alpha=0.3)


def _mode_legend(figure: Canvas) -> None:
    axes = figure.axes[-1]
    for mode, colour in _MODE_COLOURS.items():
        axes.plot([], [], "o", markersize=4, color=colour, label=mode)
    axes.plot([], [], "o", markersize=4, color="#777777", markerfacecolor="none", label="beyond")
    axes.legend(fontsize=7, loc="best")
