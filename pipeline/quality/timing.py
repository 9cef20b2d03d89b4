"""Missed triggers and extra beats: uneven frames where the curve changes fastest."""

import torch

from pipeline.findings import Code, Finding, Grade
from pipeline.types import ImageSeries

_LONG_FACTOR = 1.5
_SHORT_FACTOR = 0.6


def check_timing(
    series: ImageSeries, *, index: int, window_s: tuple[float, float] | None
) -> tuple[Finding, ...]:
    """Return a finding when steps between frames are irregular during the first pass.

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
    step_s = time_s.diff()
    usual_s = step_s.median()
    irregular = (step_s > _LONG_FACTOR * usual_s) | (step_s < _SHORT_FACTOR * usual_s)
    if window_s is not None:
        irregular = irregular & (time_s[1:] >= window_s[0]) & (time_s[:-1] <= window_s[1])
    n_irregular = int(torch.count_nonzero(irregular))
    if n_irregular == 0:
        return ()
    during = "in the series" if window_s is None else "during the first pass"
    finding = Finding(
        code=Code.MISSED_TRIGGERS,
        grade=Grade.REVIEW,
        text=f"Slice {index + 1}: {n_irregular} missed triggers or extra beats {during}.",
        slice_index=index,
    )
    return (finding,)
