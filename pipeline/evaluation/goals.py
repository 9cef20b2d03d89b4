"""The goals, and by how much they are met or missed."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.evaluation.cases import Split
from pipeline.evaluation.contenders import Contender
from pipeline.evaluation.figures import (
    DICE,
    ERROR,
    ERROR_P95,
    FLOW_ERROR,
    FOLDED,
    PHASES,
    SECONDS,
    Figure,
    mean,
    median,
    per_exam,
    worst,
)
from pipeline.evaluation.records import Record

_ROUNDING = 1e-9
"""A figure that misses its goal by less has met it: that is how numbers are stored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One goal and what was found."""

    text: str
    target: float
    found: float
    is_at_least: bool
    """Whether larger is better."""
    decimals: int

    @property
    def is_met(self) -> bool | None:
        """None where nothing was measured."""
        if not math.isfinite(self.found):
            return None
        gap = self.found - self.target
        return (gap if self.is_at_least else -gap) >= -_ROUNDING


def verdicts(records: Sequence[Record], contender: Contender) -> tuple[Verdict, ...]:
    """Hold one method against the goals; slices only, the arterial input has a table of its own.

    Parameters
    ----------
    records
        All results.
    contender
        The method that shall meet them.

    """
    slices = [row for row in records if not row.is_arterial and not row.weights]
    inside = [row for row in slices if row.split != Split.BEYOND]
    ours = [row for row in inside if row.method == contender]
    beyond = [row for row in slices if row.split == Split.BEYOND and row.method == contender]
    return (
        _least("Dice, mean of exams", 0.97, mean(_values(ours, DICE)), 3),
        _least("Dice, worst exam", 0.95, worst(_values(ours, DICE), DICE), 3),
        _most("error, mean of exams, mm", 0.6, mean(_values(ours, ERROR)), 2),
        _most("error, 95th percentile of frames, mm", 1.4, mean(_values(ours, ERROR_P95)), 2),
        _most("error of proton-density frames, mm", 0.7, mean(_values(ours, PHASES[0])), 2),
        _most("MBF error over that of motion-free frames", 1.1, _over_floor(inside, contender), 3),
        _most("pixels that fold, %", 0.0, mean(_values(ours, FOLDED)), 4),
        _most("largest loss of Dice against no correction", 0.01, _harm(slices, contender), 3),
        _least("Dice beyond the range of training", 0.95, mean(_values(beyond, DICE)), 3),
        _least("times faster than the iterative method", 15.0, _speed(inside, contender), 1),
    )


def harm(records: Sequence[Record], contender: Contender) -> dict[tuple[str, int, str], float]:
    """Return the loss of Dice of each series against leaving it alone; negative is a gain.

    With the consensus, because the uncorrected series has no reference frame of its own.
    """
    before = _by_series(records, Contender.NONE)
    after = _by_series(records, contender)
    return {
        key: before[key].dice_consensus - row.dice_consensus
        for key, row in after.items()
        if key in before
    }


def _by_series(
    records: Sequence[Record], contender: Contender
) -> dict[tuple[str, int, str], Record]:
    return {
        (row.split, row.seed, row.series): row
        for row in records
        if row.method == contender and not row.weights
    }


def _harm(records: Sequence[Record], contender: Contender) -> float:
    return max(harm(records, contender).values(), default=math.nan)


def _values(records: Sequence[Record], figure: Figure) -> list[float]:
    return list(per_exam(records, figure).values())


def _over_floor(records: Sequence[Record], contender: Contender) -> float:
    """Return the median over exams of the error over that of the motion-free frames."""
    floor = per_exam([row for row in records if row.method == Contender.MOTION_FREE], FLOW_ERROR)
    found = per_exam([row for row in records if row.method == contender], FLOW_ERROR)
    return median([value / floor[key] for key, value in found.items() if floor.get(key, 0.0) > 0])


def _speed(records: Sequence[Record], contender: Contender) -> float:
    slow = per_exam([row for row in records if row.method == Contender.ITERATIVE], SECONDS)
    fast = per_exam([row for row in records if row.method == contender], SECONDS)
    return median([slow[key] / value for key, value in fast.items() if key in slow and value > 0])


def _least(text: str, target: float, found: float, decimals: int) -> Verdict:
    return Verdict(text=text, target=target, found=found, is_at_least=True, decimals=decimals)


def _most(text: str, target: float, found: float, decimals: int) -> Verdict:
    return Verdict(text=text, target=target, found=found, is_at_least=False, decimals=decimals)
