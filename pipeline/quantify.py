"""One series at a time: the arterial input, then the tissue of each slice.

What cannot be computed is None in the result and a finding beside it.
"""

from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from pipeline.errors import CannotQuantifyError
from pipeline.findings import Code, Finding, Grade, series_finding
from pipeline.parameters import AnalysisParameters
from pipeline.perfusion import find_arterial_input, flow_map
from pipeline.perfusion.window import first_pass_s
from pipeline.quality import (
    check_arterial_input,
    check_flow,
    check_frames,
    check_motion,
    check_timing,
)
from pipeline.segment import locate_heart, segment
from pipeline.signal import to_concentration
from pipeline.types import (
    ArterialInput,
    ImageSeries,
    MotionCorrection,
    PatientState,
    SliceAnalysis,
)

_MIN_DENSITY_FRACTION = 0.6
"""Proton density over that of the wall below which a pixel holds too much air to be measured."""

_MAX_BROKEN_FRACTION = 0.005
"""Pixels that are no numbers stay alone; a frame with more of them is left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """What all slices share."""

    parameters: AnalysisParameters
    state: PatientState
    arterial_input: ArterialInput | None


def quantify_arterial_input(
    series: ImageSeries | None, motion: MotionCorrection | None, parameters: AnalysisParameters
) -> tuple[ArterialInput | None, list[Finding]]:
    """Return the arterial input, or None and why."""
    if series is None or motion is None:
        return None, []
    spacing_mm = series.geometry.spacing_mm
    findings = [
        *check_frames(series),
        *check_motion(motion, spacing_mm=spacing_mm),
    ]
    if series.sequence is None:
        return None, findings
    try:
        corrected = _corrected(series, motion)
        found = find_arterial_input(
            corrected.frames,
            time_s=corrected.time_s,
            n_proton_density=corrected.n_proton_density,
            sequence=series.sequence,
            proton_density=series.proton_density,
            relaxation=parameters.blood,
            spacing_mm=spacing_mm,
        )
    except CannotQuantifyError as error:
        return None, [*findings, _failure(error)]
    return found, [*findings, *check_arterial_input(found)]


def quantify_slice(
    shared: Shared, series: ImageSeries, motion: MotionCorrection, index: int
) -> tuple[SliceAnalysis, list[Finding]]:
    """Return all that can be known of one slice."""
    spacing_mm = series.geometry.spacing_mm
    window_s = None if shared.arterial_input is None else first_pass_s(shared.arterial_input)
    findings = [
        *check_frames(series, index=index),
        *check_timing(series, index=index, window_s=window_s),
        *check_motion(motion, spacing_mm=spacing_mm, index=index),
    ]
    result = SliceAnalysis(
        motion=motion, masks=None, flow=None, tissue_time_s=None, tissue_mmol_l=None
    )
    try:
        corrected = _corrected(series, motion)
    except CannotQuantifyError as error:
        return result, [*findings, _failure(error, index)]
    try:
        masks = segment(
            corrected.frames, spacing_mm=spacing_mm, n_proton_density=corrected.n_proton_density
        )
        result = replace(result, masks=masks)
    except CannotQuantifyError as error:
        findings.append(_failure(error, index))
    try:
        result = _quantify(shared, corrected, result)
    except CannotQuantifyError as error:
        findings.append(_failure(error, index))
    return result, [*findings, *_check_map(shared, result, index)]


def _corrected(series: ImageSeries, motion: MotionCorrection) -> ImageSeries:
    """Return the registered series without blank and broken frames.

    In a curve they would look like a drop of the signal; a missing beat is only a longer step.

    Raises
    ------
    CannotQuantifyError
        No frame shows anything.

    """
    keep = _shows_something(motion.frames)
    if not bool(keep.any()):
        raise CannotQuantifyError(Code.INCOMPLETE_TRANSFER, "no frame shows anything")
    return replace(
        series,
        frames=motion.frames[keep],
        time_s=series.time_s[keep],
        n_proton_density=int(keep[: series.n_proton_density].sum()),
    )


def _shows_something(frames: Float[Tensor, "time row column"]) -> Bool[Tensor, " time"]:
    """Tell the frames that are not constant and of which nearly all pixels are numbers."""
    pixels = frames.flatten(1)
    if pixels.numel() == 0:
        return torch.zeros(len(pixels), dtype=torch.bool, device=pixels.device)
    known = pixels.isfinite()
    highest = torch.where(known, pixels, -torch.inf).amax(dim=1)
    lowest = torch.where(known, pixels, torch.inf).amin(dim=1)
    return (highest > lowest) & ((~known).double().mean(dim=1) <= _MAX_BROKEN_FRACTION)


def _quantify(shared: Shared, series: ImageSeries, result: SliceAnalysis) -> SliceAnalysis:
    """Return the result with tissue curve and flow map, as far as their inputs exist.

    `series` holds the corrected frames.
    """
    concentration = _concentration(shared, series)
    if concentration is None:
        return result
    time_s = series.time_s[series.n_proton_density :]
    if result.masks is not None:
        curve = concentration[:, result.masks.myocardium].nanmean(dim=1)
        result = replace(result, tissue_time_s=time_s, tissue_mmol_l=curve)
    if shared.arterial_input is None:
        return result
    flow = flow_map(
        concentration,
        time_s=time_s,
        arterial_input=shared.arterial_input,
        region=_heart_disc(result, series) & _holds_tissue(result, series),
        myocardium=None if result.masks is None else result.masks.myocardium,
        spacing_mm=series.geometry.spacing_mm,
        settings=shared.parameters.flow,
    )
    return replace(result, flow=flow)


def _concentration(
    shared: Shared, series: ImageSeries
) -> Float[Tensor, "sr_time row column"] | None:
    """Return tissue concentration; None when the sequence is not known."""
    if series.sequence is None:
        return None
    return to_concentration(
        series.frames,
        n_proton_density=series.n_proton_density,
        sequence=series.sequence,
        proton_density=series.proton_density,
        relaxation=shared.parameters.myocardium,
        spacing_mm=series.geometry.spacing_mm,
        n_pre_contrast=_count_before_foot(shared.arterial_input, series),
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


def _heart_disc(result: SliceAnalysis, series: ImageSeries) -> Bool[Tensor, "row column"]:
    """Return a disc around the left ventricle, or around the heart where that is not known."""
    frames, spacing_mm = series.frames, series.geometry.spacing_mm
    heart = locate_heart(frames, spacing_mm=spacing_mm, n_proton_density=series.n_proton_density)
    centre = (heart.centre_row, heart.centre_column)
    if result.masks is not None:
        inside = torch.nonzero(result.masks.myocardium | result.masks.left_ventricle)
        row, column = inside.double().mean(dim=0).tolist()
        centre = (row, column)
    rows, columns = (
        torch.arange(size, dtype=frames.dtype, device=frames.device) for size in frames.shape[1:]
    )
    row_mm = (rows - centre[0]) * spacing_mm[0]
    column_mm = (columns - centre[1]) * spacing_mm[1]
    return torch.hypot(row_mm[:, None], column_mm[None, :]) <= heart.radius_mm


def _holds_tissue(result: SliceAnalysis, series: ImageSeries) -> Bool[Tensor, "row column"]:
    """Return the pixels with a fair share of the proton density of the wall.

    Along lung and air the ratio to the proton-density frames is mostly noise and motion; what it
    gives there looks like high flow.
    """
    frames = series.frames
    everywhere = torch.ones_like(frames[0], dtype=torch.bool)
    if result.masks is None or series.n_proton_density == 0:
        return everywhere
    density = frames[: series.n_proton_density].mean(dim=0)
    wall = result.masks.myocardium
    threshold = _MIN_DENSITY_FRACTION * density[wall].median()
    return wall | torch.ge(density, threshold)


def _check_map(shared: Shared, result: SliceAnalysis, index: int) -> tuple[Finding, ...]:
    flow, masks = result.flow, result.masks
    if flow is None or masks is None:
        return ()
    return check_flow(
        flow,
        myocardium=masks.myocardium,
        state=shared.state,
        bounds=shared.parameters.bounds,
        index=index,
    )


def _failure(error: CannotQuantifyError, index: int | None = None) -> Finding:
    return series_finding(error.code, Grade.FAIL, f"{error.text}.", index)
