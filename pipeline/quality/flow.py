"""Plausibility of the arterial input and of the flow map."""

from collections.abc import Iterator

from jaxtyping import Bool, Float
from torch import Tensor

from pipeline.findings import Code, Finding, Grade
from pipeline.parameters import FermiBounds
from pipeline.types import ArterialInput, FlowMap, PatientState

_PEAK_RANGE_MMOL_L = (1.0, 12.0)
"""Published peaks are 3.5 +- 1.2 (stress) to 5.2 +- 1.5 (rest) mmol/l."""
_MIN_VALID_FRACTION = 0.7
_AT_BOUND_FRACTION = 0.1
_MEDIAN_RANGE_ML_MIN_G = (0.2, 6.0)
_HIGHEST_REST_ML_MIN_G = 2.0
_MIN_FIT_QUALITY = 0.6


def check_arterial_input(arterial_input: ArterialInput) -> tuple[Finding, ...]:
    """Return a finding when the peak concentration is not that of a usual bolus."""
    peak = float(arterial_input.concentration_mmol_l[arterial_input.peak])
    lowest, highest = _PEAK_RANGE_MMOL_L
    if lowest <= peak <= highest:
        return ()
    code = Code.NO_ARTERIAL_INPUT if peak < lowest else Code.ARTERIAL_INPUT_SATURATED
    text = f"The arterial peak of {peak:.1f} mmol/l is outside {lowest:.0f}-{highest:.0f} mmol/l."
    return (Finding(code=code, grade=Grade.REVIEW, text=text),)


def check_flow(
    flow: FlowMap,
    *,
    myocardium: Bool[Tensor, "row column"],
    state: PatientState,
    bounds: FermiBounds,
    index: int,
) -> tuple[Finding, ...]:
    """Return findings on a map whose numbers in the myocardium are missing or implausible.

    Parameters
    ----------
    flow
        The map of one slice.
    myocardium
        Its myocardium.
    state
        Stress or rest.
    bounds
        Bounds of the fit.
    index
        Which slice it is.

    """
    values, quality = flow.flow_ml_min_g[myocardium], flow.fit_quality[myocardium]
    complaints = _complaints(values, quality, state, bounds)
    return tuple(
        Finding(
            code=Code.MAP_IMPLAUSIBLE,
            grade=Grade.REVIEW,
            text=f"Slice {index + 1}: {text}",
            slice_index=index,
        )
        for text in complaints
    )


def _complaints(
    values: Float[Tensor, " voxel"],
    quality: Float[Tensor, " voxel"],
    state: PatientState,
    bounds: FermiBounds,
) -> Iterator[str]:
    valid = values.isfinite()
    n_valid, n_all = int(valid.sum()), max(values.shape[0], 1)
    if n_valid < _MIN_VALID_FRACTION * n_all:
        yield f"only {n_valid / n_all:.0%} of the myocardium has a flow."
    if n_valid == 0:
        return
    median = float(values[valid].median())
    if not _MEDIAN_RANGE_ML_MIN_G[0] <= median <= _MEDIAN_RANGE_ML_MIN_G[1]:
        yield f"the median flow of {median:.2f} ml/min/g is not physiological."
    if state is PatientState.REST and median > _HIGHEST_REST_ML_MIN_G:
        yield f"the median flow of {median:.2f} ml/min/g is too high for rest."
    at_bound = float((values[valid] > 0.99 * bounds.max_flow_ml_min_g).double().mean())
    if at_bound > _AT_BOUND_FRACTION:
        yield f"{at_bound:.0%} of the myocardium is at the upper bound of the fit."
    if float(quality[valid].median()) < _MIN_FIT_QUALITY:
        yield "the response model does not describe the curves."
