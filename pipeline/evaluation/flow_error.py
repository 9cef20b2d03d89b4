"""Error of the flow map that motion alone causes.

The same quantification runs on the corrected frames and on the motion-free, noise-free frames in
the same geometry, with the same arterial input, wall and bounds; so the bias of the model and of
the fit is in both maps and drops out.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn.functional import max_pool2d

from models.kinetics import interpolate
from models.phantom import PhantomExam, PhantomSeries
from models.physics import AGENTS, Relaxation, native_relaxation
from pipeline.errors import CannotQuantifyError
from pipeline.parameters import FermiBounds, FlowSettings
from pipeline.perfusion import flow_map
from pipeline.perfusion.arterial_input import first_pass
from pipeline.signal import to_concentration
from pipeline.types import ArterialInput

BOUNDS = FermiBounds(max_flow_ml_min_g=8.0, max_delay_s=3.0)
_MIN_CORE_PIXELS = 20


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FlowBasis:
    """What all flow maps of an exam share."""

    arterial_input: ArterialInput
    """True concentration, sampled at the beats of its series."""
    relaxation: Relaxation
    """Of myocardium."""
    density_g_ml: float
    hematocrit_fraction: float


def flow_basis(exam: PhantomExam) -> FlowBasis | None:
    """Take the true arterial input at the beats of its series; None when it is no first pass."""
    series, truth = exam.arterial_input, exam.truth
    time_s = series.time_s[series.n_proton_density :]
    true = interpolate(exam.arterial_concentration_mmol_l, exam.arterial_time_s, time_s)
    try:
        found = first_pass(true, time_s, series.truth.reference_left_ventricle)
    except CannotQuantifyError:
        return None
    return FlowBasis(
        arterial_input=found,
        relaxation=_myocardium(exam),
        density_g_ml=truth.density_g_ml,
        hematocrit_fraction=truth.hematocrit_fraction,
    )


def wall_flow(
    frames: Float[Tensor, "time row column"],
    wall: Bool[Tensor, "row column"],
    series: PhantomSeries,
    basis: FlowBasis,
) -> Float[Tensor, "row column"]:
    """Return blood flow in the wall, ml/min/g, NaN elsewhere and where it cannot be computed."""
    before = series.time_s[series.n_proton_density :] <= _foot_s(basis)
    try:
        concentration = to_concentration(
            frames,
            n_proton_density=series.n_proton_density,
            sequence=series.sequence,
            proton_density=series.proton_density,
            relaxation=basis.relaxation,
            spacing_mm=series.spacing_mm,
            n_pre_contrast=max(2, int(before.sum())),
        )
        found = flow_map(
            concentration,
            time_s=series.time_s[series.n_proton_density :],
            arterial_input=basis.arterial_input,
            region=wall,
            myocardium=wall,
            spacing_mm=series.spacing_mm,
            settings=FlowSettings(
                bounds=BOUNDS,
                density_g_ml=basis.density_g_ml,
                hematocrit_fraction=basis.hematocrit_fraction,
            ),
        )
    except CannotQuantifyError:
        return torch.full(wall.shape, torch.nan)
    return found.flow_ml_min_g


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowError:
    """Difference of two maps in the core of the wall, ml/min/g; NaN where none is known."""

    median: float
    """Median of its size: what a typical pixel is off."""
    root_mean_square: float
    """Ruled by the few pixels whose fit ends at another arrival or transit time."""


def flow_error(
    found: Float[Tensor, "row column"],
    still: Float[Tensor, "row column"],
    wall: Bool[Tensor, "row column"],
) -> FlowError:
    """Compare two maps of the same geometry."""
    known = core(wall) & found.isfinite() & still.isfinite()
    if not bool(known.any()):
        return FlowError(median=math.nan, root_mean_square=math.nan)
    error = (found - still)[known].double()
    return FlowError(
        median=float(error.abs().median()),
        root_mean_square=float(error.square().mean().sqrt()),
    )


def core(wall: Bool[Tensor, "row column"]) -> Bool[Tensor, "row column"]:
    """Return the wall without its outermost pixels; a wall too thin for that is returned whole."""
    outside = max_pool2d((~wall).float()[None, None], 3, stride=1, padding=1)[0, 0] > 0
    inner = wall & ~outside
    return inner if int(inner.sum()) >= _MIN_CORE_PIXELS else wall


def _foot_s(basis: FlowBasis) -> float:
    return float(basis.arterial_input.time_s[basis.arterial_input.foot])


def _myocardium(exam: PhantomExam) -> Relaxation:
    native = native_relaxation(exam.field_strength_t)
    transverse = AGENTS[exam.agent].transverse_relaxivity_l_mmol_s(exam.field_strength_t)
    return Relaxation(
        native_t1_s=exam.truth.native_t1_myocardium_s,
        native_t2_s=native.t2_myocardium_s,
        native_t2_star_s=native.t2_star_myocardium_s,
        relaxivity_l_mmol_s=exam.truth.relaxivity_l_mmol_s,
        transverse_relaxivity_l_mmol_s=transverse,
    )
