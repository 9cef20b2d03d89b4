"""Measure what a method made of a series against the truth of the phantom."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from models.phantom import PhantomSeries
from models.smoothing import smooth
from pipeline.evaluation.cases import Case
from pipeline.evaluation.contenders import Contender, Registration
from pipeline.evaluation.contours import Contours, corrected_contours
from pipeline.evaluation.curves import curve_error, curve_roughness, segment_curves
from pipeline.evaluation.flow_error import FlowError, core, flow_error, wall_flow
from pipeline.evaluation.folding import folded_fraction
from pipeline.evaluation.overlap import compare, overlap
from pipeline.evaluation.phases import Phase
from pipeline.evaluation.records import Record
from pipeline.evaluation.still import still_at
from pipeline.evaluation.target_error import percentile, target_error
from pipeline.motion.quality import sharpness
from pipeline.types import MotionCorrection

_AROUND_PX = 3.0
"""Blur of the mask of the heart that weights its sharpness."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StillView:
    """The series without motion in the geometry of one reference frame."""

    reference: int
    frames: Float[Tensor, "time row column"]
    region: Bool[Tensor, "row column"]
    """Where curves are read: the wall, or the blood pool of the arterial input."""
    flow_ml_min_g: Float[Tensor, "row column"] | None
    sharpness: float


def still_view(case: Case, reference: int) -> StillView:
    """Make the motion-free view that all methods with the same reference frame share."""
    frames = still_at(case.series, reference)
    region = _region(case, reference)
    flow = None if case.flow is None else wall_flow(frames, region, case.series, case.flow)
    return StillView(
        reference=reference,
        frames=frames,
        region=region,
        flow_ml_min_g=flow,
        sharpness=sharpness(
            frames[case.series.n_proton_density :], _around(case.series, reference)
        ),
    )


def measure(
    contender: Contender,
    case: Case,
    registration: Registration,
    still: StillView,
    *,
    weights: str,
) -> Record:
    """Return all figures of one registration.

    Parameters
    ----------
    contender
        Who made it.
    case
        The series with its truth.
    registration
        The answer.
    still
        The view without motion at the reference frame of the answer.
    weights
        Label of the weights that were used.

    """
    series, truth = case.series, case.series.truth
    recovery = ~case.phases[list(Phase).index(Phase.PROTON_DENSITY)]
    leaves = truth.through_plane_mm.abs() > 0.5 * series.thickness_mm
    motion = registration.motion
    seen = corrected_contours(case.contours, motion.displacement)
    error = target_error(seen.points_mm, motion.reference)
    marked = motion.is_unlike
    return Record(
        split=case.subject.split.value,
        seed=case.subject.seed,
        breathing=case.subject.protocol.breathing.value,
        series=case.name,
        method=contender.value,
        weights=weights,
        chosen=motion.method,
        reference=motion.reference,
        n_frames=len(series.frames),
        spacing_mm=series.spacing_mm[0],
        **_overlap_figures(case, motion, seen),
        error_mm=_mean(error.reference[recovery]),
        error_p95_mm=percentile(error.reference[recovery], 95.0),
        error_in_plane_mm=_mean(error.reference[recovery & ~leaves]),
        consensus_error_mm=_mean(error.consensus[recovery]),
        consensus_error_p95_mm=percentile(error.consensus[recovery], 95.0),
        phase_error_mm=tuple(_mean(error.reference[mask]) for mask in case.phases),
        phase_consensus_error_mm=tuple(_mean(error.consensus[mask]) for mask in case.phases),
        **_signal_figures(case, motion, still),
        folded_fraction=folded_fraction(motion.displacement),
        n_through_plane=int(leaves.sum()),
        n_marked=int(marked.sum()),
        n_marked_rightly=int((marked & leaves).sum()),
        cpu_s=registration.cpu_s,
        wall_s=registration.wall_s,
    )


def _overlap_figures(case: Case, motion: MotionCorrection, seen: Contours) -> dict[str, float]:
    fine = compare(seen.walls, motion.reference)
    coarse = overlap(case.series.truth.myocardium, motion.displacement, motion.reference)
    return {
        "dice": _mean(fine.reference),
        "dice_worst": float(fine.reference.min()),
        "dice_consensus": _mean(fine.consensus),
        "dice_consensus_worst": float(fine.consensus.min()),
        "dice_pixels": _mean(coarse.reference),
    }


def _signal_figures(case: Case, motion: MotionCorrection, still: StillView) -> dict[str, float]:
    """Return what the corrected signal is worth: smooth curves, sharp mean, true flow."""
    n_proton, region = case.series.n_proton_density, still.region
    recovery = motion.frames[n_proton:].float()
    curves = segment_curves(recovery, region)
    sharp = sharpness(recovery, _around(case.series, motion.reference))
    error = FlowError(median=torch.nan, root_mean_square=torch.nan)
    if case.flow is not None and still.flow_ml_min_g is not None:
        flow = wall_flow(motion.frames.float(), region, case.series, case.flow)
        error = flow_error(flow, still.flow_ml_min_g, region)
    return {
        "roughness": curve_roughness(curves),
        "sharpness": sharp / still.sharpness if still.sharpness > 0 else torch.nan,
        "curve_error": curve_error(curves, segment_curves(still.frames[n_proton:], region)),
        "flow_error_ml_min_g": error.median,
        "flow_rms_error_ml_min_g": error.root_mean_square,
    }


def _region(case: Case, reference: int) -> Bool[Tensor, "row column"]:
    truth = case.series.truth
    if case.is_arterial:
        return core(truth.left_ventricle[reference])
    return truth.myocardium[reference]


def _around(series: PhantomSeries, reference: int) -> Float[Tensor, "row column"]:
    heart = series.truth.myocardium[reference] | series.truth.left_ventricle[reference]
    return smooth(heart.float()[None], _AROUND_PX)[0]


def _mean(values: Float[Tensor, " value"]) -> float:
    return float(values.double().mean()) if values.numel() else torch.nan
