"""Slices x beats as a grid: who has an image of which beat, and where a beat was missed."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from node.translate.account import StackAccount

_MISSED_FACTOR = 1.5
"""An interval longer than so many usual ones lacks a beat."""
_NEAR_FRACTION = 0.5
"""Images belong to one beat when they lie within this part of an interval."""
_MAX_SHIFT = 3
"""Beats by which the first image of a stack may be away from that of another."""


class Cell(StrEnum):
    """What a stack has of a beat; the value is how it is drawn."""

    IMAGE = "■"
    PROTON_DENSITY = "P"
    LACKS = "○"
    """Other stacks have an image of this beat."""
    MISSED = "·"
    """A beat of which nobody has an image."""
    NONE = " "


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """The beats of one exam."""

    rows: tuple[tuple[Cell, ...], ...]
    """One per stack; proton-density frames first, then one cell per beat."""
    interval_s: tuple[float | None, ...]
    """From each beat to the next, one per column; None where there is none."""
    usual_interval_s: float

    @property
    def n_beats(self) -> int:
        """Beats of which there is an image."""
        return sum(
            any(cell is Cell.IMAGE for cell in column) for column in zip(*self.rows, strict=True)
        )

    @property
    def n_missed(self) -> int:
        """Beats of which nobody has an image."""
        return sum(Cell.MISSED in column for column in zip(*self.rows, strict=True))


def make_grid(stacks: Sequence[StackAccount]) -> Grid:
    """Put the images of all stacks on one row of beats.

    Every stack is acquired at its own time in the cycle, so each is shifted by its usual delay
    after the stack with most images before images are sorted into beats.

    Parameters
    ----------
    stacks
        At least one.

    """
    times = [stack.time_s[stack.n_proton_density :] for stack in stacks]
    reference = max(times, key=len)
    usual_s = statistics.median(b - a for a, b in pairwise(reference)) if reference[1:] else 0.0
    aligned = [_align(own, reference, usual_s) for own in times]
    starts = _merge([time for own in aligned for time in own], _NEAR_FRACTION * usual_s)
    columns = _with_gaps(starts, usual_s)
    n_density = max(stack.n_proton_density for stack in stacks)
    rows = tuple(
        (*_density(stack.n_proton_density, n_density), *_row(own, columns, usual_s))
        for stack, own in zip(stacks, aligned, strict=True)
    )
    intervals = (*([None] * n_density), *_intervals(columns))
    return Grid(rows=rows, interval_s=intervals, usual_interval_s=usual_s)


def _align(own: Sequence[float], reference: Sequence[float], usual_s: float) -> list[float]:
    """Shift a stack by its delay in the cycle: the shift that finds a beat for most images.

    A delay can be nearly a whole interval, so the nearest beat is not always the right one; that
    intervals differ from beat to beat tells them apart.
    """
    delays = [
        statistics.median(time - other for time, other in zip(own, reference[shift:], strict=False))
        for shift in range(min(_MAX_SHIFT, len(reference) - 1) + 1)
        if own
    ] + [
        statistics.median(time - other for time, other in zip(own[shift:], reference, strict=False))
        for shift in range(1, min(_MAX_SHIFT, len(own) - 1) + 1)
    ]
    shifted = [[time - delay for time in own] for delay in delays]
    return min(shifted, key=lambda times: _misfit(times, reference, usual_s), default=[])


def _misfit(times: Sequence[float], reference: Sequence[float], usual_s: float) -> float:
    """Return how far images lie from beats; one without a beat counts as a tenth of an interval."""
    worst_s = 0.1 * usual_s
    return sum(min(worst_s, *(abs(time - other) for other in reference)) for time in times)


def _merge(times: Sequence[float], tolerance_s: float) -> list[float]:
    """Return one time per beat."""
    starts: list[float] = []
    for time in sorted(times):
        if not starts or time - starts[-1] > tolerance_s:
            starts.append(time)
    return starts


def _with_gaps(starts: Sequence[float], usual_s: float) -> list[float | None]:
    """Return the beats with None for every one that was missed."""
    columns: list[float | None] = list(starts[:1])
    for before, after in pairwise(starts):
        if after - before > _MISSED_FACTOR * usual_s:
            columns += [None] * (round((after - before) / usual_s) - 1)
        columns.append(after)
    return columns


def _density(count: int, width: int) -> list[Cell]:
    return [Cell.NONE] * (width - count) + [Cell.PROTON_DENSITY] * count


def _row(own: Sequence[float], columns: Sequence[float | None], usual_s: float) -> list[Cell]:
    return [
        Cell.MISSED
        if start is None
        else Cell.IMAGE
        if any(-1e-6 <= time - start <= _NEAR_FRACTION * usual_s for time in own)
        else Cell.LACKS
        for start in columns
    ]


def _intervals(columns: Sequence[float | None]) -> list[float | None]:
    """Return the time from each beat to the next that was seen."""
    starts = [start for start in columns if start is not None]
    until_next = {before: after - before for before, after in pairwise(starts)}
    return [None if start is None else until_next.get(start) for start in columns]
