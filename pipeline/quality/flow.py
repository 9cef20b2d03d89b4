"""Plausibility of the flow map."""

from collections.abc import Iterator

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from pipeline.findings import Code, Finding, Grade, series_finding
from pipeline.parameters import FermiBounds
from pipeline.types import FlowMap, PatientState

_MIN_VALID_FRACTION = 0.7
_AT_BOUND_FRACTION = 0.1
_MEDIAN_RANGE_ML_MIN_G = (0.2, 6.0)
"""Healthy muscle has 0.65 +- 0.13 at rest and 2.9 +- 0.6 under stress (Brown 2018,
doi 10.1186/s12968-018-0462-y); scar has 0.3."""
_HIGHEST_REST_ML_MIN_G = 2.0
_MIN_FIT_QUALITY = 0.6


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
    at_bound = _at_bound(flow, bounds)[myocardium]
    values, quality = flow.flow_ml_min_g[myocardium], flow.fit_quality[myocardium]
    return tuple(
        series_finding(Code.MAP_IMPLAUSIBLE, Grade.REVIEW, text, index)
        for text in _complaints(values, quality, at_bound, state)
    )


def _at_bound(flow: FlowMap, bounds: FermiBounds) -> Bool[Tensor, "row column"]:
    return torch.ge(flow.flow_ml_min_g, 0.99 * bounds.max_flow_ml_min_g)


def _complaints(
    values: Float[Tensor, " voxel"],
    quality: Float[Tensor, " voxel"],
    at_bound: Bool[Tensor, " voxel"],
    state: PatientState,
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
    elif state is PatientState.REST and median > _HIGHEST_REST_ML_MIN_G:
        yield f"the median flow of {median:.2f} ml/min/g is too high for rest."
    clipped = float(at_bound[valid].double().mean())
    if clipped > _AT_BOUND_FRACTION:
        yield f"{clipped:.0%} of the myocardium is at the upper bound of the fit."
    if float(quality[valid].median()) < _MIN_FIT_QUALITY:
        yield "the response model does not describe the curves."
