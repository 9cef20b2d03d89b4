"""Whether the heart was under stress at all: what two exams of one patient tell together.

Low flow under stress means disease only if the drug worked; caffeine undoes adenosine.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.findings import Code, Finding, Grade
from pipeline.regions import Layer
from pipeline.types import Analysis, Exam

_LEAST_RISE_BPM = 10.0
"""Adenosine and regadenoson raise heart rate by 15-30 per minute; the usual sign of an adequate
stress is a rise of 10 (Kramer 2020, doi 10.1186/s12968-020-00607-1)."""
_LEAST_RESERVE = 1.5
"""Stress over rest of the whole ventricle. Healthy hearts have 3-4; three-vessel disease and
failed stress look the same."""
_EVERY_OTHER = 0.75
"""Stress over rest heart rate below which images were taken in every other beat: not comparable."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalysedExam:
    """An exam and its result."""

    exam: Exam
    analysis: Analysis


def check_pair(*, stress: AnalysedExam, rest: AnalysedExam) -> tuple[Finding, ...]:
    """Return findings on a stress exam that may have been none.

    A small rise of heart rate or a small reserve alone is a note; both together want a reader.
    """
    rates = frame_rate_1_min(stress.exam), frame_rate_1_min(rest.exam)
    reserve = _global_flow(stress.analysis) / _global_flow(rest.analysis)
    is_slow = rates[0] > _EVERY_OTHER * rates[1] and rates[0] - rates[1] < _LEAST_RISE_BPM
    is_low = reserve < _LEAST_RESERVE
    grade = Grade.REVIEW if is_slow and is_low else Grade.NOTE
    texts = [*_rate_text(rates, is_slow=is_slow), *_reserve_text(reserve, is_low=is_low)]
    found = [Finding(code=Code.STRESS_DOUBTFUL, grade=grade, text=text) for text in texts]
    if reserve < 1.0:
        text = f"Flow under stress is below that at rest ({reserve:.2f} times)."
        found.append(Finding(code=Code.MAP_IMPLAUSIBLE, grade=Grade.REVIEW, text=text))
    return tuple(found)


def frame_rate_1_min(exam: Exam) -> float:
    """Return frames per minute of the first slice, its heart rate if every beat was taken.

    NaN where there are too few frames.
    """
    if not exam.slices:
        return math.nan
    series = exam.slices[0]
    time_s = series.time_s[series.n_proton_density :]
    return 60.0 / float(time_s.diff().median()) if len(time_s) > 2 else math.nan


def _global_flow(analysis: Analysis) -> float:
    values = (
        region.flow.median_ml_min_g
        for region in analysis.regions
        if region.name == "global" and region.layer is Layer.WHOLE
    )
    return next(values, math.nan) or math.nan


def _rate_text(rates: tuple[float, float], *, is_slow: bool) -> Iterator[str]:
    if is_slow:
        yield f"Heart rate was {rates[0]:.0f} per minute under stress and {rates[1]:.0f} at rest."


def _reserve_text(reserve: float, *, is_low: bool) -> Iterator[str]:
    if is_low:
        yield f"Flow of the whole ventricle rose to {reserve:.1f} times that at rest only."
