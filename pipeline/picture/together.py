"""Which frames of several slices belong to the same beat, also where a slice lacks one."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

_ALMOST_A_BEAT = 0.95
"""Frames further apart than this part of the usual interval are of different beats."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Beat:
    """The frames of one beat."""

    time_s: float
    """Of its first frame."""
    frames: tuple[int | None, ...]
    """Index in each slice; None where the slice was not imaged."""


def group_beats(times_s: Sequence[Sequence[float]]) -> tuple[Beat, ...]:
    """Return the beats of slices that take turns within each beat.

    Slices are imaged in the same order in every beat, so that a beat ends where the order begins
    anew, or where more time has passed than between two frames of one slice.

    Parameters
    ----------
    times_s
        Acquisition times of every slice, increasing, on one clock.

    """
    gaps_s = [np.diff(time_s) for time_s in times_s if len(time_s) > 1]
    usual_s = float(np.median(np.concatenate(gaps_s))) if gaps_s else 1.0
    turn = {index: rank for rank, index in enumerate(_order(times_s))}
    shots = sorted(
        (time_s, index, frame)
        for index, series in enumerate(times_s)
        for frame, time_s in enumerate(series)
    )
    groups: list[dict[int, int]] = []
    began_s, last_turn = -np.inf, len(turn)
    starts_s: list[float] = []
    for time_s, index, frame in shots:
        if turn[index] <= last_turn or time_s - began_s > _ALMOST_A_BEAT * usual_s:
            groups.append({})
            starts_s.append(time_s)
            began_s = time_s
        groups[-1][index] = frame
        last_turn = turn[index]
    return tuple(
        Beat(time_s=start_s, frames=tuple(group.get(index) for index in range(len(times_s))))
        for start_s, group in zip(starts_s, groups, strict=True)
    )


def _order(times_s: Sequence[Sequence[float]]) -> list[int]:
    """Return the slices in the order in which their first frames came."""
    return sorted(range(len(times_s)), key=lambda index: times_s[index][0])
