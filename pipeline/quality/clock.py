"""A clock that cannot be true: no heart beats so, stamps too round, series of other beats."""

from collections.abc import Iterator

from jaxtyping import Float
from torch import Tensor

from pipeline.findings import Code, Finding, Grade, series_finding
from pipeline.types import Exam, ImageSeries

_STEP_RANGE_S = (0.3, 4.0)
"""200 beats per minute to every third beat at 45."""
_COARSE_S = 0.1
"""Stamps that are all multiples of this are rounded, or were not measured. A tenth of a second is
an eighth of a beat, and an error of sampling times passes into flow one to one."""
_NOMINAL = 1e-4
"""Scatter of the steps over the usual step below which they were computed from a nominal beat;
even a paced heart scatters by a millisecond."""
_APART_STEPS = 2.5
"""Series of one run begin and end within the same beat; a lost frame or two move an end."""
_MIN_FRAMES = 4


def check_clock(exam: Exam) -> tuple[Finding, ...]:
    """Return findings on times that were not measured, or not on one clock.

    Equal and decreasing stamps never come so far: `ImageSeries` refuses them.
    """
    return tuple(
        series_finding(Code.TIMING_UNREADABLE, Grade.REVIEW, text, index)
        for index, series in _all_series(exam)
        for text in (*_not_measured(series), *_other_beats(series, exam))
    )


def _all_series(exam: Exam) -> Iterator[tuple[int | None, ImageSeries]]:
    yield from enumerate(exam.slices)
    if exam.arterial_input is not None:
        yield None, exam.arterial_input


def _not_measured(series: ImageSeries) -> Iterator[str]:
    time_s = _recovery_s(series)
    if len(time_s) < _MIN_FRAMES:
        return
    step_s = time_s.diff()
    usual_s = float(step_s.median())
    if not _STEP_RANGE_S[0] <= usual_s <= _STEP_RANGE_S[1]:
        yield f"frames are {usual_s:.2f} s apart, which is no heart beat."
    if float((step_s - usual_s).abs().amax()) < _NOMINAL * usual_s:
        yield "all frames are exactly as far apart: times are nominal, not measured."
    elif _is_coarse(time_s):
        yield f"times are rounded to {_COARSE_S:.1f} s or worse."


def _is_coarse(time_s: Float[Tensor, " time"]) -> bool:
    ticks = (time_s - time_s[0]) / _COARSE_S
    return float((ticks - ticks.round()).abs().amax()) < 1e-3


def _other_beats(series: ImageSeries, exam: Exam) -> Iterator[str]:
    """Compare with the first slice."""
    if not exam.slices or series is exam.slices[0]:
        return
    time_s, first_s = series.time_s, exam.slices[0].time_s
    if min(len(time_s), len(first_s)) < _MIN_FRAMES:
        return
    usual_s = float(first_s.diff().median())
    apart_s = max(abs(float(time_s[place] - first_s[place])) for place in (0, -1))
    if apart_s > _APART_STEPS * usual_s:
        yield f"begins or ends {apart_s:.1f} s apart from slice 1: another clock, or frames lost."


def _recovery_s(series: ImageSeries) -> Float[Tensor, " sr_time"]:
    return series.time_s[series.n_proton_density :]
