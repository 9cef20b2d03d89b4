"""The algorithm on one page: exam and parameters in, corrected series and flow maps out.

    every series   -> registered frames                          pipeline.motion
    arterial input -> left-ventricular concentration             pipeline.perfusion.arterial_input
    every slice    -> masks, concentration, pixel-wise flow      segment, signal, perfusion
    all along      -> findings                                   pipeline.quality

A bad exam is not an error: what could not be computed is None and has a finding that says why.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from pipeline.errors import CannotQuantifyError
from pipeline.findings import Finding, Grade
from pipeline.motion import correct, identity
from pipeline.parameters import AnalysisParameters
from pipeline.perfusion import find_arterial_input, flow_map
from pipeline.perfusion.window import first_pass_s
from pipeline.quality import (
    check_arterial_input,
    check_exam,
    check_flow,
    check_motion,
    check_timing,
)
from pipeline.segment import locate_heart, segment
from pipeline.signal import to_concentration
from pipeline.types import (
    Analysis,
    ArterialInput,
    Exam,
    FlowMap,
    HeartMasks,
    ImageSeries,
    MotionCorrection,
    PatientState,
    Progress,
    SliceAnalysis,
)

_MOTION_SHARE = 0.8
"""Share of the run time that registration takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """What all slices share."""

    parameters: AnalysisParameters
    state: PatientState
    arterial_input: ArterialInput | None


