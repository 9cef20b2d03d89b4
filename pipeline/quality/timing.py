"""Missed triggers, extra beats and irregular rhythm: uneven frames where curves change fastest."""

from collections.abc import Iterator

import torch
from jaxtyping import Float
from torch import Tensor

from pipeline.findings import Code, Finding, Grade, series_finding
from pipeline.types import ImageSeries

_LONG_FACTOR = 1.5
"""A step longer than this times the usual one has a beat without an image in it."""
_SHORT_FACTOR = 0.6
"""A step shorter than this times the usual one ends in an extra beat."""
_MANY = 2
"""One uneven step leaves a first pass of about ten beats well sampled; more are looked at."""
_IRREGULAR = 0.1
"""Median change from step to step over the usual step. Sinus rhythm has 0.03-0.05, atrial
fibrillation with independent intervals of 20 % scatter has 0.19 (Tateno & Glass 2001,
doi 10.1007/BF02345439, for the scatter)."""
_MIN_STEPS = 10
_SLOW_S = 2.0
"""Usual step above which the rise of the wall, which takes some 5 s, is hardly sampled: early blood
with little flow and late blood with much can no longer be told apart (at 3 s flow is up to twice
too high)."""


def check_timing(
    series: ImageSeries, *, index: int, window_s: tuple[float, float] | None
) -> tuple[Finding, ...]:
    """Return findings on irregular steps between the frames of a slice.

    Parameters
    ----------
    series
        One slice.
    index
        Which slice it is.
    window_s
        Start and end of the first pass on the clock of the exam, s; the whole series when None.

    """
    time_s = series.time_s[series.n_proton_density :]
    if time_s.shape[0] < 3:
        return ()
    return tuple(
        series_finding(Code.MISSED_TRIGGERS, grade, text, index)
        for grade, text in (
            *_slow_sampling(time_s),
            *_irregular_rhythm(time_s),
            *_uneven_steps(time_s, window_s),
        )
    )


def _slow_sampling(time_s: Float[Tensor, " time"]) -> Iterator[tuple[Grade, str]]:
    usual_s = float(time_s.diff().median())
    if usual_s > _SLOW_S:
        yield Grade.REVIEW, f"one image every {usual_s:.1f} s is too slow to measure flow well."


def _irregular_rhythm(time_s: Float[Tensor, " time"]) -> Iterator[tuple[Grade, str]]:
    step_s = time_s.diff()
    if len(step_s) < _MIN_STEPS:
        return
    change = float(step_s.diff().abs().median() / step_s.median())
    if change > _IRREGULAR:
        yield Grade.REVIEW, f"irregular rhythm: intervals change by {change:.0%} from beat to beat."


def _uneven_steps(
    time_s: Float[Tensor, " time"], window_s: tuple[float, float] | None
) -> Iterator[tuple[Grade, str]]:
    step_s = time_s.diff()
    usual_s = step_s.median()
    uneven = (step_s > _LONG_FACTOR * usual_s) | (step_s < _SHORT_FACTOR * usual_s)
    if window_s is not None:
        uneven = uneven & (time_s[1:] >= window_s[0]) & (time_s[:-1] <= window_s[1])
    n_uneven = int(torch.count_nonzero(uneven))
    if n_uneven:
        grade = Grade.NOTE if n_uneven < _MANY else Grade.REVIEW
        during = "in the series" if window_s is None else "during the first pass"
        yield grade, f"{n_uneven} missed triggers or extra beats {during}."
