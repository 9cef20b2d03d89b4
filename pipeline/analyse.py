"""The algorithm on one page: exam and parameters in, corrected series and flow maps out.

    every series   -> where the heart is                         pipeline.hearts
    every series   -> registered frames                          pipeline.register, .motion
    arterial input -> left-ventricular concentration             pipeline.arterial
    every slice    -> masks, concentration                       pipeline.quantify
    all slices     -> AHA segments; what they tell of the tissue pipeline.segment, .quantify
    every slice    -> pixel-wise flow                            pipeline.quantify
    all slices     -> flow of segments and territories           pipeline.measure
    all along      -> findings                                   pipeline.quality

A bad exam is not an error: what could not be computed is None and has a finding that says why.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TypeVar

import torch

from models.networks import Networks, shipped_networks
from pipeline.arterial import quantify_arterial_input
from pipeline.findings import Code, Finding, Grade, series_finding
from pipeline.measure import measure
from pipeline.parameters import AnalysisParameters
from pipeline.quality import check_agreement, check_clock, check_exam
from pipeline.quality.geometry import ANOTHER_ORGAN_MM, elsewhere_mm
from pipeline.quantify import (
    PreparedSlice,
    Shared,
    map_slice,
    prepare_slice,
    tissue_of,
    with_sectors,
)
from pipeline.register import register_exam
from pipeline.segment import divide_exam
from pipeline.types import Analysis, Exam, MotionCorrection, Progress, SliceAnalysis

Answer = TypeVar("Answer")

_MOTION_SHARE = 0.75
"""Share of the run time that registration takes."""
_BEFORE_FLOW = 0.87
"""Share of the run time until the first flow map."""


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
        Series that are worked on side by side; the result does not depend on it.

    Returns
    -------
    One result per slice in the order of the exam. Registered series are always there.

    """
    report = _silent if progress is None else progress
    if networks is None:
        networks = shipped_networks(str(_device_of(exam)))
    motions = register_exam(
        exam,
        method=parameters.motion,
        networks=networks,
        progress=lambda stage, fraction: report(stage, _MOTION_SHARE * fraction),
        n_parallel=n_parallel,
    )
    findings = [*check_exam(exam), *check_clock(exam)]
    arterial_motion = motions[-1] if exam.arterial_input is not None else None
    arterial_input, found = quantify_arterial_input(exam, motions, parameters)
    findings += found
    shared = Shared(
        parameters=parameters,
        state=exam.state,
        arterial_input=arterial_input,
        networks=networks,
    )
    prepared, found = _prepare(exam, motions, shared, report, n_parallel)
    findings += found
    results, found = _map(prepared, shared, report, n_parallel)
    findings += found
    findings += check_agreement(
        exam, results, arterial_input=arterial_input, arterial_motion=arterial_motion
    )
    report("finished", 1.0)
    return Analysis(
        state=exam.state,
        slices=tuple(results),
        arterial_motion=arterial_motion,
        arterial_input=arterial_input,
        findings=tuple(findings),
        regions=measure(results),
    )


def _prepare(
    exam: Exam,
    motions: Sequence[MotionCorrection],
    shared: Shared,
    report: Progress,
    n_parallel: int,
) -> tuple[list[PreparedSlice], list[Finding]]:
    """Outline and convert every slice; divide the walls of all together."""

    def prepare(index: int) -> tuple[PreparedSlice, list[Finding]]:
        report(f"concentration, slice {index + 1} of {len(exam.slices)}", _MOTION_SHARE)
        return prepare_slice(shared, exam.slices[index], motions[index], index)

    answers = _side_by_side(prepare, len(exam.slices), n_parallel)
    answers = _without_other_organs(exam, answers)
    findings = [finding for _, found in answers for finding in found]
    masks = [one.result.masks for one, _ in answers]
    sectors, found_together = divide_exam(exam.slices, masks)
    prepared = [with_sectors(one, part) for (one, _), part in zip(answers, sectors, strict=True)]
    return prepared, [*findings, *found_together]


def _without_other_organs(
    exam: Exam, answers: Sequence[tuple[PreparedSlice, list[Finding]]]
) -> list[tuple[PreparedSlice, list[Finding]]]:
    """Drop outlines so far from those of the other slices that they cannot be the same heart."""
    far = elsewhere_mm(exam, [one.result.masks for one, _ in answers])
    kept = []
    for index, (one, findings) in enumerate(answers):
        if far.get(index, 0.0) <= ANOTHER_ORGAN_MM:
            kept.append((one, findings))
            continue
        text = f"what was outlined lies {far[index]:.0f} mm beside the heart of the other slices."
        told = series_finding(Code.SEGMENTATION_UNCERTAIN, Grade.FAIL, text, index)
        kept.append((replace(one, result=replace(one.result, masks=None)), [*findings, told]))
    return kept


def _map(
    prepared: Sequence[PreparedSlice], shared: Shared, report: Progress, n_parallel: int
) -> tuple[list[SliceAnalysis], list[Finding]]:
    """Map flow of every slice with what all of them tell of the tissue."""
    belief = tissue_of(shared, prepared)

    def compute(index: int) -> tuple[SliceAnalysis, list[Finding]]:
        report(f"blood flow, slice {index + 1} of {len(prepared)}", _BEFORE_FLOW)
        return map_slice(shared, prepared[index], belief, index)

    answers = _side_by_side(compute, len(prepared), n_parallel)
    return [result for result, _ in answers], [finding for _, found in answers for finding in found]


def _side_by_side(
    compute: Callable[[int], tuple[Answer, list[Finding]]], n_slices: int, n_parallel: int
) -> list[tuple[Answer, list[Finding]]]:
    """Return what is computed for each slice, several at a time, in their order."""

    def quietly(index: int) -> tuple[Answer, list[Finding]]:
        # The mode belongs to the thread, not to the caller.
        with torch.inference_mode():
            return compute(index)

    with ThreadPoolExecutor(n_parallel) as threads:
        return list(threads.map(quietly, range(n_slices)))


def _device_of(exam: Exam) -> torch.device:
    every = (*exam.slices, *((exam.arterial_input,) if exam.arterial_input else ()))
    return every[0].frames.device if every else torch.device("cpu")


def _silent(stage: str, fraction: float) -> None:
    """Report to nobody."""