def analyse(
    exam: Exam,
    parameters: AnalysisParameters,
    networks: None = None,
    *,
    progress: Progress | None = None,
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

    Returns
    -------
    One result per slice in the order of the exam. Registered series are always there.

    """
    report = _silent if progress is None else progress
    motions = tuple(_correct_all(exam, parameters, networks, report))
    findings = list(check_exam(exam))
    arterial_motion = motions[-1] if exam.arterial_input is not None else None
    arterial_input, found = _arterial_input(exam.arterial_input, arterial_motion, parameters)
    findings += found
    run = _Run(parameters=parameters, state=exam.state, arterial_input=arterial_input)
    results = []
    for index, (series, motion) in enumerate(zip(exam.slices, motions, strict=False)):
        done = _MOTION_SHARE + (1.0 - _MOTION_SHARE) * index / len(exam.slices)
        report(f"blood flow, slice {index + 1} of {len(exam.slices)}", done)
        result, found = _analyse_slice(run, series, motion, index)
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
    exam: Exam, parameters: AnalysisParameters, networks: None, report: Progress
) -> Iterator[MotionCorrection]:
    """Register all slices, then the arterial-input series."""
    arterial = () if exam.arterial_input is None else (exam.arterial_input,)
    every = (*exam.slices, *arterial)
    for place, series in enumerate(every):
        name = f"slice {place + 1}" if place < len(exam.slices) else "arterial input"

        def _report(_stage: str, fraction: float, place: int = place, name: str = name) -> None:
            report(f"motion, {name}", _MOTION_SHARE * (place + fraction) / len(every))

        _report("", 0.0)
        yield _correct(series, parameters, networks, _report)


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


def _failure(error: CannotQuantifyError, index: int | None = None) -> Finding:
    name = "Arterial input" if index is None else f"Slice {index + 1}"
    return Finding(
        code=error.code, grade=Grade.FAIL, text=f"{name}: {error.text}.", slice_index=index
    )


def _arterial_input(
    series: ImageSeries | None, motion: MotionCorrection | None, parameters: AnalysisParameters
) -> tuple[ArterialInput | None, list[Finding]]:
    """Return the arterial input, or None and why."""
    if series is None or motion is None:
        return None, []
    spacing_mm = series.geometry.spacing_mm
    findings = list(check_motion(motion, name="Arterial input", spacing_mm=spacing_mm))
    if series.sequence is None:
        return None, findings
    try:
        found = find_arterial_input(
            motion.frames,
            time_s=series.time_s,
            n_proton_density=series.n_proton_density,
            sequence=series.sequence,
            proton_density=series.proton_density,
            native_t1_s=parameters.tissue.native_t1_blood_s,
            relaxivity_l_mmol_s=parameters.relaxivity_l_mmol_s,
            spacing_mm=spacing_mm,
        )
    except CannotQuantifyError as error:
        return None, [*findings, _failure(error)]
    return found, [*findings, *check_arterial_input(found)]


def _analyse_slice(
    run: _Run, series: ImageSeries, motion: MotionCorrection, index: int
) -> tuple[SliceAnalysis, list[Finding]]:
    """Return all that can be known of one slice."""
    spacing_mm = series.geometry.spacing_mm
    window_s = None if run.arterial_input is None else first_pass_s(run.arterial_input)
    findings = [
        *check_timing(series, index=index, window_s=window_s),
        *check_motion(motion, name=f"Slice {index + 1}", spacing_mm=spacing_mm, index=index),
    ]
    result = SliceAnalysis(
        motion=motion, masks=None, flow=None, tissue_time_s=None, tissue_mmol_l=None
    )
    try:
        masks = segment(
            motion.frames, spacing_mm=spacing_mm, n_proton_density=series.n_proton_density
        )
        result = replace(result, masks=masks)
    except CannotQuantifyError as error:
        findings.append(_failure(error, index))
    try:
        result = _quantify(run, series, result)
    except CannotQuantifyError as error:
        findings.append(_failure(error, index))
    return result, [*findings, *_check_map(run, result, index)]


def _quantify(run: _Run, series: ImageSeries, result: SliceAnalysis) -> SliceAnalysis:
    """Return the result with tissue curve and flow map, as far as their inputs exist."""
    concentration = _concentration(run, series, result.motion)
    if concentration is None:
        return result
    time_s = series.time_s[series.n_proton_density :]
    if result.masks is not None:
        curve = concentration[:, result.masks.myocardium].nanmean(dim=1)
        result = replace(result, tissue_time_s=time_s, tissue_mmol_l=curve)
    if run.arterial_input is None:
        return result
    flow = flow_map(
        concentration,
        time_s=time_s,
        arterial_input=run.arterial_input,
        region=_heart_disc(result.motion.frames, series),
        myocardium=None if result.masks is None else result.masks.myocardium,
        spacing_mm=series.geometry.spacing_mm,
        bounds=run.parameters.bounds,
        density_g_ml=run.parameters.tissue.density_g_ml,
    )
    return replace(result, flow=flow)


def _concentration(
    run: _Run, series: ImageSeries, motion: MotionCorrection
) -> Float[Tensor, "sr_time row column"] | None:
    """Return tissue concentration; None when the sequence is not known."""
    if series.sequence is None:
        return None
    return to_concentration(
        motion.frames,
        n_proton_density=series.n_proton_density,
        sequence=series.sequence,
        proton_density=series.proton_density,
        native_t1_s=run.parameters.tissue.native_t1_myocardium_s,
        relaxivity_l_mmol_s=run.parameters.relaxivity_l_mmol_s,
        spacing_mm=series.geometry.spacing_mm,
        n_pre_contrast=_count_before_foot(run.arterial_input, series),
    )


def _count_before_foot(arterial_input: ArterialInput | None, series: ImageSeries) -> int | None:
    """Return how many perfusion frames precede arrival in the left ventricle.

    Blood of the right ventricle enhances earlier; muscle does not, and more frames make a
    quieter baseline.
    """
    if arterial_input is None:
        return None
    foot_s = arterial_input.time_s[arterial_input.foot]
    n_before = int((series.time_s[series.n_proton_density :] <= foot_s).sum())
    return n_before if n_before >= 2 else None


def _heart_disc(
    frames: Float[Tensor, "time row column"], series: ImageSeries
) -> Bool[Tensor, "row column"]:
    heart = locate_heart(
        frames, spacing_mm=series.geometry.spacing_mm, n_proton_density=series.n_proton_density
    )
    rows, columns = (
        torch.arange(size, dtype=frames.dtype, device=frames.device) for size in frames.shape[1:]
    )
    row_mm = (rows - heart.centre_row) * series.geometry.spacing_mm[0]
    column_mm = (columns - heart.centre_column) * series.geometry.spacing_mm[1]
    return torch.hypot(row_mm[:, None], column_mm[None, :]) <= heart.radius_mm


def _check_map(run: _Run, result: SliceAnalysis, index: int) -> tuple[Finding, ...]:
    flow: FlowMap | None = result.flow
    masks: HeartMasks | None = result.masks
    if flow is None or masks is None:
        return ()
    return check_flow(
        flow,
        myocardium=masks.myocardium,
        state=run.state,
        bounds=run.parameters.bounds,
        index=index,
    )
