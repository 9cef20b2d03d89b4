"""The figures that are tabulated: name, unit, direction, and how one exam gets one value."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from pipeline.evaluation.phases import Phase
from pipeline.evaluation.records import Record

ExamKey = tuple[str, int, str]
"""Split, seed, breathing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One column of a table."""

    title: str
    read: Callable[[Record], float]
    is_better_high: bool = False
    decimals: int = 2


DICE = Figure(title="Dice", read=lambda row: row.dice, is_better_high=True, decimals=3)
DICE_WORST_FRAME = Figure(
    title="Dice, worst frame", read=lambda row: row.dice_worst, is_better_high=True, decimals=3
)
DICE_CONSENSUS = Figure(
    title="Dice, consensus", read=lambda row: row.dice_consensus, is_better_high=True, decimals=3
)
DICE_PIXELS = Figure(
    title="Dice, pixel masks", read=lambda row: row.dice_pixels, is_better_high=True, decimals=3
)
ERROR = Figure(title="error mm", read=lambda row: row.error_mm)
ERROR_P95 = Figure(title="error p95 mm", read=lambda row: row.error_p95_mm)
ERROR_IN_PLANE = Figure(title="error in plane mm", read=lambda row: row.error_in_plane_mm)
CONSENSUS_ERROR = Figure(title="consensus error mm", read=lambda row: row.consensus_error_mm)
CONSENSUS_ERROR_P95 = Figure(title="consensus p95 mm", read=lambda row: row.consensus_error_p95_mm)


def _phase_figure(place: int, phase: Phase) -> Figure:
    return Figure(title=f"{phase.value} mm", read=lambda row: row.phase_error_mm[place])


def _consensus_figure(place: int, phase: Phase) -> Figure:
    return Figure(title=f"{phase.value} mm", read=lambda row: row.phase_consensus_error_mm[place])


PHASES = tuple(_phase_figure(place, phase) for place, phase in enumerate(Phase))
CONSENSUS_PHASES = tuple(_consensus_figure(place, phase) for place, phase in enumerate(Phase))
ROUGHNESS = Figure(title="roughness %", read=lambda row: 100 * row.roughness, decimals=1)
SHARPNESS = Figure(
    title="sharpness", read=lambda row: row.sharpness, is_better_high=True, decimals=2
)
CURVE_ERROR = Figure(title="curve error %", read=lambda row: 100 * row.curve_error, decimals=1)
FLOW_ERROR = Figure(title="MBF error", read=lambda row: row.flow_error_ml_min_g)
FLOW_RMS = Figure(title="MBF RMSE", read=lambda row: row.flow_rms_error_ml_min_g)
FOLDED = Figure(title="folded %", read=lambda row: 100 * row.folded_fraction, decimals=3)
SECONDS = Figure(title="CPU s", read=lambda row: row.cpu_s, decimals=2)


def per_exam(records: Iterable[Record], figure: Figure) -> dict[ExamKey, float]:
    """Return the mean over the series of each exam; NaN where no series has the figure."""
    values: dict[ExamKey, list[float]] = {}
    for row in records:
        values.setdefault((row.split, row.seed, row.breathing), []).append(figure.read(row))
    return {key: mean(entries) for key, entries in values.items()}


def known(values: Iterable[float]) -> list[float]:
    """Leave out what is not known."""
    return [value for value in values if math.isfinite(value)]


def mean(values: Sequence[float]) -> float:
    """Return the mean of what is known, NaN of nothing."""
    finite = known(values)
    return sum(finite) / len(finite) if finite else math.nan


def median(values: Sequence[float]) -> float:
    """Return the median of what is known, NaN of nothing."""
    finite = sorted(known(values))
    if not finite:
        return math.nan
    middle = len(finite) // 2
    return finite[middle] if len(finite) % 2 else 0.5 * (finite[middle - 1] + finite[middle])


def worst(values: Sequence[float], figure: Figure) -> float:
    """Return the worst of what is known, NaN of nothing."""
    finite = known(values)
    if not finite:
        return math.nan
    return min(finite) if figure.is_better_high else max(finite)
