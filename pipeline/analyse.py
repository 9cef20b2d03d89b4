"""The algorithm on one page: exam and parameters in, corrected series and flow maps out.

    every series   -> registered frames                          pipeline.motion
    arterial input -> left-ventricular concentration             pipeline.quantify
    every slice    -> masks, concentration, pixel-wise flow      pipeline.quantify
    all along      -> findings                                   pipeline.quality

A bad exam is not an error: what could not be computed is None and has a finding that says why.
"""

from concurrent.futures import ThreadPoolExecutor
from threading import Lock

import torch

from pipeline.motion import correct, identity
from pipeline.parameters import AnalysisParameters
from pipeline.quality import check_exam
from pipeline.quantify import Shared, quantify_arterial_input, quantify_slice
from pipeline.types import Analysis, Exam, ImageSeries, MotionCorrection, Progress

_MOTION_SHARE = 0.8
"""Share of the run time that registration takes."""


def analyse(
    exam: Exam,
    parameters: AnalysisParameters,
    networks: None = None,
    *,
    progress: Progress | None = None,
    n_parallel: int = 1,
) -> Analysis:
    """Correct motion and quantify flow of one exam.

    Parameters
    ----------
    exam
        Slices and arterial-input series of one bolus, on one clock.
    parameters
        Constants of tissue, agent and fit.
    networks
        Trained networks; None uses the iterative registration.
    progress
        Called with the stage and the fraction done.
    n_parallel
        Series that are registered side by side; the result does not depend on it.

    Returns
    -------
    One result per slice in the order of the exam. Registered series are always there.

    """
    report = _silent if progress is None else progress
    motions = _correct_all(exam, parameters, networks, report, n_parallel)
    findings = list(check_exam(exam))
    arterial_motion = motions[-1] if exam.arterial_input is not None else None
    arterial_input, found = quantify_arterial_input(
        exam.arterial_input, arterial_motion, parameters
    )
    findings += found
    shared = Shared(parameters=parameters, state=exam.state, arterial_input=arterial_input)
    results = []
    for index, (series, motion) in enumerate(zip(exam.slices, motions, strict=False)):
        done = _MOTION_SHARE + (1.0 - _MOTION_SHARE) * index / len(exam.slices)
        report(f"blood flow, slice {index + 1} of {len(exam.slices)}", done)
        result, found = quantify_slice(shared, series, motion, index)
        results.append(result)
        findings += found
    report("finished", 1.0)
    return Analysis(
        state=exam.state,
        slices=tuple(results),
        arterial_motion=arterial_motion,
        arterial_input=arterial_input,
        findings=tuple(findings),
    )


def _silent(stage: str, fraction: float) -> None:
    """Report to nobody."""


def _correct_all(
    exam: Exam,
    parameters: AnalysisParameters,
    networks: None,
    report: Progress,
    n_parallel: int,
) -> tuple[MotionCorrection, ...]:
    """Register all slices, then the arterial-input series; each alone, so order does not matter."""
    arterial = () if exam.arterial_input is None else (exam.arterial_input,)
    every = (*exam.slices, *arterial)
    shares = _Shares(report, len(every))

    def _register(place: int) -> MotionCorrection:
        # The mode belongs to the thread, not to the caller.
        with torch.inference_mode():
            return _correct(every[place], parameters, networks, shares.part(place))

    with ThreadPoolExecutor(n_parallel) as threads:
        return tuple(threads.map(_register, range(len(every))))


class _Shares:
    """Join the progress of series that are registered side by side into one."""

    def __init__(self, report: Progress, n_series: int) -> None:
        self._report = report
        self._done = [0.0] * n_series
        self._lock = Lock()

    def part(self, place: int) -> Progress:
        """Return the callback of one series."""

        def _advance(_stage: str, fraction: float) -> None:
            with self._lock:
                self._done[place] = max(self._done[place], fraction)
                total = sum(self._done) / len(self._done)
                self._report("motion correction", _MOTION_SHARE * total)

        return _advance


def _correct(
    series: ImageSeries, parameters: AnalysisParameters, networks: None, report: Progress
) -> MotionCorrection:
    spacing_mm, n_proton_density = series.geometry.spacing_mm, series.n_proton_density
    if not parameters.correct_motion:
        return identity(series.frames, spacing_mm=spacing_mm, n_proton_density=n_proton_density)
    return correct(
        series.frames,
        spacing_mm=spacing_mm,
        n_proton_density=n_proton_density,
        networks=networks,
        progress=report,
    )
