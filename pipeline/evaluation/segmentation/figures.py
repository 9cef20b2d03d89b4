"""Numbers of many slices: means, goals, and how well failures are told."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.evaluation.segmentation.records import OutlineRecord
from pipeline.segment.trust import DOUBTFUL_DICE

FAILED_DICE = 0.7
"""A myocardium below this is a failure that must be told."""

Value = Callable[[OutlineRecord], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """How one figure is spread over slices; NaN without any."""

    mean: float
    median: float
    worst_tenth: float
    """The 10th percentile, or the 90th of what should be small."""
    n_values: int


def spread(
    records: Sequence[OutlineRecord], value: Value, *, small_is_good: bool = False
) -> Spread:
    """Return the spread of a figure; slices without it are left out."""
    known = [number for record in records if not math.isnan(number := value(record))]
    if not known:
        return Spread(mean=math.nan, median=math.nan, worst_tenth=math.nan, n_values=0)
    return Spread(
        mean=float(np.mean(known)),
        median=float(np.median(known)),
        worst_tenth=float(np.quantile(known, 0.9 if small_is_good else 0.1)),
        n_values=len(known),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Flagging:
    """How failures are told."""

    n_failed: int
    n_told: int
    """Failures that were refused or doubted."""
    n_good: int
    n_false_alarms: int
    area_under_curve: float
    """Chance that a failure is doubted more than a success."""


def flagging(records: Sequence[OutlineRecord], *, failed: float = FAILED_DICE) -> Flagging:
    """Return how well what answers think of themselves tells those that failed."""
    is_failed = [record.dice_myocardium < failed for record in records]
    is_told = [is_doubted(record) for record in records]
    bad = [record.expected for record, wrong in zip(records, is_failed, strict=True) if wrong]
    good = [record.expected for record, wrong in zip(records, is_failed, strict=True) if not wrong]
    wins = [(a < b) + 0.5 * (a == b) for a in bad for b in good]
    return Flagging(
        n_failed=len(bad),
        n_told=sum(wrong and told for wrong, told in zip(is_failed, is_told, strict=True)),
        n_good=len(good),
        n_false_alarms=sum(
            told and not wrong for wrong, told in zip(is_failed, is_told, strict=True)
        ),
        area_under_curve=float(np.mean(wins)) if wins else math.nan,
    )


def is_doubted(record: OutlineRecord) -> bool:
    """Tell whether an answer was refused or carries P10."""
    return not record.method or record.expected < DOUBTFUL_DICE
