"""The algorithm on one page: exam and parameters in, corrected series and flow maps out.

    every series   -> registered frames                          pipeline.register, .motion
    arterial input -> left-ventricular concentration             pipeline.quantify
    every slice    -> masks, concentration, pixel-wise flow      pipeline.quantify
    all along      -> findings                                   pipeline.quality

A bad exam is not an error: what could not be computed is None and has a finding that says why.
"""

from models.networks import Networks
from pipeline.parameters import AnalysisParameters
from pipeline.quality import check_exam
from pipeline.quantify import Shared, quantify_arterial_input, quantify_slice
from pipeline.register import register_exam
from pipeline.types import Analysis, Exam, Progress

_MOTION_SHARE = 0.8
"""Share of the run time that registration takes."""


def analyse(
    exam: Exam,
    parameters: AnalysisParameters,
    networks: Networks | None = None,
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
        Constants of tissue, agent and fit; the method of motion correction.
    networks
        Trained networks; None takes the shipped ones.
    progress
        Called with the stage and the fraction done.
    n_parallel
        Series that are registered side by side; the result does not depend on it.

    Returns
    -------
    One result per slice in the order of the exam. Registered series are always there.

    """
    report = _silent if progress is None else progress
    motions = register_exam(
        exam,
        method=parameters.motion,
        networks=networks,
        progress=lambda stage, fraction: report(stage, _MOTION_SHARE * fraction),
        n_parallel=n_parallel,
    )
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
