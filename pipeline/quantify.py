"""The tissue of the slices: each is prepared, then all are mapped with what they share.

`prepare_slice` outlines the heart and converts signal to concentration; `tissue_of` gathers what
all slices together tell of the tissue; `map_slice` computes flow. What cannot be computed is None
in the result and a finding beside it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from models.networks import Networks
from pipeline.errors import CannotQuantifyError
from pipeline.findings import Code, Finding, Grade, series_finding
from pipeline.measure import counted_pixels
from pipeline.parameters import AnalysisParameters
from pipeline.perfusion import Belief, flow_map, heart_belief
from pipeline.perfusion.window import first_pass_s
from pipeline.quality import (
    check_flow,
    check_frames,
    check_heart,
    check_motion,
    check_segmentation,
    check_timing,
)
from pipeline.regions import SliceSectors
from pipeline.registered import registered
from pipeline.segment import SAME_HEART_MM, locate_heart, segment
from pipeline.signal import to_concentration
from pipeline.types import (
    ArterialInput,
    FlowMap,
    HeartMasks,
    ImageSeries,
    MotionCorrection,
    PatientState,
    SliceAnalysis,
)

_MIN_KNOWN_FRACTION = 0.1
"""Share of the wall with a flow below which a map would show chance."""
_MIN_KNOWN_PIXELS = 20
_BESIDE_MM = 8.0
"""Reach of blood that shines in: the point spread, and what motion correction leaves."""
_MIN_DENSITY_FRACTION = 0.6
"""Proton density over that of the wall below which a pixel holds too much air to be measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """What all slices share."""

    parameters: AnalysisParameters
    state: PatientState
    arterial_input: ArterialInput | None
    networks: Networks | None = None
    """With one for segmentation; without it contours come from the bolus alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedSlice:
    """One slice before its flow is computed."""

    result: SliceAnalysis
    registered: ImageSeries | None
    """Corrected frames without those that show nothing; None when there are none."""
    concentration_mmol_l: Float[Tensor, "sr_time row column"] | None

    @property
    def time_s(self) -> Float[Tensor, " sr_time"] | None:
        """Times of the saturation-recovery frames, s."""
        series = self.registered
        return None if series is None else series.time_s[series.n_proton_density :]


def prepare_slice(
    shared: Shared, series: ImageSeries, motion: MotionCorrection, index: int
) -> tuple[PreparedSlice, list[Finding]]:
    """Return masks and concentration of one slice, as far as they can be had."""
    window_s = None if shared.arterial_input is None else first_pass_s(shared.arterial_input)
    findings = [
        *check_frames(series, index=index),
        *check_timing(series, index=index, window_s=window_s),
        *check_motion(motion, spacing_mm=series.geometry.spacing_mm, index=index),
    ]
    result = SliceAnalysis(
        motion=motion, masks=None, flow=None, tissue_time_s=None, tissue_mmol_l=None
    )
    nothing = PreparedSlice(result=result, registered=None, concentration_mmol_l=None)
    try:
        corrected = registered(series, motion)
    except CannotQuantifyError as error:
        return nothing, [*findings, _failure(error, index)]
    try:
        result = replace(result, masks=_outline(shared, corrected, motion))
        findings += _check_masks(shared, series, corrected, result, index)
    except CannotQuantifyError as error:
        findings.append(_failure(error, index))
    concentration = None
    try:
        concentration = _concentration(shared, corrected, result.masks)
    except CannotQuantifyError as error:
        findings.append(_failure(error, index))
    prepared = PreparedSlice(
        result=result, registered=corrected, concentration_mmol_l=concentration
    )
    return prepared, findings


def with_sectors(prepared: PreparedSlice, sectors: SliceSectors | None) -> PreparedSlice:
    """Return the slice with its AHA segments and the mean curve of the pixels that count."""
    result = replace(prepared.result, sectors=sectors)
    concentration, masks = prepared.concentration_mmol_l, result.masks
    if concentration is not None and masks is not None:
        counted = masks.myocardium if sectors is None else counted_pixels(sectors)
        result = replace(
            result,
            tissue_time_s=prepared.time_s,
            tissue_mmol_l=concentration[:, counted].nanmean(dim=1),
        )
    return replace(prepared, result=result)


def tissue_of(shared: Shared, slices: Sequence[PreparedSlice]) -> Belief | None:
    """Return what all slices together tell of the tissue; None where nothing can be told."""
    if shared.arterial_input is None:
        return None
    return heart_belief(
        [
            (prepared.concentration_mmol_l, prepared.time_s, prepared.result.masks.myocardium)
            for prepared in slices
            if prepared.concentration_mmol_l is not None
            and prepared.time_s is not None
            and prepared.result.masks is not None
        ],
        arterial_input=shared.arterial_input,
        settings=shared.parameters.flow,
    )


def map_slice(
    shared: Shared, prepared: PreparedSlice, belief: Belief | None, index: int
) -> tuple[SliceAnalysis, list[Finding]]:
    """Return the slice with its flow map."""
    result, series = prepared.result, prepared.registered
    concentration, time_s = prepared.concentration_mmol_l, prepared.time_s
    if series is None or concentration is None or time_s is None or shared.arterial_input is None:
        return result, []
    flow = flow_map(
        concentration,
        time_s=time_s,
        arterial_input=shared.arterial_input,
        region=_heart_disc(result, series) & _holds_tissue(result, series),
        myocardium=None if result.masks is None else result.masks.myocardium,
        spacing_mm=series.geometry.spacing_mm,
        settings=shared.parameters.flow,
        belief=belief,
    )
    if not _has_basis(flow, result):
        nothing = "the curves of the heart do not tell a flow."
        return result, [series_finding(Code.MAP_IMPLAUSIBLE, Grade.FAIL, nothing, index)]
    result = replace(result, flow=flow)
    return result, list(_check_map(shared, result, index))


def _has_basis(flow: FlowMap, result: SliceAnalysis) -> bool:
    """Whether a fair part of the wall, or of the heart where that is unknown, tells a flow."""
    known = flow.is_between_bounds
    if result.masks is not None and bool(result.masks.myocardium.any()):
        return float(known[result.masks.myocardium].double().mean()) >= _MIN_KNOWN_FRACTION
    return int(known.sum()) >= _MIN_KNOWN_PIXELS


def _outline(shared: Shared, series: ImageSeries, motion: MotionCorrection) -> HeartMasks:
    return segment(
        series.frames,
        spacing_mm=series.geometry.spacing_mm,
        n_proton_density=series.n_proton_density,
        networks=shared.networks,
        heart_px=motion.heart_px,
        reach_mm=SAME_HEART_MM if motion.is_heart_shared else None,
    )


def _concentration(
    shared: Shared, series: ImageSeries, masks: HeartMasks | None
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
        beside_blood=_beside_right(masks, series),
        muscle=None if masks is None else masks.myocardium,
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


def _beside_right(masks: HeartMasks | None, series: ImageSeries) -> Bool[Tensor, "row column"]:
    """Return the pixels that blood of the right ventricle may shine into; all where it is unknown.

    Also those that breathing brings near it.
    """
    everywhere = torch.ones_like(series.frames[0], dtype=torch.bool)
    if masks is None or masks.right_ventricle is None or not bool(masks.right_ventricle.any()):
        return everywhere
    rows, columns = (round(_BESIDE_MM / size) for size in series.geometry.spacing_mm)
    blood = masks.right_ventricle.float()[None]
    size, margin = (2 * rows + 1, 2 * columns + 1), (rows, columns)
    return torch.nn.functional.max_pool2d(blood, size, 1, margin)[0] > 0


def _heart_disc(result: SliceAnalysis, series: ImageSeries) -> Bool[Tensor, "row column"]:
    """Return a disc around the left ventricle, or around the heart where that is not known."""
    frames, spacing_mm = series.frames, series.geometry.spacing_mm
    heart = locate_heart(frames, spacing_mm=spacing_mm, n_proton_density=series.n_proton_density)
    centre = result.motion.heart_px or (heart.centre_row, heart.centre_column)
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


def _check_masks(
    shared: Shared, series: ImageSeries, corrected: ImageSeries, result: SliceAnalysis, index: int
) -> tuple[Finding, ...]:
    if result.masks is None:
        return ()
    found = check_heart(
        series,
        corrected,
        result.motion,
        result.masks,
        muscle=shared.parameters.myocardium,
        blood=shared.parameters.blood,
        index=index,
    )
    return (*check_segmentation(result.masks, index=index), *found)


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
